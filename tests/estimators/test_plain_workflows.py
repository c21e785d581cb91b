"""Workflows of descriptors without a network: against scikit-learn, plain slow formulas and planted answers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.cross_decomposition import PLSRegression
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
from sklearn.linear_model import Ridge as SklearnRidge

from peakwise.errors import OptionError
from peakwise.estimators._regression_gaussian import evidence, fit_scales, left_out, solve
from peakwise.estimators._regression_linear import fit_ridge
from peakwise.estimators._regression_rows import PREPARATIONS, PreparedRows
from peakwise.estimators._regression_workflow import Task
from peakwise.estimators._workflow_boosting import Boosting
from peakwise.estimators._workflow_forest import Forest
from peakwise.estimators._workflow_gaussian_process import GaussianProcess
from peakwise.estimators._workflow_partial_least_squares import PartialLeastSquares
from peakwise.estimators._workflow_partial_least_squares import _simpls as simpls
from peakwise.estimators._workflow_ridge import Ridge
from peakwise.estimators._workflow_rocket import Rocket

KINDS = {
    "ridge": (Ridge, {}),
    "partial_least_squares": (PartialLeastSquares, {"n_components": 8}),
    "forest": (Forest, {"n_trees": 20}),
    "boosting": (Boosting, {"n_trees": 40}),
    "gaussian_process": (GaussianProcess, {"n_components": 6, "preparation": "none"}),
    "rocket": (Rocket, {"n_features": 1200}),
}


def spectra(n, m=60, seed=0):
    """A peak that moves with the first target and grows with the second, on a slope; and a second modality."""
    rng = np.random.default_rng(seed)
    y = rng.random((n, 2))
    x = np.linspace(0, 1, m)
    place = 0.35 + 0.3 * y[:, :1]
    rows = (0.5 + y[:, 1:]) * np.exp(-(((x - place) / 0.06) ** 2)) + 0.2 * x + rng.normal(0, 0.01, (n, m))
    other = y[:, 1:] * np.sin(6 * np.linspace(0, 1, 30)) + rng.normal(0, 0.05, (n, 30))
    return {"xrd": rows, "vdos": other}, y


@pytest.fixture(scope="module")
def data():
    return spectra(120), spectra(80, seed=1)


@pytest.fixture(scope="module", params=KINDS)
def learned(request, data):
    kind, options = KINDS[request.param]
    return request.param, kind, options, kind(**options).fit(*data[0], Task(random_state=3))


def test_it_learns_what_was_planted(learned, data):
    rows, y = data[1]
    wrong = np.sqrt(np.mean((learned[3].predict(rows) - y) ** 2, axis=0))
    assert wrong.max() < {"gaussian_process": 0.03, "rocket": 0.05}.get(learned[0], 0.12)  # the mean alone: 0.29


def test_it_comes_back_from_its_arrays(learned, data):
    name, kind, options, made = learned
    told, arrays = made.state()
    assert all(array.dtype.kind in "if" for array in arrays.values())
    again = kind(**options).restore(told, {key: array.copy() for key, array in arrays.items()})
    rows, _ = data[1]
    np.testing.assert_allclose(again.predict(rows), made.predict(rows), rtol=0, atol=1e-12)
    spread = made.spread(rows)
    assert (spread is not None) == (name in ("forest", "gaussian_process"))
    if spread is not None:
        np.testing.assert_allclose(again.spread(rows), spread, rtol=1e-6, atol=1e-9)


def test_arrays_that_do_not_fit_are_refused(learned):
    _, kind, options, made = learned
    told, arrays = made.state()
    for name, array in arrays.items():
        if array.size < 2:
            continue
        broken = {**arrays, name: array[:-1] if array.ndim < 2 else array[:, :-1]}
        with pytest.raises(ValueError, match=r"shape|differ|trees|weights|thresholds|features|preparation|process"):
            kind(**options).restore(told, broken)


def test_the_same_seed_gives_the_same_model(learned, data):
    _, kind, options, made = learned
    again = kind(**options).fit(*data[0], Task(random_state=3))
    np.testing.assert_array_equal(again.predict(data[1][0]), made.predict(data[1][0]))


def test_both_modalities_are_used(learned, data):
    rows, _ = data[1]
    told = learned[3].predict(rows)
    for name in rows:
        assert np.abs(learned[3].predict({**rows, name: rows[name][::-1].copy()}) - told).max() > 1e-3


# --- ridge


def test_leaving_out_is_what_leaving_out_does():
    rng = np.random.default_rng(0)
    table, y = rng.normal(size=(25, 40)), rng.normal(size=(25, 2))
    weights, offsets, errors = fit_ridge(table, y)
    # The strength that was chosen is found again: the same weights by scikit-learn.
    from peakwise.estimators import _regression_linear as linear

    unit = float(((table - table.mean(axis=0)) ** 2).sum()) / 25
    for t in range(2):
        found = []
        for strength in linear.STRENGTHS * unit:
            wrong = []
            for i in range(25):
                others = np.arange(25) != i
                plain = SklearnRidge(alpha=strength).fit(table[others], y[others, t])
                wrong.append(y[i, t] - plain.predict(table[i : i + 1])[0])
            found.append(np.mean(np.square(wrong)))
            if found[-1] == min(found):
                best, least = strength, wrong
        whole = SklearnRidge(alpha=best).fit(table, y[:, t])
        # Means are learned of all patterns here and of the others there: no more than that apart.
        np.testing.assert_allclose(errors[:, t], least, atol=1e-6)
        np.testing.assert_allclose(weights[:, t], whole.coef_, atol=1e-6)
        assert offsets[t] == pytest.approx(whole.intercept_, abs=1e-6)


# --- partial least squares


def test_partial_least_squares_is_that_of_scikit_learn():
    rows, y = spectra(50)
    x = rows["xrd"]
    ways = simpls(x - x.mean(axis=0), y[:, 0], 6)
    for k in range(1, 7):
        other = PLSRegression(k, scale=False).fit(x, y[:, 0])
        told = (x - x.mean(axis=0)) @ ways[:, k - 1] + y[:, 0].mean()
        np.testing.assert_allclose(told, other.predict(x).ravel(), atol=1e-8)


def test_more_components_than_there_can_be_change_nothing():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=30)
    ways = simpls(x - x.mean(axis=0), y, 9)
    plain = np.linalg.lstsq(x - x.mean(axis=0), y - y.mean(), rcond=None)[0]
    np.testing.assert_allclose(ways[:, 2:], np.repeat(plain[:, None], 7, axis=1), atol=1e-9)


# --- trees


def test_the_flat_forest_answers_as_scikit_learn(data):
    (rows, y), (asked, _) = data
    made = Forest(15, 2).fit(rows, y, Task(random_state=5))
    _, table = PreparedRows.learn(rows, "none")
    other = RandomForestRegressor(15, min_samples_leaf=2, max_features=0.33, random_state=5).fit(table, y)
    np.testing.assert_allclose(made.predict(asked), other.predict(made._ready.apply(asked)), atol=1e-12)
    every = np.stack([tree.predict(made._ready.apply(asked)) for tree in other.estimators_])
    np.testing.assert_allclose(made.spread(asked), every.std(axis=0), atol=1e-12)


def test_the_flat_boosting_answers_as_scikit_learn(data):
    (rows, y), (asked, _) = data
    made = Boosting(20, 0.1, 3, n_components=10).fit(rows, y, Task(random_state=5))
    for t in range(2):
        other = GradientBoostingRegressor(
            n_estimators=20, learning_rate=0.1, max_depth=3, subsample=0.6, max_features="sqrt", random_state=5
        ).fit(made._ready.apply(rows), y[:, t])
        np.testing.assert_allclose(made.predict(asked)[:, t], other.predict(made._ready.apply(asked)), atol=1e-9)


# --- Gaussian process


def scales(size, length, linear, noise, k):
    return np.log(np.concatenate([[size], np.full(k, length), [linear, noise]]))


def test_the_evidence_and_the_answer_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    points, y, asked = rng.normal(size=(40, 3)), rng.normal(size=40), rng.normal(size=(9, 3))
    known = scales(0.8, 1.7, 0.3, 0.2, 3)
    kernel = ConstantKernel(0.64) * RBF(1.7) + ConstantKernel(0.09) * DotProduct(1e-5) + WhiteKernel(0.04)
    other = GaussianProcessRegressor(kernel, optimizer=None, alpha=0).fit(points, y)
    assert evidence(points, y, known)[0] == pytest.approx(-other.log_marginal_likelihood_value_, rel=1e-6)
    process = GaussianProcess()
    process._ready, _ = PreparedRows.learn({"x": points}, "none")
    process._ready = PreparedRows("none", np.zeros(3), np.ones(3), np.eye(3))
    process._unit, process._points, process._scales = np.ones(3), points, known[None]
    process._means, process._known = np.zeros(1), y[:, None]
    mean, deviation = other.predict(asked, return_std=True)
    process._solved()
    np.testing.assert_allclose(process.predict({"x": asked})[:, 0], mean, atol=1e-7)
    np.testing.assert_allclose(process.spread({"x": asked})[:, 0], deviation, rtol=1e-6)


def test_the_slope_of_the_evidence_is_its_slope():
    rng = np.random.default_rng(2)
    points, y = rng.normal(size=(25, 4)), rng.normal(size=25)
    at = rng.normal(0, 0.5, 7)
    off = check_grad(lambda s: evidence(points, y, s)[0], lambda s: evidence(points, y, s)[1], at)
    assert off < 1e-4


def test_left_out_errors_are_those_of_leaving_out():
    rng = np.random.default_rng(3)
    points, y = rng.normal(size=(15, 2)), rng.normal(size=15)
    known = scales(1, 1.2, 0.2, 0.3, 2)
    kernel = RBF(1.2) + ConstantKernel(0.04) * DotProduct(1e-5) + WhiteKernel(0.09)
    for i in range(15):
        others = np.arange(15) != i
        plain = GaussianProcessRegressor(kernel, optimizer=None, alpha=0).fit(points[others], y[others])
        wrong = y[i] - plain.predict(points[i : i + 1])[0]
        assert left_out(points, y, known)[i] == pytest.approx(wrong, abs=1e-6)


def test_the_noise_that_was_planted_is_found():
    rng = np.random.default_rng(4)
    points = rng.uniform(-2, 2, (150, 2))
    y = np.sin(2 * points[:, 0]) + 0.1 * rng.normal(size=150)
    found = fit_scales(points, y - y.mean())
    assert np.exp(found[-1]) == pytest.approx(0.1, rel=0.25)
    assert found[2] > found[1] + 1  # the second number does not matter: it gets a long length
    lower, _ = solve(points, y, found)
    assert np.isfinite(lower).all()


# --- rocket


def test_shares_are_counted_as_a_plain_loop_counts_them():
    rng = np.random.default_rng(0)
    rows = {"x": rng.normal(size=(12, 40))}
    made = Rocket(700).fit(rows, rng.random((12, 1)), Task())
    dilations, limits = made._plans["x"]
    table = made._features(rows).reshape(12, len(dilations), 84, limits.shape[2], 7)
    kernels = list(combinations(range(9), 3))
    for i, d, k in ((0, 0, 0), (3, len(dilations) - 1, 17), (11, 0, 83)):
        weights = np.array([2 if j in kernels[k] else -1 for j in range(9)])
        assert weights.sum() == 0
        line = np.zeros(40)
        for at in range(40):
            for j in range(9):
                place = at + (j - 4) * dilations[d]
                if 0 <= place < 40:
                    line[at] += weights[j] * np.float32(rows["x"][i, place])
        for j, limit in enumerate(limits[d, k]):
            parts = (line, line[:20], line[20:], line[:10], line[10:20], line[20:30], line[30:])
            expected = [np.mean(part > limit) for part in parts]
            # A point may lie exactly at a threshold, which is one of the values.
            np.testing.assert_allclose(table[i, d, k, j], expected, atol=0.11 if i == 0 else 0.101)


def test_short_and_long_patterns_can_be_learned():
    rng = np.random.default_rng(1)
    for m in (2, 9, 1500):
        rows = {"x": rng.random((10, m))}
        assert np.isfinite(Rocket(200).fit(rows, rng.random((10, 1)), Task()).predict(rows)).all()


# --- rows


@pytest.mark.parametrize("name", PREPARATIONS)
def test_preparations_do_what_they_are_called(name):
    rng = np.random.default_rng(0)
    rows = {"x": rng.random((20, 30)) + 1}
    ready, table = PreparedRows.learn(rows, name)
    np.testing.assert_allclose(ready.apply(rows), table, atol=1e-12)
    np.testing.assert_allclose(table.mean(axis=0), 0, atol=1e-9)
    changed = {"none": None, "root": None, "snv": 3 * rows["x"] + 2, "first_derivative": rows["x"] + 5}
    changed |= {"second_derivative": rows["x"] + np.arange(30.0), "snv_second_derivative": 3 * rows["x"] + 2}
    if changed[name] is not None:
        np.testing.assert_allclose(ready.apply({"x": changed[name]}), table, atol=1e-9)


def test_components_hold_what_the_table_holds():
    rows, _ = spectra(20)
    ready, short = PreparedRows.learn(rows, "none", n_components=100)
    _, whole = PreparedRows.learn(rows, "none")
    assert short.shape[1] <= 19
    np.testing.assert_allclose(short @ ready.axes.T, whole, atol=1e-6)


def test_options_that_cannot_be_meant_are_refused(data):
    rows, y = data[0]
    for workflow, said in (
        (Ridge(preparation="magic"), "preparation must be auto, none, root"), (Ridge(0), "n_components must be"),
        (Forest(2.5), "n_trees must be a whole number"), (Boosting(learning_rate=2), "learning_rate must be above 0"),
        (GaussianProcess(most=0), "most must be a whole"), (Rocket(True), "n_features must be a whole"),
        (PartialLeastSquares(preparation=3), "preparation must be"),
    ):  # fmt: skip
        with pytest.raises(OptionError, match=said):
            workflow.fit(rows, y, Task())
