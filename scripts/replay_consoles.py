"""Markdown whose ``console`` blocks hold what their commands print now, run on a copy of `examples/`."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDTH = 100

_CONSOLE = re.compile(r"^(?P<fence>`{3,})console\n(?P<body>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE)


def with_outputs(text: str) -> str:
    """The text with what its ``$ peakwise`` commands print now; one folder per text, so that they may build up."""
    if not _CONSOLE.search(text):
        return text
    with tempfile.TemporaryDirectory() as folder:
        _furnish(Path(folder))
        return _CONSOLE.sub(lambda block: _replayed(block, folder), text)


def _furnish(folder: Path) -> None:
    """What the commands find: the examples, and two things that go wrong."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    shutil.copytree(ROOT / "examples" / "series", folder / "night")
    (folder / "night" / "empty.xy").write_bytes(b"")
    (folder / "night" / "notes.txt").write_text("sample slipped after 4 am")
    (folder / "scan_17.raw").write_bytes(b"RAW1.01\0" + bytes(100))  # a Bruker RAW that ends within its header


def _replayed(block: re.Match[str], folder: str) -> str:
    commands = [line for line in block["body"].splitlines() if line.startswith("$ ")]
    if not all(line.startswith("$ peakwise ") for line in commands):
        return block[0]
    outputs = "".join(f"{line}\n{_output(line[2:], folder)}" for line in commands)
    return f"{block['fence']}console\n{outputs}{block['fence']}"


def _output(line: str, folder: str) -> str:
    words = shlex.split(line)[1:]
    done = subprocess.run(
        [sys.executable, "-m", "peakwise", *words],
        cwd=folder,
        env={**os.environ, "PYTHONUTF8": "1", "COLUMNS": str(WIDTH), "PEAKWISE_CACHE": str(Path(folder, ".cache"))},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    printed = (done.stdout + done.stderr).replace(f"{Path(folder).resolve()}{os.sep}", "")  # as if run where they are
    lines = [line.rstrip() for line in printed.splitlines()]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
    return f"{text}\n" if text else ""
