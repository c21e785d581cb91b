"""What every objective is: batches in, a loss and what it consists of out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import nn

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from peakwise.networks import Encoder

__all__ = ["Objective", "evaluating", "part_of"]


class Objective(nn.Module, ABC):  # type: ignore[misc]  # torch is not there for the type checker
    """A way to learn: it owns the encoder, the heads, and whatever else its method needs.

    With classes to tell apart it is a `Classifier`, which answers; without, its features are what it gives (`encode`).
    In evaluation mode the same batch gives the same loss, and nothing that is kept (a queue, an average) moves.

    Attributes
    ----------
    encoder : Encoder
        What survives training; heads may be exchanged.
    """

    encoder: Encoder

    @abstractmethod
    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Batch to ``{"loss": scalar, ...}``; the other scalars, already detached, are parts worth logging.

        The patterns are ``batch["intensity"]`` (n, n_points); what else a batch must hold is told by each objective.
        """


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Without dropout and without gradients inside the block; afterwards as it was."""
    was_training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(was_training)


def part_of(objective: Objective, batch: Mapping[str, Tensor], name: str) -> Tensor:
    """What the batch calls `name`."""
    if name not in batch:
        why = f"a batch needs {name!r}, got {', '.join(batch) or 'nothing'}"
        raise OptionError(f"cannot learn with {type(objective).__name__}", why, f"Add {name!r} to the batches")
    return batch[name]
