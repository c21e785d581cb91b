"""What the report of a series shows beside the answer, made from the patterns: the picture, the changes, the scores."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from peakwise.errors import OptionError
from peakwise.report._changed_peaks import changed_peaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from peakwise.report._series import Boundary, Change, SeriesCurves

__all__ = ["add_series", "series_changes", "series_scores", "thin_series"]

_WHAT = "cannot report the series"
_DO = "Give the patterns of the answer, one a row"
_SIDE = 20  # patterns in a mean beside a boundary: a drift over more would smear the peaks
_COMPONENTS = 3
_CHUNK = 512  # patterns in memory at once
_BINS = 500  # points of a pattern for its scores: a peak keeps several

Answer = TypeVar("Answer", bound="Mapping[str, Any]")


def add_series(
    document: Answer,
    axis: ArrayLike,
    intensity: ArrayLike,
    *,
    kind: str = "unknown",
    unit: str = "",
    wavelength: float | None = None,
    intensity_unit: str | None = None,
) -> Answer:
    """Return the answer with what its report draws: `curves`, `changes`, `scores` and `map`, where they are missing.

    Parameters
    ----------
    document : TransitionDocument or ClusterDocument
        It is not changed.
    axis : array-like of shape (n_points,)
    intensity : array-like of shape (n, n_points)
        The patterns of the answer, in its order.
    kind, unit, wavelength, intensity_unit
        Of the patterns; see `SeriesCurves`.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.eye(6)[[0, 0, 0, 4, 4, 4]] + 0.1
    >>> patterns = [{"pattern": str(k), "state": int(k > 2)} for k in range(6)]
    >>> told = {"command": "transitions", "patterns": patterns, "boundaries": [{"after": 2}]}
    >>> whole = add_series(told, np.arange(6.0), rows)
    >>> sorted(set(whole) - set(told))
    ['changes', 'curves', 'map', 'scores']
    """
    x, rows = _series(axis, intensity)
    if len(rows) != len(document["patterns"]):
        why = f"intensity must have a row for each of {len(document['patterns'])} patterns, got {len(rows)}"
        raise OptionError(_WHAT, why, _DO)
    found: Sequence[Boundary] = document.get("boundaries") or ()
    made: dict[str, Any] = {}
    if document.get("curves") is None:
        keep = [i for b in found for i in (int(b["after"]), int(b["after"]) + 1)]
        made["curves"] = thin_series(
            x, rows, kind=kind, unit=unit, wavelength=wavelength, intensity_unit=intensity_unit, keep=keep
        )
    if document.get("changes") is None and document.get("command") == "transitions":
        made["changes"] = series_changes(x, rows, found)
    scores = document.get("scores") or {}
    if scores.get("pca") is None and len(rows) > 2:
        scores = made["scores"] = {**scores, **series_scores(rows)}
    if document.get("map") is None and scores.get("pca") is not None:
        plane = np.asarray(scores["pca"], dtype=np.float64)
        made["map"] = {"pca": plane[:, :2].tolist()} if plane.ndim == 2 and plane.shape[1] >= 2 else None
    return cast("Answer", {**document, **made})


def thin_series(
    axis: ArrayLike,
    intensity: ArrayLike,
    *,
    kind: str = "unknown",
    unit: str = "",
    wavelength: float | None = None,
    intensity_unit: str | None = None,
    keep: Iterable[int] = (),
    max_patterns: int = 400,
    max_points: int = 1000,
) -> SeriesCurves:
    """Return the series as a picture that fits into a page.

    Of more than `max_patterns` every few are shown, and always those in `keep`; of more than `max_points` neighbours
    are averaged. A page needs no more: it has about so many pixels.

    Examples
    --------
    >>> import numpy as np
    >>> curves = thin_series(np.arange(5000), np.ones((1000, 5000)), keep=[501, 502])
    >>> curves["intensity"].shape, 501 in curves["rows"], len(curves["axis"])
    ((401, 1000), True, 1000)
    """
    x, table = _series(axis, intensity)
    n, m = table.shape
    rows = np.arange(n)
    if n > max_patterns:
        even = np.linspace(0, n - 1, max_patterns).round().astype(np.intp)
        rows = np.union1d(even, np.array([k for k in keep if 0 <= k < n], dtype=np.intp))
    shown = table[rows].astype(np.float64)
    if m > max_points:
        x, shown = _binned(x, max_points), _binned(shown, max_points)
    curves: SeriesCurves = {"axis": x, "kind": kind, "unit": unit, "wavelength": wavelength, "intensity": shown}
    curves |= {"rows": rows.tolist(), "intensity_unit": intensity_unit}
    return curves


def series_changes(axis: ArrayLike, intensity: ArrayLike, boundaries: Sequence[Boundary]) -> list[Change]:
    """Return what changed at each boundary: the mean patterns on both sides, and the peaks that differ.

    A mean has at most the 20 nearest patterns of its stretch; those inside the interval of the boundary are left out,
    as far as the stretch allows it.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(10, 20, 501)
    >>> peak = lambda place: 500 * np.exp(-(((x - place) / 0.1) ** 2))
    >>> rows = np.array([peak(12.0)] * 8 + [peak(17.0)] * 8) + 10
    >>> noisy = np.random.default_rng(0).poisson(rows)
    >>> (change,) = series_changes(x, noisy, [{"after": 7}])
    >>> [(round(p["axis"], 1), p["what"]) for p in change["peaks"]]
    [(12.0, 'gone'), (17.0, 'new')]
    """
    x, rows = _series(axis, intensity)
    places = sorted(boundaries, key=lambda b: b["after"])
    starts = [0, *(int(b["after"]) + 1 for b in places), len(rows)]
    made: list[Change] = []
    for k, boundary in enumerate(places):
        sides = _sides(boundary, starts[k], starts[k + 1], starts[k + 2])
        before, behind = (np.asarray(rows[side], dtype=np.float64) for side in sides)
        peaks = changed_peaks(x, before, behind)
        means = [_mean(side) for side in (before, behind)]
        change: Change = {"after": int(boundary["after"]), "axis": x, "before": means[0], "behind": means[1]}
        change |= {"peaks": peaks, "n": [len(before), len(behind)]}
        made.append(change)
    return made


def series_scores(intensity: ArrayLike, n_components: int = _COMPONENTS) -> dict[str, Any]:
    """Return the principal components of the square roots of the intensities: their scores and shares of the variance.

    The square root makes counting noise even. Of long patterns 500 means of neighbours are used.

    Examples
    --------
    >>> import numpy as np
    >>> scores = series_scores(np.eye(4)[[0, 0, 1, 1, 2]])
    >>> np.shape(scores["pca"]), round(sum(scores["explained"]), 3)
    ((5, 3), 1.0)
    """
    rows = np.asarray(intensity)
    n, m = len(rows), min(rows.shape[1], _BINS)
    roots = np.empty((n, m), dtype=np.float32)
    for start in range(0, n, _CHUNK):
        part = np.nan_to_num(np.asarray(rows[start : start + _CHUNK], dtype=np.float64))
        part = _binned(part, m) if part.shape[1] > m else part
        roots[start : start + _CHUNK] = np.sqrt(np.clip(part, 0, None))
    roots -= roots.mean(axis=0, dtype=np.float64).astype(np.float32)
    spread = np.asarray(roots.T @ roots, dtype=np.float64)
    k = min(n_components, m, n - 1)
    values, vectors = _strongest(spread, k)
    # The sign of a component is free: its strongest point is made positive, so that pages agree.
    vectors = vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(k)])
    total = float(np.trace(spread)) or 1.0
    return {"pca": (roots @ vectors).tolist(), "explained": (np.clip(values, 0, None) / total).tolist()}


def _strongest(matrix: NDArray[np.float64], k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The k largest eigenvalues and their vectors: a few at a time are some twenty times quicker than all."""
    from scipy.linalg import eigh

    m = len(matrix)
    values, vectors = eigh(matrix, subset_by_index=[m - k, m - 1])
    return values[::-1], vectors[:, ::-1]


