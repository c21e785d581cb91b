"""RASX against files of two SmartLabs, and archives built like them."""

from __future__ import annotations

import numpy as np
import pytest

from layouts.rasx import GENERATOR, PROFILE, SCAN, conditions
from layouts.zipped import packed
from peakwise.errors import DamagedFileError, LimitError
from peakwise.io import _limits
from peakwise.io._assemble import assemble
from peakwise.io._read import Reader
from peakwise.io._source import Source
from peakwise.io.rasx import RASX

FOLDER = "formats/rigaku_rasx"
NOT_WHOLE = "the file calls its intensities counts, but they are not whole: Rigaku's software corrected them"


def scans_of(path):
    source = Source(path)
    assert RASX.sniff(source)
    return RASX.read(source)


def told(scan):
    return {k: v for k, v in scan.meta.items() if v is not None}


# ---- measured files: the expected values are read in their text by eye -------------------------------------------


def test_coupled_scan_with_the_doublet(real_data):
    (scan,) = scans_of(real_data / FOLDER / "RM20220915Si01.rasx")
    assert (scan.kind, scan.unit, scan.warnings) == ("two_theta", "counts", [])
    assert (scan.x.size, scan.x[0], scan.x[-1]) == (2151, 8.5, 30.0)
    assert (scan.y[:5].tolist(), scan.y[-2:].tolist(), scan.y.max()) == ([591, 609, 598, 568, 556], [507, 524], 639)
    assert scan.radiation.lines == ((1.540593, 1.0), (1.544414, 0.5))
    assert told(scan) == {
        "title": "RM20220915Si01, unannealed sample. slow(ish) scan from 8.5 - 30 deg", "sample": "RM20220915Si01",
        "operator": "Administrator", "instrument": "SmartLab", "date": "2022-11-10T17:20:52Z",
        "scan_axis": "TwoThetaTheta", "count_time": 0.6, "anode": "Cu", "voltage": 40.0, "current": 44.0,
    }  # fmt: skip


def test_detector_scan_behind_a_monochromator(real_data):
    (scan,) = scans_of(real_data / FOLDER / "TwoTheta_scan_powder.rasx")
    assert (scan.x.size, scan.x[0], scan.x[-1], scan.kind) == (2726, 10.0, 119.0, "two_theta")
    assert (scan.y[0], scan.y[-1], scan.y.max()) == (170.55354309082, 13.8521060943604, 1698.50854492188)
    assert scan.radiation.lines == ((1.540593, 1.0),)
    assert (scan.meta["omega"], scan.meta["chi"], scan.meta["count_time"]) == (10.0, 0.0, 2.4)
    assert "phi" not in told(scan)  # it oscillated
    assert scan.warnings == [NOT_WHOLE]


def test_scan_in_a_furnace(real_data):
    (scan,) = scans_of(real_data / FOLDER / "Omega-2Theta_scan_high_temperature.rasx")
    assert (scan.x.size, scan.x[0], scan.x[-1], scan.kind) == (1042, 44.0, 48.9968, "two_theta")
    assert (scan.y[0], scan.y[-1], scan.y.max()) == (2.16424083709717, 0.0, 811.226867675781)
    assert scan.meta["temperature"] == 823.15  # "Temp" Position="550" Unit="C"
    assert (scan.meta["scan_axis"], scan.meta["count_time"]) == ("TwoThetaOmega", 7.2)
    assert "omega" not in told(scan)  # it moved with 2Theta although the file calls it fixed


# ---- archives from the layout -----------------------------------------------------------------------------------


@pytest.fixture
def save(tmp_path):
    def go(profile=PROFILE, about=None, members=None):
        about = conditions() if about is None else about
        path = tmp_path / "a.rasx"
        path.write_bytes(packed(members or {"Data0/Profile0.txt": profile, "Data0/MesurementConditions0.xml": about}))
        return path

    return go


