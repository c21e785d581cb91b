"""What the words above a table say: which axis, which wavelength, at which temperature."""

from __future__ import annotations

import re
from typing import Any

from peakwise.errors import AxisError
from peakwise.io._axis_words import Meaning, axis_meaning, unit_of
from peakwise.patterns import Radiation

__all__ = ["axis_of_title", "axis_of_words", "facts_of", "radiation_of", "role_of_title", "unit_of_title"]

_INTENSITY = re.compile(
    r"^(dark subtracted.*|y_?obs|i_?obs|obs(erved)?|y|i|cps|counts?(/s| ?s-1)?|intensit(y|ies)|int"
    r"|signal|[ifs]\(q\)|g\(r\)|absorbance|abs|transmittance|(raman )?intensity.*"
    r"|meas(ured)?|exp(erimental)?|yobs.*|detector)$"
)
_SIGMA = re.compile(
    r"^(sigma.*|s|d?e|esd|err(or)?s?|std(dev)?|unc(ertainty)?|d[gifs]\(?[rqi]?\)?|di|dy|sig_?i?|y_?err)$"
)
_OTHER = re.compile(
    r"^(weights?|wt|[yi]?_?calc(ulated)?|y_?bkg|bkg|background|diff(erence)?|residuals?|dr|d_r|dx|dark|ref(erence)?"
    r"|raw data.*|%tr.*|irradiance.*|mask)$"
)
_INDEX = re.compile(r"^(#|no\.?|n|index|point|pixel|channel|pt|id)$")


def _plain(title: str) -> str:
    """A title in lower case without unit, quotes and decoration."""
    text = re.sub(r"[\[(][^\])]*[\])]", " ", title) if not re.search(r"\((q|r)\)", title.lower()) else title
    return re.sub(r"\s+", " ", re.sub(r"[\"'#*:=]", " ", text)).strip().lower()


def axis_of_title(title: str) -> Meaning | None:
    """Which axis a column title names, and by how much its numbers are to be multiplied; None where it names none.

    >>> axis_of_title("2Theta (deg)").kind, axis_of_title("q_nm^-1").factor, axis_of_title("counts")
    ('two_theta', 0.1, None)
    """
    text = title.strip().strip("\"'#")
    meaning = axis_meaning(text)
    if (meaning is None or meaning.kind is None) and unit_of(text) is not None:
        meaning = axis_meaning("", text)  # a title that is nothing but a unit: cm-1
    return meaning if meaning is not None and meaning.kind is not None else None


def axis_of_words(lines: list[str]) -> Meaning | None:
    """The axis that a header names somewhere in its prose, where exactly one is named."""
    found = set()
    for line in lines:
        low = line.lower()
        for pattern, kind in (
            (r"2[\s_-]?theta|two[\s_-]?theta|2θ|\b2th\b|\btth\b", "two_theta"),
            (r"\bq\b[^a-z]{0,3}(\(|\[|/)?\s*(å|a|1/a|angstrom|nm)|q_a\^?-1|q_nm", "q"),
            (r"raman\s*shift", "raman_shift"),
            (r"wave\s?number", "wavenumber"),
        ):
            if re.search(pattern, low):
                found.add(Meaning(kind, 0.1 if kind == "q" and "nm" in low else 1.0, named=True, has_unit=kind == "q"))
    return found.pop() if len(found) == 1 else None


def role_of_title(title: str) -> str:
    """What a column is: ``intensity``, ``sigma``, ``index``, ``other`` (calculated, weights ...) or ``""``, unknown."""
    name = _plain(title)
    for role, pattern in (("intensity", _INTENSITY), ("sigma", _SIGMA), ("other", _OTHER), ("index", _INDEX)):
        if pattern.match(name):
            return role
    return ""


def unit_of_title(title: str) -> str:
    """The unit of an intensity column, as far as its title tells."""
    low = title.lower()
    if "absorbance" in low:
        return "absorbance"
    if "transmittance" in low or low.strip() in ("%t", "%tr"):
        return "transmittance"
    if re.search(r"\bcps\b|counts?\s*(/|per)\s*s|c/s|counts?\s*s-1", low):
        return "counts/s"
    return "counts" if re.search(r"\bcounts?\b", low) else "unknown"


