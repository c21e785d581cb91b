"""Histograms that LAMMPS writes: ``compute xrd`` through ``fix ave/histo/weight`` (documentation, "compute xrd")."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_columns"]

_HEAD, _ROW = 6, 4  # words of the two kinds of line in a histogram


def read_columns(text: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    r"""Positions and values of a profile.

    A histogram has comment lines with ``#``, then for each time step a line ``STEP BINS TOTAL MISSING MIN MAX`` and as
    many lines ``BIN COORDINATE COUNT COUNT/TOTAL``; the last time step counts. Anything else is read as two columns.

    >>> head = "# Histogram-averaged data for fix 4\n# TimeStep Number-of-bins Total-counts Missing-counts Min Max\n"
    >>> x, y = read_columns(head + "# Bin Coord Count Count/Total\n0 2 9 0 30 90\n1 45 6 0.6\n2 75 3 0.3\n")
    >>> x.tolist(), y.tolist()
    ([45.0, 75.0], [6.0, 3.0])
    """
    lines = [line.split("#", 1)[0].replace(",", " ").split() for line in text.splitlines()]
    rows = [line for line in lines if line]
    while rows and not _is_number(rows[0][0]):
        rows.pop(0)  # a line of column titles
    if len(rows) > 1 and len(rows[0]) == _HEAD and len(rows[1]) == _ROW and rows[0][1].isdigit():
        n = int(rows[0][1])
        if n < 1 or len(rows) % (n + 1) or any(len(r) != _ROW for r in rows[-n:]):
            raise ValueError(f"a histogram of {n} bins does not fit {len(rows)} lines")
        table = np.array([[float(v) for v in r[1:3]] for r in rows[-n:]])
    else:
        table = np.array([[float(v) for v in r[:2]] for r in rows if len(r) > 1])
    if table.ndim != 2 or table.shape[1] != 2 or len(table) < 2:
        raise ValueError("no two columns of numbers")
    return table[:, 0], table[:, 1]


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
