"""What a search for the new says of one scan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["Novelty"]


@dataclass(frozen=True, slots=True)
class Novelty:
    """The answer for one scan.

    Attributes
    ----------
    score : float
        0 is usual, larger is stranger; where a fault of the measurement explains the scan, that of the corrected scan.
    p_value : float
        Share of known scans that are at least as strange.
    novel : bool
        Whether the score is above the threshold.
    nearest : str
        Name of the nearest known scan or phase.
    explained_by : str or None
        noise, zero shift, wavelength or mixture, where one of these makes a strange scan ordinary.
    why : tuple of str
        In words.
    unexplained : tuple of dict
        Peaks that the nearest known scan does not have: ``axis``, ``d`` [angstrom] or None, ``intensity`` as a share.
    mixture : tuple of (str, float)
        Names and shares of the parts, where it is a mixture.
    scores : dict
        Each score by name.
    """

    score: float
    p_value: float
    novel: bool
    nearest: str
    explained_by: str | None
    why: tuple[str, ...]
    unexplained: tuple[dict[str, float | None], ...]
    mixture: tuple[tuple[str, float], ...]
    scores: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        return {
            "score": round(self.score, 6),
            "p_value": self.p_value,
            "novel": self.novel,
            "nearest": self.nearest,
            "why": list(self.why),
            "explained_by": self.explained_by,
            "unexplained": [dict(peak) for peak in self.unexplained],
            "mixture": [{"name": name, "share": round(share, 4)} for name, share in self.mixture],
            "scores": {name: round(value, 6) for name, value in self.scores.items()},
        }
