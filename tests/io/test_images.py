"""2-D frames to patterns, against Dioptas's own integration of the same frame and against geometry by hand."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys

import fabio
import numpy as np
import pytest

from peakwise.errors import DamagedFileError, MissingExtraError, PeakwiseError, ReadError
from peakwise.io import _frames, images
from peakwise.io._assemble import assemble
from peakwise.io._poni import find_poni, parse_poni
from peakwise.io._read import _STUMBLES
from peakwise.io._source import Source
from peakwise.io.images import IMAGES

SHAPE = (120, 100)
PIXEL, DISTANCE = 1e-4, 0.05
PONI = f"""# made for a test
Detector: Detector
Detector_config: {{"pixel1": {PIXEL}, "pixel2": {PIXEL}, "orientation": 3}}
Distance: {DISTANCE}
Poni1: 0.006
Poni2: 0.005
Rot1: 0.0
Rot2: 0.0
Rot3: 0.0
Wavelength: 7e-11
"""


def ring(radius=40.0, centre=(60.0, 50.0), level=1000):
    """A flat frame with a ring of Gaussian section around (row, column), in pixels."""
    rows, columns = np.indices(SHAPE)
    r = np.hypot(rows + 0.5 - centre[0], columns + 0.5 - centre[1])
    return (10 + level * np.exp(-(((r - radius) / 1.5) ** 2))).astype(np.int32)


def cbf(data, **options):
    stream = io.BytesIO()
    fabio.cbfimage.CbfImage(data=data, **options).write(stream)
    return stream.getvalue()


@pytest.fixture
def frame(tmp_path):
    """Write a frame (and its calibration) and return its path."""

    def make(suffix=".edf", data=None, poni=PONI, header=None, name="scan"):
        path = tmp_path / f"{name}{suffix}"
        data = ring() if data is None else data
        kind = {".edf": fabio.edfimage.EdfImage, ".tif": fabio.tifimage.TifImage, ".cbf": fabio.cbfimage.CbfImage}
        kind[suffix](data=data, header=header or {}).write(str(path))
        if poni is not None:
            path.with_suffix(".poni").write_text(poni)
        return path

    return make


def scan_of(path):
    source = Source(path)
    assert IMAGES.sniff(source)
    (scan,) = IMAGES.read(source)
    return scan


@pytest.mark.parametrize("suffix", [".edf", ".tif", ".cbf"])
def test_a_ring_lies_where_geometry_puts_it(frame, suffix):
    scan = scan_of(frame(suffix))
    y, sigma = scan.y[0], scan.sigma[0]
    # 40 pixels of 0.1 mm at 50 mm: atan(4 / 50).
    assert scan.x[np.nanargmax(y)] == pytest.approx(np.degrees(np.arctan(4 / 50)), abs=0.06)
    # One point for each pixel from the beam to the farthest corner.
    assert scan.x.size == np.ceil(np.hypot(59.5, 49.5) - np.hypot(0.5, 0.5)) == 77
    assert scan.radiation.wavelength == pytest.approx(0.7)
    assert (scan.kind, scan.unit) == ("two_theta", "arbitrary")
    # Far from the ring every pixel counts 10, but for the solid angle; Poisson: sigma^2 = mean / pixels in the bin.
    far = 60
    tilt = np.cos(np.radians(scan.x[far])) ** 3
    assert y[far] * tilt == pytest.approx(10, rel=0.01)
    pixels = 2 * np.pi * 60 * 0.6  # the part of that circle that lies on the frame, roughly
    assert 0.5 < (y[far] / sigma[far] ** 2) / pixels < 2
    assert "polarisation" in " ".join(scan.warnings)


def test_the_frame_gives_the_same_whatever_it_is_stored_as(frame):
    tif, edf, packed = (scan_of(frame(s)) for s in (".tif", ".edf", ".cbf"))
    np.testing.assert_array_equal(tif.y, edf.y)
    np.testing.assert_array_equal(tif.y, packed.y)


def test_negative_and_saturated_pixels_are_left_out(frame):
    clean = scan_of(frame())
    holes = ring()
    holes[::7, ::5] = -2
    np.testing.assert_allclose(scan_of(frame(data=holes)).y, clean.y, rtol=0.1)
    hot = ring().astype(np.uint32)
    hot[::7, ::5] = 2**32 - 1
    np.testing.assert_allclose(scan_of(frame(data=hot)).y, clean.y, rtol=0.1)
    nan = ring().astype(np.float32)
    nan[::7, ::5] = np.nan
    np.testing.assert_allclose(scan_of(frame(data=nan)).y, clean.y, rtol=0.1)


def test_an_empty_bin_is_one_count_uncertain(frame):
    scan = scan_of(frame(data=np.zeros(SHAPE, np.int32)))
    assert (scan.y[0] == 0).all()
    assert (scan.sigma[0] > 0).all()


def test_bins_without_a_pixel_are_left_out(frame):
    masked = ring()
    masked[40:80, 30:70] = -1  # around the beam
    path = frame(data=masked)
    (patterns,) = assemble(Source(path), [scan_of(path)])
    assert patterns.axis[0] > np.degrees(np.arctan(1.5 / 50))
    assert "were left out" in " ".join(patterns.warnings)


def test_an_old_calibration_of_the_frame_turned_over(frame):
    plain = scan_of(frame())
    old = PONI.replace(', "orientation": 3', "").replace("Poni1: 0.006", "Poni1: 0.008")
    high = ring(centre=(80.0, 50.0))
    turned = scan_of(frame(data=high[::-1], poni=old))
    upright = scan_of(frame(data=high, poni=old))
    assert "turned upside down" in " ".join(turned.warnings)
    assert "turned" not in " ".join(upright.warnings)
    np.testing.assert_allclose(turned.y, upright.y, rtol=1e-6)
    assert turned.x[np.nanargmax(turned.y)] == pytest.approx(plain.x[np.nanargmax(plain.y)], abs=0.06)
    # Where the calibration says how the frame lies, it is believed.
    said = scan_of(frame(data=high[::-1], poni=PONI.replace("Poni1: 0.006", "Poni1: 0.008")))
    assert "turned" not in " ".join(said.warnings)


def test_noise_is_not_turned(frame):
    old = PONI.replace(', "orientation": 3', "").replace("Poni1: 0.006", "Poni1: 0.008")
    for seed in range(5):
        noise = np.random.default_rng(seed).poisson(20, SHAPE).astype(np.int32)
        assert "turned" not in " ".join(scan_of(frame(data=noise, poni=old)).warnings)


def test_the_header_tells_polarisation_and_exposure(frame):
    plain = scan_of(frame())
    header = {"Polarization": "0.99", "Exposure_time": "2.5 s"}
    scan = scan_of(frame(header=header))
    assert scan.meta["count_time"] == 2.5
    assert "polarisation" not in " ".join(scan.warnings)
    assert not np.allclose(scan.y, plain.y, rtol=1e-4)


def test_frames_of_one_file_are_rows(tmp_path):
    edf = fabio.edfimage.EdfImage(data=ring())
    edf.append_frame(data=ring() * 2)
    edf.write(str(tmp_path / "a.edf"))
    (tmp_path / "a.poni").write_text(PONI)
    scan = scan_of(tmp_path / "a.edf")
    assert scan.y.shape[0] == 2
    np.testing.assert_allclose(scan.y[1], 2 * scan.y[0], rtol=1e-6)


# --- which calibration ----------------------------------------------------------------------------------------------


def test_which_calibration_is_taken(frame, tmp_path):
    path = frame(poni=None)
    with pytest.raises(ReadError, match="needs a .poni file.*there is none"):
        IMAGES.read(Source(path))
    (tmp_path / "one.poni").write_text(PONI)
    assert scan_of(path).warnings[0] == "integrated with one.poni"
    (tmp_path / "two.poni").write_text(PONI)
    with pytest.raises(ReadError, match=r"holds 2 \(one.poni, two.poni\), none is called scan.poni"):
        IMAGES.read(Source(path))
    (tmp_path / "scan.poni").write_text(PONI)
    assert find_poni(Source(path)).name == "scan.poni"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("Distance: 0.05", "", "does not give distance"),
        ("Distance: 0.05", "Distance: nan", "'nan' as distance"),
        ("Distance: 0.05", "Distance: far", "'far' as distance"),
        ("Detector: Detector", "Detector: /etc/passwd", "no detector '/etc/passwd'"),
        ("Detector: Detector", "Detector: NexusDetector", "no detector 'NexusDetector'"),
        ('"orientation": 3', '"filename": "/tmp/x.h5"', r"another file \(/tmp/x.h5\)"),
        ('"orientation": 3', '"splineFile": "x.spline"', "another file"),
        ('"orientation": 3', '"nested": {"a": 1}', "no numbers"),
        ("# made", "SplineFile: x.spline\n# made", "another file"),
        ("Detector: Detector", "Detector: Pilatus1M", "120x100 pixels, the detector of the calibration 1043x981"),
        ("Detector_config: {", "Detector_config: [1]\n#{", "gives list"),
    ],
)
def test_calibrations_that_are_refused(frame, old, new, why):
    assert old in PONI
    with pytest.raises(DamagedFileError, match=why):
        IMAGES.read(Source(frame(poni=PONI.replace(old, new))))


def test_a_calibration_of_a_gigabyte_is_not_read(frame, tmp_path):
    path = frame()
    with (tmp_path / "scan.poni").open("wb") as stream:
        stream.truncate(1 << 30)
    with pytest.raises(DamagedFileError, match="more than 1048576 bytes"):
        IMAGES.read(Source(path))


def test_the_versions_of_calibrations_agree(frame):
    path = frame()
    new = parse_poni(path.with_suffix(".poni"), Source(path))
    old = "PixelSize1: 1e-4\nPixelSize2: 1e-4\nSplineFile: None\n" + PONI[PONI.index("Distance") :]
    path.with_suffix(".poni").write_text(old)
    one = parse_poni(path.with_suffix(".poni"), Source(path))
    assert (one.distance, one.poni1, one.config["pixel1"]) == (new.distance, new.poni1, new.config["pixel1"])
    assert not one.says_orientation
    path.with_suffix(".poni").write_text(PONI.replace("Wavelength: 7e-11", "Wavelength: None"))
    assert parse_poni(path.with_suffix(".poni"), Source(path)).wavelength is None
    assert scan_of(path).radiation is None


# --- hostile frames -------------------------------------------------------------------------------------------------


def test_cut_frames_are_refused_with_numbers(frame):
    for suffix, why in ((".edf", "of the 48000 bytes"), (".cbf", "bytes promised for 120x100"), (".tif", "")):
        path = frame(suffix)
        path.write_bytes(path.read_bytes()[:-5000])
        with pytest.raises((PeakwiseError, *_STUMBLES), match=why or None):
            IMAGES.read(Source(path))


@pytest.mark.parametrize(
    ("suffix", "old", "new", "why"),
    [
        (".edf", b"Dim_1 = 100 ;", b"Dim_1 = 99999999999 ;", "points"),
        (".edf", b"Dim_1 = 100 ;", b"Dim_1 = 1 ;", "120x1 pixels"),
        (".cbf", b"Fastest-Dimension: 100", b"Fastest-Dimension: 99999999", "promised"),
        (".cbf", b"X-Binary-Size-Second-Dimension", b"X-Binary-Nothing", "lacks"),
        (".cbf", b"\x0c\x1a\x04\xd5", b"\x0c\x1a\x04\xd4", "binary section is missing"),
    ],
)
def test_sizes_that_cannot_be(frame, suffix, old, new, why):
    path = frame(suffix)
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new))
    with pytest.raises(PeakwiseError, match=why):
        IMAGES.read(Source(path))


def test_tiff_and_mar_headers_that_promise_too_much(tmp_path):
    (tmp_path / "a.poni").write_text(PONI)
    tiff = b"II*\0\x08\0\0\0\x02\0" + b"\0\1\4\0\1\0\0\0\0\0\1\0" + b"\1\1\4\0\1\0\0\0\0\0\1\0"
    mar = (1234).to_bytes(4, "little") + (60000).to_bytes(4, "little") + bytes(120) + b"mar research".ljust(64)
    negative = mar[:4] + b"\xff" * 4 + mar[8:]
    empty = b"II*\0\x08\0\0\0\0\0"
    for name, raw, why in (
        ("a.tif", tiff, "points|65536x65536"),
        ("a.tif", empty, "no width"),
        ("a.mar3450", mar, "points|60000x60000"),
        ("a.mar3450", negative, "-1x-1"),
    ):
        (tmp_path / name).write_bytes(raw)
        with pytest.raises(PeakwiseError, match=why):
            IMAGES.read(Source(tmp_path / name))
    (tmp_path / "b.edf").write_bytes(b"{ Dim_1 = 10 ; " + b" " * 70000)
    (tmp_path / "b.poni").write_text(PONI)
    with pytest.raises(DamagedFileError, match="no end"):
        IMAGES.read(Source(tmp_path / "b.edf"))


@pytest.mark.parametrize("suffix", [".edf", ".tif", ".cbf"])
def test_flipped_bytes_give_a_pattern_or_a_clear_error(frame, suffix):
    path = frame(suffix)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    done = [0, 0]
    for i in range(60):
        raw = bytearray(whole)
        for at in rng.integers(0, 600 if i % 2 else len(raw), 3):
            raw[at] = rng.integers(256)
        path.write_bytes(raw)
        try:
            _frames.read_frames(Source(path))
            done[0] += 1
        except (PeakwiseError, *_STUMBLES):
            done[1] += 1
    assert done[0] > 5


def test_sniffing_touches_no_library(tmp_path):
    code = """
