"""Convolutions, then attention over places and over channels side by side: what two networks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

from peakwise.networks._attention import HeadedAttention
from peakwise.networks._blocks import conv_block, length_after

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["WIDTH", "SpatialChannel", "Squeeze"]

WIDTH = 256  # of the embedding
_FILTERS = (64, 8)
_SIZE = 5
_POOL = 2
_HEADS = 2


class Squeeze(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Channels (batch, channels, 256) to one (batch, 256): layer norm, convolution of size 1, batch norm, ReLU."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(WIDTH), nn.Conv1d(channels, 1, 1), nn.BatchNorm1d(1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, 256) to (batch, 256)."""
        return self.layers(x)[:, 0]


class SpatialChannel(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Signals (batch, 1, n_points) to features (batch, 256).

    Two blocks of convolutions give 8 channels, a dense layer makes 256 places of each. With X (8, 256) of a pattern:
    spatial attention lets the places, as tokens of 8 numbers, look at one another in 2 heads, A_s = X + heads;
    channel attention lets the channels do so, A_c = X + alpha softmax(X X^T) X, where alpha is learned and begins at 0.
    Their sum is squeezed to one channel.
    """

    def __init__(self, n_points: int, n_places: int | None) -> None:
        super().__init__()
        many, few = _FILTERS
        length = length_after(length_after(n_points, _SIZE, 2, _POOL), _SIZE, 1, _POOL)
        last_pool = nn.MaxPool1d(_POOL) if n_places is None else nn.AdaptiveAvgPool1d(n_places)
        self.blocks = nn.Sequential(
            conv_block(1, many, _SIZE, 2, nn.MaxPool1d(_POOL)), conv_block(many, few, _SIZE, 1, last_pool)
        )
        self.embedding = nn.Sequential(nn.Linear(n_places or length, WIDTH), nn.LayerNorm(WIDTH))
        self.spatial = HeadedAttention(few, _HEADS)
        self.alpha = nn.Parameter(torch.zeros(1))
        self.squeeze = Squeeze(few)

    def forward(self, maps: Tensor) -> Tensor:
        """What `blocks` gave (batch, 8, length) to features (batch, 256)."""
        x = self.embedding(maps)
        spatial = x + self.spatial(x.transpose(1, 2)).transpose(1, 2)
        channel = x + self.alpha * functional.scaled_dot_product_attention(x, x, x, scale=1.0)
        return self.squeeze(spatial + channel)

    def attention(self, maps: Tensor) -> dict[str, Tensor]:
        """``spatial`` (batch, 2, 256, 256) and ``channel`` (batch, 8, 8); rows sum to 1."""
        x = self.embedding(maps)
        return {
            "spatial": self.spatial.weights(x.transpose(1, 2)),
            "channel": (x @ x.transpose(1, 2)).softmax(dim=-1),
        }
