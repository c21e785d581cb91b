"""Conformal intervals: the promised coverage, on data whose errors are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peakwise.errors import OptionError
from peakwise.evaluation import ConformalIntervals


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
@pytest.mark.parametrize("n", [19, 60])
def test_coverage_is_what_was_promised(level, n):
    """Mean over many sets of errors, each with one new case; skewed errors that grow with the spread."""
    rng = np.random.default_rng(0)
    held = np.empty((3000, 2))
    for k in range(3000):
        spread = rng.uniform(0.1, 3, (n + 1, 2))
        errors = spread * rng.exponential(1, (n + 1, 2))
        reach = ConformalIntervals.learn(errors[1:], spread[1:]).reach(level, spread[:1])
        held[k] = np.abs(errors[0]) <= reach[0]
    ideal = np.ceil((n + 1) * level) / (n + 1)
    assert held.mean(axis=0) == pytest.approx(ideal, abs=0.025)


def test_the_half_width_is_the_order_statistic():
    errors = np.array([[3.0], [-1.0], [2.0], [-9.0], [0.5], [4.0], [1.5], [6.0], [0.1]])
    made = ConformalIntervals.learn(errors)
    assert made.reach(0.9)[0, 0] == 9.0  # the 9th of 9: ceil(10 x 0.9)
    assert made.reach(0.5)[0, 0] == 2.0  # the 5th
    assert not made.promises(0.95)
    assert made.reach(0.95)[0, 0] == 18.0


@given(st.floats(0.1, 100), st.floats(0.01, 100))
def test_units_of_errors_and_of_the_spread_do_not_matter(unit, other):
    rng = np.random.default_rng(3)
    errors, spread = rng.normal(size=(40, 1)), rng.uniform(0.1, 1, (40, 1))
    plain = ConformalIntervals.learn(errors, spread).reach(0.8, spread[:5])
    scaled = ConformalIntervals.learn(unit * errors, other * spread).reach(0.8, other * spread[:5])
    assert scaled == pytest.approx(unit * plain, rel=1e-9)


def test_a_wider_spread_gives_a_wider_interval():
    rng = np.random.default_rng(4)
    made = ConformalIntervals.learn(rng.normal(size=(50, 1)), rng.uniform(0.5, 1, (50, 1)))
    reach = made.reach(0.9, np.array([[0.0], [1.0], [5.0]]))[:, 0]
    assert 0 < reach[0] < reach[1] < reach[2]


def test_what_does_not_fit_is_refused():
    with pytest.raises(OptionError, match="errors must be numbers, got 1 NaN"):
        ConformalIntervals.learn([[np.nan]])
    with pytest.raises(OptionError, match="spread must be numbers of 0 or more in the shape"):
        ConformalIntervals.learn([[1.0]], [[-1.0]])
    with pytest.raises(OptionError, match="level must be a number above 0 and below 1"):
        ConformalIntervals.learn([[1.0]]).reach(1.0)
