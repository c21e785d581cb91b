"""Noise of real measurements: what lies between the peaks of measured scans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import PeakwiseError
from peakwise.io import read
from peakwise.preprocessing import SubtractBaseline

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["Baselines", "cut_baseline", "find_scans", "measured_baselines", "simulated_baselines"]

# Sets of laboratory scans with their background and noise as measured.
_SETS = ("rruff_minerals_cif/*/*.xy.gz", "alab_precursor_mixtures/*/*.xrdml")

_SMOOTHED = 9  # points over which a weak peak is looked for: about the width of a laboratory line
_CLEAR = 3.0  # standard deviations above the baseline that make a peak
_SKIRT = 25  # points on either side of a peak that belong to it
_SHORTEST = 50  # points of a stretch between peaks
_FEWEST = 500  # points of a scan's stretches together
_MAD = 1.4826  # from the median absolute deviation to the standard deviation of a normal distribution


@dataclass(frozen=True, slots=True)
class Baselines:
    """Baselines of several scans, in the order in which they were measured.

    Attributes
    ----------
    stretches : list of ndarray
        One array a scan [counts]; its peaks are cut out, and what is left is joined.
    heights : list of float
        The strongest peak of each scan above its baseline [counts].
    is_measured : bool
    """

    stretches: Sequence[NDArray[np.float64]]
    heights: Sequence[float]
    is_measured: bool

    def __len__(self) -> int:
        return len(self.stretches)

    def pick(self, which: Sequence[int] | NDArray[np.int64]) -> Baselines:
        """Some of them."""
        return Baselines([self.stretches[i] for i in which], [self.heights[i] for i in which], self.is_measured)

    def bank(self, size: int) -> NDArray[np.float32]:
        """`size` evenly spaced values of each scan, as shares of its strongest peak, (k, size)."""
        rows = [s[np.linspace(0, s.size - 1, size).astype(int)] for s in self.stretches]
        return np.asarray(np.array(rows) / np.array(self.heights)[:, None], dtype=np.float32)


def find_scans(data: Path) -> list[Path]:
    """The measured scans in a folder of data sets, in a fixed order."""
    return [path for pattern in _SETS for path in sorted(data.glob(pattern))]


def measured_baselines(paths: Sequence[Path], tell: Callable[[float], None]) -> Baselines:
    """Cut the baselines out of scans; scans that cannot be read or that are full of peaks are left out."""
    stretches, heights = [], []
    for i, path in enumerate(paths):
        tell(i / len(paths))
        try:
            scan = read(path)
        except PeakwiseError:
            continue
        stretch, height = cut_baseline(scan)
        if stretch.size >= _FEWEST and height > 0:
            stretches.append(stretch)
            heights.append(height)
    return Baselines(stretches, heights, is_measured=True)


def cut_baseline(scan: Patterns) -> tuple[NDArray[np.float64], float]:
    """Return what lies between the peaks of the first pattern [counts], and the height of its strongest peak.

    A point belongs to a peak where the mean of 9 points rises above the baseline by more than 3 standard deviations of
    such a mean, or where it lies within 25 points of such a point.
    """
    counts = scan.intensity[0].astype(np.float64)
    flat = SubtractBaseline().fit_transform(scan[:1]).intensity[0].astype(np.float64)
    window = np.ones(_SMOOTHED) / _SMOOTHED
    # Differences of neighbours know the noise, whatever the baseline does; a division by the root of 2 undoes the
    # difference. Noise of counts grows with the level.
    level = np.maximum(counts - flat, 1.0)
    steps = np.diff(counts) / np.sqrt((level[1:] + level[:-1]) / 2)
    sigma = _MAD * np.median(np.abs(steps - np.median(steps))) / np.sqrt(2)
    rise = np.convolve(flat, window, "same") / (np.sqrt(level) * max(float(sigma), 1e-9) / np.sqrt(_SMOOTHED))
    peak = np.convolve(rise > _CLEAR, np.ones(2 * _SKIRT + 1), "same") > 0.5
    edges = np.flatnonzero(np.diff(np.concatenate([[True], peak, [True]]).astype(np.int8)))
    runs = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= _SHORTEST]
    joined = np.concatenate([counts[a:b] for a, b in runs]) if runs else np.zeros(0)
    return joined, float(flat.max())


def simulated_baselines(n: int, n_points: int, random_state: int) -> Baselines:
    """Poisson noise on levels of 1 to 20 % of peaks of 200 to 20,000 counts, for where nothing measured is at hand."""
    rng = np.random.default_rng([random_state, 17])
    heights = np.exp(rng.uniform(np.log(200.0), np.log(20_000.0), n))
    levels = heights * np.exp(rng.uniform(np.log(0.01), np.log(0.2), n))
    return Baselines(list(rng.poisson(levels[:, None], (n, n_points)).astype(np.float64)), list(heights), False)
