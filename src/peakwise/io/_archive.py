"""Members of a stranger's zip archive, bounded; nothing is ever written to disk.

What is refused, and why:

* more than `MAX_MEMBERS` members, counted in the bytes before the directory is parsed;
* members that together say they grow beyond the limit of a file, or that grow more than `MAX_GROWTH` times once they
  are large: a "zip bomb". What a member says about its size is not trusted either: reading stops at the same limit;
* members with a password.

A name (``../../etc/passwd``, a name that comes twice) is a key to look up here, never a path: the last member of a name
counts, as for every other program.
"""

from __future__ import annotations

import io
import re
import zlib
from lzma import LZMAError
from pathlib import Path
from typing import TYPE_CHECKING

from peakwise.errors import LimitError
from peakwise.io._limits import MAX_BYTES

if TYPE_CHECKING:
    from zipfile import ZipInfo

    from peakwise.io._source import Source

__all__ = ["MAX_GROWTH", "MAX_MEMBERS", "Archive", "is_archive_with"]

MAX_MEMBERS = 65_535  # what the classic zip format can count
MAX_GROWTH = 200  # times; XML of instruments shrinks to a tenth or a thirtieth
_SMALL = 64 << 20  # bytes that any archive may grow to
_MAGIC, _ENTRY = b"PK\x03\x04", b"PK\x01\x02"
_TAIL = 1 << 20  # bytes at the end of a file in which the names of its members are looked for
_PASSWORD = 0x1  # bit of the flags


def is_archive_with(source: Source, names: str) -> bool:
    """Whether a file is a zip archive with a member whose name matches; looks at its beginning and its end only."""
    if not source.head.startswith(_MAGIC):
        return False
    pattern = re.compile(names.encode())
    return pattern.search(source.head) is not None or pattern.search(_tail(source)) is not None


def _tail(source: Source) -> bytes:
    """The end of the file, where the directory of a zip archive is."""
    if source.compression is not None:
        return source.data[-_TAIL:]
    try:
        with Path(source.path).open("rb") as stream:
            size = stream.seek(0, io.SEEK_END)
            stream.seek(max(0, size - _TAIL))
            return stream.read(_TAIL)
    except OSError:
        return b""


class Archive:
    """The members of a zip archive by name."""

    def __init__(self, source: Source) -> None:
        from zipfile import BadZipFile, ZipFile

        self.source = source
        self._left = MAX_BYTES
        n = source.data.count(_ENTRY)
        if n > MAX_MEMBERS:
            raise self._too_large(f"has {n} members, at most {MAX_MEMBERS} are read")
        try:
            self._zip = ZipFile(io.BytesIO(source.data))
        except (BadZipFile, NotImplementedError) as problem:
            why = f"its zip archive is cut short or broken ({problem})"
            raise source.damaged(why) from problem
        # The last one of a name wins, as it does in every zip program.
        self._members: dict[str, ZipInfo] = {i.filename.replace("\\", "/"): i for i in self._zip.infolist()}
        grown = sum(i.file_size for i in self._zip.infolist())
        if grown > MAX_BYTES:
            raise self._too_large(f"grows to {grown} bytes, at most {MAX_BYTES} are read")
        if grown > _SMALL and grown > MAX_GROWTH * len(source.data):
            raise self._too_large(f"grows from {len(source.data)} to {grown} bytes, which no measurement does")

    def find(self, pattern: str) -> list[re.Match[str]]:
        """Matches of a pattern with the whole name of a member, in the archive's order."""
        return [m for m in (re.fullmatch(pattern, name, re.IGNORECASE) for name in self._members) if m]

    def read(self, name: str) -> bytes:
        """All bytes of a member."""
        from zipfile import BadZipFile

        info = self._members[name]
        if info.flag_bits & _PASSWORD:
            raise self.source.damaged(f"its member {name} has a password", "Save it without a password")
        try:
            with self._zip.open(info) as stream:
                data = stream.read(min(self._left, info.file_size) + 1)
        except (BadZipFile, zlib.error, LZMAError, EOFError, OSError, NotImplementedError) as problem:
            raise self.source.damaged(f"its member {name} is cut short or broken ({problem})") from problem
        if len(data) > self._left:
            raise self._too_large(f"grows to more than {MAX_BYTES} bytes in {name}")
        self._left -= len(data)
        return data

    def _too_large(self, why: str) -> LimitError:
        do = "Unpack it yourself if you trust it, and export the scans one by one"
        return LimitError("cannot read the archive", f"it {why}", do, file=self.source.path)
