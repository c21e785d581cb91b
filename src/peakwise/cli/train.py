"""``peakwise train``: learn once, answer often."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from peakwise.cli import _options as options
from peakwise.errors import OptionError, WriteError

if TYPE_CHECKING:
    from peakwise.cli._output import Output

# Name -> (where it lives, what the model answers).
TASKS: dict[str, tuple[str, str]] = {
    "identify": ("peakwise.cli._train_identify:run", "which phases are in scans"),
}


@options.command
@click.argument("task", metavar="TASK", type=click.Choice(list(TASKS)))
@options.phases
@options.output
@click.option("--network", metavar="NAME", help="A network of peakwise models (default: the best for its time).")
@click.option(
    "--seconds", type=click.FloatRange(0, min_open=True), help="How long to train [s] (default: as identify does)."
)
@click.option(
    "--mixtures", metavar="K", type=click.IntRange(1, 8), default=3, show_default=True, help="Most phases in one scan."
)
@click.option(
    "--effort", type=click.Choice(["quick", "normal", "thorough"]), default="normal", show_default=True,
    help="How many phases are fitted to a scan when the model answers.",
)  # fmt: skip
def train(out: Output, task: str, output: str, **given: Any) -> None:
    """Train a model for a TASK and write it into one file.

    Tasks: identify (which phases are in scans). Ctrl-C stops the training; a file is there only when it is whole.

    Example: peakwise train identify --phases cifs/ -o minerals.pw
    """
    target = Path(output)
    # Said before minutes of training, not after.
    if target.suffix != ".pw":
        why = f"the name of a model file must end with .pw, got {output!r}"
        raise OptionError("cannot write the model", why, "Write for instance -o model.pw")
    if target.is_dir() or not target.resolve().parent.is_dir():
        why = "it is a folder" if target.is_dir() else f"there is no folder {target.parent}"
        raise WriteError("cannot write the model", why, "Choose another name, or make the folder", file=output)
    module, _, attribute = TASKS[task][0].partition(":")
    getattr(import_module(module), attribute)(out, target, **given)
    out.document["task"] = task
    out.document["output"] = output
    out.document["bytes"] = target.stat().st_size
