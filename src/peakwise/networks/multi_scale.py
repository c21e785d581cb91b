"""Three streams of residual blocks that look at three scales."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, final

import torch
from torch import nn

from peakwise.networks._build import check_count
from peakwise.networks._encoder import Encoder, as_rows, check_points

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["MultiScaleResNet"]

_SCALES = ((3, 16), (5, 11), (7, 6))  # size of the filters, and of the average pooling at the end of their stream
_FEWEST = 100


class _Block(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Two convolutions of one size, the first with stride 2, beside a convolution of size 1."""

    def __init__(self, before: int, after: int, size: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv1d(before, after, size, 2, size // 2, bias=False),
            nn.BatchNorm1d(after),
            nn.ReLU(),
            nn.Conv1d(after, after, size, 1, size // 2, bias=False),
            nn.BatchNorm1d(after),
        )
        self.short = nn.Sequential(nn.Conv1d(before, after, 1, 2, bias=False), nn.BatchNorm1d(after))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.main(x) + self.short(x))


@final
class MultiScaleResNet(Encoder):
    """A stem, then three streams of three residual blocks with filters of size 3, 5 and 7, and their sum.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 100.
    width : int
        Filters of the stem and of the first block; the others have twice and four times as many.

    Notes
    -----
    The pattern passes a layer norm, and a stem of 64 filters of size 7, which leaves a quarter of its length. The
    blocks have 64, 128 and 256 filters and halve the length each. Each stream is averaged over 16, 11 or 6 neighbours
    (half its places, where there are fewer), brought to the places of the shortest stream by adaptive averages, and the
    three are added; the sum, flattened, passes a layer norm. R. Liu, F. Wang, B. Yang, S. J. Qin, IEEE Trans. Ind. Inf.
    16 (2020) 3797, doi:10.1109/TII.2019.2941868, as changed by Y. Sun, PhD thesis, University of Szeged 2023, section
    5.2.3.

    Examples
    --------
    >>> network = MultiScaleResNet(4023)
    >>> network.n_features, network.feature_map(torch.zeros(2, 4023)).shape
    (28416, torch.Size([2, 256, 111]))
    """

    def __init__(self, n_points: int, width: int = 64) -> None:
        super().__init__()
        self.n_points = check_points(self, n_points, _FEWEST)
        check_count(self, "width", width)
        widths = (width, width, 2 * width, 4 * width)
        length = n_points
        for _ in range(5):  # convolution and pooling of the stem, three blocks; each rounds up
            length = -(-length // 2)
        pools = [min(pool, length // 2) for _, pool in _SCALES]
        places = length - max(pools) + 1
        self.n_features = widths[-1] * places
        self.norm = nn.LayerNorm(n_points)
        self.stem = nn.Sequential(
            nn.Conv1d(1, width, 7, 2, 3, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.MaxPool1d(3, 2, 1)
        )
        self.streams = nn.ModuleList()
        for (size, _), pool in zip(_SCALES, pools, strict=True):
            blocks = [_Block(before, after, size) for before, after in pairwise(widths)]
            self.streams.append(nn.Sequential(*blocks, nn.AvgPool1d(pool, 1), nn.AdaptiveAvgPool1d(places)))
        self.last_norm = nn.LayerNorm(self.n_features)

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to features (batch, n_features): 28,416 at 4023 points."""
        return self.last_norm(self.feature_map(x).flatten(1))

    def feature_map(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to the sum of the streams (batch, 256, places)."""
        stem = self.stem(self.norm(as_rows(self, x)))
        first, second, third = (stream(stem) for stream in self.streams)
        return first + second + third
