"""The classic netCDF format (CDF-1, CDF-2, CDF-5), taken apart by its grammar.

All numbers are big-endian; N is 4 bytes, in CDF-5 8 bytes; OFFSET is 4 bytes in CDF-1, else 8 (NetCDF Classic Format
Specification)::

    file    = "CDF" version:u8 numrecs:N dims atts vars data       numrecs of all ones: not counted while written
    dims    = 0:u32 0:N | 10:u32 n:N { name length:N }             length 0: the record dimension
    atts    = 0:u32 0:N | 12:u32 n:N { name type:u32 n:N values }  values padded to 4 bytes
    vars    = 0:u32 0:N | 11:u32 n:N { name n:N {dim:N} atts type:u32 vsize:N begin:OFFSET }
    name    = n:N bytes, padded to 4
    data    = arrays one after the other; those along the record dimension interleaved, record by record,
              each padded to 4 bytes (one alone is not padded)
    type    = 1 i1  2 char  3 i2  4 i4  5 f4  6 f8  7 u1  8 u2  9 u4  10 i8  11 u8
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._columns import Catalogue, Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["catalogue_of_classic", "is_classic"]

_TYPES = {1: ">i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8", 7: ">u1", 8: ">u2", 9: ">u4", 10: ">i8", 11: ">u8"}
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_UNCOUNTED = {4: 0xFFFFFFFF, 8: 0xFFFFFFFFFFFFFFFF}


def is_classic(source: Source) -> bool:
    """Whether the file begins as classic netCDF."""
    return source.head[:3] == b"CDF" and source.head[3:4] in (b"\x01", b"\x02", b"\x05")


class _Bytes:
    """A position in the file; nothing is taken that is not there."""

    def __init__(self, source: Source) -> None:
        self.data, self.source, self.at = source.data, source, 4
        version = source.data[3]
        self.wide = 8 if version == 5 else 4
        self.offset = 4 if version == 1 else 8

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        part = self.data[self.at : self.at + size]
        if len(part) != size:
            raise self.source.damaged(f"its header ends after {len(self.data)} bytes, in the middle of a list")
        self.at += size
        return part

    def name(self) -> str:
        size = self.number(self.wide)
        text = self.take(size)
        self.at += -size % 4
        return text.decode("utf-8", errors="replace")

    def items(self, tag: int) -> Iterator[int]:
        """The numbers of the entries of a list; every entry takes bytes, so their count cannot run away."""
        said, n = self.number(4), self.number(self.wide)
        if said not in (0, tag) or (said == 0 and n):
            raise self.source.damaged(f"a list of its header begins with {said}, not {tag}")
        yield from range(n)


class _Attributes(dict[str, Any]):
    """Attributes of a variable or of the file."""


def _attributes(stream: _Bytes) -> _Attributes:
    found = _Attributes()
    for _ in stream.items(_ATTRIBUTES):
        name, kind, n = stream.name(), stream.number(4), stream.number(stream.wide)
        dtype = _dtype(kind, stream.source)
        raw = stream.take(n * dtype.itemsize)
        stream.at += -len(raw) % 4
        if kind == 2:
            found[name] = raw.decode("utf-8", errors="replace").rstrip("\0")
        else:
            values = np.frombuffer(raw, dtype).tolist()
            found[name] = values[0] if len(values) == 1 else values
    return found


def _dtype(kind: int, source: Source) -> np.dtype[Any]:
    if kind not in _TYPES:
        raise source.damaged(f"it has values of the type {kind}, netCDF has {len(_TYPES)} types")
    return np.dtype(_TYPES[kind])


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    dims: list[int]
    attrs: _Attributes
    dtype: np.dtype[Any]
    begin: int


def catalogue_of_classic(source: Source) -> Catalogue:
    """List what the file holds."""
    stream = _Bytes(source)
    n_records = stream.number(stream.wide)
    dims = [(stream.name(), stream.number(stream.wide)) for _ in stream.items(_DIMENSIONS)]
    found = Catalogue(source.path)
    found.add_group("", _attributes(stream))
    variables: list[_Variable] = []
    for _ in stream.items(_VARIABLES):
        name = stream.name()
        along = [stream.number(stream.wide) for _ in range(stream.number(stream.wide))]
        attrs = _attributes(stream)
        dtype = _dtype(stream.number(4), source)
        stream.number(stream.wide)  # vsize: redundant, and wrong for large variables
        variables.append(_Variable(name, along, attrs, dtype, stream.number(stream.offset)))
        if any(d >= len(dims) for d in along):
            raise source.damaged(f"the variable {name} has a dimension that does not exist")
    _enter(found, source, dims, variables, None if n_records == _UNCOUNTED[stream.wide] else n_records)
    return found


def _enter(
    found: Catalogue, source: Source, dims: list[tuple[str, int]], variables: list[_Variable], n_records: int | None
) -> None:
    """Work out where each variable lies, and that its bytes are there."""
    along_records = [v for v in variables if v.dims and dims[v.dims[0]][1] == 0]
    sizes = {v.name: _record_bytes(v, dims) for v in along_records}
    step = sum(sizes.values())
    if len(along_records) == 1:
        one = along_records[0]
        step = math.prod(dims[d][1] for d in one.dims[1:]) * one.dtype.itemsize
    if n_records is None:
        start = min((v.begin for v in along_records), default=0)
        n_records = max(0, len(source.data) - start) // step if step else 0
    names = {name for name, _ in dims}
    for v in variables:
        record = v in along_records
        inner = tuple(dims[d][1] for d in v.dims[1 if record else 0 :])
        shape: tuple[int, ...] = (n_records, *inner) if record else inner
        size = math.prod(inner) * v.dtype.itemsize
        end = v.begin + (step * (n_records - 1) + size if record and n_records else size)
        if (n_records or not record) and end > len(source.data):
            raise source.damaged(f"{v.name} ends at byte {end}, the file has {len(source.data)}: it is cut short")
        path = f"/{v.name.replace('/', '_')}"
        scales = tuple(f"/{dims[d][0]}" for d in v.dims)
        filled = math.prod(shape) > 0
        sort = "number" if v.dtype.kind in "iuf" and filled else "other"
        if v.dtype.kind == "S" and filled:
            sort, shape, scales = "text", shape[:-1], scales[:-1]
        found.add(
            Column(
                path, shape, sort, v.attrs, _loader(source, v, (n_records if record else 0), inner, step),
                v.dtype.kind in "iu", v.dtype.itemsize, key=path, dims=scales if names else (),
            )
        )  # fmt: skip


def _record_bytes(v: _Variable, dims: list[tuple[str, int]]) -> int:
    size = math.prod(dims[d][1] for d in v.dims[1:]) * v.dtype.itemsize
    return size + -size % 4


def _loader(source: Source, v: _Variable, n_records: int, inner: tuple[int, ...], step: int) -> Any:
    """How the variable is read: in one piece, or record by record."""

    def load() -> NDArray[Any]:
        if n_records:
            pitch: tuple[int, ...] = (step, *(v.dtype.itemsize * math.prod(inner[i + 1 :]) for i in range(len(inner))))
            values: NDArray[Any] = np.ndarray((n_records, *inner), v.dtype, source.data, v.begin, pitch).copy()
        else:
            values = np.frombuffer(source.data, v.dtype, math.prod(inner), v.begin).reshape(inner)
        if v.dtype.kind == "S":
            return _texts(values)
        return values.astype(v.dtype.newbyteorder("="))

    return load


def _texts(values: NDArray[Any]) -> NDArray[Any]:
    """Characters along the last dimension are one text."""
    rows = np.atleast_2d(values)
    joined = [
        row.tobytes().rstrip(b"\0 ").decode("utf-8", errors="replace") for row in rows.reshape(-1, rows.shape[-1])
    ]
    return np.array(joined, dtype=np.str_)
