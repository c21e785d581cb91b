"""Parts that are not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from peakwise.augmentation._augmentation import Augmentation, as_range, check_whole, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

__all__ = ["RandomMask"]


@final
class RandomMask(Augmentation):
    """Set parts of each pattern to its lowest value.

    Parameters
    ----------
    share : float or (low, high)
        Width of a part, as a share of the pattern; a single number is the upper limit.
    n_parts : int
        How many.

    Examples
    --------
    >>> drawn = {"start": torch.tensor([[1.0]]), "width": torch.tensor([[2.0]])}
    >>> RandomMask().apply(torch.tensor([[1.0, 5.0, 6.0, 7.0]]), drawn)
    tensor([[1., 1., 1., 7.]])
    """

    def __init__(self, share: float | tuple[float, float] = 0.1, n_parts: int = 1) -> None:
        self.share = as_range(self, "share", share, 0.0, 1.0)
        self.n_parts = check_whole(self, "n_parts", n_parts)

    def draw(self, intensity: Tensor, generator: Generator) -> dict[str, Tensor]:
        """``start`` and ``width`` of each part (n, n_parts), in points."""
        n, length = intensity.shape
        width = (uniform((n, self.n_parts), self.share, intensity, generator) * length).floor()
        start = uniform((n, self.n_parts), (0.0, 1.0), intensity, generator) * (length - width + 1)
        return {"start": start.floor().clamp_max(length), "width": width}

    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Put the lowest value there."""
        place = torch.arange(intensity.shape[1], device=intensity.device)
        start, width = drawn["start"][..., None], drawn["width"][..., None]
        hidden = ((place >= start) & (place < start + width)).any(dim=1)
        return torch.where(hidden, intensity.amin(dim=1, keepdim=True), intensity)
