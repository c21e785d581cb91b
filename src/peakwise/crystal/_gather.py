"""CIFs out of folders, archives and lists of paths: names and bytes, bounded, in a fixed order.

Archives are a stranger's: nothing is written to disk, a member's name is a label and never a path, and reading stops
at a total size. Zip: APPNOTE.TXT; tar: POSIX.1-2001, read as a stream.
"""

from __future__ import annotations

import bz2
import glob
import gzip
import hashlib
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from peakwise.crystal._clinic import MAX_BYTES, examine_cif
from peakwise.errors import LimitError, NothingToReadError, ReadError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from peakwise.crystal._clinic import ClinicRow

__all__ = ["Gathered", "examine_each", "gather"]

MAX_TOTAL = 2 << 30  # bytes of all CIFs of a library
MAX_FILES = 500_000
_MAX_GROWTH = 300  # times; CIFs shrink to a tenth
_SMALL = 64 << 20  # bytes that any archive may grow to
_ARCHIVES = re.compile(r"\.(zip|tar|tar\.gz|tgz|tar\.bz2|tbz2?|tar\.xz|txz)$", re.IGNORECASE)
_CIF = re.compile(r"\.m?cif$", re.IGNORECASE)
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, gzip.BadGzipFile, OSError)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Where the CIFs are: plain files and archives, with a key that changes when any content does."""

    files: tuple[Path, ...]
    archives: tuple[Path, ...]

    @property
    def key(self) -> str:
        """A checksum of all names and contents."""
        digest = hashlib.sha256()
        for path in [*self.files, *self.archives]:
            digest.update(f"{path}\0".encode("utf-8", "surrogateescape"))
            digest.update(hashlib.sha256(_read(path)).digest())
        return digest.hexdigest()

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Name and content of each CIF."""
        for file in self.files:
            yield str(file), _read(file)
        for archive in self.archives:
            yield from _members(archive)


def gather(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Gathered:
    """Find all CIFs of a folder (and its subfolders), an archive, a CIF, a glob, or a list of those."""
    given = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    places = [match for place in given for match in _matches(place)]
    files: list[Path] = []
    archives: list[Path] = []
    for place in map(Path, places):
        if place.is_dir():
            files += sorted((p for p in place.rglob("*") if _CIF.search(p.name) and p.is_file()), key=_natural)
        elif _ARCHIVES.search(place.name) and place.is_file():
            archives.append(place)
        elif place.is_file():
            files.append(place)
        else:
            raise NothingToReadError("no structures", "there is no such file or folder", "Check the path", file=place)
        if len(files) > MAX_FILES:
            raise _too_large(place, f"it holds more than {MAX_FILES} CIFs")
    if not files and not archives:
        where = ", ".join(map(str, places[:3])) + " ..." * (len(places) > 3) or "an empty list"
        raise NothingToReadError("no structures", f"{where} holds no .cif file", "Give a folder or archive with CIFs")
    return Gathered(tuple(files), tuple(archives))


def examine_each(source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Iterator[list[ClinicRow]]:
    """Examine the CIFs of folders, archives and paths one after the other: the rows of each file as they come."""
    for place in [source] if isinstance(source, (str, os.PathLike)) else source:
        for one in gather(_matches(place)):  # place by place: in the order in which they were given
            yield examine_cif(one)


def _matches(place: str | os.PathLike[str]) -> list[str]:
    """What a glob matches, in order; anything else as it is, also where its name has the signs of a glob."""
    text = os.fspath(place)
    if not glob.has_magic(text) or Path(text).exists():
        return [text]
    found = sorted(glob.glob(text, recursive=True), key=lambda p: _natural(Path(p)))  # noqa: PTH207 - absolute ones too
    if not found:
        raise NothingToReadError("no structures", "the pattern matches no file", "Check the path", file=text)
    return found


def _natural(path: Path) -> list[tuple[int, int, str]]:
    parts = re.findall(r"(\d{1,18})|(\D+|\d+)", path.as_posix())
    return [(0, int(n), "") if n else (1, 0, t) for n, t in parts]


def _read(path: Path) -> bytes:
    """At most one byte more than is examined: the clinic says what is wrong with a larger file."""
    most = MAX_TOTAL if _ARCHIVES.search(path.name) else MAX_BYTES
    try:
        with path.open("rb") as stream:
            return stream.read(most + 1)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise ReadError("cannot read the CIF", reason, "Check the permissions", file=path) from problem


def _too_large(place: Path, why: str) -> LimitError:
    return LimitError("cannot read the library", why, "Split it, or unpack it yourself if you trust it", file=place)


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    read = _zip_members if archive.suffix.lower() == ".zip" else _tar_members
    total = 0
    try:
        for name, data in read(archive):
            total += len(data)
            if total > MAX_TOTAL:
                raise _too_large(archive, f"its CIFs grow to more than {MAX_TOTAL} bytes")
            yield name, data
    except (*_BROKEN, NotImplementedError, RuntimeError) as problem:
        why = f"the archive is cut short, broken or locked ({problem})"
        do = "Copy it again, or unpack it yourself"
        raise ReadError("cannot read the library", why, do, file=archive) from problem


def _zip_members(archive: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(archive) as zipped:
        infos = {i.filename: i for i in zipped.infolist() if _CIF.search(i.filename)}
        grown, packed = sum(i.file_size for i in infos.values()), archive.stat().st_size
        if len(infos) > MAX_FILES or grown > MAX_TOTAL or grown > max(_SMALL, _MAX_GROWTH * packed):
            raise _too_large(archive, f"it grows from {packed} to {grown} bytes in {len(infos)} CIFs")
        for name in sorted(infos, key=lambda n: _natural(Path(n))):
            with zipped.open(infos[name]) as stream:
                yield f"{archive}/{name}", stream.read(MAX_BYTES + 1)


def _tar_members(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Members of a tar in natural order; the stream is read once and never more than `MAX_TOTAL` of it."""
    found: dict[str, bytes] = {}
    with _Bounded(archive) as stream, tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as tar:
        for member in tar:
            if member.isfile() and _CIF.search(member.name):
                part = tar.extractfile(member)
                found[member.name] = part.read(MAX_BYTES + 1) if part is not None else b""
    for name in sorted(found, key=lambda n: _natural(Path(n))):
        yield f"{archive}/{name}", found[name]


class _Bounded:
    """The decompressed bytes of a tar, refused beyond a size."""

    def __init__(self, path: Path) -> None:
        self._path, self._left = path, MAX_TOTAL
        with path.open("rb") as probe:
            magic = probe.read(6)
        opened: dict[bytes, Any] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\0": lzma.open}
        opener = next((o for m, o in opened.items() if magic.startswith(m)), None)
        self._stream = path.open("rb") if opener is None else opener(path, "rb")

    def __enter__(self) -> _Bounded:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        data: bytes = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _too_large(self._path, f"it grows to more than {MAX_TOTAL} bytes")
        return data
