"""``peakwise models``: every member of every table, and the inside of model files."""

import json

import numpy as np
import pytest

from peakwise.augmentation import AUGMENTATIONS
from peakwise.cli import main
from peakwise.crystal import TEXTBOOK
from peakwise.estimators import ESTIMATORS, NearestNeighbours, PhaseIdentifier
from peakwise.explain import EXPLANATIONS, MAPS
from peakwise.matching import EFFORTS
from peakwise.networks import NETWORKS
from peakwise.objectives import OBJECTIVES

TABLES = {
    "estimators": ESTIMATORS, "networks": NETWORKS, "objectives": OBJECTIVES, "augmentations": AUGMENTATIONS,
    "explanations": EXPLANATIONS, "maps": MAPS, "efforts": EFFORTS,
}  # fmt: skip


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main([str(w) for w in words])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_every_member_has_a_phrase(capsys):
    code, out, err = run(capsys, "models", "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    for kind, table in TABLES.items():
        assert [r["name"] for r in document[kind]] == list(table)
        assert all(10 < len(r["what"]) < 150 and not r["what"].endswith(".") for r in document[kind]), kind
    assert {"name": "quick", "what": "looked 12, fitted 4, added 8, beam 1"} in document["efforts"]


def test_lists_are_for_people_too(capsys):
    code, out, _ = run(capsys, "models")
    assert code == 0
    assert all(name in out for table in TABLES.values() for name in table)


def test_the_inside_of_model_files(capsys, tmp_path):
    one, other = tmp_path / "phases.pw", tmp_path / "labels.pw"
    PhaseIdentifier(network=None, max_phases=2).fit([TEXTBOOK["Si"], TEXTBOOK["NaCl"]]).save(one)
    rng = np.random.default_rng(0)
    NearestNeighbours().fit(rng.random((6, 40)), ["a", "b"] * 3).save(other)
    code, out, _ = run(capsys, "models", one, other, "--json")
    assert code == 0
    first, second = json.loads(out)["models"]
    assert (first["task"], first["estimator"], first["phases"]) == ("identify", "phase_identifier", ["Si", "NaCl"])
    assert (first["options"]["max_phases"], first["network"], first["history"]) == (2, None, None)
    assert (first["axis"]["kind"], first["axis"]["start"]) == ("two_theta", 5.0)
    assert first["bytes"] == one.stat().st_size
    assert (second["phases"], second["labels"]) == (None, ["a", "b"])
    assert second["axis"]["points"] == 40
    code, out, _ = run(capsys, "models", one)
    assert code == 0
    assert "2: Si, NaCl" in out


def test_broken_files_are_left_out_or_refused(capsys, tmp_path):
    good, bad = tmp_path / "good.pw", tmp_path / "bad.pw"
    PhaseIdentifier(network=None).fit([TEXTBOOK["Si"]]).save(good)
    bad.write_bytes(good.read_bytes()[:-1])
    code, out, err = run(capsys, "models", bad, good, "--json")
    assert code == 0
    assert [f["file"] for f in json.loads(out)["failed"]] == [str(bad)]
    assert "left out" in err
    code, out, err = run(capsys, "models", bad)
    assert (code, out) == (1, "")
    assert err.startswith("peakwise: error: cannot read the model")
    assert len(err.strip().splitlines()) == 1
