r"""Philips UDF: the text export of Philips diffractometers (PC-APD and its successors).

What is understood, line by line::

    file    = "SampleIdent," text ",/" { line } { scan }
    line    = KEY "," value { "," value } ",/"
    scan    = "RawScan" counts "/" { line }
    counts  = number { ( "," | blank | line end ) number }

Lines after a scan describe the next one. Keys that are used::

    SampleIdent, Title1, Title2, FileDateTime
    Anode, LabdaAlpha1, LabdaAlpha2, RatioAlpha21        (Labda is how the format spells lambda) [angstrom]
    GeneratorVoltage [kV], TubeCurrent [mA]
    DataAngleRange                                       first and last 2-theta [deg]
    ScanStepSize [deg], ScanStepTime [s], ScanType, DiffrType

Publicly described by the readers of xylib and BRUTUS, from files of the format; no official description is public.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.io._binary import element, tube
from peakwise.io._dates import iso_date
from peakwise.io._limits import check_limit
from peakwise.io._numbers import finite, parse_numbers
from peakwise.io._scan import Format, Scan

if TYPE_CHECKING:
    from peakwise.io._source import Source
    from peakwise.patterns import Radiation

__all__ = ["PHILIPS_UDF"]

_BEGIN = b"SampleIdent,"
_SCAN = re.compile(r"^[ \t]*RawScan[ \t,/]*$", re.MULTILINE)
_NUMBERS = {"count_time": "ScanStepTime", "voltage": "GeneratorVoltage", "current": "TubeCurrent"}

Keys = dict[str, str]


def _sniff(source: Source) -> bool:
    return source.head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_BEGIN)


def _read(source: Source) -> list[Scan]:
    text = source.text.replace("\r\n", "\n").replace("\r", "\n")
    keys: Keys = {}
    scans: list[Scan] = []
    at = 0
    while (begin := _SCAN.search(text, at)) is not None:
        _collect(text[at : begin.start()], keys)
        end = text.find("/", begin.end())
        if end < 0:
            held = len(text[begin.end() :].replace(",", " ").split())
            raise source.damaged(
                f"scan {len(scans) + 1} ends after {held} points without the slash that closes it; it is cut short"
            )
        scans.append(_scan(source, keys, text[begin.end() : end], len(scans) + 1))
        check_limit(len(scans), "scans", "the file", source.path)
        at = end + 1
    if not scans:
        raise source.damaged("it holds no RawScan", "Export the scan itself, not the list of its peaks")
    return scans


def _collect(header: str, keys: Keys) -> None:
    for line in header.split("\n"):
        key, comma, rest = line.partition(",")
        if comma:
            keys[key.strip()] = rest.strip().removesuffix("/").rstrip().removesuffix(",").strip()


def _scan(source: Source, keys: Keys, body: str, number: int) -> Scan:
    try:
        y = parse_numbers(body.replace(",", " "))
        first, last = (finite(v) for v in keys["DataAngleRange"].split(","))
        step = finite(keys["ScanStepSize"])
    except KeyError as problem:
        raise source.damaged(f"scan {number} lacks {problem.args[0]}") from problem
    except ValueError as problem:
        raise source.damaged(f"scan {number}: {problem}") from problem
    promised = (last - first) / step + 1 if step else np.nan
    notes: list[str] = []
    if not np.isfinite(promised) or abs(promised - y.size) > 1.5:
        why = (
            f"from {first:g} to {last:g} by {step:g} deg there are {promised:.6g} points, scan {number} holds {y.size}"
        )
        raise source.damaged(why)
    if round(promised) != y.size:
        # Some programs count the last position in, some do not.
        notes.append(
            f"from {first:g} to {last:g} by {step:g} deg there are {round(promised)} points, it holds {y.size}"
        )
    return Scan(
        first + step * np.arange(y.size),
        y,
        "two_theta",
        radiation=_radiation(keys, notes),
        unit="counts",
        meta=_meta(keys),
        warnings=notes,
    )


def _radiation(keys: Keys, notes: list[str]) -> Radiation | None:
    one, two, ratio = (_float(keys, name) for name in ("LabdaAlpha1", "LabdaAlpha2", "RatioAlpha21"))
    return tube(one or 0.0, two or 0.0, ratio, element(keys.get("Anode", "")), notes)


def _meta(keys: Keys) -> dict[str, Any]:
    meta: dict[str, Any] = {
        "sample": keys.get("SampleIdent", ""),
        "title": " ".join(t for t in (keys.get("Title1", ""), keys.get("Title2", "")) if t),
        "date": iso_date(keys.get("FileDateTime", "")),
        "anode": element(keys.get("Anode", "")),
        "instrument": keys.get("DiffrType", ""),
        "scan_axis": "2Theta",
    }
    return meta | {name: _float(keys, key) for name, key in _NUMBERS.items()}


def _float(keys: Keys, name: str) -> float | None:
    """A number of the header above zero, None where it is missing or no number."""
    try:
        value = finite(keys[name])
    except (KeyError, ValueError):
        return None
    return value if value > 0 else None


PHILIPS_UDF = Format("philips_udf", "Philips UDF text", (".udf",), _sniff, _read)
