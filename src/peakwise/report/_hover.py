"""Patterns small enough to be shown beside the pointer, and what their axis is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import one_line
from peakwise.report._curves import pack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["axis_of", "finite", "most_small", "short_name", "small_patterns"]

_POINTS = 600  # of a pattern beside the pointer: it has some 300 pixels
_ALL = 2_000_000  # numbers of all of them: some 5 MB
_NAME = 48


def most_small(curves: Mapping[str, Any], tables: int = 1) -> int:
    """How many scans may have small patterns, where each has so many."""
    return max(_ALL // (min(np.size(curves["axis"]), _POINTS) * tables), 1)


def small_patterns(curves: Mapping[str, Any], rows: NDArray[np.intp], *keys: str) -> dict[str, Any]:
    """Return some rows of some tables of `curves`: of each stretch the highest point, so that no peak is lost."""
    axis = np.asarray(curves["axis"], dtype=np.float64)
    order = np.argsort(axis, kind="stable")
    m = min(axis.size, _POINTS)
    edges = np.linspace(0, axis.size, m + 1).round().astype(np.intp)[:-1]

    def small(table: Any) -> NDArray[np.float64]:
        some = np.asarray(table)[rows][:, order]
        return np.fmax.reduceat(np.asarray(some, dtype=np.float64), edges, axis=1)

    packed = {k: None if curves.get(k) is None else pack([small(curves[k]).ravel()], 0) for k in keys}
    return {"rows": rows.tolist(), "points": int(m), "axis": pack([axis[order][edges]]), **packed, **axis_of(curves)}


def axis_of(curves: Mapping[str, Any]) -> dict[str, Any]:
    """What the axis of patterns is, as the script of a page has it."""
    wavelength, unit = finite(curves.get("wavelength")), curves.get("intensity_unit")
    return {
        "kind": one_line(curves.get("kind") or "unknown", 30),
        "unit": one_line(curves.get("unit") or "", 20),
        "wavelength": wavelength if wavelength and wavelength > 0 else None,
        "intensity": "" if unit in (None, "unknown") else one_line(unit, 20),
    }


def finite(value: Any) -> float | None:
    """Return a number with the digits that a figure needs, or None."""
    number = math.nan if value is None else float(value)
    return float(f"{number:.7g}") if math.isfinite(number) else None


def short_name(text: str) -> str:
    """Return the end of a name: that is what differs."""
    line = one_line(text, 400)
    return line if len(line) <= _NAME else "…" + line[-_NAME + 1 :]
