"""Patterns as JSON: an object with an axis and intensities, alone, in a list, or below names.

What is understood::

    file    = pattern | "[" pattern { "," pattern } "]" | "{" name ":" pattern { "," name ":" pattern } "}"
    pattern = an object with an axis ("two_theta_values", "2theta", "q_nm", "wavenumber" ...: a list of numbers) and
              intensities ("intensities", "counts", "y" ...: a list of as many numbers, or a list of such lists)

Whatever else a pattern holds, also in objects inside it and in text that is JSON again (as the ``label`` of
xrdpattern's files is), is metadata. ``primary_wavelength`` and ``secondary_wavelength`` [angstrom] are Kα1 and Kα2,
``temp_K`` is a temperature. RFC 8259 describes JSON; the files of xrdpattern (aimat-lab) have these names.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import ReadError
from peakwise.io._limits import check_limit
from peakwise.io._members import scans_of, without_array
from peakwise.io._scan import Format, Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["JSON"]

_BEGIN = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*["}]')
_DEEPEST = 8  # objects inside objects that are looked into
_LONGEST_TEXT = 400  # characters of one entry of metadata
_MOST_ENTRIES = 60
# Names of metadata that other programs use -> ours.
_RENAMED = {
    "measurement_date": "date",
    "temp_K": "temperature",
    "temperature_K": "temperature",
    "sample_name": "sample",
}


def _sniff(source: Source) -> bool:
    return _BEGIN.match(source.head) is not None


def _read(source: Source) -> list[Scan]:
    # Bytes that are not UTF-8 are no JSON; json.loads tells UTF-16 by itself.
    content = json.loads(source.data.removeprefix(b"\xef\xbb\xbf"))
    scans = _search(source, content, None, 0)
    if not scans:
        names = list(content) if isinstance(content, dict) else []
        raise ReadError(
            "cannot read the scan",
            without_array([str(name) for name in names]),
            'Write {"two_theta": [...], "intensity": [...]}',
            file=source.path,
        )
    return scans


def _search(source: Source, content: Any, name: str | None, depth: int) -> list[Scan]:
    """Every pattern below a value."""
    if depth > _DEEPEST:
        return []
    if isinstance(content, list):
        parts = [part for part in content if isinstance(part, dict)]
        check_limit(len(parts), "scans", "the file", source.path)
        return [scan for part in parts for scan in _search(source, part, name, depth + 1)]
    if not isinstance(content, dict):
        return []
    own = scans_of(_members(content), name)
    if own is not None:
        return own
    found: list[Scan] = []
    for key, value in content.items():
        if isinstance(value, (dict, list)):
            found += _search(source, value, key, depth + 1)
    return found


def _members(content: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Lists of numbers or texts as arrays, everything else as metadata of one value."""
    members: dict[str, NDArray[Any]] = {}
    rest: dict[str, Any] = {}
    for key, value in content.items():
        array = _numbers(value)
        if array is not None:
            members[key] = array
        elif isinstance(value, list) and value and all(isinstance(v, str) for v in value):
            members[key] = np.array([v[:_LONGEST_TEXT] for v in value])
        else:
            rest[key] = value
    for key, value in _flat(rest, 0).items():
        members.setdefault(key, np.array(value))
    return members


def _numbers(value: Any) -> NDArray[np.float64] | None:
    """A list of numbers, or of lists of equally many numbers, null being NaN; None for anything else."""
    if not isinstance(value, list) or (len(value) < 3 and not (value and isinstance(value[0], list))):
        return None
    rows = value if isinstance(value[0], list) else [value]
    if not all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows):
        return None
    if not all(v is None or (isinstance(v, (int, float)) and not isinstance(v, bool)) for row in rows for v in row):
        return None
    table = np.array(rows, dtype=np.float64)
    return table if isinstance(value[0], list) else table[0]


def _flat(entries: dict[str, Any], depth: int) -> dict[str, Any]:
    """Numbers and texts of an object and of those inside it, the first of each name."""
    found: dict[str, Any] = {}
    for key, value in entries.items():
        inner = _inner(value)
        if inner is not None and depth < _DEEPEST:
            for name, one in _flat(inner, depth + 1).items():
                found.setdefault(name, one)
        elif isinstance(value, (str, int, float)) and len(str(value)) <= _LONGEST_TEXT:
            name = _RENAMED.get(key, key)
            found.setdefault(name, value)
        if len(found) >= _MOST_ENTRIES:
            break
    return found


def _inner(value: Any) -> dict[str, Any] | None:
    """An object, or one that was written as text."""
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


JSON = Format("json", "patterns as JSON objects", (".json",), _sniff, _read)
