"""Rules with a promised rate of false alarms, from scores of things that are known to be ordinary.

Split conformal prediction: the scores are of cases that were not used for training, and the higher the score the
stranger the case. If a new ordinary case is drawn like those (exchangeable with them), it exceeds the threshold at most
as often as was promised, whatever the distribution of the scores: V. Vovk, A. Gammerman and G. Shafer, Algorithmic
Learning in a Random World (2005), doi:10.1007/b106715.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np

from peakwise.evaluation._arguments import numbers, refuse, share, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["conformal_p_value", "conformal_size", "conformal_spread", "conformal_threshold"]

_ROUNDING = 1e-9  # 0.07 * 100 is 7.000000000000001 in binary, and 0.29 * 100 is 28.999999999999996


def conformal_threshold(scores: ArrayLike, false_alarm: float = 0.01) -> float:
    """Return the score above which a case is called strange.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Of ordinary cases that were not used for training; higher is stranger.
    false_alarm : float
        Share of new ordinary cases that may be called strange.

    Raises
    ------
    OptionError
        Where there are too few scores for that rate: none of n can promise less than 1/(n + 1).

    Notes
    -----
    The k-th smallest of n scores with k = n + 1 - ⌊(n + 1) α⌋. The + 1 is the new case itself; without it the promise
    fails for small n.

    Examples
    --------
    >>> conformal_threshold(range(1, 100), false_alarm=0.05)
    95.0
    >>> conformal_threshold(range(1, 50), false_alarm=0.01)
    Traceback (most recent call last):
    ...
    peakwise.errors.OptionError: cannot judge the answers: scores must be at least 99 for a false-alarm rate of 0.01,
    got 49. Give more ordinary cases, or allow a rate of 0.02.
    """
    known = np.sort(numbers("scores", scores))
    rank = _rank(known.size, false_alarm)
    return float(known[rank - 1])


def conformal_p_value(scores: ArrayLike, new: ArrayLike) -> NDArray[np.float64]:
    """Return how likely an ordinary case is at least as strange as each new one.

    A case with a p-value of at most α is above ``conformal_threshold(scores, α)``, and the other way round.

    Parameters
    ----------
    scores : array-like of shape (n,)
        Of ordinary cases that were not used for training; higher is stranger.
    new : array-like of shape (m,) or a single number
        Scores of new cases.

    Returns
    -------
    ndarray of shape (m,)
        Each at least 1/(n + 1).

    Notes
    -----
    (1 + number of scores that are at least as high) / (n + 1).

    Examples
    --------
    >>> conformal_p_value([1, 2, 3, 4], [0, 2.5, 9])
    array([1. , 0.6, 0.2])
    """
    known = np.sort(numbers("scores", scores))
    asked = numbers("new", np.atleast_1d(np.asarray(new)), least=0)
    as_high = known.size - np.searchsorted(known, asked, "left")
    return np.asarray((1 + as_high) / (known.size + 1), dtype=np.float64)


def conformal_size(false_alarm: float) -> int:
    """Return how many ordinary cases are needed at least to promise a rate of false alarms.

    Parameters
    ----------
    false_alarm : float

    Examples
    --------
    >>> conformal_size(0.01), conformal_size(0.05)
    (99, 19)
    """
    return ceil(1 / share("false_alarm", false_alarm) - _ROUNDING) - 1


def conformal_spread(n: int, false_alarm: float = 0.01, confidence: float = 0.95) -> tuple[float, float]:
    """Return between which limits the rate of false alarms lies for one set of n scores.

    The promise of `conformal_threshold` holds on average over such sets; a single set is luckier or less lucky.

    Parameters
    ----------
    n : int
        Number of scores that the threshold is made from.
    false_alarm : float
        The promised rate.
    confidence : float
        Share of sets within the limits.

    Notes
    -----
    For continuous scores the rate above the k-th smallest of n follows a Beta distribution with n + 1 - k and k:
    V. Vovk, Proc. Mach. Learn. Res. 25 (2012) 475.

    Examples
    --------
    >>> low, high = conformal_spread(99, 0.01)
    >>> f"{low:.4f} to {high:.4f}"
    '0.0003 to 0.0366'
    """
    from scipy.special import betaincinv

    n = whole("n", n, least=1)
    rank, outside = _rank(n, false_alarm), (1 - share("confidence", confidence)) / 2
    low, high = betaincinv(n + 1 - rank, rank, [outside, 1 - outside])
    return float(low), float(high)


def _rank(n: int, false_alarm: float) -> int:
    """Which of n sorted scores, counted from 1, is the threshold."""
    allowed = floor((n + 1) * share("false_alarm", false_alarm) + _ROUNDING)
    if allowed < 1:
        must = f"at least {conformal_size(false_alarm)} for a false-alarm rate of {false_alarm:g}"
        raise refuse("scores", must, n, f"Give more ordinary cases, or allow a rate of {1 / (n + 1):.3g}")
    return n + 1 - allowed
