"""``peakwise identify`` as a shell sees it: its JSON, its report, its cache, and every way to ask it in vain."""

import csv
import json

import numpy as np
import pytest

from peakwise.cli import main
from peakwise.crystal import TEXTBOOK, textbook_cif
from peakwise.io import write
from peakwise.patterns import Patterns
from peakwise.simulate import SLOT, Ranges, Simulator

NAMES = ("Si", "NaCl", "MgO", "CeO2", "TiO2-rutile", "TiO2-anatase", "CaCO3-calcite", "SiO2-quartz")
GRID = (15, 85, 3501)
CALM = Ranges(impurity=None, spike=None, film=None, expansion=(-0.002, 0.002), distortion=None, shear=None)


@pytest.fixture(scope="module")
def cifs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifs")
    for name in NAMES:
        (folder / f"{name}.cif").write_text(textbook_cif(name))
    return folder


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """One scan of a known phase, one of a mixture, one of a phase that is no CIF."""
    folder = tmp_path_factory.mktemp("scans")
    options = {"radiation": "CuKa", "ranges": CALM, "random_state": 3, "threads": 1}
    write(Simulator(TEXTBOOK["NaCl"], GRID, **options).draw(1), folder / "salt.xy")
    both = Simulator([TEXTBOOK["CeO2"], TEXTBOOK["SiO2-quartz"]], GRID, **options)
    tables = both.draw_tables(40, mixtures=2)
    pair = int(np.argmax(tables.slots[:, :, SLOT["weight"]].min(axis=1)))
    drawn = both.draw(40, mixtures=2)
    write(drawn[pair], folder / "pair.xy")
    (folder / "pair.txt").write_text(f"{drawn.meta['phases'][pair]}|{drawn.meta['weight_fractions'][pair]}")
    write(Simulator(TEXTBOOK["albite"], GRID, **options).draw(1), folder / "stranger.xy")
    return folder


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(["identify", *map(str, words)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def ask(capsys, *words):
    code, out, err = run(capsys, *words, "--wavelength", "CuKa", "--effort", "quick", "--threads", "1", "--json")
    assert code == 0, err
    assert "Traceback" not in err
    return json.loads(out)


def test_the_answer_is_what_the_contract_says(capsys, cifs, scans):
    document = ask(capsys, scans / "salt.xy", "--phases", cifs, "--top", "3")
    assert {"peakwise", "command", "failed", "warnings", "seconds", "scans"} <= set(document)
    (scan,) = document["scans"]
    assert scan["scan"] == str(scans / "salt.xy")
    (found,) = scan["phases"]
    assert (found["phase"], found["formula"], found["space_group"]) == ("NaCl", "ClNa", "Fm-3m")
    assert found["weight_fraction"] == pytest.approx(1)
    assert found["probability"] > 0.8
    assert found["cell"][0] == pytest.approx(TEXTBOOK["NaCl"].cell[0], rel=4e-3)
    chances = [c["probability"] for c in scan["candidates"]]
    assert len(chances) == 3
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) + scan["none_of_these"] == pytest.approx(1, abs=0.02)
    assert 0 < scan["fit"]["rwp"] < 0.5
    assert isinstance(scan["fit"]["unexplained"], list)


def test_a_mixture_by_weight(capsys, cifs, scans):
    ids, weights = (text.split(";") for text in (scans / "pair.txt").read_text().split("|"))
    truth = dict(zip(ids, map(float, weights), strict=True))
    (scan,) = ask(capsys, scans / "pair.xy", "--phases", cifs)["scans"]
    got = {p["phase"]: p for p in scan["phases"]}
    assert set(got) == set(truth)
    for name, part in got.items():
        assert part["weight_fraction"] == pytest.approx(truth[name], abs=0.12)
        assert 0 < part["weight_fraction_error"] < 0.2
    assert sum(p["weight_fraction"] for p in got.values()) == pytest.approx(1, abs=1e-3)
    (one,) = ask(capsys, scans / "pair.xy", "--phases", cifs, "--max-phases", "1")["scans"]
    assert len(one["phases"]) <= 1


def test_none_of_these(capsys, cifs, scans):
    (scan,) = ask(capsys, scans / "stranger.xy", "--phases", cifs)["scans"]
    assert scan["phases"] == []
    assert scan["none_of_these"] > 0.5
    assert any("none of these" in w for w in scan["warnings"])
    assert scan["fit"]["unexplained"], "the peaks of a stranger are unexplained"


def test_chemistry_keeps_and_excludes(capsys, cifs, scans):
    document = ask(capsys, scans / "salt.xy", "--phases", cifs, "--without", "Na")
    assert all("Na" not in c["formula"] for c in document["scans"][0]["candidates"])
    document = ask(capsys, scans / "salt.xy", "--phases", cifs, "--elements", "Ti,O")
    assert {c["formula"] for c in document["scans"][0]["candidates"]} == {"O2Ti"}


def test_report_and_table_are_written(capsys, cifs, scans, tmp_path):
    page, table = tmp_path / "answer.html", tmp_path / "answer.csv"
    document = ask(capsys, scans / "salt.xy", scans / "pair.xy", "--phases", cifs, "--report", page, "--csv", table)
    assert document["report"] == str(page)
    assert "curves" not in document["scans"][0], "a report does not swell the JSON"
    text = page.read_text(encoding="utf-8")
    assert text.lstrip().lower().startswith("<!doctype html")
    assert "NaCl" in text
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["answer.csv", "answer.html"]
    assert {r["phase"] for r in rows} >= {"NaCl"}


def test_people_get_a_table_and_where_the_report_is(capsys, cifs, scans, tmp_path):
    page = tmp_path / "answer.html"
    words = (scans / "salt.xy", "--phases", cifs, "--effort", "quick", "--wavelength", "CuKa", "--report", page)
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "NaCl 100 wt%" in out
    assert out.rstrip().endswith(str(page))


def test_what_was_learned_is_kept(capsys, cifs, scans, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setenv("PEAKWISE_CACHE", str(tmp_path))
    monkeypatch.setattr("peakwise.cli._identifier._LEAST_SECONDS", 0.5)
    monkeypatch.setattr("peakwise.cli._identifier._SECONDS_PER_PHASE", 0.01)
    words = (scans / "salt.xy", "--phases", cifs, "--wavelength", "CuKa", "--threads", "1", "--json")
    code, first, told = run(capsys, *words)
    assert code == 0
    assert "training" in told
    code, again, told = run(capsys, *words)
    assert code == 0
    assert "training" not in told
    assert json.loads(first)["scans"] == json.loads(again)["scans"]
    for path in (tmp_path / "models").iterdir():
        path.write_bytes(path.read_bytes()[:-7])  # damaged: said, and made again
    code, last, told = run(capsys, *words)
    assert code == 0
    assert "training" in told
    assert any("made again" in w for w in json.loads(last)["warnings"])


def flat(folder):
    path = folder / "flat.xy"
    write(Patterns(np.linspace(10, 80, 900), np.full(900, 7.0), wavelength="CuKa", unit="counts"), path)
    return path


def test_one_bad_scan_does_not_stop_the_rest(capsys, cifs, scans, tmp_path):
    document = ask(capsys, flat(tmp_path), scans / "salt.xy", "--phases", cifs)
    assert [s["phases"][0]["phase"] for s in document["scans"]] == ["NaCl"]
    (left,) = document["failed"]
    assert left["file"].endswith("flat.xy")
    assert "same intensity" in left["why"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--phases", "{cifs}", "--model", "x.pw"), 2, "not both"),
        ((), 2, "--phases"),
        (("--phases", "{empty}"), 1, "holds no .cif file"),
        (("--model", "{scan}"), 1, "model"),
        (("--phases", "{cifs}", "--elements", "Xx"), 1, "symbols such as Ti,O"),
        (("--phases", "{cifs}", "--elements", "Au"), 1, "Au"),
        (("--phases", "{cifs}", "--max-phases", "99"), 2, "99"),
    ],
)
def test_every_error_is_one_line(capsys, cifs, scans, tmp_path, words, code, told):
    places = {"cifs": cifs, "empty": tmp_path, "scan": scans / "salt.xy"}
    given = [w.format(**places) for w in words]
    ended, out, err = run(capsys, scans / "salt.xy", *given, "--wavelength", "CuKa", "--effort", "quick")
    assert ended == code
    assert out == ""
    assert told in err
    assert "Traceback" not in err
    if code == 1:
        assert len(err.strip().splitlines()) == 1
        assert err.startswith("peakwise: error: ")


def test_scans_that_say_nothing_are_refused(capsys, cifs, tmp_path):
    code, out, err = run(capsys, flat(tmp_path), "--phases", cifs, "--effort", "quick")
    assert (code, out) == (1, "")
    assert "same intensity" in err
