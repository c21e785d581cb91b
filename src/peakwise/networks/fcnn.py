"""Dense layers alone: the fully connected network of Sun (2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from torch import nn

from peakwise.networks._build import check_number
from peakwise.networks._encoder import Encoder, as_rows, check_points

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FCNN"]

_WIDTHS = (256, 512, 64)
_FEWEST = 16


@final
class FCNN(Encoder):
    """Three dense layers of 256, 512 and 64, each with layer norm, ReLU and, if wanted, dropout.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 16.
    dropout : float
        Share of the values dropped after every layer.

    Notes
    -----
    The pattern passes a layer norm first. With a `LinearHead` of one output it has 1,204,335 parameters at 4023 points,
    as published: Y. Sun, PhD thesis, University of Szeged 2023, section 5.2.1.

    Examples
    --------
    >>> import torch
    >>> FCNN(4023)(torch.zeros(2, 4023)).shape
    torch.Size([2, 64])
    """

    def __init__(self, n_points: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_points = width = check_points(self, n_points, _FEWEST)
        self.n_features = _WIDTHS[-1]
        check_number(self, "dropout", dropout, below=1)
        layers: list[nn.Module] = [nn.LayerNorm(n_points)]
        for after in _WIDTHS:
            layers += [nn.Linear(width, after), nn.LayerNorm(after), nn.ReLU(), nn.Dropout(dropout)]
            width = after
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to features (batch, 64)."""
        return self.layers(as_rows(self, x)[:, 0])
