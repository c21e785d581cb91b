"""What is to be read off: numbers and texts from whatever a user gave, scaled to 0-1 and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.errors import PatternsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["Targets", "read_targets"]

_WHAT = "cannot fit DescriptorRegressor"
_MOST_CLASSES = 50
_FAR = 3.0  # ranges beyond the training range at which numbers must be in other units


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What was learned: names, ranges, and classes of texts.

    Attributes
    ----------
    names : tuple of str
        Of the numbers.
    low, high : ndarray of shape (n_targets,)
        Least and largest of the training.
    texts : dict
        Classes of each text, sorted.
    """

    names: tuple[str, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    texts: dict[str, tuple[str, ...]]

    @classmethod
    def learn(cls, numbers: dict[str, NDArray[np.float64]], texts: dict[str, NDArray[np.str_]]) -> Self:
        """Check every column, and keep its range."""
        if not numbers:
            why = f"y must hold numbers, got only texts ({', '.join(texts)})"
            raise PatternsError(_WHAT, why, "Add a column of numbers, or use PhaseIdentifier for classes")
        for name, column in numbers.items():
            bad = int((~np.isfinite(column)).sum())
            if bad:
                why = f"Input y contains NaN or infinity: {bad} of {column.size} in {name!r}"
                raise PatternsError(_WHAT, why, "Leave these patterns out")
            if not np.ptp(column) > 0:
                why = f"the target {name!r} is {column[0]:g} for all patterns: nothing can be learned of it"
                raise PatternsError(_WHAT, why, "Leave it out of targets")
        for name, words in texts.items():
            n_classes = np.unique(words).size
            if not 2 <= n_classes <= _MOST_CLASSES:
                why = f"the text {name!r} must have 2 to {_MOST_CLASSES} classes, got {n_classes}"
                raise PatternsError(_WHAT, why, "Leave it out of targets")
        low = np.array([column.min() for column in numbers.values()])
        high = np.array([column.max() for column in numbers.values()])
        classes = {name: tuple(np.unique(words).tolist()) for name, words in texts.items()}
        return cls(tuple(numbers), low, high, classes)

    @property
    def groups(self) -> tuple[tuple[int, int], ...]:
        """Columns of the scaled targets that belong to each text."""
        start, made = len(self.names), []
        for classes in self.texts.values():
            made.append((start, start + len(classes)))
            start += len(classes)
        return tuple(made)

    @property
    def n_columns(self) -> int:
        """Of the scaled targets."""
        return len(self.names) + sum(len(classes) for classes in self.texts.values())

    def scale(self, numbers: dict[str, NDArray[np.float64]], texts: dict[str, NDArray[np.str_]]) -> NDArray[np.float64]:
        """Numbers as 0 to 1, texts as one column of 0 and 1 a class: (n, n_columns)."""
        made = [(numbers[name] - a) / (b - a) for name, a, b in zip(self.names, self.low, self.high, strict=True)]
        for name, classes in self.texts.items():
            made += [(texts[name] == label).astype(np.float64) for label in classes]
        return np.stack(made, axis=1)

    def unscale(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Numbers in their units (n, n_targets)."""
        return np.asarray(self.low + scaled[:, : len(self.names)] * (self.high - self.low))

    def classes_of(self, scaled: NDArray[np.float64]) -> dict[str, NDArray[np.str_]]:
        """The likeliest class of each text."""
        return {
            name: np.array(classes)[scaled[:, start:stop].argmax(axis=1)]
            for (name, classes), (start, stop) in zip(self.texts.items(), self.groups, strict=True)
        }

    def outside(self, scaled: NDArray[np.float64], margin: float) -> NDArray[np.bool_]:
        """Which patterns have a number that lies more than so many ranges outside (n,)."""
        numbers = scaled[:, : len(self.names)]
        return np.asarray(((numbers < -margin) | (numbers > 1 + margin)).any(axis=1))

    def check_units(self, scaled: NDArray[np.float64]) -> None:
        """Refuse numbers that can only be in other units than those of the training."""
        for column, name in enumerate(self.names):
            middle = float(np.median(scaled[:, column]))
            if not -_FAR <= middle <= 1 + _FAR:
                typical = float(self.low[column] + middle * (self.high[column] - self.low[column]))
                span = f"{self.low[column]:.4g} to {self.high[column]:.4g}"
                why = f"{name!r} is about {typical:.4g}, and {span} was learned"
                raise PatternsError("cannot adapt DescriptorRegressor", why, "Give it in the units of the training")


def read_targets(
    y: Any, targets: Sequence[str] | None, patterns: Patterns, wanted: Sequence[str] | None = None
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.str_]], int]:
    """Columns of numbers and of texts by name, and how many dimensions y had (2 where it was a table).

    `wanted` are names that a fitted estimator has; columns of an array without names are then theirs.
    """
    n = len(patterns)
    names = None if targets is None else [targets] if isinstance(targets, str) else [str(name) for name in targets]
    if y is None:
        if not names:
            why = "DescriptorRegressor requires y to be passed, but the target y is None"
            raise PatternsError(_WHAT, why, "Give y, or in targets the names of columns of meta")
        columns, ndim = _from_table(patterns.meta, names, "the patterns have no column"), 2
    elif isinstance(y, Mapping) or hasattr(y, "columns"):
        table = {str(name): y[name] for name in (y if isinstance(y, Mapping) else y.columns)}
        columns, ndim = _from_table(table, names or list(table), "y has no column"), 2
    else:
        columns, ndim = _from_array(y, names or (None if wanted is None else list(wanted)))
    numbers: dict[str, NDArray[np.float64]] = {}
    texts: dict[str, NDArray[np.str_]] = {}
    for name, column in columns.items():
        if column.shape != (n,):
            why = f"y must have a value for each of {n} patterns, got the shape {column.shape} for {name!r}"
            raise PatternsError(
                _WHAT, f"{why}: Found input variables with inconsistent numbers of samples", "Give as many"
            )
        as_numbers = _numbers(column)
        if as_numbers is None:
            texts[name] = column.astype(str)
        else:
            numbers[name] = as_numbers
    return numbers, texts, ndim


def _from_table(table: Mapping[str, Any], names: Sequence[str], missing: str) -> dict[str, NDArray[Any]]:
    lost = [name for name in names if name not in table]
    if lost:
        why = f"{missing} {lost[0]!r}; there are {', '.join(map(str, table)) or 'none'}"
        raise PatternsError(_WHAT, why, "Name columns that are there")
    if len(set(names)) < len(names):
        raise PatternsError(_WHAT, f"a target is named twice in {', '.join(names)}", "Name each once")
    return {name: np.asarray(table[name]) for name in names}


def _from_array(y: Any, names: Sequence[str] | None) -> tuple[dict[str, NDArray[Any]], int]:
    from scipy.sparse import issparse

    if issparse(y):
        raise TypeError("Sparse data was passed for y, but dense data is required. Use '.toarray()'")
    values = np.asarray(y)
    if values.ndim not in (1, 2):
        why = f"y should be a 1d array, or have the shape (patterns, targets), got {values.ndim} dimensions"
        raise PatternsError(_WHAT, why, "Give one row a pattern")
    if values.dtype.kind == "c":
        raise PatternsError(_WHAT, "y must be real, got complex numbers", "Give real numbers")
    table = values.reshape(len(values), -1)
    titles = list(names) if names else [f"y{i}" if values.ndim == 2 else "y" for i in range(table.shape[1])]
    if len(titles) != table.shape[1]:
        why = f"y has {table.shape[1]} columns and {len(titles)} names ({', '.join(titles)})"
        raise PatternsError(_WHAT, why, "Give a name for each column")
    if len(set(titles)) < len(titles):
        raise PatternsError(_WHAT, f"a target is named twice in {', '.join(titles)}", "Name each once")
    return {title: table[:, i] for i, title in enumerate(titles)}, int(values.ndim)


def _numbers(column: NDArray[Any]) -> NDArray[np.float64] | None:
    """The column as numbers, or None where it holds texts."""
    if column.dtype.kind in "US":
        return None
    if column.dtype.kind == "O" and any(isinstance(value, str) for value in column):
        return None
    try:
        return column.astype(np.float64)
    except (TypeError, ValueError) as problem:
        raise PatternsError(_WHAT, f"y must hold numbers or texts ({problem})", "Give plain columns") from problem
