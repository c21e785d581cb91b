"""Blocks as files give them -> `Patterns`: axes sorted, gaps left out, equal grids joined, and all of it said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import DamagedFileError, PeakwiseError, one_line
from peakwise.io._limits import check_limit
from peakwise.patterns import Patterns, Radiation, as_radiation, concatenate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.io._scan import Scan
    from peakwise.io._source import Source

__all__ = ["FEWEST_POINTS", "assemble"]

LONGEST_TEXT = 500  # characters of one metadata text; a hostile header must not fill tables and JSON
FEWEST_POINTS = 3  # two points are a line, not a scan
_FURTHEST_ANGLE = 36_000.0  # in centidegrees, which the axis doctor tells; beyond it no unit of angle helps
_MOST_INTENSITY = 1e30  # no detector, and no unit, gives more
# A run of points without a single count, between neighbours with m counts each, comes by chance once in exp(n m).
_NEIGHBOURS, _BEYOND_CHANCE = 8, 60.0


def assemble(
    source: Source,
    blocks: Sequence[Scan | Patterns],
    *,
    wavelength: float | str | Radiation | None = None,
    axis: str | None = None,
) -> list[Patterns]:
    """Return the blocks of one file as few `Patterns` as there are different grids, in the file's order."""
    if not blocks:
        raise DamagedFileError(
            "cannot read the scan", "the file holds no scan", "Check that it was saved", file=source.path
        )
    check_limit(len(blocks), "scans", "the file", source.path)
    asked = as_radiation(wavelength)
    done: list[Patterns] = []
    several = len(blocks) > 1
    for number, block in enumerate(blocks, 1):
        default = f"{source.stem}#{number}" if several else source.stem
        try:
            one = _tidy(block, default, axis) if not isinstance(block, Patterns) else _renamed(block, axis)
            _check_meant(one)
        except PeakwiseError as problem:
            where = f"scan {number}: " if several else ""
            raise DamagedFileError(
                "cannot read the scan", where + problem.why, problem.do, file=source.path
            ) from problem
        done.append(_illuminate(one, asked))
    return _join(done)


def _renamed(patterns: Patterns, axis: str | None) -> Patterns:
    """Finished patterns, their axis called what the user says it is."""
    return patterns if axis is None else patterns.replace(kind=axis)


def _check_meant(patterns: Patterns) -> None:
    """Refuse what no instrument can have given."""
    first, last = patterns.axis[0], patterns.axis[-1]
    if patterns.kind == "two_theta" and (first < -_FURTHEST_ANGLE or last > _FURTHEST_ANGLE):
        why = f"no angle is that large: its axis two_theta runs {first:g} to {last:g} deg"
        raise DamagedFileError("cannot read the scan", why, "Check which column is the axis, or pass axis=")
    y = patterns.intensity  # fmax and fmin pass over NaN, and say nothing where there is nothing else
    furthest = max(np.fmax.reduce(y, axis=None), -np.fmin.reduce(y, axis=None))
    if furthest > _MOST_INTENSITY:
        why = f"its intensities reach {furthest:.3g}, which no detector gives"
        raise DamagedFileError("cannot read the scan", why, "Copy the file again; it may be damaged")


def _tidy(scan: Scan, default: str, axis: str | None) -> Patterns:
    """One block with a rising, finite axis."""
    x = np.asarray(scan.x, dtype=np.float64).ravel()
    y = np.asarray(scan.y)
    y = np.atleast_2d(y if y.dtype in (np.float32, np.float64) else y.astype(np.float64))
    sigma = None if scan.sigma is None else np.atleast_2d(np.asarray(scan.sigma, dtype=np.float64))
    notes = list(scan.warnings)
    if x.size != y.shape[1] or (sigma is not None and sigma.shape != y.shape):
        why = f"{x.size} positions for {y.shape[1]} intensities"
        raise DamagedFileError("cannot read the scan", why, "Copy the file again; it may be cut short")
    kind = scan.kind
    if axis is not None:
        kind = axis
    elif kind is None:
        kind = _assumed_kind(x, notes)
    y, x, sigma = _drop_unmeasured(y, x, sigma, notes)
    if scan.unit == "counts":
        _note_lost_blocks(x, y, notes)
    order = np.argsort(x, kind="stable")
    if (order[1:] < order[:-1]).any():
        falling = (np.diff(x) <= 0).all()
        notes.append(
            "the axis falls: points were reversed" if falling else "the axis is not monotonic: points were sorted"
        )
        x, y, sigma = x[order], y[:, order], None if sigma is None else sigma[:, order]
    n_given = x.size
    x, y, sigma = _join_repeats(x, y, sigma, notes)
    if x.size == 1 < n_given:
        why = f"the axis is constant: all {n_given} points are at {x[0]:g}"
        raise DamagedFileError("cannot read the scan", why, "Check which column is the axis")
    if x.size < FEWEST_POINTS:
        why = f"at least {FEWEST_POINTS} points are needed, it holds {x.size} usable ones"
        raise DamagedFileError("cannot read the scan", why, "Check that the measurement was finished")
    n = len(y)
    titles = scan.name if isinstance(scan.name, list) else [scan.name or default] * n
    if n > 1 and not isinstance(scan.name, list):
        titles = [f"{titles[0]}#{i}" for i in range(1, n + 1)]
    return Patterns(
        x,
        y,
        kind,
        wavelength=scan.radiation,
        sigma=sigma,
        names=titles,
        meta={
            k: one_line(v, LONGEST_TEXT) if isinstance(v, str) else v for k, v in scan.meta.items() if not _is_blank(v)
        },
        unit=scan.unit,
        warnings=notes,
    )


