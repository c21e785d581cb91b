"""Regions of a library by one method or another, with a score of each pattern and the pattern that its region says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.patterns import Patterns

__all__ = ["FoundRegions", "found_regions"]

_STRETCHED = ("two_theta", "q", "d")  # axes along which alloying moves all lines by one share


@dataclass(frozen=True, slots=True, eq=False)
class FoundRegions:
    """What was found.

    Attributes
    ----------
    labels : ndarray of shape (n,)
    examples : ndarray of shape (k,)
        The most typical pattern of each region.
    scores : ndarray of shape (n,)
        0 where a pattern is as its region is, 1 where nothing of it is.
    silhouette : float or None
    shares : ndarray of shape (n, k) or None
        Of the components, by intensity.
    grid, rows, made : ndarray
        The axis, the patterns on it (n, m), and what is known of each (n, m).
    kind : str
        Of that axis.
    """

    labels: NDArray[np.intp]
    examples: NDArray[np.intp]
    scores: NDArray[np.float64]
    silhouette: float | None
    shares: NDArray[np.float64] | None
    grid: NDArray[np.float64]
    rows: NDArray[np.float64]
    made: NDArray[np.float64]
    kind: str


def found_regions(
    out: Output, flat: Patterns, k: int | None, method: str, shift: float, where: NDArray[np.float64] | None
) -> FoundRegions:
    """Find the regions of patterns without background."""
    from peakwise.wafers import factorise, log_grid, phase_regions, shift_points

    grid, reach = flat, 0
    if flat.kind in _STRETCHED:
        grid = log_grid(flat)
        reach = shift_points(grid, shift) if shift > 0 else 0
    elif shift > 0:
        out.warnings.append(f"along {flat.kind} a larger cell shifts nothing: patterns are compared without a shift")
    rows = np.maximum(np.asarray(grid.intensity, np.float64), 0.0)
    if method != "factors":
        found = phase_regions(rows, k, method, most_shift=reach, where=where, random_state=out.seed)
        labels, examples = found.labels, found.examples
        own = examples[labels]
        scores = np.minimum(found.distances[np.arange(len(rows)), own], 1.0)
        silhouette = found.silhouettes.get(found.n_regions) if k is None else _silhouette(found.distances, labels)
        return FoundRegions(
            labels, examples, scores, silhouette, None, grid.axis, rows, _scaled(rows, rows[own]), grid.kind
        )
    parts = factorise(rows, k, reach, random_state=out.seed)
    # Components are numbered as they come first; one that is nowhere the largest is no region.
    largest = parts.shares.argmax(axis=1)
    _, first, codes = np.unique(largest, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    labels = np.argsort(order, kind="stable")[codes]
    kept = largest[np.sort(first)]
    if len(kept) < parts.n_components:
        out.warnings.append(f"{parts.n_components - len(kept)} components are nowhere the largest, and make no region")
    shares = parts.shares[:, [*kept, *sorted(set(range(parts.n_components)) - set(kept.tolist()))]]
    examples = np.array([int(np.where(labels == r, shares[:, r], -1).argmax()) for r in range(len(kept))])
    made = parts.reconstruct()
    energy = np.maximum((rows**2).sum(axis=1), 1e-300)
    scores = np.clip(((rows - made) ** 2).sum(axis=1) / energy, 0.0, 1.0)
    return FoundRegions(np.asarray(labels, np.intp), examples, scores, None, shares, grid.axis, rows, made, grid.kind)


def _scaled(rows: NDArray[np.float64], like: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each pattern's example on its scale."""
    size = np.maximum((like**2).sum(axis=1), 1e-300)
    return np.asarray(np.maximum((rows * like).sum(axis=1) / size, 0)[:, None] * like)


def _silhouette(distances: NDArray[np.float64], labels: NDArray[np.intp]) -> float | None:
    from sklearn.metrics import silhouette_score

    if not 2 <= np.unique(labels).size < len(labels):
        return None
    return float(silhouette_score(distances, labels, metric="precomputed"))
