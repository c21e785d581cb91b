"""What readers of binary instrument files share: fields at byte offsets, and the checks that tell data from garbage."""

from __future__ import annotations

import re
import struct
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from peakwise.errors import AxisError
from peakwise.io._source import decode
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.io._source import Source

__all__ = ["Fields", "date_of", "element", "intensity_unit", "known", "measured_axis", "stepped_axis", "tube"]

# Beyond these an offset was misread: no goniometer turns so far [deg], no stage moves so far [mm], no detector counts
# so much.
_FURTHEST = {"two_theta": 180.0, "position": 1e4}
_FURTHEST_TURN = 720.0
_MOST_COUNTS = 1e12
_LONGEST_TEXT = 4096  # bytes; names and comments are shorter, and a hostile length must not become a long text


class Fields:
    """Little-endian numbers and texts at byte offsets of one file; whatever lies outside the file is refused."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.data = source.data

    def __len__(self) -> int:
        return len(self.data)

    def need(self, at: int, size: int, what: str) -> None:
        """Refuse a file that does not hold `size` bytes from `at`."""
        if at < 0 or size < 0 or at + size > len(self.data):
            raise self.source.damaged(f"{what} needs the bytes {at} to {at + size}, the file has {len(self.data)}")

    def whole(self, code: str, at: int) -> int:
        """The integer at an offset, `code` as in `struct`."""
        self.need(at, struct.calcsize(f"<{code}"), "its header")
        return int(struct.unpack_from(f"<{code}", self.data, at)[0])

    def real(self, code: str, at: int) -> float:
        """The float at an offset: ``d``, or ``f`` as the shortest decimal that is stored so (0.02, not 0.01999999)."""
        self.need(at, struct.calcsize(f"<{code}"), "its header")
        value = struct.unpack_from(f"<{code}", self.data, at)[0]
        return float(str(np.float32(value))) if code == "f" else float(value)

    def text(self, at: int, size: int) -> str:
        """The text at an offset, up to its first NUL."""
        self.need(at, size, "its header")
        return decode(self.data[at : at + min(size, _LONGEST_TEXT)].partition(b"\0")[0]).strip()

    def held(self, at: int, count: int, size: int) -> int:
        """How many of `count` records of `size` bytes from `at` the file holds."""
        return max(0, min(count, (len(self.data) - at) // size))

    def column(self, code: str, at: int, count: int, size: int, inside: int = 0) -> NDArray[np.float64]:
        """One number of each of `count` records of `size` bytes from `at`, `inside` bytes into the record."""
        held = self.held(at, count, size)
        if held < count:
            raise self.source.damaged(f"it holds {held} of the {count} points its header promises")
        record = np.dtype({"names": ["value"], "formats": [f"<{code}"], "offsets": [inside], "itemsize": size})
        with np.errstate(invalid="ignore"):  # signalling NaN; values are judged where their meaning is known
            values: NDArray[np.float64] = np.frombuffer(self.data, record, count, at)["value"].astype(np.float64)
        return values

    def unread(self, at: int) -> list[str]:
        """The warning about bytes behind the last range, or none."""
        rest = len(self.data) - at
        return [f"{rest} bytes after the last range were not read"] if rest > 0 else []


def stepped_axis(
    source: Source, kind: str, start: float, step: float, count: int, where: str = ""
) -> NDArray[np.float64]:
    """Positions in equal steps, refused where no instrument can have been."""
    if not step > 0 or not _reachable(kind, start, start + step * (count - 1)):
        raise source.damaged(f"{where}{count} points from {start:g} in steps of {step:g} cannot be {kind}")
    return start + step * np.arange(count, dtype=np.float64)


def measured_axis(source: Source, kind: str, x: NDArray[np.float64], where: str = "") -> NDArray[np.float64]:
    """Positions as they were measured, refused where no instrument can have been."""
    if not _reachable(kind, float(x.min()), float(x.max())):
        raise source.damaged(f"{where}positions from {x.min():g} to {x.max():g} cannot be {kind}")
    return x


def _reachable(kind: str, low: float, high: float) -> bool:
    furthest = _FURTHEST.get(kind, _FURTHEST_TURN) * (1 + 1e-9)
    return -furthest <= low and high <= furthest


def intensity_unit(source: Source, y: NDArray[np.float64], notes: list[str], where: str = "") -> str:
    """``counts`` where all are whole and none is negative; numbers that no detector gives are refused."""
    bad = np.count_nonzero(~(np.abs(y) < _MOST_COUNTS))
    if bad:
        raise source.damaged(f"{where}{bad} of {y.size} intensities are not finite or beyond {_MOST_COUNTS:g}")
    if (y >= 0).all() and (y == np.rint(y)).all():
        return "counts"
    low = f", down to {y.min():g}" if y.min() < 0 else ""
    notes.append(f"{where}the intensities are not whole counts{low}: the data were processed before they were saved")
    return "unknown"


def tube(one: float, two: float, ratio: float | None, anode: str | None, notes: list[str]) -> Radiation | None:
    """The radiation that a header gives as Kα1, Kα2 [angstrom] and Kα2/Kα1, or None."""
    if not one > 0:
        return None
    try:
        return Radiation.doublet(one, two, ratio, anode)
    except AxisError as problem:
        notes.append(f"the wavelengths of the header ({one:g} and {two:g}) are not used: {problem.why}")
        return None


def element(text: str) -> str | None:
    """An element symbol in the usual spelling: ``CU`` -> ``Cu``; None for anything else."""
    match = re.match(r"[A-Za-z]{1,2}(?![A-Za-z])", text.strip())
    return match[0].capitalize() if match else None


def known(values: dict[str, float], *unset: float) -> dict[str, float]:
    """The values that are finite and none of the marks for 'not set'."""
    return {name: value for name, value in values.items() if np.isfinite(value) and value not in unset}


def date_of(text: str, *patterns: str) -> str:
    """A date whose order the format lays down, in ISO 8601 by the first of these `strptime` patterns that fits.

    Where none fits (programs that convert files get the order wrong), the text as the file has it.
    """
    for pattern in patterns:
        try:
            return datetime.strptime(text.strip(), pattern).isoformat()  # local time, as instruments write it
        except ValueError:
            continue
    return text.strip()
