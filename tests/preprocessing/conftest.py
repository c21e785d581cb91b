"""Scans for the tests of the steps."""

from __future__ import annotations

import numpy as np
import pytest

from peakwise import Patterns


@pytest.fixture
def scans():
    """Three Poisson scans of a few peaks, with everything a `Patterns` can carry."""
    axis = np.linspace(20, 50, 601)
    ideal = 30 + sum(h * 2.0 ** -(((axis - c) / 0.15) ** 2) for c, h in ((24, 500), (31, 2000), (31.6, 700), (44, 300)))
    counts = np.random.default_rng(5).poisson(ideal * np.array([[1.0], [2.0], [4.0]])).astype(float)
    return Patterns(
        axis,
        counts,
        wavelength="CuKa",
        sigma=np.sqrt(counts + 1),
        names=["a", "b", "c"],
        meta={"temperature": [300.0, 400.0, 500.0], "label": ["x", "y", "z"]},
        unit="counts",
        warnings=["an earlier note"],
        failed=[("d.xy", "empty")],
    )
