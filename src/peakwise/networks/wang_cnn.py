"""The convolutional network of Wang et al. (2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from torch import nn

from peakwise.networks._build import check_number
from peakwise.networks._encoder import Encoder, as_rows, check_points

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["WangCNN"]

_FILTERS = (6, 16, 32, 64)
_KERNEL = 5
_POOL = 2
_DENSE = (120, 84)
_FEWEST = 76  # points of which one is left after four blocks


@final
class WangCNN(Encoder):
    """Four blocks of convolution, ReLU, max-pooling and dropout, then two dense layers.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 76.
    dropout : float
        Share of the values dropped after every block.

    Notes
    -----
    6, 16, 32 and 64 filters of size 5 and stride 1 without padding, pooling 2, dropout 0.2, dense layers of 120 and 84;
    the last dense layer, one output a class, is the head. H. Wang, Y. Xie, D. Li, H. Deng, Y. Zhao, M. Xin, J. Lin,
    J. Chem. Inf. Model. 60 (2020) 2004, doi:10.1021/acs.jcim.0c00020.

    Examples
    --------
    >>> import torch
    >>> network = WangCNN(4501)
    >>> network(torch.zeros(2, 4501)).shape, network.feature_map(torch.zeros(2, 4501)).shape
    (torch.Size([2, 84]), torch.Size([2, 64, 277]))
    """

    def __init__(self, n_points: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.n_points = length = check_points(self, n_points, _FEWEST)
        self.n_features = _DENSE[-1]
        check_number(self, "dropout", dropout, below=1)
        blocks: list[nn.Module] = []
        channels = 1
        for filters in _FILTERS:
            blocks += [nn.Conv1d(channels, filters, _KERNEL), nn.ReLU(), nn.MaxPool1d(_POOL), nn.Dropout(dropout)]
            channels, length = filters, (length - _KERNEL + 1) // _POOL
        self.blocks = nn.Sequential(*blocks)
        first, second = _DENSE
        self.dense = nn.Sequential(
            nn.Flatten(), nn.Linear(channels * length, first), nn.ReLU(), nn.Linear(first, second), nn.ReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to features (batch, 84)."""
        return self.dense(self.feature_map(x))

    def feature_map(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to what the last block gives (batch, 64, length)."""
        return self.blocks(as_rows(self, x))
