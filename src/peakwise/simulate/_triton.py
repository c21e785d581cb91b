"""The profiles and the counting noise as Triton kernels: what makes the torch renderer fast on a GPU.

Loaded only when asked for, and only by `_torch`. Gather form: a program has one pattern and one tile of grid points and
loops over the lines, so nothing is added atomically and the result does not depend on the order of programs. The
formulas are those of the numba kernels: positions in double precision relative to the tile, the Gaussian as
(degree-5 polynomial)^16, and the same hash, so that the same seed gives the same noise.

Checked with Triton's interpreter on the CPU (``TRITON_INTERPRET=1``); tile size and warps have not been tuned on a GPU.
"""

# mypy: disable-error-code="no-untyped-def,untyped-decorator"
# mypy: disallow-untyped-calls=False, warn-return-any=False
# ruff: noqa: ANN001, ANN202

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.simulate._compile import TILE

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["count", "profile"]

_PAIRS = 256  # pairs of points of one program of the noise

triton: Any
tl: Any
try:
    triton, tl = import_module("triton"), import_module("triton.language")
except ImportError:  # then `_torch` calls nothing of this; a tool that looks at each module may still import it
    triton = tl = None


def _jit(function: Any) -> Any:
    return function if triton is None else triton.jit(function)


@_jit
def _gauss16(s):
    """2^(-16 s) for 0 <= s <= 1.25."""
    s = tl.minimum(s, 1.25)
    q = -0.0554786473834185 + s * (0.009501141717830562 + s * -0.001110238309112701)
    q = 1.0 + s * (-0.6931471284715927 + s * (0.24022434702504825 + s * q))
    q = q * q
    q = q * q
    q = q * q
    return q * q


@_jit
def _profile(pos, al, gg, ag, kg, many, near, origins, halves, out, width, points, tile: tl.constexpr):
    """Sum the first `many` lines of a row on one tile of the grid."""
    row, part = tl.program_id(0).to(tl.int64), tl.program_id(1)
    j = part * tile + tl.arange(0, tile)
    x = tl.load(near + j, mask=j < points, other=0.0)
    origin, half = tl.load(origins + part), tl.load(halves + part)
    total = tl.zeros((tile,), tl.float32)
    at = row * width
    for i in range(tl.load(many + row)):
        centre = (tl.load(pos + at + i) - origin).to(tl.float32)
        k = tl.load(kg + at + i)
        e = x - centre
        e2 = e * e
        total += tl.load(al + at + i) / (e2 + tl.load(gg + at + i))
        aside = tl.maximum(tl.abs(centre) - half, 0.0)
        if aside * aside * k < 1.25:  # further away the Gaussian is below 1e-6 of its height
            total += tl.load(ag + at + i) * _gauss16(e2 * k)
    tl.store(out + row * points + j, total, mask=j < points)


@_jit
def _hashed(counter, k1, k2):
    x = counter * 0x9E3779B9 + k1
    x = (x ^ (x >> 16)) * 0x7FEB352D
    x = x ^ k2
    x = (x ^ (x >> 15)) * 0x846CA68B
    return x ^ (x >> 16)


@_jit
def _unit(h):
    return ((h >> 9).to(tl.int32).to(tl.float32) + 0.5) * 1.1920928955078125e-07


@_jit
def _normals(h1, h2):
    """Two standard normals (Box and Muller) by the polynomials of `_random`."""
    bits = _unit(h1).to(tl.int32, bitcast=True)
    e = ((bits >> 23) - 127).to(tl.float32)
    m = ((bits & 0x7FFFFF) | 0x3F800000).to(tl.float32, bitcast=True)
    log2 = -1.266917311 + m * (0.2751485135 + m * -0.02569106016)
    log2 = e + (-3.040040005 + m * (6.112961989 + m * (-5.341987205 + m * (3.286526924 + m * log2))))
    r = tl.sqrt(tl.maximum(-1.3862943611198906 * log2, 0.0))
    t = h2.to(tl.int32, bitcast=True).to(tl.float32) * 4.656612873077393e-10
    q = t * t
    sine = 3.1415919 + q * (-2.026082066 + q * (0.5237360932 + q * (-0.07434535591 + q * 0.005896509626)))
    cosine = 4.058045414 + q * (-1.332381203 + q * (0.2296642137 + q * -0.02058279504))
    cosine = 0.9999992216 + q * (-4.934745629 + q * cosine)
    return r * cosine, r * (t * (1.0 - q) * sine)


