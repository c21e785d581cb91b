"""Patterns from structures, as an instrument would measure them: physics, mixtures, noise and series."""

from peakwise.simulate._columns import FRAME, SLOT, Tables
from peakwise.simulate._effects import EFFECTS, Effect, Range, Ranges
from peakwise.simulate._equations import BirchMurnaghan, EquationOfState, LinearExpansion, Vinet
from peakwise.simulate._instrument import PRESETS, Instrument
from peakwise.simulate._ramps import Distortion, RampPhase, Transition, ramp
from peakwise.simulate._simulator import Batch, Simulator, plain_simulator, simulate

__all__ = [
    "EFFECTS",
    "FRAME",
    "PRESETS",
    "SLOT",
    "Batch",
    "BirchMurnaghan",
    "Distortion",
    "Effect",
    "EquationOfState",
    "Instrument",
    "LinearExpansion",
    "RampPhase",
    "Range",
    "Ranges",
    "Simulator",
    "Tables",
    "Transition",
    "Vinet",
    "plain_simulator",
    "ramp",
    "simulate",
]
