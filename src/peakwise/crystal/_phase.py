"""A crystal structure: cell, symmetry, sites, and the reflections that follow from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.crystal import _scattering as scattering
from peakwise.crystal._compile import compile_sites, metric, packed, volume_of
from peakwise.crystal._formula import composition_text, formula_units
from peakwise.crystal._reflections import LIMIT, intensities, reflect
from peakwise.crystal._symmetry import candidates, parse_operation, symmetry_of
from peakwise.errors import PhaseError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from peakwise.crystal._compile import Compiled
    from peakwise.crystal._reflections import Reflections
    from peakwise.crystal._symmetry import Symmetry
    from peakwise.patterns import Radiation

__all__ = ["Phase", "Site", "Source"]

_DALTON = 1.66053906892  # [g/cm³] per [u/angstrom³]; CODATA 2022
SAME_PLACE = 0.05  # [angstrom] sites nearer than this share one position
Cell = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Site:
    """One site of the asymmetric unit.

    Parameters
    ----------
    label : str
    scatterer : str
        Name with a form factor: ``"Fe"``, ``"Fe3+"``, ``"D"``.
    element : str
    xyz : (float, float, float)
        Fractions of the cell edges.
    occupancy : float
    b_iso : float
        Isotropic displacement, B = 8 pi² U [angstrom²]; the equivalent one where `u_aniso` is given.
    u_aniso : tuple of 6 floats or None
        U11, U22, U33, U12, U13, U23 [angstrom²] as in a CIF.
    multiplicity : int
        Places in the cell.
    """

    label: str
    scatterer: str
    element: str
    xyz: tuple[float, float, float]
    occupancy: float = 1.0
    b_iso: float = 0.0
    u_aniso: tuple[float, float, float, float, float, float] | None = None
    multiplicity: int = 1


@dataclass(frozen=True, slots=True)
class Source:
    """Where a structure came from: the file's name and the SHA-256 of its content."""

    file: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """A crystal structure.

    Make one with `from_cif` or `from_parameters`; the constructor itself trusts what it gets.

    Examples
    --------
    >>> salt = Phase.from_parameters(
    ...     "NaCl", "Fm-3m", (5.6402, 5.6402, 5.6402, 90, 90, 90), [("Na+", (0, 0, 0)), ("Cl-", (0.5, 0.5, 0.5))]
    ... )
    >>> salt.formula, salt.z, salt.n_atoms, round(salt.density, 3)
    ('ClNa', 4, 8, 2.163)
    >>> found = salt.reflections(1.6)
    >>> [("".join(map(str, h)), int(m)) for h, m in zip(found.hkl, found.multiplicity)]
    [('111', 8), ('200', 6), ('220', 12), ('311', 24), ('222', 8)]
    """

    id: str
    formula: str
    cell: Cell
    symmetry: Symmetry
    sites: tuple[Site, ...]
    z: int
    source: Source = Source()
    repairs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    _made: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False, hash=False)

    @classmethod
    def from_cif(cls, cif: str | os.PathLike[str], *, id: str | None = None) -> Phase:  # noqa: A002 - the contract's name
        """Read the first usable structure of a CIF: a path, or the text itself.

        What the CIF clinic can mend is mended and listed in `repairs`.

        Raises
        ------
        PhaseError
            With the reason why it cannot be used.
        """
        from peakwise.crystal._clinic import first_phase

        phase = first_phase(cif)
        return phase if id is None else phase.renamed(id)

    @classmethod
    def from_parameters(
        cls,
        id: str,  # noqa: A002 - the contract's name
        space_group: str | int | Sequence[str],
        cell: Sequence[float],
        sites: Iterable[Sequence[Any] | Site],
        *,
        source: Source | None = None,
        z: int | None = None,
    ) -> Phase:
        """Make a structure from a table in a book.

        Parameters
        ----------
        id : str
        space_group : str, int or sequence of str
            A Hermann-Mauguin name with its setting where there are several (``"Fd-3m:1"``; without one the origin is
            at a centre and rhombohedral cells are told by their angles), a number, or the operations.
        cell : six floats
            a, b, c [angstrom], alpha, beta, gamma [degrees].
        sites : iterable of (scatterer, xyz[, occupancy[, b_iso]]) or Site
            Scatterers such as ``"Si"``, ``"Fe3+"``, ``"O2-"``.
        source : Source, optional
        z : int, optional
            Formula units in the cell, where it is not the largest number that divides the content.
        """
        from peakwise.crystal._site_text import read_scatterer

        numbers = _check_cell(cell)
        symmetry = _symmetry(space_group, numbers)
        made = []
        for one in sites:
            if isinstance(one, Site):
                made.append(one)
                continue
            kind, xyz, *rest = one
            scatterer = read_scatterer(str(kind))
            if scatterer is None:
                raise PhaseError("cannot make the structure", f"{kind!r} is no element", "Give e.g. 'Fe' or 'Fe3+'")
            occupancy, b_iso = [*map(float, rest), 1.0, 0.0][: len(rest)] + [1.0, 0.0][len(rest) :]
            position = (float(xyz[0]), float(xyz[1]), float(xyz[2]))
            element = scattering.element_of(scatterer)
            made.append(Site(f"{element}{len(made) + 1}", scatterer, element, position, occupancy, b_iso))
        if not made:
            raise PhaseError("cannot make the structure", "it has no sites", "Give at least one atom")
        return build(id, symmetry, numbers, made, z=z, source=source or Source())

    @property
    def space_group(self) -> str:
        """Hermann-Mauguin symbol with the setting, such as ``R -3 m:H``."""
        return self.symmetry.name

    @property
    def space_group_short(self) -> str:
        """The symbol as people write it: ``R-3m``, ``P21/c``, ``Fd-3m:1`` (settings that are not usual)."""
        name, _, setting = self.symmetry.name.partition(":")
        words = name.split()
        if len(words) == 4 and words[1:].count("1") == 2 and words[0] != "P" + "1":
            words = [words[0], *(w for w in words[1:] if w != "1")] if self.symmetry.system == "monoclinic" else words
        return "".join(words) + (f":{setting}" if setting in {"1", "R"} else "")

    @property
    def space_group_type(self) -> str:
        """The symbol of the space group in its standard setting: ``Pnma`` for ``Pbnm``, ``P21/c`` for ``P21/n``.

        Structures that are the same but for the choice of axes or origin share it. In a setting that has no number the
        symbol stays as it is.
        """
        import gemmi

        if self.space_group_number == 0:
            return self.space_group_short
        name = str(gemmi.get_spacegroup_reference_setting(self.space_group_number).short_name())
        return f"R{name[1:]}" if name[0] == "H" else name  # gemmi's letter for hexagonal axes

    @property
    def space_group_number(self) -> int:
        """1 to 230 (0 where a strange setting could not be told)."""
        return self.symmetry.number

    @property
    def hall(self) -> str:
        """Hall symbol; empty where the setting has no name."""
        return self.symmetry.hall

    @property
    def system(self) -> str:
        """Crystal system: triclinic, monoclinic, orthorhombic, tetragonal, trigonal, hexagonal or cubic."""
        return self.symmetry.system

    @property
    def volume(self) -> float:
        """Volume of the cell [angstrom³]."""
        return volume_of(self.cell)

    @property
    def content(self) -> dict[str, float]:
        """Atoms of each element in the cell."""
        total: dict[str, float] = {}
        for site in self.sites:
            total[site.element] = total.get(site.element, 0.0) + site.occupancy * site.multiplicity
        return total

    @property
    def elements(self) -> frozenset[str]:
        """Element symbols, D counted as H."""
        return frozenset("H" if s.element == "D" else s.element for s in self.sites)

    @property
    def mass(self) -> float:
        """Mass of the cell [u]."""
        return sum(scattering.weight_of(e) * n for e, n in self.content.items())

    @property
    def density(self) -> float:
        """Density [g/cm³]."""
        return self.mass / self.volume * _DALTON

    @property
    def n_atoms(self) -> int:
        """Occupied places in the cell; a place shared by several elements counts once."""
        places = {s.xyz: s.multiplicity for s in self.sites}
        return sum(places.values())

    @property
    def scatterers(self) -> tuple[str, ...]:
        """Scatterers in the order of `Reflections.partial`."""
        return self._compiled.scatterers

    @property
    def _compiled(self) -> Compiled:
        if "compiled" not in self._made:
            self._made["compiled"] = compile_sites(self.cell, self.symmetry, self.sites)
        compiled: Compiled = self._made["compiled"]
        return compiled

    def reflections(self, d_min: float, *, limit: int = LIMIT) -> Reflections:
        """Every reflection family with d >= `d_min` [angstrom]; the last few lists are kept.

        Raises
        ------
        OptionError
            When there would be more than `limit` families, before anything is computed.
        """
        known: Reflections | None = self._made.get(float(d_min))
        if known is not None and len(known) <= limit:
            return known
        found = reflect(self._compiled, d_min, limit)
        lists = [k for k in self._made if isinstance(k, float)]
        for old in lists[: max(0, len(lists) - 3)]:
            self._made.pop(old, None)
        self._made[float(d_min)] = found
        return found

    def forget(self) -> None:
        """Free the memory of what can be computed again."""
        self._made.clear()

    def form_factors(
        self, s2: NDArray[np.float64], radiation: Radiation
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What each scatterer scatters at each s² = 1/(4 d²) at `radiation.wavelength`.

        Returns
        -------
        real : (n_scatterers, n) float32
            f0 + f' [electrons] for X-rays, the scattering length [fm] for neutrons.
        imaginary : (n_scatterers,) float32
            f'' [electrons]; zero for neutrons.
        """
        return scattering.form_factors(self.scatterers, np.asarray(s2, np.float64), radiation)

    def intensities(self, radiation: Radiation, d_min: float | None = None) -> NDArray[np.float64]:
        """Multiplicity * ``|F|²`` of every family with d >= `d_min` (default: all that this wavelength can reach).

        ``|F|²`` is the mean of both Friedel mates; no Lorentz or polarisation factor.
        """
        return intensities(self.reflections(radiation.wavelength / 2 if d_min is None else d_min), radiation)

    def renamed(self, id: str) -> Phase:  # noqa: A002 - the contract's name
        """The same structure under another id."""
        other = replace(self, id=id)
        other._made.update(self._made)
        return other

    def to_cif(self) -> str:
        """The structure as CIF text that every program reads: operations written out, one block."""
        from peakwise.crystal._cif_out import cif_text

        return cif_text(self)

    def __getstate__(self) -> list[Any]:
        """Everything but what can be computed again: what goes to another process."""
        return [getattr(self, name) for name in _STATE]

    def __setstate__(self, state: list[Any]) -> None:
        for name, value in zip(_STATE, state, strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_made", {})


_STATE = ("id", "formula", "cell", "symmetry", "sites", "z", "source", "repairs", "warnings")


def build(
    id: str,  # noqa: A002 - the contract's name
    symmetry: Symmetry,
    cell: Cell,
    sites: Sequence[Site],
    *,
    z: int | None = None,
    source: Source,
    repairs: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Phase:
    """A phase whose sites are put onto their special positions; nothing else is changed."""
    from peakwise.crystal._kernels_sites import settle_all

    ops = packed(symmetry)
    xyz = np.array([s.xyz for s in sites], float)
    places, order = settle_all(
        xyz, np.full(len(sites), SAME_PLACE), ops.rotations, ops.translations, ops.centrings, metric(cell)
    )
    settled = tuple(
        replace(s, xyz=(float(p[0]), float(p[1]), float(p[2])), multiplicity=symmetry.order // int(n))
        for s, p, n in zip(sites, places, order, strict=True)
    )
    phase = Phase(id, "", cell, symmetry, settled, 1, source, repairs, warnings)
    units = z or formula_units(phase.content, settled)
    return replace(phase, z=units, formula=composition_text(phase.content, units))


def _check_cell(cell: Sequence[float]) -> Cell:
    numbers = tuple(float(x) for x in cell)
    if len(numbers) != 6 or not all(map(math.isfinite, numbers)) or min(numbers) <= 0 or not volume_of(numbers) > 0:
        why = f"a, b, c, alpha, beta, gamma must make a cell, got {numbers}"
        raise PhaseError("cannot make the structure", why, "Give angstrom and degrees")
    return numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]


def _symmetry(space_group: str | int | Sequence[str], cell: Cell) -> Symmetry:
    if isinstance(space_group, (str, int)):
        name, number = ("", space_group) if isinstance(space_group, int) else (space_group, 0)
        found = candidates(name, number, "", (cell[3], cell[4], cell[5]))
        if not found:
            raise PhaseError("cannot make the structure", f"no space group {space_group!r}", "Give e.g. 'Fd-3m:2'")
        return found[0]
    operations = [parse_operation(o) for o in space_group]
    wrong = [t for t, o in zip(space_group, operations, strict=True) if o is None]
    if wrong:
        raise PhaseError("cannot make the structure", f"{wrong[0]!r} is no operation", "Give e.g. '-x,y+1/2,-z'")
    try:
        return symmetry_of(o for o in operations if o)[0]
    except ValueError as problem:
        raise PhaseError("cannot make the structure", str(problem), "Check the operations") from problem
