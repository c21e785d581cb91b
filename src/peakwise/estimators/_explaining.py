"""Why a phase: which parts of a scan speak for it, in the eyes of the network or of the fit; and maps of a set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.explain import EXPLANATIONS, Explainer, Occlusion, explain, map_points
from peakwise.matching import unexplained_peaks
from peakwise.patterns import convert_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.estimators._identification import Identification
    from peakwise.estimators._proposer import Proposer
    from peakwise.estimators.phase_identifier import PhaseIdentifier
    from peakwise.matching import PreparedScan
    from peakwise.patterns import Patterns

__all__ = ["ExplainedPeak", "PhaseExplanation", "explain_phase", "map_scans"]

_WHAT = "cannot explain the answer"
_FOOT = 4.0  # width of a peak's foot in FWHM: what occlusion covers at once
_REACH = 1.5  # what lies so many FWHM around a peak counts as of that peak
_MAP_POINTS = 1500


@dataclass(frozen=True, slots=True)
class ExplainedPeak:
    """A measured peak, and what it did to the score.

    `axis` is its position on the scan's own axis, `d` the same as a lattice spacing [angstrom], `intensity` its height
    as a share of the strongest peak, `share` its part of all relevance: negative where it speaks against the phase.
    """

    axis: float
    d: float
    intensity: float
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class PhaseExplanation:
    """Why a phase is or is not the answer.

    Attributes
    ----------
    phase : str
    of : {"network", "fit"}
        Whose score is explained.
    method : str
    axis, observed, relevance : ndarray of shape (m,)
        On the scan's own axis; relevance is positive where the scan speaks for the phase.
    kind : str
        What the axis is.
    score : float
        The network's logit, or the cosine between the fitted phase and what the other phases leave of the scan.
    peaks : tuple of ExplainedPeak
        Those that counted most first.
    notes : tuple of str
    """

    phase: str
    of: str
    method: str
    axis: NDArray[np.float64]
    kind: str
    observed: NDArray[np.float64]
    relevance: NDArray[np.float64]
    score: float
    peaks: tuple[ExplainedPeak, ...]
    notes: tuple[str, ...] = ()


def explain_phase(
    identifier: PhaseIdentifier,
    scan: Patterns,
    prepared: PreparedScan,
    *,
    phase: str | None,
    method: str | Explainer | None,
    of: str | None,
) -> PhaseExplanation:
    """Explain one scan; see `PhaseIdentifier.explain`."""
    proposer: Proposer | None = getattr(identifier, "proposer_", None)
    of = of or ("fit" if proposer is None else "network")
    if of not in {"fit", "network"}:
        raise OptionError(_WHAT, f"of must be network or fit, got {of!r}", "Choose one")
    if of == "network" and proposer is None:
        raise OptionError(_WHAT, "the model has no network", "Explain the fit, or train one: peakwise train identify")
    if of == "fit" and method is not None and _needs(method) != "scores":
        do = "Use occlusion, or train a network: peakwise train identify"
        raise OptionError(_WHAT, f"{method} looks into a network, and what is explained is a fit", do)
    ids = [p.id for p in identifier.phases_]
    if phase is not None and phase not in ids:
        raise OptionError(_WHAT, f"the model knows no phase {phase!r}", "peakwise models M.pw lists its phases")
    notes: list[str] = []
    answer = None
    if phase is None or of == "fit":
        answer = identifier.identify(scan, curves=True)[0]
    if phase is None and answer is not None:
        phase = _target(answer, notes)
    name = str(phase)
    if proposer is not None and of == "network":
        score, relevance, told, used = _of_network(proposer, prepared, ids.index(name), name, method)
    else:
        if answer is None or answer.curves is None or name not in answer.curves.phases:
            alone = type(identifier)(max_phases=1, network=None, threads=identifier.threads)
            answer = alone.fit([identifier.phases_[ids.index(name)]]).identify(scan, curves=True)[0]
        score, relevance, told, used = _of_fit(answer, prepared, scan.kind, name, method)
    axis = _own(prepared.x, scan.kind, prepared)
    order = np.argsort(axis)
    peaks = _peaks(prepared, scan.kind, relevance)
    return PhaseExplanation(
        name, of, used, axis[order], scan.kind, (prepared.y * prepared.scale)[order], relevance[order], score, peaks,
        (*notes, *told),
    )  # fmt: skip


def map_scans(
    identifier: PhaseIdentifier,
    prepared: Sequence[PreparedScan],
    *,
    method: str,
    labels: Sequence[str] | None,
    random_state: int,
) -> NDArray[np.float64]:
    """A point (n, 2) for each scan: of the network's features, else of the patterns over the range that all share."""
    proposer: Proposer | None = getattr(identifier, "proposer_", None)
    if proposer is not None:
        import torch

        from peakwise.objectives import evaluating

        with evaluating(proposer.objective):
            rows = proposer.objective.encoder(torch.from_numpy(proposer.rows(prepared))).numpy()
    else:
        rows = _shared_rows(prepared)
    return map_points(rows, method=method, labels=labels, random_state=random_state)


