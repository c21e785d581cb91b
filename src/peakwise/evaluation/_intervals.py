"""Intervals around numbers that hold the truth as often as was promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from peakwise.evaluation._arguments import numbers, refuse, share
from peakwise.evaluation._conformal import conformal_size, conformal_threshold

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["ConformalIntervals"]

_BEYOND = 2.0  # times the largest error, where too few errors are known for what is asked


@dataclass(frozen=True, slots=True, eq=False)
class ConformalIntervals:
    """Half widths of intervals, from errors of answers to cases that were not used for training.

    Attributes
    ----------
    ratios : ndarray of shape (n, n_targets)
        Size of each error over the scale of its answer.
    floor : ndarray of shape (n_targets,)
        What is added to the spread of an answer to give its scale; 1 where no spread is known.

    Notes
    -----
    Split conformal prediction with normalised errors: for a new answer with the scale s the interval is the answer
    plus and minus q s, where q is the k-th smallest of the n ratios, k = ceil((n + 1) level). It holds the truth with
    at least that probability if the new case is exchangeable with those: H. Papadopoulos et al., ECML 2002; J. Lei et
    al., J. Am. Stat. Assoc. 113, 1094 (2018). The scale is the spread of an answer (of an ensemble, say) plus its
    median, so that a spread of nearly nothing promises no certainty.

    Examples
    --------
    >>> errors = np.linspace(-1, 1, 99)[:, None]
    >>> intervals = ConformalIntervals.learn(errors)
    >>> intervals.reach(0.9).round(2).tolist(), intervals.promises(0.9), intervals.promises(0.999)
    ([[0.92]], True, False)
    """

    ratios: NDArray[np.float64]
    floor: NDArray[np.float64]

    @classmethod
    def learn(cls, errors: ArrayLike, spread: ArrayLike | None = None) -> Self:
        """Learn from errors.

        Parameters
        ----------
        errors : array-like of shape (n, n_targets)
            Answer minus truth, of cases that were not used for training.
        spread : array-like of shape (n, n_targets), optional
            How unsure each answer is, on any scale.
        """
        off = np.abs(numbers("errors", errors, ndim=(2,), finite=True))
        if spread is None:
            return cls(off, np.ones(off.shape[1]))
        unsure = numbers("spread", spread, ndim=(2,), finite=True)
        if unsure.shape != off.shape or (unsure < 0).any():
            must = f"numbers of 0 or more in the shape of the errors {off.shape}"
            raise refuse("spread", must, f"shape {unsure.shape}", "Give one for each error")
        middle = np.median(unsure, axis=0)
        floor = np.where(middle > 0, middle, 1.0)
        return cls(off / (unsure + floor), floor)

    def promises(self, level: float) -> bool:
        """Whether there are enough errors to promise this level."""
        return len(self.ratios) >= conformal_size(1 - share("level", level))

    def reach(self, level: float, spread: ArrayLike | None = None) -> NDArray[np.float64]:
        """Half widths (n, n_targets) of the intervals of answers; without a spread (1, n_targets).

        Where `promises` says no, twice the largest error known is given.
        """
        if self.promises(level):
            factors = np.array([conformal_threshold(column, 1 - level) for column in self.ratios.T])
        else:
            factors = _BEYOND * self.ratios.max(axis=0)
        if spread is None:
            return np.asarray((factors * self.floor)[None])
        return np.asarray(factors * (numbers("spread", spread, ndim=(2,), least=0) + self.floor))
