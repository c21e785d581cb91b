r"""Rigaku RAS: the text files of SmartLab, Ultima and MiniFlex diffractometers.

What is understood, line by line (CRLF or LF; the header's Japanese is in code page 932)::

    file    = [ "*RAS_DATA_START" ] { block } [ "*RAS_DATA_END" ]       both or neither
    block   = "*RAS_HEADER_START" { header } "*RAS_HEADER_END"
              "*RAS_INT_START" { row } "*RAS_INT_END"
    header  = "*" KEY " " '"' value '"'
    row     = position " " intensity [ " " attenuation ]

A file holds one block per measured range. The true intensity is intensity times attenuation: the factor by which the
automatic absorber weakened the beam at that point. Keys that are used::

    MEAS_DATA_COUNT                         number of rows of the block
    MEAS_SCAN_AXIS_X[_INTERNAL]             what moved: "2-Theta/Omega" ["TwoThetaOmega"]
    MEAS_SCAN_UNIT_X, MEAS_SCAN_UNIT_Y      deg; counts or cps
    MEAS_SCAN_STEP, MEAS_SCAN_SPEED, MEAS_SCAN_SPEED_UNIT   deg/min, or seconds per point
    MEAS_SCAN_START_TIME                    month/day/year hours:minutes:seconds
    MEAS_COND_XG_WAVE_TYPE                  Ka (both lines reach the detector), Ka1 (behind a monochromator), Kb
    HW_XG_WAVE_LENGTH_ALPHA1, _ALPHA2, _BETA, HW_XG_TARGET_NAME
    MEAS_COND_AXIS_NAME_INTERNAL-n, MEAS_COND_AXIS_POSITION-n, MEAS_COND_AXIS_UNIT-n   where the other axes stood

Publicly described by the readers of xrayutilities (``xrayutilities.io.rigaku_ras``) and of reductus at NIST; checked
against a SmartLab file of 2015.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._limits import check_limit
from peakwise.io._scan import Format, Scan
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["RIGAKU_RAS"]

_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?\s*\*RAS_(?:DATA|HEADER)_START\s")
_HEADER = re.compile(r'\*(\S+)\s+"(.*)"')
# Rigaku's own names of axes, lower case, as MEAS_SCAN_AXIS_X_INTERNAL writes them.
_KINDS = {"omega": "omega", "theta": "omega", "chi": "chi", "phi": "phi"}
_KELVIN_AT_ZERO_CELSIUS = 273.15

Header = dict[str, str]


def _sniff(source: Source) -> bool:
    return _BEGIN.match(source.head) is not None


def _read(source: Source) -> list[Scan]:
    lines = [line.strip() for line in _decode(source).split("\n")]
    scans: list[Scan] = []
    header: Header | None = None
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if line == "*RAS_HEADER_START":
            header = {}
        elif line == "*RAS_INT_START":
            if header is None:
                raise source.damaged(f"range {len(scans) + 1} has intensities without a header")
            end = number
            while end < len(lines) and not lines[end].startswith("*"):
                end += 1
            if end == len(lines) or lines[end] != "*RAS_INT_END":
                there = sum(1 for row in lines[number:end] if row)
                raise source.damaged(
                    f"range {len(scans) + 1} ends after {there} rows without *RAS_INT_END; it is cut short"
                )
            scans.append(_scan(source, header, _rows(source, lines[number:end], number + 1), len(scans) + 1))
            check_limit(len(scans), "scans", "the file", source.path)
            header, number = None, end + 1
        elif header is not None and (match := _HEADER.fullmatch(line)):
            header[match[1]] = match[2].strip()
    _check_end(source, lines, header, len(scans))
    return scans


def _decode(source: Source) -> str:
    """UTF-8 where it is that, else code page 932: what Rigaku's Japanese software writes."""
    try:
        return source.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return source.data.decode("cp932", errors="replace")


def _check_end(source: Source, lines: list[str], header: Header | None, done: int) -> None:
    """Refuse a file whose last range was not written."""
    if header is not None:
        raise source.damaged(f"range {done + 1} has a header and no intensities; it is cut short")
    if "*RAS_DATA_START" in lines and "*RAS_DATA_END" not in lines:
        raise source.damaged(f"it ends after {done} ranges without *RAS_DATA_END; it is cut short")


def _rows(source: Source, lines: list[str], first_line: int) -> NDArray[np.float64]:
    """Position, intensity and attenuation of every point."""
    rows = [fields for line in lines if (fields := line.split())]
    for number, fields in enumerate(rows):
        if len(fields) not in (2, 3):
            raise source.damaged(f"line {first_line + number} holds {len(fields)} numbers, a point has 2 or 3")
    table = np.array([fields if len(fields) == 3 else [*fields, "1"] for fields in rows], dtype=np.float64)
    return table.reshape(-1, 3)


def _scan(source: Source, header: Header, table: NDArray[np.float64], number: int) -> Scan:
    promised = _number(header, "MEAS_DATA_COUNT")
    if promised is not None and promised != len(table):
        raise source.damaged(f"range {number} holds {len(table)} of the {promised:g} points its header promises")
    x, y, factor = table.T
    if not (factor > 0).all():
        raise source.damaged(f"range {number} has an attenuation of {factor.min():g}; it must be above 0")
    kind, notes = _kind(header)
    unit = {"counts": "counts", "count": "counts", "cps": "counts/s"}.get(header.get("MEAS_SCAN_UNIT_Y", "").lower())
    if unit == "counts" and (y != np.rint(y)).any():
        notes.append("the file calls its intensities counts, but they are not whole: Rigaku's software corrected them")
    meta = _meta(header)
    if (factor != 1).any():
        meta["attenuation"] = float(factor.max())
        part = np.count_nonzero(factor != 1)
        notes.append(f"{part} of {x.size} intensities were multiplied by their attenuation, up to {factor.max():g}")
    return Scan(x, y * factor, kind, radiation=_radiation(header), unit=unit or "unknown", meta=meta, warnings=notes)


