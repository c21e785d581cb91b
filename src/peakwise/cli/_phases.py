"""CIFs given on a command line, as phases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.cli._output import Output
    from peakwise.crystal import PhaseLibrary

__all__ = ["load_library"]


def load_library(out: Output, cifs: Sequence[str]) -> PhaseLibrary:
    """The structures of files, folders, archives and globs; files that cannot be used are noted in `out.failed`."""
    from peakwise.crystal import PhaseLibrary

    library = PhaseLibrary.from_folder(cifs, threads=out.threads)
    for problem in library.failed:
        out.fail(problem, problem.file or "")
    out.warnings += library.warnings
    out.need_some(len(library))
    return library
