"""Our own patterns in netCDF and Zarr, laid out as `Patterns.to_xarray` gives them.

::

    attributes  axis  unit  warnings  failed  [radiation  wavelength]     texts; lists are JSON
    intensity (pattern, x)    [sigma (pattern, x)]    x (x)    pattern (pattern): names
    any other array (pattern): a column of metadata, called as its attribute column says, else as itself

They are read without xarray, through the same guarded door as files of strangers: who writes a file decides what is
in it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._columns import first_text
from peakwise.io._limits import check_limit
from peakwise.patterns import AXES, Patterns, Radiation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._columns import Catalogue, Column

__all__ = ["is_stored", "patterns_of"]

_OURS = ("intensity", "x", "pattern", "sigma")


def is_stored(found: Catalogue) -> bool:
    """Whether the arrays are laid out as ours."""
    attrs = found.groups[""]
    said = first_text(attrs.get("axis")) in AXES and first_text(attrs.get("warnings")).startswith("[")
    return said and all(f"/{name}" in found.columns for name in _OURS[:3])


def patterns_of(found: Catalogue) -> Patterns:
    """The patterns, as they were written."""
    attrs, columns = found.groups[""], found.columns
    intensity = columns["/intensity"]
    rows = (intensity.shape or (0,))[:1]
    meta = {c.name: c for c in found.children[""] if c.name not in _OURS and c.shape == rows}
    stored = first_text(attrs.get("radiation"))
    return Patterns(
        found.values(columns["/x"]),
        found.numbers(intensity),
        first_text(attrs.get("axis")),
        wavelength=Radiation.from_dict(json.loads(stored)) if stored else None,
        sigma=found.numbers(columns["/sigma"]) if "/sigma" in columns else None,
        names=[str(name) for name in _entries(found, columns["/pattern"])],
        meta={str(c.attrs.get("column", name)): _entries(found, c) for name, c in meta.items()},
        unit=first_text(attrs.get("unit")),
        warnings=json.loads(first_text(attrs.get("warnings"))),
        failed=[(str(f), str(w)) for f, w in json.loads(first_text(attrs.get("failed")) or "[]")],
    )


def _entries(found: Catalogue, column: Column) -> NDArray[Any]:
    """A column of numbers, texts or truth values (kept as whole numbers by netCDF, with the attribute dtype)."""
    check_limit(column.size, "scans", column.path, found.file)
    values = found.numbers(column) if column.sort == "number" else column.load()
    return values.astype(np.bool_) if first_text(column.attrs.get("dtype")) == "bool" else values
