"""The report of a library: its regions over places and compositions, scores, where to measure next. One HTML file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import one_line
from peakwise.report._frame import (
    again,
    card,
    failed_files,
    figure_place,
    fill,
    header,
    map_card,
    provenance,
    save_page,
)
from peakwise.report._markup import Markup, data_block, join, tag
from peakwise.report._novelty import check_novelty
from peakwise.report._novelty_blocks import cloud_block
from peakwise.report._panel import badge, bar, table, warning_list
from peakwise.report._series_verdict import tell_clusters
from peakwise.report._wafer import check_wafer, numbers
from peakwise.report._words import significant

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from peakwise.report._verdict import Told
    from peakwise.report._wafer import WaferDocument

__all__ = ["wafer_html", "write_wafer_html"]

_SCRIPTS = (
    "pen.js", "axes.js", "scale.js", "colours.js", "panel.js", "changes.js", "cloud.js", "plane.js", "plane_draw.js",
    "novelty_maps.js", "behaviour.js", "wafer_page.js",
)  # fmt: skip
_MOST_ROWS = 200


def write_wafer_html(document: WaferDocument, path: str | os.PathLike[str]) -> None:
    """Write the report of a library as one HTML file, whole or not at all.

    Parameters
    ----------
    document : WaferDocument
        What ``peakwise wafer --json`` prints, best with what `add_map` adds: the figures need it.
    path : path-like
        Where it goes, for example "library.html".

    Examples
    --------
    >>> target = getfixture("tmp_path") / "library.html"
    >>> write_wafer_html({"command": "wafer", "patterns": [{"pattern": "a", "cluster": 0}]}, target)
    >>> target.exists()
    True
    """
    save_page(wafer_html(document), path)


def wafer_html(document: WaferDocument) -> str:
    """Return the report of a library as HTML.

    The page loads nothing: styles, script and data are inside, and its content security policy forbids the rest.

    Examples
    --------
    >>> rows = [{"pattern": f"{k}.xy", "cluster": k % 2, "score": 0.1 * k} for k in range(10)]
    >>> page = wafer_html({"command": "wafer", "patterns": rows, "k": 2, "silhouette": 0.6})
    >>> "2 groups of 5 and 5 patterns, well apart" in page, "://" in page
    (True, False)
    """
    whole = check_wafer(document)
    clusters: Any = {**whole, "command": "cluster"}
    told = tell_clusters(clusters)
    block = _block(whole)
    titles = _titles(block)
    patterns = whole["patterns"]
    body = [
        header("Which phases, and where?", [f"{len(patterns):,} pattern{'' if len(patterns) == 1 else 's'}"], whole),
        _answer(whole, told, titles),
        warning_list(whole.get("warnings") or ()),
        _figures(whole, block, titles),
        card(_regions(whole)),
        card(_suggestions(whole)),
        failed_files(whole.get("failed") or ()),
        again(whole),
        provenance(whole),
    ]
    data = Markup("") if block is None else data_block("data-cloud", block)
    name = f": {one_line(patterns[0]['pattern'], 40)} … ({len(patterns):,} patterns)" if patterns else ""
    return fill(f"Library{name}", join(body), data, _SCRIPTS)


def _block(whole: WaferDocument) -> dict[str, Any] | None:
    """All patterns for the script, as a search for the new has them, with regions in the place of phases."""
    if whole.get("map") is None:
        return None
    regions = [int(row["cluster"]) for row in whole["patterns"]]
    scans = [
        {"scan": row["pattern"], "score": row.get("score") or 0.0, "novel": False, "nearest": _named(region)}
        for row, region in zip(whole["patterns"], regions, strict=True)
    ]
    made = cloud_block(check_novelty({"command": "novelty", "scans": scans, "map": whole["map"]}))
    if made is None:
        return None
    # The group of each pattern is its region; the block packs its columns, so its place there is found by name.
    made["regionOf"] = regions
    made["groups"] = [_named(region) for region in range(max(regions) + 1)]
    made["scoreName"] = one_line(whole.get("score") or "score", 60)
    return made


def _named(region: int) -> str:
    return f"region {region}"


def _answer(whole: WaferDocument, told: Told, titles: Mapping[str, str]) -> Markup:
    facts = {"silhouette": significant(whole.get("silhouette"), 3), "method": whole.get("method") or ""}
    said = [tag("span", None, f"{name} ", tag("b", None, value)) for name, value in facts.items() if value]
    return tag(
        "section", {"class": f"card answer v-{told.verdict.name}"},
        badge(told),
        tag("h2", None, told.sentence),
        tag("p", {"class": "remark"}, told.remark + ".") if told.remark else "",
        tag("p", {"class": "sure"}, *said) if said else "",
        tag("p", {"class": "places"}, *(tag("a", {"href": f"#map-{kind}"}, name) for kind, name in titles.items())),
    )  # fmt: skip


def _titles(block: Mapping[str, Any] | None) -> dict[str, str]:
    """What figures there are, and what they are called."""
    if block is None:
        return {}
    where = ["place in the sample"] if block["hasPlaces"] else []
    where += ["composition"] if block["elements"] else []
    made = {"library": f"Map by {' and '.join(where)}"} if where else {}
    made |= {"latent": "Map of the patterns"} if block["hasPlane"] else {}
    made["violin"] = "Scores by region"
    if block["hasMixing"]:
        made["mixing"] = "Score against mixing ratio"
    return made


def _figures(whole: WaferDocument, block: Mapping[str, Any] | None, titles: Mapping[str, str]) -> Markup:
    if block is None:
        return card(tag("p", {"class": "note"}, "The answer holds no map, so the patterns are not drawn."))
    made = whole["map"]
    curves: Mapping[str, Any] = (made or {}).get("curves") or {}
    notes = {
        "library": f"Point at a pattern to see it over {curves.get('reconstruction', 'what is known of it')}.",
        "latent": "Patterns that are alike lie together. A plane shows a part of all differences.",
        "mixing": "Line: the mean at each ratio.",
    }
    return join(
        map_card(
            f"map-{kind}", title, notes.get(kind, ""),
            figure_place(kind, "data-cloud", f"{title}.", css="plot short" if kind in ("violin", "mixing") else "plot"),
        )
        for kind, title in titles.items()
    )  # fmt: skip


def _regions(whole: WaferDocument) -> Markup:
    patterns = whole["patterns"]
    of = np.array([int(row["cluster"]) for row in patterns])
    scores = numbers([row.get("score") for row in patterns])
    examples = list(whole.get("examples") or ())
    elements = list(dict.fromkeys(e for row in patterns for e in row.get("composition") or ()))
    rows = []
    for region in range(int(of.max(initial=-1)) + 1):
        inside = np.flatnonzero(of == region)
        known = scores[inside][np.isfinite(scores[inside])]
        cells = [
            tag("th", {"scope": "row"}, tag("span", {"class": f"swatch b{region % 8}"}), _named(region)),
            tag("td", {"class": "n"}, f"{inside.size:,}"),
            tag("td", {"class": "bars"}, bar(inside.size / max(len(of), 1), region % 8)),
            tag("td", None, tag("bdi", None, examples[region] if region < len(examples) else "–")),
            *(tag("td", {"class": "n"}, _span(patterns, inside.tolist(), e)) for e in elements),
            tag("td", {"class": "n"}, significant(float(np.median(known)), 3) if known.size else "–"),
        ]
        rows.append(tag("tr", None, *cells))
    columns: list[str | tuple[str, str]] = ["region", ("patterns", "n"), ("", "bars"), "typical pattern"]
    columns += [(f"{e} [at. %]", "n") for e in elements]
    columns.append((f"median {whole.get('score') or 'score'}", "n"))
    return table("Regions", columns, rows[:_MOST_ROWS], len(rows))


def _span(patterns: Sequence[Mapping[str, Any]], inside: Sequence[int], element: str) -> str:
    amounts = [100 * float((patterns[i].get("composition") or {}).get(element, np.nan)) for i in inside]
    low, high = np.nanmin(amounts), np.nanmax(amounts)
    return f"{low:.0f}" if f"{low:.0f}" == f"{high:.0f}" else f"{low:.0f} to {high:.0f}"


def _suggestions(whole: WaferDocument) -> Markup:
    found = whole.get("suggestions") or ()
    if not found:
        return Markup("")
    names = list(found[0]["where"])
    rows = [
        tag(
            "tr", None,
            tag("th", {"scope": "row"}, str(number + 1)),
            *(tag("td", {"class": "n"}, significant(row["where"].get(name), 4)) for name in names),
            tag("td", None, row.get("why") or ""),
        )
        for number, row in enumerate(found)
    ]  # fmt: skip
    columns: list[str | tuple[str, str]] = ["", *((name, "n") for name in names), "why"]
    return table(f"Where to measure next ({whole.get('strategy') or 'exploration'})", columns, rows, len(rows))
