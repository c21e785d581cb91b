"""The files of a published set: in a folder, a zip, a tar or a 7z archive, bounded; nothing is written to disk."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from peakwise.datasets._seven_zip import MAGIC, BadArchiveError, read_members
from peakwise.errors import DamagedFileError, LimitError, NothingToReadError
from peakwise.io import MAX_BYTES, MAX_SCANS, natural_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["members_of"]

_ZIP = b"PK\x03\x04"
_TAR = re.compile(r"\.(tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz))$", re.IGNORECASE)


def members_of(source: Path, pattern: str) -> list[tuple[str, bytes]]:
    """Names and contents of the files whose whole name matches, in natural order.

    A name is what the archive calls the file, with ``/``; it is a key, never a path that is followed. Links, devices
    and folders inside an archive are passed over, and so is a symbolic link out of a folder.
    """
    if not source.exists():
        raise NothingToReadError("cannot read the data set", "no such file or folder", "Check the path", file=source)
    wanted = re.compile(pattern, re.IGNORECASE)
    found, left = list[tuple[str, bytes]](), MAX_BYTES
    try:
        for name, content in _walk(source, wanted):
            left -= len(content)
            if left < 0 or len(found) >= MAX_SCANS:
                why = f"it holds more than {MAX_BYTES} bytes or {MAX_SCANS} files"
                do = "Unpack it, and give a folder with fewer"
                raise LimitError("cannot read the data set", why, do, file=source)
            found.append((name, content))
    except BadArchiveError as problem:
        do = "Fetch it again, or unpack it yourself and give the folder"
        raise DamagedFileError("cannot read the archive", str(problem), do, file=source) from problem
    return sorted(found, key=lambda item: natural_key(item[0]))


def _walk(source: Path, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    if source.is_dir():
        top = source.resolve()
        for path in sorted(source.rglob("*")):
            name = path.relative_to(source).as_posix()
            if wanted.fullmatch(name) and path.is_file() and path.resolve().is_relative_to(top):
                if path.stat().st_size > MAX_BYTES:
                    raise BadArchiveError(f"{name} has more than {MAX_BYTES} bytes")
                yield name, path.read_bytes()
        return
    if source.stat().st_size > MAX_BYTES:
        raise BadArchiveError(f"it has more than {MAX_BYTES} bytes")
    with source.open("rb") as stream:
        head = stream.read(len(MAGIC))
    if head == MAGIC:
        for name, content in read_members(source.read_bytes(), MAX_BYTES):
            if wanted.fullmatch(_plain(name)):
                yield _plain(name), content
    elif head.startswith(_ZIP):
        yield from _zip(source, wanted)
    elif _TAR.search(source.name):
        yield from _tar(source, wanted)
    else:
        raise BadArchiveError("it is neither a 7z nor a zip nor a tar archive")


def _zip(source: Path, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    from zipfile import BadZipFile, ZipFile

    left = MAX_BYTES
    try:
        with ZipFile(source) as archive:
            for info in archive.infolist():
                if info.is_dir() or not wanted.fullmatch(_plain(info.filename)):
                    continue
                with archive.open(info) as stream:
                    content = stream.read(left + 1)  # what a member says about its size is not trusted
                left -= len(content)
                if left < 0:
                    raise BadArchiveError(f"it grows to more than {MAX_BYTES} bytes")
                yield _plain(info.filename), content
    except (BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as problem:
        raise BadArchiveError(f"it is cut short or broken ({problem})") from problem


def _tar(source: Path, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    import lzma
    import tarfile

    left = MAX_BYTES
    try:
        with tarfile.open(source, "r|*") as archive:
            for info in archive:
                left -= info.size
                if left < 0:
                    raise BadArchiveError(f"it grows to more than {MAX_BYTES} bytes")
                if info.isreg() and wanted.fullmatch(_plain(info.name)):
                    stream = archive.extractfile(info)
                    if stream is not None:
                        yield _plain(info.name), stream.read(info.size)
    except (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError) as problem:
        raise BadArchiveError(f"it is cut short or broken ({problem})") from problem


def _plain(name: str) -> str:
    return name.replace("\\", "/")
