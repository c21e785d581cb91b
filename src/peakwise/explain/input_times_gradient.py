"""Each point times its gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from peakwise.explain._explainer import Explainer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from peakwise.explain._network import NetworkScorer
    from peakwise.explain._scorer import Ability

__all__ = ["InputTimesGradient"]


@final
class InputTimesGradient(Explainer):
    r"""Each point times its gradient: what the point adds to the score, to first order from zero.

    Notes
    -----
    :math:`x_i \, \partial s_c / \partial x_i`, Shrikumar et al., https://arxiv.org/abs/1605.01713. For a linear model
    it is exact; where the score saturates it is not, and `IntegratedGradients` is.

    Examples
    --------
    >>> from peakwise.explain import EXPLANATIONS
    >>> EXPLANATIONS["input_times_gradient"].needs
    'gradients'
    """

    needs: ClassVar[Ability] = "gradients"
    signed: ClassVar[bool] = True

    def relevance(
        self, scorer: NetworkScorer, x: NDArray[np.float64], target: NDArray[np.intp] | None
    ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Relevance (n, n_points) and notes."""
        return x * scorer.gradients(x, target), ()
