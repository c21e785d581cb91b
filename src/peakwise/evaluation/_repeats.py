"""One number from several runs: its mean, and how much it differs from run to run."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, NamedTuple

from peakwise.evaluation._arguments import numbers

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["OverSeeds", "over_seeds"]

_MOST_DIGITS = 4


class OverSeeds(NamedTuple):
    """What `over_seeds` finds.

    Parameters
    ----------
    mean : float
    deviation : float
        Standard deviation of a run (n - 1); NaN for a single run, which says nothing of others.
    text : str
        Both, as a table prints them: rounded to two digits of the deviation.
    n : int
        Runs.
    """

    mean: float
    deviation: float
    text: str
    n: int


def over_seeds(values: ArrayLike) -> OverSeeds:
    """Return mean and standard deviation of a number that was found several times, with other seeds.

    Parameters
    ----------
    values : array-like of shape (n,)

    Examples
    --------
    >>> over_seeds([0.994, 0.997, 0.991, 0.998]).text
    '0.9950 ± 0.0032'
    >>> over_seeds([12.0, 15.5, 11.3]).text, over_seeds([0.97]).text
    ('12.9 ± 2.3', '0.97')
    """
    made = numbers("values", values, finite=True)
    mean, n = float(made.mean()), made.size
    if n == 1:
        return OverSeeds(mean, float("nan"), f"{mean:.4g}", 1)
    deviation = float(made.std(ddof=1))
    digits = 3 if deviation <= 0 else min(max(1 - floor(log10(deviation)), 0), _MOST_DIGITS)
    return OverSeeds(mean, deviation, f"{mean:.{digits}f} ± {deviation:.{digits}f}", n)
