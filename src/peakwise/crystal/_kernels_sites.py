"""The loops over atoms and operations, compiled: special positions, neighbours, all atoms of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peakwise._jit import FAST, jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["expand", "neighbours", "settle_all"]

_DEN = 24  # translations count in 1/24 of a cell edge


@jit(fastmath=FAST)
def _distance2(x: float, y: float, z: float, g: NDArray[np.float64]) -> float:
    """Squared length [angstrom²] of a fractional vector wrapped around the origin; g is the metric tensor."""
    x, y, z = x - np.rint(x), y - np.rint(y), z - np.rint(z)
    square: float = g[0] * x * x + g[1] * y * y + g[2] * z * z + 2 * (g[3] * x * y + g[4] * x * z + g[5] * y * z)
    return square


@jit(fastmath=FAST)
def _image(r: NDArray[np.int64], t: NDArray[np.int64], x: float, y: float, z: float) -> tuple[float, float, float]:
    return (
        r[0, 0] * x + r[0, 1] * y + r[0, 2] * z + t[0] / _DEN,
        r[1, 0] * x + r[1, 1] * y + r[1, 2] * z + t[1] / _DEN,
        r[2, 0] * x + r[2, 1] * y + r[2, 2] * z + t[2] / _DEN,
    )


@jit(fastmath=FAST)
def _settle(
    at: NDArray[np.float64],
    rot: NDArray[np.int64],
    tran: NDArray[np.int64],
    cen: NDArray[np.int64],
    g: NDArray[np.float64],
    tolerance: float,
) -> int:
    """Move a point to the mean of its images within `tolerance`; returns how many operations keep it in place."""
    x, y, z, n = 0.0, 0.0, 0.0, 0
    for i in range(len(rot)):
        u, v, w = _image(rot[i], tran[i], at[0], at[1], at[2])
        for c in range(len(cen)):
            du, dv, dw = u + cen[c, 0] / _DEN - at[0], v + cen[c, 1] / _DEN - at[1], w + cen[c, 2] / _DEN - at[2]
            if _distance2(du, dv, dw, g) <= tolerance * tolerance:
                x, y, z, n = x + du - np.rint(du), y + dv - np.rint(dv), z + dw - np.rint(dw), n + 1
    at[0], at[1], at[2] = at[0] + x / n, at[1] + y / n, at[2] + z / n
    return n


@jit(fastmath=FAST)
def settle_all(
    xyz: NDArray[np.float64],
    tolerance: NDArray[np.float64],
    rot: NDArray[np.int64],
    tran: NDArray[np.int64],
    cen: NDArray[np.int64],
    g: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Points moved onto the special positions that they were rounded from, and the order of their site symmetry."""
    out, order = xyz.copy(), np.ones(len(xyz), np.int64)
    old = np.empty(3)
    for j in range(len(xyz)):
        for i in range(3):
            old[i] = xyz[j, i]
        n = _settle(out[j], rot, tran, cen, g, tolerance[j])
        if n > 1:
            for _ in range(3):
                n = _settle(out[j], rot, tran, cen, g, tolerance[j])
            exact = _settle(out[j], rot, tran, cen, g, 1e-4)
            if exact != n:  # the close images are those of several neighbours, not of one special position
                for i in range(3):
                    out[j, i] = old[i]
                exact = _settle(out[j], rot, tran, cen, g, 1e-4)
            n = exact
        order[j] = n
    return out, order