@_jit
def _poisson(mean, z, u):
    """Counts: the exact quantile of u below a mean of 8, Temme's expansion of z above."""
    safe = tl.maximum(mean, 0.5)
    inverse = 1.0 / safe
    s = tl.maximum(z * tl.sqrt(inverse), -1.385)
    top = 0.001127735805457845 + s * (-0.0009546773065850423 + s * 0.00022836796554928597)
    top = 0.0029415627640226294 + s * (-0.0006232348528995552 + s * top)
    bend = s * s * (0.16666666666666666 + s * (s * top - 0.013888888888888888))
    first = 0.3333333333333333 - s * (0.027777777777777776 - 0.008641975308641974 * s)
    large = tl.maximum(tl.floor(safe + safe * (s + bend) + first - 0.019753086419753086 * inverse), 0.0)
    small = tl.minimum(mean, 8.0)
    p = _gauss16(small * 0.09016844005556021)  # exp(-mean), with log2(e) / 16
    total = p
    found = tl.zeros_like(p)
    for step in range(1, 33):
        found += tl.where(u > total, 1.0, 0.0)
        p = p * small / step
        total += p
    return tl.where(mean < 8.0, found, large)


@_jit
def _count(y, counts, unit, keys, points, is_gaussian: tl.constexpr, pairs: tl.constexpr):
    """Replace shares by counts (times `unit`) in one row: pair j gives the points j and j + half."""
    row = tl.program_id(0).to(tl.int64)
    level = tl.load(counts + row)
    if level > 0.0:
        half = (points + 1) // 2
        j = tl.program_id(1) * pairs + tl.arange(0, pairs)
        k1, k2 = tl.load(keys + 4 * row).to(tl.uint32), tl.load(keys + 4 * row + 1).to(tl.uint32)
        j1, j2 = tl.load(keys + 4 * row + 2).to(tl.uint32), tl.load(keys + 4 * row + 3).to(tl.uint32)
        c = (2 * j).to(tl.uint32)
        z0, z1 = _normals(_hashed(c, k1, k2), _hashed(c + 1, k1, k2))
        back = tl.load(unit + row)
        for side in tl.static_range(2):
            at = j + side * half
            inside = (j < half) & (at < points)
            mean = tl.load(y + row * points + at, mask=inside, other=0.0) * level
            z = z0 if side == 0 else z1
            if is_gaussian:
                made = mean + tl.sqrt(tl.maximum(mean, 0.0)) * z
            else:
                u = tl.minimum(_unit(_hashed(at.to(tl.uint32), j1, j2)), 0.999999)
                made = _poisson(mean, z, u)
            tl.store(y + row * points + at, made * back, mask=inside)


def profile(pos: Any, area: Any, fwhm: Any, eta: Any, grid: tuple[Any, Any, Any], points: int) -> Any:
    """Sum pseudo-Voigts on a grid.

    Parameters
    ----------
    pos, area, fwhm, eta : (n, lines) float64 tensors
        As `_torch` makes them; lines without area are left out.
    grid : (near, origins, halves)
        Points relative to the origin of their tile (float32), the origins (float64), the half widths of the tiles.
    points : int

    Returns
    -------
    (n, points) float32 tensor
    """
    n = len(pos)
    near, origins, halves = grid
    out = near.new_empty((n, points))
    acts = area > 0
    many = acts.sum(1)
    order = (~acts).byte().sort(dim=1, stable=True).indices[:, : max(int(many.max()), 1)]
    pos, area, fwhm, eta = (v.gather(1, order) for v in (pos, area, fwhm, eta))
    al = area * eta * fwhm / (2 * np.pi)
    ag = area * (1 - eta) * (2 * np.sqrt(np.log(2) / np.pi)) / fwhm
    al, gg, ag, kg = (v.to(near.dtype).contiguous() for v in (al, fwhm**2 / 4, ag, 0.25 / fwhm**2))
    _profile[(n, -(-points // TILE))](
        pos.contiguous(), al, gg, ag, kg, many, near, origins, halves, out, pos.shape[1], points, tile=TILE, num_warps=2
    )
    return out


def count(y: Any, counts: NDArray[np.float64], mode: int, keys: Any, noise: str) -> None:
    """Counting noise in place, where `counts` is above 0; mode 1: divided by the counts again, 2: whole counts.

    `y` is a float32 tensor, `keys` an int64 one: the four keys of every pattern.
    """
    n, points = y.shape
    level = y.new_tensor(counts)
    unit = 1 / level.clamp(min=1e-30) if mode == 1 else level * 0 + 1
    grid = (n, -(-((points + 1) // 2) // _PAIRS))
    _count[grid](y, level, unit, keys, points, is_gaussian=noise == "gaussian", pairs=_PAIRS, num_warps=4)
