"""Plain text of every dialect: each spelled out here, and the real files."""

from __future__ import annotations

import bz2
import gzip
import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import peakwise as pw
from peakwise.errors import DamagedFileError, ReadError, UnknownFormatError, WriteError
from peakwise.io._header import axis_of_title, facts_of, radiation_of
from peakwise.io._table import find_tables

X = [10.0, 10.5, 11.0, 11.5]
Y = [5.0, 80.0, 7.0, 6.0]
HEADED = "# 2Theta (deg)  counts  wavelength = 0.5\n"


def read(tmp_path, text, name="scan.xy", **options):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return pw.read(path, **options)


DIALECTS = {
    "spaces": "10.0 5\n10.5 80\n11.0 7\n11.5 6\n",
    "tabs": "10.0\t5\n10.5\t80\n11.0\t7\n11.5\t6\n",
    "commas": "10.0,5\n10.5,80\n11.0,7\n11.5,6\n",
    "commas and spaces": "10.0, 5\n10.5, 80\n11.0, 7\n11.5, 6\n",
    "semicolons": "10.0;5\n10.5;80\n11.0;7\n11.5;6\n",
    "bars": "10.0|5\n10.5|80\n11.0|7\n11.5|6",
    "a separator at the end": "10.0;5;\n10.5;80;\n11.0;7;\n11.5;6;\n",
    "decimal commas and semicolons": "10,0;5,0\n10,5;80,0\n11,0;7,0\n11,5;6,0\n",
    "decimal commas and spaces": "10,0 5,0\n10,5 80,0\n11,0 7,0\n11,5 6,0\n",
    "decimal commas and tabs": "10,0\t5\n10,5\t80\n11,0\t7\n11,5\t6\n",
    "Windows line ends": "10.0 5\r\n10.5 80\r\n11.0 7\r\n11.5 6\r\n",
    "old Mac line ends": "10.0 5\r10.5 80\r11.0 7\r11.5 6\r",
    "no last line end": "10.0 5\n10.5 80\n11.0 7\n11.5 6",
    "blank lines": "\n10.0 5\n\n10.5 80\n11.0 7\n\n\n11.5 6\n\n",
    "comments before, inside and after": "# a\n! b\n10.0 5\n10.5 80\n# c 3 4\n11.0 7\n11.5 6\n# end\n",
    "DOS end-of-file mark": "10.0 5\n10.5 80\n11.0 7\n11.5 6\n\x1a",
    "exponents": "1.0e1 5E0\n1.05e+1 8.0e1\n1.1E1 7\n1.15e1 6\n",
    "Fortran exponents": "1.0D1 5D0\n1.05D+1 8.0D1\n1.1D1 7D0\n1.15D1 6D0\n",
    "quoted": '"10.0","5"\n"10.5","80"\n"11.0","7"\n"11.5","6"\n',
    "prose around": "Measured by A. Scientist\non a rainy day\n10.0 5\n10.5 80\n11.0 7\n11.5 6\nend of scan\n",
    "falling": "11.5 6\n11.0 7\n10.5 80\n10.0 5\n",
    "byte-order mark": "\ufeff10.0 5\n10.5 80\n11.0 7\n11.5 6\n",
    "an ampersand at the end": "10.0 5\n10.5 80\n11.0 7\n11.5 6\n&\n",
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_dialects(tmp_path, dialect):
    scan = read(tmp_path, DIALECTS[dialect])
    assert scan.axis.tolist() == X
    assert scan.intensity.tolist() == [Y]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)
def test_encodings(tmp_path, encoding):
    text = "# Probe: Rühli, 25 °C\n" + DIALECTS["spaces"]
    scan = read(tmp_path, text.encode(encoding))
    assert scan.intensity.tolist() == [Y]


