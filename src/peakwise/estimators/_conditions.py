"""Conditions that are joined to patterns: numbers of their metadata, on the scale of what was learned."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from peakwise.errors import OptionError, PatternsError
from peakwise.estimators._options import option_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from peakwise.patterns import Patterns

__all__ = ["Conditions", "check_names", "columns"]

_BESIDE = 0.1  # of the range of a condition, by which it may lie outside before it is said
_WHAT = "cannot use the conditions"


def check_names(estimator: object) -> tuple[str, ...]:
    """The option `condition` of an estimator as names of columns, refused where it is something else."""
    given = getattr(estimator, "condition")  # noqa: B009 - an option that not every estimator has
    if not isinstance(given or (), (list, tuple)) or not all(isinstance(name, str) for name in given or ()):
        raise option_error(estimator, "condition", "a list of names of columns", "Give e.g. ['Co', 'Ni']")
    return tuple(given or ())


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Columns of the metadata, and the range of each that was learned.

    Attributes
    ----------
    names : tuple of str
    ends : ndarray of shape (2, n_conditions)
        The least and the largest of each.
    """

    names: tuple[str, ...]
    ends: NDArray[np.float64]

    @classmethod
    def learn(cls, names: Sequence[str], numbers: NDArray[np.float64]) -> Self:
        """Learn the ranges from numbers (n, n_conditions)."""
        return cls(tuple(names), np.stack([numbers.min(axis=0), numbers.max(axis=0)]))

    @classmethod
    def from_array(cls, names: Sequence[str], ends: ArrayLike) -> Self:
        """The inverse of `ends`; what does not fit is a `ValueError`."""
        made = np.asarray(ends, np.float64)
        if made.shape != (2, len(names)) or not np.isfinite(made).all():
            raise ValueError("ranges that are not those of the condition")
        return cls(tuple(names), made)

    def of(self, patterns: Patterns) -> NDArray[np.float32]:
        """The condition of each pattern (n, n_conditions), each number 0 to 1 over what was learned."""
        return self.scaled(columns(self.names, patterns), len(patterns))

    def least(self, n: int) -> dict[str, NDArray[np.float64]]:
        """Columns of n patterns, each with the least number that was learned."""
        return {name: np.full(n, low) for name, low in zip(self.names, self.ends[0], strict=True)}

    def scaled(self, numbers: ArrayLike, n: int) -> NDArray[np.float32]:
        """Numbers (n, n_conditions) on the scale of what was learned; what lies outside is warned about."""
        given = np.asarray(numbers, dtype=np.float64)
        if given.shape != (n, len(self.names)):
            why = f"conditions must have the shape ({n}, {len(self.names)}), got {given.shape}"
            raise OptionError(_WHAT, why, "Give one number for each name of condition")
        low, high = self.ends
        made = (given - low) / np.where(high > low, high - low, 1.0)
        outside = ((made < -_BESIDE) | (made > 1 + _BESIDE)).any(axis=1)
        if outside.any():
            said = f"{int(outside.sum())} of {n} patterns have a condition that was never learned: trust no error"
            warnings.warn(said, stacklevel=5)
        return np.asarray(made, dtype=np.float32)


def columns(names: Sequence[str], patterns: Patterns) -> NDArray[np.float64]:
    """Columns of the metadata as numbers (n, n_conditions); refused where one is missing."""
    missing = [name for name in names if name not in patterns.meta]
    if missing:
        why = f"the condition {missing[0]!r} is no column of meta, there are {', '.join(patterns.meta) or 'none'}"
        raise PatternsError(_WHAT, why, "Join the table of conditions to the patterns")
    try:
        numbers = np.stack([np.asarray(patterns.meta[n], dtype=np.float64) for n in names], axis=1)
    except (TypeError, ValueError) as problem:
        raise PatternsError(_WHAT, "conditions must be numbers", "Give numbers in meta") from problem
    if not np.isfinite(numbers).all():
        why = f"conditions must be finite, got {int((~np.isfinite(numbers)).any(axis=1).sum())} patterns without"
        raise PatternsError(_WHAT, why, "Leave these patterns out")
    return numbers
