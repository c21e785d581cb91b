"""The zip tool against archives that lie, grow, break off or point elsewhere."""

from __future__ import annotations

import io
import os
import struct
import zipfile

import pytest

from peakwise.errors import DamagedFileError, LimitError
from peakwise.io import _archive
from peakwise.io._archive import Archive, is_archive_with
from peakwise.io._source import Source


def zip_bytes(members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return buffer.getvalue()


def opened(tmp_path, data, name="a.zip"):
    path = tmp_path / name
    path.write_bytes(data)
    return Archive(Source(path))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_come_as_they_went_in(tmp_path, method):
    archive = opened(tmp_path, zip_bytes([("Data0/a.txt", b"one"), ("Data1\\b.txt", b"two" * 1000)], method))
    assert archive.read("Data0/a.txt") == b"one"
    assert archive.read("Data1/b.txt") == b"two" * 1000
    assert [m[1] for m in archive.find(r"Data(\d)/.*")] == ["0", "1"]
    assert archive.find("Data0") == []


def test_names_that_point_elsewhere_are_only_names(tmp_path):
    names = ["../../escaped.txt", "/etc/escaped", "C:\\escaped", "a\x01b", "x" * 5000]
    before = set(tmp_path.parent.iterdir())
    archive = opened(tmp_path, zip_bytes([(n, b"evil") for n in names]))
    assert archive.read("../../escaped.txt") == b"evil"
    assert [p.name for p in tmp_path.iterdir()] == ["a.zip"]
    assert set(tmp_path.parent.iterdir()) == before


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_last_of_two_members_of_one_name_counts(tmp_path):
    assert opened(tmp_path, zip_bytes([("a", b"first"), ("a", b"second")])).read("a") == b"second"


def test_a_bomb_is_refused_by_what_it_says_it_grows_to(tmp_path, monkeypatch):
    bomb = zip_bytes([("a", b"\0" * 50_000_000), ("b", b"\0" * 30_000_000)])
    assert len(bomb) < 100_000
    with pytest.raises(LimitError, match=r"grows from \d+ to 80000000 bytes, which no measurement does"):
        opened(tmp_path, bomb)
    monkeypatch.setattr(_archive, "MAX_BYTES", 70_000_000)
    with pytest.raises(LimitError, match="grows to 80000000 bytes, at most 70000000"):
        opened(tmp_path, bomb)


def test_a_bomb_that_lies_about_its_size_is_not_unpacked(tmp_path):
    data = bytearray(zip_bytes([("a", b"\0" * 20_000_000)]))
    entry = data.rindex(b"PK\x01\x02")
    data[22:26] = data[entry + 24 : entry + 28] = struct.pack("<I", 1000)  # "a thousand bytes"
    with pytest.raises(DamagedFileError, match="its member a is cut short or broken"):
        opened(tmp_path, bytes(data)).read("a")


def test_members_that_are_read_again_and_again_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(_archive, "MAX_BYTES", 2500)
    archive = opened(tmp_path, zip_bytes([("a", b"x" * 1000)]))
    archive.read("a")
    archive.read("a")
    with pytest.raises(LimitError, match="more than 2500 bytes"):
        archive.read("a")


def test_too_many_members_are_refused_before_the_directory_is_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr(_archive, "MAX_MEMBERS", 3)
    with pytest.raises(LimitError, match="has 4 members, at most 3"):
        opened(tmp_path, zip_bytes([(f"{i}", b"") for i in range(4)]))


def test_truncation_at_every_place_is_one_clear_error(tmp_path):
    whole = zip_bytes([("a", bytes(range(256)) * 4), ("b", b"more" * 50)])
    for size in range(4, len(whole), 37):
        with pytest.raises(DamagedFileError, match="cut short or broken"):
            opened(tmp_path, whole[:size])


def test_a_flipped_byte_is_found(tmp_path):
    data = bytearray(zip_bytes([("a", bytes(range(256)) * 40)], zipfile.ZIP_STORED))
    data[200] ^= 0xFF
    with pytest.raises(DamagedFileError, match="Bad CRC-32"):
        opened(tmp_path, bytes(data)).read("a")
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        data = bytearray(zip_bytes([("a", os.urandom(5000))], method))
        data[60:90] = b"\xff" * 30
        with pytest.raises(DamagedFileError, match="its member a is cut short or broken"):
            opened(tmp_path, bytes(data)).read("a")


def test_passwords_and_unknown_methods_are_told(tmp_path):
    data = bytearray(zip_bytes([("a", b"secret")]))
    entry = data.rindex(b"PK\x01\x02")
    locked = bytearray(data)
    locked[6] |= 1
    locked[entry + 8] |= 1
    with pytest.raises(DamagedFileError, match="has a password"):
        opened(tmp_path, bytes(locked)).read("a")
    data[8] = data[entry + 10] = 99
    with pytest.raises(DamagedFileError, match="not supported"):
        opened(tmp_path, bytes(data)).read("a")


def test_recognition_reads_only_the_beginning_and_the_end(tmp_path):
    path = tmp_path / "b.zip"
    path.write_bytes(zip_bytes([("first.bin", os.urandom(3_000_000)), ("Data0/Profile0.txt", b"1")]))
    source = Source(path)
    assert is_archive_with(source, r"Data\d+/Profile\d+\.txt")
    assert not is_archive_with(source, r"Experiment\d+/")
    assert "data" not in source.__dict__
    path.write_bytes(b"Data0/Profile0.txt is only mentioned here")
    assert not is_archive_with(Source(path), r"Data\d+/Profile\d+\.txt")


def test_recognition_of_a_compressed_or_vanished_file(tmp_path):
    import gzip

    path = tmp_path / "b.zip.gz"
    path.write_bytes(gzip.compress(zip_bytes([("other", os.urandom(9000)), ("Data0/Profile0.txt", b"1")])))
    assert is_archive_with(Source(path), r"Data\d+/Profile")
    path = tmp_path / "c.zip"
    path.write_bytes(zip_bytes([("other", os.urandom(9000)), ("Data0/Profile0.txt", b"1")]))
    source = Source(path)
    assert source.head
    path.unlink()
    assert not is_archive_with(source, r"Data\d+/Profile")
