"""At which place the right answer stands, and how sure a share of right answers is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peakwise.evaluation import wilson_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ranks_of", "share_row", "told_share"]


def ranks_of(scores: NDArray[np.floating], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of the right label, 1 for the first; a label that ties with others counts as the last of them.

    Parameters
    ----------
    scores : (n, n_classes)
        Larger is better.
    labels : (n,)

    Examples
    --------
    >>> ranks_of(np.array([[0.5, 0.3, 0.2], [0.4, 0.4, 0.2]]), np.array([1, 0]))
    array([2, 2])
    """
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    return np.asarray((scores >= own).sum(axis=1))


def share_row(ranks: NDArray[np.int64], most: int = 5) -> list[float]:
    """Shares of right answers among the first 1, 2, ... `most`.

    >>> share_row(np.array([1, 1, 3, 9]), 3)
    [0.5, 0.5, 0.75]
    """
    return [float((ranks <= k).mean()) for k in range(1, most + 1)]


def told_share(ranks: NDArray[np.int64], k: int) -> str:
    """A share with its Wilson interval, as text.

    >>> told_share(np.array([1] * 29 + [7]), 5)
    '96.7 % (83.3 to 99.4)'
    """
    hits, n = int((ranks <= k).sum()), len(ranks)
    low, high = wilson_interval(hits, n)
    return f"{100 * hits / n:.1f} % ({100 * low:.1f} to {100 * high:.1f})"
