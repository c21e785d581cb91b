"""A series reduced to a few curves along it, in two views, with the noise of each curve.

*In place*: aligned rows as they are. *By size*: the values of each part of the axis sorted by size, in which a line may
stand anywhere, so that only heights, widths and numbers of lines count.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.series._prepare import Floats

__all__ = ["VIEWS", "View", "look"]

VIEWS = ("in place", "by size")
_PARTS = 12  # of the axis, sorted each for itself
_CURVES = 8  # at most
_ABOVE_FRAMES = 1.5  # a curve varies by more than so many times what differs from frame to frame
_STEADY = 0.8  # share of the frames, the quietest, that tell the noise: a transition is not noise


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Principal components of rows.

    Attributes
    ----------
    scores : ndarray of shape (n, k)
        In units of their noise.
    noise : ndarray of shape (k,)
        Standard deviation of each from frame to frame, in units of the rows.
    power : float
        Sum of the squares of the mean row.
    row_noise : float
        Summed variance of the noise of a row.
    loadings : ndarray of shape (k, m)
        What each looks like.
    """

    scores: NDArray[np.float64]
    noise: NDArray[np.float64]
    power: float
    row_noise: float
    loadings: NDArray[np.float64]


def look(rows: Floats, view: str) -> View:
    """A view of aligned rows, by its name in `VIEWS`."""
    if view == "by size":
        edges = np.linspace(0, rows.shape[1], _PARTS + 1).astype(int)
        rows = np.concatenate([np.sort(rows[:, a:b], axis=1) for a, b in pairwise(edges)], axis=1)
    return _components(rows)


def _components(rows: Floats) -> View:
    n, m = rows.shape
    mean = rows.mean(axis=0)
    centred = rows - mean
    value_noise = _value_noise(rows)
    # Of the small side: (n, n) has the same eigenvalues as (m, m).
    size, vectors = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    order = np.argsort(size)[::-1][: max(1, min(_CURVES, n - 2))]
    size = np.maximum(size[order], 0)
    scores = vectors[:, order] * np.sqrt(size)
    noise = np.maximum(_frame_noise(scores), np.sqrt(value_noise))
    is_seen = (scores.var(axis=0) > _ABOVE_FRAMES * _frame_noise(scores) ** 2) & (size > value_noise * m)
    is_seen[0] = True
    scores, noise = scores[:, is_seen], np.maximum(noise[is_seen], 1e-12)
    loadings = (scores / np.maximum(size[is_seen], 1e-30)).T @ centred
    return View(scores / noise, noise, float(mean @ mean), value_noise * m, loadings)


def _value_noise(rows: Floats) -> float:
    """Variance of one value, from second differences along the series."""
    if len(rows) < 3:
        return 0.0
    differences = ((rows[1:-1] - 0.5 * (rows[:-2] + rows[2:])) ** 2).mean(axis=1)
    quiet = np.sort(differences)[: max(1, int(_STEADY * len(differences)))]
    return float(quiet.mean() / 1.5)


def _frame_noise(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(scores) < 3:
        return np.zeros(scores.shape[1])
    differences = np.abs(scores[1:-1] - 0.5 * (scores[:-2] + scores[2:]))
    return np.asarray(np.median(differences, axis=0) / 0.6745 / np.sqrt(1.5))
