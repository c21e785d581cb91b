"""One data block of a CIF as a structure: what is missing is mended where there is one way, and every mending is told.

Tags: the CIF core dictionary (https://www.iucr.org/resources/cif), old names (``_symmetry_equiv_pos_as_xyz``,
``_cell_length_a``) and those of DDLm (``_space_group_symop.operation_xyz``, ``_cell.length_a``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.crystal import _atoms
from peakwise.crystal._compile import metric, volume_of
from peakwise.crystal._formula import parse_formula
from peakwise.crystal._phase import Cell, Phase, Site, Source, build
from peakwise.crystal._site_text import is_unknown, number
from peakwise.crystal._symmetry import Symmetry, candidates, parse_operation, symmetry_of, tidy_name
from peakwise.errors import PhaseError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Notes", "phase_of", "refusal"]

_OPERATIONS = (
    "_space_group_symop_operation_xyz",
    "_symmetry_equiv_pos_as_xyz",
    "_space_group_symop.operation_xyz",
    "_symmetry_equiv.pos_as_xyz",
    "_symmetry_equiv_pos_as_xyz_",
)
_NAMES = (
    "_space_group_name_H-M_alt",
    "_symmetry_space_group_name_H-M",
    "_space_group_name_H-M_full",
    "_space_group_name_H-M",
    "_space_group.name_H-M_alt",
    "_symmetry.space_group_name_H-M",
    "_space_group_name_H-M_ref",
)
_HALLS = (
    "_space_group_name_Hall",
    "_symmetry_space_group_name_Hall",
    "_space_group.name_Hall",
    "_symmetry.space_group_name_Hall",
)
_NUMBERS = (
    "_space_group_IT_number",
    "_symmetry_Int_Tables_number",
    "_space_group.IT_number",
    "_symmetry.Int_Tables_number",
)
LONGEST_EDGE = 2000.0  # [angstrom] no powder line of a larger cell was ever resolved
_SMALLEST = 1.0  # [angstrom³] and no atom is smaller
_SMALLEST_ANGLE, _LARGEST_ANGLE = 10.0, 170.0  # degrees
_DENSEST, _THINNEST = 60.0, 0.02  # [g/cm³] beyond everything known (osmium: 22.6; aerogels are no crystals)
_SHORT = 0.5  # [angstrom] two atoms nearer than this and both fully there cannot be meant; H-H is 0.74
_NON_METALS = frozenset({"H", "N", "O", "F", "P", "S", "Cl", "Br", "I"})  # as elements they are molecules
_FORMULA = 0.05  # relative difference of two compositions that is told
_MISTAKEN = {90.0: 120.0, 120.0: 90.0}  # gamma as typed, and as it must have been meant
_CELL_TOLERANCE = 0.02  # relative; how far a cell may be from what its symmetry asks for


@dataclass
class Notes:
    """What was repaired and what looks wrong, in the order in which it was found."""

    repairs: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def repair(self, text: str) -> None:
        """Note a repair once."""
        if text not in self.repairs:
            self.repairs.append(text)

    def warn(self, text: str) -> None:
        """Note a warning once."""
        if text not in self.warnings:
            self.warnings.append(text)


def refusal(why: str, do: str = "Get the CIF again from its source") -> PhaseError:
    """The error for a structure that cannot be used."""
    return PhaseError("cannot use the structure", why, do)


def phase_of(block: Any, id: str, source: Source, notes: Notes) -> Phase:  # noqa: A002 - the contract's name
    """The structure of one gemmi block; raises PhaseError with the reason why it is none."""
    cell = _cell(block, notes)
    formula = parse_formula(_first(block, ("_chemical_formula_sum", "_chemical_formula.sum")))
    rows = _atoms.read_rows(block, formula, notes)
    if not rows:
        raise refusal("it has no atom with coordinates", "Get a CIF with an _atom_site loop that has fract_x, y, z")
    choices = _symmetries(block, cell, notes)
    choices = [s for s in choices if len(choices) == 1 or _misfit(cell, s) < _CELL_TOLERANCE] or choices
    z_given = number(_first(block, ("_cell_formula_units_Z", "_cell.formula_units_Z")))
    best: tuple[Symmetry, list[Site], Notes] | None = None
    best_score = (math.inf,)
    for symmetry in choices:
        own = Notes()
        sites = _atoms.settle(rows, symmetry, cell, own)
        if len(choices) == 1:
            best = (symmetry, sites, own)
            break
        score: Any = (_mismatch(sites, formula, z_given), _atoms.crowding(sites, symmetry, cell))
        if best is None or score < best_score:
            best, best_score = (symmetry, sites, own), score
    if best is None:
        raise refusal("its symmetry is not known")
    symmetry, sites, own = best
    notes.repairs += own.repairs
    notes.warnings += own.warnings
    if len(choices) > 1:
        others = " or ".join(s.name for s in choices if s is not symmetry)
        notes.repair(f"the space group's name can mean {symmetry.name} or {others}: {symmetry.name} taken")
    cell = _fit_cell(cell, symmetry, notes)
    phase = build(id, symmetry, cell, sites, z=_units(sites, formula, z_given), source=source)
    _judge(phase, formula, notes)
    return build(
        id,
        symmetry,
        cell,
        phase.sites,
        z=phase.z,
        source=source,
        repairs=tuple(notes.repairs),
        warnings=tuple(notes.warnings),
    )


def _first(block: Any, tags: Sequence[str]) -> str:
    """Plain text of the first of these tags that has a value, else nothing."""
    from gemmi import cif

    for tag in tags:
        value = block.find_value(tag)
        if value is not None and not cif.is_null(value):
            text = str(cif.as_string(value)).strip()
            if not is_unknown(text):
                return text
        elif value is None:
            column = block.find_loop(tag)
            if len(column) and not is_unknown(str(column.str(0))):
                return str(column.str(0)).strip()
    return ""


def _cell(block: Any, notes: Notes) -> Cell:
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    values = []
    for name in names:
        text = _first(block, (f"_cell_{name}", f"_cell.{name}"))
        value = number(text)
        if math.isnan(value) and name.startswith("angle"):
            notes.repair(f"no cell angle {name[6:]}: 90 degrees taken")
            value = 90.0
        elif math.isnan(value):
            raise refusal(f"it gives no number for the cell edge {name[-1]}" + (f" ({text})" if text else ""))
        values.append(value)
    a, b, c, alpha, beta, gamma = values
    if min(a, b, c) <= 0 or max(a, b, c) > LONGEST_EDGE:
        raise refusal(f"its cell edges {a:g}, {b:g}, {c:g} angstrom are impossible", "Correct the cell")
    if not _SMALLEST_ANGLE <= min(alpha, beta, gamma) <= max(alpha, beta, gamma) <= _LARGEST_ANGLE:
        raise refusal(f"its cell angles {alpha:g}, {beta:g}, {gamma:g} degrees are impossible", "Correct the cell")
    cell = (a, b, c, alpha, beta, gamma)
    if volume_of(cell) < _SMALLEST:
        raise refusal(f"its cell {', '.join(f'{v:g}' for v in cell)} has no volume", "Correct the cell")
    return cell


def _column(block: Any, tags: Sequence[str]) -> list[str]:
    for tag in tags:
        column = block.find_loop(tag)
        if len(column):
            return [str(column.str(i)) for i in range(len(column))]
        value = block.find_value(tag)
        if value is not None:
            from gemmi import cif

            return [str(cif.as_string(value))]
    return []


def _symmetries(block: Any, cell: Cell, notes: Notes) -> list[Symmetry]:
    """What the file says of its symmetry: one group from operations, else all that its name can mean."""
    name, hall = _first(block, _NAMES), _first(block, _HALLS)
    given = number(_first(block, _NUMBERS))
    n = int(given) if 1 <= given <= 230 and given == int(given) else 0
    named = candidates(name, n, hall, (cell[3], cell[4], cell[5]))
    written = [t for t in _column(block, _OPERATIONS) if not is_unknown(t)]
    operations = [parse_operation(t) for t in written]
    wrong = [t for t, o in zip(written, operations, strict=True) if o is None]
    good = [o for o in operations if o is not None]
    if written and not wrong:
        try:
            symmetry, added = symmetry_of(good)
        except ValueError as problem:
            wrong = [str(problem)]
        else:
            if symmetry.order == 1 and named and named[0].order > 1 and "x,y,z" in good:
                return [symmetry, *named]  # a name was written, and its operations were not: the formula decides
            return [_from_operations(symmetry, added, name, named, notes)]
    if wrong and named:
        notes.repair(f"symmetry operations cannot be used ({wrong[0]}): those of {name or named[0].name} taken")
        return named
    if wrong:
        told = f"its space group {name} is not known" if name else "it names no space group"
        raise refusal(f"its symmetry operations cannot be used ({wrong[0]}) and {told}", "Correct the operations")
    if named:
        if len(named) == 1:
            notes.repair(f"no symmetry operations: those of {named[0].name} taken")
        return named
    if name and tidy_name(name) not in {"P1", ""}:
        raise refusal(f"its space group {name} is not known and it lists no symmetry operations", "Correct the name")
    notes.repair("no symmetry: P 1 taken")
    return [symmetry_of(["x,y,z"])[0]]


def _from_operations(symmetry: Symmetry, added: int, name: str, named: list[Symmetry], notes: Notes) -> Symmetry:
    if added:
        notes.repair(f"{added} symmetry operations were missing: the group was completed to {symmetry.order}")
    if symmetry.number == 0:
        fits = bool(named) and named[0].order == symmetry.order
        number_, text = (named[0].number, f"{named[0].name}*") if fits else (0, name or "?")
        symmetry = Symmetry(text, number_, "", symmetry.rotations, symmetry.translations, symmetry.centrings)
    elif named and symmetry.number != named[0].number:
        notes.warn(f"its operations make {symmetry.name}, its name says {name or named[0].name}: operations taken")
    return symmetry


def _averaged(cell: Cell, symmetry: Symmetry) -> Cell:
    """The cell whose metric tensor is the mean of this one's over all rotations: what the symmetry asks for."""
    a, b, c, d, e, f = metric(cell).tolist()
    real = np.array([[a, d, e], [d, b, f], [e, f, c]])
    mean = (symmetry.rotations.transpose(0, 2, 1) @ real @ symmetry.rotations).mean(0)
    edges = np.sqrt(np.diag(mean))
    cosines = [mean[i, j] / (edges[i] * edges[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    al, be, ga = (_tidy(math.degrees(math.acos(max(-1.0, min(1.0, x))))) for x in cosines)
    return float(edges[0]), float(edges[1]), float(edges[2]), al, be, ga


def _misfit(cell: Cell, symmetry: Symmetry) -> float:
    """Largest relative difference between a cell and what its symmetry asks for."""
    return max(abs(x - y) / y for x, y in zip(_averaged(cell, symmetry), cell, strict=True))


def _fit_cell(cell: Cell, symmetry: Symmetry, notes: Notes) -> Cell:
    """Edges and angles made exactly what the symmetry asks for; refused where they are far from it."""
    a, b, c, al, be, ga = cell
    new = _averaged(cell, symmetry)
    off = max(abs(x - y) / y for x, y in zip(new, cell, strict=True))
    if off < 1e-9:  # rounding of the arithmetic only
        return cell
    if off > _CELL_TOLERANCE and cell[3:5] == (90.0, 90.0) and ga in _MISTAKEN:
        other: Cell = (a, b, c, al, be, _MISTAKEN[ga])
        if _misfit(other, symmetry) < _CELL_TOLERANCE:
            notes.repair(f"gamma is {ga:g} degrees, {symmetry.name} asks for {other[5]:g}: {other[5]:g} taken")
            return _fit_cell(other, symmetry, notes)
    if off > _CELL_TOLERANCE:
        said = ", ".join(f"{v:g}" for v in cell)
        raise refusal(f"its cell {said} contradicts its symmetry {symmetry.name}", "Correct the cell or the symmetry")
    tidy = tuple(v if abs(v - w) / w < 1e-9 else round(v, 6) for v, w in zip(new, cell, strict=True))
    notes.repair(
        f"cell made what {symmetry.name} asks for: {a:g} {b:g} {c:g} {al:g} {be:g} {ga:g} to "
        + " ".join(f"{v:g}" for v in tidy)
    )
    return tidy  # type: ignore[return-value]


def _tidy(angle: float) -> float:
    near = round(angle)
    return float(near) if abs(angle - near) < 1e-7 else angle  # 90 and 120 exactly


def _content(sites: Sequence[Site]) -> dict[str, float]:
    total: dict[str, float] = {}
    for s in sites:
        total[s.element] = total.get(s.element, 0.0) + s.occupancy * s.multiplicity
    return total


def _ratio(sites: Sequence[Site], formula: dict[str, float]) -> tuple[float, float]:
    """Formula units that the cell holds by its heaviest common element, and the largest difference from the formula.

    Hydrogen is left out: X-ray structures often do not list it.
    """
    from peakwise.crystal._scattering import weight_of

    content = _content(sites)
    light = {"H", "D"} if set(formula) - {"H", "D"} else set()
    wanted = {e: n for e, n in formula.items() if e not in light and n > 0}
    held = {e: n for e, n in content.items() if e not in light and n > 0}
    shared = [e for e in wanted if e in held]
    if not shared:
        return 0.0, math.inf
    mass_held = sum(weight_of(e) * held[e] for e in shared)
    units = mass_held / sum(weight_of(e) * wanted[e] for e in shared)
    largest = units * max(wanted.values())
    return units, max(abs(held.get(e, 0.0) - units * wanted.get(e, 0.0)) / largest for e in {*wanted, *held})


def _mismatch(sites: Sequence[Site], formula: dict[str, float], z_given: float) -> float:
    """How badly a symmetry explains the formula: whole steps, so that small differences do not decide."""
    if not formula:
        return 0.0
    units, off = _ratio(sites, formula)
    wrong_z = 0.0 if math.isnan(z_given) or units == 0 else abs(math.log(units / z_given)) if z_given > 0 else 0.0
    return round((min(off, 10.0) + min(wrong_z, 10.0)) * 10)


def _units(sites: Sequence[Site], formula: dict[str, float], z_given: float) -> int | None:
    """Formula units by the formula sum, else by the file's Z, else unknown.

    Many programs write what the whole cell holds as the formula sum (``Al12 O18`` for corundum). Where nothing is a
    molecule, the smallest whole formula is meant; compounds of carbon and hydrogen (``C6H6``) and non-metals (``S8``)
    keep theirs, unless the file's own Z divides it further.
    """
    content = _content(sites)
    whole = [round(n) for n in content.values()]
    is_whole = all(abs(n - w) < _FORMULA and w > 0 for n, w in zip(content.values(), whole, strict=True))
    kinds = {"H" if e == "D" else e for e in content}
    is_molecular = {"C", "H"} <= kinds or (len(kinds) == 1 and kinds <= _NON_METALS)
    is_meant = is_molecular or any(n != round(n) for n in formula.values())
    if formula and (is_meant or not is_whole):
        units, off = _ratio(sites, formula)
        if off < _FORMULA and units >= 0.5 and abs(units - round(units)) < 0.05 * units:
            found = round(units)
            return int(z_given) if is_whole and _divides(z_given, whole) and z_given > found else found
    if is_whole and not is_molecular:
        return math.gcd(*whole)
    return int(z_given) if is_whole and _divides(z_given, whole) else None


def _divides(z: float, whole: Sequence[int]) -> bool:
    return z >= 1 and z == int(z) and all(n % int(z) == 0 for n in whole)


def _judge(phase: Phase, formula: dict[str, float], notes: Notes) -> None:
    if not _THINNEST < phase.density < _DENSEST:
        raise refusal(
            f"its density would be {phase.density:.3g} g/cm³ ({phase.n_atoms} atoms in {phase.volume:.4g} angstrom³)",
            "Correct the cell, the symmetry or the occupancies",
        )
    nearest, pair = _atoms.shortest(phase.sites, phase.symmetry, phase.cell)
    if nearest < _SHORT:
        notes.warn(f"{pair} are {nearest:.2f} angstrom from each other")
    if formula:
        _, off = _ratio(phase.sites, formula)
        if off > _FORMULA:
            notes.warn(f"its atoms make {phase.formula}, its formula sum says {''.join(_plain(formula))}")


def _plain(formula: dict[str, float]) -> list[str]:
    return [e + ("" if n == 1 else f"{n:g}") for e, n in sorted(formula.items())]
