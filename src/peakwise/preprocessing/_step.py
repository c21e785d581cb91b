"""What every step shares: input checked once, the grid remembered, and the answer in the kind that came in."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, final

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from peakwise.errors import GridError
from peakwise.patterns import Patterns, check_patterns
from peakwise.preprocessing._xarray import is_xarray, like_xarray

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Step"]

# Wavelengths that differ by less than this share are one wavelength called by two names (CuKa and CuKa1: 0.08 %).
SAME_WAVELENGTH = 2e-3


class _Tabular(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn carries no types
    """Where scikit-learn's ``set_output`` acts: on arrays and tables, which have no axis to lose."""

    def transform(self, X: Any) -> Any:
        """Return the patterns after this step, as the kind that came in."""
        return self._apply(X)

    def _apply(self, X: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must be a Step")


class Step(_Tabular, auto_wrap_output_keys=None):  # type: ignore[call-arg]
    """Base of every step: a scikit-learn transformer of `Patterns`, xarray objects or plain (n, m) arrays.

    A concrete step is final. It stores its options in `__init__`, checks them and learns in `_fit`, and works in
    `_transform`. The kind that comes in goes out. A plain array has the axis ``channel``, 0 to m - 1. With
    ``set_output`` arrays and tables become what was asked for; `Patterns` and xarray objects stay what they are, since
    a table would lose their axis.

    Attributes
    ----------
    grid_ : ndarray of shape (m,)
        The axis seen in `fit`.
    kind_ : str
        What that axis is, a name in ``peakwise.AXES``.
    wavelength_ : float or None
        The wavelength [angstrom] seen in `fit`.
    grid_out_ : ndarray
        The axis that patterns on `grid_` leave with.
    n_features_in_ : int
        Number of points seen in `fit`.
    """

    # What `transform` takes: only the grid seen in fit; any grid of that kind and wavelength; or any axis.
    accepts: ClassVar[Literal["grid", "kind", "any"]] = "grid"
    changes_grid: ClassVar[bool] = False
    allows_nan: ClassVar[bool] = False

    grid_: NDArray[np.float64]
    grid_out_: NDArray[np.float64]
    kind_: str
    wavelength_: float | None
    n_features_in_: int

    @abstractmethod
    def _fit(self, patterns: Patterns) -> None:
        """Check the options and learn from the patterns; a step that changes the grid sets `grid_out_`."""

    @abstractmethod
    def _transform(self, patterns: Patterns) -> Patterns:
        """Return new patterns; axis, kind, sigma, meta and warnings must be right."""

    @final
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the options and learn the grid (and what else the step learns).

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        y : ignored

        Returns
        -------
        self
        """
        del y
        patterns = self._read(X, reset=True)
        self.grid_ = np.array(patterns.axis)
        self.kind_, self.wavelength_ = patterns.kind, patterns.wavelength
        self.grid_out_ = self.grid_
        self._fit(patterns)
        self._n_features_out = int(self.grid_out_.size)
        return self

    @final
    def transform(self, X: Any) -> Any:
        """Return the patterns after this step.

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)

        Returns
        -------
        The kind that came in: `Patterns`, an xarray object or an ndarray; the input itself stays as it was.
        """
        return self._apply(X) if isinstance(X, Patterns) or is_xarray(X) else super().transform(X)

    @final
    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Fit to the patterns and return them after this step."""
        return self.fit(X, y).transform(X)

    @final
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the points that come out: those that came in, or this step's name with a number."""
        check_is_fitted(self)
        names = ClassNamePrefixFeaturesOutMixin if self.changes_grid else OneToOneFeatureMixin
        return np.asarray(names.get_feature_names_out(self, input_features))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.allows_nan
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _apply(self, X: Any) -> Any:
        check_is_fitted(self)
        patterns = self._read(X, reset=False)
        self._check_axis(patterns)
        result = self._transform(patterns)
        if isinstance(X, Patterns):
            return result
        # A copy: Patterns lock their arrays, and a caller may write into what is theirs.
        return like_xarray(X, result) if is_xarray(X) else np.array(result.intensity)

    def _read(self, X: Any, *, reset: bool) -> Patterns:
        """Input as `Patterns`; what scikit-learn promises about arrays and tables is left to its own check."""
        if isinstance(X, Patterns) or is_xarray(X):
            patterns = check_patterns(X, allow_nan=self.allows_nan)
            if reset:
                self.n_features_in_ = patterns.n_points
                self.__dict__.pop("feature_names_in_", None)
            return patterns
        rows = validate_data(
            self,
            X,
            reset=reset,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            ensure_min_features=2 if reset else 1,
        )
        return check_patterns(rows, allow_nan=self.allows_nan)

    def _check_axis(self, patterns: Patterns) -> None:
        """Refuse patterns on another axis than the one seen in fit, unless this step is there to change it."""
        if self.accepts == "any":
            return
        known, got = self.wavelength_, patterns.wavelength
        if patterns.kind != self.kind_:
            do = f"Put ConvertAxis({self.kind_!r}) and Resample before it"
        elif self.kind_ == "two_theta" and known and got and abs(got - known) > SAME_WAVELENGTH * known:
            do = f"Put ConvertAxis('two_theta', wavelength={known:g}) and Resample before it"
        elif self.accepts == "grid" and not patterns.same_grid(self.grid_):
            do = "Put Resample before it"
        else:
            return
        seen, new = _told(self.kind_, self.grid_, known), _told(patterns.kind, patterns.axis, got)
        why = f"it was fitted on {seen} and got {new}"
        raise GridError(f"cannot transform with {type(self).__name__}", why, do)


def _told(kind: str, axis: NDArray[np.float64], wavelength: float | None) -> str:
    """Tell a grid in a few words."""
    light = f" ({wavelength:.6g} angstrom)" if kind == "two_theta" and wavelength else ""
    return f"{kind}{light} {axis[0]:g} to {axis[-1]:g} in {axis.size} points"