def test_bytes_that_no_encoding_defines(tmp_path):
    assert read(tmp_path, b"# \x81\x8d\n" + DIALECTS["spaces"].encode()).axis.tolist() == X


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_compressed_files_are_read_as_they_are(tmp_path, suffix, pack):
    scan = read(tmp_path, pack(DIALECTS["spaces"].encode()), "scan.xy" + suffix)
    assert scan.intensity.tolist() == [Y]
    assert scan.names.tolist() == ["scan"]
    misnamed = read(tmp_path, pack(DIALECTS["spaces"].encode()), "scan.dat")  # told by content
    assert misnamed.intensity.tolist() == [Y]
    with pytest.raises(DamagedFileError, match="cannot decompress the file"):
        read(tmp_path, pack(DIALECTS["spaces"].encode() * 100)[:60], "cut.xy" + suffix)


def test_what_was_assumed_is_said(tmp_path):
    scan = read(tmp_path, DIALECTS["spaces"])
    assert scan.kind == "two_theta"
    assert scan.wavelength == pytest.approx(1.54187, abs=1e-5)
    assert scan.radiation.assumed
    assert any("two_theta [deg] assumed" in w for w in scan.warnings)
    assert any("CuKa (1.5419 angstrom) assumed" in w for w in scan.warnings)
    told = read(tmp_path, HEADED + DIALECTS["spaces"])
    assert (told.warnings, told.wavelength, told.unit) == ((), 0.5, "counts")


def test_given_wavelength_fills_in_and_never_overrides(tmp_path):
    assert read(tmp_path, DIALECTS["spaces"], wavelength="MoKa1").wavelength == 0.70931715
    own = read(tmp_path, HEADED + DIALECTS["spaces"], wavelength=1.5)
    assert own.wavelength == 0.5
    assert any("the given wavelength 1.5 is not used" in w for w in own.warnings)


def test_given_axis_wins(tmp_path):
    assert read(tmp_path, DIALECTS["spaces"], axis="q").kind == "q"
    assert read(tmp_path, HEADED + DIALECTS["spaces"], axis="d").kind == "d"


def test_an_axis_that_cannot_be_degrees_is_not_called_degrees(tmp_path):
    scan = read(tmp_path, "".join(f"{x} 1.5\n" for x in range(4000, 400, -2)))
    assert scan.kind == "unknown"
    assert scan.wavelength is None
    assert any("402 to 4000 cannot be degrees" in w for w in scan.warnings)
    assert any("axis falls" in w for w in scan.warnings)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("2Theta", ("two_theta", 1)),
        ("2th_deg", ("two_theta", 1)),
        ("2θ [deg]", ("two_theta", 1)),
        ("two_theta", ("two_theta", 1)),
        ("2theta (centidegrees)", ("two_theta", 0.01)),
        ("2Theta (rad)", ("two_theta", 57.29577951308232)),
        ("Q", ("q", 1)),
        ("q_A^-1", ("q", 1)),
        ("q_nm^-1", ("q", 0.1)),
        ("Q (1/nm)", ("q", 0.1)),
        ("d (nm)", ("d", 10)),
        ("d-spacing", ("d", 1)),
        ("Energy (eV)", ("energy", 0.001)),
        ("energy [keV]", ("energy", 1)),
        ("Wavenumber (cm-1)", ("wavenumber", 1)),
        ("cm-1", ("wavenumber", 1)),
        ("Raman Shift (cm-1)", ("raman_shift", 1)),
        ("Wavelength [nm]", ("wavelength", 1)),
        ("wavelength (µm)", ("wavelength", 1000)),
        ("TOF (ms)", ("time_of_flight", 1000)),
        ("r(Å)", ("r", 1)),
        ("x", None),
        ("Angle", None),
        ("time (s)", None),
        ("counts", None),
        ("depth", None),
    ],
)
def test_column_titles(title, expected):
    found = axis_of_title(title)
    if expected is None:
        assert found is None
    else:
        assert (found.kind, found.factor) == (expected[0], pytest.approx(expected[1]))


@pytest.mark.parametrize(
    ("line", "wavelength"),
    [
        ("! Calibrated wavelength = 0.412359", 0.412359),
        ("# Wavelength: 4.066e-11 m", 0.4066),
        ("# lambda=  1.49400, T= 0.0", 1.494),
        ('"Wavelength","1.5406"', 1.5406),
        ("wavelength (Å): 0.1665", 0.1665),
        ("Wavelength [nm] = 0.15406", 1.5406),
        ("anode Cu K-alpha", 1.541871),
        ("Radiation: CuKa1", 1.5405929),
        ("lam1 = 1.54060 lam2 = 1.54439 Cu", 1.5406),
    ],
)
def test_wavelengths_in_headers(line, wavelength):
    assert radiation_of([line]).wavelength == pytest.approx(wavelength, rel=1e-6)


