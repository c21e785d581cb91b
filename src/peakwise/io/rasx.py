"""Rigaku RASX (SmartLab Studio II): every one-dimensional profile.

A zip archive. Rigaku publishes no description; this is read from files of SmartLab and SmartLab SE and from what open
readers (GenX, nomad-measurements, dara) tell::

    root.xml                                     the folders and the members of each
    Data<n>/Profile<n>.txt                       UTF-8 with a byte-order mark; rows "10.0000 <tab> 170.55 <tab> 1":
                                                 position, intensity, attenuator factor
    Data<n>/MesurementConditions<n>.xml          (spelled so)
      GeneralInformation: Operator, SampleName, Memo, SystemName
      HWConfigurations/XrayGenerator: TargetName, WaveType="Ka1" | "Ka" | "Kb", WavelengthKalpha1, WavelengthKalpha2,
                                      WavelengthKbeta [angstrom], Voltage [kV], Current [mA]
      Axes/Axis Name, Unit, Position, State="Fixed" | "Scan" | "Oscillation"     "Temp": the sample's temperature
      ScanInformation: AxisName, Mode, Start, Stop, Step, Speed, SpeedUnit="deg/min", PositionUnit,
                       IntensityUnit="counts" | "cps", StartTime, DataCount

``WaveType`` Ka1 is a beam behind a Ge monochromator: one line. Ka is the doublet. The position of an OmegaTwoTheta scan
is the omega of the pair. The true intensity is intensity times factor, as in the older text format (RAS): the factor by
which the absorber weakened the beam at that point.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import one_line
from peakwise.io._archive import Archive, is_archive_with
from peakwise.io._clock import tell_time
from peakwise.io._limits import check_limit
from peakwise.io._scan import Format, Scan
from peakwise.io._xml import angstrom, find_number, find_text, number_rows, parse
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from peakwise.io._source import Source

_MEMBER = r"Data\d+/(Profile\d+\.txt|Mea?surementConditions\d+\.xml|Image\d+\.)"
# What the positions of a scan are, by the name of its axis. 2theta-chi is the in-plane scattering angle.
_KINDS = {
    "TwoTheta": "two_theta",
    "TwoThetaTheta": "two_theta",
    "TwoThetaOmega": "two_theta",
    "TwoThetaB": "two_theta",
    "TwoThetaChi": "two_theta",
    "TwoThetaChiPhi": "two_theta",
    "Omega": "omega",
    "OmegaTwoTheta": "omega",
    "Theta": "omega",
    "ThetaS": "omega",
    "Chi": "chi",
    "Phi": "phi",
    "X": "position",
    "Y": "position",
    "Z": "position",
}
# Axes that move together with the scanned one although the file calls them fixed.
_COUPLED = {
    "TwoThetaTheta": ("Omega",),
    "TwoThetaOmega": ("Omega",),
    "OmegaTwoTheta": ("Omega",),
    "Theta": ("Omega",),
    "ThetaS": ("Omega",),
    "TwoThetaChiPhi": ("Phi",),
}
_UNITS = {"counts": "counts", "cps": "counts/s"}
_COLUMNS = 3
_SHOWN = 40  # characters of a file's own words in a warning
_ZERO_CELSIUS = 273.15  # [K]


def _sniff(source: Source) -> bool:
    return is_archive_with(source, _MEMBER)


def _read(source: Source) -> list[Scan]:
    archive = Archive(source)
    profiles = sorted(archive.find(r"Data(\d+)/Profile(\d+)\.txt"), key=lambda m: (int(m[1]), int(m[2])))
    if not profiles:
        images = " (only images)" if archive.find(r"Data\d+/Image.*") else ""
        raise source.damaged(f"its archive holds no profile{images}", "Export one-dimensional profiles")
    missing = _listed(source, archive) - {m.string for m in profiles}
    if missing:
        raise source.damaged(f"root.xml lists {len(missing)} profiles that are missing ({min(missing)})")
    scans: list[Scan] = []
    n_points = 0
    described = {(m[1], m[2]): m.string for m in archive.find(r"Data(\d+)/Mea?surementConditions(\d+)\.xml")}
    for profile in profiles:
        name = described.get((profile[1], profile[2]))
        if name is None:
            raise source.damaged(f"the measurement conditions of {profile.string} are missing")
        conditions = parse(source, archive.read(name), name)
        scans.append(_read_profile(source, profile.string, archive.read(profile.string), conditions))
        n_points = check_limit(n_points + np.size(scans[-1].y), "points", "the archive", source.path)
    tell_time(scans)
    return scans


def _listed(source: Source, archive: Archive) -> set[str]:
    """The profiles that root.xml says there are."""
    if not archive.find(r"root\.xml"):
        return set()
    root = parse(source, archive.read("root.xml"), "root.xml")
    return {
        f"{folder.tag}/{entry.get('Name')}"
        for folder in root
        for entry in folder.findall("ContentHashList")
        if re.fullmatch(r"Profile\d+\.txt", entry.get("Name", ""))
    }


def _read_profile(source: Source, name: str, data: bytes, conditions: Element) -> Scan:
    rows = _rows(source, name, data)
    info = conditions.find("ScanInformation")
    promised = find_number(info, "DataCount")
    if promised is not None and promised != len(rows):
        raise source.damaged(f"{name} holds {len(rows)} of the {promised:g} points its header promises")
    warnings: list[str] = []
    axis = find_text(info, "AxisName")
    kind = None if axis is None else _KINDS.get(axis, "channel")
    if kind == "channel":
        warnings.append(f"the scan moved {one_line(axis, _SHOWN)}: its positions are given as they are")
    generator = conditions.find("HWConfigurations/XrayGenerator")
    general = conditions.find("GeneralInformation")
    x, y, factors = rows.T
    unit = _UNITS.get((find_text(info, "IntensityUnit") or "").lower(), "unknown")
    if unit == "counts" and (y != np.rint(y)).any():
        warnings.append(
            "the file calls its intensities counts, but they are not whole: Rigaku's software corrected them"
        )
    attenuation = None
    if (factors != 1).any():
        attenuation, n = float(factors.max()), np.count_nonzero(factors != 1)
        warnings.append(f"{n} points lay behind an attenuator: their counts were multiplied by up to {attenuation:g}")
    meta = {
        "title": find_text(general, "Memo"),
        "sample": find_text(general, "SampleName"),
        "operator": find_text(general, "Operator"),
        "instrument": find_text(general, "SystemName"),
        "date": find_text(info, "StartTime"),
        "scan_axis": axis,
        "count_time": _count_time(info),
        "anode": find_text(generator, "TargetName"),
        "voltage": find_number(generator, "Voltage"),
        "current": find_number(generator, "Current"),
        "attenuation": attenuation,
    }
    meta |= _stage(conditions, axis or "", warnings)
    return Scan(x, y * factors, kind, radiation=_radiation(generator), unit=unit, meta=meta, warnings=warnings)


def _rows(source: Source, name: str, data: bytes) -> NDArray[np.float64]:
    """Position, intensity and attenuator factor of each point."""
    try:
        rows = number_rows(data.decode("utf-8-sig"), _COLUMNS)
    except ValueError as problem:
        raise source.damaged(f"{name} is no table of {_COLUMNS} columns: {problem}") from problem
    if not (rows[:, 2] > 0).all():
        raise source.damaged(f"{name} has an attenuator factor of {rows[:, 2].min():g}; it must be above 0")
    return rows


def _radiation(generator: Element | None) -> Radiation | None:
    anode = find_text(generator, "TargetName")
    one, two, beta = (angstrom(generator, f"Wavelength{line}") for line in ("Kalpha1", "Kalpha2", "Kbeta"))
    kind = (find_text(generator, "WaveType") or "Ka").lower()
    if kind.startswith("kb"):
        return Radiation(beta, anode=anode) if beta else None
    if not one:
        return None
    return Radiation(one, anode=anode) if kind == "ka1" else Radiation.doublet(one, two, anode=anode)


def _count_time(info: Element | None) -> float | None:
    """Seconds in which the scan went over one step."""
    step, speed = find_number(info, "Step"), find_number(info, "Speed")
    unit = (find_text(info, "SpeedUnit") or "").lower()
    if not speed or speed <= 0:
        return None
    if unit.startswith("sec") or unit == "s":
        return speed
    if unit == "deg/min" and step:
        return round(60 * abs(step) / speed, 9)
    return None


def _stage(conditions: Element, scanned: str, warnings: list[str]) -> dict[str, Any]:
    """Angles of the axes that stood still, and the temperature of the sample."""
    at: dict[str, Any] = {}
    moving = {scanned, *_COUPLED.get(scanned, ())}
    for axis in conditions.findall("Axes/Axis"):
        name, position = axis.get("Name", ""), _number(axis.get("Position"))
        if position is None:
            continue
        if name in ("Omega", "Chi", "Phi") and name not in moving and axis.get("State") == "Fixed":
            at[name.lower()] = position
        elif name == "Temp":
            at |= _temperature(position, _number(axis.get("EndPosition")), axis.get("Unit", ""), warnings)
    return at


def _temperature(start: float, end: float | None, unit: str, warnings: list[str]) -> dict[str, float]:
    """Temperature [K]; the middle of a ramp."""
    end = start if end is None else end
    scale = unit.strip().lower().lstrip("°")
    if scale not in ("c", "k", "celsius", "kelvin"):
        warnings.append(
            f"a temperature of {start:g} in an unknown unit ({one_line(unit, _SHOWN) or 'none'}) was left out"
        )
        return {}
    if start != end:
        warnings.append(f"the temperature went from {start:g} to {end:g} {one_line(unit, _SHOWN)}: the middle is given")
    return {"temperature": (start + end) / 2 + (0.0 if scale.startswith("k") else _ZERO_CELSIUS)}


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if np.isfinite(value) else None


RASX = Format("rasx", "Rigaku RASX (SmartLab Studio II)", (".rasx",), _sniff, _read)
