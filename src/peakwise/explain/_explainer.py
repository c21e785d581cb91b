"""What every explanation shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from peakwise.explain._scorer import Ability

__all__ = ["Explainer"]


class Explainer(ABC):
    """Base of the explanations: a final class with its options in `__init__`, and its idea in `relevance`.

    Attributes
    ----------
    needs : {"scores", "gradients", "feature_map"}
        What it needs of the model: only its scores, their gradients, or a last convolution as well.
    signed : bool
        Whether it can say "against".
    """

    needs: ClassVar[Ability]
    signed: ClassVar[bool]

    @abstractmethod
    def relevance(
        self, scorer: Any, x: NDArray[np.float64], target: NDArray[np.intp] | None
    ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Relevance (n, n_points) of the patterns x for their targets, and notes."""
