r"""Detector frames: recognised and measured here, decoded by fabio.

What is looked at before anything is decoded, so that no header can ask for more memory than its file deserves::

    CBF     "###CBF:" ...   MIME header: X-Binary-Size: bytes   X-Binary-Size-Fastest-Dimension, -Second-Dimension: n
            0x0C 0x1A 0x04 0xD5 then the packed bytes           (imgCIF/CBF, International Tables G, 5.6)
    TIFF    "II*\0" or "MM\0*"  offset:u32 -> count:u16 { tag:u16 type:u16 n:u32 value:u32 }
            tag 256 width, 257 height                           (TIFF 6.0, section 2)
    EDF     "{" name = value ; ... "}" newline then the numbers; Dim_1, Dim_2, DataType, Size     (ESRF data format)
    mar345  1234:i32 size:i32 high:i32 ..., "mar research" at byte 128, packed numbers after "CCP4 packed image"
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import MissingExtraError, PeakwiseError, one_line
from peakwise.io._limits import check_limit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["frame_kind", "read_frames"]

_MOST_HEADER = 1 << 16
_MOST_SHRUNK = 2000  # a frame may take that many times the bytes of its file: what constant frames pack to
_MAR = struct.pack("<i", 1234), struct.pack(">i", 1234)
_EDF_SIZES = {"byte": 1, "char": 1, "short": 2, "int": 4, "integer": 4, "long": 4, "float": 4, "real": 4, "double": 8}
_ELEMENT = re.compile(r"X-Binary-Element-Type:\s*\"?(un)?signed (8|16|32|64)-bit integer", re.IGNORECASE)
_CHECKSUM = re.compile(r"Content-MD5:\s*([A-Za-z0-9+/]{22}==)")
_POLARISATION = re.compile(r"polari[sz]ation\W{1,4}(-?[01](?:\.\d+)?)\b", re.IGNORECASE)
_EXPOSURE = re.compile(r"exposure_time\W{1,4}(\d+(?:\.\d+)?(?:e-?\d+)?)\s*s?\b", re.IGNORECASE)


def frame_kind(head: bytes) -> str | None:
    """Which kind of frame begins like that: cbf, tif, edf, mar345 or none."""
    if head.startswith(b"###CBF:"):
        return "cbf"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "tif"
    if head[:4] in _MAR and b"mar research" in head[64:256]:
        return "mar345"
    if head.lstrip()[:1] == b"{" and re.search(rb"(?:^|[;{\n])\s*Dim_1\s*=\s*\d+\s*;", head):
        return "edf"
    return None


def read_frames(source: Source) -> tuple[list[NDArray[Any]], dict[str, float]]:
    """All frames of a file (rows from the top, as fabio gives them), and what their header says of the measurement."""
    kind = frame_kind(source.head)
    if kind is None:
        raise source.damaged("it is no frame of the kinds cbf, tif, edf and mar345")
    frames, header = _read_cbf(source) if kind == "cbf" else _read_others(source, kind)
    for frame in frames:
        if frame.ndim != 2 or frame.dtype.kind not in "iuf" or frame.shape != frames[0].shape:
            raise source.damaged(f"a frame must be a table of numbers, it holds {frame.dtype} of shape {frame.shape}")
    return frames, _said(header)


def _read_others(source: Source, kind: str) -> tuple[list[NDArray[Any]], str]:
    """TIFF, EDF and mar345 through fabio."""
    {"tif": _check_tif, "edf": _check_edf, "mar345": _check_mar}[kind](source)
    try:
        from fabio import edfimage, mar345image, tifimage
        from fabio.fabioutils import BytesIO  # with the lock that its EDF reader asks for
    except ImportError as problem:
        raise missing("fabio", source) from problem
    log = logging.getLogger("fabio")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)  # what it would print is told by the error
    reader = {"tif": tifimage.TifImage, "edf": edfimage.EdfImage, "mar345": mar345image.Mar345Image}[kind]
    try:
        image = reader().read(BytesIO(source.data, fname=source.name))
        check_limit(image.nframes, "scans", "the file", source.path)
        frames = [np.asarray(image.data)] if image.nframes == 1 else [np.asarray(f.data) for f in image.frames()]
    except PeakwiseError:
        raise
    except Exception as problem:
        raise source.damaged(
            f"fabio cannot decode it ({type(problem).__name__}: {one_line(problem, 200)})"
        ) from problem
    finally:
        log.setLevel(level)
    return frames, " ".join(f"{k}: {v}" for k, v in dict(image.header).items())


def _read_cbf(source: Source) -> tuple[list[NDArray[Any]], str]:
    """CBF; of fabio only the unpacking: its reader does not end on some damaged headers, and passes wrong checksums."""
    start, size, height, width = _check_cbf(source)
    header = source.data[max(0, start - _MOST_HEADER) : start].decode("latin-1")
    if re.search(r"conversions\s*=\s*\"x-CBF_BYTE_OFFSET\"", header) is None:
        raise source.damaged("its pixels are not packed as x-CBF_BYTE_OFFSET", "Export it as TIFF or EDF")
    element = _ELEMENT.search(header)
    if element is None:
        raise source.damaged("its binary header does not tell the type of its pixels")
    packed = source.data[start + 4 : start + 4 + size]
    checksum = _CHECKSUM.search(header)
    if checksum is not None:
        found = base64.b64encode(hashlib.md5(packed, usedforsecurity=False).digest()).decode()
        if found != checksum[1]:
            raise source.damaged(f"its pixels have the checksum {found}, its header promises {checksum[1]}")
    try:
        from fabio.compression import decByteOffset
    except ImportError as problem:
        raise missing("fabio", source) from problem
    values = decByteOffset(packed, size=height * width, dtype="int32" if element[2] == "32" else "int64")
    if values.size != height * width:
        raise source.damaged(f"it holds {values.size} of the {height * width} pixels that its header promises")
    sort = ("u" if element[1] == "un" else "") + f"int{element[2]}"
    return [values.reshape(height, width).astype(sort)], header


def missing(name: str, source: Source) -> MissingExtraError:
    """The error for a library of the extra `images` that is not there."""
    return MissingExtraError(
        "cannot read the frame", f"{name} is needed for 2-D frames and is not installed",
        "Install it with pip install peakwise[images]", file=source.path,
    )  # fmt: skip


def _said(header: str) -> dict[str, float]:
    """What the header says of the measurement."""
    text = header[:_MOST_HEADER]
    found = {"polarisation": _POLARISATION.search(text), "count_time": _EXPOSURE.search(text)}
    return {name: float(match[1]) for name, match in found.items() if match is not None}


def _check_size(source: Source, height: int, width: int) -> None:
    check_limit(height * width, "points", "the frame", source.path)
    if height < 2 or width < 2 or height * width > len(source.data) * _MOST_SHRUNK:
        raise source.damaged(f"its header promises {height}x{width} pixels, it has {len(source.data)} bytes")


def _check_cbf(source: Source) -> tuple[int, int, int, int]:
    """Where the binary section begins, how many bytes it has, and height and width of the frame."""
    start = source.data.find(b"\x0c\x1a\x04\xd5")
    if start < 0:
        raise source.damaged("its binary section is missing")
    mime = source.data[max(0, start - _MOST_HEADER) : start].decode("latin-1")
    said = {k.lower(): int(v) for k, v in re.findall(r"(X-Binary-[\w-]+):\s*(\d{1,12})\b", mime)}
    try:
        size = said["x-binary-size"]
        width, height = said["x-binary-size-fastest-dimension"], said["x-binary-size-second-dimension"]
    except KeyError as problem:
        raise source.damaged(f"its binary header lacks {problem}") from problem
    there = len(source.data) - start - 4
    if there < size or height * width > size:  # every pixel takes at least one byte
        raise source.damaged(f"it holds {there} of the {size} bytes promised for {height}x{width} pixels")
    elements = said.get("x-binary-number-of-elements", height * width)
    if elements != height * width:
        raise source.damaged(f"its header promises {height}x{width} pixels, and {elements} numbers")
    _check_size(source, height, width)
    return start, size, height, width


def _check_tif(source: Source) -> None:
    data, order = source.data, "<" if source.head[:2] == b"II" else ">"
    (offset,) = struct.unpack_from(order + "I", data, 4)
    (n,) = struct.unpack_from(order + "H", data, offset)
    tags: dict[int, int] = {}
    for i in range(n):
        tag, kind, _, value = struct.unpack_from(order + "HHII", data, offset + 2 + 12 * i)
        if kind == 3:  # a short stands in the first two bytes of the field
            (value,) = struct.unpack_from(order + "H", data, offset + 10 + 12 * i)
        tags[tag] = value
    if 256 not in tags or 257 not in tags:
        raise source.damaged("its header gives no width and height")
    _check_size(source, tags[257], tags[256])


def _check_edf(source: Source) -> None:
    end = source.data.find(b"}", 0, _MOST_HEADER)
    if end < 0:
        raise source.damaged("its header has no end")
    text = source.data[:end].decode("latin-1")
    said = {k.lower(): v.strip() for k, v in re.findall(r"(\w+)\s*=\s*([^;]*);", text)}
    width, height = int(said["dim_1"]), int(said.get("dim_2", "1"))
    _check_size(source, height, width)
    words = re.sub(r"unsigned|signed|value|ieee|32|64", "", said.get("datatype", "short").lower())
    size = height * width * _EDF_SIZES.get(words, 1)
    there = len(source.data) - end - 1
    if said.get("compression", "none").lower() in ("none", "") and there < size:
        raise source.damaged(f"it holds {there} of the {size} bytes that {height}x{width} pixels take")


def _check_mar(source: Source) -> None:
    order = "<" if source.head[:4] == _MAR[0] else ">"
    (size,) = struct.unpack_from(order + "i", source.data, 4)
    if not 2 <= size <= _MOST_HEADER:
        raise source.damaged(f"its header promises {size}x{size} pixels")
    _check_size(source, size, size)
