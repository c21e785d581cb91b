"""What an identifier knows of crystal structures, and its answers about scans: the half of it that is physics."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.crystal import Phase, PhaseLibrary
from peakwise.errors import OptionError, PeakwiseError
from peakwise.estimators._answering import answer_scan, refuse_range
from peakwise.matching import LineTable, Searcher, prepare
from peakwise.patterns import check_patterns

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from peakwise.estimators._identification import Identification
    from peakwise.estimators._proposer import Proposer
    from peakwise.matching import Effort, PreparedScan
    from peakwise.patterns import Patterns

__all__ = ["Asked", "Structures", "as_phases", "ready", "singles"]

_STEP = 1.02  # line tables end at powers of this in d, so that scans of nearly one range share one
_SYMBOL = re.compile("[A-Z][a-z]?")  # of an element


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked about scans: the options of `PhaseIdentifier.identify` and of its constructor."""

    max_phases: int
    effort: Effort
    top: int
    curves: bool
    false_alarm: float
    elements: Sequence[str] | None
    without: Sequence[str] | None
    threads: int


class Structures:
    """Phases, and the searchers for scans of the ranges that were met so far."""

    def __init__(self, phases: Sequence[Phase]) -> None:
        if not phases:
            why = "there is no phase to identify"
            raise OptionError("cannot fit PhaseIdentifier", why, "Give a folder with CIFs that can be used")
        self.phases = tuple(phases)
        self.ids = np.array([p.id for p in phases])
        if len(set(self.ids)) != len(phases):
            why = "two phases have the same id"
            raise OptionError("cannot fit PhaseIdentifier", why, "Use a PhaseLibrary, which tells them apart")
        self._searchers: dict[tuple[float, str, float], Searcher] = {}

    def answers(
        self,
        scans: list[Patterns],
        asked: Asked,
        proposer: Proposer | None,
        progress: Callable[[int, int], None] | None,
        on_error: Callable[[int, PeakwiseError], None] | None,
    ) -> list[Identification]:
        """One answer a scan, in order."""
        allowed = self._allowed(asked.elements, asked.without)
        with ThreadPoolExecutor(asked.threads) as pool:
            each = pool.map if len(scans) > 1 else map
            tried = list(each(_tried if on_error else ready, scans))
        if on_error is not None:
            for number, problem in enumerate(tried):
                if isinstance(problem, PeakwiseError):
                    on_error(number, problem)
            scans = [s for s, p in zip(scans, tried, strict=True) if not isinstance(p, PeakwiseError)]
        prepared = [p for p in tried if not isinstance(p, PeakwiseError)]
        searchers = [self._searcher(p, asked.threads) for p in prepared]
        untaught = self._untaught(proposer)
        done = [0]

        def one(i: int, threads: int = 1) -> Identification:
            proposed = proposer.propose(prepared[i]) if proposer is not None else []
            found = answer_scan(
                scans[i], prepared[i], searchers[i], asked.effort, self.phases, max_phases=asked.max_phases,
                allowed=allowed, proposed=proposed, top=asked.top, false_alarm=asked.false_alarm, curves=asked.curves,
                threads=threads,
            )  # fmt: skip
            done[0] += 1
            if progress is not None:
                progress(done[0], len(scans))
            return replace(found, warnings=(*found.warnings, *untaught))

        if not scans:
            return []
        first = [one(0, asked.threads)]  # the fits of one scan side by side, then scans side by side
        if len(scans) == 1:
            return first
        with ThreadPoolExecutor(asked.threads) as pool:
            return first + list(pool.map(one, range(1, len(scans))))

    def _untaught(self, proposer: Proposer | None) -> list[str]:
        """What to say where phases were added after the network was trained."""
        new = sorted(set(self.ids.tolist()) - set(proposer.ids)) if proposer is not None else []
        if not new:
            return []
        names = ", ".join(new[:3]) + " ..." * (len(new) > 3)
        return [f"the network was trained without {names}: only the comparison and the fits propose them"]

    def _allowed(self, elements: Sequence[str] | None, without: Sequence[str] | None) -> NDArray[np.bool_] | None:
        """Which phases may be answered, None for all."""
        if not elements and not without:
            return None
        for option, given in (("elements", elements or ()), ("without", without or ())):
            unknown = [given] if isinstance(given, str) else [e for e in given if not _SYMBOL.fullmatch(str(e))]
            if unknown:
                why = f"{option} must be a sequence of symbols of elements, got {unknown[0]!r:.40}"
                raise OptionError("cannot identify phases", why, "Give e.g. ['Ti', 'O']")
        only, never = frozenset(elements or ()), frozenset(without or ())
        keep = np.array([(not only or p.elements <= only) and not p.elements & never for p in self.phases])
        if not keep.any():
            why = f"no phase of {len(self.phases)} consists of {', '.join(sorted(only)) or 'other elements'}"
            raise OptionError("cannot identify phases", why, "Name more elements")
        return keep

    def _searcher(self, scan: PreparedScan, threads: int) -> Searcher:
        """The searcher whose lines reach over the range of a scan."""
        light = scan.radiation
        furthest = np.sin(np.radians(min(scan.x[-1] + 1.0, 178.0) / 2)) * 2 / light.wavelength
        rung = int(np.ceil(np.log(furthest) / np.log(_STEP)))
        key = (light.wavelength, light.probe, rung)
        if key not in self._searchers:
            table = LineTable.build(self.phases, light, float(_STEP**-rung), threads=threads)
            self._searchers[key] = Searcher(self.phases, table, threads=threads)
        return self._searchers[key]


def ready(scan: Patterns) -> PreparedScan:
    """The scan made ready; refused where nothing can be told from it."""
    prepared = prepare(scan)
    refuse_range(prepared)
    return prepared


def _tried(scan: Patterns) -> PreparedScan | PeakwiseError:
    """The scan made ready, or why it cannot be."""
    try:
        return ready(scan)
    except PeakwiseError as problem:
        return problem


def singles(X: Patterns | Sequence[Patterns]) -> list[Patterns]:
    """Every pattern by itself."""
    return [
        one for part in ([X] if not isinstance(X, (list, tuple)) else X) for one in check_patterns(part, allow_nan=True)
    ]


def as_phases(X: Any) -> list[Phase] | None:
    """Structures as a list, or None where X is something else."""
    if isinstance(X, (str, Path)):
        return list(PhaseLibrary.from_folder(X))
    if isinstance(X, PhaseLibrary):
        return list(X)
    if isinstance(X, Phase):
        return [X]
    if isinstance(X, (list, tuple)) and X and all(isinstance(p, Phase) for p in X):
        return list(X)
    if isinstance(X, (list, tuple)) and any(isinstance(p, Phase) for p in X):
        why = "some of what was given are phases and some are not"
        raise OptionError("cannot fit PhaseIdentifier", why, "Give phases alone, or patterns alone")
    return None
