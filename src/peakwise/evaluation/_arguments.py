"""What is given to be judged, checked: one sentence for every argument that cannot be meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["numbers", "pairs", "refuse", "share", "truths", "whole"]


def refuse(name: str, must: str, got: object, do: str) -> OptionError:
    """The error for an argument."""
    return OptionError("cannot judge the answers", f"{name} must be {must}, got {got}", do)


def numbers(
    name: str, values: ArrayLike, *, ndim: tuple[int, ...] = (1,), least: int = 1, finite: bool = False
) -> NDArray[np.float64]:
    """Return at least so many numbers that are not NaN (and not infinite), in as many dimensions as allowed."""
    try:
        made = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise refuse(name, "numbers", f"something else ({problem})", "Give plain numbers") from problem
    if made.ndim not in ndim:
        must = f"numbers in {' or '.join(map(str, ndim))} dimensions"
        raise refuse(name, must, f"the shape {made.shape}", "Give one number for each answer")
    if len(made) < least:
        raise refuse(name, f"at least {least} numbers", len(made), "Judge more answers")
    if np.isnan(made).any():
        raise refuse(name, "numbers", f"{int(np.isnan(made).sum())} NaN", "Leave out what has no value")
    if finite and np.isinf(made).any():
        raise refuse(name, "finite", "infinite ones", "Bound them")
    return made


def truths(name: str, values: ArrayLike, count: int) -> NDArray[np.bool_]:
    """Return so many truth values; 0 and 1 are taken as well."""
    made = numbers(name, values)
    if made.size != count:
        raise refuse(name, f"{count} truth values, one for each answer", made.size, "Give one for each answer")
    if not np.isin(made, (0, 1)).all():
        odd = made[~np.isin(made, (0, 1))][0]
        raise refuse(name, "true or false", f"{odd:g}", "Say for each answer whether it was right")
    return np.asarray(made == 1)


def pairs(probability: ArrayLike, correct: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return probabilities between 0 and 1, and for each whether it came true."""
    p = numbers("probability", probability)
    if p.min() < 0 or p.max() > 1:
        got = f"{p.min():g} to {p.max():g}"
        raise refuse("probability", "between 0 and 1", got, "Give probabilities, not scores")
    return p, truths("correct", correct, p.size)


def share(name: str, value: float) -> float:
    """Return a number strictly between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not 0 < value < 1:
        raise refuse(name, "a number above 0 and below 1", repr(value), "Give a share, such as 0.05")
    return float(value)


def whole(name: str, value: Any, least: int = 0, most: int | None = None) -> int:
    """Return a whole number within its limits."""
    fits = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not fits or value < least or (most is not None and value > most):
        limit = f" and at most {most}" if most is not None else ""
        raise refuse(name, f"a whole number of at least {least}{limit}", repr(value), "Count again")
    return int(value)
