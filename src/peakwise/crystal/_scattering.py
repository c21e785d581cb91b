"""How strongly atoms scatter: form factors of X-rays and electrons, lengths of neutrons, anomalous terms.

X-rays: International Tables for Crystallography C (1992), table 6.1.1.4, neutral atoms and ions; f' and f'' after
Cromer and Liberman. Neutrons: Neutron News 3 (1992) 29. Electrons: International Tables C, table 4.3.2.2. All come from
gemmi's tables. An ion that is not tabulated scatters as the neutral atom.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Radiation

__all__ = ["anomalous", "element_of", "form_factors", "scatterer_of", "weight_of"]

_HC = 12398.4197386209  # [eV angstrom], exact since 2019
_LAST = 98  # Cf: the last element with form factors
_NAME = re.compile(r"([A-Z][a-z]?)(?:(\d+)([+-]))?")


@lru_cache(maxsize=4096)
def scatterer_of(element: str, charge: int = 0) -> str | None:
    """Name of the scatterer: ``Fe3+`` where the ion is tabulated, ``Fe`` where it is not, None for what is no element.

    >>> scatterer_of("Fe", 3), scatterer_of("Fe", 5), scatterer_of("D", 1), scatterer_of("Q")
    ('Fe3+', 'Fe', 'D', None)
    """
    import gemmi

    found = gemmi.Element(element)
    if not 1 <= found.atomic_number <= _LAST:
        return None
    ion = _exact(found.name, charge) if charge and element != "D" else None
    return found.name if ion is None else f"{found.name}{abs(charge)}{'+' if charge > 0 else '-'}"


def element_of(scatterer: str) -> str:
    """Element symbol (``D`` for deuterium) of a scatterer."""
    match = _NAME.fullmatch(scatterer)
    return match[1] if match else scatterer


def weight_of(element: str) -> float:
    """Atomic mass [u]."""
    import gemmi

    return float(gemmi.Element(element).weight)


def _exact(element: str, charge: int) -> tuple[list[float], list[float], float] | None:
    """Coefficients of exactly this ion; gemmi's switch for charges is set back afterwards."""
    import gemmi

    before = gemmi.IT92_get_ignore_charge()
    gemmi.IT92_set_ignore_charge(False)
    try:
        found = gemmi.IT92_get_exact(gemmi.Element(element), charge)
    finally:
        gemmi.IT92_set_ignore_charge(before)
    return None if found is None else (list(found.a), list(found.b), float(found.c))


@lru_cache(maxsize=1024)
def _coefficients(scatterer: str, probe: str) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """a, b, c of sum a exp(-b s²) + c."""
    import gemmi

    match = _NAME.fullmatch(scatterer)
    if match is None:
        raise ValueError(f"{scatterer!r} is no scatterer")
    element = gemmi.Element(match[1])
    if probe == "neutron":
        return np.zeros(0), np.zeros(0), float(element.neutron92.calculate_sf(0.0))
    if probe == "electron":
        table = element.c4322
        return np.array(table.a), np.array(table.b), 0.0
    charge = int(f"{match[3]}{match[2]}") if match[2] else 0
    found = _exact(match[1], charge) or _exact(match[1], 0)
    if found is None:
        raise ValueError(f"{scatterer!r} has no form factor")
    return np.array(found[0]), np.array(found[1]), found[2]


@lru_cache(maxsize=4096)
def anomalous(element: str, wavelength: float) -> tuple[float, float]:
    """F' and f'' [electrons] of an element at a wavelength [angstrom]; zero below Li, where none are tabulated."""
    import gemmi

    z = gemmi.Element(element).atomic_number
    if z < 3:
        return 0.0, 0.0
    real, imaginary = gemmi.cromer_liberman(z, _HC / wavelength)
    return float(real), float(imaginary)


@lru_cache(maxsize=64)
def _table(
    scatterers: tuple[str, ...], probe: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    rows = [_coefficients(s, probe) for s in scatterers]
    width = max((len(a) for a, _, _ in rows), default=0)
    a, b = np.zeros((len(rows), width, 1)), np.zeros((len(rows), width, 1))
    for i, (one, two, _) in enumerate(rows):
        a[i, : len(one), 0], b[i, : len(two), 0] = one, two
    return a, b, np.array([[c] for _, _, c in rows])


def form_factors(
    scatterers: tuple[str, ...], s2: NDArray[np.float64], radiation: Radiation
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Real part (n_scatterers, n) and imaginary part (n_scatterers,) of what each scatterer scatters at each s²."""
    a, b, c = _table(scatterers, radiation.probe)
    real = c + (a * np.exp(-b * s2)).sum(1)
    terms = np.zeros((len(scatterers), 2))
    if radiation.probe == "xray":
        terms = np.array([anomalous(element_of(s), radiation.wavelength) for s in scatterers]).reshape(-1, 2)
    real = real + terms[:, :1]
    return real.astype(np.float32), terms[:, 1].astype(np.float32)