_UNIT = r"m|nm|pm|å|a|angstroms?"
_WAVELENGTH = re.compile(
    r"(?<![a-z])(?<!laser[ _])(?:wave\s?length|lambda|lam1?|wl1?|λ)"  # the key
    rf"(?:\s*[\[(]\s*(?P<before>{_UNIT})\s*[\])])?\s*(?:alpha|ka)?1?[\s\"':=;,]*"  # a unit, a mark
    rf"(?P<v>(?:\d+\.\d*|\.\d+)(?:e[+-]?\d+)?)\s*[\[(]?\s*(?P<unit>{_UNIT})?(?![a-z0-9])",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?<![A-Za-z])(Cu|Mo|Co|Ag|Cr|Fe)[\s_-]?K[\s_-]?(?:a(?:lpha)?|α)[\s_-]?([12]?)(?![A-Za-z0-9])")
_TO_ANGSTROM = {"m": 1e10, "nm": 10.0, "pm": 0.01}
_ROUGH = 0.003  # a number and a name that agree to this share mean the same; the name is exact


def radiation_of(lines: list[str]) -> Radiation | None:
    """The radiation that a header states by number or by name."""
    number: float | None = None
    named: Radiation | None = None
    for line in lines:
        if number is None and "laser" not in line.lower() and (match := _WAVELENGTH.search(line)):
            value, unit = float(match["v"]), (match["before"] or match["unit"] or "").lower()
            value *= _TO_ANGSTROM.get(unit, 1e10 if value < 1e-7 else 1.0)
            try:
                number = Radiation(value).wavelength
            except AxisError:
                number = None
        if named is None and (match := _NAMED.search(line)):
            named = Radiation.named(f"{match[1]}Ka{match[2]}")
    if number is None:
        return named
    if named is not None and any(abs(number - line) < _ROUGH * number for line, _ in named.lines):
        return Radiation(number, named.lines, named.anode) if _digits(number) > 3 else named
    return Radiation(number)


def _digits(value: float) -> int:
    return len(f"{value:.8g}".replace(".", "").strip("0"))


_SET = r"\s*[\])]?\s*[\"']?\s*[:=;,\s]\s*[\"']?\s*"  # what stands between a key and its value
_VALUE = r"(?P<v>-?\d+(?:[.,]\d+)?)"


def _key(pattern: str, value: str = _VALUE, between: str = _SET) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z]){pattern}{between}{value}", re.IGNORECASE)


_TEXT = r"(?P<t>\S.*)"
_MARK = r"\s*[:=;,]\s*"
_FACTS: dict[str, re.Pattern[str]] = {
    "temperature": _key(
        r"temp(?:erature)?\.?\s*(?:\(?\s*(?P<unit>k|c|°c|degc|celsius|kelvin)\s*\)?)?",
        _VALUE + r"\s*(?P<after>k|c|°c)?(?![a-z])",
    ),
    "pressure": _key(r"pressure\s*(?:\(gpa\))?", _VALUE + r"\s*gpa\b"),
    "count_time": _key(
        r"(?:step\s*time|time per step|count(?:ing)?[\s_]*time|exposure(?:\s*time)?)\s*(?:\(s\))?",
        _VALUE + r"\s*(?:s|sec)?\b",
    ),
    "laser": _key(r"laser[ _]?wave\s?length\s*(?:\(nm\))?"),
    "sample": _key(r"sample\s*(?:name|id)?", _TEXT, r"\s*[:=]\s*"),
    "title": _key(r"title", _TEXT, _MARK),
    "date": _key(r"(?:date|scan time)", _TEXT, _MARK),
}


def facts_of(lines: list[str]) -> dict[str, Any]:
    """Metadata that a header states as ``key = value``, under the names and in the units of `META`.

    >>> facts_of(["! Sample name = Silicon", "TEMP 295.0", "! Time per step = 0.1"])
    {'sample': 'Silicon', 'temperature': 295.0, 'count_time': 0.1}
    """
    found: dict[str, Any] = {}
    for line in lines:
        for name, pattern in _FACTS.items():
            match = None if name in found else pattern.search(line)
            if match is None:
                continue
            groups = match.groupdict()
            if "t" in groups:
                found[name] = groups["t"].strip().strip("\"';, ")[:200]
                continue
            value = float(groups["v"].replace(",", "."))
            unit = (groups.get("unit") or groups.get("after") or "k").lower()
            found[name] = value + 273.15 if name == "temperature" and unit not in ("k", "kelvin") else value
    return found
