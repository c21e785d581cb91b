"""Whether the known scans still describe a run, scan by scan, with a stated chance of ever saying no wrongly."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from math import exp, inf, isnan, log
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Drift", "DriftGuard", "drift_of"]

_WHAT = "cannot guard against drift"
# Bets on p-values below their share: powers find few that are tiny, slopes many that are a little too small.
_POWERS = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
_SLOPES = np.array([0.5, 1.0, 2.0])
_LEAST = 1e-12  # p-values below count as this one
_ENOUGH = 700.0  # of logarithms: beyond, the evidence is not counted further


@dataclass(frozen=True, slots=True)
class Drift:
    """Where a run left what is known.

    Attributes
    ----------
    since : int
        The scan, counted from 0, at which it probably began.
    at : int
        The scan at which it was sure.
    evidence : float
        How many times the stakes were won: the inverse is the chance of it in a run of known scans.
    """

    since: int
    at: int
    evidence: float


class DriftGuard:
    r"""Follow the p-values of a run and say when they are too small for scans like the known ones.

    One strange scan is novel; this tells of many that are each a little too strange, or of too many strange ones. The
    chance that it ever speaks in a run of scans like the known ones, however long, is at most `false_alarm`.

    Parameters
    ----------
    false_alarm : float
    known : array-like of shape (n,), optional
        Scores of known scans that were left out in turn, for `follow`; higher is stranger.

    Attributes
    ----------
    drift : Drift or None
        What was found; it stays.
    evidence : float
        So far at most.
    n_followed : int

    Notes
    -----
    A martingale that bets against the p-values (V. Vovk et al., "Retrain or not retrain", 2021, arXiv:2102.10439). With
    a fixed bet the capital is :math:`\prod f(p_t)`, where f falls and :math:`\int_0^1 f = 1`: it does not grow on
    average while p-values are uniform, or larger than uniform ones. By Ville's inequality it then ever reaches 1/δ with
    a probability of at most δ. Here f are :math:`\epsilon p^{\epsilon - 1}` and slopes :math:`(1 + c)(1 - p)^c`. So
    that a long quiet run costs nothing, the capital is not staked at once: at scan t the share
    :math:`1/(1 + \ln t) - 1/(1 + \ln(t + 1))` of it enters, the rest is kept. A sum of martingales is one.

    P-values against a fixed set of known scans are not independent of each other: all share the luck of that set, and a
    long run finds it out. `follow` therefore ranks each score among the known and all that came before, which is exact
    for any number of known scans, as long as the order of all of them is one of chance. With few known scans it takes
    longer to be sure.

    Examples
    --------
    >>> guard = DriftGuard(0.01)
    >>> rng = np.random.default_rng(0)
    >>> any(guard.update(p) for p in rng.random(1000))
    False
    >>> any(guard.update(p) for p in 0.1 * rng.random(20))
    True
    >>> guard.drift.since, guard.drift.at
    (1000, 1011)
    """

    def __init__(self, false_alarm: float = 0.01, known: ArrayLike | None = None) -> None:
        if isinstance(false_alarm, bool) or not isinstance(false_alarm, (int, float)) or not 0 < false_alarm < 1:
            why = f"false_alarm must be above 0 and below 1, got {false_alarm!r}"
            raise OptionError(_WHAT, why, "Give 0.01")
        self.false_alarm = false_alarm
        self._ranked: list[float] | None = None
        if known is not None:
            scores = np.asarray(known, dtype=np.float64)
            if scores.ndim != 1 or not scores.size or np.isnan(scores).any():
                why = f"known must be a list of numbers, got the shape {scores.shape}"
                raise OptionError(_WHAT, why, "Give the scores of known scans")
            self._ranked = sorted(scores.tolist())
        self.drift: Drift | None = None
        self.n_followed = 0
        n = _POWERS.size + _SLOPES.size
        self._staked = np.full(n, -inf)  # logarithm of what each bet has won
        self._kept = 1.0  # not staked yet
        self._most = 0.0  # logarithm of the capital, at its largest
        self._sums = np.zeros(n)  # since each began to win, for when it began
        self._since = np.zeros(n, dtype=np.intp)

    @property
    def evidence(self) -> float:
        """The largest capital so far, from 1."""
        return exp(min(self._most, _ENOUGH))

    def follow(self, score: float) -> bool:
        """Take the score of the next scan, and return whether the run has drifted.

        Parameters
        ----------
        score : float
            As strange as the scan is; `known` must have been given.
        """
        if self._ranked is None:
            raise OptionError(_WHAT, "scores can be followed only beside known ones", "Give known, or use update")
        if isnan(score):
            return self.drift is not None  # a scan without a score is no evidence
        # Ties count as stranger: the p-value is at least that of a draw among them, so the promise stays.
        n = len(self._ranked)
        rank = n - bisect_left(self._ranked, score)
        insort(self._ranked, score)
        return self.update((rank + 1) / (n + 1))

    def update(self, p_value: float) -> bool:
        """Take the p-value of the next scan, and return whether the run has drifted.

        Parameters
        ----------
        p_value : float
        """
        if not 0 <= p_value <= 1:
            raise OptionError(_WHAT, f"a p-value must be from 0 to 1, got {p_value!r}", "Give one of a detector")
        t = self.n_followed
        kept = 1 / (1 + log(t + 2))
        entering = (self._kept - kept) / self._staked.size
        self._kept = kept
        gains = _gains(p_value)
        self._staked = np.minimum(np.logaddexp(self._staked, log(entering)) + gains, _ENOUGH)
        begins = self._sums <= 0
        self._since[begins] = t
        self._sums = np.maximum(self._sums, 0) + gains
        self.n_followed = t + 1
        capital = float(np.logaddexp(np.logaddexp.reduce(self._staked), log(kept)))
        self._most = max(self._most, capital)
        if self.drift is None and capital >= -log(self.false_alarm):
            since = int(self._since[int(self._sums.argmax())])
            self.drift = Drift(since, t, exp(min(capital, _ENOUGH)))
        return self.drift is not None


def drift_of(known: ArrayLike, scores: ArrayLike, false_alarm: float = 0.01) -> Drift | None:
    """Return where scans, in their order, leave what is known; None where they do not.

    Parameters
    ----------
    known : array-like of shape (n,)
        Scores of known scans that were left out in turn, as ``NoveltyDetector.known_scores_``.
    scores : array-like of shape (m,)
    false_alarm : float
        Chance that an ordered set of scans like the known ones is said to drift.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> known, ordinary, strange = rng.normal(size=100), rng.normal(size=50), rng.normal(3, size=20)
    >>> drift_of(known, ordinary) is None
    True
    >>> drift_of(known, [*ordinary, *strange]).since
    49
    """
    guard = DriftGuard(false_alarm, known)
    for score in np.asarray(scores, dtype=np.float64).ravel():
        if guard.follow(float(score)):
            break
    return guard.drift


def _gains(p_value: float) -> NDArray[np.float64]:
    """Logarithms of what each bet wins."""
    p = min(max(p_value, _LEAST), 1.0)
    powers = np.log(_POWERS) + (_POWERS - 1) * log(p)
    slopes = np.log1p(_SLOPES) + _SLOPES * log(max(1 - p, _LEAST))
    return np.concatenate([powers, slopes])
