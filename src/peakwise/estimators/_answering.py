"""From a search through the library to an answer in words and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import OptionError
from peakwise.estimators._identification import Candidate, Curves, FoundPhase, Identification, Unexplained
from peakwise.matching import FitSettings, doubt, doubt_threshold, refined_cell, signs_of_doubt, unexplained_peaks
from peakwise.matching import weight_fractions as fractions_of
from peakwise.patterns import AXES, convert_axis

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from peakwise.crystal import Phase
    from peakwise.matching import Answer, Effort, Hypothesis, PreparedScan, Searcher
    from peakwise.patterns import Patterns

__all__ = ["answer_scan", "refuse_range"]

# Differences of the criterion are minus twice a log posterior; measured minerals show how far to believe them
# (docs/explanations/identification.md): divided by this, probabilities are as often right as they say.
_TEMPERATURE = 2.0
_BEHIND = 4.0  # how far phases that were fitted coarsely stand behind those that were fitted well
_TOGETHER = 6.0  # phases within this of the best, with the same pattern, cannot be told apart
_SAME_PATTERN = 0.97  # cosine of calculated patterns that are one pattern
_SMALLEST = 0.005  # weight fraction below which a phase is no finding
_NOTHING = 0.97  # share of the misfit without phases that a phase must get below to be seen at all
_NARROWEST = 3.0  # [deg] of copper radiation: nothing is told from less


def refuse_range(scan: PreparedScan) -> None:
    """One clear error for a scan from which nothing can be told."""
    light = scan.radiation.wavelength
    q = 4 * np.pi * np.sin(np.radians(scan.x[[0, -1]] / 2)) / light
    if (q[1] - q[0]) * 1.5406 / (2 * np.pi) * 57.3 < _NARROWEST:
        why = (
            f"it covers {scan.x[0]:.3g} to {scan.x[-1]:.3g} deg at {light:g} angstrom, q from {q[0]:.3g} to {q[1]:.3g}"
        )
        raise OptionError("cannot identify phases", f"the range is too short: {why}", "Measure a longer range")


def answer_scan(
    scan: Patterns,
    prepared: PreparedScan,
    searcher: Searcher,
    effort: Effort,
    phases: Sequence[Phase],
    *,
    max_phases: int,
    allowed: NDArray[np.bool_] | None,
    proposed: Iterable[int],
    top: int,
    false_alarm: float,
    curves: bool,
    threads: int = 1,
) -> Identification:
    """Search and say what was found."""
    name = str(scan.names[0])
    notes = [*scan.warnings, *prepared.warnings, *_looks(prepared)]
    answer = searcher.search(
        prepared, effort, max_phases=max_phases, allowed=allowed, proposed=proposed, threads=threads
    )
    if searcher.table.failed:
        names = ", ".join(str(f.file) for f in searcher.table.failed[:5])
        notes.append(f"{names} {'...' * (len(searcher.table.failed) > 5)} could not be compared: too many lines")
    if not answer.alone:
        notes.append("no line of any phase lies in the range of this scan")
        left = _left_over(scan, prepared, None)
        return Identification(name, (), (), 1.0, None, left, warnings=tuple(notes))
    best, prepared = answer.sets[0], answer.scan
    if len(prepared.radiation.lines) > 1 and prepared.doublet is not None:
        notes.append(f"{scan.wavelength:g} angstrom is the mean of a doublet, and the scan shows both lines")
    # A phase that explains next to nothing is none, however well the calibrated signs speak of it.
    explains = bool(best.fit.scales.any()) and best.fit.misfit < _NOTHING * best.fit.empty
    none = doubt(signs_of_doubt(answer, best)) if explains else 1.0
    is_none = none > doubt_threshold(false_alarm)
    found: tuple[FoundPhase, ...] = ()
    if is_none:
        notes.append(f"none of these: no phase explains the scan (the nearest is {phases[best.members[0]].id})")
    else:
        found = _found(prepared, searcher, answer, best, phases, none)
        notes += _confusions(answer, best, phases)
    fit = None if is_none else best
    return Identification(
        name,
        found,
        _candidates(answer, best, phases, none, top),
        none,
        best.fit.rwp,
        _left_over(scan, prepared, fit),
        float(best.fit.parameters[0]),
        float(best.fit.parameters[1]),
        tuple(dict.fromkeys(notes)),
        _curves(scan, prepared, searcher, best, phases) if curves else None,
    )


def _looks(scan: PreparedScan) -> list[str]:
    """What the scan itself gives reason to doubt."""
    notes = []
    if scan.signal_to_noise < 5:
        notes.append(f"the strongest peak is only {scan.signal_to_noise:.1f} times the noise high")
    peaks = unexplained_peaks(scan, None)
    if len(peaks) == 1:
        notes.append("there is one peak only: many phases have such a line, so the answer is not reliable")
    top = scan.y >= scan.y.max() * (1 - 1e-9)
    if top.sum() > max(4, 0.5 * scan.fwhm / scan.step):
        notes.append(f"{top.sum()} points share the largest intensity: the detector may be saturated")
    return notes


def _found(
    scan: PreparedScan, searcher: Searcher, answer: Answer, best: Hypothesis, phases: Sequence[Phase], none: float
) -> tuple[FoundPhase, ...]:
    lines = [searcher.lines_of(i, scan) for i in best.members]
    shares, spreads = fractions_of(scan, lines, best.fit, FitSettings())
    certain = _presence(answer, phases)
    made = []
    for k, i in enumerate(best.members):
        if shares[k] < _SMALLEST and len(best.members) > 1:
            continue
        phase = phases[i]
        alike = [phases[j].id for j in _twins(answer, best, i) if _kind(phases[j]) != _kind(phase)]
        made.append(
            FoundPhase(
                phase.id, (1 - none) * certain[_kind(phase)], float(shares[k]), float(spreads[k]), phase.formula,
                phase.space_group_type, refined_cell(lines[k], best.fit.own(k)), tuple(phase.cell), tuple(alike),
            )
        )  # fmt: skip
    return tuple(sorted(made, key=lambda p: -(p.weight_fraction or 0.0)))


def _kind(phase: Phase) -> tuple[str, str]:
    """What makes two files one compound."""
    return phase.formula, phase.space_group_type


def _presence(answer: Answer, phases: Sequence[Phase]) -> dict[tuple[str, str], float]:
    """Probability of each compound: the posterior of all sets that hold it."""
    values = np.array([h.value for h in answer.sets])
    weights = np.exp(-(values - values.min()) / 2 / _TEMPERATURE)
    weights /= weights.sum()
    total: dict[tuple[str, str], float] = {}
    for h, w in zip(answer.sets, weights, strict=True):
        for kind in {_kind(phases[i]) for i in h.members}:
            total[kind] = total.get(kind, 0.0) + float(w)
    return {kind: min(p, 1.0) for kind, p in total.items()}


def _candidates(
    answer: Answer, best: Hypothesis, phases: Sequence[Phase], none: float, top: int
) -> tuple[Candidate, ...]:
    """Phases by how well they do alone; those of a mixture first, for they do well together."""
    values = {h.members[0]: h.value for h in answer.alone}
    fine = [h.value for h in answer.alone[: answer.n_fine]]
    coarse = [h.value for h in answer.alone[answer.n_fine :]]
    for h in answer.alone[answer.n_fine :]:  # coarse fits are on another scale: they stand behind the worst fine one
        values[h.members[0]] = max(fine) + _BEHIND + h.value - min(coarse)
    first = min(values.values())
    weights = {i: float(np.exp(-(v - first) / 2 / _TEMPERATURE)) for i, v in values.items()}
    total = sum(weights.values())
    chances = {i: (1 - none) * w / total for i, w in weights.items()}
    if len(best.members) > 1:
        certain = _presence(answer, phases)
        for rank, i in enumerate(best.members):
            values[i] = first - len(best.members) + rank
            chances[i] = (1 - none) * certain[_kind(phases[i])]
    order = sorted(values, key=lambda i: values[i])[:top]
    return tuple(
        Candidate(phases[i].id, chances[i], phases[i].formula, phases[i].space_group_type, float(answer.look.cosine[i]))
        for i in order
    )


def _twins(answer: Answer, best: Hypothesis, member: int) -> list[int]:
    """Other phases that would do as well in the place of a member: as good a set, and the same pattern."""
    rest = set(best.members) - {member}
    own = best.fit.calculated
    twins = []
    for h in answer.sets:
        if h is best or len(h.members) != len(best.members) or h.value - best.value > _TOGETHER:
            continue
        others = set(h.members) - rest
        if len(others) == 1 and rest <= set(h.members) and h.fit.calculated.size == own.size:
            length = float(np.linalg.norm(own) * np.linalg.norm(h.fit.calculated))
            if length > 0 and float(own @ h.fit.calculated) / length > _SAME_PATTERN:
                twins.append(others.pop())
    return twins


def _confusions(answer: Answer, best: Hypothesis, phases: Sequence[Phase]) -> list[str]:
    notes = []
    for i in best.members:
        twins = {_kind(phases[j]): phases[j].id for j in _twins(answer, best, i)}
        twins.pop(_kind(phases[i]), None)
        if twins:
            names = ", ".join([phases[i].id, *list(twins.values())[:4]])
            notes.append(f"{names} cannot be told apart in this scan")
    return notes


def _left_over(scan: Patterns, prepared: PreparedScan, best: Hypothesis | None) -> tuple[Unexplained, ...]:
    peaks = unexplained_peaks(prepared, None if best is None else best.fit)
    if not peaks:
        return ()
    at = np.array([p.two_theta for p in peaks])
    own, d = (_from_two_theta(at, kind, prepared) for kind in (scan.kind, "d"))
    return tuple(
        Unexplained(float(x), p.intensity, float(dd), p.significance) for x, dd, p in zip(own, d, peaks, strict=True)
    )


def _from_two_theta(x: NDArray[np.float64], kind: str, scan: PreparedScan) -> NDArray[np.float64]:
    if kind == "two_theta":
        return x
    return convert_axis(x, "two_theta", kind, wavelength=scan.radiation.wavelength)


def _curves(
    scan: Patterns, prepared: PreparedScan, searcher: Searcher, best: Hypothesis, phases: Sequence[Phase]
) -> Curves:
    fit, scale = best.fit, prepared.scale
    axis = _from_two_theta(prepared.x, scan.kind, prepared)
    order = np.argsort(axis)
    lines = [searcher.lines_of(i, prepared) for i in best.members]
    parts = searcher.parts(prepared, best)
    ticks = {}
    for k, i in enumerate(best.members):
        own = fit.own(k)
        s2 = (lines[k].metric + lines[k].basis @ own[4:]) @ lines[k].squares
        sine = np.sqrt(s2) * prepared.radiation.wavelength
        half = np.arcsin(np.clip(sine, 0, 1))
        at = 2 * np.degrees(half) + fit.parameters[0] + fit.parameters[1] * np.cos(half)
        at = at[(sine < 1) & (at >= prepared.x[0]) & (at <= prepared.x[-1])]
        ticks[phases[i].id] = np.sort(_from_two_theta(np.unique(at.round(4)), scan.kind, prepared))
    return Curves(
        axis[order],
        scan.kind,
        AXES[scan.kind].unit,
        prepared.radiation.wavelength,
        (prepared.y * scale)[order],
        (fit.background * scale)[order],
        ((fit.background + fit.calculated) * scale)[order],
        {phases[i].id: (part * scale)[order] for i, part in zip(best.members, parts, strict=True)},
        ticks,
    )
