r"""NumPy files: ``.npy`` (one array) and ``.npz`` (a zip archive of them).

Layout (NumPy Enhancement Proposal 1, and ``numpy.lib.format``)::

    npy  = "\x93NUMPY" major minor header-length header data
           header-length: 2 bytes little-endian in version 1, 4 bytes from version 2 on
           header: a Python literal {'descr': type, 'fortran_order': bool, 'shape': tuple}, padded with spaces
           data: product(shape) values, nothing after them
    npz  = zip archive of members "name.npy"

Arrays of Python objects are pickles, which run code when they are loaded: they are refused. The header is compared with
the bytes that are there before anything is made of it.

An array has no names and no units. What is taken as known: in a table, a first row (or column) that rises or falls
strictly over at least eight values is the axis of the others; and so is a file of its own beside the table, called
like it with the word of an axis at the end (``run_data.npy`` and ``run_q.npy``), whose length fits. Otherwise the axis
is the number of the point, ``channel``, and a warning says so. The members of an ``.npz`` have names, see `_members`.
"""

from __future__ import annotations

import io
import lzma
import re
import tokenize
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import DamagedFileError, ReadError
from peakwise.io._limits import check_limit
from peakwise.io._members import as_axis, is_axis_name, is_rising, scans_of, without_array
from peakwise.io._scan import Format, Scan
from peakwise.io._source import Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NUMPY_NPY", "NUMPY_NPZ"]

_MAGIC = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"
# How a file that holds the axis of another is called, at the end of its name.
_AXIS_FILES = ("two_theta", "twotheta", "2theta", "tth", "q", "d", "energy", "wavenumber", "raman_shift", "axis", "x")
_PROOF = 8  # values that rise by chance once in 40,000 tables


def _sniff_npy(source: Source) -> bool:
    return source.head.startswith(_MAGIC)


def _sniff_npz(source: Source) -> bool:
    """A zip archive whose first member is called *.npy."""
    head = source.head
    length = int.from_bytes(head[26:28], "little")
    return head.startswith(_ZIP) and head[30 : 30 + length].endswith(b".npy")


def _read_npy(source: Source) -> list[Scan]:
    array = _array(source, source.data, source.name)
    if array.dtype.names is not None:
        return _named(source, {key: array[key] for key in array.dtype.names})
    if array.ndim == 1 and is_rising(array) and is_axis_name(re.split(r"[_\-. ]", source.stem)[-1]):
        raise ReadError(
            "cannot read the scan",
            f"its {array.size} numbers rise strictly and it is called like an axis: they are no intensities",
            "Read the file with the intensities; the axis beside it is found by its name",
            file=source.path,
        )
    return [_table(source, array, source.name, _companion(source, array))]


def _read_npz(source: Source) -> list[Scan]:
    members: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            infos = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            check_limit(sum(info.file_size for info in infos), "bytes", "the archive", source.path)
            for info in infos:
                members[info.filename.removesuffix(".npy")] = _array(source, archive.read(info), info.filename)
    except (zipfile.BadZipFile, lzma.LZMAError) as problem:
        raise source.damaged(f"the zip archive cannot be unpacked: {problem}") from problem
    return _named(source, members)


def _array(source: Source, raw: bytes, what: str) -> NDArray[Any]:
    """The array of an npy file, as a view of its bytes."""
    stream = io.BytesIO(raw)
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise source.damaged(f"{what} is of version {version[0]}.{version[1]}; 1.0, 2.0 and 3.0 exist")
    # 2.0 and 3.0 differ only in the encoding of field names.
    parse = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, fortran, dtype = parse(stream)
    except (SyntaxError, tokenize.TokenError) as problem:  # numpy's second try at headers written by Python 2
        raise source.damaged(f"the header of {what} is no Python literal: {problem}") from problem
    if dtype.hasobject:
        raise DamagedFileError(
            "cannot read the scan",
            f"{what} holds Python objects, that is a pickle; loading one can run any program, so it is refused",
            "Save plain numbers: np.save(path, np.asarray(values, dtype=float), allow_pickle=False)",
            file=source.path,
        )
    start, count = stream.tell(), 1
    for length in shape:
        if length < 0:
            raise source.damaged(f"{what} has the impossible shape {shape}")
        count *= length
    if len(raw) - start != count * dtype.itemsize:
        raise source.damaged(
            f"{what} holds {len(raw) - start} bytes of data, its header promises {count * dtype.itemsize} "
            f"({' x '.join(map(str, shape)) or '1'} {dtype})"
        )
    if not count:
        return np.empty(shape, dtype)
    return np.frombuffer(raw, dtype, count, start).reshape(shape, order="F" if fortran else "C")


