"""Patterns onto another grid: counts are summed where the grid is coarser and interpolated only where it is finer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import GridError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Rebinned", "bin_edges", "make_grid", "rebin"]

# Two steps that differ by less than this count as one step, not as a coarser or finer one.
SAME_STEP = 1e-6
# A point this near to a source point (in steps) is that point: aligned bins sum to whole counts.
_SNAP = 1e-8
LARGEST_GRID = 10_000_000


def make_grid(grid: ArrayLike | tuple[float, float, int]) -> NDArray[np.float64]:
    """Return grid points from the tuple ``(start, stop, n)`` or from an array or list of the points themselves.

    >>> make_grid((10, 11, 5))
    array([10.  , 10.25, 10.5 , 10.75, 11.  ])
    """
    if isinstance(grid, tuple) and len(grid) == 3:
        start, stop, n = float(grid[0]), float(grid[1]), int(grid[2])
        if not (np.isfinite([start, stop]).all() and start < stop and 2 <= n <= LARGEST_GRID and n == grid[2]):
            raise GridError(
                "cannot make the grid",
                f"start < stop and 2 to {LARGEST_GRID} points are needed, got ({start:g}, {stop:g}, {grid[2]})",
                "Give (start, stop, number of points)",
            )
        return np.linspace(start, stop, n)
    points = np.asarray(grid, dtype=np.float64)
    if points.ndim != 1 or points.size < 2 or not np.isfinite(points).all() or not (np.diff(points) > 0).all():
        raise GridError(
            "cannot use the grid",
            f"grid points must be finite, rising and at least two, got shape {points.shape}",
            "Give (start, stop, number of points) or a rising list of points",
        )
    return points


def bin_edges(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of the bins around grid points: halfway between neighbours, mirrored at the ends."""
    middle = (points[1:] + points[:-1]) / 2
    return np.concatenate(([points[0] - (middle[0] - points[0])], middle, [points[-1] + (points[-1] - middle[-1])]))


@dataclass(frozen=True, slots=True)
class Rebinned:
    """Intensities on the new grid, with what was done where."""

    intensity: NDArray[np.floating]
    variance: NDArray[np.floating] | None
    n_summed: int
    n_interpolated: int


def rebin(
    source: NDArray[np.float64],
    intensity: NDArray[np.floating],
    target: NDArray[np.float64],
    *,
    variance: NDArray[np.floating] | None = None,
    mean: bool = False,
) -> Rebinned:
    """Move rows of `intensity` from the grid `source` to the grid `target`.

    A target bin at least as wide as the source bins under it gets their sum, a source bin that straddles an edge
    being shared in proportion; so the total is kept. A narrower one gets the linear interpolation, since splitting
    one count into pieces would invent statistics. With `mean` the sums become means (absorbance, transmittance:
    values that do not grow with the width of a bin).
    """
    edges_in, edges_out = bin_edges(source), bin_edges(target)
    width_in, width_out = np.diff(edges_in), np.diff(edges_out)
    local = np.interp(target, source, width_in)
    coarse = width_out >= local * (1 - SAME_STEP)
    out = np.empty((len(intensity), target.size), dtype=intensity.dtype)
    var = None if variance is None else np.empty_like(out)
    same = coarse & (np.abs(width_out - local) <= local * SAME_STEP) & _on_points(source, target, local)
    summed = coarse & ~same
    if summed.any():
        left, right = edges_out[:-1][summed], edges_out[1:][summed]
        sums = _between(edges_in, intensity, left, right)
        scale = np.asarray(width_out[summed] / local[summed] if mean else 1.0)
        out[:, summed] = sums / scale
        if var is not None and variance is not None:
            var[:, summed] = _between(edges_in, variance, left, right) / scale**2
    if same.any():
        index = _nearest(source, target[same])
        out[:, same] = intensity[:, index]
        if var is not None and variance is not None:
            var[:, same] = variance[:, index]
    fine = ~coarse
    if fine.any():
        out[:, fine] = _interpolate(source, intensity, target[fine])
        if var is not None and variance is not None:
            var[:, fine] = _interpolate(source, variance, target[fine])
    return Rebinned(out, var, int(summed.sum()), int(fine.sum()))


def _between(
    edges: NDArray[np.float64], rows: NDArray[np.floating], left: NDArray[np.float64], right: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Integral of histogram rows from `left` to `right`, through the running sum (exact for counts below 2**53)."""
    total = np.zeros((len(rows), edges.size))
    np.cumsum(rows, axis=1, out=total[:, 1:])
    return _interpolate(edges, total, right) - _interpolate(edges, total, left)


def _nearest(points: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.intp]:
    right = np.clip(np.searchsorted(points, wanted), 1, points.size - 1)
    return right - (wanted - points[right - 1] < points[right] - wanted)


def _on_points(
    source: NDArray[np.float64], target: NDArray[np.float64], width: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which target points coincide with a source point."""
    return np.abs(source[_nearest(source, target)] - target) <= width * SAME_STEP


def _interpolate(
    x: NDArray[np.float64], rows: NDArray[np.floating], wanted: NDArray[np.float64]
) -> NDArray[np.floating]:
    """Linear interpolation of all rows at once; constant beyond the ends."""
    right = np.clip(np.searchsorted(x, wanted), 1, x.size - 1)
    share = np.clip((wanted - x[right - 1]) / (x[right] - x[right - 1]), 0.0, 1.0)
    share[share < _SNAP], share[share > 1 - _SNAP] = 0.0, 1.0
    return rows[:, right - 1] * (1 - share) + rows[:, right] * share
