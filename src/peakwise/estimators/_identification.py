"""What an identification says: phases, how sure, how much of each, and what they leave over."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Candidate", "Curves", "FoundPhase", "Identification", "Unexplained"]


@dataclass(frozen=True, slots=True)
class FoundPhase:
    """A phase of the answer.

    Attributes
    ----------
    phase : str
        Its id.
    probability : float
        That this compound with this structure is in the sample.
    weight_fraction, weight_fraction_error : float or None
        Share of the crystalline phases found, and its standard uncertainty.
    cell, cell_start : tuple of 6 floats
        As refined and as in the CIF [angstrom, deg].
    alike : tuple of str
        Other phases of the library that cannot be told from it in this scan.
    """

    phase: str
    probability: float
    weight_fraction: float | None
    weight_fraction_error: float | None
    formula: str
    space_group: str
    cell: tuple[float, ...]
    cell_start: tuple[float, ...]
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A phase that was considered: its probability, and the cosine of its pattern with the scan."""

    phase: str
    probability: float
    formula: str
    space_group: str
    score: float


@dataclass(frozen=True, slots=True)
class Unexplained:
    """A peak that no phase of the answer accounts for.

    `axis` is its position on the scan's own axis, `d` the same as a lattice spacing [angstrom], `intensity` its height
    as a share of the strongest peak, `significance` its height over the noise.
    """

    axis: float
    intensity: float
    d: float
    significance: float


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The fit as numbers, on the scan's own axis and in its own unit."""

    axis: NDArray[np.float64]
    kind: str
    unit: str
    wavelength: float | None
    observed: NDArray[np.float64]
    background: NDArray[np.float64]
    calculated: NDArray[np.float64]
    phases: dict[str, NDArray[np.float64]]
    ticks: dict[str, NDArray[np.float64]]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, for a report."""
        return {
            "axis": self.axis.tolist(),
            "kind": self.kind,
            "unit": self.unit,
            "wavelength": self.wavelength,
            "observed": self.observed.tolist(),
            "background": self.background.tolist(),
            "calculated": self.calculated.tolist(),
            "phases": {k: v.tolist() for k, v in self.phases.items()},
            "ticks": {k: v.tolist() for k, v in self.ticks.items()},
        }


@dataclass(frozen=True, slots=True, eq=False)
class Identification:
    """The answer for one scan.

    Attributes
    ----------
    scan : str
    phases : tuple of FoundPhase
        The answer, the largest fraction first; empty where none of the known phases fits.
    candidates : tuple of Candidate
        Single phases, the most probable first.
    none_of_these : float
        Probability that the main phase of the sample is not among those known.
    rwp : float or None
        Weighted profile residual of the fit.
    warnings : tuple of str
    """

    scan: str
    phases: tuple[FoundPhase, ...]
    candidates: tuple[Candidate, ...]
    none_of_these: float
    rwp: float | None
    unexplained: tuple[Unexplained, ...] = ()
    zero_shift: float | None = None
    displacement: float | None = None
    warnings: tuple[str, ...] = ()
    curves: Curves | None = field(default=None, repr=False)

    def to_dict(self, *, curves: bool = False) -> dict[str, Any]:
        """The entry of ``scans`` in the JSON of ``peakwise identify``."""
        made: dict[str, Any] = {
            "scan": self.scan,
            "phases": [asdict(p) for p in self.phases],
            "candidates": [asdict(c) for c in self.candidates],
            "none_of_these": self.none_of_these,
            "indistinguishable": [[p.phase, *p.alike] for p in self.phases if p.alike],
            "fit": {
                "rwp": self.rwp,
                "unexplained": [asdict(u) for u in self.unexplained],
                "zero_shift": self.zero_shift,
                "displacement": self.displacement,
            },
            "warnings": list(self.warnings),
        }
        if curves and self.curves is not None:
            made["curves"] = self.curves.to_dict()
        return made