def _named(source: Source, members: dict[str, NDArray[Any]]) -> list[Scan]:
    """Members with names: by their names, else the only table among them."""
    scans = scans_of(members)
    if scans is not None:
        return scans
    tables = [
        key
        for key, values in members.items()
        if values.ndim in (1, 2) and values.dtype.kind in "fiu" and values.size > 2
    ]
    if len(tables) == 1 and not is_axis_name(tables[0]):
        return [_table(source, members[tables[0]], tables[0], None)]
    raise ReadError(
        "cannot read the scan",
        without_array(list(members)),
        "Save it as np.savez(path, two_theta=axis, intensity=table)",
        file=source.path,
    )


def _table(source: Source, array: NDArray[Any], what: str, companion: tuple[str, NDArray[Any]] | None) -> Scan:
    """One array as patterns: on the axis beside it, on the axis within it, or on channels."""
    if array.dtype.kind not in "fiub":
        raise source.damaged(f"{what} holds {array.dtype}, intensities are real numbers", "Save real numbers")
    if array.ndim not in (1, 2) or array.size < 3:
        shape = " x ".join(map(str, array.shape)) or "one number"
        raise source.damaged(f"{what} is {shape}, patterns are one row or a table of them", "Save a table of patterns")
    if companion is not None:
        return _beside(array, *companion)
    if array.ndim == 1:
        note = f"{what} holds no axis: the axis is the number of the point"
        if is_rising(array):
            note += "; its numbers rise or fall strictly, as those of an axis do"
        return Scan(np.arange(array.size), array, "channel", warnings=[note])
    by_row = array.shape[1] >= _PROOF and len(array) > 1 and is_rising(array[0])
    by_column = array.shape[0] >= _PROOF and array.shape[1] > 1 and is_rising(array[:, 0])
    if by_row != by_column:
        table, line = (array, "row") if by_row else (array.T, "column")
        notes = [f"the first {line} of {what} rises or falls strictly: it is taken as the axis"]
        if len(table) == 3:
            notes.append(f"the third {line} is taken as another pattern; it may be an uncertainty")
        return Scan(table[0], table[1:], None, warnings=notes)
    note = (
        f"{what} holds no axis: its rows are taken as {len(array)} patterns of {array.shape[1]} points, the axis is "
        "the number of the point; transpose it if patterns are columns"
    )
    return Scan(np.arange(array.shape[1]), array, "channel", warnings=[note])


def _beside(array: NDArray[Any], file: str, positions: NDArray[Any]) -> Scan:
    """Patterns on the axis of the file beside them."""
    table = np.atleast_2d(array)
    word = max((w for w in _AXIS_FILES if file.lower().removesuffix(".npy").endswith(w)), key=len)
    x, kind, notes = as_axis(word, positions)
    notes.insert(0, f"the axis is that of {file} beside it")
    if table.shape[1] != x.size:
        table = table.T
        notes.append("patterns are its columns: so many points are in the axis")
    elif table.shape[0] == table.shape[1]:
        notes.append("it has as many patterns as points: its rows are taken as the patterns")
    return Scan(x, table, kind, warnings=notes)


def _companion(source: Source, array: NDArray[Any]) -> tuple[str, NDArray[Any]] | None:
    """Name and numbers of the axis that lies beside a table: called like it, with the word of an axis at the end."""
    if source.suffix != ".npy" or source.compression is not None or array.ndim not in (1, 2):
        return None
    parts = re.split(r"[_\-]", source.stem)
    prefixes = [source.stem[: sum(map(len, parts[:n])) + n - 1] for n in range(len(parts), 0, -1)]
    for prefix in [*prefixes, ""]:
        for word in _AXIS_FILES:
            for spelled in dict.fromkeys((word, word.upper(), word.capitalize())):
                path = source.path.with_name(f"{prefix}_{spelled}.npy" if prefix else f"{spelled}.npy")
                if path == source.path or not path.is_file():
                    continue
                beside = Source(path)
                if not _sniff_npy(beside):
                    continue
                positions = _array(beside, beside.data, beside.name)
                if is_rising(positions) and positions.size in array.shape:
                    return path.name, positions
    return None


NUMPY_NPY = Format("numpy_npy", "NumPy arrays", (".npy",), _sniff_npy, _read_npy)
NUMPY_NPZ = Format("numpy_npz", "NumPy archives of named arrays", (".npz",), _sniff_npz, _read_npz)
