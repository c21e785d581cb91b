"""Scans given on a command line, as single patterns with the names by which they are answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from peakwise.cli._output import Output
    from peakwise.patterns import Patterns

__all__ = ["DEMO", "read_scans"]

DEMO = "demo"  # stands for the scans that come with the package, where no file has that name


def read_scans(
    out: Output, scans: Sequence[str], wavelength: str | None, axis: str | None, file_format: str | None
) -> tuple[list[str], list[Patterns]]:
    """Names and patterns; files that cannot be read are noted in `out.failed`."""
    from peakwise.io import read_each

    files: list[str] = []
    patterns: list[Patterns] = []
    given = [s for s in scans if s != DEMO or Path(s).exists()]
    for name, pattern in _demo() if len(given) < len(scans) else ():
        files.append(name)
        patterns.append(pattern)
    each = read_each(given, wavelength=wavelength, axis=axis, format=file_format) if given else ()
    for one in out.progress(iter(each), "reading"):
        if one.error is not None:
            out.fail(one.error, one.file)
            continue
        many = sum(len(p) for p in one.patterns)
        for part in one.patterns:
            for pattern in part:
                files.append(one.file if many == 1 else f"{one.file}#{pattern.names[0]}")
                patterns.append(pattern)
    out.need_some(len(patterns))
    return files, patterns


def _demo() -> Iterator[tuple[str, Patterns]]:
    from peakwise.datasets import load

    for pattern in load("demo-scans"):
        yield f"{DEMO}/{pattern.names[0]}", pattern
