"""Phases, radiation and grid as flat arrays that the kernels read: what does not change from variant to variant.

Per reflection family and wavelength, multiplicity * |F|^2 is kept as a polynomial of degree 5 of the relative change of
s^2, from the partial structure factors at Chebyshev nodes of the strain that may occur. A strained variant then costs
six multiplications, without the atoms and without the form factors: within 1e-6 of the largest |F|^2 where lengths may
change by 10 %, 3e-5 at 20 %, 1e-4 at 25 %, which is the most that is allowed.

The displacement factors of the atoms are part of the partial structure factors: their exponents B s^2 stay as they are
when the cell changes, so that displacements keep their share of the edges (B grows as the square of the lengths).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from peakwise.errors import OptionError
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.crystal import Phase, Reflections

__all__ = ["BLOCK", "N_AXES", "N_NODES", "N_TERMS", "TILE", "Compiled", "Grid", "at_rest", "compile_phases", "lay_grid"]

N_TERMS = 6  # of the polynomials of m |F|^2
N_AXES = 3  # candidate texture axes of a phase
BLOCK = 64  # grid points that share one interpolated far field
N_NODES = 8  # Chebyshev nodes of a block
TILE = 256  # grid points that share one float32 origin
_FINE = 1_000_000_000  # angles whose cos^2 agree to this part are one angle
_LOOKUP = 4  # lookup bins per grid point

# How the cell may change without breaking the symmetry: which lengths and angles move together.
CUBIC, UNIAXIAL, RHOMBOHEDRAL, ORTHORHOMBIC, MONO_A, MONO_B, MONO_C, TRICLINIC = range(8)


class Compiled(NamedTuple):
    """All phases, their families one after the other (NF in all) by falling d."""

    first: NDArray[np.int64]  # (P + 1,) where the families of each phase begin
    squares: NDArray[np.float32]  # (6, NF) h^2 k^2 l^2 2kl 2hl 2hk: s^2 is their product with the reciprocal metric / 4
    s2: NDArray[np.float64]  # (NF,) unstrained
    strength: NDArray[np.float32]  # (L, N_TERMS, NF) polynomials of multiplicity * |F|^2
    low: NDArray[np.int64]  # (P, L) families that contribute for each line of the radiation: low <= f < high
    high: NDArray[np.int64]
    cosine2: NDArray[np.float32]  # (NF,) cos^2 between the family and the unique axis (cubic: 0 for h00, 1 for hhh)
    axis_offsets: NDArray[np.int64]  # (N_AXES, NF + 1) into the next two
    axis_cosine2: NDArray[np.float32]  # distinct cos^2 between the members of a family and a texture axis
    axis_sine2: NDArray[np.float32]  # 1 minus that, without loss near the axis
    axis_share: NDArray[np.float32]  # share of the members that have it
    n_axes: NDArray[np.int64]  # (P,)
    cell: NDArray[np.float64]  # (P, 6) a b c [angstrom] alpha beta gamma [rad]
    symmetry: NDArray[np.int64]  # (P,) one of the codes above
    mass: NDArray[np.float64]  # (P,) of the cell [u]
    wavelengths: NDArray[np.float64]  # (L,)
    shares: NDArray[np.float64]  # (L,) intensities of the lines, sum 1
    rows: int  # most lines that one phase can add


class Grid(NamedTuple):
    """The grid in two_theta [deg] whatever axis the user has, cut into blocks and tiles; padded to whole blocks."""

    x: NDArray[np.float64]  # (m_padded,)
    near: NDArray[np.float32]  # (m_padded,) x relative to the origin of its tile
    origins: NDArray[np.float64]  # (n_tiles,)
    low_edges: NDArray[np.float64]  # (n_blocks,) a line between the two edges is near the block
    high_edges: NDArray[np.float64]
    nodes: NDArray[np.float32]  # (n_blocks * N_NODES,) relative to `middle`
    middle: float
    weights: NDArray[np.float32]  # (n_blocks or 1, N_NODES, BLOCK) interpolation from the nodes to the points
    lookup: NDArray[np.int64]  # first point at or beyond each of many even positions
    start: float
    per_unit: float  # lookup bins per deg
    polynomial: NDArray[np.float32]  # (m_padded,) -1 to 1 along the user's axis
    air: NDArray[np.float32]  # (m_padded,) 1 / two_theta, 1 at the start
    points: int  # m


def lay_grid(two_theta: NDArray[np.float64], axis: NDArray[np.float64]) -> Grid:
    """Prepare a rising grid; two_theta [deg] and the user's own axis have the same points."""
    m = two_theta.size
    n_blocks = -(-m // BLOCK)
    beyond = np.arange(1, n_blocks * BLOCK - m + 1)
    x = np.concatenate((two_theta, two_theta[-1] + beyond * (two_theta[-1] - two_theta[-2])))
    n_tiles = -(-x.size // TILE)
    ends = np.minimum(np.arange(1, n_tiles + 1) * TILE, x.size) - 1
    origins = (x[::TILE] + x[ends]) / 2
    near = (x - np.repeat(origins, TILE)[: x.size]).astype(np.float32)
    blocks = x.reshape(n_blocks, BLOCK)
    middle, half = (blocks[:, 0] + blocks[:, -1]) / 2, (blocks[:, -1] - blocks[:, 0]) / 2
    cosines = np.cos(np.pi * (np.arange(N_NODES) + 0.5) / N_NODES)[::-1]
    weights = _barycentric((blocks - middle[:, None]) / half[:, None], cosines)
    if np.abs(weights - weights[0]).max() < 1e-9:
        weights = weights[:1]
    # A line within twice the half width of a block's middle is near: its tail is no low polynomial there.
    nodes, centre = (middle[:, None] + half[:, None] * cosines).ravel(), float(x[x.size // 2])
    bins = _LOOKUP * x.size
    marks = np.linspace(x[0], x[-1], bins)
    return Grid(
        x,
        near,
        origins,
        middle - 2 * half,
        middle + 2 * half,
        (nodes - centre).astype(np.float32),
        centre,
        np.ascontiguousarray(np.swapaxes(weights, 1, 2), dtype=np.float32),
        np.minimum(np.searchsorted(x, marks), x.size).astype(np.int64),
        float(x[0]),
        (bins - 1) / float(x[-1] - x[0]),
        (2 * (np.concatenate((axis, np.full(beyond.size, axis[-1]))) - axis[0]) / (axis[-1] - axis[0]) - 1).astype(
            np.float32
        ),
        (max(float(x[0]), 1.0) / np.maximum(x, 1.0)).astype(np.float32),
        m,
    )


def _barycentric(t: NDArray[np.float64], nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (..., N_NODES) of the polynomial through Chebyshev nodes of the first kind at points t."""
    n = nodes.size
    w = (-1.0) ** np.arange(n) * np.sin(np.pi * (np.arange(n) + 0.5) / n)
    gap = t[..., None] - nodes
    exact = np.abs(gap) < 1e-14
    terms = w / np.where(exact, 1.0, gap)
    terms = np.where(exact.any(-1, keepdims=True), exact, terms)
    return np.asarray(terms / terms.sum(-1, keepdims=True))


def compile_phases(
    phases: Sequence[Phase], radiation: Radiation, span: tuple[float, float], stretch: float, limit: int
) -> Compiled:
    """Flatten the phases.

    Parameters
    ----------
    phases : sequence of Phase
    radiation : Radiation
    span : (float, float)
        A family contributes with a wavelength when its unstrained line lies within these angles [deg], both included.
    stretch : float
        Largest relative change of a length that may occur: sets the nodes of the polynomials.
    limit : int
        Most families of one phase.
    """
    lines = np.array(radiation.lines, dtype=np.float64)
    wavelengths, shares = lines[:, 0], lines[:, 1] / lines[:, 1].sum()
    sines = np.sin(np.radians(np.clip(span, 0.0, 180.0) / 2))
    lowest, highest = (sines[0] / wavelengths) ** 2, (sines[1] / wavelengths) ** 2
    parts = [_one(p, radiation, wavelengths, lowest, highest, stretch, limit) for p in phases]
    sizes = [len(part.s2) for part in parts]
    first = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    low = np.array([part.low + f for part, f in zip(parts, first, strict=False)]).reshape(len(parts), -1)
    high = np.array([part.high + f for part, f in zip(parts, first, strict=False)]).reshape(len(parts), -1)
    offsets: list[NDArray[np.int64]] = []
    cosines: list[NDArray[np.float32]] = []
    others: list[NDArray[np.float32]] = []
    members: list[NDArray[np.float32]] = []
    begin = 0
    for axis in range(N_AXES):
        row = [np.zeros(1, np.int64) + begin]
        for part in parts:
            o, c, w = part.axes[axis]
            row.append(o[1:] + begin)
            cosines.append(c.astype(np.float32))
            others.append((1 - c).astype(np.float32))
            members.append(w)
            begin += len(c)
        offsets.append(np.concatenate(row))
    return Compiled(
        first,
        np.concatenate([part.squares for part in parts], axis=1),
        np.concatenate([part.s2 for part in parts]),
        np.ascontiguousarray(np.concatenate([part.strength for part in parts], axis=2)),
        low,
        high,
        np.concatenate([part.cosine2 for part in parts]),
        np.array(offsets),
        np.concatenate(cosines),
        np.concatenate(others),
        np.concatenate(members),
        np.array([part.n_axes for part in parts]),
        np.array([part.cell for part in parts]),
        np.array([part.symmetry for part in parts]),
        np.array([float(p.mass) for p in phases]),
        wavelengths,
        shares,
        int((-(-(high - low) // 4) * 4).sum(axis=1).max()),
    )


def at_rest(phase: Phase) -> Phase:
    """The structure without the displacement of its atoms."""
    return replace(phase, sites=tuple(replace(s, b_iso=0.0, u_aniso=None) for s in phase.sites))


class _Part(NamedTuple):
    """One phase."""

    squares: NDArray[np.float32]
    s2: NDArray[np.float64]
    strength: NDArray[np.float32]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    cosine2: NDArray[np.float32]
    axes: list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float32]]]
    n_axes: int
    cell: NDArray[np.float64]
    symmetry: int


def _one(
    phase: Phase,
    radiation: Radiation,
    wavelengths: NDArray[np.float64],
    lowest: NDArray[np.float64],
    highest: NDArray[np.float64],
    stretch: float,
    limit: int,
) -> _Part:
    if not phase.mass > 0:
        raise OptionError("cannot simulate", f"{phase.id} has no mass", "Leave the phase out")
    # A hair further than asked for: a line exactly at the end of the range belongs to it.
    found = phase.reflections(float(0.5 / np.sqrt(highest.max() * (1 + 1e-9))), limit=limit)
    keep = found.s2 >= lowest.min()
    s2 = np.ascontiguousarray(found.s2[keep])
    h, k, m = found.hkl[keep].astype(np.float64).T
    cell = np.array([*phase.cell[:3], *np.radians(phase.cell[3:])])
    metric = reciprocal_metric(cell)
    strength = np.array([_strength(phase, found, keep, _line(radiation, w), stretch) for w in wavelengths])
    code = symmetry_code(phase)
    axes, n_axes = _texture(found, keep, metric)
    return _Part(
        np.array([h * h, k * k, m * m, 2 * k * m, 2 * h * m, 2 * h * k], dtype=np.float32).reshape(6, -1),
        s2,
        strength.astype(np.float32),
        np.searchsorted(s2, lowest, side="left"),
        np.searchsorted(s2, highest, side="right"),
        _unique_axis(np.array([h, k, m]), metric, code).astype(np.float32),
        axes,
        n_axes,
        cell,
        code,
    )


def _line(radiation: Radiation, wavelength: float) -> Radiation:
    return Radiation(float(wavelength), probe=radiation.probe, anode=radiation.anode)


def _strength(
    phase: Phase, found: Reflections, keep: NDArray[np.bool_], radiation: Radiation, stretch: float
) -> NDArray[np.float64]:
    """Polynomial coefficients (N_TERMS, n) of multiplicity * |F|^2 in the relative change of s^2."""
    s2, many = found.s2[keep], found.multiplicity[keep].astype(np.float64)
    partial = found.partial[:, keep]
    mates = None if found.partial_friedel is None else found.partial_friedel[:, keep]
    # Lengths change by a factor within 1 - stretch and 1 + stretch, so s^2 by its inverse square.
    low, high = (1 + stretch) ** -2 - 1, (1 - stretch) ** -2 - 1
    unit = max(high, 1e-300)
    nodes = (
        (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * (np.arange(N_TERMS) + 0.5) / N_TERMS)
        if stretch > 0
        else np.zeros(1)
    )
    values = []
    for node in nodes:
        real, imaginary = phase.form_factors(s2 * (1 + node), radiation)
        f = real + 1j * np.reshape(imaginary, (len(real), -1))
        power = np.abs((f * partial).sum(0)) ** 2
        if mates is not None:
            power = (power + np.abs((f * mates).sum(0)) ** 2) / 2
        values.append(many * power)
    out = np.zeros((N_TERMS, s2.size))
    if stretch > 0:
        scale = unit ** np.arange(float(N_TERMS))
        out[:] = np.linalg.solve(np.vander(nodes / unit, N_TERMS, increasing=True), np.array(values)) / scale[:, None]
    else:
        out[0] = values[0]
    return out


def reciprocal_metric(cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """3 x 3 reciprocal metric tensor [1/angstrom^2] of a cell with angles in radians."""
    a, b, c, alpha, beta, gamma = cell
    direct = np.array(
        [
            [a * a, a * b * np.cos(gamma), a * c * np.cos(beta)],
            [a * b * np.cos(gamma), b * b, b * c * np.cos(alpha)],
            [a * c * np.cos(beta), b * c * np.cos(alpha), c * c],
        ]
    )
    return np.asarray(np.linalg.inv(direct))


def symmetry_code(phase: Phase) -> int:
    """Which changes of the cell keep the symmetry, from the space group's number and the cell as given."""
    number, (a, b, _, alpha, beta, gamma) = int(phase.space_group_number), phase.cell
    if number >= 195:
        return CUBIC
    if number >= 143:
        is_hexagonal = abs(gamma - 120) < 0.5 and abs(alpha - 90) < 0.5 and abs(a - b) < 1e-2 * a
        return UNIAXIAL if is_hexagonal else RHOMBOHEDRAL
    if number >= 75:
        return UNIAXIAL if abs(a - b) < 1e-2 * a else ORTHORHOMBIC  # a strange setting: the lengths go their own way
    if number >= 16:
        return ORTHORHOMBIC
    if number >= 3:
        off = np.abs(np.array([alpha, beta, gamma]) - 90)
        return (MONO_A, MONO_B, MONO_C)[int(np.argmax(off))] if off.max() > 1e-3 else MONO_B
    return TRICLINIC


def _cosine2(one: NDArray[np.float64], other: NDArray[np.float64], metric: NDArray[np.float64]) -> NDArray[np.float64]:
    """cos^2 between plane normals, (3, n) against (3,) or (3, n)."""
    product = (one * (metric @ other).reshape(3, -1)).sum(0)
    lengths = (one * (metric @ one)).sum(0) * (other * (metric @ other)).sum(0)
    return np.asarray(np.clip(product**2 / lengths, 0.0, 1.0))


def _unique_axis(hkl: NDArray[np.float64], metric: NDArray[np.float64], code: int) -> NDArray[np.float64]:
    if hkl.shape[1] == 0:
        return np.zeros(0)
    if code == CUBIC:
        h2, k2, l2 = hkl**2
        return np.asarray(3 * (h2 * k2 + k2 * l2 + l2 * h2) / (h2 + k2 + l2) ** 2)
    axes = {RHOMBOHEDRAL: (1, 1, 1), MONO_A: (1, 0, 0), MONO_B: (0, 1, 0)}
    return _cosine2(hkl, np.array(axes.get(code, (0, 0, 1)), dtype=np.float64), metric)


def _texture(
    found: Reflections, keep: NDArray[np.bool_], metric: NDArray[np.float64]
) -> tuple[list[tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float32]]], int]:
    """Angles of every family to the candidate texture axes.

    The candidates are the lattice planes of largest d that are not parallel: flat and long crystals show these faces
    (the law of Bravais, Friedel, Donnay and Harker).
    """
    directions = _faces(found)
    counts = np.diff(found.offsets)
    family = np.repeat(np.arange(len(found.s2)), counts)
    wanted = keep[family]
    number = (np.cumsum(keep) - 1)[family[wanted]]
    members = found.equivalents[wanted].astype(np.float64).T
    n = int(keep.sum())
    result = []
    for axis in range(N_AXES):
        direction = directions[min(axis, len(directions) - 1)]
        cosines = (
            np.round(_cosine2(members, direction, metric) * _FINE).astype(np.int64) if n else np.zeros(0, np.int64)
        )
        code, many = np.unique(number * (2 * _FINE) + cosines, return_counts=True)
        owner = code // (2 * _FINE)
        total = np.bincount(number, minlength=n)
        offsets = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=n)))).astype(np.int64)
        share = (many / total[owner]).astype(np.float32) if n else np.zeros(0, np.float32)
        result.append((offsets, (code % (2 * _FINE)) / _FINE, share))
    return result, len(directions)


def _faces(found: Reflections) -> list[NDArray[np.float64]]:
    seen: set[tuple[int, ...]] = set()
    faces: list[NDArray[np.float64]] = []
    for i in range(len(found.s2)):
        members = found.equivalents[found.offsets[i] : found.offsets[i + 1]].astype(np.int64)
        reduced = members // np.gcd.reduce(members, axis=1)[:, None]
        orbit = max(max(tuple(m), tuple(-m)) for m in reduced.tolist() for m in [np.array(m)])
        if orbit not in seen:
            seen.add(orbit)
            faces.append(found.hkl[i].astype(np.float64))
        if len(faces) == N_AXES:
            break
    return faces or [np.array([0.0, 0.0, 1.0])]
