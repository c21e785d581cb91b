"""Along which axis a phase is textured: where what a fit leaves over looks like another axis than the one it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from peakwise.matching._fit import flat_lines
from peakwise.matching._kernel import N_SHARED, derivatives, products

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.matching._fit import Fit, FitSettings, Ground
    from peakwise.matching._lines import FitLines
    from peakwise.matching._scan import PreparedScan

__all__ = ["Promise", "promised_axes"]

_TEXTURE = 3  # place of ln r among the parameters of a phase


class Promise(NamedTuple):
    """Phase number `member` of a fit with another `axis`: by how much the misfit should fall."""

    gain: float
    member: int
    axis: int


def promised_axes(
    scan: PreparedScan, lines: Sequence[FitLines], fit: Fit, settings: FitSettings, ground: Ground
) -> list[Promise]:
    """Other axes of texture and what they promise, the best first.

    The score test of Rao: the change of the model with ln r of the other axis, without what the parameters of the fit
    could do as well, and its share of the residual.
    """
    flat = flat_lines(scan, lines, fit.axes, settings, fit.starts)
    known = derivatives(scan.x, ground.basis, flat, fit.parameters)
    others = [
        (k, axis)
        for k, one in enumerate(lines)
        for axis in range(len(one.axes))
        if axis != fit.axes[k] and fit.own(k)[0] > 0
    ]
    if not others:
        return []
    slopes = [_slope(scan, lines[k], fit, k, axis, settings) for k, axis in others]
    normal, gradient = np.empty((len(known) + len(others),) * 2), np.empty(len(known) + len(others))
    left = scan.y - fit.background - fit.calculated
    products(np.concatenate((known, slopes)), ground.weight, left, normal, gradient)
    n = len(known)
    # Of each slope and of the residual, what the parameters of the fit cannot do.
    free = np.linalg.pinv(normal[:n, :n], rcond=1e-10, hermitian=True) @ np.column_stack((normal[:n, n:], gradient[:n]))
    pulls = gradient[n:] - normal[n:, :n] @ free[:, -1]
    lengths = np.diag(normal)[n:] - np.einsum("ij,ji->i", normal[n:, :n], free[:, :-1])
    gains = pulls**2 / (np.maximum(lengths, 0.0) + settings.texture**-2)
    return sorted((Promise(float(g), k, axis) for g, (k, axis) in zip(gains, others, strict=True)), reverse=True)


def _slope(
    scan: PreparedScan, lines: FitLines, fit: Fit, which: int, axis: int, settings: FitSettings
) -> NDArray[np.float64]:
    """Change of the model with ln r of a texture along `axis`, from none."""
    own = fit.own(which).copy()
    own[_TEXTURE] = 0.0
    flat = flat_lines(scan, [lines], (axis,), settings, np.array([N_SHARED, N_SHARED + own.size]))
    parameters = np.concatenate((fit.parameters[:N_SHARED], own))
    return np.asarray(derivatives(scan.x, np.zeros((0, scan.x.size)), flat, parameters)[N_SHARED + _TEXTURE])
