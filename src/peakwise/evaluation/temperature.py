"""One number that makes a network less, or more, sure of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, final

import numpy as np

from peakwise.evaluation._arguments import numbers, refuse, truths
from peakwise.evaluation._calibration import Calibration, targets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["TemperatureCalibration"]

_COLDEST = 1e-6  # inverse temperature, in units of the scatter of the logits, below which they say nothing
_MOST_STEPS = 200


@final
class TemperatureCalibration(Calibration):
    """Divide the logits of a network by a temperature.

    It never changes which answer is first. Logits (n, k) belong to k labels of which one is true; logits (n,) to one
    statement each, which is true or not.

    Attributes
    ----------
    temperature_ : float
        Above 1 where the network was too sure.

    Notes
    -----
    C. Guo et al., Proc. Mach. Learn. Res. 70 (2017) 1321. The mean log loss is convex in 1/T; Newton's method finds its
    minimum. The truth counts as (n + 1)/(n + 2) and not as 1, so that n answers without an error do not promise
    certainty. Logits that contradict the truth get a temperature so high that all labels are equally probable.

    Examples
    --------
    >>> calibration = TemperatureCalibration().fit([[8, 0], [8, 0], [8, 0], [0, 8]], [0, 0, 1, 1])
    >>> calibration.predict([[8, 0]]).round(2)
    array([[0.67, 0.33]])
    """

    temperature_: float

    def fit(self, scores: ArrayLike, correct: ArrayLike) -> Self:
        """Learn the temperature.

        Parameters
        ----------
        scores : array-like of shape (n, k) or (n,)
            Logits.
        correct : array-like of shape (n,)
            Number of the true label, 0 to k - 1; or, for logits (n,), whether the statement is true.
        """
        z = _logits(scores)
        if z.ndim == 1:
            likely = targets(truths("correct", correct, z.size))
            z, aim = np.stack([np.zeros_like(z), z], axis=1), np.stack([1 - likely, likely], axis=1)
        else:
            aim = _aims(correct, *z.shape)
        self.temperature_ = 1 / _best_inverse(z, aim)
        return self

    def predict(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Return probabilities of the shape of the logits.

        Parameters
        ----------
        scores : array-like of shape (n, k) or (n,)
        """
        z = _logits(scores, least=0) / self._learned("temperature_")
        if z.ndim == 1:
            return np.asarray(np.exp(-np.logaddexp(0, -z)), dtype=np.float64)
        return _softmax(z)

    def to_recipe(self) -> dict[str, Any]:
        """Return what was learned."""
        return {"temperature": float(self._learned("temperature_"))}

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any]) -> Self:
        """Return the calibration that `to_recipe` took apart."""
        made, temperature = cls(), float(recipe["temperature"])
        if not 0 < temperature < np.inf:
            raise refuse("temperature", "above 0 and finite", temperature, "Fit it again")
        made.temperature_ = temperature
        return made


def _logits(scores: ArrayLike, least: int = 1) -> NDArray[np.float64]:
    z = numbers("scores", scores, ndim=(1, 2), least=least, finite=True)
    if z.ndim == 2 and z.shape[1] < 2:
        raise refuse("scores", "logits of at least two labels", z.shape[1], "Give logits (n,) for a single one")
    return z


def _aims(correct: ArrayLike, n: int, k: int) -> NDArray[np.float64]:
    """Return the true label as (n + 1)/(n + 2), the rest spread over the others."""
    label = numbers("correct", correct)
    if label.size != n or not np.isin(label, np.arange(k)).all():
        must = f"{n} numbers of labels, 0 to {k - 1}"
        raise refuse("correct", must, f"{label.size} from {label.min():g} to {label.max():g}", "Count labels from 0")
    aim = np.full((n, k), 1 / ((n + 2) * (k - 1)))
    aim[np.arange(n), label.astype(int)] = (n + 1) / (n + 2)
    return aim


def _softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    weight = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True), dtype=np.float64)


def _best_inverse(z: NDArray[np.float64], aim: NDArray[np.float64]) -> float:
    """Minimise the mean of -β aim·z + log Σ exp(β z) over β > 0: Newton steps, kept within a shrinking bracket."""
    z = z - z.mean(axis=1, keepdims=True)
    scatter = float(z.std())
    if scatter == 0:  # all logits alike: no temperature changes anything
        return 1.0
    z = z / scatter
    wanted = float((aim * z).sum(axis=1).mean())
    low, high, beta = _COLDEST, np.inf, 1.0
    for _ in range(_MOST_STEPS):
        p = _softmax(beta * z)
        mean = (p * z).sum(axis=1)
        slope, curve = float(mean.mean()) - wanted, float(((p * z * z).sum(axis=1) - mean**2).mean())
        low, high = (beta, high) if slope < 0 else (low, beta)
        step = beta - slope / curve if curve > 0 else np.inf
        # Outside the bracket: half of it, or on to the double where it has no end yet.
        following = step if low < step < high else (2 * beta if high == np.inf else (low + high) / 2)
        if abs(following - beta) <= 1e-13 * beta or high - low <= 1e-13 * beta:
            break
        beta = following
    return max(beta, _COLDEST) / scatter
