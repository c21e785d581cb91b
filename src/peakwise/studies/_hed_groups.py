"""Spectral clustering of single series, of their patterns or of what an encoder makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, cast

import numpy as np

from peakwise.evaluation import mutual_information, silhouette
from peakwise.series import group, principal_scores
from peakwise.studies._hed_labels import FE, FEO

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.studies._hed_labels import Suite

__all__ = ["SPECTRAL", "Grouped", "grouped"]

SPECTRAL = "patterns themselves"
_COMPONENTS = 8  # of patterns and of features alike
_SETTINGS = (("neighbours", "kmeans"), ("neighbours", "discretize"), ("rbf", "kmeans"), ("rbf", "discretize"))


class Grouped(NamedTuple):
    """For Fe and for FeO, a number for each of four settings of the clustering: means over the series.

    Parameters
    ----------
    silhouettes : tuple of list
    shared : tuple of list
        Mutual information with the labels, over the mean of both entropies.
    """

    silhouettes: tuple[list[float], list[float]]
    shared: tuple[list[float], list[float]]


def grouped(suite: Suite, features: NDArray[np.floating], random_state: int) -> Grouped:
    """Group each series by itself into as many groups as it has states, and judge the groups."""
    told: dict[str, list[tuple[float, float]]] = {}
    for name, place in suite.places.items():
        labels = suite.labels[place]
        rows = principal_scores(np.asarray(features[place], dtype=np.float64), _COMPONENTS)
        told[name] = []
        for affinity, assign in _SETTINGS:
            found = group(
                rows, np.unique(labels).size, "spectral", affinity=cast("Literal['neighbours', 'rbf']", affinity),
                assign=cast("Literal['kmeans', 'discretize']", assign), random_state=random_state,
            )  # fmt: skip
            inner = silhouette(rows, found) if np.unique(found).size > 1 else 0.0
            told[name].append((inner, mutual_information(labels, found).normalised))
    means = [
        np.mean([told[name] for name in names if name in told], axis=0) if set(names) & set(told) else np.zeros((4, 2))
        for names in (FE, FEO)
    ]
    return Grouped(
        (means[0][:, 0].tolist(), means[1][:, 0].tolist()), (means[0][:, 1].tolist(), means[1][:, 1].tolist())
    )
