"""``peakwise info``: what was read, and what looks wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from peakwise.cli import _options as options
from peakwise.patterns import AXES

if TYPE_CHECKING:
    from peakwise.cli._output import Output
    from peakwise.io import FileRead
    from peakwise.patterns import Patterns


@options.command
@click.argument("scans", metavar="SCAN...", nargs=-1)
@click.option("--formats", is_flag=True, help="List the formats that can be read and written.")
@options.wavelength
@options.axis
@options.file_format
def info(
    out: Output,
    scans: tuple[str, ...],
    formats: bool,
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
) -> None:
    """Say what is in scans: format, axis, range, wavelength, metadata, and what looks wrong.

    SCAN may be files, folders or globs.

    Example: peakwise info scan.xrdml series/*.xye
    """
    if formats:
        _list_formats(out)
        return
    if not scans:
        raise click.UsageError("Missing argument 'SCAN...'.")
    from peakwise.io import read_each

    rows = []
    for one in out.progress(read_each(scans, wavelength=wavelength, axis=axis, format=file_format), "reading"):
        if one.error is not None:
            out.fail(one.error, one.file)
        else:
            rows.append(_row(one))
    out.document["scans"] = rows
    out.need_some(len(rows))
    out.table(
        ("scan", "format", "axis", "step", "points", "patterns", "λ [Å]"),
        ([_short(r["scan"], rows), *_cells(r)] for r in rows),
    )
    if len(rows) == 1 and rows[0]["metadata"]:
        out.table(("metadata", "value"), ((k, _told(v)) for k, v in rows[0]["metadata"].items()))
    for warning, names in _by_warning(rows).items():
        out.say(f"! {warning}" if len(rows) == 1 else f"! {_some(names)}: {warning}")


def _told(value: Any) -> object:
    """A summary of several values as people write it."""
    if not isinstance(value, dict):
        return value
    return f"{value['min']:g} to {value['max']:g}" if "min" in value else ", ".join(value["first"]) + " ..."


def _cells(row: dict[str, Any]) -> list[object]:
    """One line of the table for people."""
    unit = AXES[row["axis"]].unit
    span = f"{row['axis']} {row['start']:.4g} to {row['stop']:.4g} {unit}".rstrip()
    more = f" (+{len(row['blocks']) - 1} grids)" if "blocks" in row else ""
    step = None if row["step"] is None else f"{row['step']:.4g}"
    return [row["format"], span + more, step, row["points"], row["patterns"], row["wavelength"]]


def _short(file: str, rows: list[dict[str, Any]]) -> str:
    """The file's name, with its folder where another file has the same name."""
    name = Path(file).name
    return name if sum(Path(r["scan"]).name == name for r in rows) == 1 else file


def _by_warning(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for row in rows:
        for warning in row["warnings"]:
            grouped.setdefault(warning, []).append(_short(row["scan"], rows))
    return grouped


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{len(names)} scans ({names[0]} ... {names[-1]})"


def _row(one: FileRead) -> dict[str, Any]:
    first = one.patterns[0]
    row: dict[str, Any] = {"scan": one.file, "format": one.format, **_grid(first)}
    row["patterns"] = sum(len(p) for p in one.patterns)
    row["wavelength"] = first.wavelength
    if len(one.patterns) > 1:
        row["blocks"] = [{**_grid(p), "patterns": len(p), "wavelength": p.wavelength} for p in one.patterns]
    row["intensity"] = {"unit": first.unit, **_extremes(one.patterns)}
    row["metadata"] = _metadata(one.patterns)
    row["warnings"] = _warnings(one.patterns)
    return row


def _grid(p: Patterns) -> dict[str, Any]:
    return {
        "axis": p.kind,
        "start": float(p.axis[0]),
        "stop": float(p.axis[-1]),
        "step": p.step,
        "points": p.n_points,
    }


def _extremes(parts: tuple[Patterns, ...]) -> dict[str, float | None]:
    finite = [p.intensity[np.isfinite(p.intensity)] for p in parts]
    values = [v for v in finite if v.size]
    if not values:
        return {"min": None, "max": None}
    return {"min": float(min(v.min() for v in values)), "max": float(max(v.max() for v in values))}


def _metadata(parts: tuple[Patterns, ...]) -> dict[str, Any]:
    """One value where all patterns agree, else the range (numbers) or the first values (texts)."""
    summary: dict[str, Any] = {}
    for name in dict.fromkeys(k for p in parts for k in p.meta if k != "file"):
        columns = [p.meta[name] for p in parts if name in p.meta]
        values = np.concatenate([c.astype(str) if any(x.dtype.kind == "U" for x in columns) else c for c in columns])
        distinct = np.unique(values[~_missing(values)])
        if distinct.size == 1:
            summary[name] = distinct[0].item()
        elif distinct.size and values.dtype.kind != "U":
            summary[name] = {"min": distinct[0].item(), "max": distinct[-1].item()}
        elif distinct.size:
            summary[name] = {"distinct": int(distinct.size), "first": [str(v) for v in distinct[:3]]}
    return summary


def _missing(values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return (
        np.isnan(values)
        if values.dtype.kind == "f"
        else values == ""
        if values.dtype.kind == "U"
        else np.zeros(values.shape, bool)
    )


def _warnings(parts: tuple[Patterns, ...]) -> list[str]:
    from peakwise.patterns import diagnose

    return list(dict.fromkeys(w for p in parts for w in [*p.warnings, *diagnose(p)]))


def _list_formats(out: Output) -> None:
    from peakwise.io import FORMATS

    rows: list[dict[str, Any]] = [
        {"format": f.name, "suffixes": list(f.suffixes), "writes": f.write is not None, "title": f.title}
        for f in FORMATS.values()
    ]
    out.document["formats"] = rows
    out.table(
        ("format", "usual suffixes", "written", "what it is"),
        ([r["format"], " ".join(r["suffixes"]), "yes" if r["writes"] else "", r["title"]] for r in rows),
    )
