"""The symmetry of a crystal as integer arrays, from operations, a Hermann-Mauguin name, a Hall symbol or a number.

Operations win over a name: they say which setting and which origin was meant. A name alone leaves the choice between
two origins (24 groups) or two cells (rhombohedral groups); `candidates` gives all of them, and whoever knows the
atoms decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

__all__ = ["DENOMINATOR", "Symmetry", "candidates", "of_hall", "parse_operation", "symmetry_of", "tidy_name"]

DENOMINATOR = 24  # every translation of the 230 groups is a multiple of 1/24
_MOST_OPERATIONS = 192  # of the largest space group in its conventional cell
_MOST_WRITTEN = 4096  # operations a file may list: a supercell repeats them, a hostile file repeats them for ever


@dataclass(frozen=True, eq=False)
class Symmetry:
    """All operations of a space group.

    Parameters
    ----------
    name : str
        Hermann-Mauguin symbol with the setting (``R -3 m:H``), or of the group's standard setting with a star
        where this setting has no name.
    number : int
        1 to 230; 0 where it is not known.
    hall : str
        Hall symbol, empty where the setting has no name.
    rotations : (n, 3, 3) int
        Rotation parts, without those that are only centred again.
    translations : (n, 3) int
        In 1/24 of the cell edges.
    centrings : (c, 3) int
        Lattice translations in 1/24, the zero first.
    """

    name: str
    number: int
    hall: str
    rotations: NDArray[np.int64]
    translations: NDArray[np.int64]
    centrings: NDArray[np.int64]

    def __eq__(self, other: object) -> bool:
        """Whether both have the same operations, whatever they are called."""
        return isinstance(other, Symmetry) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> bytes:
        return self.rotations.tobytes() + self.translations.tobytes() + self.centrings.tobytes()

    @property
    def order(self) -> int:
        """How many atoms a general position has in the cell."""
        return len(self.rotations) * len(self.centrings)

    @property
    def has_inversion(self) -> bool:
        """Whether the group has an inversion centre anywhere."""
        return bool((self.rotations == -np.eye(3, dtype=int)).all((1, 2)).any())

    @property
    def triplets(self) -> tuple[str, ...]:
        """Every operation as text, centred ones too: ``("x,y,z", ...)``."""
        return tuple(
            _triplet(r, (t + c) % DENOMINATOR)
            for c in self.centrings
            for r, t in zip(self.rotations, self.translations, strict=True)
        )

    @property
    def system(self) -> str:
        """Crystal system by the order and kind of the rotations (the point group decides, not the cell)."""
        traces = np.trace(self.rotations, axis1=1, axis2=2) * np.rint(np.linalg.det(self.rotations)).astype(int)
        count = {kind: int((traces == trace).sum()) for kind, trace in (("2", -1), ("3", 0), ("4", 1), ("6", 2))}
        if count["3"] >= 8:
            return "cubic"
        if count["6"]:
            return "hexagonal"
        if count["4"]:
            return "tetragonal"
        if count["3"]:
            return "trigonal"
        twofold = count["2"] // (2 if self.has_inversion else 1)
        return "triclinic" if not twofold else "monoclinic" if twofold == 1 else "orthorhombic"


def tidy_name(name: str) -> str:
    r"""A space-group name as tables write it, from the ways in which programs write it.

    >>> tidy_name("Fd-3mZ"), tidy_name("P2_1/c"), tidy_name("R -3 m H"), tidy_name(r"Fm\bar{3}m")
    ('Fd-3m:2', 'P21/c', 'R-3m:H', 'Fm-3m')
    """
    text = re.sub(r"\\?bar\{?(\d)\}?|\{?\\?overline\{?(\d)\}?|(\d)[\u0304\u0305]", r"-\1\2\3", name.strip())
    text = re.sub(r"[{(]\s*(rhombohedral|hexagonal)\s*(axes|setting|cell)?\s*[)}]", r" \1", text, flags=re.IGNORECASE)
    text = re.sub(r"[\s_'\"{}$\\]+", "", text.replace("−", "-").replace("–", "-"))  # minus, dash
    text = re.sub(r"\((-?\d)\)", r"\1", text)
    text = re.sub(r"\(.*\)$|origin(choice)?", "", text, flags=re.IGNORECASE)
    if re.match(r"[Rr]", text):
        text = re.sub(r"(?<=[\dmcMC]):?(?:h|hR|hex|hexagonal(axes)?)$", ":H", text, flags=re.IGNORECASE)
        text = re.sub(r"(?<=[\dmcMC]):?(?:r|rhomb|rhombohedral(axes)?)$", ":R", text, flags=re.IGNORECASE)
    text = re.sub(r"(?<=[\dabcdmn]):?Z$", ":2", text)
    text = re.sub(r"(?<=[\dabcdmn]):?S$", ":1", text)
    return text[:1].upper() + text[1:]


def candidates(name: str, number: int, hall: str, angles: tuple[float, float, float]) -> list[Symmetry]:
    """Every symmetry that a Hall symbol, a name or a number can mean, the likeliest first; empty when none is known."""
    import gemmi

    if hall:
        try:
            return [_from_group(gemmi.symops_from_hall(hall.replace("_", " ")))]
        except (RuntimeError, ValueError):
            pass  # some programs write a name there
    tidy = tidy_name(name) if name else ""
    found = gemmi.find_spacegroup_by_name(tidy, angles[0], angles[2]) if tidy else None
    if found is None and ":" in tidy:
        found = gemmi.find_spacegroup_by_name(tidy.split(":")[0], angles[0], angles[2])
        tidy = ""
    if found is None and 1 <= number <= 230:
        found, tidy = gemmi.find_spacegroup_by_number(number), ""
    if found is None:
        return []
    # Origin choice 2 (a centre at the origin) is what refinements use; 1 is tried too where the atoms do not fit.
    same = _settings(found.number, found.hm)
    rhombohedral = abs(angles[0] - angles[2]) < 0.5 and abs(angles[2] - 120) > 1  # degrees
    likely = found.ext if ":" in tidy else ("R" if rhombohedral else "H") if found.ext in {"H", "R"} else "2"
    return [_from_table(hall) for ext, hall in sorted(same, key=lambda one: one[0] != likely)]


@lru_cache(maxsize=512)
def _settings(number: int, hm: str) -> tuple[tuple[str, str], ...]:
    """Mark and Hall symbol of each setting that has this name: two origins, or two cells."""
    import gemmi

    return tuple((g.ext, g.hall) for g in gemmi.spacegroup_table() if g.number == number and g.hm == hm)


def parse_operation(text: str) -> str | None:
    """One operation as plain text, None where it is none; repairs decimals, spaces, quotes and capital letters.

    >>> parse_operation(" '1/2+X, -Y, Z+.3333' ")
    'x+1/2,-y,z+1/3'
    """
    import gemmi

    plain = re.sub(r"[\s'\"*]+", "", text).lower().replace(";", ",")
    try:
        return str(gemmi.Op(plain).wrap().triplet())
    except (RuntimeError, ValueError):
        return None


def symmetry_of(operations: Iterable[str]) -> tuple[Symmetry, int]:
    """The group that operations (as `parse_operation` gives them) make, and how many it needed beyond those.

    Raises ValueError when they make no finite group in a cell.
    """
    return _closed(tuple(dict.fromkeys(operations)))


@lru_cache(maxsize=2048)
def _closed(operations: tuple[str, ...]) -> tuple[Symmetry, int]:
    import gemmi

    if len(operations) > _MOST_WRITTEN:
        raise ValueError(f"{len(operations)} symmetry operations, a space group has at most {_MOST_OPERATIONS}")
    ops = [gemmi.Op(o) for o in dict.fromkeys(("x,y,z", *operations))]
    if any(abs(o.det_rot()) != gemmi.Op.DEN**3 for o in ops):
        raise ValueError("a symmetry operation that changes the volume")
    try:
        group = gemmi.GroupOps(ops)
        group.add_missing_elements()
    except (RuntimeError, ValueError) as problem:
        raise ValueError(f"the symmetry operations make no group ({problem})") from problem
    n = len(group.sym_ops) * len(group.cen_ops)
    if n > _MOST_OPERATIONS:
        raise ValueError(f"the symmetry operations make {n}, a space group has at most {_MOST_OPERATIONS}")
    made = _from_group(group)
    if not _is_closed(made):
        raise ValueError("the symmetry operations make no group")
    return made, n - len(ops)


def _is_closed(group: Symmetry) -> bool:
    """Whether every product of two operations is one of them: gemmi's completion trusts translations."""
    rotations, translations, centrings = group.rotations, group.translations, group.centrings
    place = np.array([DENOMINATOR**2, DENOMINATOR, 1])
    lattice = np.sort(centrings @ place)

    def in_lattice(vectors: NDArray[np.int64]) -> bool:
        return bool(np.isin(vectors % DENOMINATOR @ place, lattice).all())

    if not in_lattice(np.einsum("nij,cj->nci", rotations, centrings)) or not in_lattice(centrings[:, None] + centrings):
        return False
    digits = 3 ** np.arange(9)
    codes = (rotations.reshape(-1, 9) + 1) @ digits
    order = np.argsort(codes)
    products = (np.einsum("aij,bjk->abik", rotations, rotations).reshape(-1, 9) + 1) @ digits
    at = order[np.searchsorted(codes[order], products).clip(max=len(codes) - 1)]
    if (codes[at] != products).any():
        return False
    moved = np.einsum("aij,bj->abi", rotations, translations) + translations[:, None]
    return in_lattice(moved.reshape(-1, 3) - translations[at])


