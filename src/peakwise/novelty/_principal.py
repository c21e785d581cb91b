"""Scores from principal components: what they do not describe, and how far out a pattern lies in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from peakwise.novelty._score import Rows, Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Residual", "Spread"]

_EXPLAINED = 0.99  # share of the variance that the components must explain
_MOST = 50
_COMMON = 1e-6  # of the largest variance: directions with less are rounding


def _components(rows: Rows) -> tuple[Rows, Rows, Rows]:
    """Mean, components (k, m) and their variances (k,)."""
    mean = rows.mean(axis=0)
    _, sizes, directions = np.linalg.svd(rows - mean, full_matrices=False)
    variances = sizes**2 / max(1, len(rows) - 1)
    total = variances.sum()
    if not total > 0:
        return mean, directions[:0], variances[:0]
    k = int(np.searchsorted(np.cumsum(variances), _EXPLAINED * total)) + 1
    k = min(k, _MOST, max(1, len(rows) // 3), int((variances > _COMMON * variances[0]).sum()))
    return mean, directions[:k], variances[:k]


@final
class Residual(Score):
    """Q-residual: the length of what the principal components of known patterns do not describe."""

    def learn(self, rows: Rows, random_state: int) -> None:  # noqa: ARG002 - nothing is random here
        """Find the components."""
        self.mean, self.directions, _ = _components(rows)

    def measure(self, rows: Rows) -> NDArray[np.float64]:
        """Length of the residual."""
        off = rows - self.mean
        return np.asarray(np.sqrt(((off - off @ self.directions.T @ self.directions) ** 2).sum(axis=1)))


@final
class Spread(Score):
    """Hotelling's T: the distance from the mean within the principal components, in their standard deviations."""

    def learn(self, rows: Rows, random_state: int) -> None:  # noqa: ARG002 - nothing is random here
        """Find the components and their variances."""
        self.mean, self.directions, self.variances = _components(rows)

    def measure(self, rows: Rows) -> NDArray[np.float64]:
        """Mahalanobis distance in the components."""
        places = (rows - self.mean) @ self.directions.T
        return np.asarray(np.sqrt((places**2 / self.variances).sum(axis=1)))
