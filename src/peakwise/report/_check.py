"""Whether a document is what it must be, and where it is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from peakwise.errors import OptionError

__all__ = ["Checks"]


@dataclass(frozen=True, slots=True)
class Checks:
    """Checks of the parts of one kind of document; each names the place of what is wrong.

    Attributes
    ----------
    do : str
        What to do about it.
    """

    do: str

    def mapping(self, value: object, place: str) -> Mapping[str, Any]:
        """Return a JSON object."""
        if not isinstance(value, Mapping):
            raise self.refused(f"{place} must be a JSON object, got {type(value).__name__}")
        return value

    def items(self, value: object, place: str, kind: Any, *, required: bool = False) -> Sequence[Any]:
        """Return a list whose members are all of one kind; what is missing is empty."""
        if value is None and not required:
            return ()
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise self.refused(f"{place} must be a list, got {type(value).__name__}")
        wrong = next((i for i, item in enumerate(value) if not isinstance(item, kind)), None)
        if wrong is not None:
            raise self.refused(f"{place}[{wrong}] must be a {kind.__name__}, got {type(value[wrong]).__name__}")
        return value

    def text(self, row: Mapping[str, Any], key: str, place: str) -> None:
        """Refuse what is no text."""
        if not isinstance(row.get(key), str):
            raise self.refused(f"{place}.{key} must be text, got {row.get(key)!r}")

    def number(self, row: Mapping[str, Any], key: str, place: str, *, required: bool = False) -> None:
        """Refuse what is neither a number nor missing."""
        value = row.get(key)
        if value is None and not required:
            return
        if isinstance(value, bool) or not isinstance(value, int | float | np.number):
            raise self.refused(f"{place}.{key} must be a number, got {value!r}")

    def points(self, row: Mapping[str, Any], key: str, n: int | None, place: str) -> int:
        """Return how many numbers `key` holds, after a look at them."""
        value = row.get(key)
        try:
            flat = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as problem:
            raise self.refused(f"{place}.{key} must be a list of numbers: {problem}") from problem
        if flat.ndim != 1 or flat.size == 0:
            raise self.refused(
                f"{place}.{key} must be a list of numbers, got {type(value).__name__} of shape {flat.shape}"
            )
        if n is not None and flat.size != n:
            raise self.refused(f"{place}.{key} must be as long as its axis ({n}), got {flat.size}")
        if key == "axis" and not np.all(np.isfinite(flat)):
            raise self.refused(f"{place}.axis must be finite everywhere")
        return flat.size

    def refused(self, why: str) -> OptionError:
        """Return the error for what is wrong."""
        return OptionError("cannot report the answer", why, self.do)