import sys
from pathlib import Path
from peakwise.io._source import Source
from peakwise.io.images import IMAGES
for name in sys.argv[1:]:
    assert IMAGES.sniff(Source(name)) is name.endswith("yes"), name
assert not {"fabio", "pyFAI", "silx"} & set(sys.modules)
"""
    heads = {
        "cbf.yes": b"###CBF: VERSION 1.5", "tif.yes": b"II*\0....", "big.yes": b"MM\0*....",
        "edf.yes": b"{\nDim_1 = 5 ;\n}",
        "mar.yes": b"\xd2\x04\0\0" + bytes(124) + b"mar research", "json.no": b'{"Dim_1": 5}', "text.no": b"1 2\n3 4\n",
        "int.no": b"\xd2\x04\0\0" + bytes(200), "empty.no": b"",
    }  # fmt: skip
    for name, head in heads.items():
        (tmp_path / name).write_bytes(head)
    subprocess.run([sys.executable, "-c", code, *(str(tmp_path / n) for n in heads)], check=True)


@pytest.mark.parametrize("name", ["fabio", "pyFAI"])
def test_without_the_extra_it_says_what_to_install(frame, monkeypatch, name):
    path = frame()
    monkeypatch.setitem(sys.modules, "fabio" if name == "fabio" else "pyFAI.detectors", None)
    with pytest.raises(MissingExtraError, match=r"pip install peakwise\[images\]") as caught:
        IMAGES.read(Source(path))
    assert name in str(caught.value)


def test_config_of_the_sensor_is_passed_over(frame):
    config = json.dumps({"pixel1": PIXEL, "pixel2": PIXEL, "orientation": 3, "sensor": {"material": "Si"}})
    poni = "\n".join(f"Detector_config: {config}" if "config" in line else line for line in PONI.splitlines())
    np.testing.assert_array_equal(scan_of(frame(poni=poni)).y, scan_of(frame()).y)


# --- measured frames ------------------------------------------------------------------------------------------------


def test_real_pilatus_frame_against_the_integration_of_dioptas(real_data):
    path = real_data / "images_2d/CeO2_Pilatus1M/CeO2_Pilatus1M.tif.gz"
    twin = np.loadtxt(real_data / "images_2d/CeO2_Pilatus1M/CeO2_Pilatus1M.xy")
    source = Source(path)
    frames, header = _frames.read_frames(source)
    assert frames[0].shape == (1043, 981)
    assert (frames[0].min(), frames[0].max()) == (-2, 621698)
    assert header == {"polarisation": 0.99, "count_time": 3.0}
    geometry = parse_poni(find_poni(source), source)
    integrator = images._integrator(geometry, frames[0].shape, source)
    # Dioptas turned the frame over, put it into 1512 bins and left the gaps of the detector in.
    x, y, _ = images._integrate(integrator, frames[0][::-1], None, 0.99, 1512)
    np.testing.assert_allclose(x, twin[:, 0], atol=2e-6)
    np.testing.assert_allclose(y, twin[:, 1], rtol=2e-4, atol=2e-4)


def test_real_pilatus_frame_as_it_is_read(real_data):
    path = real_data / "images_2d/CeO2_Pilatus1M/CeO2_Pilatus1M.tif.gz"
    scan = scan_of(path)
    (patterns,) = assemble(Source(path), [scan])
    assert patterns.n_points == 724
    assert patterns.wavelength == pytest.approx(0.4066)
    assert patterns.meta["count_time"][0] == 3
    assert "turned upside down" in " ".join(patterns.warnings)
    # CeO2, a = 5.4116 angstrom: the first four lines, by Bragg's law.
    for hkl in (3, 4, 8, 11):
        angle = 2 * np.degrees(np.arcsin(0.4066 * np.sqrt(hkl) / 2 / 5.4116))
        near = np.abs(patterns.axis - angle) < 0.3
        assert patterns.axis[near][patterns.intensity[0, near].argmax()] == pytest.approx(angle, abs=0.045)


def test_real_frames_without_a_calibration_are_refused(real_data):
    for name in ("map_Fe3O4C/Fe3O4C_M1_map_1_P1_E1_001.tif.gz", "mar345_strain/nx09_strain_001.mar2300"):
        source = Source(real_data / "images_2d" / name)
        assert IMAGES.sniff(source)
        with pytest.raises(ReadError, match="needs a .poni"):
            IMAGES.read(source)


def test_real_mar345_frame(real_data, tmp_path):
    raw = (real_data / "images_2d/mar345_strain/nx09_strain_001.mar2300").read_bytes()
    path = tmp_path / "a.mar2300"
    path.write_bytes(raw)
    frames, _ = _frames.read_frames(Source(path))
    assert frames[0].shape == (2300, 2300)
    assert frames[0].max() == 78246  # INTENSITY MAX of its own header
    config = '{"pixel1": 1.5e-4, "pixel2": 1.5e-4, "orientation": 3}'
    poni = f"Detector: Detector\nDetector_config: {config}\nDistance: 0.1\nPoni1: 0.1725\nPoni2: 0.1725\n"
    path.with_suffix(".poni").write_text(poni)
    (tmp_path / "b.mar2300.gz").write_bytes(gzip.compress(raw))
    assert scan_of(path).x.size > 1600
