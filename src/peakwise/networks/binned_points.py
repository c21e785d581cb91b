"""A small net in each bin of the axis that tells to which class a point of a pattern belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from peakwise.networks._bins import BinnedDense, bin_places, points_in_bins
from peakwise.networks._build import check_count
from peakwise.networks._encoder import Encoder, as_rows, check_points

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BinnedPoints"]

_FEWEST = 16


@final
class BinnedPoints(Encoder):
    """Points (angle, intensity) to classes, by a net of its own in each bin.

    Its features are the mean probabilities of the points of each bin. The objective `BinnedVotes` trains it point by
    point and weighs the bins.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 16.
    n_bins : int
        Parts of equal size into which the axis is cut. Where they do not divide the points, neighbours share some.
    n_outputs : int
        Classes of a point.
    hidden : int
        Units of the hidden layer.

    Notes
    -----
    A dense layer of 150, ReLU, a dense layer, softmax. Y. Sun, PhD thesis, University of Szeged 2023, section 4.1.

    Examples
    --------
    >>> network = BinnedPoints(200, n_bins=5)
    >>> network(torch.zeros(3, 200)).shape, network.point_logits(torch.zeros(3, 200)).shape
    (torch.Size([3, 10]), torch.Size([3, 5, 40, 2]))
    """

    places: Tensor

    def __init__(self, n_points: int, n_bins: int = 18, n_outputs: int = 2, hidden: int = 150) -> None:
        super().__init__()
        self.n_points = check_points(self, n_points, max(_FEWEST, check_count(self, "n_bins", n_bins)))
        self.n_bins, self.n_outputs = n_bins, check_count(self, "n_outputs", n_outputs)
        self.n_features = n_bins * n_outputs
        self.first = BinnedDense(n_bins, 2, check_count(self, "hidden", hidden))
        self.second = BinnedDense(n_bins, hidden, n_outputs)
        self.register_buffer("places", bin_places(n_points, n_bins), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to the mean probabilities of each bin (batch, n_bins * n_outputs)."""
        return self.point_logits(x).softmax(dim=-1).mean(dim=2).flatten(1)

    def point_logits(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to a logit for each point and class (batch, n_bins, size, n_outputs)."""
        points = points_in_bins(as_rows(self, x)[:, 0], self.places)
        logits = self.second(torch.relu(self.first(points)))
        return logits.unflatten(1, (len(x), -1)).transpose(0, 1)
