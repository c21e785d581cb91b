"""What every augmentation is: numbers are drawn, then applied."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, final

import torch

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Generator, Tensor

__all__ = [
    "Augmentation",
    "Compose",
    "as_range",
    "check_probability",
    "check_whole",
    "interpolate",
    "refuse",
    "spread_of",
    "uniform",
]

Drawn = dict[str, "Tensor"]


class Augmentation(ABC):
    """Training only: a random change of patterns after which they are still patterns of the same sample.

    A concrete one is final: it stores its options, draws all its random numbers in `draw`, and uses them in `apply`,
    which is a plain function. Whatever is drawn comes from the generator that is handed in, on its device.
    """

    @abstractmethod
    def draw(self, intensity: Tensor, generator: Generator) -> Drawn:
        """Random numbers for the patterns (n, n_points), which are only looked at for shape, device and scale."""

    @abstractmethod
    def apply(self, intensity: Tensor, drawn: Mapping[str, Tensor]) -> Tensor:
        """Patterns (n, n_points) with the numbers applied, as a new tensor."""

    def apply_to_labels(self, batch: Mapping[str, Tensor], drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:  # noqa: ARG002
        """The batch without changed patterns; an augmentation that changes what a pattern is of changes it here."""
        return dict(batch)

    @final
    def __call__(self, batch: Mapping[str, Tensor], generator: Generator) -> dict[str, Tensor]:
        """Draw and apply to ``batch["intensity"]`` (n, n_points), and to the labels where they change."""
        intensity = batch.get("intensity")
        if intensity is None or intensity.ndim != 2:
            got = ", ".join(batch) if intensity is None else tuple(intensity.shape)
            why = f"'intensity' of shape (n, n_points) is needed, got {got}"
            raise OptionError(f"cannot augment with {type(self).__name__}", why, "Give a batch of patterns")
        drawn = self.draw(intensity, generator)
        return {**self.apply_to_labels(batch, drawn), "intensity": self.apply(intensity, drawn)}


@final
class Compose:
    """Several augmentations, one after the other.

    Parameters
    ----------
    augmentations : sequence of Augmentation
        In the order in which they act.
    probability : float
        How probable it is that each of them acts on a batch.

    Examples
    --------
    >>> from peakwise.augmentation import RandomJitter, RandomScaling
    >>> both = Compose([RandomScaling(0.1), RandomJitter(0.01)])
    >>> both({"intensity": torch.ones(2, 5)}, torch.Generator().manual_seed(0))["intensity"].shape
    torch.Size([2, 5])
    """

    def __init__(self, augmentations: Sequence[Augmentation], probability: float = 1.0) -> None:
        self.augmentations = tuple(augmentations)
        self.probability = check_probability(self, "probability", probability)

    def __call__(self, batch: Mapping[str, Tensor], generator: Generator) -> dict[str, Tensor]:
        """Apply each in its turn."""
        changed = dict(batch)
        for augmentation in self.augmentations:
            chance = torch.rand((), generator=generator, device=generator.device)
            if self.probability >= 1 or float(chance) < self.probability:
                changed = augmentation(changed, generator)
        return changed


def refuse(owner: object, why: str) -> OptionError:
    """The error for an option of an augmentation."""
    return OptionError(f"cannot build {type(owner).__name__}", why, "See its parameters")


def check_probability(owner: object, name: str, value: float) -> float:
    """The number, if it lies within 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise refuse(owner, f"{name} must lie within 0 and 1, got {value!r}")
    return float(value)


def check_whole(owner: object, name: str, value: int, least: int = 1) -> int:
    """The number, if it is whole and not below `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise refuse(owner, f"{name} must be a whole number of {least} or more, got {value!r}")
    return value


def as_range(
    owner: object, name: str, value: float | tuple[float, float], least: float, most: float
) -> tuple[float, float]:
    """Limits within `least` and `most`; a single number is the upper one, and `least` the lower one."""
    low, high = value if isinstance(value, (tuple, list)) and len(value) == 2 else (least, value)
    numbers = [v for v in (low, high) if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(numbers) != 2 or not least <= low <= high <= most:
        raise refuse(owner, f"{name} must be a number or two, within {least:g} and {most:g}, got {value!r}")
    return float(low), float(high)


def uniform(shape: tuple[int, ...], limits: tuple[float, float], like: Tensor, generator: Generator) -> Tensor:
    """Evenly distributed numbers between the limits, on the device and of the kind of `like`."""
    low, high = limits
    return low + (high - low) * torch.rand(shape, generator=generator, device=like.device, dtype=like.dtype)


def spread_of(intensity: Tensor) -> Tensor:
    """Height of each pattern (n, 1), from its lowest to its highest point: what changes are measured by."""
    return intensity.amax(dim=1, keepdim=True) - intensity.amin(dim=1, keepdim=True)


def interpolate(intensity: Tensor, positions: Tensor) -> Tensor:
    """Values of patterns (n, n_points) between their points, on the straight line from neighbour to neighbour.

    Parameters
    ----------
    intensity : Tensor of shape (n, n_points)
    positions : Tensor of shape (n, m)
        In points, from 0 to ``n_points - 1``; the value at an end of the pattern continues beyond it.

    Examples
    --------
    >>> interpolate(torch.tensor([[0.0, 1.0, 3.0]]), torch.tensor([[-1.0, 0.5, 1.5, 2.0]]))
    tensor([[0.0000, 0.5000, 2.0000, 3.0000]])
    """
    last = intensity.shape[1] - 1
    positions = positions.clamp(0, last)
    left = positions.floor().long().clamp(max=max(last - 1, 0))
    share = positions - left
    return intensity.gather(1, left) * (1 - share) + intensity.gather(1, (left + 1).clamp(max=last)) * share
