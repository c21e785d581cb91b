"""Compare every textbook phase with the CIFs of other people.

    python scripts/check_textbook.py                 does each phase agree with the CIF that textbook.toml names?
    python scripts/check_textbook.py --find [ID ..]  the best CIFs for each phase, or the nearest ones and what is wrong

PEAKWISE_DATA names the folder of data: `cif_library/{amcsd,cod_avogadro}_cifs.zip` and `*/cifs/*.cif` are searched.

A CIF agrees when its space group is the same, its lattice is the same to 1 % in every length and 1 degree in every
angle (in whatever setting), its composition is the same to 2 % of the atoms (without H where the CIF has none), and
its powder pattern has a cosine above 0.99 with ours. Both patterns come from gemmi: Cu Ka, 10 to 90 degrees, Gaussian
peaks of 0.1 degrees. Our structure is read by gemmi from the CIF that peakwise writes; the other one is put into our
cell, so that the cosine speaks of positions and not of the last digit of a cell edge. X-rays see light atoms beside
heavy ones badly: the same patterns with neutrons must have a cosine above 0.95.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
import zipfile
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import gemmi
import numpy as np

from peakwise.crystal._textbook import TEXTBOOK, textbook_cif

if TYPE_CHECKING:
    from numpy.typing import NDArray

DATA = Path(os.environ.get("PEAKWISE_DATA", Path(__file__).parents[2] / "shared" / "data"))
WAVELENGTH = 1.54184  # Cu Ka, mean of the doublet [angstrom]
RANGE = (10.0, 90.0)
FWHM = 0.1
COSINE, NEUTRONS = 0.99, 0.95
XRAYS_ONLY = {"CoFe2O4": "the other CIF (1931) has Co and Fe exchanged, which Cu Ka hardly tells apart"}
LENGTH, ANGLE, ATOMS = 0.01, 1.0, 0.02
_EIGHT_PI2 = 8 * np.pi**2
_PLAIN = re.compile(r"[A-Z][a-z]?")


@dataclass(frozen=True)
class Found:
    """A CIF beside a textbook phase."""

    file: str
    told: str
    year: int
    trouble: str
    xrays: float
    neutrons: float

    id: str = ""

    @property
    def agrees(self) -> bool:
        seen = self.neutrons > NEUTRONS or self.id in XRAYS_ONLY
        return not self.trouble and self.xrays > COSINE and seen

    def __str__(self) -> str:
        return f"{self.xrays:.4f} {self.neutrons:.4f} {self.file} | {self.told} | {self.trouble}"


class Structure:
    """A structure as gemmi reads it, and what the comparison asks of it."""

    def __init__(self, text: str, name: str = "") -> None:
        block = gemmi.cif.read_string(text)[0]
        self.small = gemmi.make_small_structure_from_block(block)
        if self.small.spacegroup is None:
            self.small.spacegroup = gemmi.find_spacegroup_by_name(self.small.spacegroup_hm or "?")
        if self.small.spacegroup is None:
            raise ValueError(f"{name}: no space group that has a name")
        self.group = self.small.spacegroup
        if "_atom_site_type_symbol" not in text:
            self._name_elements(_elements(text))
        self._place(text)
        self.has_b = any(site.u_iso > 0 or site.aniso.nonzero() for site in self.small.sites)
        words = [_value(block, "_journal_name_full"), _value(block, "_journal_year")]
        self.told = " ".join(" ".join(words).split())
        self.year = int(words[1] or 0)

    def _place(self, text: str) -> None:
        """Put the atoms into the cell, with the other origin where only that one gives the formula."""
        self.small.setup_cell_images()
        told = _formula(text)
        if self.group.ext not in {"1", "2"} or not told or _alike(self._count(), told):
            return
        other = gemmi.find_spacegroup_by_name(f"{self.group.hm}:{'21'[int(self.group.ext) - 1]}")
        mine, self.small.spacegroup = self.group, other
        self.small.setup_cell_images()
        if _alike(self._count(), told):
            self.group = other
        else:
            self.small.spacegroup = mine
            self.small.setup_cell_images()

    def _count(self) -> dict[str, float]:
        total: dict[str, float] = {}
        for site in self.small.get_all_unit_cell_sites():
            name = "H" if site.element.name == "D" else site.element.name
            total[name] = total.get(name, 0.0) + site.occ
        return total

    def _name_elements(self, formula: set[str]) -> None:
        """Labels such as Od, Ow or CO1 by the elements of the formula; gemmi knows the periodic table only."""
        for site in self.small.sites:
            if site.element.name not in formula:
                label = re.match("[A-Za-z]*", site.label)[0]
                known = [w for w in (label[:2].capitalize(), label[:1]) if w in formula]
                if known or label.startswith("W"):  # Wat: water
                    site.element = gemmi.Element(known[0] if known else "O")

    @cached_property
    def content(self) -> dict[str, float]:
        """Atoms in the cell."""
        return self._count()

    @cached_property
    def basis(self) -> NDArray[np.float64]:
        """Cell edges as rows [angstrom]."""
        return np.array(self.small.cell.orth.mat.tolist()).T

    @cached_property
    def primitive_volume(self) -> float:
        return self.small.cell.volume / len(self.group.operations().cen_ops)

    def lattice_vectors(self, longest: float) -> NDArray[np.float64]:
        """Every lattice vector up to a length, centred ones too, in fractions of the cell."""
        n = [int(longest / (1 / r)) + 1 for r in self.small.cell.reciprocal().parameters[:3]]
        grid = np.array(list(itertools.product(*(range(-k, k + 1) for k in n))), float)
        centred = [np.array(c) / gemmi.Op.DEN for c in self.group.operations().cen_ops]
        every = np.concatenate([grid + c for c in centred])
        length = np.linalg.norm(every @ self.basis, axis=1)
        return every[(length > 0) & (length < longest)]

    def give_b(self, other: Structure) -> None:
        """Take the mean displacement of each element from another structure."""
        for site in self.small.sites:
            same = [s.u_iso for s in other.small.sites if s.element == site.element]
            site.u_iso = float(np.mean(same)) if same else 0.5 / _EIGHT_PI2

    def pattern(self, cell: gemmi.UnitCell, calculator: type) -> NDArray[np.float64]:
        """The powder pattern, spaced as in `cell`."""
        ops = self.group.operations()
        d_min = WAVELENGTH / 2 / np.sin(np.radians(RANGE[1] / 2)) * 0.985
        hkl = gemmi.make_miller_array(self.small.cell, self.group, d_min)
        eps = ops.epsilon_factor_without_centering_array(hkl)
        centric = ops.centric_flag_array(hkl).astype(bool)
        multiplicity = len(ops.sym_ops) / eps * np.where(centric, 1, 2)
        engine = calculator(self.small.cell)
        factor = np.array([engine.calculate_sf_from_small_structure(self.small, h) for h in hkl])
        s = WAVELENGTH / 2 / cell.calculate_d_array(hkl)
        theta = np.arcsin(np.minimum(s, 1))
        lorentz = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
        return _drawn(np.degrees(2 * theta), multiplicity * np.abs(factor) ** 2 * lorentz)


def _value(block: gemmi.cif.Block, tag: str) -> str:
    return gemmi.cif.as_string(block.find_value(tag) or "").strip()


def _formula(text: str) -> dict[str, float]:
    sums = re.search(r"^_chemical_formula_sum\s+(.+)$", text, re.MULTILINE)
    return {e: float(n or 1) for e, n in re.findall(r"([A-Z][a-z]?)([0-9.]*)", sums[1])} if sums else {}


def _alike(content: dict[str, float], formula: dict[str, float]) -> bool:
    units = sum(content.values()) / sum(formula.values())
    return all(abs(content.get(e, 0) / units - n) < 0.05 * n for e, n in formula.items())


def _drawn(positions: NDArray[np.float64], intensities: NDArray[np.float64]) -> NDArray[np.float64]:
    grid = np.arange(RANGE[0], RANGE[1], FWHM / 5)
    total = np.zeros_like(grid)
    for at, height in zip(positions, intensities, strict=True):
        if RANGE[0] < at < RANGE[1]:
            lo, hi = np.searchsorted(grid, (at - 4 * FWHM, at + 4 * FWHM))
            total[lo:hi] += height * np.exp(-4 * np.log(2) * ((grid[lo:hi] - at) / FWHM) ** 2)
    return total


def cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(one @ other / np.sqrt((one @ one) * (other @ other)))


def strained(ours: Structure, theirs: Structure) -> gemmi.UnitCell | None:
    """The cell of `theirs` in our lattice: the same vectors, our lengths; None where none is within 1 %."""
    wanted = theirs.small.cell.parameters
    vectors = ours.lattice_vectors(max(wanted[:3]) * (1 + LENGTH))
    real = vectors @ ours.basis
    length = np.linalg.norm(real, axis=1)
    near = [real[np.abs(length / w - 1) < LENGTH] for w in wanted[:3]]
    best, off = None, np.inf
    for a, b in itertools.product(near[0], near[1]):
        gamma = _angle(a, b)
        if abs(gamma - wanted[5]) > ANGLE:
            continue
        for c in near[2]:
            angles = _angle(b, c), _angle(a, c), gamma
            turned = max(abs(x - w) for x, w in zip(angles, wanted[3:], strict=True))
            if turned > ANGLE:
                continue
            lengths = [float(np.linalg.norm(v)) for v in (a, b, c)]
            total = turned / 100 + max(abs(x / w - 1) for x, w in zip(lengths, wanted[:3], strict=True))
            if total < off:
                best, off = gemmi.UnitCell(*lengths, *angles), total
    return best


def _angle(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.degrees(np.arccos(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1, 1))))


def compare(ours: Structure, theirs: Structure) -> tuple[str, float, float]:
    """What is wrong, and the cosine of the X-ray and of the neutron patterns (NaN where the cells differ)."""
    if ours.group.number != theirs.group.number:
        return f"space group {theirs.group.xhm()}", np.nan, np.nan
    if abs(theirs.primitive_volume / ours.primitive_volume - 1) > 3 * LENGTH:
        return "volume", np.nan, np.nan
    cell = strained(ours, theirs)
    if cell is None:
        return "cell", np.nan, np.nan
    scale = ours.small.cell.volume / theirs.small.cell.volume
    names = {*ours.content, *theirs.content} - ({"H"} if "H" not in theirs.content else set())
    off = {e: theirs.content.get(e, 0) * scale - ours.content.get(e, 0) for e in names}
    total = sum(ours.content[e] for e in names & ours.content.keys())
    trouble = ""
    if max(map(abs, off.values())) > ATOMS * total:
        trouble = "composition " + " ".join(f"{e}{x:+.2f}" for e, x in off.items() if abs(x) > 0.01)
    if not theirs.has_b:
        theirs.give_b(ours)
    if "H" in ours.content and "H" not in theirs.content:
        ours.small.remove_hydrogens()
        ours.small.setup_cell_images()
    cos = [
        cosine(ours.pattern(ours.small.cell, rays), theirs.pattern(cell, rays))
        for rays in (gemmi.StructureFactorCalculatorX, gemmi.StructureFactorCalculatorN)
    ]
    return trouble, *cos


@cache
def texts() -> dict[str, str]:
    """Name -> text of every CIF that can be compared with."""
    found: dict[str, str] = {}
    for archive, short in (("cod_avogadro_cifs.zip", "cod_avogadro/"), ("amcsd_cifs.zip", "")):
        with zipfile.ZipFile(DATA / "cif_library" / archive) as file:
            for name in file.namelist():
                if name.endswith(".cif") and "zeolites/" not in name:
                    found[short + name] = file.read(name).decode("utf-8", "replace")
    for path in sorted(DATA.glob("*/cifs/*.cif")):
        found[str(path.relative_to(DATA))] = path.read_text(encoding="utf-8", errors="replace")
    return found


def _elements(text: str) -> set[str]:
    """Elements of the formula sum, or where there is none of the labels."""
    sums = re.search(r"^_chemical_formula_sum\s+(.+|\s*\n.*)$", text, re.MULTILINE)
    labels = re.findall(r"^\s*([A-Z][a-z]?)", text.partition("_atom_site_")[2], re.MULTILINE)
    return set(_PLAIN.findall(sums[1])) if sums else set(labels)


@cache
def _by_elements() -> dict[frozenset[str], list[str]]:
    """Elements other than H -> CIFs."""
    table: dict[frozenset[str], list[str]] = {}
    for name, text in texts().items():
        table.setdefault(frozenset(_elements(text)) - {"H", "D"}, []).append(name)
    return table


def candidates(id_: str) -> list[Found]:
    """Every CIF of the same elements, best first: another year's work before that which we cite, then the cosine."""
    text = textbook_cif(id_)
    cited = set(re.findall(r"\((\d{4})\)", TEXTBOOK.entries[id_].reference))
    found = []
    for name in _by_elements().get(frozenset(Structure(text).content) - {"H"}, []):
        try:
            theirs = Structure(texts()[name], name)
            found.append(Found(name, theirs.told, theirs.year, *compare(Structure(text), theirs), id_))
        except (ValueError, RuntimeError) as problem:
            found.append(Found(name, "", 0, f"unread: {problem}", np.nan, np.nan, id_))

    def merit(one: Found) -> tuple[bool, bool, float]:
        return one.agrees, one.year > 0 and str(one.year) not in cited, np.nan_to_num(min(one.xrays, one.neutrons))

    return sorted(found, key=merit, reverse=True)


def check(id_: str) -> Found:
    """The textbook phase against the CIF that the table names."""
    name = TEXTBOOK.entries[id_].match.file
    theirs = Structure(texts()[name], name)
    return Found(name, theirs.told, theirs.year, *compare(Structure(textbook_cif(id_)), theirs), id_)


def main(words: list[str]) -> int:
    wrong = 0
    if words[:1] == ["--find"]:
        for id_ in words[1:] or TEXTBOOK:
            found = candidates(id_)
            good = [f for f in found if f.agrees]
            wrong += not good
            print(f"{id_}: {len(good)} agree; ours is {TEXTBOOK.entries[id_].reference}")
            print("".join(f"    {f}\n" for f in (good or found)[:5]), end="")
    else:
        for found in map(check, TEXTBOOK):
            wrong += not found.agrees
            print("agrees " if found.agrees else "DIFFERS", found.id, found)
    print(f"{wrong} of {len(TEXTBOOK)} phases without a CIF that agrees")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
