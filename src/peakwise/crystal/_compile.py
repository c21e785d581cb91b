"""A structure as the arrays that the loops run over: atoms of the cell, packed operations, reciprocal metric."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.crystal._phase import Site
    from peakwise.crystal._symmetry import Symmetry

__all__ = ["Compiled", "Packed", "compile_sites", "metric", "packed", "volume_of"]


@dataclass(frozen=True, eq=False, slots=True)
class Compiled:
    """What `families` needs to know of a structure."""

    cell: tuple[float, float, float, float, float, float]
    volume: float
    reciprocal: NDArray[np.float64]  # reciprocal metric tensor / 4: 11, 22, 33, 12, 13, 23
    operations: NDArray[np.int64]
    centrings: NDArray[np.int64]
    laue_order: int  # rotations that differ by more than the sign
    atoms: NDArray[np.float64]  # (10, n): x, y, z, weight, six beta; sorted by group
    groups: NDArray[np.float64]  # first, end, scatterer, B (-1: each atom has its own beta)
    scatterers: tuple[str, ...]
    is_real: bool  # an inversion centre at the origin: the atoms are one of each pair
    has_inversion: bool

    @property
    def n_centrings(self) -> int:
        """Lattice points in the cell."""
        return len(self.centrings)


@dataclass(frozen=True, eq=False, slots=True)
class Packed:
    """The operations of a group as the loops want them, made once per group."""

    rotations: NDArray[np.int64]
    translations: NDArray[np.int64]
    half_rotations: NDArray[np.int64]  # one of each pair (R, t), (-R, -t) where there is a centre at the origin
    half_translations: NDArray[np.int64]
    centrings: NDArray[np.int64]
    operations: NDArray[np.int64]  # one row per rotation up to sign: R, has +R, its t, has -R, its t
    is_real: bool
    has_inversion: bool


@lru_cache(maxsize=1024)
def packed(symmetry: Symmetry) -> Packed:
    """The packed operations of a group."""
    rotations = np.ascontiguousarray(symmetry.rotations, np.int64)
    translations = np.ascontiguousarray(symmetry.translations, np.int64)
    rows: dict[bytes, NDArray[np.int64]] = {}
    for r, t in zip(rotations, translations, strict=True):
        plus, minus = rows.get(r.tobytes()), rows.get((-r).tobytes())
        if plus is None and minus is None:
            row = np.zeros(17, np.int64)
            row[:9], row[9], row[10:13] = r.ravel(), 1, t
            rows[r.tobytes()] = row
        elif minus is not None:
            minus[13], minus[14:17] = 1, t
    operations = np.array(list(rows.values()))
    inversion = (rotations == -np.eye(3, dtype=int)).all((1, 2))
    is_real = bool(inversion.any()) and _is_lattice(translations[inversion][0], symmetry.centrings)
    first = [i for i, r in enumerate(rotations) if r.tobytes() in rows] if is_real else list(range(len(rotations)))
    return Packed(
        rotations,
        translations,
        np.ascontiguousarray(rotations[first]),
        np.ascontiguousarray(translations[first]),
        np.ascontiguousarray(symmetry.centrings, np.int64),
        operations,
        is_real,
        bool(inversion.any()),
    )


def _is_lattice(t: NDArray[np.int64], centrings: NDArray[np.int64]) -> bool:
    return bool((((centrings - t) % 24) == 0).all(1).any())


def metric(cell: Sequence[float]) -> NDArray[np.float64]:
    """Metric tensor [angstrom²]: 11, 22, 33, 12, 13, 23."""
    a, b, c, alpha, beta, gamma = cell
    ca, cb, cg = (_cosine(x) for x in (alpha, beta, gamma))
    return np.array([a * a, b * b, c * c, a * b * cg, a * c * cb, b * c * ca])


def _cosine(degrees: float) -> float:
    """Cosine that is exact where it matters most."""
    exact = {90.0: 0.0, 120.0: -0.5, 60.0: 0.5}
    return exact[degrees] if degrees in exact else math.cos(math.radians(degrees))


def volume_of(cell: Sequence[float]) -> float:
    """Volume [angstrom³]; 0 where the angles make no cell."""
    a, b, c = cell[:3]
    ca, cb, cg = (_cosine(x) for x in cell[3:])
    square = 1 - ca * ca - cb * cb - cg * cg + 2 * ca * cb * cg
    return a * b * c * math.sqrt(square) if square > 0 else 0.0


def reciprocal_metric(cell: Sequence[float]) -> NDArray[np.float64]:
    """Reciprocal metric tensor [1/angstrom²]: 11, 22, 33, 12, 13, 23."""
    a, b, c, d, e, f = metric(cell).tolist()
    v2 = a * b * c + 2 * d * e * f - a * f * f - b * e * e - c * d * d
    star = np.array([b * c - f * f, a * c - e * e, a * b - d * d, e * f - c * d, d * f - b * e, d * e - a * f])
    return np.asarray(star / v2)


def compile_sites(
    cell: tuple[float, float, float, float, float, float], symmetry: Symmetry, sites: Sequence[Site]
) -> Compiled:
    """All arrays of a structure whose sites have settled on their special positions."""
    from peakwise.crystal._kernels_sites import expand

    ops, g, star = packed(symmetry), metric(cell), reciprocal_metric(cell)
    scatterers = tuple(dict.fromkeys(s.scatterer for s in sites))
    number = {name: i for i, name in enumerate(scatterers)}
    # Sites of one scatterer and one B stand together; those with a tensor of their own have B = -1.
    keys = [(number[s.scatterer], s.b_iso if s.u_aniso is None else -1.0) for s in sites]
    by = sorted(range(len(sites)), key=keys.__getitem__)
    sites, keys = [sites[i] for i in by], [keys[i] for i in by]
    full = symmetry.order
    table = np.array([(*s.xyz, s.occupancy, full // s.multiplicity) for s in sites])
    beta = np.zeros((len(sites), 6))
    if any(s.u_aniso is not None for s in sites):
        lengths = np.sqrt(star[:3])
        scale = 2 * math.pi**2 * lengths[[0, 1, 2, 0, 0, 1]] * lengths[[0, 1, 2, 1, 2, 2]]
        for i, site in enumerate(sites):
            if site.u_aniso is not None:
                beta[i] = scale * site.u_aniso
    atoms, ends = expand(table, beta, ops.half_rotations, ops.half_translations, ops.centrings, g, ops.is_real)
    groups, first = [], 0
    for i, (kind, b) in enumerate(keys):
        if i + 1 == len(keys) or keys[i + 1] != (kind, b):
            groups.append((first, ends[i], kind, b))
            first = ends[i]
    return Compiled(
        cell,
        volume_of(cell),
        star / 4,
        ops.operations,
        ops.centrings,
        len(ops.operations),
        atoms,
        np.array(groups, float),
        scatterers,
        ops.is_real,
        ops.has_inversion,
    )
