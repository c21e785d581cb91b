"""Bruker RAW version 4 (``RAW4.00``), written by DIFFRAC.SUITE, DIFFRAC.EVA and the converter from BRML.

It is a chain of records with a length each; nothing but the first 61 bytes stands at a fixed offset. Little-endian::

      0  char[7]   "RAW4.00"             40  int32   ranges planned
     12  char[12]  date, MM/DD/YYYY      44  int32   ranges measured
     24  char[10]  time, HH:MM:SS        56  int32   length of all metadata records
                                         60  uint8   not 0: one more record comes before the metadata
     61  metadata records, then the ranges up to the end of the file

    record:  0 uint32 type, 4 uint32 length of the whole record, 8 content; unknown types are skipped
      10  text:     8 uint32 0 (else not text), 12 char[24] name, 36 value to the end of the record. The names
                    USER, SITE, SAMPLEID, COMMENT and CREATOR are used
      30  hardware: 80 float64 Kα1, 88 Kα2, 104 Kα2/Kα1, 116 char[4] anode, 120 char[4] unit of the wavelengths
      50  drive:    12 char[24] name (Theta, 2Theta, Chi, Phi, Divergence Slit ...), 56 float64 its position at start

    range:
      0  uint32    0 or 160              88  int32    points
      4  int32     points measured       92  float32  time per step [s], of all channels of a linear detector together
      8  int32     points completed     100  float32  tube voltage [kV]
     32  char[24]  scan type            104  float32  tube current [mA]
     68  float32   time at which the    112  float64  wavelength in use
                   range started [s]    120  int32    values that vary from point to point
     72  float64   start                124  int32    counters
     80  float64   step                 132  int32    bit 0: the counting time varies from point to point
                                        136  int32    length of a point
                                        140  int32    length of the records that follow
    160  records, as above
         points: float32 counts of the first counter, then the other counters and values

No description was published; the layout is known from Bruker's own header V4_RAW_FORMAT.H as read by Profex, from
xylib and from files that exist in two formats. Where the temperature is kept is not known.

Which drive the axis belongs to follows from the scan type and is checked with the positions of the drives: the start of
a coupled scan is where 2Theta stood. The flag in byte 8 of a drive record is its number and does not tell.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._binary import Fields, date_of, element, intensity_unit, known, stepped_axis, tube
from peakwise.io._limits import check_limit
from peakwise.io._scan import Scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from peakwise.io._source import Source
    from peakwise.patterns import Radiation

__all__ = ["read_v4"]

_PREAMBLE, _RANGE_HEADER = 61, 160
_RANGE_MARKS = (0, 160)  # the first word of a range; no record has these types
_TEXT, _HARDWARE, _DRIVE = 10, 30, 50
_LARGEST_POINT = 4096  # bytes; one point holds a few counters and positions
_SAME_PLACE = 1e-3  # [deg]: two positions of one drive

# Words in the name of a scan type, and the drive along which its points lie.
_SCANNED = (
    (("coupled", "detector", "psd", "2theta", "twotheta", "2-theta"), "2Theta"),
    (("rocking", "theta", "omega"), "Theta"),
    (("phi",), "Phi"),
    (("chi", "psi"), "Chi"),
)
_KINDS = {
    "2Theta": "two_theta",
    "Theta": "omega",
    "Phi": "phi",
    "Chi": "chi",
    "Psi": "chi",
    "X-Drive": "position",
    "Y-Drive": "position",
    "Z-Drive": "position",
}


@dataclass(slots=True)
class _Known:
    """What the records before the ranges, or inside one, tell."""

    texts: dict[str, str] = field(default_factory=dict)
    drives: dict[str, float] = field(default_factory=dict)
    lines: tuple[float, float, float] | None = None
    anode: str | None = None


def read_v4(source: Source) -> list[Scan]:
    """Every range of the file."""
    fields = Fields(source)
    fields.need(0, _PREAMBLE, "its file header")
    end = _end_of_metadata(fields)
    fields.need(_PREAMBLE, end - _PREAMBLE, "its metadata")
    about = _gather(fields, _PREAMBLE, end)
    measured = fields.whole("i", 44)
    common = {
        "sample": about.texts.get("SAMPLEID"),
        "comment": about.texts.get("COMMENT"),
        "operator": about.texts.get("USER"),
        "date": date_of(f"{fields.text(12, 12)} {fields.text(24, 10)}", "%m/%d/%Y %H:%M:%S"),
        "anode": about.anode,
    }
    scans: list[Scan] = []
    number, at = 0, end
    while len(fields) - at >= _RANGE_HEADER and fields.whole("I", at) in _RANGE_MARKS:
        number += 1
        check_limit(number, "scans", "the file", source.path)
        scan, at = _read_range(fields, at, f"range {number}: " if measured > 1 else "", about)
        if scan is not None:
            scan.meta = {**common, **scan.meta}
            scans.append(scan)
    if number < max(measured, 1):
        raise source.damaged(f"it holds {number} of the {max(measured, 1)} ranges its header promises")
    if not scans:
        raise source.damaged("none of its ranges holds a point", "Check that the measurement was started")
    if number == 1:
        scans[0].meta.pop("time", None)
    if fields.whole("i", 40) > number:
        scans[-1].warnings.append(f"{number} of {fields.whole('i', 40)} ranges were measured")
    scans[-1].warnings += fields.unread(at)
    return scans


def _end_of_metadata(fields: Fields) -> int:
    """Where the ranges begin. Whether the one more record counts in the length is not known, so it is walked over."""
    at = _PREAMBLE
    if not fields.whole("B", 60):
        return at + fields.whole("i", 56)
    while fields.whole("I", at) not in _RANGE_MARKS:
        at += _record(fields, at, len(fields))[1]
    return at


def _record(fields: Fields, at: int, end: int) -> tuple[int, int]:
    """Type and length of the record at an offset; refused where it is longer than what holds it."""
    fields.need(at, 8, "a record")
    kind, length = struct.unpack_from("<II", fields.data, at)
    if length < 8 or at + length > end:
        raise fields.source.damaged(f"the record of type {kind} at byte {at} has {length} bytes, {end - at} remain")
    return kind, length


def _records(fields: Fields, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Type, offset and length of the records that fill the bytes up to `end` exactly."""
    while at < end:
        kind, length = _record(fields, at, end)
        yield kind, at, length
        at += length


