"""Rows of a library's table joined to the scans that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import OptionError, one_line
from peakwise.wafers._given import member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns
    from peakwise.wafers._table import LibraryTable

__all__ = ["join_library"]

_WHAT = "cannot join the table of the library to the scans"
_TOLD = 3
_PACKED = (".gz", ".bz2", ".xz")


def join_library(patterns: Patterns, table: LibraryTable, *, extra: str = "refuse") -> Patterns:
    """Return the patterns with the table in their metadata: a column for each element, x, y, and all that was beside.

    Rows with names belong to the patterns of these names (or files), with or without folder and suffix; rows without
    names belong to the patterns in their order.

    Parameters
    ----------
    patterns : Patterns
    table : LibraryTable
        From `read_library`.
    extra : {"refuse", "drop"}
        What is done with rows whose scan is not among the patterns.

    Returns
    -------
    Patterns

    Examples
    --------
    >>> from peakwise import Patterns
    >>> from peakwise.wafers import LibraryTable
    >>> scans = Patterns([1, 2, 3], [[1, 2, 3], [4, 5, 6]], names=["a.xy", "b.xy"])
    >>> table = LibraryTable(("Fe", "Pd"), np.array([[0.9, 0.1], [0.5, 0.5]]), None, ("b", "a"))
    >>> join_library(scans, table).meta["Fe"].tolist()
    [0.5, 0.9]
    """
    member(_WHAT, "extra", extra, ("refuse", "drop"))
    if table.names is not None:
        rows = _rows(patterns, table.names, extra)
    elif len(table) == len(patterns):
        rows = np.arange(len(patterns))
    else:
        why = f"its rows name no scans, so there must be {len(patterns)}, one for each scan, got {len(table)}"
        raise OptionError(_WHAT, why, "Add a column scan, or leave out what was not measured")
    made: dict[str, NDArray[np.float64] | NDArray[np.str_]] = {n: c[rows] for n, c in table.others.items()}
    if table.places is not None:
        made |= {"x": table.places[rows, 0], "y": table.places[rows, 1]}
    if table.fractions is not None:
        made |= {e: table.fractions[rows, i] for i, e in enumerate(table.elements)}
    for name in sorted(made.keys() & patterns.meta.keys()):
        if not _same(patterns.meta[name], made[name]):
            why = f"a column must have one meaning, the scans have {name!r} already, with other values"
            raise OptionError(_WHAT, why, "Rename it in the table, or read it with columns= and - in its place")
    return patterns.replace(meta={**patterns.meta, **made}, warnings=[*patterns.warnings, *table.warnings])


def _rows(patterns: Patterns, names: Sequence[str], extra: str) -> NDArray[np.intp]:
    """Row of each pattern."""
    known: dict[str, int] = {}
    for row, name in enumerate(names):
        first = known.setdefault(_bare(name), row)
        if first != row:
            why = f"each scan must have one row, {one_line(name, 60)!r} has rows {first + 1} and {row + 1}"
            raise OptionError(_WHAT, why, "Leave one of them")
    files = [patterns.meta[k] for k in ("file", "source") if k in patterns.meta]
    found = [
        next((known[s] for s in map(_bare, (str(title), *(str(f[i]) for f in files))) if s in known), -1)
        for i, title in enumerate(patterns.names)
    ]
    rows = np.array(found, dtype=np.intp)
    missing = [str(t) for t in patterns.names[rows < 0]]
    if missing:
        why = f"each scan must have a row, {len(missing)} of {len(patterns)} have none: {_few(missing)}"
        do = f"Name the rows as the scans or their files are named (they are named as {one_line(names[0], 60)})"
        raise OptionError(_WHAT, why, do)
    used, times = np.unique(rows, return_counts=True)
    if (times > 1).any():
        row = used[times > 1][0]
        both = _few([str(t) for t in patterns.names[rows == row]])
        why = f"each scan must have a row of its own, {both} all belong to row {row + 1}"
        raise OptionError(_WHAT, why, "Name the scans and not their file, or leave names out and keep their order")
    left = np.setdiff1d(np.arange(len(names)), rows)
    if left.size and extra == "refuse":
        why = f"each row must have a scan, {left.size} have none: {_few([names[i] for i in left])}"
        raise OptionError(_WHAT, why, "Read those scans too, or pass extra='drop'")
    return rows


def _bare(name: str) -> str:
    r"""A name without folder and suffix, in small letters, without the zeros that spreadsheets take off numbers.

    >>> _bare("C:\\data\\Scan_07.XY.gz"), _bare("007"), _bare("FePd_1.5")
    ('scan_07', '7', 'fepd_1.5')
    """
    last = name.strip().replace("\\", "/").rsplit("/", 1)[-1].lower()
    for packed in _PACKED:
        last = last.removesuffix(packed)
    stem, _, suffix = last.rpartition(".")
    last = stem if stem and not suffix.isdecimal() else last
    return (last.lstrip("0") or "0") if last.isdecimal() else last


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(one_line(n, 60) for n in names[:_TOLD]) + more


def _same(one: NDArray[np.generic], other: NDArray[np.generic]) -> bool:
    return np.array_equal(one, other, equal_nan=one.dtype.kind == other.dtype.kind == "f")
