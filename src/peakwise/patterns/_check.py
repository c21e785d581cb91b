"""The one door for data into an estimator or a step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import PatternsError
from peakwise.patterns._patterns import Patterns

if TYPE_CHECKING:
    import xarray

__all__ = ["check_patterns"]


def check_patterns(data: Patterns | xarray.Dataset | xarray.DataArray | Any, *, allow_nan: bool = False) -> Patterns:
    """Return the data as `Patterns`, whatever a user passed; a plain (n, m) array gets the axis ``channel``.

    Parameters
    ----------
    data : Patterns, xarray Dataset or DataArray, or array-like of shape (n, m)
    allow_nan : bool
        Whether intensities may be NaN or infinite.

    Examples
    --------
    >>> check_patterns([[1.0, 2.0], [3.0, 4.0]])
    Patterns: 2 patterns of 2 points, channel 0 to 1
    >>> check_patterns([[1.0, float("nan")]])
    Traceback (most recent call last):
    ...
    peakwise.errors.PatternsError: cannot use the patterns: 1 of 2 intensities are NaN or infinite. ...
    """
    if isinstance(data, Patterns):
        patterns = data
    elif type(data).__module__.startswith("xarray."):
        patterns = Patterns.from_xarray(data)
    else:
        rows = np.asarray(data)
        if rows.ndim != 2:
            why = f"expected 2D array of shape (patterns, points), got {rows.ndim}D"
            raise PatternsError("cannot use the patterns", why, "Reshape your data: one row per pattern")
        patterns = Patterns(np.arange(rows.shape[1]), rows, "channel")
    if not allow_nan:
        bad = np.count_nonzero(~np.isfinite(patterns.intensity))
        if bad:
            why = f"{bad} of {patterns.intensity.size} intensities are NaN or infinite"
            raise PatternsError("cannot use the patterns", why, "Drop those patterns or interpolate the gaps")
    return patterns
