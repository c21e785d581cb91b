"""A model of novelty that follows a run: drift is told, and where to measure next."""

from __future__ import annotations

import json

import numpy as np
import pytest

from peakwise.errors import OptionError
from peakwise.estimators import NoveltyDetector
from peakwise.live import JsonLines, LineStream, Monitor
from peakwise.novelty import drift_of
from peakwise.patterns import Patterns

Q = np.linspace(1.5, 5, 400)


def clean(*at, width=0.02):
    return sum(400 * np.exp(-(((Q - a) / width) ** 2)) for a in at) + 20


def frames(n, rng, pattern=None, start=0, **meta):
    rows = np.tile(clean(2.5, 3.8) if pattern is None else pattern, (n, 1))
    return Patterns(Q, rng.poisson(rows), "q", unit="counts", names=[f"s{start + i}" for i in range(n)], meta=meta)


@pytest.fixture(scope="module")
def detector():
    return NoveltyDetector(false_alarm=0.01).fit(frames(150, np.random.default_rng(0)))


def follow(detector, stream, **options):
    taken, warned = [], []
    monitor = Monitor(detector, warn=warned.append, **options)
    report = monitor.run(stream, LineStream(lambda line: taken.append(json.loads(line))))
    return monitor, report, taken, warned


def test_a_run_of_known_scans_does_not_drift(detector):
    _, report, taken, warned = follow(detector, frames(200, np.random.default_rng(1)))
    assert report["answered"] == len(taken) == 200
    assert report["drift"] is None
    assert not [row for row in taken if "drift" in row]
    assert warned == []


def test_a_run_that_leaves_what_is_known_is_told_once_and_each_answer_says_since_when(detector):
    """A third line grows that alone is is called new in no scan: 6 % of the others."""
    rng = np.random.default_rng(2)
    other = clean(2.5, 3.8) + 25 * np.exp(-(((Q - 3.1) / 0.02) ** 2))
    _, report, taken, warned = follow(detector, [frames(60, rng), frames(60, rng, other, 60)])
    at = next(i for i, row in enumerate(taken) if "drift" in row)
    since = taken[at]["drift"]
    assert 60 < at < 110
    assert abs(int(since[1:]) - 60) < 15
    assert {row.get("drift") for row in taken[:at]} == {None}
    assert {row["drift"] for row in taken[at:]} == {since}
    assert sum(row["novel"] for row in taken) <= 3, "none of them, hardly, is new by itself"
    told = [w for w in warned if "stranger than the known ones" in w]
    assert len(told) == 1
    assert told[0].startswith(f"from {since} on")
    scores = [row["score"] for row in taken]
    found = drift_of(detector.known_scores_, scores)
    assert (found.since, found.at) == (int(since[1:]), at)
    assert report["drift"] == {"since": since, "at": f"s{at}", "evidence": pytest.approx(found.evidence, rel=0.01),
                               "false_alarm": 0.01}  # fmt: skip


def test_the_guard_can_be_left_out_and_other_models_have_none(detector):
    rng = np.random.default_rng(3)
    strange = frames(40, rng, clean(2.2, 4.1))
    assert "drift" in follow(detector, strange)[2][-1]
    _, report, taken, _ = follow(detector, strange, drift=None)
    assert report["drift"] is None
    assert "drift" not in taken[-1]

    class Score:
        def predict(self, patterns):
            return np.zeros(len(patterns))

    assert follow(Score(), strange)[1]["drift"] is None
    with pytest.raises(OptionError, match="false_alarm must be above 0"):
        Monitor(detector, drift=2)


def test_a_model_that_tells_p_values_alone_is_followed_by_them():
    class Judge:
        task = "novelty"

        def answers(self, patterns):
            return [{"p_value": 0.02, "novel": False} for _ in patterns]

    _, report, _, _ = follow(Judge(), frames(20, np.random.default_rng(4)))
    assert report["drift"]["since"] == "s0"


def test_a_scan_that_changes_and_is_answered_again_is_no_new_evidence(detector):
    rng = np.random.default_rng(5)
    again = frames(40, rng, clean(2.2, 4.1), revision=np.full(40, 2))
    assert follow(detector, again)[1]["drift"] is None


