"""A small table of text, read safely: its cells, the names of its columns and what they are, its numbers."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import LimitError, NothingToReadError, ReadError, one_line

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ELEMENTS", "READ", "Sheet", "column_of", "numbers_of", "read_sheet", "roles_of"]

READ = "cannot read the table of the library"
# Up to plutonium: beyond, nobody sputters, and No is more often a number than nobelium.
_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb "
    "Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu "
    "Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu "
)
ELEMENTS = frozenset(_SYMBOLS.split())
_MOST_BYTES, _MOST_ROWS, _MOST_COLUMNS = 1 << 24, 200_000, 200
_SCAN = ("scan", "pattern", "file", "filename", "file name", "name", "sample", "spectrum")
_UNIT = r"[\s_,./(\[-]*(?:at|atomic|mol)?[\s_.-]*(?:%|pct|percent|frac|fraction)[\s)\]]*|[\s_(\[]+at\.?[)\]]*"
_ELEMENT = re.compile(rf"(?:[cx]\s?[_(\[ ]\s?)?([A-Z][a-z]?)[)\]]?(?:{_UNIT})?")
_PLACE = re.compile(
    r"(?:(?:position|pos|wafer|stage|sample)[\s_-]?)?([xy])(?:[\s_-]?(?:position|pos|coordinate|coord))?"
    r"(?:[\s_]?[(\[]?(?:mm|cm|um|µm)[)\]]?)?",
    re.IGNORECASE,
)
_LONGEST_NAME = 60  # characters of a name of a column that are looked at

# Names of columns (None where the table has none), and its rows, all of one length.
Sheet = tuple[list[str] | None, list[list[str]]]


def read_sheet(file: str | os.PathLike[str]) -> Sheet:
    """Return the names of the columns, if there are any, and the cells of all rows.

    A first line without a single number is one of names; so is a last line of comment (#) that has as many cells as the
    numbers below it, as numpy writes it.
    """
    lines = _text(file).splitlines()
    begun = [line for line in lines if line.strip()]
    comments = [line.lstrip("# ") for line in begun[: _first_row(begun)]]
    plain = [line for line in begun if not line.lstrip().startswith("#")]
    if not plain:
        raise ReadError(READ, "it must have a row for each scan, and is empty", "Write the table again", file=file)
    if len(plain) > _MOST_ROWS:
        why = f"it has {len(plain)} rows, at most {_MOST_ROWS} are read"
        raise LimitError(READ, why, "Give the table of one library", file=str(file))
    rows = _split(plain, file)
    width = len(rows[0])
    if width > _MOST_COLUMNS:
        why = f"it has {width} columns, at most {_MOST_COLUMNS} are read"
        raise LimitError(READ, why, "Give a row for each scan, not a column", file=str(file))
    odd = next((i for i, row in enumerate(rows) if len(row) != width), None)
    if odd is not None:
        why = f"all rows must have {width} columns as the first, row {odd + 1} has {len(rows[odd])}"
        raise ReadError(READ, why, "Fill that row, or leave it out", file=file)
    if _are_names(rows[0]):
        return rows[0], rows[1:]
    above = _split(comments[-1:], file)[0] if comments else []
    return (above if len(above) == width and _are_names(above) else None), rows


def roles_of(names: Sequence[str]) -> list[str]:
    """What each column is: an element, x, y, scan, "" (to be left out) or other.

    >>> roles_of(["File", "X (mm)", "Y (mm)", "Fe (at.%)", "c_Pd", "region"])
    ['scan', 'x', 'y', 'Fe', 'Pd', 'other']
    >>> roles_of(["Y", "Ba", "Cu"])
    ['Y', 'Ba', 'Cu']
    """
    short = [name.strip()[:_LONGEST_NAME] for name in names]
    places = [_PLACE.fullmatch(name) for name in short]
    letters = [p[1].lower() if p else "" for p in places]
    is_placed = letters.count("x") == 1 and letters.count("y") == 1
    roles: list[str] = []
    for name, letter in zip(short, letters, strict=True):
        element = _ELEMENT.fullmatch(name)
        if name in ("", "-"):
            roles.append("")
        elif letter and is_placed:
            roles.append(letter)
        elif element and element[1] in ELEMENTS:
            roles.append(element[1])
        elif name.lower() in _SCAN and "scan" not in roles:
            roles.append("scan")
        else:
            roles.append("other")
    return roles


def numbers_of(cells: Sequence[str], name: str, file: str | os.PathLike[str]) -> NDArray[np.float64]:
    """Return a column of finite numbers."""
    made = np.empty(len(cells))
    for i, cell in enumerate(cells):
        value = _number(cell)
        if value is None or not np.isfinite(value):
            why = f"column {one_line(name, 30)!r} must hold numbers, row {i + 1} has {one_line(cell, 30)!r}"
            raise ReadError(READ, why, "Fill it, or leave out that row and its scan", file=file)
        made[i] = value
    return made


def column_of(cells: Sequence[str]) -> NDArray[np.float64] | NDArray[np.str_]:
    """Return a column of numbers where all cells are numbers or empty, else of text."""
    values = [_number(cell) if cell else np.nan for cell in cells]
    if all(v is not None for v in values) and any(cells):
        return np.array(values, dtype=np.float64)
    return np.array([one_line(cell, 200) for cell in cells], dtype=np.str_)


def _text(file: str | os.PathLike[str]) -> str:
    path = Path(file).expanduser()
    try:
        if not path.is_file():
            told = "it is no file" if path.exists() else "no such file"
            raise NothingToReadError(READ, told, "Check the path", file=file)
        with path.open("rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as problem:
        told = getattr(problem, "strerror", None) or str(problem)
        raise NothingToReadError(READ, told, "Check the path and its permissions", file=file) from problem
    if len(raw) > _MOST_BYTES:
        why = f"it is larger than {_MOST_BYTES} bytes"
        raise LimitError(READ, why, "Give a table with a row for each scan", file=str(file))
    if b"\0" in raw:
        raise ReadError(READ, "it must be text, and holds zero bytes", "Save it as CSV (UTF-8)", file=file)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _first_row(lines: Sequence[str]) -> int:
    return next((i for i, line in enumerate(lines) if not line.lstrip().startswith("#")), len(lines))


def _split(lines: Sequence[str], file: str | os.PathLike[str]) -> list[list[str]]:
    """Cells of lines, parted by the first of tab, semicolon and comma that is there, else by blanks."""
    mark = next((m for m in "\t;," if lines and m in lines[0]), None)
    try:
        rows = [line.split() for line in lines] if mark is None else list(csv.reader(lines, delimiter=mark))
    except csv.Error as problem:
        raise ReadError(READ, f"it is no table ({problem})", "Save it as CSV again", file=file) from problem
    made = [[cell.strip() for cell in row] for row in rows]
    # Cells with a decimal comma, in a table that other marks part.
    return [[re.sub(r"(?<=\d),(?=\d)", ".", c) for c in row] for row in made] if mark != "," else made


def _are_names(cells: Sequence[str]) -> bool:
    return any(cells) and all(_number(cell) is None for cell in cells)


def _number(cell: str) -> float | None:
    try:
        return float(cell) if "_" not in cell else None  # Python reads 1_000 as a number, nobody else does
    except ValueError:
        return None
