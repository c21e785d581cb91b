"""Streams: a real folder with slow writers, a process that is killed, a replay, and whatever goes wrong midway."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from live.totals import Total, lines, text
from peakwise.errors import NothingToReadError, OptionError, WriteError
from peakwise.io import read_each
from peakwise.live import FolderSource, JsonLines, LineStream, Monitor, ReplaySource
from peakwise.patterns import Patterns

X = np.linspace(10, 60, 200)


def follow(tmp_path, folder, *, warn=None, seconds=None, **options):
    out = tmp_path / "out.jsonl"
    options = {"settle": 0.15, "once": seconds is None, "axis": "two_theta", "patience": 1.0, **options}
    source = FolderSource(folder, journal=tmp_path / "out.journal", **options)
    report = Monitor(Total(), warn=warn).run(source, JsonLines(out), seconds=seconds)
    found = lines(out)
    assert all(row["scan"].startswith(f"{folder}/") for row in found)
    return report, [row | {"scan": row["scan"].removeprefix(f"{folder}/")} for row in found]


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "scans"
    made.mkdir()
    return made


METHODS = [
    pytest.param(True, id="poll"),
    pytest.param(
        False,
        id="told",
        marks=pytest.mark.skipif(find_spec("watchfiles") is None, reason="watchfiles is not installed"),
    ),
]


@pytest.mark.parametrize("poll", METHODS)
def test_slow_writers_are_awaited_and_each_file_has_one_answer(tmp_path, folder, poll):
    n = 8

    def write():
        for i in range(n):
            rows = text(i + 1).splitlines(keepends=True)
            with (folder / f"scan{i}.xy").open("w") as stream:
                for part in range(0, 200, 50):
                    stream.writelines(rows[part : part + 50])
                    stream.flush()
                    time.sleep(0.03)
            (folder / f".hidden{i}.xy").write_text(text(99))
            (folder / f"half{i}.xy.part").write_text(text(99))

    writer = threading.Thread(target=write)
    writer.start()
    report, found = follow(tmp_path, folder, poll=poll, seconds=3.5, settle=0.3)
    writer.join()
    assert {row["scan"]: row["answer"] for row in found} == {f"scan{i}.xy": 200.0 * (i + 1) for i in range(n)}
    assert len(found) == n == report["answered"]
    assert all(row["task"] == "regress" and row["latency_ms"] >= 0 for row in found)


def test_a_rerun_repeats_nothing_and_a_changed_file_is_a_revision(tmp_path, folder):
    for i in range(3):
        (folder / f"s{i}.xy").write_text(text(i))
    assert len(follow(tmp_path, folder)[1]) == 3
    os.utime(folder / "s0.xy")
    (folder / "s1.xy").write_text(text(7))
    (folder / "s3.xy").write_text(text(3))
    found = follow(tmp_path, folder)[1]
    assert [(r["scan"], r["answer"], r.get("revision")) for r in found[3:]] == [
        ("s1.xy", 1400, 2),
        ("s3.xy", 600, None),
    ]
    assert len(follow(tmp_path, folder)[1]) == 5


def answered(folder, out, **options):
    """The names that a run over a folder adds to the answers."""
    before = len(lines(out)) if out.exists() else 0
    source = FolderSource(folder, journal=f"{out}.journal", settle=0.05, once=True, axis="two_theta", **options)
    Monitor(Total()).run(source, JsonLines(out))
    return [(row["scan"], row.get("revision")) for row in lines(out)[before:]]


@pytest.mark.parametrize("given", ["scans", "./scans", "scans/", "{root}/scans", "scans/../scans/deep/.."], ids=str)
def test_scans_are_called_as_other_commands_call_them(tmp_path, folder, monkeypatch, given):
    (folder / "deep").mkdir()
    (folder / "a.xy").write_text(text(1))
    (folder / "deep" / "b.xy").write_text(text(2))
    monkeypatch.chdir(tmp_path)
    given = given.format(root=tmp_path)
    found = [name for name, _ in answered(given, tmp_path / "out.jsonl")]
    assert found == [one.file for one in read_each(given, axis="two_theta")]
    assert found[0] in {"scans/a.xy", f"{tmp_path}/scans/a.xy", "scans/../scans/deep/../a.xy"}


def test_a_rerun_knows_the_folder_however_it_is_called(tmp_path, folder, monkeypatch):
    out = tmp_path / "out.jsonl"
    for i in range(3):
        (folder / f"s{i}.xy").write_text(text(i))
    monkeypatch.chdir(tmp_path)
    assert answered("scans", out) == [(f"scans/s{i}.xy", None) for i in range(3)]
    # The last answer did not reach the journal, as after a kill.
    journal = tmp_path / "out.jsonl.journal"
    rows = journal.read_text().splitlines()
    journal.write_text("\n".join(row for row in rows if "s2.xy" not in row) + "\n")
    monkeypatch.chdir(folder)
    (folder / "s1.xy").write_text(text(9))
    assert answered(".", out) == [("s1.xy", 2)]
    assert answered(folder, out) == answered("../scans", out) == []
    # Everything is moved away: called as before, it is the same folder.
    monkeypatch.chdir(tmp_path)
    archive = tmp_path / "archive"
    archive.mkdir()
    for part in (folder, out, journal):
        part.rename(archive / part.name)
    monkeypatch.chdir(archive)
    assert answered("scans", archive / "out.jsonl") == []


def test_two_folders_with_the_same_names_share_one_file_of_answers(tmp_path, folder):
    other, out = tmp_path / "other", tmp_path / "out.jsonl"
    other.mkdir()
    for place in (folder, other):
        (place / "a.xy").write_text(text(1))
    assert answered(folder, out) == [(f"{folder}/a.xy", None)]
    assert answered(other, out) == [(f"{other}/a.xy", None)]
    assert answered(folder, out) == answered(other, out) == []


def test_without_a_journal_the_answers_tell_what_was_answered(tmp_path, folder):
    (folder / "a.xy").write_text(text(1))
    for n in (1, 1):
        source = FolderSource(folder, settle=0.05, once=True, axis="two_theta")
        Monitor(Total()).run(source, JsonLines(tmp_path / "out.jsonl"))
        assert len(lines(tmp_path / "out.jsonl")) == n


def test_a_torn_line_is_cut_and_its_scan_answered_again(tmp_path, folder):
    for i in range(3):
        (folder / f"s{i}.xy").write_text(text(i))
    follow(tmp_path, folder)
    out = tmp_path / "out.jsonl"
    whole = out.read_bytes()
    # As if the process had been killed within its last line: neither that line nor its place in the journal is whole.
    out.write_bytes(whole[:-20])
    header = json.dumps({"folder": str(folder), "at": str(folder)})
    (tmp_path / "out.journal").write_text(header + '\n{"scan": "s0.xy", "dig')
    found = follow(tmp_path, folder)[1]
    assert [row["scan"] for row in found] == ["s0.xy", "s1.xy", "s2.xy"]


def test_two_processes_do_not_write_the_same_answers(tmp_path):
    sink = JsonLines(tmp_path / "out.jsonl")
    with pytest.raises(WriteError, match="another process is writing it"):
        JsonLines(tmp_path / "out.jsonl")
    sink.close()


PROGRAM = """
import sys, time
sys.path.insert(0, sys.argv[3])
from live.totals import Total
from pathlib import Path
from peakwise.live import FolderSource, JsonLines, Monitor
class Slow(Total):
    def predict(self, patterns):
        time.sleep(0.01 * len(patterns))
        return super().predict(patterns)
