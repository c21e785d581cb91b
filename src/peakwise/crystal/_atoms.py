"""The atom loop of a CIF as sites: read, put onto special positions, duplicates merged, occupancies made possible."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.crystal._compile import metric, packed
from peakwise.crystal._phase import SAME_PLACE, Cell, Site
from peakwise.crystal._scattering import element_of, scatterer_of
from peakwise.crystal._site_text import decimals_of, number, read_element, split_type
from peakwise.errors import PhaseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.crystal._block import Notes
    from peakwise.crystal._symmetry import Symmetry

__all__ = ["Row", "crowding", "read_rows", "settle", "shortest"]

MOST_ROWS = 50_000  # atoms of one block
_FULL = 0.99  # occupancy from which an atom is fully there
_OVER = 1.005  # occupancy that is more than rounding
_EXACT = 6  # decimals from which 0.333333 is as good as 1/3 and not worth telling
_MOVED = 0.02  # [angstrom] a shift that is told
_ROUNDED = tuple(k / 12 for k in range(-24, 37) if k % 12 and k % 3)  # sixths, thirds, twelfths: no short decimals
_EIGHT_PI2 = 8 * math.pi**2
_FIELDS = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy", "U_iso_or_equiv", "B_iso_or_equiv")
_SIX = ("11", "22", "33", "12", "13", "23")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the loop, before symmetry is known."""

    label: str
    scatterer: str
    xyz: tuple[float, float, float]
    occupancy: float
    b_iso: float
    u_aniso: tuple[float, float, float, float, float, float] | None
    slack: float  # fraction of a cell edge that its rounding may have moved it


def _table(block: Any, fields: Sequence[str], prefix: str) -> tuple[list[list[str]], dict[str, int]]:
    """Rows of a loop and the column of each field that it has; old and new names of tags."""
    for joint in ("_", "."):
        wanted = [f"{prefix}{joint}{f}" for f in fields]
        anchor = next((w for w in wanted if len(block.find_loop(w)) or block.find_value(w) is not None), None)
        if anchor is None:
            continue
        loop = block.find_loop(anchor).get_loop()
        if loop is None:  # a single atom written without a loop
            pairs = {f: block.find_value(w) for f, w in zip(fields, wanted, strict=True)}
            there = {f: i for i, f in enumerate(f for f in fields if pairs[f] is not None)}
            return [[_unquoted(str(pairs[f])) for f in there]], there
        tags = [t.lower() for t in loop.tags]
        columns = {f: tags.index(w.lower()) for f, w in zip(fields, wanted, strict=True) if w.lower() in tags}
        width, values = loop.width(), loop.values
        return [[_unquoted(v) for v in values[i : i + width]] for i in range(0, len(values), width)], columns
    return [], {}


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] in "'\"" and value[-1] == value[0] else value


def read_rows(block: Any, formula: dict[str, float], notes: Notes) -> list[Row]:
    """Atoms that have coordinates; those without are left out and told."""
    lines, at = _table(block, _FIELDS, "_atom_site")
    if not {"fract_x", "fract_y", "fract_z"} <= set(at):
        if lines:
            raise PhaseError(
                "cannot use the structure",
                "its atom loop has no fractional coordinates",
                "Get a CIF with _atom_site_fract_x, _y and _z",
            )
        return []
    if len(lines) > MOST_ROWS:
        why = f"it lists {len(lines)} atoms, at most {MOST_ROWS} are read"
        raise PhaseError("cannot use the structure", why, "Use the asymmetric unit, not a supercell")
    tensors = _tensors(block)
    known = frozenset(formula)
    rows, left_out, snapped, empty, ions = [], [], 0, 0, []
    for line in lines:
        label = line[at["label"]] if "label" in at else line[at["type_symbol"]] if "type_symbol" in at else "?"
        texts = [line[at[f]] for f in ("fract_x", "fract_y", "fract_z")]
        xyz = [number(t) for t in texts]
        if any(map(math.isnan, xyz)):
            left_out.append(label)
            continue
        kind = _kind(line, at, label, known)
        if kind is None:
            raise PhaseError(
                "cannot use the structure", f"its atom {label} names no element", "Correct the label or the type symbol"
            )
        scatterer = scatterer_of(*kind)
        if scatterer is None:  # pragma: no cover - `_kind` gives elements only
            continue
        if kind[1] and scatterer == kind[0] and kind[0] != "D":
            ions.append(f"{kind[0]}{abs(kind[1])}{'+' if kind[1] > 0 else '-'}")
        decimals = [decimals_of(t) for t in texts]
        snapped += _snap(xyz, decimals)
        occupancy = _occupancy(line, at, label, notes)
        if occupancy == 0.0:
            empty += 1
            continue
        b_iso, u = _displacement(line, at, label, tensors, notes)
        slack = max((10.0**-d for d in decimals if d < 4), default=0.0)  # 1e-4 of an edge is nothing
        position = (xyz[0], xyz[1], xyz[2])
        rows.append(Row(label, scatterer, position, occupancy, b_iso, u, slack))
    if left_out:
        notes.repair(f"{len(left_out)} atoms without coordinates left out ({_some(left_out)})")
    if snapped:
        notes.repair(f"{snapped} coordinates rounded to 0.333 or 0.1667 and the like made exact")
    if empty:
        notes.repair(f"{empty} atoms of occupancy 0 left out")
    if ions:
        notes.repair(f"no form factor for {_some(list(dict.fromkeys(ions)))}: the neutral atom taken")
    return _fill_displacements(rows, notes)


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def _kind(line: list[str], at: dict[str, int], label: str, formula: frozenset[str]) -> tuple[str, int] | None:
    """Element and charge by the type symbol, else by the label."""
    if "type_symbol" in at:
        text = line[at["type_symbol"]]
        found = split_type(text) if text not in {"?", "."} else None
        if found is not None and (not formula or found[0] in formula or found[0] == "D" or len(text) > 1):
            return found
    return read_element(label, formula)


