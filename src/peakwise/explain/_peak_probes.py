"""Peak probes: what a frozen encoder knows about peaks, read off by linear heads."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.explain._map import check_rows
from peakwise.explain._options import number, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

__all__ = ["PeakProbes", "find_peak_regions", "probe_peaks"]

_WHAT = "cannot probe the features"
_ALPHAS = tuple(10.0 ** np.arange(-3, 5))  # of ridge regression; chosen inside each fold
_FOOT = 0.75  # of the height, from the top, at which a peak's region ends


@dataclass(frozen=True)
class PeakProbes:
    """How well peaks can be read off features, on patterns that the heads did not see.

    Attributes
    ----------
    count_accuracy : float
        Part of the patterns whose number of peaks is right.
    count_chance : float
        The same, if always the most frequent number is said.
    position_r2 : float or None
        Share of the variance of the peak positions that is predicted, over all peaks: 1 all, 0 no better than their
        means. None where no peak moves.
    position_error : float or None
        Root mean square error of a position, in units of the axis.
    region_iou : float
        Points in both predicted and true peak regions over points in either.
    region_chance : float
        The same, if always the mean of the training patterns is said.
    n_peaks : tuple of int
        Fewest and most peaks of a pattern.
    """

    count_accuracy: float
    count_chance: float
    position_r2: float | None
    position_error: float | None
    region_iou: float
    region_chance: float
    n_peaks: tuple[int, int]


def find_peak_regions(patterns: ArrayLike, *, prominence: float = 0.05, min_width: float = 2.0) -> NDArray[np.bool_]:
    """Return which points belong to peaks.

    Parameters
    ----------
    patterns : array-like of shape (n, n_points)
        Without background, or with a flat one.
    prominence : float
        How far a peak must rise over its neighbourhood, as a share of the range of its pattern.
    min_width : float
        Its width at half height in points, at least.

    Returns
    -------
    ndarray of bool of shape (n, n_points)
        A region ends at a quarter of the peak's prominence; two that touch are parted at their valley.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(100)
    >>> mask = find_peak_regions([np.exp(-((x - 30) ** 2) / 18) + np.exp(-((x - 70) ** 2) / 18)])
    >>> bool(mask[0, 30]), bool(mask[0, 50]), bool(mask[0, 70])
    (True, False, True)
    """
    from scipy.signal import find_peaks, peak_widths

    rows = _patterns(patterns)
    share = number(_WHAT, "prominence", prominence, (0, 1), "Use for instance 0.05")
    least = number(_WHAT, "min_width", min_width, (0, np.inf), "Use for instance 2")
    mask = np.zeros(rows.shape, dtype=bool)
    for row, found in zip(rows, mask, strict=True):
        if not np.ptp(row):
            continue
        places, _ = find_peaks(row, prominence=share * np.ptp(row), width=least)
        _, _, starts, ends = peak_widths(row, places, rel_height=_FOOT)
        for start, end in zip(np.ceil(starts).astype(int), np.floor(ends).astype(int), strict=True):
            found[start : end + 1] = True
        for left, right in pairwise(places):
            found[left + int(row[left:right].argmin())] = False
    return mask


def probe_peaks(
    features: ArrayLike,
    patterns: ArrayLike,
    *,
    regions: ArrayLike | None = None,
    axis: ArrayLike | None = None,
    n_folds: int = 5,
    groups: ArrayLike | None = None,
    random_state: int = 0,
) -> PeakProbes:
    """Measure what features tell about the peaks of the patterns that they were made of.

    Parameters
    ----------
    features : array-like of shape (n, n_features)
        What the frozen encoder made of `patterns`.
    patterns : array-like of shape (n, n_points)
    regions : array-like of bool of shape (n, n_points), optional
        Which points belong to peaks, if that is known; by default `find_peak_regions` of the patterns. A run of points
        is one peak, and its highest point the position.
    axis : array-like of shape (n_points,), optional
        By default positions are counted in points.
    n_folds : int
        Parts of the set; each is predicted by heads that learned from the others.
    groups : array-like of shape (n,), optional
        Patterns of one group, such as one series, are never on both sides. Without, neighbours in a series are, and the
        scores say how well gaps are filled.
    random_state : int

    Returns
    -------
    PeakProbes

    Notes
    -----
    After Y. Sun, PhD thesis, Szeged 2023, section 6.3: linear heads on frozen features for the number of peaks
    (classes), their positions (regression, from left to right) and the peak regions (regression to 0 and 1, cut at
    0.5). Here the regressions have a ridge penalty, chosen within the training part, instead of epochs.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> place, x = rng.uniform(20, 80, 120), np.arange(100)
    >>> patterns = np.exp(-((x - place[:, None]) ** 2) / 18)
    >>> good = probe_peaks(np.column_stack([place, rng.normal(size=120)]), patterns)
    >>> bad = probe_peaks(rng.normal(size=(120, 2)), patterns)
    >>> good.position_r2 > 0.99, bad.position_r2 < 0.1
    (True, True)
    """
    made, rows = check_rows(features, _WHAT), _patterns(patterns)
    n, m = rows.shape
    mask = find_peak_regions(rows) if regions is None else np.asarray(regions)
    if len(made) != n or mask.shape != (n, m) or mask.dtype != bool:
        why = (
            f"features and regions (bool) must belong to {n} patterns of {m} points, got {made.shape} and {mask.shape}"
        )
        raise OptionError(_WHAT, why, "Give a row of each for every pattern")
    x = np.arange(m, dtype=np.float64) if axis is None else np.asarray(axis, dtype=np.float64)
    if x.shape != (m,):
        raise OptionError(_WHAT, f"axis must have {m} points, got shape {x.shape}", "Give that of the patterns")
    folds = list(_folds(n, whole(_WHAT, "n_folds", n_folds, 2, "Use for instance 5"), groups, random_state))
    counts, places = _peaks(rows, mask, x)
    accuracy, chance = _count(made, counts, folds)
    r2, error = _position(made, places, folds)
    iou, iou_chance = _region(made, mask, folds)
    return PeakProbes(accuracy, chance, r2, error, iou, iou_chance, (int(counts.min()), int(counts.max())))


def _patterns(patterns: ArrayLike) -> NDArray[np.float64]:
    given: Any = patterns.detach().cpu() if hasattr(patterns, "detach") else patterns
    rows = np.atleast_2d(np.asarray(given, dtype=np.float64))
    if rows.ndim != 2 or rows.shape[1] < 3 or not np.isfinite(rows).all():
        why = f"patterns must be finite numbers of shape (n, n_points), got shape {rows.shape}"
        raise OptionError(_WHAT, why, "Drop patterns with gaps")
    return rows


def _folds(
    n: int, n_folds: int, groups: ArrayLike | None, seed: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    from sklearn.model_selection import GroupKFold, KFold

    if groups is None:
        if n < 4 * n_folds:
            raise OptionError(_WHAT, f"n_folds ({n_folds}) needs {4 * n_folds} patterns, got {n}", "Use fewer folds")
        return iter(KFold(n_folds, shuffle=True, random_state=seed).split(np.empty(n)))
    named = np.asarray(groups)
    if named.shape != (n,) or np.unique(named).size < n_folds:
        why = f"groups must be one for each of {n} patterns, of at least {n_folds} kinds, got shape {named.shape}"
        raise OptionError(_WHAT, why, "Use fewer folds, or leave groups out")
    return iter(GroupKFold(n_folds).split(np.empty(n), groups=named))


def _peaks(
    rows: NDArray[np.float64], mask: NDArray[np.bool_], x: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Number of peaks of each pattern (n,), and their positions from left to right (n, most), NaN beyond the last."""
    padded = np.pad(mask, ((0, 0), (1, 1)))
    found = []
    for row, edges in zip(rows, np.diff(padded.astype(np.int8), axis=1), strict=True):
        starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
        found.append([float(x[a + int(row[a:b].argmax())]) for a, b in zip(starts, ends, strict=True)])
    counts = np.array([len(one) for one in found], dtype=np.intp)
    places = np.full((len(rows), max(int(counts.max()), 1)), np.nan)
    for i, one in enumerate(found):
        places[i, : len(one)] = sorted(one)
    return counts, places


