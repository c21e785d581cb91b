"""A sample under rising pressure: cells from equations of state, and frames that keep one scale of intensity.

`peakwise.simulate.ramp` gives every frame the same counts at its strongest peak. Here a frame has what its exposure
gives it, so that lines fade and split as they do at a beamline; cells follow measured axial ratios; and what surrounds
the sample may freeze on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from peakwise.crystal import Phase
from peakwise.simulate import FRAME, SLOT, Ranges, Simulator

if TYPE_CHECKING:
    from peakwise.simulate import BirchMurnaghan, Instrument, Tables, Transition, Vinet

__all__ = ["Companion", "Sample", "Solid", "compress"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solid:
    """A structure and how its cell answers to pressure.

    Parameters
    ----------
    name, group, atoms
        As for `Phase.from_parameters`.
    v0 : float
        Volume of the cell at zero pressure [angstrom^3].
    equation : BirchMurnaghan or Vinet
    axial_ratio : tuple of float
        c/a on hexagonal axes as a polynomial of the pressure [GPa], lowest power first; empty: a cubic cell.
    parent_ratio : float
        The c/a at which it cannot be told from the phase it comes from.
    source : str
        Where the numbers were published.
    """

    name: str
    group: str
    atoms: tuple[tuple[object, ...], ...]
    v0: float
    equation: BirchMurnaghan | Vinet
    axial_ratio: tuple[float, ...] = ()
    parent_ratio: float = 0.0
    source: str = ""

    def lengths(self, pressure: Array, opened: Array | float = 1.0) -> Array:
        """Lengths a, b, c [angstrom] (n, 3); `opened` is the share of the distortion from the parent."""
        volume = self.v0 * self.equation.ratio(pressure)
        if not self.axial_ratio:
            return np.repeat(np.cbrt(volume)[:, None], 3, axis=1)
        ratio = np.polynomial.polynomial.polyval(pressure, self.axial_ratio)
        ratio = self.parent_ratio + (ratio - self.parent_ratio) * opened
        a = np.cbrt(volume / (ratio * sqrt(3) / 2))
        return np.stack([a, a, a * ratio], axis=1)

    def phase(self, pressure: float) -> Phase:
        """The structure with its cell at a pressure [GPa]."""
        lengths = self.lengths(np.array([pressure]))[0]
        return Phase.from_parameters(
            self.name, self.group, (*lengths, 90, 90, 120 if self.axial_ratio else 90), self.atoms
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Companion:
    """What lies with the sample: a calibrant, a medium. A medium shows lines from the pressure at which it freezes."""

    solid: Solid
    weight: float
    freezes: float = -np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A solid that turns into another.

    Parameters
    ----------
    before, after : Solid
    transition : Transition
        Of the pressure [GPa].
    opening : float
        Share of the new phase's distortion that is there as soon as it appears; the rest opens as it grows.
    broadening : float
        Further microstrain of both, half-way.
    companions : tuple of Companion
    """

    before: Solid
    after: Solid
    transition: Transition
    opening: float = 1.0
    broadening: float = 0.0
    companions: tuple[Companion, ...] = ()

    @property
    def solids(self) -> tuple[Solid, ...]:
        """All that can show lines."""
        return (self.before, self.after, *(c.solid for c in self.companions))

    def weights(self, pressure: Array) -> Array:
        """Weight fractions (n, k) of `solids`; a medium that is liquid has none, and leaves those of the others."""
        share = self.transition.fraction(pressure)
        own = 1.0 - sum(c.weight for c in self.companions)
        others = [np.where(pressure >= c.freezes, c.weight, 0.0) for c in self.companions]
        return np.stack([own * (1 - share), own * share, *others], axis=1)


def compress(
    sample: Sample,
    pressure: Array,
    grid: tuple[float, float, int],
    instrument: Instrument,
    *,
    counts: Array,
    size: Array,
    microstrain: Array,
    march: Array,
    background: float,
    shape: tuple[float, ...],
    random_state: int,
) -> tuple[Array, NDArray[np.float32]]:
    """The grid, and whole counts (n, m) of every frame.

    Parameters
    ----------
    counts : (n,) array
        What each frame would count at the strongest peak of the first: flux times exposure.
    size, microstrain, march : (n,) arrays
        Crystallite size [nm], microstrain and March-Dollase r of all solids.
    background : float
        Level as a share of that peak; `shape` are its Chebyshev coefficients.
    """
    simulator, tables = _tables(sample, pressure, grid, instrument, random_state)
    share = sample.transition.fraction(pressure)
    slots, frames = tables
    for name, values in (("size", size), ("microstrain", microstrain), ("march", march)):
        slots[:, :, SLOT[name]] = values[:, None]
    slots[:, :2, SLOT["microstrain"]] += (sample.broadening * 4 * share * (1 - share))[:, None]
    tops = simulator.render(tables).max(axis=1).astype(np.float64)
    # The renderer takes counts and background relative to the strongest peak of the same frame.
    heights = tops / tops[0]
    frames[:, FRAME["counts"]] = counts * heights
    frames[:, FRAME["background"]] = background / heights
    for i, coefficient in enumerate(shape, start=1):
        frames[:, FRAME[f"shape_{i}"]] = coefficient
    return simulator.axis, simulator.render(tables, scale="counts")


def _tables(
    sample: Sample, pressure: Array, grid: tuple[float, float, int], instrument: Instrument, random_state: int
) -> tuple[Simulator, Tables]:
    """A simulator whose cells are those in the middle of the ramp, and tables with every frame's cells and weights."""
    opened = sample.opening + (1 - sample.opening) * sample.transition.fraction(pressure)
    weights = sample.weights(pressure)
    phases, strains = list[Phase](), list[Array]()
    for solid, weight in zip(sample.solids, weights.T, strict=True):
        # Where a solid is not there its equation may not hold either (neon at 1 GPa is a liquid).
        there = pressure[weight > 0] if (weight > 0).any() else pressure
        lengths = solid.lengths(np.clip(pressure, there.min(), there.max()), opened if solid.parent_ratio else 1.0)
        phases.append(solid.phase(float(there.min() + there.max()) / 2))
        strains.append(lengths / np.array(phases[-1].cell[:3]) - 1)
    most = max(float(np.abs(e).max()) for e in strains)
    simulator = Simulator(
        phases, grid, instrument=instrument, ranges=Ranges.none(expansion=(-most, most)), random_state=random_state
    )
    tables = simulator.blank(pressure.size, n_slots=len(phases))
    for k, strain in enumerate(strains):
        tables.slots[:, k, SLOT["phase"]] = np.where(weights[:, k] > 0, k, -1)
        tables.slots[:, k, SLOT["weight"]] = weights[:, k]
        tables.slots[:, k, SLOT["strain_a"] : SLOT["strain_c"] + 1] = strain
    return simulator, tables