def test_the_layout(save):
    (scan,) = scans_of(save())
    assert (scan.x.tolist(), scan.y.tolist(), scan.kind) == ([10.0, 10.1, 10.2], [100, 200, 300], "two_theta")
    assert scan.radiation.lines == ((1.789, 1.0), (1.7929, 0.5))
    assert told(scan) == {
        "date": "2024-01-01T00:00:00Z", "scan_axis": "TwoTheta", "count_time": 3.0, "anode": "Co", "voltage": 35.0,
        "current": 30.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("axis", "kind", "fixed"),
    [
        ("TwoTheta", "two_theta", {"omega": 5.0, "chi": 6.0, "phi": 7.0}),
        ("TwoThetaTheta", "two_theta", {"chi": 6.0, "phi": 7.0}),
        ("TwoThetaChiPhi", "two_theta", {"omega": 5.0, "chi": 6.0}),
        ("OmegaTwoTheta", "omega", {"chi": 6.0, "phi": 7.0}),
        ("Omega", "omega", {"chi": 6.0, "phi": 7.0}),
        ("Chi", "chi", {"omega": 5.0, "phi": 7.0}),
        ("Phi", "phi", {"omega": 5.0, "chi": 6.0}),
        ("Z", "position", {"omega": 5.0, "chi": 6.0, "phi": 7.0}),
        ("Zr", "channel", {"omega": 5.0, "chi": 6.0, "phi": 7.0}),
    ],
)
def test_the_axis_is_what_moved(save, axis, kind, fixed):
    axes = "".join(
        f'<Axis Name="{name}" Unit="deg" Position="{place}" State="Fixed"/>'
        for name, place in (("Omega", "5"), ("Chi", "6"), ("Phi", "7"), ("Ts", "None"), ("Zs", "inf"))
    )
    (scan,) = scans_of(save(about=conditions(axes, SCAN.replace("TwoTheta", axis))))
    assert (scan.kind, scan.meta["scan_axis"]) == (kind, axis)
    assert {k: v for k, v in told(scan).items() if k in ("omega", "chi", "phi")} == fixed
    assert bool(scan.warnings) == (kind == "channel")


def test_a_scan_that_does_not_say_its_axis(save):
    scan = scans_of(save(about=conditions(scan="", generator="")))[0]
    assert (scan.kind, scan.radiation, scan.unit, scan.meta["count_time"]) == (None, None, "unknown", None)


@pytest.mark.parametrize(
    ("kind", "lines"),
    [("Ka1", ((1.789, 1.0),)), ("Kb", ((1.6208, 1.0),)), ("", ((1.789, 1.0), (1.7929, 0.5)))],
)
def test_wavelengths(save, kind, lines):
    about = conditions(generator=GENERATOR.replace("<WaveType>Ka<", f"<WaveType>{kind}<"))
    assert scans_of(save(about=about))[0].radiation.lines == lines


@pytest.mark.parametrize("kind", ["Ka", "Kb"])
def test_a_wavelength_that_is_not_given(save, kind):
    about = conditions(
        generator=f"<HWConfigurations><XrayGenerator><WaveType>{kind}</WaveType></XrayGenerator></HWConfigurations>"
    )
    assert scans_of(save(about=about))[0].radiation is None


@pytest.mark.parametrize(
    ("speed", "unit", "expected"),
    [("2", "deg/min", 3.0), ("2", "sec/step", 2.0), ("2", "s", 2.0), ("0", "deg/min", None), ("2", "rpm", None)],
)
def test_counting_time(save, speed, unit, expected):
    scan = SCAN.replace("<Speed>2", f"<Speed>{speed}").replace("deg/min", unit)
    assert scans_of(save(about=conditions(scan=scan)))[0].meta["count_time"] == expected


@pytest.mark.parametrize(
    ("axis", "expected", "n_warnings"),
    [
        ('Position="25" Unit="C"', 298.15, 0),
        ('Position="80" Unit="K" EndPosition="80"', 80.0, 0),
        ('Position="20" Unit="°C" EndPosition="40"', 303.15, 1),
        ('Position="20" Unit=""', None, 1),
        ('Unit="C"', None, 0),
    ],
)
def test_temperature(save, axis, expected, n_warnings):
    (scan,) = scans_of(save(about=conditions(f'<Axis Name="Temp" {axis}/><Axis Name="CW_Temperature1" Position="9"/>')))
    assert scan.meta.get("temperature") == expected
    assert len(scan.warnings) == n_warnings


def test_counts_behind_the_attenuator(save):
    (scan,) = scans_of(save(PROFILE.replace("300\t1", "300\t10.5")))
    assert scan.y.tolist() == [100, 200, 3150]
    assert scan.meta["attenuation"] == 10.5
    assert scan.warnings == ["1 points lay behind an attenuator: their counts were multiplied by up to 10.5"]


def test_units_of_intensity(save):
    for unit, expected in (("cps", "counts/s"), ("counts", "counts"), ("furlongs", "unknown")):
        about = conditions(scan=SCAN.replace(">counts<", f">{unit}<"))
        assert scans_of(save(about=about))[0].unit == expected


