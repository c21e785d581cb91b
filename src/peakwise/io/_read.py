"""Files, folders and globs -> `Patterns`."""

from __future__ import annotations

import glob
import os
import re
import struct
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from peakwise.errors import (
    DamagedFileError,
    GridError,
    MissingExtraError,
    NothingToReadError,
    PeakwiseError,
    ReadError,
    UnknownFormatError,
    one_line,
)
from peakwise.io._assemble import FEWEST_POINTS, assemble
from peakwise.io._limits import MAX_POINTS
from peakwise.io._source import Source
from peakwise.patterns import Patterns, concatenate, make_grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike

    from peakwise.io._scan import Format
    from peakwise.patterns import Radiation

Paths: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"

__all__ = ["FileRead", "Reader", "find_files", "natural_key"]

# What a parser may stumble over in a damaged file; it becomes the one sentence of a DamagedFileError, with the
# parser's own words. Anything else is a fault of ours and must be seen as one.
_STUMBLES = (
    ValueError, TypeError, IndexError, KeyError, OSError, RuntimeError, MemoryError, ArithmeticError, EOFError,
    struct.error, zlib.error,
)  # fmt: skip

# Numbers beyond all measure are damage; what becomes NaN or infinite is left out point by point, and counted.
_ARITHMETIC: dict[str, Any] = {"over": "raise", "divide": "ignore", "invalid": "ignore"}

