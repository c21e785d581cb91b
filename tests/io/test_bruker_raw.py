"""Bruker RAW versions 1 to 3, and what all versions share: real files, twins, and files built from the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layouts.bruker_raw import COUNTS, floats, v1_range, v2_file, v2_range, v3_file, v3_range
from peakwise.errors import DamagedFileError, PeakwiseError
from peakwise.io import Reader, Source
from peakwise.io.bruker_raw import BRUKER_RAW

if TYPE_CHECKING:
    from pathlib import Path

DOOR = Reader({"bruker_raw": BRUKER_RAW})


@pytest.fixture
def load(tmp_path: Path):
    def read(content: bytes):
        path = tmp_path / "scan.raw"
        path.write_bytes(content)
        source = Source(path)
        assert BRUKER_RAW.sniff(source)
        return BRUKER_RAW.read(source)

    return read


# --- real files -------------------------------------------------------------------------------------------------------

# points, first and last axis value, first, last and largest count: read with a hex dump at the offsets of the layout
REAL = {
    "brk_raw1.raw": (876, 4.98, 39.98, 665, 266, 12880),
    "brk_raw2.raw": (7251, 5.0, 150.0, 222, 65, 25185),
    "BT86.raw": (2374, 3.0, 40.0002906, 187, 269, 5774),
    "Cu3Au-1.raw": (3901, 22.0, 100.0, 48, 11, 138),
    "Cu3Au-2.raw": (3901, 22.0, 100.0, 73, 19, 375),
    "D5000_1.RAW": (3651, 2.0, 75.0, 2230, 89, 6532),
    "D5000_2.RAW": (3651, 2.0, 75.0, 2334, 140, 2334),
    "LaB6_Jan2018.raw": (3040, 10.0, 70.0044472, 7393, 1110, 134930),
    "BaZrS3.raw": (2448, 10.0001, 59.99774914266, 651, 42, 3457),
    "SbI3.raw": (1399, 10.0001, 59.98753303127, 1493, 72, 8412),
    "bruker.raw": (4059, 37.0001, 120.00464352884, 7264, 7043, 94855),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files(real_data, name):
    (scan,) = BRUKER_RAW.read(Source(real_data / "formats/bruker_raw" / name))
    points, first, last, count_first, count_last, largest = REAL[name]
    assert scan.kind == "two_theta"
    assert scan.unit == "counts"
    assert len(scan.x) == len(scan.y) == points
    assert (scan.x[0], scan.x[-1]) == pytest.approx((first, last), abs=1e-9)
    assert (scan.y[0], scan.y[-1], scan.y.max()) == (count_first, count_last, largest)
    assert scan.warnings == []


@pytest.mark.parametrize("name", ["D5000_1", "D5000_2"])
def test_twins_of_version_3_agree_to_the_last_count(real_data, name):
    folder = real_data / "formats/bruker_raw"
    (scan,) = BRUKER_RAW.read(Source(folder / f"{name}.RAW"))
    x, y = np.loadtxt(folder / f"{name}.xy").T
    np.testing.assert_array_equal(scan.y, y)
    np.testing.assert_allclose(scan.x, x, rtol=0, atol=1e-9)
    assert scan.radiation.lines == ((1.78897, 1.0), (1.79285, 0.5))
    assert scan.radiation.anode == "Co"
    assert scan.meta == {
        "sample": "NIPS PROJECT neat spray dreid", "comment": "No Comment found", "operator": "sh0658",
        "date": {"D5000_1": "2003-10-13T18:50:59", "D5000_2": "2003-10-13T20:54:36"}[name],
        "anode": "Co", "scan_axis": "Locked Coupled", "omega": 1.0, "phi": 0.0, "count_time": 2.0,
        "voltage": 40.0, "current": 40.0,
    }  # fmt: skip


def test_the_values_are_counts_and_not_rates(real_data):
    """Two ranges of one measurement overlap; the second counted three times as long (12 s and 4 s)."""
    first, second = BRUKER_RAW.read(Source(real_data / "formats/bruker_raw/Keokuk kaolinite.RAW"))
    assert (first.meta["count_time"], second.meta["count_time"]) == (4.0, 12.0)
    assert (len(first.x), len(second.x)) == (4001, 3501)
    assert (first.x[0], first.x[-1], second.x[0], second.x[-1]) == pytest.approx((10, 90, 80, 150), abs=1e-9)
    both = first.y[first.x > 79.99].sum(), second.y[second.x < 90.01].sum()
    assert both[1] / both[0] == pytest.approx(3, abs=0.05)
    assert first.meta["date"] == "14/03/88 00:00:00"  # day and month in the wrong order: as the file writes it
    assert first.radiation.anode == "Cu"  # written CU


def test_every_range_of_a_file(real_data):
    scans = BRUKER_RAW.read(Source(real_data / "formats/bruker_raw/format1.raw"))
    assert [(len(s.x), s.x[0], round(s.x[-1], 9), s.y[0], s.y.max()) for s in scans] == [
        (101, 10.0, 20.0, 10, 20), (26, 30.0, 35.0, 6, 18), (51, 40.0, 45.0, 4, 58)
    ]  # fmt: skip
    assert [s.meta["count_time"] for s in scans] == [0.1, 0.2, 0.1]
    assert [s.meta["time"] for s in scans] == [18.0, 39.0, 55.0]
    assert [s.meta["voltage"] for s in scans] == [40.0, 39.0, 40.0]


def test_version_1_and_2_headers(real_data):
    (one,) = BRUKER_RAW.read(Source(real_data / "formats/bruker_raw/brk_raw1.raw"))
    assert one.meta == {"sample": "VINAIGRE", "count_time": 4.0}
    assert one.radiation.lines == ((1.5406, 1.0), (1.54443, 0.5))
    (two,) = BRUKER_RAW.read(Source(real_data / "formats/bruker_raw/brk_raw2.raw"))
    assert two.meta == {
        "sample": "ZINCITE.DAT", "comment": "Converted from UXD format by XCH Version 1", "anode": "Cu",
        "date": "1997-12-19T21:57:00", "count_time": 3.0, "omega": 2.5,
    }  # fmt: skip
    assert two.radiation.lines == ((1.5406, 1.0), (1.5443, 0.514))
    # zincite 101 of wurtzite ZnO (a = 3.2498, c = 5.2066 angstrom) lies at 36.25 deg with Cu Ka1
    assert two.x[np.argmax(two.y)] == pytest.approx(36.26, abs=0.011)


def test_lanthanum_hexaboride_lies_where_it_must(real_data):
    """LaB6 660c (a = 4.156826 angstrom): the axis, the offset of the counts and the wavelength belong together."""
    folder = real_data / "gsas_tutorial_powder/patterns"
    (scan,) = BRUKER_RAW.read(Source(folder / "LaB6_Jan2018.raw"))
    for h2 in (1, 2, 3, 4, 5, 6):
        expected = 2 * np.degrees(np.arcsin(scan.radiation.wavelength * np.sqrt(h2) / 2 / 4.156826))
        near = np.abs(scan.x - expected) < 1
        assert scan.x[near][np.argmax(scan.y[near])] == pytest.approx(expected, abs=0.04)
    (clay,) = BRUKER_RAW.read(Source(folder / "KGA1-CONT.RAW"))
    assert (len(clay.x), clay.y[0], clay.y[-1], clay.y.max()) == (3401, 2174, 258, 28116)
    assert clay.meta["sample"] == "KGa-1, straight from container, LBPM, 2-70/4s, 1-A, CMS STD"


def test_other_files_are_not_claimed(real_data, tmp_path):
    for name in ("stoe_raw/stoe.raw", "gsas/garnet.raw", "bruker_raw/D5000_1.xy", "canberra_cnf/SMP00011.CNF"):
        assert not BRUKER_RAW.sniff(Source(real_data / "formats" / name))
    for content in (b"", b"RAW", b"RAW data of a scan\n1 2\n", b"RAW2 is text\n1 2\n", b";RAW4.00\n", b"RAW1.01 text"):
        path = tmp_path / "a.raw"
        path.write_bytes(content)
        assert not BRUKER_RAW.sniff(Source(path))


# --- version 1 --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("magic", [True, False])
def test_version_1_with_several_ranges(load, magic):
    scans = load(v1_range(follows=1) + v1_range([7, 8, 9, 10], magic=magic, start=20, theta=10.0))
    np.testing.assert_allclose(scans[0].x, [10, 10.04, 10.08, 10.12, 10.16], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scans[0].y, COUNTS)
    np.testing.assert_allclose(scans[1].x, [20, 20.04, 20.08, 20.12], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scans[1].y, [7, 8, 9, 10])
    assert scans[1].meta == {"sample": "QUARTZ", "count_time": 4.0, "omega": 10.0, "phi": 12.5}
    assert scans[1].radiation.lines == ((1.5406, 1.0), (1.5444, 0.5))


def test_version_1_oddities(load):
    (scan,) = load(v1_range([], follows=1) + v1_range(lines=(154.06, 154.4)) + b"tail")
    assert scan.radiation is None
    assert "154.06" in scan.warnings[0]
    assert scan.warnings[1] == "4 bytes after the last range were not read"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (v1_range()[:-1], "holds 4 of the 5 points"),
        (v1_range()[:100], "the header of range 1 needs the bytes 4 to 156, the file has 100"),
        (v1_range(follows=1), "the header of range 2"),
        (v1_range([]), "none of its ranges holds a point"),
        (v1_range(start=4.97e37), "cannot be two_theta"),
        (v1_range([1, 2, float("nan")]), "1 of 3 intensities are not finite"),
    ],
)
def test_version_1_damaged(load, content, why):
    with pytest.raises(DamagedFileError, match=why):
        load(content)


# --- version 2 --------------------------------------------------------------------------------------------------------


def test_version_2_with_several_ranges(load):
    scans = load(v2_file(v2_range(), v2_range([]), v2_range([1, 2, 3], start=50, temperature=300)) + b"!")
    assert len(scans) == 2
    np.testing.assert_allclose(scans[0].x, [5, 5.02, 5.04, 5.06, 5.08], rtol=0, atol=1e-12)
    assert "temperature" not in scans[0].meta
    np.testing.assert_array_equal(scans[1].y, [1, 2, 3])
    assert scans[1].meta == {
        "sample": "ZINCITE", "comment": "by hand", "date": "1997-12-19T21:57:00", "anode": "Cu", "count_time": 3.0,
        "omega": 25.0, "temperature": 300.0,
    }  # fmt: skip
    assert scans[1].warnings == ["1 bytes after the last range were not read"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (v2_file(v2_range())[:-4], "holds 4 of the 5 points"),
        (v2_file(v2_range(), number=2), "the header of range 2"),
        (v2_file(v2_range(length=40)), "has 40 bytes, at least 48"),
        (v2_file(v2_range())[:200], "its file header needs"),
        (v2_file(), "none of its ranges holds a point"),
    ],
)
def test_version_2_damaged(load, content, why):
    with pytest.raises(DamagedFileError, match=why):
        load(content)


# --- version 3 --------------------------------------------------------------------------------------------------------


def test_version_3_header(load):
    (scan,) = load(v3_file(v3_range(supplement=b"n\0\0\0" + bytes(37)), unit="nm", lines=(0.15406, 0.154439)))
    np.testing.assert_allclose(scan.x, [10, 10.1, 10.2, 10.3, 10.4], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scan.y, COUNTS)
    assert scan.radiation.wavelength == pytest.approx(1.5406, rel=1e-12)
    assert scan.meta == {
        "sample": "Cu3Au", "comment": "hot", "operator": "Röntgen", "date": "2008-06-12T10:27:58", "anode": "Cu",
        "scan_axis": "Locked Coupled", "omega": 5.0, "phi": 33.0, "temperature": 873.15,
        "count_time": 0.5, "voltage": 40.0, "current": 30.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("code", "kind", "first", "name"),
    [
        (2, "two_theta", 10.0, "Detector Scan"),
        (3, "omega", 5.0, "Rocking Curve"),
        (5, "phi", 33.0, "Phi Scan"),
        (6, "position", -2.0, "X Scan"),
        (129, "two_theta", 10.0, "PSD Fixed Scan"),
    ],
)
def test_version_3_axis_follows_the_scan_type(load, code, kind, first, name):
    (scan,) = load(v3_file(v3_range(o196=("i", code))))
    assert (scan.kind, scan.x[0], scan.meta["scan_axis"], scan.warnings) == (kind, first, name, [])


@pytest.mark.parametrize(("code", "name"), [(13, "HKL Scan"), (77, "scan type 77")])
def test_version_3_scans_without_a_position(load, code, name):
    (scan,) = load(v3_file(v3_range(o196=("i", code))))
    assert scan.kind == "channel"
    np.testing.assert_array_equal(scan.x, [0, 1, 2, 3, 4])
    assert scan.warnings == [f"along a {name} no position is known: the points are numbered"]


def test_version_3_values_that_vary_from_point_to_point(load):
    points = np.zeros(5, [("y", "<f4"), ("tth", "<f8"), ("time", "<f8"), ("temp", "<f8")])
    points["y"], points["tth"], points["time"], points["temp"] = COUNTS, [1, 2, 4, 8, 16], 3, [300, 301, 302, 303, 304]
    bits = 1 << 0 | 1 << 10 | 1 << 11
    (scan,) = load(v3_file(v3_range(points.tobytes(), o248=("i", bits), o252=("i", 28))))
    np.testing.assert_array_equal(scan.x, [1, 2, 4, 8, 16])
    np.testing.assert_array_equal(scan.y, COUNTS)
    assert scan.meta["temperature"] == 302
    assert "count_time" not in scan.meta
    assert scan.warnings == ["the counting time varies from point to point; it is not applied"]


def test_version_3_ranges_that_were_not_measured(load):
    scans = load(v3_file(v3_range(), v3_range(count=0)[:304], v3_range(), status=1))
    assert len(scans) == 2


def test_version_3_that_the_file_says_was_aborted(load):
    one, two = load(v3_file(v3_range(), v3_range()[:-9], number=4, status=3))
    assert (len(one.y), len(two.y)) == (5, 2)
    assert two.warnings[0] == "range 2: the measurement was aborted: 2 of 5 points are there"
    scans = load(v3_file(v3_range(), v3_range(), number=4, status=4))
    assert scans[-1].warnings == ["the measurement was interrupted: 2 of 4 ranges are there"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (v3_file(v3_range())[:-1], "holds 4 of the 5 points its header promises"),
        (v3_file(v3_range(), number=2), "range 2: the range header needs"),
        (v3_file(v3_range())[:700], "its file header needs"),
        (v3_file(number=0), "announces 0 ranges"),
        (v3_file(v3_range(), number=-5), "announces -5 ranges"),
        (v3_file(v3_range(count=0)[:304]), "none of its 1 ranges holds a point"),
        (v3_file(v3_range(count=2**31 - 1)), "holds 5 of the 2147483647 points"),
        (v3_file(v3_range(count=-1)), "impossible lengths: header 304, points -1"),
        (v3_file(v3_range(o0=("i", 100))), "impossible lengths: header 100"),
        (v3_file(v3_range(o256=("i", -8))), "supplement -8"),
        (v3_file(v3_range(o252=("i", 12))), "a point of 12 bytes, 4 are needed for 0 drives"),
        (v3_file(v3_range(o16=("d", 4.97e97))), r"5 points from 4.97e\+97 in steps of 0.1 cannot be two_theta"),
        (v3_file(v3_range(o176=("d", -0.1))), "in steps of -0.1 cannot be two_theta"),
        (v3_file(v3_range(floats([1, 2, 3, 4, 1e30]))), "1 of 5 intensities are not finite or beyond"),
    ],
)
def test_version_3_damaged(load, content, why):
    with pytest.raises(DamagedFileError, match=why):
        load(content)


def test_leftover_bytes_are_said(load):
    (scan,) = load(v3_file(v3_range()) + b"123")
    assert scan.warnings == ["3 bytes after the last range were not read"]


def test_forced_on_another_file(tmp_path):
    path = tmp_path / "a.raw"
    path.write_bytes(b"not a scan")
    with pytest.raises(DamagedFileError, match="begins with RAW"):
        DOOR.read(path, format="bruker_raw")


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        [v1_range(follows=1) + v1_range(), v2_file(v2_range(), v2_range()), v3_file(v3_range(), v3_range())]
    ),
    st.lists(st.tuples(st.integers(0, 1500), st.binary(min_size=1, max_size=8)), max_size=4),
    st.integers(0, 1500),
)
def test_hostile_files_end_in_one_sentence(tmp_path, content, patches, cut):
    raw = bytearray(content)
    for at, patch in patches:
        raw[at : at + len(patch)] = patch
    path = tmp_path / "hostile.raw"
    path.write_bytes(bytes(raw[: max(cut, 8)]))
    for one in DOOR.read_each(path, format="bruker_raw"):
        assert one.error is None or isinstance(one.error, PeakwiseError)
