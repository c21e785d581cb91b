"""The patterns on the borders between labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.svm import SVC

from peakwise.estimators._base import Estimator
from peakwise.estimators._options import real_option, whole_option
from peakwise.estimators._rows import learn_projection, project, unit_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["SupportVectors"]

_BLOCK = 2**24  # numbers held at once


@final
class SupportVectors(ClassifierMixin, Estimator):  # type: ignore[misc]
    """Support vector machine with a radial kernel, on principal components of standardised square-root intensities.

    Parameters
    ----------
    n_components : int
        Most principal components: with hundreds of labels a machine for each pair of them is trained, which whole
        patterns would make slow.
    C : float
        What a pattern on the wrong side costs.
    random_state : int
        Seed of the decomposition.

    Notes
    -----
    Each pair of labels has its machine. A label is ranked by the number of pairs that it wins, and among equals by the
    sum of its margins, as scikit-learn does it. It gives no probabilities.

    Examples
    --------
    >>> model = SupportVectors().fit([[9, 1, 0], [8, 2, 0], [0, 1, 9], [0, 2, 8]], ["a", "a", "b", "b"])
    >>> model.predict([[7, 3, 1]])
    array(['a'], dtype='<U1')
    """

    task: ClassVar[str] = "identify"
    tried_when_loaded: ClassVar[bool] = True

    def __init__(self, n_components: int = 64, C: float = 1.0, random_state: Any = 0) -> None:
        self.n_components = n_components
        self.C = C
        self.random_state = random_state

    def _fit(self, patterns: Patterns, y: Any) -> None:
        n_components, cost = whole_option(self, "n_components"), real_option(self, "C", or_above=False)
        self.projection_, projected = learn_projection(unit_rows(patterns.intensity), n_components, self.random_state)
        spread = float(projected.var())
        # scikit-learn's "scale", kept as a number so that the kernel can be computed from the model file alone.
        self.gamma_ = 1 / (projected.shape[1] * spread) if spread > 0 else 1.0
        model = SVC(C=cost, gamma=self.gamma_).fit(projected, y)
        sign = -1 if len(self.classes_) == 2 else 1  # of two labels scikit-learn turns the sign
        self.vectors_: NDArray[np.float64] = model.support_vectors_
        self.coefficients_: NDArray[np.float64] = sign * model.dual_coef_
        self.offsets_: NDArray[np.float64] = sign * model.intercept_
        self.counts_: NDArray[np.int64] = model.n_support_.astype(np.int64)

    def _scores(self, patterns: Patterns) -> NDArray[np.floating]:
        rows = project(unit_rows(patterns.intensity), self.projection_)
        size = max(1, _BLOCK // self.counts_.size**2)
        return np.concatenate([self._pairs(rows[i : i + size]) for i in range(0, len(rows), size)])

    def _pairs(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pairs won by each label, and its margins squeezed to less than a third of a pair."""
        squares = (rows**2).sum(axis=1)[:, None] + (self.vectors_**2).sum(axis=1) - 2 * rows @ self.vectors_.T
        kernel = np.exp(-self.gamma_ * np.maximum(squares, 0))
        k = self.counts_.size
        part = np.zeros((len(rows), k, k))  # [:, i, j]: what the vectors of i say about i against j
        last = np.cumsum(self.counts_)
        for i in range(k):
            own = slice(last[i] - self.counts_[i], last[i])
            # Row j of the coefficients belongs to the j-th of the other labels.
            part[:, i, np.delete(np.arange(k), i)] = kernel[:, own] @ self.coefficients_[:, own].T
        first, second = np.triu_indices(k, 1)
        lower = part[:, first, second] + part[:, second, first] + self.offsets_  # above 0: the lower number wins
        part[:, first, second], part[:, second, first] = lower, -lower
        wins = ((part > 0) | ((part == 0) & np.triu(np.ones((k, k), dtype=bool), 1))).sum(axis=2)
        total = part.sum(axis=2)
        return np.asarray(wins + total / (3 * (np.abs(total) + 1)))

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        learned = {"vectors": self.vectors_, "coefficients": self.coefficients_, "offsets": self.offsets_}
        return {"learned": {"gamma": self.gamma_}}, {**self.projection_, **learned, "counts": self.counts_}

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        if arrays["counts"].size != len(recipe["labels"]["values"]):
            raise ValueError("counts of another number of labels")
        made.projection_ = {name: arrays[name] for name in ("centre", "projection")}
        made.gamma_, made.vectors_, made.counts_ = (
            float(recipe["learned"]["gamma"]),
            arrays["vectors"],
            arrays["counts"],
        )
        made.coefficients_, made.offsets_ = arrays["coefficients"], arrays["offsets"]
        return made