def of_hall(hall: str) -> Symmetry:
    """The group of a Hall symbol of the table."""
    return _from_table(hall)


@lru_cache(maxsize=1024)
def _from_table(hall: str) -> Symmetry:
    import gemmi

    return _from_group(gemmi.symops_from_hall(hall))


def _from_group(group: Any) -> Symmetry:
    """Arrays and name of a gemmi group."""
    import gemmi

    den = gemmi.Op.DEN
    found = gemmi.find_spacegroup_by_ops(group)
    rotations = np.array([o.rot for o in group.sym_ops], int) // den
    translations = np.array([o.tran for o in group.sym_ops], int) * DENOMINATOR // den % DENOMINATOR
    centrings = np.array(sorted(tuple(c) for c in group.cen_ops), int) * DENOMINATOR // den % DENOMINATOR
    # One spelling per group: of the operations that differ by a centring the one with the smallest translation, sorted.
    base = np.array([DENOMINATOR**2, DENOMINATOR, 1])
    choices = (translations[:, None, :] + centrings) % DENOMINATOR
    translations = choices[np.arange(len(choices)), (choices @ base).argmin(1)]
    order = np.lexsort((*-rotations.reshape(-1, 9).T[::-1], ~(rotations == np.eye(3, dtype=int)).all((1, 2))))
    name, number, hall = (found.xhm(), found.number, found.hall) if found else ("", 0, "")
    name = re.sub(r" *%.*", "*", name)  # the table's mark for a shifted origin that has no symbol
    return Symmetry(name, number, hall, rotations[order], translations[order], centrings)


def _triplet(rotation: Sequence[Sequence[int]] | NDArray[np.int64], translation: NDArray[np.int64]) -> str:
    import gemmi

    op = gemmi.Op("x,y,z")
    op.rot = [[int(v) * gemmi.Op.DEN for v in row] for row in rotation]
    op.tran = [int(v) * gemmi.Op.DEN // DENOMINATOR for v in translation]
    return str(op.triplet())
