"""What a stream of patterns is: an iterable that can be stopped, and that is told which scans have their answers."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from peakwise.patterns import Patterns

__all__ = ["Note", "Source"]


@dataclass(frozen=True, slots=True)
class Note:
    """Something to tell while the stream goes on; with a `scan`, it is why that scan gets no answer."""

    text: str
    scan: str | None = None


class Source(ABC):
    """A stream: yields one `Patterns` of one pattern at a time, named as its scan is called in the answers.

    ``meta["arrived"]`` [s since 1970] says when a pattern was complete; latencies count from there. A pattern that
    replaces an earlier one of the same name carries ``meta["revision"]``: 2, 3 ...
    """

    # Whether a pattern that nobody takes yet stays where it is. A detector does not wait: there, what finds no place in
    # the queue is dropped and counted.
    waits: ClassVar[bool] = True

    def __init__(self) -> None:
        self._halt = threading.Event()
        self.notes: deque[Note] = deque()

    @abstractmethod
    def __iter__(self) -> Iterator[Patterns]:
        """Yield patterns until the stream ends or is stopped."""

    def stop(self) -> None:
        """End the stream soon; may be called from any thread."""
        self._halt.set()

    @property
    def is_stopped(self) -> bool:
        """Whether it was asked to end."""
        return self._halt.is_set()

    def resume(self, scans: Iterable[str]) -> int:  # noqa: ARG002 - for those that can be resumed
        """Learn which scans an earlier run answered, and return how many are not asked again."""
        return 0

    def confirm(self, scans: Iterable[str]) -> None:  # noqa: B027 - nothing to do where nothing is resumed
        """Learn that the answers to these scans are safely written."""

    def close(self) -> None:  # noqa: B027 - not all hold something open
        """Let go of files and connections, when all answers are written."""

    @property
    def n_waiting(self) -> int:
        """How many are known to be complete and were not yielded yet."""
        return 0
