"""A series cut into states: the rule decides whether, the fit of the breaks says where and how sure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from peakwise.errors import OptionError
from peakwise.patterns import Patterns
from peakwise.series._align import align
from peakwise.series._breaks import RAMP
from peakwise.series._evidence import Candidate, Examined, examine, margin
from peakwise.series._prepare import PreparedSeries, prepare_series, take_rows
from peakwise.series._rule import least_probability, probability
from peakwise.series._views import VIEWS, look

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Boundary", "Segmentation", "find_states"]

Array = NDArray[np.float64]

FEWEST = 6  # frames in which a transition can be seen
_FEWEST_PART = 8  # frames of a part of a series that is looked at once more
_MOST = 400  # frames that are looked at at once; more are summed in groups, then looked at closely near a boundary
_ROUNDS = 4  # in which boundaries may move one another
_LEVEL = 0.9  # of the intervals
_SURE = 0.9  # probability of a state below which a pattern is ambiguous
_SAME = 0.25  # states differ by less than this share of what separates each from the one between: one state


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where one state ends.

    Attributes
    ----------
    after : int
        Number of the last pattern before it.
    place : float
        Where the series is half changed; between patterns i and i + 1 it is i + 0.5.
    interval : (float, float)
        Numbers of patterns between which that is, in nine of ten cases.
    zone : (float, float)
        First and last place of the change itself; one place where it is abrupt.
    confidence : float
        How probable it is that this is a transition at all.
    reason : str
        What changed: what stands "in place", or only heights and widths "by size".
    """

    after: int
    place: float
    interval: tuple[float, float]
    zone: tuple[float, float]
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """A series in states.

    Attributes
    ----------
    states : ndarray of shape (n,)
        0, 1, ... in the order in which they come first.
    probabilities : ndarray of shape (n, n_states)
    boundaries : tuple of Boundary
    refused : float
        Probability of the best place that was not taken for a transition; 0 where there was none to consider.
    strain : ndarray of shape (n,)
        How far the lines moved together, about the mean [relative change of 1 / d]; nan at dead frames.
    scores : ndarray of shape (n, k)
        Curves of the series, aligned, in units of their noise; nan at dead frames.
    dead : tuple of int
        Numbers of patterns that saw no beam.
    warnings : tuple of str
    """

    states: NDArray[np.intp]
    probabilities: Array
    boundaries: tuple[Boundary, ...]
    refused: float
    strain: Array
    scores: Array
    dead: tuple[int, ...]
    warnings: tuple[str, ...]

    @property
    def is_ambiguous(self) -> NDArray[np.bool_]:
        """Which patterns belong to no state for sure."""
        return np.asarray(self.probabilities.max(axis=1) < _SURE)

    @property
    def confidence(self) -> float:
        """Share of the patterns that are not ambiguous."""
        return 1.0 - float(self.is_ambiguous.mean())


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    """The best place in a part of the series."""

    part: PreparedSeries
    chance: float
    place: float  # in rows of the part
    interval: tuple[float, float]
    zone: tuple[float, float]
    share: Array  # changed, of each row
    reason: str

    @property
    def at(self) -> float:
        """Number of the frame, of all frames."""
        return float(np.interp(self.place, np.arange(self.part.frames.size), self.part.frames))

    def reaches(self, which: int) -> int:
        """Number of the frame where the change begins (0) or has ended (1), of all frames."""
        rounded = np.floor(self.zone[0] + 1e-9) if which == 0 else np.ceil(self.zone[1] - 1e-9)
        return int(self.part.frames[int(np.clip(rounded, 0, self.part.frames.size - 1))])


# Parts that were looked at, by their first and last frame.
_Known = dict[tuple[int, int], _Split | None]


