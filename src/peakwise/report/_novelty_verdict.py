"""What is new in one sentence, the same in the terminal and in the report."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

from peakwise.errors import one_line
from peakwise.report._verdict import Told, Verdict
from peakwise.report._words import significant

if TYPE_CHECKING:
    from peakwise.report._novelty import NoveltyDocument, NoveltyScan

__all__ = ["NOVELTY_VERDICTS", "kind_of", "p_text", "tell_novelty", "tell_scan"]

_USUAL = 0.05  # chance from which so many new scans can be false alarms alone
_SHOWN = 60

NOVELTY_VERDICTS: dict[str, Verdict] = {
    verdict.name: verdict
    for verdict in (
        Verdict("new", "new", "!", "its score is above the threshold, and nothing harmless that was tried explains it"),
        Verdict(
            "explained", "explained", "≈", "it looks strange, but noise, shift, wavelength or a mixture explains it"
        ),
        Verdict("known", "known", "✓", "it is as like the known scans as they are like one another"),
    )
}


def tell_novelty(document: NoveltyDocument) -> Told:
    """Say how many scans are new, and how many of them may be false alarms.

    Parameters
    ----------
    document : NoveltyDocument
        What ``peakwise novelty --json`` prints.

    Examples
    --------
    >>> rows = [{"scan": f"{k}.xy", "score": 9.0 * (k < 3), "novel": k < 3} for k in range(120)]
    >>> told = tell_novelty({"command": "novelty", "scans": rows, "false_alarm": 0.01})
    >>> told.sentence, told.remark
    ('3 of 120 scans are unlike anything known; 1.2 false alarms expected', 'So many can be false alarms: look at each')
    """
    scans = document["scans"]
    n, new = len(scans), sum(bool(s["novel"]) for s in scans)
    what = f"{new or 'None'} of {n:,} scan{'' if n == 1 else 's'} {'is' if new < 2 else 'are'} unlike anything known"
    rate = document.get("false_alarm")
    has_rate = rate is not None and math.isfinite(rate) and 0 < rate < 1
    remarks = []
    if has_rate and rate is not None:
        expected = significant(n * rate, 2)
        what += f"; {expected} false alarm{'' if expected == '1' else 's'} expected"
        if new and _at_least(new, n, rate) > _USUAL:
            remarks.append(
                "so many can be false alarms: look at each" if new > 1 else "it can be a false alarm: look at it"
            )
    reasons = Counter(s["explained_by"] for s in scans if s.get("explained_by") and not s["novel"])
    if reasons:
        told = ", ".join(f"{k:,} by {_reason(name)}" for name, k in reasons.most_common())
        total = sum(reasons.values())
        strange = "more looks strange and is" if total == 1 else "more look strange and are"
        remarks.append(f"{total:,} {strange} explained: {told}")
    remark = "; ".join(remarks)
    kind = "new" if new else "explained" if reasons else "known"
    return Told(NOVELTY_VERDICTS[kind], what, remark[:1].upper() + remark[1:])


def tell_scan(scan: NoveltyScan) -> Told:
    """Say what one scan is.

    >>> tell_scan({"scan": "a.xy", "score": 3.2, "p_value": 0.004, "novel": True, "nearest": "rutile"}).sentence
    'New: unlike anything known, nearest is rutile'
    >>> parts = [{"name": "rutile", "share": 0.6}, {"name": "anatase", "share": 0.4}]
    >>> row = {"scan": "b.xy", "score": 0.1, "novel": False, "explained_by": "mixture", "mixture": parts}
    >>> tell_scan(row).sentence
    'A mixture of known ones: rutile 60 % + anatase 40 %'
    """
    near = one_line(scan.get("nearest") or "", _SHOWN)
    if scan["novel"]:
        return Told(NOVELTY_VERDICTS["new"], "New: unlike anything known" + (f", nearest is {near}" if near else ""))
    reason = scan.get("explained_by")
    if not reason:
        return Told(NOVELTY_VERDICTS["known"], f"Known: like {near}" if near else "Known")
    parts = scan.get("mixture") or ()
    if parts:
        named = " + ".join(f"{one_line(p['name'], _SHOWN)} {_share(p.get('share'))}".rstrip() for p in parts)
        return Told(NOVELTY_VERDICTS["explained"], f"A mixture of known ones: {named}")
    like = f"like {near}, but for " if near else "Strange for "
    text = like + one_line(_reason(reason), _SHOWN)
    return Told(NOVELTY_VERDICTS["explained"], text[:1].upper() + text[1:])


def kind_of(scan: NoveltyScan) -> str:
    """Return new, explained or known.

    >>> kind_of({"scan": "a.xy", "score": 0.2, "novel": False, "explained_by": "noise"})
    'explained'
    """
    return "new" if scan["novel"] else "explained" if scan.get("explained_by") else "known"


def p_text(value: float | None) -> str:
    """Return a p-value, never as 0.

    >>> p_text(0.0321), p_text(1e-7), p_text(0.8), p_text(None)
    ('0.032', '< 0.0001', '0.80', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value < 1e-4:
        return "< 0.0001"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def _reason(name: str | None) -> str:
    return {"zero shift": "a zero shift", "wavelength": "a wrong wavelength", "mixture": "a mixture of known ones"}.get(
        name or "", name or ""
    )


def _share(share: float | None) -> str:
    return "" if share is None or not math.isfinite(share) else f"{100 * share:.0f} %"


def _at_least(k: int, n: int, rate: float) -> float:
    """The chance of k or more false alarms in n scans."""
    from scipy.stats import binom

    return float(binom.sf(k - 1, n, rate))
