"""Atoms of a cell of the data set ``gold-md`` before anything moves, and what is measured on their positions.

numpy alone: the process that runs LAMMPS needs nothing of peakwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

A0 = 4.0989  # [angstrom] with which cells begin; those of Au_u3.eam at 300 K and no stress come to 4.095
_CLEAR = 1.7  # [angstrom] an interstitial atom keeps at least this from its neighbours


def build_cell(recipe: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Positions (n, 3) and edges (3,) [angstrom] of an orthogonal, periodic cell."""
    rng = np.random.default_rng(recipe["seed"])
    if recipe["orientation"] == "cube":
        x, box = cubes(recipe["repeat"])
        normal = np.ones(3) / np.sqrt(3)
    else:
        x, box = layers(recipe["repeat"], recipe["steps"])
        normal = np.array([0.0, 0.0, 1.0])
    if recipe["dipole"]:
        x = _without_half_plane(x, box, recipe["dipole"], rng)
    for radius in recipe["platelets"]:
        x = _without_disc(x, box, normal, radius, rng)
    n = len(x)
    x = np.delete(x, rng.choice(n, round(recipe["vacancies"] * n), replace=False), axis=0)
    moved = round(recipe["frenkel"] * len(x))
    x = np.delete(x, rng.choice(len(x), moved, replace=False), axis=0)
    for _ in range(moved + round(recipe["interstitials"] * n)):
        x = np.vstack([x, _gap(x, box, rng)])
    order = recipe["axes"]
    return np.ascontiguousarray(x[:, order] % box[order]), box[order]


