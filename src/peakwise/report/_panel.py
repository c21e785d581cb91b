"""One scan of the report: its verdict, warnings, plot and tables, as HTML."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from peakwise.report._markup import Markup, chemical, tag
from peakwise.report._words import amount, percent, probability, signed, significant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.report._answer import PhaseAnswer, ScanAnswer
    from peakwise.report._verdict import Told

__all__ = ["badge", "bar", "composition", "panel", "table", "warning_list"]

_MOST_ROWS = 200  # of a table inside a panel; the rest is counted
_LARGE_CHANGE = 10.0  # per mille of a cell edge: more than heating or a solid solution usually gives
_CELL = ("a", "b", "c", "α", "β", "γ")


def panel(index: int, scan: ScanAnswer, told: Told, colours: Sequence[int], *, is_open: bool, plot: Markup) -> Markup:
    """Return the panel of one scan. `plot` is the place of its overlay, or the reason why there is none."""
    head = tag(
        "summary", None,
        badge(told),
        tag("h2", None, told.sentence),
        tag("span", {"class": "file"}, tag("bdi", None, scan["scan"])),
    )  # fmt: skip
    side = tag("div", None, _unexplained(scan), _fit(scan))
    body = [
        tag("p", {"class": "remark"}, told.remark + ".") if told.remark else "",
        warning_list(scan.get("warnings") or ()),
        _phases(scan["phases"], colours),
        plot,
        tag("div", {"class": "columns two"}, _candidates(scan), side),
        _cells(scan["phases"]),
    ]
    return tag(
        "details",
        {"class": f"scan v-{told.verdict.name}", "id": f"scan-{index + 1}", "open": is_open},
        head, tag("div", {"class": "body"}, *body),
    )  # fmt: skip


def badge(told: Told) -> Markup:
    """Return the kind of an answer as a sign and a word."""
    kind = told.verdict
    sign = tag("span", {"aria-hidden": "true"}, kind.sign)
    return tag("span", {"class": f"badge v-{kind.name}", "title": kind.meaning}, sign, Markup(" "), kind.label)


def warning_list(warnings: Sequence[str]) -> Markup:
    """Return warnings so that they are seen, or nothing."""
    if not warnings:
        return Markup("")
    rows = [*warnings[:_MOST_ROWS], *([_more(len(warnings))] if len(warnings) > _MOST_ROWS else [])]
    return tag("ul", {"class": "warnings", "aria-label": "Warnings"}, *(tag("li", None, text) for text in rows))


def table(caption: str, columns: Sequence[str | tuple[str, str]], rows: Sequence[Markup], total: int) -> Markup:
    """Return a table; a column is its title, or title and class."""
    pairs = [(c, "") if isinstance(c, str) else c for c in columns]
    head = tag("tr", None, *(tag("th", {"scope": "col", "class": css or None}, title) for title, css in pairs))
    return tag(
        "section", {"class": "part"},
        tag("h3", None, caption),
        tag("div", {"class": "scroll"}, tag("table", None, tag("thead", None, head), tag("tbody", None, *rows))),
        tag("p", {"class": "more"}, _more(total)) if total > _MOST_ROWS else "",
    )  # fmt: skip


def bar(value: float | None, colour: int | None = None) -> Markup:
    """Return a bar of length `value` (0 to 1). It is SVG since the page allows no style of an element."""
    if value is None or not math.isfinite(value):
        return Markup("")
    css = "fill" if colour is None else f"fill c{colour}"
    width = f"{100 * min(max(value, 0.0), 1.0):.1f}%"
    return tag(
        "svg", {"class": "bar", "aria-hidden": "true"},
        tag("rect", {"class": "track", "width": "100%", "height": "100%"}),
        tag("rect", {"class": css, "width": width, "height": "100%"}),
    )  # fmt: skip


def composition(phases: Sequence[PhaseAnswer], colours: Sequence[int]) -> Markup:
    """Return the weight fractions as one bar."""
    pairs = [(p.get("weight_fraction"), c) for p, c in zip(phases, colours, strict=True)]
    known = [(w, c) for w, c in pairs if w is not None and math.isfinite(w) and w > 0]
    total, start, parts = max(sum(w for w, _ in known), 1.0), 0.0, []
    for weight, colour in known:
        share = 100 * weight / total
        place = {"class": f"fill c{colour}", "x": f"{start:.2f}%", "width": f"{share:.2f}%", "height": "100%"}
        parts.append(tag("rect", place))
        start += share
    return tag("svg", {"class": "bar whole", "aria-hidden": "true"}, *parts) if parts else Markup("")


def _phases(phases: Sequence[PhaseAnswer], colours: Sequence[int]) -> Markup:
    if not phases:
        return Markup("")
    rows = [
        tag(
            "tr", None,
            tag("th", {"scope": "row"}, _swatch(c), tag("bdi", None, p["phase"])),
            tag("td", None, chemical(p.get("formula"))),
            tag("td", {"class": "sg"}, p.get("space_group") or ""),
            tag("td", {"class": "bars"}, bar(p.get("weight_fraction"), c)),
            tag("td", {"class": "n"}, amount(p.get("weight_fraction"), p.get("weight_fraction_error")) or "–"),
            tag("td", {"class": "bars"}, bar(p.get("probability"))),
            tag("td", {"class": "n"}, probability(p.get("probability"))),
        )
        for p, c in zip(phases[:_MOST_ROWS], colours, strict=False)
    ]  # fmt: skip
    columns: list[str | tuple[str, str]] = [
        "phase",
        "formula",
        "space group",
        ("", "bars"),
        ("weight", "n"),
        ("", "bars"),
        ("probability", "n"),
    ]
    return table("Phases", columns, rows, len(phases))


def _candidates(scan: ScanAnswer) -> Markup:
    many = scan.get("candidates") or ()
    if not many:
        return Markup("")
    answered = {p["phase"] for p in scan["phases"]}
    has_score = any(c.get("score") is not None for c in many)
    rows = [
        tag(
            "tr", {"class": "answered" if c["phase"] in answered else None},
            tag("td", {"class": "n"}, str(i + 1)),
            tag("th", {"scope": "row"}, tag("bdi", None, c["phase"]), "\u00a0✓" if c["phase"] in answered else ""),
            tag("td", None, chemical(c.get("formula"))),
            tag("td", {"class": "sg"}, c.get("space_group") or ""),
            tag("td", {"class": "bars"}, bar(c.get("probability"))),
            tag("td", {"class": "n"}, probability(c.get("probability"))),
            tag("td", {"class": "n"}, significant(c.get("score"), 3)) if has_score else "",
        )
        for i, c in enumerate(many[:_MOST_ROWS])
    ]  # fmt: skip
    none = scan.get("none_of_these")
    if none is not None:
        cells = [
            tag("td", None),
            tag("th", {"scope": "row", "colspan": "3"}, "none of these"),
            tag("td", {"class": "bars"}, bar(none)),
            tag("td", {"class": "n"}, probability(none)),
            tag("td", None) if has_score else "",
        ]
        rows.append(tag("tr", {"class": "none"}, *cells))
    columns: list[str | tuple[str, str]] = [("", "n"), "candidate", "formula", "space group", ("", "bars")]
    columns += [("probability", "n")] + ([("score", "n")] if has_score else [])
    return table("Candidates", columns, rows, len(many))


def _unexplained(scan: ScanAnswer) -> Markup:
    fit = scan.get("fit")
    if fit is None or "unexplained" not in fit:
        return Markup("")
    peaks = fit["unexplained"] or ()
    if not peaks:
        return tag("section", {"class": "part"}, tag("h3", None, "Unexplained peaks"), tag("p", None, "None."))
    unit = _unit(scan)
    top = max((p.get("intensity") or 0.0 for p in peaks), default=0.0)
    rows = [
        tag(
            "tr", None,
            tag("td", {"class": "n"}, str(i + 1)),
            tag("td", {"class": "n"}, _go(p["axis"], f"{p['axis']:.3f}")),
            tag("td", {"class": "n"}, significant(p.get("d"), 5)),
            tag("td", {"class": "n"}, significant(p.get("intensity"), 3)),
            tag("td", {"class": "bars"}, bar((p.get("intensity") or 0.0) / top if top > 0 else None)),
        )
        for i, p in enumerate(peaks[:_MOST_ROWS])
    ]  # fmt: skip
    place = f"position [{unit}]" if unit else "position"
    columns: list[str | tuple[str, str]] = [("", "n"), (place, "n"), ("d [Å]", "n"), ("intensity", "n"), ("", "bars")]
    return table("Unexplained peaks", columns, rows, len(peaks))


def _fit(scan: ScanAnswer) -> Markup:
    fit = scan.get("fit")
    if not fit:
        return Markup("")
    unit = _unit(scan)
    facts: list[tuple[object, str]] = []
    for key, value in fit.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if key == "rwp":
            title = "weighted profile residual"
            facts.append((tag("span", {"title": title}, "R", tag("sub", None, "wp")), percent(value)))
        elif key in ("zero_shift", "displacement"):
            facts.append((key.replace("_", " "), f"{signed(value, 4)} {unit}"))
        else:
            facts.append((key.replace("_", " "), significant(value)))
    if not facts:
        return Markup("")
    pairs = [tag("div", None, tag("dt", None, name), tag("dd", None, value)) for name, value in facts]
    return tag("section", {"class": "part"}, tag("h3", None, "Fit"), tag("dl", None, *pairs))


def _unit(scan: ScanAnswer) -> str:
    curves = scan.get("curves")
    return (curves.get("unit") if curves else None) or ""


def _cells(phases: Sequence[PhaseAnswer]) -> Markup:
    rows = []
    for phase in phases[:_MOST_ROWS]:
        refined, start = phase.get("cell"), phase.get("cell_start")
        if refined is None:
            continue
        cells = [_edge(i, refined, start) for i in range(6)]
        rows.append(tag("tr", None, tag("th", {"scope": "row"}, tag("bdi", None, phase["phase"])), *cells))
    if not rows:
        return Markup("")
    columns: list[str | tuple[str, str]] = ["phase"]
    columns += [(f"{name} [{'Å' if i < 3 else '°'}]", "n") for i, name in enumerate(_CELL)]
    inner = table("Refined cells, and their change from the CIF", columns, rows, len(rows))
    return tag("div", {"class": "cells"}, inner)


def _edge(i: int, refined: Sequence[float], start: Sequence[float] | None) -> Markup:
    text = f"{refined[i]:.4f}" if i < 3 else f"{refined[i]:.3f}".rstrip("0").rstrip(".")
    if start is None or not start[i]:
        return tag("td", {"class": "n"}, text)
    change = 1000 * (refined[i] / start[i] - 1)
    said = f"{signed(change, 2)} ‰" if abs(change) >= 0.005 else "unchanged" if i < 3 else ""
    css = "change large" if abs(change) > _LARGE_CHANGE else "change"
    return tag("td", {"class": "n", "title": f"in the CIF: {start[i]:g}"}, text, tag("span", {"class": css}, said))


def _swatch(colour: int) -> Markup:
    return tag("span", {"class": f"swatch b{colour}", "aria-hidden": "true"})


def _go(x: float, text: str) -> Markup:
    """A number that the page's script makes a way to its place in the plot."""
    return tag("button", {"type": "button", "class": "go", "data-x": f"{x:.6f}", "title": "show in the plot"}, text)


def _more(n: int) -> str:
    return f"and {n - _MOST_ROWS:,} more"
