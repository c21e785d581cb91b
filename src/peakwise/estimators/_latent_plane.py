"""A map of two numbers for the pictures of a search for the new: places, regions of the labels, what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.estimators._latent_network import Compression, LatentNetwork, batches_of, network_rows
from peakwise.estimators._network_scores import STEPS, steps_for
from peakwise.estimators._regions import Regions, region_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._network_scores import Training

__all__ = ["LatentPlane"]

_KIND = Compression(n_latent=2)


@dataclass(frozen=True, slots=True, eq=False)
class LatentPlane:
    """A variational autoencoder of two numbers, trained on intensities as they are.

    Attributes
    ----------
    network : LatentNetwork
    places : ndarray of shape (n, 2)
        Of the known scans.
    labels : ndarray of shape (k,)
        Sorted; none where the known scans have no labels.
    regions : Regions or None
    """

    network: LatentNetwork
    places: NDArray[np.float32]
    labels: NDArray[np.str_]
    regions: Regions | None

    @classmethod
    def learn(
        cls, known: NDArray[np.floating], labels: NDArray[np.str_] | None, training: Training,
        batches: Callable[[int], Any] | None = None,
    ) -> Self:  # fmt: skip
        """Train on known scans (n, m), or on batches, and place the known scans."""
        rows = network_rows(known)
        steps = steps_for(len(rows)) if batches is None else STEPS[1]
        network = LatentNetwork.blank(_KIND, rows.shape[1], training.random_state)
        network.learn(
            batches_of(rows, training.random_state) if batches is None else batches, steps=steps,
            random_state=training.random_state, seconds=training.seconds, threads=training.threads,
            device=training.device,
        )  # fmt: skip
        return cls._placed(network, network.code(rows)[0], labels)

    @classmethod
    def _placed(cls, network: LatentNetwork, places: NDArray[np.float32], labels: NDArray[np.str_] | None) -> Self:
        names, codes = np.unique(np.asarray([], str) if labels is None else labels, return_inverse=True)
        regions = Regions.learn("neighbours", places, np.asarray(codes, np.intp)) if len(names) > 1 else None
        return cls(network, places, names, regions)

    def at(self, intensity: NDArray[np.floating]) -> NDArray[np.float64]:
        """Where scans (k, m) lie (k, 2)."""
        return np.asarray(self.network.code(network_rows(intensity))[0], np.float64)

    def back(self, intensity: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scans (k, m) as they come back, in their units, and the mean square of what differs, the largest 1 (k,)."""
        rows = network_rows(intensity)
        made = np.asarray(self.network.reconstruct(rows)[0], np.float64)
        low, high = intensity.min(axis=1, keepdims=True), intensity.max(axis=1, keepdims=True)
        return low + made * (high - low), ((made - rows) ** 2).mean(axis=1)

    def grid(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]] | None:
        """The regions: x (n,), y (n,), number of the label (n, n), rows along y; None where there are no labels."""
        return None if self.regions is None else region_grid(self.regions, self.places)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it again, beside the labels of the known scans."""
        return {"places": self.places, **{f"network.{k}": v for k, v in self.network.to_arrays().items()}}

    @classmethod
    def from_arrays(
        cls, n_points: int, n_known: int, labels: NDArray[np.str_] | None, arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """The inverse of `to_arrays`; what does not fit is a `ValueError`."""
        places = np.asarray(arrays["places"], np.float32)
        if places.shape != (n_known, 2) or not np.isfinite(places).all():
            raise ValueError("places that are not on the map")
        weights = {name.removeprefix("network."): a for name, a in arrays.items() if name.startswith("network.")}
        return cls._placed(LatentNetwork.from_arrays(_KIND, n_points, weights, []), places, labels)
