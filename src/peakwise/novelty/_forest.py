"""A score from random cuts: what is strange is cut off by few."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from peakwise.novelty._score import Rows, Score

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Forest"]

_TREES = 50


@final
class Forest(Score):
    """Isolation forest: F. T. Liu, K. M. Ting and Z.-H. Zhou (2008), doi:10.1109/ICDM.2008.17."""

    def learn(self, rows: Rows, random_state: int) -> None:
        """Grow the trees."""
        from sklearn.ensemble import IsolationForest

        self.forest = IsolationForest(n_estimators=_TREES, random_state=random_state).fit(rows)

    def measure(self, rows: Rows) -> NDArray[np.float64]:
        """Between 0 and 1; 0.5 is usual."""
        return np.asarray(-self.forest.score_samples(rows))
