"""A one-dimensional residual network."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch import nn

from peakwise.networks._build import check_count
from peakwise.networks._encoder import Encoder, as_rows, check_points

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ResidualNet"]

_FEWEST = 64


class _Block(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Two convolutions beside a shortcut, which is a convolution of size 1 where the shape changes."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv1d(before, after, 3, stride, 1, bias=False),
            nn.BatchNorm1d(after),
            nn.ReLU(),
            nn.Conv1d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm1d(after),
        )
        same = stride == 1 and before == after
        self.short = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv1d(before, after, 1, stride, bias=False), nn.BatchNorm1d(after))
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.main(x) + self.short(x))


@final
class ResidualNet(Encoder):
    """A stem of stride 4, four residual blocks, pooling to a fixed number of places, a dense layer.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 64.
    width : int
        Channels of the first block; each later one doubles them and halves the length.
    n_places : int
        Parts of the axis over which the last maps are averaged. One place would forget where a peak was.
    n_features : int
        Length of the vector of features.

    Notes
    -----
    Blocks as in K. He, X. Zhang, S. Ren, J. Sun, CVPR 2016, 770, doi:10.1109/CVPR.2016.90, in one dimension.

    Examples
    --------
    >>> import torch
    >>> ResidualNet(2000)(torch.zeros(2, 2000)).shape
    torch.Size([2, 128])
    """

    def __init__(self, n_points: int, width: int = 16, n_places: int = 16, n_features: int = 128) -> None:
        super().__init__()
        self.n_points = check_points(self, n_points, _FEWEST)
        self.n_features = check_count(self, "n_features", n_features)
        check_count(self, "width", width)
        check_count(self, "n_places", n_places)
        self.stem = nn.Sequential(
            nn.Conv1d(1, width, 7, 2, 3, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.MaxPool1d(3, 2, 1)
        )
        self.blocks = nn.Sequential(
            _Block(width, width, 1),
            _Block(width, 2 * width, 2),
            _Block(2 * width, 4 * width, 2),
            _Block(4 * width, 8 * width, 2),
        )
        self.pool = nn.AdaptiveAvgPool1d(n_places)
        self.dense = nn.Linear(8 * width * n_places, n_features)

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to features (batch, n_features)."""
        return torch.relu(self.dense(self.pool(self.feature_map(x)).flatten(1)))

    def feature_map(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to what the last block gives (batch, 8 width, length)."""
        return self.blocks(self.stem(as_rows(self, x)))
