"""How scans lie among the known ones, and what is known of each: what a picture of a search for the new shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["on_scale", "principal_plane"]


def principal_plane(
    known: NDArray[np.float64], asked: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, float]]:
    """Known and asked rows on the two directions in which the known ones differ most, and their shares of the variance.

    >>> known = np.array([[0.0, 0, 0], [2, 0, 0], [0, 1, 0], [2, 1, 0]])
    >>> points, asked, shares = principal_plane(known, np.array([[4.0, 0.5, 9]]))
    >>> np.abs(points[0]), np.abs(asked), [round(s, 2) for s in shares]
    (array([1. , 0.5]), array([[3., 0.]]), [0.8, 0.2])
    """
    middle = known.mean(axis=0)
    _, sizes, directions = np.linalg.svd(known - middle, full_matrices=False)
    plane = directions[:2]
    if len(plane) < 2:
        plane = np.vstack([plane, np.zeros((2 - len(plane), known.shape[1]))])
    # The sign of a direction is free: its strongest point is made positive, so that pictures agree.
    strongest = np.abs(plane).argmax(axis=1)
    plane = plane * np.where(plane[np.arange(2), strongest] < 0, -1.0, 1.0)[:, None]
    shares = [*(sizes**2 / max(float((sizes**2).sum()), 1e-300)), 0.0, 0.0]
    return (known - middle) @ plane.T, (asked - middle) @ plane.T, (float(shares[0]), float(shares[1]))


def on_scale(pattern: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """The known pattern, stretched and raised so that it is nearest to another by least squares.

    >>> on_scale(np.array([3.0, 7.0, 3.0]), np.array([0.0, 2.0, 0.0]))
    array([3., 7., 3.])
    """
    off = known - known.mean()
    size = float(off @ off)
    slope = float(off @ (pattern - pattern.mean())) / size if size > 0 else 0.0
    return np.asarray(pattern.mean() + max(slope, 0.0) * off)
