from __future__ import annotations

import numpy as np
import pytest

from peakwise import Patterns
from peakwise.errors import GridError
from peakwise.preprocessing import Resample


def test_counts_are_kept_on_a_coarser_grid(scans):
    # Bins of 4 steps that begin at an edge: 600 of the 601 points, all counts of them.
    grid = np.linspace(20.075, 49.875, 150)
    got = Resample(grid).fit_transform(scans)
    np.testing.assert_array_equal(got.intensity.sum(axis=1), scans.intensity[:, :600].sum(axis=1))
    np.testing.assert_allclose((got.sigma**2).sum(axis=1), (scans.sigma[:, :600] ** 2).sum(axis=1))


def test_without_grid_later_patterns_come_onto_the_first(scans):
    step = Resample().fit(scans)
    assert step.transform(scans).equals(scans)
    other = Patterns(np.linspace(19, 51, 1281), np.ones((1, 1281)), wavelength="CuKa")
    got = step.transform(other)
    np.testing.assert_array_equal(got.axis, scans.axis)
    np.testing.assert_allclose(got.intensity, 2)  # two points of 0.025 deg in each bin of 0.05 deg


def test_interpolated_points_are_told(scans):
    got = Resample((25, 40, 2001)).fit_transform(scans)
    assert any("finer than the measured steps and were interpolated" in w for w in got.warnings)


def test_outside_the_data(scans):
    with pytest.raises(GridError, match=r"the grid runs 10 to 40, the patterns 20 to 50. .*fill="):
        Resample((10, 40, 301)).fit(scans)
    got = Resample((10, 40, 301), fill=0).fit_transform(scans)
    assert (got.intensity[:, :100] == 0).all()
    assert got.intensity[:, 100:].all()


def test_channels_of_an_array():
    np.testing.assert_array_equal(Resample([0.5, 2.5]).fit_transform([[1.0, 2.0, 3.0, 4.0]]), [[3, 7]])
