"""A method of our own for few labels: alike up to a strain, then the break of the slope between two labels.

A pattern first takes the state of the labelled pattern that it is most like when the cell may be larger or smaller: on
an axis of log(1/d) a strain only shifts the lines, and what only moved is no change. Between two neighbouring labels of
different states in one series the boundary is then laid where the series, aligned, breaks: a step, or a slope that
begins or ends. The labels say which states there are and between which frames to look; all frames say where. Labels of
other series count, too, at frames that cannot be told from the labelled ones.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import uniform_filter1d

from peakwise.series import align, prepare_series

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns
    from peakwise.studies._hed_labels import Suite

    Array = NDArray[np.float64]
    Lent = tuple[float, int, int]

__all__ = [
    "Breaking",
    "alike",
    "break_place",
    "joined",
    "lend_labels",
    "own_answers",
    "prepare_breaks",
    "strain_axis",
]

_POINTS = 768  # of the axis of log(1/d)
_STRAIN = 0.06  # by which a cell may be larger or smaller and still be the same state
_BROAD = 12  # what bends over more than this part of the range is background
_CURVES = 6  # principal components between two labels
_AS_ALIKE = 0.98  # of what noise alone would leave, from which a label of another series is lent
_MARGIN = 0.5  # frames on either side of the two labels, as a share of those between them
_FEWEST_AROUND = 4


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
    rows, step = strain_axis(suite.patterns)
    seen = [align(prepare_series(p)) for p in suite.patterns]
    like, same = alike(rows, round(_STRAIN / step)), alike(rows, 0)
    return Breaking(like, same, tuple(r for r, _ in seen), tuple(s for _, s in seen))


def strain_axis(patterns: Sequence[Patterns]) -> tuple[NDArray[np.float32], float]:
    """Rows of length 1 on an even axis of log(1/d), on which a strain is a shift, and its step."""
    made = []
    step = 1.0
    for p in patterns:
        axis = np.log(np.sin(np.radians(np.asarray(p.axis) / 2)))
        grid = np.linspace(axis[0], axis[-1], _POINTS)
        step = float(grid[1] - grid[0])
        counts = np.maximum(np.asarray(p.intensity, dtype=np.float64), 0)
        # Counts between the edges of each cell: nothing is left out where cells are wider than the steps measured.
        edges = np.append(grid - step / 2, grid[-1] + step / 2)
        total = np.concatenate([np.zeros((len(counts), 1)), counts.cumsum(axis=1)], axis=1)
        place = np.interp(edges, np.append(axis, 2 * axis[-1] - axis[-2]), np.arange(len(axis) + 1.0))
        low = np.minimum(place.astype(np.intp), len(axis) - 1)
        at = total[:, low] + (total[:, low + 1] - total[:, low]) * (place - low)
        roots = np.sqrt(np.diff(at, axis=1) / np.maximum(np.diff(place), 1e-9))
        roots -= uniform_filter1d(roots, _POINTS // _BROAD, axis=1)
        made.append(roots / np.sqrt((roots**2).sum(axis=1, keepdims=True)))
    return np.concatenate(made).astype(np.float32), step


def alike(rows: NDArray[np.float32], lag: int) -> NDArray[np.float32]:
    """The largest overlap of each two rows, shifted by up to `lag` points.

    >>> alike(np.eye(5, dtype=np.float32)[[0, 1, 4]], 1).round(3)
    array([[1., 1., 0.],
           [1., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    n, m = rows.shape
    size = next_fast_len(m + lag, real=True)
    spectra = rfft(rows, size)
    made = np.zeros((n, n), dtype=np.float32)
    for i in range(n):
        overlap = irfft(np.conj(spectra[i]) * spectra[i:], size)
        made[i, i:] = np.maximum(overlap[:, : lag + 1].max(axis=1), overlap[:, size - lag :].max(axis=1, initial=-1))
    return np.asarray(np.maximum(made, made.T))


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
    """The first frame of the new state, between frame `first` of one state and `last` of the next.

    Notes
    -----
    Principal components of the aligned frames around, against the strain u of the cell (against the cell, not the time:
    a ramp that begins is no transition), are fitted from every place a by three shapes of four parameters each::

        1, u, (u - a)+, (u - a)+^2      nothing, then a change that begins
        1, u, (a - u)+, (a - u)+^2      a change that ends
        1, u, [u > a], (u - a)+         a step

    The place is the mean over all places and shapes with weights ``exp(-chi^2 / 2)``; the best fit tells the noise.
    """
    if last - first < 2:
        return last
    around = max(_FEWEST_AROUND, round(_MARGIN * (last - first)))
    low, high = max(0, first - around), min(len(rows), last + around + 1)
    centred = np.asarray(rows[low:high] - rows[low:high].mean(axis=0), dtype=np.float64)
    size, vectors = np.linalg.eigh(centred @ centred.T)
    kept = np.argsort(size)[::-1][:_CURVES]
    scores = vectors[:, kept] * np.sqrt(np.maximum(size[kept], 0))
    u = strain[low:high] - strain[low:high].mean()
    u = u / (u.std() or 1.0)
    frame, even = np.arange(high - low), np.ones(high - low)
    cuts = np.arange(first + 1, last + 1)
    rest = np.empty((cuts.size, 3))
    for i, cut in enumerate(cuts - low):
        middle = (u[cut] + u[cut - 1]) / 2
        after, before = np.maximum(u - middle, 0), np.maximum(middle - u, 0)
        for j, pair in enumerate(((after, after**2), (before, before**2), (frame >= cut, after))):
            shapes = np.linalg.qr(np.column_stack([even, u, *pair]))[0]
            rest[i, j] = ((scores - shapes @ (shapes.T @ scores)) ** 2).sum()
    noise = max(float(rest.min()) / max((high - low - 4) * len(kept), 1), 1e-30)
    weight = np.exp(-(rest - rest.min()) / (2 * noise)).sum(axis=1)
    return int(np.floor((weight * cuts).sum() / weight.sum() + 0.5))
