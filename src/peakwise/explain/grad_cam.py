"""Gradient-weighted class activation map."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from peakwise.explain._explainer import Explainer
from peakwise.explain._feature_map import explain_map

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from peakwise.explain._network import NetworkScorer
    from peakwise.explain._scorer import Ability

__all__ = ["GradCam"]


@final
class GradCam(Explainer):
    r"""Grad-CAM: channels weighted by the mean gradient of the score, and only what speaks for the class.

    Notes
    -----
    .. math:: M_c(j) = \max\left(0, \sum_k A_k(j) \frac{1}{L} \sum_i \frac{\partial s_c}{\partial A_k(i)}\right)

    Selvaraju et al., https://doi.org/10.1109/ICCV.2017.74. It is `Cam` of this room divided by L and without its
    negative part.

    Examples
    --------
    >>> from peakwise.explain import EXPLANATIONS
    >>> EXPLANATIONS["grad_cam"].signed
    False
    """

    needs: ClassVar[Ability] = "feature_map"
    signed: ClassVar[bool] = False

    def relevance(
        self, scorer: NetworkScorer, x: NDArray[np.float64], target: NDArray[np.intp] | None
    ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Relevance (n, n_points) and notes."""
        out, notes, _ = explain_map(scorer, x, target, _positive)
        return out, notes


def _positive(values: NDArray[np.float64], slope: NDArray[np.float64]) -> NDArray[np.float64]:
    positive: NDArray[np.float64] = (slope.mean(axis=2, keepdims=True) * values).sum(axis=1).clip(min=0)
    return positive
