"""Compositions as points: on a line, in a triangle, in a tetrahedron and its picture on paper; and grids of them."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import OptionError
from peakwise.wafers._given import count, rows_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["barycentric", "composition_grid", "corners", "from_barycentric", "plane"]

_WHAT = "cannot place the compositions"
_MOST_PLACES = 2_000_000
_OFF = 1e-6  # that fractions may be off from 1
# The tetrahedron as it is drawn: the first three corners as the triangle of a ternary, the fourth above its middle and
# a little to the right, so that no two edges lie on each other.
_PICTURE = np.array([[0.0, 0.0], [1.0, 0.0], [0.62, 0.45], [0.5, 0.95]])


def corners(elements: int) -> NDArray[np.float64]:
    """Where the pure elements are: a line (2), an equilateral triangle (3) or a regular tetrahedron (4), edges 1.

    Returns
    -------
    ndarray of shape (elements, elements - 1)

    Examples
    --------
    >>> corners(3).round(3).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.5, 0.866]]
    """
    count(_WHAT, "elements", elements, 2, 4)
    rows = np.array(
        [[0, 0, 0], [1, 0, 0], [0.5, np.sqrt(3) / 2, 0], [0.5, np.sqrt(3) / 6, np.sqrt(2 / 3)]], dtype=np.float64
    )
    return rows[:elements, : elements - 1]


def barycentric(fractions: ArrayLike) -> NDArray[np.float64]:
    """Return the places of compositions among the `corners`: distances between them are true ones.

    Parameters
    ----------
    fractions : array-like of shape (n, e)
        Of 2, 3 or 4 elements; each row adds to 1.

    Returns
    -------
    ndarray of shape (n, e - 1)

    Examples
    --------
    >>> barycentric([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1 / 3, 1 / 3, 1 / 3]]).round(3).tolist()
    [[0.0, 0.0], [1.0, 0.0], [0.5, 0.866], [0.5, 0.289]]
    """
    rows = _fractions(fractions)
    return np.asarray(rows @ corners(rows.shape[1]))


def from_barycentric(places: ArrayLike) -> NDArray[np.float64]:
    """Return the compositions at places among the `corners`; below 0 where a place is outside.

    >>> from_barycentric([[0.5, 0.0], [0.25, 0.4330127]]).round(3).tolist()
    [[0.5, 0.5, 0.0], [0.5, 0.0, 0.5]]
    """
    rows = rows_of(_WHAT, "places", places)
    count(_WHAT, "the number of columns", rows.shape[1], 1, 3)
    ends = corners(rows.shape[1] + 1)
    rest = np.linalg.solve(ends[1:].T, rows.T).T  # the first corner is the origin
    return np.column_stack([1 - rest.sum(axis=1), rest])


def plane(fractions: ArrayLike) -> NDArray[np.float64]:
    """Return places to draw, (n, 2): a line for 2 elements, the triangle for 3, a picture of the tetrahedron for 4.

    In the picture of four elements compositions may lie on each other: draw it, but measure distances in `barycentric`.

    >>> plane([[0.25, 0.75]]).tolist()
    [[0.75, 0.0]]
    >>> plane([[0.0, 0.0, 0.0, 1.0]]).tolist()
    [[0.5, 0.95]]
    """
    rows = _fractions(fractions)
    if rows.shape[1] == 4:
        return np.asarray(rows @ _PICTURE)
    made = barycentric(rows)
    return np.column_stack([made, np.zeros(len(made))]) if made.shape[1] == 1 else made


def composition_grid(elements: int, steps: int = 20) -> NDArray[np.float64]:
    """Return all compositions in steps of 1 / steps, pure elements among them: candidates for `suggest`.

    >>> composition_grid(3, 2).tolist()
    [[0.0, 0.0, 1.0], [0.0, 0.5, 0.5], [0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]
    """
    count(_WHAT, "elements", elements, 2, 8)
    count(_WHAT, "steps", steps, 1, 10_000)
    total = comb(steps + elements - 1, elements - 1)
    if total > _MOST_PLACES:
        why = f"a grid must have at most {_MOST_PLACES} places, {steps} steps of {elements} elements make {total}"
        raise OptionError(_WHAT, why, "Take fewer steps")
    # Stars and bars: where the bars stand says how many of the steps each element has.
    bars = np.array(list(combinations(range(steps + elements - 1), elements - 1)), dtype=np.int64)
    ends = np.full((len(bars), 1), steps + elements - 1)
    return np.diff(np.hstack([np.full((len(bars), 1), -1), bars, ends]), axis=1) / steps - 1 / steps


def _fractions(fractions: ArrayLike) -> NDArray[np.float64]:
    rows = rows_of(_WHAT, "fractions", fractions)
    if not 2 <= rows.shape[1] <= 4:
        why = f"fractions must be those of 2, 3 or 4 elements, got {rows.shape[1]} columns"
        raise OptionError(_WHAT, why, "Join elements that vary little, or draw three of them")
    off = np.abs(rows.sum(axis=1) - 1)
    if off.max() > _OFF:
        worst = int(off.argmax())
        why = f"fractions must add to 1, those of row {worst} add to {rows[worst].sum():g}"
        raise OptionError(_WHAT, why, "Divide percent by 100, and name all elements")
    return rows
