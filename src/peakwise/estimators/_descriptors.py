"""What a regressor says of scans: numbers with intervals, and whether they are to be trusted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Descriptors"]


@dataclass(frozen=True, slots=True, eq=False)
class Descriptors:
    """The answer for several scans.

    Attributes
    ----------
    targets : tuple of str
        What the numbers are.
    names : tuple of str
        Of the scans.
    values, low, high : ndarray of shape (n, n_targets)
        The numbers in the units of the training, and the intervals that hold the truth with probability `level`.
    in_domain : ndarray of shape (n,)
        Whether the scan is like those of the training, and its numbers lie within what was seen there. Where it is
        false the intervals promise nothing.
    level : float
    warnings : tuple of str
    classes : dict
        For each text that was learned, the class of each scan.
    """

    targets: tuple[str, ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    in_domain: NDArray[np.bool_]
    level: float
    warnings: tuple[str, ...]
    classes: dict[str, NDArray[np.str_]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them: one entry a scan."""
        scans = []
        for row, name in enumerate(self.names):
            told: dict[str, Any] = {
                target: {
                    "value": float(self.values[row, column]),
                    "low": float(self.low[row, column]),
                    "high": float(self.high[row, column]),
                }
                for column, target in enumerate(self.targets)
            }
            told |= {text: str(labels[row]) for text, labels in self.classes.items()}
            scans.append({"name": name, "in_domain": bool(self.in_domain[row]), "descriptors": told})
        return {"level": self.level, "targets": list(self.targets), "scans": scans, "warnings": list(self.warnings)}
