"""The physics and the profiles, compiled by numba: tables in, float32 patterns out, without temporaries.

Each pattern goes through three steps: the lines of its phases (position, height, width), their sum on the grid, and
background with noise. Patterns do not know of each other, so threads share nothing, and the result does not depend on
how many there are. The kernels release the interpreter's lock; threads are Python's own, which stay safe where a
training loop or another library has threads as well.

Profiles are summed in gather form. Four lines share one division (common denominators). Where a block of grid points is
further from a line than its own width, the Lorentzian tail is a low polynomial there: it is added up at eight Chebyshev
nodes and interpolated once per pattern (error below 1e-6 of the line). No tail is cut. The Gaussian is
exp2(-t^2) = (degree-5 polynomial in t^2 / 16)^16, without exp, to 5e-9.
"""

# mypy: disable-error-code="no-untyped-def,call-overload,untyped-decorator"

from __future__ import annotations

import math

import numpy as np

from peakwise.simulate import _columns as columns
from peakwise.simulate._compile import BLOCK, N_NODES, TILE
from peakwise.simulate._jit import check_layout, jit
from peakwise.simulate._random import hashed, keys, normal_pair

__all__ = ["N_OPTICS", "OPTICS", "render_chunk"]

LAYOUT = 0x391F8A8D
check_layout(LAYOUT, __name__)

# Numbers of the instrument, in this order.
OPTICS = ("u", "v", "w", "x", "y", "polarisation", "monochromator", "radius", "is_transmission", "axial_s", "axial_h")
N_OPTICS = len(OPTICS)

_S = columns.SLOT
PHASE, WEIGHT, STRAIN_A, SHEAR = _S["phase"], _S["weight"], _S["strain_a"], _S["shear_alpha"]
SIZE, SIZE_RATIO = _S["size"], _S["size_ratio"]
MICRO, MICRO_RATIO, B_EXTRA = _S["microstrain"], _S["microstrain_ratio"], _S["b_extra"]
MARCH, MARCH_AXIS, MARCH_SHARE = _S["march"], _S["march_axis"], _S["march_share"]
MARCH_2, MARCH_AXIS_2, MARCH_SHARE_2 = _S["second_march"], _S["second_axis"], _S["second_share"]
_F = columns.FRAME
INDEX, ZERO, DISPLACEMENT, TRANSPARENCY = _F["index"], _F["zero"], _F["displacement"], _F["transparency"]
ABSORPTION, WIDTH, BACKGROUND, SHAPE = _F["absorption"], _F["width"], _F["background"], _F["shape_1"]
AIR, FLUORESCENCE, HUMP, MEASURED = _F["air"], _F["fluorescence"], _F["hump_height"], _F["measured"]
MEASURED_ROW, COUNTS, IMPURITY_WIDTH = _F["measured_row"], _F["counts"], _F["impurity_width"]
IMPURITY_POSITION, IMPURITY_HEIGHT = _F["impurity_position_1"], _F["impurity_height_1"]
SPIKE_POINT, SPIKE_HEIGHT = _F["spike_point_1"], _F["spike_height_1"]
N_IMPURITIES, N_SPIKES = columns.N_IMPURITIES, columns.N_SPIKES

DEG = 180.0 / math.pi
SCHERRER = 0.9  # shape factor K of the Scherrer formula for FWHM and nearly spherical crystals
NOISE_STREAM = 7

_f = np.float32
ONE, ZERO_F, HALF, TWO = _f(1.0), _f(0.0), _f(0.5), _f(2.0)
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
HEIGHT_G = _f(2.0 * math.sqrt(math.log(2.0) / math.pi))
INV_PI = _f(1.0 / math.pi)
LOG2E_16 = _f(math.log2(math.e) / 16.0)
POISSON_SMALL = _f(8.0)  # below this mean, Poisson counts come from the exact quantile
POISSON_STEPS = 32  # more than so many counts of a mean of 8 are expected once in 1e10
ALMOST_ONE = _f(1 - 1e-6)  # beyond it float32 sums of probabilities tell nothing
TO_UNIT = _f(2.0**-23)
THIRD, SIXTH, C36, C72 = _f(1 / 3), _f(1 / 6), _f(1 / 36), _f(1 / 72)
D0, D2, D4 = _f(-8 / 405), _f(7 / 810), _f(1 / 270)
FEW_LINES = 8  # so few are summed directly everywhere: the interpolation would cost more
MOST_HEIGHTS = 16  # points over the axial height

