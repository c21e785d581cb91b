"""The made series: what they promise, seen in the counts themselves and against structures written in another way."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from peakwise import datasets
from peakwise.crystal import TEXTBOOK
from peakwise.datasets._series_frames import Sample, separation
from peakwise.datasets._series_plan import draw_plan
from peakwise.datasets._series_structures import POLYMORPHS, RELATIONS, doubled, draw_components, without_symmetry
from peakwise.datasets.made_series import LEAST_SEPARATION, make_one_series, make_series_set
from peakwise.errors import OptionError
from peakwise.simulate import Simulator


@pytest.fixture(scope="module")
def made():
    return list(make_series_set(21, random_state=7))


def test_kinds_take_turns_and_sizes_are_within_their_limits(made):
    assert [t["kind"] for _, t in made] == ["none", "abrupt", "gradual"] * 7
    assert len({t["name"] for _, t in made}) == 21
    for patterns, truth in made:
        assert patterns.shape == (truth["frames"], truth["points"])
        assert 50 <= truth["frames"] <= 350
        assert 1000 <= truth["points"] <= 4000
        assert 100 <= truth["counts"] <= 10_000
        assert patterns.unit == "counts"
        assert np.array_equal(patterns.intensity, np.floor(patterns.intensity))
        assert patterns.intensity.min() >= 0
        assert {"series", "frame", "kind", "onset", "end", "fraction", truth["variable"]} == set(patterns.meta)
        assert patterns.meta["frame"].tolist() == list(range(truth["frames"]))
    assert {t["source"] for _, t in made} == {"Cu laboratory", "beamline"}


def test_truth_of_the_transition(made):
    for patterns, truth in made:
        n, share = truth["frames"], patterns.meta["fraction"]
        if truth["kind"] == "none":
            assert (truth["onset"], truth["middle"], truth["end"], truth["separation"]) == (None,) * 4
            assert np.isnan(patterns.meta["onset"]).all()
            assert not share.any()
            continue
        assert 0.1 * n < truth["middle"] < 0.9 * n
        assert truth["separation"] >= LEAST_SEPARATION
        assert truth["distance"] >= truth["separation"]
        assert (np.diff(share) >= 0).all()
        assert (share[0], share[-1]) == (0, 1)
        assert np.interp(0.5, share, np.arange(n)) == pytest.approx(truth["middle"], abs=0.51)
        width = (truth["end"] - truth["onset"]) / n
        if truth["kind"] == "abrupt":
            assert width == 0
            assert ((share > 0) & (share < 1)).sum() <= 1
        else:
            assert 0.06 <= width <= 0.2
            inside = np.flatnonzero((share > 0) & (share < 1))
            assert truth["onset"] <= inside[0] <= truth["onset"] + 1
            assert truth["end"] - 1 <= inside[-1] <= truth["end"]


def test_a_series_follows_from_seed_and_number_alone(made):
    alone, truth = make_one_series(13, random_state=7)
    assert truth == made[13][1]
    assert np.array_equal(alone.intensity, made[13][0].intensity)
    other, told = make_one_series(13, random_state=8)
    assert told["name"] != truth["name"]
    assert other.shape != alone.shape or not np.array_equal(other.intensity, alone.intensity)


def test_the_transition_is_in_the_counts(made):
    """A line through half of the frames of both sides tells the other half apart."""
    for patterns, truth in made:
        if truth["kind"] == "none":
            continue
        y = np.sqrt(patterns.intensity.astype(float))
        alive = patterns.intensity.any(axis=1)
        y[alive] /= np.linalg.norm(y[alive], axis=1, keepdims=True)
        frame = np.arange(len(y))
        before = frame[alive & (frame < truth["onset"] - 0.5) & (frame > truth["onset"] - 25)]
        after = frame[alive & (frame > truth["end"] + 0.5) & (frame < truth["end"] + 25)]
        w = y[after[::2]].mean(axis=0) - y[before[::2]].mean(axis=0)
        a, b = y[before[1::2]] @ w, y[after[1::2]] @ w
        assert (b.mean() - a.mean()) / np.sqrt((a.var() + b.var()) / 2) > 3, truth
        assert abs(b.mean() - a.mean()) > 0


def test_where_no_transition_is_nothing_jumps():
    """The mean expected change from frame to frame, with the beam divided out, is never much larger than usual."""
    for number in range(6):
        plan = draw_plan("none", (3, number))
        plan = dataclasses.replace(plan, flicker=0.0, dead=(), spikes=())
        expected = Sample(plan).expected(np.arange(plan.n)) / plan.beam[:, None]
        step = np.abs(np.diff(expected, axis=0)).sum(axis=1) / expected.sum(axis=1)[1:]
        moving = step[step > 1e-12]
        assert step.max() < 0.05
        if moving.size:
            assert moving.max() < 12 * np.median(moving) + 1e-6  # the ramp changes its rate up to five times


def test_what_is_not_there_has_no_separation():
    plan = next(p for p in (draw_plan("abrupt", (5, k)) for k in range(50)) if not p.flicker)
    seen = separation(Sample(plan))
    flat = separation(Sample(dataclasses.replace(plan, fraction=np.zeros(plan.n))))
    assert flat[0] < 0.1 * seen[0]
    assert flat[1] < LEAST_SEPARATION < seen[0]


def test_separation_falls_with_counts():
    plan = next(
        p for p in (draw_plan("abrupt", (6, k)) for k in range(50)) if not p.flicker and p.relation == "unrelated"
    )
    many, few = (separation(Sample(dataclasses.replace(plan, counts=c)))[0] for c in (4000.0, 1000.0))
    assert many / few == pytest.approx(2, rel=0.05)


@pytest.mark.parametrize(
    "key", ["NaCl", "SrTiO3", "MgAl2O4", "Fe-alpha", "TiO2-rutile", "SiO2-quartz", "CaCO3-calcite"]
)
def test_atoms_written_out_give_the_same_pattern(key):
    phase = TEXTBOOK[key]
    bare = without_symmetry(phase)
    assert bare.space_group == "P 1"
    assert (bare.n_atoms, bare.formula) == (phase.n_atoms, phase.formula)
    rows = Simulator([phase, bare], (10, 80, 2001), radiation="CuKa").ideal().intensity
    assert np.allclose(rows[0], rows[1], atol=2e-4 * rows.max())


def test_a_doubled_cell_shows_new_lines_only_where_atoms_moved():
    parent = without_symmetry(TEXTBOOK["SrTiO3"])
    plain, moved = (doubled(parent, "Sr", by) for by in (0.0, 0.03))
    rows = Simulator([parent, plain, moved], (10, 80, 2001), radiation="CuKa").ideal().intensity
    assert np.allclose(rows[0], rows[1], atol=2e-4 * rows[0].max())
    new = rows[2] - rows[0]
    # 1 0 1/2 of the old cell, where nothing was before.
    d = TEXTBOOK["SrTiO3"].cell[0] / np.sqrt(1.25)
    at = 2 * np.degrees(np.arcsin(1.54187 / 2 / d))
    axis = np.linspace(10, 80, 2001)
    here = np.abs(axis - at) < 0.2
    assert rows[0][here].max() < 0.02 * rows[0].max() / 2
    assert new[here].max() > 0.005 * rows[0].max()


def test_relations_are_what_they_are_called():
    rng = np.random.default_rng(0)
    for name in RELATIONS:
        for _ in range(5):
            parts = draw_components(name, rng)
            total = [sum(getattr(c, side) for c in parts) for side in ("before", "after")]
            if name in ("single", "mixture"):
                assert all(c.before == c.after for c in parts)
                assert total[0] == pytest.approx(1)
            else:
                turning = [c for c in parts if c.before != c.after or c.grows]
                assert turning
            if name == "same type":
                assert len({(c.phase.space_group, c.phase.n_atoms) for c in parts}) == 1
                assert parts[0].phase.id != parts[1].phase.id
            if name == "partly":
                assert parts[2].before == parts[2].after >= 0.3
                assert parts[0].after > 0
            if name == "jump of the cell":
                assert parts[0].phase.id == parts[1].phase.id
                assert 0.004 <= abs(parts[1].strain[0]) <= 0.03
    for first, second in POLYMORPHS:
        a, b = (TEXTBOOK[k] for k in (first, second))
        shares = [{e: n / sum(p.content.values()) for e, n in p.content.items()} for p in (a, b)]
        assert shares[0] == pytest.approx(shares[1], abs=1e-4)


def test_all_that_is_no_transition_happens_in_every_kind():
    for kind in ("none", "abrupt", "gradual"):
        plans = [draw_plan(kind, (9, k)) for k in range(60)]
        causes = {c for p in plans for c in p.causes}
        assert len(causes) == 11
        assert any(p.dead for p in plans)
        assert any(p.spikes for p in plans)
        assert any(p.beam.max() / p.beam.min() > 1.3 for p in plans)
        for p in plans:
            frames = np.array([*p.dead, *(f for f, _, _ in p.spikes)])
            if kind != "none" and frames.size:
                assert ((frames < p.onset - 4) | (frames > p.end + 4)).all()
            assert ("dead frames" in p.causes) == bool(p.dead)
            assert ("flicker of grains" in p.causes) == (p.flicker > 0)


def test_accidents_are_in_the_counts():
    plan = next(p for p in (draw_plan("none", (11, k)) for k in range(100)) if p.dead and p.spikes)
    rows = Sample(plan).expected(np.arange(plan.n))
    assert not rows[list(plan.dead)].any()
    calm = Sample(plan).expected(np.arange(plan.n), with_accidents=False)
    frame, point, height = plan.spikes[0]
    if frame not in plan.dead:
        assert rows[frame, point] - calm[frame, point] >= height * plan.counts * 0.999
    assert calm[list(plan.dead)].any()


def test_the_data_set_gives_one_series():
    one = datasets.load("made-series", series=4, random_state=7)
    again = datasets.load("made-series", series="4", random_state=7)
    assert np.array_equal(one.intensity, again.intensity)
    assert set(one.meta["kind"]) == {"abrupt"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"series": -1}, "series must be a whole number of 0 or more, got -1"),
        ({"series": "D1"}, "series must be a whole number of 0 or more, got 'D1'"),
        ({"series": ["1", "2"]}, "series must be a whole number of 0 or more, got"),
        ({"random_state": 1.5}, "random_state must be a whole number of 0 or more, got 1.5"),
    ],
)
def test_what_cannot_be_made_is_refused(options, message):
    with pytest.raises(OptionError, match="cannot make the series") as caught:
        datasets.load("made-series", **options)
    assert message in str(caught.value)


def test_a_set_of_less_than_none_is_refused():
    with pytest.raises(OptionError, match="n must be a whole number of 0 or more, got True"):
        list(make_series_set(True))
