"""A part of the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, final

from peakwise.preprocessing._options import check_number, refuse
from peakwise.preprocessing._step import Step

if TYPE_CHECKING:
    from peakwise.patterns import Patterns

__all__ = ["Crop"]


@final
class Crop(Step):
    """Keep the part of each pattern with start <= axis <= stop.

    Intensities that are not finite are allowed, since cutting them off may be what it is for.

    Parameters
    ----------
    start, stop : float, optional
        Limits, in the unit of the axis (of a plain array: in channels). None keeps that end.

    Examples
    --------
    >>> import peakwise as pw
    >>> scan = pw.Patterns([10, 20, 30, 40], [1, 2, 3, 4], wavelength="CuKa1")
    >>> Crop(15, 30).fit_transform(scan).axis
    array([20., 30.])
    >>> Crop(start=2).fit_transform([[5.0, 6.0, 7.0, 8.0]])
    array([[7., 8.]])
    """

    accepts: ClassVar[Literal["grid", "kind", "any"]] = "kind"
    changes_grid: ClassVar[bool] = True
    allows_nan: ClassVar[bool] = True

    def __init__(self, start: float | None = None, stop: float | None = None) -> None:
        self.start = start
        self.stop = stop

    def _fit(self, patterns: Patterns) -> None:
        for name in ("start", "stop"):
            check_number(self, name, "Give a position along the axis, or None to keep that end", optional=True)
        if self.start is not None and self.stop is not None and not self.start < self.stop:
            raise refuse(self, "stop", f"above start ({self.start:g})", "Exchange start and stop")
        self.grid_out_ = patterns[:1].crop(self.start, self.stop).axis.copy()

    def _transform(self, patterns: Patterns) -> Patterns:
        return patterns.crop(self.start, self.stop)
