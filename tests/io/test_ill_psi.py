"""ILL and PSI neutron powder patterns."""

from __future__ import annotations

import pytest

from peakwise.errors import DamagedFileError
from peakwise.io import Reader, Source
from peakwise.io.ill_psi import ILL_PSI

DOOR = Reader({"ill_psi": ILL_PSI})


def one(path):
    (found,) = DOOR.read_each(path)
    if found.error is not None:
        raise found.error
    (patterns,) = found.patterns
    return patterns


def records(values, form="{:8.1f}"):
    fields = [form.format(v) for v in values]
    return ["".join(fields[i : i + 10]) for i in range(0, len(fields), 10)]


Y = [100.0, 110.0, 9999999.0, 120.0, 130.0, 140.0, 150.0, 160.0, 170.0, 180.0, 190.0, 200.0]
E = [1.5 + i for i in range(12)]


def psi(folder, *, y=Y, e=E, head="lambda=  2.45700, T= 1.500, dT= 0.010, Date=2003-02-01 10:20:30", span=None):
    lines = ["DMC, a title", head, span or '   5.000   0.500  10.500 2000000., sample="Ho2O3, can"']
    path = folder / "scan.dat"
    path.write_text("\n".join([*lines, *records(y, "{:7.0f}."), *records(e), " Filelist='x'"]) + "\n")
    return path


FITTING = [min(v, 999999.5) for v in Y]  # what F8.1 has room for


def ill(folder, *, y=FITTING, e=E, count="  12  295.5  300.0    1  50000.0   0.0", span="  5.0000  0.5000  10.5000",
        title="1.594 A  Fe3O4"):  # fmt: skip
    lines = ["D2B  Title: " + title, "  Ident:  1 to 2", title + "      2theta", count, span]
    path = folder / "scan.dat"
    path.write_text("\r\n".join([*lines, *records(y), *(records(e, "{:8.2f}") if e else [])]) + "\r\n")
    return path


def test_real_psi(real_data):
    scan = one(real_data / "formats/ill_psi_dat/PSI_DMC.dat")
    assert scan.n_points == 3200
    assert scan.axis[0] == 2.948
    assert scan.axis[-1] == pytest.approx(162.898, abs=1e-9)
    assert scan.step == pytest.approx(0.05)
    assert scan.intensity[0, :10].tolist() == [7444, 7639, 7731, 7762, 7479, 7818, 7720, 7861, 7945, 8090]
    assert scan.intensity[0, -1] == 8561
    assert scan.sigma[0, [0, 1, -1]].tolist() == [81.5, 82.5, 89.7]
    assert (scan.wavelength, scan.radiation.probe) == (1.494, "neutron")
    assert scan.meta["date"].tolist() == ["2001-06-16T06:25:59"]
    assert scan.meta["sample"].tolist() == ["NdNi4MgDx_V10mm_HI,a4=3.0,N18"]
    assert scan.meta["instrument"].tolist() == ["HRPT"]
    assert scan.meta["monitor"].tolist() == [18000000.0]
    assert "temperature" not in scan.meta  # "T= 0.000" is no temperature
    assert scan.warnings == ()


def test_real_ill(real_data):
    scan = one(real_data / "formats/ill_psi_dat/D1A5.dat")
    assert scan.n_points == 1680
    assert scan.axis[0] == -10.0
    assert scan.axis[-1] == pytest.approx(157.9, abs=1e-9)
    assert scan.intensity[0, :5].tolist() == [0.8, 0.3, 0.3, 0.7, 0.3]
    assert (scan.intensity[0, -1], scan.intensity.max()) == (155.1, 1503.6)
    assert scan.sigma[0, [0, 1, -1]].tolist() == [0.58, 0.30, 7.35]
    assert (scan.wavelength, scan.radiation.probe) == (1.9114, "neutron")
    assert scan.warnings == ("the wavelength 1.9114 angstrom is taken from the title",)
    assert scan.meta["title"][0].split() == ["1.9114", "A", "LaNi2Mn3Dx", "13.9.01"]
    assert scan.meta["instrument"].tolist() == ["D1A"]
    assert scan.meta["regulation_temperature"].tolist() == [100.018]
    assert "temperature" not in scan.meta  # the sensor at the sample says -1


