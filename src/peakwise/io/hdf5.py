"""HDF5: finished patterns of our own, NeXus, and plain files whose names tell what is what.

Our layout is NeXus that any viewer can plot, with what NeXus has no word for beside it::

    /                     @NX_class NXroot    @default entry   @creator peakwise   @peakwise_layout 1
    /entry                NXentry             @default data    @definition (none)
    /entry/data           NXdata              @signal intensity   @axes [".", <kind>]
        intensity (n, m)  @units              <kind> (m)  @units  @long_name
        intensity_errors (n, m)               where there are uncertainties
    /entry/patterns       NXcollection        @kind @unit @warnings @failed [@radiation], texts; lists are JSON
        name (n)
    /entry/metadata       NXcollection        one array (n) a column, @column being its name
    /entry/instrument/beam NXbeam             incident_wavelength [angstrom], incident_wavelength_weights

HDF5 File Format Specification 3.0; NeXus manual (NXdata, NXbeam, NXcollection). What foreign files may look like
stands in `_nexus.py` and `_pairs.py`, how their bytes are guarded against in `_hdf5_file.py`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import WriteError
from peakwise.io._atomic import atomic_file
from peakwise.io._columns import Catalogue, Column, first_text
from peakwise.io._hdf5_file import catalogue_of, is_hdf5, opened
from peakwise.io._limits import check_limit
from peakwise.io._nexus import is_nexus, read_nexus
from peakwise.io._pairs import read_pairs
from peakwise.io._scan import Format, Scan
from peakwise.io._stored import is_stored, patterns_of
from peakwise.patterns import AXES, Patterns, Radiation

if TYPE_CHECKING:
    import os

    import h5py
    from numpy.typing import NDArray

    from peakwise.io._source import Source

_LAYOUT = 1
_DATA, _NOTES, _META = "/entry/data", "/entry/patterns", "/entry/metadata"
_CHUNK_BYTES = 1 << 20


def _read(source: Source) -> list[Scan] | list[Patterns]:
    with opened(source) as file:
        found = catalogue_of(file, source)
        layout = found.groups[""].get("peakwise_layout")
        if layout is not None:
            return [_read_own(found, layout)]
        if is_stored(found):  # netCDF-4 of ours under another name
            return [patterns_of(found)]
        return read_nexus(found) if is_nexus(found) else read_pairs(found)


def _read_own(found: Catalogue, layout: object) -> Patterns:
    if layout != _LAYOUT:
        raise found.damaged(f"it has the layout {layout!r}, this peakwise knows {_LAYOUT}", "Update peakwise")
    missing = [g for g in (_DATA, _NOTES, _META) if g not in found.groups]
    if missing:
        raise found.damaged(f"the group {missing[0]} is missing")
    notes = found.groups[_NOTES]
    kind = first_text(notes.get("kind"))
    if kind not in AXES:
        raise found.damaged(f"it calls its axis {kind!r}")
    columns = {str(c.attrs.get("column", c.name)): _entries(found, c) for c in found.children.get(_META, [])}
    stored = first_text(notes.get("radiation"))
    sigma = found.column("intensity_errors", _DATA)
    return Patterns(
        found.values(_needed(found, f"{_DATA}/{kind}")),
        found.numbers(_needed(found, f"{_DATA}/intensity")),
        kind,
        wavelength=Radiation.from_dict(json.loads(stored)) if stored else None,
        sigma=None if sigma is None else found.numbers(sigma),
        names=_entries(found, _needed(found, f"{_NOTES}/name")),
        meta=columns,
        unit=first_text(notes.get("unit")),
        warnings=json.loads(str(notes.get("warnings", "[]"))),
        failed=[(str(f), str(w)) for f, w in json.loads(str(notes.get("failed", "[]")))],
    )


def _needed(found: Catalogue, path: str) -> Column:
    column = found.column(path)
    if column is None:
        raise found.damaged(f"the array {path} is missing")
    return column


def _entries(found: Catalogue, column: Column) -> NDArray[Any]:
    """A column of numbers, truth values or texts."""
    check_limit(column.size, "scans", column.path, found.file)
    values = found.numbers(column) if column.sort == "number" else column.load()
    return values.astype(bool) if column.attrs.get("truth") else values


def _write(patterns: Patterns, path: str | os.PathLike[str]) -> None:
    """Write patterns into an HDF5 file that `peakwise.read` gives back without loss and that NeXus viewers plot."""
    import h5py

    with atomic_file(path) as temporary:
        try:
            with h5py.File(temporary, "w", libver=("v110", "v114")) as file:
                _fill(file, patterns)
        except (UnicodeError, ValueError) as problem:  # texts that HDF5 cannot hold: lone surrogates, zero bytes
            why = f"a name or text of the metadata cannot be stored ({problem})"
            raise WriteError("cannot write the file", why, "Change that text", file=path) from problem


def _fill(file: h5py.File, patterns: Patterns) -> None:
    file.attrs.update({"NX_class": "NXroot", "default": "entry", "creator": "peakwise", "peakwise_layout": _LAYOUT})
    _group(file, "/entry", "NXentry").attrs["default"] = "data"
    data = _group(file, _DATA, "NXdata")
    data.attrs["signal"] = "intensity"
    data.attrs["axes"] = [".", patterns.kind]
    data.attrs[f"{patterns.kind}_indices"] = 1
    axis = data.create_dataset(patterns.kind, data=patterns.axis)
    axis.attrs.update({"units": AXES[patterns.kind].unit, "long_name": AXES[patterns.kind].label})
    _rows(data, "intensity", patterns.intensity).attrs["units"] = patterns.unit
    if patterns.sigma is not None:
        _rows(data, "intensity_errors", patterns.sigma)
    notes = _group(file, _NOTES, "NXcollection")
    notes.attrs.update({"kind": patterns.kind, "unit": patterns.unit})
    notes.attrs.update({"warnings": json.dumps(patterns.warnings), "failed": json.dumps(patterns.failed)})
    notes.create_dataset("name", data=patterns.names.astype(object), dtype=_text_type())
    if patterns.radiation is not None:
        notes.attrs["radiation"] = json.dumps(patterns.radiation.to_dict())
        if not patterns.radiation.assumed:
            _beam(file, patterns.radiation)
    meta = file.create_group(_META, track_order=True)
    meta.attrs["NX_class"] = "NXcollection"
    for number, (name, column) in enumerate(patterns.meta.items()):
        place = name if name.isidentifier() and name.isascii() else f"column_{number}"
        if place in meta:
            place = f"column_{number}_"
        if column.dtype.kind == "U":
            stored = meta.create_dataset(place, data=column.astype(object), dtype=_text_type())
        else:
            stored = meta.create_dataset(place, data=column.astype(np.uint8) if column.dtype == bool else column)
        stored.attrs["column"] = name
        if column.dtype == bool:
            stored.attrs["truth"] = 1


def _text_type() -> Any:
    """The HDF5 type of texts of any length."""
    import h5py

    return h5py.string_dtype()


def _group(file: h5py.File, path: str, kind: str) -> h5py.Group:
    group = file.create_group(path)
    group.attrs["NX_class"] = kind
    return group


def _rows(group: h5py.Group, name: str, values: NDArray[Any]) -> h5py.Dataset:
    """A table, packed without loss in chunks of whole patterns."""
    n, m = values.shape
    rows = max(1, min(n, _CHUNK_BYTES // (m * values.itemsize)))
    return group.create_dataset(
        name, data=values, chunks=(rows, m), compression="gzip", compression_opts=1, shuffle=True
    )


def _beam(file: h5py.File, radiation: Radiation) -> None:
    """The wavelengths where NeXus programs look for them."""
    _group(file, "/entry/instrument", "NXinstrument")
    beam = _group(file, "/entry/instrument/beam", "NXbeam")
    beam.create_dataset("incident_wavelength", data=[w for w, _ in radiation.lines]).attrs["units"] = "angstrom"
    beam.create_dataset("incident_wavelength_weights", data=[i for _, i in radiation.lines])


HDF5 = Format(
    "hdf5",
    "HDF5: our own files, NeXus (NXdata, NXxrd, pyFAI ...) and plain arrays with telling names",
    (".h5", ".hdf5", ".nxs", ".hdf", ".he5", ".nx", ".nx5"),
    is_hdf5,
    _read,
    _write,
    written=(".h5", ".hdf5"),
)