def _count(X: NDArray[np.float64], counts: NDArray[np.intp], folds: list[Any]) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    right = np.zeros(counts.size, dtype=bool)
    usual = np.zeros(counts.size, dtype=bool)
    for train, test in folds:
        known, many = np.unique(counts[train], return_counts=True)
        usual[test] = counts[test] == known[many.argmax()]
        if known.size == 1:
            right[test] = usual[test]
            continue
        head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(X[train], counts[train])
        right[test] = head.predict(X[test]) == counts[test]
    return float(right.mean()), float(usual.mean())


def _position(
    X: NDArray[np.float64], places: NDArray[np.float64], folds: list[Any]
) -> tuple[float | None, float | None]:
    missed = total = 0.0
    n = 0
    for slot in places.T:
        for train, test in folds:
            learn, ask = train[np.isfinite(slot[train])], test[np.isfinite(slot[test])]
            if learn.size < 4 or not ask.size:
                continue
            told = _ridge(X[learn], slot[learn][:, None], X[ask])[:, 0]
            missed += float(np.sum((told - slot[ask]) ** 2))
            total += float(np.sum((slot[ask] - slot[learn].mean()) ** 2))
            n += ask.size
    if n == 0 or total == 0:
        return None, None
    return 1 - missed / total, float(np.sqrt(missed / n))


def _region(X: NDArray[np.float64], mask: NDArray[np.bool_], folds: list[Any]) -> tuple[float, float]:
    both = either = usual_both = usual_either = 0
    for train, test in folds:
        told = _ridge(X[train], mask[train].astype(np.float64), X[test]) > 0.5
        usual = np.broadcast_to(mask[train].mean(axis=0) > 0.5, told.shape)
        both += int(np.sum(told & mask[test]))
        either += int(np.sum(told | mask[test]))
        usual_both += int(np.sum(usual & mask[test]))
        usual_either += int(np.sum(usual | mask[test]))
    return both / either if either else 1.0, usual_both / usual_either if usual_either else 1.0


def _ridge(X: NDArray[np.float64], Y: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """Predictions of a ridge regression whose penalty is chosen by leave-one-out, one for all outputs."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    head = make_pipeline(StandardScaler(), RidgeCV(_ALPHAS)).fit(X, Y)
    return np.asarray(head.predict(asked), dtype=np.float64).reshape(len(asked), Y.shape[1])
