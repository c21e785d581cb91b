"""Which phases of a library look like a scan: cosines with all, over many shifts and strains, in one product."""

from __future__ import annotations

from dataclasses import dataclass
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

    def look(self, scan: PreparedScan, net: NDArray[np.float64] | None = None) -> Look:
        """Compare; `net` stands in for the scan's own net intensity (what a fit has left over)."""
        scale = scan.radiation.wavelength / _COPPER
        fwhm = max(_WIDTH * scale, _LEAST * scan.fwhm)
        step = max(fwhm / _BINS, (scan.x[-1] - scan.x[0]) / _MOST_BINS)
        n = int((scan.x[-1] - scan.x[0]) / step) + 1
        grid = scan.x[0] + step * np.arange(n)
        rows = self._layout(scan, float(step), n, float(fwhm))
        variants = _variants(scan, scan.net if net is None else net, grid, fwhm, scale)
        cosines = rows @ variants.T
        best = cosines.argmax(axis=1)
        zeros, strains = np.divmod(best, len(_STRAINS))
        return Look(cosines[np.arange(len(best)), best], _STRAINS[strains], scale * _ZEROS[zeros])

    def _layout(self, scan: PreparedScan, step: float, n: int, fwhm: float) -> NDArray[np.float32]:
        # Scans of one instrument begin within a step of each other: nearly the same range is the same range.
        x0, wavelength = float(scan.x[0]), scan.radiation.wavelength
        key = (round(x0, 3), round(step, 5), n, round(wavelength, 6), round(fwhm, 4))
        rows = self._rows.get(key)
        if rows is None:
            rows = self.table.rows(x0, step, n, wavelength, fwhm, _POWER, self.threads, scan.polarisation)
            # Other threads look too: each drops the oldest that it finds, and keeps what it made for itself.
            for old in list(self._rows)[:-1]:
                self._rows.pop(old, None)
            self._rows[key] = rows
        return rows


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
