"""The embedded library: whole without any data, and the same as the CIFs of other people where those are at hand."""

from __future__ import annotations

import importlib.util
import itertools
import subprocess
import sys
from collections import Counter
from pathlib import Path

import gemmi
import numpy as np
import pytest

from peakwise.crystal import TEXTBOOK, Phase, textbook_cif
from peakwise.crystal._formula import parse_formula
from peakwise.errors import PhaseError

ROOT = Path(__file__).parents[2]
EVERY = list(TEXTBOOK)


def small(id_: str) -> gemmi.SmallStructure:
    """The structure as another program reads it."""
    structure = gemmi.make_small_structure_from_block(gemmi.cif.read_string(textbook_cif(id_))[0])
    structure.setup_cell_images()
    return structure


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("check_textbook", ROOT / "scripts" / "check_textbook.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_textbook"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["check_textbook"]


def test_there_are_many_and_they_are_phases():
    assert len(TEXTBOOK) == len(EVERY) >= 280
    assert all(TEXTBOOK[i].id == i and isinstance(TEXTBOOK[i], Phase) for i in EVERY)
    assert str(len(EVERY)) in repr(TEXTBOOK)
    assert TEXTBOOK["Si"] is TEXTBOOK["Si"]


def test_ids_are_safe_as_file_names_and_differ_without_case():
    assert all(set(i) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") for i in EVERY)
    assert not [i for i, n in Counter(map(str.lower, EVERY)).items() if n > 1]


@pytest.mark.parametrize("id_", EVERY)
def test_content_is_the_formula_and_density_that_of_handbooks(id_):
    entry, phase = TEXTBOOK.entries[id_], TEXTBOOK[id_]
    told, content = parse_formula(entry.formula), phase.content
    units = sum(content.values()) / sum(told.values())
    assert units == pytest.approx(round(units), abs=0.01)
    assert content.keys() == told.keys()
    assert {e: n / units for e, n in content.items()} == pytest.approx(told, rel=2e-3)
    assert phase.density == pytest.approx(entry.density, rel=0.03)


@pytest.mark.parametrize("id_", EVERY)
def test_no_atoms_stand_in_each_other(id_):
    structure = small(id_)
    sites = [s for s in structure.get_all_unit_cell_sites() if s.element.name not in {"H", "D"}]
    places = np.array([s.fract.tolist() for s in sites])
    occupied = np.array([s.occ for s in sites])
    orth = np.array(structure.cell.orth.mat.tolist())
    shortest = np.full((len(sites), len(sites)), np.inf)
    for shift in itertools.product((-1, 0, 1), repeat=3):
        apart = (places[:, None] - places[None]) % 1.0 + shift
        length = np.linalg.norm(apart @ orth.T, axis=2)
        shortest = np.minimum(shortest, np.where(length < 1e-3, np.inf, length))
    together = occupied[:, None] + occupied[None] > 1.001  # half-filled places may be near: one of them is empty
    assert shortest[together].min(initial=np.inf) > 0.9
    for at in places:  # those who share a place fill it at most once
        same = np.linalg.norm((places - at + 0.5) % 1.0 - 0.5, axis=1) < 1e-4
        assert occupied[same].sum() <= 1.001


@pytest.mark.parametrize("id_", EVERY)
def test_hydrogen_has_a_bond(id_):
    structure = small(id_)
    sites = structure.get_all_unit_cell_sites()
    for atom in (s for s in structure.sites if s.element.name == "H"):
        here = structure.cell.orthogonalize(atom.fract)
        others = [structure.cell.orthogonalize(o.fract) for o in sites if o.element.name in {"O", "N"}]
        bonds = [structure.cell.find_nearest_image(here, there).dist() for there in others]
        assert 0.7 < min(bonds) < 1.15


@pytest.mark.parametrize("id_", EVERY)
def test_another_program_reads_the_same_symmetry(id_):
    structure, phase = small(id_), TEXTBOOK[id_]
    assert structure.spacegroup.number == phase.space_group_number
    assert structure.spacegroup.xhm().replace(":", " :").split() == phase.space_group.replace(":", " :").split()
    assert len(structure.get_all_unit_cell_sites()) == sum(s.multiplicity for s in phase.sites)


def test_values_that_everybody_knows():
    assert TEXTBOOK["SiO2-quartz"].cell == (4.9134, 4.9134, 5.4052, 90.0, 90.0, 120.0)
    assert TEXTBOOK["albite"].cell[3:] == (94.19, 116.61, 87.68)
    assert TEXTBOOK["CuO"].cell[4] == 99.54
    first = TEXTBOOK["NaCl"].reflections(2.8)
    assert [tuple(h) for h in np.abs(first.hkl).tolist()] in ([(1, 1, 1), (0, 0, 2)], [(1, 1, 1), (2, 0, 0)])
    assert 1 / (2 * np.sqrt(first.s2)) == pytest.approx([3.2564, 2.8201], abs=1e-4)


def test_the_table_is_complete():
    for entry in TEXTBOOK.entries.values():
        assert entry.name
        assert entry.kind
        assert any(f"({year})" in entry.reference for year in range(1915, 2026)), entry.id
        assert entry.match.file.endswith(".cif")
        assert entry.match.xrays > 0.99


def test_unknown_names():
    assert "quarz" not in TEXTBOOK
    assert TEXTBOOK.get("quarz") is None
    with pytest.raises(PhaseError, match=r"no phase 'SiO2-quarz'. Did you mean SiO2-quartz"):
        textbook_cif("SiO2-quarz")
    with pytest.raises(PhaseError, match=r"The ids are list\(TEXTBOOK\)"):
        textbook_cif("%%%")


def test_import_reads_no_table():
    code = "import sys, peakwise.crystal as c; raise SystemExit('tomllib' in sys.modules or bool(c.TEXTBOOK._entries))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_phase_agrees_with_the_cif_of_other_people(real_data, script, monkeypatch):
    monkeypatch.setattr(script, "DATA", real_data)
    script.texts.cache_clear()
    found = [script.check(i) for i in EVERY]
    assert [str(f) for f in found if not f.agrees] == []
    told = [TEXTBOOK.entries[i].match for i in EVERY]
    assert [f.xrays for f in found] == pytest.approx([m.xrays for m in told], abs=2e-3)
    assert [f.neutrons for f in found] == pytest.approx([m.neutrons for m in told], abs=2e-3)


def _rewritten(id_: str, moved, name: str = "", cell: tuple[float, ...] = ()) -> str:
    """The CIF of a textbook phase in another setting: every position through a formula written by hand."""
    structure = small(id_)
    atoms = [
        " ".join([s.label, s.element.name, *(f"{v:.8f}" for v in moved(*s.fract.tolist())), str(s.occ), str(s.u_iso)])
        for s in structure.sites
    ]
    tags = ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy", "U_iso_or_equiv")
    edges = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lengths = [f"_cell_{n} {v}" for n, v in zip(edges, cell or structure.cell.parameters, strict=True)]
    head = ["data_x", f"_space_group_name_H-M_alt '{name or structure.spacegroup.xhm()}'", *lengths, "loop_"]
    return "\n".join([*head, *(f"_atom_site_{t}" for t in tags), *atoms])


@pytest.mark.parametrize(
    ("id_", "change", "why"),
    [
        ("TiO2-rutile", {"O": {2: "0.33", 3: "0.33"}}, ""),  # O moved by 0.16 angstrom
        ("CaCO3-calcite", {"O": {2: "0.335"}}, ""),
        ("MgO", {f"_cell_length_{edge}": {1: "4.27"} for edge in "abc"}, "volume"),
        ("TiO2-rutile", {"_cell_length_c": {1: "2.995"}}, "cell"),
        ("MgO", {"Mg": {1: "Ca"}}, "composition"),
        ("SiO2-quartz", {"'P": {2: "31"}}, "space group"),
    ],
)
def test_the_comparison_can_fail(script, id_, change, why):
    text = _rewritten(id_, lambda x, y, z: (x, y, z))
    rows = [line.split(" ") for line in text.splitlines()]
    for row in rows:
        for place, word in change.get("'P" if "'P" in row else row[0], {}).items():
            row[place] = word
    changed = "\n".join(" ".join(row) for row in rows)
    good = script.Found("", "", 0, *script.compare(script.Structure(textbook_cif(id_)), script.Structure(text)))
    bad = script.Found("", "", 0, *script.compare(script.Structure(textbook_cif(id_)), script.Structure(changed)))
    assert changed != text
    assert good.agrees
    assert good.xrays == pytest.approx(1)
    assert not bad.agrees
    assert why in bad.trouble


A, B, C, BETA = 4.6837, 3.4226, 5.1288, np.radians(99.54)  # CuO
SUM = float(np.sqrt(A**2 + C**2 + 2 * A * C * np.cos(BETA)))  # |a + c|
TURNED = float(np.degrees(np.arccos((A * np.cos(BETA) + C) / SUM)))  # between a + c and c


@pytest.mark.parametrize(
    ("id_", "name", "cell", "moved"),
    [
        ("Si", "F d -3 m :2", (5.431, 5.431, 5.431, 90, 90, 90), lambda x, y, z: (x + 1 / 8, y + 1 / 8, z + 1 / 8)),
        ("CaTiO3", "P n m a", (5.4423, 7.6401, 5.3796, 90, 90, 90), lambda x, y, z: (y, z, x)),
        ("CuO", "I 1 2/c 1", (SUM, B, C, 90, TURNED, 90), lambda x, y, z: (x, y, z - x)),
    ],
)
def test_another_setting_is_the_same_structure(script, id_, name, cell, moved):
    theirs = script.Structure(_rewritten(id_, moved, name, cell))
    assert theirs.group.xhm() == name.replace(" :", ":")
    trouble, xrays, neutrons = script.compare(script.Structure(textbook_cif(id_)), theirs)
    assert (trouble, xrays, neutrons) == ("", pytest.approx(1, abs=1e-5), pytest.approx(1, abs=1e-5))
