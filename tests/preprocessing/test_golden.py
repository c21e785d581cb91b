"""Each step against its golden curve, made by `make_golden.py` with slow plain formulas."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from peakwise import Patterns
from peakwise.preprocessing import STEPS

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "preprocessing.npz"
MODES = ("maximum", "area", "vector", "snv", "set_maximum")
# Curve -> options of the step, and how near it must come (relative to the largest value of the curve).
CURVES = {
    "remove_spikes": ({}, 1e-12),
    "subtract_baseline": ({"width": 4.0}, 1e-6),
    "smooth": ({"window": 9, "order": 3}, 1e-11),
    "filter_fourier": ({"n_bins": 60, "threshold": 0}, 1e-11),
    "crop": ({"start": 25, "stop": 40}, 0),
    "sum_bins": ({"factor": 7, "remainder": "drop"}, 0),
    **{f"normalise_{mode}": ({"mode": mode}, 1e-12) for mode in MODES},
}


@pytest.fixture(scope="module")
def golden():
    with np.load(GOLDEN) as stored:
        return dict(stored)


def _step(curve):
    return STEPS[re.sub("|".join(f"_{mode}$" for mode in MODES), "", curve)]


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_golden_curve(golden, curve, dtype):
    options, tolerance = CURVES[curve]
    scans = Patterns(golden["axis"], golden["counts"].astype(dtype), wavelength="CuKa", unit="counts")
    got = _step(curve)(**options).fit_transform(scans).intensity
    near = max(tolerance, 0 if dtype == np.float64 else 2e-6)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, golden[curve], rtol=0, atol=near * np.abs(golden[curve]).max())


def test_golden_spikes_are_the_ones_put_in(golden):
    changed = np.argwhere(golden["counts"] != golden["remove_spikes"])
    assert changed.tolist() == [[0, 100], [0, 350], [1, 500], [1, 501]]


def test_golden_kalpha2(golden):
    scan = Patterns(golden["doublet_axis"], golden["doublet"], wavelength="CuKa")
    got = STEPS["strip_kalpha2"]().fit_transform(scan).intensity[0]
    # Kα2 peaks are exactly as wide as Kα1 here, and five steps wide: stretch and interpolation leave 0.33 %.
    assert np.abs(got - golden["strip_kalpha2"]).max() < 0.004 * golden["strip_kalpha2"].max()


def test_golden_axis(golden):
    scan = Patterns(golden["axis"], golden["counts"], wavelength="CuKa1")
    got = STEPS["convert_axis"]("q").fit_transform(scan)
    np.testing.assert_allclose(got.axis, golden["convert_axis"], rtol=1e-14)
    np.testing.assert_array_equal(got.intensity, golden["counts"])


def test_golden_resample(golden):
    scan = Patterns(golden["axis"], golden["counts"], wavelength="CuKa1")
    got = STEPS["resample"](golden["resample_grid"]).fit_transform(scan)
    np.testing.assert_allclose(got.intensity, golden["resample"], rtol=1e-9)


def test_golden_targets(golden):
    got = STEPS["scale_targets"]().fit_transform(golden["targets"])
    np.testing.assert_allclose(got, golden["scale_targets"], rtol=1e-14)


def test_every_step_has_a_golden_curve(golden):
    assert {name for name in STEPS if not any(k.startswith(name) for k in golden)} == set()
