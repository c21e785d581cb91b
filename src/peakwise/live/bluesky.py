"""Bluesky documents: subscribed to a RunEngine in this process, or received over a 0MQ proxy."""

from __future__ import annotations

import queue
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np

from peakwise.errors import OptionError, PeakwiseError, one_line
from peakwise.live._documents import extra, loads
from peakwise.live._source import Note, Source
from peakwise.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike

__all__ = ["BlueskySource"]

_FEWEST = 16  # points that make a pattern; shorter arrays are something else
_TICK = 0.05  # [s]


@final
class BlueskySource(Source):
    """Each event with a 1-D detector gives a pattern.

    It is a callback: ``RE.subscribe(source)``. With `address` it listens to a 0MQ proxy instead, whose publishers must
    send msgpack: ``Publisher(address, serializer=peakwise.live.dumps)``. What else arrives is told and left out; no
    pickle is ever opened.

    Parameters
    ----------
    field : str, optional
        Name of the detector's data; by default the first with one dimension.
    positions : array-like or str, optional
        The axis, or the name of the data that hold it. By default ``axis`` in the metadata of the run, else channels.
    kind : str, optional
        What the axis is, a name of ``peakwise.AXES``; by default ``axis_kind`` of the run, else ``two_theta``.
    wavelength : float or str, optional
        By default ``wavelength`` of the run.
    address : str, optional
        Where the proxy sends: ``tcp://127.0.0.1:5678``.
    runs : int, optional
        End after so many runs.
    """

    waits: ClassVar[bool] = False

    def __init__(
        self,
        *,
        field: str | None = None,
        positions: ArrayLike | str | None = None,
        kind: str | None = None,
        wavelength: float | str | None = None,
        address: str | None = None,
        runs: int | None = None,
    ) -> None:
        super().__init__()
        if address is not None and not re.fullmatch(r"tcp://[^*:/]+:\d{1,5}", address):
            why = f"address must be tcp://HOST:PORT, got {address!r:.80}"
            raise OptionError("cannot listen", why, "Give e.g. tcp://127.0.0.1:5678")
        self.field, self.positions, self.kind, self.wavelength = field, positions, kind, wavelength
        self.address, self.runs = address, runs
        self._documents: queue.SimpleQueue[tuple[float, str, Any]] = queue.SimpleQueue()
        self._start: Mapping[str, Any] = {}
        self._streams: dict[str, tuple[str, str | None]] = {}  # descriptor -> stream, and the field in it
        self._ended = 0
        self._answered: set[str] = set()

    def __call__(self, name: str, document: Any) -> None:
        """Take a document."""
        self._documents.put((time.time(), name, document))

    def resume(self, scans: Any) -> int:
        """Leave out events that were answered before."""
        self._answered = set(scans)
        return len(self._answered)

    @property
    def n_waiting(self) -> int:
        """How many documents were not looked at yet."""
        return self._documents.qsize()

    def __iter__(self) -> Iterator[Patterns]:
        """Yield patterns of events, until `runs` runs have ended or the source is stopped."""
        for arrived, name, document in self._heard() if self.address is not None else self._called():
            try:
                found = self._take(arrived, name, document)
            except (PeakwiseError, KeyError, TypeError, ValueError, AttributeError, IndexError) as problem:
                self.notes.append(Note(f"a document ({name}) was left out: {one_line(problem, 200)}"))
                continue
            yield from (one for one in found if str(one.names[0]) not in self._answered)
            if self.runs is not None and self._ended >= self.runs:
                return

    def _called(self) -> Iterator[tuple[float, str, Any]]:
        while not self._halt.is_set():
            with suppress(queue.Empty):
                yield self._documents.get(timeout=_TICK)

    def _heard(self) -> Iterator[tuple[float, str, Any]]:
        zmq = extra("zmq")
        context = zmq.Context()
        socket = context.socket(zmq.SUB)
        socket.setsockopt(zmq.RCVHWM, 100_000)
        socket.setsockopt(zmq.SUBSCRIBE, b"")
        try:
            socket.connect(self.address)
            while not self._halt.is_set():
                if not socket.poll(int(1000 * _TICK)):
                    continue
                arrived, data = time.time(), socket.recv()
                try:
                    _, name, body = data.split(b" ", 2)
                    document = loads(body)
                except Exception as problem:  # noqa: BLE001 - anything may arrive at a port
                    self.notes.append(
                        Note(f"a message that is no msgpack document was left out ({one_line(problem, 80)})")
                    )
                    continue
                yield arrived, name.decode("ascii", "replace"), document
        finally:
            socket.close(linger=0)
            context.term()

    def _take(self, arrived: float, name: str, document: Any) -> list[Patterns]:
        if name == "start":
            self._start, self._streams = document, {}
        elif name == "descriptor":
            self._streams[document["uid"]] = document.get("name", "primary"), self._chosen(document["data_keys"])
        elif name == "event":
            return self._pattern(document["descriptor"], document["seq_num"], document["data"], arrived)
        elif name == "event_page":
            pages = document["data"]
            each = enumerate(document["seq_num"])
            return [
                one
                for i, number in each
                for one in self._pattern(document["descriptor"], number, {k: v[i] for k, v in pages.items()}, arrived)
            ]
        elif name == "stop":
            self._ended += 1
            if document.get("exit_status", "success") != "success":
                self.notes.append(
                    Note(f"the run {str(self._start.get('uid'))[:8]} ended with {document['exit_status']}")
                )
        return []

    def _chosen(self, keys: Mapping[str, Any]) -> str | None:
        if self.field is not None:
            return self.field if self.field in keys else None
        one = [k for k, v in keys.items() if k != self.positions and len(v.get("shape") or ()) == 1]
        return next((k for k in one if (keys[k]["shape"][0] or 0) >= _FEWEST), None)

    def _pattern(self, descriptor: str, number: int, data: Mapping[str, Any], arrived: float) -> list[Patterns]:
        stream, field = self._streams[descriptor]
        if field is None or field not in data:
            return []
        rows = np.asarray(data[field], dtype=np.float64).ravel()
        start = self._start
        where: Any = self.positions if self.positions is not None else start.get("axis")
        if isinstance(where, str):
            where = data[where]
        kind = self.kind or start.get("axis_kind") or "two_theta"
        if where is None:
            where, kind = np.arange(rows.size), "channel"
        scan = f"{str(start.get('uid', 'run'))[:8]}/{stream}/{number}"
        scalars = {k: v for k, v in data.items() if isinstance(v, (int, float)) and not isinstance(v, bool)}
        light = self.wavelength if self.wavelength is not None else start.get("wavelength")
        meta = {**scalars, "arrived": arrived}
        return [Patterns(where, rows, str(kind), wavelength=light, names=[scan], meta=meta)]
