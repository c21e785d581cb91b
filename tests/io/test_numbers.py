"""The fast reader of numbers gives the bits of `float`, and the Fortran columns those of Fortran."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from peakwise.io._dates import iso_date
from peakwise.io._numbers import fixed_columns, parse_numbers, parse_rows

plain = st.builds(
    lambda sign, whole, point, part: f"{sign}{whole}{'.' if point else ''}{part if point else ''}",
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 10**9).map(str),
    st.booleans(),
    st.integers(0, 10**6).map(str),
)
spelled = st.one_of(
    plain,
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map("{:.8E}".format),
    st.sampled_from([".5", "-.25", "5.", "007", "0.10", "123456789012345678", "-0.0", "0.000000000000001"]),
)


@given(st.lists(spelled, min_size=1, max_size=30), st.sampled_from([" ", "\n", "\t ", "\r\n", "   "]))
def test_the_bits_are_those_of_float(words, between):
    expected = np.array([float(w) for w in words])
    assert (parse_numbers(between.join(words)) == expected).all()
    assert (parse_numbers(between + between.join(words) + between) == expected).all()


def test_fortran_writes_d_for_the_exponent():
    assert parse_numbers("1.5D+02 2d-1").tolist() == [150.0, 0.2]


def test_no_numbers_at_all():
    assert parse_numbers(" \n ").size == 0


@pytest.mark.parametrize("text", ["1 2 x 3", "1.2.3 4", "1-2", "- 1", ". 1", "1,2", "12é 3", "1 2\0 3", "0x10", "--1"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match=r"number|string"):
        parse_numbers(text)


def test_rows_of_one_width():
    rows = parse_rows("1 2 3\r\n\r\n 4 5 6.5", 3)
    assert rows.tolist() == [[1, 2, 3], [4, 5, 6.5]]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 2 3\n4 5\n6 7 8\n9", "row 2 must hold 3 numbers, it holds 2"),
        ("1 2\n3 4\n5 6\n", "row 1 must hold 3 numbers, it holds 2"),  # as many numbers as two full rows
        ("1 2 3\n4 5 6 7 8 9\n", "row 2 must hold 3 numbers, it holds 6"),
    ],
)
def test_rows_of_another_width_are_refused(text, told):
    with pytest.raises(ValueError, match=told):
        parse_rows(text, 3)


def test_columns_that_touch():
    counters, counts = fixed_columns([" 1   162 1   17810999999 2100000"], (2, 6), 4)
    assert counters.tolist() == [1, 1, 10, 2]
    assert counts.tolist() == [162, 178, 999999, 100000]


def test_columns_with_implied_decimals_and_short_records():
    # 4(F8.0,F7.4,F5.4): 48008 | 235511 -> 23.5511 | 3757 -> 0.3757; with a point the point counts
    record = "   48008 235511 3757   48072 22.82 0.3"
    x, y, e = fixed_columns([record], (8, 7, 5), 4, (0, 4, 4))
    assert x.tolist()[:2] == [48008, 48072]
    assert y.tolist()[:2] == [23.5511, 22.82]
    assert e.tolist()[:2] == [0.3757, 0.3]
    assert np.isnan(x[2:]).all()
    assert np.isnan(y[2:]).all()


def test_a_field_with_two_numbers_is_refused():
    with pytest.raises(ValueError, match="fields"):
        fixed_columns(["20 21 26 29 30 3"], (2, 6), 2)


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("04-Mar-2010 20:59:14", "2010-03-04T20:59:14"),
        ("'29-Mar-2011 18:56:41'", "2011-03-29T18:56:41"),
        ("JUL 26, 2012 15:09:18.910830", "2012-07-26T15:09:18"),
        ("2001-06-16 06:25:59", "2001-06-16T06:25:59"),
        ("2013-11-26T14:41", "2013-11-26T14:41:00"),
        ("5-Mai-98 3:07 PM", "1998-05-05T15:07:00"),
        ("12-mär-2003", "2003-03-12"),
        ("14-fév-2003", "2003-02-14"),
        ("1-Jan-2024 12:30 am", "2024-01-01T00:30:00"),
        ("03/04/2010", "03/04/2010"),  # April or March: nobody knows
        ("31-Foo-2010", "31-Foo-2010"),
        ("2010-13-45", "2010-13-45"),
        ("", ""),
    ],
)
def test_dates(written, iso):
    assert iso_date(written) == iso
