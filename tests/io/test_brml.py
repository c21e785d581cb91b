"""BRML against the text and RAW twins of the same measurements, and archives built like those of DIFFRAC.SUITE."""

from __future__ import annotations

import numpy as np
import pytest

from layouts.brml import ABSORBER, INFO, ROWS, TIME, TUBE, VIEWS, a_route, container, raw_data, recorded, varying
from layouts.zipped import packed
from peakwise.errors import DamagedFileError, LimitError
from peakwise.io import _limits
from peakwise.io._assemble import assemble
from peakwise.io._read import Reader
from peakwise.io._source import Source
from peakwise.io.brml import BRML

FOLDER = "formats/bruker_brml"


def scans_of(path):
    source = Source(path)
    assert BRML.sniff(source)
    return BRML.read(source)


def told(scan):
    return {k: v for k, v in scan.meta.items() if v not in (None, "")}


# ---- measured files ---------------------------------------------------------------------------------------------


def test_coupled_scan_and_its_text_twins(real_data):
    """The .xye twin holds the counts, the .xy twin the counts per second of the 192 channels together (76.8 s)."""
    (scan,) = scans_of(real_data / FOLDER / "SbI3.brml")
    xye = np.loadtxt(real_data / "formats/xye/SbI3.xye")
    xy = np.loadtxt(real_data / FOLDER / "SbI3.xy")
    assert scan.x.shape == (1399,)
    assert np.array_equal(scan.x, xye[:, 0])
    assert np.array_equal(scan.y, xye[:, 1])
    assert np.allclose(scan.x, xy[:, 0], rtol=0, atol=1.01e-4)  # the last decimal is rounded differently
    assert np.allclose(scan.y / scan.meta["count_time"], xy[:, 1], rtol=0, atol=6e-4)
    assert (scan.kind, scan.unit, scan.warnings) == ("two_theta", "counts", [])
    assert scan.radiation.lines == ((1.5406, 1.0), (1.54439, 0.5))
    assert told(scan) == {
        "sample": "SRL-I-49_SbI3", "operator": "Neilson Lab", "anode": "Cu", "voltage": 40.0, "current": 40.0,
        "instrument": "Bruker AXS D8 with DAVINCI Diffractometer", "date": "2025-05-19T14:24:14.9928324-06:00",
        "scan_axis": "Coupled TwoTheta/Theta", "count_time": 76.8,
    }  # fmt: skip


def test_coupled_scan_and_its_raw_twin(real_data):
    from peakwise.io.bruker_raw import BRUKER_RAW

    (scan,) = scans_of(real_data / FOLDER / "BaZrS3.brml")
    (twin,) = BRUKER_RAW.read(Source(real_data / "formats/bruker_raw/BaZrS3.raw"))
    assert scan.x.shape == (2448,)
    assert (scan.x[0], scan.x[-1], scan.y[0], scan.y[-1], scan.y.max()) == (10.0001, 59.9977, 651, 42, 3457)
    assert np.array_equal(scan.y, twin.y)
    assert np.allclose(scan.x, twin.x, rtol=0, atol=6e-5)  # four decimals here, start and step there
    assert scan.radiation.wavelength == pytest.approx(twin.radiation.wavelength, abs=1e-5)


def test_high_resolution_scan_with_more_columns_and_an_absorber(real_data):
    """Its rows have eight columns: taking the fifth for the counts would give Miller indices."""
    (scan,) = scans_of(real_data / FOLDER / "23-012-AG_2thomegascan_long.brml")
    assert (scan.x.size, scan.x[0], scan.x[-1]) == (2001, 44, 48)
    assert (scan.y[:4].tolist(), scan.y[-1]) == ([3, 1, 1, 2], 2)
    # Statistics of the file itself: Maximum="495559.8" MaximumChannel="910" Mean="6640.5512743628178"
    assert (scan.y.max(), scan.y.argmax()) == (495559.8, 910)
    assert scan.y.mean() == pytest.approx(6640.5512743628178, rel=1e-12)
    assert scan.meta["attenuation"] == 8.3
    assert scan.warnings == ["29 points lay behind an absorber: the file has multiplied them by up to 8.3"]
    behind = scan.y[895:924]
    assert np.allclose(behind / 8.3, np.rint(behind / 8.3), rtol=0, atol=0.01)
    assert (scan.meta["chi"], scan.meta["phi"], scan.meta["scan_axis"]) == (-0.7452, 0.0, "2Theta-Omega")
    assert "omega" not in told(scan)


