"""What `DescriptorRegressor` learned: what answers, how wide its intervals are, and what it knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.errors import OptionError, PatternsError
from peakwise.estimators._descriptor_domain import Domain
from peakwise.estimators._descriptor_folds import intervals_from_state, intervals_to_state, spread_of
from peakwise.estimators._descriptor_input import Modality, binned
from peakwise.estimators._descriptor_targets import Targets
from peakwise.estimators._regression_workflow import Task, Workflow, make_workflow, take
from peakwise.evaluation import ConformalIntervals
from peakwise.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Rows

__all__ = ["DescriptorModel"]

_MOST_MODELS = 100
_ADAPT_FOLDS = 5
_SLOPE = 0.3  # how far from 1 the stretch of answers is expected to be, when a model is brought to other scans


@dataclass(eq=False)
class DescriptorModel:
    """The parts that answer.

    Attributes
    ----------
    workflow : str
    targets : Targets
    modalities : dict of str to Modality
    models : list of Workflow
        Their answers are averaged.
    intervals : dict of tuple of str to ConformalIntervals
        For each selection of modalities.
    domains : dict of str to Domain
    shift, stretch : ndarray of shape (n_targets,)
        What was learned by `adapt` where the workflow cannot learn on: ``shift + stretch x answer``, scaled.
    """

    workflow: str
    targets: Targets
    modalities: dict[str, Modality]
    models: list[Workflow]
    intervals: dict[tuple[str, ...], ConformalIntervals]
    domains: dict[str, Domain]
    shift: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    stretch: NDArray[np.float64] = field(default_factory=lambda: np.ones(0))

    def __post_init__(self) -> None:
        if not self.shift.size:
            self.shift, self.stretch = np.zeros(len(self.targets.names)), np.ones(len(self.targets.names))

    @property
    def bears_missing(self) -> bool:
        """Whether modalities may be left out."""
        return self.models[0].bears_missing

    # ---------- answers ----------

    def answers(self, rows: Rows, there: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Scaled targets (n, n_columns)."""
        made = np.empty((len(there), self.targets.n_columns))
        for which, part, _ in self._selections(rows, there):
            made[which] = np.mean([model.predict(part) for model in self.models], axis=0)
        k = len(self.targets.names)
        made[:, :k] = self.shift + self.stretch * made[:, :k]
        return made

    def reach(self, rows: Rows, there: NDArray[np.bool_], level: float) -> NDArray[np.float64]:
        """Half widths of the intervals (n, n_targets) in the units of the targets."""
        k = len(self.targets.names)
        made = np.empty((len(there), k))
        for which, part, selection in self._selections(rows, there):
            spread = spread_of(self.models, part)
            known = [self.intervals[selection]] if selection in self.intervals else list(self.intervals.values())
            numbers = None if spread is None else spread[:, :k]
            made[which] = np.max([one.reach(level, numbers) + np.zeros((len(which), k)) for one in known], axis=0)
        return np.asarray(made * (self.targets.high - self.targets.low))

    def promises(self, level: float) -> bool:
        """Whether enough patterns were kept away for this level."""
        return all(one.promises(level) for one in self.intervals.values())

    def alike(self, rows: Rows, there: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether each scan is like those that were learned, in every modality that is there (n,)."""
        made = np.ones(len(there), dtype=np.bool_)
        for place, name in enumerate(self.modalities):
            if name in rows:
                made &= self.domains[name].holds(rows[name]) | ~there[:, place]
        return made

    def latent(self, rows: Rows) -> NDArray[np.float64]:
        """Latent numbers of the first model."""
        code = getattr(self.models[0], "latent", None)
        if code is None:
            why = f"the workflow {self.workflow} has no latent numbers"
            raise OptionError("cannot show latent numbers", why, "Fit hybrid, for instance")
        return np.asarray(code(rows))

    def reconstruction_error(self, rows: Rows) -> float | None:
        """Mean square error of the rows as the first model makes them again; None where it makes none."""
        again = getattr(self.models[0], "reconstruct", None)
        made = None if again is None else again(rows)
        if made is None:
            return None
        return float(np.mean([np.mean((made[name] - rows[name]) ** 2) for name in rows]))

    def generate(self, n: int, random_state: int) -> dict[str, Patterns]:
        """Patterns from a variational model, in the units of those that were learned."""
        draw = getattr(self.models[0], "generate", None)
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            why = f"n must be a whole number of at least 1, got {n!r}"
            raise OptionError("cannot generate patterns", why, "Give 10")
        if draw is None:
            why = f"the workflow {self.workflow} cannot draw"
            raise OptionError("cannot generate patterns", why, "Fit hybrid with options={'beta': 1.0}")
        rows, scaled = draw(int(n), random_state)
        numbers = self.targets.unscale(scaled)
        meta: dict[str, Any] = {name: numbers[:, i] for i, name in enumerate(self.targets.names)}
        meta |= self.targets.classes_of(scaled)
        made = {}
        for name, part in rows.items():
            modality = self.modalities[name]
            axis = modality.grid
            if modality.bins is not None and axis.size > modality.bins:
                counts = binned(np.ones((1, axis.size)), modality.bins)
                axis = (binned(axis[None], modality.bins) / counts)[0]
            intensity = part * (modality.largest or 1.0)
            made[name] = Patterns(axis, intensity, modality.kind, wavelength=modality.wavelength, meta=meta)
        return made

    def _selections(
        self, rows: Rows, there: NDArray[np.bool_]
    ) -> Iterator[tuple[NDArray[np.intp], Rows, tuple[str, ...]]]:
        """Patterns with the same modalities, together."""
        for shown in np.unique(there, axis=0):
            which = np.flatnonzero((there == shown).all(axis=1))
            selection = tuple(name for name, is_there in zip(self.modalities, shown, strict=True) if is_there)
            yield which, {name: rows[name][which] for name in selection}, selection

    # ---------- learning on ----------

    def scaled_of(
        self, numbers: dict[str, NDArray[np.float64]], texts: dict[str, NDArray[np.str_]]
    ) -> NDArray[np.float64]:
        """Targets of other scans, scaled as in training; refused where they are not those that were learned."""
        lost = [
            name for name in (*self.targets.names, *self.targets.texts) if name not in numbers and name not in texts
        ]
        if lost:
            raise PatternsError("cannot adapt DescriptorRegressor", f"y has no {lost[0]!r}", "Give every target of fit")
        if any(not np.isfinite(column).all() for column in numbers.values()):
            why = "y holds NaN or infinity"
            raise PatternsError("cannot adapt DescriptorRegressor", why, "Leave these patterns out")
        scaled = self.targets.scale(numbers, texts)
        self.targets.check_units(scaled)
        return scaled

    def adapt(
        self, rows: Rows, there: NDArray[np.bool_], scaled: NDArray[np.float64], layers: str, seed: int, threads: int
    ) -> list[str]:
        """Learn on in place; returns what to say of it."""
        if not there.all():
            why = "every modality must be there to learn on"
            raise PatternsError("cannot adapt DescriptorRegressor", why, "Leave out scans without one of them")
        n, k = len(scaled), len(self.targets.names)
        if n < 2:
            raise PatternsError(
                "cannot adapt DescriptorRegressor", f"at least 2 scans are needed, got {n}", "Give more"
            )
        task = Task(self.targets.groups, seed, threads)
        order = np.random.default_rng(seed).permutation(n)
        off = np.empty((n, k))
        for number in range(min(_ADAPT_FOLDS, n)):
            judge, learn = order[number::_ADAPT_FOLDS], np.delete(order, np.s_[number::_ADAPT_FOLDS])
            other = self._copy()._learn_on(take(rows, learn), scaled[learn], task, layers)
            off[judge] = (other.answers(take(rows, judge), there[judge]) - scaled[judge])[:, :k]
        self._learn_on(rows, scaled, task, layers)
        said = [f"adapted to {n} scans: errors of {_said(self.targets, off)} when kept away in turn"]
        for selection, before in list(self.intervals.items()):
            part = {name: rows[name] for name in selection}
            spread = spread_of(self.models, part)
            now = ConformalIntervals.learn(off, None if spread is None else spread[:, :k])
            if not now.promises(0.9):  # too few for quantiles: the known ones, as wide as these few say
                wider = np.sqrt((now.ratios * now.floor) ** 2).mean(axis=0) / np.maximum(
                    (before.ratios * before.floor).mean(axis=0), 1e-12
                )
                now = ConformalIntervals(before.ratios * np.maximum(wider, 1.0), before.floor)
            self.intervals[selection] = now
        for name, domain in self.domains.items():
            self.domains[name] = domain.with_rows(rows[name], seed)
        return said

    def _copy(self) -> DescriptorModel:
        """The same model, to be changed without changing this one."""
        models = [type(model).__new__(type(model)) for model in self.models]
        for new, old in zip(models, self.models, strict=True):
            new.__dict__.update(old.__dict__)
            new.restore(*old.state())
        return DescriptorModel(
            self.workflow, self.targets, self.modalities, models, self.intervals, self.domains, self.shift, self.stretch
        )

    def _learn_on(self, rows: Rows, scaled: NDArray[np.float64], task: Task, layers: str) -> DescriptorModel:
        if all([model.adapt(rows, scaled, task, layers) for model in self.models]):  # noqa: C419 - each learns on
            return self
        k = len(self.targets.names)
        told = np.mean([model.predict(rows) for model in self.models], axis=0)[:, :k]
        self.shift, self.stretch = _affine(told, scaled[:, :k])
        return self

    # ---------- files ----------

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Plain values, and arrays by name."""
        arrays: dict[str, NDArray[Any]] = {"shift": self.shift, "stretch": self.stretch}
        parts = []
        for number, model in enumerate(self.models):
            told, own = model.state()
            parts.append(told)
            arrays |= {f"model.{number}.{name}": array for name, array in own.items()}
        arrays |= {f"axis.{place}": one.grid for place, one in enumerate(self.modalities.values())}
        for place, domain in enumerate(self.domains.values()):
            arrays |= {f"domain.{place}.{name}": array for name, array in domain.to_arrays().items()}
        selections, own = intervals_to_state(self.intervals)
        arrays |= {f"interval.{name}": array for name, array in own.items()}
        arrays |= {"low": self.targets.low, "high": self.targets.high}
        told = {
            "modalities": list(self.modalities), "kinds": [one.told() for one in self.modalities.values()],
            "targets": list(self.targets.names), "texts": {n: list(c) for n, c in self.targets.texts.items()},
            "selections": selections, "models": parts,
        }  # fmt: skip
        return told, arrays

    @classmethod
    def from_state(
        cls,
        workflow: str,
        options: Mapping[str, Any] | None,
        told: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
    ) -> Self:
        """The inverse of `state`; what does not fit is a `ValueError` or `KeyError`."""
        names = [str(name) for name in told["modalities"]]
        modalities = {
            name: Modality.from_told(kind, arrays[f"axis.{place}"])
            for place, (name, kind) in enumerate(zip(names, told["kinds"], strict=True))
        }
        low, high = (np.asarray(arrays[name], np.float64) for name in ("low", "high"))
        titles = tuple(str(name) for name in told["targets"])
        fits = low.shape == high.shape == (len(titles),) and np.isfinite(low).all() and np.isfinite(high).all()
        if not titles or not fits or (high <= low).any():
            raise ValueError("ranges that are not those of the targets")
        texts = {str(name): tuple(str(c) for c in classes) for name, classes in told["texts"].items()}
        targets = Targets(titles, low, high, texts)
        if not 1 <= len(told["models"]) <= _MOST_MODELS:
            raise ValueError(f"{len(told['models'])} models")
        models = [
            make_workflow(workflow, options).restore(part, _under(arrays, f"model.{number}."))
            for number, part in enumerate(told["models"])
        ]
        sizes = [
            one.rows(Patterns(one.grid, np.ones((1, one.grid.size)), one.kind)).shape[1] for one in modalities.values()
        ]
        domains = {
            name: Domain.from_arrays(_under(arrays, f"domain.{place}."), size)
            for place, (name, size) in enumerate(zip(names, sizes, strict=True))
        }
        intervals = intervals_from_state(told["selections"], _under(arrays, "interval."), len(titles))
        shift, stretch = (np.asarray(arrays[name], np.float64) for name in ("shift", "stretch"))
        if shift.shape != low.shape or stretch.shape != low.shape or not np.isfinite([shift, stretch]).all():
            raise ValueError("corrections that are not those of the targets")
        return cls(workflow, targets, modalities, models, intervals, domains, shift, stretch)


def _under(arrays: Mapping[str, NDArray[Any]], start: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def _affine(told: NDArray[np.float64], truth: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shift and stretch (t,) that bring answers to the truth, the stretch held near 1 where few scans speak.

    >>> told = np.linspace(0, 1, 50)[:, None]
    >>> shift, stretch = _affine(told, 0.2 + 1.1 * told)
    >>> round(float(shift[0]), 3), round(float(stretch[0]), 3)
    (0.2, 1.1)
    """
    off = truth - told
    centred = told - told.mean(axis=0)
    variance = (centred**2).mean(axis=0)
    steep = (centred * off).mean(axis=0) / np.maximum(variance, 1e-12)
    rest = ((off - off.mean(axis=0) - steep * centred) ** 2).mean(axis=0)
    weight = variance / np.maximum(variance + rest / (len(told) * _SLOPE**2), 1e-12)
    steep = steep * weight
    return off.mean(axis=0) - steep * told.mean(axis=0), 1 + steep


def _said(targets: Targets, off: NDArray[np.float64]) -> str:
    sizes = np.sqrt((off**2).mean(axis=0)) * (targets.high - targets.low)
    return ", ".join(f"{size:.3g} for {name}" for name, size in zip(targets.names, sizes, strict=True))
