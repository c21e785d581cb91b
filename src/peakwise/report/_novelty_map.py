"""Where scans are among the known ones: what the figures of the report of novelty draw, added to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from peakwise.report._novelty import NoveltyCurves, NoveltyMap

__all__ = ["add_map"]

Answer = TypeVar("Answer", bound="Mapping[str, Any]")


def add_map(
    document: Answer,
    asked: ArrayLike | None = None,
    known: ArrayLike | None = None,
    *,
    known_names: Sequence[str] = (),
    known_scores: ArrayLike | None = None,
    axes: tuple[str, str] = ("component 1", "component 2"),
    errors: ArrayLike | None = None,
    known_errors: ArrayLike | None = None,
    regions: ArrayLike | None = None,
    region_ends: tuple[tuple[float, float], tuple[float, float]] | None = None,
    region_names: Sequence[str] = (),
    positions: ArrayLike | None = None,
    position_unit: str = "mm",
    compositions: Mapping[str, ArrayLike] | None = None,
    clusters: ArrayLike | None = None,
    mixing: ArrayLike | None = None,
    columns: Mapping[str, ArrayLike] | None = None,
    axis: ArrayLike | None = None,
    patterns: ArrayLike | None = None,
    reconstructions: ArrayLike | None = None,
    reconstruction: str = "nearest known",
    kind: str = "unknown",
    unit: str = "",
    wavelength: float | None = None,
    intensity_unit: str | None = None,
) -> Answer:
    """Return the answer of a search for the new with what its report draws, under `map`.

    What is not given is not drawn. n is the number of scans in the answer, k that of known ones.

    Parameters
    ----------
    document : NoveltyDocument or WaferDocument
        It is not changed.
    asked, known : array-like of shape (n, 2) and (k, 2)
        Points of a plane: principal components, or the latent space of a network.
    known_names : sequence of str
        Names of the known scans, or their phases.
    known_scores : array-like of shape (k,)
        Of the known scans, each left out in turn.
    axes : tuple of str
        What the two axes of the plane are.
    errors, known_errors : array-like of shape (n,) and (k,)
        Of the reconstruction.
    regions : array-like of shape (rows, columns)
        Decision regions: numbers from 0 of a grid over the plane, rows from low to high y; -1 is none.
    region_ends : ((x0, x1), (y0, y1))
        Where the grid begins and ends.
    region_names : sequence of str
        What the numbers are; of the same words as `known_names`, they have the same colours.
    positions : array-like of shape (n, 2)
        Places in the sample [`position_unit`].
    compositions : mapping of str to array-like of shape (n,)
        Amounts of three elements or more; of four and more any three can be chosen.
    clusters : array-like of shape (n,)
        Labels.
    mixing : array-like of shape (n,)
        Mixing ratios, 0 to 1.
    columns : mapping of str to array-like of shape (n,)
        Whatever else the maps may be coloured by: numbers or texts.
    axis, patterns, reconstructions : array-like of shape (m,), (n, m) and (n, m)
        The scans, and what is known of them on the same scale.
    reconstruction : str
        What the reconstructions are.
    kind, unit, wavelength, intensity_unit
        Of the patterns.

    Examples
    --------
    >>> rows = [{"scan": "a.xy", "score": 0.2, "novel": False}, {"scan": "b.xy", "score": 4.0, "novel": True}]
    >>> told = {"command": "novelty", "scans": rows}
    >>> whole = add_map(told, [[0, 0], [3, 1]], [[0, 0.1], [0.1, 0]], known_names=["rutile"] * 2)
    >>> sorted(whole["map"])
    ['asked', 'axes', 'known', 'known_names']
    """
    n = len(document["scans"] if "scans" in document else document["patterns"])
    if (regions is None) != (region_ends is None):
        why = "regions and region_ends must be given together"
        raise OptionError("cannot draw the map", why, "Give the ends of x and y of the grid")
    plane: dict[str, Any] = {
        "asked": asked, "known": known, "known_scores": known_scores, "errors": errors, "known_errors": known_errors,
        "positions": positions, "clusters": clusters, "mixing": mixing,
    }  # fmt: skip
    made = {key: np.asarray(values) for key, values in plane.items() if values is not None}
    told: dict[str, Any] = {**made}
    if "asked" in made:
        told["axes"] = list(axes)
    if len(known_names):
        told["known_names"] = [str(name) for name in known_names]
    if "positions" in made:
        told["position_unit"] = position_unit
    if compositions:
        told["compositions"] = {str(k): np.asarray(v, dtype=np.float64) for k, v in compositions.items()}
    if columns:
        told["columns"] = {str(k): np.asarray(v) for k, v in columns.items()}
    if regions is not None and region_ends is not None:
        told["regions"] = {
            "labels": np.asarray(regions), "x": list(region_ends[0]), "y": list(region_ends[1]),
            "names": [str(name) for name in region_names],
        }  # fmt: skip
    if patterns is not None:
        table = np.asarray(patterns)
        if table.ndim != 2 or len(table) != n or axis is None:
            why = f"patterns must have a row for each of {n} scans and an axis, got shape {table.shape}"
            raise OptionError("cannot draw the map", why, "Give the scans of the answer, in its order")
        curves: NoveltyCurves = {
            "axis": np.asarray(axis, dtype=np.float64), "kind": kind, "unit": unit, "wavelength": wavelength,
            "intensity_unit": intensity_unit, "patterns": table, "reconstruction": reconstruction,
        }  # fmt: skip
        if reconstructions is not None:
            curves["reconstructions"] = np.asarray(reconstructions)
        told["curves"] = curves
    return cast("Answer", {**document, "map": cast("NoveltyMap", told)})
