"""Which patterns are alike: groups without labels and without an order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
from sklearn.base import ClusterMixin

from peakwise.estimators._base import Estimator
from peakwise.estimators._options import option_error, real_option, whole_option
from peakwise.estimators._rows import unit_rows
from peakwise.series import GROUPINGS, best_number, group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["PatternClusterer"]

_MOST_COMPONENTS = 50


@final
class PatternClusterer(ClusterMixin, Estimator):  # type: ignore[misc]
    """Group patterns that are alike.

    Square roots of intensities, each pattern scaled to length 1, are reduced to principal components and grouped. With
    ``"auto"`` the mean silhouette says how many groups there are; one where it never reaches 0.25.

    Parameters
    ----------
    n_clusters : "auto" or int
    method : str
        One of spectral, kmeans, agglomerative.
    explained : float or int
        Share of the variance that principal components must explain, or their number.
    most : int
        Groups to be considered with "auto", at most.
    affinity : str
        Of spectral clustering: neighbours or rbf.
    assign : str
        Of spectral clustering: kmeans or discretize.
    random_state : int

    Attributes
    ----------
    labels_ : ndarray of shape (n,)
        Group of each pattern, numbered in the order in which they come first.
    n_clusters_ : int
    silhouette_ : float
        How much nearer patterns lie to their group than to the next: -1 to 1; 0 with one group.
    warnings_ : list of str

    Examples
    --------
    >>> model = PatternClusterer().fit([[9, 1, 0], [8, 2, 0], [0, 1, 9], [0, 2, 8], [9, 2, 0], [0, 1, 8]])
    >>> model.labels_.tolist(), model.n_clusters_
    ([0, 0, 1, 1, 0, 1], 2)
    >>> model.predict([[7, 3, 1]]).tolist()
    [0]
    """

    task: ClassVar[str] = "cluster"
    tried_when_loaded: ClassVar[bool] = True

    def __init__(
        self,
        n_clusters: Any = "auto",
        method: str = "spectral",
        explained: float = 0.95,
        most: int = 10,
        affinity: str = "neighbours",
        assign: str = "kmeans",
        random_state: int = 0,
    ) -> None:
        self.n_clusters = n_clusters
        self.method = method
        self.explained = explained
        self.most = most
        self.affinity = affinity
        self.assign = assign
        self.random_state = random_state

    def _fit(self, patterns: Patterns, y: Any) -> None:  # noqa: ARG002 - groups need no labels
        from peakwise.evaluation import silhouette

        self._check_options(len(patterns))
        rows = unit_rows(np.asarray(patterns.intensity, dtype=np.float64))
        self.warnings_: list[str] = []
        self.centre_ = rows.mean(axis=0)
        left, size, right = np.linalg.svd(rows - self.centre_, full_matrices=False)
        power = np.cumsum(size**2) / max(float((size**2).sum()), 1e-300)
        k = int(self.explained) if self.explained >= 1 else int(np.searchsorted(power, self.explained - 1e-12)) + 1
        k = min(k, _MOST_COMPONENTS, size.size)
        scores = left[:, :k] * size[:k]
        self.projection_ = right[:k].T
        if not np.ptp(rows, axis=0).max() > 1e-9:
            self.warnings_.append("all patterns are identical: there is nothing to tell groups by")
            number = 1
        elif isinstance(self.n_clusters, str):
            number, _ = best_number(scores, self.method, most=self.most, random_state=self.random_state)
        else:
            number = int(self.n_clusters)
        self.labels_ = group(
            scores, number, self.method, affinity="rbf" if self.affinity == "rbf" else "neighbours",
            assign="discretize" if self.assign == "discretize" else "kmeans", random_state=self.random_state,
        )  # fmt: skip
        self.n_clusters_ = int(self.labels_.max()) + 1
        if self.n_clusters_ < number:
            self.warnings_.append(f"{number} groups were asked for, {self.n_clusters_} were found")
        self.scores_ = scores
        self.silhouette_ = 0.0
        if 1 < self.n_clusters_ < len(patterns):
            self.silhouette_ = float(silhouette(scores, self.labels_))
        self.centres_ = np.array([scores[self.labels_ == c].mean(axis=0) for c in range(self.n_clusters_)])

    def _predict(self, patterns: Patterns) -> NDArray[np.intp]:
        scores = (unit_rows(np.asarray(patterns.intensity, dtype=np.float64)) - self.centre_) @ self.projection_
        apart = ((scores[:, None] - self.centres_[None]) ** 2).sum(axis=2)
        return np.asarray(apart.argmin(axis=1))

    def _check_options(self, n: int) -> None:
        k = self.n_clusters
        is_number = isinstance(k, (int, np.integer)) and not isinstance(k, bool) and int(k) >= 1
        if not (isinstance(k, str) and k == "auto") and not is_number:
            raise option_error(self, "n_clusters", "'auto' or a whole number of at least 1", "Give 'auto'")
        if is_number and int(k) > n:
            raise option_error(self, "n_clusters", f"at most the number of patterns, {n}", "Ask for fewer")
        for name, known in (
            ("method", GROUPINGS), ("affinity", ("neighbours", "rbf")), ("assign", ("kmeans", "discretize")),
        ):  # fmt: skip
            if getattr(self, name) not in known:
                raise option_error(self, name, f"one of {', '.join(known)}", "Choose one")
        explained = real_option(self, "explained", or_above=False)
        if explained >= 1 and not float(explained).is_integer():
            raise option_error(self, "explained", "a share below 1 or a whole number", "Give 0.95")
        whole_option(self, "most", 2)
        whole_option(self, "random_state", 0)

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        learned = {"clusters": self.n_clusters_, "silhouette": self.silhouette_}
        return {"learned": learned}, {
            "centre": self.centre_, "projection": self.projection_, "centres": self.centres_,
        }  # fmt: skip

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        made.centre_, made.projection_, made.centres_ = (
            np.asarray(arrays[name], np.float64) for name in ("centre", "projection", "centres")
        )
        m, k = made.projection_.shape
        if made.centre_.shape != (m,) or made.centres_.ndim != 2 or made.centres_.shape[1] != k:
            raise ValueError("centre, projection and centres that do not fit each other")
        made.n_clusters_, made.silhouette_ = len(made.centres_), float(recipe["learned"]["silhouette"])
        if made.n_clusters_ < 1:
            raise ValueError("no groups")
        return made
