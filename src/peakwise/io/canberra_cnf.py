"""Canberra CNF (also CAM): gamma- and X-ray spectra of Genie 2000.

Sections at multiples of 512 bytes, little-endian::

    0x70  list of sections, 48 bytes each: 0 uint32 id, 6 uint32 length, 10 uint32 offset in the file; ends with id 0.
          Every section begins with 48 bytes of the same form, its content follows (c = offset + 0x30)

    0x12000 acquisition: c + 0x80 char[3] "PHA"           c + 0x8a uint16    channels / 256
                         c + 0xfb char[8] "POLY"          0x22 and 0x24 uint16 before c: the offsets e and t
        c + e + 0x44 float[4] energy = A0 + A1 n + A2 n² + A3 n³, with the channel n counted from 1
        c + e + 0x5c char[16] unit of the energy          c + e + 0x108 char[16] detector
        c + t + 0x01 uint64   start, 0.1 µs since 1858-11-17
        c + t + 0x09 int64    real time, and 8 bytes on the live time: minus the 0.1 µs that went by
    0x12001 sample:      c char[64] title, c + 0x40 char[16] sample
    0x12005 channels:    offset + 512 uint32[channels] counts

The floats are those of the PDP-11: the two halves are exchanged and the value is four times too large for IEEE 754.
Described by the open readers cnfconv (https://github.com/messlinger/cnfconv) and xylib; that Genie counts channels from
1 is the former's finding. An axis without a calibration stays the channel.
"""

from __future__ import annotations

import struct
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._binary import Fields
from peakwise.io._scan import Format, Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["CANBERRA_CNF"]

_LIST, _ENTRY, _BLOCK = 0x70, 48, 512
_ACQUISITION, _SAMPLE, _CHANNELS = 0x12000, 0x12001, 0x12005
_EPOCH = datetime(1858, 11, 17)  # the day from which VMS, where the format comes from, counts
_LATEST = 10**18  # [0.1 µs]: the year 5027; later is no date
_TICKS = 1e7  # per second
_KEV = {"kev": 1.0, "ev": 1e-3, "mev": 1e3}
_MOST_SECTIONS = 1000


def _sniff(source: Source) -> bool:
    head = source.head
    if len(head) < _LIST + _ENTRY or head[_LIST + 1 : _LIST + 4] != b"\x20\x01\x00":
        return False
    offset = int.from_bytes(head[_LIST + 10 : _LIST + 14], "little")
    return offset >= _BLOCK and offset % _BLOCK == 0


def _read(source: Source) -> list[Scan]:
    fields = Fields(source)
    sections = _sections(fields)
    for number, name in ((_ACQUISITION, "acquisition"), (_CHANNELS, "channel")):
        if number not in sections:
            raise source.damaged(f"it has no {name} section among its {len(sections)} sections")
    content = sections[_ACQUISITION] + _ENTRY
    if fields.text(content + 0x80, 3) != "PHA":
        why = f"the measurement is {fields.text(content + 0x80, 4)!r}; spectra (PHA) are read"
        raise source.damaged(why, "Export it as text")
    count = 256 * fields.whole("H", content + 0x8A)
    if count == 0:
        raise source.damaged("its header announces 0 channels")
    notes: list[str] = []
    y = fields.column("I", sections[_CHANNELS] + _BLOCK, count, 4)
    channel = np.arange(1, count + 1, dtype=np.float64)
    energy = _energy(fields, content, channel, notes)
    return [
        Scan(
            channel if energy is None else energy,
            y,
            "channel" if energy is None else "energy",
            unit="counts",
            meta=_about(fields, content, sections.get(_SAMPLE)),
            warnings=notes,
        )
    ]


def _sections(fields: Fields) -> dict[int, int]:
    """Offset of the first section of each kind."""
    found: dict[int, int] = {}
    for i in range(_MOST_SECTIONS):
        at = _LIST + _ENTRY * i
        number = fields.whole("I", at)
        if number == 0:
            break
        offset = fields.whole("I", at + 10)
        if number in (_ACQUISITION, _SAMPLE, _CHANNELS) and fields.whole("I", offset) != number:
            raise fields.source.damaged(f"no section {number:#x} begins at byte {offset}, where the list has it")
        found.setdefault(number, offset)
    return found


def _energy(fields: Fields, content: int, channel: NDArray[np.float64], notes: list[str]) -> NDArray[np.float64] | None:
    """Energy of each channel [keV], or None where the file has no calibration that can be meant."""
    at = content + fields.whole("H", content - _ENTRY + 0x22)
    form, unit = fields.text(content + 0xFB, 8), fields.text(at + 0x5C, 16)
    coefficients = [_pdp11(fields, at + 0x44 + 4 * i) for i in range(4)]
    if form not in ("", "POLY") or unit.lower() not in _KEV or not any(coefficients[1:]):
        notes.append(
            f"the file has no energy calibration that is read ({form or 'no form'}, unit {unit or 'not given'})"
        )
        return None
    energy = np.polynomial.polynomial.polyval(channel, np.array(coefficients)) * _KEV[unit.lower()]
    if not (np.isfinite(energy).all() and (np.diff(energy) > 0).all()):
        notes.append("the energy calibration of the file does not rise with the channel: it is not used")
        return None
    return np.asarray(energy, dtype=np.float64)


def _pdp11(fields: Fields, at: int) -> float:
    raw = struct.pack("<HH", fields.whole("H", at + 2), fields.whole("H", at))
    return float(struct.unpack("<f", raw)[0]) / 4


def _about(fields: Fields, content: int, sample: int | None) -> dict[str, Any]:
    """Times, names and detector."""
    times = content + fields.whole("H", content - _ENTRY + 0x24) + 1
    found: dict[str, Any] = {
        "instrument": fields.text(content + fields.whole("H", content - _ENTRY + 0x22) + 0x108, 16)
    }
    started = fields.whole("Q", times)
    if 0 < started < _LATEST:
        found["date"] = (_EPOCH + timedelta(microseconds=started // 10)).isoformat(timespec="seconds")
    for name, at in (("real_time", times + 8), ("count_time", times + 16)):
        elapsed = -fields.whole("q", at) / _TICKS
        if elapsed > 0:
            found[name] = elapsed
    if sample is not None:
        found["title"] = fields.text(sample + _ENTRY, 64)
        found["sample"] = fields.text(sample + _ENTRY + 0x40, 16)
    return found


CANBERRA_CNF = Format("canberra_cnf", "Canberra Genie spectra (CNF)", (".cnf",), _sniff, _read)
