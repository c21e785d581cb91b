"""Patterns in one call, and the simulator of plain patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peakwise.patterns import Patterns, Radiation, as_radiation
from peakwise.simulate._effects import Ranges
from peakwise.simulate._instrument import Instrument
from peakwise.simulate._simulator import ASSUMED, DEFAULT_GRID, Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import ArrayLike

    from peakwise.crystal import Phase

__all__ = ["plain_simulator", "simulate"]


def simulate(
    phases: Phase | Iterable[Phase],
    grid: ArrayLike | tuple[float, float, int] = DEFAULT_GRID,
    *,
    wavelength: Radiation | float | str | None = None,
    n: int | None = None,
    mixtures: int = 1,
    ideal: bool = False,
    instrument: Instrument | None = None,
    ranges: Ranges | None = None,
    axis: str = "two_theta",
    random_state: int = 0,
    threads: int | None = None,
) -> Patterns:
    """Simulate powder patterns of phases.

    Parameters
    ----------
    phases : Phase, or an iterable of Phase such as a PhaseLibrary
    grid : (start, stop, n) or array-like
    wavelength : float, str or Radiation, optional
        In angstrom or a name; by default CuKa, which a warning says.
    n : int, optional
        How many patterns; by default 1000 (with `ideal` always one a phase).
    mixtures : int
        Most phases in one pattern.
    ideal : bool
        One plain pattern a phase: no variation, no background, no noise, atoms at rest, and only the lines that lie on
        the grid. `Simulator.ideal` keeps displacement factors and the tails of lines beyond the ends.
    instrument, ranges, axis, random_state, threads
        See `Simulator`.

    Examples
    --------
    >>> from peakwise.crystal import Phase
    >>> iron = Phase.from_parameters("Fe", "Im-3m", (2.8665, 2.8665, 2.8665, 90, 90, 90), [("Fe", (0, 0, 0))])
    >>> pattern = simulate(iron, (30, 100, 3501), wavelength="CuKa1", ideal=True)
    >>> float(pattern.axis[pattern.intensity[0].argmax()].round(2))
    44.68
    """
    make: Callable[..., Simulator] = plain_simulator if ideal else Simulator
    made = make(
        phases, grid, instrument=instrument, radiation=wavelength, axis=axis, ranges=ranges, random_state=random_state,
        threads=threads,
    )  # fmt: skip
    return made.ideal() if ideal else made.draw(1000 if n is None else n, mixtures=mixtures)


def plain_simulator(
    phases: Phase | Iterable[Phase],
    grid: ArrayLike | tuple[float, float, int] = DEFAULT_GRID,
    *,
    instrument: Instrument | None = None,
    radiation: Radiation | float | str | None = None,
    ranges: Ranges | None = None,
    **options: Any,
) -> Simulator:
    """The simulator of plain patterns: symmetric lines, atoms at rest, and only lines that lie on the grid."""
    assumed: list[str] = []
    if instrument is None:  # the default's axial divergence would move lines at low angles
        light = as_radiation(radiation)
        assumed += [] if light is not None else [ASSUMED]
        instrument = Instrument.lab_bragg_brentano(light or "CuKa", axial_sample=0.0, axial_detector=0.0)
        radiation = None
    made = Simulator(
        phases, grid, instrument=instrument, radiation=radiation, ranges=Ranges.none() if ranges is None else ranges,
        margin=0.0, displacements=False, **options,
    )  # fmt: skip
    made.warnings += assumed
    return made
