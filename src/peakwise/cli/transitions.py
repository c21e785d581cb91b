"""``peakwise transitions``: where, if anywhere, a series changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import numpy as np

from peakwise.cli import _options as options
from peakwise.cli._names import METHODS
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from peakwise.cli._order import Variable
    from peakwise.cli._output import Output
    from peakwise.estimators import TransitionDetector, Transitions
    from peakwise.patterns import Patterns

_SHOWN = 40  # boundaries and states in the tables for people


@options.command
@options.scans
@options.variable
@options.values
@options.keep_order
@click.option("--labels", metavar="L.csv", type=click.Path(), help="States of some patterns: columns pattern,label.")
@click.option("--states", metavar="auto|K", default="auto", show_default=True, help="How many states there are.")
@click.option("--method", metavar="NAME", type=METHODS["transitions"], help="How: peakwise models lists the methods.")
@options.network
@options.minutes
@click.option("--model", metavar="M.pw", type=click.Path(), help="A trained model, which knows the states.")
@options.report
@options.csv_file
@options.wavelength
@options.axis
@options.file_format
def transitions(
    out: Output,
    scans: tuple[str, ...],
    variable: str | None,
    values: str | None,
    keep_order: bool,
    labels: str | None,
    states: str,
    method: str | None,
    network: str | None,
    minutes: float,
    model: str | None,
    report: str | None,
    csv_file: str | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Find the states of a series and the boundaries between them, without labels or with a few.

    SCAN may be files, folders, globs or one file with many patterns, or demo: a series that comes with the program.
    Patterns are taken in the order of the variable where one is given, else in natural order of their names. Without
    --states and --labels, it is also decided whether there is a transition at all.

    Example: peakwise transitions heating/ --variable temperature --report answer.html
    """
    from peakwise.cli._detector import answer_of_model, label_series, load_detector, new_detector
    from peakwise.cli._series import read_series

    if model is not None and (labels or method or network or states != "auto"):
        raise click.UsageError("A model knows its states: leave out --labels, --states, --method and --network.")
    detector = load_detector(model) if model is not None else new_detector(out, _states(states), network)
    series = read_series(
        out, scans, wavelength, axis, file_format, variable=variable, values=values, keep_order=keep_order
    )
    patterns, told = series.patterns, series.variable
    alone = None
    if model is not None:
        answer, alone = answer_of_model(out, detector, patterns, told)
    else:
        given = None if labels is None else label_series(out, patterns, labels)
        answer = _fitted(out, detector, patterns, given, told, minutes, chosen=(method, network))
    out.warnings += answer.warnings
    names = [str(name) for name in patterns.names]
    out.document |= answer.to_dict(names, None if told is None else told.values)
    if alone is not None:
        for row, chances in zip(out.document["patterns"], alone, strict=True):
            row |= {"state": int(chances.argmax()), "probability": round(float(chances.max()), 4)}
    out.document["evidence"] = {"best_refused": round(float(answer.refused), 4)}
    out.document["variable"] = None if told is None else {"name": told.name, "unit": told.unit}
    _tell(out, names)
    if report or csv_file:
        from peakwise.cli._series_files import write_series

        write_series(out, patterns, detector.get_params(), report, csv_file)


def _states(text: str) -> int | str:
    if text == "auto":
        return text
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise OptionError("cannot look for transitions", f"--states must be auto or 1 to 1000, got {text!r}", "Give 2")
    return int(text)


def _fitted(
    out: Output,
    detector: TransitionDetector,
    patterns: Patterns,
    labels: list[str | None] | None,
    variable: Variable | None,
    minutes: float,
    *,
    chosen: tuple[str | None, str | None],
) -> Transitions:
    from peakwise.cli._detector import chosen_method, needs_network

    has_labels = labels is not None and len({text for text in labels if text}) > 1
    method = chosen_method(out, *chosen, has_labels=has_labels)
    detector.set_params(
        method=method, minutes=minutes, variable=None if variable is None else variable.name, random_state=out.seed,
        threads=out.threads, device=out.device,
    )  # fmt: skip
    if needs_network(method):
        out.tell(f"training {detector.network} ({method}), at most {minutes:g} min")
    return detector.fit(patterns, labels).transitions_


def _tell(out: Output, names: list[str]) -> None:
    from peakwise.cli._words import boundary_rows, state_rows
    from peakwise.report import tell_transitions

    if out.as_json or out.quiet:
        return
    document: Any = {"command": "transitions", **out.document}
    told = tell_transitions(document)
    out.say(told.sentence + ".")
    if told.remark:
        out.say(told.remark + ".")
    found = document["boundaries"]
    if found:
        unit = (document["variable"] or {}).get("unit")
        name = (document["variable"] or {}).get("name")
        at = () if name is None else (f"{name} [{unit}]" if unit else name,)
        rows = boundary_rows(found[:_SHOWN], names, has_value=name is not None)
        out.table(("after", *at, "somewhere from", "to", "confidence", "other methods"), rows)
    rows = state_rows(document["patterns"], document["state_names"], names)
    out.table(("state", "patterns", "from", "to", "least probability"), rows[:_SHOWN])
    refused = document["evidence"]["best_refused"]
    if not found and np.isfinite(refused) and refused > 0:
        out.say(f"The best place for a transition has a probability of {refused:.2g}.")
