r"""UXD: the text export of Siemens and Bruker diffractometers (XCH, FileExchange, DIFFRAC).

What is understood, line by line::

    file    = { ";" comment | "_" KEY "=" value | marker { row } }
    marker  = "_" [ axis ] unit [ "TIME" ] [ "=" counters ]
    axis    = "2THETA" | "THETA" | "OMEGA" | "KHI" | "CHI" | "PHI" | "X" | "Y" | "Z"
    unit    = "COUNTS" | "CPS"
    row     = { intensity }                         without an axis: as many to a line as there is room for
            | position intensity [ time ]           with an axis; from version 3 on one intensity per counter

Text stands in quotes (``_SAMPLE='BT86'``). Keys before ``; (Data for Range number 1)`` hold for the file, those after
it for their range; from version 3 on the comment is ``; Data for range 1``, blanks stand around "=", and a comment with
the names of the counters (``; Cnt1``) follows the marker. Each marker ends a header and begins the numbers of a range.
Keys that are used::

    _DRIVE                      what moved: COUPLED, 2THETA, THETA (a rocking curve), KHI, PHI, X, Y, Z ...
    _START, _STEPSIZE           first position and step [deg]; _STEPTIME [s]
    _WL1 _WL2 _WLRATIO _ANODE   Ka1, Ka2 and their ratio, in _WL_UNIT (A, nm); _RANGE_WL the one of the range
    _THETA _2THETA _KHI _PHI    where the other axes stood; _KV _MA the tube; _SAMPLE _SITE _USER _DATEMEASURED

The prefix 2THETA of a marker says that positions are there, not which: that is said by _DRIVE. Positions are rounded
to four digits ("10.02", with a step of 0.0156), so _START and _STEPSIZE are used where they agree with them. Lists of
peaks (``_D-I``, ``_2THETA-I``) are not scans.

Publicly described by files of the format in public repositories (a pole figure of NIST, scans of powders) and by the
readers of xylib and DASH; no official description is public.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._binary import element, tube
from peakwise.io._dates import iso_date
from peakwise.io._limits import check_limit
from peakwise.io._numbers import finite, parse_numbers, parse_rows
from peakwise.io._scan import Format, Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source
    from peakwise.patterns import Radiation

__all__ = ["UXD"]

_BEGIN = re.compile(rb"^[ \t]*_(?:FILEVERSION|SAMPLE|DRIVE|STEPSIZE|STEPTIME|START)[ \t]*=", re.MULTILINE)
_MARKER = re.compile(r"_(2THETA|THETA|OMEGA|KHI|CHI|PHI|X|Y|Z)?(COUNTS|CPS)(TIME)?\s*(?:=\s*(\d{1,3}))?")
_PEAKS = re.compile(r"_(?:D|2THETA)-I\b")
_RANGE = re.compile(r";\s*\(?Data for range", re.IGNORECASE)
_KINDS = {
    "COUPLED": "two_theta", "2THETA": "two_theta", "PSDSCAN": "two_theta", "PSDFIXED": "two_theta",
    "DETECTOR": "two_theta", "THETA": "omega", "OMEGA": "omega", "ROCKING": "omega", "KHI": "chi", "CHI": "chi",
    "PSI": "chi", "PHI": "phi", "X": "position", "Y": "position", "Z": "position",
}  # fmt: skip
_TO_ANGSTROM = {"A": 1.0, "NM": 10.0, "PM": 0.01}
_ANGLES = {"omega": "THETA", "chi": "KHI", "phi": "PHI"}
_TEXTS = {"sample": "SAMPLE", "operator": "USER", "anode": "ANODE"}
_NUMBERS = {"count_time": "STEPTIME", "voltage": "KV", "current": "MA"}
_COUNTERS_SINCE = 3  # version of the format
_SAME_LINE = 1e-4  # a wavelength is named again with fewer digits

Keys = dict[str, str]


def _sniff(source: Source) -> bool:
    head = source.head
    if b"\0" in head or not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b";", b"_")):
        return False
    return len(set(_BEGIN.findall(head))) >= 2


def _read(source: Source) -> list[Scan]:
    lines = source.text.splitlines()
    common: Keys = {}
    own: Keys | None = None  # None until the first range begins
    scans: list[Scan] = []
    peaks = False
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if line.startswith(";"):
            if _RANGE.match(line):
                own = {}
        elif (marker := _MARKER.fullmatch(line)) is not None or _PEAKS.match(line):
            begin = at
            while at < len(lines) and not lines[at].lstrip().startswith("_") and not _RANGE.match(lines[at].lstrip()):
                at += 1
            if marker is None:
                peaks = True
                continue
            keys = {**common, **(own or {})}
            body = [x for x in lines[begin:at] if not x.lstrip().startswith(";")]
            scans.append(_scan(source, keys, marker, body, len(scans) + 1))
            check_limit(len(scans), "scans", "the file", source.path)
        elif line.startswith("_"):
            key, _, value = line.partition("=")
            (common if own is None else own)[key[1:].strip().upper()] = value.strip().strip("'\"").strip()
    if not scans:
        what = "a list of peaks" if peaks else "no range with _COUNTS or _CPS"
        raise source.damaged(f"it holds {what}, no scan", "Export the scan itself")
    return scans


def _scan(source: Source, keys: Keys, marker: re.Match[str], lines: list[str], number: int) -> Scan:
    prefix, unit, timed, counters = marker.groups()
    notes: list[str] = []
    meta = _meta(keys)
    body = "\n".join(lines)
    # In older files the number behind the marker is that of columns on the page.
    n = max(1, int(counters or 1)) if (_float(keys, "FILEVERSION") or 0) >= _COUNTERS_SINCE else 1
    try:
        if prefix is None:
            y = parse_rows(body, n).T if n > 1 else parse_numbers(body)
            start, step = finite(keys["START"]), finite(keys["STEPSIZE"])
            x = start + step * np.arange(y.shape[-1])
        else:
            rows = parse_rows(body, 1 + n + bool(timed))
            y = rows[:, 1 : 1 + n].T if n > 1 else rows[:, 1]
            x = _positions(keys, rows[:, 0], lines)
            if timed:
                meta["count_time"] = _one_time(rows[:, -1], notes)
    except KeyError as problem:
        raise source.damaged(f"range {number} lacks _{problem.args[0]}") from problem
    except ValueError as problem:
        raise source.damaged(f"range {number}: {problem}") from problem
    if not y.size:
        raise source.damaged(f"range {number} holds no points; the file may be cut short")
    drive = keys.get("DRIVE", prefix or "").upper()
    # Positions on any other axis cannot be told apart from angles by their numbers: the room says that it assumes.
    kind = _KINDS.get(drive.partition("/")[0].strip())
    meta["scan_axis"] = drive
    if kind in _ANGLES:
        meta.pop(kind, None)
    return Scan(
        x,
        y,
        kind,
        radiation=_radiation(keys, notes),
        unit="counts" if unit == "COUNTS" else "counts/s",
        meta=meta,
        warnings=notes,
    )


def _positions(keys: Keys, printed: NDArray[np.float64], lines: list[str]) -> NDArray[np.float64]:
    """Positions from first and step where the printed ones are the same, rounded."""
    try:
        start, step = finite(keys["START"]), finite(keys["STEPSIZE"])
    except (KeyError, ValueError):
        return printed
    digits = min(len(line.split()[0].partition(".")[2]) for line in lines if line.strip())
    index = np.arange(printed.size)
    exact = np.asarray(start + step * index, dtype=np.float64)
    # Half a unit of the last digit of each printed position, and of the step as often as it was added.
    allowed = 0.5 * 10.0**-digits * (1 + 1e-6) + 0.5 * 10.0 ** -len(keys["STEPSIZE"].partition(".")[2]) * index
    return exact if bool((np.abs(printed - exact) <= allowed).all()) else printed


def _one_time(times: NDArray[np.float64], notes: list[str]) -> float:
    if times.size and np.ptp(times) > 0:
        notes.append(f"points were counted for {times.min():g} to {times.max():g} s; the counts are as stored")
    return float(times.mean()) if times.size else 0.0


def _radiation(keys: Keys, notes: list[str]) -> Radiation | None:
    """Both Kα lines, or the one line of the range where it was measured with another."""
    scale = _TO_ANGSTROM.get(keys.get("WL_UNIT", "A").upper(), 1.0)
    one, two, used = (scale * (_float(keys, name) or 0.0) for name in ("WL1", "WL2", "RANGE_WL"))
    ratio, anode = _float(keys, "WLRATIO"), element(keys.get("ANODE", ""))
    if one > 0 and used > 0:
        share = 0.5 if ratio is None else ratio
        mean = (one + share * (two or one)) / (1 + share)
        if min(abs(used / known - 1) for known in (one, two or one, mean)) < _SAME_LINE:
            used = 0.0
    return tube(used or one, 0.0 if used else two, ratio, anode, notes)


def _meta(keys: Keys) -> dict[str, Any]:
    meta: dict[str, Any] = {name: keys[key] for name, key in _TEXTS.items() if keys.get(key)}
    if keys.get("DATEMEASURED"):
        meta["date"] = iso_date(keys["DATEMEASURED"])
    for name, key in (_NUMBERS | _ANGLES).items():
        value = _float(keys, key)
        if value is not None and (value > 0 or name in _ANGLES):
            meta[name] = value
    return meta


def _float(keys: Keys, name: str) -> float | None:
    """A number of the header, None where it is missing or no number."""
    try:
        return finite(keys[name])
    except (KeyError, ValueError):
        return None


UXD = Format("uxd", "Siemens and Bruker UXD text", (".uxd",), _sniff, _read)
