"""Stoe RAW: the binary powder scans of Stoe WinXPOW, revisions 1.05 and 1.06.

Records of 512 bytes, little-endian. Record 1 is the file header::

      0  char[8]   "RAW_1.06"                   0x136  int16    anode: 1 Ag, 2 Mo, 3 Cu, 4 Co, 5 Fe, 6 Cr, 7 other
      8  char[8]   program                      0x13e  int16    tube voltage [kV]
   0x10  char[16]  date, DD-Mon-YY HH:MM        0x140  int16    tube current [mA]
   0x20  char[80]  title                        0x142  float32  Kα1 [angstrom]
   0x70  char[192] comment                      0x146  float32  Kα2
  0x134  int16     monochromator (+ 100: with   0x168  int16    scan type: 1 2θ, 2 ω, 3 2θ:ω, 4 independent
                   a motor): 2 Ge(111) curved,  0x17a  int16    ranges measured
                   6 Ge(111), 7 Ge(220),        0x17c  int16    range being measured, 0 when the scan is over
                   8 GaAs: Kα1 alone            0x1e0  int16[8] record number of each range header, counted from 1

and each range header::

   0x00  char[16]  start, DD-Mon-YY HH:MM        0x34  float32[2]  end of 2θ and ω
   0x22  uint16    points                        0x3c  float32[2]  steps of 2θ and ω
   0x26  int16     0: int32 counts, 1: 16 bit    0x44  float32     time per step [s]
   0x28  float32   counts were multiplied by     0x76  uint16      bits: what was done to the data
                   this, if it is more than 1    0x78  int32       smallest count
   0x2c  float32[2] start of 2θ and ω [deg]      0x7c  int32       largest count

The points begin with the next record. The file states start, end, step and number of points, and the smallest and the
largest count, so that a wrong offset cannot pass. Described in the source of DASH (CCDC, open source) from Stoe's own
header file. There is a field for the temperature at 0x54, but not in which unit.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from peakwise.io._binary import Fields, intensity_unit, known, stepped_axis, tube
from peakwise.io._dates import iso_date
from peakwise.io._scan import Format, Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source
    from peakwise.patterns import Radiation

__all__ = ["STOE_RAW"]

_RECORD = 512
_MOST_RANGES = 8
_REVISIONS = ("RAW_1.05", "RAW_1.06")
_ANODES = {1: "Ag", 2: "Mo", 3: "Cu", 4: "Co", 5: "Fe", 6: "Cr"}
_KA1_ALONE = (2, 6, 7, 8)  # monochromators that separate Kα1 from Kα2
_OMEGA, _FREE = 2, 4
_SCAN_TYPES = {1: "2Theta", _OMEGA: "Omega", 3: "2Theta:Omega", _FREE: "2Theta, Omega"}
_STRIPPED = 7
_DONE = {4: "2theta scale changed", 5: "smoothed", 6: "background subtracted", _STRIPPED: "Ka2 stripped"}
_DONE |= {8: "modified", 9: "corrected for absorption"}


def _sniff(source: Source) -> bool:
    return re.match(rb"RAW_1\.\d\d", source.head) is not None


def _read(source: Source) -> list[Scan]:
    fields = Fields(source)
    fields.need(0, _RECORD, "its file header")
    revision = fields.text(0, 8)
    if revision not in _REVISIONS:
        raise source.damaged(f"its revision is {revision}, {' and '.join(_REVISIONS)} are read", "Export it as text")
    measured, current = fields.whole("h", 0x17A), fields.whole("h", 0x17C)
    if not 1 <= measured <= _MOST_RANGES:
        raise source.damaged(f"its header says that {measured} ranges were measured, 1 to {_MOST_RANGES} are possible")
    common = {
        "title": fields.text(0x20, 80),
        "comment": fields.text(0x70, 192),
        "anode": _ANODES.get(fields.whole("h", 0x136)),
        "scan_axis": _SCAN_TYPES.get(fields.whole("h", 0x168)),
        "voltage": float(fields.whole("h", 0x13E)),
        "current": float(fields.whole("h", 0x140)),
    }
    scans = []
    for number in range(measured):
        record = fields.whole("h", 0x1E0 + 2 * number)
        if record < 2:
            raise source.damaged(
                f"range {number + 1} is said to begin in record {record}; records 2 and up can hold it"
            )
        scan = _read_range(fields, (record - 1) * _RECORD, f"range {number + 1}: " if measured > 1 else "")
        scan.meta = {**common, **scan.meta}
        scans.append(scan)
    if current:
        scans[-1].warnings.append(f"range {current} was still being measured when the file was written")
    return scans


def _read_range(fields: Fields, at: int, where: str) -> Scan:
    fields.need(at, _RECORD, f"{where}the range header")
    count = fields.whole("H", at + 0x22)
    code, size = ("I", 4) if fields.whole("h", at + 0x26) == 0 else ("H", 2)
    notes: list[str] = []
    y = fields.column(code, at + _RECORD, count, size)
    stated = (fields.whole("I", at + 0x78), fields.whole("I", at + 0x7C))
    if count and stated != (0, 0) and stated != (y.min(), y.max()):
        why = f"{where}counts from {stated[0]} to {stated[1]} are stated, {y.min():g} to {y.max():g} are there"
        raise fields.source.damaged(why)
    factor = fields.real("f", at + 0x28)
    if factor > 1:
        y = y / factor
    kind, x = _axis(fields, at, count, where, notes)
    done = [text for bit, text in _DONE.items() if fields.whole("H", at + 0x76) >> bit & 1]
    if done:
        notes.append(f"{where}the file says about its data: {', '.join(done)}")
    return Scan(
        x,
        y,
        kind,
        radiation=_radiation(fields, _DONE[_STRIPPED] in done, notes),
        unit=intensity_unit(fields.source, y, notes, where),
        meta=_conditions(fields, at),
        warnings=notes,
    )


def _axis(fields: Fields, at: int, count: int, where: str, notes: list[str]) -> tuple[str, NDArray[Any]]:
    """What the axis is, and the positions."""
    scan_type = fields.whole("h", 0x168)
    free_omega = scan_type == _FREE and fields.real("f", at + 0x3C) == 0
    kind, second = ("omega", 4) if scan_type == _OMEGA or free_omega else ("two_theta", 0)
    start, end, step = (fields.real("f", at + p + second) for p in (0x2C, 0x34, 0x3C))
    x = stepped_axis(fields.source, kind, start, step, count, where)
    if abs(start + step * (count - 1) - end) > 1.5 * step:
        notes.append(f"{where}{count} points from {start:g} in steps of {step:g} do not end at {end:g} as stated")
    return kind, x


def _radiation(fields: Fields, stripped: bool, notes: list[str]) -> Radiation | None:
    """The lines of the tube. A wavelength that the user defined (anode 7) is no doublet with a known ratio."""
    anode = _ANODES.get(fields.whole("h", 0x136))
    one, two = fields.real("f", 0x142), fields.real("f", 0x146)
    alone = stripped or anode is None or fields.whole("h", 0x134) % 100 in _KA1_ALONE
    return tube(one, 0.0 if alone else two, None, anode, notes)


def _conditions(fields: Fields, at: int) -> dict[str, Any]:
    found: dict[str, Any] = {"date": iso_date(fields.text(at, 16) or fields.text(0x10, 16))}
    found |= known({"count_time": fields.real("f", at + 0x44)}, 0.0)
    return found | known({"omega": fields.real("f", at + 0x30)})


STOE_RAW = Format("stoe_raw", "Stoe WinXPOW RAW", (".raw",), _sniff, _read)
