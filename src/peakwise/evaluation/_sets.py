"""Answers that are sets of phases, with or without weight fractions."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import TYPE_CHECKING, NamedTuple

from peakwise.evaluation._arguments import numbers, refuse

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["SetScores", "f1_sets", "mean_absolute_error"]


class SetScores(NamedTuple):
    """What `f1_sets` counts.

    Parameters
    ----------
    precision : float
        Share of the answered labels that are true.
    recall : float
        Share of the true labels that were answered.
    f1 : float
        Their harmonic mean.
    found, extra, missed : int
        Labels that are true and answered; answered but not true; true but not answered.
    """

    precision: float
    recall: float
    f1: float
    found: int
    extra: int
    missed: int


def f1_sets(truth: Sequence[Collection[str]], answers: Sequence[Collection[str]]) -> SetScores:
    """Compare sets of labels, all scans together (micro-averaged).

    Where nothing was answered, precision is 1 if nothing was to be found and 0 otherwise; recall alike.

    Parameters
    ----------
    truth, answers : sequence of collections
        The true and the answered labels of each scan; order and repetition do not matter.

    Examples
    --------
    >>> scores = f1_sets([{"rutile"}, {"quartz", "calcite"}], [{"rutile", "anatase"}, {"quartz"}])
    >>> scores.found, scores.extra, scores.missed, round(scores.f1, 3)
    (2, 1, 1, 0.667)
    """
    _check_lengths(truth, answers)
    found = extra = missed = 0
    for true, answered in zip(truth, answers, strict=True):
        for name, labels in (("truth", true), ("answers", answered)):
            _check_kind(name, labels, (Set, list, tuple, Mapping), "a set of labels")
        true, answered = set(true), set(answered)
        found += len(true & answered)
        extra += len(answered - true)
        missed += len(true - answered)
    perfect = float(not found + extra + missed)
    return SetScores(
        found / (found + extra) if found + extra else perfect,
        found / (found + missed) if found + missed else perfect,
        2 * found / (2 * found + extra + missed) if found + extra + missed else perfect,
        found,
        extra,
        missed,
    )


def mean_absolute_error(
    truth: Sequence[Mapping[str, float]], answers: Sequence[Mapping[str, float]], *, count_extra: bool = False
) -> float:
    """Return the mean absolute error of weight fractions; a phase that was not answered has the fraction 0.

    Parameters
    ----------
    truth, answers : sequence of mappings
        Fraction of each phase, for each scan.
    count_extra : bool
        Whether phases that were answered but are not there count as further errors. Without it the mean is over the
        true phases.

    Examples
    --------
    >>> truth = [{"rutile": 0.75, "anatase": 0.25}]
    >>> mean_absolute_error(truth, [{"rutile": 0.5, "quartz": 0.5}])
    0.25
    >>> round(mean_absolute_error(truth, [{"rutile": 0.5, "quartz": 0.5}], count_extra=True), 3)
    0.333
    """
    _check_lengths(truth, answers)
    errors = []
    for true, answered in zip(truth, answers, strict=True):
        for name, fractions in (("truth", true), ("answers", answered)):
            _check_kind(name, fractions, (Mapping,), "a dict {phase: fraction}")
            numbers(name, list(fractions.values()), least=0, finite=True)
        counted = [*true, *(phase for phase in answered if count_extra and phase not in true)]
        errors += [abs(true.get(phase, 0.0) - answered.get(phase, 0.0)) for phase in counted]
    if not errors:
        raise refuse("truth", "fractions of at least one phase", "none", "Leave out scans without known fractions")
    return float(sum(errors) / len(errors))


def _check_lengths(truth: Sequence[object], answers: Sequence[object]) -> None:
    if len(truth) != len(answers):
        must = f"as many as the truth ({len(truth)})"
        raise refuse("answers", must, len(answers), "Give one answer for each scan, empty where there is none")


def _check_kind(name: str, value: object, kinds: tuple[type, ...], must: str) -> None:
    """A single text would be taken apart into its letters."""
    if not isinstance(value, kinds):
        raise refuse(name, f"{must} for each scan", f"a {type(value).__name__}", "Put single labels into one")
