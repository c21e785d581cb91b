"""Bruker/Siemens RAW: the binary scans of DIFFRAC, DIFFRAC-plus and DIFFRAC.SUITE, versions 1 to 4.

All numbers are little-endian. The first bytes tell the version (which is not the number that is written there)::

    "RAW "      version 1   DIFFRAC-AT         this file
    "RAW2"      version 2   DIFFRAC-AT         this file
    "RAW1.01"   version 3   DIFFRAC-plus       _bruker_raw_v3.py
    "RAW4.00"   version 4   DIFFRAC.SUITE      _bruker_raw_v4.py

Version 1, for each range ("RAW " may be missing before the second and further ones)::

      0  char[4]  "RAW "              40  char[32]  sample
      4  uint32   points              72  float32   Kα1 [angstrom]
      8  float32  time per step [s]   76  float32   Kα2
     12  float32  step [deg]         152  uint32    not 0: another range follows
     24  float32  2θ start           156  float32[points]  counts
     28  float32  θ start            (a start of -1e6 is not set; θ = χ = φ = 0 at another 2θ is not set either)
     32  float32  χ start
     36  float32  φ start

Version 2, the file header::

      4  uint16   ranges             188  char[2]   anode
      8  char[32] sample             190  float32   Kα1 [angstrom]
     40  char[128] comment           194  float32   Kα2
    168  char[10] date, DD-MM-YYYY   198  float32   Kα2/Kα1
    178  char[10] time, HH:MM        256  first range

and each range::

      0  uint16   length of this header        16  float32  2θ start
      2  uint16   points                       20  float32  θ start
      8  float32  time per step [s]            24  float32  χ start
     12  float32  step [deg]                   28  float32  φ start
                                               46  uint16   temperature [K]; 0 and 65535 are not set
    then float32[points] counts

Described in "DIFFRAC-AT Raw Data File Format" (appendix B of the manual) and, with the facts above, by the open readers
of xylib (https://github.com/wojdyr/xylib) and GSAS-II; the positions not named there (comment, θ, χ and φ start of
version 2) follow from files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from peakwise.io._binary import Fields, date_of, element, intensity_unit, known, stepped_axis, tube
from peakwise.io._bruker_raw_v3 import read_v3
from peakwise.io._bruker_raw_v4 import read_v4
from peakwise.io._limits import check_limit
from peakwise.io._scan import Format, Scan

if TYPE_CHECKING:
    from collections.abc import Callable

    from peakwise.io._source import Source

__all__ = ["BRUKER_RAW"]

_NOT_SET = -1e6
_NO_TEMPERATURE = (0.0, 65535.0)


def _sniff(source: Source) -> bool:
    head = source.head
    # Text that happens to begin with "RAW " holds no NUL; a count of points or ranges below 16 million always does.
    return head.startswith(tuple(_VERSIONS)) and b"\0" in head[4:8]


def _read(source: Source) -> list[Scan]:
    for magic, reader in _VERSIONS.items():
        if source.data.startswith(magic):
            return reader(source)
    raise source.damaged(f"a Bruker RAW file begins with RAW, it begins with {source.data[:8]!r}")


def _read_v1(source: Source) -> list[Scan]:
    fields = Fields(source)
    scans: list[Scan] = []
    number, at, follows = 0, 0, True
    while follows:
        number = check_limit(number + 1, "scans", "the file", source.path)
        at += 4 if source.data[at : at + 4] == b"RAW " else 0
        fields.need(at, 152, f"the header of range {number}")
        count, follows = fields.whole("I", at), fields.whole("I", at + 148) != 0
        scan = _read_range(fields, at + 8, at + 20, at + 152, count, f"range {number}: ")
        angles = _angles(fields, at + 24)
        if scan is not None:
            scan.radiation = tube(fields.real("f", at + 68), fields.real("f", at + 72), None, None, scan.warnings)
            scan.meta = {
                "sample": fields.text(at + 36, 32),
                "count_time": fields.real("f", at + 4),
                **(angles if any(angles.values()) else {}),
            }
            scans.append(scan)
        at += 152 + 4 * count
    return _checked(fields, scans, at)


def _read_v2(source: Source) -> list[Scan]:
    fields = Fields(source)
    fields.need(0, 256, "its file header")
    anode = element(fields.text(188, 2))
    one, two, ratio = (fields.real("f", at) for at in (190, 194, 198))
    common = {
        "sample": fields.text(8, 32),
        "comment": fields.text(40, 128),
        "date": date_of(f"{fields.text(168, 10)} {fields.text(178, 10)}", "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S"),
        "anode": anode,
    }
    scans: list[Scan] = []
    at = 256
    for number in range(1, fields.whole("H", 4) + 1):
        fields.need(at, 48, f"the header of range {number}")
        length, count = fields.whole("H", at), fields.whole("H", at + 2)
        if length < 48:
            raise source.damaged(f"the header of range {number} has {length} bytes, at least 48 are needed")
        scan = _read_range(fields, at + 12, at + 16, at + length, count, f"range {number}: ")
        if scan is not None:
            scan.radiation = tube(one, two, ratio, anode, scan.warnings)
            temperature = known({"temperature": float(fields.whole("H", at + 46))}, *_NO_TEMPERATURE)
            scan.meta = {**common, "count_time": fields.real("f", at + 8), **_angles(fields, at + 20), **temperature}
            scans.append(scan)
        at += length + 4 * count
    return _checked(fields, scans, at)


def _read_range(fields: Fields, step_at: int, start_at: int, data: int, count: int, where: str) -> Scan | None:
    """Axis and counts of one range, or None where nothing was measured."""
    if count == 0:
        return None
    y = fields.column("f", data, count, 4)
    x = stepped_axis(fields.source, "two_theta", fields.real("f", start_at), fields.real("f", step_at), count, where)
    notes: list[str] = []
    return Scan(x, y, unit=intensity_unit(fields.source, y, notes, where), warnings=notes)


def _angles(fields: Fields, at: int) -> dict[str, float]:
    """Starts of θ, χ and φ that were set."""
    return known({name: fields.real("f", at + 4 * i) for i, name in enumerate(("omega", "chi", "phi"))}, _NOT_SET)


def _checked(fields: Fields, scans: list[Scan], at: int) -> list[Scan]:
    if not scans:
        raise fields.source.damaged("none of its ranges holds a point", "Check that the measurement was started")
    scans[-1].warnings += fields.unread(at)
    return scans


_VERSIONS: dict[bytes, Callable[[Source], list[Scan]]] = {
    b"RAW ": _read_v1,
    b"RAW2": _read_v2,
    b"RAW1.01": read_v3,
    b"RAW4.00": read_v4,
}

BRUKER_RAW = Format("bruker_raw", "Bruker/Siemens RAW, versions 1 to 4", (".raw",), _sniff, _read)
