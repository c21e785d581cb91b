"""What the numbers along a pattern mean, and how one meaning becomes another.

The table `AXES` holds every kind of axis. Three families convert exactly within themselves:

* diffraction: ``two_theta`` (with a wavelength), ``q``, ``d``, and ``energy`` of an energy-dispersive detector at a
  fixed scattering angle;
* vibration and photon energy: ``energy``, ``wavenumber``, ``raman_shift``, ``frequency`` (a Raman shift is the
  wavenumber of the vibration that was excited, so it shares the scale of ``wavenumber``) and ``wavelength``;
* everything else (``r``, ``time_of_flight``, ``omega``, ``channel`` ...) stays what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import AxisError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["AXES", "HC_KEV_ANGSTROM", "Axis", "axis_kind", "convert_axis"]

# CODATA 2018, exact by the definition of the SI: h c / e in keV angstrom, c in cm/s.
HC_KEV_ANGSTROM = 12.398419843320026
SPEED_OF_LIGHT_CM_PER_S = 29_979_245_800.0

# One photon or vibration of energy 1 keV, as a wavenumber [1/cm]: 1e8 / (hc in keV angstrom).
_WAVENUMBER_PER_KEV = 1e8 / HC_KEV_ANGSTROM
_WAVENUMBER_PER_THZ = 1e12 / SPEED_OF_LIGHT_CM_PER_S


@dataclass(frozen=True, slots=True)
class Axis:
    """One kind of axis: how it is called, in which unit, and as which words files spell it."""

    name: str
    unit: str
    symbol: str
    family: str
    spellings: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Text for a figure's axis: ``2θ [deg]``."""
        return f"{self.symbol} [{self.unit}]" if self.unit else self.symbol


AXES: dict[str, Axis] = {
    axis.name: axis
    for axis in (
        Axis(
            "two_theta", "deg", "2θ", "diffraction", ("2theta", "twotheta", "2-theta", "two-theta", "2θ", "tth", "2th")
        ),
        Axis("q", "1/angstrom", "q", "diffraction", ("q", "q_a^-1", "momentum transfer", "scattering vector")),
        Axis("d", "angstrom", "d", "diffraction", ("d", "d-spacing", "d_spacing", "dspacing")),
        Axis("energy", "keV", "E", "spectral", ("energy", "e", "photon energy")),
        Axis("wavenumber", "1/cm", "ν̃", "spectral", ("wavenumber", "wavenumbers", "1/cm", "cm-1", "cm^-1")),
        Axis("raman_shift", "1/cm", "Raman shift", "spectral", ("raman shift", "raman_shift", "ramanshift")),
        Axis("frequency", "THz", "f", "spectral", ("frequency", "thz")),
        Axis("wavelength", "nm", "λ", "spectral", ("wavelength", "lambda", "nm")),
        Axis("r", "angstrom", "r", "distance", ("r", "distance")),
        Axis("time_of_flight", "us", "t", "flight", ("tof", "time-of-flight", "time_of_flight", "time of flight")),
        Axis("omega", "deg", "ω", "angle", ("omega", "th", "theta")),
        Axis("chi", "deg", "χ", "angle", ("chi", "psi")),
        Axis("phi", "deg", "φ", "angle", ("phi",)),
        Axis("position", "mm", "position", "length", ("x", "y", "z", "position")),
        Axis("channel", "", "channel", "index", ("channel", "index")),
        Axis("unknown", "", "x", "index"),  # the file does not say, and it cannot be guessed
    )
}


def axis_kind(name: str) -> str:
    """Return the table's name of an axis, or say which names there are.

    >>> axis_kind("two_theta")
    'two_theta'
    >>> axis_kind("2theta")
    Traceback (most recent call last):
    ...
    peakwise.errors.AxisError: unknown axis: got '2theta', the axes are two_theta, q, d, ... Write two_theta.
    """
    if name in AXES:
        return name
    guess = next((axis.name for axis in AXES.values() if str(name).lower() in axis.spellings), None)
    do = f"Write {guess}" if guess else "Use one of these names"
    raise AxisError("unknown axis", f"got {name!r}, the axes are {', '.join(AXES)}", do)


