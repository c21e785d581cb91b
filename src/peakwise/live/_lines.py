"""Files of JSON lines to which only whole lines are added, whatever ends the program."""

from __future__ import annotations

import json
import math
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["LineFile", "as_line"]

_BLOCK = 1 << 20


class LineFile:
    """One file of JSON lines, locked for this process, without the torn last line that a killed process left.

    A line is handed to the system in one piece: from then on it survives the death of this process. `sync` brings it
    onto the disk, where it survives the death of the machine. What a full disk did not take comes first when `append`
    is called again. Where the file was moved or deleted meanwhile, a new one is begun.

    Parameters
    ----------
    path : path-like
        Made where it does not exist. Lines that are there stay.

    Attributes
    ----------
    was_torn : bool
        Whether half a line was cut off.
    n_begun : int
        How often a new file was begun.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.was_torn = False
        self.n_begun = 0
        self._rest = b""  # lines that are not written whole yet, from the first of them on
        self._offset = 0  # how much of it is written
        self._one_at_a_time = threading.Lock()
        self._left: list[int] = []  # files that were moved away: another thread may still bring them onto the disk
        self._file = -1
        self._open()

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            self._file = os.open(self.path, flags, 0o644)
        except OSError as problem:
            raise self._cannot(problem) from problem
        try:
            seen = os.fstat(self._file)
            if not stat.S_ISREG(seen.st_mode):
                do = "Name a file, or leave it out for standard output"
                raise WriteError("cannot write the answers", "it is not a file", do, file=self.path)
            self._identity = seen.st_dev, seen.st_ino
            _lock(self._file, self.path)
            self._mend()
            _sync_folder(self.path.parent)
        except OSError as problem:
            self._shut()
            raise self._cannot(problem) from problem
        except BaseException:
            self._shut()
            raise

    def rows(self) -> Iterator[dict[str, Any]]:
        """The objects that stand in it; a line that is none is left out."""
        with self.path.open("rb") as stream:
            for line in stream:
                try:
                    row = json.loads(line)
                except ValueError:
                    continue
                if isinstance(row, dict):
                    yield row

    def append(self, rows: Iterable[dict[str, Any]] = ()) -> None:
        """Add lines, after those that could not be written before."""
        data = b"".join(as_line(row) for row in rows)
        with self._one_at_a_time:
            self._rest += data
            if not self._rest:
                return
            self._find()
            try:
                while self._offset < len(self._rest):
                    self._offset += os.write(self._file, self._rest[self._offset :])
            except OSError as problem:
                raise self._cannot(problem) from problem
            finally:
                whole = self._rest.rfind(b"\n", 0, self._offset) + 1
                self._rest, self._offset = self._rest[whole:], self._offset - whole

    def _find(self) -> None:
        """Begin a new file where the old one is not under its name any more."""
        try:
            seen = self.path.stat()
            if (seen.st_dev, seen.st_ino) == self._identity and self._file >= 0:
                return
        except FileNotFoundError:
            pass
        except OSError as problem:
            raise self._cannot(problem) from problem
        if self._file >= 0:
            self._left.append(self._file)
            self._file = -1
        self._offset = 0
        self._open()
        self.n_begun += 1

    def sync(self) -> None:
        """Return when all lines are on the disk."""
        try:
            for file in (*self._left, self._file):
                if file >= 0:
                    os.fsync(file)
        except OSError as problem:
            raise self._cannot(problem) from problem

    def close(self) -> None:
        """Let others write it."""
        for file in self._left:
            os.close(file)
        self._left.clear()
        self._shut()

    def _shut(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _mend(self) -> None:
        """Cut off what stands behind the last end of a line."""
        size = end = os.fstat(self._file).st_size
        with self.path.open("rb") as stream:
            while end > 0:
                start = max(0, end - _BLOCK)
                stream.seek(start)
                at = stream.read(end - start).rfind(b"\n")
                if at >= 0:
                    end = start + at + 1
                    break
                end = start
        if end < size:
            self.was_torn = True
            os.ftruncate(self._file, end)

    def _cannot(self, problem: OSError) -> WriteError:
        why = problem.strerror or str(problem)
        return WriteError("cannot write the answers", why, "Check the disk and the permissions", file=self.path)


def as_line(row: dict[str, Any]) -> bytes:
    r"""One line of JSON; what is not finite becomes null, for JSON has no NaN.

    >>> as_line({"scan": "a.xy", "score": np.float32("nan"), "states": np.arange(2)})
    b'{"scan": "a.xy", "score": null, "states": [0, 1]}\n'
    """
    return json.dumps(_safe(row), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace") + b"\n"


def _safe(value: Any) -> Any:
    match value:
        case dict():
            return {str(key): _safe(part) for key, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_safe(part) for part in value]
        case np.ndarray() | np.generic():
            return _safe(value.tolist())
        case float() if not math.isfinite(value):
            return None
        case str() | int() | float() | None:
            return value
        case _:
            return str(value)


def _lock(file: int, path: Path) -> None:
    """Refuse a file that another process adds to: both would answer every scan."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        why = "another process is writing it"
        raise WriteError(
            "cannot write the answers", why, "Stop that one, or choose another name", file=path
        ) from problem


def _sync_folder(folder: Path) -> None:
    """Bring the name of a new file onto the disk, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
