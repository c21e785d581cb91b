"""Shares of right answers, and how well scores part two kinds."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from peakwise.evaluation._arguments import numbers, refuse, share, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["auroc", "top_k_accuracy", "wilson_interval"]


def wilson_interval(k: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return between which limits the true share lies when k of n were counted.

    Parameters
    ----------
    k, n : int
        Counted, of how many. Of none at all, nothing is known: (0, 1).
    confidence : float
        Share of such intervals that hold the true value.

    Returns
    -------
    low, high : float

    Notes
    -----
    With p = k/n and z the two-sided normal quantile, the limits are
    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n): E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209,
    doi:10.1080/01621459.1927.10502953. Unlike p ± z √(p(1-p)/n) they are sensible for k = 0 and k = n.

    Examples
    --------
    >>> low, high = wilson_interval(28, 30)
    >>> f"{low:.3f} to {high:.3f}"
    '0.787 to 0.982'
    """
    n = whole("n", n)
    k = whole("k", k, most=n)
    confidence = share("confidence", confidence)
    if n == 0:
        return 0.0, 1.0
    z, p = NormalDist().inv_cdf((1 + confidence) / 2), k / n
    middle, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # Rounding alone would leave a trace above 0 or below 1 where all or none were counted.
    return (0.0 if k == 0 else (middle - half) / scale), (1.0 if k == n else (middle + half) / scale)


def top_k_accuracy(ranks: ArrayLike, k: int = 1) -> float:
    """Return the share of scans whose true phase is among the first k candidates.

    Parameters
    ----------
    ranks : array-like of shape (n,)
        Place of the true phase, 1 for the best; infinity where it is not among the candidates.
    k : int

    Examples
    --------
    >>> top_k_accuracy([1, 1, 2, 7, float("inf")], k=2)
    0.6
    """
    places = numbers("ranks", ranks)
    if places.min() < 1:
        raise refuse("ranks", "1 for the best candidate, 2 for the next", f"{places.min():g}", "Count from 1")
    return float(np.mean(places <= whole("k", k, least=1)))


def auroc(high: ArrayLike, low: ArrayLike) -> float:
    """Return how often a score of the first kind is above one of the second; equal scores count half.

    It is the area under the receiver operating characteristic: 1 where the scores part the kinds, 0.5 where they say
    nothing.

    Parameters
    ----------
    high : array-like of shape (n,)
        Scores of those that should be high.
    low : array-like of shape (m,)
        Scores of those that should be low.

    Notes
    -----
    The statistic U of Mann and Whitney over n m: J. A. Hanley and B. J. McNeil, Radiology 143 (1982) 29,
    doi:10.1148/radiology.143.1.7063747. It takes (n + m) log m steps.

    Examples
    --------
    >>> auroc([3, 2], [1, 2])
    0.875
    """
    above, below = numbers("high", high), np.sort(numbers("low", low))
    wins = np.searchsorted(below, above, "left") + np.searchsorted(below, above, "right")
    return float(wins.sum() / (2 * above.size * below.size))
