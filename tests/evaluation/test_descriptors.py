"""Scores of descriptors against scikit-learn and counting by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from peakwise.errors import OptionError
from peakwise.evaluation import descriptor_scores


@given(st.integers(2, 60), st.integers(0, 2**32 - 1))
def test_scores_are_those_of_scikit_learn(n, seed):
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 2, n)
    told = truth + rng.normal(0.1, 0.5, n)
    low, high = told - rng.random(n), told + rng.random(n)
    made = descriptor_scores(truth, told, low, high)
    assert made.r2 == pytest.approx(r2_score(truth, told))
    assert made.rmse == pytest.approx(root_mean_squared_error(truth, told))
    assert made.mae == pytest.approx(mean_absolute_error(truth, told))
    assert made.nrmse == pytest.approx(made.rmse / (max(truth) - min(truth)))
    assert made.held == sum(a <= t <= b for a, t, b in zip(low, truth, high, strict=True))
    assert made.coverage == made.held / n
    assert made.bias == pytest.approx(told.mean() - truth.mean())


def test_a_constant_truth_has_no_share_of_variance():
    made = descriptor_scores([2, 2], [1, 3])
    assert math.isnan(made.r2)
    assert math.isnan(made.nrmse)
    assert (made.rmse, made.held, made.coverage, made.width) == (1, None, None, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([1, 2], [1]), "answers must be as many as the truth (2), got 1"),
        (([1, np.nan], [1, 2]), "truth must be numbers, got 1 NaN"),
        (([], []), "truth must be at least 1 numbers"),
        (([1], [1], [0]), "low and high must be given together"),
        (([1, 2], [1, 2], [0], [3]), "low and high must be as many as the truth (2)"),
    ],
)
def test_what_cannot_be_judged_is_refused(arguments, said):
    with pytest.raises(OptionError, match="cannot judge the answers") as caught:
        descriptor_scores(*arguments)
    assert said in str(caught.value)
