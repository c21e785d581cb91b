"""Where answers go: files of JSON lines, a text stream, or Bluesky documents."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING, Any, final

from peakwise.errors import WriteError
from peakwise.live._documents import extra
from peakwise.live._lines import LineFile, as_line

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    Confirm = Callable[[Iterable[str]], None]

__all__ = ["BlueskyDocuments", "JsonLines", "LineStream", "Sink"]

_AGAIN = 0.5  # [s] between two tries to write what a full disk did not take
_MOST_KEPT = 10_000  # answers that wait for a disk


class Sink(ABC):
    """Takes answers, and says when they are safe."""

    def __init__(self) -> None:
        self._confirm: Confirm | None = None
        self.notes: deque[str] = deque()  # to be told while the stream goes on

    @property
    def is_full(self) -> bool:
        """Whether so many answers could not be written that no more should come."""
        return False

    @property
    def scans(self) -> Sequence[str]:
        """Scans that an earlier run answered here."""
        return ()

    def confirms(self, to: Confirm) -> None:
        """Call `to` with the names of scans whose answers are safely written."""
        self._confirm = to

    @abstractmethod
    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Take answers."""

    def close(self) -> None:  # noqa: B027 - not all have something to bring
        """Bring everything to its place."""

    def _safe(self, rows: Iterable[dict[str, Any]]) -> None:
        if self._confirm is not None:
            self._confirm([str(row["scan"]) for row in rows])


@final
class LineStream(Sink):
    """Answers as JSON lines into anything that takes bytes, such as standard output.

    Parameters
    ----------
    take : callable
        Called with each line.
    """

    def __init__(self, take: Callable[[bytes], Any]) -> None:
        super().__init__()
        self.take = take

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Hand on one line an answer."""
        for row in rows:
            self.take(as_line(row))
        self._safe(rows)


@final
class JsonLines(Sink):
    """Answers as lines of a file: each exactly once, also when the process is killed in between.

    A line is written at once and in one piece; a thread brings the lines onto the disk (fsync, many at a time where the
    disk is slow) and only then confirms them to the source. Where the disk is full or its drive is away, that is told,
    answers are kept and tried again; what cannot be written until the end is an error, and is answered by the next run.

    Parameters
    ----------
    path : path-like
        Answers are added to a file that is there; a torn last line is cut off.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self._file = LineFile(path)
        self._scans = [str(row["scan"]) for row in self._file.rows() if "scan" in row]
        self._kept: list[dict[str, Any]] = []  # not written yet
        self._unsafe: list[dict[str, Any]] = []  # written, and not yet on the disk
        self._news = threading.Condition()
        self._closing = False
        self._stuck: WriteError | None = None
        self._problem: BaseException | None = None
        self._n_begun = 0
        self._thread = threading.Thread(target=self._keep, name="peakwise-answers", daemon=True)
        self._thread.start()

    @property
    def scans(self) -> Sequence[str]:
        """Scans that an earlier run answered here."""
        return self._scans

    @property
    def is_full(self) -> bool:
        """Whether so many answers could not be written that no more should come."""
        return len(self._kept) >= _MOST_KEPT

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add one line an answer."""
        if self._problem is not None:
            raise self._problem
        with self._news:
            self._hand_over(rows)
            self._news.notify()

    def close(self) -> None:
        """Return when all answers are on the disk."""
        with self._news:
            self._hand_over()
            self._closing = True
            self._news.notify()
        self._thread.join()
        self._file.close()
        if self._problem is not None:
            raise self._problem
        if self._stuck is not None:
            why = f"{self._stuck.why}: {len(self._kept)} answers are not in it"
            raise WriteError(
                "cannot write the answers", why, "Mend that and start again: they come then", file=self._file.path
            )

    def _hand_over(self, rows: Sequence[dict[str, Any]] = ()) -> None:
        self._kept += rows
        try:
            self._file.append(rows)
        except WriteError as problem:
            if self._stuck is None:
                self.notes.append(f"{problem.what} ({problem.file}): {problem.why}: they are kept and tried again")
            self._stuck = problem
            return
        if self._stuck is not None:
            self.notes.append(f"the answers can be written again ({self._file.path})")
            self._stuck = None
        if self._file.n_begun > self._n_begun:
            self._n_begun = self._file.n_begun
            self.notes.append(f"{self._file.path} was moved or deleted: a new one was begun")
        self._unsafe += self._kept
        self._kept = []

    def _keep(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._unsafe or self._closing, _AGAIN)
                if self._kept and not self._closing:
                    self._hand_over()
                rows, self._unsafe = self._unsafe, []
                is_end = self._closing
            if not rows:
                if is_end:
                    return
                continue
            try:
                self._file.sync()
                self._safe(rows)
            except Exception as problem:  # noqa: BLE001 - told by the next `write` or by `close`, in the caller's thread
                self._problem = problem
                return


@final
class BlueskyDocuments(Sink):
    """Answers as a Bluesky run: one event an answer, for everything that takes documents.

    Parameters
    ----------
    take : callable
        Called with name and document: a callback, or ``Publisher(address, serializer=peakwise.live.dumps)``.
    metadata : dict, optional
        For the start of the run.
    """

    def __init__(self, take: Callable[[str, dict[str, Any]], Any], metadata: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.take = take
        model = extra("event_model")
        run = model.compose_run(metadata={"purpose": "peakwise answers", **(metadata or {})})
        self._run = run
        take("start", run.start_doc)
        text = {"source": "peakwise", "dtype": "string", "shape": []}
        keys = {"scan": text, "answer": text, "latency_ms": {"source": "peakwise", "dtype": "number", "shape": []}}
        self._stream = run.compose_descriptor(name="answers", data_keys=keys)
        take("descriptor", self._stream.descriptor_doc)

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Send one event an answer; the whole line of the answer is its `answer`."""
        for row in rows:
            latency = row["latency_ms"]
            data = {
                "scan": row["scan"],
                "answer": as_line(row).decode().rstrip("\n"),
                "latency_ms": -1.0 if latency is None else float(latency),
            }
            self.take("event", self._stream.compose_event(data=data, timestamps=dict.fromkeys(data, time.time())))
        self._safe(rows)

    def close(self) -> None:
        """Send the end of the run."""
        self.take("stop", self._run.compose_stop())
