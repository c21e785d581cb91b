"""The answer for a series as a table: a row a pattern, or a row a transition."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from peakwise.errors import OptionError
from peakwise.report._csv import safe
from peakwise.report._series import check_transitions

if TYPE_CHECKING:
    from peakwise.report._series import TransitionDocument

__all__ = ["transitions_csv"]

_PATTERNS = ("number", "pattern", "value", "state", "probability", "transition_after")
_BOUNDARIES = (
    "transition", "after", "pattern_before", "pattern_after", "value", "value_low", "value_high", "interval_low",
    "interval_high", "confidence", "state_before", "state_after",
)  # fmt: skip


def transitions_csv(document: TransitionDocument, *, rows: str = "patterns") -> str:
    """Return the answer as comma-separated values.

    Parameters
    ----------
    document : TransitionDocument
        What ``peakwise transitions --json`` prints.
    rows : "patterns" or "transitions"
        A row for each pattern, with its number from 1 and whether a transition follows it; or one for each transition,
        where `after` counts from 0 as in the JSON document, and other methods have a column each. Numbers have all
        their digits; text that a spreadsheet would take for a formula begins with an apostrophe.

    Examples
    --------
    >>> patterns = [{"pattern": f"{k}.xy", "value": 10.0 * k, "state": int(k > 1)} for k in range(4)]
    >>> found = [{"after": 1, "value": 15.0, "confidence": 0.98, "agreement": {"pelt": 1}}]
    >>> told = {"command": "transitions", "patterns": patterns, "boundaries": found}
    >>> transitions_csv(told).splitlines()[1:3]
    ['1,0.xy,0.0,0,,0', '2,1.xy,10.0,0,,1']
    >>> transitions_csv(told, rows="transitions").splitlines()[1]
    '1,1,1.xy,2.xy,15.0,,,,,0.98,0,1,1'
    """
    whole = check_transitions(document)
    if rows not in ("patterns", "transitions"):
        why = f"rows must be patterns or transitions, got {rows!r}"
        raise OptionError("cannot make the table", why, "Choose one of them")
    columns, table = _of_patterns(whole) if rows == "patterns" else _of_boundaries(whole)
    out = io.StringIO()
    writer = csv.DictWriter(out, [safe(c) for c in columns], restval="", lineterminator="\n")
    writer.writeheader()
    for row in table:
        writer.writerow({safe(key): safe(value) for key, value in row.items()})
    return out.getvalue()


def _of_patterns(whole: TransitionDocument) -> tuple[list[str], list[dict[str, Any]]]:
    ends = {int(b["after"]) for b in whole["boundaries"]}
    table = [
        {"number": i + 1, **{key: row.get(key) for key in _PATTERNS[1:5]}, "transition_after": int(i in ends)}
        for i, row in enumerate(whole["patterns"])
    ]
    return list(_PATTERNS), table


def _of_boundaries(whole: TransitionDocument) -> tuple[list[str], list[dict[str, Any]]]:
    patterns = whole["patterns"]
    methods = list(dict.fromkeys(m for b in whole["boundaries"] for m in b.get("agreement") or ()))
    methods = [m for m in methods if m not in _BOUNDARIES]
    table = []
    for k, b in enumerate(whole["boundaries"]):
        before, behind = patterns[int(b["after"])], patterns[int(b["after"]) + 1]
        low, high = b.get("value_interval") or (None, None)
        first, last = b.get("interval") or (None, None)
        row = {
            "transition": k + 1, "after": b["after"], "pattern_before": before["pattern"],
            "pattern_after": behind["pattern"], "value": b.get("value"), "value_low": low, "value_high": high,
            "interval_low": first, "interval_high": last, "confidence": b.get("confidence"),
            "state_before": before.get("state"), "state_after": behind.get("state"),
        }  # fmt: skip
        table.append({**row, **{m: (b.get("agreement") or {}).get(m) for m in methods}})
    return [*_BOUNDARIES, *methods], table