def _kind(header: Header) -> tuple[str | None, list[str]]:
    """What the axis of the scan is; None where the header does not say."""
    shown = header.get("MEAS_SCAN_AXIS_X", "")
    axis = re.sub(r"[^a-z0-9]", "", (header.get("MEAS_SCAN_AXIS_X_INTERNAL") or shown).lower())
    if not axis:
        return None, []
    if axis.startswith(("twotheta", "2theta")):
        return "two_theta", []
    if axis.startswith(("omega2theta", "omegatwotheta", "theta2theta", "thetatwotheta")):
        return "omega", []  # the coupled scan seen from its other axis, as in RASX
    if axis in _KINDS:
        return _KINDS[axis], []
    unit = header.get("MEAS_SCAN_UNIT_X", "")
    if unit == "mm":
        return "position", []
    return "channel", [f"the scan moved {shown or axis} [{unit}]: its positions are given as they are"]


def _radiation(header: Header) -> Radiation | None:
    one, two = _number(header, "HW_XG_WAVE_LENGTH_ALPHA1"), _number(header, "HW_XG_WAVE_LENGTH_ALPHA2")
    anode = header.get("HW_XG_TARGET_NAME") or None
    kind = header.get("MEAS_COND_XG_WAVE_TYPE", "").lower()
    beta = _number(header, "HW_XG_WAVE_LENGTH_BETA")
    if kind.startswith("kb") and beta:
        return Radiation(beta, anode=anode)
    if kind == "ka2" and two:
        return Radiation(two, anode=anode)
    if not one:
        return None
    return Radiation.doublet(one, None if kind == "ka1" else two, anode=anode)


def _meta(header: Header) -> dict[str, Any]:
    axes = _axes(header)
    where = {name: _place(axes.get(name)) for name in ("omega", "chi", "phi")}
    scanned = header.get("MEAS_SCAN_AXIS_X_INTERNAL", "").lower()
    return {
        "title": header.get("FILE_COMMENT"),
        "sample": header.get("FILE_SAMPLE"),
        "date": _date(header.get("MEAS_SCAN_START_TIME", "")),
        "temperature": _temperature(axes),
        "count_time": _count_time(header),
        "scan_axis": header.get("MEAS_SCAN_AXIS_X"),
        # An axis that was scanned has no one position.
        **{name: value for name, value in where.items() if name not in scanned},
        "anode": header.get("HW_XG_TARGET_NAME"),
        "voltage": _number(header, "MEAS_COND_XG_VOLTAGE"),
        "current": _number(header, "MEAS_COND_XG_CURRENT"),
        "operator": header.get("FILE_OPERATOR"),
        # Names are given twice, "Japanese|English".
        "instrument": header.get("HW_GONIOMETER_NAME", "").rpartition("|")[2],
    }


def _axes(header: Header) -> dict[str, tuple[str, str]]:
    """Position and unit of every axis, by its lower-case internal name."""
    found: dict[str, tuple[str, str]] = {}
    for key, name in header.items():
        base, _, index = key.rpartition("-")
        if base in ("MEAS_COND_AXIS_NAME_INTERNAL", "MEAS_COND_AXIS_NAME") and name:
            place = header.get(f"MEAS_COND_AXIS_POSITION-{index}", "")
            found.setdefault(name.lower(), (place, header.get(f"MEAS_COND_AXIS_UNIT-{index}", "")))
    return found


def _place(axis: tuple[str, str] | None) -> float | None:
    return None if axis is None else _float(axis[0])


def _temperature(axes: dict[str, tuple[str, str]]) -> float | None:
    """Temperature of a furnace or cryostat [K], where one is mounted."""
    for name in ("temp", "temperature"):
        place, unit = axes.get(name, ("", ""))
        value = _float(place)
        if value is not None and unit.strip("° ").upper() in ("C", "K"):
            return value if unit.strip().upper() == "K" else value + _KELVIN_AT_ZERO_CELSIUS
    return None


def _count_time(header: Header) -> float | None:
    """Seconds per point, from the speed: degrees per minute, or already seconds per point."""
    speed, step = _number(header, "MEAS_SCAN_SPEED"), _number(header, "MEAS_SCAN_STEP")
    unit = header.get("MEAS_SCAN_SPEED_UNIT", "").lower()
    if speed is None or speed <= 0:
        return None
    if unit.endswith("/min"):
        return None if step is None else 60 * step / speed
    return speed if unit.startswith("sec") else None


def _date(text: str) -> str:
    for form in ("%m/%d/%y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%m/%d/%Y %H:%M:%S"):
        try:
            return datetime.strptime(text, form).isoformat()
        except ValueError:
            continue
    return text


def _number(header: Header, key: str) -> float | None:
    return _float(header.get(key, ""))


def _float(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


RIGAKU_RAS = Format("rigaku_ras", "Rigaku RAS (SmartLab, MiniFlex)", (".ras",), _sniff, _read)
