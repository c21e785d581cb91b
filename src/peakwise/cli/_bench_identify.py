"""The bench of `identify`: how often it is right, how well it knows that, and how long it takes.

Right is the same id, or the same formula and space group. Intervals are Wilson's, 95 %.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.cli._bench_identify_data import Case, kind, measured, stand_ins
from peakwise.cli._bench_identify_others import cosines, least_squares, network_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.crystal import PhaseLibrary
    from peakwise.estimators import Identification, PhaseIdentifier
    from peakwise.matching import PreparedScan

__all__ = ["run"]

Row = dict[str, Any]

_TOP = 10
_COSINE, _SQUARES, _NETWORK = "plain cosine", "least squares", "network alone"
_SIZES = (56, 250, 450)  # phases of the libraries that are timed
_WARM = 20  # scans for the time of a warm answer
_BINS = 10


def run(out: Output, *, quick: bool = False) -> list[Row]:
    """All rows of the table."""
    folder = os.environ.get("PEAKWISE_DATA")
    cases = list(measured(out, Path(folder), quick=quick)) if folder and Path(folder).is_dir() else []
    if not cases:
        out.warnings.append(
            "no measured data (set PEAKWISE_DATA to their folder): simulated scans of textbook structures stand in, "
            "which are easier than measured ones"
        )
        cases = list(stand_ins(out, quick=quick))
    effort = "quick" if quick else "normal"
    rows: list[Row] = []
    for case in out.progress(iter(cases), "identifying", len(cases)):
        rows += _single(out, case, effort) if case.is_single else _mixed(out, case, effort)
    single = next((c for c in cases if c.is_single), None)
    if single is not None:
        rows += _none(out, single, effort) + _times(out, single, effort, quick=quick)
    return rows


# One phase in a scan


def _single(out: Output, case: Case, effort: str) -> list[Row]:
    identifier = _made(out, case.library, effort, 1)
    prepared = _prepared(case)
    start = time.perf_counter()
    answers = identifier.identify(case.scans, max_phases=1, effort=effort, top=_TOP)
    seconds = (time.perf_counter() - start) / len(answers)
    kinds = [kind(p) for p in identifier.phases_]
    at = {p.id: i for i, p in enumerate(identifier.phases_)}
    ours = _ranks(case, kinds, [[at[c.phase] for c in one.candidates] for one in answers])
    start = time.perf_counter()
    looks = cosines(identifier.phases_, prepared, out.threads or 1)
    others = {_COSINE: _ranks(case, kinds, np.argsort(-looks, axis=1, kind="stable").tolist())}
    plain = (time.perf_counter() - start) / len(prepared)
    learned = network_alone(identifier, prepared)
    if learned is not None:
        others[_NETWORK] = _ranks(case, kinds, np.argsort(-learned, axis=1, kind="stable").tolist())
    clean = np.array(case.is_clean)
    rows = []
    for title, which, tops in (("unflagged", clean, (1, 5, _TOP)), ("all", np.ones(len(clean), bool), (1,))):
        for top in tops:
            for name, ranks in others.items():
                rows.append(_rate(f"{case.name} top-{top}", title, ours[which] <= top, ranks[which] <= top, name))
    rows.append(
        _row(f"{case.name} time", f"{len(case.library)} phases", seconds, plain, _COSINE, "s/scan", plain / seconds)
    )
    return rows + _reliability(case, answers)


def _ranks(case: Case, kinds: Sequence[Any], orders: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Place of the first right phase in each order, infinity where there is none."""
    made = np.full(len(orders), np.inf)
    for n, (truth, order) in enumerate(zip(case.truth, orders, strict=True)):
        right = frozenset().union(*truth)
        made[n] = next((place for place, i in enumerate(order, 1) if kinds[i] in right), np.inf)
    return made


