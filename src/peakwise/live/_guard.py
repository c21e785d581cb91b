"""Whether the known scans still describe the run that a model of novelty follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from peakwise.novelty import DriftGuard

__all__ = ["Guard"]


class Guard:
    """Follow the answers of a run: their scores beside those of the known scans, or their p-values.

    Parameters
    ----------
    model : object
        Has `known_scores_`, or answers with ``p_value``; of another nothing is followed.
    false_alarm : float
        Chance that a run of scans like the known ones is ever called drifted.
    """

    def __init__(self, model: Any, false_alarm: float) -> None:
        from peakwise.novelty import DriftGuard

        known = getattr(model, "known_scores_", None)
        self._has_known = known is not None
        self._follower: DriftGuard = DriftGuard(false_alarm, known)
        self._names: list[str] = []
        self.since: str | None = None  # the scan from which on the run is another

    def take(self, scan: str, fields: dict[str, Any]) -> bool:
        """Follow one answer, and return whether it is the one that shows the drift."""
        score, p_value = (fields.get(name) for name in ("score", "p_value"))
        if self.since is not None or not isinstance(p_value, float):
            return False
        self._names.append(scan)
        if self._has_known and isinstance(score, float):
            self._follower.follow(score)
        else:
            self._follower.update(min(max(p_value, 0.0), 1.0))
        found = self._follower.drift
        if found is None:
            return False
        self.since = self._names[found.since]
        self._names = [scan]
        return True

    def report(self) -> dict[str, Any] | None:
        """Since which scan, at which it was sure, and how sure; None where nothing drifted."""
        found = self._follower.drift
        if found is None:
            return None
        return {
            "since": self.since,
            "at": self._names[0],
            "evidence": float(f"{found.evidence:.3g}"),
            "false_alarm": self._follower.false_alarm,
        }

    def words(self) -> str:
        """The warning."""
        found = self._follower.drift
        if found is None:
            return ""
        return (
            f"from {self.since} on the scans are stranger than the known ones (of runs of known ones, one in "
            f"{found.evidence:.3g} at most looks so): see to beam, detector and sample, or learn anew what is known"
        )
