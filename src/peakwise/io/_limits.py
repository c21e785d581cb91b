"""How much of a stranger's file is read. One place, so that no reader invents its own bound."""

from __future__ import annotations

from peakwise.errors import LimitError

__all__ = ["MAX_BYTES", "MAX_POINTS", "MAX_SCANS", "check_limit"]

MAX_BYTES = 1 << 30  # of a whole file in memory, after decompression; also of all members of a zip together
MAX_POINTS = 1 << 28  # intensities of one file (2 GiB as float64)
MAX_SCANS = 200_000  # scans of one file

_NAMES = {"bytes": MAX_BYTES, "points": MAX_POINTS, "scans": MAX_SCANS}


def check_limit(value: int, of: str, what: str, file: object) -> int:
    """Return `value`, or refuse when it is more than is read without being asked.

    `of` is ``bytes``, ``points`` or ``scans``; `what` names the thing in the message.
    """
    if value > _NAMES[of]:
        raise LimitError(
            "cannot read the file",
            f"{what} has {value} {of}, at most {_NAMES[of]} are read",
            "Split the file, or convert it to HDF5 with its own software",
            file=str(file),
        )
    return value
