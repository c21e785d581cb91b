"""Lines of a series brought to one place, as far as they only move: first as one cell changes, then piece by piece.

A line that moved is no transition. Shifts are measured between means of frames some way apart, by correlation, and a
smooth path is laid through them; where a transition lies between two means, their correlation is low and counts little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from peakwise.series._prepare import Floats, PreparedSeries

__all__ = ["align"]

Array = NDArray[np.float64]

_MOST_STRAIN = 0.15  # over the whole series: 100 GPa on an oxide
_FASTEST = 3.0  # times as fast as evenly over the whole series
_STRAINS = 200  # tried on either side of none
_APART = (1 / 20, 1 / 10, 1 / 5)  # shares of the series between the frames that are compared
_PIECES = 16  # of the axis
_KNOTS = (12, 8)  # of the path of the cell, and of the paths of the pieces
_FEWEST_POINTS = 64  # of an axis on which lines can be followed
_COUNT = 0.2  # shifts are measured between means that overlap: so much of each is new


def align(series: PreparedSeries) -> tuple[Floats, Array]:
    """Rows with their lines in one place, and the strain of each frame, about its mean.

    The strain is the relative change of 1 / d, or of half the range where the axis has no cell.
    """
    rows = series.rows
    n, m = rows.shape
    if n < 3 or m < _FEWEST_POINTS:
        return rows, np.zeros(n)
    strain = _strain(series)
    moved = _shifted(rows, strain[:, None] * series.reach)
    paths, centres = _piece_paths(moved, series.width)
    grid = np.arange(m)
    shifts = np.array([np.interp(grid, centres, path) for path in paths.T])
    return _shifted(moved, shifts), strain


def _strain(series: PreparedSeries) -> Array:
    """One strain a frame: the same change of the cell moves every piece of the axis by its reach."""
    rows, width = series.rows, series.width
    n, m = rows.shape
    edges = np.linspace(0, m, _PIECES + 1).astype(int)
    reach = np.interp((edges[1:] + edges[:-1]) / 2, np.arange(m), series.reach)
    found: list[tuple[Array, Array, Array, Array]] = []
    for apart, first, one, other in _pairs(rows):
        most = min(_MOST_STRAIN, _FASTEST * _MOST_STRAIN * apart / n)
        strains = np.linspace(-most, most, 2 * int(np.clip(2 * most * reach.max() / width, 8, _STRAINS)) + 1)
        overlap = np.zeros((len(one), strains.size))
        for start, stop, far in zip(edges, edges[1:], reach, strict=False):
            lag = int(np.ceil(most * far)) + 4
            overlap += _read_off(_correlation(one, other, start, stop, lag), strains * far + lag)
        best = overlap.argmax(axis=1)
        inner = np.clip(best, 1, strains.size - 2)
        strain = strains[inner] + _vertex(overlap, inner) * (strains[1] - strains[0])
        alike = np.clip(overlap.max(axis=1) / (_norm(one) * _norm(other)), 0.01, 1)
        found.append((*_when(first, apart), strain, alike**2))
    before, after, strain, weight = (np.concatenate(part) for part in zip(*found, strict=True))
    scale = float(np.median(reach))
    # Nothing is known of the size of the strain, only that its rate changes slowly.
    return _path(n, _KNOTS[0], before, after, strain * scale, weight, 1e3 * width, width) / scale


def _piece_paths(rows: Floats, width: int) -> tuple[Array, Array]:
    """What is left to shift, piece by piece: (pieces + 1, n) in steps, and where the pieces have their middle."""
    n, m = rows.shape
    half, lag = m // _PIECES, 2 * width + 1
    centres = half * np.arange(_PIECES + 1)
    taper = np.sqrt(0.5 * (1 + np.cos(np.pi * np.arange(-half, half) / half))).astype(np.float32)
    length = next_fast_len(2 * half + lag, real=True)
    shifts: list[list[Array]] = [[] for _ in centres]
    weights: list[list[Array]] = [[] for _ in centres]
    when: list[tuple[Array, Array]] = []
    for apart, first, one, other in _pairs(rows):
        whole = _norm(one) * _norm(other)
        one, other = (np.pad(part, ((0, 0), (half, half))) for part in (one, other))
        for piece, start in enumerate(centres):
            a, b = (part[:, start : start + 2 * half] * taper for part in (one, other))
            spectrum = irfft(np.conj(rfft(a, length)) * rfft(b, length), length)
            overlap = np.concatenate([spectrum[:, -lag:], spectrum[:, : lag + 1]], axis=1)
            inner = np.clip(overlap.argmax(axis=1), 1, 2 * lag - 1)
            shifts[piece].append(inner - lag + _vertex(overlap, inner))
            size = _norm(a) * _norm(b)
            weights[piece].append(np.clip(overlap.max(axis=1) / size, 0, 1) ** 2 * size / whole)
        when.append(_when(first, apart))
    before, after = (np.concatenate(part) for part in zip(*when, strict=True))
    paths = [
        _path(n, _KNOTS[1], before, after, np.concatenate(s), np.concatenate(w), width, width / 2)
        for s, w in zip(shifts, weights, strict=True)
    ]
    return np.array(paths), centres.astype(float)


def _pairs(rows: Floats) -> Iterator[tuple[int, NDArray[np.intp], Floats, Floats]]:
    """Means of frames that lie some way apart: how far, the first frame of each, the earlier and the later means."""
    n, m = rows.shape
    summed = np.zeros((n + 1, m))
    np.cumsum(rows, axis=0, dtype=np.float64, out=summed[1:])
    for apart in sorted({max(1, round(n * share)) for share in _APART}):
        long = max(1, apart // 2)
        first = np.arange(0, n - apart - long + 1, max(1, apart // 4))
        if first.size:
            one = (summed[first + long] - summed[first]) / long
            other = (summed[first + apart + long] - summed[first + apart]) / long
            yield apart, first, one.astype(np.float32), other.astype(np.float32)


def _when(first: NDArray[np.intp], apart: int) -> tuple[Array, Array]:
    """Middle frames of the earlier and the later means."""
    middle = np.asarray(first + (max(1, apart // 2) - 1) / 2, dtype=np.float64)
    return middle, np.asarray(middle + apart)


def _correlation(one: Floats, other: Floats, start: int, stop: int, lag: int) -> Floats:
    """Overlap of a piece of the earlier means with the later ones, at shifts from -lag to lag."""
    low, high = max(0, start - lag), min(other.shape[1], stop + lag)
    length = next_fast_len(high - low + stop - start, real=True)
    spectrum = irfft(np.conj(rfft(one[:, start:stop], length)) * rfft(other[:, low:high], length), length)
    overlap = spectrum[:, (np.arange(-lag, lag + 1) + start - low) % length]
    overlap[:, : max(0, lag - (start - low))] = 0  # before the first point of the axis
    return np.asarray(overlap)


def _read_off(curves: Floats, places: Array) -> Floats:
    """Values between the points of curves, by cubic convolution: a straight line would pull shifts to whole steps."""
    places = np.clip(places, 1, curves.shape[1] - 3.001)
    at = places.astype(np.intp)
    f = (places - at).astype(np.float32)
    return np.asarray(
        curves[:, at - 1] * (((-f + 2) * f - 1) * f / 2)
        + curves[:, at] * ((3 * f - 5) * f * f / 2 + 1)
        + curves[:, at + 1] * (((-3 * f + 4) * f + 1) * f / 2)
        + curves[:, at + 2] * ((f - 1) * f * f / 2)
    )


def _vertex(curves: NDArray[np.floating], at: NDArray[np.intp]) -> Array:
    """Where the parabola through three points has its top, from the middle one [steps]."""
    row = np.arange(len(at))
    left, middle, right = (curves[row, at + step].astype(np.float64) for step in (-1, 0, 1))
    bend = left - 2 * middle + right
    return np.clip(np.where(bend < 0, 0.5 * (left - right) / np.where(bend < 0, bend, 1), 0), -1, 1)


def _norm(rows: Floats) -> Array:
    return np.asarray(np.sqrt((rows.astype(np.float64) ** 2).sum(axis=1)) + 1e-12)


def _path(
    n: int, pieces: int, before: Array, after: Array, shift: Array, weight: Array, size: float, bend: float
) -> Array:
    """A path of straight pieces through shifts between pairs of frames, about its mean.

    `size` and `bend` say how large the values and their second differences are expected: they decide where there is
    nothing to see. Shifts that stand out (beyond a transition, or of noise) count little.
    """
    knots = np.linspace(0, n - 1, int(min(pieces, max(3, n // 3))) + 1)
    step = knots[1] - knots[0]

    def hats(at: Array) -> Array:
        return np.asarray(np.maximum(0, 1 - np.abs(at[:, None] - knots) / step))

    design = hats(after) - hats(before)
    bends = np.diff(np.eye(knots.size), 2, axis=0)
    prior = bends.T @ bends / bend**2 + np.eye(knots.size) / size**2
    largest = weight.max(initial=0.0)
    if largest <= 0:
        return np.zeros(n)
    weight = weight / largest
    values = np.zeros(knots.size)
    for _ in range(10):
        off = np.abs(shift - design @ values)
        usual = np.average(np.minimum(off, 3 * np.median(off) + 0.1) ** 2, weights=weight + 1e-12)
        spread = max(float(np.sqrt(usual)), 0.05)
        counts = _COUNT * weight / (1 + (off / (2 * spread)) ** 2) / spread**2
        left = (design * counts[:, None]).T
        values = np.asarray(np.linalg.solve(left @ design + prior, left @ shift), dtype=np.float64)
    path = hats(np.arange(n, dtype=float)) @ values
    return np.asarray(path - path.mean())


def _shifted(rows: Floats, shifts: Array) -> Floats:
    """Rows read at ``point + shift``."""
    m = rows.shape[1]
    at = np.clip(np.arange(m) + shifts, 0, m - 1.001)
    low = at.astype(np.intp)
    share = (at - low).astype(np.float32)
    left = np.take_along_axis(rows, low, axis=1)
    return left + (np.take_along_axis(rows, low + 1, axis=1) - left) * share
