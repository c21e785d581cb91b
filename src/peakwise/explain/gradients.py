"""Saliency: the size of the gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from peakwise.explain._explainer import Explainer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.explain._network import NetworkScorer
    from peakwise.explain._scorer import Ability

__all__ = ["Gradients"]


@final
class Gradients(Explainer):
    r"""Saliency: how much the score would change with each point, whatever the direction.

    Notes
    -----
    :math:`|\partial s_c / \partial x_i|`, Simonyan et al., https://arxiv.org/abs/1312.6034. It shows where the network
    looks, also where there is no peak at present; `InputTimesGradient` shows what is there.

    Examples
    --------
    >>> from peakwise.explain import EXPLANATIONS
    >>> EXPLANATIONS["saliency"] is EXPLANATIONS["gradients"]
    True
    """

    needs: ClassVar[Ability] = "gradients"
    signed: ClassVar[bool] = False

    def relevance(
        self, scorer: NetworkScorer, x: NDArray[np.float64], target: NDArray[np.intp] | None
    ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Relevance (n, n_points) and notes."""
        return np.abs(scorer.gradients(x, target)), ()
