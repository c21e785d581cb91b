"""Tables of numbers inside text of any dialect.

What is understood, line by line::

    file      = { header-line | row | comment | blank }
    row       = [ label separator ] number { separator number } [ separator ]
    separator = white space | tab | "," | ";" | "|"      (one kind per table)
    number    = [sign] digits [ "." or "," digits ] [ exponent ] | "nan" | "inf" | nothing (between two separators)
    exponent  = ("e" | "E" | "d" | "D") [sign] digits
    comment   = ("#" | "!" | "%" | "//" | "*" | "'" | '"' | ";" without a number) anything

A table is a run of rows with the same number of fields; comments and blank lines inside it are passed over. A header
in between, or an axis that starts again, begins the next table. Anything else between two rows is damage, and is
refused with its line number rather than left out.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import DamagedFileError
from peakwise.io._limits import MAX_POINTS
from peakwise.io._numbers import parse_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Dialect", "Table", "find_tables", "split_fields"]

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eEdD][+-]?\d+)?"
_COMMA_NUMBER = r"[+-]?(?:\d+(?:,\d+)?|,\d+)(?:[eEdD][+-]?\d+)?"
_SPECIAL = r"[+-]?(?:nan|inf|infinity|n/a|-+)"
_IS_NUMBER = re.compile(rf"(?:{_NUMBER}|{_SPECIAL})", re.IGNORECASE)
_IS_COMMA_NUMBER = re.compile(rf"(?:{_COMMA_NUMBER}|{_SPECIAL})", re.IGNORECASE)
_HAS_DECIMAL_COMMA = re.compile(r"\d,\d")
_COMMENT = re.compile(r"\s*(?:[#!%*]|//|['\";](?!\s*[+-]?[\d.]))")
_FEWEST_ROWS = 3
_NEAR = 20  # lines within which three rows must come, comments between them included
_LETTER, _DIGIT = re.compile(r"[A-Za-z]"), re.compile(r"\d")
_WORDS = re.compile(r"[A-CF-Za-cf-z#]")  # no letter of a number
_SHORT_HEADER = 10  # a header in the first tenth of a text is short against its table
_FIRST_LINES = 400  # header lines looked at before the dialect must be clear; longer headers take the slow way


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the fields of a row are parted and how numbers are written."""

    separator: str | None  # None: white space
    decimal_comma: bool = False

    def fields(self, line: str) -> list[str]:
        """Split a row; one separator at the end does not open another field."""
        if self.separator is None:
            return line.split()
        parts = [p.strip().strip("\"'") for p in line.strip().split(self.separator)]
        return parts[:-1] if len(parts) > 1 and not parts[-1] else parts

    def number(self, text: str) -> float | None:
        """The value of a field, NaN for an empty one, None where it is no number."""
        if not text:
            return math.nan
        pattern = _IS_COMMA_NUMBER if self.decimal_comma else _IS_NUMBER
        if not pattern.fullmatch(text):
            return None
        plain = text.replace(",", ".") if self.decimal_comma else text
        if plain.strip("+-") in ("", "n/a", "N/A"):
            return math.nan
        return float(plain.replace("d", "e").replace("D", "E") if plain[-1:].isdigit() else plain)

    def row(self, line: str) -> list[float] | None:
        """All numbers of a row, or None where the line is no row of at least two fields."""
        fields = self.fields(line)
        if len(fields) < 2:
            return None
        quick = [f.replace(",", ".") for f in fields] if self.decimal_comma else fields
        if "_" not in line and any(fields):
            try:  # most rows are plain numbers, and Python reads these several times faster than a pattern
                return [float(f) if f else math.nan for f in quick]
            except ValueError:
                pass
        values = [self.number(f) for f in fields]
        if any(v is None for v in values) or all(f == "" for f in fields):
            return None
        return [v for v in values if v is not None]


_DIALECTS = (
    Dialect(None),
    Dialect(","),
    Dialect("\t"),
    Dialect(";"),
    Dialect("|"),
    Dialect(None, decimal_comma=True),
    Dialect(";", decimal_comma=True),
    Dialect("\t", decimal_comma=True),
)


