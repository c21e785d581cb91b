"""Transposed convolutions from latent numbers to a pattern."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, final

from torch import nn

from peakwise.networks._build import check_count, check_widths
from peakwise.networks._decoder import Decoder, check_latent
from peakwise.networks._lengths import fewest_points, lengths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["ConvDecoder"]


@final
class ConvDecoder(Decoder):
    """One dense layer and transposed convolutions: the mirror of `ConvStack`.

    Parameters
    ----------
    n_latent, n_points : int
    channels : sequence of int
        From the first to the last; the pattern itself has one.
    kernel, stride : int
    relu : bool
        Whether a ReLU comes before each convolution. The published network has none.

    Examples
    --------
    >>> import torch
    >>> ConvDecoder(30, 150)(torch.zeros(3, 30)).shape
    torch.Size([3, 150])
    """

    def __init__(
        self,
        n_latent: int,
        n_points: int,
        channels: Sequence[int] = (16, 8, 4),
        kernel: int = 5,
        stride: int = 1,
        relu: bool = False,
    ) -> None:
        super().__init__()
        widths = check_widths(self, "channels", channels)
        self.n_latent = check_count(self, "n_latent", n_latent)
        check_count(self, "kernel", kernel)
        check_count(self, "stride", stride)
        self.n_points = check_count(self, "n_points", n_points, fewest_points(len(widths), kernel, stride))
        sizes = lengths(n_points, len(widths), kernel, stride)[::-1]
        self.first = nn.Linear(n_latent, widths[0] * sizes[0])
        layers: list[nn.Module] = [nn.Unflatten(1, (widths[0], sizes[0]))]
        for (before, after), (short, long) in zip(pairwise((*widths, 1)), pairwise(sizes), strict=True):
            # A stride forgets how many points were left over: they are put back.
            left = long - ((short - 1) * stride + kernel)
            layers += [*([nn.ReLU()] if relu else []), nn.ConvTranspose1d(before, after, kernel, stride, 0, left)]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Latent vectors (batch, n_latent) to patterns (batch, n_points)."""
        return self.layers(self.first(check_latent(self, z)))[:, 0]
