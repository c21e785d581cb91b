"""XRDML against files of five schema versions, a NeXus twin, and documents built from the public schema."""

from __future__ import annotations

import gzip
import io
import time
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from layouts.xrdml import POSITIONS, VALUES, WAVE, a_scan, document
from peakwise.errors import DamagedFileError, LimitError
from peakwise.io import _limits, _xml
from peakwise.io._assemble import assemble
from peakwise.io._read import Reader
from peakwise.io._source import Source
from peakwise.io.xrdml import XRDML

FOLDER = "formats/panalytical_xrdml"


def scans_of(path):
    source = Source(path)
    assert XRDML.sniff(source)
    return XRDML.read(source)


def told(scan):
    return {k: v for k, v in scan.meta.items() if v is not None}


# ---- measured files: the expected values are read in their text by eye -------------------------------------------


def test_gonio_scan_of_schema_16(real_data):
    (scan,) = scans_of(real_data / FOLDER / "XRD-918-16_10.xrdml")
    assert (scan.kind, scan.unit, scan.warnings) == ("two_theta", "counts", [])
    assert scan.x.shape == scan.y.shape == (5027,)
    assert (scan.x[0], scan.x[-1]) == (4.00656514, 69.99936587)
    assert scan.y[:6].tolist() == [1305, 1310, 1345, 1280, 1252, 1334]
    assert (scan.y[-1], scan.y.max()) == (171, 100168)
    assert scan.radiation.lines == ((1.540598, 1.0), (1.544426, 0.5))
    assert scan.radiation.anode == "Cu"
    assert told(scan) == {
        "anode": "Cu", "voltage": 45.0, "current": 40.0, "date": "2021-03-16T13:10:14+03:00", "operator": "XRD",
        "instrument": "EMPYREAN", "scan_axis": "Gonio", "count_time": 39.27, "phi": 260.6,
    }  # fmt: skip


def test_the_nexus_twin_holds_the_same_numbers(real_data):
    h5py = pytest.importorskip("h5py")
    (scan,) = scans_of(real_data / FOLDER / "XRD-918-16_10.xrdml")
    with h5py.File(real_data / "formats/nexus/xrdml_918-16_10_ref.nxs") as twin:
        result, tube = twin["entry/experiment_result"], twin["entry/instrument/source"]
        assert np.array_equal(scan.y, result["intensity"][()])
        assert np.allclose(scan.x, result["two_theta"][()], rtol=0, atol=1e-12)
        assert scan.meta["phi"] == result["phi"][0]
        assert scan.meta["count_time"] == twin["entry/experiment_config/count_time"][0]
        assert scan.radiation.lines[0][0] == tube["k_alpha_one"][()]
        assert scan.radiation.lines[1] == (tube["k_alpha_two"][()], tube["ratio_k_alphatwo_k_alphaone"][()])
        assert scan.meta["voltage"] == tube["xray_tube_voltage"][()]
        assert scan.meta["current"] == tube["xray_tube_current"][()]


def test_detector_scan_of_schema_15_with_fixed_omega(real_data):
    (scan,) = scans_of(real_data / FOLDER / "empyrean.xrdml")
    assert (scan.x.size, scan.x[0], scan.x[-1]) == (196, 30.05, 41.75)
    assert np.allclose(np.diff(scan.x), 0.06)
    assert (scan.y[:3].tolist(), scan.y[-1], scan.y.max()) == ([8, 11, 6], 6, 22)
    assert (scan.meta["omega"], scan.meta["chi"], scan.meta["phi"]) == (4.0, 0.0, 0.0)
    assert (scan.meta["scan_axis"], scan.meta["count_time"]) == ("2Theta", 0.44)


def test_counts_behind_the_attenuator_of_schema_21(real_data):
    """The one point behind the absorber, 1877 counts, lies between 14602 and 13749: times 188 it is the peak."""
    (scan,) = scans_of(real_data / FOLDER / "m54313_om2th_10.xrdml")
    assert (scan.x.size, scan.x[0], scan.x[-1]) == (1800, 26.025, 79.995)
    assert scan.y[1332:1340].tolist() == [526, 670, 1341, 14602, 1877 * 188, 13749, 1667, 537]
    assert scan.y.argmax() == 1336
    assert scan.meta["attenuation"] == 188
    assert scan.warnings == ["1 points lay behind a beam attenuator: their counts were multiplied by up to 188"]
    assert scan.meta["scan_axis"] == "2Theta-Omega"
    assert "omega" not in told(scan)  # it moved


