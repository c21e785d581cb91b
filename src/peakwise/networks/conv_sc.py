"""Convolutions with attention over places and channels (Sun 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from torch import nn

from peakwise.networks._attention import FeedForward
from peakwise.networks._build import check_count
from peakwise.networks._encoder import Encoder, as_rows, check_points
from peakwise.networks._spatial_channel import WIDTH, SpatialChannel

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ConvSC"]

_HIDDEN = 4 * WIDTH
_FEWEST = 64


@final
class ConvSC(Encoder):
    """Two convolutions, attention over places beside attention over channels, a feed-forward net.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 64.
    n_places : int, optional
        Places to which the maps of the second convolution are averaged; None: they are max-pooled by 2. With a number,
        the embedding and all behind it are the same for every length of the patterns.
    has_feed_forward : bool
        Whether the feed-forward net is there. The self-supervised networks of the thesis do without.

    Notes
    -----
    64 filters of size 5 and stride 2, 8 of size 5, each with batch norm, ReLU and max-pooling by 2; a dense layer of
    256 with layer norm; both attentions, added; layer norm, a convolution of size 1, batch norm, ReLU; a feed-forward
    net of 1024 units; a layer norm. With a `LinearHead` of one output it has 659,525 parameters at 4023 points, as
    published: Y. Sun, PhD thesis, University of Szeged 2023, section 5.1.2; the channel attention is that of J. Fu et
    al., CVPR 2019, 3146, doi:10.1109/CVPR.2019.00326.

    Examples
    --------
    >>> import torch
    >>> network = ConvSC(4023)
    >>> x = torch.zeros(2, 4023)
    >>> network(x).shape, network.feature_map(x).shape
    (torch.Size([2, 256]), torch.Size([2, 8, 500]))
    >>> {name: tuple(matrix.shape) for name, matrix in network.attention(x).items()}
    {'spatial': (2, 2, 256, 256), 'channel': (2, 8, 8)}
    """

    def __init__(self, n_points: int, n_places: int | None = None, has_feed_forward: bool = True) -> None:
        super().__init__()
        self.n_points = check_points(self, n_points, _FEWEST)
        self.n_features = WIDTH
        self.branch = SpatialChannel(n_points, None if n_places is None else check_count(self, "n_places", n_places))
        self.last = nn.Sequential(FeedForward(WIDTH, _HIDDEN), nn.LayerNorm(WIDTH)) if has_feed_forward else None

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to features (batch, 256)."""
        features = self.branch(self.feature_map(x))
        return features if self.last is None else self.last(features)

    def feature_map(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to what the second convolution gives (batch, 8, length)."""
        return self.branch.blocks(as_rows(self, x))

    def attention(self, x: Tensor) -> dict[str, Tensor]:
        """``spatial`` (batch, heads, 256, 256) and ``channel`` (batch, 8, 8): how much each takes from each.

        A place is one of the 256 numbers of the embedding; each of them saw the whole pattern.
        """
        return self.branch.attention(self.feature_map(x))
