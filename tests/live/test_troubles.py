"""Streams in trouble: frames, axes, folders and disks that fail. Each is told, the stream goes on, nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from live.totals import Total, lines, text
from peakwise.errors import WriteError
from peakwise.live import FolderSource, JsonLines, LineStream, Monitor
from peakwise.patterns import Patterns

X = np.linspace(10, 60, 200)


def source_of(folder, out, **options):
    options = {"settle": 0.05, "axis": "two_theta", "patience": 1.0, "ignore": [out], **options}
    return FolderSource(folder, journal=f"{out}.journal", **options)


def meanwhile(*steps):
    """Do things one after the other, each after its time [s], in a thread."""

    def do():
        for wait, step in steps:
            time.sleep(wait)
            step()

    made = threading.Thread(target=do)
    made.start()
    return made


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "scans"
    made.mkdir()
    return made


# ---------- frames and axes ----------


def test_nan_frames_and_a_changed_axis_do_not_end_a_stream():
    rows = np.ones((4, X.size))
    rows[1, 3] = np.nan
    stream = [*Patterns(X, rows, names=list("abcd")), Patterns(X[:50], np.ones(50), names=["e"]), Patterns(X, rows[0])]
    warned, taken = [], []
    report = Monitor(Total(), warn=warned.append).run(stream, LineStream(lambda line: taken.append(json.loads(line))))
    assert [row.get("answer") for row in taken] == [200, None, 200, 200, 50, 200]
    assert taken[1]["failed"] == "ValueError: NaN in the pattern"
    assert (report["answered"], report["failed"]) == (5, 1)
    assert [w for w in warned if "axis changes at e: 50 points" in w]


Q = np.linspace(1.5, 5, 400)


def lines_at(*at):
    return sum(400 * np.exp(-(((Q - a) / 0.02) ** 2)) for a in at) + 20


@pytest.fixture(scope="module")
def detector():
    from peakwise.estimators import (
        NoveltyDetector,
    )  # not at the top: a process that is started here reads this file too

    counts = np.random.default_rng(0).poisson([lines_at(2.5, 3.8)] * 60)
    return NoveltyDetector(false_alarm=0.05).fit(Patterns(Q, counts, "q", unit="counts"))


def test_a_model_goes_on_through_nan_frames_other_grids_and_other_axes(detector):
    rng = np.random.default_rng(1)

    def frame(name, clean=None):
        return Patterns(
            Q, rng.poisson(lines_at(2.5, 3.8) if clean is None else clean), "q", unit="counts", names=[name]
        )

    broken = np.where(np.arange(Q.size) == 99, np.nan, frame("x").intensity[0])
    stream = [
        frame("good"),
        Patterns(Q, broken, "q", unit="counts", names=["nan"]),
        Patterns(Q, np.full(Q.size, np.nan), "q", unit="counts", names=["all nan"]),
        Patterns(Q, np.zeros(Q.size), "q", unit="counts", names=["empty"]),
        frame("angles").to_axis("two_theta", wavelength=0.5),
        frame("finer").resample(np.linspace(1.4, 5.1, 900), fill=20.0),
        frame("short").resample(np.linspace(2, 4, 200)),
        Patterns(np.linspace(5, 20, 400), frame("x").intensity[0], "energy", names=["energy"]),
        frame("new", lines_at(2.5, 3.8, 3.1)),
        frame("again"),
    ]
    taken, warned = [], []
    report = Monitor(detector, warn=warned.append).run(stream, LineStream(lambda line: taken.append(json.loads(line))))
    assert [row["scan"] for row in taken] == [str(p.names[0]) for p in stream]
    told = {row["scan"]: row.get("novel", row.get("failed")) for row in taken}
    assert {name: told[name] for name in ("good", "angles", "finer", "again")} == dict.fromkeys(
        ("good", "angles", "finer", "again"), False
    )
    assert told["new"] is True
    for name, why in {
        "nan": "NaN|finite",
        "all nan": "NaN|finite",
        "short": "from 1.5 to 5",
        "energy": "scattering angle",
    }.items():
        assert any(part in str(told[name]) for part in why.split("|")), told[name]
    assert (report["answered"], report["failed"]) == (6, 4)
    assert len([w for w in warned if "the axis changes at" in w]) == 5


def test_an_axis_that_changes_to_and_fro_is_told_once_each_way():
    one, other = Patterns(X, np.ones(X.size)), Patterns(X[:50], np.ones(50))
    warned = []
    Monitor(Total(), warn=warned.append).run([one, other] * 20)
    assert len(warned) == 2


def test_a_wavelength_that_changes_is_told():
    stream = [Patterns(X, np.ones(X.size), wavelength=light, names=[f"s{light}"]) for light in (0.5, 0.7)]
    warned = []
    Monitor(Total(), warn=warned.append).run(stream)
    assert "the wavelength was 0.5 and is 0.7 angstrom" in warned[0]


def test_a_stream_that_stops_is_told_once_and_awaited(folder, tmp_path):
    (folder / "a.xy").write_text(text(1))
    out, warned = tmp_path / "out.jsonl", []
    late = meanwhile((1.6, lambda: (folder / "b.xy").write_text(text(2))))
    monitor = Monitor(Total(), warn=warned.append)
    monitor.run(source_of(folder, out), JsonLines(out), seconds=2.4, idle=0.4)
    late.join()
    assert [row["answer"] for row in lines(out)] == [200, 400]
    told = [w for w in warned if "no scan has come" in w or "goes on" in w]
    assert [w.split(" for ")[0].split(" after ")[0] for w in told[:2]] == ["no scan has come", "the stream goes on"]
    assert len(told) <= 3  # it may stop again before the end


# ---------- folders ----------


def test_a_folder_that_disappears_is_awaited(tmp_path, folder):
    (folder / "a.xy").write_text(text(1))
    aside = tmp_path / "aside"

    def move():
        time.sleep(0.8)
        folder.rename(aside)
        time.sleep(0.6)
        folder.mkdir()
        (folder / "b.xy").write_text(text(2))

    mover = threading.Thread(target=move)
    mover.start()
    out, warned = tmp_path / "out.jsonl", []
    Monitor(Total(), warn=warned.append).run(source_of(folder, out), JsonLines(out), seconds=3.0)
    mover.join()
    assert [Path(row["scan"]).name for row in lines(out)] == ["a.xy", "b.xy"]
    told = [w.removeprefix(f"the folder {folder} is ") for w in warned if w.startswith("the folder")]
    assert told == ["not there any more: waiting for it", "there again"]


def test_answers_in_a_folder_that_is_made_anew_come_to_the_new_one(folder, tmp_path):
    out, warned = folder / "out.jsonl", []
    (folder / "a.xy").write_text(text(1))
    aside = tmp_path / "aside"

    def anew():
        folder.mkdir()
        (folder / "b.xy").write_text(text(2))

    mover = meanwhile((0.8, lambda: folder.rename(aside)), (0.5, anew))
    source = source_of(folder, out)
    Monitor(Total(), warn=warned.append).run(source, JsonLines(out), seconds=3)
    mover.join()
    assert [row["answer"] for row in lines(aside / "out.jsonl")] == [200]
    assert [row["answer"] for row in lines(out)] == [400]
    assert f"{out} was moved or deleted: a new one was begun" in warned
    again = source_of(folder, out, once=True)
    Monitor(Total()).run(again, JsonLines(out))
    assert len(lines(out)) == 1


def test_a_folder_that_is_away_and_comes_back_repeats_nothing(folder, tmp_path):
    out = tmp_path / "out.jsonl"
    for i in range(3):
        (folder / f"s{i}.xy").write_text(text(i))
    aside = tmp_path / "aside"
    mover = meanwhile(
        (0.8, lambda: folder.rename(aside)),
        (0.4, lambda: (aside / "s3.xy").write_text(text(3))),
        (0.1, lambda: aside.rename(folder)),
    )
    Monitor(Total()).run(source_of(folder, out), JsonLines(out), seconds=3)
    mover.join()
    assert [Path(row["scan"]).name for row in lines(out)] == [f"s{i}.xy" for i in range(4)]


# ---------- the file of answers ----------


def test_a_file_that_cannot_be_written_is_one_clear_error_and_leaves_nothing(folder, tmp_path):
    for target, why in (
        (tmp_path / "none" / "out.jsonl", "No such file or directory"),
        (folder, "Is a directory"),
        (Path("/dev/full"), "it is not a file"),
    ):
        if not target.exists() and why == "it is not a file":
            continue
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(WriteError, match=why) as told:
            JsonLines(target)
        assert str(target) in str(told.value)
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_without_permission_to_write_it_is_one_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(WriteError, match="Permission denied"):
            JsonLines(tmp_path / "out.jsonl")
    finally:
        tmp_path.chmod(0o700)


def test_a_journal_that_cannot_be_written_ends_the_run_before_it_begins(folder, tmp_path):
    out = tmp_path / "out.jsonl"
    (tmp_path / "out.jsonl.journal").mkdir()
    with pytest.raises(WriteError, match="Is a directory"):
        Monitor(Total()).run(source_of(folder, out, once=True), JsonLines(out))
    JsonLines(out).close()  # it was let go


FULL = """
import json, resource, sys, threading, time
import numpy as np
sys.path.insert(0, sys.argv[3])
from live.test_troubles import source_of
from live.totals import Total
from pathlib import Path
from peakwise.live import JsonLines, Monitor
from peakwise.errors import WriteError
folder, out, limit, later = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[4]), float(sys.argv[5])
# No file of this process may grow beyond the limit: writes come short and then fail, as on a full disk.
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
def room():
    time.sleep(later)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
