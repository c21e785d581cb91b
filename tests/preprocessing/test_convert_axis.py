from __future__ import annotations

import numpy as np
import pytest

from peakwise import Patterns
from peakwise.errors import AxisError
from peakwise.preprocessing import ConvertAxis


def test_two_theta_to_d_by_braggs_law():
    scan = Patterns([38.1, 44.3, 64.4], [[1.0, 2.0, 3.0]], wavelength="CuKa1", sigma=[[0.1, 0.2, 0.3]])
    got = ConvertAxis("d").fit_transform(scan)
    # Silver 111, 200, 220 (a = 4.086 angstrom): lambda / (2 sin theta), the order turned round.
    np.testing.assert_allclose(got.axis, 1.5405929 / (2 * np.sin(np.radians([32.2, 22.15, 19.05]))), rtol=1e-12)
    assert got.intensity.tolist() == [[3, 2, 1]]
    assert got.sigma.tolist() == [[0.3, 0.2, 0.1]]
    assert got.kind == "d"


def test_there_and_back(scans):
    there = ConvertAxis("q").fit_transform(scans)
    back = ConvertAxis("two_theta").fit_transform(there)
    np.testing.assert_allclose(back.axis, scans.axis, rtol=1e-12)
    np.testing.assert_array_equal(back.intensity, scans.intensity)


def test_another_wavelength(scans):
    got = ConvertAxis("two_theta", wavelength="MoKa1").fit_transform(scans)
    want = 2 * np.degrees(np.arcsin(np.sin(np.radians(scans.axis / 2)) * 0.70931715 / scans.wavelength))
    np.testing.assert_allclose(got.axis, want, rtol=1e-12)
    assert got.wavelength == 0.70931715


def test_default_leaves_all_as_it_is(scans):
    assert ConvertAxis().fit_transform(scans).equals(scans)


def test_axes_that_do_not_convert(scans):
    with pytest.raises(AxisError, match=r"two_theta and raman_shift measure different things"):
        ConvertAxis("raman_shift").fit(scans)
    with pytest.raises(AxisError, match=r"it needs a wavelength, got None. Give wavelength="):
        ConvertAxis("q").fit(Patterns([1, 2, 3], [1, 2, 3]))
