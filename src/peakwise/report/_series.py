"""What the report of a series is made of: the documents of ``peakwise transitions`` and ``cluster``, and their check.

As in `_answer`: a key that is not `Required` may be missing or null, and its part of the report is then left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Required, TypedDict, cast

import numpy as np

from peakwise.report._check import Checks

__all__ = ["Boundary", "Change", "ClusterDocument", "PatternState", "SeriesCurves", "TransitionDocument", "Variable"]
__all__ += ["check_clusters", "check_transitions", "state_name", "states_of", "steps_back"]

_CHECKS = Checks("Give the document that the command printed with --json")


class PatternState(TypedDict, total=False):
    """One pattern of the series."""

    pattern: Required[str]
    value: float | None
    """Of the external variable."""
    state: int
    """Of ``transitions``, from 0."""
    cluster: int
    """Of ``cluster``; -1 is none."""
    probability: float | None
    """Of that state."""


class Boundary(TypedDict, total=False):
    """One transition."""

    after: Required[int]
    """Index from 0 of the last pattern before it."""
    value: float | None
    interval: Sequence[float] | None
    """Numbers of patterns, from 0, between which it lies: [after, after + 1] where that is sure."""
    value_interval: Sequence[float] | None
    """The same in the external variable."""
    zone: Sequence[float] | None
    """Numbers of patterns from which to which the change itself reaches, where it is gradual."""
    confidence: float | None
    agreement: Mapping[str, int | None] | None
    """Where other methods put it; None: they do not see it."""


class Variable(TypedDict, total=False):
    """The external variable."""

    name: Required[str]
    unit: str | None


class SeriesCurves(TypedDict, total=False):
    """The patterns as a picture; `thin_series` makes it."""

    axis: Required[Any]
    kind: str
    unit: str
    wavelength: float | None
    intensity: Required[Any]
    """Array (n_rows, n_points)."""
    rows: Sequence[int] | None
    """Index of the pattern of each row, rising; None: one row for each pattern."""
    intensity_unit: str | None


class Change(TypedDict, total=False):
    """What changed at a boundary; `series_changes` makes it."""

    after: Required[int]
    axis: Required[Any]
    before: Required[Any]
    """Mean pattern of the stretch before it."""
    behind: Required[Any]
    peaks: Sequence[Mapping[str, float]]
    """Rows of `axis`, `change` (intensity), `significance` (in standard deviations of the noise)."""
    n: Sequence[int]
    """How many patterns are in the two means."""


class TransitionDocument(TypedDict, total=False):
    """The answer of ``peakwise transitions``."""

    peakwise: str
    command: Required[str]
    patterns: Required[Sequence[PatternState]]
    boundaries: Required[Sequence[Boundary]]
    states: int
    state_names: Sequence[str] | None
    """What the states are called, if they are more than numbers."""
    classification_confidence: float | None
    method: str
    warnings: Sequence[str]
    failed: Sequence[Mapping[str, str]]
    evidence: Mapping[str, Any] | None
    """What speaks for the answer; shown as it is."""
    variable: Variable | None
    curves: SeriesCurves | None
    changes: Sequence[Change] | None
    scores: Mapping[str, Any] | None
    """`pca`: (n, k) scores along the series; `explained`: k shares of the variance."""
    map: Mapping[str, Any] | None
    """Points (n, 2) of each map by its name, such as "pca", "umap", "tsne"."""
    seconds: float
    settings: Mapping[str, Any]
    provenance: Mapping[str, Any]


class ClusterDocument(TypedDict, total=False):
    """The answer of ``peakwise cluster``; what is not here is as in `TransitionDocument`."""

    peakwise: str
    command: Required[str]
    patterns: Required[Sequence[PatternState]]
    k: int
    silhouette: float | None
    method: str
    warnings: Sequence[str]
    failed: Sequence[Mapping[str, str]]
    evidence: Mapping[str, Any] | None
    variable: Variable | None
    curves: SeriesCurves | None
    scores: Mapping[str, Any] | None
    map: Mapping[str, Any] | None
    seconds: float
    settings: Mapping[str, Any]
    provenance: Mapping[str, Any]


def check_transitions(document: object) -> TransitionDocument:
    """Return `document` if it is the answer of ``transitions``, or say what is wrong with it.

    >>> check_transitions({"command": "transitions", "patterns": []})
    Traceback (most recent call last):
    ...
    peakwise.errors.OptionError: cannot report the answer: boundaries must be a list, got NoneType. Give ...
    """
    whole = _check_series(document, "transitions", "state")
    n = len(whole["patterns"])
    for i, row in enumerate(_CHECKS.items(whole.get("boundaries"), "boundaries", Mapping, required=True)):
        _check_boundary(row, n, f"boundaries[{i}]")
    _CHECKS.number(whole, "classification_confidence", "the document")
    _CHECKS.items(whole.get("state_names"), "state_names", str)
    for i, change in enumerate(_CHECKS.items(whole.get("changes"), "changes", Mapping)):
        place = f"changes[{i}]"
        size = _CHECKS.points(change, "axis", None, place)
        for key in ("before", "behind"):
            _CHECKS.points(change, key, size, place)
        _CHECKS.number(change, "after", place, required=True)
        for j, peak in enumerate(_CHECKS.items(change.get("peaks"), f"{place}.peaks", Mapping)):
            for key in ("axis", "change", "significance"):
                _CHECKS.number(peak, key, f"{place}.peaks[{j}]", required=key == "axis")
    return cast("TransitionDocument", whole)


def check_clusters(document: object) -> ClusterDocument:
    """Return `document` if it is the answer of ``cluster``, or say what is wrong with it.

    >>> check_clusters({"command": "cluster", "patterns": [{"pattern": "a", "cluster": 0}]})["command"]
    'cluster'
    """
    whole = _check_series(document, "cluster", "cluster")
    _CHECKS.number(whole, "silhouette", "the document")
    return cast("ClusterDocument", whole)


def states_of(patterns: Sequence[PatternState]) -> list[int]:
    """Return the state or cluster of each pattern; -1 where there is none."""
    found = [row.get("state", row.get("cluster")) for row in patterns]
    return [-1 if s is None else int(s) for s in found]


def state_name(whole: Mapping[str, Any], state: int, kind: str = "state") -> str:
    """Return what a state is called.

    >>> state_name({"state_names": ["0", "bcc"]}, 0), state_name({"state_names": ["0", "bcc"]}, 1), state_name({}, -1)
    ('state 0', 'bcc', 'no state')
    """
    if state < 0:
        return f"no {kind}"
    names = whole.get("state_names") or ()
    return f"{kind} {state}" if state >= len(names) or names[state] == str(state) else names[state]


def steps_back(whole: TransitionDocument) -> bool:
    """Return whether a state comes again after another one.

    >>> back = [{"pattern": "a", "state": k} for k in (0, 1, 0)]
    >>> steps_back({"command": "transitions", "patterns": back, "boundaries": [{"after": 0}, {"after": 1}]})
    True
    """
    states = states_of(whole["patterns"])
    starts = [0, *(b["after"] + 1 for b in whole["boundaries"])]
    found = [states[i] for i in starts if i < len(states)]
    return len(set(found)) < len(found)


def _check_series(document: object, command: str, key: str) -> Mapping[str, Any]:
    whole = _CHECKS.mapping(document, "the document")
    if whole.get("command") != command:
        raise _CHECKS.refused(f"command must be {command!r}, got {whole.get('command')!r}")
    for i, row in enumerate(_CHECKS.items(whole.get("patterns"), "patterns", Mapping, required=True)):
        _CHECKS.text(row, "pattern", f"patterns[{i}]")
        for name in (key, "value", "probability"):
            _CHECKS.number(row, name, f"patterns[{i}]")
    for i, row in enumerate(_CHECKS.items(whole.get("failed"), "failed", Mapping)):
        for name in ("file", "why"):
            _CHECKS.text(row, name, f"failed[{i}]")
    _CHECKS.items(whole.get("warnings"), "warnings", str)
    for name in ("settings", "provenance", "evidence", "scores", "map"):
        _CHECKS.mapping(whole.get(name) or {}, name)
    n = len(whole["patterns"])
    if whole.get("variable") is not None:
        _CHECKS.text(_CHECKS.mapping(whole["variable"], "variable"), "name", "variable")
    if whole.get("curves") is not None:
        _check_curves(_CHECKS.mapping(whole["curves"], "curves"), n)
    for name, points in (whole.get("map") or {}).items():
        _table(points, n, 2, f"map.{name}")
    if (whole.get("scores") or {}).get("pca") is not None:
        _table(whole["scores"]["pca"], n, None, "scores.pca")
    return whole


def _check_boundary(row: Mapping[str, Any], n: int, place: str) -> None:
    _CHECKS.number(row, "after", place, required=True)
    if not 0 <= row["after"] < max(n - 1, 1):
        raise _CHECKS.refused(f"{place}.after must be a pattern with one behind it (0 to {n - 2}), got {row['after']}")
    for key in ("value", "confidence"):
        _CHECKS.number(row, key, place)
    for key in ("interval", "value_interval", "zone"):
        if row.get(key) is not None and _CHECKS.points(row, key, None, place) != 2:
            raise _CHECKS.refused(f"{place}.{key} must be two numbers, got {row[key]!r}")
    agreement = _CHECKS.mapping(row.get("agreement") or {}, f"{place}.agreement")
    for method in agreement:
        _CHECKS.number(agreement, method, f"{place}.agreement")


def _check_curves(curves: Mapping[str, Any], n: int) -> None:
    size = _CHECKS.points(curves, "axis", None, "curves")
    shape = _table(curves.get("intensity"), None, size, "curves.intensity")
    rows = curves.get("rows")
    if rows is None:
        if shape[0] != n:
            raise _CHECKS.refused(f"curves.intensity must have a row for each of {n} patterns, got {shape[0]}")
        return
    _CHECKS.points(curves, "rows", None, "curves")
    places = np.asarray(rows, dtype=np.float64)
    if places.size != shape[0] or np.any(np.diff(places) <= 0) or places[0] < 0 or places[-1] > n - 1:
        why = f"curves.rows must be {shape[0]} rising indices of {n} patterns, got {places.size}"
        raise _CHECKS.refused(why)
    _CHECKS.number(curves, "wavelength", "curves")


def _table(value: Any, rows: int | None, columns: int | None, place: str) -> tuple[int, int]:
    try:
        table = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise _CHECKS.refused(f"{place} must be rows of numbers: {problem}") from problem
    wanted = (rows if rows is not None else "n", columns if columns is not None else "k")
    if table.ndim != 2 or (rows is not None and len(table) != rows) or table.shape[1] != (columns or table.shape[1]):
        raise _CHECKS.refused(f"{place} must have shape ({wanted[0]}, {wanted[1]}), got {table.shape}")
    return int(table.shape[0]), int(table.shape[1])
