"""The bench of `simulate`: each figure beside pymatgen's and NumPy's from the same run, on one core unless said."""

from __future__ import annotations

import os
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from peakwise.cli._output import Output
    from peakwise.crystal import Phase

__all__ = ["run"]

# Textbook structures, and larger ones that are used where PEAKWISE_DATA points at their archives.
_TEXTBOOK = ("Ni", "W", "Co-hcp", "TiO2-rutile", "SiO2-quartz", "CaTiO3", "albite")
_ARCHIVED = (
    ("organic", "cif_library/amcsd_cifs.zip", "amcsd_18397.cif"),
    ("Mg-MOF-74", "cif_library/raspa_mof_zeolite_cifs.zip", "mofs/cif/MgMOF-74.cif"),
    ("MFI", "cif_library/raspa_mof_zeolite_cifs.zip", "zeolites/cif/MFI_SI.cif"),
)
_GRIDS = ((20.0, 90.0, 2048), (5.0, 50.0, 4501))
_WAVELENGTH = 1.5405929
_COUNTS = 5000.0
_MANY = 8000  # patterns: enough that starting two threads does not count


def run(out: Output, *, quick: bool = False) -> list[dict[str, Any]]:
    """All rows of the table."""
    phases = list(_structures(out))
    phases = phases[:6:2] if quick else phases
    least = 0.05 if quick else 0.3
    rows: list[dict[str, Any]] = []
    work = [(p, g) for g in _GRIDS for p in phases]
    for phase, grid in out.progress(iter(work), "measuring", len(work)):
        rows += _compare(phase, grid, least)
    for what in ("structure to lines", "one variant"):
        for grid in _GRIDS:
            case = _range(grid)
            ratios = [r["ratio"] for r in rows if r["what"] == what and r["case"].endswith(case) and r["ratio"]]
            if ratios:
                mean = float(np.exp(np.mean(np.log(ratios))))
                rows.append(
                    _row(
                        what,
                        f"geometric mean (least {min(ratios):.3g}), {case}",
                        None,
                        None,
                        rows[0]["other_name"],
                        "",
                        mean,
                    )
                )
    return rows + _others(phases, least) + _generators(phases, least, out) + _guards(phases, least)


def _generators(phases: list[Phase], least: float, out: Output) -> list[dict[str, Any]]:
    """Whole generators of other programs, and what it costs a training loop to be fed."""
    from peakwise.cli._bench_generators import generators, training

    rows, ratios = [], dict[str, list[float]]()
    for what, name, ours, theirs, other in generators(phases, lambda work: _time(work, least), out.warnings):
        rows.append(_row(what, name, 1e6 * ours, 1e6 * theirs, other, "us", theirs / ours))
        ratios.setdefault(other, []).append(theirs / ours)
    for other, values in ratios.items():
        mean = float(np.exp(np.mean(np.log(values))))
        rows.append(_row("one variant", f"geometric mean (least {min(values):.3g})", None, None, other, "", mean))
    fed = training(phases[min(5, len(phases) - 1)], 8 if least < 0.1 else 200, out.warnings)
    if fed is not None:
        fresh, stored = fed
        rows.append(
            _row(
                "training step",
                "patterns made meanwhile",
                1e3 * fresh,
                1e3 * stored,
                "made before",
                "ms",
                stored / fresh,
            )
        )
    return rows


def _guards(phases: list[Phase], least: float) -> list[dict[str, Any]]:
    """What a slow spelling of a loop would show: cost by width, and by points times lines."""
    from peakwise.simulate import Ranges, Simulator

    phase, rows = phases[min(5, len(phases) - 1)], []

    def cost(size: float, points: int) -> float:
        made = Simulator(
            phase, (20.0, 90.0, points), radiation=_WAVELENGTH, threads=1, margin=1.0, ranges=Ranges.none(size=size)
        )
        tables = made.draw_tables(256)
        return _time(lambda: made.render(tables), least) / 256

    sharp, broad, twice = cost(300.0, 2048), cost(12.0, 2048), cost(300.0, 4096)
    keys = (("lines 25 times as broad", broad), ("twice the points", twice))
    for case, seconds in keys:
        rows.append(
            _row("speed guard", f"{phase.id}, {case}", 1e6 * seconds, 1e6 * sharp, "sharp, 2048", "us", sharp / seconds)
        )
    return rows


def _structures(out: Output) -> Iterator[Phase]:
    import zipfile

    from peakwise.crystal import TEXTBOOK, Phase

    for name in _TEXTBOOK:
        yield TEXTBOOK[name]
    root = os.environ.get("PEAKWISE_DATA", "")
    for name, archive, member in _ARCHIVED:
        path = Path(root) / archive
        if not root or not path.exists():
            out.warnings.append(f"{name} is left out: set PEAKWISE_DATA to the folder that holds {archive}")
            continue
        with zipfile.ZipFile(path) as box:
            inside = next(n for n in box.namelist() if n.endswith(member))
            yield Phase.from_cif(box.read(inside).decode("utf-8", "replace"), id=name)


