"""Galactic SPC: files packed in the test by the published layout (SPC.H), for there is no free sample to read."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from layouts.spc import (
    TALABS,
    TMULTI,
    TORDRD,
    TRANDM,
    TSPREC,
    TXVALS,
    TXYXYS,
    header,
    log_block,
    numbers,
    old,
    own_axes,
    sub,
    swapped,
)
from peakwise.errors import DamagedFileError, PeakwiseError
from peakwise.io import Source, read_each
from peakwise.io.spc import GALACTIC_SPC

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.patterns import Patterns


def spc(folder: Path, data: bytes) -> Path:
    path = folder / "film.spc"
    path.write_bytes(data)
    return path


def read(path: Path) -> tuple[Patterns, ...]:
    (one,) = read_each(path)
    if one.error is not None:
        raise one.error
    assert one.format == "galactic_spc"
    return one.patterns


@pytest.mark.parametrize("order", ["<", ">"])
def test_evenly_spaced_integers(tmp_path: Path, order: str) -> None:
    # SPC.H: 0x40000000 with exponent 2 is 1, 0xC0000000 is -1.
    values = [0x40000000, -0x40000000, 0, 0x20000000, 0x60000000]
    (scan,) = read(spc(tmp_path, header(order, exponent=2) + sub(order) + numbers(order + "i4", *values)))
    assert scan.intensity[0].tolist() == [1, -1, 0, 0.5, 1.5]
    assert scan.axis.tolist() == [400, 401, 402, 403, 404]
    assert (scan.kind, scan.unit) == ("wavenumber", "absorbance")
    meta = {key: column[0] for key, column in scan.meta.items()}
    assert meta["title"] == "a film"
    assert meta["date"] == "2019-12-31T23:58:00"
    assert meta["instrument"] == "FTS-40"
    assert meta["resolution"] == "4 cm-1"
    assert not scan.warnings


def test_short_integers_and_floats(tmp_path: Path) -> None:
    short = header(flags=TSPREC, exponent=4) + sub() + numbers("<i2", 0x4000, -0x4000, 1, 2, 3)
    (scan,) = read(spc(tmp_path, short))
    assert scan.intensity[0].tolist() == [4, -4, 2**-12, 2**-11, 3 * 2**-12]
    floats = header(exponent=-128, y=4) + sub() + numbers("<f4", 7, 2.5, 0, 1e6, 3)
    (scan,) = read(spc(tmp_path, floats))
    assert scan.intensity[0].tolist() == [7, 2.5, 0, 1e6, 3]
    assert scan.unit == "counts"


def test_stored_positions(tmp_path: Path) -> None:
    data = header(flags=TXVALS, exponent=-128, x=3) + numbers("<f4", 500, 501, 503, 507, 515) + sub()
    (scan,) = read(spc(tmp_path, data + numbers("<f4", 1, 2, 3, 4, 5)))
    assert scan.axis.tolist() == [500, 501, 503, 507, 515]
    assert scan.kind == "wavelength"


@pytest.mark.parametrize(
    ("flags", "z_step", "expected"), [(0, 0.0, [30, 90, 150]), (0, 2.0, [30, 150, 270]), (TORDRD, 0.0, [30, 600, 660])]
)
def test_series_on_one_axis(tmp_path: Path, flags: int, z_step: float, expected: list[float]) -> None:
    """The z of evenly spaced subfiles comes from the first; minutes become seconds."""
    data = header(flags=TMULTI | flags, subfiles=3, z=5, z_step=z_step)
    data += sub(exponent=32, z=0.5, next_z=1.5) + numbers("<i4", 1, 2, 3, 4, 5)
    data += sub(exponent=33, index=1, z=10) + numbers("<i4", 1, 2, 3, 4, 5)
    data += sub(exponent=-128, index=2, z=11) + numbers("<f4", 0.5, 2, 3, 4, 5)
    (scans,) = read(spc(tmp_path, data))
    assert scans.intensity.tolist() == [[1, 2, 3, 4, 5], [2, 4, 6, 8, 10], [0.5, 2, 3, 4, 5]]
    assert scans.meta["time"].tolist() == expected


def test_series_with_own_axes(tmp_path: Path) -> None:
    first, second = own_axes()
    data = header(flags=TMULTI | TXYXYS | TXVALS | TRANDM, subfiles=2, points=0, z=20) + first + second
    one, two = read(spc(tmp_path, data))
    assert (one.axis.tolist(), one.intensity[0].tolist()) == ([1, 2, 3, 4], [10, 20, 30, 40])
    assert (two.axis.tolist(), two.intensity[0].tolist()) == ([5, 6, 8], [7, 8, 9])
    assert (one.meta["temperature"][0], two.meta["temperature"][0]) == pytest.approx((293.15, 298.15))


def test_directory_gives_the_order(tmp_path: Path) -> None:
    first, second = own_axes()
    places = (512 + len(second), 512)  # the first spectrum lies behind the second
    directory = b"".join(struct.pack("<iif", place, 0, 0.0) for place in places)
    end = 512 + len(first) + len(second)
    flags = TMULTI | TXYXYS | TXVALS | TRANDM
    one, two = read(spc(tmp_path, header(flags=flags, subfiles=2, points=end) + second + first + directory))
    assert (one.axis.tolist(), two.axis.tolist()) == ([1, 2, 3, 4], [5, 6, 8])
    with pytest.raises(DamagedFileError, match="directory ends after 1 of 2 spectra"):
        read(spc(tmp_path, header(flags=flags, subfiles=2, points=end) + second + first + directory[:-1]))
    wild = struct.pack("<iif", -5, 0, 0.0) * 2
    with pytest.raises(DamagedFileError, match="ends before spectrum 1"):
        read(spc(tmp_path, header(flags=flags, subfiles=2, points=end) + second + first + wild))


def test_directory_that_names_one_place_again_and_again(tmp_path: Path) -> None:
    big = sub(exponent=-128, points=200) + numbers("<f4", *range(400))
    directory = struct.pack("<iif", 512, 0, 0.0) * 20
    data = header(flags=TMULTI | TXYXYS | TXVALS | TRANDM, subfiles=20, points=512 + len(big)) + big + directory
    with pytest.raises(DamagedFileError, match="hold more than 2400 points in 2384 bytes"):
        read(spc(tmp_path, data))


@pytest.mark.parametrize(
    ("changes", "kind", "first", "note"),
    [
        ({"x": 13}, "raman_shift", 400, ""),
        ({"x": 1, "technique": 11}, "raman_shift", 400, ""),
        ({"x": 2}, "wavelength", 400_000, ""),
        ({"x": 14}, "energy", 0.4, ""),
        ({"x": 8}, "frequency", 4e-4, ""),
        ({"x": 22}, "channel", 400, ""),
        ({"x": 10}, "channel", 400, "the axis is in ppm"),
        ({"x": 0}, "channel", 400, "arbitrary units"),
        ({"x": 0, "flags": TALABS, "labels": b"Depth (nm)\0Height\0\0"}, "channel", 400, "Depth (nm)"),
        ({"x": 18, "technique": 8, "first": 10.0, "last": 14.0}, "two_theta", 10, "no wavelength"),
        ({"x": 0, "technique": 8, "first": 10.0, "last": 14.0}, "two_theta", 10, "does not say what its axis is"),
    ],
)
def test_axis(tmp_path: Path, changes: dict[str, object], kind: str, first: float, note: str) -> None:
    (scan,) = read(spc(tmp_path, header(exponent=-128, **changes) + sub() + numbers("<f4", 1, 2, 3, 4, 5)))
    assert scan.kind == kind
    assert scan.axis[0] == pytest.approx(first)
    assert any(note in text for text in scan.warnings) if note else not scan.warnings


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (log_block(b"SCANS = 64\r\nLASER = 785 nm\r\n\0"), "SCANS = 64\nLASER = 785 nm"),
        (log_block(b"x\0", offset=9999), None),
        (b"short", None),
    ],
)
def test_log(tmp_path: Path, block: bytes, expected: str | None) -> None:
    body = sub() + numbers("<f4", 1, 2, 3, 4, 5)
    (scan,) = read(spc(tmp_path, header(exponent=-128, log=512 + len(body)) + body + block))
    assert ("log" in scan.meta) == (expected is not None)
    if expected is not None:
        assert scan.meta["log"][0] == " ".join(expected.split())  # a text of the metadata is one line


def test_old_format(tmp_path: Path) -> None:
    data = old() + sub() + swapped(0x40000000, -0x40000000, 0, 0x20000001, 0x60000000)
    (scan,) = read(spc(tmp_path, data))
    assert scan.intensity[0].tolist() == [1, -1, 0, 0.5 + 2**-30, 1.5]
    assert scan.axis.tolist() == [400, 401, 402, 403, 404]
    assert scan.meta["date"][0] == "1993-05-06T07:08:00"
    assert scan.meta["title"][0] == "old film"


def test_old_format_with_several(tmp_path: Path) -> None:
    data = old(TMULTI) + sub(exponent=32) + swapped(1, 2, 3, 4, 5) + sub(exponent=33, index=1) + swapped(1, 2, 3, 4, 5)
    (scans,) = read(spc(tmp_path, data))
    assert scans.intensity.tolist() == [[1, 2, 3, 4, 5], [2, 4, 6, 8, 10]]


def test_old_format_short_and_floats(tmp_path: Path) -> None:
    (scan,) = read(spc(tmp_path, old(TSPREC, 16) + sub() + numbers("<i2", 1, 2, 3, 4, 5)))
    assert scan.intensity[0].tolist() == [1, 2, 3, 4, 5]
    (scan,) = read(spc(tmp_path, old(0, 128, year=0) + sub() + numbers("<f4", 1.5, 2, 3, 4, 5)))
    assert scan.intensity[0].tolist() == [1.5, 2, 3, 4, 5]
    assert "date" not in scan.meta


BODY = sub() + numbers("<i4", 1, 2, 3, 4, 5)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ((header() + BODY)[:-1], "ends within the intensities of spectrum 1: 4 of 5"),
        (header() + BODY[:20], "ends before spectrum 1: byte 512 of 532"),
        (header()[:300], "its header alone has 512"),
        (header(points=900_000_000) + BODY, "promises 900000000 points in"),
        (header(points=0) + BODY, "promises 0 points"),
        (header(flags=TMULTI, subfiles=150_000) + BODY, "promises 150000 spectra in"),
        (header(flags=TMULTI, subfiles=3_000_000) + BODY, "at most 200000 are read"),
        (header(flags=TMULTI, subfiles=2) + BODY, "ends before spectrum 2"),
        (header(flags=TXVALS) + numbers("<f4", 1, 2), "ends within the x values: 2 of 5"),
        (header(flags=TXVALS | TXYXYS | TMULTI, points=0) + sub(points=-3), "of -3 are there"),
        (header(flags=TXVALS | TXYXYS | TMULTI, points=0) + sub(points=1 << 30) + BODY, "of 1073741824 are there"),
        (old(points=4e6) + BODY, "promises 4000000 points in"),
    ],
)
def test_damage_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(PeakwiseError) as caught:
        read(spc(tmp_path, data))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"PK\x03\x04" + bytes(600), b"x" * 600, b"AK comment\n" * 60, b"1K" + b"\x20\0" * 300,
        header(flags=TXYXYS), header(flags=TRANDM | TORDRD), header(first=float("nan")), header(x=99), header(y=60),
        header(points=-1), header(subfiles=-1), old(points=float("nan")) + BODY, old(points=float("inf")) + BODY,
    ],
)  # fmt: skip
def test_other_files_are_left_alone(tmp_path: Path, data: bytes) -> None:
    assert not GALACTIC_SPC.sniff(Source(spc(tmp_path, data)))


def test_every_real_file_is_left_alone(real_data: Path) -> None:
    for path in (real_data / "formats").rglob("*"):
        if path.is_file():
            assert not GALACTIC_SPC.sniff(Source(path)), path
