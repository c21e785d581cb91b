"""The loops over reflections, compiled: which there are, their members, and their partial structure factors.

Everything is exact integer arithmetic up to the phases. Two facts make it fast: with an inversion centre at the
origin half the atoms give the real part of all, and centring translations only multiply what is not extinct.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise._jit import FAST, jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["families"]

_DEN = 24  # translations count in 1/24 of a cell edge
_BLOCK = 256  # atoms whose phase tables fit the nearest cache together


@jit(fastmath=FAST)
def _members(
    h: int,
    k: int,
    l: int,  # noqa: E741 - Miller's letters
    ops: NDArray[np.int64],
    cen: NDArray[np.int64],
    out: NDArray[np.int64],
) -> int:
    """How many reflections are equivalent up to sign, filled into `out`; 0 when this is not their first, or extinct."""
    for c in range(1, len(cen)):
        if (h * cen[c, 0] + k * cen[c, 1] + l * cen[c, 2]) % _DEN:
            return 0
    n, negative = 0, int(k < 0) + int(l < 0)
    for i in range(len(ops)):
        o = ops[i]
        p = h * o[0] + k * o[3] + l * o[6]
        q = h * o[1] + k * o[4] + l * o[7]
        r = h * o[2] + k * o[5] + l * o[8]
        sign = 1 if p > 0 or (p == 0 and (q > 0 or (q == 0 and r > 0))) else -1
        p, q, r = sign * p, sign * q, sign * r
        fewer = int(q < 0) + int(r < 0) - negative
        if fewer < 0 or (fewer == 0 and (p > h or (p == h and (q > k or (q == k and r > l))))):
            return 0  # another one stands for this family
        if p == h and q == k and r == l:
            at = 9 if sign > 0 else 13
            if o[at] and (h * o[at + 1] + k * o[at + 2] + l * o[at + 3]) % _DEN:
                return 0
        known = False
        for m in range(n):
            if out[m, 0] == p and out[m, 1] == q and out[m, 2] == r:
                known = True
                break
        if not known:
            out[n, 0], out[n, 1], out[n, 2] = p, q, r
            n += 1
    return n


@jit(fastmath=FAST)
def _list(
    rec: NDArray[np.float64], s2_max: float, h_max: int, ops: NDArray[np.int64], cen: NDArray[np.int64], guess: int
) -> tuple[NDArray[np.int16], NDArray[np.int16], NDArray[np.int32], NDArray[np.float64], int, int, int]:
    """Families by h, k, l: representatives, all members and where they end, s², their number, largest |k|, |l|.

    The representative has the fewest negative indices, then the largest h, k and l; so h >= 0. For each h and k the
    range of l follows from a quadratic equation, so a flat or oblique cell costs no more than others. `rec` is the
    reciprocal metric tensor / 4.
    """
    room, room_all = max(guess, 16), max(guess, 16) * 4
    hkl, s2 = np.empty((room, 3), np.int16), np.empty(room)
    end, every = np.empty(room, np.int32), np.empty((room_all, 3), np.int16)
    mine = np.empty((24, 3), np.int64)
    n = n_all = k_big = l_big = 0
    a, b, c, d, e, f = rec[0], rec[1], rec[2], rec[3], rec[4], rec[5]
    for h in range(h_max + 1):
        # k from the discriminant of the equation in l (which is itself quadratic in k), l from the equation.
        qa, qb = b - f * f / c, h * (d - e * f / c)
        root = qb * qb - qa * (h * h * (a - e * e / c) - s2_max)
        if root < 0:
            continue
        root = np.sqrt(root)
        for k in range(int(np.ceil((-qb - root) / qa - 1e-9)), int(np.floor((-qb + root) / qa + 1e-9)) + 1):
            if h == 0 and k < 0:
                continue
            half, rest = h * e + k * f, a * h * h + b * k * k + 2 * d * h * k - s2_max
            inner = half * half - c * rest
            inner = np.sqrt(inner) if inner > 0 else 0.0
            first, last = int(np.ceil((-half - inner) / c - 1e-9)), int(np.floor((-half + inner) / c + 1e-9))
            for l in range(first, last + 1):  # noqa: E741
                if h == 0 and k == 0 and l <= 0:
                    continue
                value = rest + s2_max + l * (2 * half + c * l)
                if value > s2_max:
                    continue
                count = _members(h, k, l, ops, cen, mine)
                if count == 0:
                    continue
                if n == room:
                    hkl, s2, end = _twice_hkl(hkl), _twice(s2), _twice(end)
                    room *= 2
                if n_all + count > room_all:
                    every = _twice_hkl(every)
                    room_all *= 2
                hkl[n, 0], hkl[n, 1], hkl[n, 2], s2[n] = h, k, l, value
                for m in range(count):
                    every[n_all, 0], every[n_all, 1], every[n_all, 2] = mine[m, 0], mine[m, 1], mine[m, 2]
                    n_all += 1
                end[n] = n_all
                n += 1
                k_big, l_big = max(k_big, abs(k)), max(l_big, abs(l))
    return hkl, every, end, s2, n, k_big, l_big


@jit(fastmath=FAST)
def _twice_hkl(old: NDArray[np.int16]) -> NDArray[np.int16]:
    """A copy with twice the rows."""
    new = np.empty((2 * len(old), 3), np.int16)
    for i in range(len(old)):
        for j in range(3):
            new[i, j] = old[i, j]
    return new


@jit(fastmath=FAST)
def _twice(old: NDArray[Any]) -> NDArray[Any]:
    """A copy with twice the room."""
    new = np.empty(2 * len(old), old.dtype)
    for i in range(len(old)):
        new[i] = old[i]
    return new


@jit(fastmath=FAST)
def _rank(s2: NDArray[np.float64], n: int) -> NDArray[np.int64]:
    """Indices of the first n in rising order, equal ones as they came (merge sort from runs of 8)."""
    order, other = np.arange(n), np.empty(n, np.int64)
    for first in range(0, n, 8):
        for i in range(first + 1, min(first + 8, n)):
            at, value = i, order[i]
            while at > first and s2[order[at - 1]] > s2[value]:
                order[at] = order[at - 1]
                at -= 1
            order[at] = value
    width = 8
    while width < n:
        for low in range(0, n, 2 * width):
            middle, high = min(low + width, n), min(low + 2 * width, n)
            i, j = low, middle
            for k in range(low, high):
                if i < middle and (j >= high or s2[order[i]] <= s2[order[j]]):
                    other[k] = order[i]
                    i += 1
                else:
                    other[k] = order[j]
                    j += 1
        order, other = other, order
        width *= 2
    return order


@jit(fastmath=FAST)
def _powers(
    atoms: NDArray[np.float64], first: int, n: int, tops: tuple[int, int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Real and imaginary part of exp(2 pi i m x), m from -top to top, for x, then y, then z; x takes the weight."""
    rows = 2 * (tops[0] + tops[1] + tops[2]) + 3
    re, im = np.empty((rows, n)), np.empty((rows, n))
    zero = tops[0]
    for axis in range(3):
        for a in range(n):
            x = 2 * np.pi * atoms[axis, first + a]
            c, s = np.cos(x), np.sin(x)
            p, q = atoms[3, first + a] if axis == 0 else 1.0, 0.0
            re[zero, a], im[zero, a] = p, q
            for m in range(1, tops[axis] + 1):
                p, q = p * c - q * s, p * s + q * c
                re[zero + m, a], im[zero + m, a] = p, q
                re[zero - m, a], im[zero - m, a] = p, -q
        zero += tops[axis] + 1 + (tops[axis + 1] if axis < 2 else 0)
    return re, im


