"""Dense layers from latent numbers to a pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from torch import nn

from peakwise.networks._build import check_count, check_widths
from peakwise.networks._decoder import Decoder, check_latent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["DenseDecoder"]


@final
class DenseDecoder(Decoder):
    """Dense layers with ReLU, and one without to the points: the mirror of `DenseNet`.

    Parameters
    ----------
    n_latent, n_points : int
    widths : sequence of int
        Of the layers between.

    Examples
    --------
    >>> import torch
    >>> DenseDecoder(2, 2048)(torch.zeros(3, 2)).shape
    torch.Size([3, 2048])
    """

    def __init__(self, n_latent: int, n_points: int, widths: Sequence[int] = (128, 256)) -> None:
        super().__init__()
        self.n_latent = width = check_count(self, "n_latent", n_latent)
        self.n_points = check_count(self, "n_points", n_points)
        layers: list[nn.Module] = []
        for after in check_widths(self, "widths", widths):
            layers += [nn.Linear(width, after), nn.ReLU()]
            width = after
        self.layers = nn.Sequential(*layers, nn.Linear(width, n_points))

    def forward(self, z: Tensor) -> Tensor:
        """Latent vectors (batch, n_latent) to patterns (batch, n_points)."""
        return self.layers(check_latent(self, z))
