"""Overlapping patches, two convolutions with stride, and a dense layer that sees every place."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import nn

from peakwise.networks._build import check_count
from peakwise.networks._encoder import Encoder, as_rows, check_points

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["PatchConv"]

_PATCH = 8  # points; a line of a laboratory pattern is about as wide
_FEWEST = 64


def _stage(before: int, after: int, size: int, stride: int) -> list[nn.Module]:
    padding = (size - 1) // 2 if size % 2 else (size - stride) // 2
    return [nn.Conv1d(before, after, size, stride, padding, bias=False), nn.BatchNorm1d(after), nn.ReLU()]


@final
class PatchConv(Encoder):
    """The default network: small and quick on a processor, and the best for its time.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 64.
    width : int
        Channels of the patches; the convolutions have twice as many.
    n_features : int
        Length of the vector of features.

    Notes
    -----
    A convolution of size 16 and stride 8 turns the pattern into overlapping patches, so that nothing expensive happens
    at full length; two of size 5 and stride 2 follow, each with batch norm and ReLU. Their maps are not averaged over
    the axis: a peak elsewhere is another phase. One dense layer reads all places, and a second one stands beside a
    shortcut. Chosen by measurement among networks with patches, with more and wider convolutions, with residual blocks,
    with depthwise convolutions, and with mixing of patches by dense layers.

    Examples
    --------
    >>> network = PatchConv(2001)
    >>> network(torch.zeros(2, 2001)).shape, network.feature_map(torch.zeros(2, 2001)).shape
    (torch.Size([2, 256]), torch.Size([2, 32, 63]))
    """

    def __init__(self, n_points: int, width: int = 16, n_features: int = 256) -> None:
        super().__init__()
        self.n_points = check_points(self, n_points, _FEWEST)
        self.n_features = check_count(self, "n_features", n_features)
        wide = 2 * check_count(self, "width", width)
        self.blocks = nn.Sequential(
            *_stage(1, width, 2 * _PATCH, _PATCH), *_stage(width, wide, 5, 2), *_stage(wide, wide, 5, 2)
        )
        length = -(-(n_points // _PATCH) // 4)
        self.first = nn.Linear(wide * length, n_features)
        self.second = nn.Linear(n_features, n_features)

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to features (batch, n_features)."""
        features = torch.relu(self.first(self.feature_map(x).flatten(1)))
        return features + torch.relu(self.second(features))

    def feature_map(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to what the last convolution gives (batch, 2 width, length)."""
        return self.blocks(as_rows(self, x))
