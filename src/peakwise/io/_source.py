"""A file as readers see it: bounded bytes, decompressed, and decoded text."""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import re
import zlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peakwise.errors import DamagedFileError, LimitError, NothingToReadError, ReadError, UnfinishedFileError
from peakwise.io._limits import MAX_BYTES

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import BinaryIO

__all__ = ["Source"]

_HEAD = 4096  # bytes that are enough to recognise any format
_COMPRESSED = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ\x00": ".xz"}
_PACKED_SUFFIX = re.compile(r"\.(gz|bz2|xz)$", re.IGNORECASE)


class Source:
    """One file (or one folder that is a store, such as Zarr).

    Readers use `data` (all bytes, decompressed), `text` (decoded), `head` (the first bytes), `suffix` (lower case,
    without the compression's) and `path`. Nothing is read before it is asked for.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.grows = False  # set by a reader whose format lets others read while it is written (HDF5 with SWMR)
        try:
            self._before = self.path.stat()
        except (OSError, ValueError) as problem:
            reason = getattr(problem, "strerror", None) or str(problem)
            raise NothingToReadError("cannot read the file", reason, "Check the path", file=self.path) from problem

    @property
    def name(self) -> str:
        """File name without folders and without the compression's suffix."""
        return _PACKED_SUFFIX.sub("", self.path.name)

    @property
    def stem(self) -> str:
        """File name without suffixes: what a scan is called when the file gives no title."""
        return Path(self.name).stem

    @property
    def suffix(self) -> str:
        """Lower-case suffix without the compression's: ``.xy`` for ``a.XY.gz``."""
        return Path(self.name).suffix.lower()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder rather than a file."""
        return self.path.is_dir()

    @cached_property
    def compression(self) -> str | None:
        """``.gz``, ``.bz2``, ``.xz`` or None, told by the first bytes and not by the name."""
        if self.is_folder:
            return None
        start = self._read_raw(6)
        return next((kind for magic, kind in _COMPRESSED.items() if start.startswith(magic)), None)

    @cached_property
    def head(self) -> bytes:
        """The first bytes of the (decompressed) content; empty for a folder."""
        if self.is_folder:
            return b""
        if "data" in self.__dict__:
            return self.data[:_HEAD]
        if self.compression is None:
            return self._read_raw(_HEAD)
        try:
            part: bytes = _MACHINES[self.compression]().decompress(self._read_raw(_HEAD * 16), _HEAD)
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            return self.data[:_HEAD]  # says what is wrong with it
        return part if len(part) == _HEAD else self.data[:_HEAD]

    @cached_property
    def data(self) -> bytes:
        """All bytes, decompressed, at most `MAX_BYTES`."""
        if self._before.st_size > MAX_BYTES:
            raise LimitError(
                "cannot read the file",
                f"it has {self._before.st_size} bytes, at most {MAX_BYTES} are read at once",
                "Split it, or convert it to HDF5 with its own software",
                file=self.path,
            )
        raw = self._read_raw(-1)
        if self.compression is None:
            return raw
        try:
            return _decompress(raw, self.compression, self.path)
        except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as problem:
            raise DamagedFileError(
                "cannot decompress the file", f"{problem}", "Copy it again; it may be cut short", file=self.path
            ) from problem

    @cached_property
    def text(self) -> str:
        """All text, decoded: by byte-order mark, else UTF-8, else Windows-1252 (every byte has a meaning)."""
        return decode(self.data)

    def open(self) -> BinaryIO | str:
        """What h5py and friends want: the path itself, or a buffer where the file is compressed."""
        return str(self.path) if self.compression is None else io.BytesIO(self.data)

    def damaged(self, why: str, do: str = "Copy it again from the instrument") -> DamagedFileError:
        """The error for content that contradicts its own format."""
        return DamagedFileError("cannot read the scan", why, do, file=self.path)

    def check_finished(self) -> None:
        """Refuse a file that grew or changed while it was read."""
        now = self.path.stat()
        if not self.grows and (now.st_size, now.st_mtime_ns) != (self._before.st_size, self._before.st_mtime_ns):
            raise UnfinishedFileError(
                "cannot read the file",
                f"it changed while it was read ({self._before.st_size} to {now.st_size} bytes)",
                "Wait until the instrument has finished writing",
                file=self.path,
            )

    def _read_raw(self, size: int) -> bytes:
        try:
            with self.path.open("rb") as stream:
                return stream.read(size)
        except IsADirectoryError as problem:
            raise ReadError(
                "cannot read the file", "it is a folder", "Name a file, or read the folder as a whole", file=self.path
            ) from problem
        except OSError as problem:
            reason = problem.strerror or str(problem)
            raise ReadError("cannot read the file", reason, "Check the permissions", file=self.path) from problem


def _decompress(raw: bytes, kind: str, path: Path) -> bytes:
    """All members of a compressed file, one after the other, never more than `MAX_BYTES`."""
    out, rest = b"", raw
    while rest:
        machine = _MACHINES[kind]()
        part = machine.decompress(rest, MAX_BYTES + 1 - len(out))
        out = out + part if out else part
        if len(out) > MAX_BYTES:
            raise LimitError(
                "cannot decompress the file",
                f"it grows from {len(raw)} to more than {MAX_BYTES} bytes",
                "Decompress it yourself if you trust it, and split it",
                file=path,
            )
        if not machine.eof:
            raise EOFError("the compressed data end too early")
        rest = machine.unused_data.lstrip(b"\0")  # some writers fill the last block with zeros
    return out


# What each kind of compression is undone with; 31 = the largest window, with the header and checksum of gzip.
_MACHINES: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(31),
    ".bz2": bz2.BZ2Decompressor,
    ".xz": lzma.LZMADecompressor,
}


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(raw: bytes) -> str:
    r"""Decode text of any origin; never fails.

    >>> decode("Temperatur 25 °C".encode("cp1252"))
    'Temperatur 25 °C'
    >>> decode("1 2\n".encode("utf-16"))
    '1 2\n'
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace")
    if raw[1:2] == b"\0" and raw[3:4] == b"\0" and raw[:1] != b"\0":
        return raw.decode("utf-16-le", errors="replace")
    if raw[:1] == b"\0" and raw[2:3] == b"\0" and raw[1:2] != b"\0":
        return raw.decode("utf-16-be", errors="replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        # The five bytes that Windows-1252 leaves open are read as Latin-1 rather than refused.
        return (
            raw.decode("cp1252", errors="replace")
            if not re.search(rb"[\x81\x8d\x8f\x90\x9d]", raw)
            else raw.decode("latin-1")
        )
