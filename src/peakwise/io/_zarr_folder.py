"""Zarr folders looked through with care: a stranger's metadata name the code that is run to unpack chunks.

Layout (Zarr specifications, version 2 and version 3)::

    version 2    folder/.zgroup   or  folder/.zarray  { shape chunks dtype compressor fill_value order filters }
                 folder/.zattrs   { ... "_ARRAY_DIMENSIONS": [names] }        chunks: "0.0" or "0/0"
    version 3    folder/zarr.json { node_type shape data_type chunk_grid codecs attributes dimension_names ... }
                                                                             chunks: "c/0/0"

Only codecs of the list below are run: among those that are installed with Zarr there are some (pickle) which would
run any code that the file likes.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._columns import Catalogue, Column
from peakwise.io._limits import MAX_BYTES, check_limit

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["METADATA", "catalogue_of_zarr", "is_array", "is_zarr", "n_chunks_missing"]

METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")
_MOST_JSON = 1 << 24  # bytes of one metadata file
_MOST_NODES, _DEEPEST = 100_000, 16
_PLAIN = (
    "blosc", "zlib", "gzip", "zstd", "lz4", "bz2", "lzma", "delta", "shuffle", "fixedscaleoffset", "vlen-utf8",
    "astype", "bitround", "crc32", "adler32", "fletcher32",
)  # fmt: skip
_VERSION_3 = ("bytes", "transpose", "crc32c", "sharding_indexed", "vlen-bytes")
_CODECS = frozenset((*_PLAIN, *(f"numcodecs.{name}" for name in _PLAIN), *_VERSION_3))
_BLOSC_HEADER = 16  # bytes: version, inner version, flags, type size, then u32: unpacked, block and packed bytes
_DTYPE_TEXT = ("<U", ">U", "|O", "|S", "|T")


def is_zarr(folder: Path) -> bool:
    """Whether a folder is a Zarr group or array."""
    return any((folder / name).is_file() for name in METADATA[:3])


def is_array(folder: Path) -> bool:
    """Whether a folder is a Zarr array."""
    if (folder / ".zarray").is_file():
        return True
    return (folder / "zarr.json").is_file() and b'"array"' in (folder / "zarr.json").read_bytes()[:_MOST_JSON]


def n_chunks_missing(folder: Path, described: dict[str, Any]) -> int:
    """How many chunks of a version 2 array are not there; Zarr would give zeros for them."""
    expected = 1
    for n, size in zip(described["shape"], described["chunks"], strict=True):
        expected *= -(-n // size)
    return max(0, expected - sum(not entry.name.startswith(".") for entry in os.scandir(folder)))


class _Json(dict[str, Any]):
    """Attributes as JSON gives them."""


def catalogue_of_zarr(source: Source) -> Catalogue:
    """List what the store holds."""
    found = Catalogue(source.path)
    waiting: list[tuple[str, Path, int]] = [("", source.path, 0)]
    n = 0
    while waiting:
        path, folder, depth = waiting.pop()
        n += 1
        if n > _MOST_NODES or depth > _DEEPEST:
            raise source.damaged(f"it holds more than {_MOST_NODES} nodes, or more than {_DEEPEST} one in another")
        node = _node(folder, source)
        if node is None:
            continue
        attrs, described = node
        if described is not None:
            found.add(_column(path or "/array", folder, attrs, described, source))
            continue
        found.add_group(path, attrs)
        inside = sorted(e.name for e in os.scandir(folder) if e.is_dir(follow_symlinks=False))
        waiting += [(f"{path}/{name}", folder / name, depth + 1) for name in inside]
    if "" not in found.groups:
        found.add_group("", _Json())
    return found


def _node(folder: Path, source: Source) -> tuple[_Json, dict[str, Any] | None] | None:
    """Attributes of a node and, for an array, its description; None for a folder that is no node."""
    if (folder / "zarr.json").is_file():
        described = _json(folder / "zarr.json", source)
        attrs = described.get("attributes") or {}
        names = described.get("dimension_names")
        attrs = _Json(attrs if isinstance(attrs, dict) else {})
        if isinstance(names, list):
            attrs.setdefault("_ARRAY_DIMENSIONS", names)
        return attrs, described if described.get("node_type") == "array" else None
    attrs = _Json(_json(folder / ".zattrs", source) if (folder / ".zattrs").is_file() else {})
    if (folder / ".zarray").is_file():
        return attrs, _json(folder / ".zarray", source)
    return (attrs, None) if (folder / ".zgroup").is_file() else None


def _json(file: Path, source: Source) -> dict[str, Any]:
    if file.stat().st_size > _MOST_JSON:
        raise source.damaged(f"its {file.name} has {file.stat().st_size} bytes")
    value = json.loads(file.read_bytes())
    if not isinstance(value, dict):
        raise source.damaged(f"its {file.name} holds a {type(value).__name__}")
    return value


def _column(path: str, folder: Path, attrs: _Json, described: dict[str, Any], source: Source) -> Column:
    shape = described.get("shape")
    if not isinstance(shape, list) or not all(isinstance(n, int) and n >= 0 for n in shape):
        raise source.damaged(f"{path} has the shape {shape!r}")
    kind, itemsize = _sort(described)
    dims = attrs.get("_ARRAY_DIMENSIONS")
    parent = path.rsplit("/", 1)[0]
    places = tuple(f"{parent}/{d}" for d in dims) if isinstance(dims, list) and len(dims) == len(shape) else ()
    return Column(
        path, tuple(shape), kind if 0 not in shape else "other", attrs, lambda: _load(path, folder, described, source),
        "int" in str(described.get("data_type", "")) or str(described.get("dtype", ""))[1:2] in ("i", "u"),
        itemsize, _stored(folder), path, places,
    )  # fmt: skip


def _sort(described: dict[str, Any]) -> tuple[str, int]:
    """Whether the entries are numbers or texts, and how many bytes one takes."""
    said = described.get("data_type", described.get("dtype"))
    if isinstance(said, dict):
        said = said.get("name")
    text = str(said)
    if text in ("string", "fixed_length_utf32", "null_terminated_bytes") or text.startswith(_DTYPE_TEXT):
        return "text", 4
    names = {"float16": 2, "float32": 4, "float64": 8, "bool": 1}
    names |= {f"{u}int{8 * n}": n for n in (1, 2, 4, 8) for u in ("", "u")}
    if text in names:
        return "number", names[text]
    if len(text) == 3 and text[0] in "<>|" and text[1] in "iufb" and text[2] in "1248":
        return "number", int(text[2])
    return "other", 1


def _stored(folder: Path) -> int:
    """Bytes of all chunks of an array."""
    total = 0
    waiting: list[str | os.DirEntry[str]] = [str(folder)]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry)
            else:
                total += entry.stat(follow_symlinks=False).st_size
    return total


def _load(path: str, folder: Path, described: dict[str, Any], source: Source) -> NDArray[Any]:
    """Read one array, after a look at the codecs that it wants run and the size of its chunks."""
    import zarr

    codecs = _codecs(described)
    for codec in codecs:
        if codec not in _CODECS:
            raise source.damaged(
                f"{path} wants to be unpacked with {codec!r}, which is not among the codecs that are run",
                "Write it again with zlib, zstd or blosc",
            )
    if described.get("storage_transformers"):
        raise source.damaged(f"{path} wants storage transformers, which are not run", "Write it again without")
    chunks = described.get("chunks") or (described.get("chunk_grid") or {}).get("configuration", {}).get("chunk_shape")
    if not isinstance(chunks, list) or not all(isinstance(n, int) and n > 0 for n in chunks):
        raise source.damaged(f"{path} has the chunks {chunks!r}")
    size = 1
    for n in chunks:
        size *= n
    check_limit(size * 8, "bytes", f"a chunk of {path}", source.path)
    if any(codec.endswith("blosc") for codec in codecs):
        _check_blosc(path, folder, "sharding_indexed" in codecs, source)
    with warnings.catch_warnings():  # Zarr tells writers which of its types are young; a reader can do nothing about it
        warnings.simplefilter("ignore")
        array = zarr.open_array(str(folder), mode="r", zarr_format=3 if "node_type" in described else 2)
        values = np.asarray(array[...])
    if values.nbytes > MAX_BYTES * 8:
        raise source.damaged(f"{path} has {values.nbytes} bytes")
    if values.dtype.kind == "U" and values.size:
        codes = np.ascontiguousarray(values).view(values.dtype.byteorder + "u4")
        if (codes > sys.maxunicode).any():
            raise source.damaged(f"{path} holds texts with characters that do not exist")
    if values.dtype.kind in "UTOS":
        flat = values.ravel()
        return np.array([v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in flat], dtype=np.str_)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _check_blosc(path: str, folder: Path, in_shards: bool, source: Source) -> None:
    """Refuse chunks that are cut short: Blosc believes their headers, and reads on beyond the end of the bytes."""
    if in_shards:
        why = f"{path} has chunks packed with blosc within shards, whose lengths cannot be checked"
        raise source.damaged(why, "Write it again with zstd, or without shards")
    for place, _, names in os.walk(folder):
        for name in names:
            file = os.path.join(place, name)  # noqa: PTH118 - a Path for each of 100,000 chunks takes seconds
            if name in METADATA or name.startswith("."):
                continue
            size = os.stat(file).st_size  # noqa: PTH116
            with open(file, "rb") as stream:  # noqa: PTH123
                head = stream.read(_BLOSC_HEADER)
            unpacked, packed = int.from_bytes(head[4:8], "little"), int.from_bytes(head[12:16], "little")
            if len(head) < _BLOSC_HEADER or packed != size:
                raise source.damaged(f"{path} has a chunk of {size} bytes whose header promises {packed}")
            check_limit(unpacked, "bytes", f"a chunk of {path}", source.path)


def _codecs(described: dict[str, Any]) -> list[str]:
    """Names of all codecs of an array, those inside others (sharding) too."""
    names: list[str] = []
    waiting: list[Any] = [described.get(key) for key in ("compressor", "filters", "codecs")]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, str):
            names.append(item)
        elif isinstance(item, dict):
            names.append(str(item.get("id", item.get("name"))))
            inner = item.get("configuration")
            if isinstance(inner, dict):
                waiting += [inner.get("codecs"), inner.get("index_codecs")]
    return names
