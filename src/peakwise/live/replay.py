"""A set of patterns, played again at a given rate, as if it were measured now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, final

from peakwise.errors import OptionError
from peakwise.live._source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from peakwise.patterns import Patterns

__all__ = ["ReplaySource"]


@final
class ReplaySource(Source):
    """Patterns of a set, one after the other, at a steady rate.

    A pattern arrives when it is due, whether somebody is ready for it or not: a model that is too slow is seen to be.

    Parameters
    ----------
    patterns : Patterns, or iterable of Patterns
    rate : float
        Patterns per second [Hz].
    name : str, optional
        What the set is called: scans are named ``name#pattern``, or without it as the patterns are.

    Examples
    --------
    >>> import peakwise as pw
    >>> scans = pw.Patterns([1, 2, 3], [[1, 2, 3], [4, 5, 6]], "q")
    >>> [str(p.names[0]) for p in ReplaySource(scans, rate=1000, name="demo")]
    ['demo#0', 'demo#1']
    """

    waits: ClassVar[bool] = False

    def __init__(
        self, patterns: Patterns | Iterable[Patterns], *, rate: float = 10.0, name: str | None = "replay"
    ) -> None:
        super().__init__()
        if not 0 < rate <= 1e6:
            raise OptionError("cannot replay", f"rate must be above 0 and at most 1e6 Hz, got {rate!r}", "Give 10")
        self.patterns, self.rate, self.name = patterns, rate, name
        self._answered: set[str] = set()

    def resume(self, scans: Iterable[str]) -> int:
        """Leave out scans that were answered before."""
        self._answered = set(scans)
        return len(self._answered)

    def __iter__(self) -> Iterator[Patterns]:
        """Yield each pattern when it is due."""
        start, today, n = time.perf_counter(), time.time(), 0
        taken: set[str] = set()
        for number, pattern in enumerate(one for part in self.patterns for one in part):
            scan = str(pattern.names[0]) if self.name is None else f"{self.name}#{pattern.names[0]}"
            scan = f"{scan}#{number}" if scan in taken else scan
            taken.add(scan)
            if scan in self._answered:
                continue
            made = pattern.replace(names=[scan], meta={**pattern.meta, "arrived": today + n / self.rate})
            if self._halt.wait(max(0.0, start + n / self.rate - time.perf_counter())):
                return
            n += 1
            yield made
