"""Scores of strangeness against slow plain formulas, and a threshold that keeps its promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from peakwise.novelty import (
    SCORES,
    Combined,
    Nearest,
    Residual,
    Spread,
    corrections,
    cross_scores,
    folds,
    leftovers,
    mixture_of,
    noise_of,
    tail_p_values,
    tail_threshold,
    without_noise,
)
from peakwise.novelty._score import distances

X = np.linspace(10, 60, 600)


def lines(*places, width=0.3):
    return sum(np.exp(-(((X - p) / width) ** 2)) for p in places)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def known():
    rng = np.random.default_rng(0)
    return unit(
        np.array([lines(20, 30) + rng.uniform(0.5, 1) * lines(44) for _ in range(30)]) + rng.normal(0, 0.01, (30, 600))
    )


@pytest.mark.parametrize("name", SCORES)
def test_a_foreign_pattern_is_stranger_than_all_known(known, name):
    score = SCORES[name]()
    score.learn(known[:20], 0)
    foreign = unit(lines(25, 52)[None] + 0.01)
    values = score.measure(np.concatenate([known[20:], foreign]))
    assert values.shape == (11,)
    assert (values >= 0).all()
    assert values[-1] > values[:-1].max()


def test_distances_are_those_of_scikit_learn(known):
    found, _ = NearestNeighbors(n_neighbors=1).fit(known[:20]).kneighbors(known[20:])
    assert np.allclose(distances(known[20:], known[:20]).min(axis=1), found[:, 0])


def test_residual_and_spread_are_those_of_principal_components(known):
    residual, spread = Residual(), Spread()
    residual.learn(known, 0)
    spread.learn(known, 0)
    k = len(spread.variances)
    plain = PCA(k, svd_solver="full").fit(known)
    new = unit(lines(20, 33)[None] + 0.01)
    places = plain.transform(new)
    assert residual.measure(new)[0] == pytest.approx(np.linalg.norm(new - plain.inverse_transform(places)), rel=1e-6)
    assert spread.measure(new)[0] == pytest.approx(np.sqrt((places**2 / plain.explained_variance_).sum()), rel=1e-6)


def test_the_nearest_forgives_scale_and_a_small_shift_but_not_a_sign(known):
    score = Nearest()
    score.learn(known, 0)
    same, moved, turned = 7 * known[3], np.roll(known[3], 1), -known[3]
    which, left = score.nearest(np.array([unit(same), moved, turned]))
    assert which[:2].tolist() == [3, 3]
    assert left[:2] == pytest.approx([0, 0], abs=0.02)
    assert left[2] == pytest.approx(1)


def test_scores_of_left_out_rows_do_not_know_them(known):
    groups = folds(30, 0)
    made = cross_scores([Nearest], known, groups, 0)
    for group in np.unique(groups):
        score = Nearest()
        score.learn(known[groups != group], 0)
        assert made[groups == group, 0] == pytest.approx(score.measure(known[groups == group]))
    assert folds(8, 0).tolist() == list(range(8))


def test_combined_is_the_mean_of_robust_logarithms():
    table = np.exp(np.random.default_rng(0).normal([0, 3], [1, 0.5], (99, 2)))
    combined = Combined.learn(table)
    logs = np.log(table)
    middle = np.median(logs, axis=0)
    spread = 1.4826 * np.median(np.abs(logs - middle), axis=0)
    assert combined.of(table) == pytest.approx(((logs - middle) / spread).mean(axis=1))


@settings(deadline=None, max_examples=30)
@given(st.integers(5, 300), st.sampled_from([0.01, 0.02, 0.05, 0.2]), st.integers(0, 1000))
def test_below_the_rate_means_above_the_threshold(n, rate, seed):
    rng = np.random.default_rng(seed)
    old, new = rng.exponential(size=n), rng.exponential(size=50) * 2
    above = new > tail_threshold(old, rate)
    assert ((tail_p_values(old, new) <= rate + 1e-9) == above).all()


@pytest.mark.parametrize("n", [20, 50, 99, 300])
def test_the_rate_of_false_alarms_is_kept_on_average(n):
    rng = np.random.default_rng(n)
    alarms = [(rng.normal(size=200) > tail_threshold(rng.normal(size=n), 0.01)).mean() for _ in range(400)]
    # Twenty scores alone could promise 1/21; the tail that is continued is a guess, and a fair one.
    assert np.mean(alarms) < (0.015 if n >= 50 else 0.02)


@pytest.mark.parametrize(
    ("kind", "is_angle", "made"),
    [
        ("zero shift", True, lambda x: np.interp(x - 0.1, x, lines(20, 30, 44))),
        ("wavelength", False, lambda x: np.interp(x / 1.005, x, lines(20, 30, 44))),
    ],
)
def test_a_shift_or_a_stretch_is_taken_back(kind, is_angle, made):
    truth = unit(lines(20, 30, 44)[None])
    wrong = unit(made(X))
    found = {c.kind: c for c in corrections(X, wrong, truth, is_angle=is_angle)}[kind]
    assert found.row @ truth[0] > 0.995 > wrong @ truth[0]
    assert found.amount == pytest.approx(
        0.1 if kind == "zero shift" else 0.005, abs=0.02 if kind == "zero shift" else 5e-4
    )


def test_a_mixture_is_taken_apart_and_one_pattern_is_none(known):
    phases = np.array([lines(20, 30), lines(25, 41), lines(33, 52)])
    names = np.array(["a", "b", "c"])
    parts, left = mixture_of(0.6 * phases[0] + 0.4 * phases[2], phases, names)
    assert dict(parts) == pytest.approx({0: 0.6, 2: 0.4}, abs=0.01)
    assert left < 1e-6
    assert mixture_of(phases[1], phases, names)[0] == []
    # Two scans of one phase are no mixture.
    assert (
        mixture_of(
            phases[0] + np.roll(phases[0], 5), np.array([phases[0], np.roll(phases[0], 5)]), np.array(["a", "a"])
        )[0]
        == []
    )


def test_the_share_of_noise_is_that_which_was_put_on():
    rng = np.random.default_rng(0)
    truth = unit(lines(20, 30, 44) + 0.1)
    assert noise_of(unit(truth + rng.normal(0, 0.02, 600))) == pytest.approx(0.02 * np.sqrt(600), rel=0.3)
    assert noise_of(np.ones(3)) == 0


def test_without_noise_a_known_pattern_is_itself_and_a_new_peak_stays():
    rng = np.random.default_rng(0)
    truth = unit(lines(20, 30, 44) + 0.1)
    np.testing.assert_allclose(without_noise(unit(truth + rng.normal(0, 0.02, 600)), truth), truth, atol=1e-9)
    new = unit(truth + 0.06 * lines(52) + rng.normal(0, 0.008, 600))
    quiet = without_noise(new, truth)
    assert np.abs(quiet - truth).max() > 0.04  # the peak
    assert noise_of(quiet) < 0.2 * noise_of(new)
    assert without_noise(unit(rng.normal(0, 1, 600)), truth) is None  # nothing known is seen in it
    assert without_noise(truth[:4], truth[:4]) is None


def test_left_over_peaks_are_where_they_were_put():
    truth = lines(20, 30, 44) + 0.1
    found = leftovers(X, truth + 0.4 * lines(36.5) + 0.2 * lines(52), truth)
    assert [p.position for p in found] == pytest.approx([36.5, 52], abs=0.1)
    assert leftovers(X, 3 * truth, truth) == []
