"""Compress a pattern to a few numbers, and make it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from torch import nn
from torch.nn import functional

from peakwise.networks import build_decoder, check_count
from peakwise.objectives._objective import Objective, evaluating, part_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from peakwise.networks import Encoder

__all__ = ["Autoencoder"]


@final
class Autoencoder(Objective):
    """An autoencoder: the mean squared error of what comes out is what it learns to make small.

    Parameters
    ----------
    encoder : Encoder
    n_latent : int
    decoder : str
        A key of `DECODERS`.
    decoder_options : mapping, optional

    Notes
    -----
    With ``conv_stack``, 30 latent numbers and the decoder ``conv`` it is that of D. Vizoso, R. Dingreville, J. Appl.
    Phys. 137, 131101 (2025), listing 1.

    Examples
    --------
    >>> import torch
    >>> from peakwise.networks import build_encoder, seeded
    >>> with seeded(0):
    ...     objective = Autoencoder(build_encoder("conv_stack", 150), decoder="conv")
    ...     parts = objective({"intensity": torch.rand(4, 150)})
    >>> list(parts), objective.code(torch.rand(2, 150)).shape
    (['loss'], torch.Size([2, 30]))
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        n_latent: int = 30,
        decoder: str = "dense",
        decoder_options: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.n_latent = check_count(self, "n_latent", n_latent)
        self.dense = nn.Linear(encoder.n_features, n_latent)
        self.decoder = build_decoder(decoder, n_latent, encoder.n_points, decoder_options)

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss``."""
        x = part_of(self, batch, "intensity")
        return {"loss": functional.mse_loss(self.decoder(self.dense(self.encoder(x))).float(), x.float())}

    def code(self, intensity: Tensor) -> Tensor:
        """Latent numbers (n, n_latent), without gradients."""
        with evaluating(self):
            return self.dense(self.encoder(intensity))

    def reconstruct(self, intensity: Tensor) -> Tensor:
        """Patterns (n, n_points) as they come out again, without gradients."""
        with evaluating(self):
            return self.decoder(self.dense(self.encoder(intensity)))
