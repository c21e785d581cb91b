"""What is the microstructure? Numbers read off patterns, with intervals that hold."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted

from peakwise.errors import OptionError, PatternsError
from peakwise.estimators._base import Estimator
from peakwise.estimators._descriptor_domain import Domain
from peakwise.estimators._descriptor_folds import Held, held_out
from peakwise.estimators._descriptor_input import ALONE, Modality, rows_of, several
from peakwise.estimators._descriptor_model import DescriptorModel
from peakwise.estimators._descriptor_targets import Targets, read_targets
from peakwise.estimators._descriptors import Descriptors
from peakwise.estimators._options import option_error, real_option, whole_option
from peakwise.estimators._regression_workflow import Task, Workflow, make_workflow
from peakwise.estimators._structures import as_phases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Rows
    from peakwise.patterns import Patterns

__all__ = ["DescriptorRegressor"]

_FEWEST = 8  # patterns: with fewer nothing can be kept away to see how wrong the answers are
_FEW = 40
_BESIDE = 0.1  # of the range of a descriptor, by which an answer may lie outside before it is called out of domain


@final
class DescriptorRegressor(RegressorMixin, Estimator):  # type: ignore[misc]
    """Read descriptors of the microstructure off diffraction patterns, spectra, or both.

    Parameters
    ----------
    workflow : str
        A key of ``peakwise.estimators.WORKFLOWS``.
    bins : int, None or mapping
        Bins that each pattern is summed into; None for all points; a mapping names the modalities.
    scale : {"set", "pattern"}
        Divide by the largest value of all patterns of the training, which keeps what their heights tell; or each by its
        own, for scans whose heights mean nothing.
    folds : int, optional
        1 keeps a fifth of the patterns away, for stopping and for the intervals. More keep each away in turn. None for
        1 where networks stop by them, for none where a workflow tells what it would have answered without each, and for
        5 otherwise.
    level : float
        Probability with which the intervals of `describe` hold the truth.
    options : mapping, optional
        Options of the workflow, by name.
    random_state : int
    threads : int

    Attributes
    ----------
    targets_ : tuple of str
        What was learned.
    modalities_ : tuple of str
    held_errors_ : dict
        For each target the root mean square error of answers to patterns that were kept away, in its unit.
    modality_gains_ : dict
        For each of several modalities, by what share the error of each target falls when it is added to the others;
        empty where the workflow needs all of them.
    warnings_ : list of str

    Notes
    -----
    The workflows reconstruction, regression, hybrid and multimodal: D. Vizoso, R. Dingreville, J. Appl. Phys. 137,
    131101 (2025).

    Examples
    --------
    >>> x = np.linspace(30, 90, 120)
    >>> rng = np.random.default_rng(0)
    >>> strain = rng.uniform(-0.02, 0.02, 80)
    >>> scans = [np.exp(-(((x - 44 * (1 - s)) / 1.5) ** 2)) + 0.01 * rng.random(120) for s in strain]
    >>> options = {"epochs": 200, "learning_rate": 2e-3, "n_latent": 4}
    >>> model = DescriptorRegressor("hybrid", options=options).fit(scans, {"strain": strain})
    >>> told = model.describe(scans[:2])
    >>> bool(abs(told.values[0, 0] - strain[0]) < 0.01), told.in_domain.tolist()
    (True, [True, True])
    """

    task: ClassVar[str] = "regress"
    tried_when_loaded: ClassVar[bool] = True

    def __init__(
        self,
        workflow: str = "stacked",
        bins: Any = 150,
        scale: str = "set",
        folds: int | None = None,
        level: float = 0.9,
        options: Mapping[str, Any] | None = None,
        random_state: int = 0,
        threads: int = 1,
    ) -> None:
        self.workflow = workflow
        self.bins = bins
        self.scale = scale
        self.folds = folds
        self.level = level
        self.options = options
        self.random_state = random_state
        self.threads = threads

    # ---------- learning ----------

    def fit(self, X: Any, y: Any = None, targets: Sequence[str] | None = None) -> Self:
        """Learn to read the targets off the patterns.

        Parameters
        ----------
        X : Patterns, xarray object, array-like of shape (n, m), or mapping of names to these
            A mapping holds several modalities of the same samples.
        y : array-like of shape (n,) or (n, t), or mapping of names to columns, optional
            Columns of texts are learned as classes. Without y the targets are columns of the patterns' meta.
        targets : sequence of str, optional
            Names of the columns: of an array all, of a mapping those that are wanted.

        Returns
        -------
        self
        """
        if as_phases(X) is not None:
            why = "it learns from patterns, got structures"
            raise OptionError("cannot fit DescriptorRegressor", why, "Give peakwise.simulate.Simulator(...).draw(1000)")
        given = several(X)
        if given is None:
            given = {ALONE: self._as_patterns(X, reset=True)}
        first = next(iter(given.values()))
        make = self._check_options(list(given))
        numbers, texts, self._ndim = read_targets(y, targets, first)
        if len(first) < _FEWEST:
            why = f"at least {_FEWEST} patterns are needed, got n_samples = {len(first)}"
            raise PatternsError("cannot fit DescriptorRegressor", why, "Give more of them")
        learned = Targets.learn(numbers, texts)
        self.n_features_in_ = first.n_points
        self.grid_, self.kind_, self.wavelength_ = np.array(first.axis), first.kind, first.wavelength
        modalities = {name: Modality.learn(p, self._bins_of(name), self.scale) for name, p in given.items()}
        rows = {name: modalities[name].rows(patterns) for name, patterns in given.items()}
        task = Task(learned.groups, int(self.random_state), int(self.threads))
        models, held = held_out(make, rows, learned.scale(numbers, texts), task, self.folds)
        domains = {name: Domain.learn(part, int(self.random_state)) for name, part in rows.items()}
        intervals = held.intervals(len(learned.names))
        self._model = DescriptorModel(self.workflow, learned, modalities, models, intervals, domains)
        self._tell(learned, held, len(first))
        return self

    def _fit(self, patterns: Patterns, y: Any) -> None:
        self.fit(patterns, y)

    def _tell(self, learned: Targets, held: Held, n: int) -> None:
        """What the patterns that were kept away say."""
        self.targets_, self.modalities_ = learned.names, tuple(self._model.modalities)
        every = next(iter(held.answers))
        errors, ranges = held.errors(every)[: len(learned.names)], learned.high - learned.low
        self.held_errors_ = {t: float(e) for t, e in zip(learned.names, errors * ranges, strict=True)}
        self.modality_gains_: dict[str, dict[str, float]] = {}
        for name in every:
            without = tuple(other for other in every if other != name)
            if without in held.answers:
                alone = held.errors(without)[: len(learned.names)]
                gains = 1 - errors / np.maximum(alone, 1e-12)
                self.modality_gains_[name] = {t: float(g) for t, g in zip(learned.names, gains, strict=True)}
        self.warnings_ = []
        if n < _FEW:
            self.warnings_.append(f"only {n} patterns: the descriptors are hardly known, and intervals are rough")
        if not self._model.promises(float(self.level)):
            self.warnings_.append(
                f"{len(held.which)} patterns that were kept away are too few to promise {self.level:.0%}: the "
                "intervals are twice the largest error seen"
            )

    # ---------- answers ----------

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The targets of each pattern in their units: (n, t), or (n,) where y was so.

        Parameters
        ----------
        X : Patterns, xarray object, array-like of shape (n, m), or mapping of names to these
            Of several modalities some may be left out, or NaN in all points, where the workflow bears it.
        """
        rows, there, _ = self._read(X)
        return self._shaped(self._model.targets.unscale(self._model.answers(rows, there)))

    def predict_interval(self, X: Any, level: float | None = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Between which limits the targets lie with a probability of `level`.

        Parameters
        ----------
        X : as in `predict`
        level : float, optional
            By default that of the estimator.

        Returns
        -------
        low, high : ndarray of shape (n, t), or (n,) where y was so
        """
        rows, there, _ = self._read(X)
        share = self._level(level)
        values = self._model.targets.unscale(self._model.answers(rows, there))
        reach = self._model.reach(rows, there, share)
        return self._shaped(values - reach), self._shaped(values + reach)

    def describe(self, X: Any, level: float | None = None) -> Descriptors:
        """Values, intervals and doubts of each pattern.

        Parameters
        ----------
        X : as in `predict`
        level : float, optional
            By default that of the estimator.
        """
        rows, there, names = self._read(X)
        share = self._level(level)
        model = self._model
        scaled = model.answers(rows, there)
        values, reach = model.targets.unscale(scaled), model.reach(rows, there, share)
        outside = model.targets.outside(scaled, _BESIDE)
        alike = model.alike(rows, there)
        said = list(self.warnings_)
        if not model.promises(share) and share != float(self.level):
            said.append(f"too few patterns were kept away to promise {share:.0%}")
        for what, bad in (("are unlike those that were learned", ~alike), ("lie outside what was learned", outside)):
            if bad.any():
                said.append(f"{int(bad.sum())} of {len(scaled)} scans {what}: do not trust their numbers")
        missing = [name for name, column in zip(model.modalities, there.T, strict=True) if not column.all()]
        said += [f"{name} is missing for {int((~there[:, i]).sum())} of {len(there)} scans"
                 for i, name in enumerate(model.modalities) if name in missing]  # fmt: skip
        return Descriptors(
            model.targets.names, names, values, values - reach, values + reach, np.asarray(alike & ~outside), share,
            tuple(said), model.targets.classes_of(scaled),
        )  # fmt: skip

    def latent(self, X: Any) -> NDArray[np.float64]:
        """Latent numbers of each pattern (n, k), of workflows that have them.

        Parameters
        ----------
        X : as in `predict`
        """
        rows, _, _ = self._read(X)
        return self._model.latent(rows)

    def reconstruction_error(self, X: Any) -> float | None:
        """Mean square error of the patterns as an autoencoder makes them again, on the scale of the training.

        None for workflows that do not make patterns.

        Parameters
        ----------
        X : as in `predict`
        """
        rows, _, _ = self._read(X)
        return self._model.reconstruction_error(rows)

    def generate(self, n: int, random_state: int = 0) -> Patterns | dict[str, Patterns]:
        """Draw patterns from a variational model; what it reads off them stands in their meta.

        Parameters
        ----------
        n : int
        random_state : int

        Returns
        -------
        Patterns, or a dict of Patterns where there are several modalities
        """
        check_is_fitted(self)
        made = self._model.generate(n, random_state)
        return made[ALONE] if list(made) == [ALONE] else made

    # ---------- learning on ----------

    def adapt(self, X: Any, y: Any = None, targets: Sequence[str] | None = None, *, layers: str = "last") -> Self:
        """Learn on from a few other scans, such as measured ones after simulated ones.

        Networks are trained on at a tenth of their rate; answers of other workflows are shifted and stretched. The
        intervals then follow the errors of scans of these few that were kept away in turn.

        Parameters
        ----------
        X, y, targets : as in `fit`
        layers : {"last", "all"}
            What of a network is trained on.

        Returns
        -------
        self
        """
        if layers not in ("last", "all"):
            raise OptionError(
                "cannot adapt DescriptorRegressor", f"layers must be last or all, got {layers!r}", "Choose"
            )
        rows, there, _ = self._read(X)
        given = several(X)
        first = next(iter(given.values())) if given else self._as_patterns(X, reset=False)
        known = self._model.targets
        names = targets if targets is not None or y is not None else [*known.names, *known.texts]
        numbers, texts, _ = read_targets(y, names, first, (*known.names, *known.texts))
        scaled = self._model.scaled_of(numbers, texts)
        self.warnings_ += self._model.adapt(rows, there, scaled, layers, int(self.random_state), int(self.threads))
        for said in self.warnings_[-1:]:
            warnings.warn(said, stacklevel=2)
        return self

    # ---------- input and options ----------

    def _read(self, X: Any) -> tuple[Rows, NDArray[np.bool_], tuple[str, ...]]:
        """Rows, which modalities are there, and names of the scans."""
        check_is_fitted(self)
        given = several(X, fitted=True)
        modalities = self._model.modalities
        if given is None and list(modalities) == [ALONE]:
            given = {ALONE: self._known(X)}
        elif given is None:
            given = self._recognised(X)
        first = next(iter(given.values()))
        rows, there = rows_of(modalities, given)
        if not there.all() and not self._model.bears_missing:
            lost = [name for name, column in zip(modalities, there.T, strict=True) if not column.all()]
            why = f"the workflow {self.workflow} needs every modality, and {', '.join(lost)} is missing"
            raise OptionError(
                "cannot predict with DescriptorRegressor", why, "Give it, or fit a workflow that bears it"
            )
        return rows, there, tuple(str(name) for name in first.names)

    def _recognised(self, X: Any) -> dict[str, Patterns]:
        """Patterns of one of several modalities that were given without a name."""
        from peakwise.patterns import check_patterns

        patterns = check_patterns(X)
        fits = [n for n, m in self._model.modalities.items() if m.kind == patterns.kind and patterns.same_grid(m.grid)]
        if len(fits) != 1:
            why = f"it was fitted on {', '.join(self._model.modalities)}, and these patterns have no name"
            raise OptionError("cannot predict with DescriptorRegressor", why, "Give a mapping of names to patterns")
        return {fits[0]: patterns}

    def _predict(self, patterns: Patterns) -> Any:
        """For the base, which tries a loaded model with patterns of the first modality."""
        if len(self._model.modalities) > 1 and not self._model.bears_missing:
            return None
        return self.predict({next(iter(self._model.modalities)): patterns})

    def _shaped(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        return table[:, 0] if self._ndim == 1 else table

    def _level(self, level: float | None) -> float:
        value = float(self.level) if level is None else level
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1:
            why = f"level must be above 0 and below 1, got {value!r}"
            raise OptionError("cannot give intervals", why, "Give 0.9")
        return float(value)

    def _bins_of(self, name: str) -> int | None:
        value = self.bins.get(name) if isinstance(self.bins, dict) else self.bins
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 2:
            raise option_error(self, "bins", "a whole number of at least 2, None, or a mapping of these", "Give 150")
        return int(value)

    def _check_options(self, names: Sequence[str]) -> Any:
        """A function that makes the workflow."""
        make_workflow(self.workflow, self.options)
        whole_option(self, "random_state", 0)
        whole_option(self, "threads")
        if self.folds is not None:
            whole_option(self, "folds")
        if not 0 < real_option(self, "level", or_above=False) < 1:
            raise option_error(self, "level", "above 0 and below 1", "Give 0.9")
        if self.scale not in ("set", "pattern"):
            raise option_error(self, "scale", "set or pattern", "Choose one")
        for name in names:
            self._bins_of(name)

        def make() -> Workflow:
            return make_workflow(self.workflow, self.options)

        return make

    # ---------- files ----------

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        told, arrays = self._model.state()
        learned = {
            **told, "ndim": self._ndim, "held_errors": self.held_errors_, "modality_gains": self.modality_gains_,
            "warnings": self.warnings_,
        }  # fmt: skip
        return {"learned": learned}, arrays

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        learned = recipe["learned"]
        made._check_options([str(name) for name in learned["modalities"]])
        made._model = DescriptorModel.from_state(made.workflow, made.options, learned, arrays)
        made._ndim = 1 if learned["ndim"] == 1 else 2
        made.targets_, made.modalities_ = made._model.targets.names, tuple(made._model.modalities)
        made.held_errors_, made.modality_gains_ = dict(learned["held_errors"]), dict(learned["modality_gains"])
        made.warnings_ = [str(text) for text in learned["warnings"]]
        return made

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags
