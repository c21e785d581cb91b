"""Regions of labels in a space of a few numbers: by neighbours, or as Gaussian clouds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.estimators._rows import log_softmax

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["CLASSIFIERS", "Regions", "region_grid"]

CLASSIFIERS = ("neighbours", "bayes")
_NEIGHBOURS = 15
_SMOOTH = 1e-6  # of the largest variance, that is added to each


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """Which label a place has.

    Attributes
    ----------
    kind : str
        A member of `CLASSIFIERS`.
    n_classes : int
    places, codes : ndarray
        Of neighbours: the places (n, k) and the numbers of their labels (n,).
        Of bayes: mean, variance and share of each class (n_classes, 2 k + 1), and nothing.
    """

    kind: str
    n_classes: int
    places: NDArray[np.float64]
    codes: NDArray[np.intp]

    @classmethod
    def learn(cls, kind: str, places: NDArray[np.floating], codes: NDArray[np.intp]) -> Self:
        """Learn from places (n, k) with the numbers of their labels (n,)."""
        at: NDArray[np.float64] = np.asarray(places, np.float64)
        n_classes = int(codes.max()) + 1
        if kind == "neighbours":
            return cls(kind, n_classes, at, np.asarray(codes, np.intp))
        smooth = _SMOOTH * float(at.var(axis=0).max()) + 1e-12
        inside = [at[codes == c] for c in range(n_classes)]
        rows = [np.concatenate([p.mean(axis=0), p.var(axis=0) + smooth, [len(p) / len(at)]]) for p in inside]
        return cls(kind, n_classes, np.array(rows), np.zeros(0, np.intp))

    def probabilities(self, places: NDArray[np.floating]) -> NDArray[np.float64]:
        """Probability of each label at places (n, k): (n, n_classes)."""
        at = np.asarray(places, np.float64)
        if self.kind == "bayes":
            k = at.shape[1]
            mean, variance, share = self.places[:, :k], self.places[:, k : 2 * k], self.places[:, -1]
            off = ((at[:, None] - mean[None]) ** 2 / variance[None] + np.log(variance)[None]).sum(axis=2)
            return np.asarray(np.exp(log_softmax(np.log(share) - 0.5 * off)))
        from scipy.spatial import KDTree

        k = min(_NEIGHBOURS, len(self.places))
        _, near = KDTree(self.places).query(at, k=k)
        votes = self.codes[near.reshape(len(at), k)]
        return np.stack([(votes == c).mean(axis=1) for c in range(self.n_classes)], axis=1)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it again."""
        return {"places": self.places, "codes": self.codes}

    @classmethod
    def from_arrays(cls, kind: str, k: int, n_classes: int, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `to_arrays`; what does not fit is a `ValueError`."""
        places, codes = np.asarray(arrays["places"], np.float64), np.asarray(arrays["codes"], np.intp)
        if kind == "bayes":
            fits = places.shape == (n_classes, 2 * k + 1) and codes.size == 0 and bool((places[:, k:] > 0).all())
        else:
            fits = places.ndim == 2 and places.shape[1] == k and codes.shape == (len(places),) and len(places) > 0
            fits = fits and bool(codes.min() >= 0 and codes.max() < n_classes)
        if not fits or not np.isfinite(places).all():
            raise ValueError("regions that are not those of the map")
        return cls(kind, n_classes, places, codes)


def region_grid(
    regions: Regions, places: NDArray[np.floating], n: int = 100, margin: float = 0.1
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]]:
    """Regions around places (k, 2): x (n,), y (n,), number of the label (n, n), rows along y."""
    low, high = places.min(axis=0), places.max(axis=0)
    wide = np.maximum(high - low, 1e-6) * margin
    x, y = (np.linspace(low[i] - wide[i], high[i] + wide[i], n) for i in (0, 1))
    at = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    return x, y, np.asarray(regions.probabilities(at).argmax(axis=1).reshape(n, n), np.intp)
