"""Any number of classes in each pattern, and how much of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch import nn
from torch.nn import functional

from peakwise.errors import OptionError
from peakwise.networks import check_number
from peakwise.objectives._classifier import Classifier
from peakwise.objectives._objective import evaluating, part_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from peakwise.networks import Encoder

__all__ = ["MultiLabel"]


@final
class MultiLabel(Classifier):
    """A yes or no for every class; a pattern may hold several.

    A batch holds ``weights`` (n, n_classes), the weight fraction of every class; a class is present where it is above
    `least`.

    Parameters
    ----------
    encoder : Encoder
    n_classes : int
    head : str
        A key of `HEADS`.
    head_options : mapping, optional
        Options of the head, by name.
    has_fractions : bool
        Whether a second head learns the weight fractions of the classes that are present.
    fraction_weight : float
        What the loss of the fractions counts beside that of the classes.
    least : float
        Weight fraction above which a class counts as present.
    focus : float
        Exponent of the focal factor of absent classes: easy ones count less. 0 is plain cross-entropy.
    class_weights : sequence of float, optional
        How much each class counts.

    Notes
    -----
    With the probability p of a class, its weight c and the exponent g, a present class costs ``-c log p`` and an
    absent one ``-c p^g log(1 - p)``, summed over the classes and averaged over the patterns: binary cross-entropy,
    or the asymmetric loss of T. Ridnik et al., ICCV 2021, 82, doi:10.1109/ICCV48922.2021.00015, without its margin.
    Fractions w of the classes that are present cost ``-sum w log(w')``, where w' is the softmax of the second head
    over those classes alone.

    Examples
    --------
    >>> from peakwise.networks import build_encoder, seeded
    >>> with seeded(0):
    ...     objective = MultiLabel(build_encoder("wang_cnn", 200), n_classes=3, has_fractions=True)
    >>> batch = {"intensity": torch.rand(2, 200), "weights": torch.tensor([[0.2, 0.8, 0.0], [0.0, 0.0, 1.0]])}
    >>> sorted(objective(batch))
    ['fractions', 'loss', 'presence']
    >>> present = torch.tensor([[True, False, True]])
    >>> bool(objective.predict_fractions(batch["intensity"][:1], present)[0, 1] == 0)
    True
    """

    def __init__(
        self,
        encoder: Encoder,
        n_classes: int,
        *,
        head: str = "linear",
        head_options: Mapping[str, Any] | None = None,
        has_fractions: bool = False,
        fraction_weight: float = 1.0,
        least: float = 0.0,
        focus: float = 0.0,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(encoder, n_classes, head, head_options, class_weights)
        self.fraction_weight = check_number(self, "fraction_weight", fraction_weight)
        self.least = check_number(self, "least", least, below=1)
        self.focus = check_number(self, "focus", focus)
        self.fraction_head = nn.Linear(encoder.n_features, n_classes) if has_fractions else None

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss`` and its parts: ``presence`` and, if they are learned, ``fractions``."""
        features = self.encoder(part_of(self, batch, "intensity"))
        weights = part_of(self, batch, "weights").to(torch.float32)
        present = weights > self.least
        logits = self.head(features).float()
        # log p = -softplus(-logit) and log(1 - p) = -softplus(logit): nothing overflows.
        absent_cost = functional.softplus(logits)
        if self.focus > 0:
            absent_cost = absent_cost * logits.sigmoid() ** self.focus
        cost = torch.where(present, functional.softplus(-logits), absent_cost)
        presence = (self.class_weights * cost).sum(dim=1).mean()
        if self.fraction_head is None:
            return {"loss": presence, "presence": presence.detach()}
        shares = _log_shares(self.fraction_head(features).float(), present)
        fractions = -(torch.where(present, weights * shares, 0.0)).sum(dim=1).mean()
        loss = presence + self.fraction_weight * fractions
        return {"loss": loss, "presence": presence.detach(), "fractions": fractions.detach()}

    def answer(self, intensity: Tensor) -> Tensor:
        """Patterns (n, n_points) to the probability that a class is present (n, n_classes), with gradients."""
        return self.head(self.encoder(intensity)).float().sigmoid()

    def predict_fractions(self, intensity: Tensor, present: Tensor) -> Tensor:
        """Weight fractions (n, n_classes) of the classes said to be present (n, n_classes); rows sum to 1 (or 0)."""
        if self.fraction_head is None:
            raise OptionError("cannot predict fractions", "they were not learned", "Train with has_fractions=True")
        with evaluating(self):
            logits = self.fraction_head(self.encoder(intensity)).float()
        return torch.where(present, _log_shares(logits, present).exp(), 0.0)

    def _follow(self, rows: Sequence[int | None]) -> None:
        if self.fraction_head is None:
            return
        old = self.fraction_head
        self.fraction_head = nn.Linear(old.in_features, len(rows)).to(old.weight)
        with torch.no_grad():
            for place, row in enumerate(rows):
                # A new class starts from the mean of the others: as much of it as of them, until the next training.
                self.fraction_head.weight[place] = old.weight.mean(dim=0) if row is None else old.weight[row]
                self.fraction_head.bias[place] = old.bias.mean() if row is None else old.bias[row]


def _log_shares(logits: Tensor, present: Tensor) -> Tensor:
    """Logarithm of the softmax over the present classes; finite everywhere, so that gradients stay numbers."""
    return functional.log_softmax(torch.where(present, logits, -1e4), dim=1)
