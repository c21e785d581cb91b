"""A smooth background."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch

from peakwise.augmentation._augmentation import Augmentation, as_range, check_whole, spread_of, uniform

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Generator, Tensor

__all__ = ["RandomBackground"]


@final
class RandomBackground(Augmentation):
    """Add a smooth curve that is nowhere below 0.

    Parameters
    ----------
    height : float or (low, high)
        Largest value of the curve, as a share of the pattern's height; a single number is the upper limit.
    degree : int
        Degree of the polynomial, at least 1.

    Notes
    -----
    A sum of Chebyshev polynomials with normal coefficients that fall with the degree as 1 / (degree + 1), brought to
    the range from 0 to `height`.

    Examples
    --------
    >>> background = RandomBackground(0.3)
    >>> plain = {"intensity": torch.eye(100)[:2]}
    >>> added = background(plain, torch.Generator().manual_seed(0))["intensity"] - plain["intensity"]
    >>> bool((added >= 0).all()), bool((added <= 0.3).all())
    (True, True)
    """

    def __init__(self, height: float | tuple[float, float] = 0.3, degree: int = 5) -> None:
        self.height = as_range(self, "height", height, 0.0, 100.0)
        self.degree = check_whole(self, "degree", degree)

    def draw(self, intensity: Tensor, generator: Generator) -> dict[str, Tensor]:
        """``height`` (n, 1) as a share of the pattern's, ``coefficients`` (n, degree)."""
        size = (len(intensity), self.degree)
        normal = torch.randn(size, generator=generator, device=intensity.device, dtype=intensity.dtype)
        fall = torch.arange(2, self.degree + 2, device=intensity.device, dtype=intensity.dtype)
        height = uniform((len(intensity), 1), self.height, intensity, generator)
        return {"height": height, "coefficients": normal / fall}

    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Add the curves."""
        angle = torch.linspace(torch.pi, 0, intensity.shape[1], device=intensity.device, dtype=intensity.dtype)
        degrees = torch.arange(1, self.degree + 1, device=intensity.device, dtype=intensity.dtype)
        curve = drawn["coefficients"] @ torch.cos(degrees[:, None] * angle)
        low = curve.amin(dim=1, keepdim=True)
        share = (curve - low) / spread_of(curve).clamp_min(torch.finfo(curve.dtype).tiny)
        return intensity + drawn["height"] * spread_of(intensity) * share
