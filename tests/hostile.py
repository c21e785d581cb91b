"""Files of strangers: mutations of valid ones, and a process of its own in which they are read.

A damaged file may crash a library written in C, take all memory or never end. So it is read in a worker process that
tells afterwards how it went; one that dies or falls silent is a finding, not the end of the test run.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import struct
import subprocess
import sys
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from hypothesis import strategies as st

__all__ = ["Worker", "mutate", "mutations"]

MOST_MEMORY = 1 << 20  # KiB that the worker may grow by while it reads one file
# HDF5 takes the length of an attribute's text (u32) on trust, and only then finds that its heap does not hold it.
MOST_MEMORY_OF_HDF5 = 5 << 20
MOST_ADDRESSES = 6 << 30  # bytes of address space: saves the machine, not the test
LONGEST = 5.0  # seconds for one file

# ---- mutations ---------------------------------------------------------------------------------------------------

NUMBER = re.compile(rb"\d+")
WILD_TEXTS = (b"1e308", b"-1", b"0", b"999999999999", b"nan", b"inf", b"4294967296", b"1e-300", b"-1e300", b"", b"2,5")
WILD_BYTES = (
    b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x00\x00\x00\x00", b"\x00\x00\x80\x7f",
    b"\x00\x00\xc0\x7f", struct.pack("<d", 1e300), struct.pack("<d", float("nan")), struct.pack("<I", 1 << 28),
    b"\xff" * 8,
)  # fmt: skip

places = st.floats(0, 1, exclude_max=True)
one_mutation = st.one_of(
    st.tuples(st.just("cut"), places),
    st.tuples(st.just("flip"), places, st.integers(1, 255)),
    st.tuples(st.just("zero"), places, st.integers(1, 600)),
    st.tuples(st.just("insert"), places, st.binary(min_size=1, max_size=20)),
    st.tuples(st.just("double"), places, st.integers(1, 600), st.integers(1, 40)),
    st.tuples(st.just("remove"), places, st.integers(1, 300)),
    st.tuples(st.just("digits"), places, places),
    st.tuples(st.just("number"), places, st.sampled_from(WILD_TEXTS)),
    st.tuples(st.just("bytes"), places, st.sampled_from(WILD_BYTES)),
)
mutations = st.lists(one_mutation, min_size=1, max_size=6)


def mutate(data: bytes, steps: list[tuple[Any, ...]]) -> bytes:
    """Damaged bytes; of a zip archive every second time those of a member, packed again with a right checksum."""
    if data[:4] == b"PK\x03\x04" and steps[0][1] < 0.7:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        names = [n for n in members if members[n]]
        chosen = names[int(steps[0][1] / 0.7 * len(names))]
        members[chosen] = _apply(members[chosen], steps)
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return packed.getvalue()
    return _apply(data, steps)


def _apply(data: bytes, steps: list[tuple[Any, ...]]) -> bytes:
    for what, place, *rest in steps:
        at = int(place * len(data))
        if what == "cut":
            data = data[:at]
        elif what == "flip" and data:
            data = data[:at] + bytes([data[at] ^ rest[0]]) + data[at + 1 :]
        elif what == "zero":
            data = data[:at] + bytes(min(rest[0], len(data) - at)) + data[at + rest[0] :]
        elif what == "insert":
            data = data[:at] + rest[0] + data[at:]
        elif what == "double":
            data = data[:at] + data[at : at + rest[0]] * rest[1] + data[at:]
        elif what == "remove":
            data = data[:at] + data[at + rest[0] :]
        elif what == "bytes":
            data = data[:at] + rest[0] + data[at + len(rest[0]) :]
        elif what in ("digits", "number"):
            found = NUMBER.search(data, at) or NUMBER.search(data)
            if found is None:
                continue
            if what == "number":
                data = data[: found.start()] + rest[0] + data[found.end() :]
            else:
                other = NUMBER.search(data, int(rest[0] * len(data))) or found
                first, second = sorted((found, other), key=lambda m: m.start())
                if first.end() <= second.start():
                    data = (
                        data[: first.start()]
                        + second[0]
                        + data[first.end() : second.start()]
                        + first[0]
                        + data[second.end() :]
                    )
    return data


# ---- the worker --------------------------------------------------------------------------------------------------


class Worker:
    """A process that reads files; started again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._said: IO[str] | None = None

    def read(self, path: Path) -> dict[str, Any]:
        """How it went: ``problem`` (None where all is well), ``format``, ``error`` and a line for each pattern."""
        process = self._running()
        process.stdin.write(json.dumps(str(path)) + "\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as waiting:
            waiting.register(process.stdout, selectors.EVENT_READ)
            if not waiting.select(4 * LONGEST):
                self.close()
                return {"problem": f"no answer after {4 * LONGEST} s"}
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            self._said.seek(0)
            told = self._said.read()[-2000:]
            self.close()
            return {"problem": f"the reading process died with {code}: {told}"}
        return json.loads(line)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - a pipe would fill up and hold the process
            quiet = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                [sys.executable, "-B", "-X", "faulthandler", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self._said, text=True, env=quiet,
            )  # fmt: skip
        return self._process

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._said.close()
            self._process = None


WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.rename", "os.remove", "os.mkdir", "subprocess.Popen",
             "socket.connect", "os.link", "os.symlink", "os.truncate", "pickle.find_class")  # fmt: skip


