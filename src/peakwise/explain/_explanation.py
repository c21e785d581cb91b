"""What an explanation is: how much each point of a pattern counted for a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Explanation"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """How much each point of each pattern counted for the score of its target.

    Attributes
    ----------
    method : str
        The name of the method in `EXPLANATIONS`.
    relevance : ndarray of shape (n, n_points)
        Positive where the pattern speaks for the target; negative, with a signed method, where it speaks against it.
        As the method gives it: numbers of two methods have different units and are not to be compared.
    score : ndarray of shape (n,)
        The score that is explained, one a pattern.
    target : ndarray of shape (n,) or None
        Whose score it is: the column of the scores. None where there is only one score a pattern.
    signed : bool
        Whether the method can say "against".
    notes : tuple of str
        What was assumed or found on the way, to be shown with the answer.
    """

    method: str
    relevance: NDArray[np.float64]
    score: NDArray[np.float64]
    target: NDArray[np.intp] | None
    signed: bool
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.relevance)

    def __repr__(self) -> str:
        n, points = self.relevance.shape
        return f"Explanation: {self.method} of {n} pattern{'s' if n != 1 else ''} of {points} points"
