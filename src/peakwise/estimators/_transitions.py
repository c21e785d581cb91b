"""What a search for transitions says: states, how sure, and where one ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.series import Boundary, segments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["StateBoundary", "Transitions", "boundaries_of", "sticky"]

_SURE = 0.9  # probability of a state below which a pattern is ambiguous
_STAY = 0.98  # that a pattern is in the state of the one before, as far as nothing else is known
_NEAR = 2.0  # frames, or this share of the series in per cent, within which two methods agree


@dataclass(frozen=True, slots=True)
class StateBoundary:
    """Where one state ends.

    Attributes
    ----------
    after : int
        Number of the last pattern before it.
    value : float or None
        The same in the external variable, half way to the next pattern, where it is known.
    interval : (float, float)
        Numbers of patterns between which it lies, in nine of ten cases.
    value_interval : (float, float) or None
    zone : (float, float)
        Numbers of patterns from which to which the change itself reaches.
    confidence : float
        How probable it is that this is a transition at all.
    agreement : dict
        Where other methods, told how many states there are, see it: ``after``, or None where they do not.
    """

    after: int
    value: float | None
    interval: tuple[float, float]
    value_interval: tuple[float, float] | None
    zone: tuple[float, float]
    confidence: float
    agreement: dict[str, int | None]


@dataclass(frozen=True, slots=True, eq=False)
class Transitions:
    """The answer for one series.

    Attributes
    ----------
    states : ndarray of shape (n,)
    probabilities : ndarray of shape (n, n_states)
    names : tuple
        What the states are called: numbers, or the labels that were given.
    boundaries : tuple of StateBoundary
    method : str
    refused : float
        Probability of the best place that was not taken for a transition.
    scores : ndarray of shape (n, k)
        Curves along the series from which the states follow.
    warnings : tuple of str
    """

    states: NDArray[np.intp]
    probabilities: NDArray[np.float64]
    names: tuple[Any, ...]
    boundaries: tuple[StateBoundary, ...]
    method: str
    refused: float
    scores: NDArray[np.float64]
    warnings: tuple[str, ...]

    @property
    def is_ambiguous(self) -> NDArray[np.bool_]:
        """Which patterns belong to no state for sure."""
        return np.asarray(self.probabilities.max(axis=1) < _SURE)

    @property
    def classification_confidence(self) -> float:
        """1 - ambiguous patterns / patterns; 0 where several states were asked for and all patterns are in one."""
        if len(self.names) > 1 and np.unique(self.states).size < 2:
            return 0.0
        return 1.0 - float(self.is_ambiguous.mean())

    def to_dict(self, names: Sequence[str], values: NDArray[np.float64] | None = None) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        best = self.probabilities.max(axis=1)
        return {
            "patterns": [
                {
                    "pattern": name,
                    "value": None if values is None else _plain(values[i]),
                    "state": int(self.states[i]),
                    "probability": round(float(best[i]), 4),
                }
                for i, name in enumerate(names)
            ],
            "boundaries": [
                {
                    "after": b.after,
                    "value": b.value,
                    "interval": [round(v, 2) for v in b.interval],
                    "value_interval": None if b.value_interval is None else list(b.value_interval),
                    "zone": [round(v, 2) for v in b.zone],
                    "confidence": round(b.confidence, 4),
                    "agreement": b.agreement,
                }
                for b in self.boundaries
            ],
            "classification_confidence": round(self.classification_confidence, 4),
            "states": len(self.names),
            "state_names": [str(name) for name in self.names],
            "method": self.method,
        }


def boundaries_of(
    found: Sequence[Boundary], scores: NDArray[np.float64], values: NDArray[np.float64] | None, *, compare: bool
) -> tuple[StateBoundary, ...]:
    """Boundaries with what is known of them from outside: the external variable, and what other methods see."""
    seen: dict[str, list[int]] = {}
    if compare and found:
        seen = _as_others_see(scores, len(found) + 1)
    near = max(_NEAR, _NEAR / 100 * len(scores))
    made = []
    for b in found:
        agreement: dict[str, int | None] = {}
        for name, cuts in seen.items():
            least, most = min(b.zone[0], b.place) - near, max(b.zone[1], b.place) + near
            inside = [c for c in cuts if least <= c + 0.5 <= most]
            agreement[name] = min(inside, key=lambda c: abs(c + 0.5 - b.place)) if inside else None
        value = value_interval = None
        if values is not None:
            numbers = np.arange(len(values))
            value = _plain((values[b.after] + values[min(b.after + 1, len(values) - 1)]) / 2)
            ends = sorted(float(np.interp(place, numbers, values)) for place in b.interval)
            value_interval = (ends[0], ends[1]) if np.isfinite(ends).all() else None
        made.append(StateBoundary(b.after, value, b.interval, value_interval, b.zone, b.confidence, agreement))
    return tuple(made)


def sticky(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities of states of a series in which neighbours are mostly alike, from those of each pattern alone.

    Forward and backward sums over a chain that stays in its state with probability 0.98.

    >>> alone = np.array([[0.9, 0.1]] * 3 + [[0.4, 0.6]] + [[0.9, 0.1]] * 3)
    >>> sticky(alone).argmax(axis=1).tolist()
    [0, 0, 0, 0, 0, 0, 0]
    """
    n, k = probabilities.shape
    if k < 2:
        return np.ones((n, k))
    move = np.full((k, k), (1 - _STAY) / (k - 1))
    np.fill_diagonal(move, _STAY)
    likely = np.clip(probabilities, 1e-6, None).astype(np.float64)
    forward, backward = np.empty((n, k)), np.ones((n, k))
    forward[0] = likely[0] / likely[0].sum()
    for i in range(1, n):
        row = (forward[i - 1] @ move) * likely[i]
        forward[i] = row / row.sum()
    for i in range(n - 2, -1, -1):
        row = move @ (likely[i + 1] * backward[i + 1])
        backward[i] = row / row.sum()
    both = forward * backward
    return np.asarray(both / both.sum(axis=1, keepdims=True))


