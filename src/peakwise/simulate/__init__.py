"""Patterns from structures, as an instrument would measure them: physics, mixtures, noise and series.

The room can be called: ``peakwise.simulate(phases, ...)`` is ``peakwise.simulate.simulate(phases, ...)``.
"""

import sys
from types import ModuleType
from typing import Any

from peakwise.simulate._columns import FRAME, SLOT, Tables
from peakwise.simulate._effects import EFFECTS, Effect, Range, Ranges
from peakwise.simulate._equations import BirchMurnaghan, EquationOfState, LinearExpansion, Vinet
from peakwise.simulate._instrument import PRESETS, Instrument
from peakwise.simulate._ramps import Distortion, RampPhase, Transition, ramp
from peakwise.simulate._rendering import Batch
from peakwise.simulate._simulate import plain_simulator, simulate
from peakwise.simulate._simulator import Simulator

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


class _Room(ModuleType):
    """A room with the name of its verb: ``pw.simulate(...)`` and ``pw.simulate.Simulator`` are both written."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """See `simulate`."""
        return simulate(*args, **options)


sys.modules[__name__].__class__ = _Room
