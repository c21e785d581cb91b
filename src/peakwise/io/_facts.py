"""What stands around the numbers in HDF5, NeXus and netCDF files: radiation, temperature, title, what was varied."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import PeakwiseError
from peakwise.io._axis_words import to_kelvin, unit_of
from peakwise.io._columns import first_text
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from peakwise.io._columns import Catalogue, Column

__all__ = ["ILLUMINATED", "facts_of", "own_facts", "radiation_of"]

HC_KEV_ANGSTROM = 12.398419843320026
_METRES_BELOW = 1e-6  # a wavelength without a unit that is smaller than this is in metres
_EV_BEYOND = 200.0  # a photon energy without a unit above this is in eV
_SAME = 1e-4  # two wavelengths that differ by less (relative) are one
ILLUMINATED = (None, "two_theta", "q", "d", "omega")  # kinds of axis of which the wavelength is a property

_WAVELENGTH = frozenset({"wavelength", "incident_wavelength", "lambda", "beam_wavelength", "xray_wavelength"})
_ENERGY = frozenset({"incident_energy", "photon_energy", "beam_energy", "xray_energy"})
_BEAM = frozenset({"NXbeam", "NXmonochromator", "NXcrystal"})
_LINES = ("k_alpha_one", "k_alpha_two", "ratio_k_alphatwo_k_alphaone")

# Name of an array -> name in META, and the quantity in whose unit it is wanted (None: text).
_FACTS: dict[str, tuple[str, str | None]] = {
    "title": ("title", None),
    "sample_name": ("sample", None),
    "start_time": ("date", None),
    "measurement_date": ("date", None),
    "scan_axis": ("scan_axis", None),
    "xray_tube_material": ("anode", None),
    "xray_tube_voltage": ("voltage", "kV"),
    "xray_tube_current": ("current", "mA"),
    "count_time": ("count_time", "s"),
    "exposure_time": ("count_time", "s"),
    "omega": ("omega", "deg"),
    "chi": ("chi", "deg"),
    "phi": ("phi", "deg"),
    "temperature": ("temperature", "K"),
    "sample_temperature": ("temperature", "K"),
    "temp": ("temperature", "K"),
    "pressure": ("pressure", "GPa"),
    "sample_pressure": ("pressure", "GPa"),
    "time": ("time", "s"),
    "elapsed_time": ("time", "s"),
    "relative_time": ("time", "s"),
}
# A "name" says whose name it is by the class of its group.
_NAMED = {"NXsample": "sample", "NXinstrument": "instrument", "NXuser": "operator"}
_SCALES: dict[str, dict[str, float]] = {
    "s": {"": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1, "ms": 1e-3, "us": 1e-6, "min": 60, "h": 3600},
    "GPa": {"gpa": 1, "mpa": 1e-3, "kpa": 1e-6, "pa": 1e-9, "kbar": 0.1, "bar": 1e-4, "mbar": 1e-7, "atm": 101325e-9},
    "kV": {"": 1, "kv": 1, "v": 1e-3},
    "mA": {"": 1, "ma": 1, "a": 1e3},
}
_HOUSEKEEPING = frozenset((
    "NX_class", "default", "signal", "axes", "CLASS", "NAME", "creator", "creator_version", "file_name",
    "file_time", "HDF5_Version", "h5py_version", "NeXus_version", "NeXus_release", "NeXus_repository", "version",
    "URL", "interpretation", "title", "canSAS_class", "I_axes", "Q_indices", "DIMENSION_LIST", "REFERENCE_LIST",
    "_NCProperties", "Conventions", "long_name", "units", "unit",
))  # fmt: skip
_MOST_FACTS = 100


def radiation_of(found: Catalogue, groups: list[str], notes: list[str]) -> Radiation | None:
    """The radiation that these groups name; None where they name none, or several that differ."""
    arrays = found.columns_of(groups)
    columns = [c for c in arrays if c.sort == "number" and 0 < c.size <= 16]
    lines = {c.name: float(found.values(c).ravel()[0]) for c in columns if c.name in _LINES}
    if _LINES[0] in lines:
        anode = next((found.text(c) for c in arrays if c.name == "xray_tube_material"), "") or None
        one, two, ratio = (lines.get(name) for name in _LINES)
        if one is not None and one > 0:
            return Radiation.doublet(one, two, ratio, anode=anode)
    probe = next((found.text(c).lower() for c in arrays if c.name == "probe"), "")
    kind = probe if probe in ("neutron", "electron") else "xray"
    values: list[float] = []
    for column in columns:
        values += _wavelengths(found, column)
    for group in groups:
        values += _attribute_wavelengths(found.groups[group])
    return _one_of(values, kind, notes)


def _wavelengths(found: Catalogue, column: Column) -> list[float]:
    """Wavelengths [angstrom] that one small array holds."""
    name, unit = column.name.lower(), unit_of(column.unit)
    in_beam = found.group_class(column.parent) in _BEAM
    if name in _WAVELENGTH:
        values = found.values(column).ravel()
        weights = found.column(f"{column.parent}/{column.name}_weights")
        if column.size > 1 and weights is not None and weights.shape == column.shape:
            order = np.argsort(-found.values(weights).ravel(), kind="stable")
            values = values[order[:1]]
        return [_to_angstrom(float(v), unit) for v in values]
    if name in _ENERGY or (name == "energy" and (in_beam or column.size == 1)):
        if found.group_class(column.parent) == "NXsource":
            return []  # the energy of the electrons in the ring
        return [_from_energy(float(v), unit) for v in found.values(column).ravel() if v > 0]
    return []


def _attribute_wavelengths(attrs: Any) -> list[float]:
    for name in attrs:
        value = attrs.get(name)
        if isinstance(value, (int, float)) and math.isfinite(value) and value > 0:
            if name.lower() in _WAVELENGTH:
                return [_to_angstrom(float(value), unit_of(first_text(attrs.get(f"{name}_units"))))]
            if name.lower() in _ENERGY:
                return [_from_energy(float(value), unit_of(first_text(attrs.get(f"{name}_units"))))]
    return []


def _to_angstrom(value: float, unit: tuple[str, float] | None) -> float:
    if unit is not None and unit[0] == "length":
        return value * unit[1]
    return value * 1e10 if 0 < value < _METRES_BELOW else value


def _from_energy(value: float, unit: tuple[str, float] | None) -> float:
    if unit is not None and unit[0] == "energy":
        return HC_KEV_ANGSTROM / (value * unit[1])
    return HC_KEV_ANGSTROM / (value * (1e-3 if value > _EV_BEYOND else 1.0))


def _one_of(values: list[float], probe: str, notes: list[str]) -> Radiation | None:
    """The one wavelength that all of them are."""
    values = [v for v in values if math.isfinite(v) and v > 0]
    if not values:
        return None
    if max(values) - min(values) > _SAME * min(values):
        shown = ", ".join(f"{v:.5g}" for v in sorted(set(values))[:4])
        notes.append(f"the file names different wavelengths ({shown} angstrom): none was taken, pass wavelength=")
        return None
    try:
        return Radiation(values[0], probe=probe)
    except PeakwiseError as problem:
        notes.append(f"the wavelength in the file is not used: {problem.why}")
        return None


def facts_of(found: Catalogue, groups: list[str], n: int) -> dict[str, Any]:
    """Metadata of these groups under the names of META: single values, and columns of one entry per row."""
    facts: dict[str, Any] = {}
    arrays = found.columns_of(groups)
    for column in sorted(arrays, key=lambda c: (c.path.count("/"), found.group_class(c.parent) != "NXsample")):
        name, wanted = _FACTS.get(column.name.lower(), ("", None))
        if column.name == "name" and column.sort == "text":
            name = _NAMED.get(found.group_class(column.parent), "")
        if not name or name in facts:
            continue
        if column.sort == "text" and wanted is None:
            facts[name] = found.text(column)
        elif column.sort == "number" and wanted is not None and (column.size == 1 or column.has_rows(n)):
            value = _in_unit(found.values(column).ravel()[: max(n, 1)], column.unit, wanted)
            # The time of a single scan since a start that is not known says nothing.
            if value is not None and not (name == "time" and not column.has_rows(n)):
                facts[name] = value[0].item() if value.size == 1 else value
    if isinstance(facts.get("time"), float):
        del facts["time"]
    return {k: v for k, v in facts.items() if not (isinstance(v, str) and not v)}


def _in_unit(values: Any, unit: str, wanted: str) -> Any:
    """Numbers in the wanted unit; None where theirs is not known."""
    if wanted == "K":
        return to_kelvin(values, unit)[0]
    if wanted == "deg":
        known = unit_of(unit)
        return values * (known[1] if known is not None and known[0] == "angle" else 1.0)
    scale = _SCALES[wanted].get(str(unit or "").lower())
    return None if scale is None else values * scale


def own_facts(found: Catalogue, group: str, n: int, used: set[str]) -> dict[str, Any]:
    """What a plain group says beside its scan, under its own names: attributes, single values, one value per row."""
    facts: dict[str, Any] = {}
    attrs = found.groups[group]
    for name in attrs:
        if name in _HOUSEKEEPING or name.lower() in _WAVELENGTH or len(facts) >= _MOST_FACTS:
            continue
        if name.endswith(("_indices", "_units")):
            continue
        value = attrs.get(name)
        if isinstance(value, (bool, int, float, str)) or (isinstance(value, list) and n > 1 and len(value) == n):
            facts[name] = value
    for column in found.children.get(group, []):
        if column.path in used or column.name.lower() in _FACTS or column.name.lower() in _WAVELENGTH:
            continue
        if column.sort not in ("number", "text") or len(column.shape) > 1 or len(facts) >= _MOST_FACTS:
            continue
        if column.size == 1 or column.has_rows(n):
            value = found.numbers(column) if column.sort == "number" else column.load()
            facts[column.name] = np.ravel(value)[0].item() if column.size == 1 else value[:n]
    return facts
