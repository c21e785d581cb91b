"""Attention, and what stands beside it in a transformer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FeedForward", "HeadedAttention", "encode_positions"]


class HeadedAttention(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Multi-head attention of tokens (batch, tokens, width) to one another.

    ``softmax(Q K^T / sqrt(d)) V`` in each head, with d = width / heads, the heads joined by a dense layer.
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (batch, tokens, width) to as many; the matrices are never held in memory."""
        query, key, value = self._heads(x)
        return self.join(functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))

    def weights(self, x: Tensor) -> Tensor:
        """How much each token takes from each (batch, heads, tokens, tokens); rows sum to 1."""
        query, key, _ = self._heads(x)
        return (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(dim=-1)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = self.project(x).chunk(3, dim=-1)
        return self._split(query), self._split(key), self._split(value)

    def _split(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) to (batch, heads, tokens, width / heads)."""
        return x.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)


class FeedForward(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Layer norm, a dense layer, ReLU and a dense layer beside a shortcut."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        """Any shape that ends with the width, to the same shape."""
        return x + self.layers(x)


def encode_positions(x: Tensor) -> Tensor:
    """Waves (time, width) that tell where in a sequence (batch, time, width) a pattern stands.

    sin(t / 10000^(2 i / width)) in column 2 i, the cosine in the next one. A. Vaswani et al., NeurIPS 2017,
    doi:10.48550/arXiv.1706.03762, section 3.5.

    >>> encode_positions(torch.zeros(1, 2, 4)).round(decimals=4)
    tensor([[0.0000, 1.0000, 0.0000, 1.0000],
            [0.8415, 0.5403, 0.0100, 1.0000]])
    """
    time, width = x.shape[-2:]
    rates = torch.exp(torch.arange(0, width, 2, device=x.device) * (-math.log(10000.0) / width))
    angles = torch.arange(time, device=x.device)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :width].to(x.dtype)
