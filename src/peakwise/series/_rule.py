"""From evidence to a probability: a logistic rule, learned from made series by scripts/fit_transition_rule.py."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peakwise.evaluation import conformal_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["RULE_FILE", "least_probability", "probability"]

RULE_FILE = Path(__file__).with_name("transition-rule.json")


@lru_cache(maxsize=1)
def _rule() -> dict[str, Any]:
    rule: dict[str, Any] = json.loads(RULE_FILE.read_text(encoding="utf-8"))
    return rule


def least_probability(false_alarm: float, *, of_parts: bool = False) -> float:
    """The probability above which a place is called a transition: of series without one, so many are called so.

    A conformal threshold on made series, each judged by a rule that had not seen it: on whole ones, or on what is left
    beside a transition. There are two such parts, so each may give half of the false alarms.

    >>> 0 < least_probability(0.1) < least_probability(0.03) < least_probability(0.03, of_parts=True) < 1
    True
    """
    if of_parts:
        return conformal_threshold(_rule()["flat_parts"], false_alarm / 2)
    return conformal_threshold(_rule()["flat"], false_alarm)


def probability(evidence: Mapping[str, float]) -> float:
    """How probable it is that a series has a transition at a place with this evidence.

    Numbers beyond what the made series show count as the nearest that they show.
    """
    rule = _rule()
    total = float(rule["intercept"])
    for name, term in rule["evidence"].items():
        value = min(max(evidence[name], term["least"]), term["most"])
        total += term["weight"] * (value - term["mean"]) / term["spread"]
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))
