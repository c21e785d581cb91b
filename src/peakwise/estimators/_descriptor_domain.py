"""Whether a scan is like those that were learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.estimators._rows import unit_rows
from peakwise.novelty import Combined, Nearest, Residual, Score, cross_scores, folds, tail_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Domain"]

_FALSE_ALARM = 0.01  # of scans like those of the training, so many may be called strange
_MOST = 1000  # known scans that are kept
_KINDS: tuple[type[Score], ...] = (Nearest, Residual)


@dataclass(eq=False)
class Domain:
    """Distance from the nearest known scan, and what the known scans' principal components do not describe.

    Attributes
    ----------
    known : ndarray of shape (k, m)
        Rows of length 1.
    cross : ndarray of shape (k, 2)
        Scores of the known rows, left out in turn.
    threshold : float
    """

    known: NDArray[np.float64]
    cross: NDArray[np.float64]

    def __post_init__(self) -> None:
        self._scores = [kind() for kind in _KINDS]
        for score in self._scores:
            score.learn(self.known, 0)
        self._combined = Combined.learn(self.cross)
        self.threshold = tail_threshold(self._combined.of(self.cross), _FALSE_ALARM)

    @classmethod
    def learn(cls, rows: NDArray[np.floating], random_state: int) -> Self:
        """From the rows of fit."""
        few = rows[:: -(-len(rows) // _MOST)]
        known = np.asarray(unit_rows(few), dtype=np.float32).astype(np.float64)
        return cls(known, cross_scores(_KINDS, known, folds(len(known), random_state), random_state))

    def scores(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Strangeness (n,); above the threshold it is outside."""
        asked = np.asarray(unit_rows(rows), dtype=np.float64)
        return self._combined.of(np.stack([score.measure(asked) for score in self._scores], axis=1))

    def holds(self, rows: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether each row is like those of fit (n,)."""
        return np.asarray(self.scores(rows) <= self.threshold)

    def with_rows(self, rows: NDArray[np.floating], random_state: int) -> Domain:
        """The same, with other rows known as well."""
        known = np.concatenate([np.asarray(unit_rows(np.asarray(rows, dtype=np.float64))), self.known])
        return Domain.learn(known**2 * np.sign(known), random_state)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Arrays that make it again."""
        return {"known": self.known.astype(np.float32), "cross": self.cross}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], n_points: int) -> Self:
        """The inverse of `to_arrays`."""
        known, cross = (np.asarray(arrays[name], np.float64) for name in ("known", "cross"))
        if known.ndim != 2 or known.shape[1] != n_points or cross.shape != (len(known), len(_KINDS)) or len(known) < 2:
            raise ValueError("known scans that do not fit the grid")
        if not (np.isfinite(known).all() and np.isfinite(cross).all()):
            raise ValueError("known scans that are not finite")
        return cls(known, cross)
