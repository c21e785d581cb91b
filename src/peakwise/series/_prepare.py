"""A series made ready to be compared with itself: an even grid, noise of one size, scale and background taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.ndimage import uniform_filter1d

from peakwise.errors import PatternsError

if TYPE_CHECKING:
    from peakwise.patterns import Patterns

__all__ = ["PreparedSeries", "frame_noise", "prepare_series", "take_rows"]

Floats = NDArray[np.float32]

_VALUES = 2_000_000  # looked at; a longer axis is binned
_FEWEST_POINTS = 2048  # but not to fewer than this
_UNEVEN = 1e-3  # relative deviation of a step from the mean step, from which a grid is uneven
_DEAD = 0.02  # of the median total: a frame with less saw no beam
_NEGATIVE = 0.05  # share of the summed intensity below zero from which numbers are no counts
_SHARES_OF_RANGE = 24  # the background bends over more than this part of the range ...
_WIDTHS = 16  # ... and over more than so many widths of a line
_HOT = 8.0  # standard deviations by which a hot pixel stands out, in its frame and in its neighbours


@dataclass(frozen=True, slots=True, eq=False)
class PreparedSeries:
    """Rows to be compared.

    Attributes
    ----------
    axis : ndarray of shape (m,)
        Even steps.
    rows : ndarray of shape (n, m)
        Square roots of the shares of the counts (plain values where there are negative ones), without what is broad.
    frames : ndarray of shape (n,)
        Number of each row in the series; dead frames have none.
    width : int
        Width of a line [steps].
    reach : ndarray of shape (m,)
        How far a line moves if the cell shrinks by 1 [steps]; of axes without a cell, half the range everywhere.
    dead : ndarray
        Numbers of the frames that saw no beam.
    """

    axis: NDArray[np.float64]
    rows: Floats
    frames: NDArray[np.intp]
    width: int
    reach: NDArray[np.float64]
    dead: NDArray[np.intp]


def take_rows(series: PreparedSeries, start: int, stop: int) -> PreparedSeries:
    """Rows from `start` up to `stop` alone."""
    return PreparedSeries(
        series.axis, series.rows[start:stop], series.frames[start:stop], series.width, series.reach, series.dead
    )


def prepare_series(patterns: Patterns) -> PreparedSeries:
    """Make a series ready.

    Parameters
    ----------
    patterns : Patterns
        In their order.

    Notes
    -----
    The square root makes the noise of counts the same everywhere (Anscombe 1948); dividing by the total takes out the
    beam. What bends over more than a twenty-fourth of the range, and more than 16 widths of a line, is background.
    Single hot pixels are replaced by the mean of the frames before and after.

    Examples
    --------
    >>> import numpy as np
    >>> from peakwise.patterns import Patterns
    >>> x = np.linspace(1, 5, 400)
    >>> peak = np.exp(-(((x - 3) / 0.02) ** 2))
    >>> made = prepare_series(Patterns(x, np.outer([1, 0.5, 0, 2], 100 * peak + 5), "q"))
    >>> made.rows.shape, made.dead.tolist(), bool(np.ptp(made.rows, axis=0).max() < 1e-6)
    ((3, 400), [2], True)
    """
    axis, values = _on_even_grid(np.asarray(patterns.axis), np.nan_to_num(np.asarray(patterns.intensity, dtype=float)))
    total = np.abs(values).sum(axis=1)
    dead = total <= _DEAD * np.median(total)
    if dead.all():
        why = "all patterns are empty: their intensities are 0 or missing"
        raise PatternsError("cannot look for transitions", why, "Give patterns with counts")
    values, total = values[~dead], total[~dead]
    low = np.minimum(values, 0)
    if -low.sum() > _NEGATIVE * total.sum():
        rows = values / np.sqrt((values**2).sum(axis=1, keepdims=True))
    else:
        rows = np.sqrt((values - low) / total[:, None])
    width = _line_width(rows.mean(axis=0))
    broad = max(_WIDTHS * width, axis.size // _SHARES_OF_RANGE)
    rows = (rows - uniform_filter1d(rows, broad, axis=1)).astype(np.float32)
    return PreparedSeries(
        axis, _without_hot_pixels(rows), np.flatnonzero(~dead), width, _reach(axis, patterns.kind), np.flatnonzero(dead)
    )


def frame_noise(rows: NDArray[np.floating]) -> float:
    """Standard deviation of one value: what a row differs by from the mean of the rows before and after it."""
    if len(rows) < 3:
        return float(np.median(np.abs(np.diff(rows, axis=0))) / 0.6745 / np.sqrt(2)) if len(rows) == 2 else 0.0
    return float(np.median(np.abs(rows[1:-1] - 0.5 * (rows[:-2] + rows[2:]))) / 0.6745 / np.sqrt(1.5))


def _on_even_grid(axis: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Counts binned to even steps, none lost: to the steps that are there, or to wider ones where they are many."""
    n, m = values.shape
    bins = int(min(m, max(_FEWEST_POINTS, _VALUES // n)))
    steps = np.diff(axis)
    if bins == m and np.abs(steps - steps.mean()).max() < _UNEVEN * abs(steps.mean()):
        return axis, values
    middles = (axis[1:] + axis[:-1]) / 2
    edges = np.concatenate([[2 * axis[0] - middles[0]], middles, [2 * axis[-1] - middles[-1]]])
    new = np.linspace(edges[0], edges[-1], bins + 1)
    at = np.interp(new, edges, np.arange(m + 1))
    low = np.minimum(at.astype(np.intp), m - 1)
    share = at - low
    summed = np.zeros((n, m + 1))
    np.cumsum(values, axis=1, out=summed[:, 1:])
    return (new[1:] + new[:-1]) / 2, np.diff(summed[:, low] * (1 - share) + summed[:, low + 1] * share, axis=1)


def _line_width(mean: NDArray[np.float64]) -> int:
    """Half width at half height of the autocorrelation of the mean pattern [steps]: about 0.7 FWHM of its lines."""
    m = mean.size
    sharp = mean - uniform_filter1d(mean, max(8, m // _SHARES_OF_RANGE))
    correlation = irfft(np.abs(rfft(sharp, 2 * m)) ** 2)[:m]
    return max(1, int(np.argmax(correlation < 0.5 * correlation[0])))


def _without_hot_pixels(rows: Floats) -> Floats:
    n = len(rows)
    if n < 3:
        return rows
    noise = frame_noise(rows)
    before, after = rows[np.abs(np.arange(n) - 1)], rows[np.arange(n) + np.where(np.arange(n) < n - 1, 1, -1)]
    # Higher than in both neighbours, not only than in most: the last frame of a phase has its lines too.
    usual = np.maximum(before, after)
    beside = np.maximum(np.roll(rows, 2, axis=1), np.roll(rows, -2, axis=1))
    is_hot = (rows - usual > _HOT * noise) & (rows - beside > _HOT * noise)
    return np.where(is_hot, (before + after) / 2, rows)


def _reach(axis: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    step = float(axis[1] - axis[0])
    if kind == "two_theta":
        return np.asarray(2 * np.degrees(np.tan(np.radians(np.clip(axis, 0, 170) / 2))) / step)
    if kind in ("q", "d"):
        return np.asarray(np.abs(axis) / step)
    return np.full(axis.size, 0.5 * axis.size)
