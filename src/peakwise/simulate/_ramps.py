"""Series along pressure or temperature: phases under equations of state, and a transition between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.patterns import Patterns
from peakwise.simulate._columns import FRAME, SLOT
from peakwise.simulate._effects import Ranges
from peakwise.simulate._simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from peakwise.crystal import Phase
    from peakwise.patterns import Radiation
    from peakwise.simulate._equations import EquationOfState
    from peakwise.simulate._instrument import Instrument

__all__ = ["Distortion", "RampPhase", "Transition", "ramp"]

_ROLES = ("before", "after", "always")
_VARIABLES = ("pressure", "temperature")


@dataclass(frozen=True, slots=True)
class Transition:
    """From the phases "before" to the phases "after".

    Parameters
    ----------
    onset : float
        Value of the variable at which it begins on the way up.
    width : float
        How far it takes; both sides coexist within it. 0: at once.
    hysteresis : float
        On the way down it ends this much below the onset: the same curve, shifted.
    """

    onset: float
    width: float = 0.0
    hysteresis: float = 0.0

    def __post_init__(self) -> None:
        if not (
            np.isfinite([self.onset, self.width, self.hysteresis]).all() and self.width >= 0 and self.hysteresis >= 0
        ):
            raise OptionError(
                "cannot make the transition", "width and hysteresis must not be negative", "Give 0 or more"
            )

    def fraction(self, values: ArrayLike) -> NDArray[np.float64]:
        """Transformed weight fraction along a series, which may turn round.

        >>> Transition(10, 4, hysteresis=5).fraction([9, 12, 15, 12, 7, 4]).round(3)
        array([0. , 0.5, 1. , 1. , 0.5, 0. ])
        """
        v = np.asarray(values, dtype=np.float64)
        up, down = _smooth(v, self.onset, self.width), _smooth(v, self.onset - self.hysteresis, self.width)
        out = np.empty_like(v)
        now = up[0]
        for i in range(len(v)):  # what has transformed stays until the way back takes it
            now = min(max(now, up[i]), down[i])
            out[i] = now
        return out


@dataclass(frozen=True, slots=True)
class Distortion:
    """A cell that leaves its higher symmetry: an order parameter that grows from 0 beyond the onset.

    For B1 to rB1 (FeO) take the rhombohedral cell of rock salt (alpha = 60 deg, R-3m) with ``shear=(-x, -x, -x)``:
    until the onset its lines coincide with those of the cubic cell, beyond it 111, 220 ... split.

    Parameters
    ----------
    onset, width : float
        The order parameter is ``((value - onset) / width) ** exponent`` up to 1.
    strain : (float, float, float)
        Relative change of a, b, c where it is 1.
    shear : (float, float, float)
        Change of alpha, beta, gamma [deg] where it is 1.
    exponent : float
        0.5 for a continuous transition of mean-field kind.
    """

    onset: float
    width: float
    strain: tuple[float, float, float] = (0.0, 0.0, 0.0)
    shear: tuple[float, float, float] = (0.0, 0.0, 0.0)
    exponent: float = 0.5

    def __post_init__(self) -> None:
        if not (self.width > 0 and self.exponent > 0):
            raise OptionError(
                "cannot make the distortion", "width and exponent must be above 0", "Give positive numbers"
            )

    def order(self, values: ArrayLike) -> NDArray[np.float64]:
        """The order parameter, 0 to 1."""
        return np.asarray(
            np.clip((np.asarray(values, dtype=np.float64) - self.onset) / self.width, 0, 1) ** self.exponent
        )


@dataclass(frozen=True, slots=True)
class RampPhase:
    """A phase of a series.

    Parameters
    ----------
    phase : Phase
    equation : EquationOfState, optional
        Without one the cell stays.
    role : {"before", "after", "always"}
        On which side of the transition; "always" for a calibrant, a medium, a gasket.
    weight : float
        Share among the phases of its side; for "always" the weight fraction in every frame.
    distortion : Distortion, optional
    """

    phase: Phase
    equation: EquationOfState | None = None
    role: str = "before"
    weight: float = 1.0
    distortion: Distortion | None = None

    def __post_init__(self) -> None:
        if self.role not in _ROLES or not self.weight > 0:
            why = f"role must be one of {', '.join(_ROLES)} and weight above 0, got {self.role!r} and {self.weight:g}"
            raise OptionError("cannot make the series", why, "Check the RampPhase")

    def cell_changes(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Relative changes of the lengths and changes of the angles [deg], (n, 3) each."""
        strain = np.zeros((len(values), 3)) if self.equation is None else self.equation.strain(values)
        shear = np.zeros((len(values), 3))
        if self.distortion is not None:
            order = self.distortion.order(values)[:, None]
            strain = (1 + strain) * (1 + order * np.array(self.distortion.strain)) - 1
            shear = order * np.array(self.distortion.shear)
        return strain, shear


