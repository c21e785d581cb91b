"""Stoe RAW: the real file, checked against what its own header states twice, and files built from the layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from layouts.stoe_raw import COUNTS, stoe_file, stoe_range
from peakwise.errors import DamagedFileError, PeakwiseError
from peakwise.io import Reader, Source
from peakwise.io.stoe_raw import STOE_RAW

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def load(tmp_path: Path):
    def read(content: bytes):
        path = tmp_path / "scan.raw"
        path.write_bytes(content)
        source = Source(path)
        assert STOE_RAW.sniff(source)
        return STOE_RAW.read(source)

    return read


def test_the_real_file(real_data):
    source = Source(real_data / "formats/stoe_raw/stoe.raw")
    assert STOE_RAW.sniff(source)
    (scan,) = STOE_RAW.read(source)
    assert (scan.kind, scan.unit, len(scan.x), scan.warnings) == ("two_theta", "counts", 5404, [])
    # start, step and end stand in the header at 0x82c, 0x83c and 0x834: they agree with the number of points
    assert (scan.x[0], scan.x[1] - scan.x[0], scan.x[-1]) == pytest.approx((10.0, 0.015, 91.045), abs=1e-9)
    # so do the smallest and the largest count at 0x878 and 0x87c
    assert (scan.y[0], scan.y[-1], scan.y.min(), scan.y.max()) == (4213, 1285, 0x469, 0x16C0)
    assert scan.radiation.lines == ((1.20793, 1.0),)
    assert scan.meta == {
        "title": "This file has no Title", "comment": "", "anode": None, "scan_axis": "2Theta:Omega", "voltage": 20.0,
        "current": 5.0, "date": "2020-09-22T17:18:00", "count_time": 352.0, "omega": 5.0,
    }  # fmt: skip


def test_other_files_are_not_claimed(real_data):
    for name in ("bruker_raw/SbI3.raw", "bruker_raw/brk_raw1.raw", "gsas/garnet.raw"):
        assert not STOE_RAW.sniff(Source(real_data / "formats" / name))


def test_header(load):
    (scan,) = load(stoe_file(stoe_range()))
    np.testing.assert_allclose(scan.x, [10, 10.015, 10.03, 10.045, 10.06], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(scan.y, COUNTS)
    assert scan.radiation.lines == ((1.540598, 1.0), (1.544426, 0.5))
    assert scan.meta == {
        "title": "Quartz", "comment": "0.5mm", "anode": "Cu", "scan_axis": "2Theta:Omega", "voltage": 40.0,
        "current": 30.0, "date": "2020-09-22T17:18:00", "count_time": 352.0, "omega": 5.0,
    }  # fmt: skip


def test_several_ranges_of_both_word_lengths(load):
    small = stoe_range(range(300), form=1, start=20.0, end=20 + 0.015 * 299)
    first, second = load(stoe_file(stoe_range(), small, revision="RAW_1.05"))
    np.testing.assert_array_equal(first.y, COUNTS)
    np.testing.assert_array_equal(second.y, np.arange(300))
    assert second.x[0] == 20


@pytest.mark.parametrize("changes", [{"scan_type": 2}, {"scan_type": 4}])
def test_a_scan_of_omega(load, changes):
    still = {"step": 0.0} if changes["scan_type"] == 4 else {}
    (scan,) = load(stoe_file(stoe_range(**still), **changes))
    assert (scan.kind, scan.warnings) == ("omega", [])
    np.testing.assert_allclose(scan.x, [5, 5.0075, 5.015, 5.0225, 5.03], rtol=0, atol=1e-9)


def test_a_germanium_monochromator_leaves_ka1(load):
    for changes in ({"monochromator": 2}, {"monochromator": 102}):
        (scan,) = load(stoe_file(stoe_range(), **changes))
        assert scan.radiation.lines == ((1.540598, 1.0),)
    (scan,) = load(stoe_file(stoe_range(history=1 << 7 | 1 << 5)))
    assert scan.radiation.lines == ((1.540598, 1.0),)
    assert scan.warnings == ["the file says about its data: smoothed, Ka2 stripped"]


def test_scaled_counts(load):
    (scan,) = load(stoe_file(stoe_range([20, 40, 61], factor=2.0)))
    np.testing.assert_array_equal(scan.y, [10, 20, 30.5])
    assert scan.unit == "unknown"


def test_a_measurement_in_progress(load):
    (scan,) = load(stoe_file(stoe_range(end=50.0), now=2))
    assert scan.warnings == [
        "5 points from 10 in steps of 0.015 do not end at 50 as stated",
        "range 2 was still being measured when the file was written",
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (stoe_file(stoe_range(), revision="RAW_1.04"), "its revision is RAW_1.04, RAW_1.05 and RAW_1.06 are read"),
        (stoe_file(stoe_range())[:400], "its file header needs"),
        (stoe_file(), "says that 0 ranges were measured"),
        (stoe_file(stoe_range(), measured=9), "says that 9 ranges were measured"),
        (stoe_file(stoe_range(), record=0), "is said to begin in record 0"),
        (stoe_file(stoe_range(), record=-7), "is said to begin in record -7"),
        (stoe_file(stoe_range(), record=30000), "the range header needs the bytes"),
        (stoe_file(stoe_range())[: 4 * 512 + 18], "holds 4 of the 5 points"),
        (stoe_file(stoe_range(points=60000)), "holds 128 of the 60000 points"),
        (stoe_file(stoe_range(largest=70001)), "counts from 3 to 70001 are stated, 3 to 70000 are there"),
        (stoe_file(stoe_range(start=1e30)), "cannot be two_theta"),
    ],
)
def test_damaged(load, content, why):
    with pytest.raises(DamagedFileError, match=why):
        load(content)


def test_hostile_files_end_in_one_sentence(tmp_path):
    content = stoe_file(stoe_range(), stoe_range(start=20.0))
    random = np.random.default_rng(1)
    path = tmp_path / "hostile.raw"
    for _ in range(200):
        raw = bytearray(content)
        for at in random.integers(8, len(raw) - 8, 6):
            raw[at : at + 4] = random.bytes(4)
        path.write_bytes(bytes(raw))
        (one,) = Reader({"stoe_raw": STOE_RAW}).read_each(path)
        assert one.error is None or isinstance(one.error, PeakwiseError)
