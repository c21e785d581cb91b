"""The skeleton of the command line: exit codes, one-line errors, JSON alone on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from peakwise.cli import COMMANDS, main

GOOD = "# 2theta counts wavelength = 1.5\n" + "".join(f"{10 + i / 10:.1f} {i % 7}\n" for i in range(100))


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan one.xy"
    path.write_text(GOOD)
    return path


@pytest.fixture
def run(capsys):
    def call(*words):
        with pytest.raises(SystemExit) as end:
            main([str(w) for w in words])
        out, err = capsys.readouterr()
        return end.value.code, out, err

    return call


def test_info_json_is_one_document_and_nothing_else(run, scan):
    code, out, err = run("info", scan, "--json")
    document = json.loads(out)
    assert (code, err) == (0, "")
    assert set(document) >= {"peakwise", "command", "failed", "warnings", "seconds", "scans"}
    row = document["scans"][0]
    keys = {"scan", "format", "axis", "start", "stop", "points", "patterns", "wavelength", "metadata", "warnings"}
    assert set(row) >= keys
    assert (row["scan"], row["format"], row["axis"]) == (str(scan), "text", "two_theta")
    assert (row["start"], row["stop"], row["points"], row["patterns"], row["wavelength"]) == (10.0, 19.9, 100, 1, 1.5)


def test_info_table_is_for_people(run, scan):
    code, out, _ = run("info", scan)
    assert code == 0
    assert "scan one.xy" in out
    assert "two_theta 10 to 19.9 deg" in out
    assert run("info", scan, "--quiet")[1] == ""


def test_one_bad_file_among_good_ones(run, scan, tmp_path):
    bad = tmp_path / "bad.xy"
    bad.write_text("nothing here")
    code, out, err = run("info", scan, bad, tmp_path / "missing.xy", "--json")
    document = json.loads(out)
    assert code == 0
    assert [f["file"] for f in document["failed"]] == [str(bad), str(tmp_path / "missing.xy")]
    assert len(document["scans"]) == 1
    assert len(err.strip().splitlines()) == 2


def test_nothing_usable_is_one_line_and_exit_1(run, tmp_path):
    bad = tmp_path / "bad.xy"
    bad.write_text("nothing here")
    code, out, err = run("info", bad)
    assert (code, out) == (1, "")
    assert err.startswith(f"peakwise: error: cannot read the scan ({bad}): ")
    assert len(err.strip().splitlines()) == 1
    code, out, err = run("info", bad, tmp_path / "other.xy", "--json")
    assert code == 1
    assert len(json.loads(out)["failed"]) == 2
    assert "none of 2 files could be used" in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["info"],
        ["info", "a", "--nonsense"],
        ["convert", "a"],
        ["info", "a", "--device", "tpu"],
        ["info", "a", "--threads", "0"],
    ],
)
def test_wrong_command_lines_are_exit_2(run, words):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "Usage:" in err


def test_wrong_values_are_one_line(run, scan):
    for words in (["--wavelength", "Cu"], ["--axis", "angle"], ["--format", "jpeg"]):
        code, _, err = run("info", scan, *words)
        assert code == 1
        assert err.startswith("peakwise: error: ")
        assert "Traceback" not in err


def test_debug_shows_the_traceback(scan):
    done = subprocess.run(
        [sys.executable, "-m", "peakwise", "info", scan.with_name("no"), "--debug"], capture_output=True, text=True
    )
    assert "Traceback" in done.stderr


def test_a_fault_of_ours_is_one_line_too(run, scan, monkeypatch):
    def broken(*_, **__):
        raise AttributeError("a bug")

    monkeypatch.setattr("peakwise.io.read_each", broken)
    code, _, err = run("info", scan)
    assert code == 1
    assert err == "peakwise: error: unexpected fault: AttributeError: a bug. Run it again with --debug and report it.\n"


def test_help_and_version(run):
    code, out, _ = run("--help")
    assert code == 0
    assert all(name in out for name in COMMANDS)
    for name in COMMANDS:
        code, out, _ = run(name, "--help")
        assert code == 0
        assert all(
            option in out for option in ("--json", "--quiet", "--seed", "--threads", "--device", "--debug", "Example")
        )
    assert run("--version")[1].startswith("peakwise 0.")


def test_formats_are_listed(run):
    code, out, _ = run("info", "--formats", "--json")
    assert code == 0
    assert {f["format"] for f in json.loads(out)["formats"]} >= {"text"}


def test_json_is_strict(run, tmp_path):
    path = tmp_path / "scan.xy"
    path.write_text(GOOD.replace("12.0 6\n", "12.0 nan\n"))
    json.loads(run("info", path, "--json")[1], parse_constant=pytest.fail)


def test_convert_and_read_back(run, scan, tmp_path):
    out = tmp_path / "out.csv"
    code, text, err = run("convert", scan, "-o", out, "--grid", 11, 19, 41, "--json")
    assert (code, err) == (0, "")
    document = json.loads(text)
    assert (document["points"], document["start"], document["stop"], document["output"]) == (41, 11, 19, str(out))
    code, text, _ = run("convert", scan, "-o", out, "--to-axis", "q", "--grid", 0.8, 1.2, 21, "--json")
    assert json.loads(text)["axis"] == "q"
    code, _, err = run("convert", scan, "-o", tmp_path / "out.raw")
    assert code == 1
    assert "End the name in one of" in err
    assert not (tmp_path / "out.raw").exists()


def test_convert_reports_what_it_left_out(run, scan, tmp_path):
    (tmp_path / "bad.xy").write_text("no numbers")
    code, text, err = run("convert", tmp_path, "-o", tmp_path / "set.csv", "--json")
    document = json.loads(text)
    assert code == 0
    assert [f["file"] for f in document["failed"]] == [str(tmp_path / "bad.xy")]
    assert "left out" in err


def test_names_with_spaces_quotes_and_unicode(run, tmp_path):
    for name in ("a b.xy", "o'clock.xy", '"q".xy', "Å–θ.xy", "-dash.xy", "[x].xy", "semi;colon$(x).xy"):
        path = tmp_path / name
        path.write_text(GOOD)
        code, out, _ = run("info", "--json", "--", path)
        assert code == 0, name
        assert json.loads(out)["scans"][0]["scan"] == str(path)


def test_ctrl_c_leaves_no_half_written_file(run, scan, tmp_path, monkeypatch):
    """Ctrl-C in the middle of writing: the old file stays, nothing else is left."""
    written = []

    def interrupted(value):
        written.append(value)
        if len(written) > 50:
            raise KeyboardInterrupt
        return str(value)

    target = tmp_path / "out.csv"
    target.write_text("the old one")
    monkeypatch.setattr("peakwise.io._text_out._number", interrupted)
    code, out, err = run("convert", scan, "-o", target)
    assert (code, out) == (130, "")
    assert err.strip() == "peakwise: stopped (Ctrl-C): nothing half-written was left behind."
    assert target.read_text() == "the old one"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", scan.name]


def test_a_closed_pipe_is_no_error(scan):
    done = subprocess.run(
        f"'{sys.executable}' -m peakwise info '{scan}' --json | true", shell=True, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    assert "Error" not in done.stderr


def test_threads_reach_the_numerical_libraries(run, scan, monkeypatch):
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        monkeypatch.setenv(name, "7")
    run("info", scan, "--threads", "1")
    assert os.environ["OMP_NUM_THREADS"] == "1"