@pytest.mark.parametrize(
    "line",
    [
        "laser_wavelength;532,02",
        "Laser wavelength = 0.785",
        "wavelength: unknown",
        "wavelengths 12 34",
        "lambda = 300.0",
    ],
)
def test_what_is_no_wavelength(line):
    assert radiation_of([line]) is None


def test_a_rounded_number_beside_a_name_means_the_name():
    assert radiation_of(["Lam1, 1.54", "Source, CuKa"]).wavelength == pytest.approx(1.541871, abs=1e-6)
    exact = radiation_of(["Lam1, 1.54056", "Source, CuKa"])
    assert (exact.wavelength, exact.anode) == (1.54056, "Cu")


def test_facts_in_headers():
    lines = [
        "Temperature: 25 C",
        "Title = a; b",
        "Pressure (GPa) 3.5 GPa",
        "exposure time = 0.5 s",
        "date: 2020-01-02",
        "laser_wavelength;532,02",
    ]
    assert facts_of(lines) == {
        "temperature": 298.15,
        "title": "a; b",
        "pressure": 3.5,
        "count_time": 0.5,
        "date": "2020-01-02",
        "laser": 532.02,
    }
    assert facts_of(["Temp (K) = 77.5"]) == {"temperature": 77.5}
    assert facts_of(["attempt 5", "template 7"]) == {}


def test_named_columns_are_taken_by_name(tmp_path):
    rows = "".join(f"{x},{y},1.0,{y + 0.5},2.0\n" for x, y in zip(X, Y, strict=True))
    scan = read(tmp_path, "2Theta,y_obs,weight,y_calc,y_bkg\n" + rows, "fit.csv")
    assert scan.intensity.tolist() == [Y]
    assert any("left out: weight, y_calc, y_bkg" in w for w in scan.warnings)
    other = read(
        tmp_path,
        "2Theta,y_calc,y_obs,err,y_bkg\n" + "".join(f"{x},1,{y},0.1,2\n" for x, y in zip(X, Y, strict=True)),
        "f.csv",
    )
    assert other.intensity.tolist() == [Y]
    assert other.sigma.tolist() == [[0.1] * 4]


def test_point_numbers_are_no_axis(tmp_path):
    text = "Pixel;Wavelength;Raman Shift;Dark;Dark Subtracted #1\n" + "".join(
        f"{i};{500 + i};{100 + 2 * i};9;{i * i}\n" for i in range(5)
    )
    scan = read(tmp_path, text, "raman.txt")
    assert (scan.kind, scan.axis.tolist()) == ("raman_shift", [100, 102, 104, 106, 108])
    assert scan.intensity.tolist() == [[0, 1, 4, 9, 16]]


def test_titles_and_units_on_two_lines(tmp_path):
    scan = read(tmp_path, "Energy,S1\neV,CPS\n8000,5\n8001,6\n8002,7\n", "s.csv")
    assert (scan.kind, scan.unit, scan.axis.tolist()) == ("energy", "counts/s", [8.0, 8.001, 8.002])


@pytest.mark.parametrize(
    ("name", "third", "is_sigma"),
    [
        ("a.xye", ".5", True),
        ("a.xy", ".5", True),
        ("a.csv", "900", False),
        ("a.xye", "900", True),
        ("a.xye", "-1", False),
    ],
)
def test_the_third_column(tmp_path, name, third, is_sigma):
    scan = read(tmp_path, "".join(f"{x} {y} {third}\n" for x, y in zip(X, Y, strict=True)), name)
    assert (scan.sigma is not None) == is_sigma
    assert len(scan) == (1 if is_sigma else 2)