def test_omega_2theta_scan_of_schema_22_with_one_line(real_data):
    (scan,) = scans_of(real_data / FOLDER / "simpack_xrd_AlGaAs.xrdml.gz")
    assert (scan.kind, scan.x.size, scan.x[0], scan.x[-1]) == ("two_theta", 2999, 65.46, 66.6592)
    assert (scan.y[:5].tolist(), scan.y[-1], scan.y.max()) == ([1, 1, 0, 2, 2], 2, 76182)
    assert scan.radiation.lines == ((1.540598, 1.0),)  # behind a fourfold monochromator: ratio 0
    assert (scan.meta["chi"], scan.meta["scan_axis"]) == (-0.12, "Omega-2Theta")
    assert scan.warnings == []  # it has a list of attenuation factors, all of them 1


@pytest.mark.parametrize(
    ("name", "n", "first", "last", "omegas", "seconds", "chi"),
    [
        ("rsm_1.xrdml.bz2", 401, 67.67550446, 69.58109554, (33.0546, 35.0546), 8.0, 0.12),
        ("m82762_rc1mm_1_16dg_src_slit_phi-101_3dg_-420_mesh_long.xrdml.gz", 101, 67.45053915, 69.95146085,
         (60.9727, 61.9727), 458.0, 0.0),
    ],
)  # fmt: skip
def test_reciprocal_space_maps_are_one_block_of_scans(real_data, name, n, first, last, omegas, seconds, chi):
    source = Source(real_data / FOLDER / name)
    scans = XRDML.read(source)
    (patterns,) = assemble(source, scans)
    assert patterns.shape == (n, 255)
    assert (patterns.axis[0], patterns.axis[-1]) == (first, last)
    omega = patterns.meta["omega"]
    assert (omega[0], omega[-1]) == omegas
    assert (np.diff(omega) > 0).all()
    assert (patterns.meta["time"][0], patterns.meta["time"][1]) == (0, seconds)
    assert set(patterns.meta["chi"]) == {chi}
    assert patterns.unit == "counts"
    assert patterns.warnings == ()


def test_counts_of_a_map_match_an_independent_look_at_the_text(real_data):
    path = real_data / FOLDER / "m82762_rc1mm_1_16dg_src_slit_phi-101_3dg_-420_mesh_long.xrdml.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    lists = [part.split("</counts>")[0].split() for part in text.split('<counts unit="counts">')[1:]]
    assert [scan.y.tolist() for scan in scans_of(path)] == [[float(v) for v in one] for one in lists]


def test_all_aeris_files_read_fast(real_data):
    paths = sorted(real_data.glob("alab_*/**/*.xrdml"))
    assert len(paths) == 40
    scans_of(paths[0])
    took = []
    for path in paths:
        start = time.perf_counter()
        (scan,) = scans_of(path)
        took.append(time.perf_counter() - start)
        root = ET.fromstring(path.read_bytes())
        counts = next(e.text for e in root.iter() if e.tag.endswith("}counts")).split()
        assert scan.y.tolist() == [float(v) for v in counts]
        assert 9 < scan.x[0] < 11
        assert 99 < scan.x[-1] < 101
        assert scan.radiation.wavelength == 1.540598
        assert scan.meta["instrument"] == "AERIS"
        assert scan.warnings == []
    assert np.median(took) < 0.005


def test_the_sample_is_named_by_its_id_where_it_has_no_name(real_data):
    path = next((real_data / "alab_precursor_mixtures/V2O5-NiO").glob("*2min*.xrdml"))
    (scan,) = scans_of(path)
    assert scan.meta["sample"].startswith("V2O5_0p")
    assert scan.meta["sample"].endswith("--2min")


# ---- documents from the schema ----------------------------------------------------------------------------------


@pytest.fixture
def read(tmp_path):
    def go(text, encoding="utf-8"):
        path = tmp_path / "a.xrdml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return scans_of(path)

    return go


