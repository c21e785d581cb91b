"""Smooth curves through a few random heights, for many patterns at once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["smooth_curves"]


def smooth_curves(heights: Tensor, n_points: int) -> Tensor:
    """Natural cubic splines (n, n_points) through heights (n, n_knots) at evenly spaced knots, ends included.

    >>> smooth_curves(torch.tensor([[0.0, 1.0, 2.0]]), 5)  # a straight line stays one
    tensor([[0.0000, 0.5000, 1.0000, 1.5000, 2.0000]])
    """
    return heights @ _basis(heights.shape[1], n_points).to(heights)


@lru_cache(maxsize=16)
def _basis(n_knots: int, n_points: int) -> Tensor:
    """What each knot contributes to each point (n_knots, n_points): a spline is linear in its heights.

    With knots one unit apart and second derivatives m, smoothness at the inner knots is
    ``m[i-1] + 4 m[i] + m[i+1] = 6 (y[i-1] - 2 y[i] + y[i+1])``, and m is 0 at both ends.
    """
    eye = torch.eye(n_knots, dtype=torch.float64)
    inner = n_knots - 2
    second = torch.zeros_like(eye)
    if inner > 0:
        off = torch.ones(max(inner - 1, 0), dtype=torch.float64)
        system = 4 * torch.eye(inner, dtype=torch.float64) + torch.diag(off, 1) + torch.diag(off, -1)
        second[1:-1] = torch.linalg.solve(system, 6 * (eye[:-2] - 2 * eye[1:-1] + eye[2:]))
    place = torch.linspace(0, n_knots - 1, n_points, dtype=torch.float64)
    left = place.floor().long().clamp(max=n_knots - 2)
    b = (place - left)[:, None]
    a = 1 - b
    line = a * eye[left] + b * eye[left + 1]
    return (line + ((a**3 - a) * second[left] + (b**3 - b) * second[left + 1]) / 6).T.contiguous()
