"""Bruker RAW version 4: twins in four formats, and files built record by record from the layout."""

from __future__ import annotations

import json
import re
import struct
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layouts.bruker_raw_v4 import COUNTS, COUPLED, hardware, one_range, record, v4_file
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


# --- real files and their twins ---------------------------------------------------------------------------------------


def brml_rows(path: Path) -> np.ndarray:
    """The rows `time, 1, 2theta, theta, counts` that a BRML file keeps as text."""
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("Experiment0/RawData0.xml").decode()
    return np.array([row.split(",") for row in re.findall("<Datum>([^<]*)", xml)], dtype=float)


@pytest.mark.parametrize("name", ["SbI3", "BaZrS3"])
def test_the_brml_of_the_same_measurement_has_the_same_counts(real_data, name):
    (scan,) = BRUKER_RAW.read(Source(real_data / f"formats/bruker_raw/{name}.raw"))
    rows = brml_rows(real_data / f"formats/bruker_brml/{name}.brml")
    np.testing.assert_array_equal(scan.y, rows[:, 4])
    np.testing.assert_allclose(scan.x, rows[:, 2], rtol=0, atol=5.1e-5)  # the BRML rounds to four decimals
    assert rows[0, 0] == pytest.approx(scan.meta["count_time"])
    assert rows[0, 3] == pytest.approx(scan.meta["omega"], abs=5.1e-5)


def test_the_text_files_of_the_same_measurement(real_data):
    (scan,) = BRUKER_RAW.read(Source(real_data / "formats/bruker_raw/SbI3.raw"))
    x, y, _ = np.loadtxt(real_data / "formats/xye/SbI3.xye").T
    np.testing.assert_array_equal(scan.y, y)
    np.testing.assert_allclose(scan.x, x, rtol=0, atol=5.1e-5)
    x, rate = np.loadtxt(real_data / "formats/bruker_brml/SbI3.xy").T  # counts per second, to three decimals
    np.testing.assert_allclose(scan.y / scan.meta["count_time"], rate, rtol=0, atol=5.1e-4)
    np.testing.assert_allclose(scan.x, x, rtol=0, atol=5.1e-5)


def test_the_json_of_the_same_measurement(real_data):
    """Converted by another program from this very file."""
    (scan,) = BRUKER_RAW.read(Source(real_data / "formats/bruker_raw/bruker.raw"))
    other = json.loads((real_data / "formats/aimat_json/aimat.json").read_text())
    np.testing.assert_array_equal(scan.y, other["intensities"])
    np.testing.assert_allclose(scan.x, other["two_theta_values"], rtol=0, atol=5.1e-7)
    assert scan.meta == {
        "sample": "Cu-12%Ag_500C1700h_P5n5rpm1_RT", "comment": "", "operator": "Yanyan", "date": "2021-08-30T20:35:58",
        "anode": "Cu", "scan_axis": "Locked Coupled", "omega": 18.50005, "count_time": 288.0, "voltage": 40.0,
        "current": 40.0,
    }  # fmt: skip
    assert scan.radiation.lines == ((1.5406, 1.0), (1.54439, 0.5))


def test_a_file_whose_intensities_were_scrambled_is_said_to_be_no_counts(real_data):
    (scan,) = BRUKER_RAW.read(Source(real_data / "formats/bruker_raw/TwoTheta_scan_scrambled.raw"))
    assert (scan.kind, len(scan.x), scan.unit) == ("two_theta", 7134, "unknown")
    assert (scan.x[0], scan.x[-1]) == pytest.approx((10.0, 85.0412991624), abs=1e-9)
    assert scan.radiation.lines == ((1.5405999422073364, 1.0),)  # Ka2 is 0 in the header
    assert scan.meta["sample"] == "HeOx-1001-nsp-sps-900C-10min-01-poliert"
    assert scan.meta["count_time"] == 310.003
    assert scan.warnings == [
        "a point holds 2 counters: the first is read",
        "the intensities are not whole counts, down to -164.534: the data were processed before they were saved",
    ]


# --- the layout -------------------------------------------------------------------------------------------------------


