"""Every reflection family of a structure, with what each kind of atom adds to it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.crystal._scattering import form_factors
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.crystal._compile import Compiled
    from peakwise.patterns import Radiation

__all__ = ["LIMIT", "Reflections", "intensities", "reflect"]

LIMIT = 200_000  # families of one structure
_VISITS = 100  # points of reciprocal space that may be looked at for each family allowed


@dataclass(frozen=True, slots=True, eq=False)
class Reflections:
    """Every reflection family with d >= d_min, computed once per structure, by falling d.

    A structure factor is ``F = sum over e of f_e(s) * partial[e]``: with these partial sums strain, form factors and
    wavelength of a variant change without touching an atom again.

    Attributes
    ----------
    hkl : (n, 3) int16
        One representative of each family, unique under the symmetry, Friedel mates merged.
    multiplicity : (n,) int16
        Members of the family in the powder ring, Friedel mates counted.
    equivalents : (sum of multiplicity / 2, 3) int16
        All distinct members up to sign, flat.
    offsets : (n + 1,) int32
        Where the members of each family begin in `equivalents`.
    s2 : (n,) float64
        (sin(theta) / wavelength)² = 1 / (4 d²) [1/angstrom²], rising.
    partial : (n_scatterers, n) complex64
        Sum over the atoms of each scatterer in the cell of occupancy * displacement factor * exp(2 pi i h.x).
    scatterers : tuple of str
        ``"Fe"``, ``"Fe3+"``, ``"O2-"``, ``"D"`` ...: names with form factors.
    d_min : float
        The smallest d [angstrom] that was asked for.
    has_inversion : bool
        Whether the structure has an inversion centre: then ``|F(h)| = |F(-h)|``.
    """

    hkl: NDArray[np.int16]
    multiplicity: NDArray[np.int16]
    equivalents: NDArray[np.int16]
    offsets: NDArray[np.int32]
    s2: NDArray[np.float64]
    partial: NDArray[np.complex64]
    scatterers: tuple[str, ...]
    d_min: float
    has_inversion: bool

    def __len__(self) -> int:
        return len(self.s2)

    @property
    def partial_friedel(self) -> NDArray[np.complex64] | None:
        """The partial structure factors of -h where the structure has no inversion centre, else None.

        Anomalous scattering makes ``|F(h)|`` and ``|F(-h)|`` differ there, and a powder shows their mean.
        """
        return None if self.has_inversion else self.partial.conj()

    @property
    def nbytes(self) -> int:
        """Memory [bytes] of all arrays."""
        arrays = (self.hkl, self.multiplicity, self.equivalents, self.offsets, self.s2, self.partial)
        return sum(a.nbytes for a in arrays)

    @property
    def d_spacing(self) -> NDArray[np.float64]:
        """Distance of the lattice planes [angstrom], falling."""
        return np.asarray(0.5 / np.sqrt(self.s2))


def reflect(compiled: Compiled, d_min: float, limit: int) -> Reflections:
    """Compute all families; refuses more than `limit`, judged by the volume before anything is allocated."""
    from peakwise.crystal._kernels import families

    d_min = _check(compiled, d_min, limit)
    guess = int(compiled.volume / d_min**3 * (2 * math.pi / 3) / compiled.laue_order * 1.3) + 16
    a = compiled.cell[0]
    hkl, multiplicity, equivalents, offsets, s2, partial = families(
        compiled.reciprocal,
        0.25 / (d_min * d_min) * (1 + 1e-10),  # a reflection exactly at d_min belongs to it
        int(a / d_min) + 1,
        compiled.operations,
        compiled.centrings,
        guess,
        compiled.atoms,
        compiled.groups,
        len(compiled.scatterers),
        compiled.is_real,
    )
    if len(s2) > limit:
        raise _too_many(f"there are {len(s2)}", limit, "a larger d_min")
    names, centre = compiled.scatterers, compiled.has_inversion
    return Reflections(hkl, multiplicity, equivalents, offsets, s2, partial, names, d_min, centre)


def _check(compiled: Compiled, d_min: float, limit: int) -> float:
    d_min = float(d_min)
    if not d_min > 0 or not math.isfinite(d_min):
        raise OptionError("cannot list reflections", f"d_min must be a positive number, got {d_min}", "Give angstrom")
    points = compiled.volume / d_min**3 * (2 * math.pi / 3)
    expected = points / compiled.n_centrings / compiled.laue_order
    excess = max(expected / limit, points / (limit * _VISITS))
    if excess > 1:
        why = f"about {expected:.3g} are expected in a cell of {compiled.volume:.4g} angstrom³ down to d = {d_min:g}"
        raise _too_many(why, limit, f"d_min={d_min * excess ** (1 / 3) * 1.05:.2g}")
    return d_min


def _too_many(why: str, limit: int, instead: str) -> OptionError:
    do = f"Ask for {instead} (a shorter range of angles or a longer wavelength), or raise limit"
    return OptionError("too many reflections", f"{why}, at most {limit} families are listed", do)


def intensities(reflections: Reflections, radiation: Radiation) -> NDArray[np.float64]:
    """Multiplicity * |F|² of each family, |F|² the mean of both Friedel mates."""
    real, imaginary = form_factors(reflections.scatterers, reflections.s2, radiation)
    f = real + 1j * imaginary[:, None]
    total = np.abs((f * reflections.partial).sum(0)) ** 2
    mates = reflections.partial_friedel
    if mates is not None and imaginary.any():
        total = (total + np.abs((f * mates).sum(0)) ** 2) / 2
    return np.asarray(reflections.multiplicity * total, np.float64)
