"""``peakwise identify``: which phases are in scans, how sure, how much of each, and what is left over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from peakwise.cli import _options as options
from peakwise.cli._answer_files import say_report, whole_document, write_table
from peakwise.cli._bar import bar
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from peakwise.cli._output import Output
    from peakwise.errors import PeakwiseError
    from peakwise.estimators import Identification, PhaseIdentifier
    from peakwise.patterns import Patterns
    from peakwise.report import ScanAnswer

_SHOWN = 40  # scans in the table for people


@options.command
@options.scans
@options.phases
@options.model
@click.option("--max-phases", type=click.IntRange(1, 8), default=3, show_default=True, help="Most phases in one scan.")
@click.option(
    "--top", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many candidates are told."
)
@click.option(
    "--effort", type=click.Choice(["quick", "normal", "thorough"]), default="normal", show_default=True,
    help="quick: the comparison and few fits; normal: a network proposes too; thorough: many more fits.",
)  # fmt: skip
@options.elements
@options.without
@click.option(
    "--false-alarm", type=click.FloatRange(0.001, 0.5), default=0.05, show_default=True,
    help="Share of scans of known phases for which none of these may be answered.",
)  # fmt: skip
@options.report
@options.csv_file
@click.option("--curves", is_flag=True, help="Put the fitted curves into the JSON.")
@options.wavelength
@options.axis
@options.file_format
def identify(
    out: Output,
    scans: tuple[str, ...],
    phases: tuple[str, ...],
    model: str | None,
    max_phases: int,
    top: int,
    effort: str,
    elements: str | None,
    without: str | None,
    false_alarm: float,
    report: str | None,
    csv_file: str | None,
    curves: bool,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Identify the phases in scans: which, how sure, how much of each, which peaks are left over, or none of these.

    SCAN may be files, folders or globs, or demo: simulated scans that come with the program. The phases are CIFs
    (--phases), textbook for those that come with the program, or those of a trained model (--model). What is learned
    for a folder of CIFs is kept in the cache, so that the second call answers at once.

    Example: peakwise identify scan.xrdml --phases cifs/ --report answer.html
    """
    from peakwise.cli._scans import read_scans

    files, patterns = read_scans(out, scans, wavelength, axis, file_format)
    identifier = _identifier(out, phases, model, effort, max_phases, (elements, without), false_alarm)
    found = _answer(
        out, identifier, files, patterns, max_phases=max_phases, top=top, effort=effort, curves=curves or bool(report)
    )
    rows = [_row(file, one, curves) for file, one in found]
    out.document["scans"] = rows
    out.document["phases_known"] = len(identifier.phases_)
    out.need_some(len(rows))
    _tell(out, rows, len(identifier.phases_))
    if report or csv_file:
        _write(out, [_row(file, one, True) for file, one in found], identifier, report, csv_file)


def _identifier(
    out: Output,
    phases: tuple[str, ...],
    model: str | None,
    effort: str,
    max_phases: int,
    chemistry: tuple[str | None, str | None],
    false_alarm: float,
) -> PhaseIdentifier:
    from peakwise.cli._identifier import identifier_for, load_identifier

    if model is not None and phases:
        raise click.UsageError("Give --phases or --model, not both.")
    if model is None and not phases:
        raise click.UsageError("Missing option '--phases' (a folder with CIFs), or '--model'.")
    made = load_identifier(model) if model is not None else identifier_for(out, phases, effort, max_phases)
    only, never = chemistry
    made.set_params(
        elements=_elements(only),
        without=_elements(never),
        false_alarm=false_alarm,
        threads=out.threads,
        device=out.device,
    )
    return made


def _elements(text: str | None) -> list[str] | None:
    if text is None:
        return None
    import gemmi

    names = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    wrong = [n for n in names if gemmi.Element(n).atomic_number == 0 or gemmi.Element(n).name != n]
    if wrong or not names:
        raise OptionError("cannot choose elements", f"symbols such as Ti,O are needed, got {text!r}", "Write Ti,O")
    return names


def _answer(
    out: Output,
    identifier: PhaseIdentifier,
    files: list[str],
    patterns: list[Patterns],
    *,
    max_phases: int,
    top: int,
    effort: str,
    curves: bool,
) -> list[tuple[str, Identification]]:
    """Answers of all scans that can be answered; the others are noted."""
    refused: set[int] = set()

    def note(number: int, problem: PeakwiseError) -> None:
        refused.add(number)
        out.fail(problem, files[number])

    with bar(out) as show:
        found = identifier.identify(
            patterns, max_phases=max_phases, effort=effort, top=top, curves=curves,
            progress=lambda done, all_: show("identifying", done / all_), on_error=note,
        )  # fmt: skip
    answered = [file for number, file in enumerate(files) if number not in refused]
    return list(zip(answered, found, strict=True))


def _row(file: str, one: Identification, curves: bool) -> dict[str, Any]:
    return one.to_dict(curves=curves) | {"scan": file}


def _write(
    out: Output, rows: list[dict[str, Any]], identifier: PhaseIdentifier, report: str | None, csv_file: str | None
) -> None:
    from peakwise.matching import content_key
    from peakwise.report import identification_csv, write_identification_html

    document = whole_document(out, identifier.get_params(), ("numpy", "scipy", "gemmi", "numba"))
    document["scans"] = cast("list[ScanAnswer]", rows)  # with their curves, which are not printed
    document["provenance"]["library"] = {
        "n_phases": len(identifier.phases_), "sha256": content_key(identifier.phases_),
    }  # fmt: skip
    if report:
        write_identification_html(document, report)
        say_report(out, report)
    if csv_file:
        write_table(out, csv_file, identification_csv(document))


def _tell(out: Output, rows: list[dict[str, Any]], n_phases: int) -> None:
    from peakwise.report import tell

    lines = []
    for row in rows[:_SHOWN]:
        said = tell(cast("ScanAnswer", row), n_phases)
        rwp = row["fit"]["rwp"]
        peaks = len(row["fit"]["unexplained"])
        lines.append((Path(row["scan"]).name, said.sentence, "" if rwp is None else f"{100 * rwp:.1f}", peaks or ""))
    out.table(("scan", "answer", "Rwp [%]", "peaks left over"), lines)
    if len(rows) > _SHOWN:
        out.say(f"... and {len(rows) - _SHOWN} more (--json or --csv tells all)")
    for row in rows[:_SHOWN]:
        for warning in row["warnings"]:
            out.say(f"! {Path(row['scan']).name}: {warning}")
