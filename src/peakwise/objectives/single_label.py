"""One class for each pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch.nn import functional

from peakwise.networks import check_number
from peakwise.objectives._classifier import Classifier
from peakwise.objectives._objective import part_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from peakwise.networks import Encoder

__all__ = ["SingleLabel"]


@final
class SingleLabel(Classifier):
    """Cross-entropy over classes that exclude each other.

    A batch holds ``label`` (n,), whole numbers, or ``weights`` (n, n_classes), shares that are brought to a sum of 1.
    Patterns with a label below 0, or without any share, count nowhere. An encoder that reads sequences gets
    ``intensity`` (batch, time, n_points) and ``label`` (batch, time): unlabelled patterns are still seen by their
    neighbours.

    Parameters
    ----------
    encoder : Encoder
    n_classes : int
    head : str
        A key of `HEADS`.
    head_options : mapping, optional
        Options of the head, by name.
    label_smoothing : float
        Share of the target that is spread evenly over all classes.
    class_weights : sequence of float, optional
        How much each class counts; for classes of different size.

    Notes
    -----
    With the target t (n, n_classes), smoothed to s = (1 - a) t + a / n_classes, the probabilities p and the class
    weights c, the loss is ``- sum(c s log p) / sum(c t)``, both sums over patterns and classes.

    Examples
    --------
    >>> from peakwise.networks import build_encoder, seeded
    >>> with seeded(0):
    ...     objective = SingleLabel(build_encoder("wang_cnn", 200), n_classes=3)
    ...     parts = objective({"intensity": torch.rand(4, 200), "label": torch.tensor([0, 1, 2, 0])})
    >>> sorted(parts), objective.predict(torch.rand(2, 200)).shape
    (['accuracy', 'loss'], torch.Size([2, 3]))
    """

    def __init__(
        self,
        encoder: Encoder,
        n_classes: int,
        *,
        head: str = "linear",
        head_options: Mapping[str, Any] | None = None,
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(encoder, n_classes, head, head_options, class_weights)
        self.label_smoothing = check_number(self, "label_smoothing", label_smoothing, below=1)

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss``, and ``accuracy``: how often the first choice was the label."""
        logits = self.head(self.encoder(part_of(self, batch, "intensity"))).float()
        target = self._target(batch)
        known = target.sum(dim=-1) > 0
        smooth = target * (1 - self.label_smoothing) + known[..., None] * self.label_smoothing / self.n_classes
        surprise = -functional.log_softmax(logits, dim=-1)
        # Without any label in the batch both sums are 0, and so is the loss.
        loss = (self.class_weights * smooth * surprise).sum() / (self.class_weights * target).sum().clamp_min(1e-12)
        hits = known & (logits.argmax(dim=-1) == target.argmax(dim=-1))
        return {"loss": loss, "accuracy": hits.sum() / known.sum().clamp_min(1)}

    def answer(self, intensity: Tensor) -> Tensor:
        """Patterns (n, n_points), or sequences of them, to probabilities that sum to 1, with gradients."""
        return self.head(self.encoder(intensity)).float().softmax(dim=-1)

    def _target(self, batch: Mapping[str, Tensor]) -> Tensor:
        if "weights" in batch:
            weights = batch["weights"].to(torch.float32)
            # A pattern without any phase has nothing to say here: its target stays 0.
            return weights / weights.sum(dim=-1, keepdim=True).clamp_min(1e-12)
        label = part_of(self, batch, "label").long()
        return functional.one_hot(label.clamp_min(0), self.n_classes) * (label >= 0)[..., None].to(torch.float32)
