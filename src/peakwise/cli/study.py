"""``peakwise study``: a published study repeated, its table beside the published one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from peakwise.cli import _options as options
from peakwise.cli._bar import bar
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from peakwise.cli._output import Output


@options.command
@click.argument("name", required=False)
@click.option("-o", "--output", metavar="DIR", type=click.Path(), help="Folder for figures (default: study-NAME).")
@click.option("--quick", is_flag=True, help="A small repetition of a minute: shows that it works, and little else.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="Most time to train a network [min].")
@click.option(
    "--data", metavar="DIR", envvar="PEAKWISE_DATA", type=click.Path(), show_envvar=True,
    help="Folder of measured data and structures.",
)  # fmt: skip
def study(
    out: Output, name: str | None, output: str | None, quick: bool, minutes: float | None, data: str | None
) -> None:
    """Repeat a published study and print its table beside the published one.

    Without NAME the studies are listed.

    Example: peakwise study mof --quick -o mof
    """
    from peakwise.studies import STUDIES, Request

    if name is None:
        rows = [{"name": s.name, "title": s.title, "citation": s.citation, "doi": s.doi} for s in STUDIES.values()]
        out.document["studies"] = rows
        out.table(("study", "what it asks", "published in"), [(r["name"], r["title"], r["citation"]) for r in rows])
        return
    if name not in STUDIES:
        raise OptionError("unknown study", f"got {name!r}, there are {', '.join(STUDIES)}", "Use one of these names")
    chosen = STUDIES[name]
    with bar(out) as tell:
        outcome = chosen.run(
            Request(
                Path(output or f"study-{name}"), quick=quick, data=None if data is None else Path(data),
                minutes=minutes, seed=out.seed, threads=out.threads, device=out.device, tell=tell,
            )
        )  # fmt: skip
    out.warnings += outcome.warnings
    out.document["study"] = {"name": chosen.name, "citation": chosen.citation, "doi": chosen.doi}
    out.document["tables"] = [table.to_dict() for table in outcome.tables]
    out.document["figures"] = [str(path) for path in outcome.figures]
    out.document["settings"] = outcome.settings
    for table in outcome.tables:
        published = [
            (f"published: {row[0]}", *row[1:], *[""] * (len(table.columns) - len(row))) for row in table.published
        ]
        out.table(table.columns, [*([_rounded(x) for x in row] for row in table.rows), *published], title=table.title)
    out.say(f"Published in {chosen.citation}, https://doi.org/{chosen.doi}.")
    for path in outcome.figures:
        out.say(f"Figure: {path}")


def _rounded(value: object) -> object:
    return f"{value:.3f}" if isinstance(value, float) else value
