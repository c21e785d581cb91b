"""Descriptors by thousands of fixed convolutions and a ridge regression."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from peakwise.estimators._regression_linear import check_linear, fit_ridge
from peakwise.estimators._regression_rows import whole_number
from peakwise.estimators._regression_workflow import Workflow

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Arrays, Rows, Task

__all__ = ["Rocket"]

_LENGTH, _RAISED = 9, 3  # points of a kernel, and how many of them weigh 2; the others weigh -1
_KERNELS = np.array(list(combinations(range(_LENGTH), _RAISED)))  # 84
_POINTS = 600  # longer patterns are summed into so many bins
_GOLDEN = (np.sqrt(5) + 1) / 2


@final
class Rocket(Workflow):
    """Where and how often fixed kernels rise above thresholds (as MiniRocket does it), then a ridge regression.

    Parameters
    ----------
    n_features : int
        About how many features of each modality.

    Notes
    -----
    A. Dempster, D. F. Schmidt, G. I. Webb, MiniRocket, KDD 2021, doi:10.1145/3447548.3467231: the 84 kernels of length
    9 with weights -1 and 2 that sum to 0, dilated by powers; a feature is the share of points where the convolution
    exceeds a threshold, and thresholds are quantiles of convolutions of patterns that were learned from. Theirs are
    shares over the whole pattern; here also over its halves and quarters, since where a peak is matters.
    """

    title: ClassVar[str] = "fixed convolutions (as MiniRocket) and ridge regression"

    def __init__(self, n_features: int = 5000) -> None:
        self.n_features = n_features

    def fit(
        self, rows: Rows, targets: NDArray[np.float64], task: Task, held: tuple[Rows, NDArray[np.float64]] | None = None
    ) -> Self:
        """Choose thresholds, then weights."""
        del held
        each = max(1, whole_number(self, "n_features") // (len(_KERNELS) * _N_PARTS))
        rng = np.random.default_rng(task.random_state)
        self._plans = {name: _plan(_binned(part), each, rng) for name, part in sorted(rows.items())}
        table = self._features(rows)
        self._centre, deviation = table.mean(axis=0), table.std(axis=0)
        self._scale = np.where(deviation > 1e-9, deviation, np.inf)  # what never changes tells nothing
        self._weights, self._offsets, _ = fit_ridge((table - self._centre) / self._scale, targets)
        return self

    def _features(self, rows: Rows) -> NDArray[np.float64]:
        parts = [_shares(_binned(rows[name]), *plan) for name, plan in self._plans.items()]
        return np.asarray(np.concatenate(parts, axis=1), dtype=np.float64)

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """Scaled targets (n, t)."""
        return np.asarray(((self._features(rows) - self._centre) / self._scale) @ self._weights + self._offsets)

    def state(self) -> tuple[dict[str, Any], Arrays]:
        """Dilations and thresholds of each modality, and the weights."""
        arrays: dict[str, NDArray[Any]] = {
            "centre": self._centre, "scale": self._scale, "weights": self._weights, "offsets": self._offsets,
        }  # fmt: skip
        for i, (dilations, limits) in enumerate(self._plans.values()):
            arrays |= {f"dilations{i}": dilations, f"limits{i}": limits}
        return {"modalities": list(self._plans)}, arrays

    def restore(self, told: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `state`."""
        self._plans, width = {}, 0
        for i, name in enumerate(told["modalities"]):
            dilations = np.asarray(arrays[f"dilations{i}"], np.int64)
            limits = np.asarray(arrays[f"limits{i}"], np.float32)
            fits = limits.ndim == 3 and limits.shape[:2] == (dilations.size, len(_KERNELS)) and dilations.size
            if not fits or dilations.min() < 1 or dilations.max() > _POINTS:
                raise ValueError(f"dilations {dilations.shape} and thresholds {limits.shape} of {name!r:.40}")
            self._plans[str(name)] = (dilations, limits)
            width += limits.size * _N_PARTS
        self._centre, self._scale = (np.asarray(arrays[key], np.float64) for key in ("centre", "scale"))
        if self._centre.shape != (width,) or self._scale.shape != (width,) or not (self._scale > 0).all():
            raise ValueError(f"{self._centre.shape} and {self._scale.shape} for {width} features")
        self._weights, self._offsets = check_linear(arrays, width)
        return self


