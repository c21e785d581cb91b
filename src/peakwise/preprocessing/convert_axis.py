"""The same points along another kind of axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, final

from peakwise.errors import OptionError
from peakwise.patterns import AXES, as_radiation
from peakwise.preprocessing._options import check_choice, check_number
from peakwise.preprocessing._step import Step

if TYPE_CHECKING:
    from peakwise.patterns import Patterns, Radiation

__all__ = ["ConvertAxis"]


@final
class ConvertAxis(Step):
    r"""Express patterns along another kind of axis; every point keeps its intensity.

    It takes patterns along any axis that converts to the one asked for; `Resample` behind it brings them onto one grid.
    The new points are in general not equally spaced.

    Parameters
    ----------
    to : str, optional
        Name of the axis in ``peakwise.AXES``: ``two_theta``, ``q``, ``d``, ``energy``, ``wavenumber`` ... None leaves
        the axis as it is.
    wavelength : float, str or Radiation, optional
        To ``two_theta``: the wavelength to express it in (default: the patterns' own). From ``two_theta``: used only
        where the patterns have none.
    two_theta : float, optional
        Fixed angle [deg] of an energy-dispersive detector.

    Notes
    -----
    :math:`q = 4 \pi \sin(\theta) / \lambda = 2 \pi / d`. Intensities are not rescaled for the changed width of the
    bins.

    Examples
    --------
    >>> import peakwise as pw
    >>> scan = pw.Patterns([20, 30, 40], [1, 2, 3], wavelength="CuKa1")
    >>> ConvertAxis("q").fit_transform(scan).axis.round(3)
    array([1.416, 2.111, 2.79 ])

    A plain array has no axis that could be converted:

    >>> ConvertAxis("q").fit_transform([[1.0, 2.0, 3.0]])
    Traceback (most recent call last):
    ...
    peakwise.errors.AxisError: cannot convert the axis: channel and q measure different things. ...
    """

    accepts: ClassVar[Literal["grid", "kind", "any"]] = "any"
    changes_grid: ClassVar[bool] = True
    allows_nan: ClassVar[bool] = True

    def __init__(
        self,
        to: str | None = None,
        *,
        wavelength: float | str | Radiation | None = None,
        two_theta: float | None = None,
    ) -> None:
        self.to = to
        self.wavelength = wavelength
        self.two_theta = two_theta

    def _fit(self, patterns: Patterns) -> None:
        if self.to is not None:
            check_choice(self, "to", AXES)
        elif self.wavelength is not None or self.two_theta is not None:
            why = "to must be the name of an axis where wavelength or two_theta is given, got None"
            raise OptionError("cannot fit ConvertAxis", why, "Give to='two_theta' or to='q'")
        check_number(self, "two_theta", "Give the angle in degrees", above=0, most=180, optional=True)
        self.grid_out_ = self._transform(patterns[:1]).axis.copy()

    def _transform(self, patterns: Patterns) -> Patterns:
        if self.to is None:
            return patterns
        return patterns.to_axis(self.to, wavelength=as_radiation(self.wavelength), two_theta=self.two_theta)
