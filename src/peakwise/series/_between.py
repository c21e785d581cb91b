"""States from the labels of a few frames: alike up to a strain, then where the series breaks between two labels.

A frame first takes the state of the labelled frame that it is most like when the cell may be larger or smaller: on an
axis of log(1/d) a strain only shifts the lines, and what only moved is no change. Between two neighbouring labels of
different states the boundary lies where the series, aligned, breaks: a step, or a slope that begins or ends. The labels
say which states there are and between which frames to look; all frames say where.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import uniform_filter1d

from peakwise.errors import PatternsError
from peakwise.series._align import align
from peakwise.series._prepare import prepare_series

if TYPE_CHECKING:
    from collections.abc import Iterable

    from peakwise.patterns import Patterns

__all__ = ["Labelled", "alike", "break_weights", "label_frames", "log_rows"]

Array = NDArray[np.float64]

STRAIN = 0.06  # by which a cell may be larger or smaller and still be the same state
_POINTS = 768  # of the axis of log(1/d)
_BROAD = 12  # what bends over more than this part of the range is background
_CURVES = 6  # principal components between two labels
_MARGIN = 0.5  # frames on either side of the two labels, as a share of those between them
_FEWEST_AROUND = 4
_TOLD = 0.99  # probability of a state that a label tells, itself or from both sides
_LIKE = 0.9  # probability of a state that is told by likeness alone


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """States of all frames from the labels of a few.

    Attributes
    ----------
    probabilities : ndarray of shape (n, n_states)
    is_between : ndarray of shape (n,)
        Frames between two labels: their probabilities follow from the breaks. Of the others each stands alone.
    """

    probabilities: Array
    is_between: NDArray[np.bool_]


def label_frames(patterns: Patterns, codes: NDArray[np.intp], n_states: int) -> Labelled:
    """Tell the states of a series from labels.

    Parameters
    ----------
    patterns : Patterns
        A series, in its order.
    codes : ndarray of shape (n,)
        Number of the state where it is known, -1 elsewhere.
    n_states : int

    Examples
    --------
    >>> from peakwise.patterns import Patterns
    >>> x = np.linspace(1, 5, 500)
    >>> lines = lambda *at: sum(np.exp(-(((x - a) / 0.03) ** 2)) for a in at)
    >>> counts = np.random.default_rng(0).poisson(300 * np.array([lines(2, 3.1)] * 20 + [lines(2.3, 4)] * 15) + 10)
    >>> codes = np.full(35, -1)
    >>> codes[[4, 30]] = 0, 1
    >>> label_frames(Patterns(x, counts, "q"), codes, 2).probabilities.argmax(axis=1)[[0, 19, 20, 34]]
    array([0, 0, 1, 1])
    """
    series = prepare_series(patterns)
    moved, strain = align(series)
    living = series.frames
    known = np.flatnonzero(codes[living] >= 0)
    told = codes[living[known]]
    rows, step = log_rows(patterns, living)
    like = alike(rows, round(STRAIN / step) if step else 0, known)
    found = np.full((len(living), n_states), (1 - _LIKE) / max(1, n_states - 1))
    found[np.arange(len(living)), told[like.argmax(axis=1)]] = _LIKE
    is_between = np.zeros(len(living), dtype=bool)
    for (first, one), (last, other) in pairwise(zip(known.tolist(), told.tolist(), strict=True)):
        inside = slice(first, last + 1)
        is_between[inside] = True
        share = np.zeros(last + 1 - first)  # of the new state
        if one != other:
            cuts, weights = break_weights(moved, strain, first, last)
            share[cuts - first] = weights
            share = share.cumsum()
        rest = (1 - _TOLD) / max(1, n_states - 1)  # nothing is surer than a label, and a label may be wrong
        found[inside] = rest
        found[inside, one] += (_TOLD - rest) * (1 - share)
        found[inside, other] += (_TOLD - rest) * share
    # A frame without beam is as the nearest one that saw it.
    nearest = np.abs(living[:, None] - np.arange(len(patterns))).argmin(axis=0)
    return Labelled(found[nearest], is_between[nearest])


def log_rows(patterns: Patterns, frames: NDArray[np.intp] | None = None) -> tuple[NDArray[np.float32], float]:
    """Rows of length 1 on an even axis of log(1/d), on which a strain is a shift, and its step.

    Axes without a cell stay as they are, with a step of 0.
    """
    axis = np.asarray(patterns.axis, dtype=np.float64)
    values = np.asarray(patterns.intensity, dtype=np.float64)
    counts = np.maximum(values if frames is None else values[frames], 0)
    reached, is_cell = _log_axis(axis, patterns.kind)
    order = np.argsort(reached[np.isfinite(reached)])
    axis, counts = reached[np.isfinite(reached)][order], counts[:, np.isfinite(reached)][:, order]
    if axis.size < 2 or not counts.any(axis=1).all():
        why = "patterns need counts above zero where d is defined"
        raise PatternsError("cannot compare the patterns", why, "Give counts on an axis above zero")
    grid = np.linspace(axis[0], axis[-1], _POINTS)
    step = float(grid[1] - grid[0])
    # Counts between the edges of each cell: nothing is left out where cells are wider than the steps measured.
    edges = np.append(grid - step / 2, grid[-1] + step / 2)
    total = np.concatenate([np.zeros((len(counts), 1)), counts.cumsum(axis=1)], axis=1)
    place = np.interp(edges, np.append(axis, 2 * axis[-1] - axis[-2]), np.arange(len(axis) + 1.0))
    low = np.minimum(place.astype(np.intp), len(axis) - 1)
    at = total[:, low] + (total[:, low + 1] - total[:, low]) * (place - low)
    roots = np.sqrt(np.maximum(np.diff(at, axis=1), 0) / np.maximum(np.diff(place), 1e-9))
    roots -= uniform_filter1d(roots, _POINTS // _BROAD, axis=1)
    length = np.sqrt((roots**2).sum(axis=1, keepdims=True))
    return (roots / np.maximum(length, 1e-30)).astype(np.float32), step if is_cell else 0.0


def _log_axis(axis: Array, kind: str) -> tuple[Array, bool]:
    """log(1/d), but for a constant, and nan where it has none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "two_theta":
            return np.where((axis > 0) & (axis < 180), np.log(np.sin(np.radians(axis / 2))), np.nan), True
        if kind in ("q", "d"):
            return np.where(axis > 0, np.log(axis) * (1 if kind == "q" else -1), np.nan), True
    return axis, False


