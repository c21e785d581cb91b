"""The ways of others to cut a series, and groups without an order: principal components, then clusters or segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from peakwise.patterns import Patterns

__all__ = ["GROUPINGS", "best_number", "feature_rows", "group", "principal_scores", "segments"]

Array = NDArray[np.float64]
GROUPINGS = ("spectral", "kmeans", "agglomerative")
_NEIGHBOURS = 10
_MOST_GROUPS = 10
_LEAST_SILHOUETTE = 0.25  # below it groups are no groups (Kaufman & Rousseeuw 1990: "no substantial structure")
_MOST_ROWS = 3000  # on which a graph of neighbours is built


def feature_rows(patterns: Patterns) -> Array:
    """Square roots of intensities, each row with the same total: noise of one size, the beam taken out.

    Where many numbers are negative they are no counts and stay as they are, each row scaled to length 1.
    """
    values = np.nan_to_num(np.asarray(patterns.intensity, dtype=np.float64))
    low = np.minimum(values, 0)
    total = np.abs(values).sum(axis=1, keepdims=True)
    if -low.sum() > 0.05 * total.sum():
        length = np.sqrt((values**2).sum(axis=1, keepdims=True))
        return np.asarray(values / np.where(length > 0, length, 1))
    return np.sqrt((values - low) / np.where(total > 0, total, 1))


def principal_scores(rows: NDArray[np.floating], explained: float | int = 0.9) -> Array:
    """Scores of as many principal components as explain so much of the variance, or of so many.

    >>> principal_scores(np.array([[0.0, 1, 0], [0, 2, 0], [0, 4, 0.1]]), 0.9).shape
    (3, 1)
    """
    if not (0 < explained < 1 or (explained >= 1 and float(explained).is_integer())):
        why = f"explained must be a share between 0 and 1 or a number of components, got {explained!r}"
        raise OptionError("cannot reduce the series", why, "Give 0.9")
    rows = np.asarray(rows, dtype=np.float64)
    centred = rows - rows.mean(axis=0)
    # Few long rows: the small side of the product has the same eigenvalues, and costs a fraction.
    power, vectors = np.linalg.eigh(centred @ centred.T)
    power, vectors = np.maximum(power[::-1], 0)[: min(rows.shape)], vectors[:, ::-1]
    if explained >= 1:
        k = int(min(explained, power.size))
    else:
        share = np.cumsum(power) / max(float(power.sum()), 1e-300)
        k = min(int(np.searchsorted(share, explained - 1e-12)) + 1, power.size)
    return np.asarray(vectors[:, :k] * np.sqrt(power[:k]))


def group(
    scores: Array,
    k: int,
    method: str = "spectral",
    *,
    affinity: Literal["neighbours", "rbf"] = "neighbours",
    assign: Literal["kmeans", "discretize"] = "kmeans",
    random_state: int = 0,
) -> NDArray[np.intp]:
    """Group rows of scores into k groups, numbered in the order in which they come first.

    Parameters
    ----------
    scores : ndarray of shape (n, d)
    k : int
    method : str
        One of `GROUPINGS`.
    affinity, assign : str
        Of spectral clustering: the graph, and how its vectors become labels.
    random_state : int

    Examples
    --------
    >>> group(np.array([[5.0], [5.1], [0.0], [0.1], [5.2]]), 2, "kmeans").tolist()
    [0, 0, 1, 1, 0]
    """
    n = len(scores)
    if method not in GROUPINGS:
        raise OptionError(
            "cannot group the patterns", f"method must be one of {', '.join(GROUPINGS)}, got {method!r}", "Choose one"
        )
    if not 1 <= k <= n:
        raise OptionError("cannot group the patterns", f"groups must be 1 to {n}, got {k}", "Ask for fewer")
    if k == 1 or not np.ptp(scores, axis=0).any():
        return np.zeros(n, dtype=np.intp)
    if k == n or n < 3:
        return np.arange(n)
    return _in_order(_labels(scores, k, method, affinity, assign, random_state))


def _labels(scores: Array, k: int, method: str, affinity: str, assign: str, random_state: int) -> NDArray[Any]:
    from sklearn.cluster import AgglomerativeClustering, KMeans, SpectralClustering

    if method == "kmeans":
        return np.asarray(KMeans(k, n_init=10, random_state=random_state).fit_predict(scores))
    if method == "agglomerative":
        return np.asarray(AgglomerativeClustering(k).fit_predict(scores))
    import warnings

    graph: dict[str, Any] = {"affinity": "nearest_neighbors", "n_neighbors": min(_NEIGHBOURS, len(scores) - 1)}
    if affinity == "rbf":
        spread = float(np.median((scores[:, None, :1] - scores[None, :, :1]) ** 2)) or 1.0
        graph = {"affinity": "rbf", "gamma": 1.0 / (2 * spread * scores.shape[1])}
    if len(scores) > _MOST_ROWS:
        chosen = np.random.default_rng(random_state).choice(len(scores), _MOST_ROWS, replace=False)
        some = _labels(scores[chosen], k, method, affinity, assign, random_state)
        from sklearn.neighbors import KNeighborsClassifier

        return np.asarray(KNeighborsClassifier(5).fit(scores[chosen], some).predict(scores))
    with warnings.catch_warnings():
        # A graph in several pieces is what two states look like.
        warnings.filterwarnings("ignore", message="Graph is not fully connected")
        model = SpectralClustering(k, assign_labels=assign, random_state=random_state, **graph)
        return np.asarray(model.fit_predict(scores))


def best_number(
    scores: Array, method: str = "spectral", *, most: int = _MOST_GROUPS, random_state: int = 0
) -> tuple[int, float]:
    """How many groups the mean silhouette speaks for, and that silhouette; one where it never reaches 0.25."""
    from peakwise.evaluation import silhouette

    best = (1, 0.0)
    some = np.random.default_rng(random_state).permutation(len(scores))[:_MOST_ROWS]
    for k in range(2, min(most, len(scores) - 1) + 1):
        labels = group(scores, k, method, random_state=random_state)
        if np.unique(labels[some]).size < 2:
            continue
        found = float(silhouette(scores[some], labels[some]))
        if found > best[1] + 1e-9:
            best = (k, found)
    return best if best[1] >= _LEAST_SILHOUETTE else (1, best[1])


def segments(scores: Array, k: int) -> list[int]:
    """Last rows before each of k - 1 cuts: least sum of squares about the means of the parts (Fisher 1958).

    >>> segments(np.array([[0.0], [0.1], [5.0], [5.1], [9.0]]), 3)
    [1, 3]
    """
    n = len(scores)
    sums = np.vstack([np.zeros(scores.shape[1]), np.cumsum(scores, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum((scores**2).sum(axis=1))])
    starts, stops = np.arange(n)[:, None], np.arange(1, n + 1)[None, :]
    length = np.maximum(stops - starts, 1)
    between = ((sums[1:][None] - sums[:-1][:, None]) ** 2).sum(axis=2) if n <= 600 else _between(sums)
    cost = np.where(stops > starts, squares[1:][None] - squares[:-1][:, None] - between / length, np.inf)
    best = cost[0].copy()
    came: list[NDArray[np.intp]] = []
    for _ in range(min(k, n) - 1):
        total = np.full(n, np.inf)
        origin = np.zeros(n, dtype=np.intp)
        for stop in range(1, n):
            way = best[:stop] + cost[1 : stop + 1, stop]
            origin[stop] = int(way.argmin())
            total[stop] = way[origin[stop]]
        came.append(origin)
        best = total
    cuts, at = [], n - 1
    for origin in reversed(came):
        at = int(origin[at])
        cuts.append(at)
    return cuts[::-1]


def _between(sums: Array) -> Array:
    """The same without (n, n, d) numbers at once."""
    total = np.zeros((len(sums) - 1, len(sums) - 1))
    for column in sums.T:
        total += (column[1:][None] - column[:-1][:, None]) ** 2
    return total


def _in_order(labels: NDArray[Any]) -> NDArray[np.intp]:
    _, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(first.size, dtype=np.intp)
    rank[np.argsort(first)] = np.arange(first.size)
    return np.asarray(rank[codes])
