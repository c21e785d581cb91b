"""What may become part of `Patterns`: tables of numbers, rising axes, columns of metadata; all else is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from peakwise.errors import PatternsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["as_axis", "as_column", "as_rows"]


def as_rows(values: ArrayLike, name: str) -> NDArray[np.floating]:
    """Intensities or uncertainties as rows of floats, without a copy where they are floats already."""
    try:
        rows = np.asarray(values)
        if rows.dtype.kind not in "fiub":
            raise TypeError(f"numbers are needed, got {rows.dtype}")
        # float32 stays: a live series of 27,000 frames should not double in memory for nothing.
        rows = rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float64)
    except (TypeError, ValueError) as problem:
        raise PatternsError("cannot make patterns", f"{name}: {problem}", "Give a table of numbers") from problem
    rows = rows[np.newaxis] if rows.ndim == 1 else rows
    if rows.ndim != 2 or rows.size == 0:
        why = f"{name} must have shape (patterns, points), none of them empty, got {np.shape(values)}"
        raise PatternsError("cannot make patterns", why, "Give one row per pattern")
    return cast("NDArray[np.floating]", rows)


def as_axis(values: ArrayLike, m: int) -> NDArray[np.float64]:
    """Positions, finite and strictly rising, one per point."""
    try:
        axis = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise PatternsError("cannot make patterns", f"axis: {problem}", "Give one position per point") from problem
    if axis.shape != (m,):
        why = f"{m} points need as many positions, got shape {axis.shape}"
        raise PatternsError("cannot make patterns", why, "Give one position per point")
    if m < 2:
        raise PatternsError("cannot make patterns", f"at least two points are needed, got {m}", "Give the whole scan")
    if not np.isfinite(axis).all():
        why = f"the axis holds {np.count_nonzero(~np.isfinite(axis))} values that are not finite"
        raise PatternsError("cannot make patterns", why, "Leave those points out")
    if not (np.diff(axis) > 0).all():
        where = int(np.argmin(np.diff(axis) > 0))
        why = f"the axis must rise, but goes from {axis[where]:g} to {axis[where + 1]:g} at point {where + 1}"
        raise PatternsError("cannot make patterns", why, "Sort the points and join duplicates")
    return axis


def as_column(name: str, values: Any, n: int) -> NDArray[Any]:
    """One metadata column: numbers or text, one entry per pattern."""
    column = np.asarray(values)
    if column.ndim == 0:
        column = np.full(n, column)
    if column.dtype.kind == "O":
        if all(v is None or isinstance(v, (int, float)) for v in column.ravel()):
            column = np.array([np.nan if v is None else v for v in column.ravel()], dtype=np.float64)
        else:
            column = np.array(["" if v is None else str(v) for v in column.ravel()], dtype=np.str_)
    if column.dtype.kind not in "fiubU" or column.shape != (n,):
        why = f"{name!r} must hold {n} numbers or texts, got {column.dtype} of shape {column.shape}"
        raise PatternsError("cannot use the metadata", why, "Give one entry per pattern, or one for all")
    return column
