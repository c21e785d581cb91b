"""Class activation map that keeps what dense layers know about places."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from peakwise.explain._explainer import Explainer
from peakwise.explain._feature_map import explain_map

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from peakwise.explain._network import NetworkScorer
    from peakwise.explain._scorer import Ability

__all__ = ["HiresCam"]


@final
class HiresCam(Explainer):
    r"""HiResCAM: each cell of the last map times its own gradient, summed over the channels.

    Notes
    -----
    .. math:: M_c(j) = \sum_k A_k(j) \frac{\partial s_c}{\partial A_k(j)}

    Draelos and Carin, https://arxiv.org/abs/2011.08891. Where a single dense layer follows the flattened map, this is
    what each cell adds to the score: the class activation map with that layer's own weights, cell by cell. Diffraction
    patterns need it more than pictures do: which phase it is depends on where the peak stands.

    Examples
    --------
    >>> from peakwise.explain import EXPLANATIONS
    >>> EXPLANATIONS["hires_cam"].signed
    True
    """

    needs: ClassVar[Ability] = "feature_map"
    signed: ClassVar[bool] = True

    def relevance(
        self, scorer: NetworkScorer, x: NDArray[np.float64], target: NDArray[np.intp] | None
    ) -> tuple[NDArray[np.float64], tuple[str, ...]]:
        """Relevance (n, n_points) and notes."""
        out, notes, is_pooled = explain_map(scorer, x, target, _cell_by_cell)
        same = ("the weights are the same along each channel, so that this is cam divided by its length",)
        return out, (same if is_pooled else ()) + notes


def _cell_by_cell(values: NDArray[np.float64], slope: NDArray[np.float64]) -> NDArray[np.float64]:
    added: NDArray[np.float64] = (slope * values).sum(axis=1)
    return added
