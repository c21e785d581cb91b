r"""ILL and PSI: neutron powder patterns of D1A, D1B, D2B, D20 (Grenoble) and DMC, HRPT (Villigen).

What is understood, record by record; numbers stand in Fortran columns that may touch::

    ILL   = line 1-3    text: instrument and title, run numbers, title again
            line 4      points  T-sample  T-regulation  flag  monitor-1  monitor-2
            line 5      first  step  last  2-theta [deg]
            records     10F8 intensities; where flag is not 0, as many records with their uncertainties
    PSI   = line 1      title
            line 2      "lambda=" A ", T=" K ", dT=" K ", Date=" date time
            line 3      first  step  last  monitor, "sample=" text
            records     10F8 intensities, then as many records with their uncertainties
            the rest    Filelist, motors, monitors, owner

The numbers of points are those of ILL's line 4, and of PSI's line 3. A temperature of zero or below means that none was
measured. ILL gives the wavelength, if at all, in the title (``1.9114 A``).

Publicly described in the manual of FullProf, "detailed description of input files", INSTRM = 5 and INSTRM = 8.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import AxisError
from peakwise.io._dates import iso_date
from peakwise.io._numbers import finite, fixed_columns
from peakwise.io._scan import Format, Scan
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["ILL_PSI"]

_N = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LAMBDA = re.compile(rf"\s*lambda\s*=\s*({_N})\s*,(.*)", re.IGNORECASE)
_RANGE = re.compile(rf"\s*({_N})[\s,]+({_N})[\s,]+({_N})(.*)")
_ILL_COUNT = re.compile(rf"\s*(\d{{1,8}})\s+({_N})\s+({_N})\s+(\d+)\s+({_N})\s+({_N})\s*$")
_TITLE_WAVELENGTH = re.compile(r"(?<![\d.])(\d\.\d{2,6})\s?(?:A|Å|Angstroms?)(?![A-Za-z])")
_INSTRUMENTS = re.compile(r"\b(D1A|D1B|D2B|D20|D4|DMC|HRPT)", re.IGNORECASE)
_PER_RECORD, _WIDTH = 10, 8


def _sniff(source: Source) -> bool:
    head = source.head
    if b"\0" in head:
        return False
    lines = head.decode("latin-1").splitlines()
    return len(lines) > 5 and (_is_psi(lines) or _is_ill(lines))


def _is_psi(lines: list[str]) -> bool:
    return _LAMBDA.match(lines[1]) is not None and _RANGE.match(lines[2]) is not None


def _is_ill(lines: list[str]) -> bool:
    count, span = _ILL_COUNT.match(lines[3]), _RANGE.match(lines[4])
    return count is not None and span is not None and not span[4].strip() and not _ILL_COUNT.match(lines[2])


def _read(source: Source) -> list[Scan]:
    lines = source.text.splitlines()
    if len(lines) < 6:
        raise source.damaged(f"it holds {len(lines)} lines, its header alone has more")
    return [_read_psi(source, lines) if _is_psi(lines) else _read_ill(source, lines)]


def _read_psi(source: Source, lines: list[str]) -> Scan:
    light, span = _LAMBDA.match(lines[1]), _RANGE.match(lines[2])
    if light is None or span is None:
        raise source.damaged("its second and third line give neither wavelength and temperature nor a range")
    first, step, last = (finite(span[i]) for i in (1, 2, 3))
    points = round((last - first) / step) + 1 if step else 0
    y, sigma, rest = _tables(source, lines[3:], points, 2)
    told = dict(re.findall(r"(\w+)\s*=\s*([^,=]*[^,=\s])", light[2]))
    sample = re.search(r'sample\s*=\s*"([^"]*)"', span[4])
    monitor = re.match(rf"[\s,]*({_N})", span[4])
    instrument = _INSTRUMENTS.search("\n".join([lines[0], *rest]))
    meta: dict[str, Any] = {
        "title": lines[0].strip(),
        "sample": sample[1].strip() if sample else None,
        "date": iso_date(told.get("Date", "")),
        "temperature": _above_zero(told.get("T")),
        "monitor": float(monitor[1]) if monitor else None,
        "instrument": instrument[1].upper() if instrument else None,
    }
    notes: list[str] = []
    radiation = _neutrons(float(light[1]), notes)
    x = first + step * np.arange(points)
    return Scan(x, y, "two_theta", sigma=sigma, radiation=radiation, meta=meta, warnings=notes)


def _read_ill(source: Source, lines: list[str]) -> Scan:
    count, span = _ILL_COUNT.match(lines[3]), _RANGE.match(lines[4])
    if count is None or span is None:
        raise source.damaged("its fourth and fifth line give neither the number of points nor a range")
    points, uncertain = int(count[1]), int(count[4]) != 0
    first, step, last = (finite(span[i]) for i in (1, 2, 3))
    if abs(first + step * (points - 1) - last) > abs(step) / 2:
        why = f"from {first:g} to {last:g} by {step:g} deg there are not the {points} points that it promises"
        raise source.damaged(why)
    y, sigma, _ = _tables(source, lines[5:], points, 1 + uncertain)
    notes: list[str] = []
    meta: dict[str, Any] = {
        "title": lines[2].strip().removesuffix("2theta").strip() or lines[0].strip(),
        "temperature": _above_zero(count[2]),
        "regulation_temperature": _above_zero(count[3]),
        "monitor": float(count[5]),
    }
    instrument = _INSTRUMENTS.match(lines[0])
    if instrument:
        meta["instrument"] = instrument[1].upper()
    radiation = _title_radiation(lines[:3], notes)
    return Scan(
        first + step * np.arange(points), y, "two_theta", sigma=sigma, radiation=radiation, meta=meta, warnings=notes
    )


def _tables(
    source: Source, lines: list[str], points: int, tables: int
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None, list[str]]:
    """Intensities, their uncertainties where a second table holds them, and the lines that are left."""
    records = -(-points // _PER_RECORD)
    if points < 1 or len(lines) < records * tables:
        held = max(0, min(points * tables, len(lines) * _PER_RECORD))
        raise source.damaged(f"it holds {held} of the {points * tables} numbers that {points} points need")
    found = []
    for number in range(tables):
        try:
            (values,) = fixed_columns(lines[number * records : (number + 1) * records], (_WIDTH,), _PER_RECORD)
        except ValueError as problem:
            raise source.damaged(f"table {number + 1} of {points} points: {problem}") from problem
        held = int(np.isfinite(values).sum())
        if held != points:
            raise source.damaged(f"table {number + 1} holds {held} of the {points} points that its header promises")
        found.append(values[:points])
    return found[0], found[1] if tables > 1 else None, lines[records * tables :]


def _title_radiation(lines: list[str], notes: list[str]) -> Radiation | None:
    match = next((m for m in map(_TITLE_WAVELENGTH.search, lines) if m is not None), None)
    if match is None:
        return None
    notes.append(f"the wavelength {match[1]} angstrom is taken from the title")
    return _neutrons(float(match[1]), notes)


def _neutrons(wavelength: float, notes: list[str]) -> Radiation | None:
    try:
        return Radiation(wavelength, probe="neutron")
    except AxisError as problem:
        notes.append(f"the wavelength of the file is not used: {problem.why}")
        return None


def _above_zero(text: str | None) -> float | None:
    """A temperature [K]; zero and below stand for one that was not measured."""
    match = re.match(_N, text.strip()) if text else None
    return float(match[0]) if match and float(match[0]) > 0 else None


ILL_PSI = Format("ill_psi", "ILL and PSI neutron powder text", (".dat",), _sniff, _read)
