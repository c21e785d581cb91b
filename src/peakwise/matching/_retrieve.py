"""Which phases of a library look like a scan: cosines with all, over many shifts and strains, in one product."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.matching._scan import PreparedScan
    from peakwise.matching._table import LineTable

__all__ = ["Look", "Retriever", "warp"]

# Chosen for a copper tube, where shifts and widths come from the instrument; they shrink with the wavelength.
_COPPER = 1.5406
_WIDTH = 0.3  # [deg] FWHM of what is compared: as wide as strains and shifts leave lines apart
_LEAST = 2.0  # ... and at least so many times the width of the scan's peaks
_BINS = 6.0  # grid points over it
_POWER = 0.7  # of intensities: between the true ones (1), which texture spoils, and equal weight for all lines
_QUIET = 2.0  # so many standard deviations of the noise are taken off
_STRAINS = np.linspace(-0.016, 0.016, 9)
_ZEROS = np.linspace(-0.1, 0.1, 3)  # [deg] at theta = 0, falling with its cosine like a displaced sample
_MOST_BINS = 6000
_RUNG = 1.15  # ratio of the widths that are used
_BLOCK = 8  # steps: grids begin and end at multiples of so many
_SEEN = 1e-3  # share of its squares within the range below which a phase shows nothing there
_MEMORY = 512 << 20  # bytes of layouts that are kept


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How each phase of the library looks beside a scan: the largest cosine, and the strain and shift where it is."""

    cosine: NDArray[np.float32]
    strain: NDArray[np.float64]
    zero: NDArray[np.float64]

    def best(self, n: int) -> NDArray[np.int64]:
        """Numbers of the `n` most alike, the best first."""
        n = min(n, len(self.cosine))
        top = np.argpartition(-self.cosine, n - 1)[:n] if n < len(self.cosine) else np.arange(n)
        return np.asarray(top[np.argsort(-self.cosine[top], kind="stable")], np.int64)


class Retriever:
    """Compares scans with all phases of a line table; what it lays out for one range serves all scans of that range."""

    def __init__(self, table: LineTable, threads: int = 1) -> None:
        self.table, self.threads = table, threads
        self._rows: dict[tuple[float, float, int, float, float], NDArray[np.float32]] = {}
        self._lock = Lock()

    def look(self, scan: PreparedScan, net: NDArray[np.float64] | None = None) -> Look:
        """Compare; `net` stands in for the scan's own net intensity (what a fit has left over)."""
        scale = scan.radiation.wavelength / _COPPER
        grid, fwhm = _grid(scan, scale)
        rows = self._layout(scan, grid, fwhm)
        variants = _variants(scan, scan.net if net is None else net, grid, fwhm, scale)
        cosines = (rows @ variants.T) * _within(rows, grid, scan)[:, None]
        best = cosines.argmax(axis=1)
        zeros, strains = np.divmod(best, len(_STRAINS))
        return Look(cosines[np.arange(len(best)), best], _STRAINS[strains], scale * _ZEROS[zeros])

    def _layout(self, scan: PreparedScan, grid: NDArray[np.float64], fwhm: float) -> NDArray[np.float32]:
        """The phases on a grid, made once; other threads that need the same wait for it."""
        x0, step, wavelength = float(grid[0]), float(grid[1] - grid[0]), scan.radiation.wavelength
        key = (round(x0, 4), round(step, 6), grid.size, round(wavelength, 6), round(fwhm, 5))
        with self._lock:
            rows = self._rows.pop(key, None)
            if rows is None:
                rows = self.table.rows(x0, step, grid.size, wavelength, fwhm, _POWER, self.threads, scan.polarisation)
            self._rows[key] = rows  # the one used last stands last
            while len(self._rows) > 1 and sum(r.nbytes for r in self._rows.values()) > _MEMORY:
                self._rows.pop(next(iter(self._rows)))
        return rows


def _within(rows: NDArray[np.float32], grid: NDArray[np.float64], scan: PreparedScan) -> NDArray[np.float32]:
    """What makes each phase of length 1 within the range of the scan, over which its row reaches a little."""
    outside = (grid < scan.x[0]) | (grid > scan.x[-1])
    inside = 1 - (rows[:, outside] ** 2).sum(axis=1)
    return np.where(inside > _SEEN, 1 / np.sqrt(np.maximum(inside, _SEEN)), 0.0).astype(np.float32)


def _grid(scan: PreparedScan, scale: float) -> tuple[NDArray[np.float64], float]:
    """Where scan and phases are compared, and how wide their lines are made.

    Widths go up in rungs, and the grid begins and ends on whole steps of its own, so that scans of one instrument share
    what was laid out for the first of them.
    """
    narrow = _WIDTH * scale
    rung = max(np.ceil(np.log(_LEAST * scan.fwhm / narrow) / np.log(_RUNG)), 0.0)
    fwhm = float(narrow * _RUNG**rung)
    step = fwhm / _BINS
    while (scan.x[-1] - scan.x[0]) / step > _MOST_BINS:
        step, fwhm = 2 * step, max(fwhm, 4 * step)
    first, last = np.floor(scan.x[0] / (_BLOCK * step)), np.ceil(scan.x[-1] / (_BLOCK * step))
    return np.arange(first * _BLOCK, last * _BLOCK + 1) * step, fwhm


def warp(x: NDArray[np.float64], strain: float, zero: float) -> NDArray[np.float64]:
    """Where a line at angle `x` [deg] of a cell appears when lengths grow by `strain` and the sample is displaced."""
    half = np.radians(x / 2)
    return np.asarray(2 * np.degrees(np.arcsin(np.clip(np.sin(half) / (1 + strain), 0, 1))) + zero * np.cos(half))


def _variants(
    scan: PreparedScan, net: NDArray[np.float64], grid: NDArray[np.float64], fwhm: float, scale: float
) -> NDArray[np.float32]:
    """The scan as phases of other cells and shifts would see it, (n_variants, n), each of length 1."""
    from scipy.ndimage import gaussian_filter1d

    sigma = np.sqrt(max(fwhm**2 - scan.fwhm**2, 0.0)) / 2.3548200450309493 / scan.step
    smooth = gaussian_filter1d(net, sigma) if sigma > 0.3 else net
    noise = scan.noise / np.sqrt(max(2 * np.sqrt(np.pi) * sigma, 1.0))
    quiet = np.maximum(smooth - _QUIET * noise, 0.0) ** _POWER
    rows = np.array([np.interp(warp(grid, s, z * scale), scan.x, quiet, 0.0, 0.0) for z in _ZEROS for s in _STRAINS])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), np.float32)
