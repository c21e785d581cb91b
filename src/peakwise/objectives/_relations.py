"""Relations that a network can learn to see without labels: of views, of pieces, of places in a series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch import nn
from torch.nn import functional

from peakwise.augmentation import check_whole, interpolate
from peakwise.errors import OptionError
from peakwise.objectives._views import averages_at_rest

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from peakwise.networks import Encoder
    from peakwise.objectives._objective import Objective

__all__ = ["Relations", "distance_classes", "order_positions", "time_classes"]

_WIDTH = 256  # of the relation heads, as in H. Fan et al., arXiv:2011.13548


@final
class Relations(nn.Module):  # type: ignore[misc]  # torch is not there for the type checker
    """Three heads: of the same pattern or not; how far apart two pieces are; when the pattern was measured.

    Notes
    -----
    With K views of B patterns, `samples` compares the B (K^2 - K) pairs of view with later view, half of them of the
    same pattern and half of two different ones, by binary cross-entropy. `pieces` cuts two pieces of length L from the
    first view, starting at p and q, and tells the class ``min(floor(|p - q| / (L / 2)), n_distances - 1)``. `times`
    tells which of `n_times` equal parts of its series a pattern comes from.
    """

    def __init__(
        self, owner: Objective, encoder: Encoder, n_distances: int, piece: float, stretch: bool, n_times: int | None
    ) -> None:
        super().__init__()
        check_whole(owner, "n_distances", n_distances, 2)
        whole = encoder.n_points
        if not isinstance(piece, (int, float)) or isinstance(piece, bool) or not 2 / whole <= piece <= 0.9:
            why = f"piece must be a number within {2 / whole:g} and 0.9, got {piece!r}"
            raise OptionError(f"cannot build {type(owner).__name__}", why, "Change piece")
        self.length, self.stretch, self.n_distances = int(piece * whole), bool(stretch), n_distances
        self.samples = _relation_head(encoder.n_features, 1)
        self.pieces = _relation_head(encoder.n_features, n_distances)
        self.times = None
        if n_times is not None:
            self.times = nn.Linear(encoder.n_features, check_whole(owner, "n_times", n_times, 2))

    def forward(
        self, encoder: Encoder, views: Tensor, features: Tensor, position: Tensor | None, generator: Generator
    ) -> dict[str, Tensor]:
        """Losses ``inter``, ``intra`` and ``temporal``, and how often each is right.

        Parameters
        ----------
        encoder : Encoder
        views : Tensor of shape (n_views, n, n_points)
        features : Tensor of shape (n_views, n, n_features)
            Of these views.
        position : Tensor of shape (n,) or None
        generator : Generator
        """
        n = views.shape[1]
        told = self._compare_samples(features, _draw_shifts(len(views), n, generator, views.device))
        n_starts = views.shape[2] - self.length + 1
        starts = torch.randint(n_starts, (2, n), generator=generator, device=views.device)
        told |= self._compare_pieces(encoder, views[0], starts)
        if self.times is not None and position is not None:
            target = time_classes(position, self.times.out_features)
            told |= _told("temporal", self.times(features[0]).float(), target)
        return told

    def _compare_samples(self, features: Tensor, shifts: Tensor) -> dict[str, Tensor]:
        """Each pair of views twice: pattern with itself, and with the one `shifts` rows before."""
        n = features.shape[1]
        early, late = torch.triu_indices(len(features), len(features), 1, device=features.device)
        first, same = features[early], features[late]
        pairs, target = torch.cat([first, same], dim=2), torch.ones(len(early), n, device=features.device)
        if n > 1:  # a single pattern has no other one
            rows = (torch.arange(n, device=features.device) - shifts[:, None]) % n
            other = features[late[:, None], rows]
            pairs = torch.cat([pairs, torch.cat([first, other], dim=2)])
            target = torch.cat([target, torch.zeros_like(target)])
        score = self.samples(pairs)[..., 0].float()
        loss = functional.binary_cross_entropy_with_logits(score, target)
        return {"inter": loss, "inter_accuracy": ((score > 0) == (target > 0)).float().mean()}

    def _compare_pieces(self, encoder: Encoder, view: Tensor, starts: Tensor) -> dict[str, Tensor]:
        """Two pieces of each pattern, from `starts` (2, n)."""
        n_read = view.shape[1] if self.stretch else self.length
        place = torch.linspace(0, self.length - 1, n_read, device=view.device, dtype=view.dtype)
        cut = torch.cat([interpolate(view, start[:, None] + place) for start in starts])
        with averages_at_rest(encoder):
            first, second = encoder(cut).chunk(2)
        target = distance_classes(starts, self.length, self.n_distances)
        return _told("intra", self.pieces(torch.cat([first, second], dim=1)).float(), target)


def _relation_head(n_features: int, n_outputs: int) -> nn.Sequential:
    """From two features to a relation. A layer norm, where the published head has a batch norm: any batch will do."""
    return nn.Sequential(
        nn.Linear(2 * n_features, _WIDTH), nn.LayerNorm(_WIDTH), nn.LeakyReLU(), nn.Linear(_WIDTH, n_outputs)
    )


def _draw_shifts(n_views: int, n: int, generator: Generator, device: torch.device) -> Tensor:
    """For each pair of views, by how many rows to move: never by none, so that no pattern meets itself."""
    n_pairs = n_views * (n_views - 1) // 2
    return 1 + torch.randint(max(n - 1, 1), (n_pairs,), generator=generator, device=device)


def _told(name: str, logits: Tensor, target: Tensor) -> dict[str, Tensor]:
    hits = (logits.argmax(dim=1) == target).float().mean()
    return {name: functional.cross_entropy(logits, target), f"{name}_accuracy": hits}


def distance_classes(starts: Tensor, length: int, n_distances: int) -> Tensor:
    """How many half lengths lie between the starts (2, n) of two pieces, from 0 to ``n_distances - 1`` and more.

    >>> distance_classes(torch.tensor([[0, 3, 90], [4, 18, 0]]), 10, 5)
    tensor([0, 3, 4])
    """
    return (2 * (starts[0] - starts[1]).abs() // length).clamp_max(n_distances - 1)


def time_classes(position: Tensor, n_times: int) -> Tensor:
    """Which of `n_times` equal parts of its series each pattern is in, from positions within 0 and 1.

    >>> time_classes(torch.tensor([0.0, 0.19, 0.2, 0.99, 1.0]), 5)
    tensor([0, 0, 1, 4, 4])
    """
    if not bool(((position >= 0) & (position <= 1)).all()):
        low, high = float(position.min()), float(position.max())
        why = f"'position' must lie within 0 and 1, got values from {low:g} to {high:g}"
        raise OptionError("cannot tell when patterns were measured", why, "Make it with order_positions")
    return (position * n_times).floor().long().clamp_max(n_times - 1)


def order_positions(values: Any, series: Any = None) -> Tensor:
    """Places in the order of an external variable: the ``position`` of batches for objectives that learn from it.

    Parameters
    ----------
    values : array of shape (n,)
        When each pattern was measured, or its temperature, its pressure; only the order counts.
    series : array of shape (n,), optional
        Which series each pattern belongs to (whole numbers); each is ordered by itself.

    Returns
    -------
    Tensor of shape (n,)
        ``(rank + 1/2) / n`` within the series; equal values share the mean of their ranks.

    Examples
    --------
    >>> order_positions([300.0, 10.0, 20.0, 20.0])
    tensor([0.8750, 0.1250, 0.5000, 0.5000])
    >>> order_positions([1, 2, 1, 2], series=[0, 0, 7, 7])
    tensor([0.2500, 0.7500, 0.2500, 0.7500])
    """
    numbers = torch.as_tensor(values).double()
    groups = torch.zeros(len(numbers), dtype=torch.long) if series is None else torch.as_tensor(series)
    if numbers.ndim != 1 or groups.shape != numbers.shape or not bool(torch.isfinite(numbers).all()):
        got = f"{tuple(numbers.shape)} and {tuple(groups.shape)}"
        why = f"values and series must be finite and of one length, got shapes {got}"
        raise OptionError("cannot order the patterns", why, "Give one number for each pattern")
    positions = torch.empty_like(numbers)
    for group in groups.unique():
        rows = groups == group
        _, which, counts = numbers[rows].unique(return_inverse=True, return_counts=True)
        middle = counts.cumsum(0).double() - counts / 2  # of ranks that are equal, half a rank up
        positions[rows] = (middle / int(rows.sum()))[which]
    return positions.float()
