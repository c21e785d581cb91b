from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from peakwise.errors import PatternsError
from peakwise.preprocessing import ScaleTargets


@settings(deadline=None)
@given(arrays(np.float64, (5, 3), elements=st.floats(-1e6, 1e6)))
def test_there_and_back(table):
    scaler = ScaleTargets().fit(table)
    scaled = scaler.transform(table)
    assert scaled.min() >= 0
    assert scaled.max() <= 1 + 1e-12
    np.testing.assert_allclose(scaler.inverse_transform(scaled), table, rtol=1e-12, atol=1e-9)


def test_table_one_of_vizoso_and_dingreville():
    ends = np.array(
        [[0.354, 0.0, 0.0, -204.22, -205.43, -207.32, 0.0], [1.0, 0.353, 0.302, 14.48, 14.48, 14.48, 4.14e-3]]
    )
    scaler = ScaleTargets().fit(ends)
    np.testing.assert_array_equal(scaler.transform(ends), [[0] * 7, [1] * 7])
    np.testing.assert_allclose(scaler.range_[[3, 6]], [218.7, 4.14e-3])
    np.testing.assert_allclose(scaler.transform(ends.mean(axis=0, keepdims=True)), [[0.5] * 7])


def test_constant_columns_come_back():
    scaler = ScaleTargets().fit([[3.0, 1.0], [3.0, 2.0]])
    assert scaler.transform([[3.0, 1.5]]).tolist() == [[0, 0.5]]
    assert scaler.inverse_transform([[0.0, 0.5]]).tolist() == [[3, 1.5]]


def test_unknown_values_stay_unknown():
    table = np.array([[1.0, np.nan, np.nan], [3.0, 5.0, np.nan], [2.0, 7.0, np.nan]])
    scaler = ScaleTargets().fit(table)
    np.testing.assert_array_equal(scaler.transform(table), [[0, np.nan, np.nan], [1, 0, np.nan], [0.5, 1, np.nan]])
    np.testing.assert_array_equal(scaler.inverse_transform(scaler.transform(table)), table)


def test_float32_and_tables():
    import pandas as pd

    table = pd.DataFrame({"strain": [0.0, 0.1], "size": [10.0, 30.0]}).astype(np.float32)
    scaler = ScaleTargets().set_output(transform="pandas")
    got = scaler.fit_transform(table)
    assert got.columns.tolist() == ["strain", "size"]
    assert got.to_numpy().dtype == np.float32
    assert got.to_numpy().tolist() == [[0, 0], [1, 1]]


def test_patterns_are_refused(scans):
    with pytest.raises(
        PatternsError, match=r"a table of descriptors is needed, .* got Patterns. Use Normalise for patterns"
    ):
        ScaleTargets().fit(scans)
