"""What every map of a set shares, and the door to all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from peakwise.errors import OptionError
from peakwise.explain._options import chosen, whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Map", "check_labels", "check_rows", "map_points"]

_WHAT = "cannot map the set"
# Dimensions kept before the slow methods. t-SNE's authors advise 50 (https://lvdmaaten.github.io/tsne/, FAQ); what
# the 50 strongest components of a set of patterns leave out is mostly noise.
_DIMENSIONS = 50


class Map(ABC):
    """Base of the maps: a final class with its options in `__init__`, and its idea in `points`.

    Attributes
    ----------
    needs_labels : bool
    is_direct : bool
        Whether it takes the patterns as they are; the others get their 50 first principal components.
    """

    needs_labels: ClassVar[bool] = False
    is_direct: ClassVar[bool] = False

    @abstractmethod
    def points(self, X: NDArray[np.float64], labels: NDArray[Any] | None, seed: int) -> NDArray[np.float64]:
        """Points (n, 2) for the rows of X."""


def map_points(
    X: ArrayLike,
    *,
    method: str | Map = "pca",
    labels: ArrayLike | None = None,
    random_state: int = 0,
) -> NDArray[np.float64]:
    """Draw a set as points in a plane, so that like lies beside like.

    Parameters
    ----------
    X : array-like of shape (n, m)
        Patterns, or features that a network made of them; at least 4.
    method : str or Map
        A name in `MAPS`, or one of its classes with options: ``TsneMap(perplexity=10)``.
    labels : array-like of shape (n,), optional
        Classes; `nca` needs them, the others do not look at them.
    random_state : int
        The same number gives the same map, on the same machine with the same versions.

    Returns
    -------
    ndarray of shape (n, 2)

    Notes
    -----
    Except for `pca`, X is first brought to its 50 first principal components, if it has more dimensions and patterns
    than that: it bounds time and memory, and loses what varies least. The signs of principal components are fixed (the
    largest entry of each is positive), so that maps can be compared.

    A map is a picture, not a proof. `map_quality` measures what it kept.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 100)) + np.repeat([[0], [3]], 15, axis=0)
    >>> points = map_points(X, method="nca", labels=np.repeat(["a", "b"], 15))
    >>> points.shape
    (30, 2)
    """
    from peakwise.explain import MAPS

    drawn = method if isinstance(method, Map) else MAPS[chosen(_WHAT, method, MAPS)]()
    rows = check_rows(X, _WHAT)
    seed = whole(_WHAT, "random_state", random_state, 0, "Give a whole number, so that the map can be made again")
    classes = None if labels is None else check_labels(labels, len(rows), _WHAT)
    if drawn.needs_labels and classes is None:
        free = ", ".join(name for name, kind in MAPS.items() if not kind.needs_labels)
        raise OptionError(_WHAT, f"{type(drawn).__name__} needs labels, got None", f"Give labels or use one of {free}")
    if not drawn.is_direct and min(rows.shape) > _DIMENSIONS:
        rows = _components(rows, seed)
    return np.asarray(drawn.points(rows, classes, seed), dtype=np.float64)


def check_rows(X: ArrayLike, what: str) -> NDArray[np.float64]:
    """The set as finite numbers (n, m), n at least 4."""
    given = X.detach().cpu() if hasattr(X, "detach") else X
    try:
        rows = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptionError(what, "X must be numbers (n, m)", "Give patterns or features as an array") from None
    if rows.ndim != 2 or len(rows) < 4 or rows.shape[1] < 2:
        why = f"X must have shape (n, m) with at least 4 rows of 2 numbers, got {rows.shape}"
        raise OptionError(what, why, "Give one row a pattern")
    if not np.isfinite(rows).all():
        why = f"{np.count_nonzero(~np.isfinite(rows))} of {rows.size} numbers are NaN or infinite"
        raise OptionError(what, why, "Drop those patterns or interpolate the gaps")
    if not np.ptp(rows, axis=0).any():
        raise OptionError(what, "all rows are the same", "Give patterns that differ")
    return rows


def check_labels(labels: ArrayLike, n: int, what: str) -> NDArray[Any]:
    """Labels (n,) of at least two classes."""
    classes = np.asarray(labels)
    if classes.shape != (n,) or np.unique(classes).size < 2:
        why = f"labels must be one for each of {n} patterns, of at least two kinds, got shape {classes.shape}"
        raise OptionError(what, why, "Give one label a pattern, or None")
    return classes


def _components(rows: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    from sklearn.decomposition import PCA

    return np.asarray(PCA(_DIMENSIONS, svd_solver="randomized", random_state=seed).fit_transform(rows))
