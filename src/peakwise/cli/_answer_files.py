"""What commands that answer share when they write files: where an answer comes from, reports, tables."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peakwise.cli._output import Output

__all__ = ["say_report", "whole_document", "write_table"]


def whole_document(
    out: Output, settings: Mapping[str, Any], libraries: Sequence[str] = ("numpy", "scipy", "scikit-learn")
) -> Any:
    """Return the answer with what a report of it says: how it was made, and what was left out."""
    from importlib.metadata import version

    from peakwise._version import __version__

    return {
        "peakwise": __version__,
        "command": out.command,
        "failed": [{"file": p.file or "", "why": p.reason} for p in out.failed],
        "warnings": out.warnings,
        **out.document,
        "provenance": {
            "versions": {
                "peakwise": __version__, "python": platform.python_version(), **{n: version(n) for n in libraries},
            },
            "settings": {k: v for k, v in settings.items() if v is not None},
            "seed": out.seed,
            "command_line": ["peakwise", *sys.argv[1:]],
        },
    }  # fmt: skip


def say_report(out: Output, report: str) -> None:
    """Tell where the report is."""
    out.document["report"] = str(report)
    out.say(f"report: {Path(report).resolve()}")


def write_table(out: Output, csv_file: str, text: str) -> None:
    """Write a table whole or not at all, and tell where it is."""
    from peakwise.io import atomic_file

    with atomic_file(Path(csv_file)) as temporary:
        temporary.write_text(text, encoding="utf-8")
    out.document["csv"] = str(csv_file)
    out.say(f"table: {Path(csv_file).resolve()}")
