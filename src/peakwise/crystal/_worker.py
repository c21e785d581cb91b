"""Another Python that examines CIFs: requests on stdin, one JSON line an answer on stdout.

A plain child process rather than `multiprocessing`: that one runs the user's script again unless the script guards
against it, or forks a process that may hold threads. A request is two lengths (name, content; 8 bytes each) and both;
zero ends.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from typing import IO, TYPE_CHECKING

from peakwise.crystal._clinic import examine_cif
from peakwise.crystal._store import pack_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Worker", "serve"]

_HEAD = struct.Struct("<QQ")
_START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from peakwise.crystal._worker import serve; serve()"


def serve(source: IO[bytes] | None = None, target: IO[bytes] | None = None) -> None:
    """Answer requests until the other side has no more."""
    requests, answers = source or sys.stdin.buffer, target or sys.stdout.buffer
    while True:
        head = requests.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        n_name, n_data = _HEAD.unpack(head)
        name = os.fsdecode(requests.read(n_name))
        answers.write(pack_rows(examine_cif((name, requests.read(n_data)))) + b"\n")
        answers.flush()


class Worker:
    """The parent's side of one such process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter with a constant program
            [sys.executable, "-c", _START, json.dumps(sys.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def examine(self, files: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """Packed rows of some files, in order. Raises OSError where the process is gone."""
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:
            raise OSError("no pipe")
        lines: list[bytes] = []
        for name, data in files:
            label = os.fsencode(name)
            requests.write(_HEAD.pack(len(label), len(data)) + label + data)
            requests.flush()
            line = answers.readline()
            if not line.endswith(b"\n"):
                raise OSError("the worker ended")
            lines.append(line[:-1])
        return lines

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()
