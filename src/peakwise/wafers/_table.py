"""Tables of compositions and positions on a wafer, as people write them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import OptionError, ReadError, one_line
from peakwise.wafers._sheet import ELEMENTS, READ, column_of, numbers_of, read_sheet, roles_of

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LibraryTable", "read_library"]

_ADDS = 0.02  # of the whole that a composition may be off, as EDX gives it
_SAID = 0.005  # from here on a warning says so


@dataclass(frozen=True, slots=True, eq=False)
class LibraryTable:
    """A table of a library: a row for each place.

    Attributes
    ----------
    elements : tuple of str
        As the table orders them; empty where it has positions only.
    fractions : ndarray of shape (n, e) or None
        Of each element; each row adds to 1.
    places : ndarray of shape (n, 2) or None
        x and y, in the unit of the table.
    names : tuple of str or None
        Which scan each row is about; None where the rows are in the order of the scans.
    others : dict of str to ndarray
        All other columns: numbers where all of them are, else text.
    warnings : tuple of str
    """

    elements: tuple[str, ...]
    fractions: NDArray[np.float64] | None
    places: NDArray[np.float64] | None
    names: tuple[str, ...] | None = None
    others: dict[str, NDArray[np.float64] | NDArray[np.str_]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        rows = self.places if self.fractions is None else self.fractions
        return 0 if rows is None else len(rows)


def read_library(
    file: str | os.PathLike[str], *, columns: Sequence[str] | None = None, rest: str | None = None
) -> LibraryTable:
    r"""Read a table of compositions, positions or both (CSV, TSV, or columns parted by semicolons or blanks).

    Parameters
    ----------
    file : path-like
    columns : sequence of str, optional
        What the columns are, where the table has no line of names, or wrong ones: element symbols, ``x`` and ``y``,
        ``scan`` for the scan or file that a row is about, ``-`` for what is left out, any other name for what is kept
        beside them.
    rest : str, optional
        The element that makes up the rest to 1 (or 100) and has no column.

    Returns
    -------
    LibraryTable

    Notes
    -----
    Columns are recognised by their names: ``Fe``, ``c_Fe``, ``Fe (at.%)``, ``x``, ``Y (mm)``, ``scan``, ``file``. Where
    there are an x and a y they are positions; a Y without an x is yttrium. Compositions that add to 100 are percent.
    They may be off by 2 %, as those of EDX are, and are made to add to 1; from 0.5 % on a warning says so. Percent by
    weight are not converted.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "edx.csv"
    ...     _ = path.write_text("x,y,Fe,Ga\n0,0,25,75\n0,5,50,50\n")
    ...     table = read_library(path)
    >>> table.elements, table.fractions.tolist(), table.places.tolist()
    (('Fe', 'Ga'), [[0.25, 0.75], [0.5, 0.5]], [[0.0, 0.0], [0.0, 5.0]])
    """
    given, rows = read_sheet(file)
    if not rows:
        raise ReadError(READ, "it has names of columns and no row below them", "Add a row for each scan", file=file)
    names = _names(given, columns, len(rows[0]), file)
    roles = roles_of(names)
    cells = list(zip(*rows, strict=True))
    elements = tuple(role for role in roles if role in ELEMENTS)
    _check_elements(elements, rest, file)
    notes: list[str] = []
    fractions = places = None
    if elements:
        table = np.column_stack([numbers_of(cells[roles.index(e)], e, file) for e in elements])
        fractions, elements = _add_up(table, elements, rest, file, notes), elements + ((rest,) if rest else ())
    if "x" in roles:
        places = np.column_stack([numbers_of(cells[roles.index(c)], c, file) for c in ("x", "y")])
    if fractions is None and places is None:
        told = ", ".join(one_line(n, 30) for n in names)
        why = f"it must have columns of elements, or x and y, got {one_line(told, 200)}"
        raise ReadError(READ, why, "Name the columns in its first line, or pass columns=", file=file)
    scans = tuple(one_line(c, 500) for c in cells[roles.index("scan")]) if "scan" in roles else None
    kept = {one_line(n, 60): column_of(cells[i]) for i, n in enumerate(names) if roles[i] == "other"}
    return LibraryTable(elements, fractions, places, scans, kept, tuple(notes))


def _names(
    given: list[str] | None, columns: Sequence[str] | None, width: int, file: str | os.PathLike[str]
) -> list[str]:
    """Names of all columns."""
    if columns is None:
        if given is None:
            why = f"its first line must name the columns, and holds numbers ({width} of them)"
            do = "Add a line such as scan,Fe,Pd,Ga, or pass columns="
            raise ReadError(READ, why, do, file=file)
        return given
    made = [columns] if isinstance(columns, str) else [str(c) for c in columns]
    if len(made) != width:
        why = f"columns must name all {width} columns of {one_line(file, 200)}, got {len(made)}"
        raise OptionError(READ, why, "Put - for those that are left out")
    return made


def _check_elements(elements: tuple[str, ...], rest: str | None, file: str | os.PathLike[str]) -> None:
    twice = next((e for e in elements if elements.count(e) > 1), None)
    if twice is not None:
        why = f"each element must have one column, {twice} has {elements.count(twice)}"
        raise ReadError(READ, why, "Pass columns= with - in the place of the others", file=file)
    if rest is not None and (rest not in ELEMENTS or rest in elements or not elements):
        why = f"rest must be the symbol of an element that has no column beside others that have, got {rest!r}"
        raise OptionError(READ, why, f"The table has {', '.join(elements) or 'no elements'}")


def _add_up(
    table: NDArray[np.float64],
    elements: tuple[str, ...],
    rest: str | None,
    file: str | os.PathLike[str],
    notes: list[str],
) -> NDArray[np.float64]:
    """Fractions that add to 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = table.sum(axis=1)
    # Without the rest any row may be far from the whole; then one number above 1.5 says that they are percent.
    whole = 100.0 if (table.max() > 1.5 if rest else np.median(total) > 10) else 1.0
    unit = "100" if whole == 100 else "1"
    low = table.min(axis=1) < -_ADDS * whole
    if low.any():
        row = int(low.argmax())
        why = f"a composition must not be below 0, row {row + 1} has {table[row].min():g}"
        raise ReadError(READ, why, "Leave out that row and its scan", file=file)
    off = total - whole if rest is None else np.maximum(total - whole, 0)
    bad = ~(np.abs(off) <= _ADDS * whole)
    if bad.any():
        row = int(bad.argmax())
        told = f"those of row {row + 1} add to {total[row]:g} ({bad.sum()} of {len(table)} rows are off)"
        why = f"{', '.join(elements)} must add to {unit}, {told}"
        raise ReadError(READ, why, "Name all elements, pass rest= or columns=, or leave out those rows", file=file)
    if np.abs(off).max() > _SAID * whole or table.min() < 0:
        notes.append(
            f"compositions were off by up to {np.abs(off).max() / whole:.1%} and were made to add to 1, none below 0"
        )
    if rest is not None:
        table = np.column_stack([table, whole - total])
    table = np.maximum(table, 0)
    return np.asarray(table / table.sum(axis=1, keepdims=True))