def _reliability(case: Case, answers: Sequence[Identification]) -> list[Row]:
    """What was right of what was answered with each probability."""
    from peakwise.evaluation import brier, expected_calibration_error, reliability

    kinds = {p.id: kind(p) for p in case.library}
    found = [
        (min(p.probability, 1.0), any(kinds[p.phase] in k for k in truth))
        for one, truth in zip(answers, case.truth, strict=True)
        for p in one.phases
    ]
    if not found:
        return []
    probability, right = np.array([p for p, _ in found]), np.array([r for _, r in found])
    what, other = f"{case.name} reliability", "probability"
    rows = [
        _row(
            what,
            f"answered {b.low:.1f} to {b.high:.1f}: {b.n}, {_limits(b.interval)}",
            b.correct,
            b.probability,
            other,
            "",
        )
        for b in reliability(probability, right, _BINS)
    ]
    error = expected_calibration_error(probability, right, _BINS)
    rows.append(_row(what, f"expected calibration error, {_BINS} bins, {len(found)} answers", error, None, None, ""))
    rows.append(_row(what, f"Brier score, {len(found)} answers", brier(probability, right), None, None, ""))
    return rows


# Several phases in a scan


def _mixed(out: Output, case: Case, effort: str) -> list[Row]:
    most = max(3, *(len(t) for t in case.truth)) if case.truth else 3
    identifier = _made(out, case.library, effort, most)
    prepared = _prepared(case)
    answers = identifier.identify(case.scans, max_phases=most, effort=effort)
    by_id = {p.id: kind(p) for p in identifier.phases_}
    ours = [[(by_id[p.phase], p.weight_fraction or 0.0) for p in one.phases] for one in answers]
    looks = cosines(identifier.phases_, prepared, out.threads or 1)
    kinds = list(by_id.values())
    plain = [[(kinds[i], w) for i, w in one.items()] for one in least_squares(identifier.phases_, prepared, looks)]
    (f1, mae, n), (f1_plain, mae_plain, _) = _scores(case, ours), _scores(case, plain)
    rows = [
        _row(f"{case.name} set F1", f"{n} scans", f1, f1_plain, _SQUARES, "", f1 / f1_plain if f1_plain else None),
        _row(
            f"{case.name} fractions",
            f"{n} scans, mean absolute error",
            mae,
            mae_plain,
            _SQUARES,
            "",
            _less(mae, mae_plain),
        ),
    ]
    whole = np.array([_named(t, a).keys() == t.keys() for t, a in zip(case.truth, ours, strict=True)])
    whole_plain = np.array([_named(t, a).keys() == t.keys() for t, a in zip(case.truth, plain, strict=True)])
    return [*rows, _rate(f"{case.name} whole set", "all", whole, whole_plain, _SQUARES)]


def _scores(case: Case, answers: Sequence[Sequence[tuple[Any, float]]]) -> tuple[float, float, int]:
    from peakwise.evaluation import f1_sets, mean_absolute_error

    truth, told = [], []
    for true, answer in zip(case.truth, answers, strict=True):
        truth.append({str(sorted(k)): w for k, w in true.items()})
        told.append({str(sorted(k)): w for k, w in _named(true, answer).items()})
    return f1_sets(truth, told).f1, mean_absolute_error(truth, told), len(truth)


def _named(truth: dict[frozenset[Any], float], answer: Sequence[tuple[Any, float]]) -> dict[frozenset[Any], float]:
    """Fractions by true phase; what is none of them stands for itself."""
    made: dict[frozenset[Any], float] = {}
    for one, weight in answer:
        name = next((k for k in truth if one in k), frozenset({one}))
        made[name] = made.get(name, 0.0) + weight
    return made


# None of these


