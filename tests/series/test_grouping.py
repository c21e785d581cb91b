"""Groups and segments against brute force and against scikit-learn."""

import warnings
from itertools import combinations, pairwise

import numpy as np
import pytest
from sklearn.cluster import SpectralClustering

from peakwise.errors import OptionError
from peakwise.series import GROUPINGS, best_number, feature_rows, group, principal_scores, segments
from series_of_lines import make


def cost(scores, cuts):
    edges = [0, *(c + 1 for c in cuts), len(scores)]
    return sum(((scores[a:b] - scores[a:b].mean(axis=0)) ** 2).sum() for a, b in pairwise(edges))


@pytest.mark.parametrize("seed", range(5))
def test_segments_are_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(11, 2)) + np.repeat(rng.normal(size=(3, 2)) * 3, (4, 3, 4), axis=0)
    for k in (1, 2, 3, 4):
        best = min(combinations(range(10), k - 1), key=lambda cuts: cost(scores, cuts))
        found = segments(scores, k)
        assert len(found) == k - 1
        assert cost(scores, found) == pytest.approx(cost(scores, best))


@pytest.mark.parametrize("method", GROUPINGS)
def test_two_clear_groups(method):
    rng = np.random.default_rng(0)
    truth = rng.permutation(np.repeat([0, 1], 30))
    scores = rng.normal(size=(60, 3)) * 0.1 + 3 * truth[:, None]
    found = group(scores, 2, method)
    assert found[0] == 0
    assert (found == (truth != truth[0])).all()
    assert best_number(scores, method)[0] == 2


def test_spectral_is_that_of_scikit_learn():
    scores = principal_scores(feature_rows(make(np.repeat([0.0, 1.0], 20))), 0.9)
    ours = group(scores, 2)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Graph is not fully connected")
        theirs = SpectralClustering(2, affinity="nearest_neighbors", n_neighbors=10, random_state=0).fit_predict(scores)
    assert len(set(zip(ours.tolist(), theirs.tolist(), strict=True))) == 2


def test_one_cloud_is_one_group():
    cloud = np.random.default_rng(1).normal(size=(80, 6))
    number, silhouette = best_number(cloud)
    assert number == 1
    assert silhouette < 0.25


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
def test_components_explain_what_was_asked_and_no_more_than_needed(share):
    rows = np.random.default_rng(2).normal(size=(30, 12)) * np.arange(1, 13)
    k = principal_scores(rows, share).shape[1]
    size = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2
    explained = np.cumsum(size) / size.sum()
    assert explained[k - 1] >= share
    assert k == 1 or explained[k - 2] < share
    assert principal_scores(rows, 3).shape == (30, 3)


@pytest.mark.parametrize("explained", [0, -1, 1.5, 2.5])
def test_shares_must_make_sense(explained):
    with pytest.raises(OptionError, match="explained must be"):
        principal_scores(np.eye(3), explained)


def test_options_are_checked():
    with pytest.raises(OptionError, match="method must be one of"):
        group(np.eye(3), 2, "magic")
    with pytest.raises(OptionError, match="groups must be 1 to 3"):
        group(np.eye(3), 4)


def test_rows_of_counts_do_not_depend_on_the_beam():
    patterns = make([0.0] * 3)
    scaled = patterns.intensity * np.array([1, 5, 0.2])[:, None]
    np.testing.assert_allclose(
        feature_rows(type(patterns)(patterns.axis, scaled, "q")), feature_rows(patterns), rtol=1e-12
    )
