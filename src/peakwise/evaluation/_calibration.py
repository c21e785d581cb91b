"""The face of every calibration: from scores to probabilities that mean what they say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Calibration", "targets"]


class Calibration(ABC):
    """Base of the calibrations: fitted on cases that were not used for training.

    All of them keep the order: a higher score never gets a lower probability.
    """

    @abstractmethod
    def fit(self, scores: ArrayLike, correct: ArrayLike) -> Self:
        """Learn from scores and from what came true."""

    @abstractmethod
    def predict(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the probability for each score."""

    @abstractmethod
    def to_recipe(self) -> dict[str, Any]:
        """Return what was learned as plain numbers, for a model file."""

    @classmethod
    @abstractmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> Self:
        """Return the calibration that `to_recipe` took apart."""

    def _learned(self, name: str) -> Any:
        """Return a learned value; a calibration that was not fitted says so."""
        if not hasattr(self, name):
            why = f"{type(self).__name__} must be fitted, and fit was not called"
            raise OptionError("cannot predict probabilities", why, "Call fit with scores and what came true")
        return getattr(self, name)


def targets(right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What to learn instead of 0 and 1, so that a few cases without an error do not promise certainty.

    (N + 1)/(N + 2) for the N that came true and 1/(N + 2) for the N that did not: J. C. Platt, in Advances in Large
    Margin Classifiers (2000) 61.
    """
    n_true = int(right.sum())
    n_false = right.size - n_true
    return np.where(right, (n_true + 1) / (n_true + 2), 1 / (n_false + 2))
