"""An answer in one sentence, and the kind of sentence that it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from peakwise.errors import one_line
from peakwise.report._words import amount, probability

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from peakwise.report._answer import PhaseAnswer, ScanAnswer

__all__ = ["SURE", "VERDICTS", "Told", "Verdict", "tell"]

# Below, an answer is called doubtful. One in ten such answers may be wrong; said in every report.
SURE = 0.9
_SHOWN = 60  # characters of a name inside a sentence
_MOST_NAMED = 4  # phases in a sentence


@dataclass(frozen=True, slots=True)
class Verdict:
    """One kind of answer: its name, a sign that needs no colour, and what it means."""

    name: str
    label: str
    sign: str
    meaning: str


VERDICTS: dict[str, Verdict] = {
    verdict.name: verdict
    for verdict in (
        Verdict("identified", "identified", "✓", f"every phase of the answer has a probability of {SURE:g} or more"),
        Verdict("doubtful", "doubtful", "?", f"a phase of the answer has a probability below {SURE:g}"),
        Verdict("alike", "cannot be told apart", "≈", "two or more phases explain this scan equally well"),
        Verdict("none", "none of these", "∅", "no phase of the library explains this scan"),
        Verdict("failed", "failed", "✕", "the file could not be used"),
    )
}


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict on one scan: its kind, one sentence, and a remark that belongs to it."""

    verdict: Verdict
    sentence: str
    remark: str = ""


def tell(scan: ScanAnswer, n_phases: int | None = None) -> Told:
    """Say what the answer is.

    Parameters
    ----------
    scan : ScanAnswer
        One of the `scans` of a document.
    n_phases : int, optional
        How many phases the library holds.

    Examples
    --------
    >>> anatase = {"phase": "anatase", "probability": 0.991, "weight_fraction": 0.787, "weight_fraction_error": 0.02}
    >>> rutile = {"phase": "rutile", "probability": 0.97, "weight_fraction": 0.213, "weight_fraction_error": 0.02}
    >>> tell({"scan": "a.xy", "phases": [anatase, rutile]}).sentence
    'anatase 79 ± 2 wt% + rutile 21 ± 2 wt%, each with probability 0.97 or more'
    >>> tell({"scan": "b.xy", "phases": [], "none_of_these": 0.93}, 250).sentence
    'None of the 250 phases fits (none_of_these 0.93)'
    """
    phases, alike = scan["phases"], scan.get("indistinguishable") or []
    if not phases:
        return _tell_none(scan, n_phases)
    if alike:
        names = " and ".join(_name(name) for name in alike[0])
        more = f" ({len(alike)} such groups)" if len(alike) > 1 else ""
        return Told(VERDICTS["alike"], f"{names} cannot be told apart{more}", f"Answer: {_answer(phases)}")
    known = [p["probability"] for p in phases if p["probability"] is not None]
    if len(known) == len(phases) and min(known) >= SURE:
        return Told(VERDICTS["identified"], _answer(phases), _left_over(scan))
    return Told(VERDICTS["doubtful"], f"Perhaps {_answer(phases)}", _runner_up(scan))


def _tell_none(scan: ScanAnswer, n_phases: int | None) -> Told:
    number, none = f"the {n_phases:,} phases" if n_phases else "the phases", scan.get("none_of_these")
    best = next(iter(scan.get("candidates") or ()), None)
    near = "" if best is None else f"The nearest is {_name(best['phase'])}, probability {_of(best)}"
    if none is not None and none < 0.5:
        return Told(VERDICTS["none"], f"No phase is sure enough to be named (none_of_these {probability(none)})", near)
    said = "" if none is None else f" (none_of_these {probability(none)})"
    return Told(VERDICTS["none"], f"None of {number} fits{said}", near)


def _answer(phases: Any) -> str:
    named = [f"{_name(p['phase'])} {_amount(p)}".rstrip() for p in phases[:_MOST_NAMED]]
    more = f" + {len(phases) - _MOST_NAMED} more" if len(phases) > _MOST_NAMED else ""
    least = min((p["probability"] for p in phases if p["probability"] is not None), default=None)
    if least is None:
        return f"{' + '.join(named)}{more}, probability unknown"
    if len(phases) == 1:
        return f"{named[0]}, probability {probability(least)}"
    text = probability(least)
    return f"{' + '.join(named)}{more}, each with probability {text if text.startswith('>') else text + ' or more'}"


def _amount(phase: PhaseAnswer) -> str:
    return amount(phase.get("weight_fraction"), phase.get("weight_fraction_error"))


def _left_over(scan: ScanAnswer) -> str:
    n = len((scan.get("fit") or {}).get("unexplained") or ())
    return f"{n} peak{'s are' if n > 1 else ' is'} not explained by it" if n else ""


def _runner_up(scan: ScanAnswer) -> str:
    answered = {p["phase"] for p in scan["phases"]}
    other = next((c for c in scan.get("candidates") or () if c["phase"] not in answered), None)
    said = "" if other is None else f"The next candidate is {_name(other['phase'])}, probability {_of(other)}"
    none = scan.get("none_of_these")
    return said if none is None else f"{said + '; ' if said else ''}none_of_these {probability(none)}"


def _of(row: Mapping[str, Any]) -> str:
    return probability(row.get("probability"))


def _name(name: str) -> str:
    return one_line(name, _SHOWN)
