"""HDF5 files opened and looked through with care: the bytes may be a stranger's, or still be written.

Layout of what is looked at before the HDF5 library is (HDF5 File Format Specification 3.0, section II.A)::

    file       = [ user block of 512, 1024, 2048 ... bytes ] superblock ...
    superblock = 0x89 "HDF" CR LF 0x1A LF  version:u8 ...
                 from version 2:  size of offsets:u8  size of lengths:u8  flags:u8 ...
    flags      = bit 0: open for writing, bit 2: open for SWMR (single writer, multiple readers)
    heap       = "GCOL" 1:u8 0:u24  size:u64 { index:u16 uses:u16 0:u32 size:u64 bytes, padded to 8 }   (section III.E)

In a global heap (texts of any length lie there) the index 0 means the free rest, whose size counts its own header.
Where damage makes that size 0, the library (to 2.0 at least) steps by nothing, for ever: such heaps are looked for.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
import zlib
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import MissingExtraError, UnfinishedFileError
from peakwise.io._columns import Catalogue, Column, points_limit
from peakwise.io._limits import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import h5py
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["catalogue_of", "is_hdf5", "opened"]

_HEAP = b"GCOL\x01"
_MAGIC = b"\x89HDF\r\n\x1a\n"
_TEXT = np.dtype([("length", "<u4"), ("heap", "<u8"), ("index", "<u4")])  # of any length, as an array holds it
_WRITING, _SWMR = 1, 4
_MOST_OBJECTS, _DEEPEST = 1_000_000, 32
_LONGEST_TEXT, _MOST_TEXTS = 1 << 16, 1 << 20
_DEFLATE, _FLETCHER32, _CHECKSUM = 1, 3, 4  # numbers of filters; bytes of a checksum
_BOMB_FROM = 1 << 20  # bytes of a packed chunk from which on it is unpacked once with a bound before HDF5 does it


def is_hdf5(source: Source) -> bool:
    """Whether the file begins as HDF5, with or without a user block."""
    return _superblock(source.head) is not None


def _superblock(head: bytes) -> int | None:
    return next((at for at in (0, 512, 1024, 2048) if head[at : at + 8] == _MAGIC), None)


@contextmanager
def opened(source: Source) -> Iterator[h5py.File]:
    """The file open for reading; one that is being written is opened only where its writer provides for readers."""
    import h5py

    at = _superblock(source.head) or 0
    flags = source.head[at + 11] if source.head[at + 8 : at + 9] >= b"\x03" else 0
    _check_heaps(source)
    live = bool(flags & _SWMR) and source.compression is None
    if flags & _WRITING and not live:
        raise _unfinished(source, "its writer has not closed it", "Wait for it; after a crash, h5clear -s opens it")
    options: dict[str, Any] = {"swmr": True} if live else {}
    if source.compression is None:
        options["locking"] = "best-effort"
    try:
        file = h5py.File(source.open(), "r", **options)
    except BlockingIOError as problem:
        raise _unfinished(source, "another program holds it open for writing", "Wait until it is closed") from problem
    except OSError as problem:
        lengths = re.search(r"truncated file: eof = (\d+), .*stored_eof = (\d+)", str(problem))
        if lengths is None:
            raise
        why = f"it has {lengths[1]} of the {lengths[2]} bytes that its header promises: cut short, or still written"
        raise source.damaged(why, "Wait until the writer has closed it, or copy it again") from problem
    source.grows = live
    with file:
        yield file


def _unfinished(source: Source, why: str, do: str) -> UnfinishedFileError:
    return UnfinishedFileError("cannot read the file", why, do, file=source.path)


def _check_heaps(source: Source) -> None:
    """Refuse a file with a global heap in which HDF5 would never come to an end."""
    if source.compression is not None:
        _walk_heaps(source.data, source)
    else:
        with source.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as view:
            _walk_heaps(view, source)


def _walk_heaps(data: bytes | mmap.mmap, source: Source) -> None:
    end_of_file = min(len(data), MAX_BYTES)
    at = data.find(_HEAP, 0, end_of_file)
    while at >= 0:
        (size,) = struct.unpack_from("<Q", data, at + 8) if at + 16 <= end_of_file else (0,)
        here, end = at + 16, at + size
        # The same five bytes may stand among data; a heap that would end beyond the file is refused by HDF5 itself.
        while here + 16 <= end <= end_of_file:
            index, _, _, length = struct.unpack_from("<HHIQ", data, here)
            step = length if index == 0 else 16 + length + -length % 8
            if step == 0 or here + step > end:
                raise source.damaged(f"the heap of its texts is damaged at byte {here}")
            here += step
        at = data.find(_HEAP, at + 1, end_of_file)


def catalogue_of(file: h5py.File, source: Source) -> Catalogue:
    """List what the file holds: no array is read, no link is followed."""
    import h5py

    found = Catalogue(source.path, growing=source.grows)
    found.add_group("", _Attributes(file))
    waiting: list[tuple[str, h5py.Group, int]] = [("", file, 0)]
    seen: dict[Any, str] = {_address(file): ""}
    n = 0
    while waiting:
        path, group, depth = waiting.pop()
        for name in group:
            n += 1
            if n > _MOST_OBJECTS:
                raise source.damaged(f"it holds more than {_MOST_OBJECTS} objects", "Split the file")
            here = f"{path}/{name}"
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                found.outside[here] = str(link.filename)
                continue
            if isinstance(link, h5py.SoftLink):
                target = str(link.path)
                found.links[here] = target if target.startswith("/") else f"{path}/{target}"
                continue
            item = group[name]
            first = seen.setdefault(_address(item), here)
            if isinstance(item, h5py.Group):
                if first != here:
                    found.links[here] = first
                elif depth + 1 > _DEEPEST:
                    raise source.damaged(f"its groups lie more than {_DEEPEST} deep")
                else:
                    found.add_group(here, _Attributes(item))
                    waiting.append((here, item, depth + 1))
            elif isinstance(item, h5py.Dataset):
                for column in _columns_of(item, here, first, source):
                    if column.parent not in found.groups:  # the fields of a table stand in it as in a group
                        found.add_group(column.parent, column.attrs)
                    found.add(column)
    _link_arrays(found)
    return found


def _link_arrays(found: Catalogue) -> None:
    """Arrays that a group reaches through a link within the file stand in it like its own."""
    for here in list(found.links):
        target = found.columns.get(found.resolve(here))
        if target is not None:
            found.add(replace(target, path=here))


def _address(item: Any) -> Any:
    import h5py

    info = h5py.h5o.get_info(item.id)
    return info.fileno, info.addr


class _Attributes:
    """Attributes of an HDF5 object, read one by one, and only those that are numbers or texts of a sane size."""

    __slots__ = ("_attrs",)

    def __init__(self, item: Any) -> None:
        self._attrs = item.attrs

    def __iter__(self) -> Iterator[str]:
        return iter(self._attrs)

    def get(self, name: str, default: Any = None, /) -> Any:
        if name not in self._attrs:
            return default
        identity = self._attrs.get_id(name)
        try:
            dtype = identity.dtype
        except TypeError:  # a type that numpy does not have
            return default
        kind, itemsize = dtype.kind, dtype.itemsize
        # The library does not check what damage makes of the type of a text, and falls over it when it reads.
        if kind not in "biufSO" or (kind == "O" and not _is_text(dtype)):
            return default
        if itemsize > _LONGEST_TEXT or math.prod(identity.shape or ()) > _LONGEST_TEXT:
            return default
        value = self._attrs[name]
        if kind in "SO" and type(value).__name__ == "Empty":  # how HDF5 may keep an empty text
            return ""
        if isinstance(value, bytes):
            return value.decode("utf-8", errors="replace")
        if isinstance(value, np.ndarray) and value.size == 1 and kind in "biuf":  # netCDF keeps one number as a list
            return value.item()
        if isinstance(value, np.ndarray):
            return [v.decode("utf-8", errors="replace") if isinstance(v, bytes) else v for v in value.ravel().tolist()]
        if isinstance(value, (str, np.generic)):
            return value if isinstance(value, str) else value.item()
        return default


def _columns_of(item: h5py.Dataset, path: str, key: str, source: Source) -> Iterator[Column]:
    """One array, or one for each field of a table."""
    attrs = _Attributes(item)
    try:
        dtype, shape = item.dtype, item.shape
    except (TypeError, ValueError):  # a type that numpy does not have
        yield _other(path, (), attrs)
        return
    if shape is None or (shape and math.prod(shape) == 0 and not source.grows):
        yield _other(path, shape or (), attrs)
    elif dtype.names is not None:
        for name in dtype.names:
            if dtype[name].kind in "iuf" and "/" not in name:
                yield Column(
                    f"{path}/{name}", shape, "number", attrs, lambda f=name: _numbers(item, source, f),  # type: ignore[misc]
                    dtype[name].kind in "iu", dtype.itemsize, item.id.get_storage_size(), (key, name),
                )  # fmt: skip
    elif dtype.kind in "iuf":
        yield Column(
            path, shape, "number", attrs, lambda: _numbers(item, source), dtype.kind in "iu", dtype.itemsize,
            _stored(item), key, _dims(item), bool(item.maxshape) and item.maxshape[0] is None, _fill(item),
        )  # fmt: skip
    elif dtype.kind == "S" or (dtype.kind == "O" and _is_text(dtype)):
        yield Column(path, shape, "text", attrs, lambda: _texts(item, source), key=key, dims=_dims(item))
    else:
        yield _other(path, shape, attrs)


def _other(path: str, shape: tuple[int, ...], attrs: _Attributes) -> Column:
    return Column(path, shape, "other", attrs, lambda: np.empty(0))


def _is_text(dtype: np.dtype[Any]) -> bool:
    import h5py

    return h5py.check_string_dtype(dtype) is not None


def _stored(item: h5py.Dataset) -> int | None:
    """Bytes that hold the array; where they lie elsewhere (which is refused later), None."""
    return None if item.is_virtual or item.external else item.id.get_storage_size()


def _fill(item: h5py.Dataset) -> float | None:
    return float(item.fillvalue) if np.ndim(item.fillvalue) == 0 else None


def _dims(item: h5py.Dataset) -> tuple[str, ...]:
    """Paths of the dimension scales, one for each dimension (HDF5 Dimension Scale Specification)."""
    import h5py

    if "DIMENSION_LIST" not in item.attrs:
        return ()
    places = []
    for scales in np.ravel(item.attrs["DIMENSION_LIST"])[: item.ndim]:
        refs = [r for r in np.ravel(scales) if isinstance(r, h5py.Reference)]
        name = h5py.h5r.get_name(refs[0], item.file.id) if refs and refs[0] else None
        places.append((name or b"").decode("utf-8", errors="replace"))
    return tuple(places)


def _numbers(item: h5py.Dataset, source: Source, name: str | None = None) -> NDArray[Any]:
    _check_place(item, source)
    _check_filters(item, source)
    values = np.asarray(item[name] if name is not None else item[()])
    if values.dtype.itemsize > 8:
        values = values.astype(np.float64)
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _texts(item: h5py.Dataset, source: Source) -> NDArray[Any]:
    _check_place(item, source)
    _check_filters(item, source)
    if item.dtype.itemsize > _LONGEST_TEXT or item.size > _MOST_TEXTS:
        raise source.damaged(f"{item.name} holds {item.size} texts of {item.dtype.itemsize} bytes")
    if item.dtype.kind == "O":
        _check_lengths(item, source)
    values = np.ravel(item[()])
    return np.array([v.decode("utf-8", errors="replace") if isinstance(v, bytes) else str(v) for v in values], np.str_)


def _check_lengths(item: h5py.Dataset, source: Source) -> None:
    """Refuse texts that say to be longer than the file: the library makes room for them before it looks for them."""
    at = item.id.get_offset()  # None where they are in chunks
    if at is None:
        return
    size = item.size * _TEXT.itemsize
    if source.compression is None:
        with source.path.open("rb") as stream:
            stream.seek(at)
            raw = stream.read(size)
    else:
        raw = source.data[at : at + size]
    lengths = np.frombuffer(raw[: len(raw) // _TEXT.itemsize * _TEXT.itemsize], _TEXT)["length"]
    total = int(lengths.sum(dtype=np.uint64))
    whole = source.path.stat().st_size if source.compression is None else len(source.data)
    if total > MAX_BYTES or int(lengths.max(initial=0)) > whole:
        raise source.damaged(f"{item.name} holds {item.size} texts of {total} bytes together")


def _check_place(item: h5py.Dataset, source: Source) -> None:
    """Refuse arrays whose bytes lie in other files, and chunks that are larger than a file may be."""
    away = [str(part[0]) for part in item.external or ()]
    if item.is_virtual:
        away += [v.file_name for v in item.virtual_sources() if v.file_name != "."]
        if not away:
            away = ["a virtual arrangement of its own arrays"]
    if away:
        raise source.damaged(
            f"{item.name} lies outside ({away[0]}), and other files are not opened",
            "Copy the data into one file with its own software (h5repack or h5copy)",
        )
    if item.chunks is not None and math.prod(item.chunks) * item.dtype.itemsize > MAX_BYTES:
        raise source.damaged(f"{item.name} is stored in chunks of {item.chunks}, more than {MAX_BYTES} bytes each")
    if not points_limit(item.shape):
        raise source.damaged(f"{item.name} has the shape {item.shape}")


def _check_filters(item: h5py.Dataset, source: Source) -> None:
    """Make sure that every filter of the array is there; `hdf5plugin` is imported only where one is needed."""
    import h5py

    properties = item.id.get_create_plist()
    codes = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    missing = [code for code in codes if not h5py.h5z.filter_avail(code)]
    if missing:
        try:
            import_module("hdf5plugin")  # registers its filters
        except ImportError as problem:
            raise MissingExtraError(
                "cannot read the scan",
                f"{item.name} is compressed with the HDF5 filter {missing[0]}, which is not installed",
                "Install it with pip install peakwise[filters]",
                file=source.path,
            ) from problem
        missing = [code for code in missing if not h5py.h5z.filter_avail(code)]
    if missing:
        raise source.damaged(
            f"{item.name} is compressed with the HDF5 filter {missing[0]}, which neither HDF5 nor hdf5plugin has",
            "Rewrite it with its own software (h5repack -f GZIP=4)",
        )
    checked = codes[-1:] == [_FLETCHER32]
    if (codes[:-1] if checked else codes)[-1:] == [_DEFLATE]:
        _check_bombs(item, source, _CHECKSUM if checked else 0)


def _check_bombs(item: h5py.Dataset, source: Source, tail: int) -> None:
    """Unpack large chunks once, with a bound: HDF5 itself would unpack a thousandfold of what the chunk should hold."""
    size = math.prod(item.chunks) * item.dtype.itemsize
    if item.id.get_storage_size() < _BOMB_FROM:
        return
    for i in range(item.id.get_num_chunks()):
        info = item.id.get_chunk_info(i)
        if info.size < _BOMB_FROM:
            continue
        if info.size > size + size // 100 + 1024:
            raise source.damaged(f"a chunk of {item.name} has {info.size} bytes for {size}")
        mask, packed = item.id.read_direct_chunk(info.chunk_offset)
        if mask:
            continue
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(packed[: len(packed) - tail], size + 1024)
        if len(unpacked) > size + 64 or unpacker.unconsumed_tail:
            raise source.damaged(f"a chunk of {item.name} unpacks to more than its {size} bytes")
