"""``peakwise cluster`` as a shell sees it."""

import csv
import json

import numpy as np
import pytest

from peakwise.cli import main
from peakwise.io import write
from peakwise.patterns import Patterns

X = np.linspace(10, 50, 400)
PLACES = ((15, 25), (18, 41), (30, 35))


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(["cluster", *map(str, words)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def ask(capsys, *words):
    code, out, err = run(capsys, *words, "--threads", "1", "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """Three kinds of patterns in no order, and which is which."""
    which = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], (10, 14, 8)))
    lines = np.array([sum(500 * np.exp(-(((X - p) / 0.3) ** 2)) for p in places) + 20 for places in PLACES])
    counts = np.random.default_rng(1).poisson(lines[which])
    path = tmp_path_factory.mktemp("mixed") / "map.nc"
    write(Patterns(X, counts, "q", names=[f"=spot{i}" for i in range(len(which))], unit="counts"), path)
    return path, which


@pytest.mark.parametrize("words", [(), ("--k", "3"), ("--method", "kmeans"), ("--method", "agglomerative")])
def test_like_are_found_together(capsys, mixed, words):
    path, which = mixed
    document = ask(capsys, path, *words)
    assert {"peakwise", "command", "failed", "warnings", "seconds"} <= set(document)
    assert document["k"] == 3
    assert document["silhouette"] > 0.8
    assert document["method"] == (words[1] if "--method" in words else "spectral")
    groups = np.array([p["cluster"] for p in document["patterns"]])
    assert [p["pattern"] for p in document["patterns"]] == [f"=spot{i}" for i in range(len(which))]
    pairs = set(zip(groups.tolist(), which.tolist(), strict=True))
    assert len(pairs) == 3, "a group is one kind, and a kind is one group"
    assert list(dict.fromkeys(groups.tolist())) == [0, 1, 2], "numbered as they come first"


def test_report_table_and_words(capsys, mixed, tmp_path):
    page, made = tmp_path / "groups.html", tmp_path / "groups.csv"
    code, out, _ = run(capsys, mixed[0], "--report", page, "--csv", made)
    assert code == 0
    assert out.startswith("3 groups of 14, 10 and 8 patterns, well apart")
    assert page.read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")
    rows = list(csv.DictReader(made.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 32
    assert rows[0]["pattern"] == "'=spot0", "a spreadsheet must not run it"
    assert sorted(r["cluster"] for r in rows).count("0") in (8, 10, 14)


def test_one_kind_is_one_group(capsys, tmp_path):
    counts = np.random.default_rng(0).poisson(50.0, (20, X.size))
    write(Patterns(X, counts, "q", unit="counts"), tmp_path / "one.nc")
    document = ask(capsys, tmp_path / "one.nc")
    assert (document["k"], document["silhouette"]) == (1, 0)
    write(Patterns(X, np.repeat(counts[:1], 5, axis=0), "q", unit="counts"), tmp_path / "same.nc")
    document = ask(capsys, tmp_path / "same.nc")
    assert document["k"] == 1
    assert any("identical" in w for w in document["warnings"])
    write(Patterns(X, counts[:1], "q", unit="counts"), tmp_path / "single.nc")
    assert ask(capsys, tmp_path / "single.nc")["k"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--k", "0"), "--k must be auto or"),
        (("--k", "many"), "--k must be auto or"),
        (("--k", "40"), "at most the number of patterns, 32"),
    ],
)
def test_what_cannot_be(capsys, mixed, words, told):
    code, out, err = run(capsys, mixed[0], *words, "--json")
    assert (code, out) == (1, "")
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_a_name_that_is_not_there_is_a_wrong_command_line(capsys, mixed):
    code, out, err = run(capsys, mixed[0], "--method", "magic")
    assert (code, out) == (2, "")
    assert "Invalid value for '--method': 'magic' is not one of spectral, kmeans, agglomerative." in err


def test_damaged_files_are_left_out(capsys, tmp_path):
    for i in range(4):
        write(Patterns(X, np.random.default_rng(i).poisson(50.0, X.size), "q", unit="counts"), tmp_path / f"{i}.xye")
    (tmp_path / "bad.xye").write_bytes(b"\x00\xff")
    document = ask(capsys, tmp_path, "--k", "2")
    assert len(document["failed"]) == 1
    assert len(document["patterns"]) == 4
