"""``peakwise novelty``: which scans are unlike anything known, and why."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from peakwise.cli import _options as options
from peakwise.cli._names import METHODS
from peakwise.errors import AxisError, OptionError, PatternsError

if TYPE_CHECKING:
    from peakwise.cli._known import Layout
    from peakwise.cli._output import Output
    from peakwise.estimators import NoveltyDetector, PhaseNovelty
    from peakwise.patterns import Patterns
    from peakwise.wafers import LibraryTable

    Detector = NoveltyDetector | PhaseNovelty

_SHOWN = 40  # scans in the table for people
_ENOUGH = 20  # scans from which a drift is looked for


@options.command
@options.scans
@options.known
@click.option("--model", metavar="M.pw", type=click.Path(), help="A model of train novelty, instead of --known.")
@click.option(
    "--method", metavar="NAME", type=METHODS["novelty"],
    help="By which score; peakwise models lists them (default: auto).",
)  # fmt: skip
@options.false_alarm
@options.table
@options.report
@options.csv_file
@options.wavelength
@options.axis
@options.file_format
def novelty(
    out: Output,
    scans: tuple[str, ...],
    known: tuple[str, ...],
    model: str | None,
    method: str | None,
    false_alarm: float | None,
    table: str | None,
    report: str | None,
    csv_file: str | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Tell which scans are unlike anything known, with a stated rate of false alarms, and why.

    SCAN may be files, folders or globs. What is known is given as scans, as a set of many, or as CIFs, which are then
    fitted to each scan (--known; with --method, patterns are simulated from them instead), or by a trained model
    (--model). A strange scan that is only noisy, shifted, measured with another wavelength or a mixture of known ones
    is not new, and is said to be that.

    Example: peakwise novelty today/ --known good/ --false-alarm 0.01 --report new.html
    """
    from peakwise.cli._learn_novelty import Known, learn, library_of
    from peakwise.cli._scans import read_scans

    if (model is None) == (not known):
        raise click.UsageError("Give --known (known scans, or CIFs) or --model, one of the two.")
    for option, value in (("--false-alarm", false_alarm), ("--method", method)):
        if model is not None and value is not None:
            raise click.UsageError(f"A model has its own: leave out {option}.")
    library = library_of(table)  # refused before minutes of work, not after
    given = (wavelength, axis, file_format)
    if model is not None:
        detector, layout = of_model(model)
    else:
        detector, layout = learn(out, Known(known, given, false_alarm, method), scans)
    files, parts = read_scans(out, scans, *given)
    rows, asked = _answer(out, detector, _comparable(out, layout, files, parts, library))
    if library is not None:
        _place(rows, asked, library)
    out.document["scans"] = rows
    out.document |= {"threshold": detector.threshold_, "false_alarm": detector.false_alarm}
    out.document["known"] = len(detector.names_)
    out.warnings += detector.warnings_
    _tell_drift(out, detector, rows)
    _tell(out, rows)
    if report or csv_file:
        from peakwise.cli._novelty_files import write_novelty

        write_novelty(out, detector, asked, library, report, csv_file)


def of_model(path: str) -> tuple[Detector, Layout | None]:
    """A detector from a file, and where it compares: None where it takes scans as they are."""
    from peakwise.cli._known import Layout, load_novelty

    made = load_novelty(path)
    if made.accepts == "any":
        return made, None
    return made, Layout(made.kind_, made.wavelength_, made.grid_)


def _comparable(
    out: Output, layout: Layout | None, files: list[str], parts: list[Patterns], library: LibraryTable | None
) -> list[tuple[str, Patterns, list[str]]]:
    """Scans that can be compared, with what the table says of them, and remarks; the others are noted."""
    from peakwise.cli._known import onto
    from peakwise.cli._learn_novelty import with_table

    usable = []
    for file, part in zip(files, parts, strict=True):
        try:
            pattern, said = (part, list(part.warnings)) if layout is None else onto(part, layout)
        except (PatternsError, AxisError) as problem:
            out.fail(problem, file)
            continue
        usable.append((file, pattern, said))
    out.need_some(len(usable))
    if library is None:
        return usable
    joined = with_table([one[0] for one in usable], [one[1] for one in usable], library)
    return [(file, made, said) for (file, _, said), made in zip(usable, joined, strict=True)]


def _answer(
    out: Output, detector: Detector, scans: list[tuple[str, Patterns, list[str]]]
) -> tuple[list[dict[str, Any]], list[Patterns]]:
    """Answers, and the scans that have one; the others are noted."""
    rows, asked = [], []
    for file, pattern, said in out.progress(iter(scans), "comparing", len(scans)):
        try:
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always", UserWarning)
                answer = detector.answers(pattern)[0].to_dict()
        except (PatternsError, AxisError, OptionError) as problem:
            out.fail(problem, file)
            continue
        remarks = [str(w.message) for w in told if w.category is UserWarning]
        rows.append({"scan": file, **answer, "warnings": [*said, *remarks]})
        asked.append(pattern)
    out.need_some(len(rows))
    return rows, asked


def _place(rows: list[dict[str, Any]], asked: list[Patterns], library: LibraryTable) -> None:
    """What the table says of each scan, in its answer."""
    for row, part in zip(rows, asked, strict=True):
        if library.places is not None:
            row["position"] = [float(part.meta[name][0]) for name in ("x", "y")]
        if library.fractions is not None:
            row["composition"] = {e: float(part.meta[e][0]) for e in library.elements}


def _tell_drift(out: Output, detector: Detector, rows: list[dict[str, Any]]) -> None:
    """Warn where the scans, in their order, get stranger than what is known, though no single one need be new."""
    from peakwise.novelty import drift_of

    known = getattr(detector, "known_scores_", None)  # doubts of other minerals say nothing of a run of these
    if known is None or len(rows) < _ENOUGH:
        return
    found = drift_of(known, [row["score"] for row in rows])
    if found is not None:
        out.warnings.append(
            f"from {rows[found.since]['scan']} on the scans are stranger than the known ones (by chance at most once "
            f"in {found.evidence:.3g} sets): see to beam, detector and sample, or learn anew what is known"
        )


def _tell(out: Output, rows: list[dict[str, Any]]) -> None:
    from peakwise.report import tell_novelty

    document: Any = {"command": "novelty", **out.document}
    told = tell_novelty(document)
    out.say(told.sentence + ".")
    if told.remark:
        out.say(told.remark + ".")
    shown = sorted(rows, key=lambda row: -row["score"])[:_SHOWN]
    lines = [
        (Path(r["scan"]).name, "new" if r["novel"] else r["explained_by"] or "known", f"{r['score']:.2f}",
         f"{r['p_value']:.2g}", r["nearest"], r["why"][0] if r["why"] else "")
        for r in shown
    ]  # fmt: skip
    out.table(("scan", "answer", "score", "p-value", "nearest", "why"), lines)
    if len(rows) > _SHOWN:
        out.say(f"... and {len(rows) - _SHOWN} more (--json tells all)")
