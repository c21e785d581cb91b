"""Our verbs in a shell: one file per command, one line per command in the table `COMMANDS`."""

from __future__ import annotations

import os
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING

import click

from peakwise._version import __version__
from peakwise.errors import PeakwiseError, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COMMANDS", "main"]

# Name -> (where it lives, one phrase for the list). A command is imported when it is called, not before.
COMMANDS: dict[str, tuple[str, str]] = {
    "info": ("peakwise.cli.info:info", "What is in a scan: format, axis, range, wavelength, and what looks wrong."),
    "convert": ("peakwise.cli.convert:convert", "Scans of any format into .xye .xy .csv .nc .h5 .zarr."),
    "phases": ("peakwise.cli.phases:phases", "The CIF clinic: which structures can be used, and what was repaired."),
    "simulate": ("peakwise.cli.simulate:simulate", "Labelled patterns of structures: physics, mixtures and noise."),
    "identify": ("peakwise.cli.identify:identify", "Which phases are in scans, how sure, how much of each, or none."),
    "transitions": ("peakwise.cli.transitions:transitions", "Where, if anywhere, a series changed, and how sure."),
    "novelty": ("peakwise.cli.novelty:novelty", "Which scans are unlike anything known, and why."),
    "regress": ("peakwise.cli.regress:regress", "What the microstructure is: descriptors with intervals that hold."),
    "cluster": ("peakwise.cli.cluster:cluster", "Which patterns are alike: groups without labels and without order."),
    "wafer": ("peakwise.cli.wafer:wafer", "Phase regions of a combinatorial library, and where to measure next."),
    "train": ("peakwise.cli.train:train", "Learn once, answer often: a model for the phases of a folder of CIFs."),
    "explain": ("peakwise.cli.explain:explain", "Why this answer: which parts of a scan speak for a phase."),
    "watch": ("peakwise.cli.watch:watch", "An answer to each scan as it lands, one JSON line each."),
    "models": ("peakwise.cli.models:models", "What there is to choose from, and what is in a model file."),
    "study": ("peakwise.cli.study:study", "A published study repeated, its table beside the published one."),
    "datasets": ("peakwise.cli.datasets:datasets", "Named sets of data: what there is, fetched or made."),
    "bench": ("peakwise.cli.bench:bench", "How fast this machine is, side by side with what else is installed."),
}

USAGE, MEND, STOPPED = 2, 1, 130  # exit codes: wrong command line, something the user must mend, Ctrl-C


class _Commands(click.Group):
    """The group whose members are the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command = getattr(import_module(module), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "--version", message="peakwise %(version)s")
def peakwise() -> None:
    """Decisions from 1-D diffraction and spectroscopy scans.

    Example: peakwise info scan.xrdml
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 on success, 1 for what the user must mend, 2 for a wrong command line."""
    words = list(sys.argv[1:] if args is None else args)
    warnings.showwarning = _show_warning
    try:
        peakwise.main(words, prog_name="peakwise", standalone_mode=False)
        code = 0
    except click.UsageError as problem:
        problem.show()
        code = USAGE
    except (KeyboardInterrupt, click.Abort):
        _complain("stopped (Ctrl-C): nothing half-written was left behind.")
        code = STOPPED
    except click.exceptions.Exit as wanted:
        code = wanted.exit_code
    except BrokenPipeError:
        # The reader of our output has gone (| head): that is its right. Python must not complain while closing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except PeakwiseError as problem:
        code = _fail(problem, str(problem), words)
    except Exception as problem:  # noqa: BLE001 - the last door: a fault of ours, told in one line like any other
        told = one_line(f"{type(problem).__name__}: {problem}", 300)
        code = _fail(problem, f"unexpected fault: {told}. Run it again with --debug and report it.", words)
    sys.exit(code)


def _fail(problem: Exception, message: str, words: Sequence[str]) -> int:
    if "--debug" in words:
        raise problem
    _complain(f"error: {message}")
    return MEND


def _complain(text: str) -> None:
    click.echo(f"peakwise: {text}", err=True)


def _show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """Warnings of libraries and of ours as one line, without source code around it."""
    if not issubclass(category, (DeprecationWarning, PendingDeprecationWarning, ImportWarning)):
        _complain(f"warning: {one_line(message)}")
