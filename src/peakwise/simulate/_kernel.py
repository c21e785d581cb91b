"""Tables in, float32 patterns out: lines and profiles, then background, counting noise and spikes.

Each pattern goes through three steps: the lines of its phases (`_kernel_lines`), their sum on the grid
(`_kernel_profiles`), and background with noise. There are no temporaries as large as a pattern but one. Patterns do not
know of each other, so threads share nothing, and the result does not depend on how many there are. The kernels release
the interpreter's lock; threads are Python's own, which stay safe where a training loop or another library has threads
as well.
"""

# mypy: disable-error-code="no-untyped-def,call-overload,untyped-decorator"
# mypy: disallow-untyped-calls=False, warn-return-any=False

from __future__ import annotations

import numpy as np

from peakwise._jit import jit
from peakwise.simulate import _columns as columns
from peakwise.simulate._compile import BLOCK, TILE
from peakwise.simulate._kernel_lines import MOST_HEIGHTS, N_OPTICS, OPTICS, impurities, lines_of
from peakwise.simulate._kernel_profiles import FAST, ONE, SAFE, ZERO_F, bell, decay, profile
from peakwise.simulate._layout import check_layout
from peakwise.simulate._random import hashed, keys, normal_pair

__all__ = ["MOST_HEIGHTS", "N_OPTICS", "OPTICS", "PARTS", "lines_of", "render_chunk"]

LAYOUT = 0x7BA873CE
check_layout(LAYOUT, __name__)
# Checksum of the files whose compiled functions go into `render_chunk`. numba keeps machine code until *this* file
# changes: a test refuses another checksum, and writing the new one here makes numba compile again.
PARTS = 0xFA1EB3AB

_F = columns.FRAME
INDEX, BACKGROUND, SHAPE, COUNTS = _F["index"], _F["background"], _F["shape_1"], _F["counts"]
AIR, FLUORESCENCE, HUMP, MEASURED = _F["air"], _F["fluorescence"], _F["hump_height"], _F["measured"]
MEASURED_ROW = _F["measured_row"]
SPIKE_POINT, SPIKE_HEIGHT = _F["spike_point_1"], _F["spike_height_1"]
N_SPIKES = columns.N_SPIKES

NOISE_STREAM = 7

_f = np.float32
HALF = _f(0.5)
POISSON_SMALL = _f(8.0)  # below this mean, Poisson counts come from the exact quantile
POISSON_STEPS = 32  # more than so many counts of a mean of 8 are expected once in 1e10
ALMOST_ONE = _f(1 - 1e-6)  # beyond it float32 sums of probabilities tell nothing
TO_UNIT = _f(2.0**-23)
THIRD, SIXTH, C36, C72 = _f(1 / 3), _f(1 / 6), _f(1 / 36), _f(1 / 72)
D0, D2 = _f(-8 / 405), _f(7 / 810)
# r(s) of Temme's expansion beyond its cubic, minimax on [LEAST_S, 2.06]: the series alone gives a fifth too many zeros
# at a mean of 9. Below LEAST_S only zeros are left.
T4, T5, T6, T7, T8 = (
    _f(c)
    for c in (
        0.0029415627640226294,
        -0.0006232348528995552,
        0.001127735805457845,
        -0.0009546773065850423,
        0.00022836796554928597,
    )
)
LEAST_S = _f(-1.385)


@jit(**FAST)
def _largest(y):
    """The largest value, at least 0. Floats of one sign are ordered as their bits are, and whole numbers vectorise."""
    bits = y.view(np.int32)
    top = np.int32(0)
    for j in range(bits.size):
        top = max(top, bits[j])
    return np.int32(top).view(np.float32)


@jit(**FAST)
def _smallest(y):
    """The smallest value of what is not negative."""
    bits = y.view(np.int32)
    low = bits[0]
    for j in range(bits.size):
        low = min(low, bits[j])
    return np.int32(low).view(np.float32)


