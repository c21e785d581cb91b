"""Dates as instruments write them -> ISO 8601."""

from __future__ import annotations

import re

__all__ = ["iso_date"]

# English, German and French, by their first three letters.
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan", "feb fév fev", "mar mär mrz", "apr avr", "may mai", "jun", "jul", "aug aoû", "sep", "oct okt", "nov",
         "dec dez déc"),
        1,
    )
    for name in names.split()
}  # fmt: skip
_CLOCK = r"(?:[\sT,]+(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2}))?(?:\.\d+)?\s*(?P<half>[AaPp][Mm])?)?"
_FORMS = tuple(
    re.compile(date + _CLOCK)
    for date in (
        r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})",
        r"(?P<d>\d{1,2})[-\s./]+(?P<name>[A-Za-zäûéÄÛÉ]{3,9})\.?[-\s./]+(?P<y>\d{4}|\d{2}(?!\d))",
        r"(?P<name>[A-Za-z]{3,9})\.?\s+(?P<d>\d{1,2}),?\s+(?P<y>\d{4})",
    )
)
_CENTURY_TURNS = 70  # two-digit years from here on are of the twentieth century


def iso_date(text: str) -> str:
    """Return a date as ``YYYY-MM-DDTHH:MM:SS``, or the text itself where its order of day and month is not certain.

    >>> iso_date("04-Mar-2010 20:59:14"), iso_date("JUN 11, 2010 10:02:26.277110"), iso_date("2001-06-16 06:25:59")
    ('2010-03-04T20:59:14', '2010-06-11T10:02:26', '2001-06-16T06:25:59')
    >>> iso_date("8-May-97"), iso_date("03/04/2010 10:00")
    ('1997-05-08', '03/04/2010 10:00')
    """
    plain = text.strip().strip("'\"").strip()
    for form in _FORMS:
        match = form.search(plain[:80])
        if match is None:
            continue
        parts = match.groupdict()
        month = _MONTHS.get(parts["name"][:3].lower(), 0) if parts.get("name") else int(parts["m"])
        year, day = int(parts["y"]), int(parts["d"])
        if year < 100:
            year += 1900 if year >= _CENTURY_TURNS else 2000
        if not (1 <= month <= 12 and 1 <= day <= 31):
            continue
        iso = f"{year:04d}-{month:02d}-{day:02d}"
        return iso if parts["h"] is None else f"{iso}T{_clock(parts)}"
    return plain


def _clock(parts: dict[str, str | None]) -> str:
    hour = int(parts["h"] or 0)
    if parts["half"]:
        hour = hour % 12 + (12 if parts["half"].lower() == "pm" else 0)
    return f"{hour:02d}:{parts['min']}:{parts['s'] or '00'}"
