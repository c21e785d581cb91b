"""Whether probabilities mean what they say: of what was answered with 0.8, 80 % should be right."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from peakwise.evaluation._arguments import pairs, whole
from peakwise.evaluation._rates import wilson_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Bin", "brier", "expected_calibration_error", "reliability"]


class Bin(NamedTuple):
    """A row of a reliability table.

    Parameters
    ----------
    low, high : float
        Limits of the probabilities in it.
    n : int
        How many answers.
    probability : float
        Their mean probability.
    correct : float
        Share of them that were right.
    interval : tuple of float
        Between which limits the true share lies (Wilson, 95 %).
    """

    low: float
    high: float
    n: int
    probability: float
    correct: float
    interval: tuple[float, float]


def reliability(probability: ArrayLike, correct: ArrayLike, bins: int = 10) -> list[Bin]:
    """Return what is right in each class of probability.

    Parameters
    ----------
    probability : array-like of shape (n,)
        What was answered.
    correct : array-like of shape (n,)
        Whether it was right.
    bins : int
        Number of classes of equal width; a probability on a limit belongs to the class above. Classes without answers
        are left out.

    Examples
    --------
    >>> for row in reliability([0.1, 0.2, 0.9, 0.8], [0, 1, 1, 1], bins=2):
    ...     print(row.n, round(row.probability, 2), row.correct)
    2 0.15 0.5
    2 0.85 1.0
    """
    p, right = pairs(probability, correct)
    bins = whole("bins", bins, least=1, most=10_000)
    edges = np.arange(bins + 1) / bins
    which = np.clip(np.searchsorted(edges, p, "right") - 1, 0, bins - 1)
    rows = []
    for place in np.unique(which):
        inside = which == place
        count, hits = int(inside.sum()), int(right[inside].sum())
        share, interval = hits / count, wilson_interval(hits, count)
        rows.append(Bin(float(edges[place]), float(edges[place + 1]), count, float(p[inside].mean()), share, interval))
    return rows


def expected_calibration_error(probability: ArrayLike, correct: ArrayLike, bins: int = 10) -> float:
    """Return how far probabilities are from the shares of right answers, on average over the answers.

    Parameters
    ----------
    probability, correct : array-like of shape (n,)
    bins : int
        As in `reliability`.

    Notes
    -----
    ``Σ (n_b/n) |share right - mean probability|``: M. P. Naeini et al., AAAI (2015) 2901,
    doi:10.1609/aaai.v29i1.9602. It is above 0 by chance alone, the more so the fewer the answers in a bin.

    Examples
    --------
    >>> round(expected_calibration_error([0.1, 0.2, 0.9, 0.8], [0, 1, 1, 1], bins=2), 3)
    0.25
    """
    rows = reliability(probability, correct, bins)
    total = sum(row.n for row in rows)
    return sum(row.n * abs(row.correct - row.probability) for row in rows) / total


def brier(probability: ArrayLike, correct: ArrayLike) -> float:
    """Return the mean squared distance of probabilities from what came true (0 or 1); lower is better.

    Parameters
    ----------
    probability, correct : array-like of shape (n,)

    Notes
    -----
    G. W. Brier, Mon. Weather Rev. 78 (1950) 1, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> brier([0.5, 1.0], [True, True])
    0.125
    """
    p, right = pairs(probability, correct)
    return float(np.mean((p - right) ** 2))
