"""Another zero of the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from peakwise.augmentation._augmentation import Augmentation, as_range, interpolate, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

__all__ = ["RandomShift"]


@final
class RandomShift(Augmentation):
    """Move each pattern along its axis.

    Parameters
    ----------
    points : float
        Largest shift to either side, in points; fractions are interpolated between neighbours.

    Notes
    -----
    The value at an end of the pattern continues beyond it.

    Examples
    --------
    >>> RandomShift().apply(torch.tensor([[0.0, 1.0, 0.0, 0.0]]), {"points": torch.tensor([[1.5]])})
    tensor([[0.0000, 0.0000, 0.5000, 0.5000]])
    """

    def __init__(self, points: float = 5.0) -> None:
        self.points = as_range(self, "points", points, 0.0, 1e6)[1]

    def draw(self, intensity: Tensor, generator: Generator) -> dict[str, Tensor]:
        """``points`` (n, 1), positive towards higher positions."""
        return {"points": uniform((len(intensity), 1), (-self.points, self.points), intensity, generator)}

    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Interpolate at the positions where each point was before."""
        before = torch.arange(intensity.shape[1], device=intensity.device, dtype=intensity.dtype) - drawn["points"]
        return interpolate(intensity, before)
