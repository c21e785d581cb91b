"""`Patterns` to an xarray Dataset and back, without loss."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from peakwise.errors import PatternsError
from peakwise.patterns._axes import AXES
from peakwise.patterns._patterns import Patterns
from peakwise.patterns._radiation import Radiation

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray

_PATTERN, _POINT = "pattern", "x"


def to_xarray(patterns: Patterns) -> xarray.Dataset:
    """See `Patterns.to_xarray`."""
    import xarray

    axis = AXES[patterns.kind]
    attrs: dict[str, Any] = {
        "axis": patterns.kind,
        "unit": patterns.unit,
        "warnings": json.dumps(patterns.warnings),
        "failed": json.dumps(patterns.failed),
    }
    if patterns.radiation is not None:
        attrs["wavelength"] = patterns.radiation.wavelength
        if patterns.radiation.assumed:
            attrs["wavelength_assumed"] = 1  # beside the number, for those who read nothing but attributes
        attrs["radiation"] = json.dumps(patterns.radiation.to_dict())
    variables: dict[str, Any] = {"intensity": ((_PATTERN, _POINT), patterns.intensity)}
    if patterns.sigma is not None:
        variables["sigma"] = ((_PATTERN, _POINT), patterns.sigma)
    coords: dict[str, Any] = {
        _PATTERN: patterns.names,
        _POINT: (_POINT, patterns.axis, {"long_name": axis.symbol, "units": axis.unit}),
    }
    names = variable_names(patterns.meta)
    for column, values in patterns.meta.items():
        said = {} if names[column] == column else {"column": column}
        coords[names[column]] = (_PATTERN, values, said)
    return xarray.Dataset(variables, coords, attrs)


def variable_names(columns: Iterable[str]) -> dict[str, str]:
    """Under which name each metadata column is kept: its own, unless the Dataset or a file cannot have it."""
    taken = {_PATTERN, _POINT, "intensity", "sigma"}
    names: dict[str, str] = {}
    for number, column in enumerate(columns):
        # Files have no variables called "a/b" or "", and a folder may not tell T from t.
        name = column if re.fullmatch(r"[A-Za-z]\w*", column, re.ASCII) else f"column_{number}"
        while name.casefold() in taken:
            name += "_"
        names[column] = name
        taken.add(name.casefold())
    return names


def from_xarray(data: xarray.Dataset | xarray.DataArray) -> Patterns:
    """See `Patterns.from_xarray`."""
    import xarray

    if isinstance(data, xarray.DataArray):
        data = data.to_dataset(name="intensity", promote_attrs=True)
    if "intensity" not in data or data["intensity"].ndim not in (1, 2):
        why = f"a variable 'intensity' with one or two dims is needed, got {sorted(map(str, data.data_vars))}"
        raise PatternsError("cannot use the Dataset", why, "Rename your variable to intensity")
    values = data["intensity"]
    if values.ndim == 1:
        values = values.expand_dims(_PATTERN)
    point = _POINT if _POINT in values.dims else str(values.dims[-1])
    rows = next(str(d) for d in values.dims if d != point)
    values = values.transpose(rows, point)
    n, m = values.shape
    has_positions = point in data.coords
    if "axis" not in data.attrs and has_positions and data.coords[point].size > 1:
        data = data.sortby(point)  # a Dataset of somebody else: its axis may fall
        values = data["intensity"].transpose(rows, point) if rows in data["intensity"].dims else values.sortby(point)
    stored = data.attrs.get("radiation")
    radiation = Radiation.from_dict(json.loads(stored)) if stored else data.attrs.get("wavelength")
    names = data.coords[rows].values if rows in data.coords else None
    own = [(k, c) for k, c in data.coords.items() if k not in (rows, point) and c.dims in ((rows,), ())]
    meta = {str(c.attrs.get("column", k)): c.values for k, c in own}
    return Patterns(
        data.coords[point].values if has_positions else np.arange(m),
        values.values,
        data.attrs.get("axis", _kind_of(point) if has_positions else "channel"),
        wavelength=cast("Any", radiation),
        sigma=data["sigma"].transpose(rows, point).values if "sigma" in data else None,
        names=None if names is None else [str(x) for x in names],
        meta={k: np.full(n, v) if np.ndim(v) == 0 else v for k, v in meta.items()},
        unit=data.attrs.get("unit", "unknown"),
        warnings=json.loads(data.attrs.get("warnings", "[]")),
        failed=[(f, w) for f, w in json.loads(data.attrs.get("failed", "[]"))],
    )


def _kind_of(dim: str) -> str:
    """The axis that a dimension is named after; ``unknown`` where it is not."""
    if dim in AXES:
        return dim
    return next((a.name for a in AXES.values() if len(dim) > 1 and dim.lower() in a.spellings), "unknown")
