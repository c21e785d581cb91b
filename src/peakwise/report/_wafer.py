"""What the report of a library is made of: the document of ``peakwise wafer``, its check, and its table.

As in `_answer`: a key that is not `Required` may be missing or null, and its part of the report is then left out.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Required, TypedDict, cast

import numpy as np

from peakwise.report._check import Checks
from peakwise.report._csv import safe

if TYPE_CHECKING:
    from peakwise.report._novelty import NoveltyMap

__all__ = ["WaferDocument", "WaferPattern", "check_wafer", "wafer_csv"]

_CHECKS = Checks("Give the document that the command printed with --json")
_FIRST = ("pattern", "cluster", "score")


class WaferPattern(TypedDict, total=False):
    """What is told of one pattern."""

    pattern: Required[str]
    cluster: Required[int]
    """Number of its region."""
    score: float | None
    """How unlike its region it is, or how new."""
    position: Sequence[float]
    composition: Mapping[str, float]
    shares: Sequence[float]
    """Of each component."""


class WaferDocument(TypedDict, total=False):
    """The answer of ``peakwise wafer``."""

    peakwise: str
    command: Required[str]
    patterns: Required[Sequence[WaferPattern]]
    k: int
    silhouette: float | None
    method: str
    score: str
    """What the scores are."""
    examples: Sequence[str]
    """The most typical pattern of each region."""
    suggestions: Sequence[Mapping[str, Any]]
    """Where to measure next: `where` by name, `value`, `mean`, `std` and `why`."""
    strategy: str
    warnings: Sequence[str]
    failed: Sequence[Mapping[str, str]]
    map: NoveltyMap | None
    seconds: float
    provenance: Mapping[str, Any]


def check_wafer(document: object) -> WaferDocument:
    """Return `document` if it is the answer of ``wafer``, or say what is wrong with it.

    >>> check_wafer({"command": "wafer", "patterns": [{"pattern": "a.xy", "cluster": "one"}]})
    Traceback (most recent call last):
    ...
    peakwise.errors.OptionError: cannot report the answer: patterns[0].cluster must be a number, got 'one'. Give ...
    """
    whole = _CHECKS.mapping(document, "the document")
    if whole.get("command") != "wafer":
        raise _CHECKS.refused(f"command must be 'wafer', got {whole.get('command')!r}")
    for i, row in enumerate(_CHECKS.items(whole.get("patterns"), "patterns", Mapping, required=True)):
        _CHECKS.text(row, "pattern", f"patterns[{i}]")
        _CHECKS.number(row, "cluster", f"patterns[{i}]", required=True)
        _CHECKS.number(row, "score", f"patterns[{i}]")
    for key in ("k", "silhouette", "seconds"):
        _CHECKS.number(whole, key, "the document")
    for i, row in enumerate(_CHECKS.items(whole.get("suggestions"), "suggestions", Mapping)):
        _CHECKS.mapping(row.get("where"), f"suggestions[{i}].where")
        for key in ("value", "mean", "std"):
            _CHECKS.number(row, key, f"suggestions[{i}]")
    for key in ("warnings", "examples"):
        _CHECKS.items(whole.get(key), key, str)
    for i, row in enumerate(_CHECKS.items(whole.get("failed"), "failed", Mapping)):
        for key in ("file", "why"):
            _CHECKS.text(row, key, f"failed[{i}]")
    return cast("WaferDocument", whole)


def wafer_csv(document: WaferDocument) -> str:
    """Return the answer as comma-separated values, a row for each pattern.

    Columns for the position, each element and the share of each component follow where they are known.

    Parameters
    ----------
    document : WaferDocument
        What ``peakwise wafer --json`` prints.

    Examples
    --------
    >>> row = {"pattern": "a.xy", "cluster": 2, "score": 0.25, "composition": {"Fe": 0.75, "Pd": 0.25}}
    >>> wafer_csv({"command": "wafer", "patterns": [row]}).splitlines()
    ['pattern,cluster,score,Fe,Pd', 'a.xy,2,0.25,0.75,0.25']
    """
    whole = check_wafer(document)
    rows = []
    for one in whole["patterns"]:
        row: dict[str, Any] = {key: one.get(key) for key in _FIRST}
        row |= dict(zip(("x", "y"), one.get("position") or (), strict=False))
        row |= one.get("composition") or {}
        row |= {f"share {i}": value for i, value in enumerate(one.get("shares") or ())}
        rows.append({safe(key): safe(value) for key, value in row.items()})
    columns = list(dict.fromkeys([*_FIRST, *(key for row in rows for key in row)]))
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def numbers(values: Sequence[float | None]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Numbers, NaN where there is none."""
    return np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)
