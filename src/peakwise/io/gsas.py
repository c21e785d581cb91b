r"""GSAS powder data: the text files of Los Alamos, and of everything that exports for GSAS.

What is understood, line by line (80 characters each, blanks at the end may be missing; a file without any line end is
cut into records of 80)::

    file     = title { header } { bank }
    header   = "Instrument parameter file" name | "#" comment | "Monitor:" number | time-map | other words
    time-map = "TIME_MAP" number values records "TIME_MAP" clock-ns, then 10I8 records: triples (first channel, time,
               width) in clock pulses, and the time at which the last channel ends
    bank     = "BANK" number points records binning { coefficient } [ type ], then the records, "#" comments among them
    binning  = "CONST" ("CONS") start step              centidegrees, or microseconds of flight
             | "SLOG" start stop dT/T                   microseconds, every step the share dT/T of the time
             | "RALF" start step turn dT/T              1/32 microsecond, constant steps up to `turn`, SLOG beyond
             | "TIME_MAP" number-of-the-map
    type     = "STD"   10(I2,F6.0)       number of counters (blank is 1), their mean count         [the default]
             | "ESD"   10F8.0            intensity, standard uncertainty
             | "ALT"   4(F8.0,F7.4,F5.4) position in 1/32 unit, intensity, uncertainty; points may be left out
             | "FXY"   free              position, intensity
             | "FXYE"  free              position, intensity, uncertainty

STD, ESD and ALT are Fortran columns that may touch. The file does not say whether CONST means an angle or a time of
flight; GSAS learns it from the instrument parameter file. Positions that end above 180 degrees are read as times.

The uncertainty of an STD value y of n counters is sqrt(y / n); with one counter throughout, the values are plain
counts. 11-BM (APS) and Mantid write wavelength, temperature and sample into the comments, where they are looked for.

Publicly described in the GSAS manual, A. C. Larson & R. B. Von Dreele, Los Alamos National Laboratory Report LAUR
86-748 (2004), "GSAS Standard Powder Data File", and (ALT, RALF) in the Technical Reference of TOPAS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._dates import iso_date
from peakwise.io._header import facts_of, radiation_of
from peakwise.io._limits import check_limit
from peakwise.io._numbers import finite, fixed_columns, parse_numbers, parse_rows
from peakwise.io._scan import Format, Scan
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["GSAS"]

_BINNINGS = "CONS|COND|RALF|SLOG|LOG6|EDS|LPSD|TIME_MAP"
_BANK_LINE = re.compile(rb"(?:^|[\r\n])[ \t]*BANK(?:[ \t]+\d+){3}[ \t]+(?:%s)" % _BINNINGS.encode(), re.IGNORECASE)
_MAP_LINE = re.compile(rb"(?:^|[\r\n])TIME_MAP(?:[ \t]+\d+){3}[ \t]+TIME_MAP")
_RECORD = 80
_HEADER_BYTES = 1 << 17  # comments may be long, but a BANK line that is further down begins no GSAS file
_HEADER_LINES = 400
_TYPES = ("STD", "ESD", "ALT", "FXY", "FXYE")
_HALF_TURN = 18_000  # centidegrees: no detector stands beyond, so larger positions are microseconds

_NEUTRONS = re.compile(r"neutron", re.IGNORECASE)
_ANGSTROM = re.compile(r"(?<![\d.])([1-9]\.\d{2,6}|0\.[1-9]\d{1,5})\s?(?:A|Å|angstroms?)\b", re.IGNORECASE)
_KEY = re.compile(r"#?\s*([^=:]{2,40}?)\s*[=:]\s*(\S.*)")
_KEYS = {
    "temp (k)": "temperature",
    "user sample name": "sample",
    "composition": "composition",
    "scan time": "date",
    "time per step (sec)": "count_time",
    "instrument": "instrument",
    "run no.": "run",
}


@dataclass(slots=True)
class _Bank:
    """What a BANK line says."""

    number: int
    points: int
    binning: str
    coefficients: list[float]
    type: str
    line: str

    def coefficient(self, index: int) -> float:
        if index >= len(self.coefficients):
            raise ValueError(f"the line {self.line[:60]!r} lacks coefficient {index + 1} of its binning")
        return self.coefficients[index]


@dataclass(slots=True)
class _TimeMap:
    """Channels in runs of equal width, in pulses of a clock; only as many are worked out as a bank has points."""

    number: str
    channel: NDArray[np.float64]
    time: NDArray[np.float64]
    width: NDArray[np.float64]
    end: float
    clock: float  # [us]

    def starts(self, points: int) -> NDArray[np.float64]:
        """The time [us] at which each of the first channels begins."""
        n = self.channel[-1] - self.channel[0] + (self.end - self.time[-1]) // self.width[-1]
        if points > n:
            raise ValueError(f"time map {self.number} has {n:.0f} channels")
        index = self.channel[0] + np.arange(points)
        run = np.searchsorted(self.channel, index, side="right") - 1
        return np.asarray((self.time[run] + self.width[run] * (index - self.channel[run])) * self.clock)


def _sniff(source: Source) -> bool:
    head = source.head
    if _BANK_LINE.search(head) or _MAP_LINE.search(head):
        return True
    if b"\0" in head or (b"BANK" not in head and b"\n#" not in head):
        return False
    if b"\n" not in head:
        return any(head[at : at + 5] == b"BANK " for at in range(_RECORD, len(head), _RECORD))
    comments = head.split(b"\n")[2:-1]
    return bool(comments) and all(c.startswith(b"#") for c in comments) and bool(_search_deep(source))


def _search_deep(source: Source) -> re.Match[bytes] | None:
    return _BANK_LINE.search(source.data[:_HEADER_BYTES])


def _read(source: Source) -> list[Scan]:
    text = _lines_of(source.text)
    marks = _marks(text)
    maps: dict[str, _TimeMap] = {}
    scans: list[Scan] = []
    first = marks[0][0] if marks else len(text)
    common = text[:first].splitlines()[:_HEADER_LINES]
    own: list[str] = []
    for (begin, word), (end, _) in zip(marks, [*marks[1:], (len(text), "")], strict=True):
        line, _, body = text[begin:end].partition("\n")
        comments: list[str] = []
        if "#" in body:
            lines = body.split("\n")
            comments = [x for x in lines if x.startswith("#")][:_HEADER_LINES]
            body = "\n".join(x for x in lines if not x.startswith("#"))
        if word == "TIME_MAP":
            number, times = _time_map(source, line, body)
            maps[number] = times
        else:
            bank = _bank(source, line)
            scans.append(_scan(source, bank, body, maps, common + own))
            check_limit(len(scans), "scans", "the file", source.path)
            # What stands between two banks describes the second of them.
            own = comments
    if not scans:
        raise source.damaged("it holds no BANK line with points")
    if len(scans) > 1:
        for scan, (_, line) in zip(scans, ((m, text[m[0] :][:40]) for m in marks if m[1] == "BANK"), strict=True):
            scan.meta["bank"] = int(line.split()[1])
    return scans


def _lines_of(text: str) -> str:
    """The text with line ends; direct-access files of UNIX have none."""
    if "\n" in text:
        return text
    if "\r" in text:
        return text.replace("\r", "\n")
    return "\n".join(text[at : at + _RECORD] for at in range(0, len(text), _RECORD))


def _marks(text: str) -> list[tuple[int, str]]:
    """Where BANK and TIME_MAP lines begin, in order."""
    found = []
    for word in ("BANK", "TIME_MAP"):
        at = text.find(word)
        while at >= 0:
            begin = text.rfind("\n", 0, at) + 1 if at and text[at - 1] in " \t" and at < _HEADER_BYTES else at
            if not text[begin:at].strip() and (begin == 0 or text[begin - 1] == "\n"):
                found.append((at, word))
            at = text.find(word, at + len(word))
    return sorted(found)


def _bank(source: Source, line: str) -> _Bank:
    words = line.split()
    try:
        number, points, _records = (int(float(w)) for w in words[1:4])
        binning = words[4].upper()
    except (ValueError, IndexError, OverflowError) as problem:
        raise source.damaged(f"the line {line[:60]!r} does not give bank, points, records and binning") from problem
    coefficients: list[float] = []
    kind = "STD"
    for word in words[5:]:
        if word[:1].isalpha() and word.lower() not in ("nan", "inf", "infinity"):
            kind = word.upper()
            break
        try:
            coefficients.append(finite(word))
        except ValueError as problem:
            raise source.damaged(f"coefficient {len(coefficients) + 1} of bank {number}: {problem}") from problem
    if kind not in _TYPES:
        why = f"bank {number} is of type {kind}; the types that can be read are {', '.join(_TYPES)}"
        raise source.damaged(why, "Export it again as FXYE")
    if points < 1:
        raise source.damaged(f"bank {number} promises {points} points")
    return _Bank(number, points, "CONST" if binning.startswith(("CONS", "COND")) else binning, coefficients, kind, line)


def _scan(source: Source, bank: _Bank, body: str, maps: dict[str, _TimeMap], header: list[str]) -> Scan:
    notes: list[str] = []
    try:
        if bank.type in ("FXY", "FXYE"):
            x, y, sigma = _free_points(bank, body, notes)
        elif bank.type == "ALT":
            x, y, sigma = _records(bank, body, (8, 7, 5), 4, (0, 4, 4), notes)
            x = x / 32
        elif bank.type == "ESD":
            y, sigma = _records(bank, body, (8, 8), 5, (), notes)
            x = _positions(bank, maps, notes)
        else:
            counters, y = _records(bank, body, (2, 6), 10, (), notes)
            y, sigma = _of_counters(counters, y)
            x = _positions(bank, maps, notes)
    except ValueError as problem:
        raise source.damaged(f"bank {bank.number} promises {bank.points} points: {problem}") from problem
    flight = bank.binning != "CONST" or float(np.where(np.isfinite(x), x, 0.0).max()) > _HALF_TURN
    plain = bank.type == "STD" and sigma is None and bool((np.rint(y) == y).all())
    return Scan(
        x if flight else x / 100,
        y,
        "time_of_flight" if flight else "two_theta",
        sigma=sigma,
        radiation=None if flight else _radiation(header),
        unit="counts" if plain else "unknown",
        meta=_meta(header),
        warnings=notes,
    )


def _free_points(
    bank: _Bank, body: str, notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
    least = 2 if bank.type == "FXY" else 3
    width = max(least, len(body[:400].lstrip().partition("\n")[0].split()))
    rows = parse_rows(body, width)
    _check_count(len(rows), bank.points, 1, notes)
    rows = rows[: bank.points]
    return rows[:, 0], rows[:, 1], rows[:, 2] if least == 3 else None


def _records(
    bank: _Bank, body: str, widths: tuple[int, ...], repeat: int, decimals: tuple[int, ...], notes: list[str]
) -> list[NDArray[np.float64]]:
    """The columns of fixed records, `bank.points` values each."""
    lines = body.rstrip().split("\n")
    wanted = -(-bank.points // repeat)
    try:
        columns = fixed_columns([x.rstrip("\r") for x in lines[:wanted]], widths, repeat, decimals)
    except ValueError:
        # Some programs part the values by single blanks and care for no columns.
        columns = _loose_columns(body, bank.points, len(widths), repeat, decimals)
    value = columns[0 if bank.type == "ESD" else 1]
    filled = np.flatnonzero(np.isfinite(value))
    held = min(int(filled[-1]) + 1 if filled.size else 0, bank.points)
    held += repeat * sum(bool(x.strip()) for x in lines[wanted:])
    _check_count(held, bank.points, repeat, notes)
    return [c[: bank.points] for c in columns]


def _loose_columns(
    body: str, points: int, fields: int, repeat: int, decimals: tuple[int, ...]
) -> list[NDArray[np.float64]]:
    """Values parted by blanks instead of columns: one per point for STD, as many as there are fields otherwise."""
    if any(decimals):
        raise ValueError("its records do not keep to their columns")
    values = parse_numbers(body)
    if fields == 2 and repeat == 10:
        if not points <= values.size < points + repeat:
            raise ValueError(f"it holds {values.size} of them, parted by blanks")
        return [np.full(values.size, np.nan), values]
    values = values[: values.size // fields * fields].reshape(-1, fields)
    return [values[:, i] for i in range(fields)]


def _check_count(held: int, promised: int, record: int, notes: list[str]) -> None:
    """Refuse missing points; one record too many is what editors leave at the end, more is a contradiction."""
    if held < promised:
        raise ValueError(f"it holds {held} of them")
    if held > promised + record:
        raise ValueError(f"it holds {held}")
    if held > promised:
        notes.append(f"the bank holds more than the {promised} points that it promises: the rest was left out")


def _of_counters(
    counters: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Mean counts with their uncertainty where several counters passed the same angle; None for plain counts."""
    if not (counters > 1).any():
        return np.where(np.isnan(y), 0.0, y), None
    n = np.where(counters >= 1, counters, 1.0)
    unmeasured = (counters == 0) & ~(y > 0)
    y = np.where(unmeasured, np.nan, np.where(np.isnan(y), 0.0, y))
    # No count at all is uncertain by one count.
    return y, np.sqrt(np.maximum(y * n, 1.0)) / n


