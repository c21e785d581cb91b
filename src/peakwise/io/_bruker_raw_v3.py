"""Bruker RAW version 3 (``RAW1.01``), written by DIFFRAC-plus.

A file header of 712 bytes, then for each range a header, supplementary records, and the points. Little-endian::

      0  char[7]   "RAW1.01"             608  char[4]  anode
      8  int32     1 done, 2 running,    624  float64  Kα1 [angstrom]
                   3 aborted,            632  float64  Kα2
                   4 interrupted         648  float64  Kα2/Kα1
     12  int32     ranges                656  char[4]  unit of the wavelengths, A or nm
     16  char[10]  date, MM/DD/YY         36  char[72]  user
     26  char[10]  time, HH:MM:SS        326  char[60]  sample
                                         386  char[160] comment

    range header:
      0  int32     length, 304           192  float32  time per step [s]
      4  int32     points measured       196  int32    scan type, see the table below
      8  float64   θ start [deg]         204  float32  time at which the range started [s]
     16  float64   2θ start              212  float32  temperature [K]
     24  float64   χ start               224  int32    tube voltage [kV]
     32  float64   φ start               228  int32    tube current [mA]
     40  float64   x, y, z start [mm]    248  int32    bits: what varies from point to point
    176  float64   step                  252  int32    length of a point: 4 + 8 for each of these bits
                                         256  int32    length of the supplementary records

    point: float32 counts, then one float64 for each bit set in 248: 2θ, θ, χ, φ, x, y, z, three auxiliary drives,
    time [s], temperature [K]

9999 (and -1 for the temperature) mean 'not set'. Published in "DIFFRAC-plus XCH V5.0, User's Manual" (2002), appendix
A. That the points are counts and not rates shows where two ranges with different times overlap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._binary import Fields, date_of, element, intensity_unit, known, measured_axis, stepped_axis, tube
from peakwise.io._limits import check_limit
from peakwise.io._scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["read_v3"]

_HEADER, _RANGE_HEADER = 712, 304
_UNFINISHED = {2: "running", 3: "aborted", 4: "interrupted"}
_NOT_SET = (9999.0, -1e6)
_NO_TEMPERATURE = (-1.0, 0.0, 9999.0)

# What the drives are called here, where their start stands in the range header and which bit says that they vary.
_DRIVES = {
    "2theta": ("two_theta", 16, 0),
    "theta": ("omega", 8, 1),
    "chi": ("chi", 24, 2),
    "phi": ("phi", 32, 3),
    "x": ("position", 40, 4),
    "y": ("position", 48, 5),
    "z": ("position", 56, 6),
}
_BIT_TIME, _BIT_TEMPERATURE, _BITS = 10, 11, 12

# Scan types and the drive along which the points lie; None where the range header does not hold it.
_SCAN_TYPES: dict[int, tuple[str, str | None]] = {
    0: ("Locked Coupled", "2theta"),
    1: ("Unlocked Coupled", "2theta"),
    2: ("Detector Scan", "2theta"),
    3: ("Rocking Curve", "theta"),
    4: ("Chi Scan", "chi"),
    5: ("Phi Scan", "phi"),
    6: ("X Scan", "x"),
    7: ("Y Scan", "y"),
    8: ("Z Scan", "z"),
    9: ("Aux1 Scan", None),
    10: ("Aux2 Scan", None),
    11: ("Aux3 Scan", None),
    12: ("Psi Scan", None),
    13: ("HKL Scan", None),
    14: ("Reciprocal Space Scan", None),
    20: ("Unlocked Coupled HRXRD", "2theta"),
    129: ("PSD Fixed Scan", "2theta"),
    130: ("PSD Fast Scan", "2theta"),
}


def read_v3(source: Source) -> list[Scan]:
    """Every range of the file."""
    fields = Fields(source)
    fields.need(0, _HEADER, "its file header")
    announced = fields.whole("i", 12)
    state = _UNFINISHED.get(fields.whole("i", 8))
    if announced < 1:
        raise source.damaged(f"its header announces {announced} ranges, at least 1 is needed")
    common = {
        "sample": fields.text(326, 60),
        "comment": fields.text(386, 160),
        "operator": fields.text(36, 72),
        "date": date_of(f"{fields.text(16, 10)} {fields.text(26, 10)}", "%m/%d/%y %H:%M:%S"),
        "anode": element(fields.text(608, 4)),
    }
    scans: list[Scan] = []
    at = _HEADER
    for number in range(1, announced + 1):
        check_limit(number, "scans", "the file", source.path)
        if state and scans and len(fields) - at < _RANGE_HEADER:
            scans[-1].warnings.append(f"the measurement was {state}: {number - 1} of {announced} ranges are there")
            break
        scan, at = _read_range(fields, at, f"range {number}: " if announced > 1 else "", state)
        if scan is not None:
            scan.meta = {**common, **scan.meta}
            if announced == 1:
                scan.meta.pop("time", None)
            scans.append(scan)
    if not scans:
        raise source.damaged(f"none of its {announced} ranges holds a point", "Check that the measurement was started")
    scans[-1].warnings += fields.unread(at)
    return scans


def _read_range(fields: Fields, at: int, where: str, state: str | None) -> tuple[Scan | None, int]:
    """One range (None where nothing was measured) and the offset of the next one."""
    source = fields.source
    fields.need(at, _RANGE_HEADER, f"{where}the range header")
    length, count, extra = fields.whole("i", at), fields.whole("i", at + 4), fields.whole("i", at + 256)
    varying = [bit for bit in range(_BITS) if fields.whole("i", at + 248) >> bit & 1]
    size = fields.whole("i", at + 252) or 4  # 0 from programs that leave the field empty
    if length < _RANGE_HEADER or count < 0 or extra < 0:
        raise source.damaged(f"{where}impossible lengths: header {length}, points {count}, supplement {extra}")
    if size != 4 + 8 * len(varying):
        raise source.damaged(
            f"{where}a point of {size} bytes, {4 + 8 * len(varying)} are needed for {len(varying)} drives"
        )
    data = at + length + extra
    if count == 0:
        return None, data
    notes: list[str] = []
    held = fields.held(data, count, size)
    if state and 0 < held < count:
        notes.append(f"{where}the measurement was {state}: {held} of {count} points are there")
        count = held
    y = fields.column("f", data, count, size)
    columns = {bit: fields.column("d", data, count, size, 4 + 8 * i) for i, bit in enumerate(varying)}
    kind, name, x = _axis(fields, at, count, columns, where, notes)
    nm = fields.text(656, 4).lower() == "nm"
    one, two = (fields.real("d", p) * (10 if nm else 1) for p in (624, 632))
    scan = Scan(
        x,
        y,
        kind,
        radiation=tube(one, two, fields.real("d", 648), element(fields.text(608, 4)), notes),
        unit=intensity_unit(source, y, notes, where),
        meta={"scan_axis": name, **_conditions(fields, at, columns, where, notes)},
        warnings=notes,
    )
    return scan, data + count * size


def _axis(
    fields: Fields, at: int, count: int, columns: dict[int, NDArray[np.float64]], where: str, notes: list[str]
) -> tuple[str, str, NDArray[np.float64]]:
    """What the axis is, what the file calls the scan, and the positions."""
    code = fields.whole("i", at + 196)
    name, drive = _SCAN_TYPES.get(code, (f"scan type {code}", None))
    if drive is None:
        notes.append(f"{where}along a {name} no position is known: the points are numbered")
        return "channel", name, np.arange(count, dtype=np.float64)
    kind, start, bit = _DRIVES[drive]
    if bit in columns:
        return kind, name, measured_axis(fields.source, kind, columns[bit], where)
    x = stepped_axis(fields.source, kind, fields.real("d", at + start), fields.real("d", at + 176), count, where)
    return kind, name, x


def _conditions(
    fields: Fields, at: int, columns: dict[int, NDArray[np.float64]], where: str, notes: list[str]
) -> dict[str, Any]:
    """Counting time, angles, temperature and tube of one range."""
    angles = {name: fields.real("d", at + p) for name, p in (("omega", 8), ("chi", 24), ("phi", 32))}
    found: dict[str, Any] = known(angles, *_NOT_SET)
    found |= known({"temperature": fields.real("f", at + 212)}, *_NO_TEMPERATURE)
    if _BIT_TEMPERATURE in columns:
        found["temperature"] = float(columns[_BIT_TEMPERATURE].mean())
    if _BIT_TIME in columns:
        notes.append(f"{where}the counting time varies from point to point; it is not applied")
    else:
        found |= known({"count_time": fields.real("f", at + 192)}, 0.0)
    found |= known({"time": fields.real("f", at + 204)})
    tube_settings = {"voltage": float(fields.whole("i", at + 224)), "current": float(fields.whole("i", at + 228))}
    return found | known(tube_settings, 0.0, 9999.0)
