"""Members of a 7z archive, bounded; nothing is ever written to disk.

Layout (7-Zip's own description is ``DOC/7zFormat.txt`` in the LZMA SDK, public domain, https://7-zip.org/sdk.html),
all integers little-endian, N = a number of 1 to 9 bytes whose first byte tells by its leading ones how many follow::

    37 7A BC AF 27 1C | version 2 | CRC32 of the next 20 bytes
        | offset u64, size u64, CRC32 u32 of the header at the end, counted from byte 32
    packed streams ...
    header: 01, or 17 = the header itself is packed: streams as below give its bytes
      04 streams: 06 pack    N position, N count, 09 N sizes, [0A digests], 00
                  07 unpack  0B N folders, 00, each folder; 0C N sizes; [0A digests]; 00
                  08 parts   [0D N files in each folder] [09 N sizes but the last] [0A digests] 00
                  00
      05 files:   N count, properties (id, N size, bytes): 0E has no content, 0F is empty, 11 names (00, UTF-16, 0), 00
    folder: N coders, each: flags (low 4 bits: bytes of the id, 20: has properties) id [N size, properties],
            then, where there are two, N and N: which input is fed by which output

A folder is one compressed stream that holds several files one after the other. Read are copy, LZMA, LZMA2, Deflate and
BZip2, and x86 or delta filters before the LZMA ones; not read are encrypted folders and longer chains.

Each count and size is checked against the bytes that are there before anything is allocated, and a dictionary is never
larger than what comes out of it. Names are keys to look up, never paths.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MAGIC", "BadArchiveError", "read_members"]

MAGIC = b"7z\xbc\xaf\x27\x1c"
_START = 32  # bytes of the signature header
_END, _PACK, _UNPACK, _PARTS, _SIZES, _DIGESTS, _FOLDERS, _FOLDER_SIZES, _COUNTS = 0, 6, 7, 8, 9, 10, 11, 12, 13
_HEADER, _STREAMS, _FILES, _NO_CONTENT, _NAMES, _PACKED_HEADER = 1, 4, 5, 14, 17, 23
_COPY, _LZMA, _LZMA2, _DEFLATE, _BZIP2 = b"\x00", b"\x03\x01\x01", b"\x21", b"\x04\x01\x08", b"\x04\x02\x02"
_DELTA, _X86, _X86_NEW = b"\x03", b"\x03\x03\x01\x03", b"\x04"
_CHAIN = 2  # coders of one folder
_UNPACK_IT = "(unpack it with 7-Zip and give the folder)"
_LEAST_DICTIONARY = 4096
_HEADERS_IN_HEADERS = 4


class BadArchiveError(ValueError):
    """Content that contradicts the format, or that is not read; the message says why."""


@dataclass(slots=True)
class _Folder:
    coders: list[tuple[bytes, bytes]] = field(default_factory=list)  # id and properties, the last one nearest the file
    size: int = 0
    sizes: int = 1  # how many sizes are written for it, and which is that of its files
    last: int = 0
    crc: int | None = None
    parts: list[tuple[int, int | None]] = field(default_factory=list)  # size and CRC32 of each file


@dataclass(slots=True)
class _Streams:
    position: int = 0
    packed: list[int] = field(default_factory=list)
    folders: list[_Folder] = field(default_factory=list)


def read_members(data: bytes, most: int) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files in an archive, in its order; at most `most` bytes in all."""
    if not data.startswith(MAGIC) or len(data) < _START:
        raise BadArchiveError("it is no 7z archive")
    _agree(data[12:_START], int.from_bytes(data[8:12], "little"), "its beginning")
    offset, size, crc = (int.from_bytes(data[a:b], "little") for a, b in ((12, 20), (20, 28), (28, 32)))
    if _START + offset + size > len(data):
        raise BadArchiveError(f"it is cut short: it should have {_START + offset + size} bytes and has {len(data)}")
    header = data[_START + offset : _START + offset + size]
    _agree(header, crc, "its header")
    for _ in range(_HEADERS_IN_HEADERS):
        if not header or header[0] != _PACKED_HEADER:
            break
        streams = _read_streams(_Bytes(header[1:]), len(data))
        header = b"".join(content for folder in _unpack(data, streams, most) for content in folder)
    if not header:
        return  # an archive without files has no header
    streams, names = _read_header(_Bytes(header), len(data))
    contents = (part for folder in _unpack(data, streams, most) for part in folder)
    for name, has_content in names:
        if not has_content:
            continue
        content = next(contents, None)
        if content is None:
            raise BadArchiveError(f"it names {name!r} without its content")
        yield name, content


