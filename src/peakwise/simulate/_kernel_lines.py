"""From tables to lines: where the lines of a pattern are, how high and how wide.

Every line is four numbers besides its position: the numerator and the squared half width of its Lorentzian (al, gg),
the height and the inverse square of the width of its Gaussian (ag, kg).
"""

# mypy: disable-error-code="no-untyped-def,call-overload,untyped-decorator"
# mypy: disallow-untyped-calls=False, warn-return-any=False

from __future__ import annotations

import math

import numpy as np

from peakwise._jit import jit
from peakwise.simulate import _columns as columns
from peakwise.simulate._kernel_profiles import FAST, ONE, SAFE, ZERO_F, decay
from peakwise.simulate._layout import check_layout

__all__ = ["MOST_HEIGHTS", "N_OPTICS", "OPTICS", "impurities", "lines_of", "metric_of"]

LAYOUT = 0x7BA873CE
check_layout(LAYOUT, __name__)

# Numbers of the instrument, in this order.
OPTICS = (
    "u",
    "v",
    "w",
    "x",
    "y",
    "polarisation",
    "monochromator",
    "radius",
    "is_transmission",
    "axial_s",
    "axial_h",
    "capillary",
)
N_OPTICS = len(OPTICS)

_S = columns.SLOT
PHASE, WEIGHT, STRAIN_A, SHEAR = _S["phase"], _S["weight"], _S["strain_a"], _S["shear_alpha"]
SIZE, SIZE_RATIO = _S["size"], _S["size_ratio"]
MICRO, MICRO_RATIO, B_EXTRA = _S["microstrain"], _S["microstrain_ratio"], _S["b_extra"]
MARCH, MARCH_AXIS, MARCH_SHARE = _S["march"], _S["march_axis"], _S["march_share"]
MARCH_2, MARCH_AXIS_2, MARCH_SHARE_2 = _S["second_march"], _S["second_axis"], _S["second_share"]
_F = columns.FRAME
ZERO, DISPLACEMENT, TRANSPARENCY = _F["zero"], _F["displacement"], _F["transparency"]
ALONG = _F["displacement_along"]
ABSORPTION, WIDTH, IMPURITY_WIDTH = _F["absorption"], _F["width"], _F["impurity_width"]
IMPURITY_POSITION, IMPURITY_HEIGHT = _F["impurity_position_1"], _F["impurity_height_1"]
N_IMPURITIES = columns.N_IMPURITIES

DEG = 180.0 / math.pi
SCHERRER = 0.9  # shape factor K of the Scherrer formula for FWHM and nearly spherical crystals
MOST_HEIGHTS = 16  # points over the axial height
# How far absorption moves the centre of a capillary, relative to small absorption: least squares to the integral.
CENTRE = (0.3418, -0.3954, -0.1010, 0.0697, -0.5688, 0.4332)

_f = np.float32
HALF, TWO = _f(0.5), _f(2.0)
HEIGHT_G = _f(2.0 * math.sqrt(math.log(2.0) / math.pi))
INV_PI = _f(1.0 / math.pi)

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


@jit(**SAFE)
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


@jit(**FAST)
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


@jit(**FAST)
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


@jit(**FAST)
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


@jit(**SAFE)
def _moves(frame, optics):
    """Shifts [deg] as factors of cos theta, cos 2 theta, and sin 2 theta times 1, sin^2 theta, sin^4 theta.

    Flat sample in reflection: -2 s cos(theta) / R, and -sin(2 theta) / (2 mu R) for its transparency. Capillary: an
    offset y across and x along the beam moves a ray sideways by y cos(2 theta) - x sin(2 theta) (Scarlett, Rowles,
    Wallwork & Madsen, J. Appl. Cryst. 44 (2011) 60, doi:10.1107/S0021889810045905), and absorption moves the centre of
    what scatters: for small mu r by mu r^2 / 4 sin(2 theta), times a polynomial fitted to the integral over the cross
    section, within 1 % up to mu r = 1.
    """
    radius = optics[7]
    if optics[8] < 0.5:
        return (
            _f(-2 * DEG * frame[DISPLACEMENT] / radius), ZERO_F, _f(-DEG * frame[TRANSPARENCY]), ZERO_F, ZERO_F,
        )  # fmt: skip
    mu = frame[ABSORPTION]
    drawn = DEG * mu * optics[11] / (4 * radius)
    return (
        ZERO_F,
        _f(DEG * frame[DISPLACEMENT] / radius),
        _f(drawn * (1 + mu * (CENTRE[0] + mu * CENTRE[3])) - DEG * frame[ALONG] / radius),
        _f(drawn * mu * (CENTRE[1] + mu * CENTRE[4])),
        _f(drawn * mu * (CENTRE[2] + mu * CENTRE[5])),
    )


@jit(**FAST)
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
    zero, mu = frame[ZERO], _f(frame[ABSORPTION])
    is_capillary = optics[8] > 0.5
    m0, m1, m2, m3, m4 = _moves(frame, optics)
    factor = _f(share)
    p0, p1, p2, p3, p4, p5 = strength[0], strength[1], strength[2], strength[3], strength[4], strength[5]
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
        high = p3[i] + change * (p4[i] + change * p5[i])
        power = max(p0[i] + change * (p1[i] + change * (p2[i] + change * high)), ZERO_F)
        lp = norm * (pol + (ONE - pol) * mono * cos_2t * cos_2t) * inv_cos / sin2
        thin = ONE - decay(TWO * mu / sine)
        tube = decay(mu * (_f(1.7133) - _f(0.0368) * sin2 - mu * (_f(0.0927) + _f(0.375) * sin2)))
        taken = (tube if is_capillary else thin) if mu > ZERO_F else ONE
        area = power * texture[i] * lp * taken * decay(b2 * s2) * factor
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
        sin_2t = TWO * sine * cosine
        pos[i] += zero + np.float64(m0 * cosine + m1 * cos_2t + sin_2t * (m2 + sin2 * (m3 + sin2 * m4)))
        al[i] = area * eta * fwhm * HALF * INV_PI
        gg[i] = fwhm * fwhm * _f(0.25)
        ag[i] = area * (ONE - eta) * HEIGHT_G * inverse
        kg[i] = _f(0.25) * inverse * inverse


@jit(**SAFE)
def _pad(n, pos, al, gg, ag, kg):
    """Fill up to a multiple of four with lines of no height: quads stay within a phase and a wavelength."""
    while n % 4:
        pos[n], al[n], gg[n], ag[n], kg[n] = pos[n - 1], ZERO_F, gg[n - 1], ZERO_F, kg[n - 1]
        n += 1
    return n


@jit(**SAFE)
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


@jit(**SAFE)
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


@jit(**SAFE)
def impurities(frame, n, pos, al, gg, ag, kg):
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
