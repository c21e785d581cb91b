"""Plain text tables: a stand-in until the reader of every dialect lands."""

from __future__ import annotations

import numpy as np

from peakwise.io._scan import Format, Scan
from peakwise.io._source import Source


def _sniff(source: Source) -> bool:
    return b"\0" not in source.head and bool(source.head.strip())


def _read(source: Source) -> list[Scan]:
    rows = np.array([[float(v) for v in line.split()] for line in source.text.splitlines() if line[:1].isdigit()])
    return [Scan(rows[:, 0], rows[:, 1])]


TEXT = Format("text", "plain text tables", (".xy", ".xye", ".txt", ".dat", ".csv"), _sniff, _read)