@pytest.mark.parametrize("version", ["1.0", "1.3", "2.0", "2.3", "3.0"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_version_does_not_matter(read, version, encoding):
    (scan,) = read(document(a_scan(), version=version), encoding)
    assert scan.x.tolist() == [10, 10.5, 11, 11.5, 12]
    assert scan.y.tolist() == [1, 2, 3, 4, 5]


def test_utf16_and_prefixes(read):
    text = document(a_scan()).replace("UTF-8", "UTF-16")
    assert read(text, "utf-16")[0].y.tolist() == [1, 2, 3, 4, 5]
    text = (
        '<x:xrdMeasurements xmlns:x="http://www.xrdml.com/XRDMeasurement/1.3"><x:xrdMeasurement>'
        '<x:scan scanAxis="2Theta"><x:dataPoints><x:positions axis="2Theta">'
        "<x:listPositions>1 2 4</x:listPositions></x:positions>"
        "<x:counts>7 8 9</x:counts></x:dataPoints></x:scan></x:xrdMeasurement></x:xrdMeasurements>"
    )
    (scan,) = read(text)
    assert (scan.x.tolist(), scan.y.tolist(), scan.radiation) == ([1, 2, 4], [7, 8, 9], None)


@pytest.mark.parametrize(
    ("axis", "moving", "kind"),
    [
        ("Gonio", "2Theta", "two_theta"), ("2Theta", "2Theta", "two_theta"), ("2Theta-Omega", "2Theta", "two_theta"),
        ("Omega-2Theta", "2Theta", "two_theta"), ("2Theta-Theta", "2Theta", "two_theta"), (None, "2Theta", "two_theta"),
        ("Omega", "Omega", "omega"), (None, "Omega", "omega"), ("Chi", "Chi", "chi"), ("Psi", "Psi", "chi"),
        ("Phi", "Phi", "phi"), ("Z", "Z", "position"), ("Height", "Height", "channel"),
    ],
)  # fmt: skip
def test_the_axis_is_what_moved(read, axis, moving, kind):
    others = "".join(
        f'<positions axis="{a}" unit="deg"><commonPosition>{i}.5</commonPosition></positions>'
        for i, a in enumerate(("2Theta", "Omega", "Phi", "Chi"))
        if a != moving and not (a == "Chi" and moving == "Psi")
    )
    (scan,) = read(document(a_scan(others + POSITIONS.replace("2Theta", moving) + VALUES, axis)))
    assert scan.kind == kind
    assert (scan.x[0], scan.x[-1]) == (10, 12)
    fixed = {"omega": 1.5, "phi": 2.5, "chi": 3.5}
    fixed.pop(kind, None)
    assert {k: v for k, v in told(scan).items() if k in ("omega", "phi", "chi")} == fixed
    assert bool(scan.warnings) == (kind == "channel")


@pytest.mark.parametrize(
    ("tag", "factors", "expected", "attenuation"),
    [
        ("counts", "<beamAttenuationFactors>1 1 10 10 1</beamAttenuationFactors>", [1, 2, 30, 40, 5], 10),
        ("counts", "<commonBeamAttenuationFactor>100</commonBeamAttenuationFactor>", [100, 200, 300, 400, 500], 100),
        ("counts", "<beamAttenuationFactors>1 1 1 1 1</beamAttenuationFactors>", [1, 2, 3, 4, 5], None),
        ("intensities", "<beamAttenuationFactors>1 1 10 10 1</beamAttenuationFactors>", [1, 2, 3, 4, 5], 10),
        ("intensities", "<commonBeamAttenuationFactor>100</commonBeamAttenuationFactor>", [1, 2, 3, 4, 5], 100),
    ],
)
def test_counts_are_multiplied_by_the_attenuator_and_intensities_are_not(read, tag, factors, expected, attenuation):
    (scan,) = read(document(a_scan(POSITIONS + factors + VALUES.replace("intensities", tag))))
    assert scan.y.tolist() == expected
    assert scan.meta["attenuation"] == attenuation
    assert len(scan.warnings) == (attenuation is not None)


def test_counting_times(read):
    one = "<commonCountingTime unit='seconds'>2.5</commonCountingTime>"
    same = "<countingTimes unit='seconds'>2.5 2.5 2.5 2.5 2.5</countingTimes>"
    varied = "<countingTimes unit='seconds'>1 1 1 1 8</countingTimes>"
    scans = read(document(*(a_scan(POSITIONS + t + VALUES) for t in (one, same, varied, ""))))
    assert [s.meta["count_time"] for s in scans] == [2.5, 2.5, None, None]
    assert [s.warnings for s in scans[:2]] == [[], []]
    assert scans[2].warnings == ["the counting time varies from 1 to 8 s per point: counts are as stored"]


@pytest.mark.parametrize(
    ("unit", "value", "expected"),
    [("", "300 302", 301.0), (' unit="K"', "800", 800.0), (' unit="°C"', "25", 298.15),
     (' unit="Celsius"', "0 100", 323.15), (' unit="F"', "70", None)],
)  # fmt: skip
def test_temperature(read, unit, value, expected):
    place = (
        '<nonAmbientPoints type="Humidity"><nonAmbientValues>50</nonAmbientValues></nonAmbientPoints>'
        '<nonAmbientPoints type="Temperature"><timeStamps/></nonAmbientPoints>'
        '<nonAmbientPoints type="Temperature"><nonAmbientValues/></nonAmbientPoints>'
        f'<nonAmbientPoints type="Temperature"><nonAmbientValues{unit}>{value}</nonAmbientValues></nonAmbientPoints>'
    )
    (scan,) = read(document(a_scan(before=place)))
    assert scan.meta["temperature"] == (None if expected is None else pytest.approx(expected))
    assert len(scan.warnings) == (expected is None)


@pytest.mark.parametrize(
    ("change", "lines"),
    [
        (("K-Alpha 1", "K-Alpha"), ((1.5406, 1.0), (1.5444, 0.5))),
        (("K-Alpha 1", "K-Beta"), ((1.3922, 1.0),)),
        (("<ratioKAlpha2KAlpha1>0.5", "<ratioKAlpha2KAlpha1>0.0"), ((1.5406, 1.0),)),
        (('"Angstrom">1.5406', '"nm">0.15406'), ((pytest.approx(1.5406), 1.0), (1.5444, 0.5))),
    ],
)
def test_wavelengths(read, change, lines):
    (scan,) = read(document(a_scan(), wave=WAVE.replace(*change)))
    assert scan.radiation.lines == lines


def test_a_file_without_wavelength_has_none(read):
    assert read(document(a_scan(), wave=""))[0].radiation is None
    assert read(document(a_scan(), wave="<usedWavelength/>"))[0].radiation is None


def test_aborted_scans_are_read_as_far_as_they_go(read):
    first, second = read(document(a_scan(status="Aborted"), a_scan(), a_scan("", status="Not started")))
    assert first.y.size == 5
    assert first.warnings == [
        "the scan is marked 'Aborted': it ends after 5 points at 12",
        "scan 3 holds no points (it is marked 'Not started') and was left out",
    ]
    assert second.warnings == []
    (scan,) = read(document(a_scan(), status="Aborted"))
    assert scan.warnings == ["the measurement is marked 'Aborted': it has 1 scans"]


def test_divergence_corrections_are_told(read):
    more = "<commonDivergenceCorrection>2</commonDivergenceCorrection>"
    (scan,) = read(document(a_scan(POSITIONS + more + VALUES.replace("intensities", "counts"))))
    assert (scan.y.tolist(), len(scan.warnings)) == ([1, 2, 3, 4, 5], 1)


def test_time_needs_a_date_on_every_scan(read):
    def at(stamp):
        return a_scan(before=f"<header><startTimeStamp>{stamp}</startTimeStamp></header>")

    scans = read(document(at("2024-05-06T10:00:00+02:00"), at("2024-05-06T08:30:00Z")))
    assert [s.meta["time"] for s in scans] == [0, 1800]
    for other in ("yesterday", "2024-05-06T10:00:00"):
        assert "time" not in read(document(at("2024-05-06T10:00:00Z"), at(other)))[0].meta
    assert "time" not in read(document(at("2024-05-06T10:00:00Z")))[0].meta


# ---- damage and malice ------------------------------------------------------------------------------------------


STILL = '<positions axis="2Theta"><commonPosition>1</commonPosition></positions>'
FOUR = '<positions axis="2Theta"><listPositions>1 2 3 4</listPositions></positions>'


@pytest.mark.parametrize(
    ("points", "match"),
    [
        ("", "scan 1 holds neither intensities nor counts"),
        (POSITIONS + "<intensities> </intensities>", "scan 1 holds neither"),
        (VALUES, "moves along 2Theta, but gives no positions"),
        (POSITIONS.replace("2Theta", "Omega") + VALUES, "gives no positions of it .only Omega"),
        (POSITIONS.replace("endPosition", "stopPosition") + VALUES, "neither a list of positions nor"),
        (STILL + VALUES, "neither a list of positions nor"),
        (FOUR + VALUES, "scan 1: 2Theta positions: 4 are listed for 5 intensities"),
        (POSITIONS + "<countingTimes>1 1</countingTimes>" + VALUES, "counting times: 2 are listed for 5"),
        (POSITIONS + "<beamAttenuationFactors>1 1</beamAttenuationFactors>" + VALUES, "2 are listed for 5"),
        (POSITIONS + "<commonBeamAttenuationFactor>0</commonBeamAttenuationFactor>" + VALUES, "above 0"),
        (POSITIONS + VALUES.replace("3", "three"), "contradicts the format"),
    ],
)
def test_contradictions_are_refused_with_their_numbers(tmp_path, points, match):
    path = tmp_path / "a.xrdml"
    path.write_text(document(a_scan(points)))
    with pytest.raises(DamagedFileError, match=match):
        Reader({"xrdml": XRDML}).read(path)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (document(), "holds no scan"),
        (document("<scan/>"), "scan 1 holds neither"),
        (document(a_scan("", status="Aborted")), "scan 1 holds no points .*Aborted"),
    ],
)
def test_documents_without_data_are_refused(tmp_path, text, match):
    path = tmp_path / "a.xrdml"
    path.write_text(text)
    with pytest.raises(DamagedFileError, match=match):
        Reader({"xrdml": XRDML}).read(path)


