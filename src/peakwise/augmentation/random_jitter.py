"""Noise on every point."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from peakwise.augmentation._augmentation import Augmentation, as_range, spread_of, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

__all__ = ["RandomJitter"]


@final
class RandomJitter(Augmentation):
    """Add normal noise, of a strength drawn for each pattern.

    Parameters
    ----------
    sigma : float or (low, high)
        Standard deviation, as a share of the pattern's height; a single number is the upper limit.

    Examples
    --------
    >>> jitter = RandomJitter(0.05)
    >>> noisy = jitter({"intensity": torch.zeros(1, 4)}, torch.Generator().manual_seed(0))["intensity"]
    >>> bool((noisy == 0).all())  # a flat pattern has no height
    True
    """

    def __init__(self, sigma: float | tuple[float, float] = 0.02) -> None:
        self.sigma = as_range(self, "sigma", sigma, 0.0, 10.0)

    def draw(self, intensity: Tensor, generator: Generator) -> dict[str, Tensor]:
        """``sigma`` (n, 1) as a share of the height, ``noise`` (n, n_points)."""
        noise = torch.randn(intensity.shape, generator=generator, device=intensity.device, dtype=intensity.dtype)
        return {"sigma": uniform((len(intensity), 1), self.sigma, intensity, generator), "noise": noise}

    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Add the noise."""
        return intensity + drawn["sigma"] * spread_of(intensity) * drawn["noise"]
