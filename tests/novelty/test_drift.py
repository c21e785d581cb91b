"""The guard against drift: its promise counted over many runs, its capital from the definition, and its delay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.evaluation import conformal_p_value
from peakwise.novelty import Drift, DriftGuard, drift_of

POWERS, SLOPES = (0.1, 0.3, 0.5, 0.7, 0.9), (0.5, 1.0, 2.0)


def bets(p):
    """What each bet pays, as it is printed: densities on [0, 1] that fall."""
    return np.stack([*(e * p ** (e - 1) for e in POWERS), *((1 + c) * (1 - p) ** c for c in SLOPES)])


def kept(t):
    return 1 / (1 + np.log(t + 1))


def capital(p):
    """Of many runs at once (runs, steps): what is kept, and every share since it was staked."""
    runs, steps = p.shape
    staked = np.zeros((8, runs))
    made = np.empty((runs, steps))
    for t in range(steps):
        staked = (staked + (kept(t) - kept(t + 1)) / 8) * bets(p[:, t])
        made[:, t] = staked.sum(axis=0) + kept(t + 1)
    return made


def wilson(k, n, z=2.576):
    """Between which rates the true one lies (99 %), when k of n were counted."""
    middle, half = k / n + z**2 / (2 * n), z * np.sqrt(k / n * (1 - k / n) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def alarms(p, false_alarm):
    return int((capital(p).max(axis=1) >= 1 / false_alarm).sum())


def run(values, false_alarm=0.01, known=None):
    guard = DriftGuard(false_alarm, known)
    for value in values:
        (guard.update if known is None else guard.follow)(float(value))
    return guard


def test_each_bet_is_fair():
    p = (np.arange(2_000_000) + 0.5) / 2_000_000
    # The midpoint rule misses a little of the steepest, which is infinite at 0; Monte Carlo would be no better.
    assert np.allclose(bets(p**10) @ (10 * p**9) / p.size, 1, atol=1e-4)


def test_the_capital_is_that_of_the_definition():
    p = np.random.default_rng(0).beta(0.7, 1.2, 60)
    slow = kept(60) + sum((kept(k) - kept(k + 1)) / 8 * bets(p[k:]).prod(axis=1).sum() for k in range(60))
    assert capital(p[None])[0, -1] == pytest.approx(slow, rel=1e-10)
    guard = run(p)
    assert guard.evidence == pytest.approx(capital(p[None]).max(), rel=1e-9)
    assert guard.n_followed == 60


@pytest.mark.parametrize("false_alarm", [0.01, 0.1])
def test_runs_of_known_scans_are_called_drifted_no_oftener_than_promised(false_alarm):
    n = 2000
    k = alarms(np.random.default_rng(7).random((n, 1000)), false_alarm)
    assert wilson(k, n)[0] <= false_alarm
    assert k > 0, "a guard that never speaks proves nothing"


def test_p_values_of_ranks_are_larger_than_uniform_ones_and_keep_the_promise():
    n = 2000
    p = np.ceil(10 * np.random.default_rng(8).random((n, 1000))) / 10
    assert wilson(alarms(p, 0.05), n)[0] <= 0.05


def test_p_values_that_are_a_little_too_small_break_it():
    p = 0.9 * np.random.default_rng(9).random((200, 1000))
    assert alarms(p, 0.01) > 180


@pytest.mark.long
def test_the_class_itself_over_two_thousand_runs():
    rng = np.random.default_rng(11)
    k = sum(run(rng.random(1000)).drift is not None for _ in range(2000))
    assert wilson(k, 2000)[0] <= 0.01


@pytest.mark.parametrize(
    ("draw", "quiet", "limit"),
    [(lambda rng, n: rng.random(n) / 10, 0, 12), (lambda rng, n: rng.random(n) / 10, 1000, 22),
     (lambda rng, n: rng.random(n) / 2, 1000, 60), (lambda rng, n: rng.beta(1, 1.5, n), 1000, 450)],
    ids=["tenth", "tenth after 1000", "half after 1000", "slightly after 1000"],
)  # fmt: skip
def test_drifted_runs_are_found_within_a_stated_number_of_scans(draw, quiet, limit):
    rng = np.random.default_rng(3)
    for _ in range(10):
        guard = run([*rng.random(quiet), *draw(rng, limit)])
        assert guard.drift is not None
        assert guard.drift.at < quiet + limit
        assert abs(guard.drift.since - quiet) <= 0.25 * limit + 10


def test_scores_are_followed_by_their_ranks_among_all_before():
    rng = np.random.default_rng(4)
    known, new = rng.normal(size=20), rng.normal(size=50)
    new[7] = known[3]
    guard, plain = run(new, known=known), DriftGuard()
    for t, score in enumerate(new):
        before = np.concatenate([known, new[:t]])
        plain.update(((before >= score).sum() + 1) / (before.size + 1))
    assert guard.evidence == plain.evidence
    assert guard.evidence < 100


def test_few_known_scans_keep_the_promise_by_ranks_and_not_by_fixed_p_values():
    rng = np.random.default_rng(5)
    ranked = fixed = 0
    for _ in range(40):
        known, new = rng.normal(size=30), rng.normal(size=800)
        ranked += run(new, 0.05, known).drift is not None
        fixed += run(conformal_p_value(known, new), 0.05).drift is not None
    assert wilson(ranked, 40)[0] <= 0.05
    # All p-values share the luck of 30 scans: this is why scores are followed.
    assert wilson(fixed, 40)[0] > 0.05


@pytest.mark.parametrize("n", [3, 30, 300])
def test_scans_stranger_than_all_known_are_found_within_fifteen(n):
    rng = np.random.default_rng(6)
    known = rng.normal(size=n)
    found = drift_of(known, [*rng.normal(size=100), *rng.normal(5, 1, size=15)])
    assert found is not None
    assert 95 <= found.since <= 101
    assert found.at < 115
    assert found.evidence >= 100


def test_one_strange_scan_is_no_drift_and_drift_stays():
    rng = np.random.default_rng(2)
    guard = run([*rng.random(100), 0.0, *rng.random(100)], 1e-9)
    assert guard.drift is None
    guard = run([*[0.001] * 10, *rng.random(300)])
    assert guard.drift == Drift(0, guard.drift.at, guard.drift.evidence)
    assert guard.update(0.9)


@given(st.lists(st.floats(0, 1), max_size=60), st.floats(1e-6, 0.5))
def test_any_p_values_can_be_followed(values, false_alarm):
    guard = run(values, false_alarm)
    assert 1 <= guard.evidence < np.inf
    assert (guard.drift is not None) == (guard.evidence * (1 + 1e-9) >= 1 / false_alarm)
    if guard.drift:
        assert 0 <= guard.drift.since <= guard.drift.at < len(values)


def test_a_long_drift_overflows_nothing():
    guard = run([0.0] * 2000)
    assert np.isfinite(guard.evidence)
    assert guard.drift.at <= 2


def test_what_is_no_p_value_is_refused():
    for bad in (-0.1, 1.1, float("nan")):
        with pytest.raises(OptionError, match="a p-value must be from 0 to 1"):
            DriftGuard().update(bad)
    with pytest.raises(OptionError, match="false_alarm must be above 0 and below 1"):
        DriftGuard(0)
    with pytest.raises(OptionError, match="known must be a list of numbers"):
        DriftGuard(0.01, [])
    with pytest.raises(OptionError, match="only beside known ones"):
        DriftGuard().follow(1.0)


def test_a_scan_without_a_score_is_passed_over():
    guard = DriftGuard(0.01, [1.0, 2.0])
    assert not guard.follow(float("nan"))
    assert guard.n_followed == 0