def cubes(repeat: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Face-centred cubes along [100], [010], [001].

    >>> x, box = cubes([2, 1, 1])
    >>> len(x), (box / A0).tolist()
    (8, [2.0, 1.0, 1.0])
    """
    base = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    corners = np.stack(np.meshgrid(*map(np.arange, repeat), indexing="ij"), axis=-1).reshape(-1, 1, 3)
    return ((corners + base).reshape(-1, 3)) * A0, np.array(repeat) * A0


def layers(repeat: list[int], steps: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Close-packed layers on each other, along [1-10], [11-2], [111].

    Each step +1 goes from A to B to C to A, each -1 back: all +1 is cubic, alternating is hexagonal.
    """
    wide, long, high = A0 / np.sqrt(2), A0 * np.sqrt(1.5), A0 / np.sqrt(3)
    nx, ny, nz = repeat
    if sum(steps) % 3 or len(steps) != nz:
        raise ValueError("the stack of layers must close on itself")
    base = np.array([[0.0, 0.0], [wide / 2, long / 2]])
    corners = np.stack(np.meshgrid(np.arange(nx) * wide, np.arange(ny) * long, indexing="ij"), -1).reshape(-1, 1, 2)
    flat = (corners + base).reshape(-1, 2)
    letters = np.concatenate([[0], np.cumsum(steps)[:-1]]) % 3
    x = [
        np.column_stack([flat[:, 0], flat[:, 1] + letter * long / 3, np.full(len(flat), i * high)])
        for i, letter in enumerate(letters)
    ]
    box = np.array([nx * wide, ny * long, nz * high])
    return np.vstack(x) % box, box


def hexagonal_share(steps: list[int]) -> float:
    """Share of layers whose neighbours are the same letter: what common neighbour analysis must find."""
    turned = np.asarray(steps)
    return float(np.mean(turned != np.roll(turned, 1)))


def _apart(x: np.ndarray, point: np.ndarray, box: np.ndarray) -> np.ndarray:
    d = x - point
    return d - box * np.round(d / box)


def _without_half_plane(x: np.ndarray, box: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray:
    """Take out a strip one Burgers vector wide: an edge dislocation at its top, its opposite at its bottom.

    The rows that stay are drawn out over the gap; relaxation gathers the misfit in the two lines.
    """
    point = rng.random(3) * box
    burgers = A0 / np.sqrt(2)
    along = (x[:, 0] - point[0]) % box[0]
    band = np.abs(_apart(x, point, box)[:, 2]) < height * box[2] / 2
    stays = ~band | (along > burgers - 1e-6)
    drawn = point[0] + (along - burgers) * box[0] / (box[0] - burgers)
    x = x.copy()
    x[band, 0] = drawn[band]
    return x[stays]


def _without_disc(
    x: np.ndarray, box: np.ndarray, normal: np.ndarray, radius: float, rng: np.random.Generator
) -> np.ndarray:
    """Take out a disc of one close-packed layer and close the gap: a loop around a stacking fault."""
    d = _apart(x, x[rng.integers(len(x))], box)
    off = d @ normal
    within = np.linalg.norm(d - off[:, None] * normal, axis=1) < radius
    spacing = A0 / np.sqrt(3)
    closing = np.where(within, -np.sign(off) * spacing / 2 * np.exp(-(np.abs(off) - spacing) / 5.0), 0.0)
    return (x + closing[:, None] * normal)[~(within & (np.abs(off) < 0.3 * spacing))]


def _gap(x: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random point that is not too near to any atom."""
    while True:
        points = rng.random((16, 3)) * box
        for point in points:
            if np.min(np.sum(_apart(x, point, box) ** 2, axis=1)) > _CLEAR**2:
                return point


def structure_counts(
    x: np.ndarray,
    box: np.ndarray,
    *,
    wavelength: float = 1.54,
    start: float = 30.0,
    end: float = 90.0,
    points: int = 6000,
) -> np.ndarray:
    r"""Sum of :math:`|\sum_j e^{2\pi i G x_j}|^2 / (N V)` over the cell's reciprocal lattice, in bins of two_theta.

    A periodic solid scatters at the points of the reciprocal lattice of its cell and nowhere else. For a cell with
    orthogonal axes the phase factors of each axis are multiplied, so that all sums over atoms are matrix products.
    """
    low, high = (2 * np.sin(np.radians(t / 2)) / wavelength for t in (start, end))
    n = len(x)
    most = [int(np.floor(high * edge)) for edge in box]
    h, k, m = np.arange(most[0] + 1), np.arange(-most[1], most[1] + 1), np.arange(-most[2], most[2] + 1)
    ex, ey, ez = (np.exp(2j * np.pi * np.outer(i, x[:, j] / box[j])) for j, i in enumerate((h, k, m)))
    counts = np.zeros(points)
    rest = (k[:, None] / box[1]) ** 2 + (m[None, :] / box[2]) ** 2
    for i in h:  # the other half of the reciprocal lattice scatters alike
        power = np.abs((ey * ex[i]) @ ez.T) ** 2 * (2 if i else 1)
        length = np.sqrt((i / box[0]) ** 2 + rest)
        inside = (length >= low) & (length < high)
        two_theta = np.degrees(2 * np.arcsin(length[inside] * wavelength / 2))
        bins = np.minimum(((two_theta - start) / (end - start) * points).astype(int), points - 1)
        counts += np.bincount(bins, weights=power[inside], minlength=points)
    return counts / (n * np.prod(box))


def velocity_autocorrelation(velocities: np.ndarray, lags: int) -> np.ndarray:
    """Mean over atoms, axes and starts of v(0) v(t), (steps, atoms, 3) -> (lags,), 1 at t = 0."""
    steps = len(velocities)
    flat = velocities.reshape(steps, -1)
    size = 1 << (2 * steps - 1).bit_length()
    total = np.zeros(size // 2 + 1)
    for part in np.array_split(flat, max(1, flat.shape[1] // 512), axis=1):
        total += np.sum(np.abs(np.fft.rfft(part, size, axis=0)) ** 2, axis=1)
    raw = np.fft.irfft(total, size)[:lags] / (steps - np.arange(lags))
    return raw / raw[0]
