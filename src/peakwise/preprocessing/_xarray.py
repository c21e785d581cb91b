"""Give an xarray object back as the user shaped it: dims, coordinates and attributes under their own names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray

    from peakwise.patterns import Patterns

__all__ = ["is_xarray", "like_xarray"]


def is_xarray(data: Any) -> bool:
    """Whether it is an xarray object, without importing xarray."""
    return type(data).__module__.startswith("xarray.")


def like_xarray(data: xarray.Dataset | xarray.DataArray, result: Patterns) -> xarray.Dataset | xarray.DataArray:
    """Return the result as the kind of xarray object that `data` is."""
    import xarray

    values = data if isinstance(data, xarray.DataArray) else data["intensity"]
    dims = [str(d) for d in values.dims]
    # The same rule as in Patterns.from_xarray: the points lie along "x", or else along the last dim.
    point = "x" if "x" in dims else dims[-1]
    row = next((d for d in dims if d != point), "pattern")
    out = result.to_xarray().rename({k: v for k, v in {"x": point, "pattern": row}.items() if k != v})
    if row in data.coords:
        out = out.assign_coords({row: data.coords[row]})
    out.attrs = {**data.attrs, **out.attrs}
    if isinstance(data, xarray.DataArray):
        array = out["intensity"].rename(data.name)
        array.attrs = out.attrs
        return array.transpose(*dims) if len(dims) == 2 else array
    kept = {k: v for k, v in data.data_vars.items() if k not in out and point not in v.dims}
    return out.assign(kept).transpose(*dims, ...)
