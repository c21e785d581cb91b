"""Combinatorial libraries: compositions beside scans, frames merged, phase regions, factors, where to measure next.

Numbers only, no networks.
"""

from peakwise.wafers._factors import Factors, factorise
from peakwise.wafers._log_grid import log_grid, shift_points
from peakwise.wafers._regions import METHODS, Regions, phase_regions, shift_distances
from peakwise.wafers._suggest import STRATEGIES, Suggestions, suggest

__all__ = [
    "METHODS",
    "STRATEGIES",
    "Factors",
    "Regions",
    "Suggestions",
    "factorise",
    "log_grid",
    "phase_regions",
    "shift_distances",
    "shift_points",
    "suggest",
]
