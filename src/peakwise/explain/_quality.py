"""How much of a set a map kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import OptionError
from peakwise.explain._map import check_labels, check_rows
from peakwise.explain._options import whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["MapQuality", "map_quality"]

_WHAT = "cannot judge the map"


@dataclass(frozen=True)
class MapQuality:
    """What a map kept of the neighbourhoods of its set.

    Attributes
    ----------
    trustworthiness : float
        1: all neighbours in the map are neighbours in the set; about 0.5: no more than by chance.
    agreement : float or None
        Part of the patterns that have the label of most of their neighbours in the map; None without labels.
    agreement_input : float or None
        The same in the set itself: what a map can be expected to keep. A map that was told the labels may have more.
    n_neighbors : int
        How many neighbours were looked at.
    n_judged : int
        How many patterns were looked at.
    """

    trustworthiness: float
    agreement: float | None
    agreement_input: float | None
    n_neighbors: int
    n_judged: int


def map_quality(
    X: ArrayLike,
    points: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    n_neighbors: int = 5,
    max_judged: int = 2000,
    random_state: int = 0,
) -> MapQuality:
    """Measure how much of a set a map kept.

    Parameters
    ----------
    X : array-like of shape (n, m)
        The set, as it was given to `map_points`.
    points : array-like of shape (n, 2)
        What that returned.
    labels : array-like of shape (n,), optional
    n_neighbors : int
        Neighbours that are compared; in a small set fewer than half of the patterns.
    max_judged : int
        Of larger sets that many patterns are drawn at random: distances between all would fill the memory.
    random_state : int

    Notes
    -----
    Trustworthiness after Venna and Kaski, https://doi.org/10.1016/j.neunet.2006.05.014, by scikit-learn. A pattern is
    never its own neighbour.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> map_quality(X, X).trustworthiness
    1.0
    """
    from sklearn.manifold import trustworthiness

    rows, places = check_rows(X, _WHAT), check_rows(points, _WHAT)
    if len(places) != len(rows):
        raise OptionError(_WHAT, f"points must be as many as X ({len(rows)}), got {len(places)}", "Map the same set")
    n = len(rows)
    most = whole(_WHAT, "max_judged", max_judged, 4, "Use for instance 2000")
    seed = whole(_WHAT, "random_state", random_state, 0, "Give a whole number")
    classes = None if labels is None else check_labels(labels, n, _WHAT)
    if n > most:
        some = np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
        rows, places = rows[some], places[some]
        classes = None if classes is None else classes[some]
    # scikit-learn's normalisation holds below half of the patterns.
    k = min(whole(_WHAT, "n_neighbors", n_neighbors, 1, "Use for instance 5"), (len(rows) - 1) // 2)
    return MapQuality(
        float(trustworthiness(rows, places, n_neighbors=k)),
        None if classes is None else _agreement(places, classes, k),
        None if classes is None else _agreement(rows, classes, k),
        k,
        len(rows),
    )


def _agreement(rows: NDArray[np.float64], classes: NDArray[np.generic], k: int) -> float:
    """Leave-one-out accuracy of the k nearest neighbours."""
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=k).fit(rows).kneighbors(return_distance=False)
    names, index = np.unique(classes, return_inverse=True)
    votes = np.zeros((len(rows), names.size))
    np.add.at(votes, (np.arange(len(rows))[:, None], index[nearest]), 1)
    # A tie goes to the class of the nearest neighbour, if that is among the tied.
    votes[np.arange(len(rows)), index[nearest[:, 0]]] += 0.5
    return float(np.mean(votes.argmax(axis=1) == index))
