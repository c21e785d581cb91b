"""What files call their axes and units -> our kinds of axis and our units.

A name and a unit together decide: ``binning`` in ``deg``, with the long name ``two_theta (degrees)``, is 2θ; ``q``
in ``nm^-1`` is q to be divided by ten; ``energy`` in ``cm-1`` is a wavenumber whatever it is called.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Meaning", "axis_meaning", "intensity_unit", "is_slow", "to_kelvin", "to_our_axis", "unit_of"]

_KEV_PER_JOULE = 1 / 1.602176634e-16  # exact by the definition of the SI
_EV_BEYOND = 200.0  # an energy axis without a unit that ends above this is in eV: no X-ray source reaches 200 keV
_NM_BEYOND = 8.0  # a pattern that began at q = 8 1/angstrom (d = 0.8 angstrom) would miss every first line

# Quantity and factor to the unit in which we keep it. Case matters only where it does in physics: meV and MeV.
_UNITS: dict[str, tuple[str, float]] = {}
for _names, _quantity, _factor in (
    ("deg degree degrees ° 2th_deg tth_deg chi_deg", "angle", 1.0),
    ("rad radian radians 2th_rad chi_rad", "angle", 180 / math.pi),
    ("mrad", "angle", 0.18 / math.pi),
    ("centideg centidegree centidegrees cdeg", "angle", 0.01),
    ("1/angstrom angstrom^-1 angstrom-1 1/a a^-1 a-1 1/å å^-1 å-1 å⁻¹ inverse_angstrom q_a^-1", "inverse length", 1.0),
    ("1/nm nm^-1 nm-1 nm⁻¹ inverse_nm q_nm^-1", "inverse length", 0.1),
    ("1/m m^-1 m-1", "inverse length", 1e-10),
    ("1/cm cm^-1 cm-1 cm⁻¹ inverse_cm", "wavenumber", 1.0),
    ("angstrom angstroms å a ang d_a r_a", "length", 1.0),
    ("pm picometer", "length", 0.01),
    ("nm nanometer nanometers nanometre", "length", 10.0),
    ("um µm μm micron microns micrometer r_um", "length", 1e4),
    ("mm millimeter millimetre r_mm", "length", 1e7),
    ("cm", "length", 1e8),
    ("m meter metre meters", "length", 1e10),
    ("ev", "energy", 1e-3),
    ("kev", "energy", 1.0),
    ("j joule", "energy", _KEV_PER_JOULE),
    ("thz", "frequency", 1.0),
    ("ghz", "frequency", 1e-3),
    ("hz 1/s", "frequency", 1e-12),
    ("us µs μs microsecond microseconds", "time", 1.0),
    ("ns nanosecond nanoseconds", "time", 1e-3),
    ("ms millisecond milliseconds", "time", 1e3),
    ("s sec second seconds", "time", 1e6),
    ("k kelvin", "temperature", 1.0),
):
    _UNITS.update(dict.fromkeys(_names.split(), (_quantity, _factor)))

# Kind of axis -> the quantity it is measured in and the factor from that quantity's unit above to the kind's own.
_MEASURED: dict[str, tuple[str, float]] = {
    "two_theta": ("angle", 1.0),
    "q": ("inverse length", 1.0),
    "d": ("length", 1.0),
    "energy": ("energy", 1.0),
    "wavenumber": ("wavenumber", 1.0),
    "raman_shift": ("wavenumber", 1.0),
    "frequency": ("frequency", 1.0),
    "wavelength": ("length", 0.1),
    "r": ("length", 1.0),
    "time_of_flight": ("time", 1.0),
    "omega": ("angle", 1.0),
    "chi": ("angle", 1.0),
    "phi": ("angle", 1.0),
    "position": ("length", 1e-7),
}
# What an axis is when only its unit tells, where the unit leaves one choice.
_BY_UNIT = {"inverse length": "q", "energy": "energy", "wavenumber": "wavenumber", "frequency": "frequency"}

# Names with everything but letters and digits taken out.
_NAMES: dict[str, str] = {}
for _kind, _words in {
    "two_theta": "twotheta 2theta tth 2th 2tth twoth ttheta scatteringangle polarangle 2thetascan binning2th",
    "q": "q qaxis qvalue qvalues qbins qx momentumtransfer scatteringvector qspace",
    "d": "d dspacing dspacings",
    "energy": "energy energies photonenergy en e monoenergy enenergy dcmenergy",
    "wavenumber": "wavenumber wavenumbers",
    "raman_shift": "ramanshift ramanshifts shift",
    "frequency": "frequency freq",
    "wavelength": "wavelength wavelengths lambda",
    "r": "r distance",
    "time_of_flight": "tof timeofflight",
    "omega": "omega th theta",
    "chi": "chi azimuth azimuthal",
    "phi": "phi",
    "channel": "channel channels",
}.items():
    _NAMES.update(dict.fromkeys(_words.split(), _kind))
_UNNAMED = frozenset({"x", "xdata", "xaxis", "axis", "angle", "angles", "position", "abscissa", "radial", "binning"})
# What stands along a series rather than along a pattern.
_SLOW = frozenset((
    "time", "t", "timestamp", "epoch", "elapsed", "elapsedtime", "times", "temperature", "temp", "pressure",
    "voltage", "current", "potential", "frame", "frames", "framenumber", "index", "scan", "scannumber", "number",
    "point", "pattern", "sample", "image", "images", "y", "z",
))  # fmt: skip


class Meaning(NamedTuple):
    """What an axis is (None where nothing says so) and the factor to our unit of it."""

    kind: str | None
    factor: float = 1.0
    named: bool = False  # whether name or unit said what it is
    has_unit: bool = False


def unit_of(text: object) -> tuple[str, float] | None:
    """Quantity and factor of a unit, or None where it is none that we know.

    >>> unit_of("Å^-1"), unit_of("meV"), unit_of("parsec")
    (('inverse length', 1.0), ('energy', 1e-06), None)
    """
    word = re.sub(r"\s+", "", str(text or "").strip()).replace("Å", "å").replace("**", "^")
    if word in ("meV", "MeV"):
        return "energy", 1e-6 if word == "meV" else 1e3
    return _UNITS.get(word.lower())


def axis_meaning(name: str, unit: object = None, long_name: object = None) -> Meaning | None:
    """What an axis of this name and unit is; None where it is certainly not the axis of a pattern.

    >>> axis_meaning("q_nm^-1")
    Meaning(kind='q', factor=0.1, named=True, has_unit=True)
    >>> axis_meaning("binning", "deg", "two_theta (degrees)").kind
    'two_theta'
    >>> axis_meaning("time", "s") is None
    True
    """
    kind: str | None = None
    slow = False
    measured = unit_of(unit)
    for text in (name, str(long_name or "")):
        word, inside = _split(text)
        measured = measured or unit_of(inside)
        kind = kind or _NAMES.get(word)
        slow = slow or word in _SLOW
    if kind is None and slow:
        return None
    if measured is None:
        return Meaning(kind, named=kind is not None)
    quantity, factor = measured
    if quantity == "temperature":
        return None
    if kind is not None and kind != "channel":
        own, further = _MEASURED[kind]
        if own == quantity:
            return Meaning(kind, factor * further, named=True, has_unit=True)
        if kind == "q" and quantity == "length":  # "q_nm" is short for q in 1/nm
            return Meaning(kind, 1 / factor, named=True, has_unit=True)
    kind = _BY_UNIT.get(quantity)
    if kind is None and quantity in ("time", "length"):
        return None
    return Meaning(kind, factor, named=kind is not None, has_unit=True)


def is_slow(name: str) -> bool:
    """Whether a name is one of those that stand along a series: time, temperature, frame number ..."""
    return _split(name)[0] in _SLOW


def to_our_axis(values: NDArray[np.float64], meaning: Meaning, notes: list[str]) -> NDArray[np.float64]:
    """Positions in our unit; what had to be assumed goes into `notes`."""
    if not meaning.has_unit and meaning.kind == "energy":
        electronvolt = bool(np.nanmax(values, initial=0) > _EV_BEYOND)
        notes.append(f"the energies have no unit: {'eV' if electronvolt else 'keV'} assumed from their size")
        return values * (1e-3 if electronvolt else 1.0)
    if not meaning.has_unit and meaning.kind == "q" and bool(np.nanmin(values, initial=np.inf) > _NM_BEYOND):
        notes.append(f"the axis q has no unit: 1/nm assumed, since it begins at {np.nanmin(values):g}")
        return values * 0.1
    if not meaning.has_unit and meaning.kind in ("q", "d", "wavelength"):
        assumed = {"q": "1/angstrom", "d": "angstrom", "wavelength": "nm"}[meaning.kind]
        notes.append(f"the axis {meaning.kind} has no unit: {assumed} assumed")
    return values * meaning.factor if meaning.factor != 1 else values


def to_kelvin(values: NDArray[np.float64], unit: object) -> tuple[NDArray[np.float64], bool]:
    """Temperatures in K, and whether the unit was known."""
    word = re.sub(r"[^a-z]", "", str(unit or "").lower())
    if word in ("c", "degc", "celsius", "degreescelsius", "degreecelsius", "degreesc"):
        return values + 273.15, True
    return values, word in ("k", "kelvin")


def intensity_unit(name: str, unit: object, whole: bool) -> str:
    """Our word for the unit of an intensity; `whole` tells that it is stored as whole numbers."""
    said = str(unit or "").strip().lower()
    word = re.sub(r"[^a-z]", "", name.lower())
    if said in ("counts", "count", "cts", "ct"):
        return "counts"
    if said in ("counts/s", "cts/s", "counts/sec", "cps", "counts per second", "count/s"):
        return "counts/s"
    if said in ("absorbance", "transmittance"):
        return said
    if said in ("a.u.", "a.u", "au", "arb. units", "arb.units", "arbitrary", "arb. u.", "arb"):
        return "arbitrary"
    if not said and word in ("mu", "mux", "mutrans", "absorbance", "absorption", "mue"):
        return "absorbance"
    return "counts" if not said and (word in ("counts", "cts") or whole) else "unknown"


def _split(text: str) -> tuple[str, str]:
    """The bare name and the unit that stands in it: ``q (1/nm)``, ``2th_deg``, ``Energy [eV]``."""
    text = text.strip().lower().replace("θ", "theta")
    match = re.fullmatch(r"(.*?)\s*[\(\[](.+?)[\)\]]", text)
    if match is None and "_" in text and unit_of(text.rsplit("_", 1)[1]) is not None:
        match = re.fullmatch(r"(.*)_(.+)", text)
    bare, unit = (match[1], match[2]) if match else (text, "")
    return re.sub(r"[^a-z0-9]", "", bare), unit


def is_plain_axis_name(name: str) -> bool:
    """Whether a name says no more than that it is an axis: x, angle, radial ..."""
    return _split(name)[0] in _UNNAMED