class _Bytes:
    """A header that is read from the front."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, n: int) -> bytes:
        if n < 0 or self.at + n > len(self.data):
            raise BadArchiveError(f"its header ends after {len(self.data)} bytes in the middle of an entry")
        self.at += n
        return self.data[self.at - n : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def number(self) -> int:
        """The first byte's leading ones tell how many bytes follow; what is left of it are the highest bits."""
        first = self.byte()
        mask, value = 0x80, 0
        for i in range(8):
            if not first & mask:
                return value | ((first & (mask - 1)) << (8 * i))
            value |= self.byte() << (8 * i)
            mask >>= 1
        return value

    def count(self, most: int, what: str) -> int:
        value = self.number()
        if value > most:
            raise BadArchiveError(f"it promises {value} {what}, more than its bytes can hold")
        return value

    def bits(self, n: int) -> list[bool]:
        packed = self.take(-(-n // 8))
        return [bool(packed[i // 8] & (0x80 >> (i % 8))) for i in range(n)]

    def digests(self, n: int) -> list[int | None]:
        given = [True] * n if self.byte() else self.bits(n)
        return [int.from_bytes(self.take(4), "little") if g else None for g in given]

    def expect(self, wanted: int, what: str) -> None:
        got = self.byte()
        if got != wanted:
            raise BadArchiveError(f"its header has {got:#04x} where {what} should be")


def _read_header(source: _Bytes, total: int) -> tuple[_Streams, list[tuple[str, bool]]]:
    source.expect(_HEADER, "its beginning")
    streams, names = _Streams(), list[tuple[str, bool]]()
    while (kind := source.byte()) != _END:
        if kind == _STREAMS:
            streams = _read_streams(source, total)
        elif kind == _FILES:
            names = _read_names(source)
        else:
            raise BadArchiveError(f"its header holds the unknown part {kind:#04x}")
    return streams, names


def _read_streams(source: _Bytes, total: int) -> _Streams:
    streams, has_parts = _Streams(), False
    while (kind := source.byte()) != _END:
        if kind == _PACK:
            _read_pack(source, streams, total)
        elif kind == _UNPACK:
            _read_folders(source, streams)
        elif kind == _PARTS:
            _read_parts(source, streams)
            has_parts = True
        else:
            raise BadArchiveError(f"its streams hold the unknown part {kind:#04x}")
    if not has_parts:
        for folder in streams.folders:
            folder.parts = [(folder.size, folder.crc)]
    if len(streams.packed) != len(streams.folders):
        raise BadArchiveError(f"it has {len(streams.packed)} packed streams for {len(streams.folders)} folders")
    return streams


def _read_pack(source: _Bytes, streams: _Streams, total: int) -> None:
    streams.position = _START + source.number()
    n = source.count(len(source.data), "packed streams")
    while (kind := source.byte()) != _END:
        if kind == _SIZES:
            streams.packed = [source.number() for _ in range(n)]
        elif kind == _DIGESTS:
            source.digests(n)
        else:
            raise BadArchiveError(f"its packed streams hold the unknown part {kind:#04x}")
    if streams.position + sum(streams.packed) > total:
        raise BadArchiveError(f"its packed streams go beyond its {total} bytes")


def _read_folders(source: _Bytes, streams: _Streams) -> None:
    source.expect(_FOLDERS, "its folders")
    n = source.count(len(source.data), "folders")
    source.expect(0, "a folder")
    streams.folders = [_read_folder(source) for _ in range(n)]
    source.expect(_FOLDER_SIZES, "the sizes of its folders")
    for folder in streams.folders:
        folder.size = [source.number() for _ in range(folder.sizes)][folder.last]
    while (kind := source.byte()) != _END:
        if kind != _DIGESTS:
            raise BadArchiveError(f"its folders hold the unknown part {kind:#04x}")
        for folder, crc in zip(streams.folders, source.digests(n), strict=True):
            folder.crc = crc


def _read_folder(source: _Bytes) -> _Folder:
    n = source.number()
    if not 1 <= n <= _CHAIN:
        raise BadArchiveError(f"it chains {n} coders {_UNPACK_IT}")
    coders = []
    for _ in range(n):
        flags = source.byte()
        if flags & 0xD0:
            raise BadArchiveError(f"it uses a coder with several streams {_UNPACK_IT}")
        coder = source.take(flags & 0x0F)
        coders.append((coder, source.take(source.number()) if flags & 0x20 else b""))
    if n == 1:
        return _Folder(coders)
    fed, by = source.number(), source.number()
    if {fed, by} != {0, 1}:
        raise BadArchiveError("its coders are not a chain")
    return _Folder([coders[by], coders[fed]], sizes=2, last=fed)


def _read_parts(source: _Bytes, streams: _Streams) -> None:
    counts = [1] * len(streams.folders)
    kind = source.byte()
    if kind == _COUNTS:
        # A file of no bytes has no entry here, so each one costs a byte of size or of digest in this header.
        counts = [source.count(len(source.data), "files") for _ in streams.folders]
        if sum(counts) > len(source.data):
            raise BadArchiveError(f"it promises {sum(counts)} files, more than its bytes can hold")
        kind = source.byte()
    sizes = [[source.number() for _ in range(n - 1)] if kind == _SIZES else [] for n in counts]
    if kind == _SIZES:
        kind = source.byte()
    unknown = [f.crc is None or n != 1 for f, n in zip(streams.folders, counts, strict=True)]
    digests: list[int | None] = []
    while kind != _END:
        if kind != _DIGESTS:
            raise BadArchiveError(f"its files hold the unknown part {kind:#04x}")
        digests = source.digests(sum(n for n, u in zip(counts, unknown, strict=True) if u))
        kind = source.byte()
    for folder, n, own, is_unknown in zip(streams.folders, counts, sizes, unknown, strict=True):
        rest = folder.size - sum(own)
        if n and (rest < 0 or len(own) != n - 1):
            raise BadArchiveError("the sizes of its files contradict those of its folders")
        crcs = [digests.pop(0) if digests else None for _ in range(n)] if is_unknown else [folder.crc]
        folder.parts = list(zip([*own, rest], crcs, strict=True)) if n else []


def _read_names(source: _Bytes) -> list[tuple[str, bool]]:
    """Names of the files, and whether each has content."""
    n = source.count(len(source.data), "files")
    names, has_content = [""] * n, [True] * n
    while (kind := source.number()) != _END:
        inside = _Bytes(source.take(source.number()))
        if kind == _NO_CONTENT:
            has_content = [not empty for empty in inside.bits(n)]
        elif kind == _NAMES:
            inside.expect(0, "its names")
            texts = inside.data[1:].decode("utf-16-le", "replace").split("\0")
            if len(texts) != n + 1:
                raise BadArchiveError(f"it has {len(texts) - 1} names for {n} files")
            names = texts[:n]
    return list(zip(names, has_content, strict=True))


def _unpack(data: bytes, streams: _Streams, most: int) -> Iterator[list[bytes]]:
    """The files of each folder."""
    at, left = streams.position, most
    for packed, folder in zip(streams.packed, streams.folders, strict=True):
        if folder.size > left:
            raise BadArchiveError(f"it grows to more than the {most} bytes that are read")
        left -= folder.size
        content = _decoded(data[at : at + packed], folder)
        at += packed
        if len(content) != folder.size:
            raise BadArchiveError(f"a folder unpacks to {len(content)} of its {folder.size} bytes")
        if folder.crc is not None:
            _agree(content, folder.crc, "a folder")
        files, begin = [], 0
        for size, crc in folder.parts:
            files.append(content[begin : begin + size])
            begin += size
            if crc is not None:
                _agree(files[-1], crc, "a file")
        yield files


def _decoded(packed: bytes, folder: _Folder) -> bytes:
    (coder, own), *before = folder.coders
    try:
        if coder in (_LZMA, _LZMA2):
            filters = [*map(_pre_filter, before), _lzma_filter(coder, own, folder.size)]
            return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters).decompress(packed, folder.size)
        if before or coder not in (_COPY, _DEFLATE, _BZIP2):
            raise BadArchiveError(f"the coder {coder.hex()} is not read {_UNPACK_IT}")
        if coder == _COPY:
            return packed[: folder.size]
        # To zlib a bound of 0 means none at all.
        if coder == _DEFLATE:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, max(folder.size, 1))
        return bz2.BZ2Decompressor().decompress(packed, folder.size)
    except (lzma.LZMAError, zlib.error, OSError, EOFError) as problem:
        raise BadArchiveError(f"a folder cannot be unpacked ({problem})") from problem


def _pre_filter(coder: tuple[bytes, bytes]) -> dict[str, int]:
    kind, own = coder
    if kind in (_X86, _X86_NEW) and not own:
        return {"id": lzma.FILTER_X86}
    if kind == _DELTA and len(own) == 1:
        return {"id": lzma.FILTER_DELTA, "dist": own[0] + 1}
    raise BadArchiveError(f"the coder {kind.hex()} is not read {_UNPACK_IT}")


def _lzma_filter(coder: bytes, own: bytes, size: int) -> dict[str, int]:
    """The coder's settings; its dictionary never needs to be larger than what is unpacked."""
    largest = max(size, _LEAST_DICTIONARY)
    if coder == _LZMA2:
        if len(own) != 1 or own[0] > 40:
            raise BadArchiveError("the properties of its LZMA2 coder are broken")
        wanted = 0xFFFFFFFF if own[0] == 40 else (2 | (own[0] & 1)) << (own[0] // 2 + 11)
        return {"id": lzma.FILTER_LZMA2, "dict_size": min(wanted, largest)}
    if len(own) != 5 or own[0] >= 9 * 5 * 5:
        raise BadArchiveError("the properties of its LZMA coder are broken")
    rest, lc = divmod(own[0], 9)
    pb, lp = divmod(rest, 5)
    wanted = max(int.from_bytes(own[1:], "little"), _LEAST_DICTIONARY)
    return {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": min(wanted, largest)}


def _agree(data: bytes, crc: int, what: str) -> None:
    if zlib.crc32(data) != crc:
        raise BadArchiveError(f"{what} does not have the CRC32 that is written in it")
