"""Calibrations against general minimisers of the same loss, written down once more, plainly."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_softmax
from sklearn.isotonic import IsotonicRegression

from peakwise.errors import OptionError
from peakwise.evaluation import (
    CALIBRATIONS,
    IsotonicCalibration,
    LogisticCalibration,
    TemperatureCalibration,
    expected_calibration_error,
)


def platt(right):
    n_true, n_false = sum(right), len(right) - sum(right)
    return np.array([(n_true + 1) / (n_true + 2) if r else 1 / (n_false + 2) for r in right])


# -- temperature


def classes(temperature, n=4000, k=5, seed=0):
    random = np.random.default_rng(seed)
    true_logits = random.normal(0, 2, (n, k))
    labels = (true_logits + random.gumbel(size=(n, k))).argmax(axis=1)
    return true_logits * temperature, labels


@pytest.mark.parametrize("temperature", [0.2, 1.0, 3.0, 50.0])
def test_the_temperature_that_spoiled_the_logits_is_found(temperature):
    logits, labels = classes(temperature)
    found = TemperatureCalibration().fit(logits, labels)
    assert found.temperature_ == pytest.approx(temperature, rel=0.06)
    p = found.predict(logits)
    assert (p.argmax(axis=1) == logits.argmax(axis=1)).all()
    assert expected_calibration_error(p.max(axis=1), p.argmax(axis=1) == labels) < 0.03


@pytest.mark.parametrize("seed", range(4))
def test_the_temperature_is_the_minimum(seed):
    logits, labels = classes([0.1, 1, 10, 100][seed], n=25, seed=seed)
    n, k = logits.shape

    def loss(log_t):
        ll = log_softmax(logits / np.exp(log_t), axis=1)
        truth = ll[np.arange(n), labels]
        rest = (ll.sum(axis=1) - truth) / (k - 1)
        return -np.mean((n + 1) / (n + 2) * truth + rest / (n + 2))

    best = minimize_scalar(loss, bounds=(-8, 12), method="bounded", options={"xatol": 1e-9})
    assert TemperatureCalibration().fit(logits, labels).temperature_ == pytest.approx(np.exp(best.x), rel=1e-4)


def test_single_statements_have_a_temperature_too():
    random = np.random.default_rng(8)
    z = random.normal(0, 2, 4000)
    right = random.random(4000) < expit(z)
    found = TemperatureCalibration().fit(4 * z, right)
    assert found.temperature_ == pytest.approx(4, rel=0.1)
    assert found.predict(4 * z) == pytest.approx(expit(4 * z / found.temperature_))


def test_a_perfect_network_stays_finite_and_a_useless_one_says_nothing():
    perfect = TemperatureCalibration().fit([[9, 0], [0, 9], [9, 0]], [0, 1, 0])
    # n = 3: the truth counts as 4/5, and all margins are alike, so that p of the truth is 4/5.
    assert perfect.predict([[9, 0]])[0, 0] == pytest.approx(0.8)
    wrong = TemperatureCalibration().fit([[9, 0], [0, 9], [9, 0]], [1, 0, 1])
    assert wrong.predict([[9, 0]])[0] == pytest.approx([0.5, 0.5], abs=1e-4)
    assert TemperatureCalibration().fit([[3, 3], [3, 3]], [0, 1]).temperature_ == 1


def test_huge_logits_do_not_overflow():
    found = TemperatureCalibration().fit([[1e6, -1e6], [-1e6, 1e6], [1e6, -1e6]], [0, 1, 1])
    assert np.isfinite(found.predict([[1e6, -1e6], [1e300, 0]])).all()
    assert np.isfinite(found.predict([-1e300, 1e300])).all()


# -- logistic


def loss_of(x, right, ridge):
    mean, scatter = x.mean(axis=0), x.std(axis=0)
    t = platt(right)

    def loss(w):
        z = w[0] + ((x - mean) / scatter) @ w[1:]
        return -np.sum(t * np.log(expit(z)) + (1 - t) * np.log(expit(-z))) + ridge / 2 * np.sum(w[1:] ** 2)

    return loss, mean, scatter


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ridge", [0.01, 5.0])
def test_slopes_are_the_minimum(seed, ridge):
    random = np.random.default_rng(seed)
    x = random.normal(size=(60, 3)) * [1, 100, 0.01] + [0, 1000, 3]
    z = ((x - x.mean(axis=0)) / x.std(axis=0)) @ random.normal(0, 1.5, 3)  # some slopes are negative
    right = random.random(60) < expit(z)
    loss, mean, scatter = loss_of(x, right, ridge)
    best = minimize(loss, np.zeros(4), method="L-BFGS-B", bounds=[(None, None)] + [(0, None)] * 3,
                    options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 10_000})  # fmt: skip
    found = LogisticCalibration(ridge=ridge).fit(x, right)
    ours = np.r_[found.intercept_ + found.slope_ @ mean, found.slope_ * scatter]
    assert loss(ours) <= best.fun + 1e-9
    assert ours == pytest.approx(best.x, abs=1e-4)
    assert (found.slope_ >= 0).all()


def test_the_known_slope_is_found():
    random = np.random.default_rng(9)
    x = random.normal(5, 2, 20_000)
    found = LogisticCalibration().fit(x, random.random(20_000) < expit(1.5 * x - 6))
    assert found.slope_[0] == pytest.approx(1.5, rel=0.05)
    assert found.intercept_ == pytest.approx(-6, rel=0.05)
    assert found.predict([4.0])[0] == pytest.approx(0.5, abs=0.01)


def test_scores_that_part_the_cases_do_not_promise_certainty():
    found = LogisticCalibration(ridge=0).fit([1, 2, 3, 11, 12, 13], [0, 0, 0, 1, 1, 1])
    p = found.predict([1, 2, 3, 11, 12, 13])
    assert 0.1 < p[0] < 0.3
    assert 0.7 < p[-1] < 0.9


def test_scores_that_speak_the_wrong_way_are_left_out():
    found = LogisticCalibration().fit([3, 2, 1, 0], [0, 0, 1, 1])
    assert found.slope_.tolist() == [0]
    assert found.predict([-100, 100]) == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("x", [[1.0, 1.0, 1.0], [1e300, 1e300, 1e300], [[1, 2], [1, 2], [1, 2]]])
@pytest.mark.parametrize("right", [[1, 1, 1], [0, 0, 0], [0, 1, 1]])
def test_constant_scores_give_the_base_rate(x, right):
    found = LogisticCalibration().fit(x, right)
    assert found.predict(x) == pytest.approx(np.full(3, platt(right).mean()), abs=1e-6)


def test_the_same_score_twice_is_no_problem():
    x = np.random.default_rng(1).normal(size=50)
    right = x > np.random.default_rng(2).normal(size=50)
    once = LogisticCalibration(ridge=0).fit(x, right)
    twice = LogisticCalibration(ridge=0).fit(np.stack([x, x], axis=1), right)
    assert twice.predict(np.stack([x, x], axis=1)) == pytest.approx(once.predict(x), abs=1e-6)


# -- isotonic

CASES = st.lists(st.tuples(st.integers(-9, 9), st.booleans()), min_size=1, max_size=40)


@settings(deadline=None)
@given(CASES)
def test_isotonic_agrees_with_sklearn(cases):
    x, right = np.array(cases).T
    n = len(cases)
    grid = np.linspace(-12, 12, 97)
    other = IsotonicRegression(out_of_bounds="clip").fit(x.astype(float), right.astype(float))
    at_corners = np.clip(other.predict(np.unique(x).astype(float)), 1 / (n + 2), (n + 1) / (n + 2))
    found = IsotonicCalibration().fit(x, right)
    assert found.predict(grid) == pytest.approx(np.interp(grid, np.unique(x), at_corners))


def test_isotonic_follows_any_rising_shape():
    random = np.random.default_rng(10)
    x = random.random(20_000)
    shape = np.where(x < 0.5, 0.1, 0.2 + 0.7 * x)
    found = IsotonicCalibration().fit(x, random.random(20_000) < shape)
    assert np.mean(np.abs(found.predict(x) - shape)) < 0.02


# -- all of them

FITTED = {
    "temperature": TemperatureCalibration().fit([2.0, -1.0, 0.5, 3.0], [1, 0, 0, 1]),
    "logistic": LogisticCalibration().fit([2.0, -1.0, 0.5, 3.0], [1, 0, 0, 1]),
    "isotonic": IsotonicCalibration().fit([2.0, -1.0, 0.5, 3.0], [1, 0, 0, 1]),
}


def test_each_is_in_the_table():
    assert {name: type(c) for name, c in FITTED.items()} == CALIBRATIONS


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_recipes_are_plain_and_exact(name):
    recipe = json.loads(json.dumps(FITTED[name].to_recipe(), allow_nan=False))
    again = CALIBRATIONS[name].from_recipe(recipe)
    x = np.linspace(-5, 5, 31)
    assert (again.predict(x) == FITTED[name].predict(x)).all()


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(CALIBRATIONS)),
    hnp.arrays(float, st.integers(1, 25), elements=st.floats(-1e6, 1e6)),
    st.randoms(use_true_random=False),
)
def test_the_order_is_kept_and_nothing_is_certain(name, x, random):
    right = [random.random() < 0.6 for _ in x]
    found = CALIBRATIONS[name]().fit(x, right)
    p = found.predict(np.sort(x))
    assert np.isfinite(p).all()
    assert (np.diff(p) >= -1e-12).all()
    if name == "isotonic":
        assert p.min() >= 1 / (x.size + 2) - 1e-12
        assert p.max() <= 1 - 1 / (x.size + 2) + 1e-12


@pytest.mark.parametrize("name", CALIBRATIONS)
def test_arguments_that_cannot_be_meant(name):
    make = CALIBRATIONS[name]
    with pytest.raises(OptionError, match=f"{make.__name__} must be fitted, and fit was not called. Call fit"):
        make().predict([1.0])
    with pytest.raises(OptionError, match="must be fitted"):
        make().to_recipe()
    with pytest.raises(OptionError, match="scores must be at least 1 numbers"):
        make().fit([], [])
    with pytest.raises(OptionError, match="scores must be finite"):
        make().fit([1, np.inf], [0, 1])
    with pytest.raises(OptionError, match="correct must be 2 truth values"):
        make().fit([1, 2], [0])
    with pytest.raises(OptionError, match="correct must be true or false, got 2"):
        make().fit([1, 2], [0, 2])
    assert FITTED[name].predict([]).shape == (0,)


def test_arguments_of_single_ones():
    with pytest.raises(OptionError, match="correct must be 2 numbers of labels, 0 to 1, got 2 from 0 to 2"):
        TemperatureCalibration().fit([[1, 2], [3, 4]], [0, 2])
    with pytest.raises(OptionError, match="scores must be logits of at least two labels, got 1"):
        TemperatureCalibration().fit([[1], [3]], [0, 0])
    with pytest.raises(OptionError, match="ridge must be a number of at least 0, got -1"):
        LogisticCalibration(ridge=-1).fit([1], [1])
    with pytest.raises(OptionError, match="scores must be 1 for each case, as in fit, got 2"):
        FITTED["logistic"].predict([[1, 2]])
    with pytest.raises(OptionError, match="temperature must be above 0"):
        TemperatureCalibration.from_recipe({"temperature": -1})
    with pytest.raises(OptionError, match="slope must be at least 0"):
        LogisticCalibration.from_recipe({"slope": [-1], "intercept": 0})
    with pytest.raises(OptionError, match="probabilities must be rising"):
        IsotonicCalibration.from_recipe({"scores": [1, 2], "probabilities": [0.5, 0.4]})