# The smallest share of the widest scan that a common grid may keep; where less is shared nothing is cut off, and what
# a scan lacks is NaN: one short scan in a folder must not shrink all others to its range.
_LEAST_OVERLAP = 0.8


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file: its patterns (one object per grid) or the reason why there are none."""

    file: str
    format: str | None = None
    patterns: tuple[Patterns, ...] = ()
    error: PeakwiseError | None = None


class Reader:
    """Reads with a table of formats; `peakwise.read` is the one made with the table `FORMATS`."""

    def __init__(self, formats: Mapping[str, Format]) -> None:
        self.formats = formats

    def read(
        self,
        paths: Paths,
        *,
        wavelength: float | str | Radiation | None = None,
        axis: str | None = None,
        format: str | None = None,  # noqa: A002 - the word that users look for
        grid: ArrayLike | tuple[float, float, int] | None = None,
    ) -> Patterns:
        """Read scans from a file, a list of files, a folder or a glob, as one `Patterns`.

        Parameters
        ----------
        paths : path-like or iterable of path-like
            Files in any format of ``peakwise.FORMATS``, also compressed as .gz, .bz2 or .xz; folders are searched
            through; globs (``scans/*.xy``, ``**``) are expanded. Folders and globs come in natural order (scan2
            before scan10), lists in their own.
        wavelength : float, str or Radiation, optional
            In angstrom or as a name (``CuKa``), for files that do not give one.
        axis : str, optional
            What the axis is (``two_theta``, ``q`` ...), where the file does not say or is wrong.
        format : str, optional
            A name of ``peakwise.FORMATS``, to skip the recognition.
        grid : (start, stop, n) or array-like, optional
            Resample every scan onto this grid. Without it, scans on different grids come onto the part that all
            share (or, where that is less than 80 % of the widest scan, onto the whole range, with NaN where a scan was
            not measured), with the coarsest of their steps; a warning says so.

        Returns
        -------
        Patterns
            All scans. ``.failed`` holds (file, reason) for each file that was left out; a Python warning sums them up.

        Examples
        --------
        >>> import peakwise as pw
        >>> pw.read("examples/series").shape
        (5, 2001)
        """
        parts: list[Patterns] = []
        failed: list[tuple[str, str]] = []
        problem: PeakwiseError | None = None
        for one in self.read_each(paths, wavelength=wavelength, axis=axis, format=format):
            parts += one.patterns
            if one.error is not None:
                failed.append((one.file, one.error.reason))
                problem = problem or one.error
        if not parts:
            if problem is not None and len(failed) == 1:
                raise problem
            first = f"; the first, {failed[0][0]}: {failed[0][1]}" if failed else ""
            raise ReadError("nothing could be read", f"{len(failed)} files were tried{first}", "See peakwise info")
        if failed:
            names = ", ".join(f"{Path(f).name} ({one_line(w, 80)})" for f, w in failed[:3])
            more = f" and {len(failed) - 3} more; see .failed" if len(failed) > 3 else ""
            warnings.warn(f"{len(failed)} files were left out: {names}{more}", stacklevel=3)
        joined = _together(parts, grid)
        return joined.replace(failed=[*joined.failed, *failed])

    def read_each(
        self,
        paths: Paths,
        *,
        wavelength: float | str | Radiation | None = None,
        axis: str | None = None,
        format: str | None = None,  # noqa: A002
    ) -> Iterator[FileRead]:
        """Read files one by one: each as it is, on its own grids, or with the reason why it could not be read.

        Parameters are those of `read`. Yields one `FileRead` (``file, format, patterns, error``) per file; never raises
        for the content of a file.
        """
        for given in _one_by_one(paths):
            try:
                files = find_files(given, self.formats)
            except PeakwiseError as problem:
                yield FileRead(str(given), error=problem)
                continue
            for path in files:
                try:
                    name, patterns = self._read_file(path, wavelength, axis, format)
                    yield FileRead(str(path), name, tuple(patterns))
                except PeakwiseError as problem:
                    yield FileRead(str(path), error=problem)

    def recognise(self, source: Source) -> Format:
        """The format of a file: the first in the table whose content test says yes."""
        for form in self.formats.values():
            if form.folder == source.is_folder and form.sniff(source):
                return form
        if not source.is_folder and not source.head:
            raise DamagedFileError("cannot read the scan", "the file is empty", "Copy it again", file=source.path)
        raise UnknownFormatError(
            "cannot read the scan",
            "its content is none of the formats that peakwise knows",
            "See 'peakwise info --formats', or export it as text with two columns",
            file=source.path,
        )

    def _read_file(
        self, path: Path, wavelength: float | str | Radiation | None, axis: str | None, name: str | None
    ) -> tuple[str, list[Patterns]]:
        source = Source(path)
        form = self.recognise(source) if name is None else self._named(name)
        try:
            with np.errstate(**_ARITHMETIC):
                blocks = form.read(source)
        except (ReadError, MissingExtraError) as problem:
            problem.file = problem.file or str(path)
            raise
        except PeakwiseError as problem:  # a wavelength or an axis in the file that cannot be meant
            raise DamagedFileError("cannot read the scan", problem.why, problem.do, file=path) from problem
        except _STUMBLES as problem:
            raise _stumbled(form, path, problem) from problem
        source.check_finished()
        try:
            with np.errstate(**_ARITHMETIC):
                patterns = assemble(source, blocks, wavelength=wavelength, axis=axis)
        except FloatingPointError as problem:
            raise _stumbled(form, path, problem) from problem
        # A set of ours says itself from which files its patterns came.
        return form.name, [p if "file" in p.meta else p.with_meta(file=str(path)) for p in patterns]

    def _named(self, name: str) -> Format:
        if name not in self.formats:
            raise UnknownFormatError("unknown format", f"got {name!r}", f"Use one of {', '.join(self.formats)}")
        return self.formats[name]


def _stumbled(form: Format, path: Path, problem: Exception) -> DamagedFileError:
    """The one sentence for a parser that stumbled."""
    told = f"{type(problem).__name__}: {problem}" if str(problem) else type(problem).__name__
    return DamagedFileError(
        f"cannot read the scan as {form.name}",
        f"its content contradicts the format ({one_line(told, 200)})",
        "Copy it again from the instrument, or export it in another format",
        file=path,
    )


def _one_by_one(paths: Paths) -> list[str | os.PathLike[str]]:
    """What a user passed as paths, as a list."""
    if isinstance(paths, (str, os.PathLike)):
        return [paths]
    if not isinstance(paths, Iterable):
        raise NothingToReadError("cannot read", f"a path is needed, got {type(paths).__name__}", "Pass a file name")
    given = list(paths)
    if not given or not all(isinstance(p, (str, os.PathLike)) for p in given):
        what = next((type(p).__name__ for p in given if not isinstance(p, (str, os.PathLike))), "an empty list")
        raise NothingToReadError("cannot read", f"a list of paths is needed, got {what}", "Name at least one file")
    return given


def find_files(given: str | os.PathLike[str], formats: Mapping[str, Format]) -> list[Path]:
    """Return the files that one path means: itself, or those of a folder or a glob in natural order."""
    path = Path(os.fspath(given)).expanduser()
    try:
        if path.is_dir():
            inside = _walk(path, formats)
            if not inside:
                raise NothingToReadError("nothing to read", "the folder holds no file", "Check the path", file=path)
            return inside
        if path.exists() or not glob.has_magic(str(path)):
            return [path]
        matches = sorted((Path(p) for p in glob.iglob(str(path), recursive=True)), key=natural_key)  # noqa: PTH207
    except (OSError, ValueError) as problem:  # a name too long, a NUL in it, a folder that may not be entered
        raise NothingToReadError("nothing to read", str(problem), "Check the path", file=path) from problem
    if not matches:
        raise NothingToReadError("nothing to read", "no file matches", "Check the pattern", file=path)
    return [f for m in matches for f in (_walk(m, formats) if m.is_dir() else [m])]


def _walk(folder: Path, formats: Mapping[str, Format]) -> list[Path]:
    """Files below a folder, hidden ones left out; a folder that is a store counts as one file."""
    stores = tuple(s for form in formats.values() if form.folder for s in form.suffixes)
    if folder.suffix.lower() in stores:
        return [folder]
    found: list[Path] = []
    for path in sorted(folder.iterdir(), key=natural_key):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            found += _walk(path, formats)
        elif path.is_file():
            found.append(path)
    return found


def natural_key(path: Path | str) -> list[tuple[int, int, str]]:
    """Sort key under which numbers count as numbers.

    >>> sorted(["scan10", "scan2", "Scan1"], key=natural_key)
    ['Scan1', 'scan2', 'scan10']
    """
    pieces = re.split(r"(\d+)", str(path).casefold())
    return [(0, int(p), "") if p.isdecimal() and len(p) < 19 else (1, 0, p) for p in pieces if p]


def _together(parts: list[Patterns], grid: ArrayLike | tuple[float, float, int] | None) -> Patterns:
    """All patterns on one grid."""
    parts = [parts[0], *(_like(p, parts[0]) for p in parts[1:])]
    if grid is not None:
        target = make_grid(grid)
        return concatenate(p.resample(target) for p in parts)
    if all(parts[0].same_grid(p) for p in parts[1:]):
        return concatenate(parts)
    low, high = max(p.axis[0] for p in parts), min(p.axis[-1] for p in parts)
    widest = max(p.axis[-1] - p.axis[0] for p in parts)
    step = max(p.step for p in parts)
    shared = high - low >= _LEAST_OVERLAP * widest
    if not shared:
        low, high = min(p.axis[0] for p in parts), max(p.axis[-1] for p in parts)
    n = int((high - low) / step * (1 + 1e-12)) + 1
    if n < FEWEST_POINTS or n * sum(len(p) for p in parts) > MAX_POINTS:
        why = f"they need {n} points from {low:g} to {high:g} with step {step:g}"
        raise GridError(
            "cannot put the scans on one grid", why, "Read them with read_each, or give grid=(start, stop, n)"
        )
    target = low + step * np.arange(n)
    joined = concatenate(p.resample(target, fill=None if shared else np.nan) for p in parts)
    what = "the part that all share" if shared else "the whole range, NaN where a scan was not measured"
    note = (
        f"the scans are on different grids: brought onto {what}, {low:g} to {target[-1]:g} with step {step:g}, "
        "counts summed; give grid= or --grid to choose"
    )
    return joined.replace(warnings=[*joined.warnings, note])


def _like(patterns: Patterns, first: Patterns) -> Patterns:
    """On the first one's kind of axis and wavelength, so that equal positions mean equal d."""
    if patterns.kind == first.kind and (first.kind != "two_theta" or patterns.wavelength == first.wavelength):
        return patterns
    note = (
        f"{patterns.names[0]}: converted from {patterns.kind} ({patterns.wavelength or 'no'} angstrom) to {first.kind}"
    )
    moved = patterns.to_axis(first.kind, wavelength=first.radiation)
    return moved.replace(warnings=[*moved.warnings, note])
