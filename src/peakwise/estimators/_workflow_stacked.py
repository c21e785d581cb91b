"""Descriptors by several views of the patterns, weighed by how well each answers what it was not shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from peakwise.estimators._descriptor_folds import subsets
from peakwise.estimators._regression_gaussian import fit_scales, kernel, solve
from peakwise.estimators._regression_rows import PreparedRows, whole_number
from peakwise.estimators._regression_trees import check_trees, flat_trees, leaves
from peakwise.estimators._regression_views import VIEWS, learn_view, seen
from peakwise.estimators._regression_workflow import Workflow, option_wrong, take

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Arrays, Rows, Task

__all__ = ["Stacked"]

_FOLDS = 4
_STEPS = 20  # of the search for the scales of a kernel; 30 took longer and were as near on two splits
_SCALES_FROM = 250  # patterns that the scales are learned from; the process itself takes all
_LEAN = 1e-3  # how hard weights are held near equal ones, against the errors of a range of 1
_AT_END = 0.03  # share of the training at the end of its range from which that end is a wall
_TREE_VIEW = "logs"
_MOST_PARTS = 8


@dataclass(eq=False)
class _Process:
    """A Gaussian process for each target on one view."""

    ready: PreparedRows
    unit: NDArray[np.float64]
    points: NDArray[np.float64]
    scales: NDArray[np.float64]
    known: NDArray[np.float64]
    means: NDArray[np.float64]

    def __post_init__(self) -> None:
        self.solved = [solve(self.points, c, s) for c, s in zip(self.known.T, self.scales, strict=True)]

    @classmethod
    def learn(cls, view: str, rows: Rows, targets: NDArray[np.float64], n_components: int, seed: int) -> Self:
        ready, table = learn_view(view, rows, n_components)
        deviation = table.std(axis=0)
        unit = np.where(deviation > 0, np.sqrt(deviation * (deviation.max() or 1.0)), 1.0)
        points = table / unit
        some = np.sort(np.random.default_rng(seed).permutation(len(points))[:_SCALES_FROM])
        means = targets.mean(axis=0)
        known = targets - means
        scales = [fit_scales(points[some], c[some] - c[some].mean(), n_steps=_STEPS) for c in known.T]
        return cls(ready, unit, points, np.array(scales), known, means)

    def answer(self, view: str, rows: Rows) -> NDArray[np.float64]:
        asked = seen(view, self.ready, rows) / self.unit
        parts = [kernel(asked, self.points, s) @ w for s, (_, w) in zip(self.scales, self.solved, strict=True)]
        return np.asarray(np.stack(parts, axis=1) + self.means)

    def deviation(self, view: str, rows: Rows) -> NDArray[np.float64]:
        from scipy.linalg import solve_triangular

        asked = seen(view, self.ready, rows) / self.unit
        made = np.empty((len(asked), len(self.scales)))
        for t, (scales, (lower, _)) in enumerate(zip(self.scales, self.solved, strict=True)):
            across = solve_triangular(lower, kernel(self.points, asked, scales), lower=True)
            own = np.exp(2 * scales[0]) + np.exp(2 * scales[-2]) * (asked**2).sum(axis=1) + np.exp(2 * scales[-1])
            made[:, t] = np.sqrt(np.maximum(own - (across**2).sum(axis=0), 1e-18))
        return made


@dataclass(eq=False)
class _Stack:
    """Processes on all views and trees on one, each with a weight for each target; for one selection of modalities."""

    processes: dict[str, _Process]
    trees_ready: PreparedRows
    trees: dict[str, NDArray[Any]]
    weights: NDArray[np.float64]  # (parts, targets), the trees last
    walls: NDArray[np.bool_]  # (2, targets): whether many lie at the lower and at the upper end

    @classmethod
    def learn(
        cls,
        rows: Rows,
        targets: NDArray[np.float64],
        views: tuple[str, ...],
        n_components: int,
        n_trees: int,
        task: Task,
    ) -> tuple[Self, tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """The stack, and its answers and spreads for each pattern when it is left out."""
        from sklearn.ensemble import ExtraTreesRegressor

        seed = task.random_state
        processes = {view: _Process.learn(view, rows, targets, n_components, seed) for view in views}
        ready, table = learn_view(_TREE_VIEW, rows, 0)
        model = ExtraTreesRegressor(
            n_trees, max_features=0.3, bootstrap=True, oob_score=True, random_state=seed, n_jobs=task.threads
        )
        model.fit(table, targets if targets.shape[1] > 1 else targets[:, 0])
        apart = [_kept_away(view, rows, targets, n_components, seed) for view in views]
        bagged = model.oob_prediction_.reshape(targets.shape)  # by trees that were grown without each
        every = np.stack([*(answers for answers, _ in apart), bagged])
        made = cls(
            processes, ready, flat_trees([tree.tree_ for tree in model.estimators_]), _weights(every, targets),
            np.array([(targets <= 0).mean(axis=0) > _AT_END, (targets >= 1).mean(axis=0) > _AT_END]),
        )  # fmt: skip
        return made, (made._joined(every), made._spread([deviation for _, deviation in apart]))

    def answer(self, rows: Rows) -> NDArray[np.float64]:
        parts = [process.answer(view, rows) for view, process in self.processes.items()]
        trees = leaves(self.trees, seen(_TREE_VIEW, self.trees_ready, rows)).mean(axis=0)
        return self._joined(np.stack([*parts, trees]))

    def spread(self, rows: Rows) -> NDArray[np.float64]:
        return self._spread([process.deviation(view, rows) for view, process in self.processes.items()])

    def _joined(self, every: NDArray[np.float64]) -> NDArray[np.float64]:
        made = (every * self.weights[:, None]).sum(axis=0)
        made = np.where(self.walls[0], np.maximum(made, 0.0), made)
        return np.asarray(np.where(self.walls[1], np.minimum(made, 1.0), made))

    def _spread(self, deviations: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        """The mean deviation of the processes, by their weights; of equal ones where only trees count."""
        weights = self.weights[:-1] + 1e-3
        weights = weights / weights.sum(axis=0)
        return np.asarray((np.stack(deviations) * weights[:, None]).sum(axis=0))


@final
class Stacked(Workflow):
    """Gaussian processes on several views of the patterns and a forest, each weighed for each target.

    The views: where along the axis shares of the area are reached, which moves evenly with strain; the sizes of the
    intensities wherever they stand, which tell disorder; the pattern itself; and its curvature, for broad bands. The
    weights, none below zero, are those that answer best what each part was not shown: processes in folds, trees by the
    patterns that each was grown without.

    Parameters
    ----------
    n_components : int
        Principal components of each view.
    n_trees : int
        At least 30, so that each pattern was not shown to some of them.
    views : sequence of str, optional
        Of area, logs, roots, pattern, curvature; None for all.
    most : int
        Most patterns that the processes take, chosen at random: their work rises with the third power.
    missing : bool
        Whether a modality may be missing later: then each selection of them is learned, too.

    Notes
    -----
    Stacking: D. H. Wolpert, Neural Netw. 5, 241 (1992); with weights that are not negative: L. Breiman, Mach. Learn.
    24, 49 (1996).
    """

    title: ClassVar[str] = "ours: several views of the patterns, weighed by what each had not seen"

    def __init__(
        self, n_components: int = 16, n_trees: int = 200, views: Any = None, most: int = 1500, missing: bool = True
    ) -> None:
        self.n_components = n_components
        self.n_trees = n_trees
        self.views = views
        self.most = most
        self.missing = missing
        self.bears_missing = bool(missing)  # type: ignore[misc]

    def fit(
        self, rows: Rows, targets: NDArray[np.float64], task: Task, held: tuple[Rows, NDArray[np.float64]] | None = None
    ) -> Self:
        """Learn every selection of modalities that may be asked for."""
        del held
        views, n = self._views(), len(targets)
        count, n_trees = whole_number(self, "n_components"), whole_number(self, "n_trees", 30)
        some = np.sort(np.random.default_rng(task.random_state).permutation(n)[: whole_number(self, "most", 10)])
        self._names, known = list(rows), targets[some]
        self._stacks: dict[tuple[str, ...], _Stack] = {}
        self._apart: dict[tuple[str, ...], tuple[NDArray[np.float64], NDArray[np.float64]]] = {}
        self._some = some
        for selection in subsets(self._names, self.bears_missing):
            part = {name: rows[name][some] for name in selection}
            self._stacks[selection], self._apart[selection] = _Stack.learn(part, known, views, count, n_trees, task)
        return self

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Scaled targets (n, t)."""
        return self._of(rows).answer(rows)

    def spread(self, rows: Rows) -> NDArray[np.float64]:
        """Mean deviation of the processes (n, t)."""
        return self._of(rows).spread(rows)

    def left_out(
        self,
    ) -> tuple[NDArray[np.intp], dict[tuple[str, ...], tuple[NDArray[np.float64], NDArray[np.float64]]]]:
        """Answers and spreads of each pattern when it is left out."""
        return self._some, self._apart

    def _of(self, rows: Rows) -> _Stack:
        selection = tuple(name for name in self._names if name in rows)
        if selection in self._stacks:
            return self._stacks[selection]
        raise option_wrong(self, "missing", f"True, to be asked with {', '.join(rows)} of {', '.join(self._names)}")

    def _views(self) -> tuple[str, ...]:
        if self.views is None:
            return tuple(VIEWS)
        listed = (self.views,) if isinstance(self.views, str) else tuple(self.views)
        if not listed or any(view not in VIEWS for view in listed):
            raise option_wrong(self, "views", f"some of {', '.join(VIEWS)}, or None")
        return listed

    # ---------- files ----------

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """Of each selection, the processes, the trees and the weights."""
        arrays: dict[str, NDArray[Any]] = {}
        for i, stack in enumerate(self._stacks.values()):
            arrays |= {f"{i}.weights": stack.weights, f"{i}.walls": stack.walls}
            arrays |= {f"{i}.trees.{name}": a for name, a in {**stack.trees_ready.arrays(), **stack.trees}.items()}
            for view, one in stack.processes.items():
                own = {
                    "unit": one.unit,
                    "points": one.points,
                    "scales": one.scales,
                    "known": one.known,
                    "means": one.means,
                }
                arrays |= {f"{i}.{view}.{name}": a for name, a in {**one.ready.arrays(), **own}.items()}
        return {"names": self._names, "selections": [list(s) for s in self._stacks]}, arrays

    def restore(self, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        views = self._views()
        self._names = [str(name) for name in told["names"]]
        self._stacks, self._apart, self._some = {}, {}, np.arange(0)
        if len(told["selections"]) > 1 << _MOST_PARTS:
            raise ValueError("more selections of modalities than there can be")
        for i, selection in enumerate(told["selections"]):
            weights, walls = np.asarray(arrays[f"{i}.weights"], np.float64), np.asarray(arrays[f"{i}.walls"], np.bool_)
            processes = {view: _process(_under(arrays, f"{i}.{view}."), view, weights.shape[-1]) for view in views}
            part = _under(arrays, f"{i}.trees.")
            ready = PreparedRows.of(VIEWS[_TREE_VIEW][1], part)
            trees = check_trees(part, ready.centre.size)
            fits = weights.shape == (len(views) + 1, trees["value"].shape[1]) and walls.shape == (2, weights.shape[1])
            if not fits or not np.isfinite(weights).all():
                raise ValueError(f"weights of the shape {weights.shape}")
            self._stacks[tuple(str(name) for name in selection)] = _Stack(processes, ready, trees, weights, walls)
        return self


def _kept_away(
    view: str, rows: Rows, targets: NDArray[np.float64], n_components: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Answers of a process to patterns that it was not shown, and deviations (n, t), in folds.

    A process knows in closed form what it would say without a pattern, but its scales have seen it: with few patterns
    such answers are far too good.
    """
    order = np.random.default_rng(seed).permutation(len(targets))
    answers, deviations = np.empty_like(targets), np.empty_like(targets)
    for number in range(_FOLDS):
        judge, learn = order[number::_FOLDS], np.delete(order, np.s_[number::_FOLDS])
        process = _Process.learn(view, take(rows, learn), targets[learn], n_components, seed)
        asked = take(rows, judge)
        answers[judge], deviations[judge] = process.answer(view, asked), process.deviation(view, asked)
    return answers, deviations


def _process(arrays: Mapping[str, NDArray[Any]], view: str, n_targets: int) -> _Process:
    ready = PreparedRows.of(VIEWS[view][1], arrays)
    unit, points, scales, known, means = (
        np.asarray(arrays[name], np.float64) for name in ("unit", "points", "scales", "known", "means")
    )
    k = ready.axes.shape[1]
    fits = unit.shape == (k,) and points.shape == (len(known), k) and known.shape == (len(points), n_targets)
    fits = fits and means.shape == (n_targets,) and len(scales) == n_targets and scales.ndim == 2
    if not fits or not all(np.isfinite(a).all() for a in (unit, points, scales, known, means)) or (unit <= 0).any():
        raise ValueError(f"the shapes {points.shape}, {known.shape} and {scales.shape} of a Gaussian process")
    return _Process(ready, unit, points, scales, known, means)


def _weights(every: NDArray[np.float64], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of answers (parts, n, t) that were not shown their truth (n, t), the best weights (parts, t), none negative.

    >>> truth = np.array([[0.0], [0.4], [1.0], [0.2]])
    >>> _weights(np.stack([truth + 0.01, truth[::-1]]), truth).round(1).tolist()
    [[1.0], [0.0]]
    """
    from scipy.optimize import nnls

    parts, n, t = every.shape
    made = np.empty((parts, t))
    for j in range(t):
        # A few more rows pull towards equal weights, and keep their sum near 1.
        lean = np.sqrt(_LEAN * n)
        table = np.concatenate([every[:, :, j].T, lean * np.eye(parts), 10 * lean * np.ones((1, parts))])
        wanted = np.concatenate([targets[:, j], np.full(parts, lean / parts), [10 * lean]])
        made[:, j], _ = nnls(table, wanted)
    return made


def _under(arrays: Mapping[str, NDArray[Any]], start: str) -> dict[str, NDArray[Any]]:
    return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}
