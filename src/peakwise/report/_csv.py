"""The answer as a table: one row per scan and phase."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from peakwise.report._answer import check_document
from peakwise.report._verdict import tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from peakwise.report._answer import Document, ScanAnswer

__all__ = ["identification_csv", "safe"]

_COLUMNS = (
    "scan", "verdict", "phase", "probability", "weight_fraction", "weight_fraction_error", "formula", "space_group",
    "a", "b", "c", "alpha", "beta", "gamma", "scale", "rwp", "zero_shift", "displacement", "unexplained_peaks",
    "none_of_these", "warnings",
)  # fmt: skip
_CELL = ("a", "b", "c", "alpha", "beta", "gamma")
_OF_PHASE = ("phase", "probability", "weight_fraction", "weight_fraction_error", "formula", "space_group", "scale")
# A spreadsheet would run what begins so as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def identification_csv(document: Document) -> str:
    r"""Return the answer as comma-separated values, one row per scan and phase.

    A scan without a phase has one row without one, and a file that could not be used a row with the verdict "failed"
    and the reason under warnings: no scan is lost. Numbers have all their digits. Text that a spreadsheet would take
    for a formula begins with an apostrophe.

    Parameters
    ----------
    document : Document
        What ``peakwise identify --json`` prints.

    Examples
    --------
    >>> rutile = {"phase": "rutile", "probability": 0.98, "weight_fraction": 1.0}
    >>> table = identification_csv({"command": "identify", "scans": [{"scan": "a.xy", "phases": [rutile]}]})
    >>> [line[:34] for line in table.splitlines()]
    ['scan,verdict,phase,probability,wei', 'a.xy,identified,rutile,0.98,1.0,,,']
    """
    whole = check_document(document)
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for scan in whole["scans"]:
        for row in _rows(scan):
            writer.writerow({key: safe(value) for key, value in row.items()})
    for file in whole.get("failed") or ():
        writer.writerow({"scan": safe(file["file"]), "verdict": "failed", "warnings": safe(file["why"])})
    return out.getvalue()


def _rows(scan: ScanAnswer) -> list[dict[str, Any]]:
    fit: Mapping[str, Any] = scan.get("fit") or {}
    peaks = fit.get("unexplained")
    shared = {
        "scan": scan["scan"],
        "verdict": tell(scan).verdict.name,
        "rwp": fit.get("rwp"),
        "zero_shift": fit.get("zero_shift"),
        "displacement": fit.get("displacement"),
        "unexplained_peaks": None if peaks is None else len(peaks),
        "none_of_these": scan.get("none_of_these"),
        "warnings": "; ".join(scan.get("warnings") or ()),
    }
    return [{**shared, **_phase(phase)} for phase in scan["phases"]] or [shared]


def _phase(phase: Any) -> dict[str, Any]:
    return {key: phase.get(key) for key in _OF_PHASE} | dict(zip(_CELL, phase.get("cell") or (), strict=False))


def safe(value: Any) -> Any:
    """Return a cell that no spreadsheet runs."""
    return "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value
