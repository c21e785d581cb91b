"""What is known, and the scans beside it: on one grid, or point by point where the known scans have several ranges."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import AxisError, GridError, OptionError, PatternsError
from peakwise.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.estimators import NoveltyDetector, PhaseNovelty
    from peakwise.patterns import Radiation
    from peakwise.simulate import Simulator
    from peakwise.wafers import LibraryTable

__all__ = ["Layout", "are_cifs", "known_of_cifs", "known_of_scans", "layout_of", "load_novelty", "onto", "simulator_of"]

_WHAT = "cannot use the scan"
_SHARED = 0.8  # of the usual range, that known scans must have in common to be compared along their axis
_FEWEST_POINTS = 8
_SAME_WAVELENGTH = 2e-3
_SIMULATED = 300  # patterns of all phases together, and at least ...
_OF_A_PHASE = 20
_LONGEST = 4096  # points of simulated patterns
_SIMULATED_KNOWN = (
    "what is known was simulated: the rate of false alarms is that of simulated scans, and measured ones differ "
    "from them more (texture, impurities, the instrument); measured known scans promise more"
)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where known scans and asked ones are compared.

    Attributes
    ----------
    kind : str
        What the axis is; ``channel`` where scans are compared point by point, from their first to their last.
    radiation : Radiation, float or None
    grid : ndarray
    ranges : tuple of (float, float)
        Of the known scans, where they are compared point by point.
    """

    kind: str
    radiation: Radiation | float | None
    grid: NDArray[np.float64]
    ranges: tuple[tuple[float, float], ...] = ()


def are_cifs(places: Sequence[str]) -> bool:
    """Whether these are structures: CIF files, or a folder that holds some."""
    found = [Path(place) for place in places]
    return any(p.suffix.lower() == ".cif" or (p.is_dir() and any(p.rglob("*.cif"))) for p in found)


def layout_of(out: Output, parts: Sequence[Patterns]) -> Layout:
    """Where scans are compared: along the part of the axis that they share, or point by point."""
    usual = Counter(p.kind for p in parts).most_common(1)[0][0]
    same = [p for p in parts if p.kind == usual]
    like = next((p for p in same if p.radiation is not None and not p.radiation.assumed), same[0])
    starts, stops = (np.array([p.axis[i] for p in same]) for i in (0, -1))
    low, high = float(starts.max()), float(stops.min())
    span = float(np.median(stops - starts))
    if high - low >= _SHARED * span:
        step = max(p.step for p in same)
        grid = same[0].axis[(same[0].axis >= low - 1e-6 * step) & (same[0].axis <= high + 1e-6 * step)]
        if same[0].step < step * (1 - 1e-3):
            grid = np.linspace(low, high, int((high - low) / step * (1 + 1e-12)) + 1)
        if grid.size < _FEWEST_POINTS:
            why = f"they share {grid.size} points, at least {_FEWEST_POINTS} are needed"
            raise GridError("cannot learn what is known", why, "Give scans of one range")
        return Layout(usual, like.radiation, grid)
    points = int(np.median([p.n_points for p in same]))
    if points < _FEWEST_POINTS:
        why = f"they have {points} points, at least {_FEWEST_POINTS} are needed"
        raise GridError("cannot learn what is known", why, "Give whole scans")
    ranges = tuple(sorted({(round(float(a), 6), round(float(b), 6)) for a, b in zip(starts, stops, strict=True)}))
    out.warnings.append(
        f"the known scans cover different ranges ({starts.min():g} to {stops.max():g}): scans are compared point by "
        f"point, {points} of them from the first to the last of each"
    )
    return Layout("channel", None, np.arange(points, dtype=np.float64), ranges)


def onto(part: Patterns, layout: Layout) -> tuple[Patterns, list[str]]:
    """One scan where it can be compared, and remarks about it; an error where it cannot."""
    row = np.asarray(part.intensity[0], dtype=np.float64)
    bad = ~np.isfinite(row)
    if bad.any():
        why = f"{int(bad.sum())} of {row.size} intensities are NaN or infinite"
        raise PatternsError(_WHAT, why, "Leave it out, or mend the gap")
    grid = layout.grid
    if layout.kind == "channel":
        if part.n_points == grid.size:
            made = Patterns(grid, row, "channel", names=part.names, meta=part.meta)
            return made, _about_range(part, layout)
        at = np.linspace(part.axis[0], part.axis[-1], grid.size)
        made = Patterns(grid, np.interp(at, part.axis, row), "channel", names=part.names, meta=part.meta)
        return made, [*_about_range(part, layout), f"it has {part.n_points} points, the known scans {grid.size}"]
    said = []
    light = part.replace(wavelength=layout.radiation).wavelength
    apart = 0.0 if not (light and part.wavelength) else abs(part.wavelength / light - 1)
    differs = part.kind == "two_theta" and apart > _SAME_WAVELENGTH
    if part.kind != layout.kind or differs:
        if differs and part.radiation is not None and part.radiation.assumed:
            part = part.replace(wavelength=layout.radiation)
            said.append(f"it gives no wavelength: {light:g} angstrom taken, as the known scans have")
        else:
            try:
                part = part.to_axis(layout.kind, wavelength=layout.radiation)
            except AxisError as problem:
                raise AxisError(_WHAT, problem.why, problem.do) from problem
            said.append(f"it has another axis or wavelength: converted to {layout.kind}")
    step = 0.5 * max(part.step, float(np.median(np.diff(grid))))
    if part.axis[0] > grid[0] + step or part.axis[-1] < grid[-1] - step:
        why = f"it covers {part.axis[0]:g} to {part.axis[-1]:g}, and what is known {grid[0]:g} to {grid[-1]:g}"
        raise GridError(_WHAT, why, "Measure the whole range, or learn from scans of this range")
    if not part.same_grid(grid):
        part = part.resample(grid, fill=float(row[-1]))
    made = Patterns(grid, part.intensity, layout.kind, wavelength=layout.radiation, names=part.names, meta=part.meta)
    return made, said