# ---- archives from the layout -----------------------------------------------------------------------------------


@pytest.fixture
def save(tmp_path):
    def go(*raws, members=None):
        if members is None:
            names = [f"Experiment0/RawData{i}.xml" for i in range(len(raws))]
            members = {"Experiment0/DataContainer.xml": container(*names), **dict(zip(names, raws, strict=True))}
        path = tmp_path / "a.brml"
        path.write_bytes(packed(members))
        return path

    return go


def test_the_layout(save):
    (scan,) = scans_of(save(raw_data(a_route())))
    assert (scan.x.tolist(), scan.y.tolist()) == ([20.0, 20.1, 20.2], [100, 200, 300])
    assert scan.radiation.lines == ((1.789, 1.0), (1.7929, 0.497))
    assert told(scan) == {
        "sample": "S1", "operator": "me", "instrument": "D8", "anode": "Co", "voltage": 35.0, "current": 50.0,
        "date": "2025-01-01T00:00:00Z", "scan_axis": "Coupled", "count_time": 5.0,
    }  # fmt: skip


def test_columns_in_another_order(save):
    rows = [",".join(reversed(r.split(","))) for r in ROWS]
    views = recorded(0) + varying(1, "Theta", "TwoTheta") + ABSORBER.replace('Start="1"', 'Start="3"')
    (scan,) = scans_of(save(raw_data(a_route(rows, views + TIME.replace('Start="0"', 'Start="4"')))))
    assert (scan.x.tolist(), scan.y.tolist(), scan.meta["count_time"]) == ([20.0, 20.1, 20.2], [100, 200, 300], 5)


@pytest.mark.parametrize(
    ("axis", "kind"),
    [
        ("TwoTheta", "two_theta"),
        ("Theta", "omega"),
        ("Chi", "chi"),
        ("Phi", "phi"),
        ("Z", "position"),
        ("Knob", "channel"),
    ],
)
def test_the_axis_is_what_moved(save, axis, kind):
    """2Theta stands still in a rocking curve although it is listed first."""
    still = "TwoTheta" if axis != "TwoTheta" else "Theta"
    rows = [f"1,1,40,{15 + i / 10},{i}" for i in range(3)]
    drive = '<InfoData AxisId="Chi"><Position Unit="°" Value="7.5"/></InfoData><InfoData AxisId="X"/>'
    (scan,) = scans_of(save(raw_data(a_route(rows, TIME + varying(2, still, axis) + recorded(4)), drives=drive)))
    assert (scan.kind, scan.x.tolist()) == (kind, [15.0, 15.1, 15.2])
    assert scan.meta.get("chi") == (None if axis == "Chi" else 7.5)
    assert scan.meta.get("omega") == (40 if still == "Theta" else None)
    assert bool(scan.warnings) == (kind == "channel")


def test_reciprocal_space_columns_are_no_axes(save):
    rows = [f"1,1,{40 + i},{i},9" for i in range(3)]
    views = varying(2, "TwoTheta") + varying(3, "Phi", name="RecSpace") + recorded(4)
    (scan,) = scans_of(save(raw_data(a_route(rows, views))))
    assert (scan.kind, scan.x.tolist(), scan.meta.get("phi")) == ("two_theta", [40, 41, 42], None)
    assert scan.meta["count_time"] is None


