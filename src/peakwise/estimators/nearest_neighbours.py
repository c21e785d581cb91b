"""The patterns most like this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
from sklearn.base import ClassifierMixin

from peakwise.estimators._base import Estimator
from peakwise.estimators._options import whole_option
from peakwise.estimators._rows import check_labelled, unit_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["NearestNeighbours"]

_SMALLEST = 1e-6  # cosine distance below which two patterns are the same: it is rounding
_BLOCK = 2**24  # similarities held at once


@final
class NearestNeighbours(ClassifierMixin, Estimator):  # type: ignore[misc]
    """Votes of the nearest patterns by cosine similarity of their square-root intensities.

    Parameters
    ----------
    n_neighbors : int
        How many patterns vote; each with the inverse of its cosine distance.

    Notes
    -----
    Labels without a vote are ranked by their nearest pattern.

    Examples
    --------
    >>> model = NearestNeighbours(2).fit([[9, 1, 0], [8, 2, 0], [0, 1, 9]], ["a", "a", "b"])
    >>> model.predict([[7, 3, 1]])
    array(['a'], dtype='<U1')
    """

    task: ClassVar[str] = "identify"
    tried_when_loaded: ClassVar[bool] = True

    def __init__(self, n_neighbors: int = 5) -> None:
        self.n_neighbors = n_neighbors

    def _fit(self, patterns: Patterns, y: Any) -> None:
        whole_option(self, "n_neighbors")
        order = np.argsort(y, kind="stable")
        self.rows_: NDArray[np.floating] = unit_rows(patterns.intensity)[order]
        self.codes_: NDArray[np.int64] = np.asarray(y, dtype=np.int64)[order]

    def _votes(self, patterns: Patterns) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Votes and largest similarities, (n, n_classes) each."""
        rows = unit_rows(patterns.intensity).astype(self.rows_.dtype, copy=False)
        n, n_classes, k = len(rows), self.codes_[-1] + 1, min(self.n_neighbors, self.codes_.size)
        votes, nearest = np.zeros((n, n_classes)), np.empty((n, n_classes))
        first_of_label = np.searchsorted(self.codes_, np.arange(n_classes))
        size = max(1, _BLOCK // self.codes_.size)
        for start in range(0, n, size):
            part = slice(start, start + size)
            similar = (rows[part] @ self.rows_.T).astype(np.float64)
            best = np.argpartition(-similar, k - 1, axis=1)[:, :k]
            weight = 1 / np.maximum(1 - np.take_along_axis(similar, best, axis=1), _SMALLEST)
            np.add.at(votes, (np.arange(n)[part, None], self.codes_[best]), weight)
            nearest[part] = np.maximum.reduceat(similar, first_of_label, axis=1)
        return votes / votes.sum(axis=1, keepdims=True), nearest

    def _scores(self, patterns: Patterns) -> NDArray[np.floating]:
        votes, nearest = self._votes(patterns)
        # The cosine lies within -1 and 1: any vote counts for more.
        return np.where(votes > 0, 2 + votes, nearest)

    def _predict_proba(self, patterns: Patterns) -> NDArray[np.floating]:
        return self._votes(patterns)[0]

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {}, {"rows": self.rows_, "codes": self.codes_}

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        check_labelled(arrays["rows"], arrays["codes"], recipe["labels"])
        made = cls(**options)
        made.rows_, made.codes_ = arrays["rows"], arrays["codes"]
        return made