def _positions(bank: _Bank, maps: dict[str, _TimeMap], notes: list[str]) -> NDArray[np.float64]:
    """Where the points of STD and ESD stand: centidegrees or microseconds."""
    index = np.arange(bank.points, dtype=np.float64)
    if bank.binning == "CONST":
        return bank.coefficient(0) + bank.coefficient(1) * index
    if bank.binning == "SLOG":
        return _logarithmic(bank.coefficient(0), bank.coefficient(2), index)
    if bank.binning == "RALF":
        start, step, turn, share = (bank.coefficient(i) for i in range(4))
        if not (start > 0 and step > 0):
            raise ValueError(f"RALF needs positive coefficients, got {bank.coefficients}")
        linear = min(max(0.0, np.ceil((turn - start) / step)), float(bank.points))
        straight = start + step * np.minimum(index, linear)
        beyond = _logarithmic(1.0, share, np.maximum(index - linear, 0))
        return np.asarray(straight * beyond / 32)
    if bank.binning == "TIME_MAP":
        number = f"{bank.coefficient(0):g}"
        if number not in maps:
            raise ValueError(f"its positions are in time map {number}, which the file lacks")
        notes.append("each position is the time at which its channel begins")
        return maps[number].starts(bank.points)
    raise ValueError(f"positions by {bank.binning} cannot be computed from the file alone; export it again as FXYE")


