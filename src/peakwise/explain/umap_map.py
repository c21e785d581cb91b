"""UMAP."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, final

import numpy as np

from peakwise.errors import MissingExtraError
from peakwise.explain._map import Map
from peakwise.explain._options import number, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["UmapMap"]

_WHAT = "cannot draw the map umap"


@final
class UmapMap(Map):
    """UMAP: like t-SNE, quicker for large sets, and more of the order between groups is kept.

    Parameters
    ----------
    n_neighbors : int
        How many neighbours count; in a small set at most the others.
    min_distance : float
        How close points may lie.

    Notes
    -----
    McInnes et al., https://arxiv.org/abs/1802.03426. Needs ``pip install 'peakwise[maps]'``; the first map of a
    session takes half a minute longer, in which umap-learn compiles. It runs on one thread, since otherwise the same
    seed would not give the same map.

    Examples
    --------
    >>> from peakwise.explain import MAPS
    >>> MAPS["umap"](n_neighbors=5).n_neighbors
    5
    """

    def __init__(self, n_neighbors: int = 15, min_distance: float = 0.1) -> None:
        self.n_neighbors = n_neighbors
        self.min_distance = min_distance

    def points(self, X: NDArray[np.float64], labels: NDArray[Any] | None, seed: int) -> NDArray[np.float64]:
        """Points (n, 2) for the rows of X."""
        del labels
        n_neighbors = whole(_WHAT, "n_neighbors", self.n_neighbors, 2, "Use 5 to 50")
        gap = number(_WHAT, "min_distance", self.min_distance, (0, 1), "Use for instance 0.1")
        learner = _umap().UMAP(
            n_components=2,
            n_neighbors=min(n_neighbors, len(X) - 1),
            min_dist=gap,
            # Its spectral start asks for more eigenvectors than a handful of patterns has.
            init="spectral" if len(X) > 20 else "random",
            random_state=seed,
            n_jobs=1,
        )
        return np.asarray(learner.fit_transform(X))


def _umap() -> Any:
    try:
        with warnings.catch_warnings():
            # It tells at import that its networks need tensorflow; we do not use them.
            warnings.filterwarnings("ignore", "Tensorflow not installed", ImportWarning)
            import umap
    except ImportError as error:
        raise MissingExtraError(_WHAT, "it needs umap-learn", "Run: pip install 'peakwise[maps]'") from error
    return umap
