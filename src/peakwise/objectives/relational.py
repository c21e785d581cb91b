"""Relations between patterns, between their pieces, and their place in the series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch

from peakwise.objectives._objective import Objective, part_of
from peakwise.objectives._relations import Relations
from peakwise.objectives._views import WARPS, build_augmentations, draw_views, generator_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from peakwise.networks import Encoder
    from peakwise.objectives._views import Augmenting

__all__ = ["Relational"]


@final
class Relational(Objective):
    """Learn without labels which views are of one pattern, how far apart pieces are, and when it was measured.

    A batch holds ``position`` (n,), numbers within 0 and 1, if `temporal`: see `order_positions`.

    Parameters
    ----------
    encoder : Encoder
    augmentations : mapping of str to mapping, or callable
        Names of `AUGMENTATIONS` with their options, in the order in which they act; or a function of a batch and a
        generator, such as a `Compose`.
    n_views : int
        Views of each pattern.
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

    Notes
    -----
    SpecRR-Net of Y. Sun, thesis, Szeged 2023, section 7.1.3 (equations 7.1 to 7.3), here with the sum of its three
    losses; without `temporal` it is SelfTime of H. Fan et al., arXiv:2011.13548. Relations of views: M. Patacchiola,
    A. Storkey, NeurIPS 2020, arXiv:2006.05849.

    Examples
    --------
    >>> from peakwise.networks import build_encoder, seeded
    >>> with seeded(0):
    ...     objective = Relational(build_encoder("wang_cnn", 200), n_views=2)
    ...     parts = objective({"intensity": torch.rand(4, 200), "position": torch.linspace(0, 1, 4)})
    >>> [name for name in parts if not name.endswith("accuracy")]
    ['loss', 'inter', 'intra', 'temporal']
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        augmentations: Mapping[str, Mapping[str, Any]] | Augmenting = WARPS,
        n_views: int = 6,
        n_distances: int = 5,
        piece: float = 0.2,
        stretch: bool = True,
        temporal: bool = True,
        n_times: int = 5,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.augment = build_augmentations(self, augmentations, n_views)
        self.n_views, self.temporal = n_views, bool(temporal)
        self.relations = Relations(self, encoder, n_distances, piece, stretch, n_times if temporal else None)

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss``, its parts ``inter``, ``intra`` and ``temporal``, and how often each of them is right."""
        intensity = part_of(self, batch, "intensity")
        position = part_of(self, batch, "position") if self.temporal else None
        generator = generator_of(self, intensity.device)
        views = draw_views(self.augment, intensity, self.n_views, generator)
        features = self.encoder(views.flatten(0, 1)).unflatten(0, views.shape[:2])
        told = self.relations(self.encoder, views, features, position, generator)
        loss = sum((told[name] for name in ("inter", "intra", "temporal") if name in told), torch.zeros(()))
        return {"loss": loss, **{name: value.detach() for name, value in told.items()}}
