"""What every decoder is: a map from latent numbers back to patterns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from torch import nn

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Decoder", "check_latent"]


class Decoder(nn.Module, ABC):  # type: ignore[misc]  # torch is not there for the type checker
    """Latent vectors (batch, n_latent) to one number for each point of a pattern (batch, n_points).

    The numbers have no bounds: what they mean, intensities or their logits, is the objective's.

    Attributes
    ----------
    n_latent, n_points : int
    """

    n_latent: int
    n_points: int

    @abstractmethod
    def forward(self, z: Tensor) -> Tensor:
        """Latent vectors (batch, n_latent) to patterns (batch, n_points)."""


def check_latent(decoder: Decoder, z: Tensor) -> Tensor:
    """The latent vectors, once their length is right."""
    if z.ndim != 2 or z.shape[1] != decoder.n_latent:
        why = f"it was built for shape (batch, {decoder.n_latent}), got {tuple(z.shape)}"
        raise OptionError(f"cannot decode with {type(decoder).__name__}", why, "Give latent vectors of this length")
    return z
