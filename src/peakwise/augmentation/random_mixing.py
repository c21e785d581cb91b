"""Two patterns in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from peakwise.augmentation._augmentation import Augmentation, check_probability, refuse, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

__all__ = ["RandomMixing"]


@final
class RandomMixing(Augmentation):
    """Add to each pattern another one of the batch; the labels ``weights`` (n, n_classes) are mixed alike.

    Parameters
    ----------
    probability : float
        Share of the patterns that are mixed.
    least : float
        Smallest share of either pattern, at most 0.5; the shares are evenly distributed from there.

    Notes
    -----
    ``s a + (1 - s) b`` for intensities and weights: H. Zhang et al., ICLR 2018, arXiv:1710.09412. The mixed weights are
    shares of the signals as they stand in the batch, not weight fractions of a mixture: those come from a simulation.

    Examples
    --------
    >>> drawn = {"partner": torch.tensor([1, 0]), "share": torch.tensor([[0.75], [1.0]])}
    >>> batch = {"intensity": torch.eye(2), "weights": torch.eye(2)}
    >>> RandomMixing().apply(batch["intensity"], drawn)
    tensor([[0.7500, 0.2500],
            [0.0000, 1.0000]])
    """

    def __init__(self, probability: float = 0.5, least: float = 0.1) -> None:
        self.probability = check_probability(self, "probability", probability)
        if not 0 <= least <= 0.5:
            raise refuse(self, f"least must lie within 0 and 0.5, got {least!r}")
        self.least = float(least)

    def draw(self, intensity: Tensor, generator: Generator) -> dict[str, Tensor]:
        """``partner`` (n,), ``share`` (n, 1) of the pattern itself: 1 where it is not mixed."""
        n = len(intensity)
        partner = torch.randperm(n, generator=generator, device=intensity.device)
        share = uniform((n, 1), (self.least, 1 - self.least), intensity, generator)
        mixed = uniform((n, 1), (0.0, 1.0), intensity, generator) < self.probability
        return {"partner": partner, "share": torch.where(mixed, share, torch.ones_like(share))}

    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Mix the patterns."""
        return drawn["share"] * intensity + (1 - drawn["share"]) * intensity[drawn["partner"]]

    def apply_to_labels(self, batch: Mapping[str, Tensor], drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Mix ``weights``; a single label a pattern cannot be mixed."""
        if "weights" not in batch or "label" in batch:
            why = f"batches need 'weights' (n, n_classes) and no 'label', got {', '.join(batch)}"
            raise refuse(self, why)
        return {**batch, "weights": self.apply(batch["weights"], drawn)}
