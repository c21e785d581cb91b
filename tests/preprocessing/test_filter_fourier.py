from __future__ import annotations

import numpy as np
import pytest

from peakwise import Patterns
from peakwise.preprocessing import FilterFourier


@pytest.mark.parametrize("m", [4500, 4501])
def test_numpy_by_hand(m):
    rng = np.random.default_rng(0)
    noisy, quiet = 5000 + 60 * rng.normal(size=m), 5000 + 30 * rng.normal(size=m)
    got = FilterFourier().fit_transform(Patterns(np.arange(m), [noisy, quiet], "channel"))
    # sigma sqrt(pi / m) = 1.58 for the first and 0.79 for the second: one is above the threshold of 1.
    bins = np.fft.fft(noisy)
    amplitude = 2 * np.abs(bins[200 : m // 2 + 1]) / m
    assert amplitude.mean() == pytest.approx(60 * np.sqrt(np.pi / m), rel=0.05)
    bins[200 : m - 199] = 0
    np.testing.assert_allclose(got.intensity[0], np.fft.ifft(bins).real, rtol=1e-12)
    np.testing.assert_array_equal(got.intensity[1], quiet)
    assert got.warnings == ("1 of 2 patterns were Fourier-filtered to 200 frequencies",)


def test_the_threshold_decides(scans):
    step = FilterFourier(n_bins=100, threshold=1e9)
    assert step.fit_transform(scans).equals(scans)
    step = FilterFourier(n_bins=100, threshold=0)
    once = step.fit_transform(scans)
    np.testing.assert_allclose(once.intensity.sum(axis=1), scans.intensity.sum(axis=1))
    np.testing.assert_allclose(step.fit_transform(once).intensity, once.intensity, atol=1e-9)


def test_short_patterns_have_nothing_beyond():
    rows = np.random.default_rng(0).normal(size=(2, 398))
    np.testing.assert_array_equal(FilterFourier(threshold=0).fit_transform(rows), rows)
    rows = np.random.default_rng(0).normal(size=(2, 400))
    assert (FilterFourier(threshold=0).fit_transform(rows) != rows).any()


def test_sigma_is_the_scatter_of_many_measurements():
    spread = 3 + np.sin(np.linspace(0, 2 * np.pi, 64, endpoint=False))
    noise = np.random.default_rng(3).normal(size=(20000, 64)) * spread
    scans = Patterns(np.arange(64), noise, "channel", sigma=np.tile(spread, (20000, 1)))
    got = FilterFourier(n_bins=9, threshold=0).fit_transform(scans)
    np.testing.assert_allclose(got.intensity.std(axis=0), got.sigma[0], rtol=0.03)
