from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise import Patterns
from peakwise.errors import GridError
from peakwise.preprocessing import SumBins


def test_vizoso_and_dingreville_6000_points_to_150():
    rows = np.random.default_rng(0).poisson(20, (4, 6000)).astype(float)
    got = SumBins(40).fit_transform(rows)
    assert got.shape == (4, 150)
    want = [[sum(row[i] for i in range(40 * j, 40 * j + 40)) for j in range(150)] for row in rows.tolist()]
    np.testing.assert_array_equal(got, want)


@settings(deadline=None)
@given(factor=st.integers(1, 20), bins=st.integers(2, 12), extra=st.integers(0, 19))
def test_counts_are_kept(factor, bins, extra):
    extra %= factor
    rows = np.random.default_rng(factor).poisson(9, (2, factor * bins + extra)).astype(float)
    got = SumBins(factor, remainder="drop").fit_transform(rows)
    np.testing.assert_array_equal(got.sum(axis=1), rows[:, : factor * bins].sum(axis=1))


def test_axis_and_sigma():
    scan = Patterns([10, 11, 12, 13, 14, 15], [[1.0] * 6], sigma=[[3.0, 4.0, 0.0, 1.0, 1.0, 1.0]], unit="absorbance")
    got = SumBins(2).fit_transform(scan)
    assert got.axis.tolist() == [10.5, 12.5, 14.5]
    np.testing.assert_allclose(got.sigma, [[5, 1, np.sqrt(2)]])
    assert got.unit == "arbitrary"


def test_remainder_and_too_few_bins():
    with pytest.raises(GridError, match=r"101 points are no multiple of factor=10. Crop 1 of them, .*remainder='drop'"):
        SumBins(10).fit(np.ones((1, 101)))
    with pytest.raises(
        GridError, match=r"30 points in bins of 16 leave 1, and at least two are needed. Use a factor of at"
    ):
        SumBins(16, remainder="drop").fit(np.ones((1, 30)))


def test_a_factor_of_one_changes_nothing(scans):
    assert SumBins().fit_transform(scans).equals(scans)
