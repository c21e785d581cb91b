"""Damage that libraries pass over in silence, and numbers that no instrument can have given: said or refused."""

from __future__ import annotations

import re
import shutil
import time

import numpy as np
import pytest
import zarr

import peakwise as pw
from peakwise.errors import DamagedFileError
from samples import SAMPLES, Y


def one(path):
    (found,) = pw.read_each(path)
    if found.error is not None:
        raise found.error
    return found.patterns


# ---- Zarr: Blosc believes the header of a chunk, and Zarr takes a chunk that is not there for zeros ---------------


@pytest.fixture
def store(tmp_path):
    return SAMPLES["zarr ours"](tmp_path)


@pytest.mark.parametrize("keep", [0, 8, 15, 16, 17, -1])
def test_a_chunk_that_is_cut_short(store, keep):
    chunk = store / "sigma/0.0"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:keep])
    there = len(whole[:keep])
    with pytest.raises(DamagedFileError, match=rf"/sigma has a chunk of {there} bytes whose header promises \d+"):
        one(store)


def test_a_chunk_that_promises_more_than_is_read(store):
    chunk = store / "sigma/0.0"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:4] + b"\xff\xff\xff\xff" + whole[8:])
    with pytest.raises(pw.errors.LimitError, match="a chunk of /sigma has 4294967295 bytes"):
        one(store)


@pytest.mark.parametrize("name", ["intensity", "x", "pattern", "temperature"])
def test_a_chunk_that_is_not_there(store, name):
    for chunk in (store / name).glob("[0-9]*"):
        chunk.unlink()
    with pytest.raises(DamagedFileError, match=f"1 chunks of /{name} are not there. Copy the whole folder again"):
        one(store)


def test_zeros_are_written_and_no_lost_chunk(tmp_path):
    pw.write(pw.Patterns([1, 2, 3], np.zeros((2, 3)), "q"), tmp_path / "a.zarr")
    (scans,) = one(tmp_path / "a.zarr")
    assert scans.intensity.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_texts_with_characters_that_do_not_exist(store):
    array = zarr.open_array(store / "label", mode="r+", zarr_format=2)
    assert array[:].tolist() == ["α", "β"]
    shutil.rmtree(store / "label")
    made = zarr.create_array(store / "label", shape=(2,), dtype="<u4", zarr_format=2, compressors=None)
    made[:] = [0x41, 0x110000]
    described = store / "label/.zarray"
    described.write_text(re.sub('"fill_value": 0', '"fill_value": null', described.read_text().replace("<u4", "<U1")))
    (store / "label/.zattrs").write_text('{"_ARRAY_DIMENSIONS": ["pattern"]}')
    with pytest.raises(DamagedFileError, match="/label holds texts with characters that do not exist"):
        one(store)


def test_blosc_within_shards_cannot_be_checked(tmp_path):
    group = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=3)
    codec = zarr.codecs.BloscCodec()
    for name in ("q", "counts"):
        made = group.create_array(name, shape=(12,), dtype="f8", chunks=(4,), shards=(12,), compressors=codec)
        made[:] = np.arange(1, 13)
    with pytest.raises(DamagedFileError, match="packed with blosc within shards"):
        one(tmp_path / "a.zarr")


# ---- CBF: fabio logs a wrong checksum and goes on, and never ends where the binary section lacks its mark ----------


@pytest.fixture
def frame(tmp_path):
    return SAMPLES["images cbf"](tmp_path)


