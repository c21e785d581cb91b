"""What a picture of a search for the new shows, against plain formulas and another engine."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from peakwise.estimators import NoveltyDetector
from peakwise.estimators._novelty_view import on_scale, principal_plane
from peakwise.patterns import Patterns

X = np.linspace(10, 60, 400)


def lines(*places):
    return sum(500 * np.exp(-(((X - p) / 0.4) ** 2)) for p in places) + 20


@pytest.fixture(scope="module")
def detector():
    rng = np.random.default_rng(0)
    rows = rng.poisson([lines(20, 31)] * 30 + [lines(25, 44)] * 30)
    return NoveltyDetector(false_alarm=0.05).fit(Patterns(X, rows, "q", meta={"phases": ["a"] * 30 + ["b"] * 30}))


def test_the_plane_is_that_of_principal_components():
    rng = np.random.default_rng(1)
    known, asked = rng.normal(size=(40, 12)) * np.linspace(3, 1, 12), rng.normal(size=(7, 12))
    points, found, shares = principal_plane(known, asked)
    pca = PCA(2).fit(known)
    for made, wanted in ((points, pca.transform(known)), (found, pca.transform(asked))):
        np.testing.assert_allclose(np.abs(made), np.abs(wanted), atol=1e-9)
    np.testing.assert_allclose(shares, pca.explained_variance_ratio_)


@pytest.mark.parametrize("known", [np.ones((4, 5)), np.zeros((3, 5)), np.arange(15.0).reshape(3, 5), np.ones((1, 5))])
def test_known_rows_that_do_not_differ_are_points_of_one_place(known):
    points, asked, shares = principal_plane(known, np.ones((2, 5)))
    assert points.shape == (len(known), 2)
    assert np.isfinite(points).all()
    assert np.isfinite(asked).all()
    assert np.isfinite(shares).all()


def test_scale_and_offset_are_those_of_least_squares():
    rng = np.random.default_rng(2)
    pattern, known = rng.random(50), rng.random(50)
    known = np.where(rng.random(50) < 0.5, pattern, known)
    design = np.c_[known, np.ones(50)]
    np.testing.assert_allclose(on_scale(pattern, known), design @ np.linalg.lstsq(design, pattern)[0])
    # What points the other way is not turned over, and what is flat is a level.
    np.testing.assert_allclose(on_scale(-known, known), -known.mean())
    np.testing.assert_allclose(on_scale(pattern, np.ones(50)), pattern.mean())


def test_known_scans_and_mixtures_are_reconstructed_and_new_peaks_stay(detector):
    rng = np.random.default_rng(3)
    mixture = 0.5 * lines(20, 31) + 0.5 * lines(25, 44)
    rows = rng.poisson([lines(20, 31), 3 * lines(25, 44), mixture, lines(20, 31, 52)])
    scans = Patterns(X, rows, "q")
    made = detector.reconstruct(scans)
    assert made.shape == rows.shape
    assert [a.explained_by for a in detector.answers(scans)][2] == "mixture"
    for i in range(3):
        assert np.abs(made[i] - [lines(20, 31), 3 * lines(25, 44), mixture][i]).max() < 0.25 * rows[i].max()
    at = np.abs(X - 52).argmin()
    assert (rows[3] - made[3])[at] > 0.8 * rows[3].max() - 40


def test_the_plane_of_a_detector_parts_its_phases(detector):
    asked, known, shares = detector.plane(Patterns(X, [lines(20, 31), lines(25, 44)], "q"))
    assert known.shape == (60, 2)
    assert shares[0] > shares[1] > 0
    middles = [known[:30].mean(0), known[30:].mean(0)]
    away = [[np.linalg.norm(point - middle) for middle in middles] for point in asked]
    assert away[0][0] < 0.2 * away[0][1]
    assert away[1][1] < 0.2 * away[1][0]
