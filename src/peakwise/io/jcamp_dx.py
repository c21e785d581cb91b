"""JCAMP-DX 4.24 and 5: infrared, Raman, UV/VIS spectra and diffraction patterns as text (.jdx, .dx, .jcm).

What is understood::

    file   = block
    block  = "##TITLE=" text { record | block } "##END="     blocks inside blocks: a LINK block with many spectra
    record = "##" label "=" value { more lines }             case, spaces, "-", "/" and "_" in labels do not count
    "$$"     begins a comment that runs to the end of the line

    ##XYDATA= (X++(Y..Y))    every line: X and as many Y as fit; X rises by (LASTX - FIRSTX) / (NPOINTS - 1)
    ##XYPOINTS= (XY..XY)     pairs "x, y" parted by ";" or space

Numbers on a line of (X++(Y..Y)) may be compressed, see `_asdf`. True values are X times XFACTOR and Y times YFACTOR.
Verified are: the X of every line, every Y check, NPOINTS and FIRSTY. A file without ``##END=`` was cut short.

R. S. McDonald, P. A. Wilks, Applied Spectroscopy 42 (1988) 151-162 (4.24); P. Lampen et al., Pure Appl. Chem. 71 (1999)
1549-1556 (5.01). Peak tables are no patterns, and NTUPLES (NMR, mass spectrometry) are not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import ReadError
from peakwise.io._asdf import YCheckError, decode_asdf
from peakwise.io._limits import check_limit
from peakwise.io._scan import Format, Scan
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["JCAMP_DX"]

_BEGIN = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s|\$\$[^\n]*\n)*##\s*TITLE\s*=", re.IGNORECASE)
_VERSION = re.compile(rb"##\s*JCAMP[-_ ]?DX", re.IGNORECASE)
_RECORD = re.compile(r"##([^=]*)=(.*)")
_MOST_PER_BYTE = 1000  # points that a byte of the file may stand for; a DUP of a billion is no measurement

_LOOSE = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d{1,3})?"
_PAIR = re.compile(rf"\s*({_LOOSE})[\s,]+(\?|{_LOOSE})[\s;,]*")
_DATA = ("XYDATA", "XYPOINTS", "PEAKTABLE", "PEAKASSIGNMENTS", "NTUPLES")

# XUNITS without spaces and brackets -> kind of axis and factor to its unit.
_XUNITS = {
    "1/CM": ("wavenumber", 1.0), "CM-1": ("wavenumber", 1.0), "CM^-1": ("wavenumber", 1.0),
    "WAVENUMBERS": ("wavenumber", 1.0), "WAVENUMBER": ("wavenumber", 1.0), "WAVENUMBERCM-1": ("wavenumber", 1.0),
    "NANOMETERS": ("wavelength", 1.0), "NANOMETER": ("wavelength", 1.0), "NM": ("wavelength", 1.0),
    "MICROMETERS": ("wavelength", 1e3), "MICROMETER": ("wavelength", 1e3), "MICRONS": ("wavelength", 1e3),
    "UM": ("wavelength", 1e3), "2THETA": ("two_theta", 1.0), "TWOTHETA": ("two_theta", 1.0),
    "2-THETA": ("two_theta", 1.0), "DEGREES2THETA": ("two_theta", 1.0), "DEGREES2-THETA": ("two_theta", 1.0),
    "2THETADEGREES": ("two_theta", 1.0), "RAMANSHIFT": ("raman_shift", 1.0), "RAMANSHIFT1/CM": ("raman_shift", 1.0),
    "THZ": ("frequency", 1.0), "EV": ("energy", 1e-3), "KEV": ("energy", 1.0),
    "CHANNEL": ("channel", 1.0), "CHANNELS": ("channel", 1.0),
}  # fmt: skip
_YUNITS = {
    "ABSORBANCE": "absorbance", "TRANSMITTANCE": "transmittance", "COUNTS": "counts", "COUNT": "counts",
    "CPS": "counts/s", "COUNTS/S": "counts/s", "COUNTS/SEC": "counts/s", "COUNTSPERSECOND": "counts/s",
    "ARBITRARYUNITS": "arbitrary", "ARBITRARY": "arbitrary", "RELATIVEINTENSITY": "arbitrary",
    "INTENSITY": "arbitrary",
}  # fmt: skip
_PERCENT = ("%TRANSMITTANCE", "PERCENTTRANSMITTANCE", "%T", "TRANSMITTANCE%")


@dataclass(slots=True)
class _Block:
    """Records of one block by their tidied labels; a value keeps its lines."""

    records: dict[str, list[str]] = field(default_factory=dict)

    def text(self, *labels: str) -> str:
        """Value of the first of these labels that is there, as one line."""
        for label in labels:
            if label in self.records:
                return " ".join(line.strip() for line in self.records[label]).strip()
        return ""

    def number(self, label: str) -> float | None:
        match = re.match(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][+-]?\d+)?", self.text(label))
        value = float(match[0].upper().replace("D", "E")) if match else None
        return value if value is not None and np.isfinite(value) else None


def _sniff(source: Source) -> bool:
    return _BEGIN.match(source.head) is not None and _VERSION.search(source.head) is not None


def _read(source: Source) -> list[Scan]:
    scans: list[Scan] = []
    skipped: list[str] = []
    for block in _blocks(source):
        data = next((name for name in _DATA if name in block.records), None)
        if data in ("XYDATA", "XYPOINTS"):
            scans.append(_scan(source, block, data))
        elif data is not None:
            skipped.append(f"{block.text('TITLE') or 'a block'} ({data})")
    if not scans and skipped:
        raise ReadError(
            "cannot read the scan",
            f"it holds no spectrum, only {', '.join(skipped[:3])}: a list of peaks or an NMR record is no pattern",
            "Export the measured curve as XYDATA",
            file=source.path,
        )
    if skipped:
        scans[0].warnings.append(f"{len(skipped)} blocks were left out, they hold no curve: {', '.join(skipped[:3])}")
    return scans


def _blocks(source: Source) -> list[_Block]:
    """All blocks of the file, in the order of their titles."""
    blocks: list[_Block] = []
    open_blocks: list[_Block] = []
    current: list[str] | None = None
    for line in source.text.split("\n"):
        line = line.partition("$$")[0].rstrip()
        match = _RECORD.match(line.lstrip())
        if match is None:
            if current is not None and line.strip():
                current.append(line)
            continue
        label, value = re.sub(r"[\s\-/_]", "", match[1]).upper(), match[2]
        if label == "TITLE":
            blocks.append(_Block())
            open_blocks.append(blocks[-1])
            check_limit(len(blocks), "scans", "the file", source.path)
        if label == "END":
            if not open_blocks:
                raise source.damaged(f"block {len(blocks)} ends twice")
            open_blocks.pop()
            current = None
        elif open_blocks and label:  # "##=" begins a comment
            current = open_blocks[-1].records.setdefault(label, [])
            current.append(value)
        else:
            current = None
    if open_blocks:
        title = open_blocks[-1].text("TITLE")
        raise source.damaged(f"{len(open_blocks)} blocks end without ##END=, the last is {title!r}; it is cut short")
    return blocks


def _scan(source: Source, block: _Block, data: str) -> Scan:
    form, *lines = block.records[data]
    shape = re.sub(r"\s", "", form).upper()
    title = block.text("TITLE") or data
    if shape.startswith("(X++(Y..Y))"):
        x, y = _evenly(source, block, lines, title)
    elif shape.startswith("(XY..XY)"):
        x, y = _pairs(source, block, lines, title)
    else:
        raise source.damaged(f"{title}: the form of its data, {form.strip()!r}, is not (X++(Y..Y)) or (XY..XY)")
    notes: list[str] = []
    kind, factor = _kind(block, notes)
    unit, y = _unit(block, y, notes)
    return Scan(x * factor, y, kind, radiation=_radiation(block), unit=unit, meta=_meta(block), warnings=notes)


def _factor(block: _Block, label: str) -> float:
    value = block.number(label)
    return 1.0 if value is None or value == 0 else value


def _evenly(
    source: Source, block: _Block, lines: list[str], title: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions and intensities of (X++(Y..Y))."""
    first, last, promised = (block.number(label) for label in ("FIRSTX", "LASTX", "NPOINTS"))
    if first is None or last is None or promised is None:
        raise source.damaged(f"{title}: FIRSTX, LASTX and NPOINTS are needed to know where its points are")
    most = _check_points(source, promised, title)
    try:
        ordinates, marks = decode_asdf(lines, most)
    except YCheckError as problem:
        raise source.damaged(f"{title}: {problem}") from problem
    if ordinates.size != most:
        raise source.damaged(f"{title}: holds {ordinates.size} of the {most} points its header promises")
    x = np.linspace(first, last, most)
    scale = _factor(block, "XFACTOR")
    step = abs(last - first) / max(most - 1, 1)
    for number, (index, value, digit) in enumerate(marks, 1):
        where = first + index * (last - first) / max(most - 1, 1)
        if abs(value * scale - where) > step / 2 + digit * abs(scale):
            raise source.damaged(
                f"{title}: line {number} of the data is at x = {value * scale:g}, its first point should be at "
                f"{where:g}; points are missing or too many"
            )
    y = ordinates * _factor(block, "YFACTOR")
    _check_first(source, block, ordinates[0], y[0], title)
    return x, y


