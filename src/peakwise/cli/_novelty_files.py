"""What is new as files: a report, a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.cli._answer_files import say_report, whole_document, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.estimators import NoveltyDetector, PhaseNovelty
    from peakwise.patterns import Patterns
    from peakwise.wafers import LibraryTable

__all__ = ["write_novelty"]


def write_novelty(
    out: Output, detector: NoveltyDetector | PhaseNovelty, asked: Sequence[Patterns], library: LibraryTable | None,
    report: str | None, csv_file: str | None,
) -> None:  # fmt: skip
    """Write what was asked for, and say where it is."""
    document = whole_document(out, detector.get_params())
    if report:
        from peakwise.report import write_novelty_html

        write_novelty_html(_drawn(document, detector, asked, library), report)
        say_report(out, report)
    if csv_file:
        from peakwise.report import novelty_csv

        write_table(out, csv_file, novelty_csv(document))


def _drawn(
    document: Any, detector: NoveltyDetector | PhaseNovelty, asked: Sequence[Patterns], library: LibraryTable | None
) -> Any:
    """The answer with its map: principal components, and what is known over each scan."""
    from peakwise.estimators import NoveltyDetector
    from peakwise.patterns import AXES, Patterns
    from peakwise.report import add_map

    first = asked[0]
    table = np.concatenate([_along(part, part.intensity, first) for part in asked])
    plane: dict[str, Any] = {}
    if isinstance(detector, NoveltyDetector):
        scans = Patterns(first.axis, table, first.kind, wavelength=first.radiation)
        if detector.plane_ is not None:
            plane, back = _latent(detector, scans)
            what = "made again"
        else:
            points, known, shares = detector.plane(scans)
            axes = [f"principal component {i + 1} ({100 * s:.0f} % of the differences)" for i, s in enumerate(shares)]
            plane = {
                "asked": points, "known": known, "axes": (axes[0], axes[1]),
                "known_names": detector.names_.tolist(), "known_scores": detector.known_scores_,
            }  # fmt: skip
            back, what = detector.reconstruct(scans), "nearest known"
    else:
        back = np.concatenate([_along(part, detector.reconstruct(part), first) for part in asked])
        what = "fit of known structures"
    if library is not None and library.places is not None:
        plane["positions"] = np.array([[p.meta[name][0] for name in ("x", "y")] for p in asked], dtype=np.float64)
    if library is not None and len(library.elements) > 2:  # fewer do not make a triangle; they are columns
        plane["compositions"] = {e: np.array([p.meta[e][0] for p in asked], np.float64) for e in library.elements}
    return add_map(
        document, **plane, columns=_columns(asked), axis=first.axis, patterns=table, reconstructions=back,
        reconstruction=what, kind=first.kind, unit=AXES[first.kind].unit, wavelength=first.wavelength,
        intensity_unit=first.unit,
    )  # fmt: skip


def _latent(detector: NoveltyDetector, scans: Patterns) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """The map of the networks with its regions and the errors of what comes back, and the scans as they come back."""
    table = np.asarray(scans.intensity, np.float64)
    on_map: Any = detector.plane_
    back, errors = on_map.back(table)
    kept = detector.scored_
    made: dict[str, Any] = {
        "asked": on_map.at(table), "known": np.asarray(on_map.places[kept], np.float64),
        "axes": ("latent number 1", "latent number 2"), "known_names": detector.names_[kept].tolist(),
        "known_scores": detector.known_scores_, "errors": errors, "known_errors": detector.known_errors(),
    }  # fmt: skip
    grid = on_map.grid()
    if grid is not None:
        x, y, labels = grid
        made |= {
            "regions": labels, "region_ends": ((x[0], x[-1]), (y[0], y[-1])), "region_names": on_map.labels.tolist(),
        }  # fmt: skip
    return made, back


def _along(part: Patterns, rows: NDArray[np.floating], first: Patterns) -> NDArray[np.float64]:
    """Rows along the axis of the first scan, as one page draws all: 0 where there is nothing."""
    made = np.nan_to_num(np.asarray(rows, dtype=np.float64))
    if part.kind == first.kind and part.same_grid(first.axis):
        return made
    other = part.to_axis(first.kind, wavelength=first.radiation) if part.kind != first.kind else part
    order = np.argsort(other.axis)
    return np.stack([np.interp(first.axis, other.axis[order], row[order], left=0, right=0) for row in made])


def _columns(asked: Sequence[Patterns]) -> dict[str, NDArray[Any]]:
    """What the files say of every scan and what differs between them: a map can be coloured by it."""
    names = set(asked[0].meta).intersection(*(part.meta for part in asked)) - {"source", "file"}
    made = {}
    for name in sorted(names):
        values = np.array([part.meta[name][0] for part in asked])
        if values.dtype.kind in "fiubU" and len(set(values.tolist())) > 1:
            made[name] = values
    return made
