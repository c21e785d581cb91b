"""A part of the pattern, drawn as wide as the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from peakwise.augmentation._augmentation import Augmentation, as_range, interpolate, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

__all__ = ["RandomSlice"]


@final
class RandomSlice(Augmentation):
    """Cut a window out of each pattern and stretch it to the full length: a detector that sees less.

    Parameters
    ----------
    share : float or (low, high)
        Width of the window, as a share of the pattern; a single number is the share of every window.

    Notes
    -----
    Window slicing: A. Le Guennec et al., ECML/PKDD workshop on advanced analytics and learning on temporal data, 2016.

    Examples
    --------
    >>> drawn = {"share": torch.tensor([[0.5]]), "start": torch.tensor([[1.0]])}
    >>> RandomSlice().apply(torch.tensor([[0.0, 1.0, 2.0, 3.0, 4.0]]), drawn)
    tensor([[1.0000, 1.5000, 2.0000, 2.5000, 3.0000]])
    """

    def __init__(self, share: float | tuple[float, float] = (0.85, 0.96)) -> None:
        limits = (share, share) if isinstance(share, (int, float)) and not isinstance(share, bool) else share
        self.share = as_range(self, "share", limits, 0.0, 1.0)

    def draw(self, intensity: Tensor, generator: Generator) -> dict[str, Tensor]:
        """``share`` (n, 1) of the window, ``start`` (n, 1) in points."""
        share = uniform((len(intensity), 1), self.share, intensity, generator)
        place = uniform((len(intensity), 1), (0.0, 1.0), intensity, generator)
        return {"share": share, "start": place * (1 - share) * (intensity.shape[1] - 1)}

    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Interpolate between the points of the window."""
        length = intensity.shape[1]
        place = torch.linspace(0, length - 1, length, device=intensity.device, dtype=intensity.dtype)
        return interpolate(intensity, drawn["start"] + place * drawn["share"])