def find_states(
    patterns: Patterns, *, states: Literal["auto"] | int = "auto", false_alarm: float = 0.03
) -> Segmentation:
    """Find the states of a series and the boundaries between them.

    Parameters
    ----------
    patterns : Patterns
        In their order.
    states : "auto" or int
        How many parts: as many as there is evidence for, or so many whatever the evidence. Parts that come back to an
        earlier state are counted with it.
    false_alarm : float
        With "auto": of series without a transition, so many are said to have one (on made series).

    Notes
    -----
    Lines are brought to one place as far as they only move. What is left is reduced to principal components, as it is
    and sorted by size, and breaks (steps, ramps, order parameters) are fitted beside smooth changes. Numbers from these
    fits decide by a logistic rule that was learned from made series. Each part is then looked at once more.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(1, 5, 500)
    >>> lines = lambda *at: sum(np.exp(-(((x - a) / 0.03) ** 2)) for a in at)
    >>> rows = [lines(2, 3.1)] * 20 + [lines(2.3, 3.4, 4)] * 15
    >>> counts = np.random.default_rng(0).poisson(300 * np.array(rows) + 10)
    >>> [b.after for b in find_states(Patterns(x, counts, "q")).boundaries]
    [19]
    >>> find_states(Patterns(x, counts[:20], "q")).boundaries
    ()
    """
    if states != "auto" and (isinstance(states, bool) or not isinstance(states, int) or states < 1):
        raise OptionError(
            "cannot find the states", f"states must be 'auto' or a whole number above 0, got {states!r}", "Give 2"
        )
    n = len(patterns)
    asked = None if states == "auto" else int(states)
    if asked is not None and asked > n:
        why = f"{asked} states need as many patterns, got {n}"
        raise OptionError("cannot find the states", why, "Ask for fewer")
    group = -(-n // _MOST)
    series = prepare_series(_summed(patterns, group))
    least = least_probability(false_alarm), least_probability(false_alarm, of_parts=True)
    seen = examine(series) if len(series.rows) >= FEWEST else None
    known: _Known = {}
    splits, refused = _split(series, seen, asked, least, known)
    if asked is None:
        splits = _settled(series, splits, least[1], known)
    if group > 1:
        splits = [_refined(patterns, split, group) for split in splits]
        full = prepare_series(patterns)
    else:
        full = series
    splits.sort(key=lambda split: split.at)
    said = list(_said(n, full, splits, asked))
    shares = [np.interp(np.arange(n), split.part.frames, split.share) for split in splits]
    parts = _parts(shares, n)
    rows, path = align(series) if seen is None else (seen.rows, seen.strain)
    curves = look(rows, VIEWS[0]) if seen is None else seen.views[VIEWS[0]]
    which = _which_state(rows, series.frames * group, splits, asked)
    probabilities = np.zeros((n, max(which) + 1))
    for part, state in enumerate(which):
        probabilities[:, state] += parts[:, part]
    strain = _everywhere(np.arange(n), series.frames * group, path[:, None], full.dead)
    scores = _everywhere(np.arange(n), series.frames * group, curves.scores, full.dead)
    return Segmentation(
        states=probabilities.argmax(axis=1),
        probabilities=probabilities,
        boundaries=tuple(_boundary(split, n) for split in splits),
        refused=refused,
        strain=strain[:, 0],
        scores=scores,
        dead=tuple(int(i) for i in full.dead),
        warnings=tuple(said),
    )


def _split(
    series: PreparedSeries, seen: Examined | None, asked: int | None, least: tuple[float, float], known: _Known
) -> tuple[list[_Split], float]:
    """Cut again and again: while there is evidence, or until there are as many parts as were asked for.

    `least` is the probability that a transition must have in the whole series, and in a part of it.
    """
    first = _most_probable(seen) if seen is not None else _best(series, FEWEST if asked is None else 2, known)
    open_parts = [] if first is None else [first]
    taken: list[_Split] = []
    refused = 0.0
    while open_parts and (asked is None or len(taken) < asked - 1):
        best = max(open_parts, key=lambda split: split.chance)
        open_parts.remove(best)
        if asked is None and best.chance <= least[len(taken) > 0]:
            refused = max(refused, best.chance)
            continue
        taken.append(best)
        fewest = _FEWEST_PART if asked is None else 2
        # Frames within the change belong to neither side.
        left, right = np.searchsorted(best.part.frames, (best.reaches(0) + 1, best.reaches(1)))
        for start, stop in ((0, int(left)), (int(right), len(best.part.rows))):
            more = _best(take_rows(best.part, start, stop), fewest, known) if stop - start >= fewest else None
            if more is not None:
                open_parts.append(more)
    return taken, refused


def _settled(series: PreparedSeries, splits: list[_Split], least: float, known: _Known) -> list[_Split]:
    """Each boundary looked at once more between its neighbours: the first was found before those were known."""
    splits = sorted(splits, key=lambda split: split.at)
    for _ in range(len(splits) + _ROUNDS):
        if len(splits) < 2:
            break
        ends = [-1, *(split.reaches(1) - 1 for split in splits)]
        starts = [*(split.reaches(0) + 1 for split in splits), int(series.frames[-1]) + 1]
        again = []
        for i, split in enumerate(splits):
            start, stop = np.searchsorted(series.frames, (ends[i] + 1, starts[i + 1]))
            found = _best(take_rows(series, int(start), int(stop)), FEWEST, known)
            again.append(split if found is None else found)
        weakest = int(np.argmin([split.chance for split in again]))
        is_still = all(abs(one.at - other.at) < 1 for one, other in zip(splits, again, strict=True))
        splits = again
        if splits[weakest].chance <= least:
            # One at a time: without it its neighbours may be seen more clearly.
            del splits[weakest]
        elif is_still:
            break
    return splits


def _best(part: PreparedSeries, fewest: int, known: _Known) -> _Split | None:
    """The most probable place of a part, whatever its probability; `known` are the parts looked at so far."""
    n = len(part.rows)
    if n < max(fewest, 2):
        return None
    key = int(part.frames[0]), int(part.frames[-1])
    if key not in known:
        known[key] = _halves(part) if n < FEWEST else _most_probable(examine(part))
    return known[key]


def _most_probable(seen: Examined) -> _Split | None:
    if not seen.candidates:
        return None
    return _place(seen, max(seen.candidates, key=lambda c: probability(c.evidence)))


def _halves(part: PreparedSeries) -> _Split:
    """Where neighbours differ most: all that can be said of a handful of frames."""
    step = ((part.rows[1:] - part.rows[:-1]) ** 2).sum(axis=1)
    at = int(step.argmax()) + 0.5
    share = (np.arange(len(part.rows)) > at).astype(float)
    return _Split(part, 0.0, at, (at - 0.5, at + 0.5), (at, at), share, "in place")


def _place(seen: Examined, candidate: Candidate) -> _Split:
    """How probable each place near the candidate is, by the fit of the breaks, and what follows from it."""
    family, view = seen.family, seen.views[candidate.view]
    fit = seen.fits[candidate.view][candidate.smooth]
    n, k = view.scores.shape
    at = family.middle[candidate.member]
    reach = max(3.0, n / 10)
    near = (np.abs(family.middle - at) <= reach) & (family.middle >= margin(n) - 0.5)
    near &= family.middle <= n - margin(n) - 0.5
    is_ramp = family.kind[candidate.member] == RAMP
    near &= (family.kind == RAMP) if is_ramp else (family.kind == family.kind[candidate.member])
    left = fit.rest - fit.gain
    # What the best break leaves over is not noise alone: it is the scale of what may be by chance.
    scale = max(1.0, float(left[near].min()) / max(1.0, (n - 5.0) * k))
    weight = np.where(near, np.exp(-(left - left[near].min()) / (2 * scale)), 0.0)
    weight /= weight.sum()
    order = np.argsort(family.middle)
    total = np.cumsum(weight[order])
    low, middle, high = (
        float(family.middle[order][np.searchsorted(total, q)]) for q in ((1 - _LEVEL) / 2, 0.5, (1 + _LEVEL) / 2)
    )
    if is_ramp:
        share = weight @ family.shape
        zone = (float(weight @ family.onset), float(weight @ family.end))
        if zone[1] - zone[0] < 1:
            zone = (middle, middle)
    else:
        frame = np.arange(n)
        share = ((frame[:, None] > family.middle) * weight).sum(axis=1)
        zone = (middle, middle)
    return _Split(
        seen.series, probability(candidate.evidence), middle, (low - 0.5, high + 0.5), zone, share, candidate.view
    )


def _boundary(split: _Split, n: int) -> Boundary:
    """In numbers of patterns, dead ones counted."""
    frames = split.part.frames

    def number(place: float) -> float:
        return float(np.interp(place, np.arange(frames.size), frames))

    after = int(frames[int(np.clip(np.floor(split.place + 1e-9), 0, frames.size - 1))])
    low, high = (float(np.clip(number(p), 0, n - 1)) for p in split.interval)
    zone = (number(split.zone[0]), number(split.zone[1]))
    return Boundary(min(after, n - 2), split.at, (min(low, after), max(high, after)), zone, split.chance, split.reason)


def _parts(shares: Sequence[Array], n: int) -> Array:
    """Probability that a pattern lies in each part (n, parts), from the share changed at each boundary."""
    parts = np.ones((n, len(shares) + 1))
    for i, share in enumerate(shares):
        parts[:, : i + 1] *= (1 - share)[:, None]
        parts[:, i + 1 :] *= share[:, None]
    return np.asarray(parts / np.maximum(parts.sum(axis=1, keepdims=True), 1e-12))


def _which_state(
    rows: NDArray[np.floating], frames: NDArray[np.intp], splits: Sequence[_Split], asked: int | None
) -> list[int]:
    """Number of the state of each part: a part that looks like one before the last is that state again."""
    if asked is not None or len(splits) < 2:
        return list(range(len(splits) + 1))
    edges = [0, *(int(np.searchsorted(frames, np.floor(split.at) + 1)) for split in splits), len(rows)]
    means = [rows[a:b].mean(axis=0) if b > a else rows[min(a, len(rows) - 1)] for a, b in pairwise(edges)]
    apart = np.array([[float(((a - b) ** 2).sum()) for b in means] for a in means])
    which = [0]
    for part in range(1, len(means)):
        before = [p for p in range(part - 1) if apart[part, p] < _SAME * min(apart[part, part - 1], apart[p, part - 1])]
        nearest = min(before, key=lambda p: apart[part, p]) if before else None
        which.append(max(which) + 1 if nearest is None else which[nearest])
    return which


def _said(n: int, full: PreparedSeries, splits: Sequence[_Split], asked: int | None) -> Iterator[str]:
    if full.dead.size:
        which = ", ".join(str(i) for i in full.dead[:8])
        yield f"{full.dead.size} patterns saw no beam and were left out: number {which}"
    if n - full.dead.size < FEWEST:
        yield f"too few patterns to tell a transition from chance: {n - full.dead.size}, at least {FEWEST} are needed"
    elif asked is not None and splits:
        weakest = min(split.chance for split in splits)
        if weakest < 0.5:
            little = f"there is little evidence for one of the boundaries ({weakest:.2f})"
            yield f"{asked} states were asked for, but {little}"


def _summed(patterns: Patterns, group: int) -> Patterns:
    """Frames summed in groups of so many."""
    if group == 1:
        return patterns
    starts = np.arange(0, len(patterns), group)
    summed = np.add.reduceat(np.asarray(patterns.intensity, dtype=float), starts, axis=0)
    return Patterns(patterns.axis, summed, patterns.kind, wavelength=patterns.wavelength)


def _refined(patterns: Patterns, split: _Split, group: int) -> _Split:
    """The same place, frame by frame."""
    at = split.at * group
    half = max(_MOST // 4, int(1.5 * group * (split.zone[1] - split.zone[0])) + 4 * group)
    start, stop = max(0, int(at) - half), min(len(patterns), int(at) + half)
    near = prepare_series(patterns[start:stop])
    seen = examine(near) if len(near.rows) >= FEWEST else None
    if seen is None or not seen.candidates:
        frames = np.clip(split.part.frames * group + (group - 1) // 2, 0, len(patterns) - 1)
        return replace(split, part=replace(split.part, frames=frames))
    best = min(seen.candidates, key=lambda c: abs(seen.family.middle[c.member] + start - at))
    found = _place(seen, best)
    return replace(found, part=replace(found.part, frames=found.part.frames + start), chance=split.chance)


def _everywhere(at: NDArray[np.intp], known: NDArray[np.intp], values: Array, dead: NDArray[np.intp]) -> Array:
    """Columns of values of some frames at all frames; nan at dead ones."""
    filled = np.column_stack([np.interp(at, known, column) for column in values.T])
    filled[dead] = np.nan
    return filled
