"""The simulator: phases, instrument and ranges in; labelled patterns out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.patterns import Patterns, Radiation, as_radiation, convert_axis, make_grid
from peakwise.simulate._columns import FRAME, SLOT, Tables, blank_tables
from peakwise.simulate._compile import at_rest, compile_phases, lay_grid
from peakwise.simulate._effects import Ranges
from peakwise.simulate._instrument import MOST_CAPILLARY, Instrument
from peakwise.simulate._options import (
    LARGEST,
    as_phases,
    check_count,
    check_scale,
    check_seed,
    check_threads,
    check_types,
    too_many,
)
from peakwise.simulate._rendering import Batch, Prepared, check_tables, labels_of, meta_of, render_rows, stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from peakwise.crystal import Phase

__all__ = ["ASSUMED", "DEFAULT_GRID", "Simulator"]

_AXES = ("two_theta", "q")
_NOISES = ("poisson", "gaussian")
_LARGEST_STRETCH = 0.25
ASSUMED = "no wavelength was given: CuKa (Kα1 and Kα2, mean 1.54187 angstrom) is assumed"
DEFAULT_GRID = (10.0, 90.0, 4001)


class Simulator:
    """Patterns of phases as an instrument would measure them.

    Parameters
    ----------
    phases : Phase, or an iterable of Phase such as a PhaseLibrary
    grid : (start, stop, n) or array-like
        Points along `axis`.
    instrument : Instrument, optional
        By default a laboratory diffractometer (`Instrument.lab_bragg_brentano`) with the radiation below.
    radiation : Radiation, float or str, optional
        Wavelength [angstrom] or a name such as ``CuKa``; every line of it is simulated. By default CuKa.
    axis : {"two_theta", "q"}
        What the grid means. On a ``q`` grid every point has the intensity that the instrument measures at its angle.
    ranges : Ranges, optional
        What varies in `draw` and `batches`.
    noise : {"poisson", "gaussian"}
        Whole counts, or normal noise of the same variance (a little faster).
    backgrounds : Patterns or (k, m) array, optional
        Measured backgrounds on the same grid, each scaled to a maximum of 1.
    random_state : int
        Seed. Pattern i follows from the seed and i alone, whatever the batch, the order and the number of threads.
    threads : int, optional
        By default as many as there are cores.
    margin : float, optional
        How far beyond both ends of the grid lines are taken [deg]; by default computed (see Notes). With 0 only lines
        that lie on the grid contribute.
    displacements : bool
        Whether the atoms' own displacement factors act. Without them the atoms are at rest: for CIFs whose factors are
        not to be trusted.
    limit : int
        Most reflection families of one phase.

    Notes
    -----
    The intensity of a line is ``w / (M V) * m |F|^2 * LP * ...`` with the weight fraction w, and mass M and volume V
    of the cell (M = Z times the mass of a formula unit; the cell as strained): so mixtures add up by weight, and
    `ideal` patterns of several phases are on one scale.

    A line contributes when its unstrained position, for each wavelength of its own, lies within the grid widened by
    `margin` on both sides. The margin is computed from the ranges before anything is drawn: five times the largest FWHM
    (at least 1 deg), plus the largest shift. So all variants of a phase consist of the same lines, and none enters or
    leaves as the cell changes; what is left out are tails beyond five FWHM, below 1 % of a line's height.

    Examples
    --------
    >>> from peakwise.crystal import Phase
    >>> salt = Phase.from_parameters(
    ...     "NaCl", "Fm-3m", (5.6402, 5.6402, 5.6402, 90, 90, 90), [("Na+", (0, 0, 0)), ("Cl-", (0.5, 0.5, 0.5))]
    ... )
    >>> simulator = Simulator(salt, (20, 80, 3001), radiation="CuKa1")
    >>> simulator.ideal()
    Patterns: 1 pattern of 3001 points, two_theta 20 to 80 deg, wavelength 1.54059 angstrom, with formula, space_group
    >>> drawn = simulator.draw(3)
    >>> drawn.unit, drawn.meta["phases"].tolist()
    ('counts', ['NaCl', 'NaCl', 'NaCl'])
    """

    def __init__(
        self,
        phases: Phase | Iterable[Phase],
        grid: ArrayLike | tuple[float, float, int] = DEFAULT_GRID,
        *,
        instrument: Instrument | None = None,
        radiation: Radiation | float | str | None = None,
        axis: str = "two_theta",
        ranges: Ranges | None = None,
        noise: str = "poisson",
        backgrounds: Patterns | ArrayLike | None = None,
        random_state: int = 0,
        threads: int | None = None,
        margin: float | None = None,
        displacements: bool = True,
        limit: int = 200_000,
    ) -> None:
        check_types(phases, instrument, ranges, margin, limit)
        self.phases: tuple[Phase, ...] = as_phases(phases)
        self.warnings: list[str] = []
        self.instrument = self._choose(instrument, radiation)
        self.ranges = Ranges() if ranges is None else ranges
        if self.instrument.geometry == "transmission" and self.ranges.top("absorption") > MOST_CAPILLARY:
            why = (
                f"in transmission absorption may vary up to {MOST_CAPILLARY:g} (mu R), where its formula holds, "
                f"got {self.ranges.top('absorption'):g}"
            )
            raise OptionError("cannot simulate", why, "Give Ranges(absorption=(0.1, 1))")
        self.kind, self.axis = axis, make_grid(grid)
        self.seed = check_seed(random_state)
        self.threads = check_threads(threads)
        if axis not in _AXES:
            raise OptionError("cannot simulate", f"axis must be two_theta or q, got {axis!r}", "Choose one")
        if noise not in _NOISES:
            raise OptionError("cannot simulate", f"noise must be poisson or gaussian, got {noise!r}", "Choose one")
        self.noise = noise
        light = self.instrument.radiation
        self.two_theta = convert_axis(self.axis, axis, "two_theta", wavelength=light.wavelength)
        if self.two_theta[0] <= 0 or self.two_theta[-1] >= 180:
            why = (
                f"it must lie within 0 and 180 deg, both excluded, got {self.two_theta[0]:g} to {self.two_theta[-1]:g}"
            )
            raise OptionError("cannot simulate on this grid", why, "Give (start, stop, number of points)")
        self.span, stretch = self._reach(margin)
        self._grid = lay_grid(self.two_theta, self.axis)
        structures = self.phases if displacements else [at_rest(p) for p in self.phases]
        self._compiled = compile_phases(structures, light, self.span, stretch, limit)
        self._bank = self._check_bank(backgrounds)
        self._optics = self.instrument.optics()

    def _choose(self, instrument: Instrument | None, radiation: Radiation | float | str | None) -> Instrument:
        if instrument is None:
            if radiation is None:
                radiation = Radiation.named("CuKa")
                self.warnings.append(ASSUMED)
            return Instrument.lab_bragg_brentano(radiation)
        if radiation is None:
            return instrument
        light = as_radiation(radiation)
        return instrument.replace(radiation=light)

    def _reach(self, margin: float | None) -> tuple[tuple[float, float], float]:
        """The angles whose lines contribute, and the largest relative change of a length."""
        ranges, tool = self.ranges, self.instrument
        if margin is not None and not 0 <= margin <= 180:
            raise OptionError(
                "cannot simulate", f"margin must lie within 0 and 180 deg, got {margin}", "Give 0 or more"
            )
        stretch = ranges.top("expansion") + ranges.top("distortion") + np.radians(ranges.top("shear"))
        if stretch > _LARGEST_STRETCH:
            why = (
                f"expansion, distortion and shear together may change lengths by up to {_LARGEST_STRETCH:.0%}, where "
                f"structure factors hold to 1e-4, got {stretch:.3g}"
            )
            raise OptionError("cannot simulate", why, "Give narrower ranges, or a phase with a cell nearer to them")
        ends = np.clip(self.two_theta[[0, -1]], 0.5, 175.0)
        theta = np.radians(ends / 2)
        width = tool.fwhm(ends) * max(1.0, ranges.top("width", 1.0))
        size = ranges.bottom("size", np.inf) * 10 / max(1.0, ranges.top("size_ratio", 1.0))
        micro = ranges.top("microstrain") * max(1.0, ranges.top("microstrain_ratio", 1.0))
        longest = max(w for w, _ in tool.radiation.lines)
        width = width + np.degrees(0.9 * longest / size / np.cos(theta) + 4 * micro * np.tan(theta))
        shift = np.degrees(2 * np.tan(theta) * stretch / (1 - stretch)) + ranges.top("zero") + abs(tool.zero)
        off = ranges.top("displacement") + abs(tool.displacement)
        if tool.geometry == "transmission":
            off += ranges.top("displacement_along") + abs(tool.displacement_along)
            off += 0.5 * (ranges.top("absorption") + tool.absorption) * tool.capillary
            shift = shift + np.degrees(off / tool.radius)
        else:
            shift = shift + np.degrees(2 * off / tool.radius + ranges.top("transparency") + abs(tool.transparency))
        wide = np.maximum(5 * width, 1.0) + shift if margin is None else np.full(2, margin)
        low, high = self.two_theta[0] - wide[0], self.two_theta[-1] + wide[1]
        return (float(max(low, 0.0)), float(min(high, 180.0))), float(stretch)

    def _check_bank(self, backgrounds: Patterns | ArrayLike | None) -> NDArray[np.float32]:
        if backgrounds is None:
            return np.zeros((0, self.axis.size), np.float32)
        if isinstance(backgrounds, Patterns):
            backgrounds = backgrounds.resample(self.axis).intensity
        try:
            rows = np.atleast_2d(np.asarray(backgrounds, dtype=np.float64))
        except (TypeError, ValueError) as problem:
            do = "Give Patterns or an array of shape (patterns, points)"
            raise OptionError("cannot use the backgrounds", f"numbers are needed: {problem}", do) from problem
        if rows.shape[1] != self.axis.size or not np.isfinite(rows).all():
            why = f"they must be finite and have {self.axis.size} points each, got shape {rows.shape}"
            raise OptionError("cannot use the backgrounds", why, "Resample them onto the grid")
        rows = np.maximum(rows, 0.0)
        top = rows.max(axis=1, keepdims=True)
        return np.ascontiguousarray(rows / np.where(top > 0, top, 1.0), dtype=np.float32)

    @property
    def ids(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the labels."""
        return tuple(p.id for p in self.phases)

    @property
    def radiation(self) -> Radiation:
        """The radiation of the instrument."""
        return self.instrument.radiation

    @property
    def n_lines(self) -> NDArray[np.int64]:
        """How many lines (families times wavelengths) each phase contributes."""
        return np.asarray((self._compiled.high - self._compiled.low).sum(axis=1))

    def blank(self, n: int, *, n_slots: int = 1, first: int = 0) -> Tables:
        """Tables of n patterns in which nothing acts but the instrument, to be filled by hand and rendered."""
        tables = blank_tables(n, n_slots, first)
        for name in ("zero", "displacement", "displacement_along", "transparency", "absorption"):
            tables.frames[:, FRAME[name]] = getattr(self.instrument, name)
        return tables

    def ideal(self, *, scale: str = "absolute") -> Patterns:
        """One plain pattern a phase: no noise, no background, no broadening but the instrument's.

        Parameters
        ----------
        scale : {"absolute", "max"}
            On one scale for all phases (see Notes of the class), or each with a maximum of 1.

        Returns
        -------
        Patterns
            Their names are the ids of the phases.
        """
        tables = self.blank(len(self.phases))
        tables.slots[:, 0, SLOT["phase"]] = np.arange(len(self.phases))
        tables.slots[:, 0, SLOT["weight"]] = 1.0
        rows = self.render(tables, scale=scale)
        empty = [i for i, row in zip(self.ids, rows, strict=True) if not row.any()]
        notes = [f"no line of {', '.join(empty[:5])}{' ...' * (len(empty) > 5)} lies in the range"] if empty else []
        return Patterns(
            self.axis,
            rows,
            self.kind,
            wavelength=self.radiation,
            names=self.ids,
            meta={"formula": [p.formula for p in self.phases], "space_group": [p.space_group for p in self.phases]},
            unit="arbitrary",
            warnings=[*self.warnings, *notes],
        )

    def draw(self, n: int, *, mixtures: int = 1, first: int = 0, scale: str = "counts") -> Patterns:
        """Patterns with everything varied within the ranges.

        Parameters
        ----------
        n : int
            How many.
        mixtures : int
            Most phases in one pattern: one to that many, equally probable, their weight fractions flat.
        first : int
            Number of the first pattern: ``draw(10, first=90)`` continues ``draw(90)``.
        scale : {"counts", "max", "absolute"}
            Counts; shares of the strongest peak; or the lines alone on the scale of `ideal`.

        Returns
        -------
        Patterns
            With `phases` and `weight_fractions` (joined by ``;``) and every drawn number in `meta`; numbers of a
            phase carry ``_1``, ``_2`` ... where `mixtures` is above 1.
        """
        tables = self.draw_tables(n, mixtures=mixtures, first=first)
        rows = self.render(tables, scale=scale)
        counted = scale == "counts" and bool((tables.frames[:, FRAME["counts"]] > 0).all())
        return Patterns(
            self.axis,
            rows,
            self.kind,
            wavelength=self.radiation,
            names=[f"{i:06d}" for i in range(first, first + len(rows))],
            meta=self.meta_of(tables),
            unit="counts" if counted else "arbitrary",
            warnings=self.warnings,
        )

    def batches(
        self, size: int, *, mixtures: int = 1, first: int = 0, scale: str = "max", workers: int = 1, ahead: int = 2
    ) -> Iterator[Batch]:
        """Endless batches, made in background threads while the training loop works.

        Parameters
        ----------
        size : int
            Patterns per batch.
        mixtures, first, scale
            As in `draw`.
        workers : int
            Background threads; each makes a whole batch.
        ahead : int
            Batches that are ready or in the making besides the one in use.

        Yields
        ------
        Batch
            The same sequence for any number of workers.
        """
        size, mixtures = check_count(size, "size"), self._mixtures(mixtures)
        mode, first = check_scale(scale), check_count(first, "first", 0)
        workers, ahead = check_count(workers, "workers"), check_count(ahead, "ahead")

        def make(start: int) -> Batch:
            tables = self.draw_tables(size, mixtures=mixtures, first=start)
            return Batch(self._render(tables, mode, 1), self.labels_of(tables), tables)

        return stream(make, size, first, workers, ahead)

    def draw_tables(self, n: int, *, mixtures: int = 1, first: int = 0) -> Tables:
        """The numbers of n patterns, before they are rendered."""
        from peakwise.simulate._draw import draw_tables, limits_of

        n, mixtures = check_count(n, "n"), self._mixtures(mixtures)
        if n * self.axis.size > LARGEST:  # before gigabytes of drawn numbers, not after
            raise too_many(n, self.axis.size)
        tables = self.blank(n, n_slots=mixtures, first=check_count(first, "first", 0))
        light = self.radiation.wavelength
        start, stop = float(self.two_theta[0]), float(self.two_theta[-1])
        limits = limits_of(self.ranges, light, start, stop, self.axis.size, len(self._bank))
        own = tables.frames.copy()
        draw_tables(limits, self._compiled.symmetry, self._compiled.n_axes, self.seed, tables.slots, tables.frames)
        # What the instrument is known for stays, and the drawn errors come on top.
        is_tube = self.instrument.geometry == "transmission"
        tables.frames[:, FRAME["transparency" if is_tube else "displacement_along"]] = 0.0  # of the other geometry
        for name in ("zero", "displacement", "displacement_along", "transparency"):
            tables.frames[:, FRAME[name]] += own[:, FRAME[name]]
        absorption = FRAME["absorption"]
        tables.frames[:, absorption] = np.where(
            tables.frames[:, absorption] > 0, tables.frames[:, absorption], own[:, absorption]
        )
        return tables

    def draw_and_render(
        self,
        n: int,
        *,
        mixtures: int = 1,
        first: int = 0,
        scale: str = "max",
        out: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """Intensities alone (n, m), without names and metadata: what costs least.

        With `out`, a float32 array of that shape, no memory is asked for.
        """
        return self._render(self.draw_tables(n, mixtures=mixtures, first=first), check_scale(scale), self.threads, out)

    def render(self, tables: Tables, *, scale: str = "absolute", device: str = "numba") -> NDArray[np.float32]:
        """Render tables to intensities (n, m).

        Parameters
        ----------
        tables : Tables
            From `draw_tables`, or from `blank` and filled by hand (see ``SLOT`` and ``FRAME`` for the columns).
        scale : {"absolute", "max", "counts"}
        device : str
            ``numba``, or a torch device such as ``cpu`` or ``cuda`` (needs torch).
        """
        mode = check_scale(scale)
        check_tables(tables, len(self.phases), self._compiled.axis_offsets.shape[0], len(self._bank))
        if device == "numba":
            return self._render(tables, mode, self.threads)
        from peakwise.simulate._torch import render_torch

        return render_torch(
            self._compiled, self._grid, self._optics, tables, self._bank, self.seed, mode, self.noise, device
        )

    def _render(
        self, tables: Tables, mode: int, threads: int, out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        prepared = Prepared(self._compiled, self._grid, self._optics, self._bank, self.seed, self.noise == "gaussian")
        return render_rows(prepared, tables, mode, threads, out)

    def labels_of(self, tables: Tables) -> NDArray[np.float32]:
        """Weight fraction of every phase, (n, n_phases)."""
        return labels_of(tables, len(self.phases))

    def meta_of(self, tables: Tables) -> dict[str, Any]:
        """The drawn numbers as metadata columns; what nowhere acts is left out."""
        return meta_of(tables, self.ids)

    def _mixtures(self, mixtures: int) -> int:
        mixtures = check_count(mixtures, "mixtures")
        if mixtures > len(self.phases):
            why = f"mixtures of {mixtures} phases need as many, got {len(self.phases)}"
            raise OptionError("cannot mix", why, "Give more phases or a smaller mixtures")
        return mixtures

    def __repr__(self) -> str:
        return (
            f"Simulator: {len(self.phases)} phase{'s' * (len(self.phases) != 1)}, {self.kind} {self.axis[0]:g} to "
            f"{self.axis[-1]:g} in {self.axis.size} points, wavelength {self.radiation.wavelength:.6g} angstrom"
        )
