"""Fields of binary files: what is read, and what is refused before anything is allocated."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from peakwise.errors import DamagedFileError
from peakwise.io import Source
from peakwise.io._binary import (
    Fields,
    date_of,
    element,
    intensity_unit,
    known,
    measured_axis,
    stepped_axis,
    tube,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "a.bin"
    path.write_bytes(struct.pack("<fHd", 0.02, 700, 1.5406) + b"Cu\0\xff" + struct.pack("<fd", 7.0, 2.5) * 3)
    return Source(path)


def test_numbers_and_texts_at_offsets(source):
    fields = Fields(source)
    assert len(fields) == 54
    assert fields.real("f", 0) == 0.02  # not 0.0199999995529651
    assert fields.whole("H", 4) == 700
    assert fields.real("d", 6) == 1.5406
    assert fields.text(14, 4) == "Cu"


def test_columns_of_records(source):
    fields = Fields(source)
    np.testing.assert_array_equal(fields.column("f", 18, 3, 12), [7, 7, 7])
    np.testing.assert_array_equal(fields.column("d", 18, 3, 12, 4), [2.5, 2.5, 2.5])
    with pytest.raises(DamagedFileError, match="holds 3 of the 4000000000 points"):
        fields.column("f", 18, 4_000_000_000, 12)


@pytest.mark.parametrize(("at", "size"), [(50, 5), (-1, 2), (0, -1), (2**40, 1)])
def test_outside_of_the_file_is_refused(source, at, size):
    with pytest.raises(DamagedFileError, match="the file has 54"):
        Fields(source).need(at, size, "its header")


def test_a_long_text_field_is_cut(tmp_path):
    path = tmp_path / "b.bin"
    path.write_bytes(b"x" * 100_000)
    assert len(Fields(Source(path)).text(0, 100_000)) == 4096


def test_signalling_nan_is_no_python_warning(tmp_path):
    path = tmp_path / "c.bin"
    path.write_bytes(b"\x01\x00\xa0\x7f")
    assert np.isnan(Fields(Source(path)).column("f", 0, 1, 4)).all()


def test_unread_bytes_are_said(source):
    assert Fields(source).unread(54) == []
    assert Fields(source).unread(50) == ["4 bytes after the last range were not read"]


def test_an_axis_in_steps(source):
    np.testing.assert_allclose(stepped_axis(source, "two_theta", 10, 0.5, 3), [10, 10.5, 11], rtol=0, atol=0)
    assert stepped_axis(source, "two_theta", -180, 1, 361)[-1] == 180


@pytest.mark.parametrize(
    ("kind", "start", "step", "count"),
    [
        ("two_theta", 4.97e97, 0.02, 100),
        ("two_theta", 10, 0, 100),
        ("two_theta", 10, -0.02, 100),
        ("two_theta", float("nan"), 0.02, 100),
        ("two_theta", 10, float("nan"), 100),
        ("two_theta", 10, float("inf"), 100),
        ("two_theta", 10, 0.02, 10**7),
        ("phi", 0, 1, 1000),
        ("position", 0, 1e5, 3),
    ],
)
def test_an_axis_where_no_instrument_can_be_is_refused(source, kind, start, step, count):
    with pytest.raises(DamagedFileError, match=f"cannot be {kind}"):
        stepped_axis(source, kind, start, step, count)


def test_measured_positions(source):
    x = np.array([10.0, 11.0])
    assert measured_axis(source, "two_theta", x) is x
    with pytest.raises(DamagedFileError, match="cannot be two_theta"):
        measured_axis(source, "two_theta", np.array([10.0, np.nan]))


def test_intensities_tell_their_unit(source):
    notes: list[str] = []
    assert intensity_unit(source, np.array([0.0, 7.0]), notes) == "counts"
    assert notes == []
    assert intensity_unit(source, np.array([0.0, 7.5]), notes) == "unknown"
    assert intensity_unit(source, np.array([-1.0, 7.0]), notes, "range 2: ") == "unknown"
    assert notes[0].startswith("the intensities are not whole counts: ")
    assert notes[1].startswith("range 2: the intensities are not whole counts, down to -1: ")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 4.97e97])
def test_numbers_that_no_detector_gives_are_refused(source, bad):
    with pytest.raises(DamagedFileError, match="1 of 2 intensities are not finite or beyond"):
        intensity_unit(source, np.array([1.0, bad]), [])


def test_radiation_of_a_tube():
    notes: list[str] = []
    radiation = tube(1.5406, 1.54439, 0.5, "Cu", notes)
    assert radiation is not None
    assert radiation.lines == ((1.5406, 1.0), (1.54439, 0.5))
    assert tube(0.0, 0.0, 0.0, None, notes) is None
    assert tube(float("nan"), 1.5, 0.5, None, notes) is None
    assert notes == []
    assert tube(154.06, 154.4, 0.5, "Cu", notes) is None
    assert "154.06" in notes[0]


@pytest.mark.parametrize(("text", "symbol"), [("CU", "Cu"), ("Co\0", "Co"), ("W", "W"), ("", None), ("Copper", None)])
def test_anodes(text, symbol):
    assert element(text) == symbol


def test_values_that_are_set():
    assert known({"a": 1.0, "b": 9999.0, "c": float("nan"), "d": 0.0}, 9999.0) == {"a": 1.0, "d": 0.0}


def test_dates_in_a_known_order():
    assert date_of("10/13/03 18:50:59", "%m/%d/%y %H:%M:%S") == "2003-10-13T18:50:59"
    assert date_of("19-12-1997 21:57", "%d.%m.%Y", "%d-%m-%Y %H:%M") == "1997-12-19T21:57:00"
    assert date_of(" 14/03/88 00:00:00", "%m/%d/%y %H:%M:%S") == "14/03/88 00:00:00"
