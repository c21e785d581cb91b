"""Iterative clipping of peaks, compiled by numba."""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"

from __future__ import annotations

import numpy as np

from peakwise._jit import FAST, jit

__all__ = ["clip"]


@jit(fastmath=FAST)
def clip(y, half, smooth):
    """What lies under the peaks of `y` (SNIP, fourth order, from wide windows to narrow ones).

    A point that lies above what its neighbours at the distance `half`, and then at smaller and smaller ones, let expect
    is put there; others become the mean of the `smooth` points on each side. Beyond its ends `y` goes on along lines.
    """
    n = y.size
    m = n + 2 * half
    base, means, sums = np.empty(m), np.empty(m), np.empty(m + 2 * smooth + 2)
    base[half : half + n] = y
    _extend(base, half, n)
    window = 2 * smooth + 1
    for i in range(half, 0, -1):
        _means(base, smooth, window, sums, means)
        near = i // 2
        inner, many = base[i : m - i], m - 2 * i
        a, d = base[:many], base[2 * i :]
        b, c = base[i - near : m - i - near], base[i + near : m - i + near]
        _lower(inner, a, b, c, d, means[i : m - i], sums)
        inner[:] = sums[:many]
    return base[half : half + n].copy()


@jit(fastmath=FAST)
def _lower(inner, a, b, c, d, means, out):
    for k in range(inner.size):
        outer = a[k] + d[k]
        limit = max(0.5 * outer, (4.0 * (b[k] + c[k]) - outer) / 6.0)
        out[k] = limit if inner[k] > limit else means[k]


@jit(fastmath=FAST)
def _extend(base, half, n):
    """Straight lines through the first and the last `half` points, beyond them."""
    many = min(half, n)
    middle = 0.5 * (many - 1)
    squares = 0.0
    for k in range(many):
        squares += (k - middle) ** 2
    for side in range(2):
        first = half if side == 0 else half + n - many
        mean, slope = 0.0, 0.0
        for k in range(many):
            mean += base[first + k]
            slope += (k - middle) * base[first + k]
        mean /= many
        slope = slope / squares if squares > 0.0 else 0.0
        begin = 0 if side == 0 else half + n
        for k in range(begin, begin + half):
            base[k] = mean + slope * (k - first - middle)


@jit(fastmath=FAST)
def _means(base, smooth, window, sums, means):
    """Running means; the ends are mirrored."""
    m = base.size
    if window == 1:
        means[:] = base
        return
    padded = sums[: m + 2 * smooth]
    padded[smooth : smooth + m] = base
    for k in range(smooth):
        padded[smooth - 1 - k] = base[min(k, m - 1)]
        padded[smooth + m + k] = base[max(m - 1 - k, 0)]
    means[:] = 0.0
    for k in range(window):
        _add(means, padded[k : k + m])
    _scale(means, 1.0 / window)


@jit(fastmath=FAST)
def _add(to, what):
    for k in range(to.size):
        to[k] += what[k]


@jit(fastmath=FAST)
def _scale(to, factor):
    for k in range(to.size):
        to[k] *= factor
