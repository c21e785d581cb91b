"""Projections for contrastive losses, and a second encoder that follows the first with momentum."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, final

import torch
from torch import nn
from torch.nn import functional

from peakwise.augmentation import check_whole
from peakwise.networks import check_number

if TYPE_CHECKING:
    from torch import Tensor

    from peakwise.networks import Encoder
    from peakwise.objectives._objective import Objective

__all__ = ["MomentumContrast", "Projection"]


@final
class Projection(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Features to the unit sphere, through two layers; forgotten after the training."""

    def __init__(self, n_features: int, n_projected: int) -> None:
        super().__init__()
        self.inner = nn.Linear(n_features, n_features)
        self.outer = nn.Linear(n_features, n_projected)

    def forward(self, features: Tensor) -> Tensor:
        """Features (..., n_features) to vectors of length 1 (..., n_projected)."""
        return functional.normalize(self.outer(self.inner(features).relu()).float(), dim=-1)


@final
class MomentumContrast(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """What momentum contrast adds to an encoder: projection, momentum encoder, queue of keys.

    Parameters
    ----------
    owner : Objective
    encoder : Encoder
        The one that learns; it is copied, and handed in again at each call.
    n_projected, n_queue : int
    momentum, temperature : float
    """

    queue: Tensor
    place: Tensor

    def __init__(
        self, owner: Objective, encoder: Encoder, n_projected: int, n_queue: int, momentum: float, temperature: float
    ) -> None:
        super().__init__()
        check_whole(owner, "n_projected", n_projected)
        check_whole(owner, "n_queue", n_queue)
        self.momentum = check_number(owner, "momentum", momentum, below=1)
        self.temperature = check_number(owner, "temperature", temperature, least=1e-6)
        self.projection = Projection(encoder.n_features, n_projected)
        self.key_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.key_projection = copy.deepcopy(self.projection).requires_grad_(False)
        # Random directions until keys have taken their places, as K. He et al. begin.
        self.register_buffer("queue", functional.normalize(torch.randn(n_queue, n_projected), dim=1))
        self.register_buffer("place", torch.zeros((), dtype=torch.long))

    def forward(self, encoder: Encoder, views: Tensor, features: Tensor) -> Tensor:
        """The symmetric loss of two views (2, n, n_points) with their features (2, n, n_features).

        In training the momentum encoder follows first, and the keys of both views join the queue afterwards.
        """
        if self.training:
            self._follow(encoder)
        with torch.no_grad():
            keys = self.key_projection(self.key_encoder(views.flatten(0, 1)))
        queries, others = self.projection(features), self.queue.clone()
        one, two = keys.chunk(2)
        loss = self._surprise(queries[0], two, others) + self._surprise(queries[1], one, others)
        if self.training:
            self._enqueue(keys)
        return loss

    def _surprise(self, queries: Tensor, keys: Tensor, others: Tensor) -> Tensor:
        """InfoNCE: how surely each query (n, d) finds its own key (n, d) among the others (n_queue, d)."""
        own = (queries * keys).sum(dim=1, keepdim=True)
        logits = torch.cat([own, queries @ others.T], dim=1) / self.temperature
        return (logits.logsumexp(dim=1) - logits[:, 0]).mean()

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _follow(self, encoder: Encoder) -> None:
        """``key = momentum * key + (1 - momentum) * query``, for every parameter."""
        pairs = ((self.key_encoder, encoder), (self.key_projection, self.projection))
        for key, query in pairs:
            for slow, fast in zip(key.parameters(), query.parameters(), strict=True):
                slow.lerp_(fast, 1 - self.momentum)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _enqueue(self, keys: Tensor) -> None:
        """First in, first out; of more keys than places, the last stay."""
        size = len(self.queue)
        kept = keys[-size:]
        skipped = len(keys) - len(kept)
        places = (self.place + skipped + torch.arange(len(kept), device=keys.device)) % size
        self.queue[places] = kept
        self.place.copy_((self.place + len(keys)) % size)
