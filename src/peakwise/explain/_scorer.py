"""The one face behind which a network or any other function gives scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, final

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

__all__ = ["CalledScorer", "Scorer"]

Ability = Literal["scores", "gradients", "feature_map"]


class Scorer(ABC):
    """Patterns (n, n_points) to scores (n, n_classes) or (n,), never more than `batch_size` patterns at once.

    Attributes
    ----------
    gives : frozenset of {"scores", "gradients", "feature_map"}
        What an explanation can ask of it.
    """

    gives: frozenset[Ability]

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.gives = frozenset({"scores"})

    @abstractmethod
    def _score(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores of at most `batch_size` patterns."""

    @final
    def slices(self, n: int) -> Iterator[slice]:
        """The bounded pieces in which n patterns are worked through."""
        for start in range(0, n, self.batch_size):
            yield slice(start, min(start + self.batch_size, n))

    @final
    def scores(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """All scores, checked."""
        parts = []
        for piece in self.slices(len(x)):
            part = self._score(x[piece])
            if part.ndim not in {1, 2} or len(part) != piece.stop - piece.start or part.shape[-1] == 0:
                why = f"its scores must have shape (patterns,) or (patterns, classes), got {part.shape}"
                raise OptionError("cannot explain the answer", why, "Give a model that scores each pattern")
            parts.append(part)
        scores = np.concatenate(parts)
        if not np.isfinite(scores).all():
            why = f"{np.count_nonzero(~np.isfinite(scores))} of {scores.size} scores are NaN or infinite"
            raise OptionError("cannot explain the answer", why, "Look at the model and at its input first")
        return scores

    @final
    def score(self, x: NDArray[np.float64], target: NDArray[np.intp] | None) -> NDArray[np.float64]:
        """The score of each pattern's target (n,)."""
        scores = self.scores(x)
        return scores if target is None else scores[np.arange(len(x)), target]


@final
class CalledScorer(Scorer):
    """Any function of patterns: a fit, a cosine, a whole pipeline."""

    def __init__(self, function: Callable[[NDArray[np.float64]], Any], batch_size: int) -> None:
        super().__init__(batch_size)
        self._function = function

    def _score(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        # A copy: a function that works in place must not change what is explained.
        return np.asarray(self._function(x.copy()), dtype=np.float64)
