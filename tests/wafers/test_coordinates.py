"""Compositions as places: distances, the way back, and grids of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from peakwise.errors import OptionError
from peakwise.wafers import barycentric, composition_grid, corners, from_barycentric, plane


@pytest.mark.parametrize("elements", [2, 3, 4])
def test_corners_are_one_apart(elements):
    ends = corners(elements)
    apart = np.linalg.norm(ends[:, None] - ends[None], axis=2)
    np.testing.assert_allclose(apart, 1 - np.eye(elements), atol=1e-12)


@given(st.integers(2, 4).flatmap(lambda e: arrays(np.float64, (5, e), elements=st.floats(0.01, 1))))
def test_there_and_back(parts):
    fractions = parts / parts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(from_barycentric(barycentric(fractions)), fractions, atol=1e-12)
    # For compositions that differ by c, the squared distance is half the sum of c squared: edges are 1.
    apart = np.linalg.norm(barycentric(fractions)[0] - barycentric(fractions)[1])
    assert apart == pytest.approx(np.sqrt(((fractions[0] - fractions[1]) ** 2).sum() / 2), abs=1e-12)
    assert plane(fractions).shape == (5, 2)


def test_a_line_is_drawn_flat_and_four_elements_are_apart():
    assert plane([[1, 0], [0, 1]]).tolist() == [[0, 0], [1, 0]]
    drawn = plane(np.eye(4))
    assert min(np.linalg.norm(drawn[i] - drawn[j]) for i in range(4) for j in range(i)) > 0.4


@pytest.mark.parametrize(("elements", "steps"), [(2, 5), (3, 4), (4, 3), (5, 2)])
def test_grid_is_all_compositions(elements, steps):
    expected = {p for p in product(range(steps + 1), repeat=elements) if sum(p) == steps}
    made = composition_grid(elements, steps)
    assert {tuple(np.rint(row * steps).astype(int).tolist()) for row in made} == expected
    assert len(made) == len(expected)
    np.testing.assert_allclose(made.sum(axis=1), 1)
    assert made.min() >= 0


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: barycentric([[0.5, 0.6]]), "fractions must add to 1, those of row 0 add to 1.1"),
        (lambda: plane([[1.0]]), "fractions must be those of 2, 3 or 4 elements, got 1 columns"),
        (lambda: barycentric([[np.nan, 1.0]]), "fractions must be finite"),
        (lambda: corners(5), "elements must be a whole number, 2 to 4, got 5"),
        (lambda: from_barycentric([[0.0] * 4]), "the number of columns must be a whole number, 1 to 3, got 4"),
        (lambda: composition_grid(8, 1000), "a grid must have at most 2000000 places"),
    ],
)
def test_what_cannot_be_placed(call, told):
    with pytest.raises(OptionError, match=told):
        call()
