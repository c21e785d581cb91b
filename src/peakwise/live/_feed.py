"""A source read in a thread of its own, so that it is heard while the model thinks."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from peakwise.live._source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from peakwise.live._source import Note
    from peakwise.patterns import Patterns

__all__ = ["Feed"]

_TICK = 0.05  # [s] after which a waiting thread looks whether it should end


class Feed:
    """A queue between a source and a model.

    Parameters
    ----------
    source : iterable of Patterns
        From one that waits, the next pattern is taken when there is room; from others, what finds none is dropped.
    capacity : int
    """

    def __init__(self, source: Iterable[Patterns], capacity: int) -> None:
        self._source = source
        self._ours = source if isinstance(source, Source) else None
        self._queue: queue.Queue[Patterns] = queue.Queue(capacity)
        self._halt = threading.Event()
        self._problem: BaseException | None = None
        self.n_dropped = self.most = 0
        self._thread = threading.Thread(target=self._read, name="peakwise-source", daemon=True)
        self._thread.start()

    @property
    def n_waiting(self) -> int:
        """How many patterns wait for the model."""
        return self._queue.qsize() + (self._ours.n_waiting if self._ours is not None else 0)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return not self._thread.is_alive() and self._queue.empty()

    @property
    def is_stopped(self) -> bool:
        """Whether somebody asked the source to end."""
        return self._ours is not None and self._ours.is_stopped

    def take(self, limit: int) -> list[Patterns]:
        """At most `limit` patterns that wait; empty where none came for a moment."""
        taken: list[Patterns] = []
        if limit < 1:
            self._halt.wait(_TICK)
            return taken
        with suppress(queue.Empty):
            taken.append(self._queue.get(timeout=_TICK))
            while len(taken) < limit:
                taken.append(self._queue.get_nowait())
        return taken

    def notes(self) -> list[Note]:
        """What the source has to tell since the last call."""
        told: list[Note] = []
        while self._ours is not None and self._ours.notes:
            told.append(self._ours.notes.popleft())
        return told

    def check(self) -> None:
        """Raise what ended the source, if it was an error."""
        if self._problem is not None:
            raise self._problem

    def close(self) -> None:
        """End the thread."""
        self._halt.set()
        if self._ours is not None:
            self._ours.stop()
        self._thread.join(timeout=10)

    def _read(self) -> None:
        waits = self._ours is None or self._ours.waits
        try:
            for pattern in self._source:
                for one in [pattern] if len(pattern) == 1 else pattern:
                    self._put(one, waits=waits)
                if self._halt.is_set():
                    return
        except Exception as problem:  # noqa: BLE001 - told by `check`, in the thread of the model
            self._problem = problem

    def _put(self, pattern: Patterns, *, waits: bool) -> None:
        while not self._halt.is_set():
            try:
                self._queue.put(pattern, timeout=_TICK) if waits else self._queue.put_nowait(pattern)
            except queue.Full:
                if waits:
                    continue
                self.n_dropped += 1
            self.most = max(self.most, self._queue.qsize())
            return
