"""The reader of 7z archives, against archives that py7zr 1.1.4 has written (tests/data/seven_zip)."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise.datasets._seven_zip import BadArchiveError, read_members

FOLDER = Path(__file__).parents[1] / "data" / "seven_zip"
READ = ("bzip2", "copy", "deflate", "delta-lzma2", "lzma", "lzma2", "x86-lzma2")
MOST = 1 << 20


def frame(k):
    return "".join(f"{5 + i / 10:.1f} {i * k}\n" for i in range(20)).encode()


EXPECTED = {
    "run/frame_1.xy": frame(1), "run/frame_2.xy": frame(2), "run/frame_10.xy": frame(10), "run/empty.txt": b"",
    "run/readme.md": b"what this is",
}  # fmt: skip


def number(n):
    assert n < 0x4000
    return bytes([n]) if n < 0x80 else bytes([0x80 | (n >> 8), n & 0xFF])


def archive(files, *, coder=b"\x00", properties=None, packed=None, size=None, crc=None, tail=b""):
    """An archive written by hand from the layout: one folder, one coder, the files one after the other."""
    content = b"".join(files.values())
    packed = content if packed is None else packed
    flags = len(coder) | (0x20 if properties is not None else 0)
    own = b"" if properties is None else number(len(properties)) + properties
    pack = b"\x06" + number(0) + number(1) + b"\x09" + number(len(packed)) + b"\x00"
    folder = number(1) + bytes([flags]) + coder + own
    size = len(content) if size is None else size
    unpack = b"\x07\x0b" + number(1) + b"\x00" + folder + b"\x0c" + number(size) + b"\x00"
    sizes = b"".join(number(len(c)) for c in list(files.values())[:-1])
    digests = b"".join((zlib.crc32(c) if crc is None else crc).to_bytes(4, "little") for c in files.values())
    parts = b"\x08\x0d" + number(len(files)) + (b"\x09" + sizes if sizes else b"") + b"\x0a\x01" + digests + b"\x00"
    names = b"\x00" + b"".join(n.encode("utf-16-le") + b"\x00\x00" for n in files)
    listed = b"\x05" + number(len(files)) + b"\x11" + number(len(names)) + names + b"\x00"
    return wrap(packed, b"\x01\x04" + pack + unpack + parts + b"\x00" + listed + b"\x00" + tail)


def wrap(packed, header):
    start = (
        len(packed).to_bytes(8, "little") + len(header).to_bytes(8, "little") + zlib.crc32(header).to_bytes(4, "little")
    )
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + zlib.crc32(start).to_bytes(4, "little") + start + packed + header


@pytest.mark.parametrize("name", READ)
def test_reads_what_another_program_has_written(name):
    assert dict(read_members((FOLDER / f"{name}.7z").read_bytes(), MOST)) == EXPECTED


@pytest.mark.parametrize(("name", "coder"), [("zstd", "04f71101"), ("password", "06f10701")])
def test_coders_that_are_not_read_are_named(name, coder):
    with pytest.raises(BadArchiveError, match=rf"the coder {coder} is not read \(unpack it"):
        list(read_members((FOLDER / f"{name}.7z").read_bytes(), MOST))


def test_reads_an_archive_written_by_hand():
    files = {"b/2.xy": b"1 2\n", "a.xy": b"3 4\n5 6\n"}
    assert list(read_members(archive(files), MOST)) == list(files.items())
    assert list(read_members(wrap(b"", b""), MOST)) == []


def test_hostile_names_are_only_keys(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {"../../evil.xy": b"1 2\n", "/etc/passwd": b"3 4\n", "C:\\x.xy": b"5 6\n"}
    assert dict(read_members(archive(files), MOST)) == files
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"PK\x03\x04" + bytes(40), "it is no 7z archive"),
        (archive({"a": b"12"})[:20], "it is no 7z archive"),
        (archive({"a": b"12"})[:-5], "it is cut short: it should have"),
        (archive({"a": b"12"}, crc=5), "a file does not have the CRC32"),
        (archive({"a": b"12"}, size=9), "unpacks to 2 of its 9 bytes"),
        (archive({"a": b"12", "b": b"3"}, size=1), "the sizes of its files contradict"),
        (archive({"a": b"12"}, coder=b"\x21", properties=b"\x10", packed=b"\x07junk"), "a folder cannot be unpacked"),
        (archive({"a": b"12"}, coder=b"\x21", properties=b"\xff"), "the properties of its LZMA2 coder are broken"),
        (archive({"a": b"12"}, coder=b"\x03\x01\x01", properties=b"\x5d"), "of its LZMA coder are broken"),
        (archive({"a": b"12"}, coder=b"\x04\x01\x08", packed=b"\xff\xff"), "a folder cannot be unpacked"),
        (archive({"a": b"12"}, coder=b"\x04\x02\x02", packed=b"BZxx"), "a folder cannot be unpacked"),
        (archive({"a": b"x" * 2000}), "it grows to more than the 1000 bytes"),
        (wrap(b"", b"\x02"), "where its beginning should be"),
        (wrap(b"", b"\x01\x09"), "its header holds the unknown part 0x09"),
        (wrap(b"", b"\x01\x05\xff" + b"\xff" * 8), "files, more than its bytes can hold"),
        (wrap(b"", b"\x01\x05\x01\x11\x03\x00a"), "ends after"),
        (wrap(b"", b"\x01\x05\x01\x11\x03\x00a\x00\x00\x00"), "it has 0 names for 1 files"),
        (wrap(b"", b"\x01\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00"), "it names 'a' without its content"),
        (wrap(b"", b"\x01\x04\x06\x00\x01\x09\x7f\x00\x00\x00"), "go beyond its"),
        (wrap(b"", b"\x01\x04\x07\x0b\x01\x00\x03"), "it chains 3 coders"),
        (wrap(b"", b"\x01\x04\x07\x0b\x01\x00\x01\x11"), "a coder with several streams"),
        (wrap(b"", b"\x01\x04\x07\x0b\x01\x00\x02\x01\x21\x01\x03\x00\x00"), "are not a chain"),
        (wrap(b"", b"\x01\x04\x63"), "its streams hold the unknown part"),
        (wrap(b"", b"\x01\x04\x06\x00\x01\x63"), "its packed streams hold the unknown part"),
        (wrap(b"", b"\x01\x04\x07\x0b\x01\x00\x01\x01\x00\x0c\x00\x63"), "its folders hold the unknown part"),
        (wrap(b"", b"\x01\x04\x07\x0b\x01\x00\x01\x01\x00\x0c\x00\x00\x08\x63"), "its files hold the unknown part"),
        (wrap(b"", b"\x01\x04\x07\x0b\x01\x00\x01\x01\x00\x0c\x00\x00\x00\x00"), "0 packed streams for 1 folders"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_damage_is_told(data, why):
    with pytest.raises(BadArchiveError, match=why):
        list(read_members(data, 1000))


@settings(max_examples=300, deadline=None)
@given(data=st.data(), name=st.sampled_from(READ))
def test_any_damage_ends_in_that_error(data, name):
    """Checksums of the header are put right again, so that the damage reaches the parser."""
    whole = bytearray((FOLDER / f"{name}.7z").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(32, len(whole) - 1))] = data.draw(st.integers(0, 255))
    begin = 32 + int.from_bytes(whole[12:20], "little")
    whole[28:32] = zlib.crc32(bytes(whole[begin : begin + int.from_bytes(whole[20:28], "little")])).to_bytes(
        4, "little"
    )
    whole[8:12] = zlib.crc32(bytes(whole[12:32])).to_bytes(4, "little")
    try:
        total = sum(len(content) for _, content in read_members(bytes(whole), MOST))
    except BadArchiveError:
        return
    assert total <= MOST
