"""``peakwise simulate``: labelled patterns from CIFs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from peakwise.cli import _options as options

if TYPE_CHECKING:
    from peakwise.cli._output import Output


@options.command
@click.argument("cifs", metavar="CIF...", nargs=-1, required=True)
@options.output
@click.option("--n", type=click.IntRange(1), default=1000, show_default=True, help="How many patterns.")
@click.option(
    "--mixtures", metavar="K", type=click.IntRange(1), default=1, show_default=True, help="Most phases in one pattern."
)
@click.option("--wavelength", metavar="W", help="Angstrom, or a name such as CuKa or MoKa1 (default: CuKa).")
@click.option(
    "--grid",
    metavar="START STOP N",
    nargs=3,
    type=(float, float, int),
    default=(10.0, 90.0, 4001),
    show_default=True,
    help="Grid of two_theta [deg], or of q with --axis q.",
)
@click.option(
    "--axis", type=click.Choice(["two_theta", "q"]), default="two_theta", show_default=True, help="What the grid is."
)
@click.option(
    "--instrument",
    type=click.Choice(["lab_bragg_brentano", "synchrotron", "neutron"]),
    help="Widths, polarisation and geometry (default: lab_bragg_brentano).",
)
@click.option("--ideal", is_flag=True, help="One noise-free pattern a phase.")
def simulate(
    out: Output,
    cifs: tuple[str, ...],
    output: str,
    n: int,
    mixtures: int,
    wavelength: str | None,
    grid: tuple[float, float, int],
    axis: str,
    instrument: str | None,
    ideal: bool,
) -> None:
    """Simulate powder patterns of the structures in CIFs (files, folders, zips or globs).

    With --ideal there is no noise, no background and no broadening but the instrument's; atoms are at rest, and only
    lines that lie on the grid contribute.

    Every pattern carries its phases, their weight fractions and all numbers that were drawn; --seed makes it
    repeatable.

    Example: peakwise simulate cifs/ -o train.nc --n 5000 --mixtures 3 --wavelength CuKa --grid 10 90 4001
    """
    from peakwise.cli._phases import load_library
    from peakwise.io import write
    from peakwise.simulate import PRESETS, Simulator, plain_simulator

    phases = load_library(out, cifs)
    tool: Any = (
        None
        if instrument is None
        else PRESETS[instrument](*([] if wavelength is None else [_light(wavelength, instrument)]))
    )
    make: Any = plain_simulator if ideal else Simulator
    made = make(
        phases, grid, instrument=tool, radiation=wavelength if tool is None else None, axis=axis, random_state=out.seed,
        threads=out.threads,
    )  # fmt: skip
    patterns = made.ideal() if ideal else made.draw(n, mixtures=mixtures)
    write(patterns, output)
    out.wrote(patterns, output, phases=len(phases))


def _light(wavelength: str, instrument: str) -> Any:
    """The radiation of a preset; neutrons have no lines with names."""
    from peakwise.patterns import as_radiation

    light = as_radiation(wavelength)
    return light.wavelength if instrument == "neutron" and light is not None else light
