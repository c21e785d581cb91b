"""A real RunEngine with simulated detectors, in this process and over a 0MQ proxy on loopback."""

from __future__ import annotations

import json
import pickle
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from live.totals import Total
from peakwise.errors import OptionError
from peakwise.live import BlueskyDocuments, BlueskySource, LineStream, Monitor, dumps, loads

for _name in ("bluesky", "ophyd", "event_model", "msgpack", "zmq"):
    pytest.importorskip(_name, reason=f"{_name} is not installed: pip install 'peakwise[live]'", exc_type=ImportError)

pytestmark = pytest.mark.filterwarnings("ignore")  # of bluesky and ophyd, about themselves
N = 20
X = np.linspace(10, 80, 500)


def measure(take, n=N, bad=None):
    """A real scan: a motor moves, a detector gives 500 channels; the sums are 500 times the position + 1."""
    from bluesky import RunEngine
    from bluesky.plans import scan
    from ophyd.sim import SynSignal, det, motor

    def frame():
        rows = np.full(X.size, motor.position + 1.0)
        if bad is not None and round(motor.position) == bad:
            rows[7] = np.nan
        return rows

    engine = RunEngine({})
    engine.subscribe(take)
    engine(scan([det, SynSignal(name="spectrum", func=frame)], motor, 0, n - 1, n), axis=X.tolist(), wavelength=0.5)


def answer(source, seconds=30):
    taken, warned = [], []
    monitor = Monitor(Total(), warn=warned.append)
    report = monitor.run(source, LineStream(lambda line: taken.append(json.loads(line))), seconds=seconds)
    return report, taken, warned


def test_a_run_engine_in_this_process():
    source = BlueskySource(runs=1)
    measure(source, bad=3)
    report, taken, _ = answer(source)
    assert [row.get("answer") for row in taken] == [None if i == 3 else 500 * (i + 1) for i in range(N)]
    assert (report["answered"], report["failed"], report["dropped"]) == (N - 1, 1, 0)
    assert taken[4]["scan"].split("/")[1:] == ["primary", "5"]


def test_axis_and_wavelength_come_with_the_run():
    source = BlueskySource(runs=1, kind="two_theta")
    measure(source, n=2)
    first = next(iter(source))
    assert first.axis.tolist() == X.tolist()
    assert (first.kind, first.wavelength, first.meta["motor"][0]) == ("two_theta", 0.5, 0)


