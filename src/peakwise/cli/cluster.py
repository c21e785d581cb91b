"""``peakwise cluster``: which patterns are alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from peakwise.cli import _options as options
from peakwise.cli._names import METHODS
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from peakwise.cli._output import Output

_NAMED = 3  # patterns of a group in the table for people


@options.command
@options.scans
@click.option("--k", metavar="auto|K", default="auto", show_default=True, help="How many groups there are.")
@click.option(
    "--method", metavar="NAME", type=METHODS["cluster"],
    help="How: spectral, kmeans or agglomerative (default: spectral).",
)  # fmt: skip
@options.report
@options.csv_file
@options.wavelength
@options.axis
@options.file_format
def cluster(
    out: Output,
    scans: tuple[str, ...],
    k: str,
    method: str | None,
    report: str | None,
    csv_file: str | None,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Group scans that are alike, without labels and whatever their order.

    SCAN may be files, folders, globs or one file with many patterns, or demo: a series that comes with the program.
    Scans on different grids are brought onto the part that all share.

    Example: peakwise cluster map/*.xy --k auto --report groups.html
    """
    from peakwise.cli._series import read_series
    from peakwise.estimators import PatternClusterer

    what = "cannot group the scans"
    if k != "auto" and not (k.isdecimal() and int(k) >= 1):
        raise OptionError(what, f"--k must be auto or a whole number of at least 1, got {k!r}", "Give auto")
    made = PatternClusterer("auto" if k == "auto" else int(k), random_state=out.seed)
    if method is not None:
        made.set_params(method=method)
    patterns = read_series(out, scans, wavelength, axis, file_format).patterns
    made.fit(patterns)
    out.warnings += made.warnings_
    names = [str(name) for name in patterns.names]
    groups = [int(g) for g in made.labels_]
    out.document["patterns"] = [{"pattern": n, "cluster": g} for n, g in zip(names, groups, strict=True)]
    out.document |= {"k": made.n_clusters_, "silhouette": round(made.silhouette_, 4), "method": made.method}
    _tell(out, names, groups)
    if report or csv_file:
        from peakwise.cli._series_files import write_series

        write_series(out, patterns, made.get_params(), report, csv_file)


def _tell(out: Output, names: list[str], groups: list[int]) -> None:
    from peakwise.report import tell_clusters

    if out.as_json or out.quiet:
        return
    document: Any = {"command": "cluster", **out.document}
    told = tell_clusters(document)
    out.say(told.sentence + ".")
    if told.remark:
        out.say(told.remark + ".")
    rows = []
    for group in sorted(set(groups)):
        inside = [Path(name).name for name, g in zip(names, groups, strict=True) if g == group]
        more = f" and {len(inside) - _NAMED} more" if len(inside) > _NAMED else ""
        rows.append((group, len(inside), ", ".join(inside[:_NAMED]) + more))
    out.table(("group", "patterns", "which"), rows)