def alike(rows: NDArray[np.float32], lag: int, others: Iterable[int] | None = None) -> NDArray[np.float32]:
    """The largest overlap of each row with others, or with all, shifted by up to `lag` points.

    >>> alike(np.eye(5, dtype=np.float32)[[0, 1, 4]], 1).round(3)
    array([[1., 1., 0.],
           [1., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    n, m = rows.shape
    chosen = list(range(n) if others is None else others)
    size = next_fast_len(m + lag, real=True)
    spectra = rfft(rows, size)
    made = np.zeros((n, len(chosen)), dtype=np.float32)
    for column, i in enumerate(chosen):
        start = i if others is None else 0  # of all with all, one half is enough
        overlap = irfft(np.conj(spectra[i]) * spectra[start:], size)
        made[start:, column] = np.maximum(
            overlap[:, : lag + 1].max(axis=1), overlap[:, size - lag :].max(axis=1, initial=-1)
        )
    return np.asarray(np.maximum(made, made.T)) if others is None else made


def break_weights(rows: NDArray[np.floating], strain: Array, first: int, last: int) -> tuple[NDArray[np.intp], Array]:
    """How probable each frame is the first of the new state, between frame `first` of one state and `last` of the next.

    Notes
    -----
    Principal components of the aligned frames around, against the strain u of the cell (against the cell, not the time:
    a ramp that begins is no transition), are fitted from every place a by three shapes of four parameters each::

        1, u, (u - a)+, (u - a)+^2      nothing, then a change that begins
        1, u, (a - u)+, (a - u)+^2      a change that ends
        1, u, [u > a], (u - a)+         a step

    Weights are sums of ``exp(-chi^2 / 2)`` over the shapes; the best fit tells the noise.
    """
    cuts = np.arange(first + 1, last + 1)
    if cuts.size < 2:
        return cuts, np.ones(cuts.size)
    around = max(_FEWEST_AROUND, round(_MARGIN * (last - first)))
    low, high = max(0, first - around), min(len(rows), last + around + 1)
    centred = np.asarray(rows[low:high] - rows[low:high].mean(axis=0), dtype=np.float64)
    size, vectors = np.linalg.eigh(centred @ centred.T)
    kept = np.argsort(size)[::-1][:_CURVES]
    scores = vectors[:, kept] * np.sqrt(np.maximum(size[kept], 0))
    u = strain[low:high] - strain[low:high].mean()
    u = u / (u.std() or 1.0)
    frame, even = np.arange(high - low), np.ones(high - low)
    rest = np.empty((cuts.size, 3))
    for i, cut in enumerate(cuts - low):
        middle = (u[cut] + u[cut - 1]) / 2
        after, before = np.maximum(u - middle, 0), np.maximum(middle - u, 0)
        for j, pair in enumerate(((after, after**2), (before, before**2), (frame >= cut, after))):
            shapes = np.linalg.qr(np.column_stack([even, u, *pair]))[0]
            rest[i, j] = ((scores - shapes @ (shapes.T @ scores)) ** 2).sum()
    noise = max(float(rest.min()) / max((high - low - 4) * len(kept), 1), 1e-30)
    weights = np.exp(-(rest - rest.min()) / (2 * noise)).sum(axis=1)
    return cuts, np.asarray(weights / weights.sum())