folder, out = Path(sys.argv[1]), Path(sys.argv[2])
source = FolderSource(folder, journal=f"{out}.journal", settle=0.05, axis="two_theta")
Monitor(Slow()).run(source, JsonLines(out))
"""


@pytest.mark.parametrize("kills", [3, pytest.param(10, marks=pytest.mark.long)])
def test_kill_9_at_any_moment_loses_and_repeats_nothing(tmp_path, folder, kills):
    out, n, dice = tmp_path / "out.jsonl", 40 * kills, random.Random(5)
    at = [sys.executable, "-c", PROGRAM, str(folder), str(out), str(Path(__file__).parents[1])]
    stop, marks = threading.Event(), []

    def measure():
        for i in range(n):
            (folder / f"s{i:03d}.xy").write_text(text(i + 1, 50))
            if stop.wait(0.02):
                return

    def size():
        return out.stat().st_size if out.exists() else 0

    writer = threading.Thread(target=measure)
    writer.start()
    try:
        for kill in range(kills):
            running = subprocess.Popen(at)
            begin, started = size(), time.monotonic()
            # Every third dies wherever it is, maybe before its first answer, the others while they answer.
            while kill % 3 != 2 and size() <= begin and time.monotonic() < started + 20:
                time.sleep(0.005)
            time.sleep(dice.random() * (2.5 if kill % 3 == 2 else 0.25))
            running.send_signal(signal.SIGKILL)
            running.wait()
            marks.append(out.read_bytes().count(b"\n") if out.exists() else 0)
    finally:
        stop.set()
        writer.join()
    written = len(list(folder.iterdir()))
    source = FolderSource(folder, journal=f"{out}.journal", settle=0.05, once=True, axis="two_theta")
    Monitor(Total()).run(source, JsonLines(out))
    found = lines(out)
    assert len(set(marks)) > kills / 2, "killed while it answered"
    assert Counter(row["scan"] for row in found) == Counter(f"{folder}/s{i:03d}.xy" for i in range(written))
    assert all(row["answer"] == 50 * (int(row["scan"][-6:-3]) + 1) for row in found)
    assert not [row for row in found if "revision" in row]


def test_replay_at_100_a_second_drops_none_and_is_fast(tmp_path):
    patterns = Patterns(X, np.arange(150)[:, None] * np.ones((150, X.size)))
    out = tmp_path / "out.jsonl"
    report = Monitor(Total()).run(ReplaySource(patterns, rate=100, name="set"), JsonLines(out))
    found = lines(out)
    assert [row["scan"] for row in found] == [f"set#{i}" for i in range(150)]
    assert (report["answered"], report["dropped"], report["failed"]) == (150, 0, 0)
    assert report["latency_ms"]["p99"] >= report["latency_ms"]["p50"] > 0
    # 50 ms on a machine of its own; this one may be shared with anything.
    assert report["latency_ms"]["p50"] < 50
    assert 50 < report["rate"] < 110


def test_what_a_slow_model_cannot_take_is_dropped_and_counted():
    class Slow(Total):
        def predict(self, patterns):
            time.sleep(0.02 * len(patterns))
            return super().predict(patterns)

    taken = []
    patterns = Patterns(X, np.ones((60, X.size)))
    monitor = Monitor(Slow(), capacity=2)
    report = monitor.run(ReplaySource(patterns, rate=1000), LineStream(taken.append))
    assert report["dropped"] > 0
    assert report["answered"] + report["dropped"] == 60
    assert len(taken) == report["answered"]


def test_bad_files_are_told_and_the_stream_goes_on(tmp_path, folder):
    (folder / "good.xy").write_text(text(1))
    (folder / "bad.xy").write_text("this is no scan\n")
    (folder / "empty.xy").write_text("")
    warned = []
    report, found = follow(tmp_path, folder, warn=warned.append, patience=0.6)
    assert [row["scan"] for row in found] == ["good.xy", "bad.xy"]
    assert "it holds no table of at least three rows" in found[1]["failed"]
    assert (report["answered"], report["failed"]) == (1, 1)
    assert [w for w in warned if "empty.xy is not complete after 0.6 s (it is empty)" in w]
    assert len(follow(tmp_path, folder, patience=0.6)[1]) == 2, "told once"


def test_options_that_cannot_be_meant_are_refused(tmp_path):
    with pytest.raises(NothingToReadError, match="there is no such folder"):
        FolderSource(tmp_path / "none")
    with pytest.raises(OptionError, match="settle must be a time above 0"):
        FolderSource(tmp_path, settle=0)
    with pytest.raises(OptionError, match="rate must be above 0"):
        ReplaySource([], rate=0)
    with pytest.raises(OptionError, match="capacity must be a whole number"):
        Monitor(Total(), capacity=0)
    with pytest.raises(OptionError, match="must have judge, identify, update or predict"):
        Monitor(object())
    with pytest.raises(OptionError, match="idle must be a time above 0"):
        Monitor(Total()).run([], idle=0)
    with pytest.raises(OptionError, match="the scans have none"):
        Monitor(Total()).suggest(3)