def test_several_ranges_come_in_their_order_with_temperature_and_time(save):
    """A heating series: a step that only heats, then scans at 54 to 776 degrees Celsius; 10 must follow 9."""
    raws = []
    for i in range(11):
        rows = [f"{r},{54 + 72.2 * i:.1f},-9999" for r in ROWS]
        rows[0] = rows[0].replace(f",{54 + 72.2 * i:.1f},", ",-9999,")
        views = (
            VIEWS
            + recorded(5, "modeActualTemp", "Temp", "DegreeCelsius")
            + recorded(6, "SetTemp", "Temp", "DegreeCelsius")
        )
        raws.append(raw_data(a_route(rows, views), stamp=f"2025-01-01T{i:02}:30:00+01:00"))
    heat = raw_data(a_route((), "", '<ScanInformation ScanName="NonAmbientModeData"/>'))
    names = [f"Experiment0/RawData{i}.xml" for i in range(12)]
    members = dict(zip(names, [heat, *raws], strict=True)) | {"Experiment0/DataContainer.xml": container(*names)}
    path = save(members=members)
    scans = scans_of(path)
    assert [s.meta["temperature"] for s in scans] == pytest.approx([327.15 + 72.2 * i for i in range(11)])
    assert [s.meta["time"] for s in scans] == [3600.0 * i for i in range(11)]
    del members["Experiment0/DataContainer.xml"]
    assert [s.meta["date"] for s in scans_of(save(members=members))] == [s.meta["date"] for s in scans]
    (patterns,) = assemble(Source(path), scans)
    assert patterns.shape == (11, 3)


@pytest.mark.parametrize(
    ("unit", "expected"), [("Kelvin", 300.0), ("DegreeCelsius", 573.15), ("", None), ("DegreeF", None)]
)
def test_units_of_temperature(save, unit, expected):
    rows = [f"{r},300" for r in ROWS]
    (scan,) = scans_of(save(raw_data(a_route(rows, VIEWS + recorded(5, "Temperature", "", unit)))))
    assert scan.meta["temperature"] == expected
    assert len(scan.warnings) == (expected is None)


def test_several_counters_are_several_patterns(save):
    rows = [f"{r},{i}" for i, r in enumerate(ROWS)]
    (scan,) = scans_of(save(raw_data(a_route(rows, VIEWS + recorded(5, "Monitor")))))
    assert scan.y.tolist() == [[100, 200, 300], [0, 1, 2]]
    assert scan.name == ["ScanCounter", "Monitor"]
    assert scan.warnings == ["2 counters were recorded, each became a pattern: ScanCounter, Monitor"]


def test_counts_told_by_their_unit_alone(save):
    rows = [f"{r},7" for r in ROWS]
    views = TIME + varying(2, "TwoTheta", "Theta") + recorded(4, category="") + recorded(5, "Voltage", "", "Volt")
    (scan,) = scans_of(save(raw_data(a_route(rows, views))))
    assert scan.y.tolist() == [100, 200, 300]


def test_values_that_were_not_measured_are_nan(save):
    rows = [*ROWS[:2], "5,1,20.2,10.1,-9999"]
    (scan,) = scans_of(save(raw_data(a_route(rows))))
    assert np.isnan(scan.y).tolist() == [False, False, True]


def test_uneven_counting_times_are_told(save):
    rows = [*ROWS[:2], ROWS[2].replace("5,", "10,", 1)]
    (scan,) = scans_of(save(raw_data(a_route(rows))))
    assert scan.meta["count_time"] == 5
    assert scan.warnings == ["the counting time varies from 5 to 10 s per point: counts are as stored"]


def test_a_detector_that_stands_still(save):
    info = (
        "<ScanInformation><MeasurementPoints>1</MeasurementPoints><ScaleAxes><ScaleAxisInfo AxisId='TwoTheta'>"
        "<Start>10</Start><Stop>12</Stop><Increment>0.5</Increment></ScaleAxisInfo></ScaleAxes></ScanInformation>"
    )
    (scan,) = scans_of(save(raw_data(a_route(["9,1,5,6,7,8,9"], TIME + recorded(2, length=5), info))))
    assert (scan.x.tolist(), scan.y.tolist(), scan.kind) == ([10, 10.5, 11, 11.5, 12], [5, 6, 7, 8, 9], "two_theta")
    rows = ["9,1,5,6,7,8,9", "9,1,1,2,3,4,5"]
    (scan,) = scans_of(save(raw_data(a_route(rows, recorded(2, length=5), info.replace(">1<", ">2<")))))
    assert scan.y.tolist() == [[5, 6, 7, 8, 9], [1, 2, 3, 4, 5]]
    for change in (("TwoTheta", "TwoTheta_Relative"), ("<Stop>12</Stop>", ""), ("0.5", "0"), ("<Stop>12", "<Stop>20")):
        with pytest.raises(DamagedFileError, match="channels"):
            scans_of(save(raw_data(a_route(["9,1,5,6,7,8,9"], recorded(2, length=5), info.replace(*change)))))
    with pytest.raises(DamagedFileError, match="2 counters of"):
        scans_of(save(raw_data(a_route(["9,1,5,6,7,8,9"], recorded(1) + recorded(2, length=5), info))))