def _about_range(part: Patterns, layout: Layout) -> list[str]:
    low, high = float(part.axis[0]), float(part.axis[-1])
    span = high - low
    if not layout.ranges or any(min(high, b) - max(low, a) >= _SHARED * span for a, b in layout.ranges):
        return []
    return [f"no known scan covers its range, {low:g} to {high:g}"]


def known_of_scans(
    out: Output, files: Sequence[str], parts: Sequence[Patterns], layout: Layout, library: LibraryTable | None = None
) -> Patterns:
    """The known scans as one set, with what all of them say of themselves; unusable ones are noted in `out.failed`."""
    made, used = [], []
    for file, part in zip(files, parts, strict=True):
        try:
            made.append(onto(part, layout)[0])
        except (PatternsError, AxisError) as problem:
            out.fail(problem, file)
            continue
        used.append(file)
    out.need_some(len(made))
    names = [str(part.names[0]) or file for part, file in zip(made, used, strict=True)]
    repeated = Counter(names)
    unique = [n if repeated[n] == 1 else f"{n}@{i}" for i, n in enumerate(names)]
    if library is not None:
        from peakwise.cli._learn_novelty import with_table

        made = with_table(used, made, library)
    shared = set(made[0].meta).intersection(*(part.meta for part in made))
    meta = {name: np.concatenate([part.meta[name] for part in made]) for name in shared}
    rows = np.concatenate([part.intensity for part in made])
    return Patterns(layout.grid, rows, layout.kind, wavelength=layout.radiation, names=unique, meta=meta)


def known_of_cifs(out: Output, cifs: Sequence[str], layout: Layout) -> Patterns:
    """Patterns simulated for every phase on the grid of the scans, with what varies from sample to sample."""
    from peakwise.cli._phases import load_library
    from peakwise.simulate import Simulator

    _refuse_axis(layout)
    library = load_library(out, cifs)
    grid = _not_too_long(layout.grid)
    parts = []
    each = max(_OF_A_PHASE, _SIMULATED // len(library))
    out.tell(f"simulating {each} patterns of each of {len(library)} phases")
    for number, phase in enumerate(library):
        made = Simulator(
            [phase], grid, axis=layout.kind, radiation=layout.radiation, random_state=out.seed + number,
            threads=out.threads,
        ).draw(each)  # fmt: skip
        parts.append(made)
    ids = np.repeat([phase.id for phase in library], each)
    rows = np.concatenate([p.intensity for p in parts])
    names = [f"{name}#{i}" for i, name in enumerate(ids)]
    out.warnings.append(_SIMULATED_KNOWN)
    return Patterns(grid, rows, layout.kind, wavelength=parts[0].radiation, names=names, meta={"phases": ids})


def simulator_of(out: Output, cifs: Sequence[str], layout: Layout) -> Simulator:
    """What simulates patterns of the phases along the axis of the scans, while networks learn."""
    from peakwise.cli._phases import load_library
    from peakwise.simulate import Ranges, Simulator

    _refuse_axis(layout)
    library = load_library(out, cifs)
    # What a refinement varies: foreign lines are not among that, they are what is looked for.
    ranges = Ranges(impurity=None, spike=None)
    made = Simulator(
        library, _not_too_long(layout.grid), axis=layout.kind, radiation=layout.radiation, ranges=ranges,
        random_state=out.seed, threads=out.threads,
    )  # fmt: skip
    out.warnings += made.warnings
    out.warnings.append(_SIMULATED_KNOWN)
    return made


def _refuse_axis(layout: Layout) -> None:
    if layout.kind not in ("two_theta", "q"):
        why = f"patterns of structures can be simulated along two_theta or q, the scans are along {layout.kind}"
        raise OptionError("cannot use the structures", why, "Give known scans instead")


def _not_too_long(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    return grid if grid.size <= _LONGEST else np.linspace(grid[0], grid[-1], _LONGEST)


def load_novelty(path: str) -> NoveltyDetector | PhaseNovelty:
    """The detector of a model file."""
    from peakwise.estimators import NoveltyDetector, PhaseNovelty, load

    made = load(path)
    if not isinstance(made, NoveltyDetector | PhaseNovelty):
        why = f"it holds a {type(made).__name__}, which does not know what is known"
        raise OptionError("cannot look for what is new", why, "Give a model of peakwise train novelty", file=path)
    return made
