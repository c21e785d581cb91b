"""What is new as a table: a row a scan."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from peakwise.report._csv import safe
from peakwise.report._novelty import check_novelty
from peakwise.report._novelty_verdict import tell_scan

if TYPE_CHECKING:
    from peakwise.report._novelty import NoveltyDocument

__all__ = ["novelty_csv"]

_COLUMNS = (
    "scan", "answer", "score", "p_value", "nearest", "explained_by", "unexplained", "d", "mixture", "why", "warnings",
)  # fmt: skip


def novelty_csv(document: NoveltyDocument) -> str:
    """Return the answer as comma-separated values, a row for each scan.

    Several peaks, parts or reasons stand in one cell, with semicolons between them. A file that could not be used has
    the answer "failed". Text that a spreadsheet would take for a formula begins with an apostrophe.

    Parameters
    ----------
    document : NoveltyDocument
        What ``peakwise novelty --json`` prints.

    Examples
    --------
    >>> row = {"scan": "a.xy", "score": 3.5, "p_value": 0.01, "novel": True, "nearest": "rutile"}
    >>> row |= {"unexplained": [{"axis": 33.1, "d": 2.704}, {"axis": 41.0, "d": 2.2}]}
    >>> novelty_csv({"command": "novelty", "scans": [row]}).splitlines()[1]
    'a.xy,new,3.5,0.01,rutile,,33.1; 41.0,2.704; 2.2,,,'
    """
    whole = check_novelty(document)
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for scan in whole["scans"]:
        peaks = scan.get("unexplained") or ()
        row = {
            **{key: scan.get(key) for key in ("scan", "score", "p_value", "nearest", "explained_by")},
            "answer": tell_scan(scan).verdict.name,
            "unexplained": "; ".join(str(p["axis"]) for p in peaks),
            "d": "; ".join(str(p["d"]) for p in peaks if p.get("d") is not None),
            "mixture": "; ".join(f"{p['name']} {p.get('share')}" for p in scan.get("mixture") or ()),
            "why": "; ".join(scan.get("why") or ()),
            "warnings": "; ".join(scan.get("warnings") or ()),
        }
        writer.writerow({key: safe(value) for key, value in row.items()})
    for file in whole.get("failed") or ():
        writer.writerow({"scan": safe(file["file"]), "answer": "failed", "why": safe(file["why"])})
    return out.getvalue()
