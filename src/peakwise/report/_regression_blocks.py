"""Descriptors and charts as data for the script of their page: numbers that it draws, no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import one_line
from peakwise.report._curves import pack
from peakwise.report._hover import finite, most_small, short_name, small_patterns
from peakwise.report._regression_verdict import column_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.report._regression import Chart, DescriptorDocument

__all__ = ["chart_block", "descriptor_block"]

_NAME = 60
_MOST_COLUMNS = 24
_MOST_POINTS = 20_000  # of one chart


def descriptor_block(whole: DescriptorDocument) -> dict[str, Any]:
    """Return values, intervals and truths of all scans, and whatever else is known of them."""
    scans, targets, units = whole["scans"], whole["targets"], whole.get("units") or {}
    columns: dict[str, NDArray[np.float64]] = {
        # The points of a page are known (0) or new (2); here inside and outside of what was learned from.
        "answer": np.array([2.0 if s.get("in_domain") is False else 0.0 for s in scans], dtype=np.float64),
    }
    named = []
    for k, name in enumerate(targets):
        for key in ("values", "low", "high", "truth"):
            columns[f"{key}{k}"] = column_of(whole, key, name)
        ends = [finite(v) for v in (whole.get("ranges") or {}).get(name) or (None, None)]
        unit = one_line(units.get(name) or "", 20)
        title = one_line(name, _NAME)
        named.append({
            "name": title, "unit": "" if unit and unit in title else unit, "range": None if None in ends else ends,
            "hasTruth": bool(np.isfinite(columns[f"truth{k}"]).any()),
        })  # fmt: skip
    more = list((whole.get("columns") or {}).items())[:_MOST_COLUMNS]
    for i, (_, values) in enumerate(more):
        columns[f"column{i}"] = np.asarray(values, dtype=np.float64)
    curves = whole.get("curves")
    return {
        "n": len(scans), "k": 0,
        "names": [short_name(s["scan"]) for s in scans],
        "targets": named,
        "more": [one_line(name, _NAME) for name, _ in more],
        "columns": list(columns),
        "packed": pack([columns[c] for c in columns], 0),
        "level": finite(whole.get("level")),
        "hover": None if curves is None or not scans else _hover(len(scans), curves),
    }  # fmt: skip


def _hover(n: int, curves: Mapping[str, Any]) -> dict[str, Any]:
    rows, most = np.arange(n), most_small(curves)
    if n > most:
        rows = np.unique(np.linspace(0, n - 1, most).round().astype(np.intp))
    return {**small_patterns(curves, rows, "patterns"), "known": None, "peaks": {}, "words": ["", "scan"]}


def chart_block(chart: Chart) -> dict[str, Any]:
    """Return one chart: its panels, each with named series of points."""
    panels = []
    units = chart.get("units") or {}
    for title, panel in chart["panels"].items():
        rows = []
        for series in panel:
            points = [np.asarray(series[key], dtype=np.float64)[:_MOST_POINTS] for key in ("x", "y")]
            row: dict[str, Any] = {"name": one_line(series["name"], _NAME)}
            row |= {key: [finite(v) for v in values] for key, values in zip(("x", "y"), points, strict=True)}
            if series.get("low") is not None:
                for key in ("low", "high"):
                    row[key] = [finite(v) for v in np.asarray(series[key], dtype=np.float64)[:_MOST_POINTS]]
            rows.append(row)
        panels.append({"title": one_line(title, _NAME), "unit": one_line(units.get(title) or "", 20), "series": rows})
    return {
        "name": one_line(chart["name"], 30), "x": one_line(chart.get("x") or "", _NAME),
        "y": one_line(chart.get("y") or "", _NAME),
        "categories": [one_line(c, 40) for c in chart.get("categories") or ()],
        "log": bool(chart.get("log")), "zero": bool(chart.get("zero")), "panels": panels,
    }  # fmt: skip
