"""What networks learn of known scans: their scores, a map for pictures, and the conditions that are joined."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.estimators._conditions import Conditions, columns
from peakwise.estimators._latent_plane import LatentPlane, plane_rows
from peakwise.estimators._network_scores import NetworkScores, seen_rows
from peakwise.estimators._novelty_reasons import compared_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.estimators._network_scores import Training
    from peakwise.estimators._on_the_fly import OnTheFly
    from peakwise.patterns import Patterns

__all__ = ["NetworkKnown"]

_SPLIT = 300  # known scans from which a third is kept away from the networks; with fewer they are left out in turn
_THIRDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class NetworkKnown:
    """Trained networks and what goes with them.

    Attributes
    ----------
    scores : NetworkScores
    plane : LatentPlane
    conditions : Conditions or None
    scored : ndarray of shape (k,)
        Numbers of the known scans that the networks did not see, or that were left out in turn: they have scores.
    """

    scores: NetworkScores
    plane: LatentPlane
    conditions: Conditions | None
    scored: NDArray[np.intp]

    @classmethod
    def learn(
        cls, method: str, patterns: Patterns, names: Sequence[str], labels: NDArray[np.str_] | None, training: Training
    ) -> tuple[Self, NDArray[np.float64]]:
        """Learn from known scans; also how strange those in `scored` are to what was learned without them."""
        n = len(patterns)
        rows = compared_rows(patterns.intensity, patterns.kind)
        conditions = Conditions.learn(names, columns(names, patterns)) if names else None
        given = None if conditions is None else conditions.of(patterns)
        groups = np.random.default_rng(training.random_state).permutation(n) % _THIRDS
        trainings = 2 if n >= _SPLIT else _THIRDS + 2
        each = replace(training, seconds=None if training.seconds is None else training.seconds / trainings)

        def some(keep: NDArray[np.bool_] | slice) -> NetworkScores:
            return NetworkScores.learn(method, rows[keep], each, None if given is None else given[keep])

        def measured(scores: NetworkScores, out: NDArray[np.bool_]) -> NDArray[np.float64]:
            return scores.measure(rows[out], None if given is None else given[out])

        if n >= _SPLIT:
            scores = some(groups > 0)
            cross, scored = measured(scores, groups == 0), np.flatnonzero(groups == 0)
        else:
            parts = [measured(some(groups != group), groups == group) for group in range(_THIRDS)]
            scored = np.concatenate([np.flatnonzero(groups == group) for group in range(_THIRDS)])
            cross, scores = np.concatenate(parts), some(slice(None))
        plane = LatentPlane.learn(patterns.kind, patterns.intensity, labels, each)
        return cls(scores, plane, conditions, scored), cross

    @classmethod
    def learn_simulated(
        cls, method: str, known: OnTheFly, drawn: Patterns, training: Training
    ) -> tuple[Self, NDArray[np.float64]]:
        """Learn from patterns that are simulated meanwhile; the drawn ones are in none of the batches."""
        rows = compared_rows(drawn.intensity, drawn.kind)
        given = None if known.conditions is None else known.conditions.of(drawn)
        each = replace(training, seconds=None if training.seconds is None else training.seconds / 2)
        seen = known.batches(lambda intensity: seen_rows(compared_rows(intensity, drawn.kind)))
        scores = NetworkScores.learn_from(method, seen, seen_rows(rows), each, given)
        plain = replace(known, conditions=None)  # a map for pictures is drawn without them
        rows_of = plain.batches(lambda intensity: plane_rows(intensity, drawn.kind))
        plane = LatentPlane.learn(drawn.kind, drawn.intensity, drawn.meta["phases"].astype(str), each, rows_of)
        return cls(scores, plane, known.conditions, np.arange(len(drawn))), scores.measure(rows, given)

    def condition(self, patterns: Patterns) -> NDArray[np.float32] | None:
        """The condition of each pattern."""
        return None if self.conditions is None else self.conditions.of(patterns)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it again."""
        made = {**self.scores.to_arrays(), "scored": self.scored}
        if self.conditions is not None:
            made["condition_range"] = self.conditions.ends
        return made | {f"plane.{name}": a for name, a in self.plane.to_arrays().items()}

    @classmethod
    def from_arrays(
        cls, method: str, kind: str, n_points: int, names: Sequence[str], labels: NDArray[np.str_] | None,
        arrays: Mapping[str, NDArray[Any]],
    ) -> Self:  # fmt: skip
        """The inverse of `to_arrays`; what does not fit is a `ValueError`."""
        n_known = len(arrays["known"])
        scored = np.asarray(arrays["scored"], np.intp)
        if scored.ndim != 1 or not scored.size or scored.min() < 0 or scored.max() >= n_known:
            raise ValueError("numbers of known scans that are not there")
        conditions = Conditions.from_array(names, arrays["condition_range"]) if names else None
        part = {name.removeprefix("plane."): a for name, a in arrays.items() if name.startswith("plane.")}
        plane = LatentPlane.from_arrays(kind, n_points, n_known, labels, part)
        return cls(NetworkScores.from_arrays(method, n_points, arrays, len(names)), plane, conditions, scored)
