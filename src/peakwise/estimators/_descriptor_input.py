"""Patterns of one or several modalities, binned and scaled as they were in training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.errors import GridError, OptionError, PatternsError
from peakwise.estimators._base import SAME_WAVELENGTH
from peakwise.patterns import Patterns, check_patterns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.estimators._regression_workflow import Rows

__all__ = ["ALONE", "Modality", "binned", "rows_of", "several"]

ALONE = "pattern"  # what a modality is called that is the only one


def binned(intensity: NDArray[np.floating], bins: int | None) -> NDArray[np.float64]:
    """Sums over neighbouring points, so many for each pattern; as they are where there are not more points.

    >>> binned(np.arange(7.0)[None], 3).tolist()
    [[1.0, 5.0, 15.0]]
    """
    rows = np.asarray(intensity, dtype=np.float64)
    n = rows.shape[1]
    if bins is None or n <= bins:
        return rows
    starts = np.arange(bins) * n // bins
    return np.asarray(np.add.reduceat(rows, starts, axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Modality:
    """One kind of pattern, as it was seen in fit.

    Attributes
    ----------
    grid : ndarray of shape (m,)
    kind : str
    wavelength : float or None
    bins : int or None
    largest : float or None
        What all are divided by; None where each is divided by its own largest value.
    """

    grid: NDArray[np.float64]
    kind: str
    wavelength: float | None
    bins: int | None
    largest: float | None

    @classmethod
    def learn(cls, patterns: Patterns, bins: int | None, scale: str) -> Self:
        """From the patterns of fit."""
        rows = binned(patterns.intensity, bins)
        top = float(np.abs(rows).max())
        if not top > 0:
            why = "all patterns are empty: their intensities are 0"
            raise PatternsError("cannot fit DescriptorRegressor", why, "Give patterns with counts")
        largest = top if scale == "set" else None
        return cls(np.array(patterns.axis), patterns.kind, patterns.wavelength, bins, largest)

    def rows(self, patterns: Patterns) -> NDArray[np.float64]:
        """Patterns (n, m) as workflows get them."""
        rows = binned(patterns.intensity, self.bins)
        if self.largest is not None:
            return rows / self.largest
        top = np.abs(rows).max(axis=1, keepdims=True)
        return np.asarray(rows / np.where(top > 0, top, 1.0))

    def check(self, name: str, patterns: Patterns) -> None:
        """Refuse patterns on another axis than that of fit."""
        known, got = self.wavelength, patterns.wavelength
        do = None
        if patterns.kind != self.kind:
            do = f"Put ConvertAxis({self.kind!r}) and Resample before it"
        elif self.kind == "two_theta" and known and got and abs(got / known - 1) > SAME_WAVELENGTH:
            do = f"Put ConvertAxis('two_theta', wavelength={known:g}) and Resample before it"
        elif not patterns.same_grid(self.grid):
            do = f"Put Resample(({self.grid[0]:g}, {self.grid[-1]:g}, {self.grid.size})) before it"
        if do is not None:
            seen = f"{self.kind} {self.grid[0]:g} to {self.grid[-1]:g}, {self.grid.size} points"
            shown = f"{patterns.kind} {patterns.axis[0]:g} to {patterns.axis[-1]:g}, {patterns.n_points} points"
            light = f", wavelengths {known} and {got}" if known or got else ""
            why = f"{name!r} was fitted on {seen} and got {shown}{light}"
            raise GridError("cannot predict with DescriptorRegressor", why, do)

    def told(self) -> dict[str, Any]:
        """What a recipe says of it, besides the grid."""
        return {"kind": self.kind, "wavelength": self.wavelength, "bins": self.bins, "largest": self.largest}

    @classmethod
    def from_told(cls, told: Mapping[str, Any], grid: NDArray[np.float64]) -> Self:
        """The inverse of `told`."""
        bins, largest = told["bins"], told["largest"]
        points = np.asarray(grid, dtype=np.float64)
        if points.ndim != 1 or points.size < 1 or not np.isfinite(points).all():
            raise ValueError("a grid that is none")
        if bins is not None and (not isinstance(bins, int) or bins < 1):
            raise ValueError(f"{bins!r} bins")
        if largest is not None and not 0 < float(largest) < np.inf:
            raise ValueError(f"a largest value of {largest!r}")
        return cls(points, str(told["kind"]), told["wavelength"], bins, largest)


def several(X: Any, *, fitted: bool = False) -> dict[str, Patterns] | None:
    """Patterns by the name of their modality, or None where X is not a mapping.

    Of a fitted estimator a whole pattern may be NaN where it was not measured.
    """
    # One kind of sparse matrix is a mapping, too: it is left to the check that refuses them.
    if not isinstance(X, Mapping) or type(X).__module__.startswith("scipy."):
        return None
    if not X:
        raise PatternsError("cannot use the patterns", "X names no modality", "Give {'xrd': ..., 'vdos': ...}")
    made = {str(name): check_patterns(part, allow_nan=fitted) for name, part in X.items()}
    counts = {name: len(part) for name, part in made.items()}
    if len(set(counts.values())) > 1:
        why = f"modalities must have the same patterns, got {', '.join(f'{n} of {m}' for m, n in counts.items())}"
        raise PatternsError("cannot use the patterns", why, "Give a row for each sample in every modality")
    return made


def rows_of(modalities: Mapping[str, Modality], given: Mapping[str, Patterns]) -> tuple[Rows, NDArray[np.bool_]]:
    """Rows of each modality that is given, and which are there: (n, n_modalities) in the order of `modalities`."""
    unknown = [name for name in given if name not in modalities]
    if unknown:
        why = f"the modality {unknown[0]!r} was not there in fit; known are {', '.join(modalities)}"
        raise OptionError("cannot predict with DescriptorRegressor", why, "Name them as in fit")
    n = len(next(iter(given.values())))
    there = np.zeros((n, len(modalities)), dtype=np.bool_)
    rows: dict[str, NDArray[np.float64]] = {}
    for place, (name, modality) in enumerate(modalities.items()):
        if name not in given:
            continue
        patterns = given[name]
        modality.check(name, patterns)
        finite = np.isfinite(patterns.intensity)
        partly = finite.any(axis=1) & ~finite.all(axis=1)
        if partly.any():
            why = f"{int(partly.sum())} patterns of {name!r} are NaN or infinite in places"
            raise PatternsError("cannot use the patterns", why, "Interpolate the gaps, or leave the whole pattern NaN")
        there[:, place] = finite.all(axis=1)
        filled = patterns.replace(intensity=np.where(finite, patterns.intensity, 0.0)) if not finite.all() else patterns
        rows[name] = modality.rows(filled)
    lost = ~there.any(axis=1)
    if lost.any():
        why = f"{int(lost.sum())} samples have no pattern of any modality"
        raise PatternsError("cannot use the patterns", why, "Leave them out")
    return rows, there
