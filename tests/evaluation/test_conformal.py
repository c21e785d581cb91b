"""The promise of the conformal rules: exact by counting all orders, and measured."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from peakwise.errors import OptionError
from peakwise.evaluation import conformal_p_value, conformal_size, conformal_spread, conformal_threshold

RATES = st.sampled_from([0.01, 0.02, 0.05, 0.07, 0.1, 0.2, 0.29, 0.3, 0.5, 0.9])


@settings(deadline=None)
@given(st.integers(1, 300), RATES)
def test_the_promise_is_kept_for_every_place_of_the_new_case(n, rate):
    """An ordinary new case is equally likely at each of the n + 1 places in the order: count those above."""
    if n < conformal_size(rate):
        with pytest.raises(OptionError, match=f"scores must be at least {conformal_size(rate)} for a false-alarm rate"):
            conformal_threshold(np.arange(n), rate)
        assert Fraction(1, n + 1) > Fraction(str(rate))
        return
    alarms = 0
    for place in range(n + 1):
        order = np.arange(n + 1.0)
        known, new = np.delete(order, place), order[place]
        alarms += new > conformal_threshold(known, rate)
    share, exact = Fraction(int(alarms), n + 1), Fraction(str(rate))
    assert share <= exact
    assert share + Fraction(1, n + 1) > exact, "it calls fewer strange than it may"


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=19, max_size=60), st.lists(st.integers(-1, 11), min_size=1), RATES)
def test_p_values_and_threshold_say_the_same(known, new, rate):
    p = conformal_p_value(known, new)
    plain = [Fraction(1 + sum(k >= x for k in known), len(known) + 1) for x in new]
    assert p == pytest.approx([float(x) for x in plain])
    if len(known) >= conformal_size(rate):
        limit = conformal_threshold(known, rate)
        assert [x > limit for x in new] == [x <= Fraction(str(rate)) for x in plain]


@settings(deadline=None)
@given(st.lists(st.integers(0, 4), min_size=20, max_size=40), RATES)
def test_equal_scores_keep_the_promise(scores, rate):
    """With ties, leaving each out in turn: never more alarms than promised."""
    if len(scores) - 1 < conformal_size(rate):
        return
    alarms = sum(x > conformal_threshold(scores[:i] + scores[i + 1 :], rate) for i, x in enumerate(scores))
    assert Fraction(int(alarms), len(scores)) <= Fraction(str(rate))


@pytest.mark.parametrize(("n", "rate"), [(99, 0.01), (250, 0.05), (40, 0.1)])
def test_measured_rate(n, rate):
    """Over many sets of scores with heavy tails: within binomial limits of what the rank says."""
    random = np.random.default_rng(4)
    sets = 4000
    alarms = sum(random.standard_cauchy() > conformal_threshold(random.standard_cauchy(n), rate) for _ in range(sets))
    exact = math.floor((n + 1) * rate + 1e-9) / (n + 1)
    assert stats.binomtest(int(alarms), sets, exact).pvalue > 1e-3
    assert exact <= rate


def test_p_values_of_ordinary_cases_are_uniform():
    random = np.random.default_rng(5)
    p = [conformal_p_value(random.normal(size=199), random.normal())[0] for _ in range(2000)]
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_the_spread_is_that_of_single_sets():
    """For uniform scores the rate above a threshold is 1 minus the threshold itself."""
    random = np.random.default_rng(6)
    rates = [1 - conformal_threshold(random.random(99), 0.05) for _ in range(4000)]
    low, high = conformal_spread(99, 0.05)
    assert (low, high) == pytest.approx(np.quantile(rates, [0.025, 0.975]), abs=0.004)
    other = stats.beta(5, 95).interval(0.95)
    assert (low, high) == pytest.approx(other)


def test_sizes():
    assert [conformal_size(r) for r in (0.5, 0.3, 0.1, 0.05, 0.01, 0.001)] == [1, 3, 9, 19, 99, 999]


def test_infinite_scores_are_places_in_the_order():
    assert conformal_threshold([0.0] * 18 + [math.inf], 0.05) == math.inf
    assert conformal_p_value([0.0, math.inf], [math.inf, -math.inf]) == pytest.approx([2 / 3, 1])
    assert conformal_p_value([0.0], 3.0).tolist() == [0.5]
    assert conformal_p_value([0.0], []).tolist() == []


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: conformal_threshold(range(98), 0.01), "must be at least 99 for a false-alarm rate of 0.01, got 98"),
        (lambda: conformal_threshold(range(98), 0.01), "Give more ordinary cases, or allow a rate of 0.0101"),
        (lambda: conformal_threshold([], 0.5), "scores must be at least 1 numbers, got 0"),
        (lambda: conformal_threshold([math.nan] * 99, 0.5), "scores must be numbers, got 99 NaN"),
        (lambda: conformal_threshold([1], 0), "false_alarm must be a number above 0 and below 1, got 0"),
        (lambda: conformal_threshold([1], True), "false_alarm must be a number above 0"),
        (lambda: conformal_p_value([1], [math.nan]), "new must be numbers, got 1 NaN"),
        (lambda: conformal_spread(5, 0.01), "scores must be at least 99"),
        (lambda: conformal_spread(0, 0.01), "n must be a whole number of at least 1"),
    ],
)
def test_arguments_that_cannot_be_meant(call, why):
    with pytest.raises(OptionError, match=why):
        call()
