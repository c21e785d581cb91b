"""Which scans of a folder have their answers: kept beside the answers, read by the next run."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from peakwise.live._lines import LineFile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from peakwise.live._eyes import Stamp

__all__ = ["Journal", "prefix_of"]


class Journal:
    """Lines of files and scans by their names within the folder, under lines that say which folder it is.

    The folder is the same where it is called the same or lies in the same place: one may start from elsewhere, and
    move everything to an archive.

    Parameters
    ----------
    path : path-like
    folder : Path
        As it was given.

    Attributes
    ----------
    files : dict
        Files that are done with, as they looked then.
    digests : dict
        Of scans that were answered.
    """

    def __init__(self, path: str | os.PathLike[str], folder: Path) -> None:
        self._lines = LineFile(path)
        self.path = self._lines.path
        self.files: dict[str, Stamp] = {}
        self.digests: dict[str, str] = {}
        self._noted: Counter[str] = Counter()  # scans as they are called in the answers
        self._ours: Counter[str] = Counter()  # the same, as they are called within the folder
        self._prefixes = {prefix_of(folder)}
        here = {"folder": str(folder), "at": os.path.realpath(folder)}
        headers = [row for row in self._lines.rows() if "folder" in row]
        places = {here["at"], *(str(row.get("at")) for row in headers if row["folder"] == here["folder"])}
        last: dict[str, Any] = {}
        for row in self._lines.rows():
            last = row if "folder" in row else last
            if last.get("at") not in places:
                continue
            prefix = prefix_of(str(last["folder"]))
            self._prefixes.add(prefix)
            if row is not last:
                self._learn(row, prefix)
        if last != here:
            self._lines.append([here])

    def answered(self, scans: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
        """How often each scan was answered, and how often without a line here, by its name within the folder.

        Parameters
        ----------
        scans : iterable of str
            As they are called in all the answers that were written.
        """
        written = Counter(scans)
        unknown = self._within(written - self._noted)
        return self._within(written) | self._ours, unknown

    def append(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add lines."""
        self._lines.append(rows)

    def sync(self) -> None:
        """Return when all lines are on the disk."""
        self._lines.sync()

    def close(self) -> None:
        """Let others write it."""
        self._lines.close()

    def _learn(self, row: dict[str, Any], prefix: str) -> None:
        try:
            if "file" in row:
                self.files[str(row["file"])] = int(row["size"]), int(row["mtime_ns"])
            else:
                self.digests[str(row["scan"])] = str(row["digest"])
                self._noted[prefix + str(row["scan"])] += 1
                self._ours[str(row["scan"])] += 1
        except (KeyError, TypeError, ValueError):
            return  # not a line of ours

    def _within(self, scans: Counter[str]) -> Counter[str]:
        made: Counter[str] = Counter()
        for scan, n in scans.items():
            found = [prefix for prefix in self._prefixes if scan.startswith(prefix)]
            if found:
                made[scan[len(max(found, key=len)) :]] += n
        return made


def prefix_of(folder: str | Path) -> str:
    """What stands before the names of files in a folder.

    >>> prefix_of("data/scans"), prefix_of("."), prefix_of("/")
    ('data/scans/', '', '/')
    """
    text = str(folder)
    return "" if text == "." else text.rstrip(os.sep) + os.sep
