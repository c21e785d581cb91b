"""The answer for a series as files: a report, a table."""

from __future__ import annotations

import csv
import io
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from peakwise.cli._output import Output
    from peakwise.patterns import Patterns

__all__ = ["whole_document", "write_series"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_series(
    out: Output, patterns: Patterns, settings: Mapping[str, Any], report: str | None, csv_file: str | None
) -> None:
    """Write what was asked for, and say where it is."""
    document = whole_document(out, settings)
    if report:
        _write_report(document, patterns, report)
        out.document["report"] = str(report)
        out.say(f"report: {Path(report).resolve()}")
    if csv_file:
        from peakwise.io import atomic_file

        with atomic_file(Path(csv_file)) as temporary:
            temporary.write_text(_table(document), encoding="utf-8")
        out.document["csv"] = str(csv_file)
        out.say(f"table: {Path(csv_file).resolve()}")


def whole_document(out: Output, settings: Mapping[str, Any]) -> Any:
    """Return the answer with what a report of it says: how it was made, and what was left out."""
    from importlib.metadata import version

    from peakwise._version import __version__

    libraries = {name: version(name) for name in ("numpy", "scipy", "scikit-learn")}
    return {
        "peakwise": __version__,
        "command": out.command,
        "failed": [{"file": p.file or "", "why": p.reason} for p in out.failed],
        "warnings": out.warnings,
        **out.document,
        "provenance": {
            "versions": {"peakwise": __version__, "python": platform.python_version(), **libraries},
            "settings": {k: v for k, v in settings.items() if v is not None},
            "seed": out.seed,
            "command_line": ["peakwise", *sys.argv[1:]],
        },
    }


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
