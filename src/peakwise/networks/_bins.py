"""A pattern as points of a plane, in bins of equal size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BinnedDense", "bin_places", "points_in_bins"]


def bin_places(n_points: int, n_bins: int) -> Tensor:
    """Which points are in which bin (n_bins, size): all of one size, so neighbours may share a point.

    >>> bin_places(7, 3)
    tensor([[0, 1, 2],
            [2, 3, 4],
            [4, 5, 6]])
    """
    size = -(-n_points // n_bins)
    starts = torch.linspace(0, n_points - size, n_bins, dtype=torch.float64).round().long()
    return starts[:, None] + torch.arange(size)


def points_in_bins(x: Tensor, places: Tensor) -> Tensor:
    """Patterns (batch, n_points) to points (n_bins, batch * size, 2): position in the bin from -1 to 1, intensity."""
    intensity = x[:, places].transpose(0, 1)
    position = torch.linspace(-1, 1, places.shape[1], device=x.device, dtype=x.dtype).expand_as(intensity)
    return torch.stack([position, intensity], dim=-1).flatten(1, 2)


class BinnedDense(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """A dense layer of its own for each bin, all in one product: (n_bins, n, before) to (n_bins, n, after)."""

    def __init__(self, n_bins: int, before: int, after: int) -> None:
        super().__init__()
        limit = before**-0.5  # as torch's dense layers begin
        self.weight = nn.Parameter(torch.empty(n_bins, before, after).uniform_(-limit, limit))
        self.bias = nn.Parameter(torch.empty(n_bins, 1, after).uniform_(-limit, limit))

    def forward(self, x: Tensor) -> Tensor:
        """Points of each bin through the layer of that bin."""
        return torch.baddbmm(self.bias, x, self.weight)
