"""Resampling: sums kept where the grid is coarser, interpolation only where it is finer, and said so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import peakwise as pw
from peakwise.errors import GridError
from peakwise.patterns import make_grid
from strategies import axes


def slow_rebin(edges_in, counts, edges_out):
    """The share of every source bin in every target bin, added up one by one."""
    out = np.zeros(len(edges_out) - 1)
    for j in range(len(out)):
        for i, value in enumerate(counts):
            overlap = min(edges_in[i + 1], edges_out[j + 1]) - max(edges_in[i], edges_out[j])
            if overlap > 0:
                out[j] += value * overlap / (edges_in[i + 1] - edges_in[i])
    return out


def test_binning_by_forty_is_exact():
    """6,000 points to 150 by summing 40 (Vizoso and Dingreville 2025)."""
    counts = np.random.default_rng(1).poisson(1000, (3, 6000)).astype(float)
    x = 30 + 0.01 * np.arange(6000)
    grid = x.reshape(150, 40).mean(axis=1)
    coarse = pw.Patterns(x, counts, unit="counts").resample(grid)
    np.testing.assert_array_equal(coarse.intensity, counts.reshape(3, 150, 40).sum(axis=2))
    assert coarse.warnings == ()


@given(st.data(), axes(min_size=6))
def test_coarser_grids_equal_the_slow_sum_and_keep_the_total(data, x):
    counts = np.array(data.draw(st.lists(st.integers(0, 1000), min_size=x.size, max_size=x.size)), float)
    scan = pw.Patterns(x, counts, unit="counts")
    target = np.linspace(x[0], x[-1], data.draw(st.integers(2, 4)))
    middle_in, middle_out = (x[1:] + x[:-1]) / 2, (target[1:] + target[:-1]) / 2
    edges_in = np.r_[2 * x[0] - middle_in[0], middle_in, 2 * x[-1] - middle_in[-1]]
    edges_out = np.r_[2 * target[0] - middle_out[0], middle_out, 2 * target[-1] - middle_out[-1]]
    if np.diff(edges_out).min() < np.diff(edges_in).max() * 1.01:
        return
    done = scan.resample(target)
    np.testing.assert_allclose(done.intensity[0], slow_rebin(edges_in, counts, edges_out), rtol=1e-9, atol=1e-6)
    assert done.intensity.sum() == pytest.approx(counts.sum())


def test_the_same_grid_changes_nothing():
    x = np.linspace(10, 90, 4001)
    y = np.random.default_rng(0).poisson(50, (2, 4001)).astype(float)
    scan = pw.Patterns(x, y, unit="counts", sigma=np.sqrt(y + 1))
    again = scan.resample((10, 90, 4001))
    np.testing.assert_array_equal(again.intensity, y)
    np.testing.assert_allclose(again.sigma, scan.sigma)
    part = scan.resample(x[100:200])
    np.testing.assert_array_equal(part.intensity, y[:, 100:200])


def test_finer_grids_interpolate_and_say_so():
    scan = pw.Patterns([1, 2, 3], [[0, 10, 20]])
    fine = scan.resample((1, 3, 5))
    assert fine.intensity.tolist() == [[0, 5, 10, 15, 20]]
    assert fine.warnings == ("5 of 5 grid points are finer than the measured steps and were interpolated",)


def test_uncertainties_add_in_quadrature():
    scan = pw.Patterns(np.arange(1, 9), np.ones(8), sigma=np.full(8, 3.0), unit="counts")
    coarse = scan.resample([1.5, 3.5, 5.5, 7.5])
    np.testing.assert_allclose(coarse.sigma, np.sqrt(18))
    fine = scan.resample((1, 8, 15))
    assert fine.sigma.shape == (1, 15)


def test_absorbance_is_averaged_not_summed():
    scan = pw.Patterns(np.arange(1, 9), [1, 3, 1, 3, 1, 3, 1, 3], "wavenumber", unit="absorbance", sigma=np.ones(8))
    coarse = scan.resample([1.5, 3.5, 5.5, 7.5])
    np.testing.assert_allclose(coarse.intensity, 2)
    np.testing.assert_allclose(coarse.sigma, np.sqrt(2) / 2)


def test_outside_is_an_error_unless_filled():
    scan = pw.Patterns([1, 2, 3], [[1, 2, 3]], sigma=[[1, 1, 1]])
    with pytest.raises(GridError, match="the grid runs 0 to 4, the patterns 1 to 3"):
        scan.resample((0, 4, 5))
    filled = scan.resample((0, 4, 5), fill=0)
    assert filled.intensity.tolist() == [[0, 1, 2, 3, 0]]
    assert np.isnan(filled.sigma[0, 0])
    with pytest.raises(GridError):
        scan.resample((10, 20, 5), fill=0)


@pytest.mark.parametrize(
    "grid", [(1, 0, 5), (0, 1, 1), (0, 1, 2.5), (0, np.inf, 5), (0, 1, 10**9), [3, 2, 1], [1.0], [[1, 2]], [1, np.nan]]
)
def test_impossible_grids_are_refused(grid):
    with pytest.raises(GridError, match="Give"):
        make_grid(grid)
