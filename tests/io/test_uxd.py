"""Siemens and Bruker UXD: written here by the layout of public files, and from a measured scan with its twin."""

from __future__ import annotations

import numpy as np
import pytest

from peakwise.errors import DamagedFileError
from peakwise.io import Reader, Source
from peakwise.io.uxd import UXD

DOOR = Reader({"uxd": UXD})

FILE_HEADER = [
    "; ...\\RAW\\scan.raw(Diffrac Plus V1.01 file) converted by XCH V1.0",
    "_FILEVERSION=2",
    "_SAMPLE='Silicon, annealed'",
    "_USER='Department of Chemistry'",
    "_MONOCHROMATOR=0",
    "; None",
    "_DATEMEASURED='04-Mar-2010 20:59:14'",
    "_WL_UNIT='A'",
    "_WL1=1.540600",
    "_WL2=1.544390",
    "_WL3=1.392220",
    "_WLRATIO=0.500000",
    "_ANODE='Cu'",
]
COUNTS = [187, 183, 178, 174, 193, 178, 162, 170]


def a_range(number=1, marker="_COUNTS", rows=("  187  183  178  174  193", "  178  162  170"), **keys):
    known = {"DRIVE": "'COUPLED'", "STEPTIME": "0.500000", "STEPSIZE": "0.015592", "STEPMODE": "'C'",
             "START": "3.000000", "THETA": "1.500000", "2THETA": "3.000000", "KHI": "0.000000", "PHI": "12.500000",
             "KV": "45", "MA": "40", "RANGE_WL": "1.540600"}  # fmt: skip
    known |= keys
    lines = [f"_{k}={v}" for k, v in known.items() if v is not None]
    return [f"; (Data for Range number {number})", *lines, marker, *rows]


def uxd(folder, *ranges, header=FILE_HEADER, end="\r\n"):
    path = folder / "scan.uxd"
    path.write_bytes((end.join([*header, *(x for r in ranges for x in r)]) + end).encode("cp1252"))
    return path


def each(path):
    (found,) = DOOR.read_each(path)
    if found.error is not None:
        raise found.error
    return [row for patterns in found.patterns for row in patterns]


def one(path):
    (scan,) = each(path)
    return scan


def test_counts_on_the_grid_of_the_header(tmp_path):
    path = uxd(tmp_path, a_range())
    assert UXD.sniff(Source(path))
    scan = one(path)
    assert scan.intensity[0].tolist() == COUNTS
    assert scan.unit == "counts"
    assert scan.kind == "two_theta"
    assert scan.axis == pytest.approx([3 + 0.015592 * i for i in range(8)], rel=1e-15)
    assert scan.radiation.lines == ((1.5406, 1.0), (1.54439, 0.5))
    assert scan.radiation.anode == "Cu"
    meta = {k: v.tolist()[0] for k, v in scan.meta.items()}
    assert meta["sample"] == "Silicon, annealed"
    assert meta["operator"] == "Department of Chemistry"
    assert meta["date"] == "2010-03-04T20:59:14"
    assert (meta["count_time"], meta["voltage"], meta["current"]) == (0.5, 45.0, 40.0)
    assert (meta["omega"], meta["chi"], meta["phi"]) == (1.5, 0.0, 12.5)
    assert meta["scan_axis"] == "COUPLED"
    assert scan.warnings == ()


def test_rounded_positions_give_way_to_the_header(tmp_path):
    # XCH prints four digits: 10.00 10.02 10.03 10.05 10.06 for steps of 0.0156
    exact = [9.985 + 0.0156 * i for i in range(6)]
    printed = [f"{x:.3f}" if x < 10 else f"{x:.2f}" for x in exact]
    assert printed == ["9.985", "10.00", "10.02", "10.03", "10.05", "10.06"]
    rows = [f"{x}\t{y}" for x, y in zip(printed, COUNTS, strict=False)]
    scan = one(uxd(tmp_path, a_range(marker="_2THETACOUNTS", rows=rows, START="9.985000", STEPSIZE="0.015600")))
    assert scan.axis == pytest.approx(exact, rel=1e-15)
    assert scan.intensity[0].tolist() == COUNTS[:6]


