"""Decisions from 1-D diffraction and spectroscopy scans.

>>> import peakwise as pw
>>> scan = pw.Patterns([10, 20, 30], [5, 80, 7], wavelength="CuKa1")
>>> scan.to_axis("d").axis.round(3)
array([2.976, 4.436, 8.838])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from peakwise._version import __version__

if TYPE_CHECKING:
    from peakwise import simulate
    from peakwise.crystal import Phase, PhaseLibrary
    from peakwise.estimators import DescriptorRegressor, PatternClusterer, PhaseIdentifier, TransitionDetector, load
    from peakwise.io import FORMATS, read, read_each, write
    from peakwise.patterns import AXES, WAVELENGTHS, Patterns, Radiation, concatenate, diagnose

# Where each public name lives. They are imported when first used, so that `import peakwise` stays light.
_HOMES = {
    "AXES": "peakwise.patterns",
    "DescriptorRegressor": "peakwise.estimators",
    "FORMATS": "peakwise.io",
    "PatternClusterer": "peakwise.estimators",
    "Patterns": "peakwise.patterns",
    "Phase": "peakwise.crystal",
    "PhaseIdentifier": "peakwise.estimators",
    "PhaseLibrary": "peakwise.crystal",
    "Radiation": "peakwise.patterns",
    "TransitionDetector": "peakwise.estimators",
    "WAVELENGTHS": "peakwise.patterns",
    "concatenate": "peakwise.patterns",
    "diagnose": "peakwise.patterns",
    "load": "peakwise.estimators",
    "read": "peakwise.io",
    "read_each": "peakwise.io",
    "write": "peakwise.io",
}

__all__ = [
    "AXES",
    "FORMATS",
    "WAVELENGTHS",
    "DescriptorRegressor",
    "PatternClusterer",
    "Patterns",
    "Phase",
    "PhaseIdentifier",
    "PhaseLibrary",
    "Radiation",
    "TransitionDetector",
    "__version__",
    "concatenate",
    "diagnose",
    "load",
    "read",
    "read_each",
    "simulate",
    "write",
]


def __getattr__(name: str) -> object:
    if name == "simulate":  # a room that can be called
        from importlib import import_module

        return import_module("peakwise.simulate")
    if name not in _HOMES:
        raise AttributeError(f"module 'peakwise' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
