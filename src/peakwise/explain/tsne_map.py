"""t-SNE."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import numpy as np

from peakwise.errors import OptionError
from peakwise.explain._map import Map
from peakwise.explain._options import number

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TsneMap"]

_WHAT = "cannot draw the map tsne"
# 5000 patterns took six minutes on one busy core, and it grows a little faster than the number.
_MOST = 10_000


@final
class TsneMap(Map):
    """t-SNE: neighbours stay neighbours; sizes of groups and gaps between them mean nothing.

    Parameters
    ----------
    perplexity : float
        About how many neighbours count; in a small set at most a third of the others is used.

    Notes
    -----
    van der Maaten and Hinton, https://jmlr.org/papers/v9/vandermaaten08a.html; scikit-learn's, started from principal
    components. It must see all patterns at once, so that sets of more than 10,000 are refused.

    Examples
    --------
    >>> from peakwise.explain import MAPS
    >>> MAPS["tsne"](perplexity=10).perplexity
    10
    """

    def __init__(self, perplexity: float = 30.0) -> None:
        self.perplexity = perplexity

    def points(self, X: NDArray[np.float64], labels: NDArray[Any] | None, seed: int) -> NDArray[np.float64]:
        """Points (n, 2) for the rows of X."""
        del labels
        from sklearn.manifold import TSNE

        if len(X) > _MOST:
            why = f"the set must have at most {_MOST} patterns, got {len(X)}"
            raise OptionError(_WHAT, why, "Map a part of it, or use pca or umap")
        wanted = number(_WHAT, "perplexity", self.perplexity, (1, np.inf), "Use 5 to 50")
        perplexity = max(1.0, min(wanted, (len(X) - 1) / 3))
        return np.asarray(TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(X))
