"""The radiation of a scan: its wavelength, the lines it consists of, and the names people use for them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from peakwise.errors import AxisError

__all__ = ["WAVELENGTHS", "Radiation", "as_radiation"]

# Kα1 and Kα2 [angstrom]. International Tables for Crystallography C (2004), table 4.2.2.4, after Hölzer et al.,
# Phys. Rev. A 56 (1997) 4554 (Cr, Fe, Co, Cu) and Deslattes et al., Rev. Mod. Phys. 75 (2003) 35 (Mo, Ag).
_K_ALPHA = {
    "Cr": (2.2897260, 2.2936510),
    "Fe": (1.9360410, 1.9399730),
    "Co": (1.7889960, 1.7928350),
    "Cu": (1.54059290, 1.54442740),
    "Mo": (0.70931715, 0.71360700),
    "Ag": (0.55942178, 0.56381310),
}
# Kα2 has half the intensity of Kα1 (statistical weights of 2p1/2 and 2p3/2); the weighted mean is what an
# unresolved doublet shows.
_K_ALPHA2_RATIO = 0.5

WAVELENGTHS: dict[str, float] = {}
for _element, (_one, _two) in _K_ALPHA.items():
    WAVELENGTHS[f"{_element}Ka"] = (_one + _K_ALPHA2_RATIO * _two) / (1 + _K_ALPHA2_RATIO)
    WAVELENGTHS[f"{_element}Ka1"] = _one
    WAVELENGTHS[f"{_element}Ka2"] = _two

SHORTEST, LONGEST = 0.01, 25.0  # [angstrom]: beyond these nobody measures a powder, so a unit was mistaken


@dataclass(frozen=True, slots=True)
class Radiation:
    """What a scan was measured with.

    Parameters
    ----------
    wavelength : float
        The one number that turns angles into q [angstrom]: Kα1 where the file names it, else the mean.
    lines : tuple of (float, float)
        Every line with its relative intensity, the strongest first. One line where nothing else is known.
    anode : str or None
        Element symbol of the X-ray tube.
    probe : {"xray", "neutron", "electron"}
    assumed : bool
        Whether nobody stated it: a default, which is never written into a file as if it were a fact.

    Examples
    --------
    >>> Radiation.named("CuKa1").wavelength
    1.5405929
    >>> Radiation.doublet(1.5406, 1.5444, anode="Cu").lines
    ((1.5406, 1.0), (1.5444, 0.5))
    """

    wavelength: float
    lines: tuple[tuple[float, float], ...] = ()
    anode: str | None = None
    probe: str = "xray"
    assumed: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "wavelength", check_wavelength(self.wavelength))
        lines = tuple((check_wavelength(w), float(i)) for w, i in self.lines) or ((self.wavelength, 1.0),)
        object.__setattr__(self, "lines", lines)
        if self.probe not in ("xray", "neutron", "electron"):
            raise AxisError("unknown radiation", f"got probe={self.probe!r}", "Use xray, neutron or electron")

    @classmethod
    def named(cls, name: str) -> Radiation:
        """Radiation of an X-ray tube by name: ``CuKa`` (mean of both lines), ``CuKa1``, ``MoKa`` ..."""
        match = re.fullmatch(r"([A-Za-z]{2})[\s_-]*[Kk][\s_-]*(?:alpha|a|α)[\s_-]*([12]?)", str(name).strip())
        element = match[1].capitalize() if match else ""
        if match is None or element not in _K_ALPHA:
            raise AxisError("unknown wavelength", f"got {name!r}", f"Give angstrom or one of {', '.join(WAVELENGTHS)}")
        one, two = _K_ALPHA[element]
        if match[2]:
            return cls(one if match[2] == "1" else two, anode=element)
        return cls(WAVELENGTHS[f"{element}Ka"], ((one, 1.0), (two, _K_ALPHA2_RATIO)), element)

    @classmethod
    def doublet(cls, one: float, two: float | None, ratio: float | None = None, anode: str | None = None) -> Radiation:
        """Radiation from the Kα1, the Kα2 and their intensity ratio as a file's header gives them."""
        if two is None or not two > 0 or ratio == 0 or math.isclose(one, two, rel_tol=1e-7):
            return cls(one, anode=anode)
        if ratio is None or not 0 < ratio <= 1:
            ratio = _K_ALPHA2_RATIO
        return cls(one, ((one, 1.0), (two, ratio)), anode)

    @property
    def name(self) -> str | None:
        """The name in `WAVELENGTHS` that has this wavelength to its last digit, or None."""
        return next((k for k, v in WAVELENGTHS.items() if v == self.wavelength), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers and text, as stored in files."""
        return {
            "wavelength": self.wavelength,
            "lines": [list(x) for x in self.lines],
            "anode": self.anode,
            "probe": self.probe,
            "assumed": self.assumed,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Radiation:
        """The inverse of `to_dict`."""
        lines = tuple((float(w), float(i)) for w, i in stored.get("lines", ()))
        return cls(
            float(stored["wavelength"]),
            lines,
            stored.get("anode"),
            stored.get("probe", "xray"),
            stored.get("assumed", False),
        )


def check_wavelength(value: float) -> float:
    """Return the wavelength [angstrom] as a float, or say why it cannot be one."""
    wavelength = float(value)
    if not SHORTEST <= wavelength <= LONGEST:
        hint = "Give angstrom (1.5406, not 0.15406 nm or 154.06 pm)"
        why = f"a wavelength must lie within {SHORTEST} and {LONGEST} angstrom, got {wavelength:g}"
        raise AxisError("impossible wavelength", why, hint)
    return wavelength


def as_radiation(value: Radiation | float | str | None) -> Radiation | None:
    """Radiation from a number [angstrom], a name or a number written as text; None stays None.

    >>> as_radiation("0.4828").wavelength
    0.4828
    >>> round(as_radiation("MoKa").wavelength, 5)
    0.71075
    """
    if value is None or isinstance(value, Radiation):
        return value
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return Radiation.named(str(value))
    try:
        return Radiation(float(value))
    except TypeError as problem:
        why = f"a number in angstrom or a name is needed, got {type(value).__name__}"
        raise AxisError("impossible wavelength", why, "Give 1.5406 or CuKa") from problem
