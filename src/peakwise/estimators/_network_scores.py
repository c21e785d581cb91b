"""Scores of strangeness from networks that make a pattern again: how badly it comes back, and where it lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.estimators._latent_network import Compression, LatentNetwork, batches_of, network_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["NETWORK_METHODS", "NetworkScores"]

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
    def learn(cls, method: str, rows: NDArray[np.floating], random_state: int) -> Self:
        """Train on known rows (n, m)."""
        names = NETWORK_METHODS[method]
        kind = Compression(n_latent=_LATENT, members=_MEMBERS if "disagreement" in names else 1)
        seen = network_rows(rows)
        steps = int(np.clip(_EPOCHS * len(seen) // _BATCH, *_STEPS))
        network = LatentNetwork.blank(kind, seen.shape[1], random_state)
        network.learn(batches_of(seen, random_state), steps=steps, random_state=random_state)
        kept = seen[:: max(1, -(-len(seen) // _MOST_KNOWN))]
        return cls(names, network, network.code(kept)[0])

    def measure(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Strangeness of rows (k, m): (k, n_names); larger is stranger."""
        seen = network_rows(rows)
        back = self.network.reconstruct(seen)
        found = {
            "reconstruction": ((back - seen) ** 2).mean(axis=2).mean(axis=0),
            "weighted_reconstruction": _weighted(seen, back),
            "latent_density": self._far(self.network.code(seen)[0]),
            "disagreement": back.var(axis=0).mean(axis=1),
        }
        return np.stack([np.asarray(found[name], np.float64) for name in self.names], axis=1)

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
    def from_arrays(cls, method: str, n_points: int, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The inverse of `to_arrays`; what does not fit is a `ValueError`."""
        names = NETWORK_METHODS[method]
        kind = Compression(n_latent=_LATENT, members=_MEMBERS if "disagreement" in names else 1)
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
