"""Tables of descriptors from 0 to 1, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from peakwise.errors import PatternsError
from peakwise.patterns import Patterns

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ScaleTargets"]


@final
class ScaleTargets(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # no types there
    """Scale every descriptor to run from 0 to 1, so that each weighs the same in a loss.

    For the table ``y`` of a regression, not for patterns: one row per pattern, one column per descriptor. It fits into
    ``sklearn.compose.TransformedTargetRegressor(regressor, transformer=ScaleTargets())``. NaN (not known) stays NaN and
    is left out of the minimum and maximum.

    Attributes
    ----------
    minimum_ : ndarray of shape (k,)
        Smallest value of each descriptor seen in `fit`.
    range_ : ndarray of shape (k,)
        Largest minus smallest value; 1 for a descriptor that is constant, which becomes 0 and comes back as it was.
    n_features_in_ : int
        Number of descriptors seen in `fit`.

    Notes
    -----
    :math:`s' = (s - s_{min}) / (s_{max} - s_{min})`, as in Vizoso & Dingreville (2025),
    https://doi.org/10.1063/5.0255593, section II B. Values outside the range seen in `fit` fall outside 0 to 1.

    Examples
    --------
    >>> stress = [[-200.0, 0.1], [0.0, 0.3], [-100.0, 0.2]]
    >>> scaler = ScaleTargets().fit(stress)
    >>> scaler.transform(stress).round(3)
    array([[0. , 0. ],
           [1. , 1. ],
           [0.5, 0.5]])
    >>> scaler.inverse_transform([[0.25, 0.25]]).round(3)
    array([[-150.  ,    0.15]])
    """

    minimum_: NDArray[np.floating]
    range_: NDArray[np.floating]

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the range of each descriptor.

        Parameters
        ----------
        X : array-like of shape (n, k)
            The descriptors.
        y : ignored

        Returns
        -------
        self
        """
        del y
        table = self._read(X, reset=True)
        low, high = np.fmin.reduce(table, axis=0), np.fmax.reduce(table, axis=0)  # NaN only where all are NaN
        width = high - low
        self.minimum_ = np.where(np.isnan(low), 0, low).astype(table.dtype)
        self.range_ = np.where(width > 0, width, 1).astype(table.dtype)
        return self

    def transform(self, X: Any) -> Any:
        """Return the descriptors from 0 to 1."""
        check_is_fitted(self)
        table = self._read(X, reset=False)
        return ((table - self.minimum_) / self.range_).astype(table.dtype)

    def inverse_transform(self, X: Any) -> NDArray[np.floating]:
        """Return scaled descriptors in their own units."""
        check_is_fitted(self)
        table = self._read(X, reset=False)
        return np.asarray(table * self.range_ + self.minimum_, dtype=table.dtype)

    def _read(self, X: Any, *, reset: bool) -> NDArray[np.floating]:
        if isinstance(X, Patterns):
            why = "a table of descriptors is needed, one column each, got Patterns"
            raise PatternsError("cannot scale the targets", why, "Use Normalise for patterns")
        table = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite="allow-nan")
        return np.asarray(table)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
