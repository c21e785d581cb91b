"""Tables of libraries as people write them, joined to scans; and each that is wrong is one clear error."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise import Patterns
from peakwise.errors import LimitError, NothingToReadError, OptionError, PeakwiseError, ReadError
from peakwise.wafers import LibraryTable, join_library, read_library

FE_PD_GA = [[0.25, 0.25, 0.5], [0.5, 0.3, 0.2]]


def table_of(folder, text, **options):
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_library(path, **options)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("Fe,Pd,Ga\n0.25,0.25,0.5\n0.5,0.3,0.2\n", {}),
        ("Fe (at.%),Pd (at.%),Ga (at.%)\n25,25,50\n50,30,20\n", {}),
        ("Fe at%;Pd at%;Ga at%\n25,0;25,0;50,0\n50;30;20\n", {}),
        ("c_Fe\tx(Pd)\tGa_frac\n0,25\t0,25\t0,5\n0.5\t0.3\t0.2\n", {}),
        ("Fe Pd Ga\n25 25 50\n  50   30 20\n\n", {}),
        ("# Fe, Pd, Ga\n25,25,50\n50,30,20\n", {}),
        ("# EDX of Tuesday\n# made by A\nFe,Pd,Ga\n25,25,50\n# again\n50,30,20\n", {}),
        ("25,25,50\n50,30,20\n", {"columns": ["Fe", "Pd", "Ga"]}),
        ("a,b,c\n25,25,50\n50,30,20\n", {"columns": ["Fe", "Pd", "Ga"]}),
        ("Fe,Pd\n25,25\n50,30\n", {"rest": "Ga"}),
        ("Fe,Pd\n0.25,0.25\n0.5,0.3\n", {"rest": "Ga"}),
        (b"\xef\xbb\xbfFe,Pd,Ga\r\n25,25,50\r\n50,30,20\r\n", {}),
        ("Fe,Pd,Ga,\n25,25,50,\n50,30,20,\n", {}),
    ],
)  # fmt: skip
def test_many_ways_to_write_one_table(tmp_path, text, options):
    table = table_of(tmp_path, text, **options)
    assert table.elements == ("Fe", "Pd", "Ga")
    np.testing.assert_allclose(table.fractions, FE_PD_GA)
    assert (len(table), table.places, table.names, table.warnings) == (2, None, None, ())


def test_positions_names_and_what_is_beside(tmp_path):
    text = "File,X (mm),Y (mm),Fe,Pd,region,remark,mean\na.xy,1,-2,30,70,4,nice,1.5\nb.xy,3,4,40,60,5,,\n"
    table = table_of(tmp_path, text)
    assert table.elements == ("Fe", "Pd")
    assert table.places.tolist() == [[1, -2], [3, 4]]
    assert table.names == ("a.xy", "b.xy")
    assert table.others["region"].tolist() == [4, 5]
    assert table.others["remark"].tolist() == ["nice", ""]
    np.testing.assert_array_equal(table.others["mean"], [1.5, np.nan])


def test_yttrium_or_a_position(tmp_path):
    assert table_of(tmp_path, "Y,Ba\n0.5,0.5\n").elements == ("Y", "Ba")
    both = table_of(tmp_path, "X,Y,Ba,Cu\n0.5,0.5,40,60\n")
    assert both.elements == ("Ba", "Cu")
    assert both.places.tolist() == [[0.5, 0.5]]
    alone = table_of(tmp_path, "x,y\n0,1\n2,3\n")
    assert (alone.elements, alone.fractions, len(alone)) == ((), None, 2)


def test_slightly_off_is_told_and_mended(tmp_path):
    table = table_of(tmp_path, "Fe,Pd\n50.5,50.5\n-0.3,100.3\n")
    np.testing.assert_allclose(table.fractions, [[0.5, 0.5], [0, 1]])
    assert "off by up to 1.0% and were made to add to 1" in table.warnings[0]
    assert not table_of(tmp_path, "Fe,Pd\n50.1,50.1\n").warnings


@pytest.mark.parametrize(
    ("text", "options", "error", "told"),
    [
        ("", {}, ReadError, "must have a row for each scan, and is empty"),
        ("# only\n", {}, ReadError, "is empty"),
        ("Fe,Pd\n", {}, ReadError, "names of columns and no row below them"),
        ("1,2,3\n", {}, ReadError, r"its first line must name the columns, and holds numbers \(3 of them\)"),
        ("a.xy,2,3\n", {}, ReadError, "must name the columns"),
        ("Fe,Pd\n1,0\n0.5\n", {}, ReadError, "all rows must have 2 columns as the first, row 3 has 1"),
        ("Fe,Pd\n0.5,much\n", {}, ReadError, "column 'Pd' must hold numbers, row 1 has 'much'"),
        ("Fe,Pd\n0.5,0.5\n0.5,\n", {}, ReadError, "column 'Pd' must hold numbers, row 2 has ''"),
        ("Fe,Pd\n0.5,nan\n", {}, ReadError, "must hold numbers, row 1 has 'nan'"),
        ("Fe,Pd\n1e308,1e308\n", {}, ReadError, "Fe, Pd must add to 100, those of row 1 add to inf"),
        ("Fe,Pd\n0.5,0.5\n0.5,0.2\n", {}, ReadError, r"must add to 1, those of row 2 add to 0.7 \(1 of 2 rows"),
        ("Fe,Pd\n60,60\n", {}, ReadError, "must add to 100, those of row 1 add to 120"),
        ("Fe,Pd\n-0.5,1.5\n", {}, ReadError, "must not be below 0, row 1 has -0.5"),
        ("Fe,Fe at%\n0.5,0.5\n", {}, ReadError, "each element must have one column, Fe has 2"),
        ("a,b\n1,2\n", {}, ReadError, "must have columns of elements, or x and y, got a, b"),
        ("Fe,Pd\n1,0\n", {"columns": ["Fe"]}, OptionError, "columns must name all 2 columns"),
        ("Fe,Pd\n1,0\n", {"columns": "Fe"}, OptionError, "columns must name all 2 columns .*got 1"),
        ("Fe,Pd\n1,0\n", {"rest": "Pd"}, OptionError, "rest must be the symbol of an element that has no column"),
        ("Fe,Pd\n1,0\n", {"rest": "Xx"}, OptionError, "rest must be the symbol"),
        ("Fe,Pd\n0.9,0.4\n", {"rest": "Ga"}, ReadError, "must add to 1, those of row 1 add to 1.3"),
        (b"F\0e\0,\0P\0d\0\n\0", {}, ReadError, "must be text, and holds zero bytes"),
        ('Fe,Pd\n"' + "a" * 200_000 + '",1\n', {}, ReadError, "it is no table"),
        (",".join(["a"] * 300) + "\n", {}, LimitError, "300 columns, at most 200 are read"),
        ("1,2\n" * 200_001, {}, LimitError, "200001 rows, at most 200000 are read"),
    ],
)
def test_tables_that_are_wrong(tmp_path, text, options, error, told):
    with pytest.raises(error, match=told):
        table_of(tmp_path, text, **options)


def test_files_that_are_no_tables(tmp_path):
    with pytest.raises(NothingToReadError, match="no such file"):
        read_library(tmp_path / "none.csv")
    with pytest.raises(NothingToReadError, match="it is no file"):
        read_library(tmp_path)
    with pytest.raises(NothingToReadError, match="no such file"):
        read_library("a\0b")
    large = tmp_path / "large.csv"
    with large.open("wb") as stream:
        stream.truncate((1 << 24) + 1)
    with pytest.raises(LimitError, match="larger than"):
        read_library(large)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(NothingToReadError, match="it is no file"):
        read_library(tmp_path / "pipe")


@settings(max_examples=150, deadline=None)
@given(text=st.one_of(
    st.binary(max_size=200), st.text("FePdxy,;\t\n#0159.-+e\"' ", max_size=80).map(str.encode)
))  # fmt: skip
def test_any_bytes_are_a_table_or_one_error(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(text)
    try:
        table = read_library(path)
    except PeakwiseError:
        return
    assert len(table) > 0
    assert table.fractions is None or np.allclose(table.fractions.sum(axis=1), 1)


def scans(*names, **meta):
    return Patterns([1, 2, 3], np.ones((len(names), 3)), names=list(names), meta=meta)


TABLE = LibraryTable(("Fe", "Pd"), np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]), None, ("c", "a", "b"))


def test_rows_go_to_their_scans():
    made = join_library(scans("data/A.xy", "b.xy.gz", "c"), TABLE)
    assert made.meta["Fe"].tolist() == [0.5, 0.2, 0.9]
    assert made.meta["Pd"].tolist() == [0.5, 0.8, 0.1]
    by_file = join_library(scans("0", "1", "2", file=["x/c.raw", "x/b.raw", "x/a.raw"]), TABLE)
    assert by_file.meta["Fe"].tolist() == [0.9, 0.2, 0.5]


def test_numbers_lose_their_zeros_in_spreadsheets():
    table = LibraryTable((), None, np.array([[7.0, 0.0], [10.0, 0.0]]), ("7", "10"))
    assert join_library(scans("010", "007"), table).meta["x"].tolist() == [10, 7]


def test_rows_in_order_with_all_that_is_beside():
    table = LibraryTable(
        ("Fe",), np.ones((2, 1)), np.array([[1.0, 2.0], [3.0, 4.0]]), None, {"region": np.array(["a", "b"])}, ("off",)
    )
    made = join_library(scans("p", "q"), table)
    assert made.meta["region"].tolist() == ["a", "b"]
    assert made.meta["y"].tolist() == [2, 4]
    assert made.warnings == ("off",)
    assert join_library(made, table).equals(made)


@pytest.mark.parametrize(
    ("patterns", "options", "told"),
    [
        (scans("a", "b"), {}, "each row must have a scan, 1 have none: c"),
        (scans("a", "b", "c", "d", "e"), {}, "each scan must have a row, 2 of 5 have none: d, e"),
        (scans("a", "b", "c.1", "c"), {}, "each scan must have a row, 1 of 4 have none: c.1"),
        (scans("a.xy", "a.raw", "c", "b"), {}, "each scan must have a row of its own, a.xy, a.raw all belong to row 2"),
        (scans("a", "b", "c", Fe=[1.0, 1.0, 1.0]), {}, "the scans have 'Fe' already, with other values"),
        (scans("a"), {"extra": "keep"}, "extra must be one of refuse, drop, got 'keep'"),
    ],
)
def test_rows_that_cannot_be_joined(patterns, options, told):
    with pytest.raises(OptionError, match=told):
        join_library(patterns, TABLE, **options)


def test_other_mismatches():
    assert join_library(scans("a", "b"), TABLE, extra="drop").meta["Fe"].tolist() == [0.5, 0.2]
    nameless = LibraryTable(("Fe",), np.ones((3, 1)), None)
    with pytest.raises(OptionError, match="there must be 2, one for each scan, got 3"):
        join_library(scans("a", "b"), nameless)
    twice = LibraryTable(("Fe",), np.ones((2, 1)), None, ("a.xy", "A"))
    with pytest.raises(OptionError, match="each scan must have one row, 'A' has rows 1 and 2"):
        join_library(scans("a"), twice)
