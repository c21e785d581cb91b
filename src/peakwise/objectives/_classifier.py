"""What objectives with classes share: one head, counted classes, and classes that come and go."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, final

import torch

from peakwise.errors import OptionError
from peakwise.networks import CosineHead, build_head
from peakwise.objectives._objective import Objective, evaluating

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from peakwise.networks import Encoder, Head

__all__ = ["Classifier"]


class Classifier(Objective):
    """An encoder, a head, and a weight for each class in the loss.

    Attributes
    ----------
    head : Head
    class_weights : Tensor of shape (n_classes,)
    """

    head: Head
    class_weights: Tensor

    def __init__(
        self,
        encoder: Encoder,
        n_classes: int,
        head: str,
        head_options: Mapping[str, Any] | None,
        class_weights: Sequence[float] | None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = build_head(head, encoder.n_features, n_classes, head_options)
        counts = torch.ones(n_classes) if class_weights is None else torch.as_tensor(class_weights, dtype=torch.float32)
        if counts.shape != (n_classes,) or not bool((counts >= 0).all()) or not bool(counts.sum() > 0):
            why = f"class_weights must be {n_classes} numbers of 0 or more, not all 0, got {class_weights!r}"
            raise OptionError(f"cannot build {type(self).__name__}", why, "Give one weight a class, or None")
        self.register_buffer("class_weights", counts)

    @property
    def n_classes(self) -> int:
        """How many classes it tells apart."""
        return self.head.n_classes

    @abstractmethod
    def answer(self, intensity: Tensor) -> Tensor:
        """Patterns (n, n_points) to probabilities (n, n_classes), with gradients."""

    @final
    def predict(self, intensity: Tensor, size: int = 512) -> Tensor:
        """Patterns (n, n_points) to probabilities (n, n_classes): without dropout, without gradients.

        Parameters
        ----------
        intensity : Tensor
            On the device of the network. For an encoder that reads sequences also (batch, time, n_points), which gives
            (batch, time, n_classes); a sequence is never cut.
        size : int
            Patterns at once.
        """
        rows = size if intensity.ndim == 2 else max(1, size // max(1, intensity.shape[1]))
        with evaluating(self):
            return torch.cat([self.answer(part) for part in intensity.split(rows)])

    @final
    def add_class(self, intensity: Tensor) -> None:
        """Append a class, known by patterns (n, n_points) of it, without training; the head must be ``cosine``."""
        head = self._metric_head()
        with evaluating(self):
            head.add_class(self.encoder(intensity))
        self.class_weights = torch.cat([self.class_weights, self.class_weights.mean()[None]])
        self._follow([*range(head.n_classes - 1), None])

    @final
    def drop_class(self, index: int) -> None:
        """Remove the class `index`; those after it move up by one; the head must be ``cosine``."""
        head = self._metric_head()
        head.drop_class(index)
        kept = [i for i in range(head.n_classes + 1) if i != index]
        self.class_weights = self.class_weights[kept]
        self._follow(kept)

    def _follow(self, rows: Sequence[int | None]) -> None:
        """What else has a row a class follows: where each row was before, None for a new one."""

    def _metric_head(self) -> CosineHead:
        if not isinstance(self.head, CosineHead):
            why = f"its head must be CosineHead, got {type(self.head).__name__}"
            raise OptionError("cannot change the classes without training", why, "Train with head='cosine'")
        return self.head
