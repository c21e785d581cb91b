"""Patterns in, answers out: a model that watches a stream."""

from __future__ import annotations

import math
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, final

import numpy as np

from peakwise.errors import OptionError, PeakwiseError, one_line
from peakwise.live._asking import Asker
from peakwise.live._feed import Feed
from peakwise.live._guard import Guard
from peakwise.live._places import Places
from peakwise.live._source import Note, Source
from peakwise.patterns import concatenate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike

    from peakwise.live._sinks import Sink
    from peakwise.patterns import Patterns

__all__ = ["Monitor"]

_KEPT = 100_000  # latencies behind the percentiles
_REMEMBERED = 1000  # scans without an answer, and warnings that are told once
_AT_ONCE = 64  # most patterns that are asked together when they queue
_BUSY = 0.01  # [s] that patterns asked together may take: the first of them waits for the last


@final
class Monitor:
    """Let a model answer a stream of patterns, and keep account of how fast.

    Parameters
    ----------
    model : object
        A fitted estimator, or anything that has `judge`, `identify`, `update`, `predict_proba` or `predict`.
    capacity : int
        Most patterns in the queue.
    warn : callable, optional
        Called with each warning; the stream goes on.
    drift : float or None
        Of a model of novelty, the known scans are watched too: the chance that a run of scans like them is ever said to
        have drifted away. From then on answers carry ``drift``, the scan at which it began.

    Examples
    --------
    >>> import peakwise as pw
    >>> class Sum:
    ...     def predict(self, patterns):
    ...         return patterns.intensity.sum(axis=1)
    >>> monitor = Monitor(Sum())
    >>> answer, = monitor.ingest(pw.Patterns([1, 2, 3], [1, 2, 3], "q", names=["a.xy"]))
    >>> answer["scan"], answer["answer"]
    ('a.xy', 6.0)
    >>> monitor.report()["answered"]
    1
    """

    def __init__(
        self,
        model: Any,
        *,
        capacity: int = 1000,
        warn: Callable[[str], None] | None = None,
        drift: float | None = 0.01,
    ) -> None:
        if isinstance(capacity, bool) or not isinstance(capacity, int) or capacity < 1:
            raise OptionError("cannot watch", f"capacity must be a whole number above 0, got {capacity!r}", "Give 1000")
        self.model, self.capacity, self.warn, self.drift = model, capacity, warn, drift
        self._asker = Asker(model)
        self._guard = None if drift is None or self._asker.task != "novelty" else Guard(model, drift)
        self._places = Places()
        self._latencies: deque[float] = deque(maxlen=_KEPT)
        self._answered = self._failed = 0
        self._cost = math.inf  # [s] a pattern, smoothed
        self._told: set[str] = set()
        self.refused: dict[str, str] = {}  # the last scans without an answer, and why
        self._axis: tuple[Any, ...] | None = None
        self._changes: set[tuple[Any, ...]] = set()  # of the axis, each told once
        self._heard = 0.0  # when a pattern came last
        self._gaps: deque[float] = deque(maxlen=99)  # [s] between patterns
        self._is_idle = False
        self._first: float | None = None
        self._last = 0.0
        self._feed: Feed | None = None

    def ingest(self, patterns: Patterns) -> list[dict[str, Any]]:
        """Answer patterns: one row each, with an answer or with `failed`, why there is none."""
        started = time.time()
        self._first = self._first if self._first is not None else time.perf_counter()
        self._look(patterns)
        begin = time.perf_counter()
        found = self._ask(patterns)
        cost = (time.perf_counter() - begin) / max(1, len(patterns))
        self._cost = cost if math.isinf(self._cost) else 0.8 * self._cost + 0.2 * cost
        rows = []
        arrived = patterns.meta.get("arrived")
        revisions = patterns.meta.get("revision")
        now = time.time()
        for i, fields in enumerate(found):
            came = float(arrived[i]) if arrived is not None and np.isfinite(arrived[i]) else started
            latency = max(0.0, now - came)
            row = {"scan": str(patterns.names[i]), "time": _clock(now), "latency_ms": round(1e3 * latency, 3)}
            if isinstance(fields, Note):
                self._refuse(str(patterns.names[i]), fields.text)
                rows.append(row | {"failed": fields.text})
                continue
            self._answered += 1
            self._latencies.append(latency)
            if revisions is not None and np.isfinite(revisions[i]) and revisions[i] > 1:
                row["revision"] = int(revisions[i])
            own = {key: value for key, value in fields.items() if key not in row}
            rows.append(row | {"task": self._asker.task} | own | self._drifted(row, fields))
        self._places.take(patterns, [None if isinstance(fields, Note) else fields for fields in found])
        self._last = time.perf_counter()
        return rows

    def run(
        self,
        source: Iterable[Patterns],
        sink: Sink | None = None,
        *,
        seconds: float | None = None,
        idle: float = 60.0,
    ) -> dict[str, Any]:
        """Answer a stream until it ends, and return the report.

        Parameters
        ----------
        source : iterable of Patterns
            One of `SOURCES`, or anything that yields patterns.
        sink : Sink, optional
            Where the answers go.
        seconds : float, optional
            Stop after this time [s].
        idle : float
            A stream that stops is told after this time [s], or after ten times the usual one between patterns where
            that is longer; it is awaited.
        """
        if not idle > 0:
            raise OptionError("cannot watch", f"idle must be a time above 0 [s], got {idle!r}", "Give e.g. 60")
        end = math.inf if seconds is None else time.monotonic() + seconds
        self._heard, self._is_idle = time.monotonic(), False
        try:
            self._resume(source, sink)
            self._feed = feed = Feed(source, self.capacity)
        except BaseException:
            self._let_go(source, sink)
            raise
        try:
            while time.monotonic() < end:
                limit = 0 if sink is not None and sink.is_full else self._at_once(feed.n_waiting)
                batch = feed.take(limit)
                self._listen(bool(batch) or feed.n_waiting > 0, idle)
                rows = self._noted(feed)
                for part in _same_grids(batch):
                    rows += self.ingest(part)
                if rows and sink is not None:
                    sink.write(rows)
                if sink is not None:
                    self._pass_on(sink)
                if not batch and (feed.has_ended or (limit == 0 and feed.is_stopped)):
                    break
            feed.check()
        finally:
            feed.close()
            try:
                rows = self._noted(feed)
                if rows and sink is not None:
                    sink.write(rows)
            finally:
                self._let_go(source, sink)
        return self.report()

    def report(self) -> dict[str, Any]:
        """How many were answered, how fast (ms from arrival to answer), and what was not."""
        times = 1e3 * np.array(self._latencies)
        p50, p99, worst = np.percentile(times, (50, 99, 100)) if times.size else (np.nan,) * 3
        ran = 0.0 if self._first is None else self._last - self._first
        n = self._answered + self._failed
        return {
            "answered": self._answered,
            "failed": self._failed,
            "dropped": 0 if self._feed is None else self._feed.n_dropped,
            "queue": 0 if self._feed is None else self._feed.n_waiting,
            "queue_most": 0 if self._feed is None else self._feed.most,
            "latency_ms": {"p50": _rounded(p50), "p99": _rounded(p99), "most": _rounded(worst)},
            "rate": round((n - 1) / ran, 3) if n > 1 and ran > 0 else None,
            "drift": None if self._guard is None else self._guard.report(),
        }

    def suggest(
        self,
        n: int = 1,
        grid: ArrayLike | None = None,
        *,
        where: Sequence[str] | None = None,
        strategy: str = "exploration",
    ) -> list[dict[str, Any]]:
        """Rank where to measure next, by the answers so far and the places in their metadata.

        Parameters
        ----------
        n : int
        grid : array-like of shape (g, d), optional
            Places that can be measured; by default 21 steps along each axis over the range measured so far.
        where : sequence of str, optional
            Metadata that say where a scan was measured, by default ``x`` and ``y``: positions, motors, fractions.
        strategy : {"novelty", "uncertainty", "exploration"}
            As in `peakwise.wafers.suggest`. The score of a place is that of novelty, else the part that is none of the
            known phases, else how unsure the answer is.

        Returns
        -------
        list of dict
            ``where`` (a number for each name), ``value``, ``mean``, ``std`` and ``why``, the most wanted first.
        """
        return self._places.suggest(n, grid, where, strategy)

    def _drifted(self, row: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
        """What the guard has to say with an answer; what changed and came again is no new evidence."""
        guard = self._guard
        if guard is None:
            return {}
        if "revision" not in row and guard.take(row["scan"], fields):
            self._warn(guard.words())
        return {} if guard.since is None else {"drift": guard.since}

    def _at_once(self, n_waiting: int) -> int:
        """How many patterns to ask together: as many as take little time; where they queue, more, which costs less."""
        if math.isinf(self._cost):
            return 1
        usual = int(np.clip(_BUSY / max(self._cost, 1e-9), 1, _AT_ONCE))
        return usual if n_waiting <= 2 * usual else min(n_waiting, _AT_ONCE)

    def _resume(self, source: Iterable[Patterns], sink: Sink | None) -> None:
        confirm, resume = getattr(source, "confirm", None), getattr(source, "resume", None)
        if sink is not None and confirm is not None:
            sink.confirms(confirm)
        n = resume(sink.scans if sink is not None else ()) if resume is not None else 0
        if n:
            self._tell(f"{n} scans were answered before and are left out")

    def _let_go(self, source: Iterable[Patterns], sink: Sink | None) -> None:
        try:
            if sink is not None:
                try:
                    sink.close()
                finally:
                    self._pass_on(sink)
        finally:
            if isinstance(source, Source):
                source.close()

    def _pass_on(self, sink: Sink) -> None:
        while sink.notes:
            self._warn(sink.notes.popleft())

    def _listen(self, has_come: bool, idle: float) -> None:
        """Tell of a stream that stops, once, and when it goes on."""
        now = time.monotonic()
        gap = now - self._heard
        if has_come:
            if self._is_idle:
                self._warn(f"the stream goes on after {gap:.3g} s")
            else:
                self._gaps.append(gap)
            self._heard, self._is_idle = now, False
        elif not self._is_idle and gap >= max(idle, 10 * float(np.median(self._gaps or 0.0))):
            self._is_idle = True
            self._warn(f"no scan has come for {gap:.3g} s: waiting")

    def _ask(self, patterns: Patterns) -> list[Any]:
        """Fields or a note for each pattern; where asking together fails, each is asked by itself."""
        try:
            return list(self._asker.ask(patterns))
        except Exception as problem:  # noqa: BLE001 - whatever a model does, the stream goes on
            if len(patterns) > 1:
                return [found for one in patterns for found in self._ask(one)]
            if isinstance(problem, PeakwiseError):
                why = problem.reason
            else:
                why = one_line(f"{type(problem).__name__}: {problem}", 300)
            self._warn(f"{patterns.names[0]} has no answer: {why}")
            return [Note(why, str(patterns.names[0]))]

    def _look(self, patterns: Patterns) -> None:
        """Tell where the axis changes, and what was assumed about patterns, each once."""
        axis = (
            patterns.kind,
            patterns.n_points,
            float(patterns.axis[0]),
            float(patterns.axis[-1]),
            patterns.wavelength,
        )
        before, self._axis = self._axis, axis
        if before is not None and axis != before and (before, axis) not in self._changes:
            if len(self._changes) < _REMEMBERED:
                self._changes.add((before, axis))
            (old_kind, old_n, *old), (kind, n, *new) = before, axis
            light = "" if new[2] == old[2] else f"; the wavelength was {old[2]} and is {new[2]} angstrom"
            self._warn(
                f"the axis changes at {patterns.names[0]}: {n} points of {kind} from {new[0]:g} to {new[1]:g}, before "
                f"{old_n} of {old_kind} from {old[0]:g} to {old[1]:g}{light}"
            )
        for text in patterns.warnings:
            self._tell(text)

    def _noted(self, feed: Feed) -> list[dict[str, Any]]:
        """What the source has to say: rows for scans that it could not read, and warnings."""
        rows = []
        for note in feed.notes():
            if note.scan is None:
                self._warn(note.text)
                continue
            self._warn(f"{note.scan} could not be read: {note.text}")
            self._refuse(note.scan, note.text)
            rows.append({"scan": note.scan, "time": _clock(time.time()), "latency_ms": None, "failed": note.text})
        return rows

    def _refuse(self, scan: str, why: str) -> None:
        self._failed += 1
        self.refused[scan] = why
        if len(self.refused) > _REMEMBERED:
            del self.refused[next(iter(self.refused))]

    def _tell(self, text: str) -> None:
        if text not in self._told:
            if len(self._told) < _REMEMBERED:
                self._told.add(text)
            self._warn(text)

    def _warn(self, text: str) -> None:
        if self.warn is not None:
            self.warn(text)


def _same_grids(batch: Sequence[Patterns]) -> list[Patterns]:
    """Patterns in their order, joined where neighbours lie on one grid."""
    parts: list[list[Patterns]] = []
    for one in batch:
        last = parts[-1][-1] if parts else None
        if last is not None and last.wavelength == one.wavelength and last.unit == one.unit and last.same_grid(one):
            parts[-1].append(one)
        else:
            parts.append([one])
    return [part[0] if len(part) == 1 else concatenate(part) for part in parts]


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _rounded(value: float) -> float | None:
    return round(float(value), 3) if math.isfinite(value) else None
