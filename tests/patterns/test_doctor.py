"""The axis doctor: each finding on a scan made to have it, and silence on healthy ones."""

from __future__ import annotations

import numpy as np
import pytest

import peakwise as pw

X = np.arange(10, 90, 0.02)


def healthy(**changes):
    rng = np.random.default_rng(3)
    y = rng.poisson(30 + 4000 * np.exp(-(((X - 40) / 0.1) ** 2)) + 900 * np.exp(-(((X - 60) / 0.1) ** 2)))
    return pw.Patterns(**({"axis": X, "intensity": y, "wavelength": "CuKa1", "unit": "counts"} | changes))


def test_healthy_scans_have_no_findings():
    assert pw.diagnose(healthy()) == []
    assert pw.diagnose(healthy().to_axis("q")) == []
    assert pw.diagnose(healthy().to_axis("d")) == []


@pytest.mark.parametrize(
    ("scan", "told"),
    [
        (healthy(axis=X * 100), "these look like centidegrees"),
        (healthy(axis=X * 3), "beyond 180"),
        (healthy(axis=X / 13), "may be q|pass axis='q'"),
        (healthy(axis=pw.Patterns(X, X, wavelength=1.54).to_axis("d").axis), "as d-spacings do"),
        (healthy(axis=X, kind="q"), "may be 1/nm"),
        (healthy(axis=X * 10, kind="d"), "may be in pm"),
        (healthy(axis=X * 100, kind="energy"), "may be in eV"),
        (healthy(axis=np.r_[X[:2000], X[2000:] + 5]), "1 gaps along the axis, the largest from 49.98 to 55"),
        (healthy(intensity=np.full(X.size, 7.0)), "every intensity is 7"),
        (healthy(intensity=np.zeros((2, X.size))), "2 patterns are constant"),
        (healthy(intensity=np.r_[-1.0, np.arange(X.size - 1)]), "1 intensities are negative"),
        (healthy(intensity=np.r_[np.nan, np.arange(X.size - 1)]), "1 of 4000 intensities are NaN"),
        (healthy(intensity=np.minimum(healthy().intensity, 2000)), "2000, looks cut off: the detector was saturated"),
        (healthy(intensity=np.r_[65535, np.arange(X.size - 1) % 50]), "65535, looks cut off"),
        (healthy(intensity=healthy().intensity / healthy().intensity.max(), unit="unknown"), "exactly 1: already norm"),
        (healthy(wavelength=None), "the wavelength is missing"),
        (healthy(meta={"anode": ["Mo"]}), "1.54059 angstrom is not that of the Mo tube"),
    ],
)  # fmt: skip
def test_findings(scan, told):
    import re

    findings = pw.diagnose(scan)
    assert any(re.search(told, f) for f in findings), findings


def test_an_empty_frame_among_good_ones_is_counted():
    y = np.vstack([healthy().intensity, np.full((1, X.size), np.nan)])
    assert any("1 patterns are empty" in f for f in pw.diagnose(healthy(intensity=y)))
