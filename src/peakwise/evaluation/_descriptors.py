"""How far answers that are numbers lie from the truth, and how often their intervals hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from peakwise.evaluation._arguments import numbers, refuse

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["DescriptorScores", "descriptor_scores"]


class DescriptorScores(NamedTuple):
    """What `descriptor_scores` finds for one descriptor.

    Parameters
    ----------
    n : int
        Answers that were judged.
    r2 : float
        Share of the variance of the truth that the answers explain; NaN where the truth is constant.
    rmse, mae, bias : float
        Root of the mean square, mean size and mean of answer minus truth, in units of the descriptor.
    nrmse : float
        `rmse` over the range of the truth; NaN where the truth is constant.
    held : int or None
        Intervals that hold the truth; None without intervals.
    coverage : float or None
        `held` over `n`.
    width : float or None
        Mean width of the intervals.
    """

    n: int
    r2: float
    rmse: float
    mae: float
    bias: float
    nrmse: float
    held: int | None
    coverage: float | None
    width: float | None


def descriptor_scores(
    truth: ArrayLike, answers: ArrayLike, low: ArrayLike | None = None, high: ArrayLike | None = None
) -> DescriptorScores:
    """Compare answers to one descriptor with the truth.

    Parameters
    ----------
    truth, answers : array-like of shape (n,)
    low, high : array-like of shape (n,), optional
        Ends of the intervals; ends may be infinite. A truth at an end is held.

    Examples
    --------
    >>> scores = descriptor_scores([0, 1, 2, 3], [0, 1, 2, 4], low=[-1, 0, 1, 3.5], high=[1, 2, 3, 4.5])
    >>> scores.rmse, scores.mae, scores.bias, scores.r2, scores.coverage, scores.width
    (0.5, 0.25, 0.25, 0.8, 0.75, 1.75)
    """
    true, told = numbers("truth", truth, finite=True), numbers("answers", answers, finite=True)
    if told.size != true.size:
        raise refuse("answers", f"as many as the truth ({true.size})", told.size, "Give one answer for each")
    if (low is None) != (high is None):
        raise refuse("low and high", "given together", "one of them", "Give both ends of the intervals")
    with np.errstate(over="ignore", invalid="ignore"):  # an absurd answer has an infinite error
        off = told - true
        spread, reach = float(((true - true.mean()) ** 2).sum()), float(np.ptp(true))
        squares = float((off**2).sum())
    rmse = float(np.sqrt(squares / true.size))
    held = width = None
    if low is not None and high is not None:
        ends = [numbers(name, values) for name, values in (("low", low), ("high", high))]
        if any(end.size != true.size for end in ends):
            raise refuse("low and high", f"as many as the truth ({true.size})", ends[0].size, "Give one interval each")
        held = int(((ends[0] <= true) & (true <= ends[1])).sum())
        width = float(np.mean(ends[1] - ends[0]))
    return DescriptorScores(
        n=true.size,
        r2=1 - squares / spread if spread > 0 else float("nan"),
        rmse=rmse,
        mae=float(np.abs(off).mean()),
        bias=float(off.mean()),
        nrmse=rmse / reach if reach > 0 else float("nan"),
        held=held,
        coverage=None if held is None else held / true.size,
        width=width,
    )
