"""Where scans were measured and how strange each was: what a suggestion for the next one is made from."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from peakwise.patterns import Patterns

__all__ = ["Places"]

_WHAT = "cannot suggest where to measure"
_KEPT = 20_000  # scans that are remembered
_USUAL = ("x", "y")  # as tables of libraries call them
_OURS = ("arrived", "revision")  # metadata that are no places
_STEPS = 20  # of a grid over what was measured, along each axis
_MOST_COLUMNS = 3


class Places:
    """Numbers in the metadata of scans, and one number for each answer."""

    def __init__(self) -> None:
        self._rows: deque[tuple[dict[str, float], float]] = deque(maxlen=_KEPT)

    def take(self, patterns: Patterns, answers: Sequence[Mapping[str, Any] | None]) -> None:
        """Remember scans; None where there is no answer."""
        numbers = {
            name: np.asarray(values, dtype=np.float64)
            for name, values in patterns.meta.items()
            if name not in _OURS and np.asarray(values).dtype.kind in "fiu"
        }
        if numbers:
            for i, fields in enumerate(answers):
                self._rows.append(({name: float(v[i]) for name, v in numbers.items()}, _worth(fields)))

    def suggest(
        self, n: int, grid: ArrayLike | None, where: Sequence[str] | None, strategy: str
    ) -> list[dict[str, Any]]:
        """The places that are wanted most, as plain values."""
        from peakwise.wafers import suggest

        names = self._names(where)
        table = np.array([[row.get(name, np.nan) for name in names] for row, _ in self._rows])
        score = np.array([worth for _, worth in self._rows])
        known = np.isfinite(table).all(axis=1)
        if not np.isfinite(score[known]).any():
            why = "no answer so far tells a score, a probability or an unknown part"
            raise OptionError(_WHAT, why, "Follow a model of novelty, phases or states")
        found = suggest(n, table[known], score[known], _mesh(table[known]) if grid is None else grid, strategy=strategy)
        rows = zip(found.where, found.value, found.mean, found.std, found.why, strict=True)
        return [
            {"where": dict(zip(names, place.tolist(), strict=True)), "value": float(value), "mean": float(mean),
             "std": float(std), "why": why}
            for place, value, mean, std, why in rows
        ]  # fmt: skip

    def _names(self, where: Sequence[str] | None) -> tuple[str, ...]:
        seen = sorted({name for row, _ in self._rows for name in row})
        names = tuple(where) if where is not None else tuple(name for name in _USUAL if name in seen)
        missing = [name for name in names if name not in seen]
        if not names or missing or isinstance(where, str) or len(set(names)) < len(names):
            got = f"{where!r}, and the scans have" if where is not None else "the scans have"
            told = ", ".join(seen[:20]) or "none"
            why = f"numbers in the metadata of the scans must say where each was measured, {got} {told}"
            raise OptionError(_WHAT, why, "Name them: suggest(where=['x', 'y'])")
        return names


def _worth(fields: Mapping[str, Any] | None) -> float:
    """How much there is to find where this answer comes from: strange, unknown, or unsure."""
    for name, sign in (("score", 1), ("none_of_these", 1), ("probability", -1)):
        value = None if fields is None else fields.get(name)
        if isinstance(value, (int, float)) and np.isfinite(value):
            return float(sign * value + (sign < 0))
    return float("nan")


def _mesh(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """A grid over the range that was measured."""
    if table.shape[1] > _MOST_COLUMNS:
        why = f"a grid of {table.shape[1]} columns would be too large to make"
        raise OptionError(_WHAT, why, "Give the places that can be measured: grid=")
    low, high = table.min(axis=0), table.max(axis=0)
    sides = [np.linspace(a, b, _STEPS + 1 if b > a else 1) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, table.shape[1])
