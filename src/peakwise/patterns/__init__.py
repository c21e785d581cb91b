"""Many 1-D patterns on one axis, the kinds of axes there are, and the wavelengths they were measured with."""

from peakwise.patterns._axes import AXES, Axis, convert_axis
from peakwise.patterns._check import check_patterns
from peakwise.patterns._doctor import diagnose
from peakwise.patterns._patterns import INTENSITY_UNITS, Patterns, concatenate
from peakwise.patterns._radiation import WAVELENGTHS, Radiation, as_radiation
from peakwise.patterns._resample import make_grid

__all__ = [
    "AXES",
    "INTENSITY_UNITS",
    "WAVELENGTHS",
    "Axis",
    "Patterns",
    "Radiation",
    "as_radiation",
    "check_patterns",
    "concatenate",
    "convert_axis",
    "diagnose",
    "make_grid",
]
