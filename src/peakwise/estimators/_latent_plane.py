"""A map of two numbers for the pictures of a search for the new: places, regions of the labels, what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from peakwise.estimators._latent_network import Compression, LatentNetwork, batches_of
from peakwise.estimators._network_scores import steps_for
from peakwise.estimators._novelty_reasons import WITH_BACKGROUND
from peakwise.estimators._regions import Regions, region_grid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._network_scores import Training

__all__ = ["LatentPlane"]

_KIND = Compression(n_latent=2)
_SHARES_OF_RANGE = 24  # what bends over more than this part of the range is background, as for the scores


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Square roots of scans as ``rows * top`` and what lies below: the background, and what is lower than that."""

    rows: NDArray[np.float32]
    top: NDArray[np.float64]
    below: NDArray[np.float64]
    zero: NDArray[np.float64]

    def whole(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Scans with other rows, in the units of the scans."""
        return np.asarray(np.maximum(rows * self.top + self.below, 0.0) ** 2 + self.zero)


def _parts_of(intensity: NDArray[np.floating], kind: str) -> _Parts:
    from scipy.ndimage import uniform_filter1d

    scans = np.asarray(intensity, np.float64)
    zero = np.minimum(scans.min(axis=1, keepdims=True), 0.0)
    root = np.sqrt(scans - zero)
    if kind in WITH_BACKGROUND:
        smooth = uniform_filter1d(root, max(3, scans.shape[1] // _SHARES_OF_RANGE), axis=1)
    else:
        smooth = np.broadcast_to(root.min(axis=1, keepdims=True), root.shape)
    above = root - smooth
    top = above.max(axis=1, keepdims=True)
    rows = np.maximum(above, 0.0) / np.where(top > 0, top, 1.0)
    return _Parts(rows.astype(np.float32), top, smooth + np.minimum(above, 0.0), zero)


def plane_rows(intensity: NDArray[np.floating], kind: str) -> NDArray[np.float32]:
    """What the network sees of scans (n, m): square roots of what stands out of the background, the largest 1.

    Two numbers would else tell the background, which varies most.
    """
    return _parts_of(intensity, kind).rows


@dataclass(frozen=True, slots=True, eq=False)
class LatentPlane:
    """A variational autoencoder of two numbers, trained on what stands out of the background.

    Attributes
    ----------
    kind : str
        Of the axis.
    network : LatentNetwork
    places : ndarray of shape (n, 2)
        Of the known scans.
    labels : ndarray of shape (k,)
        Sorted; none where the known scans have no labels.
    regions : Regions or None
    """

    kind: str
    network: LatentNetwork
    places: NDArray[np.float32]
    labels: NDArray[np.str_]
    regions: Regions | None

    @classmethod
    def learn(
        cls, kind: str, known: NDArray[np.floating], labels: NDArray[np.str_] | None, training: Training,
        batches: Callable[[int], Any] | None = None,
    ) -> Self:  # fmt: skip
        """Train on known scans (n, m), or on batches, and place the known scans."""
        rows = plane_rows(known, kind)
        steps = steps_for(len(rows) if batches is None else None)
        network = LatentNetwork.blank(_KIND, rows.shape[1], training.random_state)
        network.learn(
            batches_of(rows, training.random_state) if batches is None else batches, steps=steps,
            random_state=training.random_state, seconds=training.seconds, threads=training.threads,
            device=training.device,
        )  # fmt: skip
        return cls._placed(kind, network, network.code(rows)[0], labels)

    @classmethod
    def _placed(
        cls, kind: str, network: LatentNetwork, places: NDArray[np.float32], labels: NDArray[np.str_] | None
    ) -> Self:
        names, codes = np.unique(np.asarray([], str) if labels is None else labels, return_inverse=True)
        regions = Regions.learn("neighbours", places, np.asarray(codes, np.intp)) if len(names) > 1 else None
        return cls(kind, network, places, names, regions)

    def at(self, intensity: NDArray[np.floating]) -> NDArray[np.float64]:
        """Where scans (k, m) lie (k, 2)."""
        return np.asarray(self.network.code(plane_rows(intensity, self.kind))[0], np.float64)

    def back(self, intensity: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scans (k, m) as they come back, and the mean square of what differs in what the network sees (k,)."""
        parts = _parts_of(intensity, self.kind)
        made = self.network.reconstruct(parts.rows)[0]
        return parts.whole(made), ((made - parts.rows) ** 2).mean(axis=1, dtype=np.float64)

    def grid(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.intp]] | None:
        """The regions: x (n,), y (n,), number of the label (n, n), rows along y; None where there are no labels."""
        return None if self.regions is None else region_grid(self.regions, self.places)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that make it again, beside the labels of the known scans."""
        return {"places": self.places, **{f"network.{k}": v for k, v in self.network.to_arrays().items()}}

    @classmethod
    def from_arrays(
        cls, kind: str, n_points: int, n_known: int, labels: NDArray[np.str_] | None, arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        """The inverse of `to_arrays`; what does not fit is a `ValueError`."""
        places = np.asarray(arrays["places"], np.float32)
        if places.shape != (n_known, 2) or not np.isfinite(places).all():
            raise ValueError("places that are not on the map")
        weights = {name.removeprefix("network."): a for name, a in arrays.items() if name.startswith("network.")}
        return cls._placed(kind, LatentNetwork.from_arrays(_KIND, n_points, weights, []), places, labels)
