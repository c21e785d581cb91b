"""`Patterns` as text columns that this room, Excel, GSAS-II, TOPAS and people read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from peakwise.errors import WriteError
from peakwise.io._atomic import atomic_file
from peakwise.patterns import AXES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["write_text"]

_ROWS_AT_ONCE = 20_000
# What a header may state per pattern, with the unit it is stated in.
_TOLD = {"title": "", "sample": "", "date": "", "temperature": " K", "pressure": " GPa", "count_time": " s"}


def write_text(patterns: Patterns, path: Path) -> None:
    """Write as ``.csv`` (any number of patterns) or ``.xy``/``.xye`` (one)."""
    suffix = path.suffix.lower()
    if suffix != ".csv" and len(patterns) != 1:
        raise WriteError(
            "cannot write the patterns",
            f"{suffix} holds one pattern, there are {len(patterns)}",
            "Write .csv, .nc, .h5 or .zarr, or write them one by one",
            file=path,
        )
    header = _header(patterns)
    if suffix == ".csv":
        titles, columns, between = _csv_columns(patterns)
        header.append(between.join(titles))
    else:
        unit = patterns.unit if patterns.unit != "unknown" else "intensity"
        columns, between = [patterns.axis, patterns.intensity[0]], "  "
        titles = [_title(patterns), unit]
        if suffix == ".xye":
            columns.append(_sigma(patterns, header, path))
            titles.append("sigma")
        header.append("# " + between.join(titles))
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"{line}\n" for line in header)
        for at in range(0, patterns.n_points, _ROWS_AT_ONCE):
            texts = [[_number(v) for v in c[at : at + _ROWS_AT_ONCE].tolist()] for c in columns]
            stream.writelines(between.join(row) + "\n" for row in zip(*texts, strict=True))


def _title(patterns: Patterns) -> str:
    unit = AXES[patterns.kind].unit
    return f"{patterns.kind} [{unit}]" if unit else patterns.kind


def _header(patterns: Patterns) -> list[str]:
    lines = []
    if patterns.radiation is not None and not patterns.radiation.assumed:
        name = patterns.radiation.name
        lines.append(
            f"# wavelength = {_number(patterns.radiation.wavelength)} angstrom" + (f" ({name})" if name else "")
        )
    if len(patterns) == 1:
        for key, unit in _TOLD.items():
            value = patterns.meta[key][0] if key in patterns.meta else ""
            if str(value) not in ("", "nan"):
                lines.append(f"# {key} = {_one_line(str(value))}{unit}")
    return lines


def _csv_columns(patterns: Patterns) -> tuple[list[str], list[NDArray[np.floating]], str]:
    names = [
        '"' + _one_line(n).replace('"', "'") + '"' if "," in n or '"' in n else _one_line(n) for n in patterns.names
    ]
    if len(patterns) == 1:
        names = [patterns.unit if patterns.unit != "unknown" else "intensity"]
        if patterns.sigma is not None:
            return [_title(patterns), *names, "sigma"], [patterns.axis, patterns.intensity[0], patterns.sigma[0]], ","
    return [_title(patterns), *names], [patterns.axis, *patterns.intensity], ","


def _sigma(patterns: Patterns, header: list[str], path: Path) -> NDArray[np.floating]:
    """The uncertainties, or those of a Poisson count where counts are known to be counts."""
    if patterns.sigma is not None:
        return cast("NDArray[np.floating]", patterns.sigma[0])
    if patterns.unit != "counts":
        raise WriteError(
            "cannot write the patterns",
            f"xye needs uncertainties, and those of an intensity in {patterns.unit!r} are not known",
            "Write .xy, or give sigma, or set unit='counts' if they are counts",
            file=path,
        )
    header.append("# sigma = sqrt(counts)")
    return cast("NDArray[np.floating]", np.sqrt(np.maximum(patterns.intensity[0], 1)))


def _number(value: float) -> str:
    """The shortest text that gives the same number again."""
    return str(int(value)) if value == int(value if np.isfinite(value) else 0) and abs(value) < 1e15 else repr(value)


def _one_line(text: str) -> str:
    return " ".join(text.split())