@jit(**FAST)
def _background(y, top, grid, frame, bank):
    """Turn intensities into shares of the strongest peak and add what lies under the peaks."""
    scale = ONE / top
    level = _f(frame[BACKGROUND])
    s1, s2, s3, s4 = _f(frame[SHAPE]), _f(frame[SHAPE + 1]), _f(frame[SHAPE + 2]), _f(frame[SHAPE + 3])
    # Chebyshev to powers: T2 = 2t^2 - 1, T3 = 4t^3 - 3t, T4 = 8t^4 - 8t^2 + 1.
    c0 = level * (ONE - s2 + s4) + _f(frame[FLUORESCENCE])
    c1, c2 = level * (s1 - _f(3) * s3), level * (_f(2) * s2 - _f(8) * s4)
    c3, c4 = level * _f(4) * s3, level * _f(8) * s4
    air = _f(frame[AIR])
    t, a = grid.polynomial, grid.air
    for j in range(y.size):
        x = t[j]
        y[j] = y[j] * scale + max(c0 + x * (c1 + x * (c2 + x * (c3 + x * c4))), ZERO_F) + air * a[j]
    for hump in range(2):
        height = _f(frame[HUMP + 3 * hump])
        if height > ZERO_F:
            at, width = frame[HUMP + 3 * hump + 1], frame[HUMP + 3 * hump + 2]
            for tile in range(grid.origins.size):
                j0, j1 = tile * TILE, min((tile + 1) * TILE, y.size)
                k = _f(0.25 / (width * width))
                bell(y[j0:j1], grid.near[j0:j1], _f(at - grid.origins[tile]), k, height)
    height = _f(frame[MEASURED])
    if height > ZERO_F:
        row = bank[int(frame[MEASURED_ROW])]
        for j in range(row.size):
            y[j] += height * row[j]


@jit(inline="always", **FAST)
def _quantile(mean, z):
    """Poisson count of a normal deviate z, for means of 8 and more: m r(s) + c(s), floored, with s = z / sqrt(m).

    M. Giles, ACM TOMS 42 (2016) 7, doi:10.1145/2699466: r is the inverse of s^2 / 2 = 1 - r + r log r (Temme), c the
    first correction.
    """
    safe = max(mean, _f(0.5))
    inverse = ONE / safe
    s = max(z * np.sqrt(inverse), LEAST_S)
    top = T4 + s * (T5 + s * (T6 + s * (T7 + s * T8)))
    bend = s * s * (SIXTH + s * (s * top - C72))
    return max(np.floor(safe + safe * (s + bend) + THIRD - s * (C36 - D2 * s) + D0 * inverse), ZERO_F)


@jit(**FAST)
def _poisson(y, counts, back, k1, k2, out):
    """Counts of a mean `counts * y`, written as `back` per count."""
    half = (y.size + 1) // 2
    ya, yb, oa, ob = y[:half], y[half:], out[:half], out[half:]
    for j in range(yb.size):
        c = np.uint32(np.uint32(j) * np.uint32(2))
        z0, z1 = normal_pair(hashed(c, k1, k2), hashed(np.uint32(c + np.uint32(1)), k1, k2))
        oa[j] = back * _quantile(ya[j] * counts, z0)
        ob[j] = back * _quantile(yb[j] * counts, z1)
    if half > yb.size:  # an odd number of points: the last of the first half is alone
        j = half - 1
        c = np.uint32(np.uint32(j) * np.uint32(2))
        z0, z1 = normal_pair(hashed(c, k1, k2), hashed(np.uint32(c + np.uint32(1)), k1, k2))
        oa[j] = back * _quantile(ya[j] * counts, z0)


@jit(**FAST)
def _gaussian(y, counts, back, k1, k2, out):
    """Normal noise of the same variance as counting."""
    half = (y.size + 1) // 2
    ya, yb, oa, ob = y[:half], y[half:], out[:half], out[half:]
    for j in range(half):
        c = np.uint32(np.uint32(j) * np.uint32(2))
        z0, z1 = normal_pair(hashed(c, k1, k2), hashed(np.uint32(c + np.uint32(1)), k1, k2))
        mean = ya[j] * counts
        oa[j] = back * (mean + np.sqrt(mean) * z0)
        if j < yb.size:
            mean = yb[j] * counts
            ob[j] = back * (mean + np.sqrt(mean) * z1)


