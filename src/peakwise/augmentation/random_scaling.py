"""Another height."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from peakwise.augmentation._augmentation import Augmentation, refuse, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

__all__ = ["RandomScaling"]


@final
class RandomScaling(Augmentation):
    """Multiply each pattern with a factor between ``1 - change`` and ``1 + change``.

    Parameters
    ----------
    change : float
        Below 1.

    Examples
    --------
    >>> import torch
    >>> RandomScaling(0.2).apply(torch.ones(1, 3), {"factor": torch.tensor([[1.1]])})
    tensor([[1.1000, 1.1000, 1.1000]])
    """

    def __init__(self, change: float = 0.2) -> None:
        if not 0 <= change < 1:
            raise refuse(self, f"change must lie within 0 and 1, 1 excluded, got {change!r}")
        self.change = float(change)

    def draw(self, intensity: Tensor, generator: Generator) -> dict[str, Tensor]:
        """``factor`` (n, 1)."""
        limits = (1 - self.change, 1 + self.change)
        return {"factor": uniform((len(intensity), 1), limits, intensity, generator)}

    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Multiply."""
        return intensity * drawn["factor"]
