"""The study as a shell sees it, in its quick form and with hardly any training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from peakwise.cli.study import study
from peakwise.studies import STUDIES


def run(*words):
    return CliRunner().invoke(study, list(words), env={"PEAKWISE_DATA": None})


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return folder, run("mof", "--quick", "--minutes", "0.02", "--json", "--threads", "1", "-o", str(folder / "out"))


def test_the_document_is_that_of_the_contract(quick):
    folder, done = quick
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["command"] == "study"
    assert document["study"]["doi"] == STUDIES["mof"].doi
    for table in document["tables"]:
        assert set(table) == {"title", "columns", "rows", "published"}
        assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert [p.rsplit("/", 1)[-1] for p in document["figures"]] == [
        "mof_patterns.png", "mof_accuracy.png", "mof_sizes.png",
    ]  # fmt: skip
    for path in document["figures"]:
        assert str(folder) in path
        assert Path(path).read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert any("the noise is simulated (Poisson) and not measured" in w for w in document["warnings"])


def test_the_published_numbers_stand_beside(quick):
    first, second, sizes = json.loads(quick[1].stdout)["tables"]
    assert first["published"][0][:6] == ["CNN", 0.567, 0.767, 0.9, 0.933, 0.967]
    assert len(first["published"]) == 6  # and five classical models, all below one half
    assert {cell for row in first["published"][1:] for cell in row[1:6]} == {"< 0.5"}
    assert second["columns"][-1] == "top-1, a twin counts"
    assert sizes["columns"] == ["model", "12", "24"]


def test_shares_rise_from_top_1_to_top_5_and_the_search_match_finds_them(quick):
    first, second, _ = json.loads(quick[1].stdout)["tables"]
    names = [row[0] for row in first["rows"]]
    assert names == [row[0] for row in second["rows"]]
    assert len(names) == 9
    for row in [*first["rows"], *second["rows"]]:
        assert row[1:6] == sorted(row[1:6])
        assert 0 <= row[1] <= row[5] <= 1
    # Textbook phases with a little strain: what has no need to learn must find nearly all of them.
    assert second["rows"][-1][1] > 0.8


def test_studies_are_listed_and_unknown_ones_refused():
    assert json.loads(run("--json").stdout)["studies"][0]["name"] == "mof"
    assert "mof" in run().stdout
    done = run("everything")
    assert done.exit_code != 0
    assert "there are mof" in str(done.exception)


def test_the_full_study_asks_for_its_structures(tmp_path):
    done = run("mof", "-o", str(tmp_path / "out"))
    assert "Set PEAKWISE_DATA (or --data) to the folder that holds cif_library, or use --quick" in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_each_study_says_where_it_was_published():
    for name, one in STUDIES.items():
        assert one.name == name
        assert one.doi.startswith("10.")
        assert one.citation
        assert one.title
