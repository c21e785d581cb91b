"""Read every set of measured data and print what was found and how long a scan took, as a Markdown table.

    PEAKWISE_DATA=folder .venv/bin/python scripts/measure_reading.py

Times are the best of three rounds over a set, after one round that imports and warms everything up.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from statistics import median

import peakwise as pw

ROUNDS = 3


def measure(folder: Path) -> str | None:
    paths = [one.file for one in pw.read_each(folder) if one.error is None]
    if not paths:
        return None
    best = dict.fromkeys(paths, float("inf"))
    for _ in range(ROUNDS):
        for path in paths:
            start = time.perf_counter()
            next(pw.read_each(path))
            best[path] = min(best[path], time.perf_counter() - start)
    found = [next(pw.read_each(path)) for path in paths]
    scans = [sum(len(p) for p in one.patterns) for one in found]
    points = sorted(p.n_points for one in found for p in one.patterns)
    kinds = Counter(str(one.format) for one in found)
    each = sorted(1e3 * best[path] / n for path, n in zip(paths, scans, strict=True))
    return (
        f"| {folder.name} | {len(paths)} | {sum(scans)} | {int(median(points))} | {', '.join(kinds)} "
        f"| {median(each):.1f} | {each[-1]:.1f} |"
    )


def main() -> int:
    warnings.simplefilter("ignore")
    root = Path(os.environ.get("PEAKWISE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not root.is_dir():
        print(f"no measured data at {root}: set PEAKWISE_DATA", file=sys.stderr)
        return 1
    print("| set | files | scans | points (median) | formats | ms a scan (median) | slowest |")
    print("| --- | ---: | ---: | ---: | --- | ---: | ---: |")
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        row = measure(folder)
        if row is not None:
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
