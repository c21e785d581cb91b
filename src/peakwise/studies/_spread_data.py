"""Patterns along a composition spread of monoclinic (Cr,Fe)VO4: the measured ones, and simulated ones like the first.

The measured ones: M.-C. Chang et al., CrystalShift (2023), scans of D. Zhou et al. (2022) with lattice parameters
refined by hand. Which atoms stand where is not needed: lines are where the cell has them, with the intensities that one
scan has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import NothingToReadError
from peakwise.patterns import Patterns

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["fit_first", "line_places", "read_spread", "simulated_spread"]

_BETAS = np.linspace(104.0, 111.0, 71)  # [deg], where the angle of the first scan is looked for
_WIDTHS = (0.06, 0.09, 0.12, 0.16, 0.22)  # [1/nm], of lines (half of the full width at half height)
_ROOM = 0.006  # of each edge, by which the simulated cells go beyond the measured ones


def read_spread(folder: Path) -> tuple[Patterns, dict[str, NDArray[np.float64]]]:
    """The scans along q [1/nm] and the refined edges [angstrom]."""
    try:
        q, rows = (np.load(folder / f"CrFeVO_{name}.npy", allow_pickle=False) for name in ("q", "data"))
        edges = {
            name: np.loadtxt(folder / f"reference_lp_{name}.csv", delimiter=",", skiprows=1)[:, 1] for name in "abc"
        }
    except (OSError, ValueError, IndexError) as problem:
        raise NothingToReadError("cannot read the spread", str(problem), "Check the folder", file=folder) from problem
    return Patterns(q / 10, rows, "q"), edges


def line_places(a: Any, b: Any, c: Any, beta: Any, most: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Indices (k, 3) of the lines of a C-centred monoclinic cell below a q [1/angstrom], and their q (n, k).

    >>> hkl, q = line_places(10.0, 9.0, 7.0, 90.0, 1.27)
    >>> hkl.tolist(), (2 * np.pi / q[0, :3]).round(3).tolist()
    ([[0, 0, 1], [1, 1, 0], [2, 0, 0]], [7.0, 6.69, 5.0])
    """
    hkl = np.stack([g.ravel() for g in np.mgrid[-9:10, 0:10, 0:10]], axis=1)
    first, second, third = hkl.T
    # C-centring; of each line and its opposite only one, and none with itself mirrored by the plane.
    kept = ((first + second) % 2 == 0) & ((third > 0) | (first > 0) | ((first == 0) & (second > 0)))
    hkl = hkl[kept]
    q = _places_of(hkl, a, b, c, beta)
    near = q[0] < most
    order = np.argsort(q[0, near], kind="stable")
    return hkl[near][order], q[:, near][:, order]


def _drawn(q: NDArray[np.float64], places: NDArray[np.float64], width: Any) -> NDArray[np.float64]:
    """Lines of height 1 at places (n, k): half Gauss, half Lorentz, (n, k, m)."""
    t = (q - places[:, :, None]) / (np.atleast_1d(width)[:, None, None] / 10)
    return np.asarray(0.5 * np.exp(-np.log(2) * t**2) + 0.5 / (1 + t**2))


def fit_first(measured: Patterns, edges: dict[str, NDArray[np.float64]]) -> tuple[float, float, NDArray[np.float64]]:
    """Angle, width and intensities that make the first scan, with its refined edges."""
    from scipy.optimize import nnls

    q, y = measured.axis, measured.intensity[0]
    a, b, c = (float(edges[name][0]) for name in "abc")
    best: tuple[float, float, float, NDArray[np.float64]] = (np.inf, 0.0, 0.0, np.zeros(0))
    slope = np.stack([np.ones_like(q), q / q[-1], 1 - q / q[-1]])
    hkl, _ = line_places(a, b, c, 107.5, float(q[-1]) + 0.1)
    for beta in _BETAS:
        places = _places_of(hkl, a, b, c, float(beta))
        for width in _WIDTHS:
            lines = _drawn(q, places, width)[0]
            heights, left = nnls(np.vstack([lines, slope]).T, y)
            if left < best[0]:
                best = left, float(beta), width, heights[: len(lines)]
    return best[1], best[2], best[3]


def _places_of(hkl: NDArray[np.int64], a: Any, b: Any, c: Any, beta: Any) -> NDArray[np.float64]:
    a, b, c, beta = (np.atleast_1d(np.asarray(v, np.float64))[:, None] for v in (a, b, c, beta))
    x, y, z = hkl[:, 0] / a, hkl[:, 1] / b, hkl[:, 2] / c
    cos, sin = np.cos(np.radians(beta)), np.sin(np.radians(beta))
    return np.asarray(2 * np.pi * np.sqrt((x**2 + z**2 - 2 * x * z * cos) / sin**2 + y**2))


def simulated_spread(
    measured: Patterns, edges: dict[str, NDArray[np.float64]], n: int, *, has_noise: bool, random_state: int
) -> Patterns:
    """Patterns of cells around the measured ones, with the edges as columns of meta.

    With noise: heights and widths of lines, background and counting noise vary as they do in measured scans; without,
    only the cell does.
    """
    rng = np.random.default_rng(random_state)
    beta, width, heights = fit_first(measured, edges)
    q = measured.axis
    cells = {}
    for name, values in edges.items():
        low, high = values.min() * (1 - _ROOM), values.max() * (1 + _ROOM)
        cells[name] = rng.uniform(low, high, n)
    a, b, c = (float(edges[name][0]) for name in "abc")
    hkl, _ = line_places(a, b, c, 107.5, float(q[-1]) + 0.1)
    places = _places_of(hkl, cells["a"], cells["b"], cells["c"], beta + rng.normal(0, 0.15, n))
    many = np.full(n, width)
    size = np.repeat(heights[None], n, axis=0)
    if has_noise:
        many *= rng.lognormal(0, 0.15, n)
        size = size * rng.lognormal(0, 0.35, size.shape)
    rows = np.stack([size[i] @ _drawn(q, places[i : i + 1], many[i])[0] for i in range(n)])
    floor = measured.intensity[0].min()
    if has_noise:
        t = (q - q[0]) / (q[-1] - q[0])
        rows += floor * rng.lognormal(0, 0.3, (n, 1)) * (1 + rng.normal(0, 0.3, (n, 1)) * (t - 0.5))
        rough = np.median(np.abs(np.diff(measured.intensity, 2, axis=1))) / 0.6745 / np.sqrt(6)
        rows += rng.normal(0, rough, rows.shape)
    else:
        rows += floor
    return Patterns(q, rows, "q", meta=cells)
