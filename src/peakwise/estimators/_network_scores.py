"""Scores of strangeness from networks that make a pattern again: how badly it comes back, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.estimators._latent_network import Compression, LatentNetwork, batches_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

__all__ = ["NETWORK_METHODS", "NetworkScores", "Training", "seen_rows", "steps_for"]

# Method of `NoveltyDetector` -> the scores that it joins. How far networks disagree needs several.
NETWORK_METHODS: dict[str, tuple[str, ...]] = {
    "reconstruction": ("reconstruction",),
    "weighted_reconstruction": ("weighted_reconstruction",),
    "latent_density": ("latent_density",),
    "disagreement": ("disagreement",),
    "networks": ("reconstruction", "weighted_reconstruction", "latent_density", "disagreement"),
}
_LATENT = 10
_MEMBERS = 3
_EPOCHS = 30
_BATCH = 128
_STEPS = (600, 2500)  # at least and at most: small sets need many epochs, large ones come back well after few
_NEIGHBOURS = 5
_MOST_KNOWN = 5000  # places that are kept, drawn evenly


@dataclass(frozen=True, slots=True)
class Training:
    """How networks are trained: the options of `NoveltyDetector` that say so."""

    random_state: int = 0
    seconds: float | None = None
    threads: int | None = None
    device: str = "auto"


def steps_for(n: int | None) -> int:
    """Batches to learn from n patterns; None for patterns that never end.

    >>> steps_for(100), steps_for(5000), steps_for(None)
    (600, 1171, 2500)
    """
    return _STEPS[1] if n is None else int(np.clip(_EPOCHS * n // _BATCH, *_STEPS))


def seen_rows(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """What networks see of rows: 0 to 1, from 0 where a row has no background, else from its least.

    Rows without their background are negative beside peaks. Left in, these parts lift the background to a third of the
    peaks, and a cross-entropy learns its noise.

    >>> seen_rows(np.array([[-1.0, 0.0, 2.0, 4.0], [2.0, 2.0, 3.0, 6.0]])).tolist()
    [[0.0, 0.0, 0.5, 1.0], [0.0, 0.0, 0.25, 1.0]]
    """
    given = np.asarray(rows, np.float64)
    above = np.maximum(given - np.maximum(given.min(axis=1, keepdims=True), 0.0), 0.0)
    top = above.max(axis=1, keepdims=True)
    return np.asarray(above / np.where(top > 0, top, 1.0), np.float32)


def _kind(names: tuple[str, ...], n_conditions: int) -> Compression:
    return Compression(_LATENT, n_conditions=n_conditions, members=_MEMBERS if "disagreement" in names else 1)


@dataclass(frozen=True, slots=True, eq=False)
class NetworkScores:
    """Scores that share their networks.

    Attributes
    ----------
    names : tuple of str
    network : LatentNetwork
    places : ndarray of shape (n, n_latent)
        Of known rows on the map of the first network.
    """

    names: tuple[str, ...]
    network: LatentNetwork
    places: NDArray[np.float32]

    @classmethod
    def learn(
        cls, method: str, rows: NDArray[np.floating], training: Training, condition: NDArray[np.float32] | None = None
    ) -> Self:
        """Train on known rows (n, m)."""
        seen = seen_rows(rows)
        more = {} if condition is None else {"condition": condition}
        batches = batches_of(seen, training.random_state, **more)
        return cls.learn_from(method, batches, seen, training, condition, len(seen))

    @classmethod
    def learn_from(
        cls,
        method: str,
        batches: Callable[[int], Any],
        places: NDArray[np.float32],
        training: Training,
        condition: NDArray[np.float32] | None = None,
        n: int | None = None,
    ) -> Self:
        """Train on batches of n patterns, None for endless ones; remember where rows, as the networks see them, lie."""
        names = NETWORK_METHODS[method]
        n_conditions = 0 if condition is None else condition.shape[1]
        network = LatentNetwork.blank(_kind(names, n_conditions), places.shape[1], training.random_state)
        network.learn(
            batches, steps=steps_for(n), random_state=training.random_state, seconds=training.seconds,
            threads=training.threads, device=training.device,
        )  # fmt: skip
        few = slice(None, None, max(1, -(-len(places) // _MOST_KNOWN)))
        return cls(names, network, network.code(places[few], None if condition is None else condition[few])[0])

    def measure(self, rows: NDArray[np.floating], condition: NDArray[np.float32] | None = None) -> NDArray[np.float64]:
        """Strangeness of rows (k, m): (k, n_names); larger is stranger."""
        seen = seen_rows(rows)
        back = self.network.reconstruct(seen, condition)
        found: dict[str, Callable[[], NDArray[np.floating]]] = {
            "reconstruction": lambda: ((back - seen) ** 2).mean(axis=2).mean(axis=0),
            "weighted_reconstruction": lambda: _weighted(seen, back),
            "latent_density": lambda: self._far(self.network.code(seen, condition)[0]),
            "disagreement": lambda: back.var(axis=0).mean(axis=1),
        }
        return np.stack([np.asarray(found[name](), np.float64) for name in self.names], axis=1)

    def _far(self, places: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mean distance from the nearest known places, in units of their spread."""
        from scipy.spatial import KDTree

        spread = np.maximum(self.places.std(axis=0), 1e-6)
        k = min(_NEIGHBOURS, len(self.places))
        apart, _ = KDTree(self.places / spread).query(places / spread, k=k)
        return np.asarray(apart.reshape(len(places), k).mean(axis=1), np.float64)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it again."""
        return {**{f"network.{name}": a for name, a in self.network.to_arrays().items()}, "places": self.places}

    @classmethod
    def from_arrays(cls, method: str, n_points: int, arrays: Mapping[str, NDArray[Any]], n_conditions: int = 0) -> Self:
        """The inverse of `to_arrays`; what does not fit is a `ValueError`."""
        names = NETWORK_METHODS[method]
        kind = _kind(names, n_conditions)
        weights = {name.removeprefix("network."): a for name, a in arrays.items() if name.startswith("network.")}
        places = np.asarray(arrays["places"], np.float32)
        if places.ndim != 2 or places.shape[1] != _LATENT or not len(places) or not np.isfinite(places).all():
            raise ValueError("places that are not on the map")
        return cls(names, LatentNetwork.from_arrays(kind, n_points, weights, []), places)


def _weighted(rows: NDArray[np.float32], back: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean square of what is left over, where a peak stands in the pattern or in what came back."""
    weight = np.maximum(rows[None], back)
    size = np.maximum(weight.sum(axis=2), 1e-12)
    return np.asarray(((weight * (back - rows[None]) ** 2).sum(axis=2) / size).mean(axis=0), np.float64)
