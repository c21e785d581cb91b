"""Contributions of a set: sums of what is known for single patterns, and the planted peaks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from torch import nn

from explain.conftest import N_CLASSES, N_POINTS, PLACES
from peakwise.errors import OptionError
from peakwise.explain import EXPLANATIONS, contribution_figure, contribution_map, explain

RNG = np.random.default_rng(7)


def test_of_a_linear_score_they_are_the_weights_times_the_summed_patterns():
    torch.manual_seed(0)
    network = nn.Linear(30, 3, bias=False).double()
    weights = network.weight.detach().numpy()
    X, y = RNG.uniform(size=(11, 30)), RNG.integers(0, 3, 11)
    found = contribution_map(network, X, y, method="integrated_gradients")
    assert found.targets.tolist() == sorted(set(y.tolist()))
    for row, k in enumerate(found.targets):
        np.testing.assert_allclose(found.contributions[row], weights[k] * X[y == k].sum(axis=0), atol=1e-9)
        np.testing.assert_allclose(found.sizes[row], np.abs(weights[k]) * X[y == k].sum(axis=0), atol=1e-9)
        np.testing.assert_allclose(found.patterns[row], X[y == k].mean(axis=0))
        np.testing.assert_allclose(found.mean[row] * found.counts[row], found.contributions[row])
    slopes = contribution_map(network, X, 1, method="gradients")
    np.testing.assert_allclose(slopes.contributions[0], 11 * np.abs(weights[1]), atol=1e-9)
    assert not slopes.signed


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion", "hires_cam"])
def test_they_are_sums_of_explanations_however_the_set_is_cut(placed, method):
    whole = explain(placed.model, placed.X[:18], placed.y[:18], method=method)
    for batch in (1, 7):
        found = contribution_map(placed.model, placed.X[:18], placed.y[:18], method=method, batch_size=batch)
        assert found.method == method
        for row, k in enumerate(found.targets):
            wanted = whole.relevance[placed.y[:18] == k].sum(axis=0)
            np.testing.assert_allclose(found.contributions[row], wanted, rtol=1e-3, atol=2e-3 * np.abs(wanted).max())


def test_the_planted_peak_of_each_class_is_found(placed):
    found = contribution_map(placed.model, placed.X)
    assert found.counts.sum() == len(placed.X)
    assert found.targets.tolist() == list(range(N_CLASSES))
    for k, row in zip(found.targets, found.contributions, strict=True):
        assert abs(int(row.argmax()) - PLACES[k]) <= 4


def test_one_score_a_pattern_is_one_class():
    found = contribution_map(lambda x: x[:, 5], np.eye(20)[:8] + 1, method="occlusion")
    assert (found.targets.tolist(), found.counts.tolist()) == ([-1], [8])
    assert not EXPLANATIONS["gradients"].signed


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"target": [1, 2]}, r"target must be one for all or 4 of them, got shape \(2,\)"),
        ({"x": np.empty((0, 5))}, r"x must have shape \(n, n_points\) with at least one pattern, got \(0, 5\)"),
        ({"method": "guess"}, "method must be one of"),
    ],
)
def test_bad_input_is_one_sentence(options, why):
    given = {"x": np.ones((4, 5)), **options}
    with pytest.raises(OptionError, match=why):
        contribution_map(nn.Linear(5, 3), given.pop("x"), given.pop("target", None), **given)


def test_the_figure_has_a_row_a_class_on_its_own_scale(placed):
    found = contribution_map(placed.model, placed.X)
    figure = contribution_figure(found, np.linspace(10, 60, N_POINTS), names=list("abcd"), label="2θ [deg]")
    FigureCanvasAgg(figure).draw()
    top, below = figure.axes[:2]
    assert [t.get_text() for t in below.get_yticklabels()] == list("abcd")
    assert len(top.lines) == N_CLASSES
    rows = np.asarray(below.collections[0].get_array()).reshape(N_CLASSES, N_POINTS)
    assert (rows.max(axis=1) >= 1).all()
    with pytest.raises(OptionError, match=r"axis must have 240 points, got shape \(3,\)"):
        contribution_figure(found, np.arange(3))
