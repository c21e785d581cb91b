"""Linear answers: ridge regression whose strength is chosen by leaving each pattern out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from numpy.typing import NDArray

__all__ = ["check_linear", "fit_ridge"]

STRENGTHS = np.logspace(-10, 4, 57)  # of the ridge, times the mean size of the table's rows


def fit_ridge(
    table: NDArray[np.float64], targets: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return weights (k, t), offsets (t,) and the errors (n, t) that are made of each pattern when it is left out.

    Notes
    -----
    With the singular values s and left vectors U of the centred table the fitted values are U diag(s²/(s² + a)) Uᵀ y
    plus the mean; leaving row i out makes its error the residual over 1 - h_i, where h_i is the i-th diagonal of that
    matrix plus 1/n (the mean is learned, too). Computed with a/(s² + a), which loses no digits where a is small. Each
    target has its own strength a.
    """
    n = len(table)
    means, offsets = table.mean(axis=0), targets.mean(axis=0)
    left, sizes, right = np.linalg.svd(table - means, full_matrices=False)
    kept = sizes > 1e-10 * max(float(sizes[0]), 1e-300)
    left, sizes, right = left[:, kept], sizes[kept], right[kept]
    centred = targets - offsets
    along = left.T @ centred
    best = np.full(targets.shape[1], np.inf)
    weights, errors = np.zeros((table.shape[1], targets.shape[1])), centred * n / max(n - 1, 1)
    unit = float((sizes**2).sum()) / n if sizes.size else 1.0
    # What no column of the table can follow; of as many columns as patterns it is rounding alone.
    beside, room_beside = centred - left @ along, 1 - 1 / n - (left**2).sum(axis=1)
    if sizes.size >= n - 1:
        beside, room_beside = np.zeros_like(centred), np.zeros(n)
    for strength in STRENGTHS * unit:
        rest = strength / (sizes**2 + strength)
        room = (left**2) @ rest + room_beside
        wrong = (beside + left @ (rest[:, None] * along)) / np.maximum(room, 1e-300)[:, None]
        mean = (wrong**2).mean(axis=0)
        better = mean < best
        if better.any():
            best[better] = mean[better]
            errors[:, better] = wrong[:, better]
            weights[:, better] = right.T @ ((sizes / (sizes**2 + strength))[:, None] * along[:, better])
    return weights, offsets - means @ weights, errors


def check_linear(arrays: Mapping[str, NDArray[Any]], width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and offsets of a model file, refused where they do not fit."""
    weights, offsets = (np.asarray(arrays[name], np.float64) for name in ("weights", "offsets"))
    if weights.ndim != 2 or offsets.shape != weights.shape[1:] or len(weights) != width:
        raise ValueError(f"weights {weights.shape} and offsets {offsets.shape} for {width} numbers")
    return weights, offsets
