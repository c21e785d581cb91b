"""The sum of all lines on the grid, in gather form.

Four lines share one division (common denominators). Where a block of grid points is further from a line than its own
width, the Lorentzian tail is a low polynomial there: it is added up at eight Chebyshev nodes and interpolated once per
pattern (error below 1e-6 of the line). No tail is cut. The Gaussian is exp2(-t^2) = (degree-5 polynomial of t^2 / 16)
to the power of 16, without exp, to 5e-9.
"""

# mypy: disable-error-code="no-untyped-def,call-overload,untyped-decorator"
# mypy: disallow-untyped-calls=False, warn-return-any=False

from __future__ import annotations

import math

import numpy as np

from peakwise._jit import jit
from peakwise.simulate._compile import BLOCK, N_NODES, TILE
from peakwise.simulate._layout import check_layout

__all__ = ["FAST", "ONE", "SAFE", "ZERO_F", "bell", "decay", "gauss16", "profile"]

LAYOUT = 0x7BA873CE
check_layout(LAYOUT, __name__)

_f = np.float32
ONE, ZERO_F = _f(1.0), _f(0.0)
G1, G2, G3, G4, G5 = (
    _f(c)
    for c in (
        -0.6931471284715927,
        0.24022434702504825,
        -0.0554786473834185,
        0.009501141717830562,
        -0.001110238309112701,
    )
)
FAR = _f(1.25)  # 16 * 1.25 = 20 powers of two: the Gaussian is below 1e-6 of its height
REACH = math.sqrt(5.0)  # in FWHM: 4 REACH^2 = 20
LOG2E_16 = _f(math.log2(math.e) / 16.0)
FEW_LINES = 8  # so few are summed directly everywhere: the interpolation would cost more

FAST = {"fastmath": True}
SAFE = {"fastmath": {"contract", "nsz"}}


@jit(inline="always", **FAST)
def gauss16(s):
    """2^(-16 s) for 0 <= s <= 1.25."""
    s = min(s, FAR)
    q = ONE + s * (G1 + s * (G2 + s * (G3 + s * (G4 + s * G5))))
    q *= q
    q *= q
    q *= q
    return q * q


@jit(inline="always", **FAST)
def decay(t):
    """exp(-t) for t >= 0, nothing beyond t = 13.9."""
    return gauss16(t * LOG2E_16)


@jit(forceinline=True, **FAST)
def _tails(y, x, p, g, a):
    """Add four Lorentzians over one division."""
    p0, p1, p2, p3 = p[0], p[1], p[2], p[3]
    g0, g1, g2, g3 = g[0], g[1], g[2], g[3]
    a0, a1, a2, a3 = a[0], a[1], a[2], a[3]
    for j in range(y.size):
        here = x[j]
        e0, e1, e2, e3 = here - p0, here - p1, here - p2, here - p3
        d0, d1, d2, d3 = e0 * e0 + g0, e1 * e1 + g1, e2 * e2 + g2, e3 * e3 + g3
        y[j] += ((a0 * d1 + a1 * d0) * (d2 * d3) + (a2 * d3 + a3 * d2) * (d0 * d1)) / ((d0 * d1) * (d2 * d3))


@jit(forceinline=True, **FAST)
def _tail(y, x, p, g, a):
    """Add one Lorentzian."""
    for j in range(y.size):
        e = x[j] - p
        y[j] += a / (e * e + g)


@jit(forceinline=True, **FAST)
def bell(y, x, p, k, a):
    """Add one Gaussian."""
    for j in range(y.size):
        d = x[j] - p
        y[j] += a * gauss16(d * d * k)


@jit(inline="always", **SAFE)
def _point(grid, position):
    """Number of a grid point near a position, within the grid."""
    at = (position - grid.start) * grid.per_unit
    return grid.lookup[np.int64(min(max(at, 0.0), grid.lookup.size - 1.0))]