def test_pixels_that_do_not_fit_their_checksum(frame):
    whole = bytearray(frame.read_bytes())
    whole[whole.index(b"\x0c\x1a\x04\xd5") + 300] ^= 1
    frame.write_bytes(whole)
    with pytest.raises(DamagedFileError, match="its pixels have the checksum .*==, its header promises .*=="):
        one(frame)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"x-CBF_BYTE_OFFSET", b"x-CBF_PACKED_____", "not packed as x-CBF_BYTE_OFFSET"),
        (b"signed 32-bit integer", b"signed 32-bit complex", "does not tell the type of its pixels"),
        (b"X-Binary-Size-Second-Dimension: 40", b"X-Binary-Size-Second-Dimension: 20", "20x40 pixels, and 1600"),
        (b"\x0c\x1a\x04\xd5", b"\x0c\x1a\x04\xd4", "its binary section is missing"),
    ],
)
def test_cbf_headers_that_contradict_themselves(frame, old, new, why):
    whole = frame.read_bytes()
    assert old in whole
    frame.write_bytes(whole.replace(old, new))
    with pytest.raises(DamagedFileError, match=why):
        one(frame)


def test_a_mark_of_the_binary_section_behind_it(frame):
    """The mark before the pixels is gone, the one after them is not: nothing may wait for more bytes."""
    whole = frame.read_bytes()
    mark = b"--CIF-BINARY-FORMAT-SECTION--"
    before = whole.index(mark)
    frame.write_bytes(whole[:before] + whole[before + len(mark) :])
    start = time.perf_counter()
    (found,) = pw.read_each(frame)
    assert found.error is not None or found.patterns
    assert time.perf_counter() - start < 5


def test_a_frame_that_fabio_asserts_about(tmp_path):
    path = SAMPLES["images edf"](tmp_path)
    path.write_bytes(re.sub(rb"DataType = \w+", b"DataType = Nothing ", path.read_bytes()))
    (found,) = pw.read_each(path)
    assert found.error is None or isinstance(found.error, DamagedFileError)


# ---- numbers that cannot be meant --------------------------------------------------------------------------------


def test_no_angle_beyond_all_units(tmp_path):
    """A full turn in centidegrees is told by the axis doctor; what is further away is no angle in any unit."""
    path = tmp_path / "a.csv"
    path.write_text("two_theta,counts\n10,1\n20,2\n40000,3\n")
    with pytest.raises(DamagedFileError, match="no angle is that large: its axis two_theta runs 10 to 40000 deg"):
        one(path)
    assert pw.read(path, axis="wavenumber").axis[-1] == 40000


def test_intensities_that_no_detector_gives(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("q,intensity\n1,1\n2,2\n3,1e286\n")
    with pytest.raises(DamagedFileError, match=r"its intensities reach 1e\+286"):
        one(path)


def test_factors_that_overflow_are_damage_and_no_warning(tmp_path):
    path = SAMPLES["jcamp_dx pairs"](tmp_path)
    path.write_text(path.read_text().replace("##YFACTOR=1", "##YFACTOR=1e308").replace("3, 4", "3, 1e9"))
    with pytest.raises(DamagedFileError, match="overflow"):
        one(path)


LOST = "hold no count between neighbours"


def scan_with_zeros(tmp_path, start, stop, level=50):
    counts = np.full(400, level) + Y[np.arange(400) % 12] * (level > 5)
    counts[start:stop] = 0
    path = tmp_path / "a.xy"
    rows = "".join(f"{5 + i / 100:.2f} {c}\n" for i, c in enumerate(counts))
    path.write_text("# two_theta counts\n" + rows)
    (scan,) = one(path)
    return [w for w in scan.warnings if LOST in w]


def test_bytes_that_were_lost_within_counts_are_said(tmp_path):
    (note,) = scan_with_zeros(tmp_path, 100, 228)
    assert note.startswith("128 points from 6 to 7.27 hold no count between neighbours of ")
    assert note.endswith("a mask, or bytes that the file has lost")


@pytest.mark.parametrize(
    ("start", "stop", "level"),
    [
        (100, 103, 50),  # too short a run: a shutter, a single dead point
        (0, 100, 50),  # before anything is counted
        (300, 400, 50),  # after the end of it
        (100, 120, 1),  # one count a point: 20 without any come by chance once in exp(20)
    ],
)
def test_what_comes_by_chance_is_not_said(tmp_path, start, stop, level):
    assert scan_with_zeros(tmp_path, start, stop, level) == []
