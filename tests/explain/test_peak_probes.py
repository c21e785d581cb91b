"""Peak probes: features that hold what was planted are read, features without are not."""

from __future__ import annotations

import numpy as np
import pytest

from peakwise.errors import OptionError
from peakwise.explain import find_peak_regions, probe_peaks

M = 160
POINTS = np.arange(M)


def made(n=160, seed=0):
    """Two peaks that wander, and a third in half of the patterns: positions (n, 3), presence (n,), patterns."""
    rng = np.random.default_rng(seed)
    places = np.column_stack([rng.uniform(20, 50, n), rng.uniform(70, 95, n), rng.uniform(120, 140, n)])
    has_third = rng.random(n) < 0.5
    heights = np.column_stack([np.ones(n), np.full(n, 0.7), has_third])
    shapes = np.exp(-((POINTS - places[..., None]) ** 2) / (2 * 3.0**2))
    return places, has_third, (heights[..., None] * shapes).sum(axis=1)


def test_planted_numbers_are_read_off_features_that_hold_them():
    places, has_third, X = made()
    noise = np.random.default_rng(1).normal(size=(160, 3))
    features = np.column_stack([places[:, :2], has_third * places[:, 2], has_third, noise])
    found = probe_peaks(features, X, axis=10 + 0.1 * POINTS)
    assert found.n_peaks == (2, 3)
    assert found.count_accuracy == 1
    assert 0.4 < found.count_chance < 0.65
    assert found.position_r2 > 0.995
    assert found.position_error < 0.05  # half a point: peaks are seen at whole points, 0.29 of a point
    assert 0 <= found.region_iou <= 1


def test_features_that_hold_nothing_give_nothing():
    _, _, X = made()
    found = probe_peaks(np.random.default_rng(2).normal(size=(160, 6)), X)
    assert abs(found.count_accuracy - 0.5) < 0.2
    assert found.position_r2 < 0.1
    assert found.region_iou < found.region_chance + 0.1


def test_patterns_as_features_know_their_regions():
    _, _, X = made(300)
    found = probe_peaks(X, X)
    assert found.region_iou > 0.75
    assert found.region_iou > 2 * found.region_chance
    assert found.position_r2 > 0.9


def test_scores_against_a_slow_plain_computation():
    """The same folds and heads, written out with numpy: a ridge with its penalty fixed would be another number."""
    rng = np.random.default_rng(5)
    places = rng.uniform(20, 140, 60)
    X = np.exp(-((POINTS - places[:, None]) ** 2) / 18)
    features = np.column_stack([places + rng.normal(0, 5, 60), rng.normal(size=60)])
    found = probe_peaks(features, X, n_folds=4, random_state=3)
    # The head sees a feature with noise of deviation 5 on a range of 120: about 1 - 25 / var.
    assert found.position_r2 == pytest.approx(1 - 25 / places.var(), abs=0.02)
    assert found.position_error == pytest.approx(5, rel=0.25)


def test_groups_keep_a_series_on_one_side():
    """Features that only name the series tell its peaks, unless that series was never seen."""
    rng = np.random.default_rng(0)
    series = np.repeat(np.arange(8), 20)
    places = rng.uniform(30, 130, 8)[series]
    X = np.exp(-((POINTS - places[:, None]) ** 2) / 18)
    features = np.eye(8)[series] + 0.01 * rng.normal(size=(160, 8))
    assert probe_peaks(features, X).position_r2 > 0.99
    assert probe_peaks(features, X, groups=series, n_folds=4).position_r2 < 0.2


def test_given_regions_are_taken():
    _, _, X = made(80)
    regions = np.zeros(X.shape, dtype=bool)
    regions[:, 10:20] = True
    found = probe_peaks(np.random.default_rng(0).normal(size=(80, 3)), X, regions=regions)
    assert (found.count_accuracy, found.region_iou, found.region_chance) == (1, 1, 1)
    assert found.n_peaks == (1, 1)


def test_peaks_that_stay_have_no_r2():
    X = np.repeat(np.exp(-((POINTS - 50) ** 2) / 18)[None], 40, axis=0)
    found = probe_peaks(np.random.default_rng(0).normal(size=(40, 3)), X)
    assert (found.position_r2, found.position_error) == (None, None)


def test_regions_are_the_planted_peaks():
    places, has_third, X = made(50)
    mask = find_peak_regions(X)
    for row, at, third in zip(mask, places, has_third, strict=True):
        edges = np.flatnonzero(np.diff(np.pad(row, 1).astype(int)))
        starts, ends = edges[::2], edges[1::2]
        assert len(starts) == 2 + third
        for start, end, place in zip(starts, ends, at, strict=False):
            assert start <= place <= end
            # A Gaussian of deviation 3 is a quarter high at 3 sqrt(2 ln 4) = 5.0 on each side.
            assert end - start == pytest.approx(10, abs=2)
    assert not find_peak_regions(np.ones((2, 50))).any()


def test_peaks_that_touch_stay_two():
    X = np.exp(-((POINTS - 50) ** 2) / 18) + np.exp(-((POINTS - 60) ** 2) / 18)
    assert np.diff(np.pad(find_peak_regions(X)[0], 1).astype(int)).clip(0).sum() == 2


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"n_folds": 1}, "n_folds must be a whole number of at least 2, got 1"),
        ({"n_folds": 30}, r"n_folds \(30\) needs 120 patterns, got 40\. Use fewer folds"),
        ({"groups": [1, 2]}, "groups must be one for each of 40 patterns, of at least 5 kinds"),
        ({"regions": np.zeros((40, 3), dtype=bool)}, "features and regions .bool. must belong to 40 patterns of 160"),
        ({"axis": [1, 2]}, r"axis must have 160 points, got shape \(2,\)"),
        ({"features": np.eye(30)}, "must belong to 40 patterns"),
        ({"patterns": np.full((40, 160), np.nan)}, "patterns must be finite numbers"),
    ],
)
def test_bad_input_is_one_sentence(options, why):
    given = {"features": np.eye(40), "patterns": made(40)[2], **options}
    with pytest.raises(OptionError, match=why):
        probe_peaks(given.pop("features"), given.pop("patterns"), **given)
