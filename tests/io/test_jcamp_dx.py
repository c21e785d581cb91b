"""JCAMP-DX: the examples of McDonald and Wilks (1988), the jcamp package as a second opinion, and every check."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import jcamp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts.jcamp_dx import DIFDUP, FIX, ORDINATES, dx
from peakwise.errors import DamagedFileError, LimitError, PeakwiseError, ReadError
from peakwise.io import read_each
from peakwise.io._asdf import decode_asdf

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.patterns import Patterns


def read(folder: Path, text: str) -> tuple[Patterns, ...]:
    path = folder / "spectrum.jdx"
    path.write_bytes(text.encode("latin-1"))
    (one,) = read_each(path)
    if one.error is not None:
        raise one.error
    assert one.format == "jcamp_dx"
    return one.patterns


@pytest.mark.parametrize("data", [FIX, DIFDUP], ids=["FIX", "DIFDUP"])
def test_example_of_the_standard(tmp_path: Path, data: str) -> None:
    (scan,) = read(tmp_path, dx(data))
    assert scan.intensity[0].tolist() == pytest.approx([v / 100 for v in ORDINATES], abs=1e-15)
    assert (scan.axis[0], scan.axis[-1], scan.n_points) == (599.86, 700.158, 53)
    assert scan.step == pytest.approx((700.158 - 599.860) / 52)
    assert (scan.kind, scan.unit) == ("wavenumber", "absorbance")
    meta = {key: column[0] for key, column in scan.meta.items()}
    assert meta["title"] == "polystyrene film"
    assert meta["sample"] == "a film of 50 um"
    assert meta["date"] == "1987-03-07T13:05:09"
    assert meta["temperature"] == pytest.approx(298.15)
    assert meta["operator"] == "P. A. Wilks"
    assert meta["instrument"] == "Digilab FTS-40"
    assert not scan.warnings


def test_jcamp_package_agrees(tmp_path: Path) -> None:
    """On the form FIX; of the DIFDUP example, that package finds 50 of the 53 points."""
    (scan,) = read(tmp_path, dx(FIX))
    other = jcamp.readfile(str(tmp_path / "spectrum.jdx"))
    assert scan.intensity[0] == pytest.approx(other["y"])
    assert scan.axis == pytest.approx(other["x"])


@pytest.mark.parametrize(
    "line",
    ["0 1 2 3 3 2 1 0 -1 -2 -3", "0+1+2+3+3+2+1+0-1-2-3", "0 1BCCBA@abc", "0@ABCCBA@abc",
     "0 1JJ%jjjjjj", "0 1JT%jX", "0ABCTBA@abc"],
    ids=["FIX", "PAC", "SQZ", "SQZ with a leading zero", "DIF", "DIFDUP", "SQZDUP"],
)  # fmt: skip
def test_every_form_of_table_vii(line: str) -> None:
    expected = [1, 2, 3, 3, 2, 1, 0, -1, -2, -3]
    ordinates, marks = decode_asdf([line], 11)
    assert ordinates.tolist() == (expected if "@A" not in line[:4] else [0, *expected])
    assert marks == [(0, 0.0, 1.0)]


def test_numbers_with_exponents_and_gaps() -> None:
    ordinates, _ = decode_asdf(["1 1.5E+02 -2.0e-01 ? .5", "5 E3e"], 9)
    assert ordinates.tolist() == pytest.approx([150, -0.2, np.nan, 0.5, 53, -5], nan_ok=True)


def test_check_value_may_be_repeated() -> None:
    assert decode_asdf(["1 a0J0", "2 @T"], 9)[0].tolist() == [-10, 0, 0]


def encode(values: list[int], per_line: int) -> list[str]:
    """DIF lines, written from table VII of the standard and not from the decoder."""
    lines = []
    for start in range(0, len(values), per_line):
        part = values[max(start - 1, 0) : start + per_line]
        text = f"{max(start - 1, 0)} {_first(part[0], '@ABCDEFGHI', '@abcdefghi')}"
        for before, now in pairwise(part):
            text += _first(now - before, "%JKLMNOPQR", "%jklmnopqr")
        lines.append(text)
    last = f"{len(values) - 1} {_first(values[-1], '@ABCDEFGHI', '@abcdefghi')}"
    return [*lines, last] if len(values) > 1 else lines


def _first(value: int, plus: str, minus: str) -> str:
    digits = str(abs(value))
    return (minus if value < 0 else plus)[int(digits[0])] + digits[1:]


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=60), st.integers(2, 20))
def test_whatever_is_encoded_comes_back(values: list[int], per_line: int) -> None:
    ordinates, marks = decode_asdf(encode(values, per_line), len(values))
    assert ordinates.tolist() == values
    assert all(index == x for index, x, _ in marks)


@given(st.lists(st.integers(-99, 99), min_size=8, max_size=30), st.data())
def test_a_changed_difference_is_noticed(values: list[int], data: st.DataObject) -> None:
    lines = encode(values, 4)
    letters = "JKLMNOPQjklmnopq%R"
    # A line of one ordinate holds no difference.
    number = data.draw(st.sampled_from([i for i, line in enumerate(lines[:-1]) if set(letters) & set(line)]))
    where = max(lines[number].rfind(c) for c in letters if c in lines[number])
    letter = "K" if lines[number][where] != "K" else "L"
    lines[number] = lines[number][:where] + letter + lines[number][where + 1 :]
    with pytest.raises(ValueError, match="check value"):
        decode_asdf(lines, len(values))


@pytest.mark.parametrize(
    ("units", "what", "kind", "factor"),
    [
        ("1/CM", "INFRARED SPECTRUM", "wavenumber", 1),
        ("cm-1", "RAMAN SPECTRUM", "raman_shift", 1),
        ("NANOMETERS", "UV/VIS SPECTRUM", "wavelength", 1),
        ("MICROMETERS", "INFRARED SPECTRUM", "wavelength", 1000),
        ("ANGSTROMS", "UV/VIS SPECTRUM", "wavelength", 0.1),
        ("ANGSTROMS", "X-RAY DIFFRACTION", "d", 1),
        ("2-THETA", "X-RAY DIFFRACTION", "two_theta", 1),
        ("DEGREES", "POWDER DIFFRACTION", "two_theta", 1),
        ("eV", "XPS", "energy", 0.001),
        ("THZ", "INFRARED SPECTRUM", "frequency", 1),
        ("PPM", "NMR SPECTRUM", "channel", 1),
    ],
)
def test_axis_by_its_units(tmp_path: Path, units: str, what: str, kind: str, factor: float) -> None:
    changes = {"XUNITS": units, "DATA_TYPE": what, "FIRSTX": "10", "LASTX": "62", "YUNITS": "COUNTS"}
    (scan,) = read(tmp_path, dx("10 " + " ".join(map(str, ORDINATES)), **changes))
    assert scan.kind == kind
    assert (scan.axis[0], scan.axis[-1]) == pytest.approx((10 * factor, 62 * factor))
    assert scan.unit == "counts"
    assert any("PPM" in note for note in scan.warnings) == (units == "PPM")


def test_degrees_of_something_are_assumed_aloud(tmp_path: Path) -> None:
    (scan,) = read(tmp_path, dx(XUNITS="DEGREES"))
    assert any("does not say what its axis is" in note for note in scan.warnings)


def test_wavelength_of_a_diffractometer(tmp_path: Path) -> None:
    (scan,) = read(tmp_path, dx(XUNITS="2THETA", DATA_TYPE="X-RAY DIFFRACTION", **{"$WAVELENGTH": "0.70932"}))
    assert scan.wavelength == 0.70932


@pytest.mark.parametrize(
    ("told", "unit", "factor"),
    [("TRANSMITTANCE", "transmittance", 0.01), ("% TRANSMITTANCE", "transmittance", 1e-4), ("CPS", "counts/s", 0.01),
     ("ARBITRARY UNITS", "arbitrary", 0.01), ("KUBELKA-MUNK", "unknown", 0.01)],
)  # fmt: skip
def test_unit_of_intensity(tmp_path: Path, told: str, unit: str, factor: float) -> None:
    (scan,) = read(tmp_path, dx(YUNITS=told))
    assert scan.unit == unit
    assert scan.intensity[0, -1] == pytest.approx(128 * factor)
    assert any("percent" in note for note in scan.warnings) == told.startswith("%")


@pytest.mark.parametrize(
    ("changes", "date"),
    [({"LONGDATE": "2003/11/30 07:08:09.5 +0100"}, "2003-11-30T07:08:09"), ({"LONG DATE": "2003/11/30"}, "2003-11-30"),
     ({"DATE": "05/01/02", "TIME": "noon"}, "2005-01-02"), ({"DATE": "spring"}, "spring 13:05:09")],
)  # fmt: skip
def test_dates(tmp_path: Path, changes: dict[str, str], date: str) -> None:
    (scan,) = read(tmp_path, dx(**changes))
    assert scan.meta["date"][0] == date


@pytest.mark.parametrize(("told", "kelvin"), [("-196 C", 77.15), ("4.2 K", 4.2), ("20 deg C", 293.15), ("cold", None)])
def test_temperature(tmp_path: Path, told: str, kelvin: float | None) -> None:
    (scan,) = read(tmp_path, dx(TEMPERATURE=told))
    assert ("temperature" in scan.meta) == (kelvin is not None)
    if kelvin is not None:
        assert scan.meta["temperature"][0] == pytest.approx(kelvin)


@pytest.mark.parametrize(
    "data", ["10, 1.5; 10.5, 2\n11.7, 3.25E+00", "10 1.5\n10.5 2\n11.7 3.25", "10,1.5 10.5,2 11.7,3.25"]
)
def test_pairs(tmp_path: Path, data: str) -> None:
    (scan,) = read(tmp_path, dx(data, "XYPOINTS= (XY..XY)", NPOINTS="3", FIRSTY="1.5", XFACTOR="2", YFACTOR="1"))
    assert scan.axis.tolist() == [20, 21, 23.4]
    assert scan.intensity[0].tolist() == [1.5, 2, 3.25]


def test_falling_axis_and_xfactor(tmp_path: Path) -> None:
    changes = {"FIRSTX": "4000", "LASTX": "3998", "XFACTOR": "0.5", "YFACTOR": "2", "NPOINTS": "5", "FIRSTY": "2"}
    (scan,) = read(tmp_path, dx("8000 1 2 3\n7997 4 5", **changes))
    assert scan.axis.tolist() == [3998, 3998.5, 3999, 3999.5, 4000]
    assert scan.intensity[0].tolist() == [10, 8, 6, 4, 2]
    assert scan.warnings == ("the axis falls: points were reversed",)


def test_firsty_before_its_factor_is_accepted(tmp_path: Path) -> None:
    (scan,) = read(tmp_path, dx("0 700 2 3", NPOINTS="3", FIRSTX="0", LASTX="2", FIRSTY="700"))
    assert scan.intensity[0].tolist() == pytest.approx([7, 0.02, 0.03])


def test_link_block_with_several_spectra(tmp_path: Path) -> None:
    peaks = dx("599.9, 3; 612, 9", "PEAK TABLE= (XY..XY)", TITLE="peaks")
    head = "##TITLE= all\n##JCAMP-DX= 5.00\n##DATA TYPE= LINK\n##BLOCKS= 3\n"
    text = f"{head}{dx(TITLE='one')}{dx(TITLE='two')}{peaks}##END=\n"
    (scans,) = read(tmp_path, text)
    assert len(scans) == 2
    assert scans.meta["title"].tolist() == ["one", "two"]
    assert scans.intensity.tolist() == [[v * 0.01 for v in ORDINATES]] * 2
    assert scans.warnings == ("1 blocks were left out, they hold no curve: peaks (PEAKTABLE)",)


@pytest.mark.parametrize("form", ["PEAK TABLE= (XY..XY)", "NTUPLES= NMR SPECTRUM"])
def test_what_is_no_curve_is_refused(tmp_path: Path, form: str) -> None:
    with pytest.raises(ReadError, match="holds no spectrum, only polystyrene film"):
        read(tmp_path, dx("599.9, 3; 612, 9", form))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (dx(NPOINTS="54"), "holds 53 of the 54 points"),
        (dx(NPOINTS="52"), "more than the 52 points"),
        (dx(NPOINTS="52.5"), "NPOINTS is 52.5"),
        (dx(NPOINTS=None), "FIRSTX, LASTX and NPOINTS are needed"),
        (dx(DIFDUP.replace("A28", "A27")), "check value 127, the line before ends with 128"),
        (dx(DIFDUP.replace("K1%l", "K2%l")), "check value"),
        (dx(DIFDUP.replace("700.158", "690.158")), "is at x = 690.158, its first point should be at 700.158"),
        (dx(FIX.replace(" 9 9 7\n", " 9 9\n") + " 0"), "line 2 of the data is at x = 648.081"),
        (dx(FIRSTY="0.5"), "FIRSTY is 0.5, its first ordinate is 0"),
        (dx(end=""), "without ##END="),
        (dx(end="##END=\n##END=\n"), "ends twice"),
        (dx(DIFDUP.replace("VKT", "VK!T")), "'!T%TLkj%J%', which is no number"),
        (dx("not a number"), "does not begin with a number"),
        (dx("599.86J"), "begins with a difference to nothing"),
        (dx("599.86T"), "more than the 53 points"),
        (dx("599.86@Z999999999"), "repeats a value 8999999999 times"),
        (dx(form="XYDATA= (R++(A..A))"), "is not (X++(Y..Y)) or (XY..XY)"),
        (dx("1, 2; 3", "XYPOINTS= (XY..XY)"), "line 1 of the data holds no pair of x and y: '3'"),
        (dx("1, 2; 3, 4", "XYPOINTS= (XY..XY)"), "holds 2 of the 53 points"),
        (dx("", "XYPOINTS= (XY..XY)", NPOINTS=None), "holds no points"),
        ("##TITLE= x\n##JCAMP-DX= 4.24\n##= nothing\n##END=\n", "holds no scan"),
        (dx(NPOINTS="100000000"), "promises 1e+08 points in a file of"),
    ],
)  # fmt: skip
def test_damage_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(PeakwiseError) as caught:
        read(tmp_path, text)
    assert words in str(caught.value)


def test_absurd_number_of_points(tmp_path: Path) -> None:
    with pytest.raises(LimitError):
        read(tmp_path, dx(NPOINTS="1e12"))


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    text = dx()
    for size in range(40, len(text) - len("ND=\n"), 11):
        with pytest.raises(DamagedFileError):
            read(tmp_path, text[:size])