def ramp(
    phases: Sequence[RampPhase],
    values: ArrayLike,
    grid: ArrayLike | tuple[float, float, int],
    *,
    variable: str = "pressure",
    transition: Transition | None = None,
    instrument: Instrument | None = None,
    radiation: Radiation | float | str | None = None,
    axis: str = "two_theta",
    ranges: Ranges | None = None,
    counts: float | None = 2000.0,
    jitter: float = 0.05,
    scale: str = "counts",
    random_state: int = 0,
    threads: int | None = None,
) -> Patterns:
    """Simulate a series of frames of one sample.

    Parameters
    ----------
    phases : sequence of RampPhase
    values : array-like of shape (n,)
        Pressure [GPa] or temperature [K] of each frame; it may turn round.
    grid, instrument, radiation, axis, random_state, threads
        As for `Simulator`.
    variable : {"pressure", "temperature"}
    transition : Transition, optional
    ranges : Ranges, optional
        Size, texture, background ... are drawn once for the whole series: it is one sample. Changes of the cell come
        from the equations of state alone.
    counts : float, optional
        At the strongest peak of a frame; None: no noise.
    jitter : float
        Relative spread (normal) of the counts and the background from frame to frame.
    scale : {"counts", "max", "absolute"}

    Returns
    -------
    Patterns
        With the variable, `state` (before, during, after), `fraction` (of the transformed weight), `phases`,
        `weight_fractions`, and per phase weight, cell lengths and angles in `meta`.
    """
    v = np.asarray(values, dtype=np.float64)
    if v.ndim != 1 or v.size < 1 or not np.isfinite(v).all():
        raise OptionError(
            "cannot make the series", f"values must be finite and 1-D, got shape {v.shape}", "One value a frame"
        )
    if variable not in _VARIABLES:
        raise OptionError(
            "cannot make the series", f"variable must be pressure or temperature, got {variable!r}", "Choose one"
        )
    if not 0 <= jitter < 0.5:
        raise OptionError("cannot make the series", f"jitter must lie within 0 and 0.5, got {jitter}", "Give 0.05")
    moves = [p.cell_changes(v) for p in phases]
    simulator = _simulator_of(phases, moves, grid, instrument, radiation, axis, ranges, random_state, threads)
    fraction = _fractions(phases, v, transition)
    weights = _weights(phases, fraction)
    n, k = v.size, len(phases)
    tables = simulator.blank(n, n_slots=k)
    first = simulator.draw_tables(1)
    tables.frames[:, 1:] = first.frames[:, 1:]
    for i, (strain, shear) in enumerate(moves):
        one = _sample(simulator, i)
        tables.slots[:, i] = one
        tables.slots[:, i, SLOT["phase"]] = np.where(weights[:, i] > 0, i, -1)
        tables.slots[:, i, SLOT["weight"]] = weights[:, i]
        tables.slots[:, i, SLOT["strain_a"] : SLOT["strain_c"] + 1] = strain
        tables.slots[:, i, SLOT["shear_alpha"] : SLOT["shear_gamma"] + 1] = shear
    spread = np.random.default_rng([random_state, 20]).normal(1.0, jitter, (2, n)).clip(0.1)
    tables.frames[:, FRAME["counts"]] = 0.0 if counts is None else counts * spread[0]
    tables.frames[:, FRAME["background"]] *= spread[1]
    return Patterns(
        simulator.axis,
        simulator.render(tables, scale=scale),
        axis,
        wavelength=simulator.radiation,
        meta={variable: v, **_truth(phases, v, fraction, weights, moves)},
        unit="counts" if scale == "counts" and counts else "arbitrary",
        warnings=simulator.warnings,
    )


