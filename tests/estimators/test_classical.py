"""The classical models against scikit-learn, the cosine matcher against plain loops, and all through a model file."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression as TheirLogistic
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

import peakwise as pw
from peakwise.crystal import TEXTBOOK
from peakwise.errors import ModelFileError, OptionError
from peakwise.estimators import (
    ESTIMATORS,
    CosineMatcher,
    LogisticRegression,
    NaiveBayes,
    NearestNeighbours,
    RandomForest,
    SupportVectors,
    load,
)
from peakwise.modelfiles import read_model, write_model
from peakwise.simulate import Ranges, Simulator, plain_simulator


def plain_rows(X):
    """The features, written out: square root, then length 1."""
    return np.array([np.sqrt(row) / np.linalg.norm(np.sqrt(row)) if row.any() else row for row in X])


def data(n_labels, n_each=12, m=60, seed=0):
    """Patterns with two peaks of their own a label, noise and a random scale."""
    rng = np.random.default_rng(seed)
    axis, rows, labels = np.arange(m), [], []
    for label in range(n_labels):
        first, second = rng.uniform(0, m, 2)
        for _ in range(n_each):
            at = np.array([first, second]) + rng.normal(0, 1.0, 2)
            row = sum(np.exp(-(((axis - p) / 2) ** 2)) for p in at) * rng.uniform(5, 500)
            rows.append(rng.poisson(row + 3))
            labels.append(f"phase {label:02d}")
    order = rng.permutation(len(rows))
    return np.array(rows, dtype=float)[order], np.array(labels)[order]


BOTH = pytest.mark.parametrize("n_labels", [2, 7])


def theirs(*steps):
    return make_pipeline(FunctionTransformer(plain_rows), *steps)


@BOTH
def test_naive_bayes_is_that_of_scikit_learn(n_labels):
    X, y = data(n_labels)
    asked, _ = data(n_labels, 5, seed=1)
    model, other = NaiveBayes(1e-3).fit(X, y), theirs(GaussianNB(var_smoothing=1e-3)).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(asked), other.predict_proba(asked), atol=1e-9)
    joint = other[-1].predict_joint_log_proba(plain_rows(asked))
    np.testing.assert_allclose(model.scores(asked), joint, rtol=1e-9)


@BOTH
def test_nearest_neighbours_are_those_of_scikit_learn(n_labels):
    X, y = data(n_labels)
    asked, _ = data(n_labels, 5, seed=1)
    model = NearestNeighbours(5).fit(X, y)
    other = theirs(KNeighborsClassifier(5, metric="cosine", weights="distance", algorithm="brute")).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(asked), other.predict_proba(asked), rtol=1e-6)


def test_labels_without_a_vote_are_ranked_by_their_nearest_pattern():
    X, y = data(7)
    asked, _ = data(7, 5, seed=1)
    model = NearestNeighbours(3).fit(X, y)
    similar = plain_rows(asked) @ plain_rows(X).T
    votes, scores = model.predict_proba(asked), model.scores(asked)
    for i in range(len(asked)):
        nearest = [similar[i, y == label].max() for label in model.classes_]
        wanted = sorted(range(7), key=lambda k: (-votes[i, k], -nearest[k]))
        assert np.argsort(-scores[i], kind="stable").tolist() == wanted


@BOTH
def test_logistic_regression_is_that_of_scikit_learn(n_labels):
    X, y = data(n_labels)
    asked, _ = data(n_labels, 5, seed=1)
    model = LogisticRegression(10).fit(X, y)
    other = theirs(StandardScaler(), PCA(10, random_state=0), TheirLogistic(max_iter=1000)).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(asked), other.predict_proba(asked), atol=1e-4)
    np.testing.assert_array_equal(model.predict(asked), other.predict(asked))
    assert model.n_iter_ == other[-1].n_iter_[0]


@BOTH
def test_random_forest_is_that_of_scikit_learn(n_labels):
    X, y = data(n_labels)
    asked, _ = data(n_labels, 5, seed=1)
    model, other = RandomForest(25, 2).fit(X, y), theirs(
        RandomForestClassifier(25, min_samples_leaf=2, random_state=0)
    ).fit(X, y)  # fmt: skip
    np.testing.assert_allclose(model.predict_proba(asked), other.predict_proba(asked), atol=1e-12)


@BOTH
def test_support_vectors_are_those_of_scikit_learn(n_labels):
    X, y = data(n_labels)
    asked, _ = data(n_labels, 5, seed=1)
    model = SupportVectors(10, C=2.0).fit(X, y)
    other = theirs(StandardScaler(), PCA(10, random_state=0), SVC(C=2.0, break_ties=n_labels > 2)).fit(X, y)
    decided = other.decision_function(asked)
    if n_labels == 2:
        assert ((model.scores(asked)[:, 1] > model.scores(asked)[:, 0]) == (decided > 0)).all()
    else:
        np.testing.assert_allclose(model.scores(asked), decided, rtol=1e-6)
    np.testing.assert_array_equal(model.predict(asked), other.predict(asked))


def test_the_strong_baseline_is_one():
    """Nothing is tuned: a floor, not a record."""
    phases = [TEXTBOOK[name] for name in list(TEXTBOOK)[:12]]
    simulator = Simulator(phases, (20, 80, 1001), radiation="CuKa1", random_state=3, threads=1)
    train, test = simulator.draw(400), simulator.draw(200, first=400)
    model = LogisticRegression().fit(train, train.meta["phases"])
    assert model.score(test, test.meta["phases"]) > 0.8


def slow_cosine(templates, scan, axis, shifts, strains):
    """One template and one scan after the other, with numpy's own interpolation."""
    best = np.full(len(templates), -1.0)
    for shift in shifts:
        for strain in strains:
            place = np.degrees(2 * np.arcsin(np.sin(np.radians(axis) / 2) / (1 + strain))) + shift
            moved = np.interp(place, axis, scan, left=0, right=0)
            for k, template in enumerate(templates):
                a, b = np.sqrt(moved), np.sqrt(template)
                best[k] = max(best[k], a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-300))
    return best


