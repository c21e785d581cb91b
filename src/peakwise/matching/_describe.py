"""What a fit says to a scientist: weight fractions with uncertainty, cells, and the peaks that no phase explains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.matching._fit import background_basis, flat_lines, point_weights
from peakwise.matching._kernel import normal_matrix
from peakwise.matching._lines import cell_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.matching._fit import Fit, FitSettings
    from peakwise.matching._lines import FitLines
    from peakwise.matching._scan import PreparedScan

__all__ = ["Peak", "refined_cell", "unexplained_peaks", "weight_fractions"]

# What a fit of this kind is off by beyond its statistics: absorption within grains, texture, structures that are not
# quite those of the sample. Relative standard uncertainty of the scale of each phase.
_SCALE_ERROR = 0.2
_SIGNIFICANT = 5.0  # a peak that nothing explains is this many times the noise high ...
_SMALLEST = 0.02  # ... at least this share of the strongest peak ...
_TRUSTED = 0.35  # ... and stands out of what is calculated there by more than this share of it
_MOST_PEAKS = 50


@dataclass(frozen=True, slots=True)
class Peak:
    """A peak at `two_theta` [deg]: its height as a share of the strongest peak of the scan, and over the noise."""

    two_theta: float
    intensity: float
    significance: float


def weight_fractions(
    scan: PreparedScan, lines: Sequence[FitLines], fit: Fit, settings: FitSettings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight fraction of each phase and its standard uncertainty.

    Statistics come from the fit's covariance, enlarged by the misfit; to them comes what such fits are off by.
    """
    scales = fit.scales
    total = scales.sum()
    if not total > 0:
        return np.zeros(scales.size), np.full(scales.size, np.nan)
    share = scales / total
    rows = fit.starts[:-1]
    covariance = _covariance(scan, lines, fit, settings)[np.ix_(rows, rows)]
    covariance = covariance + np.diag((_SCALE_ERROR * scales) ** 2)
    slope = (np.eye(scales.size) - share[:, None]) / total
    spread = np.sqrt(np.maximum(np.diag(slope @ covariance @ slope.T), 0.0))
    return share, spread


def _covariance(scan: PreparedScan, lines: Sequence[FitLines], fit: Fit, settings: FitSettings) -> NDArray[np.float64]:
    basis = background_basis(scan.x, settings.n_background)
    weight = point_weights(scan, settings)
    flat = flat_lines(scan, lines, fit.axes, settings, fit.starts)
    normal = normal_matrix(scan.x, weight, basis, flat, fit.parameters)
    n_free = max(weight.size * scan.step / scan.fwhm - len(normal), 1.0)
    inverse = np.linalg.pinv(normal, rcond=1e-12, hermitian=True)
    return np.asarray(inverse * max(fit.misfit / n_free, 1.0))


def refined_cell(lines: FitLines, own: NDArray[np.float64]) -> tuple[float, float, float, float, float, float]:
    """The cell as fitted [angstrom, deg]."""
    return cell_of(lines.metric + lines.basis @ own[4:])


def unexplained_peaks(scan: PreparedScan, fit: Fit | None) -> list[Peak]:
    """Peaks of the scan that the fitted phases do not account for, the highest first."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.signal import find_peaks

    background = scan.background if fit is None else fit.background
    calculated = np.zeros_like(scan.x) if fit is None else fit.calculated
    left = scan.y - background - calculated
    sigma = max(scan.fwhm / 2.3548200450309493 / scan.step, 0.5)
    smooth = gaussian_filter1d(left, 0.7 * sigma)
    noise = scan.noise / np.sqrt(max(2 * np.sqrt(np.pi) * 0.7 * sigma, 1.0))
    # A line that is a little misplaced or misshapen leaves a wing over: what is calculated nearby excuses that much.
    near = int(np.ceil(1.5 * scan.fwhm / scan.step))
    excused = np.max(np.lib.stride_tricks.sliding_window_view(np.pad(calculated, near), 2 * near + 1), axis=1)
    height = smooth - _TRUSTED * excused
    limit = np.maximum(_SIGNIFICANT * noise, _SMALLEST)
    at, _ = find_peaks(np.where(height > limit, smooth, 0.0), distance=max(int(scan.fwhm / scan.step), 1))
    at = at[height[at] > limit[at]]
    order = at[np.argsort(-smooth[at])][:_MOST_PEAKS]
    return [Peak(float(scan.x[i]), float(smooth[i]), float(smooth[i] / noise[i])) for i in order]
