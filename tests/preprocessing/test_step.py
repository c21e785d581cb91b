"""What every step owes: the kind that came in goes out, the grid is remembered, bad options are told."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from peakwise import Patterns
from peakwise.errors import AxisError, GridError, OptionError, PatternsError
from peakwise.preprocessing import (
    STEPS,
    ConvertAxis,
    Crop,
    FilterFourier,
    Normalise,
    RemoveSpikes,
    Resample,
    ScaleTargets,
    Smooth,
    Step,
    StripKalpha2,
    SubtractBaseline,
    SumBins,
)

# One working set of options per step, each of which changes the patterns.
WORKING = {
    "remove_spikes": {"threshold": 3.0},
    "subtract_baseline": {"width": 4.0},
    "strip_kalpha2": {},
    "smooth": {"window": 5},
    "filter_fourier": {"n_bins": 80, "threshold": 0.0},
    "convert_axis": {"to": "q"},
    "crop": {"start": 25.0, "stop": 40.0},
    "resample": {"grid": (21.0, 49.0, 101)},
    "sum_bins": {"factor": 2, "remainder": "drop"},
    "normalise": {"mode": "area"},
}
each_step = pytest.mark.parametrize("name", WORKING)


def test_working_options_are_given_for_every_step_of_patterns():
    assert set(WORKING) == {name for name, step in STEPS.items() if issubclass(step, Step)}
    assert set(STEPS) - set(WORKING) == {"scale_targets"}


@each_step
def test_patterns_in_patterns_out_with_all_they_carry(name, scans):
    got = STEPS[name](**WORKING[name]).fit_transform(scans)
    assert isinstance(got, Patterns)
    assert got.names.tolist() == ["a", "b", "c"]
    assert got.meta["temperature"].tolist() == [300, 400, 500]
    assert got.meta["label"].tolist() == ["x", "y", "z"]
    assert got.warnings[0] == "an earlier note"
    assert got.failed == (("d.xy", "empty"),)
    assert got.sigma.shape == got.intensity.shape
    assert np.isfinite(got.sigma).all()
    assert (got.sigma >= 0).all()


@each_step
def test_input_is_not_changed_and_not_shared(name, scans):
    rows = np.array(scans.intensity)
    if name not in ("strip_kalpha2", "convert_axis"):  # they need an axis
        out = STEPS[name](**WORKING[name] | ({"grid": (0, 600, 101)} if name == "resample" else {})).fit_transform(rows)
        assert out.flags.writeable
        out[:] = -1
    before = scans.replace()
    STEPS[name](**WORKING[name]).fit_transform(scans)
    assert scans.equals(before)
    np.testing.assert_array_equal(rows, scans.intensity)


@each_step
def test_default_step_gives_an_array_of_its_own(name, scans):
    rows = np.array(scans.intensity)
    out = STEPS[name]().fit_transform(rows)
    assert not np.shares_memory(out, rows)


@each_step
def test_float32_stays(name, scans):
    thin = scans.replace(intensity=scans.intensity.astype(np.float32), sigma=scans.sigma.astype(np.float32))
    got = STEPS[name](**WORKING[name]).fit_transform(thin)
    assert got.intensity.dtype == np.float32
    wide = STEPS[name](**WORKING[name]).fit_transform(scans)
    np.testing.assert_allclose(got.intensity, wide.intensity, atol=2e-5 * np.abs(wide.intensity).max())


@each_step
def test_each_pattern_is_treated_on_its_own(name, scans):
    step = STEPS[name](**WORKING[name]).fit(scans)
    np.testing.assert_allclose(step.transform(scans[1]).intensity[0], step.transform(scans).intensity[1], rtol=1e-10)


@each_step
def test_xarray_in_xarray_out(name, scans):
    step = STEPS[name](**WORKING[name])
    want = step.fit_transform(scans)
    got = step.fit_transform(scans.to_xarray())
    assert isinstance(got, xr.Dataset)
    assert Patterns.from_xarray(got).equals(want)


@each_step
def test_learned_grids(name, scans):
    step = STEPS[name](**WORKING[name]).fit(scans)
    np.testing.assert_array_equal(step.grid_, scans.axis)
    assert not np.shares_memory(step.grid_, scans.axis)
    assert (step.kind_, step.n_features_in_) == ("two_theta", 601)
    assert step.wavelength_ == scans.wavelength
    out = step.transform(scans)
    np.testing.assert_array_equal(step.grid_out_, out.axis)
    assert step.get_feature_names_out().shape == (out.n_points,)


def test_a_users_own_data_array_keeps_its_dims_and_coordinates(scans):
    own = xr.DataArray(
        np.array(scans.intensity).T,
        dims=("angle", "temperature"),
        coords={"angle": scans.axis, "temperature": [300.0, 400.0, 500.0]},
        name="signal",
        attrs={"axis": "two_theta", "wavelength": 1.5406, "sample": "LaB6"},
    ).transpose("temperature", "angle")
    got = Crop(25, 40).fit_transform(own)
    assert isinstance(got, xr.DataArray)
    assert (got.name, got.dims, got.attrs["sample"]) == ("signal", ("temperature", "angle"), "LaB6")
    xr.testing.assert_equal(got.drop_attrs(), own.sel(angle=slice(25, 40)).drop_attrs())


def test_a_lying_data_array_comes_back_lying(scans):
    own = xr.DataArray(np.array(scans.intensity).T, dims=("x", "time"), coords={"x": scans.axis})
    got = Normalise().fit_transform(own)
    assert got.dims == ("x", "time")
    np.testing.assert_allclose(got, own / own.max("x"))


def test_a_single_pattern_of_xarray_comes_back_as_one_row(scans):
    one = xr.DataArray(scans.intensity[0], dims=("x",), coords={"x": scans.axis})
    assert Normalise().fit_transform(one).shape == (1, 601)


def test_other_variables_of_a_dataset_stay(scans):
    data = scans.to_xarray()
    data["phase"] = ("pattern", [1, 2, 3])
    data["per_point"] = ("x", np.arange(601))
    got = Crop(25, 40).fit_transform(data)
    assert got["phase"].values.tolist() == [1, 2, 3]
    assert "per_point" not in got  # it belongs to points that are no longer all there


@pytest.mark.parametrize("name", [n for n in WORKING if STEPS[n].accepts == "grid"])
def test_another_grid_is_refused_with_both_grids_and_the_way_out(name, scans):
    step = STEPS[name](**WORKING[name]).fit(scans)
    told = (
        r"cannot transform with \w+: it was fitted on two_theta \(1.54187 angstrom\) 20 to 50 in 601 points and got "
        r"two_theta \(1.54187 angstrom\) 20 to 40 in 401 points. Put Resample before it."
    )
    with pytest.raises(GridError, match=told):
        step.transform(scans.crop(20, 40))
    shifted = scans.replace(axis=scans.axis + 0.01)
    with pytest.raises(GridError, match=r"20.01 to 50.01 in 601 points"):
        step.transform(shifted)


@pytest.mark.parametrize("name", [n for n in WORKING if n not in ("convert_axis", "strip_kalpha2")])
def test_another_axis_or_wavelength_is_refused_by_all_but_the_converter(name, scans):
    step = STEPS[name](**WORKING[name]).fit(scans)
    with pytest.raises(GridError, match=r"got q 1.41.* Put ConvertAxis\('two_theta'\) and Resample before it"):
        step.transform(scans.to_axis("q"))
    with pytest.raises(GridError, match=r"got two_theta \(0.7 ang.*ConvertAxis\('two_theta', wavelength=1.54187\)"):
        step.transform(scans.replace(wavelength=0.7))
    step.transform(scans.replace(wavelength="CuKa1"))  # 0.08 % off: another name of the same tube


def test_axes_that_may_differ(scans):
    # What looks at each pattern by itself takes any grid of that kind, so that Resample may come after it.
    assert {n for n, s in STEPS.items() if issubclass(s, Step) and s.accepts == "kind"} == {
        "remove_spikes", "subtract_baseline", "strip_kalpha2", "smooth", "crop", "resample",
    }  # fmt: skip
    assert {n for n, s in STEPS.items() if issubclass(s, Step) and s.accepts == "any"} == {"convert_axis"}
    mine = make_pipeline(ConvertAxis("q"), Resample((1.5, 3.2, 301)), Normalise()).fit(scans)
    molybdenum = scans.to_axis("two_theta", wavelength="MoKa").crop(9, 22)
    np.testing.assert_allclose(mine.transform(molybdenum).axis, np.linspace(1.5, 3.2, 301))


def test_an_array_is_no_pattern_of_the_fitted_grid(scans):
    with pytest.raises(GridError, match=r"got channel 0 to 600 in 601 points"):
        Smooth().fit(scans).transform(np.array(scans.intensity))


def test_arrays_of_other_length_are_refused_as_scikit_learn_does():
    with pytest.raises(ValueError, match=r"X has 5 features, but Smooth is expecting 4 features as input"):
        Smooth(3).fit(np.ones((2, 4))).transform(np.ones((2, 5)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gaps_are_refused_except_where_they_may_be_cut_off(bad):
    rows = np.arange(12.0).reshape(2, 6)
    rows[0, 5] = bad
    with pytest.raises(PatternsError, match=r"1 of 12 intensities are NaN or infinite. Drop those patterns"):
        Normalise().fit(rows)
    assert np.isfinite(Crop(stop=4).fit_transform(rows)).all()


def test_set_output_makes_tables_of_arrays_and_leaves_patterns(scans):
    import pandas as pd

    steps = make_pipeline(SubtractBaseline(), Crop(10, 500), Normalise()).set_output(transform="pandas")
    table = steps.fit_transform(pd.DataFrame(scans.intensity, index=["a", "b", "c"]))
    assert isinstance(table, pd.DataFrame)
    assert table.shape == (3, 491)
    assert (table.index.tolist(), table.columns[0]) == (["a", "b", "c"], "crop0")
    steps = make_pipeline(SubtractBaseline(), StripKalpha2(), Normalise()).set_output(transform="pandas")
    assert steps.fit_transform(scans).kind == "two_theta"
    assert isinstance(steps.fit_transform(scans.to_xarray()), xr.Dataset)
    assert isinstance(steps.fit(scans).transform(scans), Patterns)


def test_names_of_columns_are_remembered_and_forgotten(scans):
    import pandas as pd

    table = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=["low", "high"])
    step = Normalise().fit(table)
    assert step.feature_names_in_.tolist() == step.get_feature_names_out().tolist() == ["low", "high"]
    assert not hasattr(step.fit(scans), "feature_names_in_")


def test_pipeline_with_patterns_clones_and_takes_parameters(scans):
    steps = make_pipeline(RemoveSpikes(), SubtractBaseline(), Resample((21, 49, 141)), Normalise())
    steps.set_params(subtractbaseline__method="snip", normalise__mode="vector")
    got = clone(steps).fit_transform(scans)
    np.testing.assert_allclose(np.linalg.norm(got.intensity, axis=1), 1)
    assert got.unit == "arbitrary"


def test_pipeline_ends_in_a_regressor(scans):
    target = TransformedTargetRegressor(Ridge(alpha=1e-6), transformer=ScaleTargets())
    model = make_pipeline(Normalise("set_maximum"), target)
    y = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    model.fit(np.array(scans.intensity), y)
    np.testing.assert_allclose(model.predict(np.array(scans.intensity)), y, atol=1e-3)


BAD = [
    (Resample(fill="x"), "fill must be a number, or None, got 'x'"),
    (Resample(fill=np.nan), "fill must be a number, or None, got nan"),
    (Crop(start="a"), "start must be a number, or None, got 'a'"),
    (Crop(40, 30), r"stop must be above start \(40\), got 30. Exchange start and stop"),
    (ConvertAxis("2theta"), "to must be one of two_theta, q, d"),
    (ConvertAxis(wavelength=1.5), "to must be the name of an axis where wavelength or two_theta is given"),
    (ConvertAxis("q", two_theta=-3), "two_theta must be a number above 0 and at most 180, or None, got -3"),
    (SubtractBaseline("als"), "method must be one of arpls, asls, airpls, snip, rolling_ball, polynomial, modpoly"),
    (SubtractBaseline(None), "method must be one of"),
    (SubtractBaseline(width=0), "width must be a number above 0, or None, got 0. Give about ten times the width"),
    (SubtractBaseline(lam=-1), "lam must be a number above 0, or None, got -1"),
    (SubtractBaseline(lam=1e5, width=3), "lam must be None where width is given, got 100000.0. Give one of them"),
    (SubtractBaseline(asymmetry=0.9), "asymmetry must be a number above 0 and at most 0.5, got 0.9"),
    (SubtractBaseline(poly_order=2.5), "poly_order must be a whole number at least 0, got 2.5"),
    (SubtractBaseline("polynomial", poly_order=601), r"poly_order must be below the number of points \(601\), got 601"),
    (SubtractBaseline(iterations=0), "iterations must be a whole number at least 1, got 0"),
    (SubtractBaseline(tol=0), "tol must be a number above 0, got 0"),
    (RemoveSpikes(0), "fwhm must be a number above 0, or None, got 0"),
    (RemoveSpikes(threshold=True), "threshold must be a number above 0, got True"),
    (Smooth(8), "window must be odd, to have a middle, got 8. Use 9"),
    (Smooth(0), "window must be a whole number at least 1, got 0"),
    (Smooth(5, 5), r"order must be below window \(5\), got 5"),
    (Smooth(5, -1), "order must be a whole number at least 0, got -1"),
    (FilterFourier(0), "n_bins must be a whole number at least 1, got 0. Wang et al. use 200"),
    (FilterFourier(threshold=-1), "threshold must be a number at least 0, got -1"),
    (StripKalpha2(ratio=0), "ratio must be a number above 0 and at most 1, or None, got 0"),
    (StripKalpha2(1.54), "wavelengths must be two wavelengths"),
    (StripKalpha2((1.5444, 1.5406)), r"wavelengths must be two wavelengths \[angstrom\], the second up to 2 % longer"),
    (SumBins(0), "factor must be a whole number at least 1, got 0"),
    (SumBins(2, remainder="keep"), "remainder must be one of refuse, drop, got 'keep'"),
    (Normalise("max"), "mode must be one of maximum, set_maximum, area, vector, snv, got 'max'"),
]


@pytest.mark.parametrize(("step", "told"), BAD, ids=[told[:30] for _, told in BAD])
def test_bad_options_are_told_in_fit(step, told, scans):
    with pytest.raises(OptionError, match=f"cannot fit {type(step).__name__}: {told}"):
        step.fit(scans)
    assert isinstance(clone(step), type(step))  # and not before


def test_the_base_is_abstract(scans):
    from peakwise.preprocessing._step import _Tabular

    with pytest.raises(NotImplementedError, match=r"must be a Step"):
        _Tabular().transform(np.ones((2, 3)))


def test_converting_what_has_no_axis():
    with pytest.raises(AxisError, match=r"channel and q measure different things"):
        ConvertAxis("q").fit(np.ones((2, 3)))


def test_importing_the_room_loads_no_heavy_library():
    code = (
        "import sys, peakwise.preprocessing as p; s = [c() for c in p.STEPS.values()]; "
        "heavy = {'pybaselines', 'scipy.signal', 'xarray', 'torch', 'matplotlib'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
