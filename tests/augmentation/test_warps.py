"""Warps and slices against splines of SciPy and interpolation of NumPy, one pattern at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import CubicSpline

from peakwise.augmentation import Compose, RandomMagnitude, RandomSlice, RandomWarp, interpolate
from peakwise.augmentation._curves import smooth_curves
from peakwise.errors import OptionError

seeds = st.integers(0, 2**31)
knots = st.integers(0, 9)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def noise(seed, n=3, length=83):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, length)))


def spline(heights, length):
    """SciPy's natural cubic spline; of two heights it is the line between them."""
    place = np.linspace(0, len(heights) - 1, length)
    if len(heights) == 2:
        return np.interp(place, [0, 1], heights)
    return CubicSpline(np.arange(len(heights)), heights, bc_type="natural")(place)


@given(seed=seeds, n_knots=st.integers(2, 12), length=st.integers(1, 200))
@settings(max_examples=40, deadline=None)
def test_smooth_curves_are_natural_splines(seed, n_knots, length):
    heights = noise(seed, 4, n_knots)
    slow = [spline(row, length) for row in heights.numpy()]
    np.testing.assert_allclose(smooth_curves(heights, length), slow, atol=1e-12)


@given(seed=seeds, sigma=st.floats(0, 1), n_knots=knots)
@settings(max_examples=30, deadline=None)
def test_a_warp_reads_at_the_integral_of_a_positive_speed(seed, sigma, n_knots):
    warp, before = RandomWarp(sigma, n_knots), noise(seed)
    drawn = warp.draw(before, generator(seed))
    assert drawn["stretch"].shape == (3, n_knots + 2)
    after = warp.apply(before, drawn).numpy()
    place = np.arange(83)
    for old, new, stretch in zip(before.numpy(), after, drawn["stretch"].numpy(), strict=True):
        way = cumulative_trapezoid(np.exp(spline(stretch, 83)), place, initial=0)
        assert (np.diff(way) > 0).all()
        np.testing.assert_allclose(new, np.interp(way / way[-1] * 82, place, old), atol=1e-9)
        assert new[0] == old[0]
        assert new[-1] == pytest.approx(old[-1], abs=1e-9)


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_a_warp_keeps_the_number_of_peaks_and_their_order(seed):
    """Of heights that never repeat, peaks can be told apart wherever they go."""
    place = np.arange(1200)
    centres, heights = np.array([150, 380, 610, 870, 1050]), np.array([1.0, 0.5, 0.8, 0.3, 0.6])
    before = (heights[:, None] * np.exp(-0.5 * ((place - centres[:, None]) / 15) ** 2)).sum(axis=0)
    after = RandomWarp(0.3)({"intensity": torch.from_numpy(before)[None]}, generator(seed))["intensity"][0].numpy()
    maxima = [i for i in range(1, 1199) if after[i - 1] < after[i] >= after[i + 1] and after[i] > 0.05]
    np.testing.assert_allclose(after[maxima], heights, atol=5e-3)


def test_a_warp_moves_the_middle_as_far_as_its_page_says():
    ramp = torch.arange(2001.0).repeat(4000, 1) / 2000  # what is read says where it was read
    moved = RandomWarp()({"intensity": ramp}, generator(0))["intensity"][:, 1000] - 0.5
    assert moved.square().mean().sqrt().item() == pytest.approx(0.042, abs=0.002)
    assert abs(moved.mean().item()) < 0.002


@given(seed=seeds, sigma=st.floats(0, 1.5), n_knots=knots)
@settings(max_examples=30, deadline=None)
def test_magnitudes_are_multiplied_with_a_spline_and_never_negative(seed, sigma, n_knots):
    magnitude, before = RandomMagnitude(sigma, n_knots), noise(seed)
    drawn = magnitude.draw(before, generator(seed))
    after = magnitude.apply(before, drawn).numpy()
    for old, new, heights in zip(before.numpy(), after, drawn["heights"].numpy(), strict=True):
        np.testing.assert_allclose(new, old * np.maximum(spline(heights, 83), 0), atol=1e-9)