@jit(fastmath=FAST)
def _decay(x: float) -> float:
    """exp(-x), x >= 0, as (Taylor polynomial of x / 1024)^1024: 1e-10 of the value up to x = 20; it vectorises."""
    y = min(x, 700.0) * (-1.0 / 1024)
    y = 1 + y * (1 + y * (1 / 2 + y * (1 / 6 + y * (1 / 24 + y * (1 / 120)))))
    y *= y
    y *= y
    y *= y
    y *= y
    y *= y
    y *= y
    y *= y
    y *= y
    y *= y
    y *= y
    return y


@jit(fastmath=FAST)
def _add(
    work: NDArray[np.float64],
    hkl: NDArray[np.int16],
    s2: NDArray[np.float64],
    n_hkl: int,
    atoms: NDArray[np.float64],
    first: int,
    n: int,
    b: float,
    is_real: bool,
    tops: tuple[int, int, int],
    sums: NDArray[np.float64],
    e: int,
) -> None:
    """Add n atoms of one scatterer e and one B to its partial structure factors; b < 0: each has its own beta."""
    er, ei = _powers(atoms, first, n, tops)
    y0 = 2 * tops[0] + 1 + tops[1]
    z0 = y0 + tops[1] + 1 + tops[2]
    pr, pi = work[0], work[1]
    last_h, last_k = -1, 0
    for i in range(n_hkl):
        h, k, l = int(hkl[i, 0]), int(hkl[i, 1]), int(hkl[i, 2])  # noqa: E741
        if h != last_h or k != last_k:
            ar, ai, br, bi = er[tops[0] + h], ei[tops[0] + h], er[y0 + k], ei[y0 + k]
            for a in range(n):
                pr[a] = ar[a] * br[a] - ai[a] * bi[a]
                pi[a] = ar[a] * bi[a] + ai[a] * br[a]
            last_h, last_k = h, k
        cr, ci = er[z0 + l], ei[z0 + l]
        re, im, common = 0.0, 0.0, 1.0
        if b < 0:
            h2, k2, l2, hk, hl, kl = float(h * h), float(k * k), float(l * l), 2.0 * h * k, 2.0 * h * l, 2.0 * k * l
            b0, b1, b2 = atoms[4, first:], atoms[5, first:], atoms[6, first:]
            b3, b4, b5 = atoms[7, first:], atoms[8, first:], atoms[9, first:]
            for a in range(n):
                fade = _decay(b0[a] * h2 + b1[a] * k2 + b2[a] * l2 + b3[a] * hk + b4[a] * hl + b5[a] * kl)
                re += fade * (pr[a] * cr[a] - pi[a] * ci[a])
                im += fade * (pr[a] * ci[a] + pi[a] * cr[a])
        elif is_real:
            for a in range(n):
                re += pr[a] * cr[a] - pi[a] * ci[a]
            common = _decay(b * s2[i])
        else:
            for a in range(n):
                re += pr[a] * cr[a] - pi[a] * ci[a]
                im += pr[a] * ci[a] + pi[a] * cr[a]
            common = _decay(b * s2[i])
        sums[e, 2 * i] += re * common
        if not is_real:
            sums[e, 2 * i + 1] += im * common