def _gather(fields: Fields, at: int, end: int) -> _Known:
    """What a chain of records tells."""
    about = _Known()
    for kind, start, length in _records(fields, at, end):
        if kind == _TEXT and length >= 36 and fields.whole("I", start + 8) == 0:
            about.texts[fields.text(start + 12, 24).upper()] = fields.text(start + 36, length - 36)
        elif kind == _HARDWARE and length >= 124:
            scale = 10.0 if fields.text(start + 120, 4).lower() == "nm" else 1.0
            one, two = fields.real("d", start + 80) * scale, fields.real("d", start + 88) * scale
            about.lines = (one, two, fields.real("d", start + 104))
            about.anode = element(fields.text(start + 116, 4))
        elif kind == _DRIVE and length >= 64:
            about.drives[fields.text(start + 12, 24)] = fields.real("d", start + 56)
    return about


def _read_range(fields: Fields, at: int, where: str, about: _Known) -> tuple[Scan | None, int]:
    """One range (None where nothing was measured) and the offset of the next one."""
    source = fields.source
    count, size, extra = (fields.whole("i", at + p) for p in (88, 136, 140))
    if count < 0 or extra < 0 or not 4 <= size <= _LARGEST_POINT:
        raise source.damaged(f"{where}impossible lengths: points {count} of {size} bytes, records {extra}")
    data = at + _RANGE_HEADER + extra
    fields.need(at, data - at, f"{where}the range header")
    inside = _gather(fields, at + _RANGE_HEADER, data)
    if count == 0:
        return None, data
    notes: list[str] = []
    completed, held = fields.whole("i", at + 8), fields.held(data, count, size)
    if 0 < completed < count:
        notes.append(f"{where}the header says that {completed} of {count} points were completed")
        if completed == held:
            count = held
    y = fields.column("f", data, count, size)
    if fields.whole("i", at + 124) > 1:
        notes.append(f"{where}a point holds {fields.whole('i', at + 124)} counters: the first is read")
    if fields.whole("i", at + 132) & 1:
        notes.append(f"{where}the counting time varies from point to point; it is not applied")
    name = fields.text(at + 32, 24)
    kind, x = _axis(fields, at, count, name, inside.drives, where, notes)
    scan = Scan(
        x,
        y,
        kind,
        radiation=_radiation(inside if inside.lines else about, fields.real("d", at + 112), notes),
        unit=intensity_unit(source, y, notes, where),
        meta={"scan_axis": name, **_conditions(fields, at, inside.drives)},
        warnings=notes,
    )
    return scan, data + count * size


def _axis(
    fields: Fields, at: int, count: int, name: str, drives: dict[str, float], where: str, notes: list[str]
) -> tuple[str, NDArray[np.float64]]:
    """What the axis is, and the positions."""
    start, step = fields.real("d", at + 72), fields.real("d", at + 80)
    there = [d for d in drives if d in _KINDS and abs(drives[d] - start) <= _SAME_PLACE]
    word = name.lower()
    drive = next((d for words, d in _SCANNED if any(w in word for w in words)), None)
    if drive is None and len(there) == 1:
        drive = there[0]
        notes.append(f"{where}a {name or 'scan without a type'}: taken along {drive}, which stood at its start")
    if drive is None:
        notes.append(f"{where}along a {name or 'scan without a type'} no position is known: the points are numbered")
        return "channel", np.arange(count, dtype=np.float64)
    # A stationary linear detector covers angles around that of its arm; every other scan starts where its drive stood.
    if drive in drives and drive not in there and "psd" not in word:
        if drive == "2Theta" and "Theta" in there:
            drive = "Theta"
            notes.append(f"{where}the {name} is given along Theta, which stood at its start")
        else:
            notes.append(f"{where}the {name} starts at {start:g}, but {drive} stood at {drives[drive]:g}")
    return _KINDS[drive], stepped_axis(fields.source, _KINDS[drive], start, step, count, where)


def _radiation(about: _Known, in_use: float, notes: list[str]) -> Radiation | None:
    """The lines of the tube, else the one wavelength that was in use."""
    one, two, ratio = about.lines or (0.0, 0.0, 0.0)
    return tube(one, two, ratio, about.anode, notes) or tube(in_use, 0.0, None, about.anode, notes)


def _conditions(fields: Fields, at: int, drives: dict[str, float]) -> dict[str, Any]:
    """Counting time, angles and tube of one range."""
    angles = {name: drives[d] for name, d in (("omega", "Theta"), ("chi", "Chi"), ("phi", "Phi")) if d in drives}
    found: dict[str, Any] = known(angles)
    found |= known({"time": fields.real("f", at + 68)})
    settings = (("count_time", 92), ("voltage", 100), ("current", 104))
    return found | known({name: fields.real("f", at + p) for name, p in settings}, 0.0)
