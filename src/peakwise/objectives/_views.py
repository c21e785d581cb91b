"""Several random views of each pattern, for objectives that compare them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from peakwise.augmentation import AUGMENTATIONS, Compose, check_whole
from peakwise.errors import OptionError
from peakwise.networks import build_named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Generator, Tensor

    from peakwise.objectives._objective import Objective

__all__ = ["WARPS", "Augmenting", "averages_at_rest", "build_augmentations", "draw_views", "generator_of"]

Augmenting = Callable[[Mapping[str, "Tensor"], "Generator"], Mapping[str, "Tensor"]]

# The pair that served best in the ablation of Y. Sun (thesis, Szeged 2023, figure 7.12), in that order.
WARPS: Mapping[str, Mapping[str, Any]] = {"warp": {}, "magnitude": {}}


def build_augmentations(objective: Objective, augmentations: Any, n_views: int) -> Augmenting:
    """What is done to a batch: built from names and options in their order, or as it was given."""
    check_whole(objective, "n_views", n_views, 2)
    if isinstance(augmentations, Mapping):
        named = augmentations.items()
        return Compose([build_named("augmentation", AUGMENTATIONS, name, (), options) for name, options in named])
    if not callable(augmentations):
        why = f"augmentations must be names with their options, or callable, got {augmentations!r}"
        raise OptionError(f"cannot build {type(objective).__name__}", why, "Give augmentations={'warp': {}}")
    return cast("Augmenting", augmentations)


def draw_views(augment: Augmenting, intensity: Tensor, n_views: int, generator: Generator) -> Tensor:
    """Views (n_views, n, n_points) of patterns (n, n_points), each drawn on its own."""
    return torch.stack([augment({"intensity": intensity}, generator)["intensity"] for _ in range(n_views)])


def generator_of(objective: Objective, device: torch.device) -> Generator:
    """Torch's own generator in training, as for dropout; else one that begins anew, so that a loss can be repeated."""
    if not objective.training:
        return torch.Generator(device).manual_seed(0)
    if device.type == "cuda":
        return torch.cuda.default_generators[torch.cuda.current_device() if device.index is None else device.index]
    return torch.default_generator


@contextmanager
def averages_at_rest(network: nn.Module) -> Iterator[None]:
    """Inside the block batch norms do not move their running averages: those are of whole patterns, not of pieces."""
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, kept, strict=True):
            norm.momentum = momentum
