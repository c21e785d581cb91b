"""Descriptors in one sentence, the same in the terminal and in the report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import one_line
from peakwise.evaluation import DescriptorScores, descriptor_scores
from peakwise.report._verdict import Told, Verdict
from peakwise.report._words import significant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.report._regression import DescriptorDocument, DescriptorScan

__all__ = [
    "DESCRIPTOR_VERDICTS",
    "column_of",
    "ends_of",
    "scores_of",
    "tell_described",
    "tell_descriptors",
    "value_text",
]

_MOST_NAMED = 3
_SHOWN = 40

DESCRIPTOR_VERDICTS: dict[str, Verdict] = {
    verdict.name: verdict
    for verdict in (
        Verdict("inside", "inside", "✓", "the scan is like those that the model has learned from"),
        Verdict("outside", "outside", "!", "the scan is unlike all that was learned from: the interval need not hold"),
    )
}


def tell_descriptors(document: DescriptorDocument) -> Told:
    """Say what was found, how sure it is, and how many scans are unlike what was learned from.

    Parameters
    ----------
    document : DescriptorDocument
        What ``peakwise regress --json`` prints.

    Examples
    --------
    >>> row = {"scan": "a.xy", "values": {"stress": -12.3456}, "interval": {"stress": [-14, -11]}, "in_domain": True}
    >>> told = tell_descriptors({
    ...     "command": "regress", "targets": ["stress"], "scans": [row], "units": {"stress": "GPa"}, "level": 0.9})
    >>> told.sentence
    'stress is −12.3 (−14.0 to −11.0) GPa'
    >>> told.remark
    'The interval is made to hold the true value in 90 % of scans'
    """
    scans, targets = document["scans"], document["targets"]
    outside = sum(scan.get("in_domain") is False for scan in scans)
    kind = DESCRIPTOR_VERDICTS["outside" if outside else "inside"]
    remarks = []
    found = scores_of(document)
    if len(scans) == 1 and not found:
        sentence = tell_described(document, scans[0]).sentence
    elif not scans:
        sentence = "No scan"
    else:
        many = f"{len(targets)} descriptors" if len(targets) > 1 else one_line(targets[0], _SHOWN)
        sentence = f"{many} of {len(scans):,} scan{'' if len(scans) == 1 else 's'}"
        if found:
            sentence += f", {_quality(found)}"
    if outside:
        each = "it is" if len(scans) == 1 else f"{outside:,} of them {'is' if outside == 1 else 'are'}"
        remarks.append(f"{each} unlike all that was learned from: there the intervals need not hold")
    elif document.get("level") is not None and not found and scans:
        which = "interval is" if len(scans) == 1 and len(targets) == 1 else "intervals are"
        remarks.append(f"the {which} made to hold the true value in {100 * document['level']:g} % of scans")
    remark = "; ".join(remarks)
    return Told(kind, sentence, remark[:1].upper() + remark[1:])


def tell_described(document: DescriptorDocument, scan: DescriptorScan) -> Told:
    """Say what one scan is: its first descriptors with their intervals."""
    kind = DESCRIPTOR_VERDICTS["outside" if scan.get("in_domain") is False else "inside"]
    targets, units = document["targets"], document.get("units") or {}
    said = []
    for name in targets[:_MOST_NAMED]:
        low, high = ends_of(scan, name)
        unit = units.get(name) or ""
        unit = f" {one_line(unit, 20)}" if unit and unit not in name else ""
        said.append(f"{one_line(name, _SHOWN)} is {value_text(scan['values'].get(name), low, high)}{unit}")
    more = len(targets) - len(said)
    return Told(kind, ", ".join(said) + (f", and {more} more" if more else ""))


def value_text(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a value and its interval, with as many digits as the interval is worth.

    >>> value_text(0.123456, 0.1211, 0.1266), value_text(-2123.4, -2200, -2050), value_text(1.5), value_text(None)
    ('0.1235 (0.1211 to 0.1266)', '−2123 (−2200 to −2050)', '1.5', '–')
    """
    known = [v for v in (value, low, high) if v is not None and math.isfinite(v)]
    if value is None or not math.isfinite(value):
        return "–"
    if low is None or high is None or len(known) < 3 or not high > low:
        return significant(value)
    # Two digits of the half width.
    places = max(0, 1 - math.floor(math.log10((high - low) / 2)))
    if places > 6 or max(abs(v) for v in known) >= 1e6:
        digits = max(2, min(8, 2 + math.floor(math.log10(max(abs(v) for v in known) / ((high - low) / 2)))))
        texts = [significant(v, digits) for v in (value, low, high)]
    else:
        texts = [f"{v:.{places}f}".replace("-", "−") for v in (value, low, high)]
    return f"{texts[0]} ({texts[1]} to {texts[2]})"


def ends_of(scan: DescriptorScan, name: str) -> tuple[float | None, float | None]:
    """Low and high end of an interval; None where it has none."""
    low, high = (scan.get("interval") or {}).get(name) or (None, None)
    return low, high


def column_of(document: DescriptorDocument, key: str, name: str) -> NDArray[np.float64]:
    """A number for each scan: of ``values``, ``truth``, ``low`` or ``high``; NaN where there is none."""
    made = np.full(len(document["scans"]), np.nan)
    for i, scan in enumerate(document["scans"]):
        if key in ("low", "high"):
            value: Any = ends_of(scan, name)[key == "high"]
        else:
            rows: Mapping[str, Any] = (scan["values"] if key == "values" else scan.get("truth")) or {}
            value = rows.get(name)
        made[i] = np.nan if value is None else float(value)
    return made


def scores_of(document: DescriptorDocument) -> dict[str, DescriptorScores]:
    """How good the answers are, for each target whose truth is known of some scan."""
    made = {}
    for name in document["targets"]:
        columns = [column_of(document, key, name) for key in ("truth", "values", "low", "high")]
        both = np.isfinite(columns[0]) & np.isfinite(columns[1])
        if not both.any():
            continue
        has_ends = bool(np.isfinite(columns[2][both]).any() and np.isfinite(columns[3][both]).any())
        # An end that is not bounded is as wide as can be.
        ends = (np.nan_to_num(columns[2][both], nan=-np.inf), np.nan_to_num(columns[3][both], nan=np.inf))
        made[name] = descriptor_scores(columns[0][both], columns[1][both], *(ends if has_ends else ()))
    return made


def _quality(found: Mapping[str, DescriptorScores]) -> str:
    known = sorted(s.r2 for s in found.values() if math.isfinite(s.r2))
    told = []
    if known:
        digits = 3 if known[0] < 0.9995 else 5
        ends = [f"{min(v, 1 - 10.0**-digits):.{digits}f}" for v in (known[0], known[-1])]
        told.append(f"R² {ends[0]}" if ends[0] == ends[1] else f"R² {ends[0]} to {ends[1]}".replace("-", "−"))
    held = [(s.held, s.n) for s in found.values() if s.held is not None]
    if held:
        share = 100 * sum(k for k, _ in held) / sum(n for _, n in held)
        told.append(f"{share:.0f} % of true values inside the intervals")
    return ", ".join(told) or "compared with the truth"