@jit(fastmath=FAST)
def neighbours(
    xyz: NDArray[np.float64],
    rot: NDArray[np.int64],
    tran: NDArray[np.int64],
    cen: NDArray[np.int64],
    g: NDArray[np.float64],
    tolerance: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each site the first earlier one at the same place (or -1), and how near [angstrom] the next other is."""
    n = len(xyz)
    twin, nearest = np.full(n, -1), np.full(n, np.inf)
    for i in range(n):
        for o in range(len(rot)):
            u, v, w = _image(rot[o], tran[o], xyz[i, 0], xyz[i, 1], xyz[i, 2])
            for c in range(len(cen)):
                p, q, r = u + cen[c, 0] / _DEN, v + cen[c, 1] / _DEN, w + cen[c, 2] / _DEN
                for j in range(i, n):
                    d2 = _distance2(p - xyz[j, 0], q - xyz[j, 1], r - xyz[j, 2], g)
                    if d2 > tolerance * tolerance:
                        if d2 < nearest[i] * nearest[i]:
                            nearest[i] = np.sqrt(d2)
                        if d2 < nearest[j] * nearest[j]:
                            nearest[j] = np.sqrt(d2)
                    elif j > i and twin[j] < 0:
                        twin[j] = i
    return twin, nearest


@jit(fastmath=FAST)
def expand(
    sites: NDArray[np.float64],
    beta: NDArray[np.float64],
    rot: NDArray[np.int64],
    tran: NDArray[np.int64],
    cen: NDArray[np.int64],
    g: NDArray[np.float64],
    inverted: bool,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Atoms of the cell that are distinct up to centring (and inversion), and where those of each site end.

    A row of `sites` is x, y, z, occupancy, order of the site symmetry; a row of `beta` six numbers of its displacement
    (made their average over the site symmetry in place). A column of the answer is x, y, z, the number of atoms that it
    stands for times the occupancy, six beta. With `inverted` the operations are one of each pair (R, t), (-R, -t).
    """
    n, m = len(sites), len(rot)
    out, end, filled = np.empty((n * m, 10)), np.empty(n, np.int64), np.int64(0)
    signs = np.int64(2 if inverted else 1)
    for j in range(n):
        first, mean, order = filled, beta[j], sites[j, 4]
        share = signs * len(cen) / order * sites[j, 3]
        if order > 1:
            _average_beta(sites[j], mean, rot, tran, cen, g, signs)
        for i in range(m):
            x, y, z = _image(rot[i], tran[i], sites[j, 0], sites[j, 1], sites[j, 2])
            known = -1
            if order > 1:
                known = _find((x, y, z), out, (first, filled), cen, g, signs)
            if known >= 0:
                out[known, 3] += share
                continue
            out[filled, 0], out[filled, 1], out[filled, 2] = x - np.floor(x), y - np.floor(y), z - np.floor(z)
            out[filled, 3] = share
            _turn_beta(mean, rot[i], out[filled])
            filled += 1
        end[j] = filled
    turned = np.empty((10, filled))
    for i in range(filled):
        for k in range(10):
            turned[k, i] = out[i, k]
    return turned, end


@jit(fastmath=FAST)
def _find(
    at: tuple[float, float, float],
    rows: NDArray[np.float64],
    span: tuple[np.int64, np.int64],
    cen: NDArray[np.int64],
    g: NDArray[np.float64],
    signs: np.int64,
) -> int:
    """Index of the row that is the same point up to centring (and inversion), or -1."""
    for a in range(span[0], span[1]):
        for c in range(len(cen)):
            u, v, w = at[0] + cen[c, 0] / _DEN, at[1] + cen[c, 1] / _DEN, at[2] + cen[c, 2] / _DEN
            for sign in range(signs):
                s = 1.0 - 2.0 * sign
                if (
                    _distance2(u - s * rows[a, 0], v - s * rows[a, 1], w - s * rows[a, 2], g) < 1e-6
                ):  # (0.001 angstrom)²
                    return a
    return -1


@jit(fastmath=FAST)
def _turn_beta(b: NDArray[np.float64], r: NDArray[np.int64], out: NDArray[np.float64]) -> None:
    """R b R^T of the six numbers 11, 22, 33, 12, 13, 23, written into the last six of `out`."""
    to = len(out) - 6
    for k in range(6):
        i, j = (k, k) if k < 3 else (0, k - 2) if k < 5 else (1, 2)
        out[to + k] = (
            b[0] * r[i, 0] * r[j, 0]
            + b[1] * r[i, 1] * r[j, 1]
            + b[2] * r[i, 2] * r[j, 2]
            + b[3] * (r[i, 0] * r[j, 1] + r[i, 1] * r[j, 0])
            + b[4] * (r[i, 0] * r[j, 2] + r[i, 2] * r[j, 0])
            + b[5] * (r[i, 1] * r[j, 2] + r[i, 2] * r[j, 1])
        )


@jit(fastmath=FAST)
def _average_beta(
    at: NDArray[np.float64],
    b: NDArray[np.float64],
    rot: NDArray[np.int64],
    tran: NDArray[np.int64],
    cen: NDArray[np.int64],
    g: NDArray[np.float64],
    signs: np.int64,
) -> None:
    """Make a displacement tensor its average over the operations that keep a site in place, in place."""
    total, turned, n = np.zeros(6), np.empty(6), 0
    for i in range(len(rot)):
        x, y, z = _image(rot[i], tran[i], at[0], at[1], at[2])
        keeps = False
        for c in range(len(cen)):
            u, v, w = x + cen[c, 0] / _DEN, y + cen[c, 1] / _DEN, z + cen[c, 2] / _DEN
            keeps |= _distance2(u - at[0], v - at[1], w - at[2], g) < 1e-6
            keeps |= signs == 2 and _distance2(u + at[0], v + at[1], w + at[2], g) < 1e-6
        if keeps:
            _turn_beta(b, rot[i], turned)
            for k in range(6):
                total[k] += turned[k]
            n += 1
    for k in range(6):
        b[k] = total[k] / max(n, 1)
