"""Packed numbers of netCDF and Zarr files, unpacked.

CF conventions 1.11, sections 2.5 and 8.1::

value = packed * scale_factor + add_offset        _FillValue, missing_value (before unpacking) -> NaN
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._columns import Catalogue, Column

__all__ = ["unpacked"]

_MISSING, _SCALE, _OFFSET = ("_FillValue", "missing_value"), "scale_factor", "add_offset"


def unpacked(found: Catalogue) -> Catalogue:
    """The same arrays, giving the numbers that are meant rather than those that are stored."""
    for group, columns in found.children.items():
        found.children[group] = [_unpacked(c) for c in columns]
    found.columns = {c.path: c for columns in found.children.values() for c in columns}
    return found


def _unpacked(column: Column) -> Column:
    if column.sort != "number":
        return column
    missing: list[float] = [
        v for name in _MISSING for v in np.ravel(column.attrs.get(name, [])).tolist() if isinstance(v, (int, float))
    ]
    scale, offset = (_number(column.attrs.get(name)) for name in (_SCALE, _OFFSET))
    if not missing and scale is None and offset is None:
        return column

    def load() -> NDArray[Any]:
        packed = column.load()
        holes = np.isin(packed, missing)
        if scale is None and offset is None and not holes.any():
            return packed
        single = packed.dtype == np.float32 and scale is None
        values: NDArray[np.floating] = packed.astype(np.float32 if single else np.float64)
        if scale is not None:
            values = values * scale
        if offset is not None:
            values = values + offset
        values[holes] = np.nan
        return values

    return replace(column, load=load, whole=column.whole and scale is None)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
