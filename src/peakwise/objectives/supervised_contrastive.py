"""Patterns of one class close together, those of others far apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch.nn import functional

from peakwise.augmentation import check_whole
from peakwise.networks import check_number
from peakwise.objectives._contrast import Projection
from peakwise.objectives._objective import Objective, part_of
from peakwise.objectives._views import build_augmentations, draw_views, generator_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from peakwise.networks import Encoder
    from peakwise.objectives._views import Augmenting

__all__ = ["SupervisedContrastive"]

# Y. Sun, thesis, Szeged 2023, section 6.2.1: windows of 85 to 96 %, warps, noise.
_VIEWS: Mapping[str, Mapping[str, Any]] = {"slice": {}, "warp": {}, "magnitude": {}, "jitter": {}}


@final
class SupervisedContrastive(Objective):
    """Supervised contrastive loss: two views of each pattern, pulled to the views of all patterns of its class.

    A batch holds ``label`` (n,), whole numbers. There is no head for classes: that is a `linear_evaluation` afterwards.

    Parameters
    ----------
    encoder : Encoder
    augmentations : mapping of str to mapping, or callable
        Names of `AUGMENTATIONS` with their options, in the order in which they act; or a function of a batch and a
        generator, such as a `Compose`.
    n_views : int
        Views of each pattern.
    n_projected : int
        Length of the projected vectors.
    temperature : float
        What similarities are divided by.

    Notes
    -----
    P. Khosla et al., NeurIPS 2020, arXiv:2004.11362, equation 2; on diffraction: Y. Sun, thesis, Szeged 2023, chapter
    6. With projections z of length 1, the loss of an anchor is the mean over all other views p of its class of
    ``-log(exp(z.z_p / T) / sum(exp(z.z_a / T)))``, where a runs over all other views; averaged over the anchors.
    The features are brought to length 1 before the projection, too.

    Examples
    --------
    >>> from peakwise.networks import build_encoder, seeded
    >>> with seeded(0):
    ...     objective = SupervisedContrastive(build_encoder("wang_cnn", 200), augmentations={"jitter": {"sigma": 0.1}})
    ...     parts = objective({"intensity": torch.rand(4, 200), "label": torch.tensor([0, 1, 0, 1])})
    >>> sorted(parts)
    ['loss']
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        augmentations: Mapping[str, Mapping[str, Any]] | Augmenting = _VIEWS,
        n_views: int = 2,
        n_projected: int = 128,
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.augment = build_augmentations(self, augmentations, n_views)
        self.n_views = n_views
        self.temperature = check_number(self, "temperature", temperature, least=1e-6)
        self.projection = Projection(encoder.n_features, check_whole(self, "n_projected", n_projected))

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss``."""
        intensity, label = part_of(self, batch, "intensity"), part_of(self, batch, "label")
        views = draw_views(self.augment, intensity, self.n_views, generator_of(self, intensity.device))
        features = self.encoder(views.flatten(0, 1))
        projected = self.projection(functional.normalize(features, dim=1))
        alike = projected @ projected.T / self.temperature
        itself = torch.eye(len(alike), dtype=torch.bool, device=alike.device)
        surprise = alike.masked_fill(itself, -torch.inf).logsumexp(dim=1, keepdim=True) - alike
        label = label.repeat(self.n_views)
        friends = ((label[:, None] == label) & ~itself).float()
        return {"loss": ((friends * surprise).sum(dim=1) / friends.sum(dim=1)).mean()}
