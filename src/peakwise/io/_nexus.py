"""NeXus inside HDF5: from the root to the data that a NeXus file means to be plotted.

What is followed (NeXus manual, "Associating plottable data using attributes", and the older ways)::

    root  @default -> NXentry @default -> NXdata          any of these may be missing; a path or a link will do
    NXdata @signal = name of the intensities              before 2014: an array with the attribute signal = 1
           @axes   = names of the axes, "." for none      before 2014: the signal's attribute axes = "x:y", or arrays
           @<axis>_indices = its dimensions                            with the attribute axis = 1, 2 ...
           <signal>_errors, errors, @uncertainties        standard uncertainties

Every NXentry becomes a scan (a series of frames becomes one scan of many rows). An axis with one position more than
there are points holds the edges of bins.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import DamagedFileError, PeakwiseError
from peakwise.io._axis_words import intensity_unit, to_our_axis
from peakwise.io._columns import Catalogue, Column, first_text, natural
from peakwise.io._facts import ILLUMINATED, facts_of, radiation_of
from peakwise.io._limits import check_limit
from peakwise.io._scan import Scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["best_axis", "is_nexus", "read_nexus", "take_rows"]

_MOST_LAG = 2  # frames by which one array of a growing file may be behind another
_MOST_STEPS = 8  # of the chain of defaults
# Several axes of one pattern describe the same points; the first of these is taken, for it needs the least else.
_PREFERRED = (
    "q", "two_theta", "d", "energy", "raman_shift", "wavenumber", "frequency", "wavelength", "r", "time_of_flight",
    None, "omega", "chi", "phi", "position", "channel",
)  # fmt: skip


def is_nexus(found: Catalogue) -> bool:
    """Whether there is an NXdata group, or an array marked as signal."""
    return any(found.group_class(g) in ("NXdata", "NXentry") for g in found.groups)


def read_nexus(found: Catalogue) -> list[Scan]:
    """One block for every NXentry that can be plotted; why the others were left out stands in the warnings."""
    entries = sorted((g for g in found.groups if found.group_class(g) == "NXentry"), key=natural) or [""]
    scans: list[Scan] = []
    problems: list[tuple[str, PeakwiseError]] = []
    for entry in entries:
        try:
            blocks = _read_entry(found, entry)
        except DamagedFileError as problem:
            problems.append((entry, problem))
            continue
        for block in blocks:
            title = block.meta.get("title")
            block.name = block.name or title or (entry.strip("/") if len(entries) > 1 else None)
        scans += blocks
    if not scans:
        raise problems[0][1]
    scans[0].warnings += [f"{entry} was left out: {problem.why}" for entry, problem in problems]
    return scans


def _read_entry(found: Catalogue, entry: str) -> list[Scan]:
    group = _default(found, entry)
    if group is not None:
        return _read_data(found, group, entry)
    below = [g for g in found.groups_under(entry) if found.group_class(g) == "NXdata" or _old_signal(found, g)]
    if not below:
        raise found.damaged(f"{entry or 'it'} holds no NXdata group")
    done: dict[str, list[Scan]] = {}
    seen: set[object] = set()
    problem: PeakwiseError | None = None
    for group in below:
        try:
            signal = _signal(found, group)
            if signal.key in seen and signal.key is not None:
                continue
            seen.add(signal.key)
            done[group] = _read_data(found, group, entry)
        except DamagedFileError as refused:
            problem = problem or refused
    named = {g: s for g, s in done.items() if s[0].kind is not None}
    done = named or done
    if len(done) > 1:
        raise found.damaged(
            f"{entry or 'it'} has no default and several groups that could be meant: {', '.join(list(done)[:8])}",
            "Set the attribute default of the entry to the name of one of them",
        )
    if not done:
        raise problem or found.damaged(f"{entry} holds no NXdata that is a pattern")
    return next(iter(done.values()))


def _default(found: Catalogue, entry: str) -> str | None:
    """The NXdata group at the end of the chain of defaults, if there is one."""
    here = entry
    for _ in range(_MOST_STEPS):
        if here not in found.groups:
            found.column(here)  # says so where it lies in another file
            raise found.damaged(f"the default {here} does not exist")
        if found.group_class(here) == "NXdata" or (here != entry and _old_signal(found, here)):
            return here
        step = first_text(found.groups[here].get("default"))
        if not step:
            return None
        here = found.resolve(step, here)
    raise found.damaged("the chain of defaults does not end")


def _old_signal(found: Catalogue, group: str) -> str:
    """Name of the array that carries signal = 1, or nothing."""
    marked = (c.name for c in found.children.get(group, []) if str(c.attrs.get("signal", "")).strip() == "1")
    return next(marked, "")


def _signal(found: Catalogue, group: str) -> Column:
    name = first_text(found.groups[group].get("signal")) or _old_signal(found, group)
    if not name:
        arrays = [c for c in found.children.get(group, []) if c.sort == "number" and c.size > 1]
        if len(arrays) != 1:
            raise found.damaged(f"{group} does not say which array is its signal")
        return arrays[0]
    column = found.column(name, group)
    if column is None:
        raise found.damaged(f"{group} calls {name!r} its signal, which does not exist")
    if column.sort != "number":
        raise found.damaged(f"{column.path} must hold numbers, it holds {column.sort}")
    if not column.shape:
        raise found.damaged(f"{column.path} holds a single number")
    return column


def _axes(found: Catalogue, group: str, signal: Column) -> dict[int, list[Column]]:
    """Axes that the file names for each dimension of the signal."""
    attrs, places = found.groups[group], dict[int, list[Column]]()
    said = attrs.get("axes") or signal.attrs.get("axes") or ""
    if isinstance(said, str) and found.column(said, group) is None:
        said = re.split(r"[:,\s]+", said.strip("[] "))
    names = [str(name).strip() for name in (said if isinstance(said, list) else [said])]
    for position, name in enumerate(names):
        column = found.column(name, group) if name not in ("", ".") else None
        if column is None or column.sort != "number":
            continue
        indices = attrs.get(f"{name}_indices")
        dims = indices if isinstance(indices, list) else [position if indices is None else indices]
        if len(column.shape) == len(signal.shape) > 1 and column.shape == signal.shape:
            dims = [len(signal.shape) - 1]  # every row has its own axis
        elif not _fits(column, signal, dims[-1]):
            dims = [d for d in reversed(range(len(signal.shape))) if _fits(column, signal, d)]
        if dims:
            places.setdefault(int(dims[-1] if len(dims) > 1 and column.shape == signal.shape else dims[0]), []).append(
                column
            )
    marked = [c for c in found.children.get(group, []) if str(c.attrs.get("axis", "")).strip().isdigit()]
    for column in sorted(marked, key=lambda c: str(c.attrs.get("primary", "")).strip() != "1"):
        dim = int(str(column.attrs.get("axis")).strip()) - 1
        if not places.get(dim) and _fits(column, signal, dim):
            places[dim] = [column]
    return places


def _fits(column: Column, signal: Column, dim: Any) -> bool:
    """Whether an array can be the axis of a dimension: as many positions, or one more for the edges of bins."""
    if not isinstance(dim, int) or not 0 <= dim < len(signal.shape) or len(column.shape) != 1:
        return False
    return column.shape[0] - signal.shape[dim] in (0, 1)


def best_axis(axes: dict[int, list[Column]], n_dims: int) -> tuple[int, Column] | None:
    """The axis along which the patterns run; of several that fit, the one that needs the least else to be useful."""
    ranked: list[tuple[int, int, int, int, Column]] = []
    for dim, columns in axes.items():
        for column in columns:
            meaning = column.meaning
            # In a stack the axis must say what it is: the rows and columns of a camera are no pattern.
            if meaning is not None and (meaning.named or n_dims == 1):
                ranked.append((_PREFERRED.index(meaning.kind), -dim, len(ranked), dim, column))
    if not ranked:
        return None
    *_, dim, column = min(ranked)
    return dim, column


def _read_data(found: Catalogue, group: str, entry: str) -> list[Scan]:
    signal = _signal(found, group)
    axes = _axes(found, group, signal)
    if not axes:
        axes = _unsaid(found, group, signal)
    best = best_axis(axes, len(signal.shape))
    if best is None:
        named = ", ".join(c.path for columns in axes.values() for c in columns) or "none"
        raise found.damaged(
            f"no axis of {signal.path} ({'x'.join(map(str, signal.shape))}) is that of a pattern; its axes: {named}"
        )
    dim, axis = best
    notes: list[str] = []
    others = [c.name for columns in axes.values() for c in columns if c.shape == axis.shape and c.key != axis.key]
    if others and axes[dim][1:]:
        notes.append(f"the axis {axis.name} was taken; also there: {', '.join(others)}")
    sigma = _uncertainty(found, group, signal, notes)
    groups = found.groups_under(entry)
    scans = take_rows(found, signal, axis, dim, sigma, groups, notes)
    for scan in scans:
        if scan.kind in ILLUMINATED:
            scan.radiation = radiation_of(found, groups, scan.warnings)
    return scans


def _unsaid(found: Catalogue, group: str, signal: Column) -> dict[int, list[Column]]:
    """Where no axis is named: the one array of the group that is an axis by its name or unit."""
    axes: dict[int, list[Column]] = {}
    for column in found.children.get(group, []):
        meaning = column.meaning if column.sort == "number" and column.key != signal.key else None
        dims = [d for d in reversed(range(len(signal.shape))) if _fits(column, signal, d)]
        if meaning is not None and meaning.named and dims:
            axes.setdefault(dims[0], []).append(column)
    return axes


def _uncertainty(found: Catalogue, group: str, signal: Column, notes: list[str]) -> Column | None:
    attrs = found.groups[group]
    said = [signal.attrs.get("uncertainties"), signal.attrs.get("uncertainty"), attrs.get("uncertainties")]
    for name in (*map(first_text, said), f"{signal.name}_errors", f"{signal.name}_error", "errors"):
        column = found.column(name, group) if name else None
        if column is not None and column.sort == "number" and column.shape == signal.shape:
            return column
        if column is not None:
            notes.append(f"the uncertainties {name} have another shape than {signal.name} and were left out")
    return None


def take_rows(
    found: Catalogue, signal: Column, axis: Column, dim: int, sigma: Column | None, groups: list[str], notes: list[str]
) -> list[Scan]:
    """The intensities with `dim` as the last dimension and all others joined to rows."""
    meaning = axis.meaning
    m = signal.shape[dim]
    lead = signal.shape[:dim] + signal.shape[dim + 1 :]
    n = math.prod(lead)
    rows = np.moveaxis(found.numbers(signal), dim, -1).reshape(n, m)
    x = found.values(axis)
    spread = None if sigma is None else np.moveaxis(found.values(sigma), dim, -1).reshape(n, m)
    kind, factor = (None, 1.0) if meaning is None else (meaning.kind, meaning.factor)
    if x.ndim == 1 and x.size == m + 1:
        x = (x[1:] + x[:-1]) / 2
        notes.append(f"{axis.name} holds the edges of bins: their centres were taken")
    x = to_our_axis(x, meaning, notes) if meaning is not None else x * factor
    if found.growing:
        n = _complete(found, signal, rows, groups, notes)
        rows, spread = rows[:n], None if spread is None else spread[:n]
    facts = facts_of(found, groups, n)
    facts |= {k: v[:n] for k, v in _other_axes(found, signal, dim, lead).items()}
    unit = intensity_unit(signal.name, signal.unit, signal.whole)
    if x.shape == signal.shape and x.ndim > 1:  # every row on an axis of its own
        x = np.moveaxis(x, dim, -1).reshape(-1, m)
        check_limit(n, "scans", signal.path, found.file)
        return [
            Scan(
                x[i], rows[i], kind, None if spread is None else spread[i], unit=unit,
                meta={k: v[i] if np.ndim(v) == 1 else v for k, v in facts.items()}, warnings=list(notes),
            )
            for i in range(n)
        ]  # fmt: skip
    return [Scan(x, rows, kind, spread, unit=unit, meta=facts, warnings=notes)]


def _other_axes(found: Catalogue, signal: Column, dim: int, lead: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    """What was varied from row to row: axes of the other dimensions, one entry for each row."""
    if not lead:
        return {}
    varied: dict[str, NDArray[Any]] = {}
    named = _axes(found, signal.parent, signal) if found.group_class(signal.parent) == "NXdata" else {}
    by_dims = {d: [found.columns[p]] for d, p in enumerate(signal.dims) if p in found.columns}
    for other, columns in ({**by_dims, **named}).items():
        for column in columns:
            if other != dim and column.sort == "number" and column.shape == (signal.shape[other],):
                place = other - (other > dim)
                shape = [1] * len(lead)
                shape[place] = lead[place]
                facts = facts_of(found, [column.parent], lead[place]) if len(lead) == 1 else {}
                if column.name.lower() not in facts:
                    values = found.values(column).reshape(shape)
                    varied[column.name] = np.broadcast_to(values, lead).ravel()
    return varied


def _complete(found: Catalogue, signal: Column, rows: NDArray[Any], groups: list[str], notes: list[str]) -> int:
    """How many frames of a series that is still being written are whole."""
    filled = np.isfinite(rows) if signal.fill is None or math.isnan(signal.fill) else rows != signal.fill
    written = np.flatnonzero(filled.any(axis=1))
    whole = int(written[-1]) + 1 if written.size else 0
    # Arrays beside the frames (time, temperature) may lag by a frame or two.
    beside = [c.shape[0] for c in found.columns_of(groups) if c.grows and len(c.shape) == 1 and c.shape[0] > 0]
    whole = min([whole, *(k for k in beside if signal.grows and whole - k <= _MOST_LAG)])
    notes.append(f"the file is still being written: {whole} frames are complete so far")
    if not whole:
        raise found.damaged("it is still being written, and no frame is complete yet", "Read it again later")
    return whole
