"""Principal components taken apart: what each point and each pattern contributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import OptionError
from peakwise.explain._map import check_rows
from peakwise.explain._options import whole

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["PcaParts", "pca_parts"]

_WHAT = "cannot take the components apart"


@dataclass(frozen=True, eq=False)
class PcaParts:
    """Principal components of a set.

    Attributes
    ----------
    mean : ndarray of shape (n_points,)
    components : ndarray of shape (k, n_points)
        Of length 1, orthogonal; the strongest point of each is positive.
    scores : ndarray of shape (n, k)
        Where each pattern lies along each component.
    variance : ndarray of shape (k,)
        Of the scores, with n - 1.
    total_variance : float
        Of the set, over all points.
    """

    mean: NDArray[np.float64]
    components: NDArray[np.float64]
    scores: NDArray[np.float64]
    variance: NDArray[np.float64]
    total_variance: float

    @property
    def explained(self) -> NDArray[np.float64]:
        """Share of the variance that each component explains (k,)."""
        return self.variance / self.total_variance

    @property
    def loadings(self) -> NDArray[np.float64]:
        """Components times the deviation of their scores (k, n_points), in the unit of the patterns.

        What a pattern gains at each point when its score grows by one standard deviation.
        """
        return self.components * np.sqrt(self.variance)[:, None]

    @property
    def point_contributions(self) -> NDArray[np.float64]:
        """Variance at each point that each component explains (k, n_points); a row sums to `variance`."""
        return self.loadings**2

    @property
    def pattern_contributions(self) -> NDArray[np.float64]:
        """Share of each component's variance that each pattern makes (n, k); columns sum to 1."""
        total = np.sum(self.scores**2, axis=0)
        share = np.zeros_like(self.scores)
        np.divide(self.scores**2, total, out=share, where=total > 0)
        return share

    def part(self, k: int) -> NDArray[np.float64]:
        """What component `k` adds to each pattern (n, n_points): the mean and all parts are the pattern again."""
        return np.outer(self.scores[:, k], self.components[k])


def pca_parts(X: ArrayLike, n_components: int = 5) -> PcaParts:
    """Take a set apart into principal components.

    Parameters
    ----------
    X : array-like of shape (n, n_points)
        Patterns after all preprocessing, at least 4.
    n_components : int
        How many; fewer where the set has fewer.

    Returns
    -------
    PcaParts

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 10, 200)
    >>> peaks = np.exp(-((x - np.array([[3.0], [7.0]])) ** 2) / 0.1)
    >>> share = np.linspace(0, 1, 12)[:, None]
    >>> parts = pca_parts((1 - share) * peaks[0] + share * peaks[1], 2)
    >>> round(float(parts.explained[0]), 6)
    1.0
    >>> sorted(float(x[i].round()) for i in (parts.loadings[0].argmax(), parts.loadings[0].argmin()))
    [3.0, 7.0]
    """
    rows = check_rows(X, _WHAT)
    k = min(whole(_WHAT, "n_components", n_components, 1, "Use for instance 5"), len(rows) - 1, rows.shape[1])
    mean = rows.mean(axis=0)
    left, sizes, components = np.linalg.svd(rows - mean, full_matrices=False)
    total = float(np.sum(sizes**2)) / (len(rows) - 1)
    if total == 0:
        raise OptionError(_WHAT, "the patterns are all the same", "Give patterns that differ")
    # Signs are free: fixed by the strongest point, so that two runs agree.
    sign = np.sign(components[np.arange(len(sizes)), np.abs(components).argmax(axis=1)])
    components, left = components * sign[:, None], left * sign
    return PcaParts(mean, components[:k], (left * sizes)[:, :k], sizes[:k] ** 2 / (len(rows) - 1), total)
