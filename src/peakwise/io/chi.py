r"""CHI: the text files of FIT2D and ChiPlot, and of SrXgui, which uses the same suffix.

What is understood, line by line::

    file    = title  x-label  y-label  count  { row }                FIT2D, ChiPlot
            | "#" comment { section | key "=" value | blank } "#### start data" { row }      SrXgui
    count   = points [ curves ]
    row     = x separator y { separator y }                          as many y as there are curves
            | x separator y separator uncertainty
    separator = blanks, or a comma

The first three lines are free text, each of which may be empty. FIT2D's x-label tells the axis: ``2-Theta Angle
(Degrees)``, ``Q (Inverse Nanometres)``, ``Radial Distance (mm)``; ChiPlot's is whatever was typed. SrXgui tells it by
``integrationspace = qspace`` (or ``twothetaspace``), and gives ``wavelength`` in angstrom.

Publicly described in the FIT2D reference manual (A. P. Hammersley, ESRF98HA01T, "CHIPLOT" format) and in the manual of
ChiPlot; SrXgui by its files.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from peakwise.io._binary import tube
from peakwise.io._numbers import parse_rows
from peakwise.io._scan import Format, Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["CHI"]

_START = "#### start data"
_COUNT = re.compile(r"\s*(\d{1,9})(?:[\s,]+(\d{1,3}))?\s*$")
_ROW = re.compile(r"\s*[+-]?(?:\d|\.\d)[\d.eEdD+-]*(?:\s*,\s*|\s+)[+-]?(?:\d|\.\d)[\d.eEdD+-]*")
# What an x-label says, with the factor to our unit; the first that fits counts.
_LABELS: tuple[tuple[str, str, float], ...] = (
    (r"(?:2|two)[\s_-]?theta.*radian", "two_theta", 180 / np.pi),
    (r"(?:2|two)[\s_-]?theta", "two_theta", 1.0),
    (r"\bq\b.*(?:nano|nm)", "q", 0.1),
    (r"\bq\b.*(?:angstrom|å|a\^?-1|1/a)", "q", 1.0),
    (r"\bd[\s_-]?spacing.*(?:nano|nm)", "d", 10.0),
    (r"\bd[\s_-]?spacing", "d", 1.0),
    (r"(?:radial distance|radius).*\(mm\)", "position", 1.0),
    (r"(?:radial distance|radius|rows?|columns?).*pixels?", "channel", 1.0),
    (r"azimuth.*degree", "phi", 1.0),
)
_SPACES = {"qspace": "q", "twothetaspace": "two_theta", "tthspace": "two_theta", "2thetaspace": "two_theta"}


def _sniff(source: Source) -> bool:
    head = source.head
    if b"\0" in head:
        return False
    text = head.decode("latin-1").replace("\r\n", "\n")
    if text.startswith("#"):
        return f"\n{_START}" in text and "integrationspace" in text
    lines = text.split("\n")
    if len(lines) < 6 or _COUNT.match(lines[3]) is None or _ROW.match(lines[4]) is None:
        return False
    # A number and a pair of numbers after three lines of words are no proof: the label or the suffix must agree.
    words = all(_ROW.match(line) is None and _COUNT.match(line) is None for line in lines[:3])
    return words and (_axis(lines[1]) is not None or source.suffix == ".chi")


def _read(source: Source) -> list[Scan]:
    text = source.text.replace("\r\n", "\n")
    return [_read_srxgui(text)] if text.startswith("#") else _read_fit2d(source, text)


def _read_fit2d(source: Source, text: str) -> list[Scan]:
    title, x_label, y_label, count, body = text.split("\n", 4)
    match = _COUNT.match(count)
    if match is None:
        raise source.damaged(f"the fourth line must hold the number of points, it is {count[:40]!r}")
    body = body.replace(",", " ")
    # FIT2D itself writes no uncertainty, but programs that follow it put one into a third column.
    uncertain = match[2] is None and len(body.lstrip().partition("\n")[0].split()) == 3
    rows = parse_rows(body, 3 if uncertain else 1 + max(1, int(match[2] or 1)))
    notes = _check_count(source, len(rows), int(match[1]), body)
    kind, factor = _axis(x_label) or (None, 1.0)
    meta = {"title": title.strip(), "y_label": y_label.strip()}
    x, y = rows[:, 0] * factor, rows[:, 1:2].T if uncertain else rows[:, 1:].T
    if not uncertain:
        return [Scan(x, y, kind, meta=meta, warnings=notes)]
    notes.append("the third column is taken for the uncertainty")
    return [Scan(x, y, kind, sigma=rows[:, 2:].T, meta=meta, warnings=notes)]


def _check_count(source: Source, held: int, promised: int, body: str) -> list[str]:
    """Refuse a file that breaks off within a row; one that was edited is read, and the mismatch is said."""
    if held == promised:
        return []
    why = f"it holds {held} points, its header promises {promised}"
    if held < promised and not body.endswith("\n"):
        last = [line for line in body.rsplit("\n", 3)[-3:] if line.strip()]
        if len({len(line) for line in last}) != 1:
            raise source.damaged(f"{why}, and the last row is incomplete")
    return [f"{why}: it was edited, or it is cut short"]


def _read_srxgui(text: str) -> Scan:
    header, _, body = text.partition(_START)
    keys = {
        key.strip().lower(): value.strip()
        for key, mark, value in (line.partition("=") for line in header.split("\n"))
        if mark
    }
    rows: NDArray[np.float64] = parse_rows(body, len(body.lstrip().partition("\n")[0].split()))
    notes: list[str] = []
    wavelength = float(keys.get("wavelength") or 0)
    return Scan(
        rows[:, 0],
        rows[:, 1],
        _SPACES.get(keys.get("integrationspace", "").lower()),
        sigma=rows[:, 2] if rows.shape[1] > 2 else None,
        radiation=tube(wavelength, 0.0, None, None, notes),
        warnings=notes,
    )


def _axis(label: str) -> tuple[str, float] | None:
    """Which axis an x-label names, and the factor to our unit."""
    low = label.strip().lower()
    return next(((kind, factor) for pattern, kind, factor in _LABELS if re.search(pattern, low)), None)


CHI = Format("chi", "FIT2D and ChiPlot .chi", (".chi",), _sniff, _read)
