"""Points vote for a class, and each bin of the axis counts as much as it can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from torch.nn import functional

from peakwise.errors import OptionError
from peakwise.networks import BinnedPoints, LinearHead, check_number
from peakwise.objectives._classifier import Classifier
from peakwise.objectives._objective import evaluating, part_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from peakwise.networks import Encoder

__all__ = ["BinnedVotes", "believability"]


def believability(separability: Tensor, least: float = 0.55) -> Tensor:
    """What a bin counts, from the share A of its points that are classified rightly.

    ``max(0, (A^2 - least^2) / (1 - least^2))``: 0 up to the accuracy `least`, 1 where all are right. With 0.55 that is
    ``max(0, 1.4337 A^2 - 0.4337)``: Y. Sun, PhD thesis, University of Szeged 2023, equation 4.1.

    >>> believability(torch.tensor([0.5, 0.55, 0.8, 1.0]))
    tensor([0.0000, 0.0000, 0.4839, 1.0000])
    """
    return ((separability**2 - least**2) / (1 - least**2)).clamp_min(0)


@final
class BinnedVotes(Classifier):
    """Every point (angle, intensity) of a pattern is classified by the net of its bin; the points then vote.

    A batch holds ``label`` (n,), whole numbers. While it trains, all bins count the same; call `weigh` with the
    patterns of the training afterwards.

    Parameters
    ----------
    encoder : BinnedPoints
        With as many outputs as there are classes.
    n_classes : int
    least : float, optional
        Accuracy of the points up to which a bin counts nothing; None: a tenth above guessing, 1.1 / n_classes.
    class_weights : sequence of float, optional
        How much each class counts in the loss and in the accuracy of a bin.

    Attributes
    ----------
    separability : Tensor of shape (n_bins,)
        Share of the points that were classified rightly in each bin of the training patterns.
    weights : Tensor of shape (n_bins,)
        What each bin counts: `believability` of the separability.

    Notes
    -----
    The loss is the cross-entropy of the points. The class of a pattern is that with the largest sum over the bins of
    weight times votes. The head holds the weights too, for those who want features and a head: it adds probabilities
    where the vote counts points. Y. Sun, PhD thesis, University of Szeged 2023, section 4.1.

    Examples
    --------
    >>> from peakwise.networks import seeded
    >>> with seeded(0):
    ...     objective = BinnedVotes(BinnedPoints(60, n_bins=3), n_classes=2)
    >>> x, label = torch.rand(4, 60), torch.tensor([0, 1, 0, 1])
    >>> sorted(objective({"intensity": x, "label": label}))
    ['accuracy', 'loss']
    >>> objective.weigh(x, label)
    >>> objective.weights.shape, objective.predict(x).sum(dim=1)
    (torch.Size([3]), tensor([1., 1., 1., 1.]))
    """

    encoder: BinnedPoints
    separability: Tensor

    def __init__(
        self,
        encoder: Encoder,
        n_classes: int,
        *,
        least: float | None = None,
        class_weights: Sequence[float] | None = None,
    ) -> None:
        if not isinstance(encoder, BinnedPoints) or encoder.n_outputs != n_classes:
            got = f"n_outputs={encoder.n_outputs}" if isinstance(encoder, BinnedPoints) else type(encoder).__name__
            why = f"the encoder must be BinnedPoints with n_outputs={n_classes}, got {got}"
            raise OptionError("cannot build BinnedVotes", why, "Build the network 'binned_points' with that option")
        super().__init__(encoder, n_classes, "linear", None, class_weights)
        self.least = check_number(self, "least", 1.1 / max(2, n_classes) if least is None else least, below=1)
        self.register_buffer("separability", torch.ones(encoder.n_bins))
        self.head.requires_grad_(requires_grad=False)
        self._tell_head()

    @property
    def weights(self) -> Tensor:
        """What each bin counts (n_bins,)."""
        return believability(self.separability, self.least)

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``loss`` of the points, and ``accuracy``: how many of them were classified rightly."""
        logits = self.encoder.point_logits(part_of(self, batch, "intensity")).float()
        label = part_of(self, batch, "label").long()
        target = label[:, None, None].expand(logits.shape[:-1])
        loss = functional.cross_entropy(logits.flatten(0, 2), target.flatten(), self.class_weights)
        return {"loss": loss, "accuracy": (logits.detach().argmax(dim=-1) == target).float().mean()}

    def answer(self, intensity: Tensor) -> Tensor:
        """Patterns (n, n_points) to the share of the weighted votes (n, n_classes); gradients are those of the head."""
        logits = self.encoder.point_logits(intensity).float()
        soft = logits.softmax(dim=-1)
        hard = functional.one_hot(logits.argmax(dim=-1), self.n_classes)
        votes = (hard + soft - soft.detach()).mean(dim=2)
        weights = self.weights
        # Where no bin can be believed, all classes are alike.
        return (weights[:, None] * votes + 1e-9).sum(dim=1) / (weights + 1e-9 * self.n_classes).sum()

    def weigh(self, intensity: Tensor, label: Tensor, size: int = 64) -> None:
        """Measure the separability of the bins on the patterns (n, n_points) of the training, and weigh by it.

        Parameters
        ----------
        intensity : Tensor of shape (n, n_points)
        label : Tensor of shape (n,)
        size : int
            Patterns at once.
        """
        counts = self.class_weights[label]
        hits = torch.zeros_like(self.separability)
        with evaluating(self):
            for rows in torch.arange(len(intensity), device=intensity.device).split(size):
                right = self.encoder.point_logits(intensity[rows]).argmax(dim=-1) == label[rows, None, None]
                hits += counts[rows] @ right.float().mean(dim=2)
        self.separability = hits / counts.sum()
        self._tell_head()

    def _tell_head(self) -> None:
        if isinstance(self.head, LinearHead):
            with torch.no_grad():
                self.head.dense.weight.copy_(torch.kron(self.weights[None], torch.eye(self.n_classes).to(self.weights)))
                self.head.dense.bias.zero_()