def test_cosine_matcher_is_the_plain_loop():
    rng = np.random.default_rng(0)
    axis = np.linspace(20, 80, 301)
    templates, scans = rng.random((6, 301)) ** 8, rng.random((4, 301)) ** 8
    library = pw.Patterns(axis, templates, wavelength="CuKa1")
    model = CosineMatcher(0.3, 5, 0.01, 7).fit(library, ["c", "a", "b", "f", "e", "d"])
    got = model.scores(pw.Patterns(axis, scans, wavelength="CuKa1"))
    order = [1, 2, 0, 5, 4, 3]  # alphabetical
    for row, scan in zip(got, scans, strict=True):
        wanted = slow_cosine(templates, scan, axis, np.linspace(-0.3, 0.3, 5), np.linspace(-0.01, 0.01, 7))
        np.testing.assert_allclose(row, wanted[order], rtol=1e-9)


def test_cosine_matcher_undoes_physics():
    """An independent engine stretches the cells; the matcher must find the strain that undoes it."""
    phases = [TEXTBOOK[name] for name in list(TEXTBOOK)[:30]]
    grid = (20, 80, 3001)
    library = plain_simulator(phases, grid, radiation="CuKa1").ideal(scale="max")
    strained = Simulator(
        phases, grid, radiation="CuKa1", ranges=Ranges.none(expansion=0.008, zero=0.1, counts=1e5), threads=1
    ).draw(60)  # fmt: skip
    moving = CosineMatcher().fit(library, library.names)
    fixed = CosineMatcher(0, 1, 0, 1).fit(library, library.names)
    assert moving.score(strained, strained.meta["phases"]) == 1
    assert fixed.score(strained, strained.meta["phases"]) < 0.8
    labels = np.searchsorted(moving.classes_, strained.meta["phases"])
    own = np.arange(len(labels)), labels
    assert moving.scores(strained)[own].min() > 0.97
    assert np.median(fixed.scores(strained)[own]) < 0.7


