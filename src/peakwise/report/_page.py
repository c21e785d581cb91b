"""The whole report: one HTML file that loads nothing, from anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from peakwise.errors import OptionError, one_line
from peakwise.report._answer import check_document
from peakwise.report._curves import embed
from peakwise.report._frame import again, failed_files, fill, header, provenance, save_page
from peakwise.report._markup import Markup, data_block, join, tag
from peakwise.report._panel import badge, composition, panel, warning_list
from peakwise.report._verdict import VERDICTS, Told, tell
from peakwise.report._words import percent, probability

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from peakwise.report._answer import Document, ScanAnswer

__all__ = ["identification_html", "write_identification_html"]

_COLOURS = 8  # in the style sheet
_FEW = 6  # scans that are open from the beginning
_POINTS = 20_000  # of one scan
_ALL_POINTS = 2_000_000  # of the file: some 20 MB
_FEWEST_POINTS = 1_000  # a scan is not thinned below
_MOST_DRAWN = 1_000  # scans with an overlay
_SCRIPTS = ("pen.js", "axes.js", "scale.js", "drawing.js", "plot.js", "behaviour.js", "page.js", "overview.js")


def write_identification_html(document: Document, path: str | os.PathLike[str], *, max_points: int = _POINTS) -> None:
    """Write the report of an identification as one HTML file.

    The file appears whole or not at all; one of the same name is replaced.

    Parameters
    ----------
    document : Document
        What ``peakwise identify --json`` prints.
    path : path-like
        Where it goes, for example "report.html".
    max_points : int
        Most points of one overlay; see `identification_html`.

    Examples
    --------
    >>> target = getfixture("tmp_path") / "report.html"
    >>> write_identification_html({"command": "identify", "scans": []}, target)
    >>> target.read_text(encoding="utf-8")[:15]
    '<!doctype html>'
    """
    save_page(identification_html(document, max_points=max_points), path)


def identification_html(document: Document, *, max_points: int = _POINTS) -> str:
    """Return the report of an identification as HTML.

    The page loads nothing: styles, script and data are inside, and its content security policy forbids the rest.

    Parameters
    ----------
    document : Document
        What ``peakwise identify --json`` prints.
    max_points : int
        Most points of one overlay, at least 100. A longer scan keeps the lowest and the highest point of each stretch,
        and the page says so. Of many scans each may have fewer, so that all have at most two million.

    Examples
    --------
    >>> scan = {"scan": "a.xy", "phases": [{"phase": "rutile", "probability": 0.98}], "warnings": ["1 < 2"]}
    >>> page = identification_html({"command": "identify", "scans": [scan]})
    >>> "rutile, probability 0.98" in page, "1 &lt; 2" in page, "://" in page
    (True, True, False)
    """
    if isinstance(max_points, bool) or not isinstance(max_points, int) or max_points < 100:
        raise OptionError(
            "cannot report the answer", f"max_points must be at least 100, got {max_points!r}", "Raise it"
        )
    whole = check_document(document)
    scans, n_phases = whole["scans"], _library_size(whole)
    told = [tell(scan, n_phases) for scan in scans]
    palette = _palette(scans)
    most = max(min(max_points, _ALL_POINTS // max(len(scans), 1)), min(max_points, _FEWEST_POINTS))
    panels, blocks = [], []
    for i, scan in enumerate(scans):
        colours = _colours(scan, palette)
        block = embed(scan, colours, most) if i < _MOST_DRAWN else None
        if block is not None:
            blocks.append(data_block(f"data-{i + 1}", block))
        place = _plot_place(i, scan, block)
        panels.append(panel(i, scan, told[i], colours, is_open=len(scans) <= _FEW, plot=place))
    body = [
        _header(whole, told),
        warning_list(whole.get("warnings") or ()),
        _overview(scans, told, palette) if len(scans) > 1 else "",
        tag("main", {"id": "scans"}, *panels),
        failed_files(whole.get("failed") or ()),
        again(whole),
        provenance(whole),
        _legend(),
    ]
    return fill(_title(whole), join(body), join(blocks), _SCRIPTS)


def _title(whole: Document) -> str:
    scans = whole["scans"]
    what = one_line(scans[0]["scan"], 80) if len(scans) == 1 else f"{len(scans)} scans"
    return f"Identification: {what}"


def _library_size(whole: Document) -> int | None:
    library = (whole.get("provenance") or {}).get("library")
    n = library.get("n_phases") if isinstance(library, Mapping) else None
    return n if isinstance(n, int) and not isinstance(n, bool) and n > 0 else None


def _palette(scans: Sequence[ScanAnswer]) -> dict[str, int]:
    """A colour for each phase, the same in all panels: those that occur most first."""
    counts = Counter(p["phase"] for scan in scans for p in scan["phases"])
    return {name: i for i, (name, _) in enumerate(counts.most_common())}


def _colours(scan: ScanAnswer, palette: Mapping[str, int]) -> list[int]:
    """Colours of the phases of one scan; a rare phase takes one that this scan does not use yet."""
    wanted = [palette[p["phase"]] for p in scan["phases"]]
    free = [c for c in range(_COLOURS) if c not in wanted]
    return [c if c < _COLOURS else free.pop(0) if free else c % _COLOURS for c in wanted]


def _header(whole: Document, told: Sequence[Told]) -> Markup:
    failed = len(whole.get("failed") or ())
    bad = VERDICTS["failed"]
    link = tag("a", {"href": "#failed", "class": "badge v-failed"}, f"{bad.sign} {failed:,} {bad.label}")
    n = _library_size(whole)
    counts = [f"{len(told):,} scan{'' if len(told) == 1 else 's'}", f"compared with {n:,} phases" if n else ""]
    return header("Which phases?", counts, whole, *([link] if failed else []))


def _overview(scans: Sequence[ScanAnswer], told: Sequence[Told], palette: Mapping[str, int]) -> Markup:
    rows = []
    order = list(VERDICTS)
    for i, (scan, said) in enumerate(zip(scans, told, strict=True)):
        phases, fit = scan["phases"], scan.get("fit") or {}
        known = [p["probability"] for p in phases if p["probability"] is not None]
        least, rwp, warned = min(known, default=None), fit.get("rwp"), len(scan.get("warnings") or ())
        peaks = len(fit["unexplained"]) if "unexplained" in fit else None
        link = tag("a", {"href": f"#scan-{i + 1}"}, tag("bdi", None, scan["scan"]))
        names = [tag("li", None, tag("bdi", None, p["phase"])) for p in phases[:6]]
        cells = [
            _cell(i, str(i + 1), "n"),
            tag("th", {"scope": "row", "data-sort": scan["scan"]}, link),
            _cell(order.index(said.verdict.name), badge(said)),
            _cell(", ".join(p["phase"] for p in phases), tag("ul", {"class": "names"}, *names)),
            _cell(phases[0].get("weight_fraction") if phases else None, composition(phases, _colours(scan, palette))),
            _cell(least, probability(least), "n"),
            _cell(rwp, percent(rwp), "n"),
            _cell(peaks, "–" if peaks is None else str(peaks), "n"),
            _cell(warned, str(warned) if warned else "", "n"),
        ]
        rows.append(tag("tr", {"data-verdict": said.verdict.name, "data-scan": f"scan-{i + 1}"}, *cells))
    titles = (
        ("#", "n", "position in the series"), ("scan", "", ""), ("verdict", "", ""), ("phases", "", ""),
        ("weight", "", "sorted by the first phase"), ("probability", "n", "of the least sure phase"),
        ("Rwp", "n", "weighted profile residual"), ("unexplained", "n", "peaks"), ("warnings", "n", ""),
    )  # fmt: skip
    heads = [
        tag("th", {"scope": "col", "class": css or None, "title": why or None}, tag("button", {"type": "button"}, name))
        for name, css, why in titles
    ]
    found = Counter(said.verdict.name for said in told)
    choices = [_choice("", f"all ({len(told):,})", is_on=True)]
    choices += [_choice(name, f"{v.sign} {v.label} ({found[name]:,})") for name, v in VERDICTS.items() if found[name]]
    heading, body = tag("thead", None, tag("tr", None, *heads)), tag("tbody", None, *rows)
    search = tag("input", {"type": "search", "placeholder": "name of a scan or phase", "aria-label": "Search"})
    return tag(
        "section", {"id": "overview"},
        tag("h2", None, "Overview"),
        tag("div", {"class": "tools", "role": "group", "aria-label": "Filter"}, *choices, search,
            tag("output", {"id": "shown"})),
        tag("div", {"class": "scroll"},
            tag("table", {"class": "sortable"}, heading, body)),
        tag("div", {"class": "tools"},
            tag("button", {"type": "button", "id": "open-all"}, "open all shown"),
            tag("button", {"type": "button", "id": "close-all"}, "close all")),
    )  # fmt: skip


def _choice(verdict: str, text: str, *, is_on: bool = False) -> Markup:
    css = f"filter v-{verdict or 'all'}"
    pressed = "true" if is_on else "false"
    return tag("button", {"type": "button", "class": css, "data-verdict": verdict, "aria-pressed": pressed}, text)


def _cell(key: object, shown: object, css: str | None = None) -> Markup:
    return tag("td", {"class": css, "data-sort": "" if key is None else key}, shown)


def _plot_place(i: int, scan: ScanAnswer, block: Mapping[str, Any] | None) -> Markup:
    if block is None:
        why = "The answer holds no curves, so there is no overlay."
        if scan.get("curves") is not None:
            why = f"Only the first {_MOST_DRAWN:,} scans have an overlay: report on this one alone to see it."
        return tag("p", {"class": "note"}, why)
    kept, of = block["n"], block["of"]
    thinned = (
        f"Drawn from {kept:,} of {of:,} points: the lowest and the highest of each stretch." if kept < of else None
    )
    names = ", ".join(p["phase"] for p in scan["phases"]) or "no phase"
    label = f"Overlay of {scan['scan']}: observed and calculated intensity, {names}"
    return tag(
        "figure", {"class": "plot", "data-block": f"data-{i + 1}", "data-label": label},
        tag("noscript", None, tag("p", {"class": "note"}, "The plot needs JavaScript; nothing else here does.")),
        tag("figcaption", {"class": "note"}, thinned) if thinned else "",
    )  # fmt: skip


def _legend() -> Markup:
    words = [(f"{v.sign} {v.label}", v.meaning) for v in VERDICTS.values()]
    words += [
        ("probability", "how often an answer with this number is right, as far as the model is calibrated"),
        ("none_of_these", "how likely it is that what is in the scan is in no phase of the library"),
        ("weight", "share of the crystalline part, by weight, of the phases of the answer; ± one standard uncertainty"),
        ("Rwp", "what the fit leaves over, weighted by the counting noise; 0 is perfect"),
        ("unexplained", "peaks of the scan at which no phase of the answer has enough intensity"),
        ("‰", "change of the refined cell from that of the CIF, per mille; more than 10 is marked"),
    ]
    rows = [tag("div", None, tag("dt", None, word), tag("dd", None, meaning)) for word, meaning in words]
    return tag(
        "details", {"class": "card", "id": "words"}, tag("summary", None, "What the words mean"), tag("dl", None, *rows)
    )
