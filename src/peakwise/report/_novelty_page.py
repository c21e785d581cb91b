"""The report of a search for the new: one HTML file that loads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peakwise.errors import one_line
from peakwise.report._frame import again, failed_files, figure_place, fill, header, map_card, provenance, save_page
from peakwise.report._markup import Markup, data_block, join, tag
from peakwise.report._novelty import check_novelty
from peakwise.report._novelty_blocks import cloud_block, scan_block, strangest
from peakwise.report._novelty_tables import overview, parts_table, peaks_table, words
from peakwise.report._novelty_verdict import p_text, tell_novelty, tell_scan
from peakwise.report._panel import badge, warning_list
from peakwise.report._words import significant

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from peakwise.report._novelty import NoveltyDocument, NoveltyScan
    from peakwise.report._verdict import Told

__all__ = ["novelty_html", "write_novelty_html"]

_SCRIPTS = (
    "pen.js", "axes.js", "scale.js", "colours.js", "panel.js", "changes.js", "cloud.js", "plane.js", "plane_draw.js",
    "novelty_maps.js", "behaviour.js", "overview.js", "novelty_page.js",
)  # fmt: skip
_MOST_PANELS = 300
_OPEN = 12  # new scans that are open from the beginning


def write_novelty_html(document: NoveltyDocument, path: str | os.PathLike[str]) -> None:
    """Write the report of a search for the new as one HTML file, whole or not at all.

    Parameters
    ----------
    document : NoveltyDocument
        What ``peakwise novelty --json`` prints, best with what `add_map` adds: the figures need it.
    path : path-like
        Where it goes, for example "report.html".

    Examples
    --------
    >>> target = getfixture("tmp_path") / "report.html"
    >>> write_novelty_html({"command": "novelty", "scans": []}, target)
    >>> target.read_text(encoding="utf-8")[:15]
    '<!doctype html>'
    """
    save_page(novelty_html(document), path)


def novelty_html(document: NoveltyDocument) -> str:
    """Return the report of a search for the new as HTML.

    The page loads nothing: styles, script and data are inside, and its content security policy forbids the rest.

    Examples
    --------
    >>> rows = [{"scan": "a.xy", "score": 3.2, "novel": True, "why": ["peaks at 1 < 2"]}]
    >>> page = novelty_html({"command": "novelty", "scans": rows, "false_alarm": 0.01})
    >>> "1 of 1 scan is unlike anything known; 0.01 false alarms expected" in page, "1 &lt; 2" in page, "://" in page
    (True, True, False)
    """
    whole = check_novelty(document)
    scans = whole["scans"]
    order = [int(i) for i in strangest(scans)]
    told = [tell_scan(scan) for scan in scans]
    blocks: list[Markup] = []
    shown = [i for i in order if told[i].verdict.name != "known"][:_MOST_PANELS]
    panels = [_panel(whole, i, told[i], is_open=k < _OPEN and bool(scans[i]["novel"]), blocks=blocks)
              for k, i in enumerate(shown)]  # fmt: skip
    block = cloud_block(whole)
    if block is not None:
        blocks.append(data_block("data-cloud", block))
    body = [
        _header(whole, told),
        _answer(whole, _titles(block)),
        warning_list(whole.get("warnings") or ()),
        overview(whole, order, told, set(shown)) if len(scans) > 1 else "",
        tag("main", {"id": "scans"}, *panels),
        _more_panels(told, len(shown)),
        _figures(block),
        failed_files(whole.get("failed") or ()),
        again(whole),
        provenance(whole),
        words(),
    ]
    title = f"New: {one_line(scans[0]['scan'], 80)}" if len(scans) == 1 else f"What is new in {len(scans):,} scans?"
    return fill(title, join(body), join(blocks), _SCRIPTS)


def _header(whole: NoveltyDocument, told: Sequence[Told]) -> Markup:
    known = whole.get("known")
    counts = [f"{len(told):,} scan{'' if len(told) == 1 else 's'}", f"compared with {known:,} known" if known else ""]
    return header("What is new?", counts, whole)


def _answer(whole: NoveltyDocument, titles: Mapping[str, str]) -> Markup:
    told = tell_novelty(whole)
    facts = {
        "new above a score of": significant(whole.get("threshold"), 3),
        "false alarms allowed": f"{significant(100 * whole['false_alarm'], 3)} %" if whole.get("false_alarm") else "–",
    }
    said = [tag("span", None, f"{name} ", tag("b", None, value)) for name, value in facts.items() if value != "–"]
    return tag(
        "section", {"class": f"card answer v-{told.verdict.name}"},
        badge(told),
        tag("h2", None, told.sentence),
        tag("p", {"class": "remark"}, told.remark + ".") if told.remark else "",
        tag("p", {"class": "sure"}, *said) if said else "",
        tag("p", {"class": "places"}, *(tag("a", {"href": f"#map-{kind}"}, name) for kind, name in titles.items())),
    )  # fmt: skip


def _panel(whole: NoveltyDocument, i: int, told: Told, *, is_open: bool, blocks: list[Markup]) -> Markup:
    scan = whole["scans"][i]
    plane: Mapping[str, Any] = whole.get("map") or {}
    curves = plane.get("curves")
    head = tag(
        "summary", None,
        badge(told), tag("h2", None, told.sentence), tag("span", {"class": "file"}, tag("bdi", None, scan["scan"])),
    )  # fmt: skip
    facts = [f"score {significant(scan.get('score'), 3)}", f"p-value {p_text(scan.get('p_value'))}"]
    if scan.get("score") is not None and whole.get("threshold") is not None:
        facts[0] += f" (new above {significant(whole['threshold'], 3)})"
    reasons = scan.get("why") or ()
    body = [
        tag("p", {"class": "sure"}, "; ".join(facts)),
        warning_list(scan.get("warnings") or ()),
        tag("ul", {"class": "reasons"}, *(tag("li", None, text) for text in reasons)) if reasons else "",
        _overlay(whole, i, curves, blocks),
        tag("div", {"class": "columns two found"}, peaks_table(scan, curves), parts_table(scan)),
        _to_map(i) if plane.get("asked") is not None else "",
    ]
    css = {"class": f"scan v-{told.verdict.name}", "id": f"scan-{i + 1}", "open": is_open}
    return tag("details", css, head, tag("div", {"class": "body"}, *body))


def _to_map(i: int) -> Markup:
    button = {"type": "button", "class": "on-map", "data-index": str(i)}
    return tag("p", {"class": "tools"}, tag("button", button, "show it on the map"))


def _overlay(whole: NoveltyDocument, i: int, curves: Mapping[str, Any] | None, blocks: list[Markup]) -> Markup:
    if curves is None:
        return tag("p", {"class": "note"}, "The answer holds no curves, so the scan is not drawn.")
    scan: NoveltyScan = whole["scans"][i]
    block = scan_block(scan, curves, i)
    name = f"data-scan-{i + 1}"
    blocks.append(data_block(name, block))
    thinned = (
        f"Drawn from {block['n']:,} of {block['of']:,} points: the lowest and the highest of each stretch."
        if block["n"] < block["of"] else ""
    )  # fmt: skip
    made = block["words"][0]
    legend = [tag("span", None, tag("span", {"class": "swatch bt"}), "this scan")]
    if block["hasKnown"]:
        near = scan.get("nearest")
        named = f"{made}: {one_line(near, 60)}" if near and made == "nearest known" else made
        legend.append(tag("span", None, tag("span", {"class": "swatch b0"}), named))
    if block["peaks"]:
        legend.append(tag("span", None, tag("span", {"class": "swatch ba"}), "unexplained peak"))
    label = f"{one_line(scan['scan'], 120)} over {made}, and their difference."
    return join([
        tag("div", {"class": "legend"}, *legend),
        figure_place(
            "scan", name, label, tag("figcaption", {"class": "note"}, thinned) if thinned else "", css="plot short"
        ),
    ])  # fmt: skip


def _more_panels(told: Sequence[Told], shown: int) -> Markup:
    total = sum(t.verdict.name != "known" for t in told)
    if total <= shown:
        return Markup("")
    return tag("p", {"class": "note"}, f"The {shown} strangest of {total:,} are shown one by one; the maps have all.")


def _titles(block: Mapping[str, Any] | None) -> dict[str, str]:
    """What figures there are, and what they are called."""
    if block is None:
        return {}
    made = {"latent": "Map of the scans"} if block["hasPlane"] else {}
    where = ["place in the sample"] if block["hasPlaces"] else []
    where += ["composition"] if block["elements"] else []
    if where:
        made["library"] = f"Map by {' and '.join(where)}"
    made["violin"] = f"Scores {'by nearest known phase' if block['groups'] else 'of known and asked scans'}"
    if block["hasMixing"]:
        made["mixing"] = "Error against mixing ratio"
    return made


def _figures(block: Mapping[str, Any] | None) -> Markup:
    notes = {
        "latent": "Scans that are alike lie together. A plane shows a part of all differences: a new scan can lie "
        "among known ones here, and its score tells it all the same.",
        "violin": "Grey: known scans, each left out in turn. Blue: the scans that were asked about. Above the dashed "
        "line a scan is new.",
        "mixing": "Line: the mean at each ratio.",
    }
    if block is not None and block["regions"]:
        notes["latent"] += " Shaded: where a scan would be taken for which known phase."
    return join(_map(kind, title, notes.get(kind, "")) for kind, title in _titles(block).items())


def _map(kind: str, title: str, note: str) -> Markup:
    css = "plot short" if kind in ("violin", "mixing") else "plot"
    return map_card(f"map-{kind}", title, note, figure_place(kind, "data-cloud", f"{title}.", css=css))
