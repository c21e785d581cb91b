"""Bruker BRML (DIFFRAC.SUITE): every measured range of every experiment.

A zip archive of XML documents. Bruker publishes no description; this is read from files of DIFFRAC.SUITE 6 and 7 and
from what open readers (GSAS-II, nomad-measurements) tell::

    Experiment<n>/DataContainer.xml
      RawDataReferenceList/string [0..n]         names of the members with the ranges, in their order
      MeasurementInfo UserName, SampleName
      ExperimentInfo/InstrumentDescription: InstrumentName, DeviceTypeDesc
    Experiment<n>/RawData<m>.xml                 one range
      MeasurementStatus, TimeStampStarted
      FixedInformation
        Instrument/.../Tube: WaveLengthAlpha1, WaveLengthAlpha2, WaveLengthRatio, TubeMaterial,
                             Generator/Voltage, Generator/Current (each: Unit="" Value="")
        Drives/InfoData LogicName="Chi": Position        axes that stood still
      DataRoutes/DataRoute RouteFlag="Measured"  (others are processed copies)
        ScanInformation ScanName, VisibleName
          MeasurementPoints                      points planned
          ScanAxes/ScanAxisInfo AxisId
          ScaleAxes/ScaleAxisInfo AxisId: Start, Stop, Increment     of a detector that stands still
        SubScans/SubScanInfo MeasuredSteps       points measured
        Datum [1..n]                             "76.8,1,10.0001,5.0001,1493"
        DataViews/RawDataView xsi:type, Start, Length            what the columns of a Datum are
          FixedRawDataView     LogicName="MeasuredTime" [s] | "AbsorptionFactor"
          VaryingRawDataView   Varying LogicName="ScanAxes": FieldDefinitions AxisId [Length]
          RecordedRawDataView  Recording LogicName, VisibleName, Category="Count": Unit Base, BlankingValue

No column is taken by its place: ``Start`` and ``Length`` of the views say which it is, and a file whose views do not
fit its rows is refused. The counts of points measured behind an absorber are stored multiplied by their
``AbsorptionFactor`` (divided by it they are whole numbers again).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import one_line
from peakwise.io._archive import Archive, is_archive_with
from peakwise.io._clock import tell_time
from peakwise.io._limits import check_limit
from peakwise.io._read import natural_key
from peakwise.io._scan import Format, Scan
from peakwise.io._xml import angstrom, attribute, find_number, find_text, number_rows, parse
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from numpy.typing import NDArray

    from peakwise.io._source import Source

_MEMBER = r"Experiment\d+/[A-Za-z]*(Container|RawData\d*)\.xml"
# AxisId -> what it is, in the order in which a moving axis is taken for x: 2Theta before the Theta coupled to it.
_KINDS = {
    "TwoTheta": "two_theta",
    "Theta": "omega",
    "Omega": "omega",
    "Chi": "chi",
    "Psi": "chi",
    "Phi": "phi",
    "X": "position",
    "Y": "position",
    "Z": "position",
}
_FIXED = {"Theta": "omega", "Omega": "omega", "Chi": "chi", "Psi": "chi", "Phi": "phi"}
_ZERO_CELSIUS = 273.15  # [K]
_SHOWN = 60  # characters of a file's own words in a message
_UNEVEN = 0.01  # share by which counting times may differ before it is said


@dataclass(slots=True)
class _Columns:
    """Which columns of a Datum hold what."""

    time: int | None = None
    absorber: int | None = None
    axes: dict[str, int] = field(default_factory=dict)
    recorded: list[tuple[Element, int, int]] = field(default_factory=list)  # Recording, first column, number of columns


def _sniff(source: Source) -> bool:
    return is_archive_with(source, _MEMBER)


def _read(source: Source) -> list[Scan]:
    archive = Archive(source)
    scans: list[Scan] = []
    n_points = 0
    for name, about in _members(source, archive):
        root = parse(source, archive.read(name), name)
        for scan in _read_range(source, root, name, about):
            scans.append(scan)
            n_points = check_limit(n_points + np.size(scan.y), "points", "the archive", source.path)
    if not scans:
        raise source.damaged("it holds no measured range", "Check that the measurement was started")
    tell_time(scans)
    return scans


def _members(source: Source, archive: Archive) -> list[tuple[str, dict[str, Any]]]:
    """Names of the members that hold ranges, in the experiments' order, with what is said about each experiment."""
    found: dict[str, dict[str, Any]] = {}
    there = {m.string for m in archive.find(r"(?:.*/)?RawData(\d*)\.xml")}
    for name in sorted((m.string for m in archive.find(r"(?:.*/)?DataContainer\.xml")), key=natural_key):
        root = parse(source, archive.read(name), name)
        listed = [(e.text or "").strip().replace("\\", "/") for e in root.findall("RawDataReferenceList/string")]
        missing = [x for x in listed if x not in there]
        if missing:
            why = f"{name} lists {len(listed)} ranges, {len(missing)} of them are missing ({missing[0]})"
            raise source.damaged(why)
        found |= dict.fromkeys(listed, _about(root))
    if not found:
        found = {name: {} for name in sorted(there, key=natural_key)}
    if not found:
        raise source.damaged(
            "its archive holds no RawData: nothing was measured", "Check that the measurement was started"
        )
    return list(found.items())


