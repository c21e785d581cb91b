"""What counted in a whole set: explanations of single patterns, added up for each class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.explain._explain import explain
from peakwise.explain._options import whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from peakwise.explain._explainer import Explainer

__all__ = ["ContributionMap", "contribution_map"]

_WHAT = "cannot map the contributions"
_PIECE = 16  # batches that are explained before they are added up: more would only fill the memory


@dataclass(frozen=True, eq=False)
class ContributionMap:
    """How much each point counted for each class, summed over the patterns of the set.

    Attributes
    ----------
    method : str
        The name of the method in `EXPLANATIONS`.
    targets : ndarray of shape (k,)
        The columns of the scores that were explained, rising; -1 where there is one score only.
    contributions : ndarray of shape (k, n_points)
        Sums of the relevance.
    sizes : ndarray of shape (k, n_points)
        Sums of its absolute values: where a point speaks for in one pattern and against in another, they stay.
    patterns : ndarray of shape (k, n_points)
        Mean patterns of the same sets, to be drawn above.
    counts : ndarray of shape (k,)
        How many patterns were added up.
    signed : bool
        Whether the method can say "against".
    """

    method: str
    targets: NDArray[np.intp]
    contributions: NDArray[np.float64]
    sizes: NDArray[np.float64]
    patterns: NDArray[np.float64]
    counts: NDArray[np.intp]
    signed: bool

    @property
    def mean(self) -> NDArray[np.float64]:
        """Contributions a pattern (k, n_points): sums of classes of different size can be compared by it."""
        return self.contributions / self.counts[:, None]


def contribution_map(
    model: tuple[Any, Callable[[Any], Any]] | Callable[[Any], Any],
    x: ArrayLike,
    target: int | ArrayLike | None = None,
    *,
    method: str | Explainer = "integrated_gradients",
    batch_size: int = 64,
) -> ContributionMap:
    """Add up what counted in each pattern of a set, class by class.

    Parameters
    ----------
    model, x, batch_size
        As for `explain`.
    target : int or array-like of int of shape (n,), optional
        The class that is explained, for all or for each pattern. None: the one with the highest score. Patterns are
        grouped by it.
    method : str or Explainer
        A name in `EXPLANATIONS`, or one of its classes with options. ``"gradients"`` is what the thesis of Y. Sun
        (Szeged 2023, figure 5.15) draws; `explain` has the reasons for another default.

    Returns
    -------
    ContributionMap

    Notes
    -----
    The sum over the set of what `explain` says of each pattern, in pieces: memory does not grow with the set.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> network = nn.Linear(50, 3, bias=False)
    >>> found = contribution_map(network, np.eye(50)[:6], target=[0, 0, 2, 2, 2, 0])
    >>> found.targets.tolist(), found.counts.tolist(), found.contributions.shape
    ([0, 2], [3, 3], (2, 50))
    """
    size = whole(_WHAT, "batch_size", batch_size, 1, "Use for instance 64")
    given = x.detach().cpu().numpy() if hasattr(x, "detach") else x
    rows = np.atleast_2d(np.asarray(given, dtype=np.float64))
    n = len(rows)
    if rows.ndim != 2 or n == 0:
        why = f"x must have shape (n, n_points) with at least one pattern, got {np.shape(given)}"
        raise OptionError(_WHAT, why, "Give one row a pattern")
    targets = None if target is None else np.asarray(target.detach().cpu() if hasattr(target, "detach") else target)
    if targets is not None and targets.shape not in {(), (n,)}:
        raise OptionError(
            _WHAT, f"target must be one for all or {n} of them, got shape {targets.shape}", "Leave it out"
        )
    sums: dict[int, list[NDArray[np.float64]]] = {}
    counts: dict[int, int] = {}
    name, signed = "", True
    for start in range(0, n, _PIECE * size):
        piece = slice(start, start + _PIECE * size)
        wanted = targets if targets is None or targets.ndim == 0 else targets[piece]
        found = explain(model, rows[piece], wanted, method=method, batch_size=size)
        name, signed = found.method, found.signed
        classes = np.full(len(found), -1) if found.target is None else found.target
        for k in np.unique(classes):
            of = classes == k
            parts = [found.relevance[of], np.abs(found.relevance[of]), rows[piece][of]]
            total = [part.sum(axis=0) for part in parts]
            sums[int(k)] = [a + b for a, b in zip(sums[int(k)], total, strict=True)] if int(k) in sums else total
            counts[int(k)] = counts.get(int(k), 0) + int(of.sum())
    order = sorted(sums)
    added, sizes, patterns = (np.stack([sums[k][i] for k in order]) for i in range(3))
    many = np.array([counts[k] for k in order], dtype=np.intp)
    return ContributionMap(name, np.array(order, dtype=np.intp), added, sizes, patterns / many[:, None], many, signed)