_FAST = {"fastmath": True}
_SAFE = {"fastmath": {"contract", "nsz"}}
# asin(sqrt t) / sqrt t on [0, 1/4], minimax to 1e-12.
A0, A1, A2, A3, A4, A5, A6, A7, A8 = (
    1.0,
    0.1666666661,
    0.07500006145,
    0.04464040778,
    0.03043059228,
    0.0218345776,
    0.02078163474,
    0.001668140114,
    0.03320556576,
)


@jit(inline="always", **_FAST)
def _gauss16(s):
    """2^(-16 s) for 0 <= s <= 1.25."""
    s = min(s, FAR)
    q = ONE + s * (G1 + s * (G2 + s * (G3 + s * (G4 + s * G5))))
    q *= q
    q *= q
    q *= q
    return q * q


@jit(inline="always", **_FAST)
def _decay(t):
    """exp(-t) for t >= 0, nothing beyond t = 13.9."""
    return _gauss16(t * LOG2E_16)


@jit(**_SAFE)
def metric_of(cell, slot, g):
    """Fill g with a quarter of the strained cell's reciprocal metric, in the order of `squares`; returns the volume."""
    ea, eb, ec = slot[STRAIN_A], slot[STRAIN_A + 1], slot[STRAIN_A + 2]
    da, db, dc = slot[SHEAR] / DEG, slot[SHEAR + 1] / DEG, slot[SHEAR + 2] / DEG
    a, b, c = cell[0] * (1 + ea), cell[1] * (1 + eb), cell[2] * (1 + ec)
    ca, cb, cg = math.cos(cell[3] + da), math.cos(cell[4] + db), math.cos(cell[5] + dc)
    root = 1 - ca * ca - cb * cb - cg * cg + 2 * ca * cb * cg
    g[0] = 0.25 * (1 - ca * ca) / (a * a * root)
    g[1] = 0.25 * (1 - cb * cb) / (b * b * root)
    g[2] = 0.25 * (1 - cg * cg) / (c * c * root)
    g[3] = 0.25 * (cb * cg - ca) / (b * c * root)
    g[4] = 0.25 * (ca * cg - cb) / (a * c * root)
    g[5] = 0.25 * (ca * cb - cg) / (a * b * root)
    return a * b * c * math.sqrt(root)


@jit(**_FAST)
def _march(compiled, axis, f0, f1, r, share, work, out):
    """Add share * W(r) of every family, the mean over its members of (r^2 cos^2 + sin^2 / r)^(-3/2)."""
    offsets = compiled.axis_offsets[axis]
    t0, t1 = offsets[f0], offsets[f1]
    cosine2, sine2 = compiled.axis_cosine2[t0:t1], compiled.axis_sine2[t0:t1]
    part, value = compiled.axis_share[t0:t1], work[: t1 - t0]
    along, across, factor = _f(r * r), _f(1.0 / r), _f(share)
    for t in range(value.size):
        v = along * cosine2[t] + across * sine2[t]
        value[t] = factor * part[t] / (v * np.sqrt(v))
    if t1 - t0 == f1 - f0:
        for f in range(value.size):
            out[f] += value[f]
        return
    for f in range(f1 - f0):
        total = out[f]
        for t in range(offsets[f0 + f] - t0, offsets[f0 + f + 1] - t0):
            total += value[t]
        out[f] = total


@jit(**_FAST)
def _s2(squares, f0, f1, g, out):
    """s^2 of each family under the strained metric."""
    a, b, c = squares[0, f0:f1], squares[1, f0:f1], squares[2, f0:f1]
    d, e, f = squares[3, f0:f1], squares[4, f0:f1], squares[5, f0:f1]
    g0, g1, g2, g3, g4, g5 = g[0], g[1], g[2], g[3], g[4], g[5]
    o = out[: f1 - f0]
    for i in range(o.size):
        o[i] = (
            np.float64(a[i]) * g0
            + np.float64(b[i]) * g1
            + np.float64(c[i]) * g2
            + np.float64(d[i]) * g3
            + np.float64(e[i]) * g4
            + np.float64(f[i]) * g5
        )


