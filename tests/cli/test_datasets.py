"""``peakwise datasets``."""

from __future__ import annotations

import json

import pytest

import peakwise as pw
from peakwise.cli import main
from peakwise.datasets import DATASETS


@pytest.fixture
def run(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("PEAKWISE_CACHE", str(tmp_path / "cache"))

    def call(*words):
        with pytest.raises(SystemExit) as end:
            main(["datasets", *map(str, words)])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return call


def test_the_list(run):
    code, out, err = run("--json")
    rows = json.loads(out)["datasets"]
    assert (code, err) == (0, "")
    assert [r["dataset"] for r in rows] == list(DATASETS)
    assert all(
        {"kind", "title", "what", "licence", "citation", "url", "doi", "files", "cached"} <= set(r) for r in rows
    )
    assert "zenodo-4424866" in run()[1]


def test_make(run, tmp_path):
    target = tmp_path / "D1.nc"
    code, out, _ = run("make", "hed-suite", "--series", "D1", "-o", target, "--seed", "3", "--json")
    document = json.loads(out)
    assert (code, document["patterns"], document["points"], document["wavelength"]) == (0, 60, 4000, 0.4828)
    read = pw.read(target)
    made = DATASETS["hed-suite"].read(series="D1", random_state=3)
    assert (read.intensity == made.intensity).all()
    assert read.meta["label"].tolist() == made.meta["label"].tolist()
    assert read.names[0] == "D1-000"
    code, out, _ = run("make", "hed-suite", "--series", "D1", "--series", "D3", "-o", target)
    assert code == 0
    assert "130" in out


def test_fetch_tells_what_it_was_checked_against(run, tmp_path):
    folder = tmp_path / "cache" / "datasets" / "zenodo-4424866"
    folder.mkdir(parents=True)
    (folder / DATASETS["zenodo-4424866"].files[0].name).write_bytes(b"put here by hand")
    code, out, _ = run("fetch", "zenodo-4424866", "--json")
    document = json.loads(out)
    assert code == 0
    assert (document["files"][0]["checked"], document["files"][0]["bytes"]) == ("by hand", 16)
    assert "nobody states a checksum" in document["warnings"][0]
    assert "yes" in run()[1]


def test_make_from_a_folder_of_ones_own(run, tmp_path):
    for k in (1, 2):
        (tmp_path / f"f_{k}.xy").write_text("".join(f"{5 + i / 10} {i + k}\n" for i in range(20)))
    code, out, _ = run("make", "zenodo-4424866", "--source", tmp_path, "-o", tmp_path / "o.nc", "--json")
    assert (code, json.loads(out)["patterns"]) == (0, 2)


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("fetch",), 2, "Missing argument 'NAME'"),
        (("make", "hed-suite"), 2, "Missing option '-o'"),
        (("steal", "x"), 2, "Invalid value"),
        (("make", "nothing", "-o", "x.nc"), 1, "peakwise: error: unknown data set"),
        (("make", "hed-suite", "--series", "D77", "-o", "x.nc"), 1, "got D77"),
        (("make", "hed-suite", "--source", "x", "-o", "x.nc"), 1, "got 'source'"),
        (("fetch", "hed-suite"), 1, "nothing to fetch"),
        (("fetch", "mdf-tac2-v14v"), 1, "To do it by hand"),
    ],
)
def test_errors(run, words, code, why):
    got, out, err = run(*words)
    assert (got, out) == (code, "")
    assert why in err
