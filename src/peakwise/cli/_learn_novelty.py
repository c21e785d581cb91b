"""What is known, learned: from scans, from structures that are fitted, or from patterns simulated meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.cli._known import Layout
    from peakwise.cli._output import Output
    from peakwise.estimators import NoveltyDetector, PhaseNovelty
    from peakwise.patterns import Patterns
    from peakwise.wafers import LibraryTable

__all__ = ["Known", "learn", "library_of", "with_table"]

_WHAT = "cannot learn what is known"
_WITHOUT = "without a label"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known and how it is learned: the options of ``novelty`` and ``train novelty``.

    Attributes
    ----------
    places : tuple of str
        Scans, or CIFs.
    given : tuple
        Wavelength, axis and format of scans.
    labels : str or None
        A table with the columns pattern,label, or a column of the metadata.
    condition : tuple of str
    """

    places: tuple[str, ...]
    given: tuple[str | None, str | None, str | None]
    false_alarm: float | None = None
    method: str | None = None
    labels: str | None = None
    table: str | None = None
    condition: tuple[str, ...] = ()
    seconds: float | None = None
    grid: tuple[float, float, int] | None = None


def learn(out: Output, known: Known, scans: tuple[str, ...]) -> tuple[NoveltyDetector | PhaseNovelty, Layout | None]:
    """A detector of what is known; of structures, along the axis of the scans, or for scans as they are."""
    from peakwise.cli._known import are_cifs
    from peakwise.estimators import NETWORK_METHODS, NoveltyDetector

    rate = 0.01 if known.false_alarm is None else known.false_alarm
    structures = are_cifs(known.places)
    if structures and known.method is None and not known.condition:
        from peakwise.cli._phases import load_library
        from peakwise.estimators import PhaseNovelty

        return PhaseNovelty(rate, threads=out.threads).fit(load_library(out, known.places)), None
    made = NoveltyDetector(
        rate, known.method or "auto", out.seed, list(known.condition) or None,
        None if known.seconds is None else known.seconds / 60, out.threads, out.device,
    )  # fmt: skip
    if made.method in NETWORK_METHODS:
        out.tell("training networks")
    return _of_structures(out, made, known, scans) if structures else _of_scans(out, made, known)


def _of_structures(
    out: Output, made: NoveltyDetector, known: Known, scans: tuple[str, ...]
) -> tuple[NoveltyDetector, Layout]:
    from peakwise.cli._known import Layout, known_of_cifs, layout_of, simulator_of
    from peakwise.cli._scans import read_scans
    from peakwise.estimators import NETWORK_METHODS

    if known.labels is not None or known.table is not None:
        raise click.UsageError("Structures name themselves: leave out --labels and --table.")
    if known.grid is not None:
        layout = _asked_grid(known.grid, known.given)
    elif scans:
        _, parts = read_scans(out, scans, *known.given)
        out.failed.clear()
        layout = layout_of(out, parts)
    else:
        raise click.UsageError(
            "Missing argument 'SCAN...' (scans like those to be asked about, for their axis), or '--grid'."
        )
    if made.method in NETWORK_METHODS:
        made.fit(simulator_of(out, known.places, layout))
    else:
        made.fit(known_of_cifs(out, known.places, layout))
    return made, Layout(made.kind_, made.wavelength_, made.grid_)


def _asked_grid(grid: tuple[float, float, int], given: tuple[str | None, str | None, str | None]) -> Layout:
    from peakwise.cli._known import Layout
    from peakwise.patterns import as_radiation, make_grid

    wavelength, axis, _ = given
    light = as_radiation(_number(wavelength)) if wavelength is not None else None
    return Layout(axis or "two_theta", light, make_grid(grid))


def _number(wavelength: str) -> float | str:
    try:
        return float(wavelength)
    except ValueError:
        return wavelength


def _of_scans(out: Output, made: NoveltyDetector, known: Known) -> tuple[NoveltyDetector, Layout]:
    from peakwise.cli._known import known_of_scans, layout_of
    from peakwise.cli._scans import read_scans

    if known.grid is not None:
        raise click.UsageError("--grid is for structures: known scans have a grid.")
    library = library_of(known.table)
    files, parts = read_scans(out, known.places, *known.given)
    layout = layout_of(out, parts)
    patterns = known_of_scans(out, files, parts, layout, library)
    labels = None if known.labels is None else _labels(out, patterns, known.labels)
    return made.fit(patterns, labels), layout


def _labels(out: Output, patterns: Patterns, labels: str) -> list[str]:
    """A label of each known scan: of a table, or of a column of the metadata."""
    if not Path(labels).exists() and labels in patterns.meta:
        return [str(value) for value in patterns.meta[labels]]
    if not Path(labels).exists() and Path(labels).suffix.lower() not in (".csv", ".tsv", ".txt"):
        there = ", ".join(sorted(patterns.meta)) or "none"
        why = f"there is no file {labels!r:.60} and no column of that name in the metadata, which has {there}"
        raise OptionError(_WHAT, why, "Give --labels L.csv with the columns pattern,label, or one of these columns")
    from peakwise.cli._detector import label_series

    return [text or _WITHOUT for text in label_series(out, patterns, labels)]


def library_of(table: str | None) -> LibraryTable | None:
    """The table of compositions and places, if one was given."""
    if table is None:
        return None
    from peakwise.wafers import read_library

    return read_library(table)


def with_table(files: Sequence[str], parts: Sequence[Patterns], library: LibraryTable) -> list[Patterns]:
    """Scans with what the table says of them; rows of other scans are left out."""
    from peakwise.patterns import Patterns
    from peakwise.wafers import join_library

    numbers = np.zeros((len(parts), 2))  # the table is joined by names, or by the order
    names = [str(part.names[0]) or file for file, part in zip(files, parts, strict=True)]
    joined = join_library(Patterns([0.0, 1.0], numbers, "channel", names=names), library, extra="drop")
    return [
        part.replace(meta={**part.meta, **{n: joined.meta[n][i : i + 1] for n in joined.meta}})
        for i, part in enumerate(parts)
    ]
