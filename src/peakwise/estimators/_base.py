"""The face of every estimator: input checked once, the grid remembered, and one way into a model file and back."""

from __future__ import annotations

import re
import warnings
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, final

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils import assert_all_finite
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data

from peakwise.errors import GridError, OptionError, PatternsError
from peakwise.patterns import Patterns, check_patterns

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Estimator"]

# Wavelengths that differ by less than this share are one wavelength called by two names (CuKa and CuKa1: 0.08 %).
SAME_WAVELENGTH = 2e-3

# Kinds of labels that a model file can hold, as numpy names them: truth values, whole and real numbers, texts, objects
# that are texts. Nothing else from a file may name a type.
_LABELS = re.compile(r"[<>|=]?(b1|[iuf][1248]|U\d{1,6}|O)")


def _has_probabilities(estimator: Any) -> bool:
    return type(estimator)._predict_proba is not Estimator._predict_proba


def _has_scores(estimator: Any) -> bool:
    return _has_probabilities(estimator) or type(estimator)._scores is not Estimator._scores


class Estimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """Base of every estimator: fits and answers for `Patterns`, xarray objects or plain (n, m) arrays.

    A concrete estimator is final and holds only its idea. It stores its options in `__init__`; `_fit` checks them and
    learns; `_predict` answers, or, of a classifier, `_predict_proba` or `_scores`; `_to_recipe` and `_from_recipe` take
    apart what it learned and put it together again. What kind it is for scikit-learn it says with a mixin
    (``class Mine(ClassifierMixin, Estimator)``). A plain array has the axis ``channel``, 0 to m - 1.

    Attributes
    ----------
    grid_ : ndarray of shape (m,)
        The axis seen in `fit`.
    kind_ : str
        What that axis is, a name in ``peakwise.AXES``.
    wavelength_ : float or None
        The wavelength [angstrom] seen in `fit`.
    n_features_in_ : int
        Number of points seen in `fit`.
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted; of classifiers only.
    """

    # What `predict` takes: only the grid seen in fit; any grid of that kind and wavelength; or any axis.
    accepts: ClassVar[Literal["grid", "kind", "any"]] = "grid"
    allows_nan: ClassVar[bool] = False
    # Whether a loaded model is asked once, so that arrays of a file that do not fit each other are found at once.
    tried_when_loaded: ClassVar[bool] = False
    # What it is for, as model files say it: identify, transitions, novelty, regress or cluster.
    task: ClassVar[str]

    grid_: NDArray[np.float64]
    kind_: str
    wavelength_: float | None
    n_features_in_: int
    classes_: NDArray[Any]

    @abstractmethod
    def _fit(self, patterns: Patterns, y: Any) -> None:
        """Check the options and learn. A classifier gets y as numbers 0 to len(classes_) - 1."""

    def _predict(self, patterns: Patterns) -> Any:
        """Answer for each pattern; by default the label with the highest score."""
        return self.classes_[np.argmax(self._scores(patterns), axis=1)]

    def _scores(self, patterns: Patterns) -> NDArray[np.floating]:
        """What labels are ranked by, (n, n_classes); by default their probabilities."""
        return self._predict_proba(patterns)

    def _predict_proba(self, patterns: Patterns) -> NDArray[np.floating]:
        """Probabilities (n, n_classes); an estimator without them leaves this as it is."""
        raise NotImplementedError(f"{type(self).__name__} has no probabilities for {len(patterns)} patterns")

    @abstractmethod
    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return what was learned: fields of a recipe (`peakwise.modelfiles.FIELDS`), and named arrays.

        ``estimator``, ``task``, ``options``, ``axis``, ``labels`` and the array ``grid`` are added by `save`.
        """

    @classmethod
    @abstractmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """Return ``cls(**options)`` with what was learned; grid and labels are put on afterwards.

        Where the parts do not fit each other, `KeyError`, `IndexError`, `TypeError` or `ValueError` say so.
        """

    def _fit_structures(self, X: Any) -> bool:  # noqa: ARG002 - for those that learn from crystal structures
        """Learn from crystal structures instead of patterns; False where X is nothing of the kind."""
        return False

    # Not final, like `predict`: one estimator reads several kinds of pattern of a sample at once.
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the input and the options, and learn.

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        y : array-like of shape (n,), optional
            What is to be answered; classifiers need it.

        Returns
        -------
        self
        """
        if self._fit_structures(X):
            return self
        patterns = self._as_patterns(X, reset=True)
        target = self._check_target(patterns, y)
        self.grid_ = np.array(patterns.axis)
        self.kind_, self.wavelength_ = patterns.kind, patterns.wavelength
        with warnings.catch_warnings():
            # One calculated pattern a phase is no mistake here.
            warnings.filterwarnings("ignore", message="The number of unique classes is greater than 50%")
            self._fit(patterns, target)
        return self

    def predict(self, X: Any) -> Any:
        """Answer for each pattern.

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        """
        return self._predict(self._known(X))

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    @final
    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Probabilities of the labels in `classes_`, one row a pattern.

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        """
        return self._predict_proba(self._known(X))

    @available_if(_has_scores)  # type: ignore[untyped-decorator]
    @final
    def scores(self, X: Any) -> NDArray[np.floating]:
        """What the labels in `classes_` are ranked by, one row a pattern: larger is better, only the order counts.

        Probabilities of very unlikely labels are all zero in floating point; scores still have an order.

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        """
        return self._scores(self._known(X))

    @final
    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted estimator into one ``.pw`` file; `peakwise.estimators.load` reads it.

        Parameters
        ----------
        path : path-like
            Where to write; an existing file is replaced.
        """
        from peakwise.modelfiles import write_model

        check_is_fitted(self)
        learned, arrays = self._to_recipe()
        recipe = {
            **learned,
            "estimator": _name_of(type(self)),
            "task": self.task,
            "options": {name: _plain_option(self, name, value) for name, value in self.get_params(deep=False).items()},
            "axis": {"kind": self.kind_, "wavelength": self.wavelength_},
        }
        if hasattr(self, "classes_"):
            recipe["labels"] = {"kind": self.classes_.dtype.str, "values": self.classes_.tolist()}
        write_model(path, recipe, {**arrays, "grid": self.grid_})

    @classmethod
    @final
    def _rebuild(cls, recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Put an estimator together from what `save` wrote."""
        made = cls._from_recipe(recipe["options"], recipe, arrays)
        made.grid_ = np.array(arrays["grid"], dtype=np.float64)
        made.kind_, made.wavelength_ = recipe["axis"]["kind"], recipe["axis"]["wavelength"]
        made.n_features_in_ = made.grid_.size
        if "labels" in recipe:
            kind = str(recipe["labels"]["kind"])
            if not _LABELS.fullmatch(kind):
                raise ValueError(f"labels of kind {kind!r:.40}")
            # Texts get the length that they have, not the one that a file claims.
            made.classes_ = np.array(recipe["labels"]["values"], dtype="U" if "U" in kind else kind)
        if cls.tried_when_loaded:
            made._predict(made._trial())
        return made

    def _trial(self) -> Patterns:
        """Patterns that a loaded model is asked about once."""
        return Patterns(self.grid_, np.ones((2, self.grid_.size)), self.kind_, wavelength=self.wavelength_)

    def _check_target(self, patterns: Patterns, y: Any) -> Any:
        """Check y; a classifier's labels become numbers and `classes_`."""
        if not is_classifier(self):
            return y
        if y is None:
            why = f"{type(self).__name__} requires y to be passed, but the target y is None"
            raise PatternsError(f"cannot fit {type(self).__name__}", why, "Give a label per pattern")
        labels = column_or_1d(y, warn=True)
        check_consistent_length(patterns.intensity, labels)
        if labels.dtype.kind == "f":
            assert_all_finite(labels, input_name="y")
        kind = type_of_target(labels, input_name="y")
        if kind not in ("binary", "multiclass"):
            why = f"Unknown label type: {kind}; y must hold texts or whole numbers"
            raise PatternsError(f"cannot fit {type(self).__name__}", why, "Give a label per pattern")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if self.classes_.size < 2:
            why = f"y must hold at least two classes, got 1 class ({self.classes_[0]!r})"
            raise PatternsError(f"cannot fit {type(self).__name__}", why, "Give patterns of several labels")
        return codes

    def _as_patterns(self, X: Any, *, reset: bool) -> Patterns:
        """Input as `Patterns`; what scikit-learn promises about arrays and tables is left to its own check."""
        if not isinstance(X, Patterns) and not type(X).__module__.startswith("xarray."):
            least = 2 if reset else 1
            X = validate_data(
                self, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False, ensure_min_features=least
            )
            return check_patterns(X, allow_nan=self.allows_nan)
        patterns = check_patterns(X, allow_nan=self.allows_nan)
        if reset:
            self.n_features_in_ = patterns.n_points
            self.__dict__.pop("feature_names_in_", None)
        return patterns

    def _known(self, X: Any) -> Patterns:
        """Input for an answer: refused where it lies on another axis than the one seen in fit."""
        check_is_fitted(self)
        patterns = self._as_patterns(X, reset=False)
        do = None if self.accepts == "any" else self._what_converts(patterns)
        if do is not None:
            seen = _grid_words(self.kind_, self.grid_, self.wavelength_)
            got = _grid_words(patterns.kind, patterns.axis, patterns.wavelength)
            raise GridError(f"cannot predict with {type(self).__name__}", f"it was fitted on {seen} and got {got}", do)
        return patterns

    def _what_converts(self, patterns: Patterns) -> str | None:
        """Return which steps of `peakwise.preprocessing` would make the patterns fit, or None where they do."""
        if patterns.kind != self.kind_:
            return f"Put ConvertAxis({self.kind_!r}) and Resample before it"
        known, got = self.wavelength_, patterns.wavelength
        if self.kind_ == "two_theta" and known and got and abs(got / known - 1) > SAME_WAVELENGTH:
            return f"Put ConvertAxis('two_theta', wavelength={known:g}) and Resample before it"
        if self.accepts == "grid" and not patterns.same_grid(self.grid_):
            grid = f"({self.grid_[0]:g}, {self.grid_[-1]:g}, {self.grid_.size})"
            return f"Put Resample({grid}) before it"
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.allows_nan
        return tags


def _grid_words(kind: str, axis: NDArray[np.float64], wavelength: float | None) -> str:
    light = f" at {wavelength:.6g} angstrom" if kind == "two_theta" and wavelength else ""
    return f"{axis.size} points of {kind}{light} from {axis[0]:g} to {axis[-1]:g}"


def _name_of(kind: type) -> str:
    """Name of the estimator in the table, which alone can be loaded again."""
    from peakwise.estimators import ESTIMATORS

    for name, member in ESTIMATORS.items():
        if member is kind:
            return name
    why = f"{kind.__name__} must be one of {', '.join(ESTIMATORS)}"
    raise OptionError("cannot save the estimator", why, "Save one of these")


def _plain_option(estimator: Estimator, name: str, value: Any) -> Any:
    """An option as it stands in a model file: a number, a text, a truth value, None, or a list or dict."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (list, tuple)):
        return [_plain_option(estimator, name, part) for part in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain_option(estimator, f"{name}.{key}", part) for key, part in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    why = f"{name} must be a number, a text, a list of these or None, got {value!r:.80}"
    raise OptionError(f"cannot save {type(estimator).__name__}", why, "Fit it with a plain value")
