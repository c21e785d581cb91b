"""The pointing game: whether an explanation points where it must."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.explain._options import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.explain._explanation import Explanation

__all__ = ["Pointing", "pointing_game"]

_WHAT = "cannot check the explanation"


@dataclass(frozen=True, eq=False)
class Pointing:
    """What the pointing game found, one value a pattern.

    Attributes
    ----------
    share : ndarray of shape (n,)
        Part of the positive relevance that lies inside the regions; 0 where there is no positive relevance.
    length_share : ndarray of shape (n,)
        Part of the points that lies inside the regions: what `share` would be for relevance spread evenly.
    hit : ndarray of bool of shape (n,)
        Whether the greatest relevance is inside the regions, and positive.
    """

    share: NDArray[np.float64]
    length_share: NDArray[np.float64]
    hit: NDArray[np.bool_]

    @property
    def gain(self) -> NDArray[np.float64]:
        """How many times more relevance lies inside than by chance."""
        return self.share / self.length_share


def pointing_game(explanation: Explanation, regions: Any, *, margin: int = 0) -> Pointing:
    """Measure how much of the relevance lies in the regions that matter.

    Parameters
    ----------
    explanation : Explanation
    regions : sequence of (start, stop), or ndarray of bool of shape (n_points,) or (n, n_points)
        The points that decide, known because they were planted: ranges for all patterns (stop excluded), or a mask.
    margin : int
        Points by which each region is widened on both sides, for maps that are coarser than the pattern.

    Notes
    -----
    After Zhang et al., https://doi.org/10.1007/s11263-017-1059-x, with the share of the relevance beside their hits:
    a maximum that lies right can stand in a forest of wrong ones.

    Examples
    --------
    >>> import numpy as np
    >>> from peakwise.explain import Occlusion, explain
    >>> pattern = np.zeros((1, 100))
    >>> pattern[0, [30, 70]] = 1
    >>> found = explain(lambda rows: rows[:, 30], pattern, method=Occlusion(window=5, stride=1))
    >>> game = pointing_game(found, [(25, 36)])
    >>> float(game.share[0]), float(game.length_share[0]), bool(game.hit[0])
    (1.0, 0.11, True)
    """
    inside = _mask(regions, explanation.relevance.shape, whole(_WHAT, "margin", margin, 0, "Use 0 or more points"))
    positive = explanation.relevance.clip(min=0)
    total = positive.sum(axis=1)
    share = np.divide((positive * inside).sum(axis=1), total, out=np.zeros_like(total), where=total > 0)
    top = positive.argmax(axis=1)
    hit = inside[np.arange(len(top)), top] & (total > 0)
    return Pointing(share, inside.mean(axis=1), hit)


def _mask(regions: Any, shape: tuple[int, ...], margin: int) -> NDArray[np.bool_]:
    """The regions as a mask (n, n_points)."""
    given = np.asarray(regions)
    if given.dtype == bool:
        if given.shape not in {shape, shape[1:]}:
            why = f"a mask must have shape {shape[1:]} or {shape}, got {given.shape}"
            raise OptionError(_WHAT, why, "Make it on the grid of the patterns")
        inside = np.array(np.broadcast_to(given, shape))
    else:
        ranges = given.ndim == 2 and given.shape[1] == 2 and given.dtype.kind in "iu"
        if not ranges or not ((given[:, 0] >= 0) & (given[:, 0] < given[:, 1]) & (given[:, 1] <= shape[1])).all():
            why = f"regions must be (start, stop) with 0 <= start < stop <= {shape[1]}, got {regions!r}"
            raise OptionError(_WHAT, why, "Give positions in points, not in degrees")
        inside = np.zeros(shape, dtype=bool)
        for start, stop in given:
            inside[:, start:stop] = True
    wide = inside.copy()
    for step in range(1, min(margin, shape[1] - 1) + 1):
        wide[:, step:] |= inside[:, :-step]
        wide[:, :-step] |= inside[:, step:]
    if not wide.any(axis=1).all():
        raise OptionError(_WHAT, "each pattern must have a point inside its regions", "Leave the other patterns out")
    return wide
