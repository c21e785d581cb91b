from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import savgol_filter

from peakwise import Patterns
from peakwise.preprocessing import Smooth


@pytest.mark.parametrize(("window", "order"), [(3, 0), (5, 2), (7, 2), (11, 3), (25, 4), (9, 8)])
def test_scipy_gives_the_same(window, order, scans):
    got = Smooth(window, order).fit_transform(scans)
    want = savgol_filter(scans.intensity, window, order, axis=1, mode="interp")
    np.testing.assert_allclose(got.intensity, want, rtol=1e-10, atol=1e-9)


def test_polynomials_of_its_order_pass():
    x = np.linspace(-1, 1, 40)
    cubic = 2 - x + 3 * x**2 - 4 * x**3
    np.testing.assert_allclose(Smooth(9, 3).fit_transform([cubic])[0], cubic, atol=1e-13)


def test_sigma_is_the_scatter_of_many_measurements():
    spread = np.linspace(1, 4, 31)
    noise = np.random.default_rng(3).normal(size=(40000, 31)) * spread
    got = Smooth(7, 2).fit_transform(Patterns(np.arange(31), noise, "channel", sigma=np.tile(spread, (40000, 1))))
    np.testing.assert_allclose(got.intensity.std(axis=0), got.sigma[0], rtol=0.02)


@pytest.mark.parametrize("m", [2, 3, 4, 6])
def test_patterns_shorter_than_the_window(m):
    row = np.random.default_rng(m).normal(size=m)
    window = m if m % 2 else m - 1
    want = savgol_filter(row, window, min(2, window - 1))
    np.testing.assert_allclose(Smooth(7, 2).fit_transform([row])[0], want, atol=1e-12)
