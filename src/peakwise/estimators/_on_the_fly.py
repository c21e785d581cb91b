"""Patterns that are simulated while a network learns, so that it sees none of them twice and never waits for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import PatternsError
from peakwise.estimators._conditions import Conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns
    from peakwise.simulate import Simulator

    Floats = NDArray[np.float32]

__all__ = ["OnTheFly", "on_the_fly"]

_BATCH = 128
# Pattern i of a simulator follows from its seed and i: what is kept apart begins elsewhere.
_TRAINED_FROM = 10_000_000
_OF_A_NETWORK = 1_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class OnTheFly:
    """A simulator as what is known: endless batches to learn from, and patterns that no batch holds.

    Attributes
    ----------
    simulator : Simulator
    conditions : Conditions or None
        Elements, whose amounts in each phase (atoms as shares) are the condition.
    """

    simulator: Simulator
    conditions: Conditions | None

    def batches(
        self, prepare: Callable[[Floats], Floats], *, labels: bool = False
    ) -> Callable[[int], Callable[[int], Iterator[dict[str, NDArray[Any]]]]]:
        """Batches for `LatentNetwork.learn`; `prepare` makes of intensities what the network sees."""
        amounts = None if self.conditions is None else self._scaled()

        def of(network: int) -> Callable[[int], Iterator[dict[str, NDArray[Any]]]]:
            def since(step: int) -> Iterator[dict[str, NDArray[Any]]]:
                first = _TRAINED_FROM + network * _OF_A_NETWORK + step * _BATCH
                for batch in self.simulator.batches(_BATCH, first=first):
                    which = batch.weights.argmax(axis=1)
                    made: dict[str, NDArray[Any]] = {"intensity": prepare(batch.intensity)}
                    if amounts is not None:
                        made["condition"] = amounts[which]
                    if labels:
                        made["label"] = self.codes[which]
                    yield made

            return since

        return of

    def draw(self, n: int) -> Patterns:
        """The first n patterns, which are in no batch, with their phases and conditions in the metadata."""
        made = self.simulator.draw(n)
        if self.conditions is None:
            return made
        at = {phase.id: row for phase, row in zip(self.simulator.phases, self._amounts(), strict=True)}
        rows = np.array([at[str(name)] for name in made.meta["phases"]])
        more = {name: rows[:, i] for i, name in enumerate(self.conditions.names)}
        return made.replace(meta={**made.meta, **more})

    @property
    def ids(self) -> NDArray[np.str_]:
        """The labels, sorted."""
        return np.array(sorted(phase.id for phase in self.simulator.phases))

    @property
    def codes(self) -> NDArray[np.int64]:
        """Number of the label of each phase of the simulator."""
        return np.searchsorted(self.ids, [phase.id for phase in self.simulator.phases]).astype(np.int64)

    def _amounts(self) -> NDArray[np.float64]:
        return amounts_of(self.simulator, () if self.conditions is None else self.conditions.names)

    def _scaled(self) -> Floats:
        rows = self._amounts()
        return rows.astype(np.float32) if self.conditions is None else self.conditions.scaled(rows, len(rows))


def on_the_fly(X: Any, condition: Sequence[str]) -> OnTheFly | None:
    """A simulator as what is known, None where X is something else."""
    if not type(X).__module__.startswith("peakwise.simulate"):
        return None
    from peakwise.simulate import Simulator

    if not isinstance(X, Simulator):
        return None
    return OnTheFly(X, Conditions.learn(condition, amounts_of(X, condition)) if condition else None)


def amounts_of(simulator: Simulator, elements: Sequence[str]) -> NDArray[np.float64]:
    """Shares of the atoms of each phase that are these elements (n_phases, n_elements)."""
    content = [phase.content for phase in simulator.phases]
    unknown = [name for name in elements if not any(name in one for one in content)]
    if unknown:
        there = ", ".join(sorted({name for one in content for name in one}))
        why = f"conditions of simulated patterns must be elements of the phases ({there}), got {unknown[0]!r}"
        raise PatternsError("cannot use the conditions", why, "Name elements, or learn from measured scans")
    return np.array([[one.get(name, 0.0) / sum(one.values()) for name in elements] for one in content])