def test_many_columns_are_many_patterns(tmp_path):
    scan = read(tmp_path, "Q,first,second,third\n1,1,2,3\n2,4,5,6\n3,7,8,9\n", "set.csv")
    assert (scan.kind, scan.names.tolist()) == ("q", ["first", "second", "third"])
    assert scan.intensity.tolist() == [[1, 4, 7], [2, 5, 8], [3, 6, 9]]
    bare = read(tmp_path, "1,1,2,3\n2,4,5,6\n3,7,8,9\n", "bare.csv")
    assert bare.intensity.tolist() == [[1, 4, 7], [2, 5, 8], [3, 6, 9]]
    assert any("columns 2 to 4 have no titles" in w for w in bare.warnings)


def test_many_rows_under_an_axis(tmp_path):
    x = np.arange(20, 40, 0.5)
    rows = np.random.default_rng(0).integers(0, 100, (5, x.size)) + 0.5
    text = "\n".join(",".join(map(str, r)) for r in [x, *rows])
    scan = read(tmp_path, text, "set.csv")
    np.testing.assert_array_equal(scan.intensity, rows)
    assert any("one pattern a row" in w for w in scan.warnings)


def test_labelled_rows(tmp_path):
    x = [1800.5 - i for i in range(12)]
    text = "type," + ",".join(map(str, x)) + "\nd" + ",c" * 12 + "\nclass\n"
    text += "".join(
        f"{label}," + ",".join(str(i + k) for k in range(12)) + "\n" for i, label in enumerate(["lipid", "DNA"])
    )
    scan = read(tmp_path, text, "ir.csv", axis="wavenumber")
    assert scan.meta["label"].tolist() == ["lipid", "DNA"]
    assert scan.intensity[1].tolist() == [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
    with pytest.raises(DamagedFileError, match="line 6 must hold 1 labels and 12 numbers, got 3 fields"):
        read(tmp_path, text + "bad,1,2\n", "ir.csv")


def test_start_step_stop(tmp_path):
    """FullProf INSTRM 0: the axis is three numbers, then the intensities run over the lines."""
    scan = read(tmp_path, "10.0 0.5 14.5  title of it\n1 2 3 4\n5 6 7 8\n9 10\n", "a.dat")
    assert scan.axis.tolist() == [10 + 0.5 * i for i in range(10)]
    assert scan.intensity.tolist() == [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]


def test_several_tables_are_several_scans(tmp_path):
    text = "scan one\n1 5\n2 6\n3 7\nscan two follows here\n1 8\n2 9\n3 10\n"
    scan = read(tmp_path, text)
    assert scan.intensity.tolist() == [[5, 6, 7], [8, 9, 10]]
    assert scan.names.tolist() == ["scan#1", "scan#2"]
    bare = read(tmp_path, "".join(f"{x} {y}\n" for y in (0, 50) for x in range(10)))
    assert bare.shape == (2, 10)
    assert (bare.intensity[0] == 0).all()
    gnuplot = read(tmp_path, "1 5\n2 6\n3 7\n\n\n1 8\n2 9\n3 10\n")
    assert gnuplot.intensity.tolist() == [[5, 6, 7], [8, 9, 10]]


def test_points_without_value_are_left_out_and_counted(tmp_path):
    scan = read(tmp_path, "1 5\n2 nan\n3 inf\n4 6\n5 7\n6 8\n")
    assert scan.axis.tolist() == [1, 4, 5, 6]
    assert any("2 of 6 points were left out: NaN or infinite" in w for w in scan.warnings)


def test_repeated_points_become_their_mean(tmp_path):
    scan = read(tmp_path, "1 5\n2 6\n2 8\n3 7\n4 1\n")
    assert (scan.axis.tolist(), scan.intensity.tolist()) == ([1, 2, 3, 4], [[5, 7, 7, 1]])
    assert any("1 points repeat a position: their mean was taken" in w for w in scan.warnings)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("1 2\n", "no table of at least three rows"),
        ("1 2\n2 3\n", "no table of at least three rows"),
        ("hello\nworld\n" * 9, "no table of at least three rows"),
        ("1\n2\n3\n4\n", "no table of at least three rows"),
        ("1 nan\n2 nan\n3 nan\n", "at least 3 points are needed, it holds 0 usable ones"),
        ("a,b\n1,inf\n2,-inf\n3,1\n", "at least 3 points are needed, it holds 1 usable ones"),
        ("5 1\n5 2\n5 3\n5 4\n", "first column could be an axis"),
        ("1 5\n2 6\n3 7\n4 x8\n5 9\n6 10\n", "line 4 stands between rows and is none: '4 x8'"),
        ("".join(f"{(i * 37) % 20} {i}\n" for i in range(20)), "no table of at least three rows whose first column"),
        ("30 1\n2 5\n90 3\n4 1\n60 5\n7 8\n", "no table of at least three rows whose first column could be an axis"),
    ],
)
def test_what_is_refused(tmp_path, text, told):
    with pytest.raises(ReadError) as problem:
        read(tmp_path, text)
    assert told in str(problem.value)
    assert "scan.xy" in str(problem.value)


