"""Descriptors by gradient boosting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from peakwise.estimators._regression_rows import PreparedRows, whole_number
from peakwise.estimators._regression_trees import check_trees, flat_trees, leaves
from peakwise.estimators._regression_workflow import Workflow, option_wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Arrays, Rows, Task

__all__ = ["Boosting"]


@final
class Boosting(Workflow):
    """Gradient boosting: small trees, each learned from what those before it left, for each target by itself.

    Parameters
    ----------
    n_trees : int
        Trees for each target.
    learning_rate : float
        Share of each tree that is added.
    max_depth : int
        Most splits on the way to a leaf.
    n_components : int
        The trees see so many principal components instead of all points; 0 for the points.
    """

    title: ClassVar[str] = "gradient boosting"

    def __init__(
        self, n_trees: int = 300, learning_rate: float = 0.06, max_depth: int = 4, n_components: int = 0
    ) -> None:
        self.n_trees = n_trees
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.n_components = n_components

    def fit(
        self, rows: Rows, targets: NDArray[np.float64], task: Task, held: tuple[Rows, NDArray[np.float64]] | None = None
    ) -> Self:
        """Grow the trees of each target."""
        from sklearn.ensemble import GradientBoostingRegressor

        del held
        if isinstance(self.learning_rate, bool) or not 0 < self.learning_rate <= 1:
            raise option_wrong(self, "learning_rate", "above 0 and at most 1")
        self._ready, table = PreparedRows.learn(rows, "none", n_components=whole_number(self, "n_components", 0))
        trees = []
        for column in targets.T:
            model = GradientBoostingRegressor(
                n_estimators=whole_number(self, "n_trees"), learning_rate=self.learning_rate, subsample=0.6,
                max_depth=whole_number(self, "max_depth"), max_features="sqrt", random_state=task.random_state,
            ).fit(table, column)  # fmt: skip
            trees += [tree[0].tree_ for tree in model.estimators_]
        self._trees, self._means = flat_trees(trees), targets.mean(axis=0)
        return self

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Scaled targets (n, t)."""
        told = leaves(self._trees, self._ready.apply(rows))[:, :, 0]
        by_target = told.reshape(self._means.size, -1, told.shape[1]).sum(axis=1)
        return np.asarray(self._means + self.learning_rate * by_target.T)

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """Trees as arrays."""
        return {"targets": self._means.size}, {**self._ready.arrays(), **self._trees, "means": self._means}

    def restore(self, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        self._ready = PreparedRows.of("none", arrays)
        self._trees = check_trees(arrays, self._ready.axes.shape[1] or self._ready.centre.size)
        self._means = np.asarray(arrays["means"], np.float64)
        if self._means.shape != (told["targets"],) or self._means.size == 0 or self._trees["value"].shape[1] != 1:
            raise ValueError(f"the shapes {self._means.shape} and {self._trees['value'].shape} of boosted trees")
        if len(self._trees["roots"]) % self._means.size:
            raise ValueError(f"{len(self._trees['roots'])} trees for {self._means.size} targets")
        return self
