"""Patterns onto one grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, final

from peakwise.patterns import make_grid
from peakwise.preprocessing._options import check_number
from peakwise.preprocessing._step import Step

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from peakwise.patterns import Patterns

__all__ = ["Resample"]


@final
class Resample(Step):
    """Bring patterns onto one grid: sum counts where it is coarser, interpolate where it is finer.

    It takes patterns on any grid of the kind (and wavelength) seen in `fit`; the others need `ConvertAxis` first.

    Parameters
    ----------
    grid : (start, stop, n) or array-like of shape (m,), optional
        The new grid, in the unit of the axis (of a plain array: in channels). Without it, the grid seen in `fit`, so
        that later patterns are brought onto the grid of the first ones.
    fill : float, optional
        Value for grid points outside the measured range; without it they are an error.

    Notes
    -----
    A bin of the new grid that is at least as wide as the bins under it gets their sum, a bin that straddles an edge
    being shared in proportion to its overlap, so the total is kept; rates, arbitrary units,
    absorbance and transmittance are averaged. See `Patterns.resample`.

    Examples
    --------
    >>> import peakwise as pw
    >>> scans = pw.Patterns([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 5], wavelength="CuKa1")
    >>> Resample([1.5, 3.5, 5.5]).fit_transform(scans).intensity
    array([[2., 2., 6.]])

    Later patterns come onto the grid of those it was fitted on:

    >>> onto_scans = Resample().fit(scans)
    >>> fine = pw.Patterns([0.75, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4.25, 4.75, 5.25, 5.75, 6.25], [[2.0] * 12])
    >>> onto_scans.transform(fine).intensity
    array([[4., 4., 4., 4., 4., 4.]])
    """

    accepts: ClassVar[Literal["grid", "kind", "any"]] = "kind"
    changes_grid: ClassVar[bool] = True

    def __init__(self, grid: ArrayLike | tuple[float, float, int] | None = None, *, fill: float | None = None) -> None:
        self.grid = grid
        self.fill = fill

    def _fit(self, patterns: Patterns) -> None:
        check_number(self, "fill", "Use 0, or None to refuse grids that reach outside the data", optional=True)
        if self.grid is not None:
            self.grid_out_ = make_grid(self.grid)
            patterns[:1].resample(self.grid_out_, fill=self.fill)  # refused now rather than at the first transform

    def _transform(self, patterns: Patterns) -> Patterns:
        return patterns.resample(self.grid_out_, fill=self.fill)