def _assumed_kind(x: NDArray[np.float64], notes: list[str]) -> str:
    """What an axis without a name is taken for: degrees, unless they cannot be degrees."""
    finite = x[np.isfinite(x)]
    if finite.size and (finite.min() < -180 or finite.max() > 180):
        centi = "; they may be centidegrees" if finite.min() >= 0 and 360 < finite.max() <= 18_000 else ""
        notes.append(
            f"the file does not say what its axis is, and {finite.min():g} to {finite.max():g} cannot be degrees: "
            f"pass axis= or --axis (wavenumber, raman_shift, energy ...){centi}"
        )
        return "unknown"
    notes.append("the file does not say what its axis is: two_theta [deg] assumed; pass axis= or --axis to correct")
    return "two_theta"


def _drop_unmeasured(
    y: NDArray[Any], x: NDArray[np.float64], sigma: NDArray[np.float64] | None, notes: list[str]
) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64] | None]:
    """Leave out points without a position or without any intensity; NaN stays where other rows have a value."""
    keep = np.isfinite(x)
    finite = np.isfinite(y)
    if not finite.all():
        if len(y) > 1 and finite.any(axis=0).sum() > 0:
            empty = int((~finite.any(axis=1)).sum())
            notes.append(
                f"{np.count_nonzero(~finite)} intensities are not finite and stay NaN"
                + (f"; {empty} patterns are empty" if empty else "")
            )
            y = np.where(finite, y, np.nan).astype(y.dtype, copy=False)
        keep &= finite.any(axis=0)
    if not keep.all():
        notes.append(f"{np.count_nonzero(~keep)} of {x.size} points were left out: NaN or infinite")
        x, y, sigma = x[keep], y[:, keep], None if sigma is None else sigma[:, keep]
    return y, x, sigma


def _note_lost_blocks(x: NDArray[np.float64], y: NDArray[Any], notes: list[str]) -> None:
    """Say where counts stop and go on again as if nothing had been: bytes that a disk or a copy has lost are zeros."""
    for row in y:
        if row.size < 2 * _NEIGHBOURS or (row > 0).all():
            continue
        edges = np.flatnonzero(np.diff(np.concatenate([[False], row == 0, [False]]).astype(np.int8)))
        first, end = edges[::2], edges[1::2]
        inside = (first >= _NEIGHBOURS) & (end <= row.size - _NEIGHBOURS) & (end - first >= _NEIGHBOURS)
        for a, b in zip(first[inside], end[inside], strict=True):
            level = min(row[a - _NEIGHBOURS : a].mean(), row[b : b + _NEIGHBOURS].mean())
            if level * (b - a) > _BEYOND_CHANCE:
                notes.append(
                    f"{b - a} points from {x[a]:g} to {x[b - 1]:g} hold no count between neighbours of {level:.3g}: "
                    "a mask, or bytes that the file has lost"
                )
                return


def _join_repeats(
    x: NDArray[np.float64], y: NDArray[Any], sigma: NDArray[np.float64] | None, notes: list[str]
) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[np.float64] | None]:
    """Points measured at the same position become their mean."""
    if x.size < 2 or (np.diff(x) > 0).all():
        return x, y, sigma
    points, start, count = np.unique(x, return_index=True, return_counts=True)
    notes.append(f"{x.size - points.size} points repeat a position: their mean was taken")
    y = (np.add.reduceat(y, start, axis=1) / count).astype(y.dtype, copy=False)
    if sigma is not None:
        sigma = np.sqrt(np.add.reduceat(sigma**2, start, axis=1)) / count
    return points, y, sigma


def _illuminate(patterns: Patterns, asked: Radiation | None) -> Patterns:
    """The wavelength: the file's own, else the one that was asked for, else Cu Kα with a warning."""
    own, notes = patterns.radiation, list(patterns.warnings)
    if own is not None and not (own.assumed and asked is not None):
        if asked is not None and abs(asked.wavelength - own.wavelength) > 0.002 * own.wavelength:
            notes.append(
                f"the file says {own.wavelength:g} angstrom: the given wavelength {asked.wavelength:g} is not used"
            )
        return patterns.replace(warnings=notes)
    if patterns.kind != "two_theta":
        return patterns if asked is None else patterns.replace(wavelength=asked)
    if asked is None:
        notes.append("the file gives no wavelength: CuKa (1.5419 angstrom) assumed; pass wavelength= or --wavelength")
        asked = replace(Radiation.named("CuKa"), assumed=True)
    return patterns.replace(wavelength=asked, warnings=notes)


def _join(parts: list[Patterns]) -> list[Patterns]:
    """Blocks on one grid become one object; the order of first appearance stays."""
    groups: dict[tuple[object, ...], list[list[Patterns]]] = {}
    order: list[list[Patterns]] = []
    for part in parts:
        # Only grids of one length and kind are compared: a mesh of 100,000 scans must not cost their square.
        key = (part.kind, part.n_points, part.wavelength, part.unit, round(part.axis[0] / part.step))
        homes = groups.setdefault(key, [])
        home = next((g for g in homes if g[0].same_grid(part)), None)
        if home is None:
            homes.append([part])
            order.append(homes[-1])
        else:
            home.append(part)
    return [concatenate(g) for g in order]


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
