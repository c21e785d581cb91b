"""The answer for a series as files: a report, a table."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from peakwise.cli._answer_files import say_report, whole_document, write_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from peakwise.cli._output import Output
    from peakwise.patterns import Patterns

__all__ = ["write_series"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_series(
    out: Output, patterns: Patterns, settings: Mapping[str, Any], report: str | None, csv_file: str | None
) -> None:
    """Write what was asked for, and say where it is."""
    document = whole_document(out, settings)
    if report:
        _write_report(document, patterns, report)
        say_report(out, report)
    if csv_file:
        write_table(out, csv_file, _table(document))


def _write_report(document: Any, patterns: Patterns, report: str) -> None:
    from peakwise.patterns import AXES
    from peakwise.report import add_series, write_clusters_html, write_transitions_html

    whole = add_series(
        document, patterns.axis, patterns.intensity, kind=patterns.kind, unit=AXES[patterns.kind].unit,
        wavelength=patterns.wavelength, intensity_unit=patterns.unit,
    )  # fmt: skip
    if document["command"] == "transitions":
        write_transitions_html(whole, report)
    else:
        write_clusters_html(whole, report)


def _table(document: Any) -> str:
    from peakwise.report import transitions_csv

    if document["command"] == "transitions":
        return transitions_csv(document)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("number", "pattern", "cluster"))
    for i, row in enumerate(document["patterns"], 1):
        name = row["pattern"]
        # A spreadsheet would run what begins so as a formula.
        writer.writerow((i, f"'{name}" if name.startswith(_FORMULA) else name, row["cluster"]))
    return text.getvalue()