def _snap(xyz: list[float], decimals: list[int]) -> int:
    """Make 0.3333, 0.6667, 0.1667 ... exact in place; returns how many there were."""
    n = 0
    for i, (value, d) in enumerate(zip(xyz, decimals, strict=True)):
        if not 4 <= d <= 12:  # fewer digits may be meant; special positions are found by symmetry
            continue
        near = round(value * 12) / 12
        if near != value and abs(near - value) <= 1.01 * 10.0**-d and round(value * 12) % 3:
            xyz[i] = near
            n += d < _EXACT
    return n


def _occupancy(line: list[str], at: dict[str, int], label: str, notes: Notes) -> float:
    if "occupancy" not in at:
        return 1.0
    text = line[at["occupancy"]]
    value = number(text)
    if math.isnan(value):
        if text not in {"?", "."}:
            notes.repair(f"occupancy {text} of {label} is no number: 1 taken")
        else:
            notes.repair("unknown occupancies (? or .): 1 taken")
        return 1.0
    if value < 0:
        notes.repair(f"occupancy {value:g} of {label} is negative: 0 taken")
        return 0.0
    if value > _OVER:
        notes.repair(f"occupancy {value:g} of {label} made 1")
    return min(value, 1.0)


def _tensors(block: Any) -> dict[str, tuple[float, ...]]:
    """U of each label; B is divided by 8 pi²."""
    found: dict[str, tuple[float, ...]] = {}
    for kind, scale in (("U", 1.0), ("B", 1 / _EIGHT_PI2)):
        fields = ("label", *(f"{kind}_{i}" for i in _SIX))
        lines, at = _table(block, fields, "_atom_site_aniso")
        if len(at) < len(fields):
            continue
        for line in lines:
            values = tuple(scale * number(line[at[f]]) for f in fields[1:])
            if not any(map(math.isnan, values)):
                found.setdefault(line[at["label"]], values)
    return found


def _displacement(
    line: list[str], at: dict[str, int], label: str, tensors: dict[str, tuple[float, ...]], notes: Notes
) -> tuple[float, tuple[float, float, float, float, float, float] | None]:
    """B [angstrom²] (NaN where not given) and U."""
    b = math.nan
    if "U_iso_or_equiv" in at:
        b = number(line[at["U_iso_or_equiv"]]) * _EIGHT_PI2
    if math.isnan(b) and "B_iso_or_equiv" in at:
        b = number(line[at["B_iso_or_equiv"]])
    u = tensors.get(label)
    if u is not None:
        matrix = np.array([[u[0], u[3], u[4]], [u[3], u[1], u[5]], [u[4], u[5], u[2]]])
        if np.linalg.eigvalsh(matrix)[0] < -1e-9:
            notes.repair(f"displacement tensor of {label} is not positive: the isotropic one taken")
            b = b if not math.isnan(b) else max(0.0, float(np.trace(matrix))) / 3 * _EIGHT_PI2
            u = None
        elif math.isnan(b):
            b = float(np.trace(matrix)) / 3 * _EIGHT_PI2
    if b < 0:
        notes.repair(f"negative displacement of {label}: 0 taken")
        b = 0.0
    return b, None if u is None or not any(u) else (u[0], u[1], u[2], u[3], u[4], u[5])


def _fill_displacements(rows: list[Row], notes: Notes) -> list[Row]:
    """Atoms without a displacement get the mean of the others; where none has one, all are at rest."""
    given = [r.b_iso for r in rows if not math.isnan(r.b_iso)]
    missing = [r for r in rows if math.isnan(r.b_iso)]
    if not missing:
        return rows
    mean = sum(given) / len(given) if given else 0.0
    if given:
        notes.repair(f"no displacement of {_some([r.label for r in missing])}: the mean B = {mean:.2f} taken")
    return [replace(r, b_iso=mean) if math.isnan(r.b_iso) else r for r in rows]


