"""The report of a series or of a set in groups: one HTML file that loads nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import one_line
from peakwise.report._frame import again, card, failed_files, figure_place, fill, header, provenance, save_page
from peakwise.report._markup import Markup, data_block, join, tag
from peakwise.report._panel import badge, warning_list
from peakwise.report._series import check_clusters, check_transitions, state_name, states_of
from peakwise.report._series_blocks import change_block, point_block, series_block
from peakwise.report._series_tables import (
    boundaries_table,
    changed_table,
    evidence_list,
    groups_table,
    stretches_table,
    words,
)
from peakwise.report._series_verdict import boundary_place, tell_clusters, tell_transitions
from peakwise.report._words import percent, significant

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.report._series import ClusterDocument, TransitionDocument
    from peakwise.report._verdict import Told

__all__ = ["clusters_html", "transitions_html", "write_clusters_html", "write_transitions_html"]

_SCRIPTS = (
    "pen.js", "axes.js", "scale.js", "colours.js", "panel.js", "series.js", "series_hand.js", "changes.js", "points.js",
    "behaviour.js", "series_page.js",
)  # fmt: skip
_MOST_CHANGES = 20  # boundaries with a figure of their own


def write_transitions_html(document: TransitionDocument, path: str | os.PathLike[str]) -> None:
    """Write the report of a series as one HTML file, whole or not at all.

    Parameters
    ----------
    document : TransitionDocument
        What ``peakwise transitions --json`` prints, best with what `add_series` adds: the figures need it.
    path : path-like
        Where it goes, for example "report.html".

    Examples
    --------
    >>> target = getfixture("tmp_path") / "report.html"
    >>> write_transitions_html({"command": "transitions", "patterns": [], "boundaries": []}, target)
    >>> target.read_text(encoding="utf-8")[:15]
    '<!doctype html>'
    """
    save_page(transitions_html(document), path)


def write_clusters_html(document: ClusterDocument, path: str | os.PathLike[str]) -> None:
    """Write the report of groups as one HTML file, whole or not at all.

    Parameters
    ----------
    document : ClusterDocument
        What ``peakwise cluster --json`` prints, best with what `add_series` adds.
    path : path-like

    Examples
    --------
    >>> target = getfixture("tmp_path") / "groups.html"
    >>> write_clusters_html({"command": "cluster", "patterns": [{"pattern": "a", "cluster": 0}]}, target)
    >>> target.exists()
    True
    """
    save_page(clusters_html(document), path)


def transitions_html(document: TransitionDocument) -> str:
    """Return the report of a series as HTML.

    The page loads nothing: styles, script and data are inside, and its content security policy forbids the rest. Of a
    series of any length the page stays below some 5 MB.

    Examples
    --------
    >>> rows = [{"pattern": f"{k}.xy", "state": int(k > 4), "probability": 0.99} for k in range(10)]
    >>> found = [{"after": 4, "confidence": 0.97}]
    >>> page = transitions_html({"command": "transitions", "patterns": rows, "boundaries": found})
    >>> "One transition between patterns 5 and 6" in page, "://" in page
    (True, False)
    """
    whole = check_transitions(document)
    told = tell_transitions(whole)
    blocks: list[Markup] = []
    body = [
        _header("Where did it change?", whole),
        _answer(told, _facts(whole)),
        warning_list(whole.get("warnings") or ()),
        _picture(whole, "The series", None, blocks),
        card(boundaries_table(whole)),
        _changes(whole, blocks),
        _beside(_points(whole, blocks), tag("div", None, card(stretches_table(whole)), card(evidence_list(whole)))),
        *_end(whole),
    ]
    return fill(_title("Transitions", whole), join(body), join(blocks), _SCRIPTS)


def clusters_html(document: ClusterDocument) -> str:
    """Return the report of groups as HTML; see `transitions_html`.

    Examples
    --------
    >>> rows = [{"pattern": f"{k}.xy", "cluster": k % 2} for k in range(10)]
    >>> page = clusters_html({"command": "cluster", "patterns": rows, "k": 2, "silhouette": 0.6})
    >>> "2 groups of 5 and 5 patterns, well apart" in page
    True
    """
    whole = check_clusters(document)
    told = tell_clusters(whole)
    blocks: list[Markup] = []
    order = np.argsort([g if g >= 0 else np.inf for g in map(float, states_of(whole["patterns"]))], kind="stable")
    facts = {"silhouette": significant(whole.get("silhouette"), 3), "method": whole.get("method") or ""}
    body = [
        _header("Which patterns belong together?", whole),
        _answer(told, facts),
        warning_list(whole.get("warnings") or ()),
        _picture(whole, "The patterns, group by group", order, blocks),
        _beside(_points(whole, blocks), tag("div", None, card(groups_table(whole)), card(evidence_list(whole)))),
        *_end(whole),
    ]
    return fill(_title("Groups", whole), join(body), join(blocks), _SCRIPTS)


def _title(kind: str, whole: Mapping[str, Any]) -> str:
    patterns = whole["patterns"]
    if not patterns:
        return kind
    return f"{kind}: {one_line(patterns[0]['pattern'], 40)} … ({len(patterns):,} patterns)"


def _header(question: str, whole: Mapping[str, Any]) -> Markup:
    n = len(whole["patterns"])
    return header(question, [f"{n:,} pattern{'' if n == 1 else 's'}"], whole)


def _answer(told: Told, facts: Mapping[str, object]) -> Markup:
    said = [tag("span", None, f"{name} ", tag("b", None, value)) for name, value in facts.items() if value]
    return tag(
        "section", {"class": f"card answer v-{told.verdict.name}"},
        badge(told),
        tag("h2", None, told.sentence),
        tag("p", {"class": "remark"}, told.remark + ".") if told.remark else "",
        tag("p", {"class": "sure"}, *said) if said else "",
    )  # fmt: skip


def _facts(whole: TransitionDocument) -> dict[str, object]:
    states = whole.get("states") or len(set(states_of(whole["patterns"])))
    sure = whole.get("classification_confidence")
    return {
        "states": states,
        "classification confidence": "" if sure is None else percent(sure),
        "method": whole.get("method") or "",
    }


def _picture(whole: Mapping[str, Any], title: str, order: NDArray[np.intp] | None, blocks: list[Markup]) -> Markup:
    block = series_block(whole, order)
    if block is None:
        return card(tag("p", {"class": "note"}, "The answer holds no curves, so the patterns are not drawn."))
    blocks.append(data_block("data-series", block))
    shown, n = len(block["rows"]), block["n"]
    thinned = f"Drawn from {shown:,} of {n:,} patterns; the numbers beside them are of all." if shown < n else ""
    label = f"{title}: {n} patterns with their states, first at the bottom."
    states = sorted(set(states_of(whole["patterns"])))
    name = "state" if order is None else "group"
    legend = [
        tag("span", None, tag("span", {"class": f"swatch {_back(s)}"}), state_name(whole, s, name)) for s in states[:24]
    ]
    return tag(
        "section", {"class": "card"},
        tag("h2", None, title),
        tag("div", {"class": "legend"}, *legend),
        figure_place("series", "data-series", label),
        tag("p", {"class": "note"}, thinned) if thinned else "",
    )  # fmt: skip


def _back(state: int) -> str:
    return "bx" if state < 0 else f"b{state % 8}"


def _changes(whole: TransitionDocument, blocks: list[Markup]) -> Markup:
    states = states_of(whole["patterns"])
    parts = []
    number = {int(b["after"]): k for k, b in enumerate(whole["boundaries"])}
    variable = whole.get("variable")
    for change in (whole.get("changes") or ())[:_MOST_CHANGES]:
        after = int(change["after"])
        k = number.get(after)
        if k is None or after + 1 >= len(states):
            continue
        place = boundary_place(whole["boundaries"][k], None if not variable else variable.get("unit") or "")
        name = f"data-change-{k + 1}"
        blocks.append(data_block(name, change_block(change, (states[after], states[after + 1]), whole.get("curves"))))
        sizes = change.get("n") or ()
        means = (
            f"Mean of {sizes[0]:,} pattern{'s' if sizes[0] != 1 else ''} before and {sizes[1]:,} after it, "
            "the nearest outside its interval." if len(sizes) == 2 else ""
        )  # fmt: skip
        named = [f"{side}: {state_name(whole, states[after + i])}" for i, side in enumerate(("before", "after"))]
        legend = [
            tag("span", None, tag("span", {"class": f"swatch {_back(states[after + i])}"}), word)
            for i, word in enumerate(named)
        ]
        label = f"Mean patterns before and after transition {k + 1}, and their difference."
        parts.append(
            tag(
                "section", {"class": "card boundary", "id": f"boundary-{k + 1}"},
                tag("h2", None, f"What changed at transition {k + 1}, {place}"),
                tag("div", {"class": "legend"}, *legend),
                figure_place("change", name, label, css="plot short"),
                tag("p", {"class": "note"}, means) if means else "",
                changed_table(change, whole.get("curves")),
            )
        )  # fmt: skip
    return join(parts)


def _points(whole: Mapping[str, Any], blocks: list[Markup]) -> Markup:
    block = point_block(whole)
    if block is None:
        return Markup("")
    blocks.append(data_block("data-points", block))
    of = f" {block['n']:,} of {block['of']:,} patterns are shown." if block["n"] < block["of"] else ""
    note = "Patterns that are alike lie together. Hollow: a probability below 0.9. A click shows the pattern above."
    return tag(
        "section", {"class": "card"},
        tag("h2", None, "Map of the patterns"),
        figure_place("points", "data-points", "Map of the patterns, coloured by state.", css="plot short"),
        tag("p", {"class": "note"}, note + of),
    )  # fmt: skip


def _beside(*parts: Markup) -> Markup:
    shown = [part for part in parts if part]
    return tag("div", {"class": "columns two"}, *shown) if len(shown) > 1 else join(shown)


def _end(whole: Mapping[str, Any]) -> Sequence[Markup]:
    return [failed_files(whole.get("failed") or ()), again(whole), provenance(whole), words()]
