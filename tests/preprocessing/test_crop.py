from __future__ import annotations

import numpy as np
import pytest

from peakwise.errors import AxisError
from peakwise.preprocessing import Crop


def test_limits_belong_to_the_part(scans):
    got = Crop(25, 40).fit_transform(scans)
    assert (got.axis[0], got.axis[-1], got.n_points) == (25, 40, 301)
    np.testing.assert_array_equal(got.intensity, scans.intensity[:, 100:401])
    np.testing.assert_array_equal(got.sigma, scans.sigma[:, 100:401])
    assert Crop(25, 40).fit_transform(got).equals(got)


def test_one_end_or_none(scans):
    assert Crop(stop=30).fit_transform(scans).axis[0] == 20
    assert Crop().fit_transform(scans).equals(scans)


def test_nothing_left(scans):
    with pytest.raises(AxisError, match="fewer than two points lie within 60 and 70; the axis runs 20 to 50"):
        Crop(60, 70).fit(scans)
