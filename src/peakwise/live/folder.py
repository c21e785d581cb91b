"""A folder that scans land in: each is read when it is complete, and answered once."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from peakwise.errors import NothingToReadError, OptionError, UnfinishedFileError, WriteError
from peakwise.io import natural_key, read_each
from peakwise.live._digest import digest
from peakwise.live._eyes import Eyes, Stamp, stamp_of
from peakwise.live._journal import Journal, prefix_of
from peakwise.live._source import Note, Source

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from peakwise.errors import PeakwiseError
    from peakwise.io import FileRead
    from peakwise.patterns import Patterns

__all__ = ["FolderSource"]

_OLD = 1.0  # [s] longer than that untouched when it is first seen: nobody is writing it
_AGAIN = 0.5  # [s] between two tries to read a file that is not understood yet


@dataclass(slots=True)
class _Pending:
    """A file that is not read yet."""

    stamp: Stamp
    since: float  # it has looked like this
    first: float  # it was seen
    is_told: bool = False
    next_try: float = 0.0


@dataclass(slots=True)
class _Open:
    """A file whose patterns are on their way."""

    stamp: Stamp
    left: set[str]


@final
class FolderSource(Source):
    """Scans from a folder and the folders in it, as they land; those that are there already come first.

    A file is read when its size and its time of change have stood still for `settle` seconds. A file that cannot be
    read yet is tried again until it has stood still for `patience` seconds. Hidden and temporary names are passed over.

    Parameters
    ----------
    folder : path-like
    journal : path-like, optional
        Where it is written which files were answered; the next run goes on after them.
    settle : float
        How long a file must stand still [s].
    patience : float
        When a file that does not become complete is told of, and one that cannot be read is given up [s].
    once : bool
        End when every file that is there has been read.
    poll : bool
        Look at the folder again and again instead of being told of changes by the system; so it is done in any case
        where watchfiles is not installed, and needed for some network drives.
    wavelength, axis, format : optional
        As in `peakwise.read`.
    ignore : iterable of path-like
        Files that are no scans, such as the answers.

    Notes
    -----
    A scan is called as `peakwise.read` calls its file, the folder as it was given before it: ``scans/a.xy``. A journal
    knows where the folder lies, so that a run goes on after one that called the folder otherwise.

    A file that changes after it was answered is read again; patterns in it that are new or differ are answered, the
    latter as a revision.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        journal: str | os.PathLike[str] | None = None,
        settle: float = 0.25,
        patience: float = 10.0,
        once: bool = False,
        poll: bool = False,
        wavelength: float | str | None = None,
        axis: str | None = None,
        format: str | None = None,  # noqa: A002 - as in `peakwise.read`
        ignore: Iterable[str | os.PathLike[str]] = (),
    ) -> None:
        super().__init__()
        self.folder = Path(folder).expanduser()
        if not self.folder.is_dir():
            why = "it is not a folder" if self.folder.exists() else "there is no such folder"
            raise NothingToReadError("cannot watch", why, "Name a folder that scans land in", file=self.folder)
        for name, value in (("settle", settle), ("patience", patience)):
            if not 0 < value < float("inf"):
                raise OptionError("cannot watch", f"{name} must be a time above 0 [s], got {value!r}", "Give e.g. 0.25")
        self.settle, self.patience, self.once, self.poll = settle, patience, once, poll
        self._asked: dict[str, Any] = {"wavelength": wavelength, "axis": axis, "format": format}
        self._ignored = {Path(p).absolute() for p in ignore}
        self.journal = None if journal is None else Path(journal)
        if self.journal is not None:
            self._ignored.add(self.journal.absolute())
        # Opened by `resume`: the journal of answers that cannot be written must not come to be.
        self._journal: Journal | None = None
        self._prefix = prefix_of(self.folder)
        # Within this class, files and scans are called by their names within the folder.
        self._files: dict[str, Stamp] = {}  # files that are done with, as they looked then
        self._digests: dict[str, str] = {}  # of answered scans
        self._unknown: Counter[str] = Counter()  # answered, but the journal does not know it yet
        self._revisions: Counter[str] = Counter()
        self._open: dict[str, _Open] = {}
        self._scans: dict[str, tuple[str, str]] = {}  # scans on their way: file and digest
        self._pending: dict[str, _Pending] = {}
        self._n_ready = 0
        self._is_stuck = False

    # What an earlier run has done

    def resume(self, scans: Iterable[str]) -> int:
        """Learn what the journal says, and which answers an earlier run wrote that did not reach the journal."""
        if self.journal is None:
            within = [scan.removeprefix(self._prefix) for scan in scans if scan.startswith(self._prefix)]
            self._revisions = Counter(within)
            self._unknown = Counter(within)
            return len(self._revisions)
        self._journal = Journal(self.journal, self.folder)
        self._files, self._digests = self._journal.files, self._journal.digests
        self._revisions, self._unknown = self._journal.answered(scans)
        return len(self._revisions)

    def confirm(self, scans: Iterable[str]) -> None:
        """Write into the journal that these scans have their answers."""
        rows: list[dict[str, Any]] = []
        for full in scans:
            scan = full.removeprefix(self._prefix)
            file, print_ = self._scans.pop(scan, (scan, ""))
            rows.append({"scan": scan, "digest": print_})
            rows += self._finish(file, scan)
        self._note_down(rows, is_safe=True)

    def _note_down(self, rows: list[dict[str, Any]], *, is_safe: bool = False) -> None:
        """Write into the journal; where that fails, the next time: until then the answers tell what was answered."""
        if self._journal is None or not rows:
            return
        try:
            self._journal.append(rows)
            if is_safe:
                self._journal.sync()
        except WriteError as problem:
            if not self._is_stuck:
                self.notes.append(Note(f"{problem.reason}; the journal ({problem.file}) comes later"))
            self._is_stuck = True
        else:
            self._is_stuck = False

    def _finish(self, file: str, scan: str | None) -> list[dict[str, Any]]:
        opened = self._open.get(file)
        if opened is None:
            return []
        opened.left.discard(scan or "")
        if opened.left:
            return []
        del self._open[file]
        size, mtime = opened.stamp
        return [{"file": file, "size": size, "mtime_ns": mtime}]

    # The stream

    def __iter__(self) -> Iterator[Patterns]:
        """Yield patterns as files become complete."""
        eyes = Eyes(self.folder, poll=self.poll, ignored=self._ignored)
        wait = max(0.01, min(0.05, self.settle / 3))
        is_gone = False
        try:
            while not self._halt.is_set():
                changed = eyes.changed(wait, self._pending)
                if changed is None:
                    if not is_gone:
                        self.notes.append(Note(f"the folder {self.folder} is not there any more: waiting for it"))
                    is_gone = True
                    if self.once:
                        return
                    self._halt.wait(0.2)
                    continue
                if is_gone:
                    self.notes.append(Note(f"the folder {self.folder} is there again"))
                    is_gone = False
                ready = self._look(changed)
                self._n_ready = len(ready)
                for name in ready:
                    if self._halt.is_set():
                        return
                    yield from self._read(name)
                    self._n_ready -= 1
                if self.once and not self._pending and eyes.has_walked:
                    return
        finally:
            eyes.close()

    @property
    def n_waiting(self) -> int:
        """How many complete files were not read yet."""
        return self._n_ready

    def close(self) -> None:
        """Let others use the journal."""
        if self._journal is not None:
            with suppress(WriteError):  # the next run learns it from the answers
                self._journal.append([])
            self._journal.close()

    def _look(self, names: Iterable[str]) -> list[str]:
        """Note how files look now, and return those that are complete, in natural order."""
        now, today = time.monotonic(), time.time()
        ready = []
        for name in {*names, *self._pending}:
            stamp = stamp_of(self.folder / name)
            if stamp is None or self._files.get(name) == stamp:
                self._pending.pop(name, None)
                continue
            old = self._pending.get(name)
            if old is None or old.stamp != stamp:
                first = now if old is None else old.first
                age = today - stamp[1] / 1e9
                since = now - age if old is None and age > self.settle + _OLD else now
                old = _Pending(stamp, since, first, old is not None and old.is_told)
                self._pending[name] = old
            still = now - old.since
            if name in self._open and self._journal is not None:
                continue  # it changed before its answers were written: they come first
            if still >= self.settle and stamp[0] > 0:
                if now >= old.next_try:
                    ready.append(name)
            elif (now - old.first >= self.patience or still >= self.patience) and not old.is_told:
                self._tell_unfinished(name, old)
        return sorted(ready, key=natural_key)

    def _tell_unfinished(self, name: str, pending: _Pending) -> None:
        state = "it is empty" if pending.stamp[0] == 0 else "it is still being written"
        pending.is_told = True
        self.notes.append(
            Note(f"{self._prefix}{name} is not complete after {self.patience:g} s ({state}): waiting for it")
        )
        if self.once:
            self._pending.pop(name)

    def _read(self, name: str) -> Iterator[Patterns]:
        pending = self._pending[name]
        arrived = time.time()
        path = self.folder / name
        found = next(iter(read_each([path], **self._asked)))
        now = time.monotonic()
        if isinstance(found.error, UnfinishedFileError) or stamp_of(path) != pending.stamp:
            pending.since = now  # the next look sees how it looks now
            return
        if found.error is not None:
            if now - pending.since < self.patience:
                pending.next_try = now + _AGAIN
                return
            self._refuse(name, pending, found.error)
            return
        self._pending.pop(name, None)
        yield from self._new(name, pending.stamp, found, arrived)

    def _refuse(self, name: str, pending: _Pending, problem: PeakwiseError) -> None:
        """A file that cannot be read: a line instead of an answer."""
        del self._pending[name]
        self._files[name] = pending.stamp
        self._open[name] = _Open(pending.stamp, {name})
        if self._unknown[name] > 0:
            self._unknown[name] -= 1
            self.confirm([self._prefix + name])
            return
        self.notes.append(Note(problem.reason, self._prefix + name))

    def _new(self, name: str, stamp: Stamp, found: FileRead, arrived: float) -> Iterator[Patterns]:
        """Patterns of a file that have no answer yet."""
        fresh = []
        rows: list[dict[str, Any]] = []
        for scan, pattern in _named(name, found).items():
            print_ = digest(pattern)
            if self._unknown[scan] > 0:
                self._unknown[scan] -= 1
                self._digests[scan] = print_
                rows.append({"scan": scan, "digest": print_})
            elif self._digests.get(scan) != print_:
                fresh.append((scan, print_, pattern))
        self._files[name] = stamp
        self._open[name] = _Open(stamp, {scan for scan, _, _ in fresh})
        for scan, print_, _ in fresh:
            self._scans[scan] = name, print_
            self._digests[scan] = print_
        if not fresh:
            rows += self._finish(name, None)
        self._note_down(rows)
        for scan, _, pattern in fresh:
            self._revisions[scan] += 1
            more = {"revision": self._revisions[scan]} if self._revisions[scan] > 1 else {}
            yield pattern.replace(names=[self._prefix + scan], meta={**pattern.meta, "arrived": arrived, **more})


def _named(name: str, found: FileRead) -> dict[str, Patterns]:
    """Patterns of a file by the names of their answers: the file, and the pattern where there are several."""
    each = [pattern for part in found.patterns for pattern in part]
    if len(each) == 1:
        return {name: each[0]}
    made: dict[str, Patterns] = {}
    for number, pattern in enumerate(each):
        scan = f"{name}#{pattern.names[0]}"
        made[f"{scan}#{number}" if scan in made else scan] = pattern
    return made
