"""What happened during a training."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["History"]

Row = dict[str, float]


@dataclass
class History:
    """What happened during a training, as plain numbers.

    Attributes
    ----------
    logged : list of dict
        ``step``, ``seconds``, ``learning_rate``, and means of ``loss`` and its parts since the row before.
    validated : list of dict
        ``step``, ``seconds``, ``score`` (more is better), and what else the validation told.
    steps : int
        Steps taken.
    seconds : float
        Time taken, that of interrupted runs included.
    best_step : int or None
        The step whose weights were kept; None if nothing was validated: then they are the last ones.
    best_score : float or None
        Its score.
    stopped : str
        Why it ended: ``steps``, ``seconds``, ``patience``, ``exhausted`` (no more batches) or ``interrupted``.
    """

    logged: list[Row] = field(default_factory=list)
    validated: list[Row] = field(default_factory=list)
    steps: int = 0
    seconds: float = 0.0
    best_step: int | None = None
    best_score: float | None = None
    stopped: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As a dict that JSON can hold.

        >>> History(steps=3, stopped="steps") == History.from_dict(History(steps=3, stopped="steps").to_dict())
        True
        """
        return asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> History:
        """From what `to_dict` gave."""
        return cls(**told)