def _about(root: Element) -> dict[str, Any]:
    """Who measured what, and with which instrument."""
    info = root.find("MeasurementInfo")
    instrument = "ExperimentInfo/InstrumentDescription"
    return {
        "sample": None if info is None else info.get("SampleName"),
        "operator": None if info is None else info.get("UserName"),
        "instrument": find_text(root, f"{instrument}/DeviceTypeDesc")
        or find_text(root, f"{instrument}/InstrumentName"),
    }


def _read_range(source: Source, root: Element, name: str, about: dict[str, Any]) -> list[Scan]:
    """All measured routes of one RawData document."""
    notes: list[str] = []
    radiation, tube = _radiation(root, notes)
    meta = about | tube | {"date": find_text(root, "TimeStampStarted")}
    routes = root.findall("DataRoutes/DataRoute") or [root]
    measured = [r for r in routes if r.get("RouteFlag", "Measured") == "Measured"]
    if len(measured) < len(routes):
        notes.append(f"{len(routes) - len(measured)} processed copies of the data were left out")
    scans = []
    for route in measured:
        about_scan = route.find("ScanInformation")
        if about_scan is not None and "NonAmbient" in about_scan.get("ScanName", ""):
            continue  # a step that only sets the temperature
        scans.append(_read_route(source, root, route, name, meta))
    for scan in scans:
        scan.radiation = radiation
        scan.warnings[:0] = notes
    return scans


def _radiation(root: Element, notes: list[str]) -> tuple[Radiation | None, dict[str, Any]]:
    """The lines of the tube, and how it was run."""
    tubes = list(root.iter("Tube"))
    if not tubes:
        return None, {}
    tube = tubes[0]
    if len({find_number(t, "WaveLengthAlpha1") for t in tubes}) > 1:
        notes.append(f"the instrument has {len(tubes)} tubes of different wavelength: that of the first was taken")
    anode = find_text(tube, "TubeMaterial")
    meta = {
        "anode": anode,
        "voltage": find_number(tube, "Generator/Voltage"),
        "current": find_number(tube, "Generator/Current"),
    }
    one, two = angstrom(tube, "WaveLengthAlpha1"), angstrom(tube, "WaveLengthAlpha2")
    return Radiation.doublet(one, two, find_number(tube, "WaveLengthRatio"), anode) if one else None, meta


def _read_route(source: Source, root: Element, route: Element, name: str, meta: dict[str, Any]) -> Scan:
    rows = _rows(source, route, name)
    columns = _columns(source, route, rows.shape[1], name)
    warnings = _check_length(source, root, route, len(rows), name)
    info = route.find("ScanInformation")
    counters = _counters(source, columns, name)
    names = [_title(element) for element, _, _ in counters] if len(counters) > 1 else None
    if names:
        warnings.append(f"{len(names)} counters were recorded, each became a pattern: {', '.join(names)}")
    element, start, width = counters[0]
    if width == 1:
        x, kind, axis = _scanned(source, rows, columns, name, warnings)
        y = np.stack([_unblank(rows[:, column], element) for element, column, _ in counters])
    else:
        x, kind, axis = _detector_scale(source, info, width, name)
        y = _unblank(rows[:, start : start + width], element)
    meta = meta | {
        "scan_axis": None if info is None else (info.get("VisibleName") or info.get("ScanName") or "").strip(),
        "temperature": _temperature(rows, columns, warnings),
        "count_time": _count_time(rows, columns, warnings),
        "attenuation": _attenuation(rows, columns, warnings),
    }
    meta |= _fixed(root, rows, columns, axis)
    return Scan(x, y[0] if len(y) == 1 else y, kind, unit="counts", name=names, meta=meta, warnings=warnings)