def test_several_folders_come_in_their_order(save):
    members = {}
    for i in (10, 2, 1):
        scan = SCAN.replace("00:00:00", f"00:{i:02}:00")
        members[f"Data{i}/Profile{i}.txt"] = PROFILE.replace("100\t", f"{i}\t")
        axis = f'<Axis Name="Omega" Position="{i}.5" State="Fixed"/>'
        members[f"Data{i}/MesurementConditions{i}.xml"] = conditions(axis, scan)
    members["Data3/Image3.img"] = b"pixels"
    path = save(members=members)
    scans = scans_of(path)
    assert [s.y[0] for s in scans] == [1, 2, 10]
    assert [s.meta["omega"] for s in scans] == [1.5, 2.5, 10.5]
    assert [s.meta["time"] for s in scans] == [0, 60, 540]
    assert [p.shape for p in assemble(Source(path), scans)] == [(3, 3)]


# ---- damage and malice ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "match"),
    [
        (PROFILE[:-14], "holds 2 of the 3 points its header promises"),
        (PROFILE + "10.3\t1\t1\n", "holds 4 of the 3 points"),
        (PROFILE.replace("200\t1", "200"), "no table of 3 columns: row 2 must hold 3 numbers, it holds 2"),
        (PROFILE.replace("200\t1", "200\t1\t1"), "row 2 must hold 3 numbers, it holds 4"),
        (PROFILE.replace("200", "many"), "no table of 3 columns"),
        (PROFILE.replace("200\t1", "200\t0"), "attenuator factor of 0; it must be above 0"),
        ("", "holds 0 of the 3 points"),
        (PROFILE.encode("utf-16"), "no table of 3 columns"),
    ],
)
def test_contradictions_are_refused_with_their_numbers(save, profile, match):
    with pytest.raises(DamagedFileError, match=match):
        Reader({"rasx": RASX}).read(save(profile))


def test_missing_members(save):
    about, root = conditions(), '<Root><Data0><ContentHashList Name="Profile0.txt"/></Data0><Signature/></Root>'
    with pytest.raises(DamagedFileError, match=r"the measurement conditions of Data0/Profile0.txt are missing"):
        scans_of(save(members={"Data0/Profile0.txt": PROFILE, "Data1/MesurementConditions0.xml": about}))
    with pytest.raises(DamagedFileError, match=r"holds no profile[.] "):
        scans_of(save(members={"Data0/MesurementConditions0.xml": about}))
    with pytest.raises(DamagedFileError, match=r"only images"):
        scans_of(save(members={"Data0/MesurementConditions0.xml": about, "Data0/Image0.img": b""}))
    both = {"Data1/Profile1.txt": PROFILE, "Data1/MesurementConditions1.xml": about, "root.xml": root}
    with pytest.raises(DamagedFileError, match=r"root.xml lists 1 profiles that are missing .Data0/Profile0.txt"):
        scans_of(save(members=both))
    both["Data0/Profile0.txt"], both["Data0/MesurementConditions0.xml"] = PROFILE, about
    assert len(scans_of(save(members=both))) == 2


def test_entities_are_refused_and_nothing_leaks(save):
    evil = conditions().replace("?>", '?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>', 1)
    for text in (evil.encode(), evil.lstrip("\ufeff").replace("utf-8", "utf-16").encode("utf-16")):
        with pytest.raises(DamagedFileError, match=r"MesurementConditions0.xml has a document type") as caught:
            scans_of(save(about=text))
        assert "root:" not in str(caught.value)


def test_truncation_anywhere_is_refused(real_data, tmp_path):
    whole = (real_data / FOLDER / "RM20220915Si01.rasx").read_bytes()
    path = tmp_path / "cut.rasx"
    for size in (60, 5000, len(whole) // 2, len(whole) - 100, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedFileError, match="cut short or broken"):
            Reader({"rasx": RASX}).read(path)


def test_a_bomb_is_refused(save):
    with pytest.raises(LimitError, match="which no measurement does"):
        scans_of(save("\n" * 70_000_000))


def test_a_million_rows(save):
    profile = "".join(f"{i / 1000:.3f}\t{i % 7}\t1\n" for i in range(1_000_000))
    (scan,) = scans_of(save(profile, conditions(scan=SCAN.replace(">3<", ">1000000<"))))
    assert scan.x.size == 1_000_000
    assert scan.x[-1] == 999.999
    assert np.array_equal(scan.y[:8], [0, 1, 2, 3, 4, 5, 6, 0])


def test_limits(save, monkeypatch):
    path = save()
    monkeypatch.setitem(_limits._NAMES, "points", 2)
    with pytest.raises(LimitError, match="3 points, at most 2"):
        scans_of(path)


def test_foreign_files_are_not_claimed(tmp_path, real_data):
    path = tmp_path / "a.rasx"
    for data in (b"", b"PK\x03\x04", packed({"word/document.xml": "<a/>"})):
        path.write_bytes(data)
        assert not RASX.sniff(Source(path))
    for foreign in sorted((real_data / "formats").glob("*/*")):
        assert RASX.sniff(Source(foreign)) == (foreign.suffix == ".rasx")
