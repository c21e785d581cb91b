"""One file back into recipe and arrays.

Files are hostile: each claim is compared with the bytes that are there before memory is taken.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard

import numpy as np

from peakwise.errors import ModelFileError
from peakwise.modelfiles._layout import DTYPES, FORMAT, METADATA, MOST_DIMENSIONS, MOST_HEADER, PREFIX, start_digest
from peakwise.modelfiles._recipe import OWN_FIELDS, BadJSONError, parse, what_is_wrong

if TYPE_CHECKING:
    from io import BufferedReader

    from numpy.typing import NDArray

__all__ = ["ModelFile", "read_model"]

_AGAIN = "Copy it again from where it was made, or train the model again"
_OTHER = "Give a .pw file that peakwise wrote"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LARGEST = 1 << 48  # of one dimension; an array without values may claim any

# How files that people take for models begin.
_KNOWN = {
    b"PK\x03\x04": "a zip archive, as torch.save writes",
    b"\x80\x02": "a pickle, which could run code",
    b"\x80\x03": "a pickle, which could run code",
    b"\x80\x04": "a pickle, which could run code",
    b"\x80\x05": "a pickle, which could run code",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a numpy file",
    b"\x1f\x8b": "compressed with gzip",
}


@dataclass(frozen=True, slots=True, eq=False)
class ModelFile:
    """What a model file holds.

    Parameters
    ----------
    recipe : dict
        Plain JSON, as it was given to `write_model`.
    arrays : dict of str to ndarray
        The arrays by name; each has its own memory and may be written to.
    written_by : str
        Version of peakwise that wrote the file.
    format : int
        Version of the format.
    sha256 : str
        SHA-256 of the whole file, with zeros in its own place.
    """

    recipe: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    written_by: str = ""
    format: int = FORMAT
    sha256: str = ""


class _Claim(NamedTuple):
    """An array as the header has it, checked."""

    begin: int
    end: int
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


def read_model(path: str | os.PathLike[str]) -> ModelFile:
    """Return what a ``.pw`` file holds.

    No code of the file is run, and no more memory is taken than the file has bytes, apart from its recipe.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    ModelFileError
        Where the file is not there, is something else, is cut short or altered, or was written by a later version.

    Examples
    --------
    >>> from peakwise.modelfiles import write_model
    >>> path = getfixture("tmp_path") / "model.pw"
    >>> write_model(path, {"estimator": "phase_identifier", "options": {"top": 10}}, {"bias": np.zeros(3)})
    >>> model = read_model(path)
    >>> model.recipe, model.arrays
    ({'estimator': 'phase_identifier', 'options': {'top': 10}}, {'bias': array([0., 0., 0.])})
    >>> _ = path.write_bytes(path.read_bytes()[:-1])
    >>> read_model(path)
    Traceback (most recent call last):
    ...
    peakwise.errors.ModelFileError: cannot read the model (...model.pw): it is cut short: its header promises 24 bytes
    of arrays, and 23 are there. Copy it again from where it was made, or train the model again.
    """
    try:
        with _opened(path) as stream:
            return _read(stream, os.fstat(stream.fileno()).st_size)
    except _RefusedError as refused:
        raise ModelFileError("cannot read the model", refused.why, refused.do, file=path) from refused.__cause__
    except OSError as problem:
        why = f"it cannot be opened ({problem.strerror or problem})"
        do = "Check the path and the permissions"
        raise ModelFileError("cannot read the model", why, do, file=path) from problem


class _RefusedError(Exception):
    """Why the file is refused; the door adds its name."""

    def __init__(self, why: str, do: str = _AGAIN) -> None:
        self.why, self.do = why, do
        super().__init__(why, do)


def _opened(path: str | os.PathLike[str]) -> BufferedReader:
    file = Path(path)
    try:
        mode = file.stat().st_mode
    except ValueError as problem:
        raise _RefusedError(f"no file can have this name ({problem})", "Check the path") from problem
    if not stat.S_ISREG(mode):  # opening a pipe would wait for somebody to write into it
        raise _RefusedError("it is a folder" if stat.S_ISDIR(mode) else "it is no plain file", _OTHER)
    return file.open("rb")


def _read(stream: BufferedReader, size: int) -> ModelFile:
    length, header = _header_of(stream, size)
    try:
        table = parse(header.decode("utf-8"))
    except UnicodeDecodeError as problem:
        raise _RefusedError("its header is no UTF-8") from problem
    except BadJSONError as problem:
        raise _RefusedError(f"the JSON of its header {problem}") from problem
    if not isinstance(table, dict):
        raise _RefusedError("its header is no JSON object")
    digest, recipe = _metadata_of(table.pop(METADATA, None), header)
    claims = _claims_of(table, size - len(length) - len(header))
    seen, arrays = start_digest(length, header), {}
    for claim in claims:
        array = np.empty(claim.shape, claim.dtype)
        raw = array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")
        if array.size and stream.readinto(raw) != raw.nbytes:
            raise _RefusedError("it became shorter while it was read")
        seen.update(raw)
        arrays[claim.name] = array.astype(claim.dtype.newbyteorder("="), copy=False)
    if seen.hexdigest() != digest:
        raise _RefusedError("it was altered: its SHA-256 is not the one that it names")
    for claim in claims:
        if claim.dtype == bool and arrays[claim.name].view(np.uint8).max(initial=0) > 1:
            raise _RefusedError(f"the truth values of its array {claim.name!r:.60} are neither 0 nor 1")
    own = {name: recipe.pop(name) for name in OWN_FIELDS}
    return ModelFile(recipe, arrays, own["peakwise"], own["format"], digest)


def _header_of(stream: BufferedReader, size: int) -> tuple[bytes, bytes]:
    head = stream.read(16)
    length, begins = head[:8], head[8:]
    if not head:
        raise _RefusedError("it is empty")
    claimed = int.from_bytes(length, "little")
    if claimed > MOST_HEADER or len(head) < 10 or not begins.startswith(b"{"):
        for magic, what in _KNOWN.items():
            if head.startswith(magic):
                raise _RefusedError(f"it is {what}, and no model file", _OTHER)
        raise _RefusedError(f"it is no model file: it begins with {head[:10]!r}", _OTHER)
    if claimed > size - 8:
        raise _RefusedError(f"it is cut short: its header has {claimed} bytes, and {size - 8} are there")
    header = begins[:claimed] + stream.read(claimed - 8) if claimed > 8 else begins[:claimed]
    if len(header) != claimed:
        raise _RefusedError("it became shorter while it was read")
    if claimed < 8:
        raise _RefusedError(f"its header has {claimed} bytes, too few for a model")
    return length, header


def _metadata_of(metadata: object, header: bytes) -> tuple[str, dict[str, Any]]:
    """The digest and the recipe; foreign and future files are told as what they are."""
    if not isinstance(metadata, dict) or not isinstance(metadata.get("peakwise"), str):
        raise _RefusedError("it is a safetensors file without the recipe of a peakwise model", _OTHER)
    try:
        recipe = parse(metadata["peakwise"])
    except BadJSONError as problem:
        raise _RefusedError(f"the JSON of its recipe {problem}") from problem
    version = recipe.get("format") if isinstance(recipe, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise _RefusedError(f"its recipe must name the version of its format, got {version!r:.60}")
    if version > FORMAT:
        why = f"it is of format {version}, and this peakwise reads up to format {FORMAT}"
        raise _RefusedError(why, "Update peakwise, or train the model again")
    digest = metadata.get("sha256")
    if set(metadata) != {"sha256", "peakwise"} or not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise _RefusedError("it was altered: its metadata must be the recipe and its SHA-256")
    if not header.startswith(PREFIX + digest.encode("ascii")):
        raise _RefusedError("it was written again by another program, which moved its SHA-256")
    wrong = what_is_wrong(recipe) or ("" if isinstance(recipe.get("peakwise"), str) else "it must name its peakwise")
    if wrong:
        raise _RefusedError(f"its recipe is no recipe: {wrong}")
    return digest, recipe


def _claims_of(table: dict[str, Any], there: int) -> list[_Claim]:
    """The arrays in their order in the file: one after the other, without gaps, to its last byte."""
    claims = sorted(_claim(name, told) for name, told in table.items())
    if claims and claims[0].begin:
        raise _RefusedError(f"its first array must begin at byte 0, got {claims[0].begin}")
    for before, after in pairwise(claims):
        if before.end != after.begin:
            how = "overlap" if before.end > after.begin else "have a gap between them"
            raise _RefusedError(f"its arrays {before.name!r:.60} and {after.name!r:.60} {how}")
    promised = claims[-1].end if claims else 0
    if promised > there:
        raise _RefusedError(f"it is cut short: its header promises {promised} bytes of arrays, and {there} are there")
    if promised < there:
        raise _RefusedError(f"{there - promised} bytes follow after its last array")
    return claims


def _claim(name: str, told: object) -> _Claim:
    called = f"its array {name!r:.60}"
    if not isinstance(told, dict) or set(told) != {"dtype", "shape", "data_offsets"}:
        raise _RefusedError(f"{called} must be told by dtype, shape and data_offsets")
    if not isinstance(told["dtype"], str) or told["dtype"] not in DTYPES:
        raise _RefusedError(f"{called} must be of a kind among {', '.join(DTYPES)}, got {told['dtype']!r:.60}")
    dtype, shape, offsets = DTYPES[told["dtype"]], told["shape"], told["data_offsets"]
    if not _counts(shape) or len(shape) > MOST_DIMENSIONS:
        raise _RefusedError(f"{called} must have a shape of at most {MOST_DIMENSIONS} counts, got {shape!r:.60}")
    if not _counts(offsets) or len(offsets) != 2:
        raise _RefusedError(f"{called} must lie between two bytes, got {offsets!r:.60}")
    begin, end = offsets
    if prod(shape) * dtype.itemsize != end - begin or prod(filter(None, shape)) > _LARGEST:
        raise _RefusedError(f"{called} of shape {shape!r:.60} does not take the {end - begin} bytes that it claims")
    return _Claim(begin, end, name, dtype, tuple(shape))


def _counts(values: object) -> TypeGuard[list[int]]:
    return isinstance(values, list) and all(type(n) is int and 0 <= n <= _LARGEST for n in values)