def _rows(source: Source, route: Element, name: str) -> NDArray[np.float64]:
    """All Datum rows, as a table."""
    texts = [e.text or "" for e in route.findall("Datum")]
    if not texts:
        raise source.damaged(f"{name} holds no Datum: nothing was measured", "Check that the measurement was started")
    widths = {t.count(",") + 1 for t in texts}
    if len(widths) > 1:
        raise source.damaged(f"the rows of {name} have between {min(widths)} and {max(widths)} columns")
    return number_rows("\n".join(texts).replace(",", " "), widths.pop())


def _columns(source: Source, route: Element, width: int, name: str) -> _Columns:
    """What the views say about the columns."""
    columns = _Columns()
    taken: set[int] = set()
    for view in route.findall("DataViews/RawDataView"):
        kind = attribute(view, "type") or ""
        if kind.startswith("ExtMemory"):
            why = f"{name} keeps the counts of its detector channels in a binary file of its own"
            raise source.damaged(why, "Export it from DIFFRAC.SUITE as .xy or .raw")
        start, length = int(view.get("Start", "")), int(view.get("Length", ""))
        if start < 0 or length < 1 or start + length > width:
            raise source.damaged(
                f"a view of {name} names columns {start} to {start + length - 1}, its rows have {width}"
            )
        if not taken.isdisjoint(range(start, start + length)):
            raise source.damaged(f"two views of {name} name the same column between {start} and {start + length - 1}")
        taken.update(range(start, start + length))
        logic, varying, recording = view.get("LogicName"), view.find("Varying"), view.find("Recording")
        if logic == "MeasuredTime":
            columns.time = start
        elif logic == "AbsorptionFactor":
            columns.absorber = start
        elif varying is not None and varying.get("LogicName", "ScanAxes") == "ScanAxes":
            fields = varying.findall("FieldDefinitions")
            if len(fields) != length:
                raise source.damaged(f"a view of {name} has {length} columns and names {len(fields)}")
            for i, one in enumerate(fields):
                columns.axes[one.get("AxisId") or one.get("FieldName") or ""] = start + i
        elif recording is not None:
            columns.recorded.append((recording, start, length))
    return columns


def _counters(source: Source, columns: _Columns, name: str) -> list[tuple[Element, int, int]]:
    """The recorded columns that are counts."""
    found = [r for r in columns.recorded if r[0].get("Category") == "Count"]
    found = found or [r for r in columns.recorded if _unit(r[0]) == "Counts"]
    if not found:
        told = ", ".join(_title(r[0]) for r in columns.recorded) or "nothing"
        raise source.damaged(f"{name} names no column as counts (it recorded {told})", "Export it as .xy")
    widths = sorted({width for _, _, width in found})
    if widths != [1] and len(found) > 1:
        raise source.damaged(
            f"{name} has {len(found)} counters of {widths} channels, which are no one pattern", "Export it as .xy"
        )
    return found


def _scanned(
    source: Source, rows: NDArray[np.float64], columns: _Columns, name: str, warnings: list[str]
) -> tuple[NDArray[np.float64], str, str]:
    """Positions along the axis that moved, what they are, and its name."""
    moving = [a for a, i in columns.axes.items() if len(rows) == 1 or np.ptp(rows[:, i]) > 0]
    if not moving:
        raise source.damaged(
            f"no axis of {name} moved (it names {', '.join(columns.axes) or 'none'})", "Export it as .xy"
        )
    axis = next((a for a in _KINDS if a in moving), moving[0])
    kind = _KINDS.get(axis, "channel")
    if kind == "channel":
        warnings.append(f"the scan moved {one_line(axis, _SHOWN)}: its positions are given as they are")
    return rows[:, columns.axes[axis]], kind, axis


def _detector_scale(
    source: Source, info: Element | None, width: int, name: str
) -> tuple[NDArray[np.float64], str, str]:
    """Positions of the channels of a detector that stood still."""
    scales = [] if info is None else info.findall("ScaleAxes/ScaleAxisInfo") or info.findall("ScanAxes/ScanAxisInfo")
    scale = next((s for s in scales if s.get("AxisId") == "TwoTheta"), None)
    start, stop, step = (find_number(scale, tag) for tag in ("Start", "Stop", "Increment"))
    if start is None or stop is None or step is None or step == 0:
        why = f"{name} recorded {width} detector channels without saying where in 2Theta they are"
        raise source.damaged(why, "Export it from DIFFRAC.SUITE as .xy or .raw")
    # Start and Stop are given as first and last channel, or as the edges of the detector, which is one channel more.
    if abs((stop - start) / step + 1 - width) > 1.5:
        raise source.damaged(f"{name} has {width} channels, its scale from {start:g} to {stop:g} has steps of {step:g}")
    return start + step * np.arange(width, dtype=np.float64), "two_theta", "TwoTheta"


