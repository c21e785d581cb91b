"""From latent numbers to descriptors: the multi-layer perceptron of Vizoso and Dingreville (2025)."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from torch import nn

from peakwise.errors import OptionError
from peakwise.networks._build import check_count, check_number, check_widths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["RegressionMLP"]


@final
class RegressionMLP(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Dense layers, each with LeakyReLU and dropout, and one without to the numbers.

    Parameters
    ----------
    n_latent, n_targets : int
    widths : sequence of int
        Of the hidden layers.
    dropout : float
        Share of the numbers between two layers that are left out while it learns.

    Notes
    -----
    With the defaults it is that of D. Vizoso, R. Dingreville, J. Appl. Phys. 137, 131101 (2025), listing 4.

    Examples
    --------
    >>> import torch
    >>> network = RegressionMLP(30, 7)
    >>> network(torch.zeros(2, 30)).shape, sum(p.numel() for p in network.parameters())
    (torch.Size([2, 7]), 14919)
    """

    def __init__(
        self, n_latent: int, n_targets: int, widths: Sequence[int] = (64, 64, 64, 64), dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.n_latent = width = check_count(self, "n_latent", n_latent)
        self.n_targets = check_count(self, "n_targets", n_targets)
        check_number(self, "dropout", dropout, below=1.0)
        layers: list[nn.Module] = []
        for after in check_widths(self, "widths", widths):
            layers += [nn.Linear(width, after), nn.LeakyReLU(), nn.Dropout(dropout)]
            width = after
        self.layers = nn.Sequential(*layers, nn.Linear(width, n_targets))

    def forward(self, z: Tensor) -> Tensor:
        """Latent vectors (batch, n_latent) to numbers (batch, n_targets)."""
        if z.ndim != 2 or z.shape[1] != self.n_latent:
            why = f"it was built for shape (batch, {self.n_latent}), got {tuple(z.shape)}"
            raise OptionError("cannot use RegressionMLP", why, "Give latent vectors of this length")
        return self.layers(z)
