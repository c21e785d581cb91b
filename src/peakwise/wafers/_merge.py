"""Patterns of detector frames whose ranges overlap, merged to one pattern."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import GridError, OptionError, PatternsError
from peakwise.patterns import Patterns
from peakwise.wafers._given import member, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["SCALES", "Merged", "merge_frames"]

_WHAT = "cannot merge the frames"
SCALES = ("fit", "same")
_MOST_ROUNDS = 2000
_SETTLED = 1e-12
_SAME_WAVELENGTH = 1e-3
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """What `merge_frames` finds.

    Attributes
    ----------
    patterns : Patterns
        The one pattern, on the scale of the first frame, with its sigma.
    scales : ndarray of shape (n,)
        How much each frame recorded of the same intensity; the first is 1.
    counted : ndarray of shape (m,)
        Solid angle (or number of pixels) behind each point, all frames together.
    """

    patterns: Patterns
    scales: NDArray[np.float64]
    counted: NDArray[np.float64]


def merge_frames(
    frames: Sequence[Patterns] | Patterns,
    *,
    scales: str | ArrayLike = "fit",
    weights: Sequence[ArrayLike] | None = None,
    grid: ArrayLike | tuple[float, float, int] | None = None,
) -> Merged:
    r"""Merge 1-D patterns of frames, taken at several detector positions, into one pattern.

    Parameters
    ----------
    frames : sequence of Patterns, or Patterns
        One pattern for each frame, as `peakwise.read` makes them of 2-D frames. NaN marks what a frame did not see.
    scales : {"fit", "same"} or array-like of shape (n,)
        How much each frame recorded of the same intensity (time of exposure times flux): ``fit`` finds it where frames
        overlap.
    weights : sequence of array-like, optional
        Solid angle or number of pixels behind each point of each frame. Without it, taken from sigma, as that of counts
        tells it: :math:`I / \sigma^2`; where there is no sigma, all points weigh the same.
    grid : (start, stop, n) or array-like, optional
        The grid of the answer. Default: that of the frames where they share one, else from the first to the last angle
        in the widest of their steps.

    Returns
    -------
    Merged

    Notes
    -----
    Frame i counted :math:`N_{ij} = n_{ij} I_{ij}` on the solid angle :math:`n_{ij}`. With the scale :math:`c_i` the
    most likely intensity of Poisson counts is the sum of all counts over the sum of what they were counted with,

    .. math:: R_j = \sum_i N_{ij} / \sum_i c_i n_{ij}, \qquad c_i = \sum_j N_{ij} / \sum_j n_{ij} R_j,

    the second over the points where frames overlap; both are repeated until they hold. Two frames with equal weights so
    have the ratio of their summed counts. Points count by their pixels, not by 1 / sigma², which would favour those
    that happened to count little.

    Examples
    --------
    >>> from peakwise import Patterns
    >>> low = Patterns([1, 2, 3, 4], [4, 8, 6, 2])
    >>> high = Patterns([3, 4, 5, 6], [12, 4, 10, 20])
    >>> found = merge_frames([low, high])
    >>> found.scales.tolist(), found.patterns.intensity.tolist()
    ([1.0, 2.0], [[4.0, 8.0, 6.0, 2.0, 5.0, 10.0]])
    """
    parts = _parts(frames)
    axis = _axis(parts, grid)
    counts, solid, variance, notes = _on_axis(parts, weights, axis)
    fixed = _given_scales(scales, len(parts))
    factor = _fit_scales(counts, solid, parts) if fixed is None else fixed / fixed[0]
    behind = factor @ solid
    seen = behind > 0
    if not seen.any():
        raise PatternsError(_WHAT, "a point must be seen by a frame, no frame has any", "Check the frames' masks")
    merged = np.full(axis.size, np.nan)
    merged[seen] = counts.sum(axis=0)[seen] / behind[seen]
    sigma = None
    if variance is not None:
        sigma = np.full(axis.size, np.nan)
        sigma[seen] = np.sqrt(variance.sum(axis=0)[seen]) / behind[seen]
    gaps = int(np.count_nonzero(~seen))
    if gaps:
        notes.append(f"{gaps} of {axis.size} points were seen by no frame and are NaN")
    said, failed = [w for part in parts for w in part.warnings], [f for part in parts for f in part.failed]
    made = parts[0].replace(
        axis=axis, intensity=merged, sigma=sigma, unit="arbitrary", warnings=said + notes, failed=failed
    )
    return Merged(made, factor, solid.sum(axis=0))


def _parts(frames: Sequence[Patterns] | Patterns) -> list[Patterns]:
    """One `Patterns` of one pattern for each frame, all along the same kind of axis."""
    parts = [one for part in ([frames] if isinstance(frames, Patterns) else frames) for one in part]
    if not parts or not all(isinstance(p, Patterns) for p in parts):
        raise OptionError(_WHAT, "frames must be Patterns, at least one, got none", "Read them with peakwise.read")
    first = parts[0]
    for i, part in enumerate(parts):
        if part.kind != first.kind:
            why = f"all frames must lie along one kind of axis, frame 0 has {first.kind}, frame {i} {part.kind}"
            raise GridError(_WHAT, why, f"Convert them with to_axis({first.kind!r})")
        one, other = first.wavelength, part.wavelength
        if part.kind == "two_theta" and one and other and abs(other / one - 1) > _SAME_WAVELENGTH:
            why = f"frames along 2θ must have one wavelength, frame 0 has {one:g} angstrom, frame {i} {other:g}"
            raise GridError(_WHAT, why, "Convert them with to_axis('q')")
    return parts


def _axis(parts: list[Patterns], grid: ArrayLike | tuple[float, float, int] | None) -> NDArray[np.float64]:
    from peakwise.patterns import make_grid

    if grid is not None:
        return make_grid(grid)
    if all(part.same_grid(parts[0]) for part in parts):
        return parts[0].axis
    step = max(part.step for part in parts)
    low, high = min(float(p.axis[0]) for p in parts), max(float(p.axis[-1]) for p in parts)
    return np.asarray(low + step * np.arange(int((high - low) / step + 1e-6) + 1))


def _on_axis(
    parts: list[Patterns], weights: Sequence[ArrayLike] | None, axis: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None, list[str]]:
    """Counts, solid angle and variance of the counts of each frame on the axis; 0 where it saw nothing."""
    if weights is not None and len(weights) != len(parts):
        why = f"weights must be {len(parts)}, one array for each frame, got {len(weights)}"
        raise OptionError(_WHAT, why, "Give one for each frame")
    counts, solid, variance = (np.zeros((len(parts), axis.size)) for _ in range(3))
    has_sigma, notes = all(part.sigma is not None for part in parts), []
    if weights is None and not has_sigma and any(part.sigma is not None for part in parts):
        notes.append("some frames have no sigma: all points were given the same weight")
    for i, part in enumerate(parts):
        value = np.asarray(part.intensity[0], np.float64)
        spread = np.ones(value.shape) if part.sigma is None else np.asarray(part.sigma[0], np.float64)
        if weights is not None:
            behind = rows_of(_WHAT, f"weights[{i}]", np.atleast_2d(np.asarray(weights[i])))[0]
            if behind.shape != value.shape or behind.min() < 0:
                why = (
                    f"weights[{i}] must be {value.size} numbers of at least 0, got {behind.size} from {behind.min():g}"
                )
                raise OptionError(_WHAT, why, "Give one for each point")
        else:
            behind = _behind(value, spread) if has_sigma else np.ones(value.shape)
        seen = np.isfinite(value) & np.isfinite(spread) & np.isfinite(behind) & (behind > 0)
        behind, value = np.where(seen, behind, 0.0), np.where(seen, value, 0.0)
        square = np.where(seen, (behind * spread) ** 2, 0.0)
        # As counts: bins add up, so that intensity, the quotient, is right whatever the width of the new bins.
        laid = Patterns(part.axis, np.stack([behind * value, behind, square]), part.kind, unit="counts")
        inside = (axis >= part.axis[0] - part.step / 2) & (axis <= part.axis[-1] + part.step / 2)
        if inside.any():
            made = laid.resample(axis, fill=0.0).intensity
            counts[i], solid[i], variance[i] = np.where(inside, made, 0.0)
    return counts, solid, variance if has_sigma else None, notes


def _behind(value: NDArray[np.float64], sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solid angle of counts: N = n I and sigma = sqrt(N) / n, with at least one count behind sigma."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        counted = np.maximum((value / sigma) ** 2, 1.0)
        return np.asarray(np.sqrt(counted) / sigma)


def _given_scales(scales: str | ArrayLike, n: int) -> NDArray[np.float64] | None:
    """The scales that are given; None where they must be fitted."""
    if isinstance(scales, str):
        return np.ones(n) if member(_WHAT, "scales", scales, SCALES) == "same" else None
    made = rows_of(_WHAT, "scales", np.atleast_2d(np.asarray(scales)))[0]
    if made.size != n or made.min() <= 0:
        why = f"scales must be {n} numbers above 0, one for each frame, got {made.size} from {made.min():g}"
        raise OptionError(_WHAT, why, "Give the times of exposure, or 'fit'")
    return np.asarray(made)


def _fit_scales(counts: NDArray[np.float64], solid: NDArray[np.float64], parts: list[Patterns]) -> NDArray[np.float64]:
    """The most likely scales of Poisson counts, the first 1."""
    n = len(counts)
    if n == 1:
        return np.ones(1)
    shared = np.count_nonzero(solid > 0, axis=0) > 1
    counts, solid = counts[:, shared], solid[:, shared]
    factor = _begun(counts, solid, parts)
    for _ in range(_MOST_ROUNDS):
        rate = np.maximum(counts.sum(axis=0), 0) / np.maximum(factor @ solid, _TINY)
        new = counts.sum(axis=1) / np.maximum(solid @ rate, _TINY)
        if not (new > 0).all():  # what is below 0 after a background is no count: the ratios of pairs then stand
            break
        new /= new[0]
        change = float(np.abs(new / factor - 1).max())
        factor = new
        if change < _SETTLED:
            break
    return np.asarray(factor)


def _begun(counts: NDArray[np.float64], solid: NDArray[np.float64], parts: list[Patterns]) -> NDArray[np.float64]:
    """Scales by least squares of the logarithms of all pairs' ratios: near the answer, however long the chain."""
    from scipy.sparse.csgraph import connected_components

    n = len(counts)
    rows, right = [], []
    joined = np.eye(n, dtype=bool)
    for i, j in combinations(range(n), 2):
        both = (solid[i] > 0) & (solid[j] > 0)
        # Counts that either would have on the solid angle that both have.
        common = np.minimum(solid[i], solid[j])[both]
        a, b = ((counts[k][both] / solid[k][both] * common).sum() for k in (i, j))
        if a > 0 and b > 0:
            weight = np.sqrt(a * b / (a + b))
            row = np.zeros(n)
            row[i], row[j] = -weight, weight
            rows.append(row)
            right.append(weight * np.log(b / a))
            joined[i, j] = joined[j, i] = True
    _, island = connected_components(joined)
    if (island != island[0]).any():
        lost = int((island != island[0]).argmax())
        span = f"{parts[lost].axis[0]:g} to {parts[lost].axis[-1]:g}"
        why = f"each frame must overlap others with counts in it, frame {lost} ({span}) has no overlap with the first"
        raise OptionError(_WHAT, why, "Give scales, as times of exposure, or scales='same'")
    ends = np.zeros(n)
    ends[1:] = np.linalg.lstsq(np.array(rows)[:, 1:], np.array(right), rcond=None)[0]
    return np.asarray(np.exp(ends))
