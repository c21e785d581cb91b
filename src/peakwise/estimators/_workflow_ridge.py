"""Descriptors by ridge regression on principal components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from peakwise.estimators._regression_linear import check_linear, fit_ridge
from peakwise.estimators._regression_rows import PreparedRows, preparations, whole_number
from peakwise.estimators._regression_workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Arrays, Rows, Task

__all__ = ["Ridge"]


@final
class Ridge(Workflow):
    """Ridge regression on principal components; strength and preparation are chosen by leaving each pattern out.

    Parameters
    ----------
    n_components : int
        Most principal components.
    preparation : str
        What is done to each pattern first: a name in `PREPARATIONS`, or auto for the best of them.
    """

    title: ClassVar[str] = "principal components and ridge regression"

    def __init__(self, n_components: int = 512, preparation: str = "auto") -> None:
        self.n_components = n_components
        self.preparation = preparation

    def fit(
        self, rows: Rows, targets: NDArray[np.float64], task: Task, held: tuple[Rows, NDArray[np.float64]] | None = None
    ) -> Self:
        """Try each preparation, and keep the one with the least error of patterns that were left out."""
        del task, held
        most, best = whole_number(self, "n_components"), np.inf
        for name in preparations(self):
            ready, table = PreparedRows.learn(rows, name, n_components=most)
            weights, offsets, errors = fit_ridge(table, targets)
            error = float((errors**2).mean())
            if error < best:
                best, self._ready, self._weights, self._offsets = error, ready, weights, offsets
        return self

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Scaled targets (n, t)."""
        return np.asarray(self._ready.apply(rows) @ self._weights + self._offsets)

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """Weights and how rows are made ready."""
        arrays = {**self._ready.arrays(), "weights": self._weights, "offsets": self._offsets}
        return {"preparation": self._ready.preparation}, arrays

    def restore(self, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        self._ready = PreparedRows.of(told["preparation"], arrays)
        self._weights, self._offsets = check_linear(arrays, self._ready.axes.shape[1])
        return self
