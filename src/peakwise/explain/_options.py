"""One sentence for every bad option of this room."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TYPE_CHECKING

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["chosen", "number", "whole"]


def whole(what: str, name: str, value: object, least: int, do: str) -> int:
    """Return the option as an integer, or raise."""
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise OptionError(what, f"{name} must be a whole number of at least {least}, got {value!r}", do)
    return int(value)


def number(what: str, name: str, value: object, limits: tuple[float, float], do: str) -> float:
    """Return the option as a float strictly between the limits, or raise."""
    low, high = limits
    found = math.nan
    # True is a number to Python; nobody means it as one.
    if not isinstance(value, bool) and isinstance(value, Real):
        found = float(value)
    if not low < found < high:
        bounds = f"above {low:g}" + (f" and below {high:g}" if math.isfinite(high) else "")
        raise OptionError(what, f"{name} must be a number {bounds}, got {value!r}", do)
    return found


def chosen(what: str, value: object, names: Iterable[str]) -> str:
    """Return the name of a method, or raise with the names there are."""
    names = tuple(names)
    if not isinstance(value, str) or value not in names:
        raise OptionError(what, f"method must be one of {', '.join(names)}, got {value!r}", "Use one of these names")
    return value
