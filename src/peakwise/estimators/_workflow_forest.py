"""Descriptors by a forest of decision trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from peakwise.estimators._regression_rows import PreparedRows, whole_number
from peakwise.estimators._regression_trees import check_trees, flat_trees, leaves
from peakwise.estimators._regression_workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Arrays, Rows, Task

__all__ = ["Forest"]


@final
class Forest(Workflow):
    """Random forest on all points, all targets together; trees that differ say how unsure it is.

    Parameters
    ----------
    n_trees : int
    min_samples_leaf : int
        Fewest patterns in a leaf.
    share : float
        Of the points, that each split may choose among.
    """

    title: ClassVar[str] = "a forest of decision trees"

    def __init__(self, n_trees: int = 200, min_samples_leaf: int = 1, share: float = 0.33) -> None:
        self.n_trees = n_trees
        self.min_samples_leaf = min_samples_leaf
        self.share = share

    def fit(
        self, rows: Rows, targets: NDArray[np.float64], task: Task, held: tuple[Rows, NDArray[np.float64]] | None = None
    ) -> Self:
        """Grow the trees."""
        from sklearn.ensemble import RandomForestRegressor

        del held
        self._ready, table = PreparedRows.learn(rows, "none")
        model = RandomForestRegressor(
            whole_number(self, "n_trees"), min_samples_leaf=whole_number(self, "min_samples_leaf"),
            max_features=self.share, random_state=task.random_state, n_jobs=task.threads,
        ).fit(table, targets if targets.shape[1] > 1 else targets[:, 0])  # fmt: skip
        self._trees = flat_trees([tree.tree_ for tree in model.estimators_])
        return self

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Scaled targets (n, t): the mean over the trees."""
        return np.asarray(leaves(self._trees, self._ready.apply(rows)).mean(axis=0))

    def spread(self, rows: Rows) -> NDArray[np.float64]:
        """Deviation between the trees (n, t)."""
        return np.asarray(leaves(self._trees, self._ready.apply(rows)).std(axis=0))

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """Trees as arrays."""
        told = {"trees": len(self._trees["roots"]), "targets": self._trees["value"].shape[1]}
        return told, {**self._ready.arrays(), **self._trees}

    def restore(self, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        self._ready = PreparedRows.of("none", arrays)
        self._trees = check_trees(arrays, self._ready.centre.size)
        found = len(self._trees["roots"]), self._trees["value"].shape[1]
        if found != (told["trees"], told["targets"]):
            raise ValueError(f"{found[0]} trees for {found[1]} targets, promised {told['trees']} for {told['targets']}")
        return self