def test_positions_that_contradict_the_header_are_kept(tmp_path):
    rows = ["10.000 5", "10.500 6", "12.000 7"]
    scan = one(uxd(tmp_path, a_range(marker="_2THETACOUNTS", rows=rows, START="9.0", STEPSIZE="0.1")))
    assert scan.axis.tolist() == [10.0, 10.5, 12.0]
    no_grid = one(uxd(tmp_path, a_range(marker="_2THETACOUNTS", rows=rows, START=None)))
    assert no_grid.axis.tolist() == [10.0, 10.5, 12.0]


def test_counts_per_second(tmp_path):
    scan = one(uxd(tmp_path, a_range(marker="_CPS", rows=["1.5 2.5 3.5"])))
    assert (scan.unit, scan.intensity[0].tolist()) == ("counts/s", [1.5, 2.5, 3.5])
    pairs = one(uxd(tmp_path, a_range(marker="_2THETACPS", rows=["3.0 1.5", "3.1 2.5", "3.2 0.5"])))
    assert (pairs.unit, pairs.intensity[0].tolist()) == ("counts/s", [1.5, 2.5, 0.5])


def test_a_time_for_every_point(tmp_path):
    rows = ["3.0 10 1.0", "3.1 20 1.0", "3.2 30 4.0"]
    scan = one(uxd(tmp_path, a_range(marker="_2THETACOUNTSTIME", rows=rows)))
    assert scan.intensity[0].tolist() == [10, 20, 30]
    assert scan.meta["count_time"].tolist() == [2.0]
    assert any("for 1 to 4 s" in w for w in scan.warnings)


def test_pole_figure_ranges(tmp_path):
    rows = [
        ["  0.0000 574319", "  5.0000 683003", " 10.0000 895316"],
        ["  0.0000 11227", "  5.0000 5908", " 10.0000 3304"],
    ]
    ranges = [
        a_range(
            i + 1, "_2THETACOUNTS", r, DRIVE="'PHI'", START="0.0", STEPSIZE="5.0", KHI=f"{5 * i}.0", STEPTIME=f"{2 + i}"
        )
        for i, r in enumerate(rows)
    ]
    first, second = each(uxd(tmp_path, *ranges))
    # the marker says 2THETA whatever was moved: _DRIVE counts
    assert first.kind == second.kind == "phi"
    assert first.axis.tolist() == [0, 5, 10]
    assert second.intensity[0].tolist() == [11227, 5908, 3304]
    assert (first.meta["chi"].tolist(), second.meta["chi"].tolist()) == ([0.0], [5.0])
    assert (first.meta["count_time"].tolist(), second.meta["count_time"].tolist()) == ([2.0], [3.0])
    assert "phi" not in first.meta
    assert (first.names.tolist(), second.names.tolist()) == (["scan#1"], ["scan#2"])


@pytest.mark.parametrize(
    ("drive", "kind"),
    [("2THETA", "two_theta"), ("THETA", "omega"), ("KHI", "chi"), ("X", "position"), ("PSDSCAN", "two_theta")],
)
def test_drives(tmp_path, drive, kind):
    assert one(uxd(tmp_path, a_range(DRIVE=f"'{drive}'"))).kind == kind


def test_an_unknown_drive_is_said(tmp_path):
    scan = one(uxd(tmp_path, a_range(DRIVE="'AUX1'")))
    assert any("does not say what its axis is" in w for w in scan.warnings)
    assert scan.meta["scan_axis"].tolist() == ["AUX1"]


