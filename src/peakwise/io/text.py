"""Plain text of every dialect: xy, xye, csv, tsv, dat, txt, asc, gr ...

The grammar of a table stands in `_table.py`, the words of a header in `_header.py`. Here is decided what the columns
mean:

* two columns are axis and intensity; a third without a name is the uncertainty where it can be one;
* named columns are taken by their names (``y_obs`` and not ``y_calc``), and what was left out is said;
* many columns are many patterns on the axis of the first; many rows under a rising first row are many patterns on
  that row;
* three numbers ``start step stop`` above rows of intensities are the axis of these (FullProf INSTRM 0, DBWS).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from peakwise.io._axis_words import Meaning, to_our_axis
from peakwise.io._header import axis_of_title, axis_of_words, facts_of, radiation_of, role_of_title, unit_of_title
from peakwise.io._limits import MAX_BYTES
from peakwise.io._numbers import parse_numbers
from peakwise.io._scan import Format, Scan
from peakwise.io._source import decode
from peakwise.io._table import Dialect, Table, find_tables, split_fields
from peakwise.io._text_out import write_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

MAX_TEXT = MAX_BYTES // 4  # a text takes several times its size while it is taken apart
_MANY = 10  # numbers in a row from which on the row itself may be an axis
_SMALL_TABLE = 0.05  # share of the largest table's rows below which a table belongs to the header
_FEWEST_ROWS = 3
_FREE_HEADER = 8  # lines among which `start step stop` stands
_FEWEST_FREE = 10
_THREE_NUMBERS = re.compile(r"[ \t]*" + r"([+-]?\d+\.?\d*)[ \t,]+" * 2 + r"([+-]?\d+\.?\d*)(?=[ \t,\r]|$)")
_BACKWARD = 0.02  # share of the steps of an axis that may jump back
_RESTART = 0.5  # share of its range by which an axis falls back when the next scan begins without a header
_WITH_SIGMA = frozenset({".xye", ".fxye", ".xyd", ".gr"})
# Control characters that no text has: what is not white space, escape or the end-of-file mark of DOS.
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f]")


def _sniff(source: Source) -> bool:
    head = source.head
    if head[:2] in (b"\xff\xfe", b"\xfe\xff") or head[1:2] == b"\0" or head[:1] == b"\0":
        head = decode(head).encode("utf-8", errors="replace")
    return bool(head.strip()) and not _BINARY.search(head)


def _read(source: Source) -> list[Scan]:
    if len(source.data) > MAX_TEXT:
        raise source.damaged(f"a text of {len(source.data)} bytes, at most {MAX_TEXT} are read", "Split the file")
    free = _free_format(source.text)
    tables = [free] if free is not None else [part for t in find_tables(source.text) for part in _split(t)]
    scans = [scan for table in tables for scan in [_to_scan(table, source)] if scan is not None]
    if not scans:
        raise source.damaged(
            "it holds no table of at least three rows whose first column could be an axis",
            "Export it with two columns, or name its format",
        )
    if _breaks_off(source.text):
        scans[-1].warnings.append("the last line has no end and is shorter than those above: the file may be cut short")
    return _without_small(scans)


def _breaks_off(text: str) -> bool:
    """Whether rows of one length end with one that is shorter and has no line end: its last number may be cut."""
    rows = text[-2000:].splitlines()[-6:]
    alike = len(rows) == 6 and len({len(row) for row in rows[:-1]}) == 1
    return alike and not text.endswith(("\n", "\r")) and len(rows[-1]) < len(rows[0])


def _split(table: Table) -> list[Table]:
    """Scans that follow one another without a header between them, parted where the axis starts again."""
    x = table.values[:, 0]
    if table.labels is not None or x.size < _FEWEST_FREE or not np.isfinite(x).all():
        return [table]
    steps = np.diff(x)
    forward = 1.0 if np.median(steps) >= 0 else -1.0
    cuts = np.flatnonzero(steps * forward < -_RESTART * np.ptp(x)) + 1
    parts = np.split(table.values, cuts)
    # Scans of one series begin alike; a table of results that rises again and again does not.
    alike = np.ptp([p[0, 0] for p in parts]) <= np.median(np.abs(steps))
    if len(parts) == 1 or not alike or min(map(len, parts)) < _FEWEST_ROWS:
        return [table]
    return [replace(table, values=part) for part in parts]


def _without_small(scans: list[Scan]) -> list[Scan]:
    """Leave out the small tables that stand in the header of a large one (corrections, calibrations)."""
    sizes = [np.size(s.x) for s in scans]
    kept = [s for s, n in zip(scans, sizes, strict=True) if n >= _SMALL_TABLE * max(sizes)]
    if len(kept) < len(scans):
        kept[0].warnings.append(
            f"{len(scans) - len(kept)} small tables beside the one of {max(sizes)} rows were left out"
        )
    return kept


def _free_format(text: str) -> Table | None:
    """Three numbers ``start step stop`` with that many intensities after them (FullProf INSTRM 0, DBWS), else None."""
    offset = 0
    for _ in range(_FREE_HEADER):
        end = text.find("\n", offset)
        if end < 0:
            return None
        numbers = _THREE_NUMBERS.match(text, offset, end)
        if numbers is not None:
            start, step, stop = (float(x) for x in numbers.groups())
            n = round((stop - start) / step) + 1 if step > 0 and stop > start else 0
            body = text[end + 1 :]
            # Cheap before dear: as many intensities as the axis has points need twice as many characters.
            if _FEWEST_FREE <= n <= len(body) and abs((n - 1) * step - (stop - start)) < step / 2:
                try:
                    values = parse_numbers(body)
                except ValueError:
                    return None
                if values.size == n:
                    x = start + step * np.arange(n)
                    return Table(np.column_stack([x, values]), text[: end + 1].splitlines(), Dialect(None))
        offset = end + 1
    return None


def _to_scan(table: Table, source: Source) -> Scan | None:
    values = table.values
    if values.shape[0] < 2 or values.shape[1] < 2:
        return None
    titles = _titles(table)
    if table.labels is not None or (titles is None and _is_row_wise(values)):
        scan = _rows(table)
    elif not _is_axis(values[:, 0 if titles is None else _axis_column(titles)[0]]):
        return None
    else:
        scan = _columns(table, titles, source.suffix)
    if scan.kind is None:
        named = axis_of_words(table.header)
        if named is not None:
            scan.kind, scan.x = named.kind, to_our_axis(np.asarray(scan.x, dtype=np.float64), named, scan.warnings)
        elif source.suffix == ".gr":
            scan.kind = "r"
    facts = facts_of(table.header)
    if scan.kind in (None, "two_theta", "q", "d", "energy"):
        scan.radiation = radiation_of(table.header)
    scan.meta.update(facts)
    scan.warnings += table.warnings
    if scan.unit == "unknown" and _all_whole(np.asarray(scan.y)):
        scan.unit = "counts"
    return scan


def _titles(table: Table) -> list[str] | None:
    """Column titles: the nearest header line with as many words as there are columns (a line of units may follow)."""
    width = table.values.shape[1]
    filled = [line for line in table.header if line.strip(" \t#!%*")]
    for line in reversed(filled[-2:]):
        titles = split_fields(line, width)
        if titles is not None and any(axis_of_title(t) or role_of_title(t) for t in titles):
            above = split_fields(filled[-2], width) if line is filled[-1] and len(filled) > 1 else None
            if above is not None and (axis_of_title(above[0]) is not None):
                titles = [f"{a} [{b}]" for a, b in zip(above, titles, strict=True)]
            return titles
    if width > 2 and filled:
        return split_fields(filled[-1], width)
    return None


def _is_row_wise(values: NDArray[np.float64]) -> bool:
    """Whether the first row is an axis: long, strictly monotonic, and the first column is none."""
    if values.shape[1] < _MANY:
        return False
    across, down = np.diff(values[0]), np.diff(values[:, 0])
    return bool(((across > 0).all() or (across < 0).all()) and not ((down > 0).all() or (down < 0).all()))


def _is_axis(column: NDArray[np.float64]) -> bool:
    """Whether a column runs one way but for single points: a table of results (compositions, fits) does not."""
    steps = np.diff(column[np.isfinite(column)])
    if not np.isfinite(column).any():
        return True  # no number at all: told later with the count of usable points
    back = min(np.count_nonzero(steps > 0), np.count_nonzero(steps < 0))
    return bool((steps != 0).any() and back <= max(1, _BACKWARD * steps.size))


def _rows(table: Table) -> Scan:
    """One pattern a row."""
    scan = Scan(table.values[0], table.values[1:], kind=None)
    if table.labels is not None:
        scan.meta["label"] = table.labels[1:]
        scan.name = [f"{label}#{i}" for i, label in enumerate(table.labels[1:], 1)]
    scan.warnings.append(f"one pattern a row: the first row was taken as the axis of {len(table.values) - 1} patterns")
    return scan


def _columns(table: Table, titles: list[str] | None, suffix: str) -> Scan:
    """One pattern a column, after the axis."""
    values = table.values
    if titles is None:
        return _unnamed_columns(values, suffix)
    at, meaning = _axis_column(titles)
    roles = {i: role_of_title(t) for i, t in enumerate(titles) if i != at}
    ys = [i for i, role in roles.items() if role == "intensity"]
    ys = ys[:1] if ys else [i for i, role in roles.items() if role == "" and (i > at or at == 0)]
    if not ys:
        ys = [i for i in roles if i > at][:1] or [next(iter(roles))]
    sigmas = [i for i, role in roles.items() if role == "sigma" and len(ys) == 1]
    scan = Scan(values[:, at], values[:, ys].T, kind=meaning.kind, unit=unit_of_title(titles[ys[0]]))
    scan.x = to_our_axis(values[:, at], meaning, scan.warnings)
    if len(ys) > 1:
        scan.name = [titles[i] for i in ys]
    if sigmas and _can_be_sigma(values[:, sigmas[-1]]):
        scan.sigma = values[:, sigmas[-1]]
    used = {at, *ys, *sigmas}
    if len(used) < len(titles):
        left = ", ".join(t for i, t in enumerate(titles) if i not in used)
        scan.warnings.append(f"columns {titles[at]} and {titles[ys[0]]} were read; left out: {left[:120]}")
    return scan


def _axis_column(titles: list[str]) -> tuple[int, Meaning]:
    """Which column is the axis: the first, unless that only numbers the points."""
    if role_of_title(titles[0]) == "index":
        named = {i: axis for i, t in enumerate(titles) if (axis := axis_of_title(t)) is not None}
        order = ("two_theta", "q", "d", "raman_shift", "energy", "wavenumber", "wavelength")
        ranked = sorted(
            (i for i in named if i > 0 and named[i].kind in order), key=lambda i: order.index(str(named[i].kind))
        )
        if ranked:
            return ranked[0], named[ranked[0]]
    return 0, axis_of_title(titles[0]) or Meaning(None)


def _unnamed_columns(values: NDArray[np.float64], suffix: str) -> Scan:
    scan = Scan(values[:, 0], values[:, 1:].T, kind=None)
    if values.shape[1] == 3 and _can_be_sigma(values[:, 2]):
        told = suffix in _WITH_SIGMA
        looks = np.median(np.abs(values[:, 2])) < np.median(np.abs(values[:, 1])) and not _all_whole(values[:, 2])
        if told or looks:
            scan.y, scan.sigma = values[:, 1], values[:, 2]
            if not told:
                scan.warnings.append("the third column was taken as the uncertainty of the second")
    elif values.shape[1] > 3:
        scan.warnings.append(f"columns 2 to {values.shape[1]} have no titles: each was read as one pattern")
    return scan


def _can_be_sigma(column: NDArray[np.float64]) -> bool:
    finite = column[np.isfinite(column)]
    return bool(finite.size and (finite >= 0).all() and (finite > 0).any())


def _all_whole(y: NDArray[np.floating]) -> bool:
    finite = y[np.isfinite(y)]
    return bool(finite.size and (finite >= 0).all() and (finite == np.rint(finite)).all() and finite.max() > 1)


TEXT = Format(
    "text",
    "text tables of any dialect (columns or rows; any separator, comments, decimal commas, any encoding)",
    (".xy", ".xye", ".csv", ".tsv", ".dat", ".txt", ".asc", ".gr", ".xyd", ".prn"),
    _sniff,
    _read,
    write_text,
    (".xy", ".xye", ".csv"),
)
