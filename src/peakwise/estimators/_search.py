"""Better options looked for: many are tried, bad ones are given up early, and a search that was stopped goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import DamagedFileError, MissingExtraError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from peakwise.estimators.descriptor_regressor import DescriptorRegressor
    from peakwise.patterns import Patterns

__all__ = ["SEARCH_SPACES", "Found", "score_regressor", "search", "with_options"]

_WHAT = "cannot search for options"
_FOLDS = 3

# Workflow -> option -> kind and limits: whole numbers or numbers between two ends (log: evenly in their logarithms), or
# one of several. `bins` is an option of the regressor, all others are of the workflow.
_NETWORK: dict[str, tuple[Any, ...]] = {
    "n_latent": ("int log", 4, 64), "loss_scaler": ("log", 0.1, 30.0), "learning_rate": ("log", 3e-5, 3e-3),
    "weight_decay": ("log", 1e-6, 1e-2), "dropout": ("float", 0.0, 0.4), "epochs": ("int log", 300, 6000),
    "batch": ("choice", 16, 32, 64), "bins": ("choice", 75, 150, 300),
}  # fmt: skip
_POINTS = ("choice", 75, 150, 300, 0)
SEARCH_SPACES: dict[str, dict[str, tuple[Any, ...]]] = {
    "stacked": {"n_components": ("int", 8, 40), "n_trees": ("choice", 100, 200, 400), "bins": _POINTS},
    "reconstruction": _NETWORK,
    "regression": {k: v for k, v in _NETWORK.items() if k != "loss_scaler"},
    "hybrid": _NETWORK,
    "multimodal": _NETWORK,
    "ridge": {"n_components": ("int log", 4, 512), "bins": _POINTS},
    "partial_least_squares": {"n_components": ("int", 2, 40), "bins": _POINTS},
    "forest": {"n_trees": ("choice", 100, 200, 400), "min_samples_leaf": ("int", 1, 6), "share": ("log", 0.03, 1.0),
               "bins": _POINTS},
    "boosting": {"n_trees": ("int log", 100, 1000), "learning_rate": ("log", 0.01, 0.3), "max_depth": ("int", 2, 7),
                 "n_components": ("choice", 0, 16, 32, 64), "bins": _POINTS},
    "gaussian_process": {"n_components": ("int log", 4, 64), "bins": _POINTS},
    "rocket": {"n_features": ("int log", 600, 20000), "bins": _POINTS},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes
    ----------
    options : dict
        The best of all.
    score : float
        Its error: less is better.
    tried, pruned, before : int
        Trials in all, those that were given up early, and those that an earlier run had made.
    """

    options: dict[str, Any]
    score: float
    tried: int
    pruned: int
    before: int


