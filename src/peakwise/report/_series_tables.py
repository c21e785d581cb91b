"""Tables of the report of a series: boundaries, stretches of one state, peaks that changed, what speaks for it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.report._markup import Markup, join, tag
from peakwise.report._panel import bar, table
from peakwise.report._series import state_name, states_of
from peakwise.report._series_verdict import SERIES_VERDICTS, rounded, with_unit
from peakwise.report._words import plain, probability, signed, significant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from peakwise.report._series import Change, ClusterDocument, TransitionDocument

__all__ = ["boundaries_table", "changed_table", "evidence_list", "groups_table", "stretches_table", "words"]

_MOST_ROWS = 200
_MOST_FACTS = 60


def boundaries_table(whole: TransitionDocument) -> Markup:
    """Return the boundaries: where, how sure, and where other methods put them."""
    found, patterns = whole["boundaries"], whole["patterns"]
    if not found:
        return Markup("")
    variable: Mapping[str, Any] = whole.get("variable") or {}
    name, unit = variable.get("name"), variable.get("unit")
    has_value = bool(name) and any(b.get("value") is not None for b in found)
    has_zone = any(_is_wide(b.get("zone")) for b in found)
    methods = list(dict.fromkeys(m for b in found for m in b.get("agreement") or ()))[:8]
    rows = []
    for k, b in enumerate(found[:_MOST_ROWS]):
        after = int(b["after"])
        ends = [tag("bdi", None, patterns[i]["pattern"]) for i in (after, after + 1)]
        cells = [
            tag("td", {"class": "n"}, str(k + 1)),
            tag("td", {"class": "n"}, _value(b)) if has_value else "",
            tag("td", {"class": "n"}, _values(b.get("value_interval"))) if has_value else "",
            tag("td", {"class": "n"}, _go(after, f"{after + 1:,} | {after + 2:,}")),
            tag("td", {"class": "n"}, _places(b.get("interval"))),
            tag("td", {"class": "n"}, _places(b.get("zone")) if _is_wide(b.get("zone")) else "") if has_zone else "",
            tag("td", {"class": "bars"}, bar(b.get("confidence"))),
            tag("td", {"class": "n"}, probability(b.get("confidence"))),
            *(tag("td", {"class": "n"}, _agrees(b, m)) for m in methods),
            tag("td", None, ends[0], " | ", ends[1]),
        ]
        rows.append(tag("tr", None, *cells))
    columns: list[str | tuple[str, str]] = [("", "n")]
    columns += [(with_unit(str(name), f"[{unit}]" if unit else None), "n"), ("interval", "n")] if has_value else []
    columns += [("between no.", "n"), ("somewhere in", "n")] + ([("changes over", "n")] if has_zone else [])
    columns += [("", "bars"), ("confidence", "n")]
    columns += [(m.replace("_", " "), "n") for m in methods] + ["patterns"]
    return table("Transitions", columns, rows, len(found))


def stretches_table(whole: TransitionDocument) -> Markup:
    """Return the stretches between boundaries, each with its state."""
    patterns, states = whole["patterns"], states_of(whole["patterns"])
    if not patterns:
        return Markup("")
    starts = [0, *(int(b["after"]) + 1 for b in whole["boundaries"]), len(patterns)]
    variable = whole.get("variable")
    has_value = variable is not None and any(p.get("value") is not None for p in patterns)
    rows = []
    for start, stop in pairwise(starts):
        inside = range(start, stop)
        if not inside:
            continue
        state = Counter(states[i] for i in inside).most_common(1)[0][0]
        sure = [p for i in inside if (p := patterns[i].get("probability")) is not None and math.isfinite(p)]
        unclear = sum(p < 0.9 for p in sure)
        values = [v for i in inside if (v := patterns[i].get("value")) is not None and math.isfinite(v)]
        cells = [
            tag("th", {"scope": "row"}, _swatch(state), state_name(whole, state)),
            tag("td", {"class": "n"}, f"{start + 1:,} – {stop:,}"),
            tag("td", {"class": "n"}, f"{stop - start:,}"),
            tag("td", {"class": "n"}, _values([values[0], values[-1]] if values else None)) if has_value else "",
            tag("td", {"class": "n"}, f"{unclear:,}" if sure else "–"),
        ]
        rows.append(tag("tr", None, *cells))
    columns: list[str | tuple[str, str]] = ["state", ("no.", "n"), ("patterns", "n")]
    if has_value and variable is not None:
        unit = variable.get("unit")
        columns.append((with_unit(variable["name"], f"[{unit}]" if unit else None), "n"))
    columns.append(("not clear", "n"))
    return table("Stretches", columns, rows[:_MOST_ROWS], len(rows))


def changed_table(change: Change, curves: Mapping[str, Any] | None) -> Markup:
    """Return the peaks that changed at one boundary."""
    peaks = change.get("peaks") or ()
    if not peaks:
        return tag("p", {"class": "note"}, "No single peak changed by more than the noise.")
    unit, kind = (curves or {}).get("unit") or "", (curves or {}).get("kind")
    wavelength = (curves or {}).get("wavelength")
    spacings = [_spacing(p["axis"], kind, wavelength) for p in peaks]
    has_d = any(d is not None for d in spacings) and kind != "d"
    rows = [
        tag(
            "tr", None,
            tag("td", {"class": "n"}, str(k + 1)),
            tag("td", {"class": "n"}, _go(p["axis"], _position(p["axis"], kind)), _moved_to(p, kind)),
            tag("td", {"class": "n"}, significant(d, 5)) if has_d else "",
            tag("td", None, str(p.get("what") or "")),
            tag("td", {"class": "n"}, significant(p.get("before"), 3)),
            tag("td", {"class": "n"}, significant(p.get("behind"), 3)),
            tag("td", {"class": "n"}, _times(p.get("significance"))),
        )
        for k, (p, d) in enumerate(zip(peaks[:_MOST_ROWS], spacings, strict=False))
    ]  # fmt: skip
    columns: list[str | tuple[str, str]] = [("", "n"), (with_unit("position", f"[{unit}]" if unit else None), "n")]
    columns += [("d [Å]", "n")] if has_d else []
    columns += ["what", ("height before", "n"), ("height after", "n"), ("change / noise", "n")]
    return table("Peaks that changed", columns, rows, len(peaks))


def groups_table(whole: ClusterDocument) -> Markup:
    """Return the groups with their sizes and first members."""
    patterns, groups = whole["patterns"], states_of(whole["patterns"])
    rows = []
    for group in sorted(set(groups), key=lambda g: (g < 0, g))[:_MOST_ROWS]:
        inside = [i for i, g in enumerate(groups) if g == group]
        few = ", ".join(patterns[i]["pattern"] for i in inside[:4])
        cells = [
            tag("th", {"scope": "row"}, _swatch(group), state_name(whole, group, "group")),
            tag("td", {"class": "n"}, f"{len(inside):,}"),
            tag("td", {"class": "bars"}, bar(len(inside) / len(groups), group % 8 if group >= 0 else None)),
            tag("td", {"class": "n"}, f"{inside[0] + 1:,}"),
            tag("td", None, tag("bdi", None, few + (" …" if len(inside) > 4 else ""))),
        ]
        rows.append(tag("tr", None, *cells))
    columns: list[str | tuple[str, str]] = ["group", ("patterns", "n"), ("", "bars"), ("first no.", "n"), "members"]
    return table("Groups", columns, rows, len(set(groups)))


def evidence_list(whole: Mapping[str, Any]) -> Markup:
    """Return what speaks for the answer, as the method tells it."""
    facts = list(_flat(whole.get("evidence") or {}))
    if not facts:
        return Markup("")
    rows = [
        tag("div", None, tag("dt", None, name.replace("_", " ")), tag("dd", None, plain(value)))
        for name, value in facts[:_MOST_FACTS]
    ]
    more = f"and {len(facts) - _MOST_FACTS:,} more" if len(facts) > _MOST_FACTS else ""
    return join(
        [
            tag("h2", None, "What speaks for it"),
            tag("dl", None, *rows),
            tag("p", {"class": "more"}, more) if more else "",
        ]
    )


def words() -> Markup:
    """Return what the words of the report mean."""
    told = [(f"{v.sign} {v.label}", v.meaning) for v in SERIES_VERDICTS.values()]
    told += [
        ("no.", "number of a pattern in the order in which it was given, from 1; `after` in JSON counts from 0"),
        ("probability", "of the state of a pattern"),
        ("confidence", "how sure a transition is: how likely it is that the series does change there"),
        ("interval, somewhere in", "where the transition lies, as far as the patterns tell"),
        ("changes over", "patterns over which a gradual change itself reaches"),
        ("classification confidence", "share of the patterns whose state is clear"),
        ("silhouette", "how far apart groups are: 1 far, 0 touching, below 0 mixed"),
        ("PC", "principal components: the directions in which the patterns differ most, and their share of all change"),
        ("change / noise", "change of a peak in standard deviations of the counting noise of the two means"),
    ]
    rows = [tag("div", None, tag("dt", None, word), tag("dd", None, meaning)) for word, meaning in told]
    return tag(
        "details", {"class": "card", "id": "words"}, tag("summary", None, "What the words mean"), tag("dl", None, *rows)
    )


def _flat(tree: Mapping[str, Any], depth: int = 0) -> Iterable[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and depth < 4:
            yield from ((f"{key}: {rest}", leaf) for rest, leaf in _flat(value, depth + 1))
        else:
            yield str(key), value


def _agrees(boundary: Mapping[str, Any], method: str) -> str:
    agreement = boundary.get("agreement") or {}
    if method not in agreement:
        return "–"
    at = agreement[method]
    if at is None:
        return "not seen"
    away = int(at) - int(boundary["after"])
    return f"{int(at) + 1:,}" + (f" ({signed(away, 0)})" if away else " ✓")


def _places(ends: Sequence[float] | None) -> str:
    """Numbers of patterns, counted from 1."""
    if ends is None or not all(e is not None and math.isfinite(e) for e in ends):
        return "–"
    low, high = sorted(ends)
    return f"{math.floor(low) + 1:,} – {math.ceil(high) + 1:,}"


def _is_wide(zone: Sequence[float] | None) -> bool:
    return zone is not None and all(e is not None and math.isfinite(e) for e in zone) and abs(zone[1] - zone[0]) >= 2


def _value(boundary: Mapping[str, Any]) -> str:
    value = boundary.get("value")
    known = value is not None and math.isfinite(value)
    return rounded(float(value), boundary.get("value_interval")) if known and value is not None else "–"


def _values(ends: Sequence[float] | None) -> str:
    if ends is None or not all(e is not None and math.isfinite(e) for e in ends):
        return "–"
    return " – ".join(rounded(float(e), ends) for e in ends)


def _spacing(x: float, kind: str | None, wavelength: float | None) -> float | None:
    if kind == "d":
        return x
    if kind == "q":
        return 2 * math.pi / x if x > 0 else None
    if kind == "two_theta" and wavelength and 0 < x < 180:
        return wavelength / 2 / float(np.sin(np.radians(x / 2)))
    return None


def _position(x: float, kind: str | None) -> str:
    return f"{x:.3f}" if kind == "two_theta" else f"{x:.4f}" if kind in ("q", "d") else significant(x, 6)


def _moved_to(peak: Mapping[str, Any], kind: str | None) -> str:
    to = peak.get("to")
    return f" → {_position(to, kind)}" if to is not None else ""


def _times(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else "> 1,000" if value > 1000 else f"{value:,.0f}"


def _swatch(state: int) -> Markup:
    css = "bx" if state < 0 else f"b{state % 8}"
    return tag("span", {"class": f"swatch {css}", "aria-hidden": "true"})


def _go(x: float, text: str) -> Markup:
    return tag("button", {"type": "button", "class": "go", "data-x": f"{x:.6f}", "title": "show in the plot"}, text)
