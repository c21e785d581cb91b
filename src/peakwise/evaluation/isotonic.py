"""A rising line through the shares of right answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, final

import numpy as np

from peakwise.evaluation._arguments import numbers, refuse, truths
from peakwise.evaluation._calibration import Calibration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["IsotonicCalibration"]


@final
class IsotonicCalibration(Calibration):
    """The rising function of the score that is nearest to what came true, in straight pieces.

    It fits any shape, and needs some hundred cases to do better than `LogisticCalibration`. Of n cases none can
    promise certainty: probabilities stay between 1/(n + 2) and (n + 1)/(n + 2).

    Attributes
    ----------
    scores_, probabilities_ : ndarray of shape (k,)
        Corners of the function; beyond them it is constant.

    Notes
    -----
    Least squares by pooling neighbours that fall: M. Ayer et al., Ann. Math. Stat. 26 (1955) 641,
    doi:10.1214/aoms/1177728423; as a calibration: B. Zadrozny and C. Elkan, KDD (2002) 694, doi:10.1145/775047.775151.

    Examples
    --------
    >>> calibration = IsotonicCalibration().fit([1, 2, 3, 4, 5, 6], [0, 1, 0, 0, 1, 1])
    >>> calibration.predict([1, 3, 4.5, 9]).round(3)
    array([0.125, 0.333, 0.604, 0.875])
    """

    scores_: NDArray[np.float64]
    probabilities_: NDArray[np.float64]

    def fit(self, scores: ArrayLike, correct: ArrayLike) -> Self:
        """Learn the corners.

        Parameters
        ----------
        scores : array-like of shape (n,)
            Higher for what is more likely right.
        correct : array-like of shape (n,)
            Whether it was right.
        """
        x = numbers("scores", scores, finite=True)
        right = truths("correct", correct, x.size)
        places, which = np.unique(x, return_inverse=True)
        weight = np.bincount(which).astype(np.float64)
        level = np.clip(_rising(np.bincount(which, right) / weight, weight), 1 / (x.size + 2), 1 - 1 / (x.size + 2))
        # Within a level only its two ends are corners.
        corner = np.r_[True, level[1:] != level[:-1]] | np.r_[level[1:] != level[:-1], True]
        self.scores_, self.probabilities_ = places[corner], level[corner]
        return self

    def predict(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that each is right.

        Parameters
        ----------
        scores : array-like of shape (n,)
        """
        corners = self._learned("scores_")
        return np.asarray(
            np.interp(numbers("scores", scores, least=0, finite=True), corners, self.probabilities_), dtype=np.float64
        )

    def to_recipe(self) -> dict[str, Any]:
        """Return what was learned."""
        return {"scores": self._learned("scores_").tolist(), "probabilities": self.probabilities_.tolist()}

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> Self:
        """Return the calibration that `to_recipe` took apart."""
        made = cls()
        made.scores_ = numbers("scores", recipe["scores"])
        made.probabilities_ = numbers("probabilities", recipe["probabilities"])
        rising = (np.diff(made.scores_) > 0).all() and (np.diff(made.probabilities_) >= 0).all()
        if made.scores_.size != made.probabilities_.size or not rising:
            must = "rising, with a rising score for each"
            raise refuse("probabilities", must, recipe["probabilities"], "Fit it again")
        return made


def _rising(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rising values nearest to the given ones, in weighted least squares."""
    means: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for value, mass in zip(values.tolist(), weights.tolist(), strict=True):
        size = 1
        while means and means[-1] >= value:
            before, mean = masses.pop(), means.pop()
            value, mass, size = (mean * before + value * mass) / (before + mass), before + mass, size + sizes.pop()
        means.append(value)
        masses.append(mass)
        sizes.append(size)
    return np.repeat(means, sizes)
