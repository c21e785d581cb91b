"""Any file a diffractometer or spectrometer writes -> `Patterns`, and back.

To add a format: one file beside these that ends with its `Format`, and one line in the table `FORMATS`.
"""

from __future__ import annotations

from peakwise.io._limits import MAX_BYTES, MAX_POINTS, MAX_SCANS
from peakwise.io._read import FileRead, Reader, find_files, natural_key
from peakwise.io._scan import META, Format, Scan
from peakwise.io._source import Source
from peakwise.io.text import TEXT

# In the order in which they are tried: those with an unmistakable beginning first, plain text last.
FORMATS: dict[str, Format] = {
    form.name: form
    for form in (
        TEXT,
    )
}

_reader = Reader(FORMATS)
read = _reader.read
read_each = _reader.read_each

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "MAX_POINTS",
    "MAX_SCANS",
    "META",
    "FileRead",
    "Format",
    "Reader",
    "Scan",
    "Source",
    "find_files",
    "natural_key",
    "read",
    "read_each",
]
