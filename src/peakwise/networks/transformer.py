"""A transformer that reads a series of patterns as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from torch import nn

from peakwise.networks._attention import FeedForward, HeadedAttention, encode_positions
from peakwise.networks._encoder import Encoder, as_sequences, check_points

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TransformerNet"]

_WIDTH = 256
_HEADS = 8
_LAYERS = 2
_FEWEST = 16


class _Layer(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Attention over the sequence, then a feed-forward net; each after a layer norm and beside a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(_WIDTH)
        self.attention = HeadedAttention(_WIDTH, _HEADS)
        self.feed_forward = FeedForward(_WIDTH, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.feed_forward(x + self.attention(self.norm(x)))


@final
class TransformerNet(Encoder):
    """A dense layer of 256, positional encoding, two encoder layers of 8 heads over the series.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 16.

    Notes
    -----
    Every pattern sees every other one of its sequence, earlier or later. Sequences may have any length. The layer norms
    stand before attention and feed-forward net, and one at the end. With a `LinearHead` of one output it has 1,830,511
    parameters at 4023 points, as published, if the feed-forward nets have 256 units: Y. Sun, PhD thesis, University of
    Szeged 2023, section 5.2.5.

    Examples
    --------
    >>> import torch
    >>> network = TransformerNet(200)
    >>> network(torch.zeros(2, 31, 200)).shape, network(torch.zeros(2, 200)).shape
    (torch.Size([2, 31, 256]), torch.Size([2, 256]))
    """

    is_sequential: ClassVar[bool] = True

    def __init__(self, n_points: int) -> None:
        super().__init__()
        self.n_points = check_points(self, n_points, _FEWEST)
        self.n_features = _WIDTH
        self.embedding = nn.Sequential(nn.LayerNorm(n_points), nn.Linear(n_points, _WIDTH))
        self.layers = nn.ModuleList(_Layer() for _ in range(_LAYERS))
        self.last_norm = nn.LayerNorm(_WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """Sequences (batch, time, n_points) to features (batch, time, 256); without time, without time."""
        tokens = self._embed(x)
        for layer in self.layers:
            tokens = layer(tokens)
        features = self.last_norm(tokens)
        return features[:, 0] if x.ndim == 2 else features

    def attention(self, x: Tensor) -> dict[str, Tensor]:
        """``temporal_1`` and ``temporal_2``: how much each pattern looks at each, (batch, heads, time, time)."""
        tokens, found = self._embed(x), {}
        for number, layer in enumerate(self.layers, start=1):
            found[f"temporal_{number}"] = layer.attention.weights(layer.norm(tokens))
            tokens = layer(tokens)
        return found

    def _embed(self, x: Tensor) -> Tensor:
        tokens = self.embedding(as_sequences(self, x))
        return tokens + encode_positions(tokens)