# Parts of a pattern over which shares are taken: whole, halves, quarters.
_PARTS = ((0.0, 1.0), (0.0, 0.5), (0.5, 1.0), (0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0))
_N_PARTS = len(_PARTS)


def _binned(part: NDArray[np.floating]) -> NDArray[np.float32]:
    """Patterns with at most so many points, and as many as a kernel at least, as 32-bit numbers."""
    m = part.shape[1]
    if m < _LENGTH:
        part = np.repeat(part, -(-_LENGTH // m), axis=1)
    if m > _POINTS:
        edges = np.linspace(0, m, _POINTS + 1).round().astype(np.intp)[:-1]
        return np.asarray(np.add.reduceat(np.asarray(part, np.float64), edges, axis=1), np.float32)
    return np.asarray(part, np.float32)


def _plan(
    rows: NDArray[np.float32], each: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Dilations, and thresholds (n_dilations, 84, n): quantiles of convolutions of patterns drawn by chance."""
    longest = max((rows.shape[1] - 1) // (_LENGTH - 1), 1)
    count = min(max(int(np.log2(longest)) + 1, 1), max(each, 1), 6)
    dilations = np.unique(np.logspace(0, np.log10(longest), count).astype(np.int64))
    n = max(each // len(dilations), 1)
    limits = np.empty((len(dilations), len(_KERNELS), n), np.float32)
    place = 0
    for d, dilation in enumerate(dilations):
        for k, made in enumerate(_convolved(rows[rng.permutation(len(rows))[:64]], int(dilation))):
            share = (_GOLDEN * np.arange(place + 1, place + n + 1)) % 1
            place += n
            limits[d, k] = np.quantile(made[rng.integers(len(made))], share)
    return dilations, limits


def _convolved(rows: NDArray[np.float32], dilation: int) -> Any:
    """The rows convolved by each of the kernels: nothing outside their ends."""
    n, m = rows.shape
    reach = (_LENGTH // 2) * dilation
    wide = np.zeros((n, m + 2 * reach), np.float32)
    wide[:, reach : reach + m] = rows
    moved = [wide[:, j * dilation : j * dilation + m] for j in range(_LENGTH)]
    total = np.sum(moved, axis=0)
    for kernel in _KERNELS:
        yield 3 * (moved[kernel[0]] + moved[kernel[1]] + moved[kernel[2]]) - total


def _shares(
    rows: NDArray[np.float32], dilations: NDArray[np.int64], limits: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Share of the points of each part above each threshold: (n, n_features)."""
    n, m = rows.shape
    found = np.empty((n, len(dilations), len(_KERNELS), limits.shape[2], _N_PARTS), np.float32)
    ends = [(int(a * m), max(int(b * m), int(a * m) + 1)) for a, b in _PARTS]
    quarters = np.array([a for a, _ in ends[3:]])
    widths = np.diff([*quarters, m])
    for d, dilation in enumerate(dilations):
        for k, made in enumerate(_convolved(rows, int(dilation))):
            for j, limit in enumerate(limits[d, k]):
                # Counted by quarters; halves and the whole are their sums.
                counts = np.add.reduceat(made > limit, quarters, axis=1, dtype=np.float32)
                found[:, d, k, j, 3:] = counts / widths
                found[:, d, k, j, 1] = counts[:, :2].sum(axis=1) / widths[:2].sum()
                found[:, d, k, j, 2] = counts[:, 2:].sum(axis=1) / widths[2:].sum()
                found[:, d, k, j, 0] = counts.sum(axis=1) / m
    return found.reshape(n, -1)
