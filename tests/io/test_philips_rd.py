"""Philips RD and SD. No measured file is at hand: one is built from a D5000 scan by the published layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from layouts.philips_rd import COUNTS, rd_file
from peakwise.errors import DamagedFileError, PeakwiseError
from peakwise.io import Reader, Source
from peakwise.io.philips_rd import PHILIPS_RD

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def load(tmp_path: Path):
    def read(content: bytes):
        path = tmp_path / "scan.rd"
        path.write_bytes(content)
        source = Source(path)
        assert PHILIPS_RD.sniff(source)
        return PHILIPS_RD.read(source)

    return read


@pytest.mark.parametrize("version", [b"V3RD", b"V5RD"])
def test_the_counts_are_unpacked(load, version):
    (scan,) = load(rd_file(version=version))
    np.testing.assert_array_equal(scan.y, COUNTS)
    np.testing.assert_allclose(scan.x, 5 + 0.02 * np.arange(12), rtol=0, atol=1e-12)
    assert (scan.kind, scan.unit, scan.warnings) == ("two_theta", "counts", [])
    assert scan.radiation.lines == ((1.5406, 1.0), (1.54439, 0.5))
    assert scan.meta == {"sample": "Corundum", "title": "CPD-1A", "instrument": "PW3710", "anode": "Cu"}


def test_the_largest_value_that_can_be_packed(load):
    (scan,) = load(rd_file([0, 1, 9, 10, 11, 65535]))
    np.testing.assert_array_equal(scan.y, [0, 0, 0, 1, 1, 42948362])  # 65535² = 4294836225


def test_a_measured_scan_packed_and_unpacked(real_data, load):
    x, counts = np.loadtxt(real_data / "formats/bruker_raw/D5000_1.xy").T
    stored = np.ceil(10 * np.sqrt(counts))  # the smallest v with floor(0.01 v²) >= counts
    (scan,) = load(rd_file(stored, start=x[0], end=x[-1], anode=4, one=1.78897, two=1.79285))
    assert len(scan.x) == 3651
    np.testing.assert_allclose(scan.x, x, rtol=0, atol=1e-9)
    gained = scan.y - counts  # up to the distance of neighbouring values that can be packed, 0.01 (2v + 1)
    assert gained.min() == 0
    assert (gained <= 0.2 * np.sqrt(counts) + 0.03).all()
    assert scan.radiation.wavelength == 1.78897
    assert scan.meta["anode"] is None


def test_leftover_bytes(load):
    (scan,) = load(rd_file() + b"\x1a")
    assert scan.warnings == ["1 bytes after the last range were not read"]
    with pytest.raises(DamagedFileError, match="promises 12 points, it has 2 bytes more"):
        load(rd_file(version=b"V5RD") + b"ab")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (rd_file()[:-1], "holds 11 of the 12 points"),
        (rd_file(version=b"V5RD")[:-4], "holds 10 of the 12 points"),
        (rd_file()[:249], "its header needs"),
        (rd_file(largest=141), "the largest value is 141, 140 is there"),
        (rd_file(step=0.0), "in steps of 0"),
        (rd_file(step=float("nan")), "in steps of nan"),
        (rd_file(step=1e-300), "in steps of 1e-300"),
        (rd_file(end=4.0), "from 5 to 4"),
        (rd_file(end=float("inf")), "from 5 to inf"),
        (rd_file(start=1e9, end=1e9 + 0.02 * 11), "cannot be two_theta"),
    ],
)
def test_damaged(load, content, why):
    with pytest.raises(DamagedFileError, match=why):
        load(content)


def test_recognition(tmp_path):
    path = tmp_path / "a.rd"
    path.write_bytes(b"V4RD" + bytes(300))
    assert not PHILIPS_RD.sniff(Source(path))
    with pytest.raises(PeakwiseError, match="begins with V3RD or V5RD"):
        Reader({"philips_rd": PHILIPS_RD}).read(path, format="philips_rd")
