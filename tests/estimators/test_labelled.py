"""The linear model on principal components against scikit-learn's own parts."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from peakwise.errors import ModelFileError
from peakwise.estimators import PhaseIdentifier, load
from peakwise.estimators import _labelled as labelled
from peakwise.modelfiles import read_model, write_model


def data(n_labels, n_each=15, m=80, seed=0):
    """Two peaks a label, at places of its own, with noise."""
    rng = np.random.default_rng(seed)
    axis, rows, codes = np.arange(m), [], []
    for label in range(n_labels):
        places = np.random.default_rng(100 + label).uniform(0, m, 2)
        for _ in range(n_each):
            row = sum(np.exp(-(((axis - p - rng.normal(0, 0.5)) / 2) ** 2)) for p in places) * rng.uniform(50, 100)
            rows.append(rng.poisson(row + 3))
            codes.append(label)
    order = rng.permutation(len(rows))
    return np.array(rows, float)[order], np.array(codes)[order]


@pytest.mark.parametrize("n_labels", [2, 3, 9])
def test_probabilities_are_those_of_scikit_learn(n_labels):
    X, codes = data(n_labels)
    asked, truth = data(n_labels, 6, seed=1)
    arrays = labelled.learn(X, codes, 0)
    scaler = StandardScaler().fit(X)
    pca = PCA(min(32, *X.shape), random_state=0).fit(scaler.transform(X))
    scale = np.sqrt((pca.transform(scaler.transform(X)) ** 2).mean())
    linear = LogisticRegression(max_iter=2000).fit(pca.transform(scaler.transform(X)) / scale, codes)
    wanted = linear.predict_proba(pca.transform(scaler.transform(asked)) / scale)
    found = labelled.probabilities(asked, arrays)
    assert found.shape == (len(asked), n_labels)
    np.testing.assert_allclose(found, wanted, atol=2e-3)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-9)
    assert (found.argmax(axis=1) == truth).mean() > 0.9
    assert {k: v.dtype for k, v in arrays.items()} == dict.fromkeys(arrays, np.dtype(float))


def test_the_size_of_intensities_does_not_matter():
    X, codes = data(3)
    asked, _ = data(3, 4, seed=1)
    plain = labelled.probabilities(asked, labelled.learn(X, codes, 0))
    for factor in (1e-9, 1e9):
        np.testing.assert_allclose(
            labelled.probabilities(asked * factor, labelled.learn(X * factor, codes, 0)), plain, atol=1e-3
        )


def test_points_that_never_change_and_few_patterns():
    X = np.array([[1.0, 5, 0, 3], [1, 5, 0, 4], [1, 0, 6, 3], [1, 0, 6, 4]])
    found = labelled.probabilities(X, labelled.learn(X, np.array([0, 0, 1, 1]), 0))
    assert found.argmax(axis=1).tolist() == [0, 0, 1, 1]
    same = np.ones((4, 5))
    found = labelled.probabilities(same, labelled.learn(same, np.array([0, 0, 1, 1]), 0))
    np.testing.assert_allclose(found, 0.5, atol=1e-6)


@pytest.mark.parametrize("name", ["centre", "projection", "coefficients", "intercepts"])
def test_arrays_that_do_not_fit_each_other_are_refused(name, tmp_path):
    X, codes = data(3)
    arrays = labelled.learn(X, codes, 0)
    assert labelled.checked(arrays, 3).keys() == arrays.keys()
    with pytest.raises(ValueError, match="must have the shape"):
        labelled.checked({**arrays, name: arrays[name][:-1]}, 3)
    with pytest.raises(ValueError, match="must have the shape"):
        labelled.checked(arrays, 4)
    with pytest.raises(KeyError):
        labelled.checked({k: v for k, v in arrays.items() if k != name}, 3)
    model = PhaseIdentifier().fit(X, codes)
    model.save(tmp_path / "model.pw")
    again = load(tmp_path / "model.pw")
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    stored = read_model(tmp_path / "model.pw")
    recipe = {k: v for k, v in stored.recipe.items() if k not in ("format", "peakwise")}
    write_model(tmp_path / "bad.pw", recipe, {**stored.arrays, name: stored.arrays[name][:-1]})
    with pytest.raises(ModelFileError, match="do not make a phase_identifier"):
        load(tmp_path / "bad.pw")
