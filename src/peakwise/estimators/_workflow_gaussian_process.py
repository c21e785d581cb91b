"""Descriptors by a Gaussian process, which knows how unsure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from peakwise.estimators._regression_gaussian import fit_scales, kernel, left_out, solve
from peakwise.estimators._regression_rows import PreparedRows, preparations, whole_number
from peakwise.estimators._regression_workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Arrays, Rows, Task

__all__ = ["GaussianProcess"]

_LOOKED_AT = 120  # patterns for the choice of the preparation, about
_COMMON = 2  # principal components of the targets, in that choice
_SCALED_BY = 300  # patterns that the scales are learned from; all count in the answer


@final
class GaussianProcess(Workflow):
    """Gaussian process on principal components: a smooth and a linear part and noise, whose sizes are learned.

    Parameters
    ----------
    n_components : int
        Most principal components.
    preparation : str
        What is done to each pattern first: a name in `PREPARATIONS`, or auto for the best of them.
    most : int
        Most patterns that it learns from, chosen at random: its work rises with their third power.

    Notes
    -----
    Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), chapters 2, 5 and 5.4.2 (leaving out).
    """

    title: ClassVar[str] = "a Gaussian process on principal components"

    def __init__(self, n_components: int = 24, preparation: str = "auto", most: int = 1500) -> None:
        self.n_components = n_components
        self.preparation = preparation
        self.most = most

    def fit(
        self, rows: Rows, targets: NDArray[np.float64], task: Task, held: tuple[Rows, NDArray[np.float64]] | None = None
    ) -> Self:
        """Learn the scales of the kernel, by the evidence; and keep the patterns."""
        del held
        count, n = whole_number(self, "n_components"), len(targets)
        some = np.arange(n)
        if n > whole_number(self, "most"):
            some = np.sort(np.random.default_rng(task.random_state).permutation(n)[: self.most])
        rows = {name: part[some] for name, part in rows.items()}
        known = targets[some]
        names, best = preparations(self), np.inf
        chosen = names[0]
        for name in names if len(names) > 1 else ():
            # A quick look at some of the patterns tells the preparations apart; the scales are learned afterwards.
            few = slice(None, None, max(1, len(known) // _LOOKED_AT))
            made = PreparedRows.learn({key: part[few] for key, part in rows.items()}, name, n_components=count)
            error = self._error(made[1] / _units(made[1]), known[few])
            if error < best:
                best, chosen = error, name
        self._ready, table = PreparedRows.learn(rows, chosen, n_components=count)
        self._unit = _units(table)
        self._points = table / self._unit
        fit = slice(None, None, -(-len(known) // _SCALED_BY))
        self._scales = np.array([fit_scales(self._points[fit], c - c.mean()) for c in known[fit].T])
        self._means, self._known = known.mean(axis=0), known - known.mean(axis=0)
        return self._solved()

    @staticmethod
    def _error(points: NDArray[np.float64], known: NDArray[np.float64]) -> float:
        """Of patterns that are left out: of what the targets have in common, which is enough for a choice."""
        left, sizes, _ = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)
        made = 0.0
        for column in (left[:, :_COMMON] * sizes[:_COMMON]).T:
            made += float(np.mean(left_out(points, column, fit_scales(points, column, n_steps=15)) ** 2))
        return made

    def _solved(self) -> Self:
        self._solutions = [solve(self._points, c, s) for c, s in zip(self._known.T, self._scales, strict=True)]
        return self

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Scaled targets (n, t): the mean of the process."""
        asked = self._ready.apply(rows) / self._unit
        parts = [kernel(asked, self._points, s) @ w for s, (_, w) in zip(self._scales, self._solutions, strict=True)]
        return np.asarray(np.stack(parts, axis=1) + self._means)

    def spread(self, rows: Rows) -> NDArray[np.float64]:
        """Deviation of the process (n, t), noise included."""
        from scipy.linalg import solve_triangular

        asked = self._ready.apply(rows) / self._unit
        made = np.empty((len(asked), len(self._scales)))
        for t, (scales, (lower, _)) in enumerate(zip(self._scales, self._solutions, strict=True)):
            across = solve_triangular(lower, kernel(self._points, asked, scales), lower=True)
            own = np.exp(2 * scales[0]) + np.exp(2 * scales[-2]) * (asked**2).sum(axis=1) + np.exp(2 * scales[-1])
            made[:, t] = np.sqrt(np.maximum(own - (across**2).sum(axis=0), 1e-18))
        return made

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """The patterns as points, their targets, and the scales of the kernel."""
        arrays = {
            **self._ready.arrays(), "unit": self._unit, "points": self._points, "known": self._known,
            "means": self._means, "scales": self._scales,
        }  # fmt: skip
        return {"preparation": self._ready.preparation}, arrays

    def restore(self, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        self._ready = PreparedRows.of(told["preparation"], arrays)
        names = ("unit", "points", "known", "means", "scales")
        unit, points, known, means, scales = (np.asarray(arrays[name], np.float64) for name in names)
        k = self._ready.axes.shape[1]
        fits = unit.shape == (k,) and points.shape == (len(known), k) and known.shape == (len(known), means.size)
        if not fits or scales.shape != (means.size, k + 3) or not np.isfinite(scales).all() or (unit <= 0).any():
            raise ValueError(f"the shapes {points.shape}, {known.shape} and {scales.shape} of a Gaussian process")
        self._unit, self._points, self._known, self._means, self._scales = unit, points, known, means, scales
        return self._solved()


def _units(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each component is divided by: half way, in logarithms, between its own deviation and the largest.

    With its own, the noise of the last components would be as large as the signal of the first; with the largest, the
    lengths of the kernel would begin far from where they belong.
    """
    size = table.std(axis=0)
    most = float(size.max()) or 1.0
    return np.asarray(np.where(size > 0, np.sqrt(size * most), 1))
