"""Patterns put into regions of one phase field each: distances that allow a shift, and groups of them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import OptionError
from peakwise.wafers._given import count, member, rows_of, size

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["REGION_METHODS", "Regions", "phase_regions", "shift_distances"]

_WHAT = "cannot find regions"
REGION_METHODS = ("agglomerative", "spectral")
_MOST_PATTERNS = 10_000  # all pairs are kept
_MOST_REGIONS = 12  # tried when the number is not given
_LEAST_SILHOUETTE = 0.25  # below it there is no structure: Kaufman and Rousseeuw, Finding Groups in Data (1990), p. 88
_NEIGHBOURS = 7  # sets the width of the kernel at each pattern: Zelnik-Manor and Perona, NIPS 17 (2004)
_AROUND = 8  # places around one that count as beside it
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """What `phase_regions` finds.

    Attributes
    ----------
    labels : ndarray of shape (n,)
        Region of each pattern, numbered from 0 in the order in which they come first.
    examples : ndarray of shape (n_regions,)
        The pattern of each region that is nearest to all others in it.
    silhouettes : dict of int to float
        Mean silhouette of each number of regions that was tried.
    distances : ndarray of shape (n, n)
    """

    labels: NDArray[np.intp]
    examples: NDArray[np.intp]
    silhouettes: dict[int, float]
    distances: NDArray[np.float64]

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.examples)


def shift_distances(intensity: ArrayLike, most_shift: int = 0) -> NDArray[np.float64]:
    """Return 1 - cosine between all pairs of patterns, at the shift that makes them most alike.

    Parameters
    ----------
    intensity : array-like of shape (n, m)
    most_shift : int
        Points that one may be shifted against the other. What is shifted over the end counts as different.

    Returns
    -------
    ndarray of shape (n, n)
        0 (the same but for scale and shift) to 2; 1 to a pattern without any intensity.

    Examples
    --------
    >>> import numpy as np
    >>> rows = [[0, 1, 0, 0, 0], [0, 0, 5, 0, 0], [0, 0, 0, 0, 1]]
    >>> shift_distances(rows).round(2).tolist()[0]
    [0.0, 1.0, 1.0]
    >>> shift_distances(rows, most_shift=1).round(2).tolist()[0]
    [0.0, 0.0, 1.0]
    """
    rows = rows_of(_WHAT, "intensity", intensity)
    n, m = rows.shape
    if n > _MOST_PATTERNS:
        why = f"all pairs of at most {_MOST_PATTERNS} patterns are compared, got {n}"
        raise OptionError(_WHAT, why, "Take a part of them, or average neighbours")
    reach = count(_WHAT, "most_shift", most_shift, 0, max(0, m // 4))
    rows = rows / max(float(np.abs(rows).max()), _TINY)
    whole = np.sqrt((rows**2).sum(axis=1))
    best = np.full((n, n), -1.0)
    for shift in range(reach + 1):
        left, right = rows[:, shift:], rows[:, : m - shift]
        # The norms are those of all points: else a peak pushed over the end would cost nothing.
        alike = (left @ right.T) / np.maximum(whole[:, None] * whole[None, :], _TINY)
        np.maximum(best, alike, out=best)
        np.maximum(best, alike.T, out=best)
    best[whole == 0], best[:, whole == 0] = 0.0, 0.0
    made: NDArray[np.float64] = np.clip(1 - best, 0.0, 2.0)
    np.fill_diagonal(made, 0.0)
    return made


def phase_regions(
    intensity: ArrayLike,
    n_regions: int | None = None,
    method: str = "agglomerative",
    *,
    most_shift: int = 0,
    where: ArrayLike | None = None,
    most_regions: int = _MOST_REGIONS,
    least_silhouette: float = _LEAST_SILHOUETTE,
    random_state: int = 0,
) -> Regions:
    """Put patterns into regions of like ones.

    Parameters
    ----------
    intensity : array-like of shape (n, m)
        Patterns without background, on one grid; with equal steps of log q (`log_grid`) alloying is a shift.
    n_regions : int, optional
        Without it: the number, up to `most_regions`, with the largest mean silhouette of the distances; one region
        where that stays below `least_silhouette`.
    method : {"agglomerative", "spectral"}
        ``agglomerative`` joins the two groups with the least mean distance, again and again. ``spectral`` cuts the
        graph of near patterns where it is thin.
    most_shift : int
        Points by which patterns may be shifted to be compared.
    where : array-like of shape (n, d), optional
        Positions or compositions. With them, a region only grows to places beside it.
    most_regions : int
    least_silhouette : float
    random_state : int
        Of the last step of ``spectral``.

    Returns
    -------
    Regions

    Examples
    --------
    >>> x = np.arange(80)
    >>> rows = [np.exp(-(((x - at) / 2.0) ** 2)) for at in (20, 21, 22, 55, 56, 57, 58)]
    >>> phase_regions(rows, most_shift=4).labels.tolist()
    [0, 0, 0, 1, 1, 1, 1]
    """
    rows = rows_of(_WHAT, "intensity", intensity)
    n = len(rows)
    member(_WHAT, "method", method, REGION_METHODS)
    if n_regions is not None:
        count(_WHAT, "n_regions", n_regions, 1, n)
    count(_WHAT, "most_regions", most_regions, 1)
    size(_WHAT, "least_silhouette", least_silhouette, -1, 1)
    count(_WHAT, "random_state", random_state, 0)
    places = None if where is None else rows_of(_WHAT, "where", where, like=n)
    distances = shift_distances(rows, most_shift)
    silhouettes: dict[int, float] = {}
    if n_regions is None:
        labels, best = np.zeros(n, dtype=np.intp), least_silhouette
        for k in range(2, min(most_regions, n - 1) + 1):
            found = _group(distances, k, method, places, random_state)
            silhouettes[k] = _silhouette(distances, found)
            if silhouettes[k] > best + 1e-9:
                labels, best = found, silhouettes[k]
    else:
        labels = _group(distances, n_regions, method, places, random_state)
    return Regions(labels, _examples(distances, labels), silhouettes, distances)


def _group(
    distances: NDArray[np.float64], k: int, method: str, places: NDArray[np.float64] | None, random_state: int
) -> NDArray[np.intp]:
    n = len(distances)
    if k == 1:
        return np.zeros(n, dtype=np.intp)
    if k == n:
        return np.arange(n)
    cut = _agglomerate(distances, k, places) if method == "agglomerative" else _cut(distances, k, places, random_state)
    _, first, codes = np.unique(cut, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first, kind="stable"), kind="stable")[codes], dtype=np.intp)


def _agglomerate(distances: NDArray[np.float64], k: int, places: NDArray[np.float64] | None) -> NDArray[np.intp]:
    from sklearn.cluster import AgglomerativeClustering

    graph = None if places is None else _beside(places)
    with warnings.catch_warnings():
        # Places in several pieces are joined by the shortest bridge, which is what is meant.
        warnings.filterwarnings("ignore", message="the number of connected components")
        model = AgglomerativeClustering(k, metric="precomputed", linkage="average", connectivity=graph)
        return np.asarray(model.fit_predict(distances))


def _cut(
    distances: NDArray[np.float64], k: int, places: NDArray[np.float64] | None, random_state: int
) -> NDArray[np.intp]:
    from sklearn.cluster import SpectralClustering

    near = _kernel(distances)
    if places is not None:
        from scipy.spatial.distance import cdist

        near = near * _kernel(cdist(places, places))
    near = np.maximum(near, 1e-12)  # a graph in pieces has no single answer; a thread between them changes nothing
    model = SpectralClustering(k, affinity="precomputed", random_state=random_state, assign_labels="cluster_qr")
    return np.asarray(model.fit_predict(near))


def _kernel(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nearness of pairs, in units of how far the seventh neighbour of each is."""
    k = min(_NEIGHBOURS, len(distances) - 1)
    local = np.sort(distances, axis=1)[:, k]
    floor = 1e-3 * float(np.median(distances)) or 1e-9  # copies of one pattern have their neighbours at no distance
    local = np.maximum(local, floor)
    return np.asarray(np.exp(-(distances**2) / (local[:, None] * local[None, :])))


def _beside(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Graph of the nearest places, the same in both directions."""
    from sklearn.neighbors import kneighbors_graph

    graph = kneighbors_graph(places, min(_AROUND, len(places) - 1), include_self=False)
    return graph.maximum(graph.T)  # type: ignore[no-any-return]


def _silhouette(distances: NDArray[np.float64], labels: NDArray[np.intp]) -> float:
    from sklearn.metrics import silhouette_score

    if not 2 <= np.unique(labels).size < len(labels):
        return -1.0
    return float(silhouette_score(distances, labels, metric="precomputed"))


def _examples(distances: NDArray[np.float64], labels: NDArray[np.intp]) -> NDArray[np.intp]:
    made = []
    for label in range(int(labels.max()) + 1):
        these = np.flatnonzero(labels == label)
        made.append(these[int(distances[np.ix_(these, these)].sum(axis=1).argmin())])
    return np.array(made, dtype=np.intp)
