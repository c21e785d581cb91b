"""Arrays with names, as HDF5, netCDF and Zarr files hold them: which one is what, before any of them is read."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from peakwise.errors import DamagedFileError
from peakwise.io._axis_words import Meaning, axis_meaning
from peakwise.io._limits import MAX_POINTS, check_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from peakwise.errors import PeakwiseError

__all__ = ["Catalogue", "Column", "first_text", "natural"]

_MOST_LINKS = 32  # links that are followed on the way to one array
# A store says how large an array is before a byte of it is read. Compressors reach about 1:1000 (deflate at its best
# 1:1032), so a much larger claim is not data; the second number lets constant frames of an ordinary size through.
_MOST_SHRUNK, _FREE_BYTES = 2000, 1 << 26


class Attributes(Protocol):
    """Attributes of an array or group: numbers, texts and lists of these."""

    def get(self, name: str, default: Any = None, /) -> Any:
        """Value of an attribute, or the default where there is none that can be understood."""

    def __iter__(self) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True)
class Column:
    """One array of a file, not read yet.

    `path` ends in the array's name; `sort` is ``number``, ``text`` or ``other``; `stored` counts the bytes that hold it
    (None where that is not known), and `load` reads it. `key` is the same where two paths lead to one array. `dims`
    holds the paths of the arrays that give the positions along each dimension, empty where the file does not say.
    """

    path: str
    shape: tuple[int, ...]
    sort: str
    attrs: Attributes
    load: Callable[[], NDArray[Any]]
    whole: bool = False
    itemsize: int = 8
    stored: int | None = None
    key: object = None
    dims: tuple[str, ...] = ()
    grows: bool = False
    fill: float | None = None

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def parent(self) -> str:
        """Path of the group."""
        return self.path.rsplit("/", 1)[0]

    @property
    def size(self) -> int:
        """Number of elements that the file promises."""
        return math.prod(self.shape)

    def has_rows(self, n: int) -> bool:
        """Whether it has one entry for each of n rows; while a file is written, some arrays are ahead of others."""
        return n > 1 and len(self.shape) == 1 and (self.size == n or (self.grows and self.size > n))

    @property
    def unit(self) -> Any:
        """Unit as the file writes it; NeXus says ``units``, others ``unit``."""
        return first_text(self.attrs.get("units")) or first_text(self.attrs.get("unit"))

    @property
    def meaning(self) -> Meaning | None:
        """What the array is as an axis; None where it cannot be one."""
        return axis_meaning(self.name, self.unit, first_text(self.attrs.get("long_name")))


@dataclass(slots=True)
class Catalogue:
    """What a file holds: groups with attributes, arrays, links; all paths absolute, the root being the empty text."""

    file: Path
    groups: dict[str, Attributes] = field(default_factory=dict)
    columns: dict[str, Column] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    outside: dict[str, str] = field(default_factory=dict)
    children: dict[str, list[Column]] = field(default_factory=dict)
    subgroups: dict[str, list[str]] = field(default_factory=dict)
    growing: bool = False
    read: int = 0

    def add(self, column: Column) -> None:
        """Enter an array."""
        self.columns[column.path] = column
        self.children.setdefault(column.parent, []).append(column)

    def add_group(self, path: str, attrs: Attributes) -> None:
        """Enter a group."""
        self.groups[path] = attrs
        if path:
            self.subgroups.setdefault(path.rsplit("/", 1)[0], []).append(path)

    def numbers(self, column: Column) -> NDArray[Any]:
        """Read an array of numbers, after a look at its size."""
        if column.sort != "number":
            raise self.damaged(f"{column.path} must hold numbers, it holds {column.sort}")
        self.read += check_limit(column.size, "points", column.path, self.file)
        check_limit(self.read, "points", "the file", self.file)
        claim = column.size * column.itemsize
        if column.stored is not None and claim > column.stored * _MOST_SHRUNK + _FREE_BYTES:
            raise self.damaged(
                f"{column.path} promises {column.size} numbers, {column.stored} bytes are there for them"
            )
        return column.load()

    def values(self, column: Column) -> NDArray[np.float64]:
        """Read an array of numbers as float64."""
        return np.asarray(self.numbers(column), dtype=np.float64)

    def text(self, column: Column | None) -> str:
        """Read a text; empty where there is none."""
        if column is None or column.sort != "text" or column.size != 1:
            return ""
        return str(np.ravel(column.load())[0]).strip()

    def groups_under(self, group: str) -> list[str]:
        """A group and all below it, the shallow ones first."""
        found = [group]
        for path in found:  # grows while it is walked through
            found += sorted(self.subgroups.get(path, []), key=natural)
        return found

    def columns_of(self, groups: list[str]) -> list[Column]:
        """All arrays that lie directly in these groups."""
        return [column for group in groups for column in self.children.get(group, [])]

    def resolve(self, path: str, start: str = "") -> str:
        """Absolute path after following links within the file; the path itself need not exist."""
        path = path if path.startswith("/") else f"{start}/{path}"
        for _ in range(_MOST_LINKS):
            parts = [p for p in path.split("/") if p not in ("", ".")]
            for i in range(1, len(parts) + 1):
                here = "/" + "/".join(parts[:i])
                if here in self.links:
                    path = "/".join([self.links[here], *parts[i:]])
                    break
            else:
                return "/" + "/".join(parts) if parts else ""
        raise self.damaged(f"the link {path} leads in a circle")

    def column(self, path: str, start: str = "") -> Column | None:
        """The array of a path; one that lies in another file is refused, one that does not exist is None."""
        place = self.resolve(path, start)
        found = self.columns.get(place)
        if found is None:
            away = next((a for a in self.outside if place == a or place.startswith(a + "/")), None)
            if away is not None:
                raise DamagedFileError(
                    "cannot read the scan",
                    f"{place} lies in another file ({self.outside[away]}), and links to other files are not followed",
                    "Copy the data into one file with its own software (h5repack or h5copy)",
                    file=self.file,
                )
        return found

    def group_class(self, group: str) -> str:
        """The NX_class of a group, or nothing."""
        attrs = self.groups.get(group)
        return "" if attrs is None else first_text(attrs.get("NX_class"))

    def damaged(self, why: str, do: str = "Copy it again, or export it in another format") -> PeakwiseError:
        """The error for content that contradicts itself."""
        return DamagedFileError("cannot read the scan", why, do, file=self.file)


def points_limit(shape: tuple[int, ...]) -> bool:
    """Whether an array of that shape is small enough to be looked at."""
    return math.prod(shape) <= MAX_POINTS


def first_text(value: Any) -> str:
    """A text, or the first of several; empty for anything else."""
    if isinstance(value, (list, tuple, np.ndarray)) and len(value):
        value = value[0]
    return value.strip() if isinstance(value, str) else ""


def natural(path: str) -> list[tuple[int, int, str]]:
    """Sort key under which entry_2 comes before entry_10."""
    pieces = re.split(r"(\d+)", path.casefold())
    return [(0, int(p), "") if p.isdecimal() and len(p) < 19 else (1, 0, p) for p in pieces if p]
