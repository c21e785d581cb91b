"""The model of a whole scan and its derivatives, compiled by numba.

A profile is a share ``eta`` of a Lorentzian and the rest of a Pearson VII function of exponent 16, which is a Gaussian
to 1.2 % of its height and needs no exponential. Widths follow ``G0 / cos(theta) + G1 tan(theta)``: size and strain.
"""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from peakwise._jit import FAST, jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "LARGEST_STRAIN",
    "N_SHARED",
    "FlatLines",
    "add_to",
    "derivatives",
    "march_factors",
    "model_of",
    "normal_matrix",
    "phase_model",
    "products",
    "solve",
]

# Parameters that all phases share: zero [deg], displacement [deg at theta 0], eta.
N_SHARED = 3
_DEG = 180.0 / math.pi
LARGEST_STRAIN = 0.03  # beyond, a structure is another one
_C16 = 4.0 * (2.0 ** (1.0 / 16.0) - 1.0)
# Area of (1 + c u^2)^-16 over u: sqrt(pi / c) Gamma(15.5) / Gamma(16).
_AREA16 = math.sqrt(math.pi / _C16) * math.exp(math.lgamma(15.5) - math.lgamma(16.0))
_INV_AREA16 = 1.0 / _AREA16
_INV_AREA_L = 2.0 / math.pi
_BLOCK = 256  # points of a profile that are computed together ...
_PLACE, _BROAD, _ROUND, _ROWS = _BLOCK, 2 * _BLOCK, 3 * _BLOCK, 4  # ... and where what belongs to them stands
_LEAST_REACH = 3.0  # [FWHM] that each line is drawn at least


class FlatLines(NamedTuple):
    """The lines of all phases of a fit, one after the other, and what they are drawn with."""

    first: NDArray[np.int64]  # (n_phases + 1,) first line of each phase
    squares: NDArray[np.float64]  # (6, n_lines)
    metrics: NDArray[np.float64]  # (n_phases, 6)
    bases: NDArray[np.float64]  # (n_phases, 6, 6): changes of the metrics, as many columns as parameters of the cell
    powers: NDArray[np.float64]  # (n_lines,)
    tails: NDArray[np.float64]  # (n_lines,) shares of the reach
    offsets: NDArray[np.int64]  # (n_lines + 1,) members of each family in the next
    cosine2: NDArray[np.float64]  # cos² between each member and the texture axis of its phase
    waves: NDArray[np.float64]  # wavelengths
    shares: NDArray[np.float64]  # and their shares of the intensity
    polarisation: float
    reach: float  # the profile of the strongest line is cut at so many FWHM
    starts: NDArray[np.int64]  # (n_phases + 1,) first parameter of each phase


@jit(fastmath=FAST)
def march_factors(offsets, cosine2, r, out):
    """March-Dollase factor of every family: mean over its members of (r² cos² + sin² / r)^-1.5."""
    for i in range(out.size):
        total = 0.0
        for k in range(offsets[i], offsets[i + 1]):
            v = r * r * cosine2[k] + (1.0 - cosine2[k]) / r
            total += 1.0 / (v * math.sqrt(v))
        out[i] = total / max(offsets[i + 1] - offsets[i], 1)


@jit(fastmath=FAST)
def _profile(x, at, inverse, area, eta, out):
    """The profile of area 1, and the derivatives of the line with position, width and share, one after the other.

    One array for all four, a fixed distance apart: then a compiler sees that they do not overlap, and computes several
    points at once.
    """
    for k in range(x.size):
        u = (x[k] - at) * inverse
        u2 = u * u
        wide, narrow = 1.0 + 4.0 * u2, 1.0 + _C16 * u2
        both = 1.0 / (wide * narrow)
        dl, dg = both * narrow, both * wide
        p = dg * dg
        p *= p
        p *= p
        p *= p
        lorentz = _INV_AREA_L * dl
        gauss = _INV_AREA16 * p
        one = (eta * lorentz + (1.0 - eta) * gauss) * inverse
        # Minus the derivative with u, over u.
        steep = (eta * lorentz * 8.0 * dl + (1.0 - eta) * gauss * 32.0 * _C16 * dg) * inverse
        out[k] = one
        out[k + _PLACE] = area * steep * u * inverse
        out[k + _BROAD] = area * (steep * u2 - one) * inverse
        out[k + _ROUND] = (lorentz - gauss) * inverse


@jit(fastmath=FAST)
def add_to(to, factor, what):
    for k in range(to.size):
        to[k] += factor * what[k]


@jit(fastmath=FAST)
def _add_two(one, a, other, b, what):
    """Two sums of the same: read once."""
    for k in range(one.size):
        v = what[k]
        one[k] += a * v
        other[k] += b * v


