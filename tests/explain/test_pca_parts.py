"""Components taken apart: sums that must come out, and planted directions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from sklearn.decomposition import PCA

from peakwise.errors import OptionError
from peakwise.explain import pca_figure, pca_parts


@given(st.integers(4, 30), st.integers(2, 40), st.integers(1, 8), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_contributions_sum_to_the_explained_variance(n, m, k, seed):
    X = np.random.default_rng(seed).normal(size=(n, m)) * np.linspace(1, 3, m) + 5
    parts = pca_parts(X, k)
    kept = min(k, n - 1, m)
    assert parts.components.shape == (kept, m)
    np.testing.assert_allclose(parts.point_contributions.sum(axis=1), parts.variance)
    np.testing.assert_allclose(parts.pattern_contributions.sum(axis=0), 1)
    np.testing.assert_allclose(parts.total_variance, X.var(axis=0, ddof=1).sum())
    np.testing.assert_allclose(parts.scores.var(axis=0, ddof=1), parts.variance)
    assert parts.explained.sum() <= 1 + 1e-12
    full = pca_parts(X, 100)
    np.testing.assert_allclose(full.explained.sum(), 1)
    np.testing.assert_allclose(full.point_contributions.sum(axis=0), X.var(axis=0, ddof=1), atol=1e-9)
    np.testing.assert_allclose(full.mean + sum(full.part(i) for i in range(len(full.variance))), X, atol=1e-9)


def test_it_is_scikit_learns():
    X = np.random.default_rng(3).normal(size=(25, 60)) * np.linspace(3, 1, 60)
    parts, theirs = pca_parts(X, 4), PCA(4).fit(X)
    np.testing.assert_allclose(parts.variance, theirs.explained_variance_)
    np.testing.assert_allclose(parts.explained, theirs.explained_variance_ratio_)
    np.testing.assert_allclose(np.abs(parts.components), np.abs(theirs.components_), atol=1e-9)
    np.testing.assert_allclose(np.abs(parts.scores), np.abs(theirs.transform(X)), atol=1e-9)
    assert (parts.components[np.arange(4), np.abs(parts.components).argmax(axis=1)] > 0).all()


def test_a_planted_peak_is_the_component_and_the_pattern_that_has_it_the_contributor():
    x = np.arange(200)
    peak = np.exp(-((x - 120) ** 2) / 20)
    X = 1e-3 * np.random.default_rng(0).normal(size=(30, 200)) + 1
    X[17] += 5 * peak
    parts = pca_parts(X)
    np.testing.assert_allclose(parts.components[0], peak / np.linalg.norm(peak), atol=0.01)
    assert parts.pattern_contributions[17, 0] > 0.9
    assert parts.point_contributions[0].argmax() == 120


def test_refusals_and_figure():
    with pytest.raises(OptionError, match="all rows are the same"):
        pca_parts(np.ones((5, 4)))
    with pytest.raises(OptionError, match="n_components must be a whole number of at least 1, got 0"):
        pca_parts(np.eye(5), 0)
    parts = pca_parts(np.random.default_rng(0).normal(size=(20, 30)))
    figure = pca_figure(parts, np.linspace(10, 20, 30), label="2θ [deg]", n_components=3)
    FigureCanvasAgg(figure).draw()
    np.testing.assert_allclose(figure.axes[2].lines[0].get_ydata(), parts.loadings[1])
    np.testing.assert_allclose(figure.axes[3].lines[0].get_ydata(), parts.scores[:, 1])
    with pytest.raises(OptionError, match=r"axis must have 30 points, got shape \(4,\)"):
        pca_figure(parts, np.arange(4))
