"""PANalytical (Malvern Panalytical) XRDML: every scan of every measurement.

The public schema (``http://www.xrdml.com/XRDMeasurement/<version>/XRDMeasurement.xsd``, 1.0 to 2.3) describes::

    xrdMeasurements
      sample: id, name
      xrdMeasurement [1..n]                      measurementType, status
        usedWavelength                           intended="K-Alpha 1" | "K-Alpha" | "K-Beta" ...
          kAlpha1, kAlpha2, kBeta, ratioKAlpha2KAlpha1
        incidentBeamPath/xRayTube: tension [kV], current [mA], anodeMaterial
        scan [1..n]                              scanAxis, status="Completed" | "Aborted" ...
          header: startTimeStamp, author/name, source/instrumentControlSoftware
          nonAmbientPoints type="Temperature": nonAmbientValues [K]
          dataPoints
            positions axis="2Theta" unit="deg" [1..n]
              commonPosition                     one position for all points
              | startPosition, endPosition       evenly spaced: step = (end - start) / (points - 1)
              | listPositions                    one position per point
            commonBeamAttenuationFactor | beamAttenuationFactors
            commonCountingTime | countingTimes   [s]
            intensities | counts                 the number of points is the length of this list

``intensities`` (schema 1.x) are already multiplied by the attenuation factors; ``counts`` (schema 2.x) are as the
detector gave them, so they are multiplied here, and the scan says so. Versions differ in nothing else that is read.

``scanAxis`` names what moved. Coupled scans (Gonio, 2Theta-Omega, Omega-2Theta) are given along 2Theta, as the file
lists both; rocking curves along Omega, pole figures along Phi or Chi (Psi in older files).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import one_line
from peakwise.io._clock import tell_time
from peakwise.io._limits import check_limit
from peakwise.io._scan import Format, Scan
from peakwise.io._xml import angstrom, find_number, find_text, numbers, parse
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from peakwise.io._source import Source

# scanAxis -> the positions to take and what they are. Anything with 2Theta in its name is given along 2Theta.
_KINDS = {
    "2Theta": "two_theta",
    "Omega": "omega",
    "Theta": "omega",
    "Chi": "chi",
    "Psi": "chi",
    "Phi": "phi",
    "X": "position",
    "Y": "position",
    "Z": "position",
}
_SCAN_AXES = {"gonio": "2Theta"} | {name.lower(): name for name in _KINDS}
_FIXED = {"Omega": "omega", "Chi": "chi", "Psi": "chi", "Phi": "phi"}
_ZERO_CELSIUS = 273.15  # [K]
_DONE = ("", "Completed")
_SHOWN = 40  # characters of a file's own words in a warning


@dataclass(slots=True)
class _Measurement:
    """What all scans of one `xrdMeasurement` share."""

    radiation: Radiation | None
    meta: dict[str, Any]


def _sniff(source: Source) -> bool:
    head = source.head.replace(b"\0", b"")
    return b"<xrdMeasurements" in head or b":xrdMeasurements" in head


def _read(source: Source) -> list[Scan]:
    root = parse(source, source.data)
    scans: list[Scan] = []
    notes: list[str] = []
    n_points = 0
    sample = find_text(root, "sample/name") or find_text(root, "sample/id")
    for measurement in root.iter("xrdMeasurement"):
        shared = _read_measurement(measurement, sample)
        elements = measurement.findall("scan")
        for number, element in enumerate(elements, 1):
            status = element.get("status", "")
            if status not in _DONE and _values_of(element) is None:
                notes.append(
                    f"scan {number} holds no points (it is marked {one_line(status, _SHOWN)!r}) and was left out"
                )
                continue
            scans.append(_read_scan(source, element, number, shared))
            n_points = check_limit(n_points + np.size(scans[-1].y), "points", "the file", source.path)
        status = measurement.get("status", "")
        if status not in _DONE and all(e.get("status", "") in _DONE for e in elements):
            notes.append(f"the measurement is marked {one_line(status, _SHOWN)!r}: it has {len(elements)} scans")
    if not scans:
        raise source.damaged("; ".join(notes) or "it holds no scan", "Check that the measurement was started")
    scans[0].warnings += notes
    tell_time(scans)
    return scans


def _read_measurement(measurement: Element, sample: str | None) -> _Measurement:
    tube = measurement.find("incidentBeamPath/xRayTube")
    anode = find_text(tube, "anodeMaterial")
    meta = {
        "sample": sample,
        "anode": anode,
        "voltage": find_number(tube, "tension"),
        "current": find_number(tube, "current"),
    }
    return _Measurement(_radiation(measurement.find("usedWavelength"), anode), meta)


def _radiation(used: Element | None, anode: str | None) -> Radiation | None:
    """The wavelength; "intended" tells which line was meant to be used."""
    if used is None:
        return None
    one, two, beta = (angstrom(used, name) for name in ("kAlpha1", "kAlpha2", "kBeta"))
    intended = used.get("intended", "").lower().replace(" ", "").replace("-", "")
    if intended == "kbeta" and beta:
        return Radiation(beta, anode=anode)
    return Radiation.doublet(one, two, find_number(used, "ratioKAlpha2KAlpha1"), anode) if one else None


def _values_of(scan: Element) -> Element | None:
    """The list of intensities or of counts; None where there is none or it is empty."""
    for name in ("counts", "intensities"):
        values = scan.find(f"dataPoints/{name}")
        if values is not None and (values.text or "").strip():
            return values
    return None


def _read_scan(source: Source, scan: Element, number: int, shared: _Measurement) -> Scan:
    points, values = scan.find("dataPoints"), _values_of(scan)
    if points is None or values is None:
        raise source.damaged(f"scan {number} holds neither intensities nor counts", "Check that it was measured")
    y = numbers(values.text)
    warnings: list[str] = []
    places = {p.get("axis", ""): p for p in points.findall("positions")}
    axis = _axis_name(scan.get("scanAxis"), places)
    if axis not in places:
        raise source.damaged(
            f"scan {number} moves along {axis}, but gives no positions of it (only {', '.join(places)})"
        )
    kind = _KINDS.get(axis, "channel")
    if kind == "channel":
        warnings.append(f"the scan moved {one_line(axis, _SHOWN)}: its positions are given as they are")
    x = _positions(source, places[axis], y.size, f"scan {number}: {axis}")
    status = scan.get("status", "")
    if status not in _DONE:
        warnings.append(f"the scan is marked {one_line(status, _SHOWN)!r}: it ends after {y.size} points at {x[-1]:g}")
    header = scan.find("header")
    meta = shared.meta | {
        "date": find_text(header, "startTimeStamp"),
        "operator": find_text(header, "author/name"),
        "instrument": find_text(header, "source/instrumentControlSoftware"),
        "scan_axis": scan.get("scanAxis"),
        "temperature": _temperature(scan, warnings),
        "count_time": _count_time(source, points, y.size, number, warnings),
    }
    y, meta["attenuation"] = _unattenuate(source, points, values.tag, y, number, warnings)
    meta |= {name: find_number(places[a], "commonPosition") for a, name in _FIXED.items() if a in places and a != axis}
    unit = values.get("unit", "counts")
    return Scan(
        x,
        y,
        kind=kind,
        radiation=shared.radiation,
        unit="counts" if unit == "counts" else "unknown",
        meta=meta,
        warnings=warnings,
    )


def _axis_name(told: str | None, places: dict[str, Element]) -> str:
    """The axis whose positions are the x of a scan."""
    if told is None:
        moving = [a for a, p in places.items() if p.find("commonPosition") is None]
        return moving[0] if len(moving) == 1 else "2Theta"
    return "2Theta" if "2theta" in told.lower() else _SCAN_AXES.get(told.lower(), told)


def _positions(source: Source, place: Element, n: int, what: str) -> NDArray[np.float64]:
    """Positions of n points: a list, or evenly spaced."""
    listed = place.find("listPositions")
    if listed is not None:
        return _per_point(source, listed, n, f"{what} positions")
    start, end = find_number(place, "startPosition"), find_number(place, "endPosition")
    if start is None or end is None:
        raise source.damaged(f"{what} has neither a list of positions nor a start and an end")
    return np.linspace(start, end, n)


def _per_point(source: Source, element: Element, n: int, what: str) -> NDArray[np.float64]:
    values = numbers(element.text)
    if values.size != n:
        raise source.damaged(f"{what}: {values.size} are listed for {n} intensities")
    return values


def _unattenuate(
    source: Source, points: Element, tag: str, y: NDArray[np.float64], number: int, warnings: list[str]
) -> tuple[NDArray[np.float64], float | None]:
    """Counts behind a beam attenuator times its factor, and the largest factor (None where there was none)."""
    listed = points.find("beamAttenuationFactors")
    if listed is not None:
        factors = _per_point(source, listed, y.size, f"scan {number}: beam attenuation factors")
    else:
        common = find_number(points, "commonBeamAttenuationFactor")
        factors = np.full(y.size, 1.0 if common is None else common)
    if not (factors > 0).all():
        raise source.damaged(f"scan {number} has a beam attenuation factor of {factors.min():g}; it must be above 0")
    corrections = (points.find("commonDivergenceCorrection"), points.find("divergenceCorrections"))
    if tag == "counts" and any(c is not None for c in corrections):
        warnings.append("the file lists divergence corrections, which were not applied to the counts")
    if (factors == 1).all():
        return y, None
    n, largest = np.count_nonzero(factors != 1), float(factors.max())
    if tag == "intensities":
        warnings.append(f"{n} points lay behind a beam attenuator: the file has multiplied them by up to {largest:g}")
        return y, largest
    warnings.append(f"{n} points lay behind a beam attenuator: their counts were multiplied by up to {largest:g}")
    return y * factors, largest


def _count_time(source: Source, points: Element, n: int, number: int, warnings: list[str]) -> float | None:
    """Seconds per point where it is one time for all; otherwise what it varies between is said."""
    listed = points.find("countingTimes")
    if listed is None:
        return find_number(points, "commonCountingTime")
    times = _per_point(source, listed, n, f"scan {number}: counting times")
    shortest, longest = float(times.min()), float(times.max())
    if shortest == longest:
        return longest
    warnings.append(f"the counting time varies from {shortest:g} to {longest:g} s per point: counts are as stored")
    return None


def _temperature(scan: Element, warnings: list[str]) -> float | None:
    """Mean of the temperatures during a scan [K]; the schema has kelvin, another unit stands beside the values."""
    for place in scan.iter("nonAmbientPoints"):
        values = place.find("nonAmbientValues")
        if place.get("type", "Temperature") != "Temperature" or values is None:
            continue
        unit = (values.get("unit") or place.get("unit") or "K").strip().lower().lstrip("°")
        all_of_them = numbers(values.text)
        if not all_of_them.size:
            continue
        if unit not in ("k", "kelvin", "c", "celsius", "degc"):
            warnings.append(f"a temperature in an unknown unit ({one_line(unit, _SHOWN)}) was left out")
            continue
        return float(all_of_them.mean()) + (0.0 if unit.startswith("k") else _ZERO_CELSIUS)
    return None


XRDML = Format("xrdml", "PANalytical XRDML", (".xrdml",), _sniff, _read)