def test_header(load):
    (scan,) = load(v4_file(one_range()))
    np.testing.assert_allclose(scan.x, [10, 10.02, 10.04, 10.06, 10.08], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scan.y, COUNTS)
    assert (scan.kind, scan.unit, scan.warnings) == ("two_theta", "counts", [])
    assert scan.radiation.lines == ((1.5406, 1.0), (1.54439, 0.5))
    assert scan.meta == {
        "sample": "Süß", "comment": None, "operator": "Me", "date": "2025-05-09T12:24:11", "anode": "Cu",
        "scan_axis": "Locked Coupled", "omega": 5.0, "chi": 1.5, "phi": 33.0, "count_time": 38.4, "voltage": 40.0,
        "current": 25.0,
    }  # fmt: skip


def test_every_range(load):
    second = one_range(start=20.0, drives={"2Theta": 20.0, "Theta": 10.0}, time=400.0, first=160)
    empty = one_range(count=0)[: -4 * len(COUNTS)]
    scans = load(v4_file(one_range(), empty, second, planned=4))
    assert [s.x[0] for s in scans] == [10, 20]
    assert [s.meta["time"] for s in scans] == [20, 400]
    assert [s.meta["omega"] for s in scans] == [5, 10]
    assert scans[1].warnings == ["3 of 4 ranges were measured"]


def test_points_are_stepped_over_by_their_stored_size(load):
    points = np.zeros(5, [("first", "<f4"), ("second", "<f4"), ("more", "<f8")])
    points["first"], points["second"], points["more"] = COUNTS, 99, 12345.678
    (scan,) = load(v4_file(one_range(points=points.tobytes(), size=16, counters=2, flags=1)))
    np.testing.assert_array_equal(scan.y, COUNTS)
    assert scan.warnings == [
        "a point holds 2 counters: the first is read",
        "the counting time varies from point to point; it is not applied",
    ]


@pytest.mark.parametrize(
    ("scan_type", "kind", "drives"),
    [
        ("Unlocked Coupled", "two_theta", {"2Theta": 10.0, "Theta": 3.0}),
        ("Detector Scan", "two_theta", {"2Theta": 10.0}),
        ("PSD Fix Scan", "two_theta", {"2Theta": 12.0, "Theta": 10.0}),
        ("Rocking Curve", "omega", {"2Theta": 20.0, "Theta": 10.0}),
        ("Phi Scan", "phi", {"Phi": 10.0}),
        ("Chi Scan", "chi", {"Chi": 10.0}),
        ("Locked Coupled", "two_theta", {}),
    ],
)
def test_the_axis_follows_the_scan_type(load, scan_type, kind, drives):
    (scan,) = load(v4_file(one_range(scan_type, drives)))
    assert (scan.kind, scan.x[0], scan.meta["scan_axis"], scan.warnings) == (kind, 10.0, scan_type, [])


@pytest.mark.parametrize(
    ("scan_type", "kind", "drives", "note"),
    [
        ("Z Scan", "position", {"Z-Drive": 10.0}, "a Z Scan: taken along Z-Drive, which stood at its start"),
        ("", "two_theta", COUPLED, "a scan without a type: taken along 2Theta, which stood at its start"),
        (
            "Quick",
            "channel",
            {"2Theta": 10.0, "Chi": 10.0},
            "along a Quick no position is known: the points are numbered",
        ),
        (
            "Unlocked Coupled",
            "omega",
            {"2Theta": 20.0, "Theta": 10.0},
            "the Unlocked Coupled is given along Theta, which stood at its start",
        ),
        ("Locked Coupled", "two_theta", {"2Theta": 20.0}, "the Locked Coupled starts at 10, but 2Theta stood at 20"),
    ],
)
def test_an_axis_in_doubt_is_said(load, scan_type, kind, drives, note):
    (scan,) = load(v4_file(one_range(scan_type, drives)))
    assert (scan.kind, scan.warnings) == (kind, [note])


def test_wavelengths(load):
    (scan,) = load(v4_file(one_range(), metadata=hardware(0.15406, 0.154439, 0.5, b"nm")))
    assert scan.radiation.wavelength == pytest.approx(1.5406, rel=1e-12)
    (scan,) = load(v4_file(one_range(in_use=0.7093), metadata=b""))
    assert scan.radiation.lines == ((0.7093, 1.0),)
    (scan,) = load(v4_file(one_range(records=hardware(1.78897, 1.79285))))  # of the range rather than of the file
    assert scan.radiation.lines == ((1.78897, 1.0), (1.79285, 0.5))
    (scan,) = load(v4_file(one_range(in_use=0.0), metadata=hardware(0.0, 0.0)))
    assert scan.radiation is None