@jit(**FAST)
def _few(y, counts, back, k1, k2, room, out):
    """Where few counts are expected the exact quantile replaces the expansion: probabilities are added up."""
    for start in range(0, y.size, BLOCK):
        part, made = y[start : start + BLOCK], out[start : start + BLOCK]
        n = part.size
        if _smallest(part) * counts >= POISSON_SMALL:
            continue
        mean, u, p, total, found = room[0, :n], room[1, :n], room[2, :n], room[3, :n], room[4, :n]
        for j in range(n):
            h = hashed(np.uint32(start + j), k1, k2)
            u[j] = min((_f(np.int32(h >> np.uint32(9))) + HALF) * TO_UNIT, ALMOST_ONE)
            mean[j] = max(min(part[j] * counts, POISSON_SMALL), ZERO_F)
            p[j] = decay(mean[j])
            total[j] = p[j]
            found[j] = ZERO_F
        for step in range(1, POISSON_STEPS + 1):
            inverse = ONE / _f(step)
            for j in range(n):
                found[j] += ONE if u[j] > total[j] else ZERO_F
                p[j] *= mean[j] * inverse
                total[j] += p[j]
        for j in range(n):
            made[j] = back * found[j] if part[j] * counts < POISSON_SMALL else made[j]


@jit(**FAST)
def _scaled(y, factor, out):
    for j in range(out.size):
        out[j] = y[j] * factor


@jit(**SAFE)
def render_chunk(compiled, grid, optics, slots, frames, bank, seed, mode, is_gaussian, rows, out):
    """Render patterns into out; mode 0: absolute intensities, 1: shares of the strongest peak, 2: counts."""
    m = grid.points
    scratch, near, room = np.empty(6), np.empty(4, np.float32), np.empty((5, BLOCK), np.float32)
    families = 0
    for p in range(compiled.first.size - 1):
        families = max(families, compiled.first[p + 1] - compiled.first[p])
    members = 0
    for a in range(compiled.axis_offsets.shape[0]):
        for p in range(compiled.first.size - 1):
            o = compiled.axis_offsets[a]
            members = max(members, o[compiled.first[p + 1]] - o[compiled.first[p]])
    texture, work, s2 = np.empty(families, np.float32), np.empty(members, np.float32), np.empty(families)
    pos = np.empty(rows)
    al, gg = np.empty(rows, np.float32), np.empty(rows, np.float32)
    ag, kg = np.empty(rows, np.float32), np.empty(rows, np.float32)
    y, far = np.empty(grid.x.size, np.float32), np.empty(grid.nodes.size, np.float32)
    for i in range(frames.shape[0]):
        frame = frames[i]
        n = lines_of(compiled, optics, slots[i], frame, scratch, texture, work, s2, pos, al, gg, ag, kg)
        if mode > 0:
            n = impurities(frame, n, pos, al, gg, ag, kg)
        profile(grid, n, pos, al, gg, ag, kg, near, far, y)
        row = y[:m]
        if mode == 0:
            _scaled(row, ONE, out[i])
            continue
        top = _largest(row)
        top = top if top > ZERO_F else ONE
        _background(y, top, grid, frame, bank)
        counts = _f(frame[COUNTS])
        if counts > ZERO_F:
            back = ONE if mode == 2 else ONE / counts
            k1, k2 = keys(seed, np.int64(frame[INDEX]), NOISE_STREAM)
            if is_gaussian:
                _gaussian(row, counts, back, k1, k2, out[i])
            else:
                _poisson(row, counts, back, k1, k2, out[i])
                if _smallest(row) * counts < POISSON_SMALL:
                    j1, j2 = keys(seed, np.int64(frame[INDEX]), NOISE_STREAM + 1)
                    _few(row, counts, back, j1, j2, room, out[i])
        else:
            _scaled(row, ONE, out[i])
        for k in range(N_SPIKES):
            point = int(frame[SPIKE_POINT + k])
            if 0 <= point < m:
                height = _f(frame[SPIKE_HEIGHT + k])
                out[i, point] += np.floor(height * counts) if mode == 2 and counts > ZERO_F else height
