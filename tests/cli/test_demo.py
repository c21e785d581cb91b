"""Scans and phases that come with the program: `demo` and `textbook` on a command line."""

import json

import pytest

from peakwise.cli import main
from peakwise.cli._output import Output
from peakwise.cli._phases import load_library
from peakwise.cli._scans import read_scans
from peakwise.crystal import TEXTBOOK, textbook_cif


@pytest.fixture
def out():
    return Output("identify", as_json=True, quiet=True, threads=1)


def test_demo_stands_for_the_scans_of_the_package(out, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files, patterns = read_scans(out, ["demo"], None, None, None)
    assert files[0] == "demo/quartz"
    assert len(files) == len(patterns) == 8
    assert all(len(p) == 1 for p in patterns)


def test_a_file_called_demo_is_a_file(out, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").write_text("# wavelength = 1.5\n" + "".join(f"{10 + i / 10:.1f} {i % 7}\n" for i in range(100)))
    files, patterns = read_scans(out, ["demo"], None, None, None)
    assert files == ["demo"]
    assert patterns[0].n_points == 100


def test_textbook_stands_for_the_embedded_structures_alone_or_with_others(out, tmp_path):
    assert load_library(out, ["textbook"]).ids == tuple(TEXTBOOK)
    (tmp_path / "mine.cif").write_text(textbook_cif("Si").replace("data_Si", "data_mine"))
    both = load_library(out, [str(tmp_path), "textbook"])
    assert len(both) == len(TEXTBOOK) + 1
    assert "mine" in both


def test_identify_answers_for_them(capsys, tmp_path):
    for name in ("CeO2", "Si", "NaCl"):
        (tmp_path / f"{name}.cif").write_text(textbook_cif(name))
    words = ["identify", "demo", "--phases", str(tmp_path), "--effort", "quick", "--max-phases", "1", "--threads", "1"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    scans = {s["scan"]: s for s in json.loads(capsys.readouterr().out)["scans"]}
    assert ended.value.code == 0
    assert scans["demo/ceria"]["candidates"][0]["phase"] == "CeO2"
    absent = scans["demo/not-in-the-library"]
    assert absent["none_of_these"] > scans["demo/ceria"]["none_of_these"]
