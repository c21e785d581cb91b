"""From the last feature map to the points of the pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from peakwise.explain._network import NetworkScorer

__all__ = ["explain_map"]

# Enough random patterns for every path through rectifiers and maxima to be open in one of them.
_PROBES = 8
_CELLS = 7
# Rounding leaves far smaller slopes at points that a cell does not see.
_SEEN = 1e-3


def explain_map(
    scorer: NetworkScorer,
    x: NDArray[np.float64],
    target: NDArray[np.intp] | None,
    combine: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> tuple[NDArray[np.float64], tuple[str, ...], bool]:
    """Combine map and gradient to (n, length), and bring that to the points of the pattern.

    Returns
    -------
    relevance : ndarray of shape (n, n_points)
    notes : tuple of str
    is_pooled : bool
        Whether the gradient is the same along the length of each channel: then the score is a dense layer on the
        channels' means, and its weights are the gradient.
    """
    points = np.arange(x.shape[1])
    out = np.empty_like(x)
    positions, is_pooled = np.empty(0), True
    notes: tuple[str, ...] = ()
    for piece in scorer.slices(len(x)):
        values, slope = scorer.map_and_gradient(x[piece], None if target is None else target[piece])
        spread = np.ptp(slope, axis=2).max(initial=0.0)
        is_pooled = is_pooled and bool(spread <= 1e-4 * np.abs(slope).max(initial=0.0))
        if positions.size == 0:
            positions, notes = cell_positions(scorer, x.shape[1], values.shape[2])
        out[piece] = [np.interp(points, positions, row) for row in combine(values, slope)]
    return out, notes, is_pooled


def cell_positions(scorer: NetworkScorer, n_points: int, length: int) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Which point of the pattern each cell of the map looks at.

    Stretching the map over the pattern is wrong by tens of points at the ends when convolutions are not padded. So a
    few cells are asked: the points that a cell depends on, found by gradients on random patterns, have its centre in
    their middle; networks work with fixed strides, so a line through some cells gives all.
    """
    step = n_points / length
    stretched: NDArray[np.float64] = (np.arange(length, dtype=np.float64) + 0.5) * step - 0.5
    note = f"the feature map has {length} cells for {n_points} points: places are known to about {step:.3g} points"
    if length < 4 or length == n_points:
        return stretched, (note,)
    probes = np.random.default_rng(0).uniform(size=(_PROBES, n_points))
    cells = np.unique(np.linspace(0.2 * length, 0.8 * length, _CELLS).astype(int))
    seen = [scorer.map_response(probes, int(cell)) for cell in cells]
    if min(weights.max() for weights in seen) > 0:
        # Attention and global averages make a cell see everything: then its strongest part must tell.
        for middle in (_middle_of_all, _middle_of_strongest):
            places = np.array([middle(weights) for weights in seen])
            known = np.isfinite(places)
            if known.sum() < 2:
                continue
            slope = float(np.polyfit(cells[known], places[known], 1)[0])
            # Strides are whole numbers, unless something was pooled to a fixed length.
            for stride in (round(slope), slope):
                starts = places[known] - stride * cells[known]
                if np.ptp(starts) <= max(step / 2, 1.0) and 0.7 * step <= stride <= 1.4 * step:
                    return np.median(starts) + stride * np.arange(length, dtype=np.float64), (note,)
    return stretched, (note, "where its cells look could not be measured: the map was stretched over the pattern")


def _middle_of_all(weights: NDArray[np.float64]) -> float:
    """Middle of what the cell sees; NaN if that is cut off by an end of the pattern."""
    seen = np.flatnonzero(weights > _SEEN * weights.max())
    is_whole = seen[0] > 0 and seen[-1] < weights.size - 1
    return float(seen[0] + seen[-1]) / 2 if is_whole else float("nan")


def _middle_of_strongest(weights: NDArray[np.float64]) -> float:
    share = np.cumsum(weights**2)
    return float(np.searchsorted(share, share[-1] / 2))