def _check_length(source: Source, root: Element, route: Element, n: int, name: str) -> list[str]:
    """The rows must be as many as were measured; fewer than planned is said."""
    planned = find_number(route, "ScanInformation/MeasurementPoints")
    steps = [s.get("MeasuredSteps") for s in route.findall("SubScans/SubScanInfo")]
    measured = sum(int(s) for s in steps if s is not None) if any(steps) else planned
    if measured is not None and n != measured:
        raise source.damaged(f"{name} holds {n} of the {measured:g} points its header promises")
    status = find_text(root, "MeasurementStatus")
    if planned is not None and n < planned:
        marked = f" (it is marked {one_line(status, _SHOWN)!r})" if status not in (None, "Measured") else ""
        return [f"the measurement ended after {n} of {planned:g} points{marked}"]
    return []


def _title(recording: Element) -> str:
    return one_line(recording.get("VisibleName") or recording.get("LogicName") or "unnamed", _SHOWN)


def _unit(recording: Element) -> str:
    unit = recording.find("Unit")
    return "" if unit is None else unit.get("Base", "")


def _unblank(values: NDArray[np.float64], recording: Element) -> NDArray[np.float64]:
    """NaN where the value says that nothing was measured."""
    blank = find_number(recording, "BlankingValue")
    return values if blank is None else np.where(values == blank, np.nan, values)


def _temperature(rows: NDArray[np.float64], columns: _Columns, warnings: list[str]) -> float | None:
    """Mean of the recorded temperature [K]; the actual one rather than the one that was asked for."""
    found = [r for r in columns.recorded if "temp" in (r[0].get("LogicName", "") + _title(r[0])).lower() and r[2] == 1]
    found.sort(key=lambda r: "actual" not in (r[0].get("LogicName", "") + _title(r[0])).lower())
    for recording, start, _ in found:
        values = _unblank(rows[:, start], recording)
        values = values[np.isfinite(values)]
        unit = _unit(recording).lower()
        if values.size and "kelvin" in unit:
            return float(values.mean())
        if values.size and "celsius" in unit:
            return float(values.mean()) + _ZERO_CELSIUS
        if values.size:
            warnings.append(
                f"{_title(recording)} was left out: {values.mean():g} in an unknown unit ({one_line(unit, _SHOWN)})"
            )
    return None


def _count_time(rows: NDArray[np.float64], columns: _Columns, warnings: list[str]) -> float | None:
    """Seconds per point, as measured."""
    if columns.time is None:
        return None
    times = rows[:, columns.time]
    usual = float(np.median(times))
    if np.ptp(times) > _UNEVEN * usual:
        span = f"{times.min():g} to {times.max():g}"
        warnings.append(f"the counting time varies from {span} s per point: counts are as stored")
    return usual


def _attenuation(rows: NDArray[np.float64], columns: _Columns, warnings: list[str]) -> float | None:
    """Largest factor of the absorber, None where there was none."""
    if columns.absorber is None:
        return None
    factors = rows[:, columns.absorber]
    if (factors == 1).all():
        return None
    n, largest = int(np.count_nonzero(factors != 1)), float(factors.max())
    warnings.append(f"{n} points lay behind an absorber: the file has multiplied them by up to {largest:g}")
    return largest


def _fixed(root: Element, rows: NDArray[np.float64], columns: _Columns, axis: str) -> dict[str, Any]:
    """Angles of the axes that stood still."""
    at: dict[str, Any] = {}
    for drive in root.findall("FixedInformation/Drives/InfoData"):
        name = drive.get("AxisId", "")
        if name in _FIXED and name != axis:
            at[_FIXED[name]] = find_number(drive, "Position")
    for name, column in columns.axes.items():
        if name in _FIXED and name != axis and np.ptp(rows[:, column]) == 0:
            at[_FIXED[name]] = float(rows[0, column])
    return at


BRML = Format("brml", "Bruker BRML (DIFFRAC.SUITE)", (".brml",), _sniff, _read)
