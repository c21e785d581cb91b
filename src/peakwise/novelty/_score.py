"""What every score of strangeness has."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

__all__ = ["Rows", "Score", "distances"]

Rows = NDArray[np.float64]


class Score(ABC):
    """How strange rows are beside those that it learned from; larger is stranger, zero is the least.

    A concrete score is final; it stores nothing but what it learned.
    """

    @abstractmethod
    def learn(self, rows: Rows, random_state: int) -> None:
        """Learn from rows (n, m) of length 1 each, at least two."""

    @abstractmethod
    def measure(self, rows: Rows) -> NDArray[np.float64]:
        """Strangeness (k,) of rows (k, m)."""


def distances(rows: Rows, known: Rows) -> NDArray[np.float64]:
    """Euclidean distances (k, n) of rows from known ones, without a table of (k, n, m).

    >>> distances(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0], [3.0, 0.0]]))
    array([[5., 4.]])
    """
    squared = (rows**2).sum(1)[:, None] + (known**2).sum(1)[None] - 2 * rows @ known.T
    return np.asarray(np.sqrt(np.maximum(squared, 0)))
