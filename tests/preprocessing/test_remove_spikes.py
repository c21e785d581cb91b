from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise import Patterns
from peakwise.preprocessing import RemoveSpikes

AXIS = np.arange(400.0)


def peak(centre, fwhm, height=1.0, shape="gauss"):
    u = (AXIS - centre) / (fwhm / 2)
    return height * (2.0 ** -(u * u) if shape == "gauss" else 1 / (1 + u * u))


@settings(max_examples=200, deadline=None)
@given(
    centre=st.floats(150, 250),
    fwhm=st.floats(2, 60),
    height=st.floats(10, 1e6),
    background=st.floats(0, 1e4),
    shape=st.sampled_from(["gauss", "lorentz"]),
    second=st.floats(0, 40),
    seed=st.integers(0, 10**6),
)
def test_no_peak_is_eaten(centre, fwhm, height, background, shape, second, seed):
    """Single peaks and pairs, two steps wide or wider, at any phase, height and background, with counting noise."""
    ideal = background + peak(centre, fwhm, height, shape) + peak(centre + second, fwhm, 0.4 * height, shape)
    counts = np.random.default_rng(seed).poisson(ideal).astype(float)
    np.testing.assert_array_equal(RemoveSpikes().fit_transform([counts])[0], counts)


@settings(max_examples=100, deadline=None)
@given(centre=st.floats(150, 250), fwhm=st.floats(2, 60), height=st.floats(1e-3, 1e3))
def test_no_peak_without_noise_is_eaten(centre, fwhm, height):
    ideal = 0.3 + peak(centre, fwhm, height)
    np.testing.assert_array_equal(RemoveSpikes().fit_transform([ideal])[0], ideal)


def test_crowded_narrow_peaks_stay():
    rng = np.random.default_rng(2)
    for spacing in (3, 4, 5, 7, 12):
        ideal = 50 + sum(peak(c + rng.uniform(-0.5, 0.5), 2.0, 2000) for c in range(5, 395, spacing))
        counts = rng.poisson(ideal).astype(float)
        np.testing.assert_array_equal(RemoveSpikes().fit_transform([counts])[0], counts)


@pytest.mark.parametrize("level", [0.2, 5, 100, 1e5])
@pytest.mark.parametrize("where", [40, 203, 215, 399 - 3])
def test_spikes_are_found_on_any_background_and_on_flanks(level, where):
    counts = np.random.default_rng(8).poisson(level + peak(200, 30, 20 * level)).astype(float)
    hit = counts.copy()
    hit[where] += 60 * np.sqrt(counts[where] + 1) + 3 * counts[where] + 200
    clean = RemoveSpikes().fit_transform([hit])[0]
    assert (np.flatnonzero(clean != hit) == where).all()
    assert clean[where] == pytest.approx((hit[where - 1] + hit[where + 1]) / 2)


def test_two_points_and_wider_with_a_known_width():
    counts = np.random.default_rng(8).poisson(100 + peak(200, 12, 5000)).astype(float)
    hit = counts.copy()
    hit[[50, 51, 300, 301, 302, 303]] = 4000
    assert np.flatnonzero(RemoveSpikes().fit_transform([hit])[0] != hit).tolist() == [50, 51]
    clean = RemoveSpikes(fwhm=10).fit_transform([hit])[0]
    assert np.flatnonzero(clean != hit).tolist() == [50, 51, 300, 301, 302, 303]
    np.testing.assert_allclose(clean[300:304], np.linspace(hit[299], hit[304], 6)[1:-1])


def test_scaled_patterns_and_low_rates():
    rng = np.random.default_rng(4)
    rate = rng.poisson(0.3, (20, 400)) / 7.0  # counts/s with mostly empty points
    np.testing.assert_array_equal(RemoveSpikes().fit_transform(rate), rate)
    smooth = 5 + 0.01 * rng.normal(size=(20, 400))
    hit = smooth.copy()
    hit[:, 77] += 1
    clean = RemoveSpikes().fit_transform(hit)
    assert np.argwhere(clean != hit).tolist() == [[i, 77] for i in range(20)]


def test_noise_and_negative_dips_stay():
    rng = np.random.default_rng(9)
    noise = rng.normal(size=(500, 400))
    touched = RemoveSpikes().fit_transform(noise) != noise
    assert touched.sum() <= 2  # of 200,000 points, by chance
    dips = np.full((1, 400), 100.0)
    dips[0, 50] = 0
    np.testing.assert_array_equal(RemoveSpikes().fit_transform(dips), dips)


def test_twice_is_once_and_it_is_told():
    hit = np.full((3, 400), 50.0)
    hit[0, [10, 90]] = hit[2, 200] = 5000
    once = RemoveSpikes().fit_transform(Patterns(AXIS, hit, sigma=np.where(hit > 50, 70.0, 7.0)))
    assert once.warnings == ("3 spikes in 2 of 3 patterns were replaced by interpolation",)
    assert (once.intensity == 50).all()
    assert (once.sigma == 7).all()
    assert RemoveSpikes().fit_transform(once).equals(once)


def test_width_is_in_the_unit_of_the_axis():
    hit = np.full((1, 400), 50.0)
    hit[0, 100:104] = 5000
    scan = Patterns(20 + 0.01 * AXIS, hit)
    assert RemoveSpikes(fwhm=0.1).fit_transform(scan).intensity.max() == 50
    assert RemoveSpikes(fwhm=0.02).fit_transform(scan).intensity.max() == 5000


@pytest.mark.parametrize("m", [2, 3, 5])
def test_very_short_patterns(m):
    rows = np.random.default_rng(0).normal(size=(3, m))
    np.testing.assert_array_equal(RemoveSpikes(fwhm=20).fit_transform(rows), rows)
