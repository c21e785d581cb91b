"""Convolutions and nothing between: the encoder of the autoencoder of Vizoso and Dingreville (2025)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, final

from torch import nn

from peakwise.networks._build import check_count, check_widths
from peakwise.networks._encoder import Encoder, as_rows, check_points
from peakwise.networks._lengths import fewest_points, lengths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["ConvStack"]


@final
class ConvStack(Encoder):
    """Convolutions one after another, flattened.

    Parameters
    ----------
    n_points : int
        Points of a pattern.
    channels : sequence of int
        Of the convolutions, from the first to the last.
    kernel : int
    stride : int
        With 1 the features are many: ``channels[-1]`` for almost every point.
    relu : bool
        Whether a ReLU follows each convolution. The published network has none.

    Notes
    -----
    With the defaults it is that of D. Vizoso, R. Dingreville, J. Appl. Phys. 137, 131101 (2025), listing 1: 2208
    features of 150 points.

    Examples
    --------
    >>> import torch
    >>> ConvStack(150)(torch.zeros(3, 150)).shape
    torch.Size([3, 2208])
    """

    def __init__(
        self, n_points: int, channels: Sequence[int] = (4, 8, 16), kernel: int = 5, stride: int = 1, relu: bool = False
    ) -> None:
        super().__init__()
        widths = check_widths(self, "channels", channels)
        check_count(self, "kernel", kernel)
        check_count(self, "stride", stride)
        self.n_points = check_points(self, n_points, fewest_points(len(widths), kernel, stride))
        self.n_features = widths[-1] * lengths(n_points, len(widths), kernel, stride)[-1]
        layers: list[nn.Module] = []
        for before, after in pairwise((1, *widths)):
            layers += [nn.Conv1d(before, after, kernel, stride), *([nn.ReLU()] if relu else [])]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to features (batch, n_features)."""
        return self.feature_map(x).flatten(1)

    def feature_map(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to the last convolution's maps (batch, channels, length)."""
        return self.layers(as_rows(self, x))
