"""The CIF clinic: what is mended and told, and the reason of each refusal."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crystal.structures import CIFS
from peakwise.crystal import Phase, examine_cif, repaired_text
from peakwise.crystal._clinic import phase_id
from peakwise.errors import PhaseError

RUTILE = CIFS["rutile"]


def one(text, name="a.cif"):
    (row,) = examine_cif((name, text))
    return row


def cut(text, start, stop):
    """Text without the lines from the one that begins with `start` to the one before `stop`."""
    head, rest = text.split(start, 1)
    return head + rest[rest.index(stop) :]


def without_operations(text):
    return cut(text, "loop_\n_space_group_symop", "loop_\n_atom_site_label")


def test_a_clean_file_needs_nothing():
    row = one(RUTILE)
    assert (row.usable, row.id, row.repairs, row.warnings, row.why, row.error) == (True, "a", (), (), None, None)
    assert row.phase.source.file == "a.cif"
    assert len(row.phase.source.sha256) == 64


@pytest.mark.parametrize(
    ("old", "new", "repair"),
    [
        (" 1 0.006\n", " 1.2 0.006\n", "occupancy 1.2 of Ti made 1"),
        (" 1 0.006\n", " ? 0.006\n", "unknown occupancies (? or .): 1 taken"),
        (" 1 0.006\n", " . 0.006\n", "unknown occupancies (? or .): 1 taken"),
        (" 1 0.006\n", " full 0.006\n", "occupancy full of Ti is no number: 1 taken"),
        (" 1 0.006\n", " 1 ?\n", "no displacement of Ti: the mean B = 0.55 taken"),
        (" 1 0.006\n", " 1 -0.006\n", "negative displacement of Ti: 0 taken"),
        ("Ti Ti 0 0 0 1", "Ti Ti5+ 0 0 0 1", "no form factor for Ti5+: the neutral atom taken"),
        ("O O 0.3053", "Ti9 Ti ? ? ? 1 .006\nO O 0.3053", "1 atoms without coordinates left out (Ti9)"),
        ("O O 0.3053", "X O 0.1 0.2 0.3 0 .006\nO O 0.3053", "1 atoms of occupancy 0 left out"),
        ("O O 0.3053", "X O 0.1 0.2 0.3 -1 .006\nO O 0.3053", "occupancy -1 of X is negative: 0 taken"),
        ("O O 0.3053", "Ti2 Ti 0.5 0.5 0.5 1 .006\nO O 0.3053", "1 duplicate atoms merged (Ti2)"),
        ("O O 0.3053", "V V 0 0 0 1 .006\nO O 0.3053", "Ti + V share a place with an occupancy of 2 together: made 1"),
        ("O O 0.3053 0.3053", "O O 0.3053 0.3069", None),
        ("O O 0.3053 0.3053", "O O 0.3053 0.315", "O moved by 0.032 angstrom onto its special position"),
        ("_cell_length_b 4.5937", "_cell_length_b 4.5940", "cell made what P 42/m n m asks for"),
        ("_cell_length_b 4.5937", "_cell_length_b 4.5937,", None),
        ("_cell_angle_gamma 90", "_cell_angle_gamma ?", "no cell angle gamma: 90 degrees taken"),
        ("_cell_angle_gamma 90", "_cell_angle_gamma 120", "gamma is 120 degrees, P 42/m n m asks for 90: 90 taken"),
        ("Ti Ti 0 0 0 1", "'Ti Ti 0 0 0 1", "a quote is never closed"),
        ("_cell_length_a", "_cell_length_a 4.5937\n_cell_length_a", "_cell_length_a comes twice: the first taken"),
        ("_cell_formula_units_Z 2\n", "_cell_formula_units_Z\n", "_cell_formula_units_Z has no value"),
        ("_cell_length_a", "_publ_title 'a\n_cell_length_a", "a quote is never closed"),
        ("_cell_length_a", ";\nlost\n;\n_cell_length_a", "values that belong to no tag left out"),
        ("data_rutile\n", "", "no data_ line: one added"),
    ],
)
def test_repairs(old, new, repair):
    assert old in RUTILE
    row = one(RUTILE.replace(old, new, 1))
    assert row.usable, row.why
    if repair is None:
        assert row.repairs == ()
    elif "quote" not in repair:
        assert any(repair in r for r in row.repairs), row.repairs
    else:
        assert "broken grammar mended" in row.repairs[0]
    assert row.phase.repairs == row.repairs
    again = one(row.phase.to_cif())
    assert again.repairs == ()
    assert (again.phase.formula, again.phase.n_atoms, again.phase.cell) == (
        row.phase.formula,
        row.phase.n_atoms,
        row.phase.cell,
    )


def test_a_short_row_is_left_out():
    row = one(RUTILE + "O2 O 0.1 0.2\n")
    assert row.phase.n_atoms == 6
    assert row.repairs == ("broken grammar mended (the loop of _atom_site_label has 18 values for 7 tags: 4 left out)",)
    ragged = RUTILE.replace("Ti Ti 0 0 0 1 0.006\n", "Ti\nTi 0\n0 0 1 0.006\n")
    assert one(ragged).phase.n_atoms == 6
    assert one(ragged + "O2 O\n").phase.n_atoms == 6


def test_rounded_thirds_are_made_exact():
    text = CIFS["zincite"].replace("0.33333333", "0.3333").replace("0.66666667", "0.6667")
    row = one(text)
    assert row.repairs == ("4 coordinates rounded to 0.333 or 0.1667 and the like made exact",)
    assert row.phase.sites[0].xyz == (1 / 3, 2 / 3, 0)
    assert row.phase.n_atoms == 4
    short = one(CIFS["zincite"].replace("0.33333333", "0.33").replace("0.66666667", "0.67"))
    assert short.phase.n_atoms == 4
    assert short.phase.sites[0].xyz == pytest.approx((1 / 3, 2 / 3, 0), abs=1e-9)
    assert short.repairs == ()  # a hundredth of an angstrom is not told
    refined = one(CIFS["zincite"].replace("0.33333333", "0.3333(2)").replace("0.66666667", "0.6667(2)"))
    assert refined.repairs == ()
    assert refined.phase.n_atoms == 4


def test_split_atoms_stay_apart():
    """Half an atom 0.2 angstrom beside a mirror is meant; a whole one cannot be."""
    split = RUTILE.replace("Ti Ti 0 0 0 1", "Ti Ti 0 0 0.035 0.5")
    row = one(split)
    assert row.phase.content["Ti"] == pytest.approx(2)
    assert row.phase.sites[0].multiplicity == 4
    whole = one(RUTILE.replace("Ti Ti 0 0 0 1", "Ti Ti 0 0 0.02 1"))
    assert whole.phase.sites[0].multiplicity == 2


def test_symmetry_by_name_only():
    row = one(without_operations(RUTILE))
    assert row.repairs == ("no symmetry operations: those of P 42/m n m taken",)
    assert row.phase == Phase.from_cif(RUTILE, id="a") or row.phase.sites == Phase.from_cif(RUTILE).sites
    odd = one(without_operations(RUTILE).replace("P 42/m n m", "P4_2/mnm"))
    assert odd.phase.space_group_number == 136
    number = one(
        without_operations(RUTILE).replace("_space_group_name_H-M_alt 'P 42/m n m'", "_space_group_IT_number 136")
    )
    assert number.phase.space_group_number == 136
    hall = one(
        without_operations(RUTILE).replace(
            "_space_group_name_H-M_alt 'P 42/m n m'", "_space_group_name_Hall '-P 4n 2n'"
        )
    )
    assert hall.phase.space_group_number == 136


@pytest.mark.parametrize("name", ["diamond-1", "diamond-2", "anatase", "magnetite"])
def test_the_atoms_choose_between_two_origins(name):
    """Both origins of Fd-3m: the formula and the distances tell which one a file without operations means."""
    text = without_operations(CIFS[name]).replace(" :1", "").replace(" :2", "")
    row = one(text)
    assert row.phase.n_atoms == Phase.from_cif(CIFS[name]).n_atoms
    assert row.phase.space_group == Phase.from_cif(CIFS[name]).space_group or name.startswith("diamond")
    assert "can mean" in row.repairs[0]


@pytest.mark.parametrize("name", ["corundum-H", "corundum-R"])
def test_the_cell_chooses_between_two_settings(name):
    text = without_operations(CIFS[name]).replace(" :H", "").replace(" :R", "")
    assert one(text).phase.space_group == Phase.from_cif(CIFS[name]).space_group
    wrong = without_operations(CIFS[name]).replace(" :H", " :Q").replace(" :R", " :H").replace(" :Q", " :R")
    assert one(wrong).phase.space_group == Phase.from_cif(CIFS[name]).space_group


def test_the_identity_alone_beside_a_name():
    """Only x,y,z is listed: the formula says whether the atoms are those of the cell or of its asymmetric unit."""
    lines = RUTILE.replace(RUTILE[RUTILE.index("'x,y,z'") : RUTILE.index("loop_\n_atom_site_label")], "'x,y,z'\n")
    row = one(lines)
    assert (row.phase.n_atoms, row.phase.space_group) == (6, "P 42/m n m")
    everything = "\n".join(
        f"{e} {e} {x} {y} {z} 1 .006"
        for e, x, y, z in [
            ("Ti", 0, 0, 0),
            ("Ti", 0.5, 0.5, 0.5),
            ("O", 0.3053, 0.3053, 0),
            ("O", -0.3053, -0.3053, 0),
            ("O", 0.8053, 0.1947, 0.5),
            ("O", 0.1947, 0.8053, 0.5),
        ]
    )
    whole = one(lines[: lines.index("Ti Ti 0")] + everything + "\n")
    assert (whole.phase.n_atoms, whole.phase.space_group) == (6, "P 1")


def test_missing_and_wrong_operations():
    text = RUTILE.replace("'-x,-y,-z'\n", "")
    row = one(text)
    assert row.phase.n_atoms == 6
    assert row.repairs == ("1 symmetry operations were missing: the group was completed to 16",)
    row = one(RUTILE.replace("'-x,-y,-z'", "'-x,-y,-q'"))
    assert row.repairs == ("symmetry operations cannot be used (-x,-y,-q): those of P 42/m n m taken",)
    row = one(RUTILE.replace("P 42/m n m", "F m -3 m"))
    assert row.warnings == ("its operations make P 42/m n m, its name says F m -3 m: operations taken",)
    assert one(RUTILE.replace("'-x,-y,-z'", "'-x,-y,-z+1/8'")).usable
    none = without_operations(RUTILE).replace("_space_group_name_H-M_alt 'P 42/m n m'\n", "")
    assert one(none).phase.space_group == "P 1"
    assert "no symmetry: P 1 taken" in one(none).repairs


def test_a_setting_without_a_name():
    """Pbca with its origin moved by (1/8, 0, 0): the operations are used, the name gets a star."""
    text = CIFS["perovskite"].replace("P b n m", "P b c a")
    start, stop = text.index("'x,y,z'"), text.index("loop_\n_atom_site_label")
    moved = "\n".join(
        f"'{t}'"
        for t in (
            "x,y,z",
            "-x+3/4,-y,z+1/2",
            "-x+1/4,y+1/2,-z+1/2",
            "x+1/2,-y+1/2,-z",
            "-x+1/4,-y,-z",
            "x+1/2,y,-z+1/2",
            "x,-y+1/2,z+1/2",
            "-x+3/4,y+1/2,z",
        )
    )
    row = one(text[:start] + moved + "\n" + text[stop:])
    assert row.phase.space_group == "P b c a*"
    assert row.phase.space_group_number == 61
    again = one(row.phase.to_cif())
    assert again.phase.symmetry == row.phase.symmetry


def test_displacements_of_every_kind():
    b = RUTILE.replace("U_iso_or_equiv", "B_iso_or_equiv")
    assert one(b).phase.sites[0].b_iso == 0.006
    aniso = (
        RUTILE
        + "loop_\n_atom_site_aniso_label\n"
        + "".join(f"_atom_site_aniso_B_{i}\n" for i in ("11", "22", "33", "12", "13", "23"))
    )
    row = one(aniso + "Ti 0.5 0.5 0.4 0 0 0\nO ? 1 1 0 0 0\n")
    assert row.phase.sites[0].u_aniso == pytest.approx((0.5 / 78.956835, 0.5 / 78.956835, 0.4 / 78.956835, 0, 0, 0))
    assert row.phase.sites[1].u_aniso is None
    row = one(aniso.replace("aniso_B", "aniso_U") + "Ti 0.5 0.5 -0.4 0 0 0\n")
    assert row.repairs == ("displacement tensor of Ti is not positive: the isotropic one taken",)
    assert row.phase.sites[0].u_aniso is None
    bare = cut(aniso, "_atom_site_U_iso_or_equiv\n", "Ti Ti").replace(" 0.006\n", "\n").replace(" 0.007\n", "\n")
    row = one(bare + "Ti 0.5 0.5 0.4 0 0 0\nO 0.6 0.6 0.6 0 0 0\n")
    assert row.phase.sites[0].b_iso == pytest.approx(1.4 / 3)
    negative = one(bare + "Ti 0.5 0.5 -0.4 0 0 0\n")
    assert negative.phase.sites[0].b_iso == pytest.approx(0.6 / 3)


def test_labels_without_type_symbols():
    text = "\n".join(
        line.replace("Ti Ti ", "TiM1 ").replace("O O ", "O-H2 ")
        for line in RUTILE.split("\n")
        if "type_symbol" not in line
    )
    assert one(text).phase.formula == "O2Ti"
    assert one(text.replace("TiM1", "Q1")).why == "its atom Q1 names no element"
    water = text.replace("TiM1", "Wat")
    assert one(water.replace("'Ti O2'", "'O3'")).phase.formula == "O3"
    without_label = "\n".join(
        line.replace("Ti Ti ", "Ti ").replace("O O ", "O ") for line in RUTILE.split("\n") if "site_label" not in line
    )
    assert one(without_label).phase.formula == "O2Ti"


def test_composition_and_distances_are_judged():
    row = one(RUTILE.replace("'Ti O2'", "'Ti O3'"))
    assert row.warnings == ("its atoms make O2Ti, its formula sum says O3Ti",)
    row = one(RUTILE.replace("'Ti O2'", "'C'"))
    assert "its formula sum says C" in row.warnings[0]
    row = one(RUTILE.replace("O O 0.3053 0.3053 0", "O O 0.0630 0.0630 0"))
    assert row.warnings == ("Ti and O are 0.41 angstrom from each other",)
    row = one(RUTILE.replace("O O 0.3053 0.3053 0", "O O 0.4700 0.4700 0"))
    assert row.warnings == ("copies of O are 0.39 angstrom from each other",)
    assert one(RUTILE.replace("'Ti O2'", "'H2'")).usable
    half = one(RUTILE.replace(" 1 0.00", " 0.5 0.00").replace("'Ti O2'", "'Ti0.5 O'"))
    assert (half.phase.formula, half.phase.z, half.warnings) == ("OTi0.5", 2, ())
    assert one(RUTILE.replace("'Ti O2'", "?").replace("Z 2", "Z 1")).phase.formula == "O2Ti"
    assert one(RUTILE.replace("'Ti O2'", "?").replace("Z 2", "Z 7")).phase.formula == "O2Ti"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("  \n\n", "it is empty"),
        (b"\0\1\2binary" * 50, "it is not text but binary data"),
        ("Dear colleague, here is the structure.", "it is not a CIF: it has no data_ line and no CIF tag"),
        ("<html><body>404</body></html>", "it is not a CIF"),
        ("data_x\n", "it gives no number for the cell edge a"),
        ("# nothing\n", "it has no data block"),
        ("data_x\nloop_\n_refln_index_h\n_refln_index_k\n1 2\n", "it holds reflections and no structure"),
        ("data_\n" * 2001 + "_cell_length_a 'x\n", "data blocks"),
        (RUTILE[: RUTILE.index("loop_\n_atom_site_label")], "it has no atom with coordinates"),
        (RUTILE.replace("_cell_length_a 4.5937", "_cell_length_a ?"), "it gives no number for the cell edge a"),
        (RUTILE.replace("_cell_length_a 4.5937", "_cell_length_a wide"), "cell edge a (wide)"),
        (
            RUTILE.replace("_cell_length_a 4.5937", "_cell_length_a 0"),
            "its cell edges 0, 4.5937, 2.9587 angstrom are impossible",
        ),
        (RUTILE.replace("_cell_length_a 4.5937", "_cell_length_a -4"), "are impossible"),
        (RUTILE.replace("_cell_length_a 4.5937", "_cell_length_a 1e9"), "are impossible"),
        (
            RUTILE.replace("_cell_angle_gamma 90", "_cell_angle_gamma 4.5"),
            "its cell angles 90, 90, 4.5 degrees are impossible",
        ),
        (
            RUTILE.replace("_cell_angle_gamma 90", "_cell_angle_gamma 60").replace("alpha 90", "alpha 150"),
            "has no volume",
        ),
        (RUTILE.replace("_cell_length_a 4.5937", "_cell_length_a 9"), "contradicts its symmetry P 42/m n m"),
        (RUTILE.replace("_cell_angle_gamma 90", "_cell_angle_gamma 70"), "contradicts its symmetry"),
        (RUTILE.replace("4.5937", "1.1"), "its density would be"),
        (RUTILE.replace("4.5937", "1500"), "its density would be"),
        (RUTILE.replace("fract_", "Cartn_"), "its atom loop has no fractional coordinates"),
        (RUTILE.replace("Ti Ti", "Qq Qq"), "its atom Qq names no element"),
        (
            RUTILE.replace("Ti Ti 0 0 0", "Ti Ti ? ? ?").replace("O O 0.3053 0.3053 0", "O O ? ? ?"),
            "it has no atom with coordinates",
        ),
        (
            without_operations(RUTILE).replace("P 42/m n m", "P 9 q"),
            "its space group P 9 q is not known and it lists no",
        ),
        (
            RUTILE.replace("'-x,-y,-z'", "'-x,-y,-q'").replace("P 42/m n m", "?"),
            "its symmetry operations cannot be used (-x,-y,-q)",
        ),
        (
            RUTILE.replace("'-x,-y,-z'", "'-x+1/24,-y,-z'").replace("P 42/m n m", "?"),
            "symmetry operations cannot be used (the symmetry operations make no group) and it names no space group",
        ),
        ("data_x\n_cell_length_a [1 2\nsave_\n$$$\nloop_ loop_", "it gives no number for the cell edge a"),
    ],
)
def test_refusals(text, why):
    row = one(text)
    assert not row.usable
    assert why in row.why
    assert row.do
    assert "\n" not in str(row.error)
    with pytest.raises(PhaseError):
        Phase.from_cif(text if isinstance(text, str) and "\n" in text else os.devnull)


def test_several_structures_in_one_file():
    text = "data_global\n_journal_name 'x'\n" + RUTILE + CIFS["anatase"] + CIFS["pyrite"].replace("Fe Fe 0", "Qq Qq 0")
    rows = examine_cif(("all.cif", text))
    assert [(r.id, r.usable) for r in rows] == [("all#rutile", True), ("all#anatase", True), ("all#pyrite", False)]
    assert Phase.from_cif(text).formula == "O2Ti"
    assert repaired_text(rows).count("data_") == 2
    same = examine_cif(("all.cif", RUTILE + RUTILE))
    assert [(r.id, r.usable) for r in same] == [("all#rutile", True), ("all#rutile~2", True)]


def test_encodings():
    accents = RUTILE.replace("data_rutile", "data_rutile\n_chemical_name_mineral 'Rütil ©'")
    assert one(accents).repairs == ()
    assert one(accents.encode("utf-8-sig")).repairs == ()
    assert one(accents.encode("cp1252")).repairs == ("its text is not UTF-8: read as Windows-1252",)
    assert one(accents.encode("utf-16")).repairs == ("its text is UTF-16: read as that",)
    assert one(RUTILE.replace("\n", "\r\n")).repairs == ()
    assert one(RUTILE.replace("\n", "\r")).usable
    assert one(RUTILE.replace(" ", "\t")).usable
    assert one(RUTILE + "\x1a").repairs == ("control characters left out",)


def test_old_and_new_tags():
    old = RUTILE.replace("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz").replace(
        "_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M"
    )
    assert one(old).repairs == ()
    new = RUTILE
    for a, b in (
        ("_cell_", "_cell."),
        ("_atom_site_", "_atom_site."),
        ("_space_group_symop_", "_space_group_symop."),
        ("_space_group_name", "_space_group.name"),
        ("_chemical_formula_", "_chemical_formula."),
    ):
        new = new.replace(a, b)
    assert one(new).repairs == ()
    single = cut(RUTILE, "loop_\n_atom_site_label", "Ti Ti").split("Ti Ti")[0]
    single += "".join(
        f"_atom_site_{k} {v}\n" for k, v in {"label": "'Ti1'", "fract_x": 0, "fract_y": 0, "fract_z": 0}.items()
    )
    assert one(single).phase.formula == "Ti"
    with_number = without_operations(RUTILE).replace(
        "_space_group_name_H-M_alt 'P 42/m n m'", "loop_\n_space_group_IT_number\n136\n"
    )
    assert one(with_number).phase.space_group_number == 136
    one_operation = without_operations(RUTILE).replace("'P 42/m n m'", "'P 1'\n_symmetry_equiv_pos_as_xyz 'x,y,z'")
    assert one(one_operation).phase.space_group == "P 1"


def test_files_and_paths(tmp_path):
    path = tmp_path / "TiO2.cif"
    path.write_text(RUTILE)
    phase = Phase.from_cif(path)
    assert (phase.id, phase.source.file) == ("TiO2", str(path))
    assert Phase.from_cif(str(path), id="other").id == "other"
    assert Phase.from_cif(RUTILE).id == "structure"
    (missing,) = examine_cif(tmp_path / "no.cif")
    assert missing.why == "No such file or directory"
    (folder,) = examine_cif(tmp_path)
    assert "directory" in folder.why
    with pytest.raises(PhaseError, match="No such file"):
        Phase.from_cif(tmp_path / "no.cif")
    (large,) = examine_cif(("big.cif", b"#" * (65 << 20)))
    assert "at most 67108864 are read" in large.why
    sparse = tmp_path / "sparse.cif"
    with sparse.open("wb") as stream:
        stream.truncate(65 << 20)
    assert "at most 67108864 are read" in examine_cif(sparse)[0].why
    assert phase_id("x/y.CIF.xz") == "y"


def test_ten_megabytes_of_garbage_and_deep_nesting_end_soon():
    rng = __import__("random").Random(1)
    start = time.perf_counter()
    noise = rng.randbytes(10 << 20).replace(b"\0", b" ")
    assert not one(noise).usable
    assert not one(b"data_x\nloop_\n_atom_site_label\n" + b"'a " * (3 << 20)).usable
    assert not one("data_x\n" + "save_a\n" * 200_000).usable
    assert not one("data_x\n" + "[" * 500_000 + "\n_cell_length_a 'x").usable
    assert not one("data_x\n_chemical_formula_sum '" + "(" * 100_000 + "'\n").usable
    atoms = "".join(f"C{i} C 0.{i:06d} 0 0 1 0.01\n" for i in range(50_001))
    row = one(RUTILE.replace("Ti Ti 0 0 0 1 0.006\n", atoms))
    assert "at most 50000 are read" in row.why
    assert time.perf_counter() - start < 60


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_damage_never_raises(data):
    """Whatever is cut, doubled or changed: a row, never an exception."""
    text = data.draw(st.sampled_from([RUTILE, CIFS["quartz"], CIFS["magnetite"]]))
    for _ in range(data.draw(st.integers(1, 4))):
        a = data.draw(st.integers(0, len(text) - 1))
        b = min(len(text), a + data.draw(st.integers(0, 40)))
        text = (
            text[:a]
            + data.draw(
                st.sampled_from(["", text[a:b] * 2, "'", "\n;\n", "?", "loop_\n", "9e99", "_x ", "data_", "\0", "-"])
            )
            + text[b:]
        )
        if not text:
            break
    for row in examine_cif(("a.cif", text)):
        assert row.usable == (row.why is None)
        if row.phase is not None:
            row.phase.reflections(2.0, limit=100_000)


def test_the_form_factor_switch_of_gemmi_is_left_as_it_was():
    code = (
        "import gemmi; from peakwise.crystal import Phase; from crystal.structures import CIFS;"
        "Phase.from_cif(CIFS['magnetite']); print(gemmi.IT92_get_ignore_charge())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.strip() == "True"


@pytest.mark.parametrize(
    ("given", "z", "formula"),
    [("'Ti2 O4'", 1, "O2Ti"), ("'Ti2 O4'", 2, "O2Ti"), ("'Ti O2'", 2, "O2Ti")],
)
def test_what_the_cell_holds_is_no_formula(given, z, formula):
    """Many programs write the content of the cell as the formula sum: titania is O2Ti all the same."""
    phase = one(RUTILE.replace("'Ti O2'", given).replace("Z 2", f"Z {z}")).phase
    assert (phase.formula, phase.z) == (formula, 2)


def test_a_space_group_has_one_symbol_whatever_the_setting():
    atoms = [("Fe", (0.1, 0.2, 0.3))]
    for name, cell in (("Pnma", (5, 6, 7)), ("Pbnm", (7, 5, 6)), ("P 1 21/n 1", (5, 6, 7))):
        phase = Phase.from_parameters("x", name, (*cell, 90, 90, 90), atoms)
        assert phase.space_group_type == ("P21/c" if "21/n" in name else "Pnma")
    corundum = Phase.from_parameters("x", "R-3c:H", (4.76, 4.76, 13, 90, 90, 120), atoms)
    assert corundum.space_group_type == "R-3c"
