"""Combinatorial libraries: compositions beside scans, frames merged, phase regions, factors, where to measure next.

Numbers only, no networks.
"""

from peakwise.wafers._coordinates import barycentric, composition_grid, corners, from_barycentric, plane
from peakwise.wafers._factors import Factors, factorise
from peakwise.wafers._join import join_library
from peakwise.wafers._log_grid import log_grid, shift_points
from peakwise.wafers._merge import SCALES, Merged, merge_frames
from peakwise.wafers._regions import REGION_METHODS, Regions, phase_regions, shift_distances
from peakwise.wafers._suggest import STRATEGIES, Suggestions, suggest
from peakwise.wafers._table import LibraryTable, read_library

__all__ = [
    "REGION_METHODS",
    "SCALES",
    "STRATEGIES",
    "Factors",
    "LibraryTable",
    "Merged",
    "Regions",
    "Suggestions",
    "barycentric",
    "composition_grid",
    "corners",
    "factorise",
    "from_barycentric",
    "join_library",
    "log_grid",
    "merge_frames",
    "phase_regions",
    "plane",
    "read_library",
    "shift_distances",
    "shift_points",
    "suggest",
]