def _logarithmic(start: float, share: float, index: NDArray[np.float64]) -> NDArray[np.float64]:
    """Times that grow by the same share from one to the next."""
    if not (start > 0 and 0 < share < 1):
        raise ValueError(f"times that grow by the share {share:g} from {start:g} on cannot be meant")
    with np.errstate(over="ignore"):
        times = np.asarray(start * (1 + share) ** index, dtype=np.float64)
    if not np.isfinite(times).all():
        raise ValueError(f"times that grow by the share {share:g} leave all bounds")
    return times


def _time_map(source: Source, line: str, body: str) -> tuple[str, _TimeMap]:
    """A time map and the number by which banks name it."""
    words = line.split()
    lines = [x.rstrip("\r") for x in body.split("\n")]
    try:
        number, values, records, clock = words[1], int(words[2]), int(words[3]), finite(words[5]) / 1000
        (table,) = fixed_columns(lines[:records], (8,), 10)
    except (ValueError, IndexError) as problem:
        raise source.damaged(f"the time map {line[:40]!r} cannot be read: {problem}") from problem
    table = table[np.isfinite(table)]
    if table.size != values or values < 4 or values % 3 != 1:
        raise source.damaged(f"time map {number} holds {table.size} of the {values} numbers that it promises")
    channel, time, width = table[:-1].reshape(-1, 3).T
    if not ((width > 0).all() and (np.diff(channel) > 0).all() and table[-1] > time[-1]):
        raise source.damaged(f"time map {number} does not rise")
    return f"{float(number):g}", _TimeMap(number, channel, time, width, float(table[-1]), clock)


