"""Small tables beside a series: a row a pattern, with its label or its value."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

from peakwise.errors import NothingToReadError, ReadError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.cli._output import Output
    from peakwise.patterns import Patterns

__all__ = ["match_rows", "read_columns", "read_rows"]

_NAMES = ("pattern", "scan", "file", "name")
_PACKED = {".gz", ".bz2", ".xz"}
_MOST_BYTES = 100_000_000
_NAMED = 3  # unknown patterns that are named


def read_rows(file: str, columns: Sequence[str], what: str) -> tuple[list[str], list[str], str]:
    """Names of patterns, the texts beside them in the first of these columns that is there, and its name."""
    rows, head = _cells(file, what)
    which = next((head.index(name) for name in _NAMES if name in head), None)
    wanted = next((head.index(c.lower()) for c in columns if c.lower() in head), None)
    if which is None or wanted is None:
        missing = "pattern" if which is None else columns[0]
        why = f"its first line must name the columns pattern and {columns[0]}, got {', '.join(head)!r:.120}"
        raise ReadError(what, f"it has no column {missing!r}: {why}", "Add that line", file=file)
    names, texts = [], []
    for row in rows[1:]:
        if len(row) > which and row[which]:
            names.append(row[which])
            texts.append(row[wanted] if len(row) > wanted else "")
    if not names:
        raise ReadError(what, "it names no pattern", "Write a line for each", file=file)
    return names, texts, rows[0][wanted]


def read_columns(file: str, what: str) -> tuple[list[str], dict[str, list[str]]]:
    """Names of patterns, and the texts beside them in all other columns, by the names of the columns."""
    rows, head = _cells(file, what)
    which = next((head.index(name) for name in _NAMES if name in head), None)
    if which is None:
        why = f"its first line must name the column pattern (or scan), got {', '.join(head)!r:.120}"
        raise ReadError(what, f"it has no column 'pattern': {why}", "Add that line", file=file)
    titles = {i: one_line(cell, 60) for i, cell in enumerate(rows[0]) if i != which and cell}
    twice = next((t for t in titles.values() if list(titles.values()).count(t) > 1), None)
    if twice is not None:
        raise ReadError(what, f"it has two columns {twice!r}", "Leave one of them", file=file)
    kept = [row for row in rows[1:] if len(row) > which and row[which]]
    if not kept:
        raise ReadError(what, "it names no pattern", "Write a line for each", file=file)
    columns = {title: [row[i] if len(row) > i else "" for row in kept] for i, title in titles.items()}
    return [row[which] for row in kept], columns


def _cells(file: str, what: str) -> tuple[list[list[str]], list[str]]:
    """All cells of a table, and its first line in small letters."""
    lines = _lines(file, what)
    comma = max(",;\t", key=lines[0].count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=comma)]
    return rows, [one_line(cell, 60).lower() for cell in rows[0]]


def match_rows(
    out: Output, patterns: Patterns, names: Sequence[str], texts: Sequence[str], file: str, what: str
) -> dict[int, str]:
    """Text of each pattern, by its number, where there is one.

    Patterns are named by the names in the answer, by their files with or without folder and suffix, or, if every row
    is a whole number and no name, by number from 0.
    """
    known = _keys(patterns)
    left_out = {key for problem in out.failed for key in _spellings(str(problem.file))}
    found: dict[int, str] = {}
    places = [_find(known, name) for name in names]
    if not any(p is not None for p in places) and all(name.isdecimal() for name in names):
        places = [int(name) if int(name) < len(patterns) else None for name in names]
        out.warnings.append(f"{Path(file).name} names patterns by number: they are counted from 0")
    unknown = [n for n, p in zip(names, places, strict=True) if p is None and not left_out & set(_spellings(n))]
    if unknown:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        told = ", ".join(one_line(n, 60) for n in unknown[:_NAMED]) + more
        one = "a pattern that is" if len(unknown) == 1 else f"{len(unknown)} patterns that are"
        do = f"Names are as {patterns.names[0]}, those of the files, or numbers from 0 to {len(patterns) - 1}"
        raise ReadError(what, f"it names {one} not in the series: {told}", do, file=file)
    for name, place, text in zip(names, places, texts, strict=True):
        if place is None or not text:
            continue
        if found.setdefault(place, text) != text:
            why = f"{one_line(name, 60)} stands there twice, with {found[place]!r:.40} and {text!r:.40}"
            raise ReadError(what, why, "Leave one of them", file=file)
    return found


def _lines(file: str, what: str) -> list[str]:
    path = Path(file).expanduser()
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ReadError(what, f"it is larger than {_MOST_BYTES} bytes", "Give a table of two columns", file=file)
        raw = path.read_bytes()
    except (OSError, ValueError) as problem:
        told = getattr(problem, "strerror", None) or str(problem)
        raise NothingToReadError(what, told, "Check the path", file=file) from problem
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or "\0" in text:
        why = "it is empty" if not lines else "it is no text"
        raise ReadError(what, why, "Give a table with the columns pattern and label or value", file=file)
    return lines


def _keys(patterns: Patterns) -> dict[str, int | None]:
    """Number of the pattern of each spelling; None where two patterns share it."""
    known: dict[str, int | None] = {}
    exact = {str(name): i for i, name in enumerate(patterns.names)}
    if all(name.isdecimal() for name in exact) and len({int(name) for name in exact}) == len(exact):
        exact |= {str(int(name)): i for name, i in exact.items()}  # a spreadsheet takes zeros off 007
    sources = [patterns.meta[k] for k in ("source", "file") if k in patterns.meta]
    for i, name in enumerate(patterns.names):
        # A file names its pattern only where it holds one; otherwise its spellings are shared and become None.
        spellings = {s for text in (name, *(column[i] for column in sources)) for s in _spellings(str(text))}
        for spelling in spellings - exact.keys():
            known[spelling] = None if spelling in known else i
    return known | exact


def _find(known: dict[str, int | None], name: str) -> int | None:
    for spelling in _spellings(name):
        if known.get(spelling) is not None:
            return known[spelling]
    return None


def _spellings(name: str) -> list[str]:
    """The name itself, without its folder, and without its suffixes."""
    bare = name.replace("\\", "/").rsplit("/", 1)[-1]
    made = [name, bare]
    path = Path(bare)
    if path.suffix.lower() in _PACKED:
        path = path.with_suffix("")
        made.append(path.name)
    if path.suffix and not path.suffix[1:].isdecimal():
        made.append(path.stem)
    return list(dict.fromkeys(made))