@jit(**_FAST)
def _positions(s2, wavelength, pos):
    """2 theta [deg] of each line; 180 for one that cannot be reached."""
    square = wavelength * wavelength
    for i in range(pos.size):
        u = min(s2[i] * square, 1.0)
        root = np.sqrt(u)
        is_small = u < 0.25
        t = u if is_small else 0.5 * (1.0 - root)
        short = root if is_small else np.sqrt(t)
        p = A0 + t * (A1 + t * (A2 + t * (A3 + t * (A4 + t * (A5 + t * (A6 + t * (A7 + t * A8)))))))
        angle = short * p
        pos[i] = (2 * DEG) * (angle if is_small else 0.5 * math.pi - 2 * angle)


@jit(**_FAST)
def _shape(strength, s2_now, s2_then, texture, cosine2, wavelength, share, slot, frame, optics, pos, al, gg, ag, kg):
    """Heights and widths of the lines of one phase at one wavelength, and their shifts."""
    square = _f(wavelength * wavelength)
    pol, mono = _f(optics[5]), _f(optics[6])
    norm = ONE / (pol + (ONE - pol) * mono)
    b2 = _f(2 * slot[B_EXTRA])
    width2 = _f(frame[WIDTH] ** 2)
    u, v, w = _f(optics[0]) * width2, _f(optics[1]) * width2, _f(optics[2]) * width2
    x, y = _f(optics[3] * frame[WIDTH] + 4 * DEG * slot[MICRO]), _f(optics[4] * frame[WIDTH])
    micro_slope = _f(optics[3] * frame[WIDTH] + 4 * DEG * slot[MICRO] * slot[MICRO_RATIO]) - x
    size = slot[SIZE] * 10.0
    across = size * slot[SIZE_RATIO] ** (-1.0 / 3.0)
    blur = _f(SCHERRER * wavelength * DEG / across) if size > 0 else ZERO_F
    flat = _f(1.0 / slot[SIZE_RATIO] ** 2 - 1.0)
    moved, through, zero = _f(-2 * DEG * frame[DISPLACEMENT] / optics[7]), _f(-DEG * frame[TRANSPARENCY]), frame[ZERO]
    mu = _f(frame[ABSORPTION])
    is_capillary = optics[8] > 0.5
    factor = _f(share)
    p0, p1, p2, p3 = strength[0], strength[1], strength[2], strength[3]
    for i in range(pos.size):
        now = s2_now[i]
        change = _f(now / s2_then[i] - 1.0)
        s2 = _f(now)
        exact = s2 * square
        sin2 = min(exact, _f(0.99999))
        cos2 = ONE - sin2
        sine, cosine = np.sqrt(sin2), np.sqrt(cos2)
        inv_cos = ONE / cosine
        tan = sine * inv_cos
        cos_2t = ONE - TWO * sin2
        power = max(p0[i] + change * (p1[i] + change * (p2[i] + change * p3[i])), ZERO_F)
        lp = norm * (pol + (ONE - pol) * mono * cos_2t * cos_2t) * inv_cos / sin2
        thin = ONE - _decay(TWO * mu / sine)
        tube = _decay(mu * (_f(1.7133) - _f(0.0368) * sin2 - mu * (_f(0.0927) + _f(0.375) * sin2)))
        taken = (tube if is_capillary else thin) if mu > ZERO_F else ONE
        area = power * texture[i] * lp * taken * _decay(b2 * s2) * factor
        area = area if exact < _f(0.99999) else ZERO_F
        c2 = cosine2[i]
        gauss2 = max(u * tan * tan + v * tan + w, _f(1e-10))
        gauss = np.sqrt(gauss2)
        lorentz = max((x + micro_slope * c2) * tan + (y + blur * np.sqrt(ONE + flat * c2)) * inv_cos, ZERO_F)
        # Thompson-Cox-Hastings: fifth root of a polynomial of the share r, by two Newton steps.
        total = gauss + lorentz
        r = lorentz / total
        s = ONE - r
        fifth = s * s * s * s * s + r * (
            _f(2.69269) * s * s * s * s
            + r * (_f(2.42843) * s * s * s + r * (_f(4.47163) * s * s + r * (_f(0.07842) * s + r)))
        )
        root = _f(0.60186) + fifth * (_f(0.76822) + fifth * (_f(-0.55397) + fifth * _f(0.184215)))
        fourth = root * root * root * root
        root -= (root * fourth - fifth) / (_f(5.0) * fourth)
        fwhm = total * root
        q = r / root
        eta = q * (_f(1.36603) - q * (_f(0.47719) - q * _f(0.11116)))
        inverse = ONE / fwhm
        pos[i] += zero + np.float64(moved * cosine + through * TWO * sine * cosine)
        al[i] = area * eta * fwhm * HALF * INV_PI
        gg[i] = fwhm * fwhm * _f(0.25)
        ag[i] = area * (ONE - eta) * HEIGHT_G * inverse
        kg[i] = _f(0.25) * inverse * inverse


