"""Glitches that no instrument could have measured."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np

from peakwise.preprocessing._options import check_number
from peakwise.preprocessing._step import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["RemoveSpikes"]

# 1 / (Gaussian median absolute deviation), and the standard deviation of y[i] - (y[i-1] + y[i+1]) / 2 for white noise.
_MAD_TO_SIGMA = 1.482602
_SECOND_DIFFERENCE = math.sqrt(1.5)
# Runs of points are tried as long as the narrowest peak would still show this share of its height beside them.
_SMALLEST_FLANK = 0.2


@final
class RemoveSpikes(Step):
    """Replace spikes that are narrower than any peak the instrument can make (cosmic rays, zingers, glitches).

    Only what rises is touched, and only where both neighbours are lower than the flanks of the narrowest possible peak
    would be; so a peak on a coarse grid stays whole, and noise stays noise. The first and last points are not judged.

    Parameters
    ----------
    fwhm : float, optional
        Full width at half maximum of the narrowest peak that the instrument makes [unit of the axis]. Default: twice
        the step, which is on the safe side for any sensible scan. Give the true width to find wider spikes too; give
        less where real peaks stand on one point (coarse scans of single crystals).
    threshold : float
        How many standard deviations of the noise the flanks must be missing.

    Notes
    -----
    A Gaussian peak of width w (in steps) that is sampled at any phase has a point beside each run of k points around
    its top with at least the share

    .. math:: c_k = 2^{-((k + 1) / w)^2}

    of its height h; a peak with longer tails has more. A run of k points is a spike when the higher of its two
    neighbours is lower than :math:`c_k h` by more than `threshold` standard deviations. Heights count from the
    running median over 10 w. The noise is estimated locally from second differences through their median absolute
    deviation, which neither peaks nor spikes disturb; patterns of whole numbers are taken as counts, whose noise is
    at least Poisson's. Spikes are replaced by linear interpolation between the neighbours, sigma too.

    Examples
    --------
    >>> import numpy as np
    >>> axis = np.arange(60)
    >>> peak = np.round(20 + 5000 * 2.0 ** -(((axis - 20) / 1.5) ** 2))
    >>> hit = peak.copy()
    >>> hit[40] = 5000
    >>> clean = RemoveSpikes().fit_transform([hit])
    >>> clean[0, 38:43], np.array_equal(clean[0], peak)
    (array([20., 20., 20., 20., 20.]), True)
    """

    accepts: ClassVar[Literal["grid", "kind", "any"]] = "kind"

    def __init__(self, fwhm: float | None = None, *, threshold: float = 6.0) -> None:
        self.fwhm = fwhm
        self.threshold = threshold

    def _fit(self, patterns: Patterns) -> None:
        del patterns
        check_number(self, "fwhm", "Give the width of the sharpest peak, or None for two steps", above=0, optional=True)
        check_number(self, "threshold", "Use 6; smaller removes more", above=0)

    def _transform(self, patterns: Patterns) -> Patterns:
        rows = patterns.intensity.astype(np.float64, copy=False)
        width = 2.0 if self.fwhm is None else self.fwhm / patterns.step
        spikes = _find(rows, width, self.threshold, float(np.finfo(patterns.intensity.dtype).eps))
        if not spikes.any():
            return patterns
        hit = np.flatnonzero(spikes.any(axis=1))
        note = f"{_count_runs(spikes)} spikes in {hit.size} of {len(rows)} patterns were replaced by interpolation"
        return patterns.replace(
            intensity=_bridged(patterns.intensity, patterns.axis, spikes, hit),
            sigma=None if patterns.sigma is None else _bridged(patterns.sigma, patterns.axis, spikes, hit),
            warnings=[*patterns.warnings, note],
        )


def _find(rows: NDArray[np.float64], width: float, threshold: float, eps: float) -> NDArray[np.bool_]:
    """Mark the points of spikes, shape (n, m)."""
    spikes = np.zeros(rows.shape, dtype=bool)
    level, noise, quantum = _level_and_noise(rows, width, eps)
    longest = max(1, math.floor(math.sqrt(-math.log2(_SMALLEST_FLANK)) * width - 1))
    m = rows.shape[1]
    for k in range(1, min(longest, m - 2) + 1):
        flank = 2.0 ** -(((k + 1) / width) ** 2)
        runs = np.lib.stride_tricks.sliding_window_view(rows[:, 1:-1], k, axis=1)  # (n, m - 1 - k, k)
        beside = np.maximum(rows[:, : m - 1 - k], rows[:, k + 1 :])
        middle = slice(1 + k // 2, 1 + k // 2 + runs.shape[1])
        base = level[:, middle]
        expected = flank * (runs.max(axis=2) - base)
        # The flank that is missing would itself scatter, as counts do.
        scatter = np.sqrt(noise[:, middle] ** 2 + quantum[:, middle] * np.maximum(expected, 0))
        found = expected - (beside - base) > threshold * scatter
        found &= runs.min(axis=2) - beside > threshold * noise[:, middle]
        for j in range(k):
            spikes[:, 1 + j : 1 + j + found.shape[1]] |= found
    return spikes


def _level_and_noise(
    rows: NDArray[np.float64], width: float, eps: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Running median, standard deviation of the noise, and the size of one count (0 where counts cannot be told)."""
    from scipy.ndimage import median_filter

    window = 2 * max(5, math.ceil(5 * width)) + 1
    second = np.zeros_like(rows)
    second[:, 1:-1] = np.abs(rows[:, 1:-1] - (rows[:, :-2] + rows[:, 2:]) / 2)
    # One row at a time: scipy's one-dimensional median is ten times quicker than the general one.
    level = np.array([median_filter(row, window, mode="nearest") for row in rows])
    spread = np.array([median_filter(row, window, mode="nearest") for row in second])
    # Local, since counts scatter more where there are more; but a stretch that is quiet by chance (or clipped at zero)
    # does not make spikes out of what is noise everywhere else.
    typical = np.median(second[:, 1:-1], axis=1, keepdims=True) if rows.shape[1] > 2 else 0.0
    noise = np.maximum(spread, typical) * (_MAD_TO_SIGMA / _SECOND_DIFFERENCE)
    lowest = rows.min(axis=1, keepdims=True)
    above = rows - lowest
    smallest = np.min(above, axis=1, keepdims=True, initial=np.inf, where=above > 0)
    whole = (rows == np.floor(rows)).all(axis=1, keepdims=True)
    # Where nearly all points are equal (few counts), no noise shows: then the smallest step up is taken as one count.
    quantum = np.where(whole, 1.0, np.where((noise == 0) & np.isfinite(smallest), smallest, 0.0))
    from_zero = np.where(whole, level, level - lowest)
    poisson = np.sqrt(quantum * np.maximum(from_zero, quantum))
    rounding = 8 * eps * np.abs(rows).max(axis=1, keepdims=True)
    return level, np.maximum(np.maximum(noise, poisson), rounding), quantum


def _bridged(
    rows: NDArray[np.floating], axis: NDArray[np.float64], spikes: NDArray[np.bool_], hit: NDArray[np.intp]
) -> NDArray[np.floating]:
    """Rows with marked points interpolated between the others."""
    out = rows.copy()
    for i in hit:
        bad = spikes[i]
        out[i, bad] = np.interp(axis[bad], axis[~bad], rows[i, ~bad])
    return out


def _count_runs(spikes: NDArray[np.bool_]) -> int:
    """Number of separate spikes; the first point of a row is never one."""
    return int(np.count_nonzero(spikes[:, 1:] & ~spikes[:, :-1]))