@dataclass(slots=True)
class Table:
    """One table: its numbers, the lines above it, and the dialect it is written in."""

    values: NDArray[np.float64]
    header: list[str]
    dialect: Dialect
    labels: list[str] | None = None
    warnings: list[str] = field(default_factory=list)


def find_tables(text: str) -> list[Table]:
    """Return every table of a text, in its order; an empty list where there is none."""
    text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    for offset in _beginnings(text):
        dialect = _dialect_of(_first_lines(text, offset))
        values = None if dialect is None else _parse_at_once(text[offset:], dialect)
        if values is not None and dialect is not None:
            return [Table(values, text[:offset].splitlines(), dialect)]
    lines = text.splitlines()
    return _LineParser(lines).tables() or _labelled_rows(lines)


def _beginnings(text: str) -> list[int]:
    """Where a table that runs to the end of the text may begin: at the first row, or after the last line with a letter.

    The second is taken only where the header is so short against the table that no table in it could count.
    """
    found = []
    offset = 0
    window: list[tuple[int, str]] = []
    for _ in range(_FIRST_LINES):
        end = text.find("\n", offset)
        window = [*window, (offset, text[offset : end if end >= 0 else len(text)])][-_FEWEST_ROWS:]
        if all(_may_begin(x) for _, x in window) and _dialect_of([x for _, x in window]) is not None:
            found.append(window[0][0])
            break
        if end < 0:
            return found
        offset = end + 1
    last = None
    for last in _WORDS.finditer(text, 0, len(text) // _SHORT_HEADER):  # noqa: B007 - the last match is what is wanted
        pass
    if last is not None:
        after = text.find("\n", last.end()) + 1
        if after and after not in found:
            found.append(after)
    return found


def _first_lines(text: str, offset: int) -> list[str]:
    lines = []
    for _ in range(_FEWEST_ROWS):
        end = text.find("\n", offset)
        lines.append(text[offset : end if end >= 0 else len(text)])
        if end < 0:
            break
        offset = end + 1
    return lines


def _dialect_of(lines: list[str]) -> Dialect | None:
    """The first dialect in which all lines are rows of the same width."""
    if len(lines) < _FEWEST_ROWS or not all(x.strip() for x in lines):
        return None
    for dialect in _DIALECTS:
        if dialect.decimal_comma and not any(_HAS_DECIMAL_COMMA.search(x) for x in lines):
            continue
        if dialect.separator is not None and dialect.separator not in lines[0]:
            continue
        rows = [dialect.row(x) for x in lines]
        if all(r is not None and len(r) == len(rows[0] or ()) for r in rows):
            return dialect
    return None


def _parse_at_once(body: str, dialect: Dialect) -> NDArray[np.float64] | None:
    """All rows in one call where the text holds nothing but rows; None where it must be read line by line."""
    body = body.rstrip("\n\r\t \x1a")
    first = body[: body.find("\n")] if "\n" in body else body
    width = len(dialect.fields(first))
    n_lines = body.count("\n") + 1
    if width < 2 or n_lines * width > MAX_POINTS:
        return None
    plain = body
    if dialect.separator not in (None, "\t"):
        mark = str(dialect.separator)
        if first.rstrip().endswith(mark):
            plain = re.sub(rf"{re.escape(mark)}[ \t]*(?=\n|$)", "", plain)
        if plain.count(mark) != n_lines * (width - 1):
            return None
        rows = _rows_of(plain.replace(mark, " "), width, n_lines, dialect)
        if rows is not None:
            return rows
        plain = re.sub(rf"(?<={re.escape(mark)})[ \t]*(?={re.escape(mark)})", "nan", plain).replace(mark, " ")
    return _rows_of(plain, width, n_lines, dialect)


def _rows_of(plain: str, width: int, n_lines: int, dialect: Dialect) -> NDArray[np.float64] | None:
    """Numbers parted by white space as rows; None where there is anything else, or a blank line between them.

    A blank line may begin another table, which is seen only line by line.
    """
    try:
        rows = parse_rows(plain.replace(",", ".") if dialect.decimal_comma else plain, width)
    except ValueError:
        return None
    return rows if len(rows) == n_lines else None


class _LineParser:
    """The slow way: every line is a row, a comment, blank, or text."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.notes: list[str] = []

    def tables(self) -> list[Table]:
        found: list[Table] = []
        header: list[str] = []
        at = 0
        while at < len(self.lines):
            dialect = _dialect_of(self._next_rows(at)) if _may_begin(self.lines[at]) else None
            if dialect is None:
                header.append(self.lines[at])
                at += 1
                continue
            self.notes = []
            rows, at = self._rows(at, dialect)
            found.append(Table(np.array(rows), header, dialect, warnings=self.notes))
            header = []
        if found:
            found[-1].warnings += self._left_over(header, found[-1])
        return found

    def _next_rows(self, at: int) -> list[str]:
        """The next lines that could be rows: a table is recognised by three of them."""
        near = self.lines[at : at + _NEAR]
        return [x for x in near if x.strip() and not _COMMENT.match(x)][:_FEWEST_ROWS]

    def _rows(self, at: int, dialect: Dialect) -> tuple[list[list[float]], int]:
        """The rows from line `at` on, and the line after the last of them."""
        rows: list[list[float]] = []
        end, odd, gap = at, None, False
        notes = self.notes
        for number in range(at, len(self.lines)):
            line = self.lines[number]
            row = dialect.row(line) or _touching(
                line, rows, self.lines[max(at, number - _NEAR) : number], dialect, notes
            )
            if row is None or (rows and len(row) != len(rows[0])):
                if line.strip() and not _COMMENT.match(line):
                    if _is_prose(line) or (row is not None and _dialect_of(self._next_rows(number)) is not None):
                        break
                    odd = number if odd is None else odd
                gap = True
                continue
            if gap and not _goes_on(rows, row[0]):
                break
            if odd is not None:
                raise DamagedFileError(
                    "cannot read the table",
                    f"line {odd + 1} stands between rows and is none: {self.lines[odd][:60]!r}",
                    "Mend or remove that line, or copy the file again",
                )
            rows.append(row)
            end, gap = number + 1, False
        return rows, end

    @staticmethod
    def _left_over(lines: list[str], table: Table) -> list[str]:
        """What to say about lines after the last row: a row that was cut short, numbers that fit no table."""
        rest = [x for x in lines if x.strip() and not _COMMENT.match(x) and not _is_prose(x)]
        if not rest:
            return []
        if len(rest) == 1 and 0 < len(table.dialect.fields(rest[0])) < table.values.shape[1]:
            return ["the last line is incomplete and was left out: the file may be cut short"]
        return [f"{len(rest)} lines after the table were left out, the first is {rest[0][:40]!r}"]


def _touching(
    line: str, rows: list[list[float]], above: list[str], dialect: Dialect, notes: list[str]
) -> list[float] | None:
    """Two columns that touch because the second outgrew its place: ``14.1185`` and ``1260`` written as ``14.11851260``.

    They are parted only where the axis itself says where: with as many decimals as the rows above have at most (zeros
    at the end may not be written), the first number must be the next step of the axis.
    """
    text = line.strip()
    if len(rows) < 2 or len(rows[0]) != 2 or not re.fullmatch(r"\d+\.\d+", text):
        return None
    apart = [fields[0] for fields in map(dialect.fields, above) if len(fields) == 2]
    decimals = max((len(x.partition(".")[2]) for x in apart), default=0)
    cut = text.index(".") + 1 + decimals
    if decimals == 0 or cut >= len(text):
        return None
    x, y = float(text[:cut]), float(text[cut:])
    step = rows[-1][0] - rows[-2][0]
    if abs(x - rows[-1][0] - step) > 2 * 10.0**-decimals:
        return None
    notes.append(f"{text!r} was read as {text[:cut]} and {text[cut:]}: the columns touch")
    return [x, y]


def _may_begin(line: str) -> bool:
    text = line.lstrip()
    return bool(text) and (text[0].isdigit() or text[0] in "+-.,nNiI\"'")


def _is_prose(line: str) -> bool:
    """Whether a line is words (a header, a footer) rather than a damaged row, which is mostly digits."""
    letters = len(_LETTER.findall(line))
    return (letters >= 3 and letters > len(_DIGIT.findall(line)) and line.isprintable()) or line.strip() == "&"


def _goes_on(rows: list[list[float]], x: float) -> bool:
    """Whether an axis goes on in its direction rather than starting again."""
    if len(rows) < 2:
        return True
    direction = rows[-1][0] - rows[0][0]
    return (x - rows[-1][0]) * direction >= 0


_FEWEST_AXIS_FIELDS = 10  # numbers in a header line that make it an axis rather than column numbers


def _labelled_rows(lines: list[str]) -> list[Table]:
    """One pattern a row: a header line that holds the axis after some titles, then rows that begin with labels."""
    for at, line in enumerate(lines[:50]):
        for dialect in (Dialect(","), Dialect("\t"), Dialect(";"), Dialect(";", decimal_comma=True)):
            fields = dialect.fields(line)
            n_titles = next((i for i, f in enumerate(fields) if f and dialect.number(f) is not None), len(fields))
            axis = [dialect.number(f) for f in fields[n_titles:]]
            if n_titles == 0 or len(axis) < _FEWEST_AXIS_FIELDS or any(v is None for v in axis):
                continue
            steps = np.diff(np.array(axis, dtype=np.float64))
            if (steps > 0).all() or (steps < 0).all():
                return [_read_labelled(lines, at, dialect, n_titles, np.array(axis, dtype=np.float64))]
    return []


def _read_labelled(lines: list[str], at: int, dialect: Dialect, n_titles: int, axis: NDArray[np.float64]) -> Table:
    rows, labels, skipped = [axis.tolist()], [""], 0
    for number, line in enumerate(lines[at + 1 :], at + 2):
        fields = dialect.fields(line)
        values = [dialect.number(f) for f in fields[n_titles:]]
        if len(values) == axis.size and not any(v is None for v in values):
            rows.append([v for v in values if v is not None])
            labels.append(fields[0])
        elif len(rows) > 1 and line.strip():
            raise DamagedFileError(
                "cannot read the table",
                f"line {number} must hold {n_titles} labels and {axis.size} numbers, got {len(fields)} fields",
                "Mend or remove that line, or copy the file again",
            )
        else:
            skipped += bool(line.strip())
    notes = [f"{skipped} header lines between the axis and the first row were passed over"] if skipped else []
    return Table(np.array(rows), lines[: at + 1], dialect, labels=labels, warnings=notes)


def split_fields(line: str, width: int) -> list[str] | None:
    """Titles of `width` columns from a header line, whatever parts them; None where they do not fit.

    >>> split_fields("# 2Theta (deg)  Counts", 2)
    ['2Theta (deg)', 'Counts']
    >>> split_fields('"x","y_obs"', 2)
    ['x', 'y_obs']
    """
    text = re.sub(r"^\s*(?:#L\b|[#!%*;/]+)", "", line).strip().rstrip(",; \t")
    for separator in (",", ";", "|", "\t"):
        fields = next(csv.reader([text], delimiter=separator, skipinitialspace=True), [])
        if len(fields) == width and _has_words(fields):
            return [f.strip().strip("'") for f in fields]
    for pattern in (r"\s{2,}|\t", r"\s+(?![(\[])"):
        fields = [f.strip("\"'") for f in re.split(pattern, text)]
        if len(fields) == width and _has_words(fields):
            return fields
    return None


def _has_words(fields: list[str]) -> bool:
    return any(re.search(r"[^\W\d]", f) for f in fields)
