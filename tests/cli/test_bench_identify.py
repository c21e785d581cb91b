"""The bench of `identify` on a tiny simulated set, and its counting against counts by hand."""

import json

import numpy as np
import pytest

from peakwise.cli import _bench_identify as bench
from peakwise.cli import main
from peakwise.cli._bench_identify_data import Case, kind, measured
from peakwise.cli._bench_identify_others import least_squares
from peakwise.cli._output import Output
from peakwise.crystal import TEXTBOOK, PhaseLibrary, textbook_cif
from peakwise.io import write
from peakwise.matching import prepare
from peakwise.patterns import Patterns
from peakwise.simulate import Simulator

KEYS = {"what", "case", "ours", "other", "other_name", "unit", "ratio"}


def test_without_data_stand_ins_are_made_and_said_to_be(capsys, monkeypatch):
    monkeypatch.delenv("PEAKWISE_DATA", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["bench", "identify", "--quick", "--threads", "1", "--json"])
    out, _ = capsys.readouterr()
    assert ended.value.code == 0
    document = json.loads(out)
    assert any("simulated scans of textbook structures stand in" in w for w in document["warnings"])
    rows = document["rows"]
    assert all(set(r) >= KEYS for r in rows)
    what = {r["what"] for r in rows}
    assert what >= {
        "simulated top-1", "simulated top-5", "simulated time", "simulated mixtures set F1", "simulated none of these",
        "simulated mixtures fractions", "time: first answer", "time: warm answer",
    }  # fmt: skip
    assert next(r["ours"] for r in rows if r["what"] == "simulated top-1") > 0.6


def case_of(truth):
    library = PhaseLibrary([TEXTBOOK["Si"], TEXTBOOK["NaCl"], TEXTBOOK["MgO"]])
    named = [{frozenset({kind(library[p])}): w for p, w in one.items()} for one in truth]
    return Case("by hand", library, [], named, [True] * len(truth), [""] * len(truth))


def test_ranks_count_what_has_the_same_formula_and_space_group():
    case = case_of([{"NaCl": 1.0}, {"Si": 1.0}, {"MgO": 1.0}])
    kinds = [kind(TEXTBOOK[n]) for n in ("Si", "MgO", "NaCl", "NaCl")]
    orders = [[0, 3, 2], [0, 1], [2, 3]]
    assert bench._ranks(case, kinds, orders).tolist() == [2.0, 1.0, np.inf]


def test_sets_and_fractions_are_counted_as_by_hand():
    case = case_of([{"Si": 0.5, "NaCl": 0.5}, {"MgO": 1.0}])
    silicon, salt, magnesia = (kind(TEXTBOOK[n]) for n in ("Si", "NaCl", "MgO"))
    f1, mae, n = bench._scores(case, [[(silicon, 0.3), (silicon, 0.3), (magnesia, 0.4)], [(salt, 1.0)]])
    # Found: Si. Extra: MgO, NaCl. Missed: NaCl, MgO. Errors: 0.1, 0.5, 1.
    assert f1 == pytest.approx(2 / (2 + 2 + 2))
    assert mae == pytest.approx((0.1 + 0.5 + 1.0) / 3)
    assert n == 2


def test_rates_carry_wilson_intervals():
    row = bench._rate("x", "all", np.array([True] * 9 + [False]), np.array([True] * 5 + [False] * 5), "other")
    assert (row["ours"], row["other"], row["ratio"], row["n"]) == (0.9, 0.5, pytest.approx(1.8), 10)
    assert row["interval"] == pytest.approx([0.5958, 0.9821], abs=1e-4)  # Wilson's formula for 9 of 10


def test_least_squares_finds_what_was_added_up():
    phases = [TEXTBOOK[n] for n in ("Si", "NaCl", "MgO", "CeO2")]
    ideal = Simulator(phases, (20, 80, 3001), radiation="CuKa").ideal().intensity
    sum_of_two = 0.6 * ideal[1] + 0.4 * ideal[2]
    scan = prepare(Patterns(np.linspace(20, 80, 3001), sum_of_two[None], "two_theta", wavelength="CuKa"))
    (found,) = least_squares(phases, [scan], np.ones((1, 4)))
    assert set(found) == {1, 2}
    assert found[1] == pytest.approx(0.6, abs=0.05)


def test_folders_of_measured_scans_become_cases(tmp_path):
    """The layout of the folders, made small: two minerals, one of them doubtful, and a weighed mixture."""
    minerals, weighed = tmp_path / "rruff_minerals_cif", tmp_path / "alab_precursor_mixtures"
    for folder, names in ((minerals, ("Si", "NaCl")), (weighed, ("MgO__book", "NiO__book"))):
        (folder / "cifs").mkdir(parents=True)
        for name in names:
            (folder / "cifs" / f"{name}.cif").write_text(textbook_cif(name.partition("_")[0]))
    scan = Simulator(TEXTBOOK["Si"], (20, 60, 500), radiation="CuKa").draw(1)
    for folder in (minerals, weighed):
        write(scan, folder / "one.xy")
    head = "file,phases,weights,wavelength_A,notes,cif\n"
    (minerals / "manifest.csv").write_text(
        head
        + "one.xy,Si,,1.5418,,cifs/Si.cif\none.xy,NaCl,,1.5418,doubtful,cifs/NaCl.cif\none.xy,?,,1.5418,,cifs/no.cif\n"
    )
    (weighed / "manifest.csv").write_text(head + "one.xy,MgO;NiO,0.25;0.75,1.540598;1.544426,,\n")
    out = Output("bench", as_json=True, quiet=True, threads=1)
    single, mixed = measured(out, tmp_path, quick=False)
    assert (single.name, len(single.library), single.is_clean, single.own) == (
        "rruff",
        2,
        [True, False],
        ["Si", "NaCl"],
    )
    assert single.truth[0] == {frozenset({kind(TEXTBOOK["Si"])}): 1.0}
    assert single.is_single
    assert mixed.truth == [{frozenset({kind(TEXTBOOK["MgO"])}): 0.25, frozenset({kind(TEXTBOOK["NiO"])}): 0.75}]
    assert set(mixed.library.ids) == {"MgO__book", "NiO__book", "Si", "NaCl"}
    assert not mixed.is_single