def test_processed_routes_and_old_documents(save):
    other = a_route([r.replace("00", "99") for r in ROWS], flag="Final")
    (scan,) = scans_of(save(raw_data(other, a_route())))
    assert scan.y.tolist() == [100, 200, 300]
    assert scan.warnings == ["1 processed copies of the data were left out"]
    old = raw_data(a_route()).replace("<DataRoutes>", "").replace("</DataRoutes>", "")
    old = old.replace('<DataRoute RouteFlag="Measured">', "").replace("</DataRoute>", "")
    assert scans_of(save(old))[0].y.tolist() == [100, 200, 300]


@pytest.mark.parametrize(
    ("tube", "wavelength", "n_warnings"),
    [("", None, 0), ("<Tube/>", None, 0), (TUBE + TUBE, 1.789, 0), (TUBE + TUBE.replace("1.7890", "0.7093"), 1.789, 1)],
)
def test_tubes(save, tube, wavelength, n_warnings):
    (scan,) = scans_of(save(raw_data(a_route(), tube=tube)))
    assert (scan.radiation and scan.radiation.wavelength) == wavelength
    assert len(scan.warnings) == n_warnings


def test_a_stopped_measurement_is_read_and_an_incomplete_one_is_not(save):
    sub = '<SubScans><SubScanInfo Steps="9" MeasuredSteps="{}"/></SubScans>'
    nine = INFO.replace(">3<", ">9<")
    (scan,) = scans_of(save(raw_data(a_route(info=nine, sub=sub.format(3)), status="Aborted")))
    assert scan.warnings == ["the measurement ended after 3 of 9 points (it is marked 'Aborted')"]
    (scan,) = scans_of(save(raw_data(a_route(info=nine, sub=sub.format(3)))))
    assert scan.warnings == ["the measurement ended after 3 of 9 points"]
    with pytest.raises(DamagedFileError, match="holds 3 of the 4 points its header promises"):
        scans_of(save(raw_data(a_route(info=nine, sub=sub.format(4)))))
    with pytest.raises(DamagedFileError, match="holds 3 of the 9 points"):
        scans_of(save(raw_data(a_route(info=nine))))


# ---- damage and malice ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "views", "match"),
    [
        ((), VIEWS, "holds no Datum"),
        ((*ROWS[:2], "5,1,20.2,300"), VIEWS, "have between 4 and 5 columns"),
        ((*ROWS[:2], "5,1,20.2,,300"), VIEWS, "contradicts the format"),
        ((*ROWS[:2], "5,1,20.2,x,300"), VIEWS, "contradicts the format"),
        (ROWS, VIEWS.replace('Start="4"', 'Start="5"'), "names columns 5 to 5, its rows have 5"),
        (ROWS, VIEWS.replace('Start="4"', 'Start="-1"'), "names columns -1"),
        (ROWS, VIEWS.replace('Start="4"', 'Start="3"'), "two views of .* name the same column between 3 and 3"),
        (ROWS, VIEWS.replace('Length="2"', 'Length="3"'), "has 3 columns and names 2"),
        (ROWS, VIEWS.replace('Length="2"', 'Length="99999999999"'), "names columns 2 to 100000000000"),
        (ROWS, VIEWS.replace('Start="4"', 'Start="x"'), "contradicts the format"),
        (ROWS, "", "names no column as counts .it recorded nothing"),
        (ROWS, VIEWS.replace('Category="Count"', "").replace('"Counts"', '"Volt"'), "it recorded ScanCounter"),
        (ROWS, recorded(4), "no axis of .* moved .it names none"),
        (ROWS, recorded(4) + varying(1, "TwoTheta"), "no axis of .* moved .it names TwoTheta"),
        (ROWS, VIEWS + recorded(4, kind="ExtMemoryRecordedRawDataView"), "binary file of its own"),
    ],
)
def test_contradictions_are_refused_with_their_numbers(save, rows, views, match):
    with pytest.raises(DamagedFileError, match=match):
        Reader({"brml": BRML}).read(save(raw_data(a_route(rows, views))))


