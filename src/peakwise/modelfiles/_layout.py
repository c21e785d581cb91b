"""The layout of a ``.pw`` file: what the writer and the reader must agree on.

Grammar::

    file    = length header { data }
    length  = u64, little-endian: bytes of the header
    header  = JSON object, padded with spaces to a multiple of 8 bytes:
              {"__metadata__": {"sha256": DIGEST, "peakwise": RECIPE},
               NAME: {"dtype": D, "shape": [n, ...], "data_offsets": [begin, end]}, ...}
    data    = the values of one array, little-endian, C order; arrays follow each other without gaps
    DIGEST  = SHA-256 of the whole file with 64 zeros in the place of the DIGEST
    RECIPE  = canonical JSON, as text

This is the format safetensors (https://huggingface.co/docs/safetensors), so its tools read it too. Two things are
stricter here: the digest stands at a fixed place, and nothing may be in the file that the header does not account for.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["DTYPES", "FORMAT", "METADATA", "MOST_DIMENSIONS", "MOST_HEADER", "PREFIX", "ZEROS", "start_digest"]

FORMAT = 1  # of the recipe and of this layout; raise it when an older peakwise would misunderstand a new file
METADATA = "__metadata__"
PREFIX = b'{"__metadata__":{"sha256":"'
ZEROS = b"0" * 64
MOST_HEADER = 64 << 20  # bytes; 10,000 phases take about 4 MiB
MOST_DIMENSIONS = 32  # of one array; numpy itself ends at 64

# Names of the format -> kinds of numpy. BF16 and the 8-bit floats have no kind in numpy: a writer makes them F32.
DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}


def start_digest(length: bytes, header: bytes) -> _Hash:
    """SHA-256 that has seen the beginning of a file, its own place in it blanked; the data follow."""
    blank = slice(len(PREFIX), len(PREFIX) + len(ZEROS))
    return hashlib.sha256(length + header[: blank.start] + ZEROS + header[blank.stop :])