def _shared_rows(prepared: Sequence[PreparedScan]) -> NDArray[np.float64]:
    """Net intensities on one grid of 1/d, square roots, strongest peak 1."""
    places = [2 * np.sin(np.radians(p.x / 2)) / p.radiation.wavelength for p in prepared]
    low, high = max(s[0] for s in places), min(s[-1] for s in places)
    if not low < high:
        raise OptionError("cannot map the set", "the scans have no range in common", "Give scans of like ranges")
    grid = np.linspace(low, high, _MAP_POINTS)
    rows = np.stack([np.interp(grid, s, np.maximum(p.net, 0.0)) for s, p in zip(places, prepared, strict=True)])
    top = rows.max(axis=1, keepdims=True)
    return np.asarray(np.sqrt(rows / np.where(top > 0, top, 1.0)))


def _needs(method: str | Explainer) -> str:
    if isinstance(method, Explainer):
        return method.needs
    return EXPLANATIONS[method].needs if method in EXPLANATIONS else "scores"  # explain tells of unknown names


def _target(answer: Identification, notes: list[str]) -> str:
    """The phase that is asked about where none was named."""
    if answer.phases:
        return answer.phases[0].phase
    if not answer.candidates:
        why = "no line of any phase lies in the range of this scan"
        raise OptionError(_WHAT, why, "Measure a longer range, or name a phase")
    notes.append("none of these was answered: the nearest phase is explained")
    return answer.candidates[0].phase


def _of_network(
    proposer: Proposer, prepared: PreparedScan, number: int, name: str, method: str | Explainer | None
) -> tuple[float, NDArray[np.float64], tuple[str, ...], str]:
    """Score, relevance at the points of the scan, notes and the name of the method."""
    found = np.nonzero(proposer.outputs == number)[0]
    if not found.size:
        do = "Explain the fit, or train again: the phase was added afterwards"
        raise OptionError(_WHAT, f"the network has not learned {name}", do)
    objective = proposer.objective
    told = explain(
        (objective.encoder, objective.head), proposer.rows([prepared]), int(found[0]),
        method=method or "integrated_gradients",
    )  # fmt: skip
    sines = np.sin(np.radians(prepared.x / 2)) * proposer.wavelength / prepared.radiation.wavelength
    seen = 2 * np.degrees(np.arcsin(np.clip(sines, 0, 1)))
    grid = np.linspace(*proposer.grid)
    relevance = np.interp(seen, grid, told.relevance[0], left=0.0, right=0.0)
    return float(told.score[0]), relevance, told.notes, told.method


def _of_fit(
    answer: Identification, prepared: PreparedScan, kind: str, name: str, method: str | Explainer | None
) -> tuple[float, NDArray[np.float64], tuple[str, ...], str]:
    """The same, of the cosine between the fitted phase and what the other phases leave of the scan."""
    curves = answer.curves
    if curves is None or name not in curves.phases:
        raise OptionError(_WHAT, f"no line of {name} lies in the range of this scan", "Name another phase")
    own = curves.phases[name]
    rest = curves.observed - curves.background - sum(v for k, v in curves.phases.items() if k != name)
    length = float(np.linalg.norm(own)) or 1.0

    def cosine(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        lengths = np.linalg.norm(rows, axis=1)
        return np.asarray(rows @ own / length / np.where(lengths > 0, lengths, 1.0))

    window = int(np.clip(_FOOT * prepared.fwhm / prepared.step, 5, rest.size // 4))
    told = explain(cosine, rest, method=Occlusion(window) if method in {None, "occlusion"} else method or "occlusion")
    order = np.argsort(_own(prepared.x, kind, prepared))
    relevance = np.empty_like(told.relevance[0])
    relevance[order] = told.relevance[0]
    note = "the score is the cosine between the fitted phase and what the other phases leave of the scan"
    return float(told.score[0]), relevance, (note, *told.notes), told.method


def _peaks(prepared: PreparedScan, kind: str, relevance: NDArray[np.float64]) -> tuple[ExplainedPeak, ...]:
    total = float(np.abs(relevance).sum()) or 1.0
    found = unexplained_peaks(prepared, None)
    at = np.array([p.two_theta for p in found])
    if not at.size:
        return ()
    own, spacing = _own(at, kind, prepared), _own(at, "d", prepared)
    made = []
    for i, peak in enumerate(found):
        near = np.abs(prepared.x - peak.two_theta) <= _REACH * prepared.fwhm
        share = float(relevance[near].sum()) / total
        made.append(ExplainedPeak(float(own[i]), float(spacing[i]), peak.intensity, share))
    return tuple(sorted(made, key=lambda p: -abs(p.share)))


def _own(two_theta: NDArray[np.float64], kind: str, prepared: PreparedScan) -> NDArray[Any]:
    if kind == "two_theta":
        return two_theta
    return convert_axis(two_theta, "two_theta", kind, wavelength=prepared.radiation.wavelength)
