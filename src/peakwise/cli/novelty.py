"""``peakwise novelty``: which scans are unlike anything known, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from peakwise.cli import _options as options
from peakwise.errors import AxisError, PatternsError

if TYPE_CHECKING:
    from peakwise.cli._known import Layout
    from peakwise.cli._output import Output
    from peakwise.estimators import NoveltyDetector
    from peakwise.patterns import Patterns

_SHOWN = 40  # scans in the table for people


@options.command
@options.scans
@options.known
@click.option("--model", metavar="M.pw", type=click.Path(), help="A model of train novelty, instead of --known.")
@options.false_alarm
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
    false_alarm: float | None,
    report: str | None,
    csv_file: str | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Tell which scans are unlike anything known, with a stated rate of false alarms, and why.

    SCAN may be files, folders or globs. What is known is given as scans, as a set of many, or as CIFs, whose patterns
    are then simulated (--known), or by a trained model (--model). A strange scan that is only noisy, shifted, measured
    with another wavelength or a mixture of known ones is not new, and is said to be that.

    Example: peakwise novelty today/ --known good/ --false-alarm 0.01 --report new.html
    """
    from peakwise.cli._scans import read_scans

    if (model is None) == (not known):
        raise click.UsageError("Give --known (known scans, or CIFs) or --model, one of the two.")
    if model is not None and false_alarm is not None:
        raise click.UsageError("A model has its rate of false alarms: leave out --false-alarm.")
    given = (wavelength, axis, file_format)
    if model is not None:
        detector, layout = of_model(model)
    else:
        detector, layout = learn(out, known, scans, given, 0.01 if false_alarm is None else false_alarm)
    files, parts = read_scans(out, scans, *given)
    rows, asked = _answer(out, detector, layout, files, parts)
    out.document["scans"] = rows
    out.document |= {"threshold": detector.threshold_, "false_alarm": detector.false_alarm}
    out.document["known"] = len(detector.names_)
    out.warnings += detector.warnings_
    _tell(out, rows)
    if report or csv_file:
        from peakwise.cli._novelty_files import write_novelty

        write_novelty(out, detector, asked, report, csv_file)


def of_model(path: str) -> tuple[NoveltyDetector, Layout]:
    """A detector from a file, and where it compares."""
    from peakwise.cli._known import Layout, load_novelty

    made = load_novelty(path)
    return made, Layout(made.kind_, made.wavelength_, made.grid_)


def learn(
    out: Output,
    known: tuple[str, ...],
    scans: tuple[str, ...],
    given: tuple[str | None, str | None, str | None],
    false_alarm: float,
) -> tuple[NoveltyDetector, Layout]:
    """A detector of what is known; of structures, along the axis of the scans."""
    from peakwise.cli._known import Layout, are_cifs, known_of_cifs, known_of_scans, layout_of
    from peakwise.cli._scans import read_scans
    from peakwise.estimators import NoveltyDetector

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
    return NoveltyDetector(false_alarm=false_alarm, random_state=out.seed).fit(patterns), layout


def _answer(
    out: Output, detector: NoveltyDetector, layout: Layout, files: list[str], parts: list[Patterns]
) -> tuple[list[dict[str, Any]], list[Patterns]]:
    """Answers of all scans that can be compared, and these scans; the others are noted."""
    from peakwise.cli._known import onto

    rows, asked = [], []
    for file, part in out.progress(zip(files, parts, strict=True), "comparing", len(files)):
        try:
            pattern, said = onto(part, layout)
        except (PatternsError, AxisError) as problem:
            out.fail(problem, file)
            continue
        rows.append({"scan": file, **detector.answers(pattern)[0].to_dict(), "warnings": said})
        asked.append(pattern.replace(meta=part.meta))
    out.need_some(len(rows))
    return rows, asked


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
