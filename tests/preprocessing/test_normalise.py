from __future__ import annotations

import numpy as np
import pytest

from peakwise.preprocessing import Normalise


@pytest.mark.parametrize("mode", ["maximum", "area", "vector", "snv"])
def test_twice_is_once(mode, scans):
    once = Normalise(mode).fit_transform(scans)
    twice = Normalise(mode).fit_transform(once)
    np.testing.assert_allclose(twice.intensity, once.intensity, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(twice.sigma, once.sigma, rtol=1e-12)


@pytest.mark.parametrize("mode", ["maximum", "area", "vector", "snv"])
def test_the_scale_of_the_measurement_is_gone(mode, scans):
    longer = scans.replace(intensity=scans.intensity * 7.5)
    got, want = (Normalise(mode).fit_transform(p).intensity for p in (longer, scans))
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


def test_the_maximum_of_the_set_is_learned(scans):
    step = Normalise("set_maximum").fit(scans)
    assert step.maximum_ == scans.intensity.max()
    weak = scans.replace(intensity=scans.intensity / 2)
    assert step.transform(weak).intensity.max() == 0.5


def test_sigma_scales_along(scans):
    got = Normalise("vector").fit_transform(scans)
    np.testing.assert_allclose(got.sigma / got.intensity, scans.sigma / scans.intensity)


@pytest.mark.parametrize(
    ("mode", "rows"),
    [
        ("maximum", [[0.0, 0.0, 0.0], [1.0, 2.0, 0.0]]),
        ("maximum", [[-1.0, -2.0, -1.0], [1.0, 2.0, 0.0]]),
        ("area", [[1.0, -2.0, 1.0], [1.0, 2.0, 0.0]]),
        ("vector", [[0.0, 0.0, 0.0], [1.0, 2.0, 0.0]]),
        ("set_maximum", [[0.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]),
    ],
)
def test_patterns_without_a_scale_stay_and_are_told(mode, rows):
    from peakwise import Patterns

    got = Normalise(mode).fit_transform(Patterns([1, 2, 3], rows))
    assert got.intensity[0].tolist() == rows[0]
    n = 2 if mode == "set_maximum" else 1
    assert got.warnings == (f"{n} of 2 patterns could not be scaled by their {mode}",)


def test_a_constant_pattern_has_no_spread():
    assert np.abs(Normalise("snv").fit_transform(np.full((1, 1000), 0.1))).max() < 1e-15
