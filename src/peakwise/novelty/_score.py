"""What every score of strangeness has."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

__all__ = ["Rows", "Score", "distances", "sharpened"]

Rows = NDArray[np.float64]

_SHARES_OF_RANGE = 24  # what bends over more than this part of the range is background


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


def distances(rows: Rows, known: Rows, squared: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Euclidean distances (k, n) of rows from known ones, without a table of (k, n, m).

    `squared` are the squared lengths of the known ones, where they are asked for again and again.

    >>> distances(np.array([[3.0, 4.0]]), np.array([[0.0, 0.0], [3.0, 0.0]]))
    array([[5., 4.]])
    """
    lengths = (known**2).sum(1) if squared is None else squared
    apart = (rows**2).sum(1)[:, None] + lengths[None] - 2 * (rows @ known.T)
    return np.asarray(np.sqrt(np.maximum(apart, 0)))


def sharpened(rows: Rows) -> Rows:
    """Rows without what is broad, each of length 1 again: for scans whose lines are sharp and whose background varies.

    >>> x = np.linspace(0, 1, 240)
    >>> line = np.exp(-(((x - 0.5) / 0.005) ** 2))
    >>> one, other = sharpened(np.array([line, line + 3 + x]))
    >>> bool(one[20:-20] @ other[20:-20] > 0.999)
    True
    """
    wide = max(3, rows.shape[1] // _SHARES_OF_RANGE)
    sharp = rows - uniform_filter1d(rows, wide, axis=1)
    length = np.sqrt((sharp**2).sum(axis=1, keepdims=True))
    # A row of zeros, or a straight one, stays empty: its rounding must not be blown up.
    return np.asarray(np.where(length > 1e-9, sharp / np.maximum(length, 1e-12), 0.0))
