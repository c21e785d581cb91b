"""A latent map: compress a pattern to a few numbers with a spread, and make it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch import nn
from torch.nn import functional

from peakwise.errors import OptionError
from peakwise.networks import build_decoder, build_head, check_count, check_number
from peakwise.objectives._objective import Objective, evaluating, part_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from peakwise.networks import Encoder, Head

__all__ = ["Variational"]

_WIDEST = 20.0  # of the logarithm of a variance: beyond it nothing changes but the numbers overflow


@final
class Variational(Objective):
    """A variational autoencoder, with a condition and a classifier where these are wanted.

    A batch holds ``intensity`` (n, n_points) within 0 and 1; ``condition`` (n, n_conditions) if there are conditions;
    ``label`` (n,) if there are classes, below 0 where it is not known.

    Parameters
    ----------
    encoder : Encoder
        Built for ``n_points + n_conditions`` points: the condition is joined to the pattern.
    n_latent : int
    n_conditions : int
        Numbers of the condition (a composition, a temperature), joined to the pattern and to the latent numbers.
    n_classes : int
        Classes that a linear layer tells from the latent means; 0 for none.
    decoder : str
        A key of `DECODERS`.
    decoder_options : mapping, optional
    beta : float
        What the divergence counts beside the reconstruction. With 0 and `annealing` 0 it is an autoencoder with noise.
    annealing : int
        Batches over which beta rises from 0.
    class_weight : float
        What the cross-entropy of the classes counts.

    Notes
    -----
    ``L = n_points x mean BCE(x, sigmoid(decoder(z))) + beta KL(N(mu, sigma) || N(0, 1)) + class_weight CE``, the mean
    over the batch; z = mu + sigma e while it learns and mu otherwise. VAE: D. P. Kingma, M. Welling, arXiv:1312.6114;
    beta: I. Higgins et al., ICLR 2017; for diffraction with the weight n_points and the condition: L. Banko et al.,
    npj Comput. Mater. 7, 104 (2021).

    Examples
    --------
    >>> from peakwise.networks import build_encoder, seeded
    >>> with seeded(0):
    ...     objective = Variational(build_encoder("dense", 203), n_latent=2, n_conditions=3)
    ...     parts = objective({"intensity": torch.rand(4, 200), "condition": torch.rand(4, 3)})
    >>> list(parts), objective.reconstruct(torch.rand(2, 200), torch.rand(2, 3)).shape
    (['loss', 'reconstruction', 'divergence'], torch.Size([2, 200]))
    """

    seen: Tensor

    def __init__(
        self,
        encoder: Encoder,
        *,
        n_latent: int = 2,
        n_conditions: int = 0,
        n_classes: int = 0,
        decoder: str = "dense",
        decoder_options: Mapping[str, Any] | None = None,
        beta: float = 1.0,
        annealing: int = 0,
        class_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.n_conditions = check_count(self, "n_conditions", n_conditions, 0)
        self.n_points = encoder.n_points - n_conditions
        if self.n_points < 1:
            why = f"the encoder must have more points than conditions, got {encoder.n_points} and {n_conditions}"
            raise OptionError("cannot build Variational", why, "Build it for n_points + n_conditions points")
        self.n_latent = check_count(self, "n_latent", n_latent)
        self.mean = nn.Linear(encoder.n_features, n_latent)
        self.log_variance = nn.Linear(encoder.n_features, n_latent)
        self.decoder = build_decoder(decoder, n_latent + n_conditions, self.n_points, decoder_options)
        classes = check_count(self, "n_classes", n_classes, 0)
        self.head: Head | None = build_head("linear", n_latent, classes) if classes else None
        self.beta = check_number(self, "beta", beta)
        self.annealing = check_count(self, "annealing", annealing, 0)
        self.class_weight = check_number(self, "class_weight", class_weight)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss``; ``reconstruction`` for each point, ``divergence``; with classes also ``accuracy``."""
        x = part_of(self, batch, "intensity")
        condition = part_of(self, batch, "condition") if self.n_conditions else None
        mean, log_variance = self._code(x, condition)
        z = mean
        if self.training:
            z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        logits = self._decode(z, condition).float()
        reconstruction = functional.binary_cross_entropy_with_logits(logits, x.float())
        divergence = 0.5 * (log_variance.exp() + mean**2 - 1 - log_variance).sum(dim=1).mean()
        loss = self.n_points * reconstruction + self._beta() * divergence
        parts = {"reconstruction": reconstruction.detach(), "divergence": divergence.detach()}
        if self.head is not None:
            label = part_of(self, batch, "label").long()
            known = label >= 0
            told = self.head(mean)
            surprise = functional.cross_entropy(told, label.clamp_min(0), reduction="none")
            loss = loss + self.class_weight * (surprise * known).sum() / known.sum().clamp_min(1)
            parts["accuracy"] = ((told.argmax(dim=1) == label) & known).sum() / known.sum().clamp_min(1)
        if self.training:
            self.seen += 1
        return {"loss": loss, **parts}

    def code(self, intensity: Tensor, condition: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Latent means and standard deviations (n, n_latent) each, without gradients."""
        with evaluating(self):
            mean, log_variance = self._code(intensity, condition)
            return mean, torch.exp(0.5 * log_variance)

    def decode(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Latent numbers (n, n_latent) to patterns (n, n_points) within 0 and 1, without gradients."""
        with evaluating(self):
            return torch.sigmoid(self._decode(z, condition).float())

    def reconstruct(self, intensity: Tensor, condition: Tensor | None = None) -> Tensor:
        """Patterns (n, n_points) as they come out of their latent means, without gradients."""
        return self.decode(self.code(intensity, condition)[0], condition)

    def _code(self, x: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        features = self.encoder(x if condition is None else torch.cat([x, condition.to(x.dtype)], dim=1))
        return self.mean(features), self.log_variance(features).clamp(-_WIDEST, _WIDEST)

    def _decode(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return self.decoder(z if condition is None else torch.cat([z, condition.to(z.dtype)], dim=1))

    def _beta(self) -> Tensor | float:
        if not self.annealing:
            return self.beta
        return self.beta * (self.seen / self.annealing).clamp(max=1)
