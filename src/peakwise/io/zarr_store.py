"""Zarr: our own patterns, and arrays of others that have a coordinate which is the axis of a pattern.

A store is a folder whose name ends in ``.zarr``. What we write is Zarr version 2, which every Zarr library reads;
versions 2 and 3 are read. Our layout stands in `_stored.py`, the layout of a folder in `_zarr_folder.py`.
"""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

from peakwise.errors import WriteError
from peakwise.io._atomic import atomic_folder
from peakwise.io._cf import unpacked
from peakwise.io._pairs import read_pairs
from peakwise.io._scan import Format, Scan
from peakwise.io._stored import is_stored, patterns_of
from peakwise.io._zarr_folder import METADATA, catalogue_of_zarr, is_array, is_zarr, n_chunks_missing

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from peakwise.io._source import Source
    from peakwise.patterns import Patterns


def _sniff(source: Source) -> bool:
    return source.is_folder and is_zarr(source.path)


def _read(source: Source) -> list[Scan] | list[Patterns]:
    found = catalogue_of_zarr(source)
    if not is_stored(found):
        return read_pairs(unpacked(found))
    for column in found.columns.values():
        folder = source.path / column.path.strip("/")
        if (folder / ".zarray").is_file():  # what we wrote; all its chunks are, so one that lacks was lost
            missing = n_chunks_missing(folder, json.loads((folder / ".zarray").read_bytes()))
            if missing:
                raise source.damaged(f"{missing} chunks of {column.path} are not there", "Copy the whole folder again")
    return [patterns_of(found)]


def _write(patterns: Patterns, path: str | os.PathLike[str]) -> None:
    """Write patterns into a Zarr store that `peakwise.read` and ``xarray.open_zarr`` give back without loss."""
    import zarr

    data = patterns.to_xarray()
    encoding: dict[str, dict[str, Any]] = {
        str(name): {"_FillValue": None} for name, v in data.variables.items() if v.dtype.kind == "f"
    }
    with atomic_folder(path, _is_ours) as temporary:
        try:
            # Chunks of zeros are written too: then a chunk that is not there was lost, and is no chunk of zeros.
            with warnings.catch_warnings(), zarr.config.set({"array.write_empty_chunks": True}):
                # Zarr's own notices about its future are not the user's concern.
                warnings.simplefilter("ignore")
                data.to_zarr(temporary, mode="w", zarr_format=2, consolidated=False, encoding=encoding)
        except (UnicodeError, ValueError) as problem:
            why = f"a name or text of the metadata cannot be stored ({problem})"
            raise WriteError("cannot write the store", why, "Change that text", file=path) from problem


def _is_ours(folder: Path) -> bool:
    """Whether a folder is a store of ours, and holds nothing else that somebody might want to keep."""
    try:
        attrs = json.loads((folder / ".zattrs").read_bytes())
    except (OSError, ValueError):
        return False
    if not isinstance(attrs, dict) or not {"axis", "unit", "warnings", "failed"} <= attrs.keys():
        return False
    return all(e.name in METADATA or (e.is_dir() and not e.is_symlink() and is_array(e)) for e in folder.iterdir())


ZARR = Format(
    "zarr",
    "Zarr folders: our own, and arrays with an axis of others",
    (".zarr",),
    _sniff,
    _read,
    _write,
    written=(".zarr",),
    folder=True,
)
