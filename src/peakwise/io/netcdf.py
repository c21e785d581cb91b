"""netCDF: our own patterns, and variables of others that have a coordinate which is the axis of a pattern.

netCDF-4 is HDF5 with dimension scales (NetCDF-4 Format Specification) and is opened as such, classic netCDF is taken
apart in `_netcdf3.py`. Our layout stands in `_stored.py`, what packed numbers of others mean in `_cf.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import WriteError
from peakwise.io._atomic import atomic_file
from peakwise.io._cf import unpacked
from peakwise.io._hdf5_file import catalogue_of, is_hdf5, opened
from peakwise.io._netcdf3 import catalogue_of_classic, is_classic
from peakwise.io._pairs import read_pairs
from peakwise.io._scan import Format, Scan
from peakwise.io._stored import is_stored, patterns_of

if TYPE_CHECKING:
    import os

    from peakwise.io._columns import Catalogue
    from peakwise.io._source import Source
    from peakwise.patterns import Patterns

_SUFFIXES = (".nc", ".nc4", ".cdf")


def _sniff(source: Source) -> bool:
    if is_classic(source):
        return True
    return is_hdf5(source) and (source.suffix in _SUFFIXES or b"_NCProperties" in source.head)


def _read(source: Source) -> list[Scan] | list[Patterns]:
    if is_classic(source):
        return _blocks(catalogue_of_classic(source))
    with opened(source) as file:
        return _blocks(catalogue_of(file, source))


def _blocks(found: Catalogue) -> list[Scan] | list[Patterns]:
    return [patterns_of(found)] if is_stored(found) else read_pairs(unpacked(found))


def _write(patterns: Patterns, path: str | os.PathLike[str]) -> None:
    """Write patterns into a netCDF-4 file that `peakwise.read` and ``xarray.open_dataset`` give back without loss."""
    data = patterns.to_xarray()
    encoding: dict[str, dict[str, Any]] = {}
    for name, variable in data.variables.items():
        if variable.dtype.kind == "f":
            encoding[str(name)] = {"_FillValue": None}  # NaN is NaN; a fill value would only be one more attribute
        if variable.dtype == np.float16:  # a type that netCDF does not have
            data[name] = variable.astype(np.float32)
    for name in data.data_vars:
        encoding[str(name)] |= {"zlib": True, "complevel": 1, "shuffle": True}
    with atomic_file(path) as temporary:
        try:
            data.to_netcdf(temporary, engine="h5netcdf", format="NETCDF4", encoding=encoding)
        except (UnicodeError, ValueError) as problem:  # texts that HDF5 cannot hold: lone surrogates, zero bytes
            why = f"a name or text of the metadata cannot be stored ({problem})"
            raise WriteError("cannot write the file", why, "Change that text", file=path) from problem


NETCDF = Format(
    "netcdf",
    "netCDF 3 and 4: our own files, and variables with an axis of others",
    _SUFFIXES,
    _sniff,
    _read,
    _write,
    written=(".nc",),
)