def _ports(n):
    held = [socket.socket() for _ in range(n)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


PROXY = """
import sys
from bluesky.callbacks.zmq import Proxy
Proxy("tcp://127.0.0.1:" + sys.argv[1], "tcp://127.0.0.1:" + sys.argv[2]).start()
"""


def test_over_a_proxy_on_loopback_and_no_pickle_is_opened():
    from bluesky.callbacks.zmq import Publisher

    inside, outside = _ports(2)
    proxy = subprocess.Popen([sys.executable, "-c", PROXY, str(inside), str(outside)])
    publisher = Publisher(f"127.0.0.1:{inside}", serializer=dumps)
    foreign = Publisher(f"127.0.0.1:{inside}", serializer=pickle.dumps)
    source = BlueskySource(address=f"tcp://127.0.0.1:{outside}", runs=2)
    done = []
    thread = threading.Thread(target=lambda: done.append(answer(source)))
    thread.start()
    try:
        # Who connects late misses what was sent before: a run without events shows when the way is open.
        until = time.monotonic() + 20
        while not source._ended and time.monotonic() < until:
            publisher("start", {"uid": "hello", "time": 0.0})
            publisher("stop", {"uid": "bye", "run_start": "hello"})
            time.sleep(0.2)
        source._ended = 1
        time.sleep(0.5)
        source._ended = 1
        foreign("start", {"uid": "evil"})
        time.sleep(0.3)
        measure(publisher)
        thread.join(30)
    finally:
        source.stop()
        thread.join(10)
        proxy.kill()
        proxy.wait()
        publisher.close()
        foreign.close()
    report, taken, warned = done[0]
    assert [row["answer"] for row in taken] == [500 * (i + 1) for i in range(N)]
    assert (report["dropped"], report["failed"]) == (0, 0)
    assert [w for w in warned if "no msgpack document" in w]


def test_answers_go_back_as_documents_that_bluesky_takes():
    import event_model

    source, sent = BlueskySource(runs=1), []
    measure(source, n=3)
    Monitor(Total()).run(source, BlueskyDocuments(lambda name, doc: sent.append((name, doc))), seconds=30)
    assert [name for name, _ in sent] == ["start", "descriptor", "event", "event", "event", "stop"]
    for name, document in sent:
        event_model.schema_validators[event_model.DocumentNames[name]].validate(document)
    assert json.loads(sent[4][1]["data"]["answer"])["answer"] == 1500


def test_documents_come_back_as_they_were_sent():
    document = {"data": {"a": np.arange(6.0).reshape(2, 3), "n": np.float64(2), "t": (1, "x")}, "ok": None}
    back = loads(dumps(document))
    assert back["data"]["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (back["data"]["n"], back["data"]["t"], back["ok"]) == (2.0, [1, "x"], None)
    with pytest.raises(ValueError, match="an array of object"):
        loads(dumps({"__nd__": True, "t": "|O", "s": [1], "d": b"12345678"}))


@pytest.mark.parametrize("address", ["tcp://*:5678", "127.0.0.1:5678", "ipc:///tmp/x", "tcp://127.0.0.1"])
def test_an_address_names_its_host(address):
    with pytest.raises(OptionError, match="address must be tcp://HOST:PORT"):
        BlueskySource(address=address)


def test_what_is_no_document_is_left_out():
    source = BlueskySource(runs=1)
    source("event", {"descriptor": "none", "seq_num": 1, "data": {}})
    source("start", 5)
    source("stop", {"exit_status": "abort"})
    _, taken, warned = answer(source, seconds=5)
    assert taken == []
    assert len(warned) >= 2


def test_a_run_engine_that_measures_while_it_is_answered():
    """The engine runs plans here, as it must; the answers come from a thread, while the detector counts."""
    from bluesky import RunEngine
    from bluesky.plans import count
    from ophyd.sim import SynSignal

    source, seen, done = BlueskySource(), [], []

    def frame():
        time.sleep(0.03)
        seen.append(len(taken))
        return np.full(X.size, len(seen), dtype=float)

    taken = []
    monitor = Monitor(Total())
    sink = LineStream(lambda line: taken.append(json.loads(line)))
    thread = threading.Thread(target=lambda: done.append(monitor.run(source, sink)))
    thread.start()
    engine = RunEngine({})
    engine.subscribe(source)
    engine(count([SynSignal(name="spectrum", func=frame)], num=N), axis=X.tolist(), wavelength=0.5)
    until = time.monotonic() + 20
    while len(taken) < N and time.monotonic() < until:
        time.sleep(0.02)
    source.stop()
    thread.join(10)
    assert [row["answer"] / 500 for row in taken] == sorted(row["answer"] / 500 for row in taken)
    assert len({row["scan"] for row in taken}) == len(taken) == N
    assert seen[-1] > 0, "answers came while it was measured"
    assert (done[0]["answered"], done[0]["dropped"]) == (N, 0)


def test_runs_that_change_their_axis_that_fail_and_that_never_end():
    from bluesky import RunEngine
    from bluesky.plans import count
    from ophyd.sim import SynSignal

    source = BlueskySource(runs=3)
    engine = RunEngine({})
    engine.subscribe(source)
    detector = SynSignal(name="spectrum", func=lambda: np.ones(X.size))

    def fails():
        if len(calls) == 2:
            raise RuntimeError("the shutter is stuck")
        calls.append(1)
        return np.ones(X.size)

    calls: list[int] = []
    engine(count([detector], num=2), axis=X.tolist(), wavelength=0.5)
    calls.clear()
    with pytest.raises(Exception, match="shutter is stuck"):
        engine(count([SynSignal(name="spectrum", func=fails)], num=5), axis=X.tolist(), wavelength=0.5)
    engine(count([detector], num=2), axis=(X / 20).tolist(), axis_kind="q")
    # A run that is never ended: its documents come, and no more.
    source("start", {"uid": "hanging", "time": 0.0})
    report, taken, warned = answer(source, seconds=10)
    assert [row["answer"] for row in taken] == [500] * len(taken)
    assert 4 <= len(taken) <= 6
    assert report["failed"] == 0
    assert [w for w in warned if "the axis changes" in w and "of q from 0.5 to 4" in w]
    assert [w for w in warned if "ended with fail" in w or "ended with abort" in w]


def test_frames_in_pages_and_events_answered_before():
    """Detectors that stream send many frames in one document."""
    model = pytest.importorskip("event_model")
    run = model.compose_run(metadata={"axis": X.tolist(), "axis_kind": "two_theta"})
    keys = {"spectrum": {"source": "s", "dtype": "array", "shape": [X.size]}}
    stream = run.compose_descriptor(name="primary", data_keys=keys)
    frames = np.arange(5)[:, None] * np.ones(X.size)
    page = stream.compose_event_page(
        data={"spectrum": list(frames)}, timestamps={"spectrum": [0.0] * 5}, seq_num=[1, 2, 3, 4, 5], time=[0.0] * 5,
        filled={},
    )  # fmt: skip

    def documents():
        source = BlueskySource(runs=1)
        for name, document in (
            ("start", run.start_doc), ("descriptor", stream.descriptor_doc), ("event_page", page),
            ("stop", {"uid": "x", "run_start": run.start_doc["uid"], "time": 0.0, "exit_status": "success"}),
        ):  # fmt: skip
            source(name, document)
        return source

    _, taken, _ = answer(documents())
    assert [row["answer"] for row in taken] == [500 * i for i in range(5)]
    source = documents()
    assert source.resume([row["scan"] for row in taken[:3]]) == 3
    assert [float(one.intensity.sum()) for one in source] == [1500, 2000]