def test_a_line_cut_short_is_said(tmp_path):
    scan = read(tmp_path, "1 5\n2 6\n3 7\n4")
    assert scan.axis.tolist() == [1, 2, 3]
    assert any("the last line is incomplete" in w for w in scan.warnings)


def test_binary_garbage_is_no_text(tmp_path):
    with pytest.raises(UnknownFormatError, match="none of the formats"):
        read(tmp_path, bytes(range(256)) * 20)


def test_texts_beyond_the_bound_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("peakwise.io.text.MAX_TEXT", 20)
    with pytest.raises(DamagedFileError, match="at most 20 are read"):
        read(tmp_path, DIALECTS["spaces"])


def test_columns_that_touch_are_parted_where_the_axis_says(tmp_path):
    """As a SmartLab file has them: zeros at the end are not written, and several such lines follow each other."""
    lines = [
        "35.1078  11",
        "35.1574  13",
        " 35.207  10",
        "35.25665",
        "35.3063  12",
        "35.35597",
        "35.4055123",
        "35.4551  18",
        "35.5047 1",
    ]
    (scan,) = read(tmp_path, "\n".join(lines), axis="two_theta")
    assert scan.axis.tolist() == [35.1078, 35.1574, 35.207, 35.2566, 35.3063, 35.3559, 35.4055, 35.4551, 35.5047]
    assert scan.intensity[0].tolist() == [11, 13, 10, 5, 12, 7, 123, 18, 1]
    assert "'35.25665' was read as 35.2566 and 5: the columns touch" in scan.warnings
    # 39.524 and 9, or 39.5249 and nothing: the axis does not say.
    with pytest.raises(DamagedFileError, match="line 4 stands between rows and is none: '39.5249'"):
        read(tmp_path, "39.3755 9\n39.4251 8\n39.4747 7\n39.5249\n39.5739 8\n39.6235 9\n")


def test_a_number_that_may_be_cut_is_said(tmp_path):
    whole = "".join(f"{10 + i / 100:6.2f} {100 + i:6d}\n" for i in range(20))
    told = "the last line has no end and is shorter than those above: the file may be cut short"
    cut = read(tmp_path, whole[:-3])[0]
    assert cut.intensity[0, -1] == 1  # of 119
    assert told in cut.warnings
    for text in (whole, whole[:-1], whole[:-14]):
        assert told not in read(tmp_path, text)[0].warnings


def test_a_million_points(tmp_path):
    x = np.arange(1_000_000)
    text = "\n".join(f"{a} {a % 97}" for a in x.tolist())
    scan = read(tmp_path, text, axis="channel")
    assert scan.n_points == 1_000_000
    np.testing.assert_array_equal(scan.intensity[0], x % 97)


NUMBERS = st.floats(-1e12, 1e12).map(lambda v: round(v, 6))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=30),
    st.sampled_from(["\t", ",", ";", " ", "  "]),
    st.booleans(),
)
def test_the_quick_way_and_the_slow_way_agree(rows, separator, comment):
    plain = "".join(f"{a!r}{separator}{b!r}\n" for a, b in rows)
    quick = find_tables(plain)
    slow = find_tables(plain + ("# a comment\n" if comment else "the end of it all\n"))
    assert len(quick) >= 1
    np.testing.assert_array_equal(np.vstack([t.values for t in quick]), np.array(rows))
    np.testing.assert_array_equal(np.vstack([t.values for t in slow]), np.array(rows))


