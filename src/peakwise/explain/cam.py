"""Class activation map of the last convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from peakwise.explain._explainer import Explainer
from peakwise.explain._feature_map import explain_map

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from peakwise.explain._network import NetworkScorer
    from peakwise.explain._scorer import Ability

__all__ = ["Cam"]


@final
class Cam(Explainer):
    r"""Class activation map: the channels of the last convolution, weighted by what each does for the class.

    Notes
    -----
    With the last map :math:`A_k(j)`, channel k at cell j of L,

    .. math:: M_c(j) = \sum_k w_{ck} A_k(j)

    Zhou et al. (https://doi.org/10.1109/CVPR.2016.319) define it for networks whose score is a dense layer on the
    channels' means; :math:`w_{ck}` are the weights of that layer. Wang et al.
    (https://doi.org/10.1021/acs.jcim.0c00020) show it for the layer before the first of three dense layers, cite Zhou
    et al. and print no formula. There the weights of a channel differ from cell to cell and depend on the pattern.
    Here :math:`w_{ck}` is always the gradient of the class score with respect to the mean of channel k,
    :math:`\sum_j \partial s_c / \partial A_k(j)`. For Zhou's networks these are the dense weights exactly; for others
    they are what stands in for them, and the notes of the explanation say so. What a dense layer learned about the
    *place* of a peak is averaged away then; `HiresCam` keeps it.

    Examples
    --------
    >>> from peakwise.explain import EXPLANATIONS
    >>> EXPLANATIONS["cam"].needs
    'feature_map'
    """

    needs: ClassVar[Ability] = "feature_map"
    signed: ClassVar[bool] = True

    def relevance(
        self, scorer: NetworkScorer, x: NDArray[np.float64], target: NDArray[np.intp] | None
    ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Relevance (n, n_points) and notes."""
        out, notes, is_pooled = explain_map(scorer, x, target, _weighted)
        how = (
            "the score is a dense layer on the channels' means, and its weights are the weights of the channels"
            if is_pooled
            else "the last map goes through dense layers: the weight of a channel is the gradient of the score with "
            "respect to its mean, and what the layers know about places is averaged away (hires_cam keeps it)"
        )
        return out, (how, *notes)


def _weighted(values: NDArray[np.float64], slope: NDArray[np.float64]) -> NDArray[np.float64]:
    weighted: NDArray[np.float64] = (slope.sum(axis=2, keepdims=True) * values).sum(axis=1)
    return weighted