def test_truncation_anywhere_is_refused(tmp_path):
    whole = document(a_scan(), a_scan()).encode()
    path = tmp_path / "a.xrdml"
    for size in range(120, len(whole) - 1, 23):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedFileError, match="breaks off"):
            Reader({"xrdml": XRDML}).read(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_and_nothing_leaks(tmp_path, encoding):
    evil = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    path = tmp_path / "a.xrdml"
    text = document(a_scan()).replace('encoding="UTF-8"?>', f'encoding="{encoding}"?>{evil}')
    path.write_bytes(text.replace("<xrdMeasurement ", "<sample><id>&e;</id></sample><xrdMeasurement ").encode(encoding))
    with pytest.raises(DamagedFileError, match="document type declaration") as caught:
        Reader({"xrdml": XRDML}).read(path)
    assert "root:" not in str(caught.value)


def test_a_million_points_are_quick(read):
    y = io.StringIO()
    y.write("1 " * 1_000_000)
    start = time.perf_counter()
    (scan,) = read(document(a_scan(POSITIONS + f"<counts>{y.getvalue()}</counts>")))
    assert time.perf_counter() - start < 5
    assert scan.y.sum() == 1_000_000


def test_limits(tmp_path, monkeypatch):
    path = tmp_path / "a.xrdml"
    path.write_text(document(a_scan(), a_scan()))
    monkeypatch.setitem(_limits._NAMES, "points", 9)
    with pytest.raises(LimitError, match="10 points, at most 9"):
        Reader({"xrdml": XRDML}).read(path)
    monkeypatch.setattr(_xml, "MAX_MARKS", 10)
    with pytest.raises(LimitError, match="XML tags"):
        Reader({"xrdml": XRDML}).read(path)


@pytest.mark.parametrize("data", [b"", b"<xml/>", b"<?xml version='1.0'?><NXroot/>", b"10 20\n", b"\0" * 5000])
def test_foreign_files_are_not_claimed(tmp_path, data):
    path = tmp_path / "a.xrdml"
    path.write_bytes(data)
    assert not XRDML.sniff(Source(path))
