"""Any fitted model asked for what it knows about patterns, each answer as plain fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import GridError, OptionError

if TYPE_CHECKING:
    from peakwise.patterns import Patterns

__all__ = ["Asker"]

# Wavelengths that differ by less than this share are one wavelength called by two names (CuKa and CuKa1: 0.08 %).
_SAME_WAVELENGTH = 2e-3


class Asker:
    """Asks a model in the way that it offers.

    Ways: `judge`, `answers`, `identify`, `update`, `predict_proba`, `describe`, `predict`; the first that is there.

    Parameters
    ----------
    model : object
        Fitted. What it has decides: novelty is judged, known structures are identified, a series that is being followed
        is updated, states and labels are told with their probability, numbers are told.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._follows = hasattr(model, "update")
        ways = ("judge", "answers", "identify", "update", "predict_proba", "predict")
        if not any(hasattr(model, name) for name in ways):
            why = f"a model must have judge, identify, update or predict; {type(model).__name__} has none of them"
            raise OptionError("cannot answer with this model", why, "Give a fitted estimator of peakwise")

    @property
    def task(self) -> str:
        """What the model is for, as model files say it."""
        return str(getattr(self.model, "task", "predict"))

    def ask(self, patterns: Patterns) -> list[dict[str, Any]]:
        """Return the fields of one answer a pattern."""
        patterns = self._fitting(patterns)
        model = self.model
        judge = getattr(model, "judge", None) or getattr(model, "answers", None)
        if judge is not None:
            found = [_fields(one) for one in judge(patterns)]
        elif hasattr(model, "identify") and hasattr(model, "phases_"):
            found = [_fields(one) for one in model.identify(patterns)]
        elif self._follows and hasattr(model, "update"):
            found = self._followed(patterns)
        elif hasattr(model, "predict_proba"):
            found = self._told(patterns)
        elif hasattr(model, "describe"):
            found = _described(model.describe(patterns))
        else:
            found = [_value(one) for one in np.asarray(model.predict(patterns))]
        if len(found) != len(patterns):
            why = f"the model gave {len(found)} answers for {len(patterns)} patterns"
            raise OptionError("cannot use the answer", why, "Give a model that answers each pattern")
        return found

    def _followed(self, patterns: Patterns) -> list[dict[str, Any]]:
        """The series so far, with these patterns at its end."""
        try:
            whole = self.model.update(patterns)
        except OptionError:  # a loaded model knows the states, and not the series that they came from
            self._follows = False
            return self._told(patterns)
        n = len(patterns)
        boundaries = [{"after": int(b.after), "confidence": float(b.confidence)} for b in whole.boundaries]
        rows = zip(whole.states[-n:], whole.probabilities[-n:], strict=True)
        return [
            {"state": int(state), "state_name": whole.names[int(state)], "probability": round(float(chances.max()), 4),
             "boundaries": boundaries}
            for state, chances in rows
        ]  # fmt: skip

    def _told(self, patterns: Patterns) -> list[dict[str, Any]]:
        model = self.model
        chances = np.asarray(model.predict_proba(patterns), dtype=np.float64)
        best = chances.argmax(axis=1)
        sure = [round(float(row[i]), 4) for row, i in zip(chances, best, strict=True)]
        if self.task == "transitions":
            names = list(getattr(model, "state_names_", range(chances.shape[1])))
            return [
                {"state": int(i), "state_name": names[int(i)], "probability": p}
                for i, p in zip(best, sure, strict=True)
            ]
        labels = getattr(model, "classes_", np.arange(chances.shape[1]))
        return [{"label": labels[i], "probability": p} for i, p in zip(best, sure, strict=True)]

    def _fitting(self, patterns: Patterns) -> Patterns:
        """Patterns on the grid of the model: converted and resampled where they cover it, else refused."""
        model = self.model
        grid = getattr(model, "grid_", None)
        if grid is None or hasattr(model, "phases_") or getattr(model, "accepts", "grid") == "any":
            return patterns
        kind, light = getattr(model, "kind_", patterns.kind), getattr(model, "wavelength_", None)
        known, got = (light, patterns.wavelength) if kind == "two_theta" else (None, None)
        if patterns.kind != kind or (known and got and abs(got / known - 1) > _SAME_WAVELENGTH):
            patterns = patterns.to_axis(kind, wavelength=light)
        if getattr(model, "accepts", "grid") != "grid" or patterns.same_grid(grid):
            return patterns
        step = 0.5 * max(patterns.step, float(np.median(np.diff(grid))))
        if patterns.axis[0] > grid[0] + step or patterns.axis[-1] < grid[-1] - step:
            why = f"the model knows {kind} from {grid[0]:g} to {grid[-1]:g}, the scan covers {patterns.axis[0]:g} to "
            do = "Measure the whole range, or train on the part that all share"
            raise GridError("cannot use the model for this scan", f"{why}{patterns.axis[-1]:g}", do)
        return patterns.resample(grid, fill=0.0)


def _fields(answer: Any) -> dict[str, Any]:
    made: Any = answer.to_dict() if hasattr(answer, "to_dict") else answer
    return dict(made) if hasattr(made, "keys") else _value(made)


def _described(told: Any) -> list[dict[str, Any]]:
    """Descriptors of each pattern with their intervals, as ``peakwise regress`` has them."""
    rows = []
    for i in range(len(told.values)):
        numbers = list(zip(told.targets, told.values[i], told.low[i], told.high[i], strict=True))
        rows.append({
            "values": {name: float(value) for name, value, _, _ in numbers},
            "interval": {name: [float(low), float(high)] for name, _, low, high in numbers},
            "in_domain": bool(told.in_domain[i]),
        })  # fmt: skip
    return rows


def _value(answer: Any) -> dict[str, Any]:
    return {"answer": answer.tolist() if isinstance(answer, (np.ndarray, np.generic)) else answer}
