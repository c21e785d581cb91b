"""An axis that is stretched here and compressed there."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from peakwise.augmentation._augmentation import Augmentation, as_range, check_whole, interpolate
from peakwise.augmentation._curves import smooth_curves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

__all__ = ["RandomWarp"]


@final
class RandomWarp(Augmentation):
    """Move the peaks of each pattern along a smooth warp of its axis: their order and their number stay.

    Diffraction-angle warping: what pressure, temperature or another geometry do to positions.

    Parameters
    ----------
    sigma : float
        Standard deviation of the logarithm of the stretch at a knot: 0.2 is about 20 % denser here, wider there.
    n_knots : int
        Knots between the two ends.

    Notes
    -----
    The speed along the axis is the exponential of a natural cubic spline through normal numbers, and so nowhere 0; its
    integral, brought to the length of the pattern, says where each point is read. Both ends stay. With the default
    sigma a point in the middle moves by 4 % of the axis (root mean square), which is much for a diffraction angle: for
    series whose peaks hardly move take less. Time warping: T. T. Um et al., ICMI 2017, 216,
    doi:10.1145/3136755.3136817, there with a cumulative sum of speeds that may turn back.

    Examples
    --------
    >>> peak = {"intensity": torch.eye(50)[[20]]}
    >>> RandomWarp(0.5)(peak, torch.Generator().manual_seed(0))["intensity"].argmax().item()
    13
    """

    def __init__(self, sigma: float = 0.2, n_knots: int = 4) -> None:
        self.sigma = as_range(self, "sigma", sigma, 0.0, 3.0)[1]
        self.n_knots = check_whole(self, "n_knots", n_knots, 0)

    def draw(self, intensity: Tensor, generator: Generator) -> dict[str, Tensor]:
        """``stretch`` (n, n_knots + 2): logarithm of the speed at each knot."""
        size = (len(intensity), self.n_knots + 2)
        normal = torch.randn(size, generator=generator, device=intensity.device, dtype=intensity.dtype)
        return {"stretch": self.sigma * normal}

    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Read each pattern at the warped positions."""
        speed = smooth_curves(drawn["stretch"], intensity.shape[1]).exp()
        way = torch.nn.functional.pad(((speed[:, 1:] + speed[:, :-1]) / 2).cumsum(dim=1), (1, 0))
        whole = way[:, -1:].clamp_min(torch.finfo(way.dtype).tiny)
        return interpolate(intensity, way / whole * (intensity.shape[1] - 1))