def _radiation(header: list[str]) -> Radiation | None:
    """The wavelength of the comments; a title such as ``1.909 A neutron data`` tells it too."""
    text = "\n".join(header)
    found = radiation_of(header)
    if not _NEUTRONS.search(text):
        return found
    match = _ANGSTROM.search(text)
    if found is not None:
        return Radiation(found.wavelength, probe="neutron")
    return Radiation(float(match[1]), probe="neutron") if match else None


def _meta(header: list[str]) -> dict[str, Any]:
    meta: dict[str, Any] = {"title": header[0].strip() if header else ""}
    meta |= {k: v for k, v in facts_of(header[1:]).items() if k != "title"}
    for line in header[1:]:
        if line[:4].lower() == "inst" and "file" in line[:30].lower():
            meta["instrument_file"] = line.partition("file")[2].strip(" :\t\r[]")
            continue
        match = _KEY.match(line)
        name = _KEYS.get(match[1].strip().lower()) if match else None
        if match and name is not None:
            meta[name] = match[2].strip()
    for name in ("temperature", "count_time"):
        if isinstance(meta.get(name), str):
            number = re.match(r"[+-]?\d+\.?\d*", meta[name])
            meta[name] = float(number[0]) if number else None
    if "date" in meta:
        meta["date"] = iso_date(meta["date"])
    return meta


GSAS = Format(
    "gsas",
    "GSAS powder data (STD, ESD, ALT, FXY, FXYE)",
    (".gsa", ".gss", ".gsas", ".fxye", ".gda", ".xra", ".cwn", ".raw"),
    _sniff,
    _read,
)
