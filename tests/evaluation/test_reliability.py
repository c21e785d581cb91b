"""Reliability against a loop over the answers, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from peakwise.errors import OptionError
from peakwise.evaluation import brier, expected_calibration_error, reliability, wilson_interval

# Also probabilities that lie exactly on limits.
ANSWERS = st.lists(
    st.tuples(st.floats(0, 1) | st.integers(0, 10).map(lambda k: k / 10), st.booleans()), min_size=1, max_size=40
)


@settings(deadline=None)
@given(ANSWERS, st.integers(1, 12))
def test_each_answer_is_in_its_class(answers, bins):
    rows = {row.low: row for row in reliability(*zip(*answers, strict=True), bins=bins)}
    expected = {}
    for p, right in answers:
        place = next(i for i in reversed(range(bins)) if p >= i / bins)
        expected.setdefault(place / bins, []).append((p, right))
    assert rows.keys() == expected.keys()
    for low, inside in expected.items():
        row = rows[low]
        assert row.n == len(inside)
        assert row.high == pytest.approx(low + 1 / bins)
        assert row.probability == pytest.approx(np.mean([p for p, _ in inside]))
        assert row.correct == pytest.approx(np.mean([right for _, right in inside]))
        assert row.interval == wilson_interval(sum(right for _, right in inside), len(inside))
    gap = sum(abs(sum(p for p, _ in inside) - sum(r for _, r in inside)) for inside in expected.values())
    assert expected_calibration_error(*zip(*answers, strict=True), bins=bins) == pytest.approx(gap / len(answers))


def test_it_agrees_with_sklearn():
    random = np.random.default_rng(2)
    p = random.random(2000)
    right = random.random(2000) < p**2
    rows = reliability(p, right)
    shares, means = calibration_curve(right, p, n_bins=10)
    assert [row.correct for row in rows] == pytest.approx(shares)
    assert [row.probability for row in rows] == pytest.approx(means)
    assert brier(p, right) == pytest.approx(brier_score_loss(right, p))
    # E|p² - p| over a uniform p is 1/6.
    assert expected_calibration_error(p, right) == pytest.approx(1 / 6, abs=0.02)


def test_true_probabilities_have_a_small_error():
    random = np.random.default_rng(3)
    p = random.random(50_000)
    assert expected_calibration_error(p, random.random(50_000) < p) < 0.01


@pytest.mark.parametrize(
    ("p", "right", "why"),
    [
        ([1.2], [1], "probability must be between 0 and 1, got 1.2 to 1.2. Give probabilities, not scores"),
        ([-0.1], [1], "probability must be between 0 and 1"),
        ([0.5], [1, 0], "correct must be 1 truth values, one for each answer, got 2"),
        ([0.5], [0.5], "correct must be true or false, got 0.5"),
        ([np.nan], [1], "probability must be numbers, got 1 NaN"),
        ([], [], "probability must be at least 1 numbers"),
    ],
)
def test_arguments_that_cannot_be_meant(p, right, why):
    for function in (reliability, brier, expected_calibration_error):
        with pytest.raises(OptionError, match=why):
            function(p, right)


def test_bins_are_counted():
    with pytest.raises(OptionError, match="bins must be a whole number of at least 1"):
        reliability([0.5], [1], bins=0)
