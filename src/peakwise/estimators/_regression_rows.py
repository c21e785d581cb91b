"""Rows for workflows that need no network: prepared, centred, side by side, as few numbers as hold nearly all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.estimators._regression_workflow import joined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Rows, Workflow

__all__ = ["PREPARATIONS", "PreparedRows", "preparations", "whole_number"]

_WINDOW, _DEGREE = 9, 3  # of the Savitzky-Golay derivatives


def _root(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sign(rows) * np.sqrt(np.abs(rows))


def _snv(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard normal variate: each row less its mean, over its deviation (Barnes, 1989, 10.1366/0003702894202201)."""
    deviation = rows.std(axis=1, keepdims=True)
    return np.asarray((rows - rows.mean(axis=1, keepdims=True)) / np.where(deviation > 0, deviation, 1))


def _derivative(order: int) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def derive(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.signal import savgol_filter

        if rows.shape[1] < _WINDOW:
            return rows
        return np.asarray(savgol_filter(rows, _WINDOW, _DEGREE, deriv=order, axis=1), dtype=np.float64)

    return derive


# What is done to each pattern before anything is learned of all.
PREPARATIONS: dict[str, tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], ...]] = {
    "none": (),
    "root": (_root,),
    "snv": (_snv,),
    "first_derivative": (_derivative(1),),
    "second_derivative": (_derivative(2),),
    "snv_second_derivative": (_snv, _derivative(2)),
}


def preparations(workflow: Workflow) -> tuple[str, ...]:
    """The preparations that a workflow tries: the one that it names, or all of them for ``auto``."""
    from peakwise.estimators._regression_workflow import option_wrong

    name = workflow.preparation  # type: ignore[attr-defined]
    if name == "auto":
        return tuple(PREPARATIONS)
    if not isinstance(name, str) or name not in PREPARATIONS:
        raise option_wrong(workflow, "preparation", f"auto, {', '.join(PREPARATIONS)}")
    return (name,)


def whole_number(workflow: Workflow, name: str, least: int = 1) -> int:
    """An option that is a whole number."""
    from peakwise.estimators._regression_workflow import option_wrong

    value = getattr(workflow, name)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise option_wrong(workflow, name, f"a whole number of at least {least}")
    return int(value)


@dataclass(frozen=True, slots=True)
class PreparedRows:
    """How rows of all modalities become one table of numbers: prepared, centred, each modality with the same weight.

    Attributes
    ----------
    preparation : str
    centre, scale : ndarray of shape (m,)
        Of all modalities side by side.
    axes : ndarray of shape (m, k)
        Principal components; without columns where all points are kept.
    """

    preparation: str
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    axes: NDArray[np.float64]

    @classmethod
    def learn(cls, rows: Rows, preparation: str, *, n_components: int = 0) -> tuple[Self, NDArray[np.float64]]:
        """Learn from rows, and return their table, too."""
        ready = _prepared(rows, preparation)
        whole = joined(ready)
        centre = whole.mean(axis=0)
        parts = [ready[name] for name in sorted(ready)]
        scale = np.concatenate([np.full(part.shape[1], np.sqrt(part.var(axis=0).sum()) or 1.0) for part in parts])
        table = (whole - centre) / scale
        axes = np.zeros((whole.shape[1], 0))
        if n_components:
            # Components that hold nothing but rounding are left out: as inputs they would be noise of full size.
            _, sizes, right = np.linalg.svd(table, full_matrices=False)
            kept = min(n_components, int((sizes > 1e-7 * max(sizes[0], 1e-300)).sum()), len(table) - 1)
            axes = right[: max(kept, 1)].T.copy()
        made = cls(preparation, centre, scale, axes)
        return made, table @ axes if axes.shape[1] else table

    def apply(self, rows: Rows) -> NDArray[np.float64]:
        """The table of other rows."""
        whole = (joined(_prepared(rows, self.preparation)) - self.centre) / self.scale
        return whole @ self.axes if self.axes.shape[1] else whole

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a model file keeps."""
        return {"centre": self.centre, "scale": self.scale, "axes": self.axes}

    @classmethod
    def of(cls, preparation: Any, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse, refused where the parts do not fit each other."""
        if preparation not in PREPARATIONS:
            raise ValueError(f"the preparation {preparation!r:.40}")
        centre, scale, axes = (np.asarray(arrays[name], np.float64) for name in ("centre", "scale", "axes"))
        if centre.ndim != 1 or scale.shape != centre.shape or axes.ndim != 2 or len(axes) != centre.size:
            raise ValueError(f"the shapes {centre.shape}, {scale.shape} and {axes.shape} of a preparation")
        if not (np.isfinite(centre).all() and np.isfinite(axes).all() and (scale > 0).all()):
            raise ValueError("numbers of a preparation that are not finite")
        return cls(str(preparation), centre, scale, axes)


def _prepared(rows: Rows, preparation: str) -> Rows:
    made = {}
    for name, part in rows.items():
        ready = np.asarray(part, dtype=np.float64)
        for step in PREPARATIONS[preparation]:
            ready = step(ready)
        made[name] = ready
    return made
