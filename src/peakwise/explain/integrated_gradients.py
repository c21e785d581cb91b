"""Integrated gradients: the score shared out among the points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from peakwise.errors import OptionError
from peakwise.explain._explainer import Explainer
from peakwise.explain._options import number, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.explain._network import NetworkScorer
    from peakwise.explain._scorer import Ability

__all__ = ["IntegratedGradients"]

_WHAT = "cannot use integrated_gradients"
_FIRST_STEPS = 32


@final
class IntegratedGradients(Explainer):
    r"""Integrated gradients: the difference of the score to that of a baseline, shared out among the points.

    Parameters
    ----------
    baseline : float or array-like of shape (n_points,) or (n, n_points)
        The pattern that says nothing: 0 for patterns whose background was subtracted.
    tolerance : float
        How far the shares may be from adding up to the difference, as a part of it. Steps are doubled until they do.
    max_steps : int
        Where that ends. A pattern that is not within the tolerance then is named in the notes.

    Notes
    -----
    .. math:: R_i = (x_i - b_i) \int_0^1 \frac{\partial s_c}{\partial x_i}\bigl(b + t (x - b)\bigr) \, dt,
              \qquad \sum_i R_i = s_c(x) - s_c(b)

    Sundararajan et al., https://arxiv.org/abs/1703.01365. The integral is a midpoint rule: gradients of rectifiers
    and maxima jump along the way, where rules of higher order gain nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> from peakwise.explain import explain
    >>> network = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))
    >>> x = np.linspace(0, 2, 6)[None]
    >>> found = explain(network, x, 1, method=IntegratedGradients(tolerance=1e-3))
    >>> nothing = explain(network, np.zeros((1, 6)), 1, method="gradients").score
    >>> bool(abs(found.relevance.sum() - (found.score - nothing)[0]) < 2e-3)
    True
    """

    needs: ClassVar[Ability] = "gradients"
    signed: ClassVar[bool] = True

    def __init__(self, baseline: Any = 0.0, tolerance: float = 0.01, max_steps: int = 1024) -> None:
        self.baseline = baseline
        self.tolerance = tolerance
        self.max_steps = max_steps

    def relevance(
        self, scorer: NetworkScorer, x: NDArray[np.float64], target: NDArray[np.intp] | None
    ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Relevance (n, n_points) and notes."""
        tolerance = number(_WHAT, "tolerance", self.tolerance, (0, 1), "Use for instance 0.01")
        most = whole(_WHAT, "max_steps", self.max_steps, _FIRST_STEPS, "Use for instance 1024")
        base = _baseline(self.baseline, x)
        difference = scorer.score(x, target) - scorer.score(base, target)
        out, error = np.zeros_like(x), np.full(len(x), np.inf)
        steps, left = _FIRST_STEPS, np.arange(len(x))
        while left.size and steps <= most:
            some = None if target is None else target[left]
            out[left] = _integrate(scorer, x[left], base[left], some, steps)
            missing = np.abs(out[left].sum(axis=1) - difference[left])
            # A difference near zero may be made of large shares for and against: they set the scale then.
            scale = np.maximum(np.abs(difference[left]), 0.01 * np.abs(out[left]).sum(axis=1))
            error[left] = np.divide(missing, scale, out=np.zeros_like(missing), where=scale > 0)
            left = left[error[left] > tolerance]
            steps *= 2
        notes: tuple[str, ...] = (f"shares add up to the difference of the scores within {error.max():.2g} of it",)
        if left.size:
            notes += (f"{left.size} of {len(x)} patterns are not within {tolerance:g} after {most} steps",)
        return out, notes


def _integrate(
    scorer: NetworkScorer,
    x: NDArray[np.float64],
    base: NDArray[np.float64],
    target: NDArray[np.intp] | None,
    steps: int,
) -> NDArray[np.float64]:
    """Midpoint rule over `steps` intervals; never more than a batch of patterns in memory."""
    total = np.zeros_like(x)
    for piece in scorer.slices(len(x) * steps):
        row, step = np.divmod(np.arange(piece.start, piece.stop), steps)
        share = ((step + 0.5) / steps)[:, None]
        between = base[row] + share * (x[row] - base[row])
        np.add.at(total, row, scorer.gradients(between, None if target is None else target[row]))
    return (x - base) * total / steps


def _baseline(value: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    try:
        base = np.asarray(value, dtype=np.float64)
        full = np.broadcast_to(base, x.shape)
    except (TypeError, ValueError):
        why = f"baseline must be a number or fit patterns of shape {x.shape}, got {np.shape(value)}"
        raise OptionError(_WHAT, why, "Give 0, one pattern, or one for each") from None
    if not np.isfinite(base).all():
        raise OptionError(_WHAT, "baseline must be finite, got NaN or infinite", "Give 0 or a smooth background")
    return full
