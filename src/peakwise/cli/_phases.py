"""CIFs given on a command line, as phases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.cli._output import Output
    from peakwise.crystal import PhaseLibrary

__all__ = ["EMBEDDED", "load_library"]

EMBEDDED = "textbook"  # stands for the structures that come with the package, where no file has that name


def load_library(out: Output, cifs: Sequence[str]) -> PhaseLibrary:
    """The structures of files, folders, archives and globs; files that cannot be used are noted in `out.failed`."""
    from peakwise.crystal import TEXTBOOK, PhaseLibrary

    given = [c for c in cifs if c != EMBEDDED or Path(c).exists()]
    library = PhaseLibrary.from_folder(given, threads=out.threads) if given else PhaseLibrary()
    if len(given) < len(cifs):
        for phase in TEXTBOOK.values():
            library.add(phase)
    for problem in library.failed:
        out.fail(problem, problem.file or "")
    out.warnings += library.warnings
    out.need_some(len(library))
    return library
