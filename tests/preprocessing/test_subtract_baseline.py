from __future__ import annotations

import numpy as np
import pytest
from pybaselines import Baseline

from peakwise import Patterns
from peakwise.preprocessing import SubtractBaseline

AXIS = np.linspace(5, 90, 4251)
PEAKS = sum(h * 2.0 ** -(((AXIS - c) / 0.1) ** 2) for c, h in ((21.3, 900), (26.6, 5000), (36.5, 400), (50.1, 1500)))
CURVE = 400 * np.exp(-(AXIS - 5) / 20) + 100 + 0.5 * AXIS


def test_noise_and_baseline_known():
    counts = np.random.default_rng(0).poisson(PEAKS + CURVE).astype(float)
    got = SubtractBaseline().fit_transform(Patterns(AXIS, counts, wavelength="CuKa", sigma=np.sqrt(counts)))
    left = got.intensity[0] - PEAKS
    quiet = PEAKS < 1e-3
    assert abs(left[quiet].mean()) < 0.15 * np.sqrt(CURVE).mean()  # arpls runs through the middle of the noise
    assert np.abs(counts - got.intensity[0] - CURVE).max() < 0.06 * CURVE.max()
    np.testing.assert_array_equal(got.sigma[0], np.sqrt(counts))
    assert got.warnings == ()


@pytest.mark.parametrize(
    ("method", "near"),
    [("arpls", 2), ("asls", 9), ("airpls", 4), ("snip", 12), ("rolling_ball", 25), ("modpoly", 40), ("imodpoly", 12)],
)
def test_every_method_finds_a_parabola_under_peaks(method, near):
    poly = 300 - 2 * (AXIS - 40) + 0.02 * (AXIS - 40) ** 2
    noise = np.random.default_rng(0).normal(size=AXIS.size)  # arpls needs some
    got = SubtractBaseline(method, width=5).fit_transform(Patterns(AXIS, PEAKS + poly + noise))
    assert np.abs(got.intensity[0] - PEAKS - noise)[100:-100].max() < near
    area = np.trapezoid(got.intensity[0] - PEAKS, AXIS) / np.trapezoid(PEAKS, AXIS)
    assert abs(area) < 0.25


def test_polynomial_is_least_squares():
    noise = np.random.default_rng(0).normal(size=(3, 4251)) + CURVE
    got = SubtractBaseline("polynomial", poly_order=3).fit_transform(Patterns(AXIS, noise)).intensity
    want = noise - np.array([np.polyval(np.polyfit(AXIS, row, 3), AXIS) for row in noise])
    np.testing.assert_allclose(got, want, atol=1e-8)


def test_lam_is_handed_on_and_width_means_the_same_on_every_grid():
    scan = Patterns(AXIS, PEAKS + CURVE)
    got = SubtractBaseline("asls", lam=1e6, asymmetry=0.02).fit_transform(scan).intensity[0]
    np.testing.assert_array_equal(got, scan.intensity[0] - Baseline(AXIS).asls(scan.intensity[0], lam=1e6, p=0.02)[0])
    coarse = Patterns(AXIS[::5], (PEAKS + CURVE)[::5])
    fine, few = (SubtractBaseline("asls", width=4).fit_transform(p).intensity[0] for p in (scan, coarse))
    assert np.abs(fine[::5] - few).max() < 2


def test_a_wave_of_the_width_passes_by_half():
    """What `width` means: with all weights one, half of a sine of that period would go into the baseline.

    An asymmetry of one half gives all points the weight of one half, and then it is a third.
    """
    x = np.arange(2000.0)
    wave = np.sin(2 * np.pi * x / 200)
    got = SubtractBaseline("asls", width=200, asymmetry=0.5).fit_transform([wave])[0]
    middle = slice(500, 1500)
    assert np.abs(got[middle] - wave[middle] * 2 / 3).max() < 0.01


def test_scale_of_the_counts_does_not_matter():
    counts = np.random.default_rng(1).poisson(PEAKS + CURVE).astype(float)
    one, thousand = (SubtractBaseline().fit_transform([s * counts])[0] for s in (1, 1000))
    np.testing.assert_allclose(thousand, 1000 * one, rtol=1e-6, atol=1e-3)


def test_a_fit_that_does_not_settle_is_told():
    scan = Patterns(AXIS, np.random.default_rng(0).poisson(PEAKS + CURVE).astype(float))
    got = SubtractBaseline(iterations=1).fit_transform(scan)
    assert got.warnings == ("the arpls baseline of 1 of 1 patterns did not settle",)


@pytest.mark.parametrize("method", ["arpls", "asls", "airpls", "snip", "rolling_ball"])
@pytest.mark.parametrize("m", [2, 3, 4, 7])
def test_very_short_and_constant_patterns(method, m):
    rows = np.full((2, m), 5.0)
    np.testing.assert_allclose(SubtractBaseline(method).fit_transform(rows), 0, atol=1e-9)


def test_points_of_float_32_do_not_lose_the_curve():
    counts = np.random.default_rng(1).poisson(PEAKS + CURVE).astype(np.float32)
    thin, wide = (SubtractBaseline().fit_transform(counts[np.newaxis].astype(t)) for t in (np.float32, np.float64))
    np.testing.assert_allclose(thin, wide, atol=1e-3)
