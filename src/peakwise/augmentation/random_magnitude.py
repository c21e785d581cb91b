"""A height that changes along the pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from peakwise.augmentation._augmentation import Augmentation, as_range, check_whole
from peakwise.augmentation._curves import smooth_curves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

__all__ = ["RandomMagnitude"]


@final
class RandomMagnitude(Augmentation):
    """Multiply each pattern with a smooth curve around 1: peaks grow or shrink and stay where they are.

    Magnitude warping: what preferred orientation, absorption or another efficiency of the detector do to heights.

    Parameters
    ----------
    sigma : float
        Standard deviation of the curve at a knot.
    n_knots : int
        Knots between the two ends.

    Notes
    -----
    A natural cubic spline through normal numbers around 1; where it would be below 0 it is 0. T. T. Um et al., ICMI
    2017, 216, doi:10.1145/3136755.3136817.

    Examples
    --------
    >>> drawn = {"heights": torch.tensor([[0.5, 1.0, 1.5]])}
    >>> RandomMagnitude().apply(torch.ones(1, 5), drawn)
    tensor([[0.5000, 0.7500, 1.0000, 1.2500, 1.5000]])
    """

    def __init__(self, sigma: float = 0.2, n_knots: int = 4) -> None:
        self.sigma = as_range(self, "sigma", sigma, 0.0, 10.0)[1]
        self.n_knots = check_whole(self, "n_knots", n_knots, 0)

    def draw(self, intensity: Tensor, generator: Generator) -> dict[str, Tensor]:
        """``heights`` (n, n_knots + 2) of the curve at each knot."""
        size = (len(intensity), self.n_knots + 2)
        normal = torch.randn(size, generator=generator, device=intensity.device, dtype=intensity.dtype)
        return {"heights": 1 + self.sigma * normal}

    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Multiply."""
        return intensity * smooth_curves(drawn["heights"], intensity.shape[1]).clamp_min(0)
