"""The answer for a series in one sentence, the same in the terminal and in the report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from peakwise.errors import one_line
from peakwise.report._series import states_of, steps_back
from peakwise.report._verdict import SURE, Told, Verdict
from peakwise.report._words import probability, significant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peakwise.report._series import Boundary, ClusterDocument, TransitionDocument

__all__ = ["SERIES_VERDICTS", "boundary_place", "rounded", "tell_clusters"]
__all__ += ["tell_transitions", "with_unit", "zone_place"]

_MOST_NAMED = 4  # boundaries in a sentence
_GRADUAL = 3.0  # patterns over which a change must reach to be called gradual
_CLEAR, _WEAK = 0.5, 0.25  # silhouettes: Kaufman and Rousseeuw, doi:10.1002/9780470316801, table 4 of chapter 2
_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

SERIES_VERDICTS: dict[str, Verdict] = {
    verdict.name: verdict
    for verdict in (
        Verdict("changed", "changed", "✓", f"every transition of the answer has a confidence of {SURE:g} or more"),
        Verdict("perhaps", "perhaps", "?", f"a transition of the answer has a confidence below {SURE:g}"),
        Verdict("flat", "no transition", "–", "all patterns are one state, as far as these data show"),
        Verdict("groups", "groups", "✓", f"groups that lie apart (silhouette {_CLEAR:g} or more)"),
        Verdict("weak", "weak groups", "?", f"groups that touch or overlap (silhouette below {_CLEAR:g})"),
        Verdict("one", "one group", "–", "the patterns do not fall into groups"),
    )
}


def tell_transitions(document: TransitionDocument) -> Told:
    """Say where the series changed, and how sure that is.

    Parameters
    ----------
    document : TransitionDocument
        What ``peakwise transitions --json`` prints.

    Examples
    --------
    >>> series = {
    ...     "command": "transitions",
    ...     "patterns": [{"pattern": f"{k}.xy", "value": 100 + 2 * k, "state": int(k > 9)} for k in range(20)],
    ...     "boundaries": [{"after": 9, "value": 119.0, "value_interval": [117, 121], "confidence": 0.993}],
    ...     "variable": {"name": "temperature", "unit": "K"},
    ...     "classification_confidence": 0.9,
    ... }
    >>> told = tell_transitions(series)
    >>> told.verdict.name, told.sentence
    ('changed', 'One transition at 119 K (117 to 121 K), confidence 0.993')
    >>> told.remark
    '2 of 20 patterns lie in between: their state is not clear'
    >>> tell_transitions({**series, "boundaries": []}).sentence
    'No transition: all 20 patterns are one state'
    """
    found, n = document["boundaries"], len(document["patterns"])
    if not found:
        likeliest = _likeliest(document)
        remark = (
            "" if likeliest is None else f"The likeliest place for one has a probability of {probability(likeliest)}"
        )
        return Told(SERIES_VERDICTS["flat"], _flat(n, likeliest), remark)
    unit = _unit(document)
    named = [_said(b, unit, short=len(found) > 1) for b in found[:_MOST_NAMED]]
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    known = [c for b in found if (c := b.get("confidence")) is not None and math.isfinite(c)]
    sure = len(known) == len(found) and min(known) >= SURE
    what = f"{_word(len(found))} transition{'s' if len(found) > 1 else ''}"
    what = _capital(what) if sure else f"Perhaps {what}"
    remarks = [part for part in (_states(document), _gradual(document), _doubts(document)) if part]
    return Told(
        SERIES_VERDICTS["changed" if sure else "perhaps"],
        f"{what} {_listed(named) if not more else ', '.join(named) + more}{_confidence(known, len(found))}",
        _capital("; ".join(remarks)),
    )


def tell_clusters(document: ClusterDocument) -> Told:
    """Say into which groups the patterns fall.

    Examples
    --------
    >>> rows = [{"pattern": f"{k}.xy", "cluster": k % 3} for k in range(12)]
    >>> tell_clusters({"command": "cluster", "patterns": rows, "k": 3, "silhouette": 0.71}).sentence
    '3 groups of 4, 4 and 4 patterns, well apart (silhouette 0.71)'
    """
    groups = states_of(document["patterns"])
    sizes = [groups.count(g) for g in sorted(set(groups)) if g >= 0]
    left = groups.count(-1)
    rest = f"{left} pattern{'s are' if left > 1 else ' is'} in no group" if left else ""
    score = document.get("silhouette")
    known = score is not None and math.isfinite(score)
    if len(sizes) < 2:
        n = len(groups)
        return Told(SERIES_VERDICTS["one"], f"One group: the {n:,} patterns do not fall apart into several", rest)
    many = [f"{size:,}" for size in sorted(sizes, reverse=True)]
    listed = _listed(many) if len(many) <= 8 else f"{many[0]} to {many[-1]}"
    how = ""
    if known and score is not None:
        apart = "well apart" if score >= _CLEAR else "touching" if score >= _WEAK else "hardly apart"
        how = f", {apart} (silhouette {score:.2f})".replace("-", "−")
    kind = "groups" if not known or (score is not None and score >= _CLEAR) else "weak"
    return Told(SERIES_VERDICTS[kind], f"{len(sizes)} groups of {listed} patterns{how}", rest)


def boundary_place(boundary: Boundary, unit: str | None) -> str:
    """Say where a boundary lies: in the variable if its value is known, otherwise between which patterns.

    Patterns are counted from 1, as people do.

    >>> boundary_place({"after": 70}, None)
    'between patterns 71 and 72'
    """
    value = boundary.get("value")
    if value is not None and math.isfinite(value) and unit is not None:
        return f"at {with_unit(rounded(value, boundary.get('value_interval')), unit)}"
    after = int(boundary["after"])
    return f"between patterns {after + 1:,} and {after + 2:,}"


def with_unit(text: str, unit: str | None) -> str:
    """Return the number with its unit, if it has one."""
    return f"{text} {one_line(unit, 20)}" if unit else text


def _said(boundary: Boundary, unit: str | None, *, short: bool) -> str:
    place = boundary_place(boundary, unit)
    has_value = place.startswith("at ")
    ends = boundary.get("value_interval") if has_value else boundary.get("interval")
    if ends is None or not all(e is not None and math.isfinite(e) for e in ends):
        return place
    low, high = sorted(map(float, ends))
    if has_value:
        text = f"{rounded(low, ends)} to {with_unit(rounded(high, ends), unit)}"
        return f"{place} ({text})" if high > low else place
    first, last = math.floor(low) + 1, math.ceil(high) + 1
    if short or last - first <= 1:
        return place
    return f"{place} (somewhere from {first:,} to {last:,})"


def rounded(value: float, interval: Sequence[float] | None) -> str:
    """Return a value with as many decimals as its interval is wide.

    >>> rounded(117.2345, [116.9, 118.4]), rounded(117.2345, [100, 160]), rounded(117.2345, None)
    ('117.2', '117', '117.2')
    """
    ends = [float(e) for e in interval or () if e is not None]
    wide = abs(ends[1] - ends[0]) if len(ends) == 2 else 0.0
    if not math.isfinite(wide) or wide <= 0:
        return significant(value, 4)
    places = min(max(1 - math.floor(math.log10(wide)), 0), 6)
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "−")


def _confidence(known: Sequence[float], n: int) -> str:
    if not known:
        return ""
    least = probability(min(known))
    if n == 1:
        return f", confidence {least}"
    return f", each with confidence {least if least.startswith('>') else least + ' or more'}"


def _flat(n: int, likeliest: float | None) -> str:
    if n == 0:
        return "No patterns"
    if n == 1:
        return "No transition: there is only one pattern"
    if likeliest is not None and likeliest > 1 - SURE:
        return f"No clear transition: the {n:,} patterns are taken for one state"
    return f"No transition: all {n:,} patterns are one state"


def _states(document: TransitionDocument) -> str:
    k, found = document.get("states"), len(document["boundaries"])
    if not isinstance(k, int) or isinstance(k, bool) or k == found + 1:
        return ""
    back = ": a state comes back" if steps_back(document) else ""
    return f"{_word(k)} states{back}" if k > 1 else ""


def _gradual(document: TransitionDocument) -> str:
    """Over which patterns, or which stretch of the variable, a change reaches that is not abrupt."""
    texts = []
    for boundary in document["boundaries"][:_MOST_NAMED]:
        zone = boundary.get("zone")
        if zone is None or not all(e is not None and math.isfinite(e) for e in zone):
            continue
        low, high = sorted(map(float, zone))
        if high - low >= _GRADUAL:
            texts.append(zone_place(document, low, high))
    if not texts:
        return ""
    if len(document["boundaries"]) == 1:
        return f"the change is gradual, from {texts[0]}"
    return f"gradual changes from {_listed(texts)}"


def zone_place(document: TransitionDocument, low: float, high: float) -> str:
    """Say where a zone of pattern numbers reaches: in the variable, if its values there are known."""
    patterns, unit = document["patterns"], _unit(document)
    first, last = max(math.floor(low), 0), min(math.ceil(high), len(patterns) - 1)
    ends = [patterns[i].get("value") for i in (first, last)]
    known = [float(e) for e in ends if e is not None and math.isfinite(e)]
    if unit is not None and len(known) == 2:
        return f"{rounded(known[0], known)} to {with_unit(rounded(known[1], known), unit)}"
    return f"pattern {first + 1:,} to {last + 1:,}"


def _likeliest(document: TransitionDocument) -> float | None:
    """Probability of the best place that was not taken for a transition, if the method tells it."""
    found = (document.get("evidence") or {}).get("refused")
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        return None
    return float(found)


def _doubts(document: TransitionDocument) -> str:
    sure, n = document.get("classification_confidence"), len(document["patterns"])
    if sure is None or not math.isfinite(sure) or not document["boundaries"]:
        return ""
    unclear = round((1 - min(max(sure, 0.0), 1.0)) * n)
    if not unclear:
        return ""
    return f"{unclear:,} of {n:,} patterns lie in between: their state is not clear"


def _unit(document: Mapping[str, Any] | TransitionDocument) -> str | None:
    """The unit; an empty one where the variable has none, None where there is no variable."""
    variable = document.get("variable")
    return None if not variable else (variable.get("unit") or "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _word(n: int) -> str:
    return _WORDS[n] if 0 <= n < len(_WORDS) else f"{n:,}"


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
