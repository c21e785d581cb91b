"""What changed in a folder: told by the system where it can, looked for where it cannot."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

__all__ = ["Eyes", "Stamp", "is_temporary", "stamp_of"]

Stamp: TypeAlias = tuple[int, int]  # size, and time of the last change [ns]

_TEMPORARY = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".filepart", ".swp", ".lock", ".writing", "~")
_STORES = (".zarr",)  # folders that are one scan
_SURE = 5.0  # [s] between two looks at everything: systems lose messages, network drives send none


def is_temporary(name: str) -> bool:
    """Whether a name says that the file is none yet.

    >>> [is_temporary(name) for name in ("a.xy", ".a.xy.Xq3", "a.xy.part", "~$a.xlsx", "a.xy~")]
    [False, True, True, True, True]
    """
    return name.startswith((".", "~", "#")) or name.lower().endswith(_TEMPORARY)


def stamp_of(path: Path) -> Stamp | None:
    """Size and time of change of a file, or of all files of a store; None where there is nothing."""
    try:
        if path.suffix.lower() in _STORES and path.is_dir():
            inside = [p.stat() for p in path.rglob("*")]
            return sum(s.st_size for s in inside), max((s.st_mtime_ns for s in inside), default=0)
        seen = path.stat()
    except OSError:
        return None
    return seen.st_size, seen.st_mtime_ns


class Eyes:
    """Look at a folder.

    Parameters
    ----------
    folder : Path
    poll : bool
        Look for changes, although the system could tell them.
    ignored : collection of Path
    """

    def __init__(self, folder: Path, *, poll: bool, ignored: Collection[Path]) -> None:
        self.folder, self.ignored = folder, ignored
        self.has_walked = False
        self._told: Iterator[set[tuple[Any, str]]] | None = None
        self._can_be_told = not poll and _has_watchfiles()
        self._identity: tuple[int, int] | None = None
        self._next_walk = 0.0

    def changed(self, wait: float, pending: Collection[str]) -> set[str] | None:
        """Names below the folder that may be new or changed, after at most about `wait` seconds; None: no folder."""
        try:
            seen = self.folder.stat()
        except OSError:
            self.close()
            return None
        if self._identity != (seen.st_dev, seen.st_ino):
            self.close()
            self._identity = (seen.st_dev, seen.st_ino)
            self._told = self._listen(wait) if self._can_be_told else None
            self._next_walk = 0.0
        names = self._hear(wait)
        if time.monotonic() >= self._next_walk:
            names |= self._walk()
        elif not names and not pending and self._told is None:
            time.sleep(wait)
        return names

    def close(self) -> None:
        """Stop being told."""
        told, self._told, self._identity = self._told, None, None
        if told is not None:
            told.close()  # type: ignore[attr-defined]

    def _listen(self, wait: float) -> Iterator[set[tuple[Any, str]]]:
        from watchfiles import watch

        changes: Iterator[set[tuple[Any, str]]] = watch(
            self.folder, watch_filter=None, debounce=50, step=max(1, int(wait * 500)), rust_timeout=int(wait * 1000),
            yield_on_timeout=True, raise_interrupt=False,
        )  # fmt: skip
        return changes

    def _hear(self, wait: float) -> set[str]:
        if self._told is None:
            time.sleep(wait)
            return set()
        try:
            changes = next(self._told, None)
        except (OSError, RuntimeError):  # the folder went away, or the system has no more watches to give
            changes = None
        if changes is None:
            self._told, self._can_be_told = None, False
            return set()
        root, found = Path(os.path.abspath(self.folder)), set()  # noqa: PTH100 - as watchfiles names them
        for _, text in changes:
            path = Path(text)
            for base in (root, self.folder):
                if path.is_relative_to(base):
                    name = self._scan_name(path.relative_to(base), path)
                    if name is not None:
                        found.add(name)
                    break
        return found

    def _scan_name(self, relative: Path, path: Path) -> str | None:
        """The scan that a changed path belongs to: itself, or the store that it lies in."""
        parts = relative.parts
        for depth, part in enumerate(parts):
            if is_temporary(part):
                return None
            if Path(part).suffix.lower() in _STORES:
                return Path(*parts[: depth + 1]).as_posix()
        return relative.as_posix() if parts and _is(path.is_file) and path not in self.ignored else None

    def _walk(self) -> set[str]:
        start = time.monotonic()
        found = set(self._below(self.folder, ""))
        self.has_walked = True
        took = time.monotonic() - start
        self._next_walk = time.monotonic() + (max(_SURE, 20 * took) if self._told is not None else max(0.1, 5 * took))
        return found

    def _below(self, folder: Path, prefix: str) -> Iterator[str]:
        try:
            entries = list(os.scandir(folder))
        except OSError:
            return  # gone, or not ours to see
        for entry in entries:
            if is_temporary(entry.name):
                continue
            path = Path(entry.path)
            if _is(entry.is_dir, follow_symlinks=False):
                if path.suffix.lower() in _STORES:
                    yield prefix + entry.name
                else:
                    yield from self._below(path, f"{prefix}{entry.name}/")
            elif _is(path.is_file) and path.absolute() not in self.ignored:
                yield prefix + entry.name


def _is(asked: Callable[..., bool], **how: bool) -> bool:
    """What a file system says, or no where its drive went away."""
    try:
        return asked(**how)
    except OSError:
        return False


def _has_watchfiles() -> bool:
    from importlib.util import find_spec

    return find_spec("watchfiles") is not None
