"""The bench of `predict`: its rows as a shell sees them, and its clocks against work of known length."""

import json
import time

import numpy as np
import pytest

from peakwise.cli import _bench_predict as bench
from peakwise.cli import main
from peakwise.cli._output import Output
from peakwise.networks import NETWORKS


def test_every_network_has_its_rows(capsys, monkeypatch):
    monkeypatch.setattr(bench, "_QUICK", ("fcnn", "lstm"))
    monkeypatch.setattr(bench, "_VARIANTS", (("torch", "f32"), ("openvino", "f32")))
    with pytest.raises(SystemExit) as ended:
        main(["bench", "predict", "--quick", "--threads", "1", "--json"])
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert ended.value.code == 0
    assert {tuple(r) for r in rows} == {("what", "case", "ours", "other", "other_name", "unit", "ratio")}
    assert rows[0]["case"] == "PCA (32) + logistic regression"
    for name in ("fcnn", "lstm"):
        own = {r["what"]: r for r in rows if r["case"] == f"{name}, torch f32"}
        assert set(own) == {"predict", "one item, p99", "largest difference"}
        assert own["largest difference"]["ours"] < 1e-4
        assert own["predict"]["ratio"] == pytest.approx(own["predict"]["ours"] / own["predict"]["other"])
        assert own["one item, p99"]["ratio"] == pytest.approx(
            own["one item, p99"]["other"] / own["one item, p99"]["ours"]
        )


def test_the_full_bench_measures_every_network():
    assert set(bench._QUICK) < set(NETWORKS)


def test_what_is_not_installed_is_left_out_with_a_word(monkeypatch):
    monkeypatch.setattr(bench, "find_spec", lambda name: None)
    out = Output("bench", as_json=True, quiet=True)
    able = bench._able(out, quick=False)
    assert [variant for variant in able if variant[0] != "torch"] == []
    assert any("openvino int8 is left out: openvino, nncf not installed" in w for w in out.warnings)


def test_heads_are_fitted_to_the_spectra():
    spectra, labels = bench._spectra(256, 96)
    assert np.bincount(labels).tolist() == [32, 32, 32]
    assert spectra.max(axis=1) == pytest.approx(1)
    case = bench._case("fcnn", spectra, labels, 0.01, 32)
    assert np.mean(case.answers.argmax(axis=1) == labels) > 0.95


def test_clocks():
    assert bench._best(lambda: time.sleep(0.01), 0.05) >= 0.01
    assert bench._p99(lambda k: time.sleep(0.02 if k == 39 else 0.0), 0.01) > 0.005
