"""Recipe and arrays into one file, whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise._version import __version__
from peakwise.errors import OptionError, WriteError
from peakwise.modelfiles._layout import (
    DTYPES,
    FORMAT,
    METADATA,
    MOST_DIMENSIONS,
    MOST_HEADER,
    PREFIX,
    ZEROS,
    start_digest,
)
from peakwise.modelfiles._recipe import OWN_FIELDS, dumps_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["write_model"]


def write_model(path: str | os.PathLike[str], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a recipe and arrays into one ``.pw`` file.

    The same content gives the same bytes. The file appears whole or not at all; one that is there is replaced.

    Parameters
    ----------
    path : path-like
        Where to write. Its folder must exist.
    recipe : mapping
        Plain JSON, see `dumps_recipe`. The version of peakwise and of the format are added.
    arrays : mapping of str to ndarray
        Truth values, whole or real numbers (float16, float32, float64), by name.

    Raises
    ------
    OptionError
        Where the recipe or an array cannot be kept.
    WriteError
        Where the file cannot be written.

    Examples
    --------
    >>> from peakwise.modelfiles import read_model
    >>> path = getfixture("tmp_path") / "model.pw"
    >>> write_model(path, {"estimator": "phase_identifier"}, {"weights": np.ones((2, 3), np.float32)})
    >>> read_model(path).arrays["weights"].shape
    (2, 3)
    """
    for name in OWN_FIELDS:
        if name in recipe:
            raise OptionError("cannot keep the recipe", f"{name} is added by write_model, got one", "Leave it out")
    kept = _checked(arrays)
    text = dumps_recipe({**recipe, "format": FORMAT, "peakwise": __version__})
    length, header = _header(text, kept)
    digest = start_digest(length, header)
    for array in kept.values():
        digest.update(_bytes_of(array))
    sealed = header.replace(PREFIX + ZEROS, PREFIX + digest.hexdigest().encode("ascii"), 1)
    _replace(path, [length, sealed, *map(_bytes_of, kept.values())])


def _checked(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Arrays as they stand in the file: little-endian, in C order, the widest first so that each is aligned."""
    kinds = set(DTYPES.values())
    kept = {}
    for name, array in arrays.items():
        if not isinstance(name, str) or not name or name == METADATA or not name.isprintable():
            why = f"the name of an array must be a printable text other than {METADATA}, got {name!r:.60}"
            raise OptionError("cannot keep the arrays", why, "Give it another name")
        if not isinstance(array, np.ndarray) or array.dtype.newbyteorder("<") not in kinds:
            got = f"numbers of kind {array.dtype}" if isinstance(array, np.ndarray) else f"a {type(array).__name__}"
            why = f"{name} must be an array of truth values, whole or real numbers, got {got}"
            raise OptionError("cannot keep the arrays", why, "Convert it, for instance with astype('float32')")
        if array.ndim > MOST_DIMENSIONS:
            why = f"{name} must have at most {MOST_DIMENSIONS} dimensions, got {array.ndim}"
            raise OptionError("cannot keep the arrays", why, "Reshape it")
        kept[name] = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    return dict(sorted(kept.items(), key=lambda item: (-item[1].itemsize, item[0])))


def _header(text: str, kept: Mapping[str, NDArray[Any]]) -> tuple[bytes, bytes]:
    """Length and header, with zeros in the place of the digest."""
    names = {kind: name for name, kind in DTYPES.items()}
    table: dict[str, Any] = {METADATA: {"sha256": ZEROS.decode("ascii"), "peakwise": text}}
    begin = 0
    for name, array in kept.items():
        end = begin + array.nbytes
        table[name] = {"dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": [begin, end]}
        begin = end
    header = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    if len(header) > MOST_HEADER:
        why = f"it must take at most {MOST_HEADER >> 20} MiB, got {len(header) / (1 << 20):.1f} MiB"
        raise OptionError("cannot keep the recipe", why, "Keep large tables of numbers as arrays")
    return len(header).to_bytes(8, "little"), header


def _bytes_of(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data if array.size else memoryview(b"")


def _replace(path: str | os.PathLike[str], parts: list[bytes | memoryview]) -> None:
    """Write beside the target, bring it onto the disk, then let it take the name in one step."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise _cannot(path, "something that is not a file has this name", "Choose another name")
    part = target.parent / f".{secrets.token_hex(16)}.part"
    try:
        with part.open("xb") as stream:
            stream.writelines(parts)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
    except FileNotFoundError as problem:
        raise _cannot(path, f"there is no folder {target.parent}", "Make it first") from problem
    except OSError as problem:
        why = problem.strerror or str(problem)
        raise _cannot(path, why, "Check the disk and the permissions") from problem
    finally:
        with suppress(OSError):  # it is gone where all went well; where it cannot go, the first error says why
            part.unlink(missing_ok=True)


def _cannot(path: str | os.PathLike[str], why: str, do: str) -> WriteError:
    return WriteError("cannot write the model", why, do, file=path)