def test_missing_members(save):
    listed = container("Experiment0/RawData0.xml", "Experiment0/RawData1.xml")
    with pytest.raises(DamagedFileError, match=r"lists 2 ranges, 1 of them are missing .Experiment0/RawData1.xml"):
        scans_of(
            save(members={"Experiment0/DataContainer.xml": listed, "Experiment0/RawData0.xml": raw_data(a_route())})
        )
    with pytest.raises(DamagedFileError, match="holds no RawData"):
        scans_of(save(members={"Experiment0/DataContainer.xml": container()}))
    with pytest.raises(DamagedFileError, match="no measured range"):
        scans_of(save(raw_data(a_route((), "", '<ScanInformation ScanName="NonAmbientModeData"/>'))))
    with pytest.raises(DamagedFileError, match="RawData0"):
        scans_of(save(raw_data()))


def test_a_range_that_is_listed_a_thousand_times_is_read_once(save):
    members = {
        "Experiment0/DataContainer.xml": container(*["Experiment0/RawData0.xml"] * 1000),
        "Experiment0/RawData0.xml": raw_data(a_route()),
    }
    assert len(scans_of(save(members=members))) == 1


def test_entities_are_refused_and_nothing_leaks(save):
    evil = raw_data(a_route()).replace("?>", '?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>', 1)
    for text in (evil.encode(), evil.encode("utf-16")):
        with pytest.raises(DamagedFileError, match=r"RawData0[.]xml has a document type declaration") as caught:
            scans_of(save(text.replace(b"Coupled", b"&e;")))
        assert "root:" not in str(caught.value)


def test_truncation_anywhere_is_refused(real_data, tmp_path):
    whole = (real_data / FOLDER / "SbI3.brml").read_bytes()
    path = tmp_path / "cut.brml"
    for size in (100, 5000, len(whole) // 2, len(whole) - 100, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedFileError, match="cut short or broken"):
            Reader({"brml": BRML}).read(path)


def test_a_bomb_is_refused(save):
    raw = raw_data(a_route())
    bomb = b"<RawData>" + b" " * 70_000_000 + b"</RawData>"
    with pytest.raises(LimitError, match="which no measurement does"):
        scans_of(save(raw, bomb))


def test_a_hundred_thousand_rows(save):
    rows = [f"1,1,{10 + i / 1000:.3f},{5 + i / 2000:.4f},{i}" for i in range(100_000)]
    (scan,) = scans_of(save(raw_data(a_route(rows, info=""))))
    assert scan.y.sum() == 100_000 * 99_999 / 2
    assert scan.meta["scan_axis"] is None


def test_limits(save, monkeypatch):
    path = save(raw_data(a_route()), raw_data(a_route()))
    monkeypatch.setitem(_limits._NAMES, "points", 5)
    with pytest.raises(LimitError, match="6 points, at most 5"):
        scans_of(path)


def test_foreign_files_are_not_claimed(tmp_path, real_data):
    path = tmp_path / "a.brml"
    for data in (b"", b"PK\x03\x04", packed({"word/document.xml": "<a/>"}), b"RAW4.00" + b"\0" * 100):
        path.write_bytes(data)
        assert not BRML.sniff(Source(path))
    for foreign in sorted((real_data / "formats").glob("*/*")):
        assert BRML.sniff(Source(foreign)) == (foreign.suffix == ".brml")
