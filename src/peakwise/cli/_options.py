"""Options that several commands share: each has one name, one default and one text, here."""

from __future__ import annotations

import os
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from peakwise.cli._names import NETWORK
from peakwise.cli._output import Output

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")

scans = click.argument("scans", metavar="SCAN...", nargs=-1, required=True)
wavelength = click.option(
    "--wavelength", metavar="W", help="Angstrom, or a name such as CuKa or MoKa1, for files that give none."
)
axis = click.option(
    "--axis",
    metavar="KIND",
    help="What the axis is (two_theta, q, d, energy, wavenumber, ...), where files do not say.",
)
file_format = click.option(
    "--format", "file_format", metavar="NAME", help="Read as this format, without recognising it."
)
grid = click.option(
    "--grid", metavar="START STOP N", nargs=3, type=(float, float, int), help="Resample every scan onto N points."
)
phases = click.option(
    "--phases", metavar="DIR", multiple=True,
    help="CIFs of the phases that may occur: a folder, archive, file or glob; textbook: those of the program.",
)  # fmt: skip
model = click.option("--model", metavar="M.pw", type=click.Path(), help="A trained model instead of --phases.")
elements = click.option("--elements", metavar="E,E", help="Only phases of nothing but these elements, such as Ti,O.")
without = click.option("--without", metavar="E,E", help="No phases with any of these elements.")
variable = click.option(
    "--variable", metavar="NAME", help="What was varied (temperature, pressure, time ...): orders and answers by it."
)
values = click.option("--values", metavar="V.csv", type=click.Path(), help="Its values: columns pattern,value.")
keep_order = click.option("--keep-order", is_flag=True, help="Leave the order of the files; the variable only tells.")
known = click.option(
    "--known", metavar="DIR", multiple=True, type=click.Path(),
    help="What is known: scans, a set of many, or CIFs, which are fitted to each scan.",
)  # fmt: skip
false_alarm = click.option(
    "--false-alarm", metavar="X", type=click.FloatRange(0, 0.5, min_open=True),
    help="Of scans like the known ones, so many may be called new (default: 0.01).",
)  # fmt: skip
table = click.option(
    "--table", metavar="T.csv", type=click.Path(),
    help="Compositions or places of the scans, a row each: maps in the report.",
)  # fmt: skip
network = click.option("--network", metavar="NAME", type=NETWORK, help="A network of peakwise models.")
minutes = click.option(
    "--minutes", metavar="X", type=click.FloatRange(0, min_open=True), default=2.0, show_default=True,
    help="Most time for training a network.",
)  # fmt: skip
modality = click.option(
    "--modality", metavar="NAME=SCAN", multiple=True,
    help="Patterns of another kind of the same samples, by a name; as often as wanted.",
)  # fmt: skip
report = click.option(
    "--report", metavar="OUT.html", type=click.Path(), help="Write a report: one file, no network needed."
)
csv_file = click.option("--csv", "csv_file", metavar="OUT.csv", type=click.Path(), help="Write the answers as a table.")
output = click.option("-o", "--output", metavar="OUT", required=True, type=click.Path(), help="What to write.")

_COMMON = (
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout and nothing else there."),
    click.option("--quiet", is_flag=True, help="No progress, no tables; errors only."),
    click.option("--debug", is_flag=True, help="Show the full traceback of an error."),
    click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of everything random."
    ),
    click.option("--threads", type=click.IntRange(1, 4096), help="Most threads to use (default: all cores)."),
    click.option(
        "--device",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="Where networks run.",
    ),
)

# Read by the numerical libraries when they are first imported, which the commands do after this.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def command(function: F) -> click.Command:
    """Make a command that has the common options and gets an `Output` as its first argument.

    The first paragraph of its docstring is the help, and the paragraph that begins with ``Example`` its example.
    """

    @wraps(function)
    def run(  # `debug` is read at the last door, `main`
        as_json: bool, quiet: bool, debug: bool, seed: int, threads: int | None, device: str, **options: Any
    ) -> None:
        del debug
        if threads is not None:
            os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
        with Output(function.__name__, as_json=as_json, quiet=quiet, seed=seed, threads=threads, device=device) as out:
            function(out, **options)

    for option in reversed(_COMMON):
        run = option(run)
    return click.command(name=function.__name__)(run)
