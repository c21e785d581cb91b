"""States and boundaries of series whose truth is known, and of series that have none."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.patterns import Patterns
from peakwise.series import find_states
from series_of_lines import AXIS, make


def step(n, at):
    return (np.arange(n) > at).astype(float)


@pytest.mark.parametrize(("n", "at", "counts"), [(40, 12, 500), (90, 61, 100), (24, 11, 2000), (300, 200, 60)])
def test_an_abrupt_transition(n, at, counts):
    strains = np.linspace(0, 0.015, n)
    found = find_states(make(step(n, at), strains=strains, counts=counts))
    assert [abs(b.after - at) <= 1 for b in found.boundaries] == [True]
    (boundary,) = found.boundaries
    assert boundary.interval[0] <= at + 0.5 <= boundary.interval[1]
    assert boundary.confidence > 0.5
    assert found.states[0] == 0
    assert found.states[-1] == 1
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)


def test_a_gradual_transition_has_a_zone():
    onset, end = 40.0, 60.0
    shares = np.clip((np.arange(110) - onset) / (end - onset), 0, 1)
    found = find_states(make(shares, strains=np.linspace(0, 0.01, 110)))
    (boundary,) = found.boundaries
    assert boundary.place == pytest.approx(50, abs=3)
    assert boundary.zone[0] == pytest.approx(onset, abs=4)
    assert boundary.zone[1] == pytest.approx(end, abs=4)
    ambiguous = np.flatnonzero(found.is_ambiguous)
    assert ambiguous.min() >= 36
    assert ambiguous.max() <= 64
    assert found.confidence == pytest.approx(1 - ambiguous.size / 110)


@pytest.mark.parametrize("seed", range(4))
def test_no_transition_is_invented(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(30, 140))
    beams = np.ones(n)
    beams[int(n * rng.uniform(0.2, 0.8)) :] *= rng.uniform(0.5, 0.9)  # a refill
    strains = np.linspace(0, rng.choice([-1, 1]) * rng.uniform(0.002, 0.03), n)
    found = find_states(make(np.zeros(n), strains=strains, beams=beams, counts=10 ** rng.uniform(2, 4), seed=seed))
    assert found.boundaries == ()
    assert set(found.states) == {0}
    assert found.confidence == 1


def test_there_and_back_is_two_boundaries_and_two_states():
    shares = np.zeros(90)
    shares[30:55] = 1
    found = find_states(make(shares))
    assert [b.after for b in found.boundaries] == pytest.approx([29, 54], abs=1)
    assert found.probabilities.shape[1] == 2
    assert found.states[[5, 40, 80]].tolist() == [0, 1, 0]


def test_as_many_parts_as_were_asked_for():
    patterns = make(step(40, 19))
    for k in (1, 2, 3, 5):
        found = find_states(patterns, states=k)
        assert len(found.boundaries) == k - 1
        assert found.probabilities.shape == (40, k)
    assert find_states(patterns, states=2).boundaries[0].after == 19
    assert any("little evidence" in said for said in find_states(make(np.zeros(40)), states=2).warnings)


def test_long_series_are_looked_at_in_groups_and_found_frame_by_frame():
    n, at = 1300, 777
    found = find_states(make(step(n, at), counts=100, strains=np.linspace(0, 0.01, n)))
    assert [abs(b.after - at) <= 1 for b in found.boundaries] == [True]
    assert found.states.shape == (n,)
    assert (found.states == (np.arange(n) > at)).mean() > 0.995


def test_dead_frames_are_counted_but_not_judged():
    patterns = make(step(40, 19))
    values = np.array(patterns.intensity)
    values[[3, 27, 28]] = 0
    found = find_states(Patterns(AXIS, values, "q"))
    assert found.dead == (3, 27, 28)
    assert [b.after for b in found.boundaries] == [19]
    assert "3 patterns saw no beam" in found.warnings[0]
    assert np.isnan(found.scores[3]).all()


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_a_handful_of_patterns_is_one_state_and_a_warning(n):
    found = find_states(make(step(n, n // 2)))
    assert found.boundaries == ()
    assert "too few patterns" in found.warnings[0]


def test_identical_patterns_are_one_state():
    row = make([0.0]).intensity
    found = find_states(Patterns(AXIS, np.repeat(row, 20, axis=0), "q"))
    assert found.boundaries == ()


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.floats(0.3, 3), min_size=40, max_size=40))
def test_the_beam_changes_nothing(beams):
    patterns = make(step(40, 23), counts=1000)
    scaled = Patterns(AXIS, patterns.intensity * np.array(beams)[:, None], "q")
    assert [b.after for b in find_states(scaled).boundaries] == [b.after for b in find_states(patterns).boundaries]


def test_turned_round_it_is_the_same_place():
    patterns = make(step(50, 17), strains=np.linspace(0, 0.01, 50))
    back = Patterns(AXIS, patterns.intensity[::-1], "q")
    (one,), (other,) = find_states(patterns).boundaries, find_states(back).boundaries
    assert one.after + other.after == 48


@pytest.mark.parametrize("states", [0, -1, True, 2.5, "many"])
def test_states_must_be_a_number_or_auto(states):
    with pytest.raises(OptionError, match="states must be 'auto' or a whole number"):
        find_states(make([0.0] * 8), states=states)


def test_more_states_than_patterns_are_refused():
    with pytest.raises(OptionError, match="9 states need as many patterns, got 8"):
        find_states(make([0.0] * 8), states=9)


@pytest.mark.parametrize("kind", ["raman_shift", "wavenumber", "energy", "d"])
def test_other_axes_have_transitions_too(kind):
    patterns = make(step(40, 19))
    found = find_states(Patterns(AXIS * (200 if kind != "d" else 1), patterns.intensity, kind))
    assert [b.after for b in found.boundaries] == [19]