@pytest.mark.parametrize("kind", ["q", "d", "energy"])
def test_strain_on_other_axes(kind):
    """A stretched lattice on each axis: q and E fall, d grows."""
    axis = np.linspace(1, 5, 2001)
    factor = 1.01 if kind == "d" else 1 / 1.01

    def lines(stretch):
        return np.exp(-(((axis - 2.0 * stretch) / 0.005) ** 2)) + np.exp(-(((axis - 3.5 * stretch) / 0.005) ** 2))

    two = pw.Patterns(axis, [lines(1.0), lines(1.1)], kind)
    scan = pw.Patterns(axis, [lines(factor)], kind)
    assert CosineMatcher(0, 1, 0.01, 3).fit(two, ["a", "b"]).scores(scan)[0, 0] > 0.99
    assert CosineMatcher(0, 1, 0, 1).fit(two, ["a", "b"]).scores(scan)[0, 0] < 0.5


def test_default_shift_without_angles_is_two_steps():
    patterns = pw.Patterns(np.linspace(400, 800, 201), np.eye(201)[[50, 120]], "wavenumber")
    model = CosineMatcher().fit(patterns, ["a", "b"])
    assert model.moves_[:, 0].max() == pytest.approx(4.0)
    assert set(model.moves_[:, 1]) == {0}


def test_similarities_are_no_probabilities():
    assert not hasattr(CosineMatcher(), "predict_proba")
    assert not hasattr(SupportVectors(), "predict_proba")


CLASSICAL = {
    "cosine_matcher": {"n_shifts": 3, "n_strains": 3, "max_shift": 0.1},
    "naive_bayes": {"var_smoothing": 1e-4},
    "nearest_neighbours": {"n_neighbors": 3},
    "logistic_regression": {"n_components": 9, "C": 0.5},
    "random_forest": {"n_estimators": 10},
    "support_vectors": {"n_components": 9, "C": 3.0},
}


@pytest.mark.parametrize("name", CLASSICAL)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@BOTH
def test_a_loaded_model_answers_the_same(tmp_path, name, dtype, n_labels):
    X, y = data(n_labels)
    model = ESTIMATORS[name](**CLASSICAL[name]).fit(X.astype(dtype), y)
    model.save(tmp_path / "model.pw")
    again = load(tmp_path / "model.pw")
    assert type(again) is type(model)
    assert again.get_params() == model.get_params()
    asked = data(n_labels, 20, seed=1)[0].astype(dtype)
    np.testing.assert_array_equal(again.predict(asked), model.predict(asked))
    np.testing.assert_array_equal(again.scores(asked), model.scores(asked))
    if hasattr(model, "predict_proba"):
        np.testing.assert_array_equal(again.predict_proba(asked), model.predict_proba(asked))
    again.save(tmp_path / "again.pw")
    assert (tmp_path / "again.pw").read_bytes() == (tmp_path / "model.pw").read_bytes()


