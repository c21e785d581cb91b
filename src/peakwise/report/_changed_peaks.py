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
_STANDS_OUT = 0.3  # of its height, at least, that a change rises over the valley to a larger one: less is its flank
_ALIKE = 0.3  # the smaller of two opposite changes, at least, for a peak that moved


def changed_peaks(
    x: NDArray[np.float64], before: NDArray[np.float64], behind: NDArray[np.float64]
) -> list[dict[str, Any]]:
    """Return the largest changes from one set of patterns (n, n_points) to another, by position.

    Each has `axis`, `change`, `significance` [standard deviations of the noise], `before` and `behind` (heights over
    the level beside the peak) and `what`: "new", "gone", "stronger", "weaker", or "moved", which has `to` as well.
    """
    first, last = before.mean(axis=0), behind.mean(axis=0)
    difference = np.nan_to_num(last - first)
    noise = _noise(difference, before, behind)
    size = np.abs(difference)
    if not size.any():
        return []
    least = np.maximum(_SURE * noise, _SMALL * size.max())
    places, widths = _tops(size, least)
    rows = []
    for i, width in zip(places, widths, strict=True):
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


def _tops(size: NDArray[np.float64], least: NDArray[np.float64]) -> tuple[list[int], list[int]]:
    """The highest points and their widths at half height, by position; what a higher one covers is a part of it."""
    padded = np.concatenate([[-np.inf], size, [-np.inf]])
    tops = np.flatnonzero((padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:]) & (size > least))
    is_free = np.ones(size.size, dtype=bool)
    found = {}
    for i in tops[np.argsort(-size[tops], kind="stable")]:
        if not is_free[i] or _prominence(size, int(i)) < max(least[i], _STANDS_OUT * size[i]):
            continue
        low = high = int(i)
        while low > 0 and size[low - 1] > size[i] / 2:
            low -= 1
        while high < size.size - 1 and size[high + 1] > size[i] / 2:
            high += 1
        is_free[low : high + 1] = False
        found[int(i)] = high - low + 1
        if len(found) == _MOST:
            break
    places = sorted(found)
    return places, [found[i] for i in places]


def _prominence(size: NDArray[np.float64], i: int) -> float:
    """How far one must go down from a point to come to a higher one."""
    left, right = np.flatnonzero(size[:i] > size[i]), np.flatnonzero(size[i + 1 :] > size[i])
    sides = (size[left[-1] if left.size else 0 : i + 1], size[i : i + 2 + right[0]] if right.size else size[i:])
    # At an end of the pattern there is no way to a higher point: that side does not count.
    valleys = [float(side.min()) for side, way in zip(sides, (left, right), strict=True) if way.size]
    return float(size[i]) - max(valleys, default=0.0)


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
    # Counting noise grows with the root of the counts: what is typical would be too little for a strong peak.
    mean = np.nan_to_num((before.mean(axis=0) + behind.mean(axis=0)) / 2)
    typical = max(float(np.median(mean)), 1e-4 * float(mean.max()), np.finfo(float).tiny)
    return np.asarray(np.maximum(np.sqrt(spread), floor * np.sqrt(np.clip(mean / typical, 1, None))))


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
