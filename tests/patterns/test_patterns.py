"""`Patterns`: what it refuses, what it keeps, and how it is taken apart and joined."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import xarray
from hypothesis import given

import peakwise as pw
from peakwise.errors import AxisError, GridError, PatternsError
from peakwise.patterns import check_patterns
from strategies import patterns


@pytest.fixture
def pair() -> pw.Patterns:
    return pw.Patterns(
        [10, 20, 30, 40],
        [[1, 2, 3, 4], [5, 6, 7, 8]],
        wavelength="CuKa1",
        names=["a", "b"],
        meta={"temperature": [300, 400]},
    )


@pytest.mark.parametrize(
    ("axis", "intensity", "options", "told"),
    [
        ([1, 2, 3], [1, 2], {}, "2 points need as many positions, got shape (3,)"),
        ([1, 1, 2], [1, 2, 3], {}, "the axis must rise, but goes from 1 to 1 at point 1"),
        ([3, 2, 1], [1, 2, 3], {}, "the axis must rise"),
        ([1, np.nan, 2], [1, 2, 3], {}, "1 values that are not finite"),
        ([1], [1], {}, "at least two points are needed, got 1"),
        ([], [], {}, "none of them empty"),
        ([1, 2], np.zeros((2, 2, 2)), {}, "got (2, 2, 2)"),
        ([1, 2], ["a", "b"], {}, "intensity: numbers are needed, got <U1"),
        ([1, 2], [1 + 2j, 3], {}, "numbers are needed, got complex128"),
        (["x", "y"], [1, 2], {}, "axis: could not convert"),
        ([1, 2], [1, 2], {"kind": "angle"}, "unknown axis: got 'angle'"),
        ([1, 2], [1, 2], {"unit": "photons"}, "unit must be one of counts,"),
        ([1, 2], [1, 2], {"names": ["a", "b"]}, "1 patterns need as many names, got 2"),
        ([1, 2], [1, 2], {"sigma": [1, 2, 3]}, "sigma must have the shape of intensity (1, 2), got (1, 3)"),
        ([1, 2], [1, 2], {"meta": {"t": [1, 2]}}, "'t' must hold 1 numbers or texts, got int64 of shape (2,)"),
        ([1, 2], [1, 2], {"meta": {"t": [b"raw"]}}, "got |S3"),
        ([1, 2], [1, 2], {"wavelength": 0.154e-9}, "must lie within 0.01 and 25.0 angstrom"),
        ([1, 2], [1, 2], {"wavelength": "Cu"}, "unknown wavelength: got 'Cu'"),
    ],
)
def test_what_is_no_pattern_is_refused_in_one_sentence(axis, intensity, options, told):
    with pytest.raises((PatternsError, AxisError)) as problem:
        pw.Patterns(axis, intensity, **options)
    assert told in str(problem.value)
    assert "\n" not in str(problem.value)
    assert isinstance(problem.value, ValueError)


def test_patterns_are_frozen_and_leave_the_callers_array_alone(pair):
    with pytest.raises(AttributeError, match=r"frozen: use replace\(axis=\.\.\.\)"):
        pair.axis = [1, 2]
    with pytest.raises(AttributeError, match="frozen"):
        del pair.axis
    with pytest.raises(ValueError, match="read-only"):
        pair.intensity[0, 0] = 9
    mine = np.ones((1, 2))
    pw.Patterns([1, 2], mine)
    mine[0, 0] = 5  # still writable


def test_no_copy_is_made_of_floats_and_float32_stays():
    rows = np.ones((2, 3), dtype=np.float32)
    made = pw.Patterns([1, 2, 3], rows)
    assert made.intensity.dtype == np.float32
    assert np.shares_memory(made.intensity, rows)


def test_taking_apart(pair):
    assert len(pair) == 2
    assert pair.shape == (2, 4)
    assert pair[1].names.tolist() == ["b"]
    assert pair[-1].intensity.tolist() == [[5, 6, 7, 8]]
    assert pair[[True, False]].meta["temperature"].tolist() == [300]
    assert [p.names[0] for p in pair] == ["a", "b"]
    assert pair[::-1].names.tolist() == ["b", "a"]
    with pytest.raises(PatternsError, match="there are 2 patterns, got 2"):
        pair[2]
    assert np.asarray(pair).shape == (2, 4)


def test_crop(pair):
    assert pair.crop(15, 30).axis.tolist() == [20, 30]
    assert pair.crop(stop=20).intensity.tolist() == [[1, 2], [5, 6]]
    with pytest.raises(AxisError, match="fewer than two points lie within 50 and 60; the axis runs 10 to 40"):
        pair.crop(50, 60)


def test_joining(pair):
    other = pair.replace(names=["c", "d"], meta={"label": ["x", "y"], "good": [True, False]})
    both = pw.concatenate([pair, other])
    assert both.names.tolist() == ["a", "b", "c", "d"]
    assert both.meta["label"].tolist() == ["", "", "x", "y"]
    np.testing.assert_array_equal(both.meta["temperature"], [300, 400, np.nan, np.nan])
    with pytest.raises(GridError, match="different grids: two_theta 10 to 40 in 4 points and two_theta 10 to 30 in 3"):
        pw.concatenate([pair, pair.crop(stop=30)])
    with pytest.raises(GridError, match="different wavelengths"):
        pw.concatenate([pair, pair.replace(wavelength=0.5)])
    with pytest.raises(PatternsError, match="there are none"):
        pw.concatenate([])
    assert pw.concatenate(iter([pair])) is pair


def test_joining_keeps_uncertainties_only_where_all_have_them(pair):
    sure = pair.replace(sigma=np.ones((2, 4)))
    assert pw.concatenate([sure, sure]).sigma.shape == (4, 4)
    assert pw.concatenate([sure, pair]).sigma is None


def test_repr_and_pickle_and_equality(pair):
    assert repr(pair) == (
        "Patterns: 2 patterns of 4 points, two_theta 10 to 40 deg, wavelength 1.54059 angstrom, with temperature"
    )
    assert pickle.loads(pickle.dumps(pair)).equals(pair)
    for other in (
        pair.replace(unit="counts"), pair.with_meta(x=[1, 2]), pair.replace(sigma=np.ones((2, 4))), pair[0],
        pair.replace(wavelength=None), "no patterns",
    ):  # fmt: skip
        assert not pair.equals(other)


@given(patterns())
def test_xarray_round_trip_loses_nothing(made):
    again = pw.Patterns.from_xarray(made.to_xarray())
    assert again.equals(made)
    assert again.intensity.dtype == made.intensity.dtype


def test_the_dataset_is_what_the_contract_says(pair):
    data = pair.to_xarray()
    assert data["intensity"].dims == ("pattern", "x")
    assert data["pattern"].values.tolist() == ["a", "b"]
    assert data["temperature"].dims == ("pattern",)
    assert data.attrs["axis"] == "two_theta"
    assert data.attrs["wavelength"] == 1.5405929
    assert data["x"].attrs["units"] == "deg"


def test_datasets_of_others():
    array = xarray.DataArray(
        np.arange(6.0).reshape(3, 2), dims=("energy_bin", "frame"), coords={"frame": [7, 8], "T": 300.0}
    )
    made = pw.Patterns.from_xarray(array)
    assert made.kind == "unknown"
    assert made.shape == (3, 2)  # the last dim is the points
    assert pw.Patterns.from_xarray(array.rename(frame="tth")).kind == "two_theta"
    assert pw.Patterns.from_xarray(array.drop_vars("frame")).kind == "channel"
    rows = xarray.Dataset({"intensity": (("q",), [1.0, 2.0, 3.0])}, {"q": [7.0, 6.0, 5.0]})
    falling = pw.Patterns.from_xarray(rows)
    assert (falling.kind, falling.axis.tolist(), falling.intensity.tolist()) == ("q", [5, 6, 7], [[3, 2, 1]])
    with pytest.raises(PatternsError, match="a variable 'intensity' with one or two dims is needed, got"):
        pw.Patterns.from_xarray(xarray.Dataset({"counts": ("x", [1.0, 2.0])}))
    odd = pw.Patterns([1, 2], [1, 2], meta={"sigma": [1], "a/b": [2], "": ["c"], "x": [3]})
    assert pw.Patterns.from_xarray(odd.to_xarray()).equals(odd)  # names that a Dataset cannot have are kept beside


def test_check_patterns_is_one_door(pair):
    assert check_patterns(pair) is pair
    assert check_patterns(pair.to_xarray()).equals(pair)
    assert check_patterns(np.ones((2, 5))).kind == "channel"
    with pytest.raises(PatternsError, match="2D array"):
        check_patterns(np.ones(5))
    with pytest.raises(PatternsError, match="1 of 8 intensities are NaN or infinite"):
        check_patterns(pair.replace(intensity=[[1, 2, 3, np.inf], [1, 2, 3, 4]]))
    assert len(check_patterns([[1, np.nan]], allow_nan=True)) == 1
