"""Equations of state: how much a cell shrinks under pressure or grows with temperature."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["BirchMurnaghan", "EquationOfState", "LinearExpansion", "Vinet"]

_SMALLEST, _LARGEST = 0.3, 1.5  # V / V0 that is looked for


class EquationOfState(ABC):
    """Relative change of the three lengths of a cell with pressure or temperature."""

    @abstractmethod
    def strain(self, values: ArrayLike) -> NDArray[np.float64]:
        """Relative change of a, b and c, (n, 3), against the cell as given."""


@dataclass(frozen=True, slots=True)
class _Isothermal(EquationOfState):
    """What both isothermal equations share: the volume is found from the pressure by bisection."""

    bulk_modulus: float
    derivative: float = 4.0
    reference: float = 0.0

    def __post_init__(self) -> None:
        if not (self.bulk_modulus > 0 and 0 < self.derivative < 20):
            why = f"K0 > 0 GPa and 0 < K0' < 20 are needed, got {self.bulk_modulus:g} and {self.derivative:g}"
            raise OptionError("cannot make the equation of state", why, "Give K0 in GPa")

    def pressure(self, ratio: ArrayLike) -> NDArray[np.float64]:
        """Pressure [GPa] at V / V0."""
        raise NotImplementedError

    def ratio(self, pressure: ArrayLike) -> NDArray[np.float64]:
        """V / V0 at a pressure [GPa]."""
        wanted = np.asarray(pressure, dtype=np.float64)
        # Below the spinodal the pressure falls again: stay where compression raises it.
        even = np.linspace(_SMALLEST, _LARGEST, 2001)
        rising = self.pressure(even)
        top = float(even[int(np.argmin(rising))])
        low, high = np.full(wanted.shape, _SMALLEST), np.full(wanted.shape, top)
        if np.any(wanted > self.pressure(_SMALLEST)) or np.any(wanted < self.pressure(top)):
            span = f"{float(self.pressure(top)):.4g} to {float(self.pressure(_SMALLEST)):.4g} GPa"
            why = f"it holds from {span}, got {wanted.min():g} to {wanted.max():g}"
            raise OptionError("cannot solve the equation of state", why, "Give pressures in GPa")
        for _ in range(60):
            middle = (low + high) / 2
            above = self.pressure(middle) > wanted
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.asarray((low + high) / 2)

    def strain(self, values: ArrayLike) -> NDArray[np.float64]:
        """Relative change of the lengths, the same for all three, from the `reference` pressure."""
        change = np.cbrt(self.ratio(np.atleast_1d(values)) / self.ratio(self.reference)) - 1
        return np.repeat(change[:, None], 3, axis=1)


@final
@dataclass(frozen=True, slots=True)
class BirchMurnaghan(_Isothermal):
    r"""Third-order Birch-Murnaghan equation.

    Parameters
    ----------
    bulk_modulus : float
        K0 [GPa].
    derivative : float
        K0', without unit.
    reference : float
        Pressure [GPa] at which the phase has its cell as given.

    Notes
    -----
    :math:`P = \frac{3 K_0}{2} (x^7 - x^5) [1 + \frac{3}{4} (K_0' - 4)(x^2 - 1)]` with :math:`x = (V_0/V)^{1/3}`;
    F. Birch, Phys. Rev. 71 (1947) 809, doi:10.1103/PhysRev.71.809.

    Examples
    --------
    >>> BirchMurnaghan(160.0, 4.0).ratio([0.0, 10.0]).round(4)
    array([1.    , 0.9456])
    """

    def pressure(self, ratio: ArrayLike) -> NDArray[np.float64]:
        """Pressure [GPa] at V / V0."""
        x = np.asarray(ratio, dtype=np.float64) ** (-1 / 3)
        return np.asarray(1.5 * self.bulk_modulus * (x**7 - x**5) * (1 + 0.75 * (self.derivative - 4) * (x**2 - 1)))


@final
@dataclass(frozen=True, slots=True)
class Vinet(_Isothermal):
    r"""Vinet (universal) equation.

    Parameters
    ----------
    bulk_modulus, derivative, reference
        As for `BirchMurnaghan`.

    Notes
    -----
    :math:`P = 3 K_0 \frac{1 - x}{x^2} \exp[\frac{3}{2} (K_0' - 1)(1 - x)]` with :math:`x = (V/V_0)^{1/3}`; P. Vinet
    et al., J. Geophys. Res. 92 (1987) 9319, doi:10.1029/JB092iB09p09319.
    """

    def pressure(self, ratio: ArrayLike) -> NDArray[np.float64]:
        """Pressure [GPa] at V / V0."""
        x = np.cbrt(np.asarray(ratio, dtype=np.float64))
        return np.asarray(3 * self.bulk_modulus * (1 - x) / x**2 * np.exp(1.5 * (self.derivative - 1) * (1 - x)))


@final
@dataclass(frozen=True, slots=True)
class LinearExpansion(EquationOfState):
    """Thermal expansion: lengths grow in proportion to the temperature.

    Parameters
    ----------
    a, b, c : float
        Coefficients [1/K]; b and c are those of a where they are not given.
    reference : float
        Temperature [K] at which the phase has its cell as given.

    Examples
    --------
    >>> LinearExpansion(1e-5, c=2e-5).strain([393.0])
    array([[0.001, 0.001, 0.002]])
    """

    a: float
    b: float | None = None
    c: float | None = None
    reference: float = 293.0

    def strain(self, values: ArrayLike) -> NDArray[np.float64]:
        """Relative change of a, b and c."""
        rates = np.array([self.a, self.a if self.b is None else self.b, self.a if self.c is None else self.c])
        return np.asarray((np.atleast_1d(np.asarray(values, dtype=np.float64)) - self.reference)[:, None] * rates)
