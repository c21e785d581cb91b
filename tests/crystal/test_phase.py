"""Phase: what a structure says of itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from crystal.structures import CIFS, SYSTEMS
from peakwise.crystal import Phase, Site
from peakwise.crystal._formula import composition_text, formula_units, parse_formula
from peakwise.crystal._scattering import scatterer_of
from peakwise.crystal._site_text import decimals_of, number, read_element, read_scatterer
from peakwise.crystal._symmetry import candidates, parse_operation, symmetry_of, tidy_name
from peakwise.errors import PhaseError

# Formula, Z, atoms in the cell, density [g/cm³] as handbooks give them.
FACTS = {
    "albite": ("AlNaO8Si3", 4, 52, 2.62),
    "baddeleyite": ("O2Zr", 4, 12, 5.81),
    "perovskite": ("CaO3Ti", 4, 20, 4.04),
    "olivine": ("Fe0.2Mg1.8O4Si", 4, 28, 3.35),
    "rutile": ("O2Ti", 2, 6, 4.25),
    "anatase": ("O2Ti", 4, 12, 3.90),
    "corundum-H": ("Al2O3", 6, 30, 3.98),
    "corundum-R": ("Al2O3", 2, 10, 3.98),
    "quartz": ("O2Si", 3, 9, 2.65),
    "zincite": ("OZn", 2, 4, 5.67),
    "ice": ("D2O", 4, 20, 1.03),
    "magnetite": ("Fe3O4", 8, 56, 5.20),
    "diamond-1": ("C", 8, 8, 3.52),
    "diamond-2": ("C", 8, 8, 3.52),
    "pyrite": ("FeS2", 4, 12, 5.01),
}


@pytest.mark.parametrize("name", CIFS)
def test_textbook_facts(name):
    phase = Phase.from_cif(CIFS[name], id=name)
    assert (phase.formula, phase.z, phase.n_atoms) == FACTS[name][:3]
    assert phase.density == pytest.approx(FACTS[name][3], rel=0.01)
    assert phase.system == SYSTEMS[name]
    assert (phase.id, phase.repairs, phase.warnings) == (name, (), ())
    assert phase.mass == pytest.approx(phase.density * phase.volume / 1.66053907, rel=1e-6)


@pytest.mark.parametrize("name", CIFS)
def test_written_cif_is_the_same_structure(name):
    phase = Phase.from_cif(CIFS[name], id=name)
    again = Phase.from_cif(phase.to_cif(), id=name)
    assert (again.formula, again.z, again.cell, again.symmetry) == (phase.formula, phase.z, phase.cell, phase.symmetry)
    assert again.repairs == ()
    for one, two in zip(again.sites, phase.sites, strict=True):
        assert one.xyz == pytest.approx(two.xyz, abs=1e-9)
        assert (one.scatterer, one.occupancy, one.multiplicity) == (two.scatterer, two.occupancy, two.multiplicity)
        assert one.b_iso == pytest.approx(two.b_iso, rel=1e-4)
        assert (one.u_aniso is None) == (two.u_aniso is None)


def test_names_of_groups():
    names = {
        n: Phase.from_cif(CIFS[n])
        for n in ("corundum-H", "corundum-R", "baddeleyite", "diamond-1", "anatase", "albite")
    }
    assert {n: p.space_group for n, p in names.items()} == {
        "corundum-H": "R -3 c:H",
        "corundum-R": "R -3 c:R",
        "baddeleyite": "P 1 21/c 1",
        "diamond-1": "F d -3 m:1",
        "anatase": "I 41/a m d:2",
        "albite": "C -1",
    }
    assert {n: p.space_group_short for n, p in names.items()} == {
        "corundum-H": "R-3c",
        "corundum-R": "R-3c:R",
        "baddeleyite": "P21/c",
        "diamond-1": "Fd-3m:1",
        "anatase": "I41/amd",
        "albite": "C-1",
    }
    assert names["albite"].space_group_number == 2
    assert names["diamond-1"].hall == "F 4d 2 3 -1d"


def test_scatterers_of_ions_mixed_sites_and_deuterium():
    assert Phase.from_cif(CIFS["magnetite"]).scatterers == ("Fe3+", "Fe2+", "O2-")
    ice = Phase.from_cif(CIFS["ice"])
    assert ice.scatterers == ("O", "D")
    assert ice.elements == {"H", "O"}
    olivine = Phase.from_cif(CIFS["olivine"])
    assert [(s.label, s.occupancy, s.multiplicity) for s in olivine.sites[:2]] == [("Mg1", 0.9, 4), ("Fe1", 0.1, 4)]
    assert olivine.content == pytest.approx({"Mg": 7.2, "Fe": 0.8, "Si": 4, "O": 16})


def test_from_parameters():
    one = Phase.from_parameters(
        "TiO2",
        "P 42/m n m",
        (4.5937, 4.5937, 2.9587, 90, 90, 90),
        [("Ti4+", (0, 0, 0), 1, 0.5), ("O2-", (0.3053, 0.3053, 0))],
    )
    assert (one.sites[0].label, one.sites[0].scatterer, one.sites[0].b_iso, one.sites[1].b_iso) == (
        "Ti1",
        "Ti4+",
        0.5,
        0,
    )
    assert [s.multiplicity for s in one.sites] == [2, 4]
    two = Phase.from_parameters("TiO2", 136, one.cell, one.sites)
    assert two == one
    three = Phase.from_parameters("TiO2", one.symmetry.triplets, one.cell, [Site("Ti", "Ti", "Ti", (0, 0, 0))], z=1)
    assert (three.formula, three.z, three.space_group) == ("Ti2", 1, "P 42/m n m")


@pytest.mark.parametrize(
    ("group", "cell", "sites", "why"),
    [
        ("Xyz", (4, 4, 4, 90, 90, 90), [("C", (0, 0, 0))], "no space group 'Xyz'"),
        (231, (4, 4, 4, 90, 90, 90), [("C", (0, 0, 0))], "no space group 231"),
        (["x,y"], (4, 4, 4, 90, 90, 90), [("C", (0, 0, 0))], "'x,y' is no operation"),
        (["2x,y,z"], (4, 4, 4, 90, 90, 90), [("C", (0, 0, 0))], "is no operation"),
        (["x+y,y,z"], (4, 4, 4, 90, 90, 90), [("C", (0, 0, 0))], "symmetry operations make"),
        ("P1", (4, 4, 90, 90, 90), [("C", (0, 0, 0))], "must make a cell"),
        ("P1", (4, 4, -4, 90, 90, 90), [("C", (0, 0, 0))], "must make a cell"),
        ("P1", (4, 4, 4, 30, 90, 30), [("C", (0, 0, 0))], "must make a cell"),
        ("P1", (4, 4, float("nan"), 90, 90, 90), [("C", (0, 0, 0))], "must make a cell"),
        ("P1", (4, 4, 4, 90, 90, 90), [], "it has no sites"),
        ("P1", (4, 4, 4, 90, 90, 90), [("Xx", (0, 0, 0))], "'Xx' is no element"),
    ],
)
def test_parameters_that_make_no_structure(group, cell, sites, why):
    with pytest.raises(PhaseError, match=why):
        Phase.from_parameters("x", group, cell, sites)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("P21/c", "P 1 21/c 1"),
        ("P2_1/c", "P 1 21/c 1"),
        ("P 21/C", "P 1 21/c 1"),
        ("P 1 21/n 1", "P 1 21/n 1"),
        ("Fd-3mZ", "F d -3 m:2"),
        ("F d -3 m S", "F d -3 m:1"),
        ("F d 3 m", "F d -3 m:2"),
        ("Fm\\bar{3}m", "F m -3 m"),
        ("R-3mH", "R -3 m:H"),
        ("R -3 m :R", "R -3 m:R"),
        ("R 3 c {rhombohedral axes}", "R 3 c:R"),
        ("pnma", "P n m a"),
        ("P b n m", "P b n m"),
        ("C2/c", "C 1 2/c 1"),
        ("P 63/m m c", "P 63/m m c"),
        ("P(-1)", "P -1"),
        ("P1̄", "P -1"),
    ],
)
def test_spellings_of_space_groups(name, first):
    assert candidates(name, 0, "", (90, 90, 120))[0].name == first


def test_what_names_leave_open():
    assert [s.name for s in candidates("R -3 c", 0, "", (90, 90, 120))] == ["R -3 c:H", "R -3 c:R"]
    assert [s.name for s in candidates("R -3 c", 0, "", (55, 55, 55))] == ["R -3 c:R", "R -3 c:H"]
    assert [s.name for s in candidates("", 227, "", (90, 90, 90))] == ["F d -3 m:2", "F d -3 m:1"]
    assert [s.name for s in candidates("nonsense", 0, "-P 2ybc", (90, 90, 90))] == ["P 1 21/c 1"]
    assert candidates("nonsense", 14, "P 21/c", (90, 90, 90))[0].name == "P 1 21/c 1"
    assert candidates("nonsense", 0, "", (90, 90, 90)) == []
    assert tidy_name(" F d -3 m (origin choice 2) ") == "Fd-3m"


def test_operations():
    assert parse_operation("X, Y+0.5, -Z+.25") == "x,y+1/2,-z+1/4"
    assert parse_operation("*x;y;z'") == "x,y,z"
    assert parse_operation("x,y,z+1/7") is None
    group, added = symmetry_of(["x,y,z", "-x,-y,-z", "x+1/2,y+1/2,z"])
    assert (group.name, group.order, added) == ("C -1", 4, 1)
    assert group != "C -1"
    assert hash(group) == hash(symmetry_of(group.triplets)[0])
    with pytest.raises(ValueError, match="at most 192"):
        symmetry_of([f"x+{i}/24,y+{j}/24,z" for i in range(24) for j in range(24)])
    with pytest.raises(ValueError, match="5000 symmetry operations"):
        symmetry_of([f"x,y,z+{i}" for i in range(5000)])


def test_formulas():
    assert parse_formula("C2 H6 O") == {"C": 2, "H": 6, "O": 1}
    assert parse_formula("(Mg0.9 Fe0.1)2 Si O4") == pytest.approx({"Mg": 1.8, "Fe": 0.2, "Si": 1, "O": 4})
    assert parse_formula("[Al(OH)3]2") == {"Al": 2, "O": 6, "H": 6}
    assert parse_formula("?") == {}
    assert parse_formula("C 1.2.3") == {"C": 1.2}
    assert composition_text({"H": 4, "C": 2}, 2) == "CH2"
    assert composition_text({"H": 4, "O": 2}, 2) == "H2O"
    assert formula_units({"Fe": 3.6, "O": 4}, [Site("a", "Fe", "Fe", (0, 0, 0), 0.9, 0, None, 4)]) == 4


def test_numbers_and_labels():
    assert number("-.5") == -0.5
    assert number("1e3(2)") == 1000
    assert [str(number(t)) for t in ("?", ".", "", "abc", "1_000", "inf", "nan", "1/0", "1,2,3")] == ["nan"] * 9
    assert decimals_of("0.25(1)") == decimals_of("5") == 99
    assert [read_scatterer(t) for t in ("Fe3+", "FE+3", "O-2", "O2-", "Cu1+", "Si", "Na+", "Fe9+")] == [
        "Fe3+",
        "Fe3+",
        "O2-",
        "O2-",
        "Cu1+",
        "Si",
        "Na1+",
        "Fe",
    ]
    assert [read_scatterer(t) for t in ("D", "Cval", "X", "12", "Qq", "Og")] == ["D", "C", None, None, None, "O"]
    water = frozenset({"Ca", "S", "O", "H"})
    assert read_element("Ow1", water) == read_element("Wat", water) == read_element("O-H2", water) == ("O", 0)
    assert read_element("W1", frozenset({"W", "O"})) == ("W", 0)
    assert read_element("HO1", frozenset({"Ho", "O"})) == ("Ho", 0)
    assert read_element("CO2", frozenset({"C", "H", "O"})) == ("C", 0)
    assert read_element("D3", frozenset({"C", "H"})) == ("D", 0)
    assert read_element("FeM1", frozenset()) == ("Fe", 0)
    assert read_element("Fe3+", frozenset({"Fe"})) == ("Fe", 3)
    assert read_element("123", frozenset()) is None
    assert scatterer_of("Es") is None


def test_importing_the_room_is_light():
    heavy = ("gemmi", "numba", "scipy", "platformdirs")
    code = f"import peakwise.crystal, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
