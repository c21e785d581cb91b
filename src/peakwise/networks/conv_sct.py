"""Convolutions with attention over places, channels and time (Sun 2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from torch import nn

from peakwise.networks._attention import FeedForward, HeadedAttention, encode_positions
from peakwise.networks._build import check_count
from peakwise.networks._encoder import Encoder, as_sequences, check_points
from peakwise.networks._spatial_channel import WIDTH, SpatialChannel, Squeeze

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ConvSCT"]

_HIDDEN = 4 * WIDTH
_HEADS = 8
_FEWEST = 64


@final
class ConvSCT(Encoder):
    """The branch of `ConvSC` and one of attention over a series of patterns, added; a feed-forward net.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 64.
    n_places : int, optional
        Places to which the maps of the second convolution are averaged; None: they are max-pooled by 2.

    Notes
    -----
    The temporal branch: a dense layer of 256, positional encoding, 8 heads over the sequence beside a shortcut, layer
    norm, a convolution of size 1, batch norm, ReLU. With a `LinearHead` of one output it has 1,953,353 parameters at
    4023 points, as published: Y. Sun, PhD thesis, University of Szeged 2023, section 5.1.2.

    Examples
    --------
    >>> import torch
    >>> network = ConvSCT(200)
    >>> network(torch.zeros(2, 31, 200)).shape, network(torch.zeros(2, 200)).shape
    (torch.Size([2, 31, 256]), torch.Size([2, 256]))
    >>> network.attention(torch.zeros(2, 31, 200))["temporal"].shape
    torch.Size([2, 8, 31, 31])
    """

    is_sequential: ClassVar[bool] = True

    def __init__(self, n_points: int, n_places: int | None = None) -> None:
        super().__init__()
        self.n_points = check_points(self, n_points, _FEWEST)
        self.n_features = WIDTH
        self.branch = SpatialChannel(n_points, None if n_places is None else check_count(self, "n_places", n_places))
        self.embedding = nn.Linear(n_points, WIDTH)
        self.temporal = HeadedAttention(WIDTH, _HEADS)
        self.squeeze = Squeeze(1)
        self.last = nn.Sequential(FeedForward(WIDTH, _HIDDEN), nn.LayerNorm(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        """Sequences (batch, time, n_points) to features (batch, time, 256); without time, without time."""
        tokens = self._embed(x)
        temporal = self.squeeze((tokens + self.temporal(tokens)).flatten(0, 1)[:, None])
        features = self.last(self.branch(self.feature_map(x)) + temporal)
        return features.unflatten(0, x.shape[:-1])

    def feature_map(self, x: Tensor) -> Tensor:
        """What the second convolution gives, pattern by pattern: (batch, 8, length) or (batch * time, 8, length)."""
        return self.branch.blocks(as_sequences(self, x).flatten(0, 1)[:, None])

    def attention(self, x: Tensor) -> dict[str, Tensor]:
        """``temporal`` (batch, 8, time, time); ``spatial`` and ``channel`` as `ConvSC` has them, after the time."""
        found = {"temporal": self.temporal.weights(self._embed(x))}
        for name, matrix in self.branch.attention(self.feature_map(x)).items():
            found[name] = matrix.unflatten(0, x.shape[:-1])
        return found

    def _embed(self, x: Tensor) -> Tensor:
        tokens = self.embedding(as_sequences(self, x))
        return tokens + encode_positions(tokens)
