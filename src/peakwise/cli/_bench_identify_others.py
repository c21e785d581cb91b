"""What identification is compared with: plain cosine matching, least squares on ideal patterns, the network alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.crystal import Phase
    from peakwise.estimators import PhaseIdentifier
    from peakwise.matching import PreparedScan

__all__ = ["cosines", "least_squares", "network_alone"]

_BLUR = 0.25  # [deg] standard deviation by which both sides are blurred, so that small shifts and widths do not count
_LEAST = 0.1  # weight fraction below which least squares finds nothing; both as they do best on weighed mixtures
_MARGIN = 1.05  # of the largest sine: shifts and strains bring lines in
_CANDIDATES = 60  # phases that least squares is given: the most alike


def cosines(phases: Sequence[Phase], scans: Sequence[PreparedScan], threads: int) -> NDArray[np.float64]:
    """The largest cosine of each scan with each phase over shifts and strains, (n_scans, n_phases)."""
    from peakwise.matching import LineTable, Retriever

    retrievers: dict[float, Retriever] = {}
    for light in {s.radiation.wavelength: s.radiation for s in scans}.values():
        last = max(s.x[-1] for s in scans if s.radiation.wavelength == light.wavelength)
        furthest = float(np.sin(np.radians(last / 2))) * 2 / light.wavelength * _MARGIN
        table = LineTable.build(phases, light, 1 / furthest, threads=threads)
        retrievers[light.wavelength] = Retriever(table, threads)
    return np.stack([np.asarray(retrievers[s.radiation.wavelength].look(s).cosine, np.float64) for s in scans])


def least_squares(
    phases: Sequence[Phase], scans: Sequence[PreparedScan], looks: NDArray[np.float64]
) -> list[dict[int, float]]:
    """Weight fraction by phase number: non-negative least squares on ideal patterns of the most alike."""
    from scipy.ndimage import gaussian_filter1d
    from scipy.optimize import nnls

    from peakwise.simulate import Simulator

    found = []
    for scan, cosine in zip(scans, looks, strict=True):
        some = np.argsort(-cosine)[:_CANDIDATES]
        simulator = Simulator([phases[i] for i in some], scan.x, radiation=scan.radiation, threads=1)
        blurred = [
            gaussian_filter1d(np.asarray(rows, np.float64), _BLUR / scan.step)
            for rows in (simulator.ideal().intensity, np.maximum(scan.net, 0.0))
        ]
        shares = nnls(blurred[0].T, blurred[1])[0]
        total = shares.sum() or 1.0
        found.append({int(i): float(s / total) for i, s in zip(some, shares, strict=True) if s >= _LEAST * total})
    return found


def network_alone(identifier: PhaseIdentifier, scans: Sequence[PreparedScan]) -> NDArray[np.float64] | None:
    """Probability of each phase (n_scans, n_phases) without any fit; None where there is no network."""
    proposer: Any = getattr(identifier, "proposer_", None)
    if proposer is None:
        return None
    made = np.zeros((len(scans), len(identifier.phases_)))
    known = proposer.outputs >= 0
    made[:, proposer.outputs[known]] = proposer.probabilities(scans)[:, known]
    return made
