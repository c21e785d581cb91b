"""Neighbouring points summed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from peakwise.errors import GridError
from peakwise.preprocessing._options import check_choice, check_number
from peakwise.preprocessing._step import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["SumBins"]


@final
class SumBins(Step):
    r"""Sum every `factor` neighbouring points into one.

    Parameters
    ----------
    factor : int
        How many points become one. 1 leaves the pattern as it is; Vizoso & Dingreville use 40 (6000 points to 150).
    remainder : {"refuse", "drop"}
        What happens when the number of points is no multiple of `factor`: an error, or the last points are left out.

    Notes
    -----
    :math:`I'_j = \sum_{k=0}^{f-1} I_{jf+k}`, at the mean position of the points; sigma adds in squares. Counts are
    kept. The reference bins by points, not by angle: on an uneven axis the bins are unevenly wide, and `Resample` is
    the step for bins of equal width. The sum of absorbances or transmittances is neither, so their unit becomes
    ``arbitrary``.

    References
    ----------
    D. Vizoso, R. Dingreville (2025), https://doi.org/10.1063/5.0255593: "downsampled from an initial vector size of
    6000 points down to 150 points by summing 40 points per bin".

    Examples
    --------
    >>> SumBins(2).fit_transform([[1.0, 2.0, 3.0, 4.0]])
    array([[3., 7.]])
    >>> SumBins(3).fit([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]])
    Traceback (most recent call last):
    ...
    peakwise.errors.GridError: cannot fit SumBins: 7 points are no multiple of factor=3. Crop 1 of them, ...
    """

    changes_grid: ClassVar[bool] = True

    def __init__(self, factor: int = 1, *, remainder: str = "refuse") -> None:
        self.factor = factor
        self.remainder = remainder

    def _fit(self, patterns: Patterns) -> None:
        check_number(self, "factor", "Give how many points become one", least=1, whole=True)
        check_choice(self, "remainder", ("refuse", "drop"))
        m, left = patterns.n_points, patterns.n_points % self.factor
        if m // self.factor < 2:
            why = f"{m} points in bins of {self.factor} leave {m // self.factor}, and at least two are needed"
            raise GridError("cannot fit SumBins", why, f"Use a factor of at most {m // 2}")
        if left and self.remainder == "refuse":
            do = f"Crop {left} of them, choose another factor, or pass remainder='drop' to leave out the last {left}"
            raise GridError("cannot fit SumBins", f"{m} points are no multiple of factor={self.factor}", do)
        self.grid_out_ = self._binned(patterns.axis[np.newaxis])[0] / self.factor

    def _transform(self, patterns: Patterns) -> Patterns:
        if self.factor == 1:
            return patterns
        sigma = patterns.sigma
        averaged = patterns.unit in ("absorbance", "transmittance")
        return patterns.replace(
            axis=self._binned(patterns.axis[np.newaxis])[0] / self.factor,
            intensity=self._binned(patterns.intensity),
            sigma=None if sigma is None else np.sqrt(self._binned(sigma**2)),
            unit="arbitrary" if averaged else patterns.unit,
        )

    def _binned(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        n, m = rows.shape
        kept = m // self.factor * self.factor
        return np.asarray(rows[:, :kept].reshape(n, -1, self.factor).sum(axis=2))