def cuts_of(probabilities: NDArray[np.float64]) -> tuple[Boundary, ...]:
    """Boundaries of a series whose states have these probabilities, (n, n_states)."""
    states = probabilities.argmax(axis=1)
    n = len(states)
    found = []
    for after in np.flatnonzero(np.diff(states)):
        one, other = states[after], states[after + 1]
        low, high = int(after), int(after) + 1
        while low > 0 and probabilities[low, one] < _SURE and states[low] == one:
            low -= 1
        while high < n - 1 and probabilities[high, other] < _SURE and states[high] == other:
            high += 1
        sure = float(min(probabilities[low, one], probabilities[high, other]))
        place = after + 0.5
        zone = (place, place) if high - low < 2 else (float(low), float(high))
        found.append(Boundary(int(after), place, (float(low), float(high)), zone, sure, "labels"))
    return tuple(found)


def _as_others_see(scores: NDArray[np.float64], parts: int) -> dict[str, list[int]]:
    """Last patterns before the cuts: spectral clustering, and segments of equal mean, told how many parts there are."""
    from peakwise.series import group

    rows = scores[:, : min(scores.shape[1], 8)]
    known = np.flatnonzero(np.isfinite(rows).all(axis=1))
    if known.size <= parts:
        return {}
    rows = rows[known]
    found = {"segments": [int(known[c]) for c in segments(rows, parts)]}
    labels = group(rows, parts, "spectral")
    # Groups know no order: where a label holds on both sides for a few frames, it is a cut.
    steady = _steady(labels)
    found["spectral"] = [int(known[c]) for c in np.flatnonzero(np.diff(steady))]
    return found


def _steady(labels: NDArray[np.intp], half: int = 2) -> NDArray[np.intp]:
    """The most frequent label within two frames of each."""
    n = len(labels)
    counts = np.zeros((n, int(labels.max()) + 1))
    for step in range(-half, half + 1):
        counts[np.arange(n), labels[np.clip(np.arange(n) + step, 0, n - 1)]] += 1
    return np.asarray(counts.argmax(axis=1))


def _plain(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