def _sides(boundary: Boundary, start: int, middle: int, stop: int) -> tuple[slice, slice]:
    # The last pattern that is surely before, and the first that is surely behind.
    low, high = middle - 1, middle
    for ends in (boundary.get("interval"), boundary.get("zone")):
        if ends is not None and all(e is not None and math.isfinite(e) for e in ends):
            low, high = min(low, math.floor(min(ends))), max(high, math.ceil(max(ends)))
    end, begin = min(max(low + 1, start + 1), middle), max(min(high, stop - 1), middle)
    return slice(max(start, end - _SIDE), end), slice(begin, min(stop, begin + _SIDE))


def _mean(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(rows)
    n = known.sum(axis=0)
    total = np.where(known, rows, 0.0).sum(axis=0)
    mean = np.full(rows.shape[1], np.nan)
    np.divide(total, n, out=mean, where=n > 0)
    return mean


def _binned(table: NDArray[np.float64], n_points: int) -> NDArray[np.float64]:
    """Means of neighbours along the last axis."""
    edges = np.linspace(0, table.shape[-1], n_points + 1).round().astype(np.intp)
    sums: NDArray[np.float64] = np.add.reduceat(table, edges[:-1], axis=-1)
    return sums / np.diff(edges)


def _series(axis: ArrayLike, intensity: ArrayLike) -> tuple[NDArray[np.float64], NDArray[Any]]:
    x: NDArray[np.float64] = np.asarray(axis, dtype=np.float64)
    rows: NDArray[Any] = np.asarray(intensity)
    if rows.ndim != 2 or x.shape != rows.shape[1:] or rows.dtype.kind not in "fiub":
        why = f"intensity must have shape (n, {x.size}) like axis, got {rows.shape}"
        raise OptionError(_WHAT, why, _DO)
    return x, rows
