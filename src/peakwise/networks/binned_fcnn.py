"""A small net in each bin of the axis, whose weights in the answer are learned with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import nn

from peakwise.networks._bins import BinnedDense, bin_places, points_in_bins
from peakwise.networks._build import check_count
from peakwise.networks._encoder import Encoder, as_rows, check_points

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BinnedFCNN"]

_OUTPUTS = 2
_FEWEST = 16


@final
class BinnedFCNN(Encoder):
    """Points (angle, intensity) through a net of its own in each bin; a linear head learns what each bin counts.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 16.
    n_bins : int
        Parts of equal size into which the axis is cut. Where they do not divide the points, neighbours share some.
    hidden : int
        Units of the hidden layer.

    Notes
    -----
    In each bin a dense layer of 150 with batch norm and ReLU and one of 2 with batch norm and sigmoid; the features are
    the means of these over the points of each bin. The dense layer behind them, which gives each bin its weight, is the
    head. Y. Sun, PhD thesis, University of Szeged 2023, section 5.1.1, where each point of a pattern has its own loss:
    here the pattern has one.

    Examples
    --------
    >>> BinnedFCNN(200, n_bins=5)(torch.zeros(3, 200)).shape
    torch.Size([3, 10])
    """

    places: Tensor

    def __init__(self, n_points: int, n_bins: int = 15, hidden: int = 150) -> None:
        super().__init__()
        self.n_points = check_points(self, n_points, max(_FEWEST, check_count(self, "n_bins", n_bins)))
        self.n_features = n_bins * _OUTPUTS
        self.first = BinnedDense(n_bins, 2, check_count(self, "hidden", hidden))
        self.first_norm = nn.BatchNorm1d(n_bins * hidden)
        self.second = BinnedDense(n_bins, hidden, _OUTPUTS)
        self.second_norm = nn.BatchNorm1d(self.n_features)
        self.register_buffer("places", bin_places(n_points, n_bins), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to the mean outputs of each bin (batch, n_bins * 2)."""
        points = points_in_bins(as_rows(self, x)[:, 0], self.places)
        hidden = torch.relu(_normalise(self.first_norm, self.first(points)))
        outputs = torch.sigmoid(_normalise(self.second_norm, self.second(hidden)))
        return outputs.unflatten(1, (len(x), -1)).mean(dim=2).transpose(0, 1).flatten(1)


def _normalise(norm: nn.Module, x: Tensor) -> Tensor:
    """Batch norm of (n_bins, n, width), each bin and unit by itself over its n points."""
    bins, _, width = x.shape
    return norm(x.transpose(0, 1).flatten(1)).unflatten(1, (bins, width)).transpose(0, 1)
