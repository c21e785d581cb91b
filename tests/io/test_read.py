"""Files, folders and globs -> patterns: what is found, in which order, on which grid, and what is said."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest

import peakwise as pw
from peakwise.errors import (
    DamagedFileError,
    GridError,
    LimitError,
    NothingToReadError,
    ReadError,
    UnfinishedFileError,
    UnknownFormatError,
)
from peakwise.io import FORMATS, Format, Reader, Scan, Source, find_files, natural_key


def text(start=10.0, step=0.1, n=100, wavelength="1.5", height=1):
    head = f"# 2theta counts wavelength = {wavelength}\n" if wavelength else "# 2theta counts\n"
    return head + "".join(f"{start + step * i:.3f} {height * (i % 7)}\n" for i in range(n))


@pytest.fixture
def folder(tmp_path):
    for name in ("scan10.xy", "scan2.xy", "scan1.xy"):
        (tmp_path / name).write_text(text())
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "scan3.xy").write_text(text())
    (tmp_path / ".hidden.xy").write_text(text())
    return tmp_path


def test_folders_in_natural_order(folder):
    assert pw.read(folder).names.tolist() == ["scan3", "scan1", "scan2", "scan10"]
    assert pw.read(str(folder)).meta["file"][1] == str(folder / "scan1.xy")


def test_globs_and_lists(folder):
    assert pw.read(folder / "scan*.xy").names.tolist() == ["scan1", "scan2", "scan10"]
    assert pw.read(str(folder / "**" / "*.xy")).names.tolist() == ["scan3", "scan1", "scan2", "scan10"]
    assert pw.read([folder / "scan10.xy", folder / "scan1.xy"]).names.tolist() == ["scan10", "scan1"]
    assert pw.read([folder / "deeper", folder / "scan1.xy"]).names.tolist() == ["scan3", "scan1"]
    assert pw.read(folder / "d*").names.tolist() == ["scan3"]


def test_a_name_with_glob_characters_is_a_name_first(tmp_path):
    (tmp_path / "[1].xy").write_text(text())
    assert pw.read(tmp_path / "[1].xy").names.tolist() == ["[1]"]


def test_home_is_expanded(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder))
    assert pw.read("~/scan1.xy").names.tolist() == ["scan1"]


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        ("no/such/file.xy", "No such file"),
        ("no/such/*.xy", "no file matches"),
        ([], "a list of paths is needed, got an empty list"),
        (7, "a path is needed, got int"),
        ([7], "a list of paths is needed, got int"),
        ("x" * 5000, "name too long"),
        ("a\0b", "null"),
    ],
)
def test_what_cannot_be_found(paths, told):
    with pytest.raises(NothingToReadError) as problem:
        pw.read(paths)
    assert told in str(problem.value)


def test_an_empty_folder(tmp_path):
    with pytest.raises(NothingToReadError, match="the folder holds no file"):
        pw.read(tmp_path)


def test_left_out_files_are_named_with_their_reason(folder):
    (folder / "notes.txt").write_text("nothing but words")
    with pytest.warns(UserWarning, match=r"1 files were left out: notes.txt \(it holds no table"):
        scans = pw.read(folder)
    assert len(scans) == 4
    assert scans.failed[0][0] == str(folder / "notes.txt")
    assert "no table of at least three rows" in scans.failed[0][1]


def test_when_all_files_are_bad(folder):
    for name in ("a.bad", "b.bad"):
        (folder / name).write_text("words")
    with pytest.raises(ReadError, match=r"2 files were tried; the first, .*a.bad: it holds no table"):
        pw.read(folder / "*.bad")


def test_each_comes_alone_and_unchanged(folder):
    (folder / "bad.xy").write_text("words")
    (folder / "other.xy").write_text(text(20, 0.05))
    found = list(pw.read_each([folder / "bad.xy", folder / "other.xy", folder / "none.xy"]))
    assert [f.error is None for f in found] == [False, True, False]
    assert (found[1].format, found[1].patterns[0].n_points) == ("text", 100)
    assert isinstance(found[2].error, NothingToReadError)


def test_scans_on_different_grids_come_onto_the_shared_part(tmp_path):
    (tmp_path / "a.xy").write_text(text(10, 0.1, 201))  # 10 to 30
    (tmp_path / "b.xy").write_text(text(12, 0.05, 401))  # 12 to 32, finer
    scans = pw.read(tmp_path)
    assert (scans.axis[0], scans.step) == (12, pytest.approx(0.1))
    assert scans.axis[-1] == pytest.approx(30)
    said = "brought onto the part that all share, 12 to 30 with step 0.1, counts summed"
    assert any(said in w for w in scans.warnings)
    fine = pw.read(tmp_path / "b.xy")
    # b is twice as fine: its counts are summed in pairs, so the total under the common part is kept.
    inside = (fine.axis >= 11.95 - 1e-9) & (fine.axis <= 30.05)
    assert scans.intensity[1].sum() == pytest.approx(fine.intensity[0][inside].sum(), rel=0.01)


def test_a_grid_can_be_asked_for(tmp_path):
    (tmp_path / "a.xy").write_text(text(10, 0.1, 201))
    (tmp_path / "b.xy").write_text(text(12, 0.05, 401))
    scans = pw.read(tmp_path, grid=(15, 25, 51))
    assert scans.shape == (2, 51)
    with pytest.raises(GridError, match="the grid runs 5 to 25"):
        pw.read(tmp_path, grid=(5, 25, 51))


def test_one_short_scan_does_not_shrink_the_others(tmp_path):
    (tmp_path / "a.xy").write_text(text(10, 0.1, 400))
    (tmp_path / "b.xy").write_text(text(18, 0.1, 100))
    scans = pw.read(tmp_path)
    assert (scans.axis[0], round(scans.axis[-1], 6)) == (10, 49.9)
    assert np.isfinite(scans.intensity[0]).all()
    assert np.isfinite(scans.intensity[1]).sum() == 100
    assert any("brought onto the whole range, NaN where a scan was not measured" in w for w in scans.warnings)


def test_grids_that_would_need_too_many_points(tmp_path):
    (tmp_path / "a.xy").write_text(text(10, 1e-3, 400))
    (tmp_path / "b.xy").write_text("# q\n1e8 5\n1.00000000001e8 6\n1.00000000002e8 7\n")
    with pytest.raises(GridError, match="Read them with read_each, or give grid="):
        pw.read(tmp_path, axis="channel")


def test_scans_of_different_wavelengths_meet_at_equal_d(tmp_path):
    (tmp_path / "a.xy").write_text(text(10, 0.1, 600, "1.5"))
    (tmp_path / "b.xy").write_text(text(5, 0.05, 600, "0.75"))
    scans = pw.read([tmp_path / "a.xy", tmp_path / "b.xy"])
    assert scans.wavelength == 1.5
    assert any("b: converted from two_theta (0.75 angstrom) to two_theta" in w for w in scans.warnings)
    q = scans.to_axis("q").axis
    assert q[0] == pytest.approx(4 * np.pi * np.sin(np.radians(scans.axis[0] / 2)) / 1.5)


def test_an_assumed_wavelength_gives_way_to_a_given_one(tmp_path):
    pw.write(pw.read(_put(tmp_path / "a.xy", text(wavelength=None))), tmp_path / "a.csv")
    assert pw.read(tmp_path / "a.csv", wavelength="MoKa").wavelength == pytest.approx(0.71075, abs=1e-5)


def _put(path, content):
    path.write_text(content)
    return path


def test_unknown_formats_and_names(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(bytes(range(256)) * 8)
    with pytest.raises(UnknownFormatError, match="See 'peakwise info --formats'"):
        pw.read(path)
    with pytest.raises(UnknownFormatError, match="got 'jpeg'. Use one of"):
        pw.read(path, format="jpeg")


def test_a_named_format_is_not_recognised_first(tmp_path):
    path = _put(tmp_path / "a.xy", text())
    assert pw.read(path, format="text").n_points == 100
    with pytest.raises(ReadError):
        pw.read(path, format="xrdml")


def test_a_file_that_is_still_being_written(tmp_path):
    path = _put(tmp_path / "a.xy", text())

    def slow(source):
        found = [Scan([1, 2, 3], [1, 2, 3])]
        with path.open("a") as stream:
            stream.write("more\n")
        return found

    reader = Reader({"slow": Format("slow", "", (), lambda _: True, slow)})
    with pytest.raises(UnfinishedFileError, match="it changed while it was read"):
        reader.read(path)


@pytest.mark.parametrize(
    "problem", [ValueError("odd"), IndexError("far"), KeyError("gone"), MemoryError(), RuntimeError("inner")]
)
def test_what_a_parser_stumbles_over_becomes_one_sentence(tmp_path, problem):
    def stumble(_):
        raise problem

    reader = Reader({"odd": Format("odd", "", (), lambda _: True, stumble)})
    with pytest.raises(
        DamagedFileError,
        match=rf"cannot read the scan as odd .*: its content contradicts the format \({type(problem).__name__}",
    ):
        reader.read(_put(tmp_path / "a.odd", "x"))


def test_a_fault_of_ours_is_not_blamed_on_the_file(tmp_path):
    reader = Reader({"odd": Format("odd", "", (), lambda _: True, lambda source: source.no_such_thing)})
    with pytest.raises(AttributeError):
        reader.read(_put(tmp_path / "a.odd", "x"))


@pytest.mark.parametrize(
    ("scan", "told"),
    [
        (Scan([1, 2, 3], [1, 2]), "3 positions for 2 intensities"),
        (Scan([1, 2], [1, 2]), "at least 3 points are needed, it holds 2 usable ones"),
        (Scan([5, 5, 5, 5], [1, 2, 3, 4]), "the axis is constant: all 4 points are at 5"),
        (Scan([1, 2, 3], [np.nan] * 3), "it holds 0 usable ones"),
        (Scan([1, 2, 3], [1, 2, 3], kind="angle"), "got 'angle'"),
        (Scan([1, 2, 3], [1, 2, 3], unit="photons"), "unit must be one of"),
    ],
)
def test_blocks_that_are_no_scans(tmp_path, scan, told):
    reader = Reader({"odd": Format("odd", "", (), lambda _: True, lambda _: [scan])})
    with pytest.raises(DamagedFileError) as problem:
        reader.read(_put(tmp_path / "a.odd", "x"))
    assert told in str(problem.value)
    assert "a.odd" in str(problem.value)


def test_blocks_are_counted_in_errors_and_bounded(tmp_path, monkeypatch):
    good, bad = Scan([1, 2, 3], [1, 2, 3]), Scan([1, 2, 3], [1, 2])
    reader = Reader({"odd": Format("odd", "", (), lambda _: True, lambda _: [good, bad])})
    path = _put(tmp_path / "a.odd", "x")
    with pytest.raises(DamagedFileError, match="scan 2: 3 positions"):
        reader.read(path)
    empty = Reader({"odd": Format("odd", "", (), lambda _: True, lambda _: [])})
    with pytest.raises(DamagedFileError, match="the file holds no scan"):
        empty.read(path)
    many = Reader({"odd": Format("odd", "", (), lambda _: True, lambda _: [good] * 200_001)})
    with pytest.raises(LimitError, match="has 200001 scans, at most 200000"):
        many.read(path)


def test_many_scans_of_one_file_group_by_grid_in_linear_time(tmp_path):
    """A mesh of 4,000 scans, each on its own grid, and then the same again."""
    scans = [Scan(np.arange(3.0) + i, [1.0, 2.0, 3.0], "q", radiation=pw.Radiation(1.0)) for i in range(1, 4001)] * 2
    reader = Reader({"mesh": Format("mesh", "", (), lambda _: True, lambda _: scans)})
    start = time.perf_counter()
    found = next(reader.read_each(_put(tmp_path / "a.mesh", "x")))
    assert len(found.patterns) == 4000
    assert all(len(p) == 2 for p in found.patterns)
    assert time.perf_counter() - start < 10


def test_frames_with_gaps_keep_nan_and_say_so(tmp_path):
    rows = np.ones((3, 5))
    rows[1], rows[0, 2] = np.nan, np.inf
    reader = Reader({"s": Format("s", "", (), lambda _: True, lambda _: [Scan(np.arange(1, 6), rows, kind="q")])})
    scans = reader.read(_put(tmp_path / "a.s", "x"))
    assert np.isnan(scans.intensity[1]).all()
    assert np.isnan(scans.intensity[0, 2])
    assert scans.n_points == 5
    assert any("6 intensities are not finite and stay NaN; 1 patterns are empty" in w for w in scans.warnings)
    assert scans.names.tolist() == ["a#1", "a#2", "a#3"]


def test_sources_refuse_what_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr("peakwise.io._source.MAX_BYTES", 1000)
    with pytest.raises(LimitError, match="at most 1000 are read at once"):
        pw.read(_put(tmp_path / "a.xy", text(n=500)))
    import gzip

    (tmp_path / "bomb.xy.gz").write_bytes(gzip.compress(b"1 2\n" * 100_000))
    with pytest.raises(LimitError, match="to more than 1000 bytes"):
        pw.read(tmp_path / "bomb.xy.gz")


def test_sources_know_their_names(tmp_path):
    path = tmp_path / "My Scan.XY.GZ"
    path.write_bytes(b"")
    source = Source(path)
    assert (source.name, source.stem, source.suffix) == ("My Scan.XY", "My Scan", ".xy")


def test_files_that_may_not_be_read(tmp_path, monkeypatch):
    path = _put(tmp_path / "a.xy", text())

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", denied)  # root, who runs CI, may read everything
    with pytest.raises(ReadError, match=r"a.xy\): Permission denied. Check the permissions"):
        pw.read(path)


def test_a_folder_where_a_file_is_meant(tmp_path):
    with pytest.raises(ReadError, match="it is a folder"):
        _ = Source(tmp_path).data
    assert Source(tmp_path).head == b""
    assert Source(tmp_path).compression is None


def test_links_to_folders_are_not_followed_in_circles(folder):
    (folder / "deeper" / "loop").symlink_to(folder)
    assert len(pw.read(folder)) == 4


def test_find_files_alone(folder):
    assert [p.name for p in find_files(folder, FORMATS)] == ["scan3.xy", "scan1.xy", "scan2.xy", "scan10.xy"]
    assert sorted(["b2", "b10", "a"], key=natural_key) == ["a", "b2", "b10"]
    assert natural_key("x" + "9" * 30)  # longer than any counter: text, not a number


def test_reading_warns_once(folder):
    for i in range(5):
        (folder / f"bad{i}.txt").write_text("words")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pw.read(folder)
    assert len(caught) == 1
    assert "and 2 more; see .failed" in str(caught[0].message)
