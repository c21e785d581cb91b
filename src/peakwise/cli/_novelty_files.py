"""What is new as files: a report, a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.estimators import NoveltyDetector
    from peakwise.patterns import Patterns
    from peakwise.wafers import LibraryTable

__all__ = ["write_novelty"]


def write_novelty(
    out: Output, detector: NoveltyDetector, asked: Sequence[Patterns], library: LibraryTable | None,
    report: str | None, csv_file: str | None,
) -> None:  # fmt: skip
    """Write what was asked for, and say where it is."""
    from peakwise.cli._series_files import whole_document

    document = whole_document(out, detector.get_params())
    if report:
        from peakwise.report import write_novelty_html

        write_novelty_html(_drawn(document, detector, asked, library), report)
        out.document["report"] = str(report)
        out.say(f"report: {Path(report).resolve()}")
    if csv_file:
        from peakwise.io import atomic_file
        from peakwise.report import novelty_csv

        with atomic_file(Path(csv_file)) as temporary:
            temporary.write_text(novelty_csv(document), encoding="utf-8")
        out.document["csv"] = str(csv_file)
        out.say(f"table: {Path(csv_file).resolve()}")


def _drawn(document: Any, detector: NoveltyDetector, asked: Sequence[Patterns], library: LibraryTable | None) -> Any:
    """The answer with its map: principal components, and the nearest known scan over each."""
    from peakwise.patterns import AXES, Patterns
    from peakwise.report import add_map

    table = np.concatenate([np.asarray(p.intensity, dtype=np.float64) for p in asked])
    first = asked[0]
    scans = Patterns(first.axis, table, first.kind, wavelength=first.radiation)
    points, known, shares = detector.plane(scans)
    axes = tuple(
        f"principal component {i + 1} ({100 * share:.0f} % of the differences)" for i, share in enumerate(shares)
    )
    places = compositions = None
    if library is not None and library.places is not None:
        places = np.array([[part.meta[name][0] for name in ("x", "y")] for part in asked], dtype=np.float64)
    if library is not None and len(library.elements) > 2:  # fewer do not make a triangle; they are columns
        compositions = {e: np.array([part.meta[e][0] for part in asked], dtype=np.float64) for e in library.elements}
    return add_map(
        document, points, known, known_names=detector.names_.tolist(), known_scores=detector.known_scores_,
        axes=(axes[0], axes[1]), columns=_columns(asked), positions=places, compositions=compositions,
        axis=first.axis, patterns=table,
        reconstructions=detector.reconstruct(scans), kind=first.kind, unit=AXES[first.kind].unit,
        wavelength=first.wavelength, intensity_unit=first.unit,
    )  # fmt: skip


def _columns(asked: Sequence[Patterns]) -> dict[str, NDArray[Any]]:
    """What the files say of every scan and what differs between them: a map can be coloured by it."""
    names = set(asked[0].meta).intersection(*(part.meta for part in asked)) - {"source", "file"}
    made = {}
    for name in sorted(names):
        values = np.array([part.meta[name][0] for part in asked])
        if values.dtype.kind in "fiubU" and len(set(values.tolist())) > 1:
            made[name] = values
    return made
