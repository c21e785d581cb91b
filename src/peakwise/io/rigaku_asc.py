"""Rigaku ASC: the text export of Rigaku's RINT and MiniFlex software (.asc, .dat).

What is understood, line by line::

    file    = { entry | blank | remark } { group } "*EOF"
    group   = "*BEGIN" { entry } count { numbers } "*END"
    entry   = "*" KEY "=" value
    count   = "*COUNT = " number of intensities that follow
    numbers = number { "," number }               as many per line as the writer likes
    remark  = "#" anything

Entries before the first ``*BEGIN`` hold for all groups, those of a group for itself; every group is a range. Entries
that are used::

    TYPE = Raw           first entry                GROUP_COUNT = number of groups
    SCAN_AXIS            2theta/theta, theta ...    XUNIT = deg.    YUNIT = counts | cps
    MEAS_MODE            Continuous Scanning, ...   SPEED, SPEED_DIM = deg./min. | sec./step
    START, STOP, STEP    of the positions           WAVE_LENGTH1, WAVE_LENGTH2 [angstrom]
    XRAY_CHAR            K-ALPHA1, K-ALPHA          TARGET = atomic number or symbol
    SAMPLE, COMMENT, DATE, GONIO, OPERATOR, KV, MA

The intensities are given without positions: point i is at START + i STEP. Publicly described by the reader of DASH
(``Load_asc_File``, CCDC, BSD) and the sample in the documentation of xylib.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._limits import check_limit
from peakwise.io._scan import Format, Scan
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from peakwise.io._source import Source

__all__ = ["RIGAKU_ASC"]

_TYPE = re.compile(rb"^\*TYPE[ \t]*=", re.MULTILINE)
_OTHER = re.compile(rb"^\*(?:CLASS|SAMPLE|GROUP_COUNT|BEGIN)\b", re.MULTILINE)
_ENTRY = re.compile(r"\*([A-Z0-9_]+)\s*=\s*(.*)")
_UNITS = {"counts": "counts", "count": "counts", "cps": "counts/s"}
_ANODES = {24: "Cr", 26: "Fe", 27: "Co", 29: "Cu", 42: "Mo", 47: "Ag", 74: "W"}

Header = dict[str, str]


def _sniff(source: Source) -> bool:
    return _TYPE.search(source.head) is not None and _OTHER.search(source.head) is not None


def _read(source: Source) -> list[Scan]:
    common: Header = {}
    group: Header | None = None
    numbers: list[str] = []
    scans: list[Scan] = []
    for line in map(str.strip, source.text.split("\n")):
        if not line or line.startswith("#"):
            continue
        if line == "*BEGIN":
            if group is not None:
                raise source.damaged(f"group {len(scans) + 1} ends without *END; it is cut short")
            group, numbers = dict(common), []
        elif line == "*END" and group is not None:
            scans.append(_scan(source, group, numbers, len(scans) + 1))
            check_limit(len(scans), "scans", "the file", source.path)
            group = None
        elif match := _ENTRY.fullmatch(line):
            (common if group is None else group)[match[1]] = match[2].strip()
        elif group is not None and "COUNT" in group and not line.startswith("*"):
            numbers.append(line)
    if group is not None:
        raise source.damaged(f"group {len(scans) + 1} ends without *END; it is cut short")
    promised = _number(common.get("GROUP_COUNT", ""))
    if promised is not None and promised != len(scans):
        raise source.damaged(f"it holds {len(scans)} of the {promised:g} groups its header promises")
    return scans


def _scan(source: Source, header: Header, lines: list[str], number: int) -> Scan:
    fields = [part for line in lines for part in line.replace(",", " ").split()]
    y = np.array(fields, dtype=np.float64)
    promised = _number(header.get("COUNT", ""))
    if promised is None:
        raise source.damaged(f"group {number} does not say how many points it holds (*COUNT)")
    if promised != y.size:
        raise source.damaged(f"group {number} holds {y.size} of the {promised:g} points its header promises")
    start, stop, step = (_number(header.get(key, "")) for key in ("START", "STOP", "STEP"))
    if start is None or not step:
        raise source.damaged(f"group {number} does not say where its points are (*START, *STEP)")
    x = start + step * np.arange(y.size)
    notes = []
    # A continuous scan may end one step early: its last interval is counted up to STOP.
    if stop is not None and y.size and abs(x[-1] - stop) > 1.5 * abs(step):
        notes.append(
            f"group {number} should end at {stop:g}, its {y.size} points in steps of {step:g} end at {x[-1]:g}"
        )
    kind = _kind(header.get("SCAN_AXIS") or header.get("SCAN_MODE", ""))
    unit = _UNITS.get(header.get("YUNIT", "").lower().rstrip("."), "unknown")
    return Scan(x, y, kind, radiation=_radiation(header), unit=unit, meta=_meta(header, step), warnings=notes)


def _kind(axis: str) -> str | None:
    """What the axis is; None where the header does not say."""
    name = axis.lower().replace("-", "").replace(" ", "")
    if name.startswith(("2theta", "twotheta")):
        return "two_theta"
    return {"theta": "omega", "omega": "omega", "chi": "chi", "phi": "phi"}.get(name)


def _radiation(header: Header) -> Radiation | None:
    one, two = _number(header.get("WAVE_LENGTH1", "")), _number(header.get("WAVE_LENGTH2", ""))
    if not one:
        return None
    # XRAY_CHAR names the line that angles are converted with; Kα2 is gone only behind a monochromator for Kα1, which
    # the header does not tell, so that a second wavelength counts.
    return Radiation.doublet(one, two, anode=_anode(header))


def _anode(header: Header) -> str | None:
    target = header.get("TARGET", "")
    return _ANODES.get(int(target)) if target.isdecimal() and len(target) < 4 else target or None


def _meta(header: Header, step: float) -> dict[str, Any]:
    speed, unit = _number(header.get("SPEED", "")), header.get("SPEED_DIM", "").lower().replace(" ", "")
    count_time = None
    if speed is not None and speed > 0:
        if "/min" in unit:
            count_time = 60 * abs(step) / speed
        elif unit.startswith("sec"):
            count_time = speed
    return {
        "title": header.get("COMMENT"),
        "sample": header.get("SAMPLE"),
        "date": header.get("DATE"),
        "count_time": count_time,
        "scan_axis": header.get("SCAN_AXIS"),
        "anode": _anode(header),
        "voltage": _number(header.get("KV", "")),
        "current": _number(header.get("MA", "")),
        "operator": header.get("OPERATOR"),
        "instrument": header.get("GONIO"),
    }


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


RIGAKU_ASC = Format("rigaku_asc", "Rigaku ASC text (RINT, MiniFlex)", (".asc", ".dat"), _sniff, _read)