@jit(fastmath=FAST)
def phase_model(
    x,
    squares,
    metric,
    basis,
    power,
    tails,
    offsets,
    cosine2,
    waves,
    shares,
    polarisation,
    reach,
    shared,
    own,
    y,
    jacobian,
    row,
):
    """Add one phase to `y`, and its derivatives to the rows of `jacobian`; its own rows, from `row` on, must be zero.

    `own` is: scale, G0, G1 [deg], ln r, then the free parameters of the cell.
    """
    m = x.size
    n = power.size
    n_cell = basis.shape[1]
    zero, displacement, eta = shared[0], shared[1], shared[2]
    scale, g0, g1, log_r = own[0], own[1], own[2], own[3]
    g = metric.copy()
    for j in range(n_cell):
        for c in range(6):
            g[c] += basis[c, j] * own[4 + j]
    texture = np.ones(n)
    slope = np.zeros(n)
    if cosine2.size > 0:
        march_factors(offsets, cosine2, math.exp(log_r), texture)
        march_factors(offsets, cosine2, math.exp(log_r + 1e-3), slope)
        for i in range(n):
            slope[i] = (slope[i] - texture[i]) / 1e-3
    step = (x[m - 1] - x[0]) / (m - 1)
    moved = np.zeros(n_cell)
    rows = np.empty(_ROWS * _BLOCK)
    for i in range(n):
        s2 = 0.0
        for c in range(6):
            s2 += squares[c, i] * g[c]
        if s2 <= 0.0:
            continue
        far = max(reach * tails[i], min(reach, _LEAST_REACH))
        for w in range(waves.size):
            sine2 = s2 * waves[w] * waves[w]
            if sine2 >= 0.9998:
                continue
            sine = math.sqrt(sine2)
            cosine = math.sqrt(1.0 - sine2)
            tan = sine / cosine
            theta = math.asin(sine)
            at = 2.0 * theta * _DEG + zero + displacement * cosine
            cos_2t = 1.0 - 2.0 * sine2
            lp = (1.0 + polarisation * cos_2t * cos_2t) / (sine2 * cosine)
            bare = power[i] * lp * shares[w]
            area = scale * bare * texture[i]
            width = max(g0 / cosine + g1 * tan, 0.6 * step)
            inverse = 1.0 / width
            first = np.searchsorted(x, at - far * width)
            last = np.searchsorted(x, at + far * width)
            if last <= first:
                continue
            # Derivative of the position [deg] with s²: 2 theta = 2 asin(wavelength sqrt(s²)).
            by_s2 = _DEG * waves[w] * waves[w] / (sine * cosine)
            for j in range(n_cell):
                total = 0.0
                for c in range(6):
                    total += squares[c, i] * basis[c, j]
                moved[j] = by_s2 * total
            free = bare * scale * slope[i]
            for low in range(first, last, _BLOCK):
                many = min(last - low, _BLOCK)
                high = low + many
                _profile(x[low:high], at, inverse, area, eta, rows)
                shape, place = rows[:many], rows[_PLACE : _PLACE + many]
                broad, round_ = rows[_BROAD : _BROAD + many], rows[_ROUND : _ROUND + many]
                _add_two(jacobian[row, low:high], bare * texture[i], jacobian[row + 3, low:high], free, shape)
                _add_two(jacobian[0, low:high], 1.0, jacobian[1, low:high], cosine, place)
                _add_two(jacobian[row + 1, low:high], 1.0 / cosine, jacobian[row + 2, low:high], tan, broad)
                add_to(jacobian[2, low:high], area, round_)
                for j in range(0, n_cell - 1, 2):
                    a = row + 4 + j
                    _add_two(jacobian[a, low:high], moved[j], jacobian[a + 1, low:high], moved[j + 1], place)
                if n_cell % 2 == 1:
                    add_to(jacobian[row + 3 + n_cell, low:high], moved[n_cell - 1], place)
    add_to(y, scale, jacobian[row])


@jit(fastmath=FAST)
def solve(normal, gradient, damping, free):
    """Solve the damped normal equations for the free parameters; the others stay."""
    n = gradient.size
    index = np.nonzero(free)[0]
    k = index.size
    a = np.empty((k, k))
    b = np.empty(k)
    for i in range(k):
        for j in range(k):
            a[i, j] = normal[index[i], index[j]]
        a[i, i] *= 1.0 + damping
        a[i, i] += 1e-300
        b[i] = gradient[index[i]]
    step = np.zeros(n)
    found = np.linalg.solve(a, b)
    for i in range(k):
        step[index[i]] = found[i]
    return step


@jit(fastmath=FAST)
def model_of(x, lines, p, jacobian):
    """The lines of all phases, and the derivatives with the parameters that are not of the background."""
    y = np.zeros(x.size)
    first, starts = lines.first, lines.starts
    jacobian[: starts[-1]] = 0.0
    shared = p[:N_SHARED]
    for i in range(first.size - 1):
        a, b = first[i], first[i + 1]
        low, high = starts[i], starts[i + 1]
        basis = lines.bases[i, :, : high - low - 4]
        phase_model(
            x, lines.squares[:, a:b], lines.metrics[i], basis, lines.powers[a:b], lines.tails[a:b],
            lines.offsets[a : b + 1], lines.cosine2, lines.waves, lines.shares, lines.polarisation, lines.reach,
            shared, p[low:high], y, jacobian, low,
        )  # fmt: skip
    return y


@jit(fastmath=FAST)
def products(rows, weight, y, normal, gradient):
    """Normal matrix and gradient of weighted rows; small, so that a loop beats a library with threads of its own."""
    n, m = rows.shape
    one = np.empty(m)
    for i in range(n):
        row = rows[i]
        total = 0.0
        for k in range(m):
            one[k] = weight[k] * row[k]
            total += one[k] * y[k]
        gradient[i] = total
        for j in range(i + 1):
            other = rows[j]
            total = 0.0
            for k in range(m):
                total += one[k] * other[k]
            normal[i, j] = total
            normal[j, i] = total


@jit(fastmath=FAST)
def derivatives(x, basis, lines, p):
    """Change of the whole model with each of the parameters p."""
    jacobian = np.zeros((p.size, x.size))
    for j in range(basis.shape[0]):
        jacobian[lines.starts[-1] + j] = basis[j]
    model_of(x, lines, p, jacobian)
    return jacobian


@jit(fastmath=FAST)
def normal_matrix(x, weight, basis, lines, p):
    """Normal matrix at the parameters p, without priors."""
    n = p.size
    normal, gradient = np.empty((n, n)), np.empty(n)
    products(derivatives(x, basis, lines, p), weight, x, normal, gradient)
    return normal