@pytest.mark.parametrize("name", CLASSICAL)
@settings(max_examples=15, deadline=None)
@given(scale=st.floats(1e-3, 1e6), seed=st.integers(0, 1000))
def test_counting_longer_changes_nothing(name, scale, seed):
    X, y = data(4, 6, m=30)
    model = ESTIMATORS[name](**CLASSICAL[name]).fit(X, y)
    asked, _ = data(4, 3, m=30, seed=seed)
    np.testing.assert_allclose(model.scores(asked * scale), model.scores(asked), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", CLASSICAL)
def test_empty_scans_and_one_pattern_a_label(name):
    X, y = data(5, 1)
    model = ESTIMATORS[name](**CLASSICAL[name]).fit(X, y)
    dark = np.zeros((2, X.shape[1]))
    assert np.isfinite(model.scores(dark)).all()
    if name not in ("random_forest", "logistic_regression", "support_vectors"):
        assert model.predict(X).tolist() == y.tolist()


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (NaiveBayes(-1), "cannot fit NaiveBayes: var_smoothing must be a finite number of at least 0, got -1"),
        (NearestNeighbours(0), "n_neighbors must be a whole number of at least 1, got 0. Give 1 or more"),
        (NearestNeighbours(2.5), "n_neighbors must be a whole number"),
        (NearestNeighbours(True), "n_neighbors must be a whole number"),
        (LogisticRegression(C=0), "C must be a finite number above 0, got 0"),
        (LogisticRegression(n_components=0), "n_components must be"),
        (LogisticRegression(max_iter="many"), "max_iter must be a whole number of at least 1, got 'many'"),
        (RandomForest(0), "n_estimators must be"),
        (RandomForest(min_samples_leaf=0), "min_samples_leaf must be"),
        (SupportVectors(C=float("inf")), "C must be a finite number above 0, got inf"),
        (SupportVectors(n_components=None), "n_components must be"),
        (CosineMatcher(-0.1), "max_shift must be a finite number of at least 0"),
        (CosineMatcher(max_strain=1), "max_strain must be at most 0.2, got 1. Give a fraction"),
        (CosineMatcher(n_shifts=0), "n_shifts must be"),
        (CosineMatcher(n_strains=None), "n_strains must be"),
    ],
)
def test_bad_options_are_one_sentence(model, problem):
    X, y = data(2, 3)
    with pytest.raises(OptionError, match=problem.replace(".", r"\.")):
        model.fit(pw.Patterns(np.linspace(20, 80, X.shape[1]), X), y)


@pytest.mark.parametrize(
    ("array", "value"),
    [
        ("left", 0),
        ("left", 10**6),
        ("right", 0),
        ("first", -1),
        ("label", None),
        ("label", 9),
        ("feature", 60),
        ("roots", 10**6),
    ],
)
def test_a_forest_that_runs_in_circles_is_refused(tmp_path, array, value):
    """A sealed file may still be malicious: children must stand behind their parent."""
    X, y = data(3)
    RandomForest(3).fit(X, y).save(tmp_path / "model.pw")
    stored = read_model(tmp_path / "model.pw")
    arrays = {k: np.array(v) for k, v in stored.arrays.items()}
    if value is None:
        arrays[array] = arrays[array][:-1]
    else:
        arrays[array][1 if array == "first" else 0] = value
    recipe = {k: v for k, v in stored.recipe.items() if k not in ("format", "peakwise")}
    write_model(tmp_path / "bad.pw", recipe, arrays)
    with pytest.raises(ModelFileError, match="the forest's"):
        load(tmp_path / "bad.pw")


@pytest.mark.parametrize(
    ("name", "array"),
    [("cosine_matcher", "templates"), ("naive_bayes", "variances"), ("nearest_neighbours", "rows"),
     ("logistic_regression", "projection"), ("logistic_regression", "offsets"), ("random_forest", "threshold"),
     ("support_vectors", "coefficients"), ("support_vectors", "vectors")],
)  # fmt: skip
def test_parts_that_do_not_fit_each_other_are_refused_at_once(tmp_path, name, array):
    X, y = data(4)
    ESTIMATORS[name](**CLASSICAL[name]).fit(X, y).save(tmp_path / "model.pw")
    stored = read_model(tmp_path / "model.pw")
    arrays = dict(stored.arrays)
    arrays[array] = arrays[array][:-3]
    recipe = {k: v for k, v in stored.recipe.items() if k not in ("format", "peakwise")}
    write_model(tmp_path / "bad.pw", recipe, arrays)
    with pytest.raises(ModelFileError, match=f"its parts do not make a {name}"):
        load(tmp_path / "bad.pw")


def test_a_forest_of_bare_leaves_is_a_model(tmp_path):
    X, y = data(3, 4)
    model = RandomForest(3, 50).fit(X, y)
    model.save(tmp_path / "model.pw")
    np.testing.assert_array_equal(load(tmp_path / "model.pw").predict_proba(X), model.predict_proba(X))