def _smooth(v: NDArray[np.float64], onset: float, width: float) -> NDArray[np.float64]:
    if width == 0:
        return (v >= onset).astype(np.float64)
    t = np.clip((v - onset) / width, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _simulator_of(
    phases: Sequence[RampPhase],
    moves: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    grid: Any,
    instrument: Instrument | None,
    radiation: Any,
    axis: str,
    ranges: Ranges | None,
    random_state: int,
    threads: int | None,
) -> Simulator:
    """A simulator whose lines cover all cells of the series."""
    if not phases:
        raise OptionError("cannot make the series", "no phase was given", "Give RampPhase objects")
    stretch = max(float(np.abs(strain).max()) for strain, _ in moves)
    shear = max(float(np.abs(turn).max()) for _, turn in moves)
    if stretch > 0.2 or shear > 10:
        why = f"cells change by up to {stretch:.3g} and {shear:.3g} deg; at most 0.2 and 10 deg are simulated"
        raise OptionError("cannot make the series", why, "Check the equation of state, its unit and its reference")
    stored = (
        Ranges.none(size=(30, 100), microstrain=(0, 0.002), background=(0.01, 0.1)) if ranges is None else ranges
    ).to_dict()
    # A cell moves by its equation: what the ranges say of it only widens the list of lines.
    stored |= {
        "expansion": [-stretch, stretch, "uniform", 1.0],
        "distortion": None,
        "shear": [-shear, shear, "uniform", 1.0],
    }
    return Simulator(
        [p.phase for p in phases], grid, instrument=instrument, radiation=radiation, axis=axis,
        ranges=Ranges.from_dict(stored), random_state=random_state, threads=threads,
    )  # fmt: skip


def _sample(simulator: Simulator, number: int) -> NDArray[np.float64]:
    """Size, texture and the like of one phase, drawn once: the first pattern in which it is alone."""
    for start in range(0, 64 * len(simulator.phases), 64):
        slots = simulator.draw_tables(64, first=start).slots[:, 0]
        mine = np.flatnonzero(slots[:, SLOT["phase"]] == number)
        if mine.size:
            return np.array(slots[mine[0]])
    return np.array(simulator.blank(1).slots[0, 0])


def _fractions(
    phases: Sequence[RampPhase], v: NDArray[np.float64], transition: Transition | None
) -> NDArray[np.float64]:
    roles = {p.role for p in phases}
    if transition is None:
        if {"before", "after"} <= roles:
            raise OptionError("cannot make the series", "phases before and after need a transition", "Pass transition=")
        return np.zeros(v.size)
    if "after" not in roles or "before" not in roles:
        raise OptionError(
            "cannot make the series", "a transition needs phases before and after", "Set role='after' in one"
        )
    return transition.fraction(v)


def _weights(phases: Sequence[RampPhase], fraction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight fractions (n, k)."""
    total = {role: sum(p.weight for p in phases if p.role == role) for role in _ROLES}
    rest = 1.0 - total["always"] if total["before"] or total["after"] else 1.0
    if rest <= 0:
        why = f"phases that are always there take {total['always']:g} of the weight"
        raise OptionError("cannot make the series", why, "Give them less than 1 together")
    only = {"before": 1.0 - fraction, "after": fraction}
    if not total["after"] and total["before"]:
        only["before"] = np.ones_like(fraction)
    if not total["before"] and total["after"]:
        only["after"] = np.ones_like(fraction)
    columns = []
    for p in phases:
        if p.role == "always":
            share = p.weight if total["before"] or total["after"] else p.weight / total["always"]
            columns.append(np.full(fraction.shape, share))
        else:
            columns.append(rest * only[p.role] * p.weight / total[p.role])
    return np.stack(columns, axis=1)


def _truth(
    phases: Sequence[RampPhase],
    v: NDArray[np.float64],
    fraction: NDArray[np.float64],
    weights: NDArray[np.float64],
    moves: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> dict[str, Any]:
    """What is known of each frame."""
    state = np.where(fraction <= 0, "before", np.where(fraction >= 1, "after", "during"))
    ids = np.array([p.phase.id for p in phases])
    meta: dict[str, Any] = {
        "state": state,
        "fraction": fraction,
        "phases": [";".join(ids[w > 0]) for w in weights],
        "weight_fractions": [";".join(f"{x:.6g}" for x in w[w > 0]) for w in weights],
    }
    for i, (p, (strain, shear)) in enumerate(zip(phases, moves, strict=True)):
        meta[f"weight_{i + 1}"] = weights[:, i]
        for j, name in enumerate("abc"):
            meta[f"{name}_{i + 1}"] = p.phase.cell[j] * (1 + strain[:, j])
        for j, name in enumerate(("alpha", "beta", "gamma")):
            meta[f"{name}_{i + 1}"] = p.phase.cell[3 + j] + shear[:, j]
        if p.distortion is not None:
            meta[f"order_{i + 1}"] = p.distortion.order(v)
    return meta
