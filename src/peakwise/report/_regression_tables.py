"""Tables of the report of descriptors: how good they are, all scans, one scan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from peakwise.errors import one_line
from peakwise.evaluation import wilson_interval
from peakwise.report._frame import choice, scan_overview, shared_folder
from peakwise.report._markup import Markup, tag
from peakwise.report._panel import badge, table
from peakwise.report._regression_verdict import DESCRIPTOR_VERDICTS, ends_of, tell_described, value_text
from peakwise.report._words import significant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peakwise.evaluation import DescriptorScores
    from peakwise.report._regression import DescriptorDocument, DescriptorScan

__all__ = ["descriptor_overview", "descriptor_words", "range_bar", "scan_table", "score_table"]

_MOST_ROWS = 2_000
_MOST_TARGETS = 12  # columns of the table of all scans


def score_table(whole: DescriptorDocument, found: Mapping[str, DescriptorScores]) -> Markup:
    """Return how far each descriptor is from the truth, and how often its interval holds it."""
    units = whole.get("units") or {}
    rows = []
    for name, score in found.items():
        held = ""
        if score.held is not None:
            low, high = wilson_interval(score.held, score.n)
            held = f"{100 * score.held / score.n:.1f} % ({100 * low:.0f} to {100 * high:.0f})"
        cells = [
            tag("th", {"scope": "row"}, tag("bdi", None, name)),
            *(tag("td", {"class": "n"}, text) for text in (
                f"{score.n:,}", _r2(score.r2), significant(score.rmse, 3), significant(score.mae, 3),
                significant(score.bias, 2), "–" if math.isnan(score.nrmse) else f"{100 * score.nrmse:.2g} %", held,
            )),
            tag("td", None, one_line(units.get(name) or "", 20)),
        ]  # fmt: skip
        rows.append(tag("tr", None, *cells))
    level = whole.get("level")
    inside = f"inside {100 * level:g} % intervals" if level is not None else "inside the intervals"
    columns: list[str | tuple[str, str]] = [
        "descriptor", ("scans", "n"), ("R²", "n"), ("RMSE", "n"), ("MAE", "n"), ("bias", "n"),
        ("RMSE of the range", "n"), (inside, "n"), "unit",
    ]  # fmt: skip
    return table("Compared with the truth", columns, rows, len(rows))


def _r2(value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return (f"{value:.3f}" if value < 0.9995 else f"{min(value, 0.99999):.5f}").replace("-", "−")


def descriptor_overview(whole: DescriptorDocument, has_panel: set[int]) -> Markup:
    """Return the table of all scans; a heading sorts, a row leads to its scan."""
    scans, targets, units = whole["scans"], whole["targets"][:_MOST_TARGETS], whole.get("units") or {}
    has_warnings = any(scan.get("warnings") for scan in scans[:_MOST_ROWS])
    folder = shared_folder([s["scan"] for s in scans])
    heads: list[tuple[str, str | None, str | None]] = [("#", "n", None), ("scan", None, None), ("domain", None, None)]
    for name in targets:
        unit = units.get(name)
        heads.append(
            (one_line(name, 40) + (f" [{one_line(unit, 20)}]" if unit and unit not in name else ""), "n", name)
        )
    heads += [("warnings", "n", None)] if has_warnings else []
    head = [
        tag("th", {"scope": "col", "class": css, "title": why}, tag("button", {"type": "button"}, text))
        for text, css, why in heads
    ]
    rows = [
        _row(whole, i, folder, targets, has_panel=i in has_panel, has_warnings=has_warnings)
        for i in range(min(len(scans), _MOST_ROWS))
    ]
    outside = sum(scan.get("in_domain") is False for scan in scans)
    found = {"inside": len(scans) - outside, "outside": outside}
    choices = [choice("", f"all ({len(scans):,})", is_on=True)]
    choices += [choice(n, f"{v.sign} {v.label} ({found[n]:,})") for n, v in DESCRIPTOR_VERDICTS.items() if found[n]]
    left = f"The first {_MOST_ROWS:,} of {len(scans):,} scans are listed; --csv has all. "
    cut = f"The first {_MOST_TARGETS} of {len(whole['targets'])} descriptors are listed."
    notes = (left if len(scans) > _MOST_ROWS else "") + (cut if len(whole["targets"]) > _MOST_TARGETS else "")
    return scan_overview(choices, "name of a scan", head, rows, notes, panels=bool(has_panel))


def _row(
    whole: DescriptorDocument, i: int, folder: int, targets: Sequence[str], *, has_panel: bool, has_warnings: bool
) -> Markup:
    scan = whole["scans"][i]
    told = tell_described(whole, scan)
    name = tag("bdi", {"title": scan["scan"] if folder else None}, scan["scan"][folder:])
    cells = [
        tag("td", {"class": "n", "data-sort": i}, f"{i + 1:,}"),
        tag("th", {"scope": "row", "data-sort": scan["scan"]}, tag("a", {"href": f"#scan-{i + 1}"}, name))
        if has_panel else tag("th", {"scope": "row", "data-sort": scan["scan"]}, name),
        tag("td", {"data-sort": list(DESCRIPTOR_VERDICTS).index(told.verdict.name)}, badge(told)),
    ]  # fmt: skip
    for target in targets:
        value, (low, high) = scan["values"].get(target), ends_of(scan, target)
        shown = value_text(value, low, high)
        number, _, rest = shown.partition(" (")
        ends = tag("span", {"class": "ends"}, f" ({rest}") if rest else ""
        cells.append(tag("td", {"class": "n", "data-sort": "" if value is None else value}, number, ends))
    if has_warnings:
        warned = len(scan.get("warnings") or ())
        cells.append(tag("td", {"class": "n", "data-sort": warned}, str(warned) if warned else ""))
    return tag("tr", {"data-verdict": told.verdict.name, "data-scan": f"scan-{i + 1}"}, *cells)


def scan_table(whole: DescriptorDocument, scan: DescriptorScan) -> Markup:
    """Return the descriptors of one scan, each with its interval within the range that was learned from."""
    units, ranges = whole.get("units") or {}, whole.get("ranges") or {}
    truth = scan.get("truth") or {}
    rows = []
    for name in whole["targets"]:
        value, (low, high) = scan["values"].get(name), ends_of(scan, name)
        number, _, rest = value_text(value, low, high).partition(" (")
        known = ranges.get(name)
        cells = [
            tag("th", {"scope": "row"}, tag("bdi", None, name)),
            tag("td", {"class": "n"}, number),
            tag("td", {"class": "n"}, rest.removesuffix(")")),
            tag("td", {"class": "n"}, significant(truth.get(name))) if truth else "",
            tag("td", None, one_line(units.get(name) or "", 20)),
            tag("td", {"class": "bars wide"}, range_bar(value, low, high, known, truth.get(name))),
            tag("td", {"class": "n"}, f"{significant(known[0], 3)} to {significant(known[1], 3)}" if known else ""),
        ]
        rows.append(tag("tr", None, *cells))
    level = whole.get("level")
    columns: list[str | tuple[str, str]] = [
        "descriptor", ("value", "n"), (f"{100 * level:g} % interval" if level is not None else "interval", "n"),
        *([("truth", "n")] if truth else []), "unit", ("", "bars wide"), ("learned from", "n"),
    ]  # fmt: skip
    return table("Descriptors", columns, rows, len(rows))


def range_bar(
    value: float | None, low: float | None, high: float | None, known: Sequence[Any] | None, truth: float | None = None
) -> Markup:
    """Return a bar of the range that was learned from, with the interval, the value and the truth in it."""
    ends = [v for v in (known or ()) if v is not None and math.isfinite(v)]
    if len(ends) != 2 or not ends[1] > ends[0] or value is None or not math.isfinite(value):
        return Markup("")
    room = 0.15 * (ends[1] - ends[0])
    first, last = ends[0] - room, ends[1] + room

    def at(v: float) -> float:
        return 100 * float(min(max((v - first) / (last - first), 0.0), 1.0))

    parts = [tag("rect", {"class": "track", "x": f"{at(ends[0]):.1f}%", "width": f"{at(ends[1]) - at(ends[0]):.1f}%",
                          "y": "25%", "height": "50%"})]  # fmt: skip
    if low is not None and high is not None and math.isfinite(low) and math.isfinite(high):
        wide = max(at(high) - at(low), 0.5)
        parts.append(tag("rect", {"class": "reach", "x": f"{at(low):.1f}%", "width": f"{wide:.1f}%", "height": "100%"}))
    parts.append(
        tag("rect", {"class": "spot", "x": f"{max(at(value) - 0.8, 0):.1f}%", "width": "1.6%", "height": "100%"})
    )
    if truth is not None and math.isfinite(truth):
        parts.append(tag("circle", {"class": "true", "cx": f"{at(truth):.1f}%", "cy": "50%", "r": "3"}))
    return tag("svg", {"class": "bar range", "aria-hidden": "true"}, *parts)


def descriptor_words() -> Markup:
    """Return what the words of the report mean."""
    told = [(f"{v.sign} {v.label}", v.meaning) for v in DESCRIPTOR_VERDICTS.values()]
    told += [
        (
            "interval",
            "made, from scans that were kept away, to hold the true value as often as is said; of scans inside",
        ),
        ("learned from", "least and largest value among the scans that were learned from"),
        ("R²", "share of the differences between true values that the answers explain; 1 is all"),
        ("RMSE, MAE", "root of the mean square, and mean size, of answer minus truth"),
        ("bias", "mean of answer minus truth: an error that all scans share"),
        ("residual", "answer minus truth"),
    ]
    rows = [tag("div", None, tag("dt", None, word), tag("dd", None, meaning)) for word, meaning in told]
    return tag(
        "details", {"class": "card", "id": "words"}, tag("summary", None, "What the words mean"), tag("dl", None, *rows)
    )
