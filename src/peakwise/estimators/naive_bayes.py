"""Every point of a pattern as an independent normal variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.naive_bayes import GaussianNB

from peakwise.estimators._base import Estimator
from peakwise.estimators._options import real_option
from peakwise.estimators._rows import log_softmax, unit_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["NaiveBayes"]


@final
class NaiveBayes(ClassifierMixin, Estimator):  # type: ignore[misc]
    """Gaussian naive Bayes on square-root intensities.

    Parameters
    ----------
    var_smoothing : float
        Share of the largest variance of any point that is added to all variances.

    Notes
    -----
    Neighbouring points of a pattern are anything but independent, so its probabilities are far too sure of
    themselves. It is here to be compared with.

    Examples
    --------
    >>> model = NaiveBayes().fit([[9, 1, 0], [8, 2, 0], [0, 1, 9], [0, 2, 8]], ["a", "a", "b", "b"])
    >>> model.predict([[7, 3, 1]])
    array(['a'], dtype='<U1')
    """

    task: ClassVar[str] = "identify"
    tried_when_loaded: ClassVar[bool] = True

    def __init__(self, var_smoothing: float = 1e-9) -> None:
        self.var_smoothing = var_smoothing

    def _fit(self, patterns: Patterns, y: Any) -> None:
        model = GaussianNB(var_smoothing=real_option(self, "var_smoothing")).fit(unit_rows(patterns.intensity), y)
        self.means_: NDArray[np.float64] = model.theta_
        # One pattern a label and no smoothing: a variance of nothing has no logarithm.
        self.variances_: NDArray[np.float64] = np.maximum(model.var_, np.finfo(np.float64).tiny ** 0.5)
        self.shares_: NDArray[np.float64] = model.class_prior_

    def _scores(self, patterns: Patterns) -> NDArray[np.floating]:
        rows = unit_rows(patterns.intensity).astype(np.float64)
        out = np.empty((len(rows), len(self.means_)))
        constant = np.log(self.shares_) - 0.5 * np.log(2 * np.pi * self.variances_).sum(axis=1)
        for k, (mean, variance) in enumerate(zip(self.means_, self.variances_, strict=True)):
            out[:, k] = constant[k] - 0.5 * ((rows - mean) ** 2 / variance).sum(axis=1)
        return out

    def _predict_proba(self, patterns: Patterns) -> NDArray[np.floating]:
        return np.asarray(np.exp(log_softmax(self._scores(patterns))))

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {}, {"means": self.means_, "variances": self.variances_, "shares": self.shares_}

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        if not len(arrays["means"]) == arrays["shares"].size == len(recipe["labels"]["values"]):
            raise ValueError("means and shares of another number of labels")
        made.means_, made.variances_, made.shares_ = arrays["means"], arrays["variances"], arrays["shares"]
        return made
