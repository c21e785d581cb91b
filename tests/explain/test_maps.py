"""Maps of a set, against plain formulas and known sets."""

from __future__ import annotations

import importlib.util
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise.errors import MissingExtraError, OptionError
from peakwise.explain import MAPS, NcaMap, TsneMap, UmapMap, map_points, map_quality

QUICK = ["pca", "nca", "tsne"]
HAS_UMAP = importlib.util.find_spec("umap") is not None


def groups(n, m, seed, gap=6.0, loud=4.0):
    """Three groups, apart in the first two dimensions; a third dimension is louder and says nothing."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    X = rng.normal(size=(n, m))
    X[:, :2] += gap * np.array([[0, 0], [1, 0], [0, 1]])[y]
    X[:, 2] *= loud
    return X, np.array(["a", "b", "c"])[y]


def test_pca_is_the_singular_value_decomposition():
    X, _ = groups(40, 12, 0)
    u, s, _ = np.linalg.svd(X - X.mean(0), full_matrices=False)
    expected = u[:, :2] * s[:2]
    found = map_points(X, method="pca")
    for k in range(2):
        sign = np.sign(found[:, k] @ expected[:, k])
        np.testing.assert_allclose(found[:, k], sign * expected[:, k], atol=1e-9)


def test_nca_finds_what_separates_where_pca_finds_what_is_loud():
    X, y = groups(90, 8, 1, gap=5.0, loud=30.0)
    nca = map_quality(X, map_points(X, method="nca", labels=y), y)
    pca = map_quality(X, map_points(X, method="pca"), y)
    assert nca.agreement > 0.95
    assert pca.agreement < 0.8


def test_nca_learns_from_a_part_and_places_the_rest():
    X, y = groups(600, 8, 2, gap=8.0)
    points = map_points(X, method=NcaMap(max_fit=60), labels=y)
    assert map_quality(X, points, y).agreement > 0.95


def test_nca_takes_some_of_each_class():
    """Two patterns of a rare class among many: they are learned from, or the map would be as good without them."""
    X, y = groups(400, 5, 3)
    y = np.where(np.arange(400) < 2, "rare", y)
    assert np.isfinite(map_points(X, method=NcaMap(max_fit=20, max_iterations=5), labels=y)).all()


def test_tsne_keeps_groups():
    X, y = groups(90, 8, 4, gap=8.0, loud=1.0)
    quality = map_quality(X, map_points(X, method="tsne"), y)
    assert quality.trustworthiness > 0.85
    assert quality.agreement >= quality.agreement_input - 0.05 > 0.9


@pytest.mark.parametrize("method", QUICK)
def test_the_same_seed_gives_the_same_map(method):
    X, y = groups(60, 70, 5)
    one, two = (map_points(X, method=method, labels=y, random_state=7) for _ in range(2))
    assert one.shape == (60, 2)
    assert np.array_equal(one, two)


@pytest.mark.parametrize("method", QUICK)
def test_four_patterns_are_enough(method):
    X = np.random.default_rng(0).normal(size=(4, 3))
    points = map_points(torch.tensor(X), method=method, labels=[0, 0, 1, 1])
    assert points.shape == (4, 2)
    assert np.isfinite(points).all()


def test_wide_sets_are_brought_to_50_dimensions(monkeypatch):
    seen = []
    monkeypatch.setattr(TsneMap, "points", lambda self, X, labels, seed: seen.append(X) or X[:, :2])
    X, _ = groups(80, 300, 6)
    points = map_points(X, method="tsne")
    assert seen[0].shape == (80, 50)
    map_points(X[:40], method="tsne")
    assert seen[1].shape == (40, 300)
    # The first of the 50 are the principal components themselves.
    np.testing.assert_allclose(np.abs(points), np.abs(map_points(X, method="pca")), rtol=1e-3, atol=1e-3)


@pytest.mark.skipif(not HAS_UMAP, reason="needs the extra maps")
@pytest.mark.long
def test_umap_itself():
    X, y = groups(60, 70, 7, gap=15.0, loud=1.0)
    one, two = (map_points(X, method="umap", random_state=3) for _ in range(2))
    assert np.array_equal(one, two)
    assert map_quality(X, one, y).agreement > 0.9
    assert map_points(X[:4], method="umap").shape == (4, 2)


def test_umap_is_asked_for_a_map_that_can_be_made_again(monkeypatch):
    asked = {}

    def umap(**options):
        asked.update(options)
        return SimpleNamespace(fit_transform=lambda X: X[:, :2])

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=umap))
    X, _ = groups(12, 5, 8)
    assert map_points(X, method=UmapMap(n_neighbors=40, min_distance=0.2), random_state=9).shape == (12, 2)
    assert (asked["n_neighbors"], asked["min_dist"], asked["random_state"], asked["n_jobs"]) == (11, 0.2, 9, 1)


def test_without_umap_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"it needs umap-learn\. Run: pip install 'peakwise\[maps\]'"):
        map_points(groups(12, 5, 8)[0], method="umap")


def plain_trustworthiness(X, points, k):
    """Venna and Kaski, equation 1, as it stands."""
    n = len(X)
    far = np.linalg.norm(X[:, None] - X[None], axis=2)
    near = np.linalg.norm(points[:, None] - points[None], axis=2)
    total = 0.0
    for i in range(n):
        rank = {j: r for r, j in enumerate([j for j in np.argsort(far[i]) if j != i], start=1)}
        neighbours = [j for j in np.argsort(near[i]) if j != i][:k]
        total += sum(max(0, rank[j] - k) for j in neighbours)
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * total


def plain_agreement(rows, labels, k):
    good = 0
    for i, row in enumerate(rows):
        order = [j for j in np.argsort(np.linalg.norm(rows - row, axis=1)) if j != i][:k]
        votes = [labels[j] for j in order]
        most = max(votes.count(v) for v in votes)
        tied = [v for v in set(votes) if votes.count(v) == most]
        # Of tied labels the nearest neighbour's counts; else any, and the test takes no such case.
        choice = votes[0] if votes[0] in tied else (tied[0] if len(tied) == 1 else None)
        if choice is None:
            return None
        good += choice == labels[i]
    return good / len(rows)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 25), st.integers(1, 5))
def test_quality_by_the_plain_formulas(seed, n, k):
    rng = np.random.default_rng(seed)
    X, points = rng.normal(size=(n, 4)), rng.normal(size=(n, 2))
    labels = np.where(np.arange(n) % 2, "x", "y")
    found = map_quality(X, points, labels, n_neighbors=k)
    assert found.n_neighbors == min(k, (n - 1) // 2)
    assert found.trustworthiness == pytest.approx(plain_trustworthiness(X, points, found.n_neighbors), abs=1e-12)
    for ours, rows in ((found.agreement, points), (found.agreement_input, X)):
        assert ours == plain_agreement(rows, list(labels), found.n_neighbors)


def test_a_perfect_map_and_one_by_chance():
    X = np.random.default_rng(0).normal(size=(300, 2))
    assert map_quality(X, 3 * X + 1).trustworthiness == 1.0
    assert map_quality(X, 3 * X + 1).agreement is None
    assert abs(map_quality(X, np.random.default_rng(1).normal(size=(300, 2))).trustworthiness - 0.5) < 0.05


def test_large_sets_are_judged_by_a_part():
    X, y = groups(500, 4, 9)
    one, two = (map_quality(X, X[:, :2], y, max_judged=100, random_state=3) for _ in range(2))
    assert one == two
    assert one.n_judged == 100
    assert abs(one.agreement - map_quality(X, X[:, :2], y).agreement) < 0.1


X0, Y0 = groups(12, 5, 0)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"method": "mds"}, "method must be one of pca, nca, tsne, umap, got 'mds'"),
        ({"method": "nca"}, "NcaMap needs labels, got None. Give labels or use one of pca, tsne, umap"),
        ({"method": "nca", "labels": Y0[:5]}, "labels must be one for each of 12 patterns"),
        ({"method": "nca", "labels": ["a"] * 12}, "of at least two kinds"),
        ({"X": X0[:3]}, "at least 4 rows of 2 numbers, got (3, 5)"),
        ({"X": X0[:, 0]}, "X must have shape (n, m)"),
        ({"X": [["a", "b"]] * 4}, "X must be numbers"),
        ({"X": X0 * np.nan}, "60 of 60 numbers are NaN or infinite"),
        ({"X": np.ones((5, 5))}, "all rows are the same"),
        ({"random_state": None}, "random_state must be a whole number of at least 0, got None"),
        ({"method": TsneMap(perplexity=0.5)}, "perplexity must be a number above 1, got 0.5"),
        ({"method": UmapMap(n_neighbors=1)}, "n_neighbors must be a whole number of at least 2, got 1"),
        ({"method": UmapMap(min_distance=2)}, "min_distance must be a number above 0 and below 1, got 2"),
        ({"method": NcaMap(max_fit=1), "labels": Y0}, "max_fit must be a whole number of at least 10, got 1"),
        ({"method": NcaMap(max_iterations=0), "labels": Y0}, "max_iterations must be a whole number of at least 1"),
    ],
)
def test_what_cannot_be_mapped_is_one_sentence(options, why):
    options = {"X": X0, **options}
    with pytest.raises(OptionError) as error:
        map_points(options.pop("X"), **options)
    assert why in str(error.value)


def test_too_many_for_tsne(monkeypatch):
    monkeypatch.setattr("peakwise.explain.tsne_map._MOST", 10)
    with pytest.raises(OptionError, match=r"at most 10 patterns, got 12\. Map a part of it, or use pca or umap"):
        map_points(X0, method="tsne")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"points": X0[:6, :2]}, "points must be as many as X (12), got 6"),
        ({"n_neighbors": 0}, "n_neighbors must be a whole number of at least 1"),
        ({"max_judged": 3}, "max_judged must be a whole number of at least 4"),
        ({"random_state": -1}, "random_state must be a whole number of at least 0"),
        ({"labels": [1]}, "labels must be one for each of 12 patterns"),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(options, why):
    options = {"points": X0[:, :2], **options}
    with pytest.raises(OptionError) as error:
        map_quality(X0, options.pop("points"), **options)
    assert why in str(error.value)


@pytest.mark.parametrize("method", MAPS)
def test_members_say_whether_they_need_labels(method):
    assert MAPS[method].needs_labels == (method == "nca")
