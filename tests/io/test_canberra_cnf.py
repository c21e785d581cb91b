"""Canberra CNF: the real spectrum, read with a hex dump, and files built from the layout."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest

from layouts.canberra_cnf import ACQUISITION, CHANNELS, COUNTS, SAMPLE, cnf_file
from peakwise.errors import DamagedFileError, PeakwiseError
from peakwise.io import Reader, Source
from peakwise.io.canberra_cnf import CANBERRA_CNF

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def load(tmp_path: Path):
    def read(content: bytes):
        path = tmp_path / "a.cnf"
        path.write_bytes(content)
        source = Source(path)
        assert CANBERRA_CNF.sniff(source)
        return CANBERRA_CNF.read(source)

    return read


def test_the_real_spectrum(real_data):
    source = Source(real_data / "formats/canberra_cnf/SMP00011.CNF")
    assert CANBERRA_CNF.sniff(source)
    (scan,) = CANBERRA_CNF.read(source)
    assert (scan.kind, scan.unit, len(scan.x), scan.radiation, scan.warnings) == ("energy", "counts", 8192, None, [])
    # 3a3e 1935 and 803f 0000 at the coefficients: 0.0454342 and 0.25 keV per channel, the first channel being 1
    assert (scan.x[0], scan.x[-1]) == pytest.approx((0.295434195548, 2048.045434195548), abs=1e-9)
    assert (scan.y[0], scan.y[-1], scan.y.max(), np.argmax(scan.y), scan.y.sum()) == (0, 0, 3642, 2308, 430160)
    assert scan.meta == {
        "instrument": "DET01", "date": "2011-09-08T08:04:38", "real_time": 60.0, "count_time": 53.17, "title": "",
        "sample": "Sample #11",
    }  # fmt: skip


def test_other_files_are_not_claimed(real_data, tmp_path):
    for name in ("bruker_raw/SbI3.raw", "stoe_raw/stoe.raw", "xy/zro2_mo.xy"):
        assert not CANBERRA_CNF.sniff(Source(real_data / "formats" / name))
    path = tmp_path / "a.cnf"
    path.write_bytes(cnf_file()[:150])
    assert not CANBERRA_CNF.sniff(Source(path))


def test_header(load):
    (scan,) = load(cnf_file())
    np.testing.assert_allclose(scan.x, 0.5 + 0.25 * np.arange(1, 257), rtol=1e-7)
    np.testing.assert_array_equal(scan.y, COUNTS)
    assert scan.meta == {
        "instrument": "DET01", "date": "2011-09-08T01:00:00", "real_time": 60.0, "count_time": 53.17, "title": "Soil",
        "sample": "#11",
    }  # fmt: skip


def test_units_and_a_curved_calibration(load):
    (scan,) = load(cnf_file((0, 250.0, 1.0, 0), b"eV"))
    assert (scan.kind, scan.x[1]) == ("energy", pytest.approx(0.504))  # (250 * 2 + 2²) eV


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"coefficients": (0.5, 0, 0, 0)}, "no energy calibration that is read"),
        ({"unit": b"mm"}, "unit mm"),
        ({"unit": b""}, "unit not given"),
        ({"form": b"SPLINE"}, "SPLINE"),
        ({"coefficients": (0, -1.0, 0, 0)}, "does not rise"),
    ],
)
def test_without_a_calibration_the_axis_is_the_channel(load, changes, note):
    (scan,) = load(cnf_file(**changes))
    assert scan.kind == "channel"
    np.testing.assert_array_equal(scan.x, np.arange(1, 257))
    assert note in scan.warnings[0]


def test_without_a_sample_or_a_date(load):
    content = bytearray(cnf_file(skip=[SAMPLE]))
    content[512 + 48 + 501 : 512 + 48 + 525] = bytes(24)
    (scan,) = load(bytes(content))
    assert scan.meta == {"instrument": "DET01"}


def moved(at: int, value: int) -> bytes:
    content = bytearray(cnf_file())
    struct.pack_into("<I", content, at, value)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (cnf_file()[:-1], "holds 255 of the 256 points"),
        (cnf_file(channels=65535), "holds 256 of the 16776960 points"),
        (cnf_file(channels=0), "announces 0 channels"),
        (cnf_file(mode=b"MCS+"), "the measurement is 'MCS[+]'; spectra"),
        (cnf_file(skip=[CHANNELS]), "no channel section among its 2 sections"),
        (moved(0x70 + 96 + 10, 1024), "no section 0x12005 begins at byte 1024"),
        (moved(0x70 + 96 + 10, 2**32 - 1), "its header needs the bytes"),
        (moved(0x70 + 10, 0x10000), "its header needs the bytes"),
    ],
)
def test_damaged(load, content, why):
    with pytest.raises(DamagedFileError, match=why):
        load(content)


def test_a_file_without_an_acquisition(tmp_path):
    path = tmp_path / "a.cnf"
    path.write_bytes(cnf_file(skip=[ACQUISITION]))
    with pytest.raises(DamagedFileError, match="no acquisition section"):
        CANBERRA_CNF.read(Source(path))


def test_hostile_files_end_in_one_sentence(tmp_path):
    random = np.random.default_rng(1)
    path = tmp_path / "hostile.cnf"
    for _ in range(200):
        raw = bytearray(cnf_file())
        for at in random.integers(0x70, 2000, 6):
            raw[at : at + 4] = random.bytes(4)
        path.write_bytes(bytes(raw))
        (one,) = Reader({"canberra_cnf": CANBERRA_CNF}).read_each(path, format="canberra_cnf")
        assert one.error is None or isinstance(one.error, PeakwiseError)
