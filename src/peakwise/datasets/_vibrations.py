"""From the autocorrelation of velocities to the vibrational density of states."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["vibrational_density", "wavenumbers"]

_PER_THZ = 33.35640951981521  # 1/cm, exact by the definition of the SI
# Velocities every 0.01 ps, transformed over 400 ps: the grid of the published set, 1667.8 1/cm in 20000 steps, of which
# the first 5997 points were used.
_STEP = _PER_THZ / 400.0
_POINTS = 5997


def wavenumbers() -> NDArray[np.float64]:
    """The points of the published set to 500 1/cm.

    >>> axis = wavenumbers()
    >>> len(axis), round(float(axis[-1]), 2)
    (5997, 500.01)
    """
    return _STEP * np.arange(_POINTS, dtype=np.float64)


def vibrational_density(
    autocorrelation: NDArray[np.floating], axis: NDArray[np.float64], *, interval: float
) -> NDArray[np.float32]:
    r"""Cosine transform of velocity autocorrelations.

    Parameters
    ----------
    autocorrelation : ndarray of shape (n, lags)
        1 at lag 0.
    axis : ndarray of shape (m,)
        Wavenumbers [1/cm].
    interval : float
        Time between lags [ps].

    Returns
    -------
    ndarray of shape (n, m)
        Its integral over all wavenumbers is 1.

    Notes
    -----
    :math:`g(\nu) = 4 \int_0^T w(t) C(t) \cos(2 \pi \nu t) dt` by the trapezoidal rule, with Hann's window
    :math:`w = \cos^2(\pi t / 2T)`: a single vibration shows as a line with a full width at half maximum of 1/T.

    Examples
    --------
    >>> t = 0.01 * np.arange(350)
    >>> c = np.cos(2 * np.pi * 3.0 * t)  # 3 THz, 100.07 1/cm
    >>> axis = wavenumbers()
    >>> g = vibrational_density(c[None], axis, interval=0.01)[0]
    >>> round(float(axis[g.argmax()]), 1), round(float(g.sum() * axis[1]), 3)
    (100.1, 1.0)
    """
    lags = np.arange(autocorrelation.shape[1])
    weights = np.cos(np.pi * lags / (2 * lags.size)) ** 2 * (4 * interval / _PER_THZ)
    weights[0] /= 2
    phases = np.outer(lags * interval, axis / _PER_THZ)
    kernel: NDArray[np.float32] = (weights[:, None] * np.cos(2 * np.pi * phases)).astype(np.float32)
    return np.asarray(autocorrelation, np.float32) @ kernel