@jit(**_SAFE)
def _pad(n, pos, al, gg, ag, kg):
    """Fill up to a multiple of four with lines of no height: quads stay within a phase and a wavelength."""
    while n % 4:
        pos[n], al[n], gg[n], ag[n], kg[n] = pos[n - 1], ZERO_F, gg[n - 1], ZERO_F, kg[n - 1]
        n += 1
    return n


@jit(**_SAFE)
def _axial(first, n, optics, pos, al, gg, ag, kg):
    """Axial divergence (Finger, Cox and Jephcoat): a line becomes several towards lower angles.

    A ray that is h (relative to the radius) out of the plane arrives at cos(2 phi) = cos(2 theta) sqrt(1 + h^2). h is
    spread over a trapezoid: the fold of sample and detector heights. Heights are taken in even steps, as many as keep
    the gaps below half a FWHM; the total area stays. Where the largest shift is below a quarter of the FWHM, the line
    is only moved by the mean shift.
    """
    s, h = optics[9], optics[10]
    mean = DEG * (s * s + h * h) / 6
    top, shelf = s + h, abs(s - h)
    end = n
    for i in range(first, n):
        theta2 = pos[i] / DEG
        if al[i] + ag[i] <= ZERO_F or theta2 <= 0.002 or theta2 >= math.pi - 0.002:
            continue
        cosine = math.cos(theta2)
        largest = cosine * math.sqrt(1 + top * top)
        shift = theta2 - math.acos(min(max(largest, -1.0), 1.0))
        fwhm = 2 * math.sqrt(gg[i])
        if abs(shift) * DEG < 0.25 * fwhm:
            pos[i] -= mean * cosine / math.sqrt(1 - cosine * cosine)
            continue
        many = min(max(math.ceil(4 * abs(shift) * DEG / fwhm), 2), MOST_HEIGHTS)
        total = 0.0
        for k in range(many):
            height = (k + 0.5) / many * top
            total += min(1.0, (top - height) / max(top - shelf, 1e-12)) if height > shelf else 1.0
        a, b = al[i], ag[i]
        for k in range(many):
            height = (k + 0.5) / many * top
            part = min(1.0, (top - height) / max(top - shelf, 1e-12)) if height > shelf else 1.0
            at = math.acos(min(max(cosine * math.sqrt(1 + height * height), -1.0), 1.0)) * DEG
            to = i if k == 0 else end
            pos[to], gg[to], kg[to] = at, gg[i], kg[i]
            al[to], ag[to] = a * _f(part / total), b * _f(part / total)
            if k > 0:
                end += 1
    return end


@jit(forceinline=True, **_FAST)
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


@jit(forceinline=True, **_FAST)
def _tail(y, x, p, g, a):
    """Add one Lorentzian."""
    for j in range(y.size):
        e = x[j] - p
        y[j] += a / (e * e + g)


@jit(forceinline=True, **_FAST)
def _bell(y, x, p, k, a):
    """Add one Gaussian."""
    for j in range(y.size):
        d = x[j] - p
        y[j] += a * _gauss16(d * d * k)


@jit(inline="always", **_SAFE)
def _point(grid, position):
    """Number of a grid point near a position, within the grid."""
    at = (position - grid.start) * grid.per_unit
    return grid.lookup[np.int64(min(max(at, 0.0), grid.lookup.size - 1.0))]


@jit(**_SAFE)
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


@jit(**_SAFE)
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
            _bell(y[k0:k1], near[k0:k1], _f(p - origins[tile]), k, a)


@jit(**_FAST)
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


@jit(**_FAST)
def _largest(y):
    """The largest value, at least 0. Floats of one sign are ordered as their bits are, and whole numbers vectorise."""
    bits = y.view(np.int32)
    top = np.int32(0)
    for j in range(bits.size):
        top = max(top, bits[j])
    return np.int32(top).view(np.float32)


