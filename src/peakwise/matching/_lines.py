"""Lines of phases as flat numbers: what retrieval and fits read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.crystal import Phase, Reflections
    from peakwise.patterns import Radiation

__all__ = ["FitLines", "cell_of", "fit_lines"]

_N_AXES = 3  # candidate texture axes
_FAINT = 2e-4  # share of all intensity that may be left out of a fit, in its faintest lines


@dataclass(frozen=True, slots=True, eq=False)
class FitLines:
    """The lines of one phase at one radiation, ready to be fitted.

    Attributes
    ----------
    squares : (6, n) float64
        h², k², l², 2kl, 2hl, 2hk.
    metric : (6,) float64
        A quarter of the reciprocal metric: ``s2 = metric @ squares``.
    basis : (6, n_cell) float64
        Change of `metric` for a relative change 1 of each free length (and angle) of the cell.
    power : (n,) float64
        Multiplicity times ``|F|²`` over mass and volume of the cell: intensity per weight.
    tails : (n,) float64
        Share of the reach of the strongest line over which each is drawn: beyond, tails are as low as that one's.
    cosine2 : (n_axes, k) float64
        cos² between each member of each family and the candidate texture axes.
    offsets : (n + 1,) int64
        Members of each family in `cosine2`.
    """

    id: str
    squares: NDArray[np.float64]
    metric: NDArray[np.float64]
    basis: NDArray[np.float64]
    power: NDArray[np.float64]
    tails: NDArray[np.float64]
    cosine2: NDArray[np.float64]
    offsets: NDArray[np.int64]
    axes: tuple[tuple[int, int, int], ...]

    def strongest(self, share: float) -> FitLines:
        """The same phase without its faintest lines, which together make up at most `share` of its intensity."""
        s2 = self.s2
        seen = self.power / np.maximum(s2, 1e-12)  # about what an instrument shows of them
        order = np.argsort(seen)
        keep = np.ones(seen.size, np.bool_)
        keep[order[np.cumsum(seen[order]) < share * seen.sum()]] = False
        if keep.all():
            return self
        counts = np.diff(self.offsets)
        offsets = np.concatenate(([0], np.cumsum(counts[keep]))).astype(np.int64)
        members = np.ascontiguousarray(self.cosine2[:, np.repeat(keep, counts)])
        squares = np.ascontiguousarray(self.squares[:, keep])
        power, tails = self.power[keep], self.tails[keep]
        return replace(self, squares=squares, power=power, tails=tails, cosine2=members, offsets=offsets)

    @property
    def s2(self) -> NDArray[np.float64]:
        """1 / (4 d²) [1/angstrom²] of the cell as given."""
        return self.metric @ self.squares


def fit_lines(phase: Phase, radiation: Radiation, low: float, high: float) -> FitLines:
    """List the lines of `phase` between two angles [deg], the faintest left out.

    Parameters
    ----------
    phase : Phase
    radiation : Radiation
        Form factors are taken at its mean wavelength.
    low, high : float
        Angles [deg] between which lines of the cell as given are wanted.
    """
    lam = radiation.wavelength
    sines = np.sin(np.radians(np.clip([low, high], 0.0, 179.0) / 2))
    d_min = float(lam / 2 / sines[1])
    found = phase.reflections(d_min)
    power = phase.intensities(radiation, d_min) / (phase.mass * phase.volume)
    keep = found.s2 >= (sines[0] / lam) ** 2
    # What the instrument shows of each line, to tell faint ones.
    sine2 = np.minimum(found.s2 * lam**2, 0.9999)
    seen = np.where(keep, power / (sine2 * np.sqrt(1 - sine2)), 0.0)
    if keep.any():
        order = np.argsort(seen)
        faint = np.cumsum(seen[order]) < _FAINT * seen.sum()
        keep[order[faint]] = False
    rows = np.nonzero(keep)[0]
    h, k, m = found.hkl[rows].astype(np.float64).T
    metric = metric_of(phase.cell)
    counts = np.diff(found.offsets)[rows]
    starts = found.offsets[:-1][rows]
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    flat = np.repeat(starts - offsets[:-1], counts) + np.arange(offsets[-1])
    axes = _faces(found)
    return FitLines(
        phase.id,
        np.ascontiguousarray([h * h, k * k, m * m, 2 * k * m, 2 * h * m, 2 * h * k]).reshape(6, -1),
        metric,
        cell_basis(phase, metric),
        power[rows],
        np.sqrt(seen[rows] / max(float(seen.max(initial=0.0)), 1e-300)),  # tails fall with the square of the distance
        _angles(found.equivalents[flat].astype(np.float64).T, axes, metric),
        offsets,
        tuple(axes),
    )


def no_lines(phase: Phase) -> FitLines:
    """What cannot be listed, as a phase that shows nothing."""
    metric, whole = metric_of(phase.cell), np.zeros(1, np.int64)
    nothing = np.zeros(0)
    return FitLines(
        phase.id, np.zeros((6, 0)), metric, cell_basis(phase, metric), nothing, nothing, np.zeros((1, 0)), whole,
        ((0, 0, 1),),
    )  # fmt: skip


def metric_of(cell: Sequence[float]) -> NDArray[np.float64]:
    """A quarter of the reciprocal metric, in the order of `FitLines.squares`."""
    a, b, c = cell[:3]
    ca, cb, cg = (_cosine(angle) for angle in cell[3:])
    direct = np.array(
        [[a * a, a * b * cg, a * c * cb], [a * b * cg, b * b, b * c * ca], [a * c * cb, b * c * ca, c * c]]
    )
    g = np.linalg.inv(direct) / 4
    return np.array([g[0, 0], g[1, 1], g[2, 2], g[1, 2], g[0, 2], g[0, 1]])


def _cosine(angle: float) -> float:
    return 0.0 if angle == 90 else float(np.cos(np.radians(angle)))


def cell_of(metric: NDArray[np.float64]) -> tuple[float, float, float, float, float, float]:
    """The inverse of `metric_of`."""
    g = 4 * np.array(
        [[metric[0], metric[5], metric[4]], [metric[5], metric[1], metric[3]], [metric[4], metric[3], metric[2]]]
    )
    direct = np.linalg.inv(g)
    a, b, c = np.sqrt(np.diag(direct))
    cosines = direct[1, 2] / (b * c), direct[0, 2] / (a * c), direct[0, 1] / (a * b)
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    return float(a), float(b), float(c), float(angles[0]), float(angles[1]), float(angles[2])


def cell_basis(phase: Phase, metric: NDArray[np.float64]) -> NDArray[np.float64]:
    """Changes of the metric that keep the symmetry, one column each, for a relative change 1 of a length.

    A length that grows by e shrinks its part of the metric by -2 e; a shear e turns an angle by 2 e radians.
    """
    g, system, (a, b, _, *angles) = metric, phase.system, phase.cell
    is_uniaxial = abs(a - b) < 1e-2 * a
    if system == "cubic":
        return np.ascontiguousarray(-2 * g[:, None])
    if system in ("trigonal", "hexagonal", "tetragonal") and is_uniaxial:
        if abs(angles[2] - 120) > 0.5 and system != "tetragonal":  # rhombohedral axes
            bend = np.zeros(6)
            bend[3:] = g[0]
            return np.ascontiguousarray(-2 * np.array([g, bend]).T)
        flat, axis = g.copy(), np.zeros(6)
        flat[2], axis[2] = 0.0, g[2]
        return np.ascontiguousarray(-2 * np.array([flat, axis]).T)
    off = np.abs(np.array(angles) - 90)
    unique = int(np.argmax(off)) if off.max() > 1e-3 else 1  # right angles by chance: b is the usual axis
    free = {"triclinic": (3, 4, 5), "monoclinic": (3 + unique,)}.get(system, ())
    columns = np.zeros((6, 3 + len(free)))
    pairs = ((1, 2), (0, 2), (0, 1))
    for i in range(3):
        columns[i, i] = -2 * g[i]
    for n, c in enumerate(free):
        i, j = pairs[c - 3]
        columns[c, 3 + n] = -2 * np.sqrt(g[i] * g[j])
    for c in range(3, 6):  # lengths that grow keep their angle
        i, j = pairs[c - 3]
        columns[c, i] -= g[c]
        columns[c, j] -= g[c]
    return columns


def _faces(found: Reflections) -> list[tuple[int, int, int]]:
    """Normals of the lattice planes of largest d that are not parallel: the faces that flat and long crystals show."""
    seen: list[tuple[int, int, int]] = []
    for hkl, n in zip(found.hkl.tolist(), range(64), strict=False):
        del n
        factor = int(np.gcd.reduce(np.abs(hkl))) or 1
        h, k, m = (int(v) // factor for v in hkl)
        if (h, k, m) not in seen:
            seen.append((h, k, m))
        if len(seen) == _N_AXES:
            break
    return seen or [(0, 0, 1)]


def _angles(
    members: NDArray[np.float64], axes: Sequence[tuple[int, int, int]], metric: NDArray[np.float64]
) -> NDArray[np.float64]:
    """cos² between each member and each axis."""
    m = metric
    full = np.array([[m[0], m[5], m[4]], [m[5], m[1], m[3]], [m[4], m[3], m[2]]])
    normal = np.array(axes, np.float64).T
    product = members.T @ full @ normal
    lengths = np.einsum("ij,ij->j", members, full @ members)[:, None] * np.einsum("ij,ij->j", normal, full @ normal)
    return np.ascontiguousarray(np.clip(product**2 / np.maximum(lengths, 1e-300), 0.0, 1.0).T)
