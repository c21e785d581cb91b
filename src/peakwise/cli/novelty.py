"""``peakwise novelty``: which scans are unlike anything known, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from peakwise.cli import _options as options
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
@click.option("--method", metavar="NAME", help="By which score; peakwise models lists them (default: auto).")
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
    from peakwise.cli._scans import read_scans

    if (model is None) == (not known):
        raise click.UsageError("Give --known (known scans, or CIFs) or --model, one of the two.")
    for option, value in (("--false-alarm", false_alarm), ("--method", method)):
        if model is not None and value is not None:
            raise click.UsageError(f"A model has its own: leave out {option}.")
    library = _library(table)  # refused before minutes of work, not after
    given = (wavelength, axis, file_format)
    if model is not None:
        detector, layout = of_model(model)
    else:
        detector, layout = learn(out, known, scans, given, false_alarm, method)
    files, parts = read_scans(out, scans, *given)
    rows, asked = _answer(out, detector, layout, files, parts)
    if library is not None:
        asked = _joined(rows, asked, library)
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


def learn(
    out: Output,
    known: tuple[str, ...],
    scans: tuple[str, ...],
    given: tuple[str | None, str | None, str | None],
    false_alarm: float | None,
    method: str | None,
) -> tuple[Detector, Layout | None]:
    """A detector of what is known; of structures, along the axis of the scans, or for scans as they are."""
    from peakwise.cli._known import Layout, are_cifs, known_of_cifs, known_of_scans, layout_of
    from peakwise.cli._scans import read_scans
    from peakwise.estimators import NoveltyDetector

    rate = 0.01 if false_alarm is None else false_alarm
    if are_cifs(known) and method is None:
        from peakwise.cli._phases import load_library
        from peakwise.estimators import PhaseNovelty

        return PhaseNovelty(rate, threads=out.threads).fit(load_library(out, known)), None
    if are_cifs(known):
        if not scans:
            raise click.UsageError("Missing argument 'SCAN...' (scans like those to be asked about, for their axis).")
        _, parts = read_scans(out, scans, *given)
        out.failed.clear()
        patterns = known_of_cifs(out, known, layout_of(out, parts))
        layout = Layout(patterns.kind, patterns.radiation, patterns.axis)
    else:
        files, parts = read_scans(out, known, *given)
        layout = layout_of(out, parts)
        patterns = known_of_scans(out, files, parts, layout)
    return NoveltyDetector(rate, method or "auto", random_state=out.seed).fit(patterns), layout


def _library(table: str | None) -> LibraryTable | None:
    if table is None:
        return None
    from peakwise.wafers import read_library

    return read_library(table)


def _joined(rows: list[dict[str, Any]], asked: list[Patterns], library: LibraryTable) -> list[Patterns]:
    """The scans with what the table says of them; the answers get it, too."""
    from peakwise.patterns import Patterns
    from peakwise.wafers import join_library

    numbers = np.zeros((len(asked), 2))  # the table is joined by names, or by the order
    names = [str(part.names[0]) or row["scan"] for row, part in zip(rows, asked, strict=True)]
    joined = join_library(Patterns([0.0, 1.0], numbers, "channel", names=names), library, extra="drop")
    made = []
    for i, (row, part) in enumerate(zip(rows, asked, strict=True)):
        if library.places is not None:
            row["position"] = [float(joined.meta[name][i]) for name in ("x", "y")]
        if library.fractions is not None:
            row["composition"] = {e: float(joined.meta[e][i]) for e in library.elements}
        made.append(part.replace(meta={**part.meta, **{n: joined.meta[n][i : i + 1] for n in joined.meta}}))
    return made


def _answer(
    out: Output, detector: Detector, layout: Layout | None, files: list[str], parts: list[Patterns]
) -> tuple[list[dict[str, Any]], list[Patterns]]:
    """Answers of all scans that can be compared, and these scans; the others are noted."""
    from peakwise.cli._known import onto

    rows, asked = [], []
    for file, part in out.progress(zip(files, parts, strict=True), "comparing", len(files)):
        try:
            pattern, said = (part, list(part.warnings)) if layout is None else onto(part, layout)
            answer = detector.answers(pattern)[0].to_dict()
        except (PatternsError, AxisError, OptionError) as problem:
            out.fail(problem, file)
            continue
        rows.append({"scan": file, **answer, "warnings": said})
        asked.append(pattern.replace(meta=part.meta))
    out.need_some(len(rows))
    return rows, asked


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