def _compare(phase: Phase, grid: tuple[float, float, int], least: float) -> list[dict[str, Any]]:
    """Both stages for one structure: ours, and pymatgen with a NumPy profile."""
    from peakwise.patterns import Radiation
    from peakwise.simulate import Instrument, Ranges, Simulator

    light = Radiation(_WAVELENGTH)
    d_min = _WAVELENGTH / 2 / np.sin(np.radians(grid[1] / 2))

    def lines() -> None:
        phase.forget()  # what was computed before
        phase.intensities(light, d_min)

    ours_lines = _time(lines, least)
    tool = Instrument.lab_bragg_brentano(light, axial_sample=0.0, axial_detector=0.0)
    ranges = Ranges(counts=_COUNTS, impurity=None, hump=None)
    simulator = Simulator(phase, grid, instrument=tool, ranges=ranges, threads=1)
    many = 512 if simulator.n_lines[0] < 400 else 64
    room = np.empty((many, grid[2]), np.float32)
    ours_variant = _time(lambda: simulator.draw_and_render(many, out=room), least) / many
    case = f"{phase.id}, {_range(grid)}"
    other = _pymatgen(phase, grid)
    if other is None:
        return [
            _row("structure to lines", case, 1e3 * ours_lines, None, None, "ms", None),
            _row("one variant", case, 1e6 * ours_variant, None, None, "us", None),
        ]
    find, name = other
    theirs_lines = _time(find, least)
    positions, heights = find()
    x = np.linspace(*grid)
    theirs_profile = _time(lambda: _numpy_variant(x, positions, heights), least)
    theirs = theirs_lines + theirs_profile
    return [
        _row("structure to lines", case, 1e3 * ours_lines, 1e3 * theirs_lines, name, "ms", theirs_lines / ours_lines),
        _row("one variant", case, 1e6 * ours_variant, 1e6 * theirs, f"{name} + NumPy", "us", theirs / ours_variant),
    ]


def _pymatgen(phase: Phase, grid: tuple[float, float, int]) -> tuple[Callable[[], Any], str] | None:
    try:
        from pymatgen.analysis.diffraction.xrd import XRDCalculator
        from pymatgen.core.structure import Structure
    except ImportError:
        return None
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = Structure.from_str(phase.to_cif(), fmt="cif")
    calculator = XRDCalculator(_WAVELENGTH)

    def find() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = calculator.get_pattern(structure, two_theta_range=grid[:2])
        return np.asarray(found.x), np.asarray(found.y)

    try:
        return find, f"pymatgen {version('pymatgen')}"
    except PackageNotFoundError:
        return find, "pymatgen"


def _numpy_variant(
    x: NDArray[np.float64], positions: NDArray[np.float64], heights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What a careful NumPy user writes: pseudo-Voigts in a loop over lines, a background, counting noise."""
    rng = np.random.default_rng(0)
    y = np.zeros_like(x)
    for position, height in zip(positions, heights, strict=True):
        t2 = ((x - position) / 0.1) ** 2
        y += height * (0.5 / (1 + t2) + 0.5 * np.exp(-0.6931471805599453 * t2))
    t = np.linspace(-1, 1, x.size)
    y = y / max(float(y.max()), 1e-300) + np.polynomial.chebyshev.chebval(t, (0.05, 0.01, 0.01, 0.005))
    return np.asarray(rng.poisson(_COUNTS * np.maximum(y, 0)) / _COUNTS)


def _others(phases: list[Phase], least: float) -> list[dict[str, Any]]:
    """Threads, and the noise alone."""
    from peakwise.simulate import FRAME, Ranges, Simulator

    rows = []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    phase = phases[min(5, len(phases) - 1)]
    one = Simulator(phase, _GRIDS[0], radiation=_WAVELENGTH, threads=1)
    single = _time(lambda: one.draw_and_render(_MANY), least, time.perf_counter)
    if cores > 1:
        two = Simulator(phase, _GRIDS[0], radiation=_WAVELENGTH, threads=2)
        double = _time(lambda: two.draw_and_render(_MANY), least, time.perf_counter)
        rows.append(
            _row("two threads", phase.id, _MANY / double, _MANY / single, "one thread", "patterns/s", single / double)
        )
    # Patterns of a flat background alone: what is left beside the noise is next to nothing.
    flat = Simulator(phase, _GRIDS[0], radiation=_WAVELENGTH, threads=1, ranges=Ranges.none())
    silent = flat.blank(512)
    silent.frames[:, FRAME["fluorescence"]] = 0.1
    loud = silent._replace(frames=silent.frames.copy())
    loud.frames[:, FRAME["counts"]] = _COUNTS
    noisy = _time(lambda: flat.render(loud, scale="max"), least)
    plain = _time(lambda: flat.render(silent, scale="max"), least)
    samples = 512 * _GRIDS[0][2]
    rng, mean = np.random.default_rng(0), np.full(_GRIDS[0][2], 0.1 * _COUNTS)
    numpy_noise = _time(lambda: rng.poisson(mean), least) / _GRIDS[0][2]
    ours = max(noisy - plain, noisy / 10) / samples
    rows.append(
        _row(
            "counting noise",
            f"{_GRIDS[0][2]} points",
            1e9 * ours,
            1e9 * numpy_noise,
            "numpy.random poisson",
            "ns/sample",
            numpy_noise / ours,
        )
    )
    return rows


def _time(work: Callable[[], Any], least: float, clock: Callable[[], float] = time.process_time) -> float:
    """Seconds of one call: the best of several rounds, by a clock that other programs disturb little."""
    work()
    begin = clock()
    work()
    once = max(clock() - begin, 1e-7)
    repeats = max(1, int(least / 5 / once))
    best = np.inf
    for _ in range(5):
        begin = clock()
        for _ in range(repeats):
            work()
        best = min(best, (clock() - begin) / repeats)
    return float(best)


def _range(grid: tuple[float, float, int]) -> str:
    return f"{grid[0]:g}-{grid[1]:g} deg, {grid[2]} points"


def _row(
    what: str,
    case: str,
    ours: float | None,
    other: float | None,
    other_name: str | None,
    unit: str,
    ratio: float | None,
) -> dict[str, Any]:
    keys = ("what", "case", "ours", "other", "other_name", "unit", "ratio")
    return dict(zip(keys, (what, case, ours, other, other_name, unit, ratio), strict=True))
