"""Numbers, labels and type symbols of atoms, in the ways in which people and programs write them."""

from __future__ import annotations

import math
import re
from functools import lru_cache

from peakwise.crystal._scattering import scatterer_of

__all__ = ["decimals_of", "is_unknown", "number", "read_element", "read_scatterer", "split_type"]

_UNKNOWN = frozenset({"", "?", "."})
_FRACTION = re.compile(r"([+-]?\d+)/(\d+)")
_CHARGE = re.compile(r"(?:(\d)([+-])|([+-])(\d))")
_WATER = re.compile(r"[Ww]at|WAT|H2O|[Aa]qua|Ow|OW")
_HIGHEST = 8  # charge


def number(text: str) -> float:
    """A number of a CIF with its uncertainty cut off; NaN for ``?``, ``.`` and what is none.

    >>> number("0.3333(2)"), number("1/3") == 1 / 3, number("0,25"), number("?")
    (0.3333, True, 0.25, nan)
    """
    plain = text.strip().strip("'\"").partition("(")[0].rstrip(",;")
    try:
        value = float(plain)
    except ValueError:
        match = _FRACTION.fullmatch(plain)
        if match and int(match[2]):
            return int(match[1]) / int(match[2])
        if plain.count(",") == 1 and "." not in plain:
            try:
                return float(plain.replace(",", "."))
            except ValueError:
                return math.nan
        return math.nan
    return value if math.isfinite(value) and "_" not in plain else math.nan


def decimals_of(text: str) -> int:
    """Digits after the point, 99 where the number has an uncertainty (so it was refined) or is no plain decimal.

    >>> decimals_of("0.3333"), decimals_of("0.3333(2)"), decimals_of("1/3")
    (4, 99, 99)
    """
    match = re.fullmatch(r"[+-]?\d*\.(\d+)", text.strip().strip("'\""))
    return len(match[1]) if match else 99


def is_unknown(text: str) -> bool:
    """Whether a CIF value says nothing."""
    return text.strip() in _UNKNOWN


@lru_cache(maxsize=4096)
def read_scatterer(text: str) -> str | None:
    """Scatterer of a type symbol such as ``Fe3+``, ``FE+3``, ``O-2``, ``D``; None where it names no element."""
    found = split_type(text)
    return None if found is None else scatterer_of(*found)


def split_type(text: str) -> tuple[str, int] | None:
    """Element and charge of a type symbol."""
    plain = text.strip().strip("'\"")
    match = re.match(r"([A-Za-z][a-z]?|[A-Z]{2})(?=[^A-Za-z]|$)", plain) or re.match(r"([A-Z][a-z]?)", plain)
    if match is None:
        return None
    element = match[1].capitalize()
    if scatterer_of(element) is None:
        element = element[:1]
        if scatterer_of(element) is None:
            return None
    return element, _charge(plain[match.end() :])


def _charge(rest: str) -> int:
    if rest in {"+", "-"}:
        return 1 if rest == "+" else -1
    match = _CHARGE.match(rest)
    if match is None:
        return 0
    size, sign = (int(match[1]), match[2]) if match[1] else (int(match[4]), match[3])
    return (size if sign == "+" else -size) if size <= _HIGHEST else 0


@lru_cache(maxsize=16384)
def read_element(label: str, formula: frozenset[str]) -> tuple[str, int] | None:
    """Element and charge that a label such as ``FeM1``, ``O-H2``, ``Wat1`` or ``CA1`` means beside a formula.

    Two letters are an element where the formula has it, else one letter that it has; without a formula two letters
    count when the second is a small one. Water is its oxygen.

    >>> read_element("CA1", frozenset({"C", "H"})), read_element("CA1", frozenset({"Ca", "O"}))
    (('C', 0), ('Ca', 0))
    >>> read_element("Wat2", frozenset("HO")), read_element("Fe3+1", frozenset()), read_element("Q1", frozenset())
    (('O', 0), ('Fe', 3), None)
    """
    plain = label.strip().strip("'\"")
    if _WATER.match(plain) and ("W" not in formula or plain[:3].lower() == "wat"):
        return ("O", 0)
    letters = re.match(r"[A-Za-z]+", plain)
    if letters is None:
        return None
    two, one = letters[0][:2].capitalize(), letters[0][:1].upper()
    rest = plain[letters.end() :]
    known = [e for e in (two, one) if scatterer_of(e) is not None]
    if "H" in formula or not formula:
        formula = formula | {"D"} if formula else formula
    for element in known:
        if element in formula:
            return element, _charge(rest) if len(letters[0]) == len(element) else 0
    if two in known and len(letters[0]) > 1 and (letters[0][1].islower() or plain == letters[0][:2]):
        return two, _charge(rest) if len(letters[0]) == len(two) else 0
    if one in known:
        return one, _charge(rest) if len(letters[0]) == 1 else 0
    return None
