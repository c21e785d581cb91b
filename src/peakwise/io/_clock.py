"""When the scans of one file were measured, relative to the first of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.io._scan import Scan

__all__ = ["tell_time"]


def tell_time(scans: Sequence[Scan]) -> None:
    """Give each scan its `time` [s] since the first one, where there are several and each has an ISO 8601 date.

    >>> from peakwise.io import Scan
    >>> two = [Scan([1], [1], meta={"date": f"2024-05-06T07:0{i}:00Z"}) for i in range(2)]
    >>> tell_time(two)
    >>> [scan.meta["time"] for scan in two]
    [0.0, 60.0]
    """
    starts = [_moment(scan.meta.get("date")) for scan in scans]
    known = [t for t in starts if t is not None]
    if len(known) < 2 or len(known) < len(starts) or len({t.tzinfo is None for t in known}) > 1:
        return
    for scan, t in zip(scans, known, strict=True):
        scan.meta["time"] = (t - known[0]).total_seconds()


def _moment(stamp: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(stamp))
    except ValueError:
        return None
