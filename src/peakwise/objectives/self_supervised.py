"""Relations and contrast at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, final

from peakwise.networks import check_number
from peakwise.objectives._contrast import MomentumContrast
from peakwise.objectives._objective import Objective, part_of
from peakwise.objectives._relations import Relations
from peakwise.objectives._views import WARPS, build_augmentations, draw_views, generator_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from peakwise.networks import Encoder
    from peakwise.objectives._views import Augmenting

__all__ = ["SelfSupervised"]


@final
class SelfSupervised(Objective):
    """Learn without labels from relations of views, pieces and times, and from contrast with other patterns.

    A batch holds ``position`` (n,), numbers within 0 and 1, if `temporal`: see `order_positions`.

    Parameters
    ----------
    encoder : Encoder
    augmentations : mapping of str to mapping, or callable
        Names of `AUGMENTATIONS` with their options, in the order in which they act; or a function of a batch and a
        generator, such as a `Compose`.
    contrast_weight : float
        What the contrast, summed over a batch, counts beside the relations: c. With 0 relations alone, with infinity
        contrast alone.
    n_views : int
        Views of each pattern; the first two are those that are contrasted.
    n_distances : int
        Classes of distance between two pieces.
    piece : float
        Length of a piece, as a share of the pattern.
    stretch : bool
        Whether pieces are stretched to the length of a pattern; without, the network must take any length.
    temporal : bool
        Whether to learn the place in the series.
    n_times : int
        Parts of the series.
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
    ``L = L_inter + L_intra + L_temporal + c L_contrast``: Y. Sun, thesis, Szeged 2023, equation 7.6. c = 0.01 is
    SpecRRMoco-Net, 0 SpecRR-Net, infinity SpecMoco-Net; 0 without `temporal` is SelfTime (H. Fan et al.,
    arXiv:2011.13548). Relations of views: M. Patacchiola, A. Storkey, NeurIPS 2020, arXiv:2006.05849. Contrast:
    K. He et al., CVPR 2020, arXiv:1911.05722, InfoNCE of each view's query with the other view's key. L_contrast is its
    sum over the batch (equation 7.4); ``contrast`` is told as its mean. Momentum encoder and queue are part of the
    state, so that a training can be resumed.

    Examples
    --------
    >>> import torch
    >>> from peakwise.networks import build_encoder, seeded
    >>> with seeded(0):
    ...     objective = SelfSupervised(build_encoder("wang_cnn", 200), n_views=2)
    ...     parts = objective({"intensity": torch.rand(4, 200), "position": torch.linspace(0, 1, 4)})
    >>> [name for name in parts if not name.endswith("accuracy")]
    ['loss', 'inter', 'intra', 'temporal', 'contrast']
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        augmentations: Mapping[str, Mapping[str, Any]] | Augmenting = WARPS,
        contrast_weight: float = 0.01,
        n_views: int = 6,
        n_distances: int = 5,
        piece: float = 0.2,
        stretch: bool = True,
        temporal: bool = True,
        n_times: int = 5,
        n_projected: int = 128,
        n_queue: int = 1024,
        momentum: float = 0.99,
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        alone = contrast_weight == math.inf
        self.contrast_weight = 1.0 if alone else check_number(self, "contrast_weight", contrast_weight)
        self.augment = build_augmentations(self, augmentations, n_views)
        self.n_views, self.temporal = 2 if alone else n_views, bool(temporal) and not alone
        self.relations = None
        if not alone:
            self.relations = Relations(self, encoder, n_distances, piece, stretch, n_times if temporal else None)
        self.contrast = None
        if self.contrast_weight > 0:
            self.contrast = MomentumContrast(self, encoder, n_projected, n_queue, momentum, temperature)

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss``, its parts, and how often the relations are right."""
        intensity = part_of(self, batch, "intensity")
        position = part_of(self, batch, "position") if self.temporal else None
        generator = generator_of(self, intensity.device)
        views = draw_views(self.augment, intensity, self.n_views, generator)
        features = self.encoder(views.flatten(0, 1)).unflatten(0, views.shape[:2])
        told: dict[str, Tensor] = {}
        if self.relations is not None:
            told |= self.relations(self.encoder, views, features, position, generator)
        if self.contrast is not None:
            told["contrast"] = self.contrast(self.encoder, views[:2], features[:2])
        summed = self.contrast_weight * (1 if self.relations is None else len(intensity))
        weights = {"inter": 1.0, "intra": 1.0, "temporal": 1.0, "contrast": summed}
        loss = sum(weights[name] * value for name, value in told.items() if name in weights)
        return {"loss": loss, **{name: value.detach() for name, value in told.items()}}
