"""Load a folder, zip or tar of CIFs into a library, cold and from the cache, and print the times as a Markdown table.

.venv/bin/python scripts/measure_library.py CIFS [D_MIN]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

ONE_ROUND = """
import sys, time, resource
start = time.perf_counter()
from peakwise.crystal import PhaseLibrary
library = PhaseLibrary.from_folder(sys.argv[1])
loaded = time.perf_counter()
library.compile(float(sys.argv[2]))
done = time.perf_counter()
peak = max(resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 2**20
refused = [row for row in library.rows if not row.usable]
print(f"{len(library)} {len(refused)} {loaded - start:.2f} {done - loaded:.2f} {peak:.2f}")
"""


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    source, d_min = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "1.1"
    print("| round | phases | refused | load [s] | reflections [s] | peak memory [GB] |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as cache:
        for name in ("cold", "from cache"):
            environment = {**os.environ, "PEAKWISE_CACHE": cache}
            done = subprocess.run(
                [sys.executable, "-c", ONE_ROUND, source, d_min],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            print(f"| {name} | {' | '.join(done.stdout.split())} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
