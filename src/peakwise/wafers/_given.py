"""What this room is given, checked: patterns as rows, places as rows, numbers within limits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["count", "member", "rows_of", "size"]


def rows_of(what: str, name: str, values: ArrayLike, *, least: int = 1, like: int | None = None) -> NDArray[np.float64]:
    """Return a finite table of numbers with a row for each pattern or place (`like`: how many there must be)."""
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise OptionError(what, f"{name} must be a table of numbers, got {problem}", "Give plain numbers") from problem
    if table.ndim != 2 or table.shape[0] < least or table.shape[1] < 1:
        why = f"{name} must have at least {least} row{'s' * (least != 1)} of numbers, got the shape {table.shape}"
        raise OptionError(what, why, "Give one row for each pattern")
    if like is not None and len(table) != like:
        why = f"{name} must have {like} rows, one for each pattern, got {len(table)}"
        raise OptionError(what, why, "Give them in the order of the patterns")
    bad = ~np.isfinite(table)
    if bad.any():
        first = int(np.flatnonzero(bad.any(axis=1))[0])
        why = f"{name} must be finite, got {int(bad.sum())} values that are not, the first in row {first}"
        raise OptionError(what, why, "Leave those rows out, or crop the points")
    return table


def count(what: str, name: str, value: Any, least: int, most: float = math.inf) -> int:
    """Return a whole number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
        limit = f"at least {least}" if most == math.inf else f"{least} to {most:g}"
        raise OptionError(what, f"{name} must be a whole number, {limit}, got {value!r}", "Choose another")
    return int(value)


def size(what: str, name: str, value: Any, least: float, most: float = math.inf) -> float:
    """Return a finite number from `least` to `most`."""
    plain = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not plain or not math.isfinite(value) or not least <= value <= most:
        limit = f"at least {least:g}" if most == math.inf else f"{least:g} to {most:g}"
        raise OptionError(what, f"{name} must be a number, {limit}, got {value!r}", "Choose another")
    return float(value)


def member(what: str, name: str, value: Any, names: Iterable[str]) -> str:
    """Return one of these names."""
    known = list(names)
    if value not in known:
        raise OptionError(what, f"{name} must be one of {', '.join(known)}, got {value!r}", "Choose one")
    return str(value)