def search(
    objective: Callable[[dict[str, Any], Callable[[int, float], None]], float],
    space: Mapping[str, tuple[Any, ...]],
    *,
    n_trials: int,
    minutes: float | None,
    storage: Path,
    key: str,
    random_state: int,
    tell: Callable[[int, float], None] | None = None,
) -> Found:
    """Try options until there are so many trials, or the time is over.

    Parameters
    ----------
    objective : callable
        Gets options, and what it calls with a step and the error so far: that ends the trial where it is not promising.
        Returns the error.
    space : mapping
        Of `SEARCH_SPACES`.
    n_trials : int
        In all: those that `storage` has already are counted.
    minutes : float, optional
    storage : Path
        A file that keeps every trial, so that a search that was stopped goes on.
    key : str
        What is searched for; trials of anything else in that file are left alone.
    random_state : int
    tell : callable, optional
        Called after each trial, with their number and the least error.
    """
    optuna = _optuna()
    try:
        backend = optuna.storages.journal.JournalFileBackend(str(storage))
        study = optuna.create_study(
            storage=optuna.storages.JournalStorage(backend), study_name=key, load_if_exists=True,
            sampler=optuna.samplers.TPESampler(seed=random_state),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
        )  # fmt: skip
    except (ValueError, KeyError, OSError) as problem:
        why = f"it keeps no trials of a search ({problem})"
        raise DamagedFileError(_WHAT, why, "Remove it, or write the model elsewhere", file=storage) from problem
    ended = [t for t in study.trials if t.state.is_finished()]

    def one(trial: Any) -> float:
        def report(step: int, error: float) -> None:
            trial.report(error, step)
            if trial.should_prune():
                raise optuna.TrialPruned

        error = objective(_drawn(trial, space), report)
        if not np.isfinite(error):
            raise optuna.TrialPruned
        return error

    def after(done: Any, trial: Any) -> None:
        del trial
        if tell is not None and any(t.value is not None for t in done.trials):
            tell(len(done.trials), done.best_value)

    left = n_trials - len(ended)
    if left > 0:
        limit = None if minutes is None else 60 * minutes
        # An option that cannot be meant for these patterns ends its trial, not the search.
        study.optimize(one, n_trials=left, timeout=limit, callbacks=[after], catch=(OptionError, np.linalg.LinAlgError))
    whole = [t for t in study.trials if t.state == optuna.trial.TrialState.COMPLETE]
    if not whole:
        why = f"none of {len(study.trials)} trials came to an end"
        raise OptionError(_WHAT, why, "Give more minutes, or fewer patterns")
    pruned = sum(t.state == optuna.trial.TrialState.PRUNED for t in study.trials)
    return Found(dict(study.best_params), float(study.best_value), len(study.trials), pruned, len(ended))


def score_regressor(
    model: DescriptorRegressor,
    given: Patterns | Mapping[str, Patterns],
    columns: Mapping[str, NDArray[Any]],
    options: Mapping[str, Any],
    report: Callable[[int, float], None],
) -> float:
    """Mean of RMSE over range of patterns that are kept away in turn, with these options."""
    from sklearn.base import clone

    names = [name for name, column in columns.items() if column.dtype.kind == "f"]
    n = len(next(iter(columns.values())))
    folds = np.random.default_rng(model.random_state).permutation(n) % _FOLDS
    errors: list[float] = []
    for fold in range(_FOLDS):
        learned, asked = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        made = with_options(clone(model), options).set_params(folds=1)
        made.fit(_taken(given, learned), {name: column[learned] for name, column in columns.items()})
        told = made.describe(_taken(given, asked))
        for i, name in enumerate(told.targets):
            if name in names:
                off = told.values[:, i] - columns[name][asked]
                errors.append(float(np.sqrt(np.mean(off**2)) / np.ptp(columns[name])))
        report(fold, float(np.mean(errors)))
    return float(np.mean(errors))


def with_options(model: DescriptorRegressor, options: Mapping[str, Any]) -> DescriptorRegressor:
    """The regressor with options that were found."""
    rest = {name: value for name, value in options.items() if name != "bins"}
    model.set_params(options={**(model.options or {}), **rest})
    if "bins" in options:
        model.set_params(bins=options["bins"] or None)
    return model


def _taken(given: Patterns | Mapping[str, Patterns], rows: NDArray[np.intp]) -> Any:
    if hasattr(given, "items"):
        return {name: part[rows] for name, part in given.items()}
    return given[rows]


def _drawn(trial: Any, space: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    made = {}
    for name, (kind, *limits) in space.items():
        if kind == "choice":
            made[name] = trial.suggest_categorical(name, limits)
        elif kind.startswith("int"):
            made[name] = trial.suggest_int(name, *limits, log=kind.endswith("log"))
        else:
            made[name] = trial.suggest_float(name, *limits, log=kind == "log")
    return made


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as problem:
        why = "Optuna is needed and is not installed"
        raise MissingExtraError(_WHAT, why, "Install it with pip install 'peakwise[tune]'") from problem
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
