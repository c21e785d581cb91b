"""Damaged files of every format: each gives patterns or one clear error, soon, in little memory, and does nothing else.

The short run is the same every time; the long one (``pytest -m long``) goes on from there with new damage.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conftest import REAL_DATA
from hostile import Worker, mutate, mutations
from samples import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BIGGEST = 2_000_000  # bytes of a real file
REAL = sorted(
    str(p.relative_to(REAL_DATA))
    for p in (REAL_DATA / "formats").rglob("*")
    if p.is_file() and p.name not in ("README.md", "manifest.csv") and p.stat().st_size < BIGGEST
)

# Not shrunk: where damage makes a reader hang, every step of that would cost seconds.
COMMON = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
SHORT = settings(COMMON, max_examples=30, derandomize=True)
FEW = settings(COMMON, max_examples=6, derandomize=True)
LONG = settings(COMMON, max_examples=400)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    process = Worker()
    yield process
    process.close()


def attack(worker: Worker, path: Path, content: bytes, how: settings) -> None:
    """Damage a file again and again and have it read."""

    @how
    @given(steps=mutations)
    def one(steps) -> None:
        path.write_bytes(mutate(content, steps))
        answer = worker.read(path)
        assert answer["problem"] is None, f"{path.name} after {steps}: {answer['problem']}"

    one()


def attack_sample(worker: Worker, name: str, folder: Path, how: settings) -> None:
    path = SAMPLES[name](folder)
    if path.is_file():
        attack(worker, path, path.read_bytes(), how)
        return
    parts = {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}

    @how
    @given(which=st.sampled_from(sorted(parts)), steps=mutations)
    def one(which, steps) -> None:
        (path / which).write_bytes(mutate(parts[which], steps))
        answer = worker.read(path)
        (path / which).write_bytes(parts[which])
        assert answer["problem"] is None, f"{which} after {steps}: {answer['problem']}"

    one()


@pytest.mark.parametrize("name", SAMPLES)
def test_damaged_samples(name, worker, tmp_path):
    attack_sample(worker, name, tmp_path, SHORT)


@pytest.mark.parametrize("file", REAL)
def test_damaged_real_files(file, worker, tmp_path, real_data):
    path = tmp_path / file.rsplit("/", 1)[-1]
    attack(worker, path, (real_data / file).read_bytes(), FEW)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", SAMPLES)
def test_many_damaged_samples(name, worker, tmp_path):
    attack_sample(worker, name, tmp_path, LONG)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("file", REAL)
def test_many_damaged_real_files(file, worker, tmp_path, real_data):
    path = tmp_path / file.rsplit("/", 1)[-1]
    attack(worker, path, (real_data / file).read_bytes(), settings(LONG, max_examples=100))


def test_the_worker_tells_what_it_should(worker, tmp_path, monkeypatch):
    """That a crash, a hang and an escaped exception are noticed."""
    path = SAMPLES["text xy"](tmp_path)
    assert worker.read(path)["format"] == "text"
    assert worker.read(path)["patterns"]
    (tmp_path / "folder").mkdir()
    assert "holds no file" in worker.read(tmp_path / "folder")["error"]
    shutil.rmtree(tmp_path / "folder")
    worker._running().send_signal(11)
    assert "died with -11" in worker.read(path)["problem"]
    assert worker.read(path)["problem"] is None
