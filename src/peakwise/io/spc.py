"""Galactic (Thermo) SPC: spectra of GRAMS and of many infrared and Raman instruments.

Layout of the new format, version 0x4B with the low byte first, 0x4C with the high byte first::

    header (512 bytes)
      0 B flags       1 B version     2 B technique    3 b exponent (-128: floats)   4 i points (or directory)
      8 d first x    16 d last x     24 i subfiles    28 B x type   29 B y type     30 B z type   31 B
     32 I date       36 9s resolution 45 9s source    54 H 56 8f    88 130s comment 218 30s labels of x, y, z
    248 I log        252 ...         312 f z step    316 ...
    x     points x float, only with flag TXVALS and without TXYXYS
    then for every subfile
      subheader (32 bytes)  0 B  1 b exponent  2 H index  4 f z  8 f next z  12 f  16 i points  20 i scans  24 f w
      x   points x float, only with TXYXYS
      y   points x int32, int16 (flag TSPREC) or float
    directory (only TXYXYS, at byte "points" of the header, if not 0): per subfile i position, i size, f z
    log (at byte "log", if not 0): i size, i, i offset of the text ...; the text ends with a zero byte

    flags: 1 TSPREC  2  4 TMULTI  8 TRANDM, 16 TORDRD (z of every subfile is its own)  32 TALABS (labels hold)
           64 TXYXYS (every subfile has its own x and number of points)  128 TXVALS (x are stored)
    y = integer x 2^(exponent - 32), or - 16 for int16; the exponent is the header's, with TMULTI the subfile's
    date: from the low end 6 bits minute, 5 hour, 5 day, 4 month, 12 year

The old format, version 0x4D, has a header of 256 bytes whose end is the first subheader, the number of points and both
ends of the axis as floats, the two halves of an int32 exchanged, and no log; subfiles run to the end of the file.

"Universal Data Format Specification", Galactic Industries Corp., 1997 (SPC.H of the GRAMS developers' kit).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._limits import check_limit
from peakwise.io._scan import Format, Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["GALACTIC_SPC"]

_TSPREC, _TMULTI, _TRANDM, _TORDRD, _TALABS, _TXYXYS, _TXVALS = 1, 4, 8, 16, 32, 64, 128
_NEW, _OLD, _SUB = 512, 256, 32  # bytes of the headers
_FLOATS = -128
_DIFFRACTION = 8  # technique
_RAMAN = 11
_HIGHEST_TYPE = 30
# Type of x -> kind of axis and factor to its unit; the others are kept as they are.
_X_TYPES = {
    1: ("wavenumber", 1.0), 2: ("wavelength", 1e3), 3: ("wavelength", 1.0), 6: ("frequency", 1e-12),
    7: ("frequency", 1e-9), 8: ("frequency", 1e-6), 13: ("raman_shift", 1.0), 14: ("energy", 1e-3),
    16: ("channel", 1.0), 17: ("channel", 1.0), 22: ("channel", 1.0), 26: ("frequency", 1e-3),
    27: ("position", 10.0), 28: ("position", 1e3), 29: ("position", 1.0),
}  # fmt: skip
_X_NAMES = {
    0: "arbitrary units", 4: "seconds", 5: "minutes", 9: "m/z", 10: "ppm", 11: "days", 12: "years", 18: "degrees",
    19: "degrees Fahrenheit", 20: "degrees Celsius", 21: "kelvin", 23: "ms", 24: "us", 25: "ns", 30: "hours",
    255: "points of a double interferogram",
}  # fmt: skip
_Y_UNITS = {0: "arbitrary", 2: "absorbance", 4: "counts", 12: "arbitrary", 13: "arbitrary", 128: "transmittance"}
# Type of z -> name of the metadata, factor and offset to its unit.
_Z_TYPES = {
    4: ("time", 1.0, 0.0), 5: ("time", 60.0, 0.0), 11: ("time", 86400.0, 0.0), 23: ("time", 1e-3, 0.0),
    24: ("time", 1e-6, 0.0), 25: ("time", 1e-9, 0.0), 30: ("time", 3600.0, 0.0), 20: ("temperature", 1.0, 273.15),
    21: ("temperature", 1.0, 0.0), 19: ("temperature", 5 / 9, 273.15 - 32 * 5 / 9),
}  # fmt: skip


@dataclass(slots=True)
class _Head:
    """What both formats say."""

    order: str  # "<" or ">"
    old: bool
    flags: int
    technique: int
    exponent: int
    points: int
    first: float
    last: float
    subfiles: int
    x_type: int
    y_type: int
    z_type: int
    date: str
    resolution: str
    source: str
    comment: str
    labels: list[str]
    log: int
    z_step: float


@dataclass(slots=True)
class _Sub:
    """One subfile: its own x only with TXYXYS."""

    x: NDArray[np.float64] | None
    y: NDArray[np.float64]
    z: float
    next_z: float


def _sniff(source: Source) -> bool:
    head = source.head
    if len(head) < _OLD or head[1] not in (0x4B, 0x4C, 0x4D) or head.startswith(b"PK") or b"\0" not in head:
        return False
    flags = head[0]
    if (flags & _TXYXYS and not flags & _TXVALS) or (flags & _TRANDM and flags & _TORDRD):
        return False
    try:
        one = _head(head.ljust(_NEW, b"\0"))
    except (ValueError, OverflowError):  # the old format counts its points with a float: NaN, infinity
        return False
    return (
        all(math.isfinite(v) and (v == 0 or 1e-12 < abs(v) < 1e15) for v in (one.first, one.last))
        and (one.x_type <= _HIGHEST_TYPE or one.x_type == 255)
        and (one.y_type <= _HIGHEST_TYPE or 128 <= one.y_type <= 131)
        and 0 <= one.points < 1 << 30
        and 0 <= one.subfiles < 1 << 24
    )


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("cp1252", errors="replace").strip()


def _labels(raw: bytes) -> list[str]:
    return [part.decode("cp1252", errors="replace").strip() for part in raw.split(b"\0")[:3]]


def _head(data: bytes) -> _Head:
    if data[1] == 0x4D:
        return _old_head(data)
    order = "<" if data[1] == 0x4B else ">"
    flags, technique, exponent, points, first, last, subs, x, y, z, date = struct.unpack_from(
        order + "BxBbiddiBBBxI", data, 0
    )
    resolution, instrument = struct.unpack_from("9s9s", data, 36)
    comment, labels = struct.unpack_from("130s30s", data, 88)
    (log,) = struct.unpack_from(order + "I", data, 248)
    (z_step,) = struct.unpack_from(order + "f", data, 312)
    year, month, day, hour, minute = date >> 20, date >> 16 & 15, date >> 11 & 31, date >> 6 & 31, date & 63
    when = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00" if date else ""
    return _Head(
        order, False, flags, technique, exponent, points, first, last, subs, x, y, z, when,
        _text(resolution), _text(instrument), _text(comment), _labels(labels), log, z_step,
    )  # fmt: skip


def _old_head(data: bytes) -> _Head:
    flags, exponent, points, first, last, x, y, year, month, day, hour, minute = struct.unpack_from(
        "<BxhfffBBHBBBB", data, 0
    )
    (resolution,) = struct.unpack_from("8s", data, 24)
    comment, labels = struct.unpack_from("130s30s", data, 64)
    z, year = year >> 12, year & 4095
    when = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00" if year else ""
    if exponent == 128:
        exponent = _FLOATS
    return _Head(
        "<", True, flags & ~(_TXVALS | _TXYXYS), 0, exponent, int(points), first, last, 0, x, y, z, when,
        _text(resolution), "", _text(comment), _labels(labels), 0, 0.0,
    )  # fmt: skip


def _read(source: Source) -> list[Scan]:
    data = source.data
    size = _OLD if data[1] == 0x4D else _NEW
    if len(data) < size:
        raise source.damaged(f"it has {len(data)} bytes, its header alone has {size}")
    head = _head(data)
    own_x = bool(head.flags & _TXYXYS)
    if not own_x and not 0 < head.points <= len(data):
        raise source.damaged(f"its header promises {head.points} points in {len(data)} bytes")
    x, place = _common_x(source, head, size)
    subs = list(_subfiles(source, head, place))
    if own_x:
        z = _z_values(head, subs)
        return [_scan(source, head, x, [sub], z[i : i + 1]) for i, sub in enumerate(subs)]
    return [_scan(source, head, x, subs, _z_values(head, subs))]


def _common_x(source: Source, head: _Head, place: int) -> tuple[NDArray[np.float64], int]:
    """Positions that all subfiles share, and where the first subfile begins."""
    if head.flags & _TXYXYS:
        return np.empty(0), place
    if head.flags & _TXVALS:
        return _numbers(source, head.order + "f4", head.points, place, "x values"), place + 4 * head.points
    x = np.linspace(head.first, head.last, head.points)
    return x, place - _SUB if head.old else place  # the old header ends with the first subheader


def _subfiles(source: Source, head: _Head, place: int) -> list[_Sub]:
    """All subfiles, each read where the one before ends, or where the directory says."""
    count = head.subfiles if head.flags & _TMULTI and not head.old else 1
    data = source.data
    check_limit(count, "scans", "the file", source.path)
    if count < 1 or count * _SUB > len(data):
        raise source.damaged(f"its header promises {count} spectra in {len(data)} bytes")
    directory = head.points if head.flags & _TXYXYS else 0
    subs: list[_Sub] = []
    total = 0
    while len(subs) < count or (head.old and head.flags & _TMULTI and place + _SUB <= len(data)):
        if directory:
            at = directory + 12 * len(subs)
            if at + 12 > len(data):
                raise source.damaged(f"its directory ends after {len(subs)} of {count} spectra")
            (place,) = struct.unpack_from(head.order + "i", data, at)
        sub, place = _subfile(source, head, place, len(subs) + 1)
        subs.append(sub)
        total += sub.y.size  # a directory may name one place twice: what is read stays bounded
        check_limit(total, "points", "the file", source.path)
        if total > len(data):
            raise source.damaged(f"its spectra hold more than {total} points in {len(data)} bytes")
    return subs


def _subfile(source: Source, head: _Head, place: int, number: int) -> tuple[_Sub, int]:
    if place < 0 or place + _SUB > len(source.data):
        raise source.damaged(f"it ends before spectrum {number}: byte {place} of {len(source.data)}")
    own_exponent, _, z, next_z, _, own_points = struct.unpack_from(head.order + "xbHfffi", source.data, place)
    place += _SUB
    points, x = head.points, None
    if head.flags & _TXYXYS:
        points = own_points
        x = _numbers(source, head.order + "f4", points, place, f"x values of spectrum {number}")
        place += 4 * points
    exponent = own_exponent if head.flags & _TMULTI else head.exponent
    words = 2 if head.flags & _TSPREC and exponent != _FLOATS else 4
    kind = "f4" if exponent == _FLOATS else f"i{words}"
    if head.old and kind == "i4":
        halves = _numbers(source, "<u2", 2 * points, place, f"intensities of spectrum {number}").astype(np.uint32)
        y = (halves[0::2] << 16 | halves[1::2]).astype(np.uint32).view(np.int32).astype(np.float64)
    else:
        y = _numbers(source, head.order + kind, points, place, f"intensities of spectrum {number}")
    if exponent != _FLOATS:
        y = np.ldexp(y, exponent - 8 * words)
    return _Sub(x, y, z, next_z), place + words * points


def _numbers(source: Source, kind: str, count: int, place: int, what: str) -> NDArray[np.float64]:
    size = np.dtype(kind).itemsize
    there = max(0, len(source.data) - place) // size
    if count < 0 or count > there:
        raise source.damaged(f"it ends within the {what}: {there} of {count} are there")
    return np.frombuffer(source.data, kind, count, place).astype(np.float64)


def _z_values(head: _Head, subs: list[_Sub]) -> NDArray[np.float64]:
    """The third coordinate of every subfile: stored, or evenly spaced from the first."""
    stored = np.array([sub.z for sub in subs], dtype=np.float64)
    if head.flags & (_TRANDM | _TORDRD) or len(subs) < 2:
        return stored
    step = head.z_step or subs[0].next_z - subs[0].z
    return stored[0] + step * np.arange(len(subs)) if step else stored


def _scan(source: Source, head: _Head, x: NDArray[np.float64], subs: list[_Sub], z: NDArray[np.float64]) -> Scan:
    kind, factor, notes = _kind(head)
    own = subs[0].x
    unit = _Y_UNITS.get(head.y_type, "unknown")
    table = np.stack([sub.y for sub in subs])
    meta: dict[str, Any] = {
        "title": head.comment,
        "date": head.date,
        "instrument": head.source,
        "resolution": head.resolution,
        "log": _log(source, head),
    }
    if head.flags & _TMULTI and np.isfinite(z).all():
        name, scale, zero = _Z_TYPES.get(head.z_type, ("z", 1.0, 0.0))
        meta[name] = z * scale + zero if len(z) > 1 else float(z[0] * scale + zero)
    return Scan((x if own is None else own) * factor, table, kind, unit=unit, meta=meta, warnings=notes)


def _kind(head: _Head) -> tuple[str | None, float, list[str]]:
    """Kind of axis, factor to its unit, and what was left open."""
    label = head.labels[0] if head.flags & _TALABS and head.labels else ""
    if head.x_type in _X_TYPES:
        kind, factor = _X_TYPES[head.x_type]
        return ("raman_shift" if kind == "wavenumber" and head.technique == _RAMAN else kind), factor, []
    if head.technique == _DIFFRACTION and head.x_type in (0, 18):
        return ("two_theta" if head.x_type == 18 else None), 1.0, []
    name = label or _X_NAMES.get(head.x_type, f"type {head.x_type}")
    return "channel", 1.0, [f"the axis is in {name}: its positions are given as they are"]


def _log(source: Source, head: _Head) -> str:
    """Text of the log block, as one line per entry; nothing where the block is not there."""
    if not head.log or head.log + 64 > len(source.data):
        return ""
    size, _, offset = struct.unpack_from(head.order + "iii", source.data, head.log)
    if not 0 < offset <= size:
        return ""
    text = source.data[head.log + offset : head.log + size].partition(b"\0")[0]
    return text.decode("cp1252", errors="replace").replace("\r\n", "\n").strip()


GALACTIC_SPC = Format("galactic_spc", "Galactic (Thermo) SPC spectra", (".spc",), _sniff, _read)
