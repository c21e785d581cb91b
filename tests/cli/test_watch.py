"""``peakwise watch`` as a shell sees it."""

import json

import numpy as np
import pytest

from peakwise.cli import main
from peakwise.estimators import NoveltyDetector, TransitionDetector
from peakwise.io import write
from peakwise.patterns import Patterns, concatenate

X = np.linspace(1, 5, 300)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model of two states, and a folder with two scans of each."""
    root = tmp_path_factory.mktemp("watch")
    clean = [sum(np.exp(-(((X - a) / 0.05) ** 2)) for a in at) for at in ((2, 3.1), (2.3, 4))]
    counts = np.random.default_rng(0).poisson(300 * np.repeat(clean, 15, axis=0) + 10)
    series = Patterns(X, counts, "q", unit="counts")
    TransitionDetector(states=2).fit(series).save(root / "m.pw")
    (root / "scans").mkdir()
    for i in (0, 1, 28, 29):
        write(series[i], root / "scans" / f"s{i}.xye")
    return root


def run(capsys, *words):
    with pytest.raises(SystemExit) as end:
        main([str(w) for w in words])
    return end.value.code, *capsys.readouterr()


def test_a_folder_becomes_lines_and_a_rerun_adds_none(made, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(made)
    words = ("watch", "scans", "--model", made / "m.pw", "--once", "--axis", "q", "--out", tmp_path / "o.jsonl")
    for _ in range(2):
        code, said, _ = run(capsys, *words)
        rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
        assert (code, said) == (0, "")
        assert [(r["scan"], r["task"], r["state"]) for r in rows] == [
            ("scans/s0.xye", "transitions", 0), ("scans/s1.xye", "transitions", 0),
            ("scans/s28.xye", "transitions", 1), ("scans/s29.xye", "transitions", 1),
        ]  # fmt: skip
        assert all(0.5 < r["probability"] <= 1 and r["latency_ms"] >= 0 for r in rows)


def test_without_a_file_the_lines_are_the_output(made, capsys):
    code, said, _ = run(capsys, "watch", made / "scans", "--model", made / "m.pw", "--once", "--axis", "q")
    assert code == 0
    assert [json.loads(line)["state"] for line in said.splitlines()] == [0, 0, 1, 1]


def test_replay_tells_how_fast_it_was(made, capsys):
    words = ("watch", "--replay", made / "scans", "--rate", "100", "--axis", "q", "--model", made / "m.pw", "--json")
    code, said, _ = run(capsys, *words)
    document = json.loads(said)
    assert code == 0
    assert (document["answered"], document["dropped"]) == (4, 0)
    assert document["latency_ms"]["p99"] > 0
    assert [row["state"] for row in document["answers"]] == [0, 0, 1, 1]
    assert [row["scan"] for row in document["answers"]] == [str(made / "scans" / f"s{i}.xye") for i in (0, 1, 28, 29)]


def test_what_cannot_be_meant(made, capsys):
    assert run(capsys, "watch", "--model", made / "m.pw")[0] == 2
    code, _, said = run(capsys, "watch", made / "scans", "--model", made / "m.pw", "--effort", "quick", "--once")
    assert code == 2
    assert "--effort is for models that fit structures, this one is a TransitionDetector." in said
    code, _, said = run(capsys, "watch", made / "nowhere", "--model", made / "m.pw")
    assert code == 1
    assert "there is no such folder" in said


def test_a_scan_without_an_answer_is_told_as_in_every_document(made, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    write(Patterns(X[:40], np.ones((1, 40)), "q", unit="counts"), tmp_path / "in" / "short.xye")
    (tmp_path / "in" / "whole.xye").write_bytes((made / "scans" / "s0.xye").read_bytes())
    words = ("watch", tmp_path / "in", "--model", made / "m.pw", "--once", "--axis", "q", "--json")
    code, said, _ = run(capsys, *words)
    document = json.loads(said)
    assert (code, document["answered"]) == (0, 1)
    assert [(row["file"], "the scan covers 1 to" in row["why"]) for row in document["failed"]] == [
        (str(tmp_path / "in" / "short.xye"), True)
    ]


def test_answers_that_cannot_be_written_are_one_line_and_leave_nothing(made, tmp_path, capsys):
    words = ("watch", made / "scans", "--model", made / "m.pw", "--once", "--axis", "q", "--out")
    for target in (tmp_path / "none" / "o.jsonl", tmp_path):
        code, said, told = run(capsys, *words, target)
        assert (code, said) == (1, "")
        assert told.startswith(f"peakwise: error: cannot write the answers ({target}): ")
        assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_leaves_what_is_known_is_told(made, tmp_path, capsys):
    rng = np.random.default_rng(1)

    def frames(n, *at):
        clean = sum(300 * np.exp(-(((X - a) / 0.05) ** 2)) for a in at) + 10
        return Patterns(X, rng.poisson(np.tile(clean, (n, 1))), "q", unit="counts")

    NoveltyDetector(false_alarm=0.05).fit(frames(40, 2, 3.1)).save(tmp_path / "n.pw")
    write(concatenate([frames(10, 2, 3.1), frames(30, 2.3, 4)]), tmp_path / "run.nc")
    words = ("watch", "--replay", tmp_path / "run.nc", "--rate", "500", "--model", tmp_path / "n.pw", "--json")
    code, said, told = run(capsys, *words)
    document = json.loads(said)
    assert code == 0
    since = document["drift"]["since"]
    assert since in {row["scan"] for row in document["answers"][9:12]}
    assert [row.get("drift") for row in document["answers"]][-1] == since
    assert told.count("stranger than the known ones") == 1
    assert [w for w in document["warnings"] if w.startswith(f"from {since} on")]
    assert f"drift from {since} on" in run(capsys, *words[:-1])[2]


def test_the_effort_of_a_model_that_fits_structures_can_be_chosen(tmp_path, capsys, monkeypatch):
    from peakwise.crystal import TEXTBOOK
    from peakwise.estimators import PhaseNovelty
    from peakwise.simulate import Simulator

    PhaseNovelty(effort="thorough", threads=1).fit([TEXTBOOK["Si"], TEXTBOOK["MgO"]]).save(tmp_path / "m.pw")
    write(Simulator(TEXTBOOK["Si"], (20, 80, 1501), radiation="CuKa").draw(1), tmp_path / "si.nc")
    seen = []
    real = PhaseNovelty.answers
    monkeypatch.setattr(PhaseNovelty, "answers", lambda self, X: seen.append(self.effort) or real(self, X))
    words = ("watch", "--replay", tmp_path / "si.nc", "--model", tmp_path / "m.pw", "--json")
    for more, effort in (((), "thorough"), (("--effort", "quick"), "quick")):
        code, said, _ = run(capsys, *words, *more)
        assert code == 0
        assert json.loads(said)["answered"] == 1
        assert set(seen) == {effort}
        seen.clear()
