"""``peakwise train transitions`` as a shell sees it, and what its models answer and explain."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from peakwise.cli import main
from peakwise.io import write
from peakwise.patterns import Patterns

X = np.linspace(10, 50, 400)
N, AFTER = 24, 13
LOW, HIGH = (15, 25, 33), (17, 28, 41)


def lines(x, places):
    return 400 * sum(np.exp(-(((x - p) / 0.4) ** 2)) for p in places) + 20


def stored(path, x=X, n=N, seed=0, wavelength=0.5, kind="two_theta"):
    rows = [lines(x, LOW if i <= AFTER else HIGH) for i in range(n)]
    counts = np.random.default_rng(seed).poisson(rows)
    names = [f"p{i}" for i in range(n)]
    write(Patterns(x, counts, kind, wavelength=wavelength, names=names, unit="counts"), path)
    return path


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(w) for w in words])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def ask(capsys, *words):
    code, out, err = run(capsys, *words, "--threads", "1", "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A series and labels of six of its patterns."""
    folder = tmp_path_factory.mktemp("work")
    stored(folder / "series.nc")
    rows = "".join(f"p{i},{'low' if i <= AFTER else 'high'}\n" for i in (0, 5, 12, 14, 18, 23))
    (folder / "L.csv").write_text("pattern,label\n" + rows)
    return folder


@pytest.fixture(scope="module")
def model(work):
    words = ["train", "transitions", work / "series.nc", "--labels", work / "L.csv", "-o", work / "m.pw", "--quiet"]
    with pytest.raises(SystemExit) as ended:
        main([str(w) for w in words])
    assert ended.value.code == 0
    return work / "m.pw"


def test_a_model_is_trained_told_and_used(capsys, work, tmp_path):
    made = tmp_path / "m.pw"
    document = ask(capsys, "train", "transitions", work / "series.nc", "--labels", work / "L.csv", "-o", made)
    assert (document["command"], document["task"], document["output"]) == ("train", "transitions", str(made))
    assert (document["states"], document["method"], document["network"]) == (["low", "high"], "guided", None)
    assert (document["patterns"], document["labelled"], document["labelled_told_right"]) == (N, 6, 6)
    assert document["bytes"] == made.stat().st_size
    assert [p.name for p in tmp_path.iterdir()] == ["m.pw"]
    new = stored(tmp_path / "new.nc", seed=7)
    answer = ask(capsys, "transitions", new, "--model", made)
    assert answer["method"] == "model"
    assert [p["state"] for p in answer["patterns"]] == [int(i > AFTER) for i in range(N)]
    assert [b["after"] for b in answer["boundaries"]] == [AFTER]
    assert answer["state_names"] == ["low", "high"]


def test_states_that_were_found_can_be_learned(capsys, work, tmp_path):
    document = ask(capsys, "train", "transitions", work / "series.nc", "-o", tmp_path / "m.pw")
    assert (document["states"], document["labelled"], document["method"]) == (["0", "1"], 0, "breaks")
    answer = ask(capsys, "transitions", work / "series.nc", "--model", tmp_path / "m.pw")
    assert [b["after"] for b in answer["boundaries"]] == [AFTER]


def test_a_state_is_told_of_one_pattern_by_itself(capsys, model, tmp_path):
    write(
        Patterns(X, np.random.default_rng(9).poisson(lines(X, HIGH)), wavelength=0.5, unit="counts"), tmp_path / "a.xye"
    )
    answer = ask(capsys, "transitions", tmp_path / "a.xye", "--model", model)
    (row,) = answer["patterns"]
    assert (row["state"], answer["boundaries"]) == (1, [])
    assert row["probability"] > 0.6
    # Neighbours do not outvote a pattern: it is told by what it shows.
    odd = np.random.default_rng(2).poisson([lines(X, HIGH if i == 5 else LOW) for i in range(11)])
    write(Patterns(X, odd, wavelength=0.5, unit="counts"), tmp_path / "odd.nc")
    answer = ask(capsys, "transitions", tmp_path / "odd.nc", "--model", model)
    assert [p["state"] for p in answer["patterns"]] == [int(i == 5) for i in range(11)]


