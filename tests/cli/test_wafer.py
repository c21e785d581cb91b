"""``peakwise wafer`` as a shell sees it: a made library of two phases, whose cells grow with the composition."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from peakwise.cli import main
from peakwise.errors import OptionError
from peakwise.report import wafer_html
from peakwise.report._wafer import check_wafer

Q = np.linspace(1.5, 4.0, 901)
SHARES = np.linspace(0.0, 0.9, 16)


def lines(cell, numbers):
    return sum(np.exp(-(((Q - 2 * np.pi * np.sqrt(n) / cell) / 0.012) ** 2)) for n in numbers)


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(["wafer", *map(str, words)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def ask(capsys, *words):
    code, out, err = run(capsys, *words, "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Sixteen scans on a background, of one phase up to a share of 0.45 and of another from there; and their table."""
    root, rng = tmp_path_factory.mktemp("library"), np.random.default_rng(0)
    (root / "scans").mkdir()
    rows = ["scan,x,y,Fe,Pd,Ga,annealed"]
    for i, share in enumerate(SHARES):
        pattern = lines(3.90 + 0.05 * share, (1, 2, 4) if share < 0.45 else (3, 5))
        counts = rng.poisson(500 * pattern + 60 + 20 * Q)
        np.savetxt(root / "scans" / f"s{i}.xy", np.c_[Q, counts], fmt="%.6f")
        rows.append(f"s{i},{i % 4},{i // 4},{100 - 100 * share:.2f},{60 * share:.2f},{40 * share:.2f},{300 + i}")
    (root / "table.csv").write_text("\n".join(rows) + "\n")
    return root


def words(library, *more):
    return (library / "scans", "--table", library / "table.csv", "--axis", "q", *more)


@pytest.mark.parametrize("method", ["agglomerative", "spectral", "factors"])
def test_regions_are_the_phases(capsys, library, method):
    document = ask(capsys, *words(library, "--method", method, "--k", "2"))
    assert check_wafer(document) is document
    found = {row["pattern"]: row["cluster"] for row in document["patterns"]}
    assert [found[f"s{i}"] for i in range(16)] == [0] * 8 + [1] * 8
    assert (document["k"], document["method"], document["failed"]) == (2, method, [])
    first = document["patterns"][1]
    assert first["position"] == [1, 0]
    assert first["composition"] == pytest.approx({"Fe": 0.94, "Pd": 0.036, "Ga": 0.024}, abs=1e-6)
    assert all(0 <= row["score"] < 0.2 for row in document["patterns"])
    if method == "factors":
        assert max(row["shares"][1] for row in document["patterns"][:8]) < 0.1


def test_the_number_of_regions_is_found(capsys, library):
    document = ask(capsys, *words(library))
    assert document["k"] == 2
    assert document["silhouette"] > 0.5
    assert [example in (f"s{i}" for i in part) for example, part in
            zip(document["examples"], (range(8), range(8, 16)), strict=True)] == [True, True]  # fmt: skip


def test_where_to_measure_next(capsys, library, tmp_path):
    """By a score that rises with x: places far to the right, and none that was measured."""
    document = ask(capsys, *words(library, "--score", "x", "--strategy", "novelty", "--suggest", "3"))
    places = document["suggestions"]
    assert len(places) == 3
    assert all(place["where"]["x"] > 2 for place in places)
    assert not any(place["where"] == {"x": x, "y": y} for place in places for x in range(4) for y in range(4))
    assert document["score"] == "x"
    (tmp_path / "can.csv").write_text("x,y\n0.5,0.5\n2.5,2.5\n")
    told = ask(capsys, *words(library, "--score", "x", "--strategy", "novelty", "--candidates", tmp_path / "can.csv"))
    assert [row["where"] for row in told["suggestions"]] == [{"x": 2.5, "y": 2.5}, {"x": 0.5, "y": 0.5}]
    assert "2 that are not measured" in told["warnings"][-1]
    assert ask(capsys, *words(library, "--suggest", "0"))["suggestions"] == []


def test_report_and_table(capsys, library, tmp_path):
    page, table = tmp_path / "w.html", tmp_path / "w.csv"
    document = ask(capsys, *words(library, "--report", page, "--csv", table, "--mixing", "Pd"))
    assert (document["report"], document["csv"]) == (str(page), str(table))
    text = page.read_text(encoding="utf-8")
    assert "2 groups of 8 and 8 patterns, well apart" in text
    for title in ("Map by place in the sample and composition", "Scores by region", "Score against mixing ratio"):
        assert title in text
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["cluster"] for row in rows] == ["0"] * 8 + ["1"] * 8
    assert float(rows[1]["Fe"]) == pytest.approx(0.94)


def test_a_model_of_novelty_scores_the_library(capsys, library, tmp_path):
    known = [library / "scans" / f"s{i}.xy" for i in range(8)]
    with pytest.raises(SystemExit) as ended:
        main(["train", "novelty", *map(str, known), "--axis", "q", "-o", str(tmp_path / "m.pw")])
    capsys.readouterr()
    assert ended.value.code == 0
    document = ask(capsys, *words(library, "--model", tmp_path / "m.pw"))
    scores = [row["score"] for row in document["patterns"]]
    assert document["score"] == "novelty"
    assert max(scores[:8]) < min(scores[8:])


def test_people_get_a_sentence_and_tables(capsys, library):
    code, out, _ = run(capsys, *words(library))
    assert code == 0
    assert out.startswith("2 groups of 8 and 8 patterns, well apart")
    assert "Measure next (exploration)" in out


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("--method", "magic"), 2, "'magic' is not one of factors, agglomerative, spectral"),
        (("--strategy", "luck"), 2, "'luck' is not one of novelty, uncertainty, exploration"),
        (("--model", "m.pw", "--score", "x"), 2, "not both"),
        (("--k", "none"), 1, "--k must be auto or a whole number"),
        (("--score", "colour"), 1, "--score must name a column of numbers"),
        (("--model", "no.pw"), 1, "no.pw"),
        (("--candidates", "no.csv"), 1, "no.csv"),
    ],
)
def test_what_cannot_be(capsys, library, more, code, told):
    got, out, err = run(capsys, *words(library, *more))
    assert (got, out) == (code, "")
    assert told in err
    assert code == 2 or len([line for line in err.splitlines() if "peakwise: error:" in line]) == 1


def test_a_scan_without_a_row_is_named(capsys, library, tmp_path):
    (tmp_path / "t.csv").write_text("scan,x,y\n" + "".join(f"s{i},{i},0\n" for i in range(15)))
    code, _, err = run(capsys, library / "scans", "--table", tmp_path / "t.csv", "--axis", "q")
    assert code == 1
    assert "s15" in err
    assert run(capsys, library / "scans")[0] == 2


def test_documents_are_checked():
    with pytest.raises(OptionError, match="command must be 'wafer'"):
        wafer_html({"command": "cluster", "patterns": []})
    page = wafer_html({"command": "wafer", "patterns": [{"pattern": "<a>", "cluster": 0}]})
    assert "<a>" not in page
    assert "holds no map" in page
