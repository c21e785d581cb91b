"""What the report of descriptors is made of: the document of ``peakwise regress``, charts of studies, and its check.

As in `_answer`: a key that is not `Required` may be missing or null, and its part of the report is then left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Required, TypedDict, cast

import numpy as np

from peakwise.report._check import Checks

if TYPE_CHECKING:
    from peakwise.report._curves import ScanCurves

__all__ = [
    "Chart",
    "DescriptorDocument",
    "DescriptorScan",
    "Series",
    "check_chart",
    "check_descriptors",
]

_CHECKS = Checks("Give the document that the command printed with --json")


class DescriptorScan(TypedDict, total=False):
    """The answer for one scan."""

    scan: Required[str]
    values: Required[Mapping[str, float | None]]
    """Value of each target."""
    interval: Mapping[str, Sequence[float | None]]
    """Low and high end for each target; null where an end is not bounded."""
    in_domain: bool | None
    """Whether the scan is like those that were learned from."""
    truth: Mapping[str, float | None]
    """Where it is known."""
    warnings: Sequence[str]


class Series(TypedDict, total=False):
    """Points of one name in a chart."""

    name: Required[str]
    x: Required[Any]
    y: Required[Any]
    low: Any
    """Lower and upper ends of what each point may be; both or none."""
    high: Any


class Chart(TypedDict, total=False):
    """One figure about many trainings: errors over splits, sensitivity, learning curves, ablation."""

    name: Required[str]
    """What it is called in links and file names, such as "splits"."""
    title: Required[str]
    note: str
    x: str
    """What stands along the horizontal axis."""
    y: str
    categories: Sequence[str]
    """Names of the places 0, 1, ... along the horizontal axis; without them it has numbers."""
    log: bool
    """Whether the horizontal axis is logarithmic."""
    zero: bool
    """Whether the vertical axis begins at 0."""
    panels: Required[Mapping[str, Sequence[Series]]]
    """Series by what can be chosen, such as the descriptor."""
    units: Mapping[str, str]
    """Unit of the vertical axis for each panel."""


class DescriptorDocument(TypedDict, total=False):
    """The answer of ``peakwise regress``."""

    peakwise: str
    command: Required[str]
    targets: Required[Sequence[str]]
    scans: Required[Sequence[DescriptorScan]]
    units: Mapping[str, str]
    """Of the targets, where they are known."""
    level: float
    """Share of truths that the intervals were made to hold."""
    ranges: Mapping[str, Sequence[float]]
    """Least and most of each target that was learned from."""
    columns: Mapping[str, Any]
    """Whatever else is known of the scans: (n,) numbers by name."""
    charts: Sequence[Chart]
    curves: ScanCurves | None
    workflow: str
    warnings: Sequence[str]
    failed: Sequence[Mapping[str, str]]
    seconds: float
    settings: Mapping[str, Any]
    provenance: Mapping[str, Any]


def check_descriptors(document: object) -> DescriptorDocument:
    """Return `document` if it is the answer of ``regress``, or say what is wrong with it.

    >>> scan = {"scan": "a.xy", "values": {"stress": "high"}}
    >>> check_descriptors({"command": "regress", "targets": ["stress"], "scans": [scan]})
    Traceback (most recent call last):
    ...
    peakwise.errors.OptionError: cannot report the answer: scans[0].values.stress must be a number, got 'high'. Give ...
    """
    whole = _CHECKS.mapping(document, "the document")
    if whole.get("command") != "regress":
        raise _CHECKS.refused(f"command must be 'regress', got {whole.get('command')!r}")
    targets = _CHECKS.items(whole.get("targets"), "targets", str, required=True)
    if not targets or len(set(targets)) < len(targets):
        raise _CHECKS.refused(f"targets must be different names, at least one, got {list(targets)!r:.80}")
    scans = _CHECKS.items(whole.get("scans"), "scans", Mapping, required=True)
    for i, scan in enumerate(scans):
        _check_scan(scan, f"scans[{i}]", targets)
    for key in ("level", "seconds"):
        _CHECKS.number(whole, key, "the document")
    _CHECKS.items(whole.get("warnings"), "warnings", str)
    for i, row in enumerate(_CHECKS.items(whole.get("failed"), "failed", Mapping)):
        for key in ("file", "why"):
            _CHECKS.text(row, key, f"failed[{i}]")
    for key in ("provenance", "settings", "units", "ranges", "columns"):
        _CHECKS.mapping(whole.get(key) or {}, key)
    for name, ends in (whole.get("ranges") or {}).items():
        _check_ends(ends, f"ranges.{name}")
    for name in whole.get("columns") or {}:
        _CHECKS.points(whole["columns"], name, len(scans), "columns")
    for i, chart in enumerate(_CHECKS.items(whole.get("charts"), "charts", Mapping)):
        check_chart(chart, f"charts[{i}]")
    if whole.get("curves") is not None:
        _check_curves(_CHECKS.mapping(whole["curves"], "curves"), len(scans))
    return cast("DescriptorDocument", whole)


def _check_scan(scan: Mapping[str, Any], place: str, targets: Sequence[str]) -> None:
    _CHECKS.text(scan, "scan", place)
    values = _CHECKS.mapping(scan.get("values"), f"{place}.values")
    truth = _CHECKS.mapping(scan.get("truth") or {}, f"{place}.truth")
    interval = _CHECKS.mapping(scan.get("interval") or {}, f"{place}.interval")
    for name in targets:
        if name not in values:
            raise _CHECKS.refused(f"{place}.values must have every target, and {name!r:.40} is missing")
        _CHECKS.number(values, name, f"{place}.values")
        _CHECKS.number(truth, name, f"{place}.truth")
        if interval.get(name) is not None:
            _check_ends(interval[name], f"{place}.interval.{name}")
    is_inside = scan.get("in_domain")
    if is_inside is not None and not isinstance(is_inside, bool | np.bool_):
        raise _CHECKS.refused(f"{place}.in_domain must be true or false, got {is_inside!r}")
    _CHECKS.items(scan.get("warnings"), f"{place}.warnings", str)


def _check_ends(ends: Any, place: str) -> None:
    if isinstance(ends, str) or np.ndim(ends) != 1 or len(ends) != 2:
        raise _CHECKS.refused(f"{place} must be two numbers, got {ends!r:.60}")
    for i, end in enumerate(ends):
        _CHECKS.number({str(i): end}, str(i), place)


def check_chart(chart: object, place: str = "the chart") -> Chart:
    """Return `chart` if it can be drawn, or say what is wrong with it."""
    made = _CHECKS.mapping(chart, place)
    for key in ("name", "title"):
        _CHECKS.text(made, key, place)
    for key in ("note", "x", "y"):
        if made.get(key) is not None:
            _CHECKS.text(made, key, place)
    names = _CHECKS.items(made.get("categories"), f"{place}.categories", str)
    panels = _CHECKS.mapping(made.get("panels"), f"{place}.panels")
    if not panels:
        raise _CHECKS.refused(f"{place}.panels must have one panel at least, got none")
    for title, panel in panels.items():
        for j, series in enumerate(_CHECKS.items(panel, f"{place}.panels.{title}", Mapping, required=True)):
            where = f"{place}.panels.{title}[{j}]"
            _CHECKS.text(series, "name", where)
            size = _CHECKS.points(series, "x", None, where)
            for key in ("y", "low", "high"):
                if key == "y" or series.get(key) is not None:
                    _CHECKS.points(series, key, size, where)
            if (series.get("low") is None) != (series.get("high") is None):
                raise _CHECKS.refused(f"{where} must have both low and high, or none")
            if names and not set(np.asarray(series["x"]).tolist()) <= set(range(len(names))):
                raise _CHECKS.refused(f"{where}.x must be numbers of the {len(names)} categories")
    return cast("Chart", made)


def _check_curves(curves: Mapping[str, Any], n: int) -> None:
    size = _CHECKS.points(curves, "axis", None, "curves")
    shape = np.shape(np.asarray(curves.get("patterns")))
    if shape != (n, size):
        raise _CHECKS.refused(f"curves.patterns must have shape ({n}, {size}), got {shape}")
    _CHECKS.number(curves, "wavelength", "curves")
