"""What stands between the sample and the numbers: radiation, optics, geometry and the widths they give."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.patterns import Radiation, as_radiation

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOST_CAPILLARY", "PRESETS", "Instrument"]

# The absorption of a capillary follows Rouse et al., Acta Cryst. A26 (1970) 682, within 1 % up to this mu R; at 2
# and 150 deg that formula is 38 % off a numerical integral.
MOST_CAPILLARY = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    r"""A powder diffractometer.

    Parameters
    ----------
    radiation : Radiation
        Every line of it is simulated: Kα1 and Kα2, harmonics, any list.
    u, v, w : float
        Caglioti's Gaussian FWHM [deg^2]: :math:`\Gamma_G^2 = U \tan^2\theta + V \tan\theta + W`.
    x, y : float
        Lorentzian FWHM [deg]: :math:`\Gamma_L = X \tan\theta + Y / \cos\theta`.
    polarisation : float
        Share of the beam polarised perpendicular to the diffraction plane: 0.5 for a tube, about 0.95 to 1 for a
        synchrotron with a vertical diffraction plane, 1 for neutrons (no polarisation factor).
    monochromator : float or None
        Bragg angle 2θ of a crystal monochromator [deg].
    radius : float
        Goniometer radius [mm]: from the sample to the detector.
    geometry : {"reflection", "transmission"}
        Whether displacement, transparency and absorption are those of a flat sample in reflection or of a capillary.
    zero : float
        Zero shift [deg].
    displacement, displacement_along : float
        Offset of the sample [mm]: in reflection along its normal, away from source and detector; in transmission across
        the beam, positive towards the detector, and along it, positive downstream.
    transparency : float
        Of a flat sample: :math:`1/(2 \mu R)` [rad]. In transmission absorption and `capillary` say how lines move.
    absorption : float
        In reflection μt of a thin sample (0: thick), in transmission μr of the capillary (0: none).
    capillary : float
        Radius r of the capillary [mm].
    axial_sample, axial_detector : float
        Half heights of sample and detector slit over the radius (S/L and H/L of Finger, Cox and Jephcoat).

    Notes
    -----
    The widths of a line are joined to one pseudo-Voigt after Thompson, Cox and Hastings, J. Appl. Cryst. 20 (1987) 79,
    doi:10.1107/S0021889887087090. Axial divergence follows Finger, Cox and Jephcoat, J. Appl. Cryst. 27 (1994) 892,
    doi:10.1107/S0021889894004218, sampled over the height: a line becomes up to 16 lines towards lower angles.

    Examples
    --------
    >>> Instrument.lab_bragg_brentano("CuKa1").fwhm([30.0, 90.0]).round(3)
    array([0.152, 0.171])
    """

    radiation: Radiation
    u: float = 0.0
    v: float = 0.0
    w: float = 0.01
    x: float = 0.0
    y: float = 0.0
    polarisation: float = 0.5
    monochromator: float | None = None
    radius: float = 200.0
    geometry: str = "reflection"
    zero: float = 0.0
    displacement: float = 0.0
    displacement_along: float = 0.0
    transparency: float = 0.0
    absorption: float = 0.0
    capillary: float = 0.25
    axial_sample: float = 0.0
    axial_detector: float = 0.0

    def __post_init__(self) -> None:
        light = as_radiation(self.radiation)
        if light is None:
            raise OptionError("cannot make the instrument", "it has no radiation", "Give a wavelength or a Radiation")
        object.__setattr__(self, "radiation", light)
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("radiation", "geometry") or (field.name == "monochromator" and value is None):
                continue
            if not np.isfinite(value):
                raise OptionError("cannot make the instrument", f"{field.name} is {value}", "Give a finite number")
        rules = (
            (0 <= self.polarisation <= 1, f"polarisation must lie within 0 and 1, got {self.polarisation:g}"),
            (self.radius > 0, f"radius must be above 0 mm, got {self.radius:g}"),
            (
                self.geometry in ("reflection", "transmission"),
                f"geometry must be reflection or transmission, got {self.geometry!r}",
            ),
            (self.absorption >= 0, f"absorption must not be negative, got {self.absorption:g}"),
            (
                self.geometry == "reflection" or self.absorption <= MOST_CAPILLARY,
                f"absorption of a capillary (mu R) may be at most {MOST_CAPILLARY:g}, got {self.absorption:g}",
            ),
            (
                self.geometry == "reflection" or self.transparency == 0,
                "transparency is that of a flat sample, not of a capillary: give absorption (mu r) and capillary (r)",
            ),
            (
                self.geometry == "transmission" or self.displacement_along == 0,
                "displacement_along is that of a capillary: in reflection give displacement",
            ),
            (self.capillary >= 0, f"the capillary's radius must not be negative, got {self.capillary:g}"),
            (
                0 <= self.axial_sample <= 0.2 and 0 <= self.axial_detector <= 0.2,
                "axial divergence must lie within 0 and 0.2",
            ),
            (self.narrowest() > 0, "the widths U, V, W, X, Y give no FWHM above 0 between 5 and 170 deg"),
        )
        for good, why in rules:
            if not good:
                raise OptionError("cannot make the instrument", why, "See the parameters of Instrument")

    @classmethod
    def lab_bragg_brentano(cls, radiation: Radiation | float | str = "CuKa", **changes: Any) -> Instrument:
        """A laboratory diffractometer in reflection.

        FWHM 0.15 deg at low angles and 0.17 deg at 90 deg, as of a 0.3 mm receiving slit on 200 mm radius; small
        axial divergence as behind 2.5 deg Soller slits.
        """
        light = as_radiation(radiation)
        given: dict[str, Any] = {
            "radiation": light,
            "u": 0.008,
            "v": -0.006,
            "w": 0.0205,
            "x": 0.01,
            "y": 0.02,
            "axial_sample": 0.012,
            "axial_detector": 0.012,
        }
        return cls(**(given | changes))

    @classmethod
    def synchrotron(cls, radiation: Radiation | float | str = 0.4828, **changes: Any) -> Instrument:
        """A synchrotron beamline: one narrow line, vertical diffraction plane, capillary."""
        given: dict[str, Any] = {
            "radiation": as_radiation(radiation),
            "w": 4e-4,
            "x": 0.005,
            "y": 0.002,
            "polarisation": 0.97,
            "geometry": "transmission",
            "radius": 1000.0,
        }
        return cls(**(given | changes))

    @classmethod
    def neutron(cls, wavelength: float = 1.54, **changes: Any) -> Instrument:
        """A constant-wavelength neutron diffractometer: broad lines, no polarisation factor."""
        given: dict[str, Any] = {
            "radiation": Radiation(float(wavelength), probe="neutron"),
            "u": 0.15,
            "v": -0.20,
            "w": 0.14,
            "polarisation": 1.0,
            "geometry": "transmission",
            "radius": 1500.0,
        }
        return cls(**(given | changes))

    def replace(self, **changes: Any) -> Instrument:
        """Return an instrument with some parameters changed."""
        return replace(self, **changes)

    def fwhm(self, two_theta: Any) -> NDArray[np.float64]:
        """FWHM of the instrument alone [deg] at some angles [deg]."""
        theta = np.radians(np.asarray(two_theta, dtype=np.float64) / 2)
        tan = np.tan(theta)
        gauss = np.sqrt(np.maximum(self.u * tan**2 + self.v * tan + self.w, 0.0))
        lorentz = np.maximum(self.x * tan + self.y / np.cos(theta), 0.0)
        return thompson_cox_hastings(gauss, lorentz)[0]

    def narrowest(self) -> float:
        """The smallest FWHM between 5 and 170 deg."""
        return float(self.fwhm(np.linspace(5, 170, 166)).min())

    def optics(self) -> NDArray[np.float64]:
        """The numbers that the kernels read."""
        return np.array(
            [
                self.u, self.v, self.w, self.x, self.y, self.polarisation, self.monochromator_factor, self.radius,
                float(self.geometry == "transmission"), self.axial_sample, self.axial_detector,
                self.capillary,
            ]
        )  # fmt: skip

    @property
    def monochromator_factor(self) -> float:
        """cos^2 of the monochromator's angle, 1 without one."""
        return 1.0 if self.monochromator is None else float(np.cos(np.radians(self.monochromator)) ** 2)


def thompson_cox_hastings(gauss: Any, lorentz: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """FWHM and Lorentzian share of the pseudo-Voigt that stands for a Gaussian folded with a Lorentzian (float64)."""
    g, lo = np.asarray(gauss, dtype=np.float64), np.asarray(lorentz, dtype=np.float64)
    fifth = g**5 + 2.69269 * g**4 * lo + 2.42843 * g**3 * lo**2 + 4.47163 * g**2 * lo**3 + 0.07842 * g * lo**4 + lo**5
    fwhm = fifth**0.2
    q = np.divide(lo, fwhm, out=np.zeros_like(fwhm), where=fwhm > 0)
    return fwhm, q * (1.36603 - q * (0.47719 - q * 0.11116))


PRESETS = {
    "lab_bragg_brentano": Instrument.lab_bragg_brentano,
    "synchrotron": Instrument.synchrotron,
    "neutron": Instrument.neutron,
}