def test_version_3_with_blanks_comments_and_two_counters(tmp_path):
    header = ["; C:\\x.raw (V4) converted by FileExchange", "_FILEVERSION = 3", "_WL_UNIT = 'nm'", "_WL1 = 0.178897",
              "_WL2 = 0.179285", "_WLRATIO = 0.5", "_ANODE = 'CO'"]  # fmt: skip
    keys = ["; Data for range 1", "_DRIVE = 'COUPLED'", "_STEPTIME = 57.1", "_STEPSIZE = 0.5", "_START = 12"]
    one_counter = one(uxd(tmp_path, [*keys, "_COUNTS = 1", "; Cnt1_D1", "5", "6", "7"], header=header))
    assert one_counter.intensity.tolist() == [[5, 6, 7]]
    assert one_counter.wavelength == pytest.approx(1.78897)
    assert one_counter.radiation.anode == "Co"
    both = each(uxd(tmp_path, [*keys, "_COUNTS = 2", "; Cnt1 Cnt2", "5 50", "6 60", "7 70"], header=header))
    assert [s.intensity[0].tolist() for s in both] == [[5, 6, 7], [50, 60, 70]]
    pairs = each(uxd(tmp_path, [*keys, "_2THETACOUNTS = 2", "12 5 50", "12.5 6 60", "13 7 70"], header=header))
    assert [s.intensity[0].tolist() for s in pairs] == [[5, 6, 7], [50, 60, 70]]
    # before version 3 the number is that of columns on the page
    assert one(uxd(tmp_path, a_range(marker="_COUNTS=5"))).intensity[0].tolist() == COUNTS


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ({"RANGE_WL": "1.392220"}, ((1.39222, 1.0),)),  # measured with Kb
        ({"RANGE_WL": "1.541863"}, ((1.5406, 1.0), (1.54439, 0.5))),  # the mean of the doublet
        ({"RANGE_WL": None}, ((1.5406, 1.0), (1.54439, 0.5))),
        ({"RANGE_WL": "x"}, ((1.5406, 1.0), (1.54439, 0.5))),
        ({"WL1": "0", "RANGE_WL": "0.7093"}, ((0.7093, 1.0),)),
        ({"WL2": "0.0", "RANGE_WL": None}, ((1.5406, 1.0),)),
    ],
)
def test_wavelengths(tmp_path, keys, lines):
    assert one(uxd(tmp_path, a_range(**keys))).radiation.lines == lines


def test_impossible_or_missing_wavelengths_are_said(tmp_path):
    scan = one(uxd(tmp_path, a_range(WL1="154.06", WL2="0", RANGE_WL=None)))
    assert any("not used" in w for w in scan.warnings)
    bare = one(uxd(tmp_path, a_range(RANGE_WL=None), header=["_FILEVERSION=2"]))
    assert any("no wavelength" in w for w in bare.warnings)


def test_twin_of_a_measured_scan(real_data, tmp_path):
    text = np.loadtxt(real_data / "formats/bruker_raw/D5000_1.xy")
    counts = [f"{y:8.0f}" for y in text[:, 1]]
    lines = ["".join(counts[i : i + 8]) for i in range(0, len(counts), 8)]
    keys = {"START": "2.000000", "STEPSIZE": "0.020000"}
    plain = one(uxd(tmp_path, a_range(rows=lines, **keys)))
    rows = [f"{x:9.4f}{y:10.0f}" for x, y in text]
    pairs = one(uxd(tmp_path, a_range(marker="_2THETACOUNTS", rows=rows, **keys)))
    for scan in (plain, pairs):
        assert scan.n_points == 3651
        assert (scan.intensity[0] == text[:, 1]).all()
        assert scan.axis == pytest.approx(text[:, 0], abs=1e-9)


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        ([a_range(START=None)], "range 1 lacks _START"),
        ([a_range(STEPSIZE=None)], "range 1 lacks _STEPSIZE"),
        ([a_range(STEPSIZE="wide")], "range 1: 'wide' is no number"),
        ([a_range(), a_range(2, rows=["1 2 x"])], "range 2: "),
        ([a_range(), a_range(2, rows=[])], "range 2 holds no points"),
        ([a_range(marker="_2THETACOUNTS", rows=["3.0 1", "3.1 2", "3.2"])], "row 3 must hold 2 numbers, it holds 1"),
        ([a_range(marker="_D-I", rows=["3.1 100", "1.9 50"])], "a list of peaks"),
        ([a_range(marker="_2THETA-I", rows=["28.4 100"])], "a list of peaks"),
        ([a_range()[:-3]], "no range with _COUNTS or _CPS"),
    ],
)
def test_contradictions(tmp_path, ranges, told):
    with pytest.raises(DamagedFileError, match=told):
        each(uxd(tmp_path, *ranges))


@pytest.mark.parametrize(
    "content",
    [b"_SAMPLE=x\n1 2\n", b"; a comment\n1 2\n2 3\n", b"\0_SAMPLE=1\n_START=2\n", b"x _SAMPLE=1\n_START=2\n", b""],
)
def test_foreign_files_are_not_claimed(tmp_path, content):
    path = tmp_path / "x.uxd"
    path.write_bytes(content)
    assert not UXD.sniff(Source(path))