@pytest.mark.parametrize("counted", [True, False])
def test_one_more_record_before_the_metadata(load, counted):
    extra, metadata = record(200, b"anything"), hardware()
    length = len(metadata) + counted * len(extra)
    (scan,) = load(v4_file(one_range(), metadata=metadata, extra=extra, length=length))
    assert scan.radiation.wavelength == 1.5406


def test_a_range_that_was_aborted(load):
    (scan,) = load(v4_file(one_range(completed=3)[:-8]))
    np.testing.assert_array_equal(scan.y, COUNTS[:3])
    assert scan.warnings == ["the header says that 3 of 5 points were completed"]
    with pytest.raises(DamagedFileError, match="holds 2 of the 5 points"):
        load(v4_file(one_range(completed=3)[:-12]))
    (scan,) = load(v4_file(one_range(completed=3)))  # they are all there: nothing is thrown away
    assert len(scan.y) == 5


def test_leftover_bytes_are_said(load):
    (scan,) = load(v4_file(one_range()) + b"\1" * 200)
    assert scan.warnings == ["200 bytes after the last range were not read"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (v4_file(one_range())[:-1], "holds 4 of the 5 points its header promises"),
        (v4_file(one_range(), measured=2), "holds 1 of the 2 ranges its header promises"),
        (v4_file(), "holds 0 of the 1 ranges its header promises"),
        (v4_file(one_range())[:60], "its file header needs"),
        (v4_file(one_range())[:100], "its metadata needs the bytes 61 to"),
        (v4_file(one_range(), length=-5), "its metadata needs the bytes 61 to 56"),
        (v4_file(one_range(), length=2**31 - 1), "its metadata needs"),
        (v4_file(one_range(), length=50), "the record of type 10 at byte 99 has 42 bytes, 12 remain"),
        (v4_file(one_range(), metadata=struct.pack("<II", 10, 4)), "the record of type 10 at byte 61 has 4 bytes"),
        (v4_file(one_range(), metadata=b"\1\0\0\0"), "a record of type|the record of type"),
        (v4_file(one_range(count=0)[:-20]), "none of its ranges holds a point"),
        (v4_file(one_range(count=-1)), "impossible lengths: points -1 of 4 bytes"),
        (v4_file(one_range(count=2**31 - 1, completed=2**31 - 1)), "holds 5 of the 2147483647 points"),
        (v4_file(one_range(size=3)), "impossible lengths: points 5 of 3 bytes"),
        (v4_file(one_range(size=2**30)), "impossible lengths"),
        (v4_file(one_range(extra=2**31 - 1)), "the range header needs"),
        (v4_file(one_range(extra=-1)), "records -1"),
        (v4_file(one_range(extra=90)), "the record of type 50 at byte"),
        (v4_file(one_range(start=4.97e97)), r"5 points from 4.97e\+97 in steps of 0.02 cannot be two_theta"),
        (v4_file(one_range(step=0.0)), "in steps of 0 cannot be two_theta"),
        (v4_file(one_range(step=-0.02)), "in steps of -0.02 cannot be two_theta"),
        (v4_file(one_range(start=float("nan"))), "5 points from nan"),
        (
            v4_file(one_range(points=np.array([1, 2, 3, 4, np.inf], "<f4").tobytes())),
            "1 of 5 intensities are not finite",
        ),
    ],
)
def test_damaged(load, content, why):
    with pytest.raises(DamagedFileError, match=why):
        load(content)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(8, 1800), st.binary(min_size=1, max_size=8)), max_size=4),
    st.integers(8, 2000),
)
def test_hostile_files_end_in_one_sentence(tmp_path, patches, cut):
    raw = bytearray(v4_file(one_range(), one_range(start=20.0)))
    for at, patch in patches:
        raw[at : at + len(patch)] = patch
    path = tmp_path / "hostile.raw"
    path.write_bytes(bytes(raw[:cut]))
    for one in DOOR.read_each(path, format="bruker_raw"):
        assert one.error is None or isinstance(one.error, PeakwiseError)
