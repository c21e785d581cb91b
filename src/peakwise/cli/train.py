"""``peakwise train``: learn once, answer often."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from peakwise.cli import _options as options
from peakwise.cli._names import METHODS, NETWORK
from peakwise.errors import OptionError, WriteError

if TYPE_CHECKING:
    from peakwise.cli._output import Output

# Name -> (where it lives, what the model answers, the options that it has).
TASKS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "identify": (
        "peakwise.cli._train_identify:run", "which phases are in scans",
        ("phases", "network", "seconds", "mixtures", "effort"),
    ),
    "transitions": (
        "peakwise.cli._train_transitions:run", "which state of a series a scan is in",
        ("scans", "labels", "method", "network", "seconds", "variable", "values", "wavelength", "axis", "file_format"),
    ),
    "novelty": (
        "peakwise.cli._train_novelty:run", "which scans are unlike anything known",
        (
            "scans", "known", "false_alarm", "method", "labels", "table", "condition", "grid", "seconds", "wavelength",
            "axis", "file_format",
        ),
    ),
    "regress": (
        "peakwise.cli._train_regress:run", "descriptors of the microstructure, with intervals",
        (
            "scans", "targets", "target_names", "workflow", "modality", "bins", "scale", "held_out", "search",
            "search_minutes", "wavelength", "axis", "file_format",
        ),
    ),
}  # fmt: skip

# What options are called where that is not the name of their argument.
_OPTIONS = {"file_format": "format", "target_names": "target"}


@options.command
@click.argument("task", metavar="TASK", type=click.Choice(list(TASKS)))
@click.argument("scans", metavar="[SCAN...]", nargs=-1)
@options.output
@click.option(
    "--network",
    metavar="NAME",
    type=NETWORK,
    help="A network of peakwise models (default: the best for its time).",
)
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True),
    help="How long to train [s], at most (default: as identify does; transitions: 120).",
)  # fmt: skip
@options.phases
@click.option(
    "--mixtures", metavar="K", type=click.IntRange(1, 8), default=3, show_default=True, help="Most phases in one scan."
)
@click.option(
    "--effort", type=click.Choice(["quick", "normal", "thorough"]), default="normal", show_default=True,
    help="How many phases are fitted to a scan when the model answers.",
)  # fmt: skip
@click.option(
    "--labels", metavar="L.csv", type=click.Path(),
    help="transitions, novelty: columns pattern,label; novelty: or the name of a column of the metadata.",
)  # fmt: skip
@click.option("--method", metavar="NAME", help="transitions, novelty: how; peakwise models lists the methods.")
@options.known
@options.false_alarm
@options.table
@click.option("--condition", metavar="C,C", help="novelty: columns that networks get beside the patterns (Co,Ni).")
@options.grid
@click.option(
    "--targets", metavar="T.csv", type=click.Path(), help="regress: a column pattern, and one for each descriptor."
)
@click.option(
    "--target", "target_names", metavar="NAME", multiple=True,
    help="regress: a column of --targets, or of what the scans say of themselves; as often as wanted.",
)  # fmt: skip
@click.option(
    "--workflow", metavar="NAME", default="stacked", show_default=True, help="regress: how; peakwise models lists them."
)
@options.modality
@click.option(
    "--bins", metavar="N", type=click.IntRange(0, 100_000), default=150, show_default=True,
    help="regress: sum each pattern into so many bins; 0 leaves all points.",
)  # fmt: skip
@click.option(
    "--scale", type=click.Choice(["set", "pattern"]), default="set", show_default=True,
    help="regress: divide by the largest value of all patterns, or each by its own.",
)  # fmt: skip
@click.option(
    "--held-out", metavar="X", type=click.FloatRange(0, 0.9),
    help="regress: share of the scans kept away to say how good it is (default: 0.2 of 30 or more).",
)  # fmt: skip
@click.option(
    "--search", metavar="N", type=click.IntRange(1, 100_000),
    help="regress: try so many options, and keep the best; a search that was stopped goes on (M.pw.search).",
)  # fmt: skip
@click.option(
    "--search-minutes", metavar="X", type=click.FloatRange(0, min_open=True), help="regress: most time of --search."
)
@options.variable
@options.values
@options.wavelength
@options.axis
@options.file_format
def train(out: Output, task: str, output: str, **given: Any) -> None:
    """Train a model for a TASK and write it into one file.

    Tasks: identify (which phases are in scans; --phases, --mixtures, --effort), transitions (in which state of a series
    a scan is; SCAN..., --labels, --method) and novelty (whether a scan is unlike anything known; SCAN... or --known).
    regress learns numbers (SCAN..., --targets, --target, --workflow, --modality).
    Ctrl-C stops the training; a file is there only when it is whole.

    Example: peakwise train identify --phases cifs/ -o minerals.pw; peakwise train transitions heating/ --labels L.csv
    -o heating.pw
    """
    place, _, known = TASKS[task]
    asked = click.get_current_context().get_parameter_source
    for name in given.keys() - set(known):
        if asked(name) is ParameterSource.COMMANDLINE and given[name] not in (None, ()):
            word = "SCAN" if name == "scans" else f"'--{_OPTIONS.get(name, name).replace('_', '-')}'"
            raise click.UsageError(f"train {task} has no {word}.")
    if "method" in known and given["method"] is not None:
        context = click.get_current_context()
        param = next(p for p in context.command.params if p.name == "method")
        METHODS[task].convert(given["method"], param, context)
    target = Path(output)
    # Said before minutes of training, not after.
    if target.suffix != ".pw":
        why = f"the name of a model file must end with .pw, got {output!r}"
        raise OptionError("cannot write the model", why, "Write for instance -o model.pw")
    if target.is_dir() or not target.resolve().parent.is_dir():
        why = "it is a folder" if target.is_dir() else f"there is no folder {target.parent}"
        raise WriteError("cannot write the model", why, "Choose another name, or make the folder", file=output)
    module, _, attribute = place.partition(":")
    getattr(import_module(module), attribute)(out, target, **{name: given[name] for name in known})
    out.document["task"] = task
    out.document["output"] = output
    out.document["bytes"] = target.stat().st_size
