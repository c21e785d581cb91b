"""Principal components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from peakwise.explain._map import Map

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PcaMap"]


@final
class PcaMap(Map):
    """The two directions in which the set varies most: linear, quick, and distances mean something.

    Examples
    --------
    >>> from peakwise.explain import MAPS
    >>> MAPS["pca"].needs_labels
    False
    """

    is_direct: ClassVar[bool] = True

    def points(self, X: NDArray[np.float64], labels: NDArray[Any] | None, seed: int) -> NDArray[np.float64]:
        """Points (n, 2) for the rows of X."""
        del labels
        from sklearn.decomposition import PCA

        # "auto" takes a randomised solver for large sets only; scikit-learn fixes the signs.
        return np.asarray(PCA(2, random_state=seed).fit_transform(X))
