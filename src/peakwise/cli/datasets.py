"""``peakwise datasets``: named sets of data, to be listed, fetched or made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from peakwise.cli import _options as options

if TYPE_CHECKING:
    from peakwise.cli._output import Output


@options.command
@click.argument("action", metavar="[fetch|make]", required=False, type=click.Choice(["fetch", "make"]))
@click.argument("name", metavar="[NAME]", required=False)
@click.option("-o", "--output", metavar="OUT", type=click.Path(), help="What make writes: .nc, .h5 or .zarr keep all.")
@click.option("--series", metavar="S", multiple=True, help="Which series of hed-suite to make (may be repeated).")
@click.option("--source", metavar="PATH", type=click.Path(), help="A file or folder of your own, not the cache.")
def datasets(
    out: Output,
    action: str | None,
    name: str | None,
    output: str | None,
    series: tuple[str, ...],
    source: str | None,
) -> None:
    """List the data sets, fetch one that others publish, or make one and write it.

    Without an action: what there is, from where and under which licence. What is fetched lies in the cache
    (PEAKWISE_CACHE) beside lock.json, which says against what it was checked.

    Example: peakwise datasets make hed-suite --series D1 -o D1.nc
    """
    if action is None:
        _list(out)
        return
    if name is None:
        raise click.UsageError("Missing argument 'NAME': peakwise datasets lists the names.")
    if action == "fetch":
        _fetch(out, name)
        return
    if output is None:
        raise click.UsageError("Missing option '-o' / '--output'.")
    given: dict[str, Any] = {"series": series[0] if len(series) == 1 else list(series)} if series else {}
    _make(out, name, output, given | ({"source": source} if source else {}))


def _list(out: Output) -> None:
    from peakwise.datasets import DATASETS, cache_folder

    rows = [
        {
            "dataset": d.name, "kind": d.kind, "title": d.title, "what": d.what, "licence": d.licence,
            "citation": d.citation, "url": d.url, "doi": d.doi or None,
            "files": [{"name": f.name, "url": f.url, "sha256": f.sha256} for f in d.files],
            "cached": [str(p) for p in (cache_folder(d.name) / f.name for f in d.files) if p.exists()],
        }
        for d in DATASETS.values()
    ]  # fmt: skip
    out.document["datasets"] = rows
    out.table(
        ("dataset", "kind", "cached", "what it is", "from"),
        ([r["dataset"], r["kind"], "yes" if r["cached"] else "", r["title"], r["doi"] or "peakwise"] for r in rows),
    )


def _fetch(out: Output, name: str) -> None:
    from peakwise.datasets import fetch, ledger

    paths = fetch(name)
    rows = [{"file": str(p), **ledger(name).get(p.name, {})} for p in paths]
    out.document.update({"dataset": name, "files": rows})
    out.table(
        ("file", "bytes", "checked against", "sha256"),
        ([r["file"], r.get("bytes"), r.get("checked"), r.get("sha256")] for r in rows),
    )
    out.warnings += [
        f"nobody states a checksum of {r['file']}: its SHA-256 was written down when it was first seen"
        for r in rows
        if r.get("checked") in ("first fetch", "by hand")
    ]


def _make(out: Output, name: str, output: str, given: dict[str, Any]) -> None:
    from peakwise.datasets import find, load, options_of
    from peakwise.io import write

    seed = {"random_state": out.seed} if "random_state" in options_of(find(name)) else {}
    patterns = load(name, **seed, **given)
    write(patterns, output)
    out.wrote(patterns, output, dataset=name)
