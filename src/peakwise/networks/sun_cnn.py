"""The convolutional network of Sun (2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from torch import nn

from peakwise.errors import OptionError
from peakwise.networks._blocks import conv_block, length_after
from peakwise.networks._build import check_count
from peakwise.networks._encoder import Encoder, as_rows, check_points

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SunCNN"]

# Filters, their size, their stride. The strides of the first two follow from the 496 features of the thesis.
_BLOCKS = ((64, 5, 2), (64, 3, 2), (4, 3, 1))
_POOL = 2
_FEWEST = 100


@final
class SunCNN(Encoder):
    """Three blocks of convolution, batch norm, ReLU and max-pooling between two layer norms; small.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 100.
    second_pool : int
        Pooling of the second block. The published weight file has 3, the thesis 2.

    Notes
    -----
    The pattern passes a layer norm; then 64 filters of size 5, 64 of size 3 and 4 of size 3 with strides 2, 2 and 1,
    each pooled by 2; the maps, flattened, pass a layer norm. With a `LinearHead` of one output it has 23,307 parameters
    at 4023 points, as published: Y. Sun, PhD thesis, University of Szeged 2023, section 5.2.2.

    Examples
    --------
    >>> import torch
    >>> network = SunCNN(4023)
    >>> network(torch.zeros(2, 4023)).shape, network.feature_map(torch.zeros(2, 4023)).shape
    (torch.Size([2, 496]), torch.Size([2, 4, 124]))
    """

    def __init__(self, n_points: int, second_pool: int = 2) -> None:
        super().__init__()
        self.n_points = length = check_points(self, n_points, _FEWEST)
        pools = (_POOL, check_count(self, "second_pool", second_pool), _POOL)
        self.norm = nn.LayerNorm(n_points)
        blocks, channels = [], 1
        for (filters, size, stride), pool in zip(_BLOCKS, pools, strict=True):
            blocks.append(conv_block(channels, filters, size, stride, nn.MaxPool1d(pool)))
            channels, length = filters, length_after(length, size, stride, pool)
        if length < 1:
            why = f"second_pool={second_pool} leaves no place of {n_points} points"
            raise OptionError("cannot build SunCNN", why, "Choose a smaller second_pool")
        self.blocks = nn.Sequential(*blocks)
        self.n_features = channels * length
        self.last_norm = nn.LayerNorm(self.n_features)

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to features (batch, n_features): 496 at 4023 points."""
        return self.last_norm(self.feature_map(x).flatten(1))

    def feature_map(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to what the last block gives (batch, 4, length)."""
        return self.blocks(self.norm(as_rows(self, x)))
