"""``peakwise convert``: scans of any format into one that others read."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import click

from peakwise.cli import _options as options
from peakwise.errors import ReadError

if TYPE_CHECKING:
    from peakwise.cli._output import Output


@options.command
@options.scans
@options.output
@options.grid
@click.option("--to-axis", metavar="KIND", help="Convert the axis (two_theta, q, d, ...) before writing.")
@options.wavelength
@options.axis
@options.file_format
def convert(
    out: Output,
    scans: tuple[str, ...],
    output: str,
    grid: tuple[float, float, int] | None,
    to_axis: str | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Write scans as .xye, .xy, .csv, .nc, .h5 or .zarr, told by the suffix of OUT.

    Several scans become one set; on different grids they need --grid START STOP N (with --to-axis, in the unit of that
    axis), or come onto the part that all share.

    Example: peakwise convert series/*.xrdml -o series.nc --grid 10 90 4001
    """
    from peakwise.io import read, write

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `read` sums up left-out files in a warning; here each has its own line
        patterns = read(scans, wavelength=wavelength, axis=axis, format=file_format, grid=None if to_axis else grid)
    if to_axis is not None:
        patterns = patterns.to_axis(to_axis)
        patterns = patterns if grid is None else patterns.resample(grid)
    for file, why in patterns.failed:
        out.fail(ReadError("cannot read the scan", *_parts(why), file=file), file)
    write(patterns, output)
    out.need_some(len(patterns))
    out.wrote(patterns, output)


def _parts(reason: str) -> tuple[str, str]:
    """The why and the what-to-do of a `failed` entry."""
    why, _, do = reason.rstrip(".").rpartition(". ")
    return (why, do) if why else (do, "See peakwise info")
