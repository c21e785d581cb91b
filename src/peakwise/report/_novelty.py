"""What the report of a search for the new is made of: the document of ``peakwise novelty``, and its check.

As in `_answer`: a key that is not `Required` may be missing or null, and its part of the report is then left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Required, TypedDict, cast

import numpy as np

from peakwise.report._check import Checks
from peakwise.report._curves import ScanCurves

__all__ = ["NoveltyCurves", "NoveltyDocument", "NoveltyMap", "NoveltyScan", "check_novelty"]

_CHECKS = Checks("Give the document that the command printed with --json")


class NoveltyScan(TypedDict, total=False):
    """The answer for one scan."""

    scan: Required[str]
    score: Required[float]
    """Larger is stranger."""
    p_value: float | None
    """Share of scans like the known ones that are at least as strange."""
    novel: Required[bool]
    nearest: str | None
    """Name of the nearest known scan or phase."""
    explained_by: str | None
    """noise, zero shift, wavelength or mixture, where that makes a strange scan ordinary."""
    why: Sequence[str]
    unexplained: Sequence[Mapping[str, float | None]]
    """Peaks that the nearest known scan lacks: `axis`, `d` [angstrom], `intensity` as a share."""
    mixture: Sequence[Mapping[str, Any]]
    """Rows of `name` and `share`."""
    warnings: Sequence[str]


class NoveltyCurves(ScanCurves, total=False):
    """The patterns of the scans, and what is known of them."""

    reconstructions: Any
    """Array (n, n_points), what is known of them, on the scale of each pattern; or None."""
    reconstruction: str
    """What the reconstructions are called, such as "nearest known"."""


class NoveltyMap(TypedDict, total=False):
    """Where the scans are among the known ones, in the sample and in composition; `add_map` makes it."""

    asked: Any
    """Array (n, 2): a point of the plane for each scan."""
    known: Any
    """Array (k, 2)."""
    known_names: Sequence[str]
    """Names or phases (k,)."""
    known_scores: Any
    """Array (k,) of what each known scan scores when it is left out."""
    axes: Sequence[str]
    """What the two axes of the plane are."""
    errors: Any
    """Array (n,), of the reconstruction."""
    known_errors: Any
    regions: Mapping[str, Any]
    """`labels` (rows from low to high y, columns along x), `x` and `y` (their ends), `names` of the labels."""
    positions: Any
    """Array (n, 2) in the sample."""
    position_unit: str
    compositions: Mapping[str, Any]
    """Amounts (n,) of each element."""
    clusters: Any
    """Labels (n,)."""
    mixing: Any
    """Array (n,) of mixing ratios, 0 to 1."""
    columns: Mapping[str, Any]
    """Whatever else is known of the scans: (n,) numbers or texts by name."""
    curves: NoveltyCurves | None


class NoveltyDocument(TypedDict, total=False):
    """The answer of ``peakwise novelty``."""

    peakwise: str
    command: Required[str]
    scans: Required[Sequence[NoveltyScan]]
    threshold: float
    """Score above which a scan is new."""
    false_alarm: float
    """Of scans like the known ones, so many may be called new."""
    known: int
    """How many known scans there were."""
    warnings: Sequence[str]
    failed: Sequence[Mapping[str, str]]
    map: NoveltyMap | None
    seconds: float
    settings: Mapping[str, Any]
    provenance: Mapping[str, Any]


def check_novelty(document: object) -> NoveltyDocument:
    """Return `document` if it is the answer of ``novelty``, or say what is wrong with it.

    >>> check_novelty({"command": "novelty", "scans": [{"scan": "a.xy", "score": "high", "novel": True}]})
    Traceback (most recent call last):
    ...
    peakwise.errors.OptionError: cannot report the answer: scans[0].score must be a number, got 'high'. Give ...
    """
    whole = _CHECKS.mapping(document, "the document")
    if whole.get("command") != "novelty":
        raise _CHECKS.refused(f"command must be 'novelty', got {whole.get('command')!r}")
    scans = _CHECKS.items(whole.get("scans"), "scans", Mapping, required=True)
    for i, scan in enumerate(scans):
        _check_scan(scan, f"scans[{i}]")
    for key in ("threshold", "false_alarm", "known"):
        _CHECKS.number(whole, key, "the document")
    _CHECKS.items(whole.get("warnings"), "warnings", str)
    for i, row in enumerate(_CHECKS.items(whole.get("failed"), "failed", Mapping)):
        for key in ("file", "why"):
            _CHECKS.text(row, key, f"failed[{i}]")
    for key in ("provenance", "settings"):
        _CHECKS.mapping(whole.get(key) or {}, key)
    if whole.get("map") is not None:
        _check_map(_CHECKS.mapping(whole["map"], "map"), len(scans))
    return cast("NoveltyDocument", whole)


def _check_scan(scan: Mapping[str, Any], place: str) -> None:
    _CHECKS.text(scan, "scan", place)
    _CHECKS.number(scan, "score", place)
    _CHECKS.number(scan, "p_value", place)
    if not isinstance(scan.get("novel"), bool | np.bool_):
        raise _CHECKS.refused(f"{place}.novel must be true or false, got {scan.get('novel')!r}")
    for key in ("nearest", "explained_by"):
        if scan.get(key) is not None:
            _CHECKS.text(scan, key, place)
    for key in ("why", "warnings"):
        _CHECKS.items(scan.get(key), f"{place}.{key}", str)
    for j, peak in enumerate(_CHECKS.items(scan.get("unexplained"), f"{place}.unexplained", Mapping)):
        for key in ("axis", "d", "intensity"):
            _CHECKS.number(peak, key, f"{place}.unexplained[{j}]", required=key == "axis")
    for j, part in enumerate(_CHECKS.items(scan.get("mixture"), f"{place}.mixture", Mapping)):
        _CHECKS.text(part, "name", f"{place}.mixture[{j}]")
        _CHECKS.number(part, "share", f"{place}.mixture[{j}]")


def _check_map(plane: Mapping[str, Any], n: int) -> None:
    if plane.get("asked") is not None:
        _table(plane["asked"], n, 2, "map.asked")
    k = 0 if plane.get("known") is None else _table(plane["known"], None, 2, "map.known")[0]
    names = _CHECKS.items(plane.get("known_names"), "map.known_names", str)
    if names and len(names) != k:
        raise _CHECKS.refused(f"map.known_names must be as many as the known points ({k}), got {len(names)}")
    for key, size in (("known_scores", k), ("known_errors", k), ("errors", n), ("mixing", n)):
        if plane.get(key) is not None and size:
            _CHECKS.points(plane, key, size, "map")
    if plane.get("positions") is not None:
        _table(plane["positions"], n, 2, "map.positions")
    amounts = _CHECKS.mapping(plane.get("compositions") or {}, "map.compositions")
    for name in amounts:
        if n:
            _CHECKS.points(amounts, name, n, "map.compositions")
    if amounts and len(amounts) < 3:
        why = f"map.compositions must have three elements or more to be drawn as a triangle, got {len(amounts)}"
        raise _CHECKS.refused(why)
    axes = _CHECKS.items(plane.get("axes"), "map.axes", str)
    if axes and len(axes) != 2:
        raise _CHECKS.refused(f"map.axes must be two names, got {len(axes)}")
    _check_columns(plane, n)
    if plane.get("regions") is not None:
        _check_regions(_CHECKS.mapping(plane["regions"], "map.regions"))
    if plane.get("curves") is not None:
        _check_curves(_CHECKS.mapping(plane["curves"], "map.curves"), n)


def _check_columns(plane: Mapping[str, Any], n: int) -> None:
    named = dict(_CHECKS.mapping(plane.get("columns") or {}, "map.columns"))
    if plane.get("clusters") is not None:
        named["clusters"] = plane["clusters"]
    for name, values in named.items():
        if isinstance(values, str | bytes) or np.ndim(values) != 1 or len(values) != n:
            what = np.shape(values) if not isinstance(values, str | bytes) else "a text"
            raise _CHECKS.refused(f"map.columns.{name} must have a value for each of {n} scans, got {what}")


def _check_regions(regions: Mapping[str, Any]) -> None:
    shape = _table(regions.get("labels"), None, None, "map.regions.labels")
    if 0 in shape:
        raise _CHECKS.refused(f"map.regions.labels must have rows and columns, got {shape}")
    for key in ("x", "y"):
        if _CHECKS.points(regions, key, None, "map.regions") != 2:
            raise _CHECKS.refused(f"map.regions.{key} must be two numbers, got {regions[key]!r}")
    _CHECKS.items(regions.get("names"), "map.regions.names", str)


def _check_curves(curves: Mapping[str, Any], n: int) -> None:
    size = _CHECKS.points(curves, "axis", None, "map.curves")
    for key in ("patterns", "reconstructions"):
        if key == "patterns" or curves.get(key) is not None:
            _table(curves.get(key), n, size, f"map.curves.{key}")
    _CHECKS.number(curves, "wavelength", "map.curves")


def _table(value: Any, rows: int | None, columns: int | None, place: str) -> tuple[int, int]:
    try:
        table = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise _CHECKS.refused(f"{place} must be rows of numbers: {problem}") from problem
    wanted = ("n" if rows is None else rows, "k" if columns is None else columns)
    if table.shape == (0,) and not rows:
        return 0, columns or 0
    if table.ndim != 2 or wanted != tuple(
        w if isinstance(w, str) else s for w, s in zip(wanted, table.shape, strict=True)
    ):
        raise _CHECKS.refused(f"{place} must have shape ({wanted[0]}, {wanted[1]}), got {table.shape}")
    return int(table.shape[0]), int(table.shape[1])