@jit(fastmath=FAST)
def families(
    rec: NDArray[np.float64],
    s2_max: float,
    h_max: int,
    ops: NDArray[np.int64],
    cen: NDArray[np.int64],
    guess: int,
    atoms: NDArray[np.float64],
    groups: NDArray[np.float64],
    n_scatterers: int,
    is_real: bool,
) -> tuple[
    NDArray[np.int16],
    NDArray[np.int16],
    NDArray[np.int16],
    NDArray[np.int32],
    NDArray[np.float64],
    NDArray[np.complex64],
]:
    """hkl, multiplicity, all members, where they begin, s² and partial structure factors, sorted by rising s²."""
    hkl, every, end, s2, n, k_max, l_max = _list(rec, s2_max, h_max, ops, cen, guess)
    top: Any = np.int64(0)  # typed: a plain 0 would make the compiler build `_add` twice
    for i in range(n):
        top = max(top, int(hkl[i, 0]))
    sums = np.zeros((n_scatterers, 2 * n))
    work = np.empty((2, _BLOCK))
    for g in range(len(groups)):
        last, e = int(groups[g, 1]), int(groups[g, 2])
        for at in range(int(groups[g, 0]), last, _BLOCK):
            size = min(_BLOCK, last - at)
            _add(work, hkl, s2, n, atoms, at, size, groups[g, 3], is_real, (top, k_max, l_max), sums, e)
    order = _rank(s2, n)
    hkl_out, mult, s2_out = np.empty((n, 3), np.int16), np.empty(n, np.int16), np.empty(n)
    every_out, begin_out = np.empty((end[n - 1] if n else 0, 3), np.int16), np.zeros(n + 1, np.int32)
    partial = np.empty((n_scatterers, n), np.complex64)
    at = 0
    for i in range(n):
        j = order[i]
        first = end[j - 1] if j else 0
        s2_out[i], mult[i] = s2[j], 2 * (end[j] - first)
        for axis in range(3):
            hkl_out[i, axis] = hkl[j, axis]
        for m in range(first, end[j]):
            for axis in range(3):
                every_out[at, axis] = every[m, axis]
            at += 1
        begin_out[i + 1] = at
        for e in range(n_scatterers):
            partial[e, i] = complex(sums[e, 2 * j], sums[e, 2 * j + 1])
    return hkl_out, mult, every_out, begin_out, s2_out, partial