@jit(**SAFE)
def profile(grid, n, pos, al, gg, ag, kg, near, far, y):
    """Sum n lines (a multiple of four) on the grid; returns nothing, fills y."""
    n_blocks = grid.low_edges.size
    y[:] = ZERO_F
    is_direct = n <= FEW_LINES
    if not is_direct:
        far[:] = ZERO_F
    for i in range(0, n, 4):
        g, a = gg[i : i + 4], al[i : i + 4]
        if a[0] + a[1] + a[2] + a[3] <= ZERO_F:
            continue
        b0, b1 = 0, n_blocks
        if not is_direct:
            low, high = pos[i], pos[i]
            for k in range(4):
                low, high = min(low, pos[i + k]), max(high, pos[i + k])
                near[k] = pos[i + k] - grid.middle
            # Blocks from b0 to b1 are near one of the four.
            b0 = min(_point(grid, low) // BLOCK, n_blocks - 1)
            while b0 < n_blocks and grid.high_edges[b0] <= low:
                b0 += 1
            while b0 > 0 and grid.high_edges[b0 - 1] > low:
                b0 -= 1
            b1 = max(b0, min(_point(grid, high) // BLOCK, n_blocks - 1))
            while b1 < n_blocks and grid.low_edges[b1] < high:
                b1 += 1
            if b0 > 0:
                _tails(far[: b0 * N_NODES], grid.nodes[: b0 * N_NODES], near, g, a)
            if b1 < n_blocks:
                _tails(far[b1 * N_NODES :], grid.nodes[b1 * N_NODES :], near, g, a)
        start, stop = b0 * BLOCK, b1 * BLOCK
        is_alone = a[1] + a[2] + a[3] <= ZERO_F
        for tile in range(start // TILE, (stop + TILE - 1) // TILE):
            j0, j1 = max(start, tile * TILE), min(stop, (tile + 1) * TILE)
            for k in range(4):
                near[k] = pos[i + k] - grid.origins[tile]
            if is_alone:
                _tail(y[j0:j1], grid.near[j0:j1], near[0], g[0], a[0])
            else:
                _tails(y[j0:j1], grid.near[j0:j1], near, g, a)
    _bells(grid.lookup, grid.start, grid.per_unit, grid.near, grid.origins, n, pos, ag, kg, y)
    if not is_direct:
        _interpolate(grid.weights, far, y)


@jit(**SAFE)
def _bells(lookup, start, per_unit, near, origins, n, pos, ag, kg, y):
    """The Gaussians where they are not nothing, in whole vectors of 16 points."""
    m, last = y.size, lookup.size - 1
    for i in range(n):
        if ag[i] <= ZERO_F:
            continue
        p, k, a = pos[i], kg[i], ag[i]
        reach = REACH * 0.5 / math.sqrt(np.float64(k))
        b0, b1 = (p - reach - start) * per_unit, (p + reach - start) * per_unit
        if b1 < 0 or b0 > last:
            continue
        j0 = lookup[int(max(b0, 0.0))] // 16 * 16
        j1 = m if b1 >= last - 1 else min((lookup[int(b1) + 1] + 15) // 16 * 16, m)
        for tile in range(j0 // TILE, (j1 + TILE - 1) // TILE):
            k0, k1 = max(j0, tile * TILE), min(j1, (tile + 1) * TILE)
            bell(y[k0:k1], near[k0:k1], _f(p - origins[tile]), k, a)


@jit(**FAST)
def _interpolate(weights, far, y):
    """Add the far field of each block."""
    shared = weights.shape[0] == 1
    for b in range(y.size // BLOCK):
        w = weights[0 if shared else b].reshape(-1)
        c = far[b * N_NODES : (b + 1) * N_NODES]
        c0, c1, c2, c3, c4, c5, c6, c7 = c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
        out = y[b * BLOCK : (b + 1) * BLOCK]
        for j in range(out.size):
            out[j] += (c0 * w[j] + c1 * w[j + 64] + c2 * w[j + 128] + c3 * w[j + 192]) + (
                c4 * w[j + 256] + c5 * w[j + 320] + c6 * w[j + 384] + c7 * w[j + 448]
            )
