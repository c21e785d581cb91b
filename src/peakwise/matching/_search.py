"""From a scan to the phases in it: a look at all, coarse fits of many, fine fits of few, alone and together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from peakwise.errors import OptionError
from peakwise.matching._fit import Fit, FitSettings, Ground, fit_phases, phase_curve
from peakwise.matching._judge import Rules, complexity, judge
from peakwise.matching._lines import FitLines, fit_lines, no_lines
from peakwise.matching._retrieve import Look, Retriever
from peakwise.matching._texture import Promise, promised_axes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from peakwise.crystal import Phase
    from peakwise.matching._scan import PreparedScan
    from peakwise.matching._table import LineTable
    from peakwise.patterns import Radiation

    _Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]  # `map`, or that of a pool of threads

__all__ = ["EFFORTS", "Answer", "Effort", "Hypothesis", "Searcher"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is looked at.

    Parameters
    ----------
    looked : int
        Phases of the whole library that get a coarse fit.
    fitted : int
        Of these, how many get a fine fit.
    added : int
        Phases that are tried beside those already found.
    beam : int
        Sets of phases that are followed at once.
    """

    looked: int
    fitted: int
    added: int
    beam: int


EFFORTS = {
    "quick": Effort(looked=12, fitted=4, added=8, beam=1),
    "normal": Effort(looked=40, fitted=10, added=24, beam=3),
    "thorough": Effort(looked=150, fitted=30, added=60, beam=6),
}

_COARSE = FitSettings(n_background=4, reach=6.0, n_steps=6, tolerance=3e-3)
# What need not be looked at closely: phases much less alike than the best, fits much worse than the best.
_UNLIKE = 0.55  # share of the best cosine ...
_AT_LEAST = 8  # ... of all but so many
_HOPELESS = 40.0  # difference of the criterion ...
_SURE = 3  # ... of all but so many
_PROMISED = 4.0  # by how much the criterion must promise to fall before another axis of texture is tried: it keeps more
_FAINT = 0.01  # share of its intensity that a phase may lack in a coarse fit
_KEPT = 4000  # compiled phases that are kept for the next scan
_Key = tuple[int, float, float, float]
_MARGIN = 1.5  # [deg] beyond the range of which lines are taken


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """Phases (numbers in the library) that may be in a scan, with their fit and what it is worth (less is better)."""

    members: tuple[int, ...]
    fit: Fit
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a search found.

    Attributes
    ----------
    alone : list of Hypothesis
        Single phases, the best first: fine fits, then coarse ones.
    sets : list of Hypothesis
        The best set of each number of phases and its runners-up, the best first.
    look : Look
    n_fine : int
        How many of `alone` have a fine fit.
    scan : PreparedScan
        The scan with the radiation that was used.
    """

    alone: list[Hypothesis]
    sets: list[Hypothesis]
    look: Look
    n_fine: int
    scan: PreparedScan


class _Start(NamedTuple):
    """Where a fit begins: the phases, the zero shift, and of each the strains and the axis of texture."""

    members: tuple[int, ...]
    zero: float
    strains: tuple[float | NDArray[np.float64], ...]
    axes: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A scan as it is fitted, as it is or with widened peaks, and what runs the fits."""

    scan: PreparedScan
    settings: FitSettings
    ground: Ground
    each: _Each

    @classmethod
    def of(cls, scan: PreparedScan, settings: FitSettings, each: _Each) -> _View:
        return cls(scan, settings, Ground.of(scan, settings), each)

    def lit_by(self, radiation: Radiation) -> _View:
        """The same scan with other lines of the same wavelength."""
        return replace(self, scan=replace(self.scan, radiation=radiation))

    def fit(self, lines: Sequence[FitLines], start: _Start) -> Fit:
        return fit_phases(
            self.scan, lines, settings=self.settings, zero=start.zero, strains=start.strains, axes=start.axes,
            ground=self.ground,
        )  # fmt: skip


