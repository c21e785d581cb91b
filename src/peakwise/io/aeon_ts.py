"""`.ts` files of the time-series archive (timeseriesclassification.com; read by aeon, sktime and tsml).

What is understood, line by line::

    file   = { "#" remark } { "@" key [ value ] } "@data" { case }
    case   = series { ":" series } [ ":" label ]      one series per dimension
    series = value { "," value }
    value  = number | "?" | "NaN"                     "?" and NaN: not measured

    @classLabel true|false { label }    whether cases end with a class, and which there are
    @targetLabel true|false             whether cases end with a number to be predicted
    @timeStamps true|false              true: values are (time,value); such files are refused
    @univariate, @dimensions            how many series a case has
    @equalLength, @seriesLength         how long they are
    @missing true|false                 whether values may be missing

Positions are not stored: the axis is ``channel``, 0, 1, 2 ... The remarks often name the range in prose; a warning says
so. A. Bagnall et al., "The UEA multivariate time series classification archive", arXiv:1811.00075; the format is
documented at aeon-toolkit.org (data_formats).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import ReadError
from peakwise.io._limits import check_limit
from peakwise.io._scan import Format, Scan

if TYPE_CHECKING:
    from peakwise.io._source import Source

__all__ = ["AEON_TS"]

_KEYS = rb"problemname|timestamps|missing|univariate|dimensions|equallength|serieslength|classlabel|targetlabel"
_BEGIN = re.compile(rb"(?:\s|#[^\n]*\n)*@(?:" + _KEYS + rb")\b", re.IGNORECASE)
_NOTE = "the file holds no positions: the axis is the number of the channel; its remarks may name the range"

Header = dict[str, str]


def _sniff(source: Source) -> bool:
    if _BEGIN.match(source.head) is not None:
        return True
    # Remarks may be longer than the head.
    return source.suffix == ".ts" and source.head.lstrip().startswith(b"#") and _BEGIN.match(source.data) is not None


def _read(source: Source) -> list[Scan]:
    lines = [line.strip() for line in source.text.split("\n")]
    start = next((i for i, line in enumerate(lines) if line.lower() == "@data"), None)
    if start is None:
        raise source.damaged("it has no line @data; it is cut short")
    header = _header(lines[:start])
    if header.get("timestamps", "").lower() == "true":
        raise ReadError(
            "cannot read the series",
            "its values carry time stamps (@timeStamps true), and only evenly numbered ones are read",
            "Export it with @timeStamps false",
            file=source.path,
        )
    cases = [line for line in lines[start + 1 :] if line and not line.startswith("#")]
    check_limit(len(cases), "scans", "the file", source.path)
    rows: list[list[float]] = []
    labels: list[str] = []
    names: list[str] = []
    labelled = _is_true(header, "classlabel") or _is_true(header, "targetlabel")
    for number, case in enumerate(cases, 1):
        *series, label = case.split(":") if labelled else [*case.split(":"), ""]
        _check_case(source, header, series, number)
        for dimension, text in enumerate(series, 1):
            rows.append(_values(text))
            labels.append(label.strip())
            names.append(f"{source.stem}#{number}" + (f".{dimension}" if len(series) > 1 else ""))
    _check_lengths(source, header, [len(row) for row in rows])
    return _scans(header, rows, labels, names)


def _header(lines: list[str]) -> Header:
    """Keys in lower case; what they say as it is written."""
    header: Header = {}
    for line in lines:
        if line.startswith("@"):
            key, _, value = line[1:].partition(" ")
            header[key.lower()] = value.strip()
    return header


def _is_true(header: Header, key: str) -> bool:
    return header.get(key, "").split(" ")[0].lower() == "true"


def _values(text: str) -> list[float]:
    return [float("nan") if value.strip() == "?" else float(value) for value in text.split(",")]


def _check_case(source: Source, header: Header, series: list[str], number: int) -> None:
    expected = 1 if _is_true(header, "univariate") else None
    if header.get("dimensions", "").isdecimal():
        expected = int(header["dimensions"])
    if not series or (expected is not None and len(series) != expected):
        raise source.damaged(f"case {number} holds {len(series)} series, its header promises {expected or 'some'}")
    if header.get("missing", "").lower() == "false" and any("?" in text for text in series):
        raise source.damaged(f"case {number} has missing values, its header says that there are none")


def _check_lengths(source: Source, header: Header, lengths: list[int]) -> None:
    """Series that must be equally long and are not: the file was cut."""
    told = header.get("serieslength", "")
    expected = int(told) if told.isdecimal() and int(told) > 0 else None
    if _is_true(header, "equallength") and lengths:
        expected = expected or lengths[0]
    if expected is not None and _is_true(header, "equallength"):
        for number, length in enumerate(lengths, 1):
            if length != expected:
                raise source.damaged(f"series {number} holds {length} of the {expected} values its header promises")


def _scans(header: Header, rows: list[list[float]], labels: list[str], names: list[str]) -> list[Scan]:
    """One scan per length of series, with the labels of its rows."""
    by_length: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        by_length.setdefault(len(row), []).append(number)
    scans = []
    for length, members in by_length.items():
        meta: dict[str, Any] = {}
        if _is_true(header, "targetlabel"):
            meta["target"] = np.array([float(labels[i]) for i in members])
        elif _is_true(header, "classlabel"):
            meta["label"] = np.array([labels[i] for i in members])
        table = np.array([rows[i] for i in members], dtype=np.float64)
        titles = [names[i] for i in members]
        scans.append(Scan(np.arange(length), table, "channel", name=titles, meta=meta, warnings=[_NOTE]))
    return scans


AEON_TS = Format("aeon_ts", ".ts files of the time-series archive", (".ts",), _sniff, _read)
