"""Whether names of known scans agree with the scans: those that are called alike should look alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["contradictions"]

_MOST = 2000  # scans that are compared, drawn evenly
_FEWEST = 5  # scans of a name, to tell it by its neighbours
_CHANCE = 0.8  # of 1, which names without a meaning would have
_TOLD = 5


def contradictions(rows: NDArray[np.floating], names: NDArray[np.str_]) -> list[str]:
    """Sentences about pairs of names that tell the scans apart no better than chance.

    Which share of a has its nearest neighbour (of both names) in b, and the other way round: for one kind of
    scan under two names these shares add to 1, whatever the numbers of scans (M. F. Schilling, J. Am. Stat.
    Assoc. 81, 799, 1986).

    Parameters
    ----------
    rows : ndarray of shape (n, m)
        Of length 1.
    names : ndarray of shape (n,)

    Examples
    --------
    >>> rows = np.eye(4)[[0, 0, 1, 1, 0, 0]]
    >>> contradictions(rows, np.array(["a", "a", "b", "b", "c", "c"]))
    ['the known scans contradict each other: a and c have the same patterns']
    """
    few = slice(None, None, max(1, -(-len(rows) // _MOST)))
    some, called = np.asarray(rows[few], np.float64), np.asarray(names)[few]
    kinds, codes = np.unique(called, return_inverse=True)
    counts = np.bincount(codes)
    if len(kinds) < 2 or 2 * len(kinds) > len(some):
        return []
    alike = some @ some.T
    np.fill_diagonal(alike, -np.inf)
    best = np.stack([alike[:, codes == k].max(axis=1) for k in range(len(kinds))], axis=1)
    own = best[np.arange(len(some)), codes]
    # As alike as their own kind, or more: a copy under two names counts for both.
    lost = np.stack([[(best[codes == a, b] >= own[codes == a] - 1e-9).mean() for b in range(len(kinds))]
                     for a in range(len(kinds))])  # fmt: skip
    np.fill_diagonal(lost, 0.0)
    found = []
    both = lost + lost.T
    for a, b in zip(*np.nonzero(np.triu(both > _CHANCE)), strict=True):
        if min(counts[a], counts[b]) >= _FEWEST or both[a, b] > 2 - 1e-9:  # copies need no statistics
            found.append(f"the known scans contradict each other: {kinds[a]} and {kinds[b]} have the same patterns")
    if len(found) > _TOLD:
        found = [*found[:_TOLD], f"... and {len(found) - _TOLD} more pairs of names with the same patterns"]
    return found