class Searcher:
    """Searches a library of phases for those in a scan."""

    def __init__(
        self, phases: Sequence[Phase], table: LineTable, *, threads: int = 1, rules: Rules | None = None
    ) -> None:
        self.phases, self.table = list(phases), table
        self.rules = rules or Rules()
        self.retriever = Retriever(table, threads)
        self._complexities = [complexity(p) for p in self.phases]
        self._lines: dict[_Key, FitLines] = {}
        self._strong: dict[_Key, FitLines] = {}

    def search(
        self,
        scan: PreparedScan,
        effort: Effort,
        *,
        max_phases: int = 1,
        allowed: NDArray[np.bool_] | None = None,
        proposed: Iterable[int] = (),
        threads: int = 1,
    ) -> Answer:
        """Find the phases of one scan.

        Parameters
        ----------
        scan : PreparedScan
        effort : Effort
        max_phases : int
        allowed : array of bool, optional
            Which phases may be answered.
        proposed : iterable of int
            Phases to be fitted whatever they look like: what a network says.
        threads : int
            Fits that run side by side; they do not change the answer.
        """
        with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
            each: _Each = map if pool is None else pool.map
            return self._search(scan, effort, max_phases, allowed, proposed, each)

    def _search(
        self,
        scan: PreparedScan,
        effort: Effort,
        max_phases: int,
        allowed: NDArray[np.bool_] | None,
        proposed: Iterable[int],
        each: _Each,
    ) -> Answer:
        look = self.retriever.look(scan)
        order = _allowed(look, allowed, effort.looked)
        least = _UNLIKE * float(look.cosine[order[0]]) if order else 0.0
        order = [i for n, i in enumerate(order) if n < _AT_LEAST or look.cosine[i] >= least]
        order = list(dict.fromkeys([*order, *(i for i in proposed if allowed is None or allowed[i])]))
        far, near = _View.of(scan.coarse(), _COARSE, each), _View.of(scan, FitSettings(), each)
        coarse = self._fit_each(far, [_Start((i,), float(look.zero[i]), (float(look.strain[i]),), (0,)) for i in order])
        chosen = _promising(coarse, effort.fitted)
        if scan.doublet is None or not chosen:
            fine = self._refine(near, chosen)
        else:
            far, near, first = self._lines_seen(far, near, chosen[0], scan.doublet)
            fine = sorted([first, *self._refine(near, chosen[1:])], key=_value)
        fine = self._with_axes(near, fine, effort.beam)
        alone = fine + [h for h in coarse if h.members not in {f.members for f in fine}]
        sets = list(fine)
        level = fine[: effort.beam]
        for _ in range(1, max_phases):
            level = self._widen(near, far, level, order, effort, allowed)
            if not level:
                break
            better = level[0].value < sets[0].value
            sets = sorted([*sets, *level], key=_value)
            if not better:
                break
        return Answer(alone, sets, look, len(fine), near.scan)

    def _lines_seen(
        self, far: _View, near: _View, one: Hypothesis, doublet: Radiation
    ) -> tuple[_View, _View, Hypothesis]:
        """The radiation that explains a scan better, the mean wavelength or both lines of the doublet, and the fit."""
        both = near.lit_by(doublet)
        single, double = near.each(lambda view: self._refined(view, one), (near, both))
        if double.fit.misfit < single.fit.misfit:
            return far.lit_by(doublet), both, double
        return far, near, single

    def _widen(
        self,
        near: _View,
        far: _View,
        level: list[Hypothesis],
        order: Sequence[int],
        effort: Effort,
        allowed: NDArray[np.bool_] | None,
    ) -> list[Hypothesis]:
        """Add one phase to each of the sets: what explains what they leave over."""
        starts: dict[tuple[int, ...], _Start] = {}
        scan = near.scan
        for one in level:
            left = scan.net - (one.fit.background - scan.background) - one.fit.calculated
            look = self.retriever.look(scan, np.maximum(left, 0.0))
            known = [one.fit.own(k)[4:] for k in range(len(one.members))]
            more = [*_allowed(look, allowed, effort.added), *order[: effort.added // 2]]
            for i in more:
                members = (*one.members, i)
                key = tuple(sorted(members))
                if i not in one.members and key not in starts:
                    zero = float(one.fit.parameters[0])
                    starts[key] = _Start(members, zero, (*known, float(look.strain[i])), (*one.fit.axes, 0))
        found = self._fit_each(far, starts.values())
        fine = self._refine(near, _promising(found, max(effort.fitted // 2, 2)))
        return self._with_axes(near, fine, effort.beam)[: effort.beam]

    def _fit_each(self, view: _View, starts: Iterable[_Start]) -> list[Hypothesis]:
        """Fit sets of phases from where looks found them; the best first."""

        def one(start: _Start) -> Hypothesis | None:
            lines = [self._strongest(i, view.scan) for i in start.members]
            if not all(phase.power.size for phase in lines):
                return None
            return self._judged(start.members, view.fit(lines, start))

        return sorted((h for h in view.each(one, starts) if h is not None), key=_value)

    def _refine(self, view: _View, found: Sequence[Hypothesis]) -> list[Hypothesis]:
        """Fit again on the scan as it is, from where coarse fits ended."""
        return sorted(view.each(lambda one: self._refined(view, one), found), key=_value)

    def _refined(self, view: _View, one: Hypothesis) -> Hypothesis:
        lines = [self.lines_of(i, view.scan) for i in one.members]
        strains = tuple(one.fit.own(k)[4:] for k in range(len(one.members)))
        start = _Start(one.members, float(one.fit.parameters[0]), strains, one.fit.axes)
        return self._judged(one.members, view.fit(lines, start))

    def _with_axes(self, view: _View, fine: list[Hypothesis], most: int) -> list[Hypothesis]:
        """The best of sorted fits with the axes of texture that suit them."""
        near = [h for h in fine[:most] if h.value - fine[0].value <= _HOPELESS]
        better = view.each(lambda one: self._textured(view, one), near)
        return sorted([*better, *fine[len(near) :]], key=_value)

    def _textured(self, view: _View, one: Hypothesis) -> Hypothesis:
        """The same phases along other axes of texture, where they promise a better fit and keep it."""
        lines = [self.lines_of(i, view.scan) for i in one.members]
        for _ in lines:
            promised = promised_axes(view.scan, lines, one.fit, view.settings, view.ground)
            least = max(_PROMISED * self.rules.temperature, 0.5 * promised[0].gain) if promised else 0.0
            tried = [self._turned(view, one, lines, p) for p in promised if p.gain >= least]
            if not tried or min(tried, key=_value).value >= one.value:
                break
            one = min(tried, key=_value)
        return one

    def _turned(self, view: _View, one: Hypothesis, lines: list[FitLines], to: Promise) -> Hypothesis:
        """The same phases, one of them with another axis of texture."""
        axes = (*one.fit.axes[: to.member], to.axis, *one.fit.axes[to.member + 1 :])
        start = one.fit.parameters.copy()
        start[one.fit.starts[to.member] + 3] = 0.0  # ln r
        fit = fit_phases(view.scan, lines, settings=view.settings, axes=axes, start=start, ground=view.ground)
        return self._judged(one.members, fit)

    def _judged(self, members: tuple[int, ...], fit: Fit) -> Hypothesis:
        return Hypothesis(members, fit, judge(fit, [self._complexities[i] for i in members], self.rules))

    def parts(self, scan: PreparedScan, one: Hypothesis) -> list[NDArray[np.float64]]:
        """What each phase of a hypothesis contributes."""
        return [phase_curve(scan, self.lines_of(i, scan), one.fit, k, FitSettings()) for k, i in enumerate(one.members)]

    def _strongest(self, i: int, scan: PreparedScan) -> FitLines:
        """Lines of phase i that a coarse fit needs."""
        return self._kept(self._strong, self._key(i, scan), lambda: self.lines_of(i, scan).strongest(_FAINT))

    def lines_of(self, i: int, scan: PreparedScan) -> FitLines:
        """Lines of phase i over the range of a scan."""
        key = self._key(i, scan)
        return self._kept(self._lines, key, lambda: self._listed(i, scan.radiation, key[1], key[2]))

    def _listed(self, i: int, light: Radiation, low: float, high: float) -> FitLines:
        try:
            return fit_lines(self.phases[i], light, low - _MARGIN, high + _MARGIN)
        except OptionError:  # more lines than are listed: `LineTable.failed` says so, and nothing is fitted
            return no_lines(self.phases[i])
        finally:
            self.phases[i].forget()

    def _kept(self, kept: dict[_Key, FitLines], key: _Key, make: Callable[[], FitLines]) -> FitLines:
        """What was made before, or made now; other threads look here too."""
        lines = kept.get(key)
        if lines is None:
            lines = make()
            if len(kept) >= _KEPT:
                for old in list(kept)[: _KEPT // 4]:
                    kept.pop(old, None)
            kept[key] = lines
        return lines

    @staticmethod
    def _key(i: int, scan: PreparedScan) -> _Key:
        """What the lines of a phase depend on; which lines of the radiation are drawn is the fit's affair."""
        return i, round(float(scan.x[0])), round(float(scan.x[-1])), scan.radiation.wavelength


def _value(one: Hypothesis) -> float:
    return one.value


def _promising(found: Sequence[Hypothesis], most: int) -> list[Hypothesis]:
    """Those of sorted coarse fits that a fine fit could still bring to the front."""
    return [h for n, h in enumerate(found[:most]) if n < _SURE or h.value - found[0].value <= _HOPELESS]


def _allowed(look: Look, allowed: NDArray[np.bool_] | None, n: int) -> list[int]:
    """The `n` most alike of those that may be answered."""
    if allowed is None:
        return [int(i) for i in look.best(n)]
    rows = np.nonzero(allowed)[0]
    order = rows[np.argsort(-look.cosine[rows], kind="stable")]
    return [int(i) for i in order[:n]]
