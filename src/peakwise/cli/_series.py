"""A series given on a command line: its patterns in their order, on one grid, with what was varied."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from peakwise.cli._order import Variable, in_order
from peakwise.cli._scans import DEMO
from peakwise.errors import AxisError, GridError, PatternsError
from peakwise.patterns import Patterns, concatenate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.cli._output import Output

__all__ = ["Series", "read_series"]

_WHAT = "cannot use the scan"
_LEAST_OVERLAP = 0.8  # of the usual range: one short scan must not shrink all others
_FEWEST_POINTS = 8
_MOST_SAID = 12  # warnings of files; hundreds of files may have one each
_NO_WAVELENGTH = "the file gives no wavelength"


@dataclass(frozen=True, slots=True)
class Series:
    """Patterns in their order, and the external variable where it is known."""

    patterns: Patterns
    variable: Variable | None = None


def read_series(
    out: Output,
    scans: Sequence[str],
    wavelength: str | None,
    axis: str | None,
    file_format: str | None,
    *,
    variable: str | None = None,
    values: str | None = None,
    keep_order: bool = False,
) -> Series:
    """Read a series; what cannot be used is noted in `out.failed`, what was done to the rest in `out.warnings`."""
    parts = _parts(out, scans, wavelength, axis, file_format)
    whole = _finite(out, concatenate(_one_grid(out, _one_kind(out, parts))))
    _say(out, whole)
    whole = whole.replace(names=_unique(whole), warnings=())
    patterns, told = in_order(out, whole, variable, values, keep_order=keep_order)
    return Series(patterns, told)


def _parts(
    out: Output, scans: Sequence[str], wavelength: str | None, axis: str | None, file_format: str | None
) -> list[Patterns]:
    """What the files hold, in natural order of their names; patterns of one file in the order of the file."""
    from peakwise.io import natural_key, read_each

    given = [s for s in scans if s != DEMO or Path(s).exists()]
    read = []
    each = read_each(given, wavelength=wavelength, axis=axis, format=file_format) if given else ()
    for one in out.progress(iter(each), "reading"):
        if one.error is not None:
            out.fail(one.error, one.file)
        else:
            read.append(one)
    read.sort(key=lambda one: natural_key(one.file))
    parts = [part.with_meta(source=one.file) for one in read for part in one.patterns]
    if len(given) < len(scans):
        from peakwise.datasets import load

        parts.append(load("hed-suite", series="D2").with_meta(source=DEMO))
    out.need_some(len(parts))
    return parts


def _one_kind(out: Output, parts: list[Patterns]) -> list[Patterns]:
    """All on the kind of axis and the wavelength that most have."""

    def light(part: Patterns) -> tuple[str, float | None]:
        return part.kind, part.wavelength if part.kind == "two_theta" else None

    known = [p for p in parts if p.radiation is None or not p.radiation.assumed] or parts
    usual = Counter(light(p) for p in known for _ in range(len(p))).most_common(1)[0][0]
    like = next(p for p in known if light(p) == usual)
    made, moved, taken = [], 0, 0
    for part in parts:
        if light(part) == usual:
            made.append(part)
        elif part.kind == like.kind and part.radiation is not None and part.radiation.assumed:
            said = [w for w in part.warnings if not w.startswith(_NO_WAVELENGTH)]
            made.append(part.replace(wavelength=like.radiation, warnings=said))
            taken += len(part)
        else:
            try:
                made.append(part.to_axis(like.kind, wavelength=like.radiation))
                moved += len(part)
            except AxisError as problem:
                out.fail(AxisError(_WHAT, problem.why, problem.do), _source(part))
    if taken:
        out.warnings.append(f"{taken} scans give no wavelength: {like.wavelength:g} angstrom taken, as the others have")
    if moved:
        where = f" at {like.wavelength:g} angstrom" if usual[1] else ""
        out.warnings.append(f"{moved} scans have another axis or wavelength: converted to {like.kind}{where}")
    out.need_some(len(made))
    return made


def _one_grid(out: Output, parts: list[Patterns]) -> list[Patterns]:
    """All on one grid: the part of the axis that they share, with the coarsest of their steps."""
    counted = Counter((p.n_points, float(p.axis[0]), float(p.axis[-1])) for p in parts for _ in range(len(p)))
    usual = counted.most_common(1)[0][0]
    like = next(p for p in parts if (p.n_points, p.axis[0], p.axis[-1]) == usual)
    if all(p.same_grid(like) for p in parts):
        return parts
    kept = _overlapping(out, parts)
    low, high = max(p.axis[0] for p in kept), min(p.axis[-1] for p in kept)
    step = max(p.step for p in kept)
    if like.step >= step * (1 - 1e-3) and any(p is like for p in kept):
        grid = like.axis[(like.axis >= low - 1e-6 * step) & (like.axis <= high + 1e-6 * step)]
    else:
        grid = low + step * np.arange(int((high - low) / step * (1 + 1e-12)) + 1)
    if grid.size < _FEWEST_POINTS:
        why = f"they share {grid.size} points from {low:g} to {high:g}, at least {_FEWEST_POINTS} are needed"
        raise GridError("cannot put the scans on one grid", why, "Give scans of one range")
    made, finer, moved = [], 0, 0
    for part in kept:
        if part.same_grid(grid):
            made.append(part)
            continue
        done = part.resample(grid, fill=float(part.intensity[0, -1]))
        finer += len(part) * (len(done.warnings) > len(part.warnings))
        moved += len(part)
        made.append(done.replace(warnings=part.warnings))
    if moved:
        out.warnings.append(
            f"the scans are on different grids: {moved} of {sum(map(len, kept))} resampled onto the part that all "
            f"share, {grid[0]:g} to {grid[-1]:g} with step {step:g}"
            + (f"; {finer} of them lie on coarser points there and were interpolated" if finer else "")
        )
    return made


def _overlapping(out: Output, parts: list[Patterns]) -> list[Patterns]:
    """Without those that cover too little of the usual range."""
    many = [len(p) for p in parts]
    start = float(np.median(np.repeat([p.axis[0] for p in parts], many)))
    stop = float(np.median(np.repeat([p.axis[-1] for p in parts], many)))
    kept = []
    for part in parts:
        if min(part.axis[-1], stop) - max(part.axis[0], start) >= _LEAST_OVERLAP * (stop - start):
            kept.append(part)
            continue
        why = f"it covers {part.axis[0]:g} to {part.axis[-1]:g}, and the series {start:g} to {stop:g}"
        out.fail(GridError(_WHAT, why, "Leave it out, or measure it again"), _source(part))
    out.need_some(len(kept))
    return kept


def _finite(out: Output, patterns: Patterns) -> Patterns:
    """Points that most patterns lack are bridged; patterns that then still lack some are left out."""
    rows = patterns.intensity
    is_missing = ~np.isfinite(rows)
    if not is_missing.any():
        return patterns
    is_gap = is_missing.mean(axis=0) > 0.5
    if is_gap.any() and not is_gap.all():
        at, filled = np.flatnonzero(~is_gap), np.array(rows)
        for row in filled:
            row[is_gap] = np.interp(np.flatnonzero(is_gap), at, row[at])
        out.warnings.append(f"{int(is_gap.sum())} points are NaN in most patterns (a gap or a mask) and were bridged")
        patterns = patterns.replace(intensity=filled)
        is_missing = ~np.isfinite(filled)
    bad = is_missing.any(axis=1)
    for i in np.flatnonzero(bad).tolist():
        why = f"{int(is_missing[i].sum())} of {rows.shape[1]} intensities are NaN or infinite"
        out.fail(PatternsError(_WHAT, why, "Leave it out, or mend the gap"), _source(patterns[i]))
    out.need_some(int((~bad).sum()))
    return patterns[~bad]


def _say(out: Output, patterns: Patterns) -> None:
    told = list(patterns.warnings)
    out.warnings += told[:_MOST_SAID]
    if len(told) > _MOST_SAID:
        out.warnings.append(f"{len(told) - _MOST_SAID} more remarks on single files: peakwise info tells them")


def _unique(patterns: Patterns) -> list[str]:
    """Names by which patterns are answered: their own, with the file before them where two have the same."""
    names = [str(name) for name in patterns.names]
    if len(set(names)) == len(names):
        return names
    files = [Path(str(file)).as_posix() for file in patterns.meta["source"]]
    seen = Counter(names)
    long = [name if seen[name] == 1 else f"{file}#{name}" for name, file in zip(names, files, strict=True)]
    again = Counter(long)
    return [name if again[name] == 1 else f"{name}@{i}" for i, name in enumerate(long)]


def _source(part: Patterns) -> str:
    """What a scan is called among those that were left out."""
    file = str(part.meta["source"][0])
    return file if Path(file).stem.startswith(str(part.names[0])) else f"{file}#{part.names[0]}"