def settle(rows: Sequence[Row], symmetry: Symmetry, cell: Cell, notes: Notes) -> list[Site]:
    """Sites on their special positions, without duplicates, no place more than full."""
    from peakwise.crystal._kernels_sites import neighbours, settle_all

    ops, g = packed(symmetry), metric(cell)
    xyz = np.array([r.xyz for r in rows])
    edge = max(cell[:3])
    # Two full atoms cannot be a quarter of an angstrom apart, halves of one atom can: those are left where they are.
    reach = np.array([(0.25 if r.occupancy >= _FULL else 0.02) + r.slack * edge for r in rows])
    places, order = settle_all(xyz, np.minimum(reach, 0.4), ops.rotations, ops.translations, ops.centrings, g)
    moved = _lengths(places - xyz, g)
    for i in np.flatnonzero(moved > _MOVED):
        notes.repair(f"{rows[int(i)].label} moved by {moved[i]:.3f} angstrom onto its special position")
    sites = [
        Site(
            r.label,
            r.scatterer,
            element_of(r.scatterer),
            (float(p[0]), float(p[1]), float(p[2])),
            r.occupancy,
            r.b_iso,
            r.u_aniso,
            symmetry.order // int(n),
        )
        for r, p, n in zip(rows, places, order, strict=True)
    ]
    twin, _ = neighbours(places, ops.rotations, ops.translations, ops.centrings, g, SAME_PLACE)
    return _share(sites, twin, notes) if (twin >= 0).any() else sites


def _lengths(delta: np.ndarray[Any, Any], g: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    x, y, z = delta.T
    square = g[0] * x * x + g[1] * y * y + g[2] * z * z + 2 * (g[3] * x * y + g[4] * x * z + g[5] * y * z)
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def _share(sites: list[Site], twin: np.ndarray[Any, Any], notes: Notes) -> list[Site]:
    """Places that several sites claim: copies are dropped, the rest shares one position and at most one atom."""
    members: dict[int, list[int]] = {}
    root = list(range(len(sites)))
    for j, i in enumerate(twin):
        if i >= 0:
            root[j] = root[int(i)]
    for j, i in enumerate(root):
        members.setdefault(i, []).append(j)
    keep: dict[int, Site] = {}
    copies: list[str] = []
    for first, group in members.items():
        mine = [sites[first]]
        for j in group[1:]:
            one = sites[j]
            same = [s for s in mine if s.scatterer == one.scatterer]
            if same and sum(s.occupancy for s in mine) + one.occupancy > _OVER:
                copies.append(one.label)
                continue
            mine.append(replace(one, xyz=mine[0].xyz, multiplicity=mine[0].multiplicity))
        total = sum(s.occupancy for s in mine)
        if total > _OVER:
            names = " + ".join(s.label for s in mine)
            notes.repair(f"{names} share a place with an occupancy of {total:g} together: made 1")
            mine = [replace(s, occupancy=s.occupancy / total) for s in mine]
        keep[first] = mine[0]
        labels = {s.label: s for s in mine[1:]}
        for j in group[1:]:
            if sites[j].label in labels and sites[j].label not in copies:
                keep[j] = labels[sites[j].label]
    if copies:
        notes.repair(f"{len(copies)} duplicate atoms merged ({_some(copies)})")
    return [keep[j] for j in sorted(keep)]


def shortest(sites: Sequence[Site], symmetry: Symmetry, cell: Cell) -> tuple[float, str]:
    """The shortest distance [angstrom] between two places that are both fully taken, and their labels."""
    from peakwise.crystal._kernels_sites import neighbours

    full = [s for s in sites if s.occupancy >= _FULL]
    if not full:
        return math.inf, ""
    ops = packed(symmetry)
    xyz = np.array([s.xyz for s in full])
    _, near = neighbours(xyz, ops.rotations, ops.translations, ops.centrings, metric(cell), SAME_PLACE)
    i = int(near.argmin())
    pair = [full[k].label for k in np.flatnonzero(near <= near[i] * 1.001)[:2]]
    return float(near[i]), f"{pair[0]} and {pair[-1]}" if len(pair) > 1 else f"copies of {pair[0]}"


def crowding(sites: Sequence[Site], symmetry: Symmetry, cell: Cell) -> float:
    """0 where the nearest atoms keep a chemical distance, else by how much they do not [0.1 angstrom]."""
    nearest, _ = shortest(sites, symmetry, cell)
    return round(max(0.0, 1.4 - nearest) * 10)