def test_round_trips(tmp_path):
    rng = np.random.default_rng(5)
    scan = pw.Patterns(
        np.arange(10, 20, 0.02), rng.poisson(50, 500), wavelength="CuKa1", unit="counts", sigma=rng.random(500),
        meta={"temperature": [77.5], "title": ["a b"]},
    )  # fmt: skip
    for name in ("a.xy", "a.xye", "a.csv"):
        pw.write(scan, tmp_path / name)
        again = pw.read(tmp_path / name)
        np.testing.assert_array_equal(again.axis, scan.axis)
        np.testing.assert_array_equal(again.intensity, scan.intensity)
        assert (again.kind, again.wavelength, again.unit, again.warnings) == ("two_theta", 1.5405929, "counts", ())
        assert again.meta["temperature"].tolist() == [77.5]
        if name != "a.xy":
            np.testing.assert_array_equal(again.sigma, scan.sigma)


def test_a_set_round_trips_through_csv(tmp_path):
    scan = pw.Patterns([1.0, 2.0, 3.5], [[1, 2, 3], [4, 5, 6.25], [7, 8, 9]], "q", names=["a", "b, c", "d"])
    pw.write(scan, tmp_path / "set.csv")
    again = pw.read(tmp_path / "set.csv")
    np.testing.assert_array_equal(again.intensity, scan.intensity)
    assert (again.kind, again.names.tolist()) == ("q", ["a", "b, c", "d"])


def test_an_assumed_wavelength_is_never_written_as_a_fact(tmp_path):
    scan = read(tmp_path, DIALECTS["spaces"])
    pw.write(scan, tmp_path / "out.xy")
    assert "wavelength" not in (tmp_path / "out.xy").read_text()
    assert pw.read(tmp_path / "out.xy").radiation.assumed


def test_what_cannot_be_written(tmp_path):
    two = pw.Patterns([1, 2, 3], [[1, 2, 3], [4, 5, 6]])
    with pytest.raises(WriteError, match="xy holds one pattern, there are 2"):
        pw.write(two, tmp_path / "a.xy")
    with pytest.raises(WriteError, match="uncertainties, and those of an intensity in 'unknown' are not known"):
        pw.write(two[0], tmp_path / "a.xye")
    with pytest.raises(WriteError, match="nothing is written as '.raw'"):
        pw.write(two, tmp_path / "a.raw")
    with pytest.raises(WriteError, match="there is no folder"):
        pw.write(two[0], tmp_path / "nowhere" / "a.xy")
    assert list(tmp_path.iterdir()) == []


REAL = {
    # file: points, first, last, largest count, wavelength, axis
    "formats/xye/SbI3.xye": (1399, 10.0001, 59.9875, None, None, "two_theta"),
    "formats/xye/Ba6Co6.xye": (3120, 4.0, 159.95, None, None, "two_theta"),
    "formats/xye/LaB6_d500_si_psd.xye.bz2": (17381, 4.57208, 150.57608, None, None, "two_theta"),
    "formats/xy/zro2_mo.xy": (5630, 2.0001, 140.05, None, None, "two_theta"),
    "formats/xy/pattern_001.xy": (1400, 0.01589844, 44.49973, None, 0.320179, "two_theta"),
    "formats/csv/test1.csv": (8, 610, 617, 1682350, None, "wavelength"),
    "nist_srm_11bm/Si/11BM_Si640c.xy.gz": (49496, 0.5, 49.995, None, 0.412359, "two_theta"),
    "lamno3_pdf_T_series/original/300K.gr": (None, 0.01, None, None, None, "r"),
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.filterwarnings("default")
def test_real_files(real_data, name):
    points, first, last, largest, wavelength, kind = REAL[name]
    scan = pw.read(real_data / name)
    assert scan.kind == kind
    assert points is None or scan.n_points == points
    assert scan.axis[0] == pytest.approx(first, rel=1e-5)
    assert last is None or scan.axis[-1] == pytest.approx(last, rel=1e-4)
    assert largest is None or scan.intensity.max() == largest
    assert wavelength is None or scan.wavelength == pytest.approx(wavelength, rel=1e-5)
