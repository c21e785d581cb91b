"""What every network is: a map from patterns to features."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from torch import nn

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Encoder", "as_rows", "as_sequences", "check_points"]


class Encoder(nn.Module, ABC):  # type: ignore[misc]  # torch is not there for the type checker
    """A network without its head.

    A concrete network is final, stands in one file, and reads from top to bottom.

    Attributes
    ----------
    n_points : int
        Points of a pattern that it was built for.
    n_features : int
        Length of the vector that it makes of a pattern.
    is_sequential : bool
        Whether it reads patterns in their order: then `forward` takes (batch, time, n_points) and gives
        (batch, time, n_features). Patterns (batch, n_points) are sequences of one, without neighbours.
    """

    n_points: int
    n_features: int
    is_sequential: ClassVar[bool] = False

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Patterns (batch, n_points) to features (batch, n_features)."""

    def feature_map(self, x: Tensor) -> Tensor | None:  # noqa: ARG002 - networks without convolutions have none
        """Patterns (batch, n_points) to the last convolution's maps (batch, channels, length), or None."""
        return None


def as_rows(network: Encoder, x: Tensor) -> Tensor:
    """Patterns (batch, n_points) as a signal of one channel (batch, 1, n_points), once their length is right."""
    if x.ndim != 2 or x.shape[1] != network.n_points:
        why = f"it was built for shape (batch, {network.n_points}), got {tuple(x.shape)}"
        raise OptionError(f"cannot use {type(network).__name__} on these patterns", why, "Resample them to its grid")
    return x[:, None]


def as_sequences(network: Encoder, x: Tensor) -> Tensor:
    """Sequences (batch, time, n_points), once their length is right; (batch, n_points) become sequences of one."""
    if x.ndim not in (2, 3) or x.shape[-1] != network.n_points:
        n = network.n_points
        why = f"it was built for shape (batch, time, {n}) or (batch, {n}), got {tuple(x.shape)}"
        raise OptionError(f"cannot use {type(network).__name__} on these patterns", why, "Resample them to its grid")
    return x[:, None] if x.ndim == 2 else x


def check_points(network: Encoder, n_points: int, fewest: int) -> int:
    """The number of points, if the network can be built for so many."""
    if isinstance(n_points, bool) or not isinstance(n_points, int) or n_points < fewest:
        why = f"n_points must be a whole number of at least {fewest}, got {n_points!r}"
        raise OptionError(f"cannot build {type(network).__name__}", why, "Resample the patterns to more points")
    return n_points
