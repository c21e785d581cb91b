"""Chemical formulas: read from text, and written from what a cell holds."""

from __future__ import annotations

import math
import re
from functools import reduce
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from peakwise.crystal._phase import Site

__all__ = ["composition_text", "formula_units", "parse_formula"]

_TOKEN = re.compile(r"([A-Z][a-z]?|D)\s*([0-9]*\.?[0-9]*)")
_NEAR = 0.02  # atoms in the cell that a sum of rounded occupancies may be off


def parse_formula(text: str) -> dict[str, float]:
    """Counts of a formula sum as a CIF gives it; empty where it is none.

    >>> parse_formula("Ca0.5 Ti O3")
    {'Ca': 0.5, 'Ti': 1.0, 'O': 3.0}
    >>> parse_formula("Mg3(Si4O10)(OH)2")
    {'Mg': 3.0, 'Si': 4.0, 'O': 12.0, 'H': 2.0}
    """
    plain = re.sub(r"[\s'\"\[\]{}~,]+", " ", text.replace("[", "(").replace("]", ")")).strip()
    for _ in range(20):  # brackets within brackets
        match = re.search(r"\(([^()]*)\)\s*([0-9]*\.?[0-9]*)", plain)
        if match is None:
            break
        times = _number(match[2])
        inner = " ".join(f"{e}{_number(n) * times:.10g}" for e, n in _TOKEN.findall(match[1]))
        plain = f"{plain[: match.start()]} {inner} {plain[match.end() :]}"
    total: dict[str, float] = {}
    for element, count in _TOKEN.findall(plain):
        total[element] = total.get(element, 0.0) + _number(count)
    return total


def _number(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 1.0


def formula_units(content: Mapping[str, float], sites: Sequence[Site]) -> int:
    """The largest number of equal units that the content of a cell divides into.

    Whole numbers of atoms have a greatest common divisor; where a site is partly occupied the multiplicities have one.
    """
    whole = {e: round(n) for e, n in content.items()}
    if all(abs(content[e] - n) <= _NEAR and n > 0 for e, n in whole.items()):
        return reduce(math.gcd, whole.values())
    return reduce(math.gcd, (s.multiplicity for s in sites))


def composition_text(content: Mapping[str, float], z: int) -> str:
    """A formula in Hill order: C and H first where there is carbon, else by the alphabet.

    >>> composition_text({"O": 12, "Ca": 4, "C": 4}, 4)
    'CCaO3'
    >>> composition_text({"O": 4, "Fe": 3.88}, 4)
    'Fe0.97O'
    """
    first = [e for e in ("C", "H") if "C" in content and e in content]
    order = first + sorted(e for e in content if e not in first)
    return "".join(e + _count(content[e] / z) for e in order if content[e] > 0)


def _count(n: float) -> str:
    near = round(n)
    text = str(near) if near and abs(n - near) < 0.005 else f"{n:.3f}".rstrip("0").rstrip(".")
    return "" if text == "1" else text
