"""A few numbers that make a probability of one score or several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, final

import numpy as np

from peakwise.evaluation._arguments import numbers, refuse, truths
from peakwise.evaluation._calibration import Calibration, targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["LogisticCalibration"]

_MOST_STEPS = 200
_PRECISE = 1e-12  # what a step would gain, relative to the loss


@final
class LogisticCalibration(Calibration):
    """Probability 1/(1 + exp(-(slope · score + intercept))), with slopes that are never negative.

    With several scores for each case, each of them is taken as evidence for "right": turn the sign of what speaks
    against it. A score that would get a negative slope, beside the others, is left out (slope 0).

    Parameters
    ----------
    ridge : float
        How strongly slopes, in units of the scatter of their score, are drawn to 0; as a number of cases.

    Attributes
    ----------
    slope_ : ndarray of shape (d,)
    intercept_ : float

    Notes
    -----
    J. C. Platt, in Advances in Large Margin Classifiers (2000) 61, with its targets instead of 0 and 1. The loss is
    convex; projected Newton steps (D. P. Bertsekas, SIAM J. Control Optim. 20 (1982) 221, doi:10.1137/0320018) find its
    minimum.

    Examples
    --------
    >>> scores = [0.2, 0.4, 0.5, 0.6, 0.7, 0.9]
    >>> calibration = LogisticCalibration().fit(scores, [0, 0, 1, 0, 1, 1])
    >>> calibration.predict([0.3, 0.55, 0.8]).round(2)
    array([0.26, 0.5 , 0.74])
    """

    slope_: NDArray[np.float64]
    intercept_: float

    def __init__(self, ridge: float = 0.01) -> None:
        self.ridge = ridge

    def fit(self, scores: ArrayLike, correct: ArrayLike) -> Self:
        """Learn slopes and intercept.

        Parameters
        ----------
        scores : array-like of shape (n,) or (n, d)
            Higher for what is more likely right.
        correct : array-like of shape (n,)
            Whether it was right.
        """
        if not isinstance(self.ridge, (int, float)) or not 0 <= self.ridge < np.inf:
            raise refuse("ridge", "a number of at least 0", repr(self.ridge), "Use 0.01")
        x = _columns(scores, 1)
        aim = targets(truths("correct", correct, len(x)))
        mean, scatter = x.mean(axis=0), x.std(axis=0)
        scatter = np.where(scatter > 1e-12 * np.abs(mean), scatter, np.inf)  # a constant score says nothing
        weights = _best_weights((x - mean) / scatter, aim, float(self.ridge))
        self.slope_ = weights[1:] / scatter
        self.intercept_ = float(weights[0] - self.slope_ @ mean)
        return self

    def predict(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return the probability that each is right.

        Parameters
        ----------
        scores : array-like of shape (n,) or (n, d)
        """
        slope = self._learned("slope_")
        x = _columns(scores, 0)
        if len(x) and x.shape[1] != slope.size:
            raise refuse("scores", f"{slope.size} for each case, as in fit", x.shape[1], "Give the same scores")
        return _sigmoid(x.reshape(-1, slope.size) @ slope + self.intercept_)

    def to_recipe(self) -> dict[str, Any]:
        """Return what was learned."""
        return {"slope": self._learned("slope_").tolist(), "intercept": self.intercept_}

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> Self:
        """Return the calibration that `to_recipe` took apart."""
        made = cls()
        made.slope_, made.intercept_ = numbers("slope", recipe["slope"]), float(recipe["intercept"])
        if made.slope_.min() < 0:
            raise refuse("slope", "at least 0", made.slope_.min(), "Fit it again")
        return made


def _columns(scores: ArrayLike, least: int) -> NDArray[np.float64]:
    x = numbers("scores", scores, ndim=(1, 2), least=least, finite=True)
    return x[:, None] if x.ndim == 1 else x


def _sigmoid(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.exp(-np.logaddexp(0, -z)), dtype=np.float64)


def _best_weights(x: NDArray[np.float64], aim: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """Minimise cross entropy + ridge/2 Σ slope² over the intercept and slopes >= 0, for standardised scores."""
    X = np.column_stack([np.ones(len(x)), x])
    penalty = np.r_[0.0, np.full(x.shape[1], ridge)]
    floor = np.r_[-np.inf, np.zeros(x.shape[1])]

    def loss(w: NDArray[np.float64]) -> float:
        z = X @ w
        return float(np.sum(np.logaddexp(0, z) - aim * z) + 0.5 * np.sum(penalty * w * w))

    w = np.zeros(X.shape[1])
    value = loss(w)
    for _ in range(_MOST_STEPS):
        p = _sigmoid(X @ w)
        slope = X.T @ (p - aim) + penalty * w
        free = (w > floor) | (slope < 0)
        curve = (X[:, free].T * (p * (1 - p))) @ X[:, free] + np.diag(penalty[free])
        curve += 1e-12 * max(1.0, np.trace(curve)) * np.eye(len(curve))  # equal scores without ridge
        step = np.zeros_like(w)
        step[free] = np.linalg.solve(curve, -slope[free])
        if -float(slope @ step) <= _PRECISE * (1 + value):  # the last digits are below the rounding of the loss
            return np.asarray(np.maximum(w + step, floor), dtype=np.float64)
        for halving in range(60):
            following = np.maximum(w + step * 0.5**halving, floor)
            reached = loss(following)
            if reached <= value + 1e-4 * float(slope @ (following - w)):
                break
        else:
            break  # no step is better: as precise as the numbers allow
        w, value = following, reached
    return w
