"""Patterns on equal steps of log q, where a stretched cell is a shift."""

from __future__ import annotations

from math import ceil, log
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import OptionError
from peakwise.wafers._given import count, size

if TYPE_CHECKING:
    from peakwise.patterns import Patterns

__all__ = ["log_grid", "shift_points"]

_WHAT = "cannot lay patterns on equal steps of log q"
_MOST_POINTS = 1000  # a step of about 0.1 %: finer than the cells of films are told apart


def log_grid(patterns: Patterns, points: int | None = None) -> Patterns:
    """Return the patterns on a q axis with equal steps of log q.

    A cell that is larger by 1 % has all its lines at q smaller by 1 %: on this axis, the same number of points.

    Parameters
    ----------
    patterns : Patterns
        On 2θ (with a wavelength), q or d, from above 0 on.
    points : int, optional
        Default: as many as now, at most 1000.

    Examples
    --------
    >>> from peakwise import Patterns
    >>> scans = Patterns(np.linspace(1.0, 4.0, 301), np.ones(301), "q")
    >>> made = log_grid(scans, 100)
    >>> made.n_points, bool(np.ptp(np.diff(np.log(made.axis))) < 1e-12)
    (100, True)
    """
    made = patterns if patterns.kind == "q" else patterns.to_axis("q")
    if made.axis[0] <= 0:
        why = f"q must be above 0, and begins at {made.axis[0]:g}"
        raise OptionError(_WHAT, why, "Crop the patterns first")
    n = min(made.n_points, _MOST_POINTS) if points is None else count(_WHAT, "points", points, 8)
    axis = np.geomspace(made.axis[0], made.axis[-1], n)
    axis[0], axis[-1] = made.axis[0], made.axis[-1]
    # Part of the steps are finer than the measured ones, and nothing here takes them as independent measurements.
    return made.resample(axis).replace(warnings=made.warnings)


def shift_points(patterns: Patterns, stretch: float = 0.02) -> int:
    """Points of a `log_grid` that a pattern moves by when its cell grows by a share.

    >>> from peakwise import Patterns
    >>> shift_points(log_grid(Patterns(np.linspace(1.0, 4.0, 301), np.ones(301), "q")), 0.02)
    5
    """
    size(_WHAT, "stretch", stretch, 0, 0.2)
    step = log(patterns.axis[-1] / patterns.axis[0]) / (patterns.n_points - 1)
    return ceil(log(1 + stretch) / step)
