"""Ways in which a series may break, fitted to its curves, beside ways in which it may change without breaking."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["SMOOTH", "Breaks", "Fit", "breaks", "fit_breaks"]

Array = NDArray[np.float64]

# A ramp from 0 to 1, straight or smooth; or an order parameter that grows from (or falls to) 0 as a root or a line.
RAMP, ROOT, LINE = 0, 1, 2
_WIDTHS = (0, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.27, 0.35, 0.43)  # of ramps, as shares of the series
_SMOOTH_WIDTHS = (0.1, 0.2, 0.35, 0.5, 0.65)  # of ramps that begin and end gently
_ONSETS = 100  # of order parameters, at most
# What changes without a break: a trend; a curve; a curve and whatever follows the strain of the cell.
SMOOTH = ("trend", "curve", "strain")


@dataclass(frozen=True, slots=True, eq=False)
class Breaks:
    """Shapes of breaks along n frames.

    Attributes
    ----------
    shape : ndarray of shape (f, n)
        From 0 to 1, or from 1 to 0.
    kind : ndarray of shape (f,)
        `RAMP`, `ROOT` or `LINE`.
    onset, end, middle : ndarray of shape (f,)
        [frames]; between frames i and i + 1 it is i + 0.5. The middle of an order parameter is its onset.
    """

    shape: Array
    kind: NDArray[np.intp]
    onset: Array
    end: Array
    middle: Array


@lru_cache(maxsize=16)
def breaks(n: int) -> Breaks:
    """All shapes that are tried along n frames."""
    frame = np.arange(n)
    shapes: list[Array] = []
    rows: list[tuple[int, float, float, float]] = []
    for width in sorted({round(n * share) for share in _WIDTHS}):
        for start in np.arange(0, n - 1 - width, max(1, width // 6)) + 0.5:
            shapes.append(np.clip((frame - start) / width, 0, 1) if width else (frame > start).astype(float))
            rows.append((RAMP, start, start + width, start + width / 2))
    for width in sorted({max(3, round(n * share)) for share in _SMOOTH_WIDTHS}):
        for start in np.arange(0, n - 1 - width, max(1, width // 6)) + 0.5:
            t = np.clip((frame - start) / width, 0, 1)
            shapes.append(t * t * (3 - 2 * t))
            rows.append((RAMP, start, start + width, start + width / 2))
    for power, kind in ((0.5, ROOT), (1.0, LINE)):
        for start in np.arange(2, n - 2, max(1, n // _ONSETS)) + 0.5:
            shapes += [
                np.maximum(0, frame - start) ** power / (n - 1 - start) ** power,
                np.maximum(0, start - frame) ** power / start**power,
            ]
            rows += [(kind, start, n - 1.0, start), (kind, 0.0, start, start)]
    columns = np.array(rows).T
    return Breaks(np.array(shapes), columns[0].astype(np.intp), columns[1], columns[2], columns[3])


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """All breaks fitted beside one kind of smooth change.

    Attributes
    ----------
    rest : float
        Chi-squared of the smooth change alone.
    gain : ndarray of shape (f,)
        By how much each break lowers it.
    step : ndarray of shape (f, k)
        Height of each break in each curve.
    """

    rest: float
    gain: Array
    step: Array


def fit_breaks(scores: Array, strain: Array, family: Breaks) -> dict[str, Fit]:
    """Fit each break beside each smooth change: ``{name in SMOOTH: Fit}``."""
    n = len(scores)
    time = np.linspace(-1, 1, n)
    spread = strain.std()
    columns = {"trend": np.vander(time, 2), "curve": np.vander(time, min(4, n))}
    columns["strain"] = columns["curve"]
    if spread > 0:
        unit = (strain - strain.mean()) / spread
        columns["strain"] = np.column_stack([columns["curve"], unit, unit**2])
    fits = {}
    for name in SMOOTH:
        smooth = np.linalg.qr(columns[name])[0]
        left = scores - smooth @ (smooth.T @ scores)
        shape = family.shape - (family.shape @ smooth) @ smooth.T
        size = (shape**2).sum(axis=1)
        # A shape that the smooth change can mimic has no height of its own.
        is_own = size > 1e-4 * n
        step = np.where(is_own[:, None], (shape @ left) / np.where(is_own, size, 1)[:, None], 0.0)
        fits[name] = Fit(float((left**2).sum()), (step**2).sum(axis=1) * size, step)
    return fits