def _pairs(
    source: Source, block: _Block, lines: list[str], title: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions and intensities of (XY..XY)."""
    x: list[float] = []
    y: list[float] = []
    for number, line in enumerate(lines, 1):
        place = 0
        while place < len(line):
            match = _PAIR.match(line, place)
            if match is None:
                raise source.damaged(
                    f"{title}: line {number} of the data holds no pair of x and y: {line[place : place + 30]!r}"
                )
            x.append(float(match[1]))
            y.append(float("nan") if match[2] == "?" else float(match[2]))
            place = match.end()
    promised = block.number("NPOINTS")
    if promised is not None and promised != len(x):
        raise source.damaged(f"{title}: holds {len(x)} of the {promised:g} points its header promises")
    if not x:
        raise source.damaged(f"{title}: holds no points")
    positions, ordinates = np.array(x) * _factor(block, "XFACTOR"), np.array(y)
    _check_first(source, block, y[0], y[0] * _factor(block, "YFACTOR"), title)
    return positions, ordinates * _factor(block, "YFACTOR")


def _check_points(source: Source, promised: float, title: str) -> int:
    if promised != int(promised) or promised < 1:
        raise source.damaged(f"{title}: NPOINTS is {promised:g}")
    check_limit(int(promised), "points", title, source.path)
    if promised > _MOST_PER_BYTE * len(source.data):
        raise source.damaged(f"{title}: promises {promised:g} points in a file of {len(source.data)} bytes")
    return int(promised)


def _check_first(source: Source, block: _Block, raw: float, true: float, title: str) -> None:
    """FIRSTY must be the first ordinate; a rounding of one unit is allowed, and so is the value before YFACTOR."""
    told = block.number("FIRSTY")
    slack = abs(_factor(block, "YFACTOR")) + 1e-3 * abs(told or 0)
    if told is not None and np.isfinite(true) and abs(told - true) > slack and told != raw:
        raise source.damaged(f"{title}: FIRSTY is {told:g}, its first ordinate is {true:g}")


def _kind(block: _Block, notes: list[str]) -> tuple[str | None, float]:
    """Kind of axis and the factor to its unit."""
    told = block.text("XUNITS")
    unit = re.sub(r"[\s()\[\]]", "", told).upper()
    what = block.text("DATATYPE").upper()
    diffraction = "X-RAY" in what or "XRAY" in what or "DIFFRACT" in what or "POWDER" in what
    if unit in ("DEGREES", "DEGREE", "DEG") or not unit:
        return ("two_theta" if diffraction and unit else None), 1.0
    if unit in ("ANGSTROMS", "ANGSTROM"):
        return ("d", 1.0) if diffraction else ("wavelength", 0.1)
    if unit in _XUNITS:
        kind, factor = _XUNITS[unit]
        return ("raman_shift" if kind == "wavenumber" and "RAMAN" in what else kind), factor
    notes.append(f"the axis is in {told}: its positions are given as they are")
    return "channel", 1.0


def _unit(block: _Block, y: NDArray[np.float64], notes: list[str]) -> tuple[str, NDArray[np.float64]]:
    unit = re.sub(r"[\s()\[\]]", "", block.text("YUNITS")).upper()
    if unit in _PERCENT:
        notes.append("the transmittance is given in percent: divided by 100")
        return "transmittance", y / 100
    return _YUNITS.get(unit, "unknown"), y


def _radiation(block: _Block) -> Radiation | None:
    """X-ray wavelength, where a diffractometer's software wrote one (the standard has no record for it)."""
    wavelength = block.number("$WAVELENGTH") or block.number("WAVELENGTH")
    return Radiation(wavelength) if wavelength else None


def _meta(block: _Block) -> dict[str, Any]:
    return {
        "title": block.text("TITLE"),
        "sample": block.text("SAMPLEDESCRIPTION", "NAMES"),
        "date": _date(block),
        "temperature": _temperature(block.text("TEMPERATURE")),
        "operator": block.text("OWNER"),
        "origin": block.text("ORIGIN"),
        "instrument": block.text("SPECTROMETERDATASYSTEM", "INSTRUMENTPARAMETERS"),
        "data_type": block.text("DATATYPE"),
    }


def _date(block: _Block) -> str:
    """LONGDATE is year/month/day [time]; DATE is year/month/day with two digits, TIME hours:minutes:seconds."""
    long = re.match(r"(\d{4})/(\d\d)/(\d\d)(?:\s+(\d\d:\d\d:\d\d))?", block.text("LONGDATE"))
    if long:
        return f"{long[1]}-{long[2]}-{long[3]}" + (f"T{long[4]}" if long[4] else "")
    short = re.fullmatch(r"(\d\d)/(\d\d)/(\d\d)", block.text("DATE"))
    if short is None:
        return f"{block.text('LONGDATE', 'DATE')} {block.text('TIME')}".strip()
    clock = re.fullmatch(r"\d\d:\d\d:\d\d", block.text("TIME"))
    # The standard is of 1988: two digits of a year from 70 on are of that century.
    century = "19" if int(short[1]) >= 70 else "20"
    return f"{century}{short[1]}-{short[2]}-{short[3]}" + (f"T{clock[0]}" if clock else "")


def _temperature(text: str) -> float | None:
    """The standard's unit is degrees Celsius; K is believed where it stands there."""
    match = re.fullmatch(r"([+-]?\d+\.?\d*)\s*(?:°|deg\.?\s*)?([CK]?)", text.strip(), re.IGNORECASE)
    if match is None:
        return None
    return float(match[1]) + (0.0 if match[2].upper() == "K" else 273.15)


JCAMP_DX = Format("jcamp_dx", "JCAMP-DX spectra and patterns", (".jdx", ".dx", ".jcm", ".jcamp"), _sniff, _read)
