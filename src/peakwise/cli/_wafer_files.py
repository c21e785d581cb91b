"""A library as files: a report, a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.cli._answer_files import say_report, whole_document, write_table
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.cli._wafer_regions import FoundRegions
    from peakwise.patterns import Patterns
    from peakwise.wafers import LibraryTable

__all__ = ["write_wafer"]


def write_wafer(
    out: Output, patterns: Patterns, flat: Patterns, found: FoundRegions, library: LibraryTable, mixing: str | None,
    report: str | None, csv_file: str | None,
) -> None:  # fmt: skip
    """Write what was asked for, and say where it is."""
    document = whole_document(out, {})
    if report:
        from peakwise.report import write_wafer_html

        write_wafer_html(_drawn(document, patterns, flat, found, library, mixing), report)
        say_report(out, report)
    if csv_file:
        from peakwise.report import wafer_csv

        write_table(out, csv_file, wafer_csv(document))


def _drawn(
    document: Any, patterns: Patterns, flat: Patterns, found: FoundRegions, library: LibraryTable, mixing: str | None
) -> Any:
    from peakwise.estimators._novelty_view import principal_plane
    from peakwise.patterns import AXES
    from peakwise.report import add_map

    length = np.maximum(np.linalg.norm(found.rows, axis=1, keepdims=True), 1e-300)
    points, _, shares = principal_plane(found.rows / length, found.rows[:1] / length[:1])
    axes = [f"principal component {i + 1} ({100 * s:.0f} % of the differences)" for i, s in enumerate(shares)]
    plane: dict[str, Any] = {"asked": points, "axes": (axes[0], axes[1])}
    if library.places is not None:
        plane["positions"] = np.column_stack([patterns.meta[c] for c in ("x", "y")])
    if len(library.elements) > 2:  # fewer do not make a triangle
        plane["compositions"] = {e: patterns.meta[e] for e in library.elements}
    told = _mixing(patterns, library, mixing)
    if told is not None:
        plane["mixing"] = told
    what = "the most typical of its region" if found.shares is None else "the sum of its components"
    return add_map(
        document, **plane, columns=_columns(patterns, library, found), axis=found.grid, patterns=found.rows,
        reconstructions=found.made, reconstruction=what, kind=found.kind, unit=AXES[found.kind].unit,
        wavelength=flat.wavelength,
    )  # fmt: skip


def _mixing(patterns: Patterns, library: LibraryTable, name: str | None) -> NDArray[np.float64] | None:
    """Mixing ratios: a column, or the amount of the second of two elements."""
    if name is None:
        return patterns.meta[library.elements[1]] if len(library.elements) == 2 else None
    if name not in patterns.meta or patterns.meta[name].dtype.kind not in "fiu":
        why = f"--mixing must name a column of numbers, got {name!r}"
        raise OptionError("cannot draw the library", why, f"There are {', '.join(patterns.meta)}")
    return np.asarray(patterns.meta[name], np.float64)


def _columns(patterns: Patterns, library: LibraryTable, found: FoundRegions) -> dict[str, NDArray[Any]]:
    """What the table and the files say beside places and compositions, and the shares of components."""
    drawn = {"source", "file", "x", "y", *(library.elements if len(library.elements) > 2 else ())}
    made: dict[str, NDArray[Any]] = {}
    if found.shares is not None:
        made |= {f"share of component {i}": found.shares[:, i] for i in range(found.shares.shape[1])}
    for name, values in patterns.meta.items():
        if name not in drawn and values.dtype.kind in "fiubU" and len(set(values.tolist())) > 1:
            made[name] = values
    return made
