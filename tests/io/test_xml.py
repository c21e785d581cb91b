"""The XML tool: what it hands over, and what it refuses before it costs anything."""

from __future__ import annotations

import tracemalloc

import pytest

from peakwise.errors import DamagedFileError, LimitError
from peakwise.io import _xml
from peakwise.io._source import Source
from peakwise.io._xml import angstrom, attribute, find_number, find_text, number_rows, numbers, parse


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "some.xml"
    path.write_bytes(b"")
    return Source(path)


BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [
 <!ENTITY lol "lol">
 <!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
 <!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">
]>
<xrdMeasurements>&lol3;</xrdMeasurements>"""
EXTERNAL = b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><xrdMeasurements><id>&e;</id></xrdMeasurements>'
EXTERNAL_DTD = b'<!DOCTYPE a SYSTEM "http://localhost/x.dtd"><a/>'
PARAMETER = b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><a/>'


@pytest.mark.parametrize("hostile", [BILLION_LAUGHS, EXTERNAL, EXTERNAL_DTD, PARAMETER, b"<!DOCTYPE a><a/>"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_document_type_declaration_is_refused_in_every_encoding(source, hostile, encoding):
    text = hostile.decode()
    if encoding.startswith("utf-16") and text.startswith("<?xml"):
        text = text.replace('version="1.0"', 'version="1.0" encoding="utf-16"')
    with pytest.raises(DamagedFileError) as caught:
        parse(source, text.encode(encoding))
    assert "document type declaration" in str(caught.value) or encoding == "utf-16-le"
    assert "root:" not in str(caught.value)


def test_an_entity_without_a_declaration_is_broken_xml(source):
    with pytest.raises(DamagedFileError, match="undefined entity"):
        parse(source, b"<a>&lol;</a>")


def test_many_tags_or_attributes_are_refused_before_they_are_built(source):
    tags = b"<a>" + b"<b/>" * (_xml.MAX_MARKS + 1) + b"</a>"
    attributes = b"<a " + b"b='1' " * (_xml.MAX_MARKS + 1) + b"/>"
    tracemalloc.start()
    with pytest.raises(LimitError, match=r"4000003 XML tags and attributes, at most 4000000"):
        parse(source, tags)
    with pytest.raises(LimitError, match="XML tags and attributes"):
        parse(source, attributes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6


def test_a_long_namespace_is_not_repeated_in_every_name(source):
    names = 5000
    data = b'<a xmlns="' + b"n" * 100_000 + b'">' + b"".join(b"<t%d/>" % i for i in range(names)) + b"</a>"
    tracemalloc.start()
    root = parse(source, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [e.tag for e in root[:2]] == ["t0", "t1"]
    assert peak < 20e6  # spelled out it would be 5000 names of 100 kB


def test_deep_nesting_is_read_and_let_go(source):
    depth = 200_000
    root = parse(source, b"<a>" * depth + b"</a>" * depth)
    assert sum(1 for _ in root.iter()) == depth


@pytest.mark.parametrize("cut", [1, 10, 25, 40])
def test_a_document_that_breaks_off_names_the_place(source, cut):
    with pytest.raises(DamagedFileError, match=r"the XML of RawData0.xml breaks off or is broken at line \d+, column"):
        parse(source, b"<?xml version='1.0'?>\n<a><b>12</b><c/></a>"[:-cut], "RawData0.xml")


def test_garbage_and_nothing_are_refused(source):
    for data in (b"", b"\0" * 100, b"\xff\xfe", b"PK\x03\x04", b"just text", b"<a></b>", b"<a/><b/>"):
        with pytest.raises(DamagedFileError):
            parse(source, data)


TEXT = "<a><b>5 °C Ω</b></a>"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TEXT.encode(), "5 °C Ω"),
        (TEXT.encode("utf-8-sig"), "5 °C Ω"),
        (TEXT.encode("utf-16"), "5 °C Ω"),
        (("<?xml version='1.0' encoding='UTF-16'?>" + TEXT).encode("utf-16"), "5 °C Ω"),
        # What .NET programs write: declared as UTF-16, saved as UTF-8.
        (("<?xml version='1.0' encoding='utf-16'?>" + TEXT).encode(), "5 °C Ω"),
        ("<?xml version='1.0' encoding='windows-1252'?><a><b>5 °C €</b></a>".encode("cp1252"), "5 °C €"),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><a><b>5 °C</b></a>".encode("latin-1"), "5 °C"),
        # Declared as UTF-8, edited with something older.
        ("<?xml version='1.0' encoding='UTF-8'?><a><b>5 °C</b></a>".encode("latin-1"), "5 °C"),
    ],
)
def test_encodings(source, data, expected):
    assert find_text(parse(source, data), "b") == expected


@pytest.mark.parametrize("name", ["klingon", "shift_jis", "utf-7"])
def test_an_encoding_that_cannot_be_read_is_told(source, name):
    with pytest.raises(DamagedFileError, match="encoding"):
        parse(source, f"<?xml version='1.0' encoding='{name}'?><a/>".encode())


def test_utf8_cut_inside_a_character_is_a_file_cut_short(source):
    with pytest.raises(DamagedFileError, match="breaks off"):
        parse(source, "<a>°".encode()[:-1])


def test_prefixes_are_cut_off(source):
    root = parse(source, b'<p:a xmlns:p="x" xmlns:q="y" q:type="T"><p:b>1</p:b><q:b>2</q:b></p:a>')
    assert root.tag == "a"
    assert [e.text for e in root.findall("b")] == ["1", "2"]
    assert attribute(root, "type") == "T"
    assert attribute(root, "unit") is None


def test_helpers_are_lenient_with_what_a_scan_can_do_without(source):
    root = parse(source, b'<a><b> 2.5 </b><c Value="7"/><d>n/a</d><e>inf</e><f/><w unit="nm">0.154</w><z>0</z></a>')
    assert find_number(root, "b") == 2.5
    assert find_number(root, "c") == 7
    assert [find_number(root, x) for x in ("d", "e", "f", "missing")] == [None] * 4
    assert find_text(root, "f") is None
    assert find_text(None, "f") is None
    assert find_number(None, "f") is None
    assert angstrom(root, "w") == pytest.approx(1.54)
    assert angstrom(root, "b") == 2.5
    assert angstrom(root, "z") is None
    assert angstrom(None, "z") is None


def test_numbers_over_the_joints_of_pieces(monkeypatch):
    monkeypatch.setattr(_xml, "_PIECE", 7)
    text = " ".join(str(i) for i in range(1000))
    assert numbers(text).tolist() == list(range(1000))
    assert number_rows("\n".join(f"{i}\t{i}.5" for i in range(100)), 2)[:, 1].tolist() == [i + 0.5 for i in range(100)]


def test_numbers_refuse_words_and_ragged_rows():
    assert numbers(None).size == 0
    assert number_rows("", 3).shape == (0, 3)
    with pytest.raises(ValueError, match="unmatched data"):
        numbers("1 2 three 4")
    with pytest.raises(ValueError, match="must hold 2 numbers"):
        number_rows("1 2\n3\n4 5 6\n", 2)


def test_a_list_of_a_million_numbers_takes_little_more_than_itself():
    text = "12 " * 1_000_000
    tracemalloc.start()
    values = numbers(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert values.size == 1_000_000
    assert values.sum() == 12_000_000
    assert peak < 60e6
