"""What is drawn of a series: the planted changes, the same numbers, thin enough."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from peakwise.errors import OptionError
from peakwise.report import add_series, series_changes, series_scores, thin_series
from peakwise.report._changed_peaks import changed_peaks
from report.series import AXIS, clusters, peak, rows, transitions


def test_planted_changes_are_found_and_nothing_else():
    (change,) = series_changes(AXIS, rows(), [{"after": 29}])
    assert change["n"] == [20, 20]
    assert [(round(p["axis"], 1), p["what"]) for p in change["peaks"]] == [(16.0, "gone"), (19.0, "new")]
    gone, new = change["peaks"]
    assert gone["change"] == pytest.approx(-300, abs=15)
    assert new["behind"] == pytest.approx(300, abs=20)
    # Means of 20 patterns each: sqrt((330 + 30) / 20) = 4.2 counts of noise.
    assert new["significance"] == pytest.approx(300 / 4.24, rel=0.35)
    np.testing.assert_allclose(change["before"], rows()[10:30].mean(axis=0))
    np.testing.assert_allclose(change["behind"], rows()[30:50].mean(axis=0))


@pytest.mark.parametrize("seed", range(20))
def test_noise_alone_is_no_change(seed):
    (change,) = series_changes(AXIS, rows(cuts=(), seed=seed), [{"after": 29}])
    assert change["peaks"] == []


def test_a_peak_that_moved_is_one_that_moved():
    before, behind = (
        np.random.default_rng(k).poisson(20 + np.tile(peak(p), (10, 1))) for k, p in ((0, 15.0), (1, 15.3))
    )
    (moved,) = changed_peaks(AXIS, before.astype(float), behind.astype(float))
    assert moved["what"] == "moved"
    assert moved["axis"] == pytest.approx(15.0, abs=0.06)
    assert moved["to"] == pytest.approx(15.3, abs=0.06)


@pytest.mark.parametrize(("factor", "what"), [(2.0, "stronger"), (0.5, "weaker")])
def test_heights_that_change_are_told(factor, what):
    sides = [
        np.random.default_rng(k).poisson(20 + np.tile(peak(15, 400 * f), (10, 1))) for k, f in ((0, 1), (1, factor))
    ]
    (found,) = changed_peaks(AXIS, *(side.astype(float) for side in sides))
    assert found["what"] == what
    assert found["before"] == pytest.approx(400, rel=0.1)
    assert found["behind"] == pytest.approx(400 * factor, rel=0.1)


def test_patterns_inside_the_interval_and_the_zone_are_left_out():
    boundary = {"after": 29, "interval": [26.0, 31.0], "zone": [28.0, 34.0]}
    (change,) = series_changes(AXIS, rows(), [boundary])
    np.testing.assert_allclose(change["before"], rows()[7:27].mean(axis=0))
    np.testing.assert_allclose(change["behind"], rows()[34:54].mean(axis=0))
    # A stretch of three patterns, all inside an interval: one is kept.
    many = series_changes(AXIS, rows(), [{"after": 29}, {"after": 32, "interval": [0, 59]}])
    assert [c["n"] for c in many] == [[20, 3], [1, 1]]


@pytest.mark.parametrize("n", [2, 3])
def test_shortest_series(n):
    told = transitions(n, (0,))
    whole = add_series(told, AXIS, rows(n, (0,)))
    assert whole["changes"][0]["n"] == [1, n - 1]
    assert [round(p["axis"]) for p in whole["changes"][0]["peaks"]] == [16, 19]


def test_gaps_and_identical_patterns_are_no_trouble():
    X = rows()
    X[:, 100:120] = np.nan
    X[5] = np.nan
    whole = add_series(transitions(), AXIS, X)
    assert [p["what"] for p in whole["changes"][0]["peaks"]] == ["gone", "new"]
    flat = add_series(transitions(), AXIS, np.ones_like(X))
    assert flat["changes"][0]["peaks"] == []
    assert np.isfinite(flat["scores"]["pca"]).all()
    assert flat["scores"]["explained"] == [0, 0, 0]


def test_scores_are_principal_components():
    X = rows()
    found = series_scores(X, 3)
    # The same means of neighbours, by another road.
    edges = np.linspace(0, 801, 501).round().astype(int)
    table = np.sqrt(np.stack([X[:, a:b].mean(axis=1) for a, b in pairwise(edges)], axis=1))
    theirs = PCA(3).fit(table)
    scores = np.array(found["pca"])
    np.testing.assert_allclose(np.abs(scores), np.abs(theirs.transform(table)), rtol=0.01, atol=0.01)
    np.testing.assert_allclose(found["explained"], theirs.explained_variance_ratio_, rtol=1e-3)
    assert found["explained"][0] > 0.5
    assert np.sign(scores[:30, 0]).sum() in (30, -30)


@given(st.integers(1, 900), st.integers(2, 40), st.integers(2, 60), st.data())
@settings(max_examples=40, deadline=None)
def test_thinning_keeps_ends_order_and_what_is_asked_for(n, m, most, data):
    keep = data.draw(st.lists(st.integers(0, n - 1), max_size=4))
    X = np.arange(n * m, dtype=float).reshape(n, m)
    curves = thin_series(np.arange(m), X, keep=keep, max_patterns=most, max_points=most)
    shown = curves["rows"]
    assert len(shown) <= most + len(keep)
    assert (np.diff(shown) > 0).all()
    assert {0, n - 1} <= set(shown)
    if n > most:
        assert set(keep) <= set(shown)
    else:
        assert shown == list(range(n))
    assert curves["intensity"].shape == (len(shown), min(m, most))
    np.testing.assert_allclose(curves["intensity"].mean(axis=1), X[shown].mean(axis=1), rtol=0.5)
    if m <= most:
        np.testing.assert_array_equal(curves["intensity"], X[shown])


def test_only_what_is_missing_is_added():
    told = transitions()
    given = {**told, "scores": {"pca": [[1.0, 2.0, 3.0]] * 60}, "map": {"umap": [[0.0, 0.0]] * 60}}
    whole = add_series(given, AXIS, rows(), kind="two_theta", unit="deg", wavelength=0.5, intensity_unit="counts")
    assert (whole["scores"], whole["map"]) == (given["scores"], given["map"])
    assert "curves" not in given
    assert whole["curves"]["wavelength"] == 0.5
    assert set(add_series(clusters(), AXIS, rows(12))) - set(clusters()) == {"curves", "scores", "map"}


@pytest.mark.parametrize(
    ("axis", "intensity", "why"),
    [
        (AXIS, rows(59), "intensity must have a row for each of 60 patterns, got 59"),
        (AXIS[1:], rows(), r"intensity must have shape \(n, 800\) like axis, got \(60, 801\)"),
        (AXIS, rows().astype(str), "intensity must have shape"),
    ],
)
def test_other_patterns_are_refused(axis, intensity, why):
    with pytest.raises(OptionError, match=why):
        add_series(transitions(), axis, intensity)
