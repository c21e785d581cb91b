"""Descriptors by partial least squares: what chemometrics does with spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from peakwise.estimators._regression_linear import check_linear
from peakwise.estimators._regression_rows import PreparedRows, preparations, whole_number
from peakwise.estimators._regression_workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Arrays, Rows, Task

__all__ = ["PartialLeastSquares"]

_FOLDS = 10


@final
class PartialLeastSquares(Workflow):
    """Partial least squares, each target by itself; components and preparation are chosen by cross-validation.

    Parameters
    ----------
    n_components : int
        Most components that are tried.
    preparation : str
        What is done to each pattern first: a name in `PREPARATIONS`, or auto for the best of them.

    Notes
    -----
    PLS1 by SIMPLS: S. de Jong, Chemom. Intell. Lab. Syst. 18 (1993) 251, doi:10.1016/0169-7439(93)85002-X.
    """

    title: ClassVar[str] = "partial least squares"

    def __init__(self, n_components: int = 25, preparation: str = "auto") -> None:
        self.n_components = n_components
        self.preparation = preparation

    def fit(
        self, rows: Rows, targets: NDArray[np.float64], task: Task, held: tuple[Rows, NDArray[np.float64]] | None = None
    ) -> Self:
        """Choose by cross-validation, then learn from all."""
        del held
        most, n = whole_number(self, "n_components"), len(targets)
        folds = np.random.default_rng(task.random_state).permutation(n) % min(_FOLDS, n)
        best, chosen = np.inf, None
        for name in preparations(self):
            ready, table = PreparedRows.learn(rows, name)
            wrong = np.zeros((most, targets.shape[1]))
            for fold in range(folds.max() + 1):
                asked = folds == fold
                # The centre is learned of the others, as every mean is.
                mean = table[~asked].mean(axis=0)
                for t in range(targets.shape[1]):
                    ways = _simpls(table[~asked] - mean, targets[~asked, t], most)
                    told = (table[asked] - mean) @ ways + targets[~asked, t].mean()
                    wrong[:, t] += ((told - targets[asked, t, None]) ** 2).sum(axis=0)
            error = float(wrong.min(axis=0).mean())
            if error < best:
                best, chosen = error, (ready, table, wrong.argmin(axis=0))
        if chosen is None:
            raise ValueError("no preparation gave numbers")
        self._ready, table, counts = chosen
        self._counts = counts + 1
        mean, self._weights = table.mean(axis=0), np.empty((table.shape[1], targets.shape[1]))
        for t, count in enumerate(self._counts):
            self._weights[:, t] = _simpls(table - mean, targets[:, t], int(count))[:, -1]
        self._offsets = targets.mean(axis=0) - mean @ self._weights
        return self

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Scaled targets (n, t)."""
        return np.asarray(self._ready.apply(rows) @ self._weights + self._offsets)

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """Weights, how many components each target has, and how rows are made ready."""
        told = {"preparation": self._ready.preparation, "components": [int(c) for c in self._counts]}
        return told, {**self._ready.arrays(), "weights": self._weights, "offsets": self._offsets}

    def restore(self, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        self._ready = PreparedRows.of(told["preparation"], arrays)
        self._weights, self._offsets = check_linear(arrays, self._ready.centre.size)
        self._counts = np.array(told["components"], dtype=np.int64)
        if self._counts.shape != self._offsets.shape:
            raise ValueError(f"{self._counts.size} numbers of components for {self._offsets.size} targets")
        return self


def _simpls(x: NDArray[np.float64], y: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Weights (m, most) of a centred table for one target, with 1, 2, ... components; y is centred here."""
    cross = x.T @ (y - y.mean())
    weights, basis = np.zeros((x.shape[1], most)), np.zeros((x.shape[1], most))
    total = np.zeros(x.shape[1])
    start = float(np.linalg.norm(cross))
    for k in range(most):
        length = float(np.linalg.norm(cross))
        if length > 1e-12 * start and k < len(x) - 1:
            way = cross / length
            score = x @ way
            size = float(np.linalg.norm(score))
            if size > 1e-14:
                way, score = way / size, score / size
                load = x.T @ score
                load -= basis[:, :k] @ (basis[:, :k].T @ load)
                long = float(np.linalg.norm(load))
                if long > 0:
                    basis[:, k] = load / long
                    cross = cross - basis[:, k] * (basis[:, k] @ cross)
                    cross -= basis[:, : k + 1] @ (basis[:, : k + 1].T @ cross)
                    total = total + way * float(score @ y)
        weights[:, k] = total
    return weights
