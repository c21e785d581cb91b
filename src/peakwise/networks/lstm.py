"""A recurrent network that reads a series of patterns from its first to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from torch import nn

from peakwise.networks._build import check_count
from peakwise.networks._encoder import Encoder, as_sequences, check_points

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LSTMNet"]

_LAYERS = 2
_FEWEST = 16


@final
class LSTMNet(Encoder):
    """A dense layer, two layers of long short-term memory over the series, and layer norms.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 16.
    width : int
        Units of the dense layer and of each recurrent layer; it is `n_features` too.

    Notes
    -----
    It reads forwards: the features of a pattern know those before it and none after it, so a series can be read while
    it is measured. Layer norm, dense 512, layer norm, ReLU, two recurrent layers of 512, layer norm. With a
    `LinearHead` of one output it has 6,273,391 parameters at 4023 points, as published: Y. Sun, PhD thesis, University
    of Szeged 2023, section 5.2.4.

    Examples
    --------
    >>> import torch
    >>> network = LSTMNet(200, width=32)
    >>> network(torch.zeros(2, 31, 200)).shape, network(torch.zeros(2, 200)).shape
    (torch.Size([2, 31, 32]), torch.Size([2, 32]))
    """

    is_sequential: ClassVar[bool] = True

    def __init__(self, n_points: int, width: int = 512) -> None:
        super().__init__()
        self.n_points = check_points(self, n_points, _FEWEST)
        self.n_features = check_count(self, "width", width)
        self.embedding = nn.Sequential(
            nn.LayerNorm(n_points), nn.Linear(n_points, width), nn.LayerNorm(width), nn.ReLU()
        )
        self.memory = nn.LSTM(width, width, _LAYERS, batch_first=True)
        self.last_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """Sequences (batch, time, n_points) to features (batch, time, n_features); without time, without time."""
        features = self.last_norm(self.memory(self.embedding(as_sequences(self, x)))[0])
        return features[:, 0] if x.ndim == 2 else features
