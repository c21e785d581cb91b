"""Dense layers that narrow a pattern step by step: the encoder of the latent map of Banko et al. (2021)."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from torch import nn

from peakwise.networks._build import check_widths
from peakwise.networks._encoder import Encoder, as_rows, check_points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["DenseNet"]

_FEWEST = 2


@final
class DenseNet(Encoder):
    """Dense layers, each with ReLU.

    Parameters
    ----------
    n_points : int
        Points of a pattern, at least 2, with those of a condition that is joined to it.
    widths : sequence of int
        Of the layers, from the first to the last.

    Notes
    -----
    With the defaults, two latent means and their variances, and a `DenseDecoder`, it is the network of L. Banko,
    P. M. Maffettone, D. Naujoks, D. Olds, A. Ludwig, npj Comput. Mater. 7, 104 (2021): 2048-256-128-2-128-256-2048.

    Examples
    --------
    >>> import torch
    >>> DenseNet(2048)(torch.zeros(3, 2048)).shape
    torch.Size([3, 128])
    """

    def __init__(self, n_points: int, widths: Sequence[int] = (256, 128)) -> None:
        super().__init__()
        self.n_points = width = check_points(self, n_points, _FEWEST)
        layers: list[nn.Module] = []
        for after in check_widths(self, "widths", widths):
            layers += [nn.Linear(width, after), nn.ReLU()]
            width = after
        self.n_features = width
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to features (batch, last width)."""
        return self.layers(as_rows(self, x)[:, 0])
