"""The method of our own for few labels over several series: `peakwise.series.label_frames`, and labels that are lent.

Labels of other series count, too, at frames that cannot be told from the labelled ones.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import uniform_filter1d

from peakwise.series import STRAIN, align, alike, break_weights, log_rows, prepare_series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.studies._hed_labels import Suite

    Array = NDArray[np.float64]
    Lent = tuple[float, int, int]

__all__ = [
    "Breaking",
    "break_place",
    "joined",
    "lend_labels",
    "own_answers",
    "prepare_breaks",
]

_AS_ALIKE = 0.98  # of what noise alone would leave, from which a label of another series is lent


@dataclass(frozen=True, eq=False)
class Breaking:
    """What is needed of the series, labels or not.

    Attributes
    ----------
    like : ndarray of shape (n, n)
        How alike two patterns are, up to a strain.
    same : ndarray of shape (n, n)
        How alike they are as they stand.
    rows : tuple of ndarray
        Of each series, its lines brought to one place.
    strain : tuple of ndarray
        Of each series, how far the lines moved.
    """

    like: NDArray[np.float32]
    same: NDArray[np.float32]
    rows: tuple[NDArray[np.float32], ...]
    strain: tuple[Array, ...]


def prepare_breaks(suite: Suite) -> Breaking:
    """Look at all series, without labels."""
    # The suite has one axis, so that one step holds for all.
    made = [log_rows(p) for p in suite.patterns]
    rows, step = np.concatenate([r for r, _ in made]), made[0][1]
    seen = [align(prepare_series(p)) for p in suite.patterns]
    like, same = alike(rows, round(STRAIN / step)), alike(rows, 0)
    return Breaking(like, same, tuple(r for r, _ in seen), tuple(s for _, s in seen))


def own_answers(suite: Suite, known: NDArray[np.bool_], seen: Breaking, *, breaks: bool = True) -> NDArray[np.int64]:
    """States of all patterns from the labels of a few.

    Parameters
    ----------
    suite : Suite
    known : ndarray of shape (n,)
        True where the label is told: no other label is looked at.
    seen : Breaking
    breaks : bool
        Whether boundaries between labels are laid by the breaks; without, every pattern is told by itself.
    """
    told = np.flatnonzero(known)
    answers = suite.labels[told][seen.like[:, told].argmax(axis=1)]
    if not breaks:
        return np.asarray(answers)
    lent = lend_labels(suite, known, seen.same)
    for k, place in enumerate(suite.places.values()):
        at = np.flatnonzero(known[place])
        states = answers[place]  # a view
        points = [*zip(at.tolist(), suite.labels[place][at].tolist(), strict=True)]
        points = joined(points, lent[k])
        for (first, one), (last, other) in pairwise(points):
            cut = last if one == other else break_place(seen.rows[k], seen.strain[k], first, last)
            states[first : last + 1] = np.where(np.arange(first, last + 1) < cut, one, other)
        states[at] = suite.labels[place][at]
    return np.asarray(answers)


def lend_labels(suite: Suite, known: NDArray[np.bool_], same: NDArray[np.float32]) -> list[list[Lent]]:
    """For each series, labels of the others at the frames that they look like: strength, frame, label.

    Two noisy patterns of one kind are as alike as the square root of what each is like its own neighbours; where the
    labelled one is not, it is of another sample, or further than a frame from all of this series.
    """
    steady = np.empty(len(known))
    for place in suite.places.values():
        following = np.diagonal(same[place, place], offset=1).astype(np.float64)
        padded = np.concatenate([following[:1], following, following[-1:]])
        steady[place] = (padded[1:] + padded[:-1]) / 2
    found: list[list[Lent]] = []
    for place in suite.places.values():
        lent = []
        for other in np.flatnonzero(known):
            if place.start <= other < place.stop:
                continue
            overlap = uniform_filter1d(same[place, other].astype(np.float64), 3, mode="nearest")
            frame = int(overlap.argmax())
            expected = float(np.sqrt(max(steady[place][frame] * steady[other], 0.0)))
            if 0 < frame < len(overlap) - 1 and overlap[frame] >= _AS_ALIKE * expected:
                lent.append((float(overlap[frame] / expected), frame, int(suite.labels[other])))
        found.append(lent)
    return found


def joined(own: Sequence[tuple[int, int]], lent: Sequence[Lent]) -> list[tuple[int, int]]:
    """Frames with their labels: own ones, and lent ones, the strongest first, where they fit between their neighbours.

    >>> joined([(3, 0), (20, 1)], [(1.0, 9, 0), (0.99, 8, 1), (0.99, 15, 2), (0.98, 40, 1)])
    [(3, 0), (9, 0), (20, 1)]
    """
    points = sorted(own)
    for _, frame, label in sorted(lent, reverse=True):
        right = bisect_left(points, (frame, -1))
        if not 0 < right < len(points) or points[right][0] == frame:
            continue
        before, after = points[right - 1][1], points[right][1]
        if before != after and label in (before, after):
            points.insert(right, (frame, label))
    return points


def break_place(rows: NDArray[np.floating], strain: Array, first: int, last: int) -> int:
    """The first frame of the new state, between frame `first` of one state and `last` of the next: the mean place."""
    cuts, weights = break_weights(rows, strain, first, last)
    return int(np.floor((weights * cuts).sum() + 0.5))