def _none(out: Output, case: Case, effort: str) -> list[Row]:
    """Every second scan's phase is taken out of the library, and all that are the same."""
    from peakwise.crystal import PhaseLibrary
    from peakwise.evaluation import auroc

    clean = [i for i, good in enumerate(case.is_clean) if good]
    gone = frozenset().union(*(k for i in clean[::2] for k in case.truth[i]))
    present = [i for i in clean[1::2] if not gone & frozenset().union(*case.truth[i])]
    absent = clean[::2]
    kept = PhaseLibrary(p for p in case.library if kind(p) not in gone)
    if not present or not absent or not len(kept):
        return []
    identifier = _made(out, kept, effort, 1)
    answers = identifier.identify([case.scans[i] for i in absent + present], max_phases=1, effort=effort)
    told = np.array([one.none_of_these for one in answers])
    prepared = _prepared(case)
    plain = -cosines(identifier.phases_, [prepared[i] for i in absent + present], out.threads or 1).max(axis=1)
    n = len(absent)
    ours, other = auroc(told[:n], told[n:]), auroc(plain[:n], plain[n:])
    empty = np.array([not one.phases for one in answers])
    what, stated = f"{case.name} none of these", float(identifier.false_alarm)
    return [
        _row(what, f"AUROC, {n} absent and {len(present)} present", ours, other, "best cosine", "", ours / other),
        _rate(f"{what}: caught", "absent", empty[:n], None, None),
        _rate(f"{what}: false alarms", f"present, stated {stated:g}", empty[n:], None, None),
    ]


# Time


def _times(out: Output, case: Case, effort: str, *, quick: bool) -> list[Row]:
    """The first answer, with nothing kept from before, and those after it."""
    from peakwise.crystal import PhaseLibrary
    from peakwise.estimators import PhaseIdentifier

    rows = []
    phases = list(case.library)
    for size in sorted({min(size, len(phases)) for size in (_SIZES[:1] if quick else _SIZES)}):
        some = PhaseLibrary(phases[:size])
        with _empty_cache():
            identifier = PhaseIdentifier(1, effort, network=None, threads=out.threads)
            first, _ = _timed(lambda: identifier.fit(some).identify(case.scans[0]))  # noqa: B023 - called at once
        scans = (case.scans[1:] or case.scans) * _WARM
        each = [_timed(lambda: identifier.identify(s))[0] for s in scans[: 3 if quick else _WARM]]  # noqa: B023
        rows.append(_row("time: first answer", f"{size} phases, no network", first, None, None, "s"))
        rows.append(
            _row("time: warm answer", f"{size} phases, one thread a scan", float(np.median(each)), None, None, "s")
        )
    if not quick:
        some = PhaseLibrary(phases[: _SIZES[0]])
        with _empty_cache():
            seconds, _ = _timed(lambda: _made(out, some, effort, 1).identify(case.scans[0]))
        rows.append(_row("time: first answer", f"{len(some)} phases, training included", seconds, None, None, "s"))
    return rows


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


@contextmanager
def _empty_cache() -> Iterator[None]:
    """A cache that holds nothing yet, for as long as the block lasts."""
    before = os.environ.get("PEAKWISE_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PEAKWISE_CACHE"] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ["PEAKWISE_CACHE"]
            else:
                os.environ["PEAKWISE_CACHE"] = before


# Rows


def _made(out: Output, library: PhaseLibrary, effort: str, max_phases: int) -> PhaseIdentifier:
    """As ``peakwise identify`` makes it: kept in the cache, with a network where that is worth it."""
    from peakwise.cli._identifier import identifier_of

    return identifier_of(out, library, effort, max_phases)


def _prepared(case: Case) -> list[PreparedScan]:
    from peakwise.matching import prepare

    return [prepare(scan) for scan in case.scans]


def _rate(what: str, case: str, ours: NDArray[np.bool_], other: NDArray[np.bool_] | None, name: str | None) -> Row:
    """A share of scans with its interval."""
    from peakwise.evaluation import wilson_interval

    k, n = int(ours.sum()), len(ours)
    interval = wilson_interval(k, n)
    value = k / n if n else None
    theirs = None if other is None or not n else float(other.mean())
    ratio = value / theirs if value is not None and theirs else None
    row = _row(what, f"{case}: {k} of {n}, {_limits(interval)}", value, theirs, name, "", ratio)
    return row | {"interval": list(interval), "n": n}


def _limits(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"


def _less(ours: float, other: float) -> float | None:
    """How many times better, where less is better."""
    return other / ours if ours > 0 else None


def _row(
    what: str,
    case: str,
    ours: float | None,
    other: float | None,
    name: str | None,
    unit: str,
    ratio: float | None = None,
) -> Row:
    return {"what": what, "case": case, "ours": ours, "other": other, "other_name": name, "unit": unit, "ratio": ratio}
