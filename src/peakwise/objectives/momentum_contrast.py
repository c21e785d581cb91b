"""Each pattern found again among many others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from peakwise.objectives._contrast import MomentumContrastPart
from peakwise.objectives._objective import Objective, part_of
from peakwise.objectives._views import WARPS, build_augmentations, draw_views, generator_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from peakwise.networks import Encoder
    from peakwise.objectives._views import Augmenting

__all__ = ["MomentumContrast"]


@final
class MomentumContrast(Objective):
    """Learn without labels to know a view of a pattern by another view of it, among keys of many patterns.

    Parameters
    ----------
    encoder : Encoder
    augmentations : mapping of str to mapping, or callable
        Names of `AUGMENTATIONS` with their options, in the order in which they act; or a function of a batch and a
        generator, such as a `Compose`.
    n_projected : int
        Length of queries and keys.
    n_queue : int
        Keys that are kept: about twice the patterns of the training set, and more than twice those of a batch.
    momentum : float
        Share of itself that the momentum encoder keeps in each step.
    temperature : float
        What similarities are divided by.

    Notes
    -----
    K. He et al., CVPR 2020, arXiv:1911.05722; SpecMoco-Net of Y. Sun, thesis, Szeged 2023, equations 7.4 and 7.5:
    InfoNCE of the first view's query with the second view's key, and the other way round, added; here averaged over
    the batch, which the thesis sums. Momentum encoder and queue are part of the state, so that a training can be
    resumed.

    Examples
    --------
    >>> import torch
    >>> from peakwise.networks import build_encoder, seeded
    >>> with seeded(0):
    ...     objective = MomentumContrast(build_encoder("wang_cnn", 200), n_queue=16)
    ...     parts = objective({"intensity": torch.rand(4, 200)})
    >>> sorted(parts), int(objective.contrast.place)
    (['loss'], 8)
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        augmentations: Mapping[str, Mapping[str, Any]] | Augmenting = WARPS,
        n_projected: int = 128,
        n_queue: int = 1024,
        momentum: float = 0.99,
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.augment = build_augmentations(self, augmentations, 2)
        self.contrast = MomentumContrastPart(self, encoder, n_projected, n_queue, momentum, temperature)

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss``."""
        intensity = part_of(self, batch, "intensity")
        views = draw_views(self.augment, intensity, 2, generator_of(self, intensity.device))
        features = self.encoder(views.flatten(0, 1)).unflatten(0, views.shape[:2])
        return {"loss": self.contrast(self.encoder, views, features)}