def test_magnitudes_are_around_one_with_the_deviation_that_was_asked_for():
    heights = RandomMagnitude(0.3).draw(torch.zeros(20_000, 5), generator(0))["heights"]
    assert heights.mean().item() == pytest.approx(1, abs=0.01)
    assert heights.std().item() == pytest.approx(0.3, abs=0.01)


@given(seed=seeds, low=st.floats(0, 1), high=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_a_slice_is_a_window_inside_the_pattern_stretched(seed, low, high):
    low, high = sorted([low, high])
    window, before = RandomSlice((low, high)), noise(seed)
    drawn = window.draw(before, generator(seed))
    assert (drawn["start"] >= 0).all()
    assert (drawn["start"] + drawn["share"] * 82 <= 82 + 1e-9).all()
    assert ((drawn["share"] >= low - 1e-12) & (drawn["share"] <= high + 1e-12)).all()
    after = window.apply(before, drawn).numpy()
    place = np.arange(83)
    for old, new, start, share in zip(before.numpy(), after, drawn["start"], drawn["share"], strict=True):
        read = np.linspace(float(start), float(start + share * 82), 83)
        np.testing.assert_allclose(new, np.interp(read, place, old), atol=1e-9)


def test_one_number_is_the_width_of_every_slice_and_windows_reach_both_ends():
    drawn = RandomSlice(0.8).draw(torch.zeros(5000, 101), generator(0))
    torch.testing.assert_close(drawn["share"], torch.full((5000, 1), 0.8))
    assert drawn["start"].min() < 0.1
    assert drawn["start"].max() > 19.9
    assert drawn["start"].mean().item() == pytest.approx(10, abs=0.3)


def test_the_order_of_warp_and_slice_matters():
    before = {"intensity": noise(0)}
    warp, window = RandomWarp(0.5), RandomSlice(0.5)
    one, other = (Compose(pair)(before, generator(1))["intensity"] for pair in ([warp, window], [window, warp]))
    assert not torch.allclose(one, other)


@given(seed=seeds, length=st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_interpolation_is_that_of_numpy(seed, length):
    draw = np.random.default_rng(seed)
    rows, read = draw.normal(size=(3, length)), draw.uniform(-5, length + 5, (3, 17))
    slow = [np.interp(where, np.arange(length), row) for where, row in zip(read, rows, strict=True)]
    np.testing.assert_allclose(interpolate(torch.from_numpy(rows), torch.from_numpy(read)), slow, atol=1e-12)


@pytest.mark.parametrize("augmentation", [RandomWarp(), RandomMagnitude(), RandomSlice()])
def test_patterns_of_one_point_stay(augmentation):
    batch = {"intensity": torch.ones(2, 1)}
    assert torch.isfinite(augmentation(batch, generator(0))["intensity"]).all()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RandomWarp(-0.1), "cannot build RandomWarp: sigma must be a number or two, within 0 and 3, got -0.1"),
        (lambda: RandomWarp(n_knots=-1), "n_knots must be a whole number of 0 or more, got -1"),
        (lambda: RandomMagnitude(float("nan")), "sigma must be .* got nan"),
        (lambda: RandomMagnitude(n_knots=2.0), "n_knots must be a whole number of 0 or more, got 2.0"),
        (lambda: RandomSlice(1.1), r"share must be a number or two, within 0 and 1, got \(1.1, 1.1\)"),
        (lambda: RandomSlice((0.9, 0.8)), r"share must be .* got \(0.9, 0.8\)"),
        (lambda: RandomSlice("all"), "share must be .* got 'all'"),
    ],
)
def test_what_cannot_be_is_refused(build, message):
    with pytest.raises(OptionError, match=message):
        build()
