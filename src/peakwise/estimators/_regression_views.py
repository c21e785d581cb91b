"""Patterns seen in ways in which what strain, size and disorder do to them is nearly linear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peakwise.estimators._regression_rows import PreparedRows

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Rows

__all__ = ["VIEWS", "learn_view", "quantiles", "seen"]

_QUANTILES = 60
_SORTED = 60
_FLOOR = 1e-4  # of the largest value of all, below which logarithms see no difference


def quantiles(rows: NDArray[np.float64], n: int = _QUANTILES) -> NDArray[np.float64]:
    """At which share of the axis so much of each pattern's area is reached: (n_patterns, n).

    A line that moves shifts a part of these numbers by as much, whereas intensities on a fixed grid go up and down.

    >>> line = np.zeros((2, 100))
    >>> line[0, 40], line[1, 45] = 1, 1
    >>> np.diff(quantiles(line, 4), axis=0).round(3).tolist()
    [[0.05, 0.05, 0.05, 0.05]]
    """
    m = rows.shape[1]
    area = np.cumsum(rows + 1e-9 * (rows.max(axis=1, keepdims=True) + 1e-30), axis=1)
    area = np.concatenate([np.zeros((len(rows), 1)), area], axis=1) / area[:, -1:]
    wanted, ends = (np.arange(n) + 0.5) / n, np.linspace(0, 1, m + 1)
    return np.array([np.interp(wanted, row, ends) for row in area])


def _positive(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    values = np.asarray(rows, dtype=np.float64)
    return np.asarray(values - np.minimum(values.min(axis=1, keepdims=True), 0.0))


def _shape(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the area, and entropy: how evenly it is spread."""
    area = rows.sum(axis=1, keepdims=True) + 1e-12
    shares = rows / area
    entropy = -(shares * np.log(shares + 1e-12)).sum(axis=1)
    table = np.stack([np.log(area[:, 0]), entropy], axis=1)
    return np.asarray(table)


def _sorted_logs(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms of the intensities in the order of their size, wherever they stand."""
    ordered = np.sort(rows, axis=1)[:, :: max(1, rows.shape[1] // _SORTED)]
    return np.asarray(np.log(ordered + _FLOOR))


def _with_shape(rows: Rows) -> dict[str, NDArray[np.float64]]:
    made: dict[str, NDArray[np.float64]] = {}
    for name, part in rows.items():
        values = _positive(part)
        made |= {f"{name} quantiles": quantiles(values), f"{name} shape": _shape(values)}
    return made


def _with_logs(rows: Rows) -> dict[str, NDArray[np.float64]]:
    made: dict[str, NDArray[np.float64]] = {}
    for name, part in rows.items():
        values = _positive(part)
        made |= {f"{name} quantiles": quantiles(values), f"{name} logs": _sorted_logs(values)}
    return made


def _of_roots(rows: Rows) -> dict[str, NDArray[np.float64]]:
    return {name: quantiles(np.sqrt(_positive(part))) for name, part in rows.items()}


def _plain(rows: Rows) -> dict[str, NDArray[np.float64]]:
    return {name: np.asarray(part, dtype=np.float64) for name, part in rows.items()}


# Name -> how rows are seen, and what `PreparedRows` does with that.
VIEWS: dict[str, tuple[Callable[[Rows], dict[str, NDArray[np.float64]]], str]] = {
    "area": (_with_shape, "none"),
    "logs": (_with_logs, "none"),
    "roots": (_of_roots, "none"),
    "pattern": (_plain, "root"),
    "curvature": (_plain, "snv_second_derivative"),
}


def learn_view(name: str, rows: Rows, n_components: int) -> tuple[PreparedRows, NDArray[np.float64]]:
    """Principal components of a view, and the table of the rows."""
    see, preparation = VIEWS[name]
    return PreparedRows.learn(see(rows), preparation, n_components=n_components)


def seen(name: str, ready: PreparedRows, rows: Rows) -> NDArray[np.float64]:
    """The table of other rows."""
    return ready.apply(VIEWS[name][0](rows))
