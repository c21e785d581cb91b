"""Patterns that are kept away in turn: how far the answers to them are off, and what that says of new ones."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.estimators._regression_workflow import take
from peakwise.evaluation import ConformalIntervals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Rows, Task, Workflow

__all__ = ["Held", "held_out", "intervals_from_state", "intervals_to_state", "spread_of", "subsets"]

_HELD = 0.2  # share that is kept away where there is one fold: half of it for stopping, half for intervals
_MANY_FOLDS = 5
_MOST_SUBSETS = 3  # modalities of which every selection is measured; of more, all and all but one


def subsets(names: Sequence[str], bears_missing: bool) -> list[tuple[str, ...]]:
    """Selections of modalities that may be there at prediction, all of them first.

    >>> subsets(["xrd", "vdos"], True)
    [('xrd', 'vdos'), ('xrd',), ('vdos',)]
    """
    every = tuple(names)
    if len(every) == 1 or not bears_missing:
        return [every]
    sizes = range(len(every) - 1, 0, -1) if len(every) <= _MOST_SUBSETS else [len(every) - 1]
    return [every, *(part for size in sizes for part in combinations(every, size))]


@dataclass(eq=False)
class Held:
    """Answers to patterns that were kept away.

    Attributes
    ----------
    which : ndarray of shape (k,)
        Numbers of the patterns.
    targets : ndarray of shape (k, t)
        Scaled.
    answers : dict
        For each selection of modalities, scaled answers (k, t).
    spreads : dict
        The same of the spread, None where nothing is known of it.
    """

    which: NDArray[np.intp]
    targets: NDArray[np.float64]
    answers: dict[tuple[str, ...], NDArray[np.float64]]
    spreads: dict[tuple[str, ...], NDArray[np.float64] | None]

    def errors(self, subset: tuple[str, ...]) -> NDArray[np.float64]:
        """Root of the mean square error (t,) of the scaled answers."""
        return np.asarray(np.sqrt(((self.answers[subset] - self.targets) ** 2).mean(axis=0)))

    def intervals(self, n_numbers: int) -> dict[tuple[str, ...], ConformalIntervals]:
        """Of the numbers, for each selection of modalities."""
        made = {}
        for subset, answers in self.answers.items():
            spread = self.spreads[subset]
            off = (answers - self.targets)[:, :n_numbers]
            made[subset] = ConformalIntervals.learn(off, None if spread is None else spread[:, :n_numbers])
        return made

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several folds as one."""
        keys = list(parts[0].answers)
        spreads: dict[tuple[str, ...], NDArray[np.float64] | None] = {}
        for key in keys:
            every = [part.spreads[key] for part in parts]
            known = [spread for spread in every if spread is not None]
            spreads[key] = np.concatenate(known) if len(known) == len(every) else None
        return cls(
            np.concatenate([part.which for part in parts]),
            np.concatenate([part.targets for part in parts]),
            {key: np.concatenate([part.answers[key] for part in parts]) for key in keys},
            spreads,
        )


def held_out(
    make: Callable[[], Workflow], rows: Rows, targets: NDArray[np.float64], task: Task, folds: int | None
) -> tuple[list[Workflow], Held]:
    """Learn; returns what answers (several are averaged), and how well patterns that were kept away were answered."""
    n = len(targets)
    if folds is None:
        made = make()
        if not made.needs_held and (apart := made.fit(rows, targets, task).left_out()) is not None:
            which, told = apart
            answers = {key: pair[0] for key, pair in told.items()}
            return [made], Held(which, targets[which], answers, {key: pair[1] for key, pair in told.items()})
        folds = 1 if made.needs_held else _MANY_FOLDS
    folds = min(folds, n)
    order = np.random.default_rng(task.random_state).permutation(n)
    if folds == 1:
        n_held = max(2, round(_HELD * n))
        stop, judge, learn = order[: n_held // 2], order[n_held // 2 : n_held], order[n_held:]
        made = make()
        if not made.needs_held:  # nothing is wasted on stopping where nothing stops
            judge, stop = order[:n_held], order[:0]
        held = (take(rows, stop), targets[stop]) if stop.size else None
        made.fit(take(rows, learn), targets[learn], task, held)
        return [made], _ask(made, rows, targets, judge)
    parts, models = [], []
    for number in range(folds):
        judge, learn = order[number::folds], np.delete(order, np.s_[number::folds])
        made = make().fit(take(rows, learn), targets[learn], task, (take(rows, judge), targets[judge]))
        models.append(made)
        parts.append(_ask(made, rows, targets, judge))
    if not models[0].needs_held:
        models = [make().fit(rows, targets, task)]
    return models, Held.joined(parts)


def _ask(made: Workflow, rows: Rows, targets: NDArray[np.float64], which: NDArray[np.intp]) -> Held:
    part = take(rows, which)
    answers, spreads = {}, {}
    for subset in subsets(list(rows), made.bears_missing):
        shown = {name: part[name] for name in subset}
        answers[subset], spreads[subset] = made.predict(shown), made.spread(shown)
    return Held(which, targets[which], answers, spreads)


def spread_of(models: Sequence[Workflow], rows: Rows) -> NDArray[np.float64] | None:
    """The mean of the spreads (n, t), or None."""
    every = [spread for spread in (model.spread(rows) for model in models) if spread is not None]
    return np.mean(every, axis=0) if len(every) == len(models) else None


def intervals_to_state(
    intervals: Mapping[tuple[str, ...], ConformalIntervals],
) -> tuple[list[list[str]], dict[str, NDArray[Any]]]:
    """Selections in their order, and arrays."""
    arrays: dict[str, NDArray[Any]] = {}
    for number, one in enumerate(intervals.values()):
        arrays |= {f"{number}.ratios": one.ratios, f"{number}.floor": one.floor}
    return [list(subset) for subset in intervals], arrays


def intervals_from_state(
    selections: Sequence[Sequence[str]], arrays: Mapping[str, NDArray[Any]], n_numbers: int
) -> dict[tuple[str, ...], ConformalIntervals]:
    """The inverse of `intervals_to_state`."""
    made = {}
    for number, subset in enumerate(selections):
        ratios, floor = (np.asarray(arrays[f"{number}.{name}"], np.float64) for name in ("ratios", "floor"))
        if ratios.ndim != 2 or not len(ratios) or ratios.shape[1] != n_numbers or floor.shape != (n_numbers,):
            raise ValueError("errors that are not those of the targets")
        if not (np.isfinite(ratios).all() and np.isfinite(floor).all()):
            raise ValueError("errors that are not finite")
        made[tuple(str(name) for name in subset)] = ConformalIntervals(ratios, floor)
    return made
