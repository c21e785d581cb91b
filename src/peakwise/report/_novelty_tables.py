"""Tables of the report of a search for the new: all scans, unexplained peaks, parts of a mixture."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from peakwise.errors import one_line
from peakwise.report._frame import choice, scan_overview, shared_folder
from peakwise.report._markup import Markup, tag
from peakwise.report._novelty_verdict import NOVELTY_VERDICTS, p_text
from peakwise.report._panel import badge, bar, table
from peakwise.report._words import significant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peakwise.report._novelty import NoveltyDocument, NoveltyScan
    from peakwise.report._verdict import Told

__all__ = ["overview", "parts_table", "peaks_table", "words"]

_MOST_ROWS = 2_000
_TITLES = (
    ("#", "n", "number of the scan in the answer"), ("scan", "", ""), ("answer", "", ""),
    ("score", "n", "larger is stranger"), ("p-value", "n", "share of known scans that are at least as strange"),
    ("nearest known", "", ""),
    ("unexplained", "n", "peaks that the nearest known scan lacks"), ("why", "", ""), ("warnings", "n", ""),
)  # fmt: skip


def overview(whole: NoveltyDocument, order: Sequence[int], told: Sequence[Told], has_panel: set[int]) -> Markup:
    """Return the table of all scans, the strangest first; of very many those that are strangest."""
    scans = whole["scans"]
    has_warnings = any(scans[i].get("warnings") for i in order[:_MOST_ROWS])
    folder = shared_folder([s["scan"] for s in scans])
    rows = [
        _row(i, scans[i], told[i], folder=folder, has_panel=i in has_panel, has_warnings=has_warnings)
        for i in order[:_MOST_ROWS]
    ]
    heads = [
        tag("th", {"scope": "col", "class": css or None, "title": why or None}, tag("button", {"type": "button"}, name))
        for name, css, why in _TITLES[: None if has_warnings else -1]
    ]
    found = Counter(said.verdict.name for said in told)
    choices = [choice("", f"all ({len(told):,})", is_on=True)]
    choices += [
        choice(name, f"{v.sign} {v.label} ({found[name]:,})") for name, v in NOVELTY_VERDICTS.items() if found[name]
    ]
    left = (
        f"The {_MOST_ROWS:,} strangest of {len(scans):,} scans are listed; --csv has all."
        if len(scans) > _MOST_ROWS
        else ""
    )
    return scan_overview(choices, "name of a scan or phase", heads, rows, left, panels=True)


def _row(i: int, scan: NoveltyScan, said: Told, *, folder: int, has_panel: bool, has_warnings: bool) -> Markup:
    name = tag("bdi", {"title": scan["scan"] if folder else None}, scan["scan"][folder:])
    link = tag("a", {"href": f"#scan-{i + 1}"}, name) if has_panel else name
    peaks, warned = len(scan.get("unexplained") or ()), len(scan.get("warnings") or ())
    why = one_line((scan.get("why") or [""])[0], 140)
    cells = [
        _cell(i, f"{i + 1:,}", "n"),
        tag("th", {"scope": "row", "data-sort": scan["scan"]}, link),
        _cell(list(NOVELTY_VERDICTS).index(said.verdict.name), badge(said)),
        _cell(scan.get("score"), significant(scan.get("score"), 3), "n"),
        _cell(scan.get("p_value"), p_text(scan.get("p_value")), "n"),
        _cell(scan.get("nearest"), tag("bdi", None, scan.get("nearest") or "–")),
        _cell(peaks, str(peaks) if peaks else "", "n"),
        _cell(why, why),
        _cell(warned, str(warned) if warned else "", "n") if has_warnings else "",
    ]  # fmt: skip
    return tag("tr", {"data-verdict": said.verdict.name, "data-scan": f"scan-{i + 1}"}, *cells)


def _cell(key: object, shown: object, css: str | None = None) -> Markup:
    return tag("td", {"class": css, "data-sort": "" if key is None else key}, shown)


def peaks_table(scan: NoveltyScan, curves: Mapping[str, Any] | None) -> Markup:
    """Return the peaks that nothing known explains, or nothing."""
    peaks = scan.get("unexplained") or ()
    if not peaks:
        return Markup("")
    unit = (curves or {}).get("unit") or ""
    has_d = any(p.get("d") is not None for p in peaks)
    top = max((p.get("intensity") or 0.0 for p in peaks), default=0.0)
    rows = []
    for i, peak in enumerate(peaks[:200]):
        at = float(peak["axis"] or 0.0)
        go = {"type": "button", "class": "go", "data-x": f"{at:.6f}", "title": "show in the plot"}
        size = peak.get("intensity")
        cells = [
            tag("td", {"class": "n"}, str(i + 1)),
            tag("td", {"class": "n"}, tag("button", go, significant(at, 5)) if curves else significant(at, 5)),
            tag("td", {"class": "n"}, significant(peak.get("d"), 5)) if has_d else "",
            tag("td", {"class": "n"}, "–" if size is None else f"{100 * size:.3g} %"),
            tag("td", {"class": "bars"}, bar((size or 0.0) / top if top > 0 else None)),
        ]  # fmt: skip
        rows.append(tag("tr", None, *cells))
    place = f"position [{one_line(unit, 20)}]" if unit else "position"
    columns: list[str | tuple[str, str]] = [("", "n"), (place, "n")]
    columns += ([("d [Å]", "n")] if has_d else []) + [("of the highest", "n"), ("", "bars")]
    return table("Peaks that nothing known explains", columns, rows, len(peaks))


def parts_table(scan: NoveltyScan) -> Markup:
    """Return the parts of a mixture, or nothing."""
    parts = scan.get("mixture") or ()
    if not parts:
        return Markup("")
    rows = [
        tag("tr", None, tag("th", {"scope": "row"}, tag("bdi", None, p["name"])),
            tag("td", {"class": "n"}, "–" if p.get("share") is None else f"{100 * p['share']:.0f} %"),
            tag("td", {"class": "bars"}, bar(p.get("share"))))
        for p in parts[:200]
    ]  # fmt: skip
    return table("Parts of the mixture", ["known", ("share of the signal", "n"), ("", "bars")], rows, len(parts))


def words() -> Markup:
    """Return what the words of the report mean."""
    told = [(f"{v.sign} {v.label}", v.meaning) for v in NOVELTY_VERDICTS.values()]
    told += [
        ("score", "how unlike the known scans a scan is; 0 is usual for them, larger is stranger"),
        ("p-value", "share of scans like the known ones that would be at least as strange; small is strange"),
        ("false alarms", "scans like the known ones that are called new all the same, as often as was allowed"),
        ("nearest known", "the known scan, or the phase, that is most like this one; it need not be alike"),
        ("unexplained", "peaks of the scan that the nearest known one does not have"),
    ]
    rows = [tag("div", None, tag("dt", None, word), tag("dd", None, meaning)) for word, meaning in told]
    return tag(
        "details", {"class": "card", "id": "words"}, tag("summary", None, "What the words mean"), tag("dl", None, *rows)
    )
