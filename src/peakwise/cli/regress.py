"""``peakwise regress``: what the microstructure is, in numbers with intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from peakwise.cli import _options as options

if TYPE_CHECKING:
    from peakwise.cli._output import Output
    from peakwise.cli._regress_input import Asked
    from peakwise.estimators import DescriptorRegressor, Descriptors

_SHOWN = 40  # scans in the table for people
_COLUMNS = 6  # descriptors in it


@options.command
@click.argument("scans", metavar="[SCAN...]", nargs=-1)
@click.option("--model", metavar="M.pw", type=click.Path(), required=True, help="A model of train regress.")
@options.modality
@click.option(
    "--level", metavar="X", type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Share of true values that the intervals are to hold (default: as trained, 0.9).",
)  # fmt: skip
@click.option(
    "--truth", metavar="TABLE.csv", type=click.Path(),
    help="True values, to compare with: a column pattern, and one a descriptor.",
)  # fmt: skip
@options.report
@options.csv_file
@options.wavelength
@options.axis
@options.file_format
def regress(
    out: Output,
    scans: tuple[str, ...],
    model: str,
    modality: tuple[str, ...],
    level: float | None,
    truth: str | None,
    report: str | None,
    csv_file: str | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Read descriptors off scans (stress, phase fractions, dislocation density, composition ...), with intervals.

    SCAN may be files, folders, globs or one file with many patterns. The model says which descriptors, and which scans
    are unlike all that it has learned from: there the intervals promise nothing. A model of several kinds of pattern
    takes the others with --modality, and answers without some of them where it can.

    Example: peakwise regress today/ --model gold.pw --report today.html
    """
    from peakwise.cli._regress_input import asked_of, load_regressor, named_modalities

    others = named_modalities(modality)
    if not scans and not others:
        raise click.UsageError("Missing argument 'SCAN...'.")
    made = load_regressor(model)
    asked = asked_of(out, made, scans, others, (wavelength, axis, file_format))
    given = asked.modalities if len(made.modalities_) > 1 else next(iter(asked.modalities.values()))
    told = made.describe(given, level)
    _document(out, made, asked, told)
    if truth is not None:
        _compare(out, asked, truth)
    _tell(out, told)
    if report or csv_file:
        from peakwise.cli._regress_files import write_descriptors

        write_descriptors(out, made, asked, model, report, csv_file)


def _document(out: Output, model: DescriptorRegressor, asked: Asked, told: Descriptors) -> None:
    """The answer, as the contract has it."""
    rows = []
    for i, file in enumerate(asked.files):
        numbers = zip(told.targets, told.values[i], told.low[i], told.high[i], strict=True)
        values, interval = {}, {}
        for name, value, low, high in numbers:
            values[name], interval[name] = float(value), [float(low), float(high)]
        row: dict[str, Any] = {
            "scan": file, "values": values, "interval": interval, "in_domain": bool(told.in_domain[i]),
            "warnings": asked.remarks[i],
        }  # fmt: skip
        if told.classes:
            row["classes"] = {name: str(labels[i]) for name, labels in told.classes.items()}
        rows.append(row)
    targets = model._model.targets
    ends = zip(targets.names, targets.low, targets.high, strict=True)
    out.document |= {
        "targets": list(told.targets),
        "scans": rows,
        "level": told.level,
        "units": units_of(told.targets),
        "ranges": {name: [float(low), float(high)] for name, low, high in ends},
        "workflow": model.workflow,
    }
    out.warnings += told.warnings


def units_of(targets: tuple[str, ...]) -> dict[str, str]:
    """Units, from brackets at the ends of names."""
    from peakwise.cli._order import unit_of

    return {name: unit for name in targets if (unit := unit_of(name)) is not None}


def _compare(out: Output, asked: Asked, file: str) -> None:
    """Put what is true beside the answers, and say how far they are from it."""
    from peakwise.cli._regress_input import target_table
    from peakwise.report import scores_of

    what = "cannot compare with the truth"
    wanted = out.document["targets"]
    found = target_table(out, asked.first, file, [], what=what, known=wanted).columns
    for i, row in enumerate(out.document["scans"]):
        truth = {name: float(found[name][i]) for name in wanted if name in found}
        row["truth"] = {name: value for name, value in truth.items() if np.isfinite(value)}
    document: Any = {"command": "regress", **out.document}
    out.document["scores"] = {name: score._asdict() for name, score in scores_of(document).items()}


def _tell(out: Output, told: Descriptors) -> None:
    from peakwise.report import tell_descriptors, value_text

    document: Any = {"command": "regress", **out.document}
    said = tell_descriptors(document)
    out.say(said.sentence + ".")
    if said.remark:
        out.say(said.remark + ".")
    shown = told.targets[:_COLUMNS]
    rows = []
    for row in document["scans"][:_SHOWN]:
        cells = [value_text(row["values"][name], *row["interval"][name]) for name in shown]
        rows.append((Path(row["scan"]).name, "" if row["in_domain"] else "outside", *cells))
    out.table(("scan", "domain", *shown), rows)
    if len(told.targets) > _COLUMNS or len(document["scans"]) > _SHOWN:
        out.say("... and more (--csv or --json tells all)")
    if out.document.get("scores"):
        names = ("n", "r2", "rmse", "mae", "bias", "coverage")
        lines = [(name, *(score[key] for key in names)) for name, score in out.document["scores"].items()]
        out.table(("compared with the truth", *names), lines)
