"""Files that are either the old ones or the new ones, never half of one.

Everything is written to a hidden temporary name beside the target (so on the same disk) and takes the target's name in
one step once it is complete. Whatever ends the writing before, a Ctrl-C too, leaves the old file and nothing else.
"""

from __future__ import annotations

import os
import shutil
import stat
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from peakwise.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["atomic_file", "atomic_folder"]


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; at the end of the block it becomes `path`, replacing a file that is there.

    A symbolic link stays one: the file that it points to is replaced. Anything but a plain file is left alone.

    >>> target = getfixture("tmp_path") / "a.txt"
    >>> with atomic_file(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text(), [p.name for p in target.parent.iterdir()]
    ('whole', ['a.txt'])
    """
    target = _resolve(path)
    if target.exists() and not target.is_file():
        raise _cannot(path, "something that is not a file has this name", "Choose another name")
    temporary = _beside(target)
    try:
        yield temporary
        _flush(temporary)
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as problem:
        raise _cannot(path, problem.strerror or str(problem), "Check the disk and the permissions") from problem
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | os.PathLike[str], ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Give a temporary folder to fill; at the end of the block it becomes `path`.

    A folder that is already there is replaced only where `ours` says that this library wrote all of it.
    """
    target = _resolve(path)
    replaces = target.exists()
    if replaces and not (target.is_dir() and ours(target)):
        why = "a file or folder that peakwise did not write has this name"
        raise _cannot(path, why, "Choose another name, or delete it yourself")
    temporary, old = _beside(target), _beside(target)
    try:
        temporary.mkdir()
        yield temporary
        if replaces:
            target.rename(old)
        try:
            temporary.rename(target)
        except BaseException:
            if replaces:
                old.rename(target)
            raise
    except OSError as problem:
        raise _cannot(path, problem.strerror or str(problem), "Check the disk and the permissions") from problem
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def _resolve(path: str | os.PathLike[str]) -> Path:
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise _cannot(path, f"there is no folder {target.parent}", "Make it first")
    return target


def _beside(target: Path) -> Path:
    return target.with_name(f".{uuid.uuid4().hex}.part")


def _flush(file: Path) -> None:
    """Bring the bytes onto the disk before the name moves: a power cut must not leave an empty file of that name."""
    with file.open("rb+") as stream:
        os.fsync(stream.fileno())
    if not stat.S_ISREG(file.stat().st_mode):
        raise OSError("the temporary file was exchanged for something else")


def _cannot(path: str | os.PathLike[str], why: str, do: str) -> WriteError:
    return WriteError("cannot write the file", why, do, file=path)
