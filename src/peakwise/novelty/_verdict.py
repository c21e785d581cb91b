"""From several scores to one, and from that to a p-value and a threshold with a stated rate of false alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from peakwise.evaluation import conformal_p_value, conformal_size, conformal_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.novelty._score import Rows, Score

__all__ = ["Combined", "cross_scores", "folds", "tail_p_values", "tail_threshold"]

_FOLDS = 10
_TAIL = 0.2  # share of the known scores from which the tail is continued
_FEWEST = 5  # scores that make a tail
_LEAST_SPREAD = 0.05  # of logarithms: scores of known scans that hardly differ must not make small changes large


def cross_scores(
    kinds: Sequence[type[Score]], rows: Rows, groups: NDArray[np.intp], random_state: int
) -> NDArray[np.float64]:
    """Scores (n, n_kinds) of known rows, each by what was learned from the other groups.

    Parameters
    ----------
    kinds : sequence of classes of scores
    rows : (n, m)
    groups : (n,)
        Which rows are left out together, 0 to k - 1.
    random_state : int
    """
    made = np.empty((len(rows), len(kinds)))
    for group in np.unique(groups):
        out = groups == group
        for column, kind in enumerate(kinds):
            score = kind()
            score.learn(rows[~out], random_state)
            made[out, column] = score.measure(rows[out])
    return made


def folds(n: int, random_state: int) -> NDArray[np.intp]:
    """Groups of known rows: each alone where they are few, else ten, drawn by chance."""
    if n <= 2 * _FOLDS:
        return np.arange(n)
    return np.asarray(np.random.default_rng(random_state).permutation(n) % _FOLDS)


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """Several scores as one: the mean of their logarithms, each in units of its spread among known scans.

    Attributes
    ----------
    floor, middle, spread : ndarray of shape (n_kinds,)
        Least score that counts; median and robust standard deviation of the logarithms.
    """

    floor: NDArray[np.float64]
    middle: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def learn(cls, scores: NDArray[np.float64]) -> Self:
        """Learn from scores (n, n_kinds) of known scans that were left out in turn."""
        floor = np.maximum(1e-3 * np.median(scores, axis=0), 1e-9)
        logs = np.log(np.maximum(scores, floor))
        middle = np.median(logs, axis=0)
        spread = 1.4826 * np.median(np.abs(logs - middle), axis=0)
        return cls(floor, middle, np.maximum(spread, _LEAST_SPREAD))

    def of(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """One score (k,) of scores (k, n_kinds); 0 is usual.

        >>> combined = Combined.learn(np.array([[1.0], [2.0], [4.0]]))
        >>> combined.of(np.array([[2.0], [4.0]])).round(3).tolist()
        [0.0, 0.674]
        """
        return np.asarray(self._logs(scores).mean(axis=1))

    def worst(self, scores: NDArray[np.float64]) -> int:
        """Number of the score (of n_kinds) by which one pattern is strangest."""
        return int(np.argmax(self._logs(scores)))

    def _logs(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((np.log(np.maximum(scores, self.floor)) - self.middle) / self.spread)


def tail_threshold(known: NDArray[np.float64], false_alarm: float) -> float:
    """Score above which a scan is called new.

    The conformal threshold where there are enough known scores for the rate; else the largest known score, or where an
    exponential tail reaches the rate if that is higher.

    >>> tail_threshold(np.arange(1.0, 100), 0.05)
    95.0
    >>> tail_threshold(np.arange(1.0, 11), 0.01) > 10
    True
    """
    if len(known) >= conformal_size(false_alarm):
        return conformal_threshold(known, false_alarm)
    start, slope, share = _tail(known)
    return float(max(known.max(), start + slope * np.log(share / false_alarm)))


def tail_p_values(known: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely a known scan is at least as strange as each new one.

    Conformal, so at least 1/(n + 1), up to the largest known score; beyond it an exponential tail goes on.
    """
    found = conformal_p_value(known, new)
    start, slope, share = _tail(known)
    beyond = share * np.exp(-np.minimum((new - start) / slope, 600.0))
    return np.asarray(np.where(new > known.max(), np.minimum(found, beyond), found))


def _tail(known: NDArray[np.float64]) -> tuple[float, float, float]:
    """Where the tail begins, its slope, and the share of scores in it."""
    ordered = np.sort(known)
    k = min(len(ordered), max(_FEWEST, round(_TAIL * len(ordered))))
    start = ordered[-k]
    slope = float((ordered[-k:] - start).mean()) * k / max(1, k - 1)
    return float(start), max(slope, 1e-3), k / (len(ordered) + 1)
