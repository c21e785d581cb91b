"""``peakwise bench`` as a shell sees it."""

import json

import pytest

from peakwise.cli import main


def run(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_benches_are_listed_and_unknown_ones_refused(capsys):
    code, out, _ = run(capsys, "bench", "--json")
    assert code == 0
    assert [b["name"] for b in json.loads(out)["benches"]] == ["simulate", "identify", "predict", "regress"]
    code, _, err = run(capsys, "bench", "everything")
    assert code == 1
    assert "there are simulate" in err


def test_bench_simulate(capsys, monkeypatch):
    monkeypatch.delenv("PEAKWISE_DATA", raising=False)
    code, out, _ = run(capsys, "bench", "simulate", "--quick", "--json")
    document = json.loads(out)
    assert code == 0
    assert {tuple(r) for r in document["rows"]} == {("what", "case", "ours", "other", "other_name", "unit", "ratio")}
    assert any("MFI is left out" in w for w in document["warnings"])
    assert next(r for r in document["rows"] if r["what"] == "counting noise")["ratio"] > 3