# ---------- where to measure next ----------


def plate(detector, rng, **options):
    """A plate of 9 x 9 places, of which a quarter is measured; a new phase is in one corner, around (7, 7)."""
    places = np.array([(x, y) for x in range(0, 9, 2) for y in range(0, 9, 2)], dtype=float)
    share = np.exp(-((places - 7) ** 2).sum(axis=1) / 6)
    parts = [
        frames(1, rng, (1 - s) * clean(2.5, 3.8) + s * clean(2.2, 4.1), i, x=[p[0]], y=[p[1]])
        for i, (p, s) in enumerate(zip(places, share, strict=True))
    ]
    return follow(detector, parts, **options)[0], places


def test_the_next_places_are_where_the_new_is(detector):
    monitor, places = plate(detector, np.random.default_rng(6))
    grid = np.array([(x, y) for x in range(9) for y in range(9)], dtype=float)
    found = monitor.suggest(3, grid, strategy="novelty")
    assert len(found) == 3
    first = found[0]
    assert set(first) == {"where", "value", "mean", "std", "why"}
    assert np.hypot(first["where"]["x"] - 7, first["where"]["y"] - 7) <= 1.5
    measured = {tuple(p) for p in places}
    assert not [f for f in found if tuple(f["where"].values()) in measured]
    json.dumps(found)
    # Without a grid: the range that was measured.
    near = monitor.suggest(1, strategy="novelty")[0]["where"]
    assert np.hypot(near["x"] - 7, near["y"] - 7) <= 2
    assert all(0 <= value <= 8 for value in near.values())


def test_places_have_any_name_and_failed_scans_are_not_suggested_again(detector):
    rng = np.random.default_rng(7)
    good = frames(4, rng, motor=[0.0, 1.0, 3.0, 4.0])
    broken = Patterns(Q, np.full(Q.size, np.nan), "q", names=["bad"], meta={"motor": [2.0]})
    monitor, _, _, _ = follow(detector, [good, broken])
    found = monitor.suggest(9, [[float(i)] for i in range(6)], where=["motor"], strategy="uncertainty")
    assert [one["where"] for one in found] == [{"motor": 5.0}]
    for where in (None, ["stage"], "motor", []):
        with pytest.raises(OptionError, match=r"must say where each was measured.*the scans have motor"):
            monitor.suggest(1, where=where)


def test_other_models_suggest_where_they_are_unsure():
    class States:
        task = "transitions"

        def predict_proba(self, patterns):
            unsure = np.exp(-((patterns.meta["x"] - 5) ** 2))
            return np.column_stack([1 - unsure / 2, unsure / 2])

    x = np.delete(np.arange(0, 11, dtype=float), 5)
    stream = Patterns(Q, np.ones((10, Q.size)), "q", meta={"x": x})
    monitor = follow(States(), stream)[0]
    assert monitor.suggest(1, [[2.5], [5.0], [7.5]], strategy="novelty")[0]["where"] == {"x": 5.0}


def test_without_a_number_in_the_answers_nothing_is_suggested():
    class Label:
        def predict(self, patterns):
            return ["a"] * len(patterns)

    stream = Patterns(Q, np.ones((3, Q.size)), "q", meta={"x": [0, 1, 2]})
    with pytest.raises(OptionError, match="no answer so far tells a score"):
        follow(Label(), stream)[0].suggest(1)


def test_a_saved_model_is_plugged_in(detector, tmp_path):
    import peakwise as pw

    detector.save(tmp_path / "m.pw")
    stream = frames(5, np.random.default_rng(8), x=np.arange(5.0))
    monitor = Monitor(pw.load(tmp_path / "m.pw"))
    report = monitor.run(stream, JsonLines(tmp_path / "out.jsonl"))
    assert (report["answered"], report["failed"]) == (5, 0)
    assert len(monitor.suggest(2)) == 2
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    plain = [row["score"] for row in Monitor(detector).ingest(stream)]
    assert [row["score"] for row in rows] == plain