def _watch(done: list[str]) -> None:
    """Note whatever is written, started or fetched by Python while a file is read."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        wrote = event == "open" and isinstance(args[2], int) and args[2] & WRITES and args[0] != os.devnull
        if wrote or event in FORBIDDEN:
            done.append(f"{event} {args[:2]}")

    sys.addaudithook(hook)


def _serve() -> None:
    import resource
    import time
    import traceback
    import warnings

    import fabio  # noqa: F401 - what libraries do while they are imported is not the reader's doing
    import gemmi  # noqa: F401
    import h5py  # noqa: F401
    import numpy as np
    import pyFAI.integrator.azimuthal  # noqa: F401
    import zarr

    import peakwise as pw

    zarr.open_group(zarr.storage.MemoryStore())  # its codecs ask the machine for its name
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("error")
    done: list[str] = []
    _watch(done)
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        path = Path(json.loads(line))
        problem, told = None, {}
        before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        done.clear()
        try:
            for one in pw.read_each(path):
                told = {"format": one.format, "error": None if one.error is None else str(one.error)}
                if (one.error is None) != bool(one.patterns):
                    problem = "neither patterns nor an error"
                told["patterns"] = [repr(p) for p in one.patterns]
                for p in one.patterns:
                    problem = problem or _nonsense(p, np)
        except BaseException:  # noqa: BLE001 - whatever it is, it must not have come through the door
            problem = traceback.format_exc()[-3000:]
        seconds = time.perf_counter() - start
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        if seconds > LONGEST:
            problem = f"took {seconds:.1f} s"
        hdf5 = path.is_file() and path.read_bytes()[:4] == b"\x89HDF"
        if grown > (MOST_MEMORY_OF_HDF5 if hdf5 else MOST_MEMORY):
            problem = f"took {grown / 1024:.0f} MiB"
        if done:
            problem = f"did what a reader must not do: {done[:3]}"
        answers.write(json.dumps({"problem": problem, "seconds": seconds, **told}) + "\n")
        answers.flush()


def _nonsense(p: Any, np: Any) -> str | None:
    """What no instrument can have measured, however it came about."""
    if not np.isfinite(p.axis).all() or not (np.diff(p.axis) > 0).all():
        return f"the axis is not finite or does not rise: {p!r}"
    if p.kind == "two_theta" and (p.axis[0] < -36_000 or p.axis[-1] > 36_000):
        return f"no angle in any unit: {p!r}"
    if p.wavelength is not None and not 1e-3 < p.wavelength < 1e3:
        return f"an impossible wavelength: {p!r}"
    if np.isinf(p.intensity).any():
        return f"infinite intensities: {p!r}"
    return None


if __name__ == "__main__":
    _serve()
