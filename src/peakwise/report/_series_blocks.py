"""The series as data for the script of its page: numbers that the script draws, and nothing that it runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import one_line
from peakwise.report._curves import pack
from peakwise.report._series import state_name, states_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.report._series import Change, PatternState

__all__ = ["change_block", "point_block", "series_block"]

_MOST_PATTERNS = 50_000  # whose numbers are in the page
_MOST_POINTS = 5_000  # of a map
_MOST_MAPS = 6
_SCORES = 2
_CHANGE_POINTS = 6_000


def series_block(whole: Mapping[str, Any], order: NDArray[np.intp] | None = None) -> dict[str, Any] | None:
    """Return the picture and what stands beside it, or None without curves.

    `order` puts the patterns of a set that is no series in another order; then there are no boundaries.
    """
    curves = whole.get("curves")
    if curves is None or not whole["patterns"]:
        return None
    patterns: Sequence[PatternState] = whole["patterns"]
    n = len(patterns)
    rows = np.asarray(curves.get("rows") if curves.get("rows") is not None else np.arange(n), dtype=np.intp)
    image = _floats(curves["intensity"])
    axis = _floats(curves["axis"])
    points = np.argsort(axis, kind="stable")
    place = np.arange(n) if order is None else np.argsort(order)
    shown = np.argsort(place[rows], kind="stable")
    listed = np.arange(n) if order is None else order
    # Of a very long series the numbers beside the picture are thinned as well, and the picture's own rows stay.
    if n > _MOST_PATTERNS:
        listed = np.union1d(np.linspace(0, n - 1, _MOST_PATTERNS).round().astype(np.intp), rows)
        listed = listed if order is None else listed[np.argsort(place[listed], kind="stable")]
    states = np.asarray(states_of(patterns), dtype=np.float64)
    columns = {"at": place[listed].astype(np.float64), "state": states[listed]}
    for key in ("probability", "value"):
        values = np.array([_number(patterns[i].get(key)) for i in listed])
        if np.isfinite(values).any():
            columns[key] = values
    scores = (whole.get("scores") or {}).get("pca")
    explained = (whole.get("scores") or {}).get("explained") or ()
    if scores is not None and order is None:
        table = _floats(scores)
        columns |= {f"score{k}": table[listed, k] for k in range(min(_SCORES, table.shape[1]))}
    variable = whole.get("variable") or {}
    kind = "state" if order is None else "group"
    return {
        "n": n,
        "listed": int(listed.size),
        "names": [one_line(patterns[i]["pattern"], 60) for i in rows[shown]],
        "rows": place[rows[shown]].tolist(),
        "numbers": (rows[shown] + 1).tolist(),
        "columns": list(columns),
        "packed": pack(list(columns.values()), len(columns)),
        "nPoints": int(axis.size),
        "axis": pack([axis[points]]),
        "image": pack([image[np.ix_(shown, points)].ravel()], 0),
        "kind": one_line(curves.get("kind") or "unknown", 30),
        "unit": one_line(curves.get("unit") or "", 20),
        "wavelength": _wavelength(curves.get("wavelength")),
        "intensity": one_line(curves.get("intensity_unit") or "", 20),
        "isOrdered": order is None,
        "variable": one_line(variable.get("name") or "", 40),
        "variableUnit": one_line(variable.get("unit") or "", 20),
        "explained": [_rounded(e) for e in explained[:_SCORES]],
        "stateNames": [state_name(whole, k, kind) for k in range(min(int(states.max(initial=-1)) + 1, 100))],
        "boundaries": [_boundary(b) for b in whole.get("boundaries") or ()],
    }


def change_block(change: Change, states: tuple[int, int], curves: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the two mean patterns at a boundary and the peaks that changed."""
    axis = _floats(change["axis"])
    points = np.argsort(axis, kind="stable")
    before, behind = _floats(change["before"])[points], _floats(change["behind"])[points]
    axis = axis[points]
    if axis.size > _CHANGE_POINTS:
        edges = np.linspace(0, axis.size, _CHANGE_POINTS + 1).round().astype(np.intp)
        size = np.diff(edges)
        axis, before, behind = (np.add.reduceat(c, edges[:-1]) / size for c in (axis, before, behind))
    known = curves or {}
    return {
        "n": int(axis.size),
        "packed": pack([axis, before, behind]),
        "states": list(states),
        "peaks": [
            {
                "at": _rounded(p["axis"]),
                "to": _rounded(p.get("to")),
                "what": one_line(p.get("what") or "", 20),
                "change": _rounded(p.get("change")),
            }
            for p in change.get("peaks") or ()
        ],
        "kind": one_line(known.get("kind") or "unknown", 30),
        "unit": one_line(known.get("unit") or "", 20),
        "wavelength": _wavelength(known.get("wavelength")),
        "intensity": one_line(known.get("intensity_unit") or "", 20),
    }


def point_block(whole: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the maps of the set, or None where there is none. Of a large set every few points are shown."""
    maps = {name: _floats(points) for name, points in (whole.get("map") or {}).items() if points is not None}
    if not maps or not whole["patterns"]:
        return None
    patterns: Sequence[PatternState] = whole["patterns"]
    n = len(patterns)
    some = np.arange(n) if n <= _MOST_POINTS else np.linspace(0, n - 1, _MOST_POINTS).round().astype(np.intp)
    states = np.asarray(states_of(patterns), dtype=np.float64)[some]
    sure = np.array([_number(patterns[i].get("probability")) for i in some])
    named = list(maps.items())[:_MOST_MAPS]
    flat = [column for _, points in named for column in (points[some, 0], points[some, 1])]
    return {
        "n": int(some.size),
        "of": n,
        "maps": [one_line(name, 20) for name, _ in named],
        "packed": pack([some.astype(np.float64), states, sure, *flat], 3),
        "names": [one_line(patterns[i]["pattern"], 60) for i in some],
        "isOrdered": whole.get("command") == "transitions",
    }


def _boundary(boundary: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "after": int(boundary["after"]),
        "interval": _ends(boundary.get("interval")),
        "zone": _ends(boundary.get("zone")),
        "value": _rounded(boundary.get("value")),
        "confidence": _rounded(boundary.get("confidence")),
    }


def _ends(interval: Sequence[float] | None) -> list[float] | None:
    ends = [_rounded(e) for e in interval or ()]
    known = [e for e in ends if e is not None]
    return sorted(known) if len(known) == 2 else None


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _rounded(value: Any) -> float | None:
    number = _number(value)
    return float(f"{number:.7g}") if math.isfinite(number) else None


def _wavelength(value: Any) -> float | None:
    number = _number(value)
    return number if math.isfinite(number) and number > 0 else None


def _floats(values: Any) -> NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64)
