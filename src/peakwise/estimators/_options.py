"""One sentence for a bad option of an estimator: what it must be, what was got, what to do."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from peakwise.errors import OptionError

__all__ = ["option_error", "real_option", "whole_option"]


def option_error(estimator: object, name: str, must: str, do: str) -> OptionError:
    """The error for the option `name` of an estimator."""
    got: Any = getattr(estimator, name)
    return OptionError(f"cannot fit {type(estimator).__name__}", f"{name} must be {must}, got {got!r:.80}", do)


def whole_option(estimator: object, name: str, least: int = 1) -> int:
    """The option as a whole number of at least `least`."""
    value = getattr(estimator, name)
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < least:
        raise option_error(estimator, name, f"a whole number of at least {least}", f"Give {least} or more")
    return int(value)


def real_option(estimator: object, name: str, least: float = 0.0, *, or_above: bool = True) -> float:
    """The option as a finite number of at least `least`, or above it."""
    value = getattr(estimator, name)
    is_number = not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(float(value))
    if is_number and (float(value) > least or (or_above and float(value) == least)):
        return float(value)
    must = f"a finite number {'of at least' if or_above else 'above'} {least:g}"
    raise option_error(estimator, name, must, "Give such a number, or leave the default")
