"""Neighbourhood component analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from peakwise.explain._map import Map
from peakwise.explain._options import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NcaMap"]


@final
class NcaMap(Map):
    """The plane in which the nearest neighbours of a pattern are of its own class: linear, learned from labels.

    Parameters
    ----------
    max_fit : int
        Patterns that it learns from, the same share of each class; the others are placed by what was learned. Time and
        memory grow with the square of it.
    max_iterations : int

    Notes
    -----
    Goldberger et al., NIPS 2005; Wang et al. (https://doi.org/10.1021/acs.jcim.0c00020) draw their measured patterns
    with it. It is told the classes: groups in this map show that classes *can* be separated, in few patterns of many
    points even by chance. Judge by patterns that it did not learn from.

    Examples
    --------
    >>> from peakwise.explain import MAPS
    >>> MAPS["nca"].needs_labels
    True
    """

    needs_labels: ClassVar[bool] = True

    def __init__(self, max_fit: int = 2000, max_iterations: int = 100) -> None:
        self.max_fit = max_fit
        self.max_iterations = max_iterations

    def points(self, X: NDArray[np.float64], labels: NDArray[Any] | None, seed: int) -> NDArray[np.float64]:
        """Points (n, 2) for the rows of X."""
        from sklearn.neighbors import NeighborhoodComponentsAnalysis

        what, do = "cannot draw the map nca", "Leave it out"
        most = whole(what, "max_fit", self.max_fit, 10, do)
        turns = whole(what, "max_iterations", self.max_iterations, 1, do)
        classes = np.unique(np.asarray(labels), return_inverse=True)[1]
        some = _some_of_each(classes, most, seed)
        # "auto" starts from linear discriminants where there are classes enough: from principal components it stops at
        # whatever is loud.
        learner = NeighborhoodComponentsAnalysis(2, init="auto", max_iter=turns, random_state=seed)
        # One scale for all: how far apart patterns are decides how soft a neighbourhood is at the start.
        scale = X.std() or 1.0
        return np.asarray(learner.fit(X[some] / scale, classes[some]).transform(X / scale))


def _some_of_each(classes: NDArray[np.intp], most: int, seed: int) -> NDArray[np.intp]:
    """Indices of at most about `most` patterns, two or more of each class where there are."""
    n = classes.size
    if n <= most:
        return np.arange(n)
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    members = [order[classes[order] == k] for k in range(classes.max() + 1)]
    return np.sort(np.concatenate([some[: max(2, round(some.size * most / n))] for some in members]))
