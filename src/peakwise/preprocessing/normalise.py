"""Intensities on a common scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from peakwise.preprocessing._options import check_choice
from peakwise.preprocessing._step import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["Normalise"]

MODES = ("maximum", "set_maximum", "area", "vector", "snv")


@final
class Normalise(Step):
    r"""Put intensities on a common scale.

    Parameters
    ----------
    mode : {"maximum", "set_maximum", "area", "vector", "snv"}
        By what each pattern is divided:

        - ``maximum``: its own largest intensity. For measured scans, whose scale says only how long they were counted.
        - ``set_maximum``: the largest intensity of all patterns seen in `fit`. Keeps the ratios between patterns.
        - ``area``: the area under it, in the unit of the axis.
        - ``vector``: its Euclidean length.
        - ``snv``: standard normal variate, its mean being subtracted first.

    Attributes
    ----------
    maximum_ : float
        The largest intensity seen in `fit`.

    Notes
    -----
    ``area`` is :math:`\int I\,dx` by the trapezium rule; ``snv`` is
    :math:`(I_i - \bar I) / \sqrt{\sum_k (I_k - \bar I)^2 / (m - 1)}` (Barnes et al. 1989,
    https://doi.org/10.1366/0003702894202201). The two kinds of maximum are compared by Vizoso & Dingreville (2025),
    https://doi.org/10.1063/5.0255593, section II B. A pattern whose divisor is not above zero (an empty scan, a
    constant one for ``snv``) is left at its scale, and a warning says so.

    Examples
    --------
    >>> Normalise().fit_transform([[1.0, 4.0, 2.0], [10.0, 5.0, 0.0]])
    array([[0.25, 1.  , 0.5 ],
           [1.  , 0.5 , 0.  ]])
    >>> Normalise("set_maximum").fit_transform([[1.0, 4.0, 2.0], [10.0, 5.0, 0.0]])
    array([[0.1, 0.4, 0.2],
           [1. , 0.5, 0. ]])
    """

    maximum_: float

    def __init__(self, mode: str = "maximum") -> None:
        self.mode = mode

    def _fit(self, patterns: Patterns) -> None:
        check_choice(self, "mode", MODES)
        self.maximum_ = float(patterns.intensity.max())

    def _transform(self, patterns: Patterns) -> Patterns:
        rows = patterns.intensity.astype(np.float64, copy=False)
        if self.mode == "snv":
            rows = rows - rows.mean(axis=1, keepdims=True)
        divisor = self._divisor(rows, patterns.axis)
        # Differences of equal numbers may leave a rounding error: that is no spread to divide by.
        smallest = np.finfo(patterns.intensity.dtype).eps * np.abs(patterns.intensity).max(axis=1)
        good = divisor > (smallest if self.mode == "snv" else 0.0)
        scale = np.where(good, divisor, 1.0)[:, np.newaxis]
        notes = list(patterns.warnings)
        if not good.all():
            notes.append(f"{np.count_nonzero(~good)} of {good.size} patterns could not be scaled by their {self.mode}")
        dtype = patterns.intensity.dtype
        return patterns.replace(
            intensity=(rows / scale).astype(dtype),
            sigma=None if patterns.sigma is None else (patterns.sigma / scale).astype(patterns.sigma.dtype),
            unit="arbitrary",
            warnings=notes,
        )

    def _divisor(self, rows: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each row is divided by, shape (n,)."""
        if self.mode == "maximum":
            return np.asarray(rows.max(axis=1))
        if self.mode == "set_maximum":
            return np.full(len(rows), self.maximum_)
        if self.mode == "area":
            return np.asarray(np.trapezoid(rows, axis, axis=1))
        if self.mode == "vector":
            return np.asarray(np.linalg.norm(rows, axis=1))
        return np.asarray(rows.std(axis=1, ddof=1))