def convert_axis(
    values: ArrayLike,
    kind: str,
    to: str,
    *,
    wavelength: float | None = None,
    two_theta: float | None = None,
) -> NDArray[np.float64]:
    r"""Convert positions along one kind of axis into another kind, exactly.

    Parameters
    ----------
    values : array-like
        Positions along the axis `kind`, in its unit (see `AXES`).
    kind, to : str
        Names of axes in `AXES`.
    wavelength : float, optional
        Wavelength [angstrom]; needed when one side is ``two_theta``.
    two_theta : float, optional
        Fixed scattering angle [deg] of an energy-dispersive detector; needed between ``energy`` and the
        diffraction axes.

    Returns
    -------
    ndarray of float64
        Positions along `to`. Their order follows `values`: a rising ``q`` gives a falling ``d``.

    Notes
    -----
    :math:`q = 4 \pi \sin(\theta) / \lambda = 2 \pi / d`, and :math:`E = h c / \lambda`.

    Examples
    --------
    >>> convert_axis([30.0], "two_theta", "q", wavelength=1.540593).round(6)
    array([2.111146])
    >>> convert_axis([100.0], "wavenumber", "frequency").round(6)
    array([2.997925])
    """
    kind, to = axis_kind(kind), axis_kind(to)
    x = np.asarray(values, dtype=np.float64)
    if kind == to:
        return x.copy()
    families = {AXES[kind].family, AXES[to].family}
    if families == {"spectral"}:
        return _from_wavenumber(_to_wavenumber(x, kind), to)
    if families == {"diffraction"} or (families == {"diffraction", "spectral"} and "energy" in (kind, to)):
        return _from_q(_to_q(x, kind, wavelength, two_theta), to, wavelength, two_theta)
    raise AxisError(
        "cannot convert the axis",
        f"{kind} and {to} measure different things",
        f"Convert to one of {', '.join(a.name for a in AXES.values() if a.family == AXES[kind].family)}",
    )


def _need(value: float | None, what: str, name: str) -> float:
    if value is None or not np.isfinite(value) or value <= 0:
        raise AxisError(
            "cannot convert the axis", f"it needs {what}, got {value}", f"Give {name}=, for example {name}=1.5406"
        )
    return float(value)


def _to_q(x: NDArray[np.float64], kind: str, wavelength: float | None, two_theta: float | None) -> NDArray[np.float64]:
    if kind == "q":
        return x.copy()
    if kind == "two_theta":
        if x.size and (np.nanmin(x) < -180 or np.nanmax(x) > 180):
            raise AxisError(
                "cannot convert the axis",
                f"two_theta must lie within -180 and 180 deg, got {np.nanmin(x):g} to {np.nanmax(x):g}",
                "Check the unit: centidegrees, q or d are often mistaken for degrees",
            )
        return 4 * np.pi * np.sin(np.radians(x / 2)) / _need(wavelength, "a wavelength", "wavelength")
    if kind == "d":
        _refuse_zero(x, "d")
        return 2 * np.pi / x
    angle = np.radians(_need(two_theta, "the fixed scattering angle of the detector", "two_theta") / 2)
    return x * (4 * np.pi * float(np.sin(angle)) / HC_KEV_ANGSTROM)


def _from_q(q: NDArray[np.float64], to: str, wavelength: float | None, two_theta: float | None) -> NDArray[np.float64]:
    if to == "q":
        return q
    if to == "d":
        _refuse_zero(q, "q")
        return 2 * np.pi / q
    if to == "two_theta":
        lam = _need(wavelength, "a wavelength", "wavelength")
        sine = q * lam / (4 * np.pi)
        if np.any(np.abs(sine) > 1):
            raise AxisError(
                "cannot convert the axis",
                f"q up to {np.nanmax(np.abs(q)):g} 1/angstrom cannot be reached with {lam:g} angstrom "
                f"(at most {4 * np.pi / lam:g})",
                "Crop the pattern first or give a shorter wavelength",
            )
        return 2 * np.degrees(np.arcsin(sine))
    angle = np.radians(_need(two_theta, "the fixed scattering angle of the detector", "two_theta") / 2)
    return q * (HC_KEV_ANGSTROM / (4 * np.pi * float(np.sin(angle))))


def _to_wavenumber(x: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    if kind == "energy":
        return x * _WAVENUMBER_PER_KEV
    if kind == "frequency":
        return x * _WAVENUMBER_PER_THZ
    if kind == "wavelength":
        _refuse_zero(x, "wavelength")
        return 1e7 / x
    return x.copy()


def _from_wavenumber(x: NDArray[np.float64], to: str) -> NDArray[np.float64]:
    if to == "energy":
        return x / _WAVENUMBER_PER_KEV
    if to == "frequency":
        return x / _WAVENUMBER_PER_THZ
    if to == "wavelength":
        _refuse_zero(x, "wavenumber")
        return 1e7 / x
    return x


def _refuse_zero(x: NDArray[np.float64], name: str) -> None:
    if np.any(x == 0):
        raise AxisError("cannot convert the axis", f"{name} = 0 has no reciprocal", "Crop the pattern to exclude zero")
