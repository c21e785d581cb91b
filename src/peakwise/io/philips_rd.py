"""Philips PC-APD: the binary scans RD (``V3RD``) and SD (``V5RD``) of PW1700 and PW3710 diffractometers.

One scan per file, little-endian::

      0  char[4]  "V3RD" or "V5RD"                136  uint16   largest stored value
     84  uint8    instrument, see the table       138  char[8]  file name
     85  uint8    anode: 0 Cu, 1 Mo, 2 Fe, 3 Cr   146  char[20] sample
     94  float64  Kα1 [angstrom]                  214  float64  step [deg]
    102  float64  Kα2                             222  float64  start 2θ, of the first point
    110  float64  Kα2/Kα1                         230  float64  end 2θ, of the last point

    250 (V3) or 810 (V5)  uint16[points], the counts packed as square roots: v stands for floor(0.01 v²)

The number of points is not stored: it follows from start, end and step, and the length of the file must agree. Read as
they stand, the values would give every peak at its place and all intensities wrong.

Described by a specification from the maker in the open reader of xylib (https://github.com/wojdyr/xylib); 94 to 136
were found on the 28 files of the IUCr round robin on quantitative analysis, whose text versions also settle that there
is no shift by half a step. Of V5 no file has been seen, so its length must be right to the byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peakwise.io._binary import Fields, stepped_axis, tube
from peakwise.io._scan import Format, Scan

if TYPE_CHECKING:
    from peakwise.io._source import Source

__all__ = ["PHILIPS_RD"]

_DATA = {b"V3RD": 250, b"V5RD": 810}
_ANODES = {0: "Cu", 1: "Mo", 2: "Fe", 3: "Cr"}
_INSTRUMENTS = {0: "PW1800", 1: "PW1710", 2: "PW1840", 3: "PW3710", 5: "X'Pert MPD"}
_MOST_POINTS = 1e7  # of one scan; beyond it the header is damaged


def _sniff(source: Source) -> bool:
    return source.head[:4] in _DATA


def _read(source: Source) -> list[Scan]:
    fields = Fields(source)
    version = source.data[:4]
    data = _DATA.get(version)
    if data is None:
        raise source.damaged(f"a Philips RD file begins with V3RD or V5RD, it begins with {version!r}")
    fields.need(0, data, "its header")
    step, start, end = (fields.real("d", at) for at in (214, 222, 230))
    steps = (end - start) / step if step > 0 else float("nan")
    if not 0 < steps < _MOST_POINTS:
        raise source.damaged(f"its header gives 2theta from {start:g} to {end:g} in steps of {step:g}")
    count = round(steps) + 1
    notes = fields.unread(data + 2 * count)
    if notes and version == b"V5RD":
        raise source.damaged(f"its header promises {count} points, it has {len(fields) - data - 2 * count} bytes more")
    packed = fields.column("H", data, count, 2)
    largest = fields.whole("H", 136)
    if version == b"V3RD" and largest not in (0, packed.max()):
        raise source.damaged(f"its header says that the largest value is {largest}, {packed.max():g} is there")
    anode = _ANODES.get(fields.whole("B", 85))
    one, two, ratio = (fields.real("d", at) for at in (94, 102, 110))
    return [
        Scan(
            stepped_axis(source, "two_theta", start, step, count),
            np.floor(packed**2 / 100),
            radiation=tube(one, two, ratio, anode, notes),
            unit="counts",
            meta={
                "sample": fields.text(146, 20),
                "title": fields.text(138, 8),
                "instrument": _INSTRUMENTS.get(fields.whole("B", 84)),
                "anode": anode,
            },
            warnings=notes,
        )
    ]


PHILIPS_RD = Format("philips_rd", "Philips PC-APD scans (RD, SD)", (".rd", ".sd"), _sniff, _read)
