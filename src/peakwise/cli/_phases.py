"""CIFs given on a command line, as phases."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from peakwise.errors import NothingToReadError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.cli._output import Output
    from peakwise.crystal import PhaseLibrary

__all__ = ["load_library"]


def load_library(out: Output, cifs: Sequence[str]) -> PhaseLibrary:
    """The structures of files, folders, archives and globs; files that cannot be used are noted in `out.failed`."""
    from peakwise.crystal import PhaseLibrary

    places: list[str] = []
    for place in cifs:
        is_glob = glob.has_magic(place) and not Path(place).exists()
        found = sorted(glob.glob(place, recursive=True)) if is_glob else [place]  # noqa: PTH207 - absolute ones too
        if not found:
            raise NothingToReadError("no structures", "the pattern matches no file", "Check the path", file=place)
        places += found
    library = PhaseLibrary.from_folder(places, threads=out.threads)
    for problem in library.failed:
        out.fail(problem, problem.file or "")
    out.warnings += library.warnings
    if not len(library) and not out.failed:
        why, do = "no CIF was found", "Give files that end in .cif, or folders or archives of them"
        raise NothingToReadError("no structures", why, do, file=", ".join(cifs[:3]))
    out.need_some(len(library))
    return library