if later:
    threading.Thread(target=room, daemon=True).start()
warned = []
try:
    report = Monitor(Total(), warn=warned.append).run(source_of(folder, out), JsonLines(out), seconds=2.0)
    said = report["answered"]
except WriteError as problem:
    said = str(problem)
print(json.dumps([said, warned]))
"""


def full(folder, out, limit, later):
    here = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(folder), str(out), here, str(limit), str(later)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files there")
def test_a_full_disk_that_has_room_again_loses_and_repeats_nothing(folder, tmp_path):
    out, n = tmp_path / "out.jsonl", 30
    for i in range(n):
        (folder / f"s{i:02d}.xy").write_text(text(i))
    said, warned = full(folder, out, 1000, 1.0)
    assert said == n
    assert [Path(row["scan"]).name for row in lines(out)] == [f"s{i:02d}.xy" for i in range(n)]
    assert [row["answer"] for row in lines(out)] == [200 * i for i in range(n)]
    assert len([w for w in warned if "are kept and tried again" in w]) == 1
    assert len([w for w in warned if "can be written again" in w]) == 1
    Monitor(Total()).run(source_of(folder, out, once=True), JsonLines(out))
    assert len(lines(out)) == n


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of files there")
def test_a_disk_that_stays_full_is_one_error_and_the_next_run_answers_the_rest(folder, tmp_path):
    out, n = tmp_path / "out.jsonl", 30
    for i in range(n):
        (folder / f"s{i:02d}.xy").write_text(text(i))
    said, _ = full(folder, out, 1000, 0)
    whole = out.read_bytes().count(b"\n")
    assert 0 < whole < n
    assert len(out.read_bytes()) == 1000, "half a line stands at the end"
    assert f"{n - whole} answers are not in it" in said
    assert str(out) in said
    Monitor(Total()).run(source_of(folder, out, once=True), JsonLines(out))
    assert [Path(row["scan"]).name for row in lines(out)] == [f"s{i:02d}.xy" for i in range(n)]


def test_a_disk_that_is_full_for_long_stops_the_stream_and_drops_no_file(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("peakwise.live._sinks._MOST_KEPT", 4)
    out, n = tmp_path / "out.jsonl", 20
    for i in range(n):
        (folder / f"s{i:02d}.xy").write_text(text(i))
    monitor = Monitor(Total(), capacity=3)
    sink, source = JsonLines(out), source_of(folder, out)
    truly, fails = os.write, [True]

    def write(file, data):
        if fails[0] and data.startswith(b'{"scan": "' + str(folder).encode()):
            raise OSError(28, "No space left on device")
        return truly(file, data)

    monkeypatch.setattr(os, "write", write)
    seen = []
    watcher = meanwhile(
        (1.2, lambda: seen.append(monitor.report())), (0.0, lambda: fails.clear() or fails.append(False))
    )
    report = monitor.run(source, sink, seconds=4)
    watcher.join()
    assert 4 <= seen[0]["answered"] < n
    assert (report["answered"], report["dropped"]) == (n, 0)
    assert [Path(row["scan"]).name for row in lines(out)] == [f"s{i:02d}.xy" for i in range(n)]


def test_ctrl_c_ends_a_stream_whose_disk_is_full(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("peakwise.live._sinks._MOST_KEPT", 2)
    out = tmp_path / "out.jsonl"
    for i in range(9):
        (folder / f"s{i}.xy").write_text(text(i))
    sink, source = JsonLines(out), source_of(folder, out)

    def write(file, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("peakwise.live._lines.os.write", write)
    with pytest.raises(WriteError, match="No space left on device"):
        source.resume(())
    stopper = meanwhile((1.0, source.stop))
    source.resume = lambda scans: 0
    begin = time.monotonic()
    with pytest.raises(WriteError, match="answers are not in it"):
        Monitor(Total()).run(source, sink)
    stopper.join()
    assert time.monotonic() - begin < 5
