"""The report of descriptors: one HTML file that loads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peakwise.errors import one_line
from peakwise.report._frame import again, failed_files, figure_place, fill, header, map_card, provenance, save_page
from peakwise.report._markup import Markup, data_block, join, tag
from peakwise.report._panel import badge, warning_list
from peakwise.report._regression import check_descriptors
from peakwise.report._regression_blocks import chart_block, descriptor_block
from peakwise.report._regression_tables import descriptor_overview, descriptor_words, scan_table, score_table
from peakwise.report._regression_verdict import scores_of, tell_described, tell_descriptors
from peakwise.report._words import significant

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from peakwise.evaluation import DescriptorScores
    from peakwise.report._regression import Chart, DescriptorDocument, DescriptorScan

__all__ = ["descriptors_html", "write_descriptors_html"]

_SCRIPTS = (
    "pen.js", "axes.js", "scale.js", "colours.js", "panel.js", "cloud.js", "plane.js", "plane_draw.js",
    "regression_cloud.js", "regression_maps.js", "regression_charts.js", "behaviour.js", "overview.js",
    "regression_page.js",
)  # fmt: skip
_MOST_PANELS = 60
_MOST_GRID = 24  # small figures


def write_descriptors_html(document: DescriptorDocument, path: str | os.PathLike[str]) -> None:
    """Write the report of descriptors as one HTML file, whole or not at all.

    Parameters
    ----------
    document : DescriptorDocument
        What ``peakwise regress --json`` prints; with `curves` the patterns are shown, with `charts` those, too.
    path : path-like
        Where it goes, for example "report.html".

    Examples
    --------
    >>> target = getfixture("tmp_path") / "report.html"
    >>> row = {"scan": "a.xy", "values": {"fcc": 0.9}, "in_domain": True}
    >>> write_descriptors_html({"command": "regress", "targets": ["fcc"], "scans": [row]}, target)
    >>> target.read_text(encoding="utf-8")[:15]
    '<!doctype html>'
    """
    save_page(descriptors_html(document), path)


def descriptors_html(document: DescriptorDocument) -> str:
    """Return the report of descriptors as HTML.

    The page loads nothing: styles, script and data are inside, and its content security policy forbids the rest.

    Examples
    --------
    >>> row = {"scan": "a<b.xy", "values": {"fcc": 0.9}, "interval": {"fcc": [0.8, 1.0]}, "in_domain": True}
    >>> page = descriptors_html({"command": "regress", "targets": ["fcc"], "scans": [row]})
    >>> "fcc is 0.90 (0.80 to 1.00)" in page, "a&lt;b.xy" in page, "://" in page
    (True, True, False)
    """
    whole = check_descriptors(document)
    scans, charts = whole["scans"], whole.get("charts") or ()
    found = scores_of(whole)
    blocks = [data_block("data-descriptors", descriptor_block(whole))]
    blocks += [data_block(f"data-chart-{i}", chart_block(chart)) for i, chart in enumerate(charts)]
    n_panels = len(scans) if len(scans) <= _MOST_PANELS and not charts else 0
    body = [
        _header(whole),
        _answer(whole, found, charts),
        warning_list(whole.get("warnings") or ()),
        tag("section", {"class": "card", "id": "scores"}, score_table(whole, found)) if found else "",
        _small(whole, found) if len(scans) > 1 else "",
        _explore(whole, found) if len(scans) > 1 else "",
        *(_chart(chart, i) for i, chart in enumerate(charts)),
        descriptor_overview(whole, set(range(n_panels))) if len(scans) > 1 else "",
        tag("main", {"id": "scans"}, *(_panel(whole, i) for i in range(n_panels)))
        if len(scans) > 1
        else tag("main", None, *(_only(whole, scan) for scan in scans)),
        failed_files(whole.get("failed") or ()),
        again(whole),
        provenance(whole),
        descriptor_words(),
    ]
    title = (
        f"Descriptors of {one_line(scans[0]['scan'], 80)}"
        if len(scans) == 1
        else f"Descriptors of {len(scans):,} scans"
    )
    return fill(title, join(body), join(blocks), _SCRIPTS)


def _header(whole: DescriptorDocument) -> Markup:
    n, targets = len(whole["scans"]), len(whole["targets"])
    counts = [f"{n:,} scan{'' if n == 1 else 's'},", f"{targets} descriptor{'' if targets == 1 else 's'}"]
    counts += [f"read by {one_line(whole['workflow'], 40)}"] if whole.get("workflow") else []
    return header("What is the microstructure?", counts, whole)


def _answer(whole: DescriptorDocument, found: Mapping[str, DescriptorScores], charts: Sequence[Chart]) -> Markup:
    told = tell_descriptors(whole)
    level = whole.get("level")
    facts = {"intervals made for": f"{100 * level:g} %" if level is not None else "–"}
    if found:
        best = min(found.items(), key=lambda pair: pair[1].nrmse if pair[1].nrmse == pair[1].nrmse else 9.0)
        worst = max(found.items(), key=lambda pair: pair[1].nrmse if pair[1].nrmse == pair[1].nrmse else -1.0)
        if best[0] != worst[0]:
            for word, (name, score) in (("best", best), ("worst", worst)):
                facts[word] = f"{one_line(name, 40)}, RMSE {significant(100 * score.nrmse, 2)} % of the range"
    places = {"parity": "Answers and truth" if found else "Values of all scans", "explore": "One descriptor closely"}
    links = [tag("a", {"href": f"#map-{key}"}, text) for key, text in places.items()] if len(whole["scans"]) > 1 else []
    links += [tag("a", {"href": f"#chart-{i}"}, one_line(chart["title"], 60)) for i, chart in enumerate(charts)]
    return tag(
        "section", {"class": f"card answer v-{told.verdict.name}"},
        badge(told),
        tag("h2", None, told.sentence),
        tag("p", {"class": "remark"}, told.remark + ".") if told.remark else "",
        tag("p", {"class": "sure"}, *(
            tag("span", None, f"{name} ", tag("b", None, value)) for name, value in facts.items() if value != "–"
        )),
        tag("p", {"class": "places"}, *links) if links else "",
    )  # fmt: skip


def _small(whole: DescriptorDocument, found: Mapping[str, DescriptorScores]) -> Markup:
    figures = []
    for k, name in enumerate(whole["targets"][:_MOST_GRID]):
        score = found.get(name)
        said = "" if score is None else f"RMSE {significant(score.rmse, 3)}"
        if score is not None and score.r2 == score.r2:
            said += f", R² {min(score.r2, 0.99999):.{3 if score.r2 < 0.9995 else 5}f}".replace("-", "−")
        said += "" if score is None or score.coverage is None else f", {100 * score.coverage:.0f} % held"
        figures.append(
            tag("div", {"class": "part"},
                tag("h3", None, tag("bdi", None, name), tag("span", {"class": "beside"}, said)),
                figure_place("small", "data-descriptors", f"{one_line(name, 60)}.", css="plot tiny", target=k))
        )  # fmt: skip
    note = (
        "Horizontal: the true value. Vertical: what was read off the scan, with its interval. On the line both agree."
        if found else "Vertical: what was read off each scan, with its interval, in the order of the scans."
    )  # fmt: skip
    return tag(
        "section", {"class": "card map", "id": "map-parity"},
        tag("h2", None, "Answers and truth" if found else "Values of all scans"),
        tag("p", {"class": "note"}, note),
        tag("div", {"class": "columns"}, *figures),
    )  # fmt: skip


def _explore(whole: DescriptorDocument, found: Mapping[str, DescriptorScores]) -> Markup:
    more = " Residuals are answers minus truth; they can be drawn against every descriptor." if found else ""
    dashed = " Dashed: least and largest value that was learned from." if whole.get("ranges") else ""
    note = f"Point at a scan to see its pattern and all its numbers.{more}{dashed}"
    figure = figure_place("explore", "data-descriptors", "One descriptor against others.")
    return map_card("map-explore", "One descriptor closely", note, figure)


def _chart(chart: Chart, i: int) -> Markup:
    figure = figure_place("chart", f"data-chart-{i}", f"{one_line(chart['title'], 100)}.", css="plot short")
    return map_card(f"chart-{i}", chart["title"], chart.get("note") or "", figure)


def _panel(whole: DescriptorDocument, i: int) -> Markup:
    scan = whole["scans"][i]
    told = tell_described(whole, scan)
    head = tag(
        "summary", None,
        badge(told), tag("h2", None, told.sentence), tag("span", {"class": "file"}, tag("bdi", None, scan["scan"])),
    )  # fmt: skip
    body = tag("div", {"class": "body"}, warning_list(scan.get("warnings") or ()), *_inside(whole, i))
    return tag("details", {"class": f"scan v-{told.verdict.name}", "id": f"scan-{i + 1}"}, head, body)


def _only(whole: DescriptorDocument, scan: DescriptorScan) -> Markup:
    """The one scan that there is, whose sentence stands above."""
    name = tag("p", {"class": "file"}, tag("bdi", None, scan["scan"]))
    return tag("section", {"class": "card"}, name, warning_list(scan.get("warnings") or ()), *_inside(whole, 0))


def _inside(whole: DescriptorDocument, i: int) -> list[Markup]:
    """All descriptors of a scan, and its pattern."""
    scan = whole["scans"][i]
    made = [scan_table(whole, scan)]
    if whole.get("curves") is not None:
        label = f"{one_line(scan['scan'], 120)}, the pattern."
        made.append(figure_place("pattern", "data-descriptors", label, css="plot short", target=i))
    return made
