"""Noise smoothed by a local polynomial."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np

from peakwise.preprocessing._options import check_number, refuse
from peakwise.preprocessing._step import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["Smooth"]


@final
class Smooth(Step):
    """Smooth by a polynomial fitted to the neighbours of each point (Savitzky-Golay).

    Parameters
    ----------
    window : int
        Number of points in each fit, odd. Up to about the full width of the sharpest peak at half its height, peaks
        keep their height. A pattern shorter than the window is smoothed with the longest odd window that fits.
    order : int
        Order of the polynomial, below `window`.

    Notes
    -----
    The smoothed value is the value of the least-squares polynomial at the middle of the window; the first and last half
    windows take the values of the outermost polynomials there. The points are taken as equally spaced. Smoothed points
    are no longer independent; sigma is that of each point alone.

    References
    ----------
    A. Savitzky, M. J. E. Golay, Anal. Chem. 36 (1964) 1627, https://doi.org/10.1021/ac60214a047.

    Examples
    --------
    >>> Smooth(window=3, order=1).fit_transform([[0.0, 3.0, 0.0, 3.0, 0.0]]).round(3)
    array([[1., 1., 2., 1., 1.]])
    """

    accepts: ClassVar[Literal["grid", "kind", "any"]] = "kind"

    def __init__(self, window: int = 7, order: int = 2) -> None:
        self.window = window
        self.order = order

    def _fit(self, patterns: Patterns) -> None:
        del patterns
        check_number(self, "window", "Give an odd number of points, for example 7", least=1, whole=True)
        if self.window % 2 == 0:
            raise refuse(self, "window", "odd, to have a middle", f"Use {self.window + 1}")
        check_number(self, "order", "Use 2 or 3", least=0, whole=True)
        if self.order >= self.window:
            raise refuse(self, "order", f"below window ({self.window})", "Use 2, or a wider window")

    def _transform(self, patterns: Patterns) -> Patterns:
        m = patterns.n_points
        window = min(self.window, m - 1 + m % 2)
        hat = _hat_matrix(window, min(self.order, window - 1))
        sigma = patterns.sigma
        return patterns.replace(
            intensity=_filtered(patterns.intensity, hat),
            sigma=None if sigma is None else np.sqrt(_filtered(sigma**2, hat**2)),
        )


def _hat_matrix(window: int, order: int) -> NDArray[np.float64]:
    """Matrix that maps the points of a window to the values of their least-squares polynomial."""
    position = np.linspace(-1, 1, window) if window > 1 else np.zeros(1)
    orthonormal, _ = np.linalg.qr(np.vander(position, order + 1))
    return np.asarray(orthonormal @ orthonormal.T)


def _filtered(rows: NDArray[np.floating], hat: NDArray[np.float64]) -> NDArray[np.floating]:
    """Apply the middle row of `hat` along the rows, and its outer rows at the ends."""
    window, m = len(hat), rows.shape[1]
    half = window // 2
    out = np.empty(rows.shape, dtype=rows.dtype)
    out[:, half : m - half] = sum(hat[half, k] * rows[:, k : m - window + 1 + k] for k in range(window))
    if half:
        out[:, :half] = rows[:, :window] @ hat[:half].T
        out[:, m - half :] = rows[:, m - window :] @ hat[half + 1 :].T
    return out
