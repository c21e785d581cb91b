"""Which peaks differ between the patterns before and behind a boundary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["changed_peaks"]

_MOST = 20  # peaks of a boundary
_SURE = 6.0  # standard deviations of the noise that a change must have: one in 10^9 points by chance
_SMALL = 0.01  # of the largest change: what is less hides nothing
_LEFT = 0.15  # of the height on the other side: less is called new or gone
_ALIKE = 0.3  # the smaller of two opposite changes, at least, for a peak that moved


def changed_peaks(
    x: NDArray[np.float64], before: NDArray[np.float64], behind: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Return the largest changes from one set of patterns (n, n_points) to another, by position.

    Each has `axis`, `change`, `significance` [standard deviations of the noise], `before` and `behind` (heights over
    the level beside the peak) and `what`: "new", "gone", "stronger", "weaker", or "moved", which has `to` as well.
    """
    from scipy.signal import find_peaks, peak_widths

    first, last = before.mean(axis=0), behind.mean(axis=0)
    difference = np.nan_to_num(last - first)
    noise = _noise(difference, before, behind)
    size = np.abs(difference)
    if not size.any():
        return []
    least = np.maximum(_SURE * noise, _SMALL * size.max())
    padded = np.concatenate([[0.0], size, [0.0]])  # so that the ends can be peaks
    places, _ = find_peaks(padded, prominence=float(least.min()))
    places = places[padded[places] > least[places - 1]]
    if not places.size:
        return []
    widths = np.maximum(peak_widths(padded, places, rel_height=0.5)[0], 1.0)
    places = places - 1
    largest = np.sort(np.argsort(-size[places], kind="stable")[:_MOST])
    rows = []
    for i, width in zip(places[largest], widths[largest], strict=True):
        reach = math.ceil(3 * width) + 1
        heights = [_height(side, int(i), reach) for side in (first, last)]
        rows.append(
            {
                "axis": float(x[i]), "change": float(difference[i]), "significance": float(size[i] / noise[i]),
                "before": heights[0], "behind": heights[1], "what": _what(*heights),
                "width": float(width), "at": int(i),
            }
        )  # fmt: skip
    return [{k: v for k, v in row.items() if k not in ("width", "at")} for row in _moved(rows)]


def _noise(
    difference: NDArray[np.float64], before: NDArray[np.float64], behind: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Standard deviation of the difference of the means, at each point."""
    spread = np.zeros(difference.size)
    for side in (before, behind):
        if len(side) > 1:
            # From neighbour to neighbour along the series: a drift is no noise.
            spread += np.nan_to_num((np.diff(side, axis=0) ** 2).mean(axis=0)) / 2 / len(side)
    # Of few patterns the spread at one point is itself uncertain: that of the neighbourhood is the least. Where there
    # is one pattern only, what the difference does from point to point stands in: 1.048 = 1.4826 / sqrt(2).
    jump = np.abs(np.diff(difference))
    level = 1.048 * float(np.median(jump)) if jump.size else 0.0
    even = float(np.sqrt(np.median(spread)))
    floor = max(even, level, 1e-12 * float(np.abs(difference).max(initial=0.0)), np.finfo(float).tiny)
    return np.asarray(np.maximum(np.sqrt(spread), floor))


def _height(pattern: NDArray[np.float64], i: int, reach: int) -> float:
    """Of the pattern at a point over the lower of the levels beside it."""
    around = pattern[max(i - reach, 0) : i + reach + 1]
    known = around[np.isfinite(around)]
    return float(max(pattern[i] - known.min(), 0.0)) if known.size and math.isfinite(pattern[i]) else 0.0


def _what(before: float, behind: float) -> str:
    if before < _LEFT * behind:
        return "new"
    if behind < _LEFT * before:
        return "gone"
    return "stronger" if behind > before else "weaker"


def _moved(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A loss beside a gain of the same size, not further away than a peak is wide, is one peak that moved."""
    made: list[dict[str, Any]] = []
    for row in rows:
        near = made[-1] if made else None
        if near is not None and "to" not in near and _is_move(near, row):
            loss, gain = (near, row) if near["change"] < 0 else (row, near)
            significance = max(near["significance"], row["significance"])
            made[-1] = {**loss, "to": gain["axis"], "behind": gain["behind"], "what": "moved", "at": row["at"]}
            made[-1]["significance"] = significance
        else:
            made.append(row)
    return made


def _is_move(a: dict[str, Any], b: dict[str, Any]) -> bool:
    sizes = sorted((abs(a["change"]), abs(b["change"])))
    is_near = b["at"] - a["at"] <= 2.5 * max(a["width"], b["width"])
    is_opposite = bool(a["change"] * b["change"] < 0)
    return is_opposite and bool(is_near) and sizes[0] >= _ALIKE * sizes[1]
