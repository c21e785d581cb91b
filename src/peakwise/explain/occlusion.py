"""Occlusion: what the score loses when a part of the pattern is covered."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from peakwise.errors import OptionError
from peakwise.explain._explainer import Explainer
from peakwise.explain._options import whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.explain._scorer import Ability, Scorer

__all__ = ["Occlusion"]

_WHAT = "cannot use occlusion"
# The level beside a window: low enough to lie under neighbouring peaks, high enough not to follow single points.
_LEVEL = 0.2


@final
class Occlusion(Explainer):
    """Occlusion: what the score loses when a window of the pattern is replaced by its local baseline.

    It needs nothing but scores, so that it explains a network, a fit or a cosine in the same way.

    Parameters
    ----------
    window : int, optional
        Points that are covered at once; None for 1/64 of the pattern, at least 5. About the width of a peak's foot.
    stride : int, optional
        Points from one window to the next; None for a quarter of the window.

    Notes
    -----
    A window is replaced by the straight line between the levels on both sides of it: the 20 % quantiles of as many
    points as the window has. Covering with zeros would make an edge, which is a peak to many a network. The relevance
    of a point is the mean loss over the windows that cover it. After Zeiler and Fergus,
    https://doi.org/10.1007/978-3-319-10590-1_53.

    Examples
    --------
    >>> import numpy as np
    >>> from peakwise.explain import explain
    >>> pattern = np.zeros((1, 60))
    >>> pattern[0, [20, 40]] = 1, 5
    >>> def height_at_20(patterns):
    ...     return patterns[:, 20]
    >>> found = explain(height_at_20, pattern, method=Occlusion(window=5, stride=1))
    >>> int(found.relevance[0].argmax()), float(found.relevance[0, 40])
    (20, 0.0)
    """

    needs: ClassVar[Ability] = "scores"
    signed: ClassVar[bool] = True

    def __init__(self, window: int | None = None, stride: int | None = None) -> None:
        self.window = window
        self.stride = stride

    def relevance(
        self, scorer: Scorer, x: NDArray[np.float64], target: NDArray[np.intp] | None
    ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Relevance (n, n_points) and notes."""
        window, starts = self._windows(x.shape[1])
        full = scorer.score(x, target)
        levels = np.stack([_levels(x, start, window) for start in starts], axis=1)
        ramp = (np.arange(window) + 1) / (window + 1)
        lost = np.empty((len(x), starts.size))
        for piece in scorer.slices(lost.size):
            row, which = np.divmod(np.arange(piece.start, piece.stop), starts.size)
            covered = x[row]
            left, right = levels[row, which, :1], levels[row, which, 1:]
            inside = starts[which, None] + np.arange(window)
            np.put_along_axis(covered, inside, left + (right - left) * ramp, axis=1)
            score = scorer.score(covered, None if target is None else target[row])
            lost[row, which] = full[row] - score
        total, n_covering = np.zeros_like(x), np.zeros(x.shape[1])
        for k, start in enumerate(starts):
            total[:, start : start + window] += lost[:, k : k + 1]
            n_covering[start : start + window] += 1
        return total / n_covering, (f"windows of {window} points were replaced by their local baseline",)

    def _windows(self, n_points: int) -> tuple[int, NDArray[np.intp]]:
        do = "Use about the width of a peak's foot in points"
        window = max(5, n_points // 64) if self.window is None else whole(_WHAT, "window", self.window, 1, do)
        if window > n_points // 2:
            why = f"window must be at most half of the {n_points} points, got {window}"
            raise OptionError(_WHAT, why, do)
        stride = max(1, window // 4) if self.stride is None else whole(_WHAT, "stride", self.stride, 1, "Use 1 or more")
        if stride > window:
            raise OptionError(_WHAT, f"stride must be at most window ({window}), got {stride}", "Leave it out")
        last = n_points - window
        return window, np.unique(np.append(np.arange(0, last, stride), last))


def _levels(x: NDArray[np.float64], start: int, window: int) -> NDArray[np.float64]:
    """Levels left and right of the window (n, 2); at an end of the pattern the other side stands for both."""
    sides = [x[:, max(0, start - window) : start], x[:, start + window : start + 2 * window]]
    both = [np.quantile(side, _LEVEL, axis=1) for side in sides if side.shape[1]]
    return np.stack([both[0], both[-1]], axis=1)