def test_scans_on_another_grid(capsys, model, tmp_path):
    finer = stored(tmp_path / "finer.nc", np.linspace(8, 52, 1000))
    answer = ask(capsys, "transitions", finer, "--model", model)
    assert any("resampled onto the grid of the model" in w for w in answer["warnings"])
    assert [b["after"] for b in answer["boundaries"]] == [AFTER]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"x": X[50:]}, "the scans cover"),
        ({"wavelength": 0.7}, "Give --wavelength 0.5"),
        ({"kind": "q"}, "--to-axis two_theta"),
    ],
)
def test_scans_outside_the_domain_are_refused(capsys, model, tmp_path, given, told):
    path = stored(tmp_path / "other.nc", **given)
    code, out, err = run(capsys, "transitions", path, "--model", model, "--json")
    assert (code, out) == (1, "")
    assert told in err
    assert "the model knows two_theta from 10 to 50" in err
    assert len(err.strip().splitlines()) == 1


def test_a_network_is_trained_used_and_explained(capsys, work, tmp_path):
    pytest.importorskip("torch")
    made = tmp_path / "n.pw"
    words = ("--labels", work / "L.csv", "-o", made, "--network", "conv_sc", "--seconds", "2")
    document = ask(capsys, "train", "transitions", work / "series.nc", *words)
    assert (document["method"], document["network"]) == ("network", "conv_sc")
    assert document["history"]["steps"] > 0
    told = json.loads(run(capsys, "models", made, "--json")[1])["models"][0]
    assert (told["task"], told["network"], told["states"]) == ("transitions", "conv_sc", ["low", "high"])
    assert told["parameters"] > 1000
    answer = ask(capsys, "transitions", work / "series.nc", "--model", made)
    assert len(answer["patterns"]) == N
    picture = tmp_path / "why.png"
    looked = ask(capsys, "explain", work / "series.nc", "--model", made, "--method", "attention", "-o", picture)
    assert {"spatial", "channel"} <= set(looked["attention"])
    assert sum(looked["attention"]["channel"]["received"]) == pytest.approx(8, rel=1e-3)
    assert picture.read_bytes().startswith(b"\x89PNG")
    for method in ("gradients", "integrated_gradients"):
        row = ask(capsys, "explain", work / "series.nc", "--model", made, "--method", method)["scans"][0]
        assert row["method"] == method
        assert row["state"] in ("low", "high")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-o", "model.h5"], "must end with .pw"),
        (["-o", "model.pw", "--labels", "one.csv"], "labels of at least two states are needed, all are 'low'"),
        (["-o", "model.pw", "--labels", "none.csv"], "labels of at least two states are needed, all are blank"),
        (["-o", "model.pw", "--labels", "no.csv"], "no.csv"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_written(capsys, work, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.csv").write_text("pattern,label\np0,low\np1,low\n")
    (tmp_path / "none.csv").write_text("pattern,label\np0,\np1,\n")
    words = words if "--labels" in words else [*words, "--labels", work / "L.csv"]
    code, out, err = run(capsys, "train", "transitions", work / "series.nc", *words)
    assert (code, out) == (1, "")
    assert told in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.glob("model.*"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--network", "magic"], "Invalid value for '--network': 'magic' is not one of wang_cnn"),
        (["--method", "magic"], "Invalid value for '--method': 'magic' is not one of auto, breaks"),
        (["--method", "forest"], "'forest' is not one of auto, breaks"),  # a method of novelty
    ],
)
def test_names_that_are_not_there_are_a_wrong_command_line(capsys, work, tmp_path, words, told):
    code, out, err = run(capsys, "train", "transitions", work / "series.nc", "-o", tmp_path / "m.pw", *words)
    assert (code, out) == (2, "")
    assert told in err


def test_a_flat_series_without_labels_teaches_nothing(capsys, tmp_path):
    rows = np.random.default_rng(0).poisson([lines(X, LOW)] * 20)
    write(Patterns(X, rows, wavelength=0.5, unit="counts"), tmp_path / "flat.nc")
    code, _, err = run(capsys, "train", "transitions", tmp_path / "flat.nc", "-o", tmp_path / "m.pw")
    assert code == 1
    assert "one state only" in err
    assert not (tmp_path / "m.pw").exists()


def test_options_of_other_tasks_are_refused(capsys, work, tmp_path):
    made = tmp_path / "m.pw"
    assert run(capsys, "train", "transitions", "-o", made)[0] == 2
    for words in (["transitions", work / "series.nc", "--phases", "x"], ["identify", work / "series.nc"]):
        code, _, err = run(capsys, "train", *words, "-o", made)
        assert code == 2
        assert f"train {words[0]} has no" in err


def test_ctrl_c_leaves_no_file(work, tmp_path):
    pytest.importorskip("torch")
    made = tmp_path / "m.pw"
    # Started in the background of a shell, a program inherits that it ignores Ctrl-C. So many epochs never end.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "import peakwise.estimators._series_network as network; network._EPOCHS = 10**6; "
        "from peakwise.cli import main; main()"
    )
    words = ["train", "transitions", work / "series.nc", "--labels", work / "L.csv", "-o", made]
    words += ["--network", "conv_sc", "--seconds", "300", "--threads", "1"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    line = process.stderr.readline()
    assert "training conv_sc" in line
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "stopped (Ctrl-C)" in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


# ---------- why ----------


def test_the_lines_that_differ_speak_for_the_state(capsys, work, model, tmp_path):
    document = ask(capsys, "explain", work / "series.nc", "--model", model, "-o", tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    states = {row["state"]: row for row in document["map"]["states"]}
    assert {name: row["patterns"] for name, row in states.items()} == {"low": AFTER + 1, "high": N - AFTER - 1}
    axis = np.array(document["map"]["axis"])
    near = np.min(np.abs(axis[:, None] - np.array(LOW + HIGH)), axis=1) < 0.6
    for row in states.values():
        share = np.abs(np.array(row["contribution"]))
        assert share[near].mean() > 3 * share[~near].mean()
    row = document["scans"][0]
    assert (row["state"], row["method"]) == ("low", "weights")
    assert {round(p["axis"]) for p in row["peaks"][:3]} <= set(LOW + HIGH)
    assert "curve" not in row, "of many scans the map is told"


def test_one_scan_is_explained_with_its_curve(capsys, model, tmp_path):
    scan = tmp_path / "a.xye"
    write(Patterns(X, np.random.default_rng(9).poisson(lines(X, HIGH)), wavelength=0.5, unit="counts"), scan)
    words = ("explain", scan, "--model", model)
    (row,) = ask(capsys, *words, "-o", tmp_path / "a.png")["scans"]
    assert row["state"] == "high"
    assert len(row["curve"]["relevance"]) == len(row["curve"]["axis"]) == X.size
    # The other state of two is spoken for by the opposite.
    (other,) = ask(capsys, *words, "--state", "low")["scans"]
    assert other["score"] == pytest.approx(-row["score"], rel=1e-6)
    assert np.allclose(other["curve"]["relevance"], -np.array(row["curve"]["relevance"]))
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert "high, weights" in out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--state", "warm"), 1, "the model knows the states low, high"),
        (("--method", "attention"), 1, "the model is linear"),
        (("--method", "cam"), 1, "the model is linear"),
        (("--method", "magic"), 1, "unknown method"),
        (("--phase", "NaCl"), 2, "it has no --phase"),
        (("--map", "pca"), 2, "it has no --map"),
    ],
)
def test_what_cannot_be_explained(capsys, work, model, words, code, told):
    got, _, err = run(capsys, "explain", work / "series.nc", "--model", model, *words)
    assert got == code
    assert told in err


def test_models_of_other_tasks(capsys, work, model, tmp_path):
    from peakwise.crystal import TEXTBOOK
    from peakwise.estimators import PhaseIdentifier

    other = tmp_path / "phases.pw"
    PhaseIdentifier(network=None).fit([TEXTBOOK["Si"]]).save(other)
    code, _, err = run(capsys, "transitions", work / "series.nc", "--model", other)
    assert code == 1
    assert "it holds a PhaseIdentifier" in err
    code, _, err = run(capsys, "identify", work / "series.nc", "--model", model)
    assert code == 1
    assert "it holds a TransitionDetector" in err
    code, _, err = run(capsys, "explain", work / "series.nc", "--model", other, "--state", "a")
    assert code == 2
    code, _, err = run(capsys, "explain", work / "series.nc", "--model", other, "--method", "attention")
    assert code == 1
    assert "unknown method" in err
