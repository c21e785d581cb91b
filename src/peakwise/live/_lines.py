"""Files of JSON lines to which only whole lines are added, whatever ends the program."""

from __future__ import annotations

import json
import math
import os
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
    onto the disk, where it survives the death of the machine.

    Parameters
    ----------
    path : path-like
        Made where it does not exist. Lines that are there stay.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.was_torn = False
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o644)
        except OSError as problem:
            raise self._cannot(problem) from problem
        try:
            _lock(self._file, self.path)
            self._mend()
            _sync_folder(self.path.parent)
        except OSError as problem:
            self.close()
            raise self._cannot(problem) from problem
        except BaseException:
            self.close()
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

    def append(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add lines."""
        data = b"".join(as_line(row) for row in rows)
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as problem:
            raise self._cannot(problem) from problem

    def sync(self) -> None:
        """Return when all lines are on the disk."""
        try:
            os.fsync(self._file)
        except OSError as problem:
            raise self._cannot(problem) from problem

    def close(self) -> None:
        """Let others write it."""
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