def test_psi_columns_that_touch(tmp_path):
    scan = one(psi(tmp_path))
    assert scan.intensity[0].tolist() == Y
    assert scan.sigma[0].tolist() == E
    assert scan.axis.tolist() == [5 + 0.5 * i for i in range(12)]
    assert scan.meta["temperature"].tolist() == [1.5]
    assert scan.meta["sample"].tolist() == ["Ho2O3, can"]
    assert scan.meta["instrument"].tolist() == ["DMC"]


def test_ill_with_temperature(tmp_path):
    scan = one(ill(tmp_path))
    assert scan.intensity[0].tolist() == FITTING
    assert scan.sigma[0].tolist() == E
    assert scan.meta["temperature"].tolist() == [295.5]
    assert scan.meta["regulation_temperature"].tolist() == [300.0]
    assert (scan.wavelength, scan.meta["instrument"].tolist()) == (1.594, ["D2B"])


def test_ill_without_uncertainties_and_wavelength(tmp_path):
    scan = one(ill(tmp_path, e=None, count="  12  295.5  300.0    0  50000.0   0.0", title="Fe3O4 at 5.5 Angular"))
    assert scan.sigma is None
    assert any("no wavelength" in w for w in scan.warnings)


def test_a_wavelength_that_cannot_be_is_not_used(tmp_path):
    scan = one(psi(tmp_path, head="lambda= 99999., T= 1.500, dT= 0.010, Date=2003-02-01 10:20:30"))
    assert any("not used" in w for w in scan.warnings)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"e": E[:-3]}, "table 2 of 12 points"),
        ({"y": Y[:10], "e": E[:10]}, "of the 24 numbers that 12 points need"),
        ({"span": '   5.000   0.000  10.500 2000000., sample="x"'}, "points need"),
        ({"span": '   5.000   0.500  99999999.5 2000000., sample="x"'}, "numbers that 199999990 points need"),
    ],
)
def test_psi_contradictions(tmp_path, changes, told):
    with pytest.raises(DamagedFileError, match=told):
        one(psi(tmp_path, **changes))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"count": "  13  295.5  300.0    1  50000.0   0.0"}, "there are not the 13 points"),
        ({"y": FITTING[:-1]}, "table 1 holds 11 of the 12 points"),
        ({"e": None}, "holds 20 of the 24 numbers that 12 points need"),
        ({"count": "99999999  295.5  300.0    1  50000.0   0.0", "span": "0 1 99999998"}, "99999999 points need"),
    ],
)
def test_ill_contradictions(tmp_path, changes, told):
    with pytest.raises(DamagedFileError, match=told):
        one(ill(tmp_path, **changes))


def test_a_word_among_the_numbers(tmp_path):
    path = ill(tmp_path)
    path.write_text(path.read_text().replace("110.0", "11o.0"))
    with pytest.raises(DamagedFileError, match="table 1 of 12 points"):
        one(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("file", ["D1A5.dat", "PSI_DMC.dat"])
def test_real_files_cut_short(real_data, tmp_path, file, share):
    whole = (real_data / "formats/ill_psi_dat" / file).read_bytes()
    path = tmp_path / "cut.dat"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(DamagedFileError):
        one(path)


@pytest.mark.parametrize(
    "content",
    [
        "1 2\n" * 10,
        "a\nb\nc\nd\ne\nf\n",
        "a\nlambda of the beam\n1 2 3\n4 5 6\n\n\n\n",
        "a\nb\nc\n3 1 2\n1 2 3\n4\n5\n",
        "a\nb\nc\n",
        "a\nlambda= 1.5, T=\0\n1 2 3\n\n\n\n\n",
    ],
)
def test_foreign_files_are_not_claimed(tmp_path, content):
    path = tmp_path / "x.dat"
    path.write_text(content)
    assert not ILL_PSI.sniff(Source(path))


@pytest.mark.parametrize(
    ("content", "told"), [("a\nb\n", "holds 2 lines"), ("a\n" * 9, "fourth and fifth line give neither")]
)
def test_forced_reading_of_foreign_files(tmp_path, content, told):
    path = tmp_path / "x.dat"
    path.write_text(content)
    (found,) = DOOR.read_each(path, format="ill_psi")
    assert told in found.error.why
