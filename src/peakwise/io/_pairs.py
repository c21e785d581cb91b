"""Files that hold arrays without saying which one is the axis: it must be plain from names, units and lengths.

In each group, the axis is the one-dimensional array whose name or unit is that of an axis (or the nearest such array
in a group above), and the intensities are, in this order: the one array of fitting length with a name for
intensities (counts, I, mu ...), or the one other array of fitting length; arrays whose names differ in nothing but
their numbers are a series. Uncertainties, temperatures and the like are told by their names. Anything else is
refused with a list of what was there: a wrong guess looks like a measurement. An array of two or three columns, the
first of them rising, is axis, intensity and uncertainty.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import DamagedFileError, PeakwiseError
from peakwise.io._axis_words import intensity_unit, is_plain_axis_name, is_slow
from peakwise.io._columns import Catalogue, Column, natural
from peakwise.io._facts import ILLUMINATED, facts_of, own_facts, radiation_of
from peakwise.io._limits import check_limit
from peakwise.io._nexus import best_axis, take_rows
from peakwise.io._scan import Scan

if TYPE_CHECKING:
    from peakwise.patterns import Radiation

__all__ = ["read_pairs"]

_FEWEST = 3  # points; shorter arrays are neither axis nor intensity
_FEW_ARRAYS = 10_000  # in files with more of them, the wavelength is looked for only beside and above a scan

_INTENSITY = frozenset((
    "i", "intensity", "intensities", "counts", "cts", "data", "y", "ydata", "signal", "iq", "iqs", "mu", "mux",
    "mue", "absorption", "absorbance", "transmittance", "spectrum", "spectra", "pattern", "patterns", "gr", "sq",
    "fq", "yobs", "iobs", "cps", "count", "detector", "xrd", "profile",
))  # fmt: skip
_SIGMA = frozenset((
    "sigma", "sigmas", "sig", "error", "errors", "err", "errs", "std", "stddev", "esd", "uncertainty",
    "uncertainties", "idev", "di", "dy", "yerr", "ierr", "intensityerrors", "sigmai", "isigma", "dataerrors",
    "interrors", "counterrors", "ierror", "intensityerror", "erry",
))  # fmt: skip


def read_pairs(found: Catalogue) -> list[Scan]:
    """One block for every group in which axis and intensities are plain."""
    scans: list[Scan] = []
    problems: list[PeakwiseError] = []
    for group in sorted(found.children, key=natural):
        try:
            scans += _read_group(found, group)
        except DamagedFileError as problem:
            problems.append(problem)
    if not scans and not problems:
        for group in sorted(found.children, key=natural):
            scans += _tables(found, group)
    if not scans:
        raise problems[0] if problems else _nothing(found)
    check_limit(len(scans), "scans", "the file", found.file)
    scans[0].warnings += [f"a group was left out: {problem.why}" for problem in problems[:20]]
    return scans


def _nothing(found: Catalogue) -> PeakwiseError:
    arrays = [f"{c.path} ({'x'.join(map(str, c.shape))})" for c in found.columns.values() if c.sort == "number"]
    away = f"; {len(found.outside)} links lead to other files, which are not opened" if found.outside else ""
    return found.damaged(
        f"no two of its arrays are plainly axis and intensity; it holds {', '.join(arrays[:8]) or 'no numbers'}{away}",
        "Name them two_theta (or q, energy ...) and intensity, or export two columns of text",
    )


def _word(column: Column) -> str:
    bare = re.sub(r"[\(\[].*", "", column.name.lower())
    return re.sub(r"[^a-z]", "", bare)


def _axes_of(found: Catalogue, group: str) -> list[Column]:
    """Arrays of a group that are axes by name or unit; else those of the nearest group above."""
    while True:
        arrays = [c for c in found.children.get(group, []) if c.sort == "number" and len(c.shape) == 1]
        arrays = [c for c in arrays if c.shape[0] >= _FEWEST]
        named = [c for c in arrays if (m := c.meaning) is not None and m.named and _word(c) not in _SIGMA]
        plain = [c for c in arrays if is_plain_axis_name(c.name) and c not in named]
        if named or plain or not group:
            return named or plain
        group = group.rsplit("/", 1)[0]


def _read_group(found: Catalogue, group: str) -> list[Scan]:
    axes = _axes_of(found, group)
    keys = {c.key or c.path for c in axes}
    own = [c for c in found.children[group] if c.sort == "number" and c.shape and (c.key or c.path) not in keys]
    fitting = {c.path: places for c in own if (places := _places(c, axes))}
    values = [c for c in own if c.path in fitting and _word(c) not in _SIGMA]
    chosen = [c for c in values if _word(c) in _INTENSITY]
    if len(chosen) != 1:
        # A name that says only "data" gives way to one that says what the data are.
        clear = [c for c in chosen if _word(c) not in ("data", "signal", "y")]
        chosen = clear if len(clear) == 1 else chosen
    if not chosen:
        chosen = [c for c in values if not is_slow(c.name)]
    if len(chosen) > 1 and len({re.sub(r"\d+", "#", c.path) for c in chosen}) > 1:
        raise found.damaged(
            f"{group or 'it'} holds several arrays that could be intensities: {', '.join(c.path for c in chosen[:8])}",
            "Keep one of them, or mark it with the NeXus attributes signal and axes",
        )
    scans: list[Scan] = []
    for column in sorted(chosen, key=lambda c: natural(c.path)):
        scans += _one(found, group, column, fitting[column.path], own, several=len(chosen) > 1)
    return scans


def _places(column: Column, axes: list[Column]) -> dict[int, list[Column]]:
    """Axes that fit an array, by dimension; where the file names the axes, only those."""
    places: dict[int, list[Column]] = {}
    for axis in axes:
        if any(column.dims):
            fitting = [d for d, p in enumerate(column.dims) if p == axis.path]
        else:
            fitting = [d for d, size in enumerate(column.shape) if size == axis.shape[0]]
        if fitting:
            places.setdefault(fitting[-1], []).append(axis)
    return places


def _one(
    found: Catalogue, group: str, column: Column, places: dict[int, list[Column]], own: list[Column], *, several: bool
) -> list[Scan]:
    best = best_axis(places, 1)
    if best is None:
        return []
    dim, axis = best
    rivals = [c for columns in places.values() for c in columns if c is not axis]
    same = [
        c for c in rivals if c.meaning is not None and axis.meaning is not None and c.meaning.kind == axis.meaning.kind
    ]
    if same and {c.key or c.path for c in same} != {axis.key or axis.path}:
        listed = ", ".join(c.path for c in (axis, *same))
        raise found.damaged(f"{column.path} has several axes that could be meant: {listed}", "Keep one of them")
    notes = [f"the axis {axis.name} was taken; also there: {', '.join(c.name for c in rivals)}"] if rivals else []
    sigmas = [c for c in own if _word(c) in _SIGMA and c.shape == column.shape]
    sigma = sigmas[0] if len(sigmas) == 1 and not several else None
    scans = take_rows(found, column, axis, dim, sigma, [group], notes)
    used = {column.path, axis.path, *(c.path for c in own if len(c.shape) == 1 and c.shape == (column.shape[dim],))}
    n = len(np.atleast_2d(scans[0].y))
    for scan in scans:
        scan.meta = own_facts(found, group, n, used) | scan.meta
        _finish(scan, group, column.name if several else "")
        if scan.kind in ILLUMINATED:
            scan.radiation = _illumination(found, group, scan.warnings)
    return scans


def _finish(scan: Scan, group: str, name: str) -> None:
    """A name for the scan: its title, else that of its group where the file has several."""
    title = str(scan.meta.get("title") or "")
    scan.name = name or title or group.strip("/") or None


def _illumination(found: Catalogue, group: str, notes: list[str]) -> Radiation | None:
    """The wavelength beside the scan, else above it, else anywhere in a small file."""
    above = group
    while True:
        mine: list[str] = []
        radiation = radiation_of(found, [above], mine)
        if radiation is not None or mine:
            notes += mine
            return radiation
        if not above:
            break
        above = above.rsplit("/", 1)[0]
    return radiation_of(found, found.groups_under(""), notes) if len(found.columns) <= _FEW_ARRAYS else None


def _tables(found: Catalogue, group: str) -> list[Scan]:
    """Arrays of two or three columns (or rows) whose first one rises."""
    scans: list[Scan] = []
    for column in found.children[group]:
        if column.sort != "number" or len(column.shape) != 2 or max(column.shape) < _FEWEST or any(column.dims):
            continue
        if min(column.shape) not in (2, 3):
            continue
        values = found.values(column)
        values = values.T if column.shape[1] in (2, 3) and column.shape[0] > column.shape[1] else values
        steps = np.diff(values[0])
        if not ((steps > 0).all() or (steps < 0).all()):
            continue
        scan = Scan(
            values[0], values[1], None, values[2] if len(values) == 3 else None,
            unit=intensity_unit("", "", bool((values[1] == np.rint(values[1])).all() and values[1].max() > 1)),
            meta=facts_of(found, [group], 1) | own_facts(found, group, 1, {column.path}),
            warnings=[f"{column.path} was read as columns of axis and intensity"],
        )  # fmt: skip
        scan.name = column.path.strip("/")
        scan.radiation = _illumination(found, group, scan.warnings)
        scans.append(scan)
    return scans
