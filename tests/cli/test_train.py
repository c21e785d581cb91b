"""``peakwise train`` as a shell sees it: a tiny network for a fraction of a second."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from peakwise.cli import main
from peakwise.crystal import TEXTBOOK, textbook_cif

NAMES = ("Si", "NaCl", "MgO")


@pytest.fixture(scope="module")
def cifs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cifs")
    for name in NAMES:
        (folder / f"{name}.cif").write_text(textbook_cif(name))
    return folder


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(w) for w in words])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_a_model_is_trained_told_and_used(capsys, cifs, tmp_path):
    model = tmp_path / "three.pw"
    words = ("--phases", cifs, "-o", model, "--seconds", "0.5", "--network", "wang_cnn", "--mixtures", "2")
    code, out, _ = run(capsys, "train", "identify", *words, "--threads", "1", "--json")
    document = json.loads(out)
    assert code == 0
    assert (document["command"], document["task"], document["network"]) == ("train", "identify", "wang_cnn")
    assert sorted(document["phases"]) == sorted(NAMES)
    history = document["history"]
    assert history["steps"] == history["logged"][-1]["step"] > 0
    assert document["bytes"] == model.stat().st_size
    assert [p.name for p in tmp_path.iterdir()] == ["three.pw"]

    from peakwise.estimators import load
    from peakwise.io import write
    from peakwise.simulate import Simulator

    made = load(model)
    assert (made.max_phases, made.network, len(made.phases_)) == (2, "wang_cnn", 3)
    scan = tmp_path / "scan.xy"
    write(Simulator(TEXTBOOK["NaCl"], (20, 80, 3001), radiation="CuKa").draw(1), scan)
    code, out, _ = run(capsys, "identify", scan, "--model", model, "--wavelength", "CuKa", "--json")
    assert code == 0
    assert json.loads(out)["scans"][0]["candidates"][0]["phase"] == "NaCl"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-o", "model.h5"], "must end with .pw"),
        (["-o", "no/such/folder/model.pw"], "there is no folder"),
        (["-o", "model.pw", "--phases", "nowhere"], "nowhere"),
    ],
)
def test_what_is_wrong_is_told_before_any_training(capsys, cifs, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    words = words if "--phases" in words else [*words, "--phases", cifs]
    code, out, err = run(capsys, "train", "identify", *words)
    assert (code, out) == (1, "")
    assert told in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_wrong_command_lines(capsys, cifs, tmp_path):
    assert run(capsys, "train", "paint", "--phases", cifs, "-o", tmp_path / "m.pw")[0] == 2
    code, _, err = run(capsys, "train", "identify", "-o", tmp_path / "m.pw")
    assert code == 2
    assert "--phases" in err
    words = ("train", "identify", "--phases", cifs, "--network", "perceptron", "-o", tmp_path / "m.pw")
    code, _, err = run(capsys, *words)
    assert code == 2
    assert "'perceptron' is not one of wang_cnn" in err


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_leaves_no_file(cifs, tmp_path):
    model = tmp_path / "m.pw"
    words = ["train", "identify", "--phases", cifs, "-o", model, "--seconds", "600", "--network", "wang_cnn"]
    started = subprocess.Popen(
        [sys.executable, "-c", _TOLD, *map(str, words)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        assert started.stdout.readline() == "training\n"
        time.sleep(0.5)
        started.send_signal(signal.SIGINT)
        _, err = started.communicate(timeout=60)
    finally:
        started.kill()
    assert started.returncode == 130
    assert err.strip().splitlines()[-1].startswith("peakwise: stopped (Ctrl-C)")
    assert not list(tmp_path.iterdir())


# The command, which says when the training itself has begun.
_TOLD = """
import signal
import sys
import peakwise.training._loop as loop
from peakwise.cli import main

# Started in the background of a shell, a program inherits that it ignores Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
step = loop._Run._step

def told(self, *given):
    if self.history.steps == 0:
        print("training", flush=True)
    step(self, *given)

loop._Run._step = told
main(sys.argv[1:])
"""