@jit(**_FAST)
def _smallest(y):
    """The smallest value of what is not negative."""
    bits = y.view(np.int32)
    low = bits[0]
    for j in range(bits.size):
        low = min(low, bits[j])
    return np.int32(low).view(np.float32)


@jit(**_FAST)
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
                _bell(y[j0:j1], grid.near[j0:j1], _f(at - grid.origins[tile]), k, height)
    height = _f(frame[MEASURED])
    if height > ZERO_F:
        row = bank[int(frame[MEASURED_ROW])]
        for j in range(row.size):
            y[j] += height * row[j]


@jit(inline="always", **_FAST)
def _quantile(mean, z):
    """Poisson count of a normal deviate z (M. Giles, ACM TOMS 42 (2016) 7, doi:10.1145/2699466, eq. 7, floored)."""
    safe = max(mean, _f(0.5))
    root = np.sqrt(safe)
    inverse = ONE / root
    zz = z * z
    third = inverse * inverse * (D0 + zz * (D2 + zz * D4))
    return max(np.floor(safe + root * z + THIRD + zz * SIXTH - z * (C36 + zz * C72) * inverse + third), ZERO_F)


@jit(**_FAST)
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


@jit(**_FAST)
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


@jit(**_FAST)
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
            p[j] = _decay(mean[j])
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


@jit(**_FAST)
def _scaled(y, factor, out):
    for j in range(out.size):
        out[j] = y[j] * factor


@jit(**_SAFE)
def lines_of(compiled, optics, slots, frame, scratch, texture, work, s2, pos, al, gg, ag, kg):
    """Every line of a pattern; returns how many (a multiple of four)."""
    n = 0
    for k in range(slots.shape[0]):
        slot = slots[k]
        phase = int(slot[PHASE])
        if phase < 0 or slot[WEIGHT] <= 0:
            continue
        f0, f1 = compiled.first[phase], compiled.first[phase + 1]
        volume = metric_of(compiled.cell[phase], slot, scratch)
        _s2(compiled.squares, f0, f1, scratch, s2)
        share1 = slot[MARCH_SHARE] if slot[MARCH] != 1.0 else 0.0
        share2 = slot[MARCH_SHARE_2] if slot[MARCH_2] != 1.0 else 0.0
        texture[: f1 - f0] = _f(1.0 - share1 - share2)
        if share1 > 0:
            _march(compiled, int(slot[MARCH_AXIS]), f0, f1, slot[MARCH], share1, work, texture)
        if share2 > 0:
            _march(compiled, int(slot[MARCH_AXIS_2]), f0, f1, slot[MARCH_2], share2, work, texture)
        for line in range(compiled.wavelengths.size):
            low, high = compiled.low[phase, line], compiled.high[phase, line]
            if high <= low:
                continue
            a, b, end = low - f0, high - f0, n + high - low
            _positions(s2[a:b], compiled.wavelengths[line], pos[n:end])
            share = slot[WEIGHT] / (compiled.mass[phase] * volume) * compiled.shares[line]
            _shape(
                compiled.strength[line, :, low:high], s2[a:b], compiled.s2[low:high], texture[a:b],
                compiled.cosine2[low:high], compiled.wavelengths[line], share, slot, frame, optics,
                pos[n:end], al[n:end], gg[n:end], ag[n:end], kg[n:end],
            )  # fmt: skip
            if optics[9] + optics[10] > 0:
                end = _axial(n, end, optics, pos, al, gg, ag, kg)
            n = _pad(end, pos, al, gg, ag, kg)
    return n


@jit(**_SAFE)
def _impurities(frame, n, pos, al, gg, ag, kg):
    """Foreign lines, as high as a share of the strongest line; Gaussian and Lorentzian in equal parts."""
    strongest = 0.0
    for i in range(n):
        strongest = max(strongest, al[i] / gg[i] + ag[i])
    width = frame[IMPURITY_WIDTH]
    for i in range(N_IMPURITIES):
        height = frame[IMPURITY_HEIGHT + i]
        if height > 0:
            pos[n] = frame[IMPURITY_POSITION + i]
            gg[n], kg[n] = _f(0.25 * width * width), _f(0.25 / (width * width))
            al[n], ag[n] = _f(0.5 * height * strongest) * gg[n], _f(0.5 * height * strongest)
            n += 1
    return _pad(n, pos, al, gg, ag, kg) if n else 0


@jit(**_SAFE)
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
            n = _impurities(frame, n, pos, al, gg, ag, kg)
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
