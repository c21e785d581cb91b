"""NeXus files, against values worked out by hand, against pyFAI's writer, and against twins in other formats."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from peakwise.errors import DamagedFileError
from peakwise.io._source import Source
from peakwise.io.hdf5 import HDF5
from peakwise.io.xrdml import XRDML
from peakwise.patterns import Radiation


@pytest.fixture
def nexus(tmp_path):
    """Make a NeXus file with one entry and one NXdata: axis tth, signal I."""

    def make(change=None, *, axis=(10.0, 11.0, 12.0, 13.0), unit="deg", name="tth", signal=None):
        path = tmp_path / "a.nxs"
        with h5py.File(path, "w") as file:
            file.attrs["default"] = "scan"
            entry = file.create_group("scan")
            entry.attrs.update({"NX_class": "NXentry", "default": "data"})
            data = entry.create_group("data")
            data.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": name})
            data[name] = np.array(axis)
            if unit:
                data[name].attrs["units"] = unit
            data["I"] = np.array([5, 6, 7, 8]) if signal is None else signal
            if change is not None:
                change(file, entry, data)
        return path

    return make


def scans(path):
    return HDF5.read(Source(path))


def test_the_chain_of_defaults(nexus):
    def decoy(file, entry, data):
        other = entry.create_group("other")
        other.attrs.update({"NX_class": "NXdata", "signal": "y", "axes": "q"})
        other["y"], other["q"] = np.ones(9), np.arange(9.0)
        entry["title"] = "LaB6"
        entry["start_time"] = "2024-01-31T12:00:00"

    (scan,) = scans(nexus(decoy))
    assert scan.x.tolist() == [10, 11, 12, 13]
    assert scan.y.tolist() == [[5, 6, 7, 8]]
    assert (scan.kind, scan.unit, scan.name) == ("two_theta", "counts", "LaB6")
    assert scan.meta["date"] == "2024-01-31T12:00:00"
    assert scan.radiation is None


@pytest.mark.parametrize(
    ("name", "unit", "kind", "factor"),
    [
        ("tth", "deg", "two_theta", 1),
        ("two_theta", "rad", "two_theta", 57.29577951308232),
        ("2th", "degrees", "two_theta", 1),
        ("polar_angle", None, "two_theta", 1),
        ("q", "1/nm", "q", 0.1),
        ("q", "nm^-1", "q", 0.1),
        ("Q", "1/angstrom", "q", 1),
        ("Q", "Å⁻¹", "q", 1),
        ("q_A^-1", None, "q", 1),
        ("q (nm^-1)", None, "q", 0.1),
        ("energy", "eV", "energy", 1e-3),
        ("energy", "keV", "energy", 1),
        ("energy", "meV", "energy", 1e-6),
        ("energy", "MeV", "energy", 1e3),
        ("energy", "J", "energy", 6.241509074460763e15),
        ("energy", "1/cm", "wavenumber", 1),
        ("d", "nm", "d", 10),
        ("d-spacing", "angstrom", "d", 1),
        ("wavelength", "angstrom", "wavelength", 0.1),
        ("tof", "us", "time_of_flight", 1),
        ("tof", "ms", "time_of_flight", 1000),
        ("r", "angstrom", "r", 1),
        ("Raman shift", "cm-1", "raman_shift", 1),
        ("unheard_of", "1/angstrom", "q", 1),
        ("unheard_of", "deg", None, 1),
        ("unheard_of", None, None, 1),
        ("samx", "mm", "refused", 0),
        ("time", "s", "refused", 0),
        ("temperature", "K", "refused", 0),
    ],
)
def test_names_and_units_of_axes(nexus, name, unit, kind, factor):
    if kind == "refused":
        with pytest.raises(DamagedFileError, match="is that of a pattern"):
            scans(nexus(name=name, unit=unit))
        return
    (scan,) = scans(nexus(name=name, unit=unit))
    assert scan.kind == kind
    np.testing.assert_allclose(scan.x, factor * np.array([10.0, 11, 12, 13]), rtol=1e-14)


@pytest.mark.parametrize("attribute", ["units", "unit"])
def test_a_series_of_frames_with_times_and_temperatures(nexus, attribute):
    frames = np.arange(12.0).reshape(3, 4)

    def change(file, entry, data):
        data.attrs["axes"] = ["time", "q"]
        del data["tth"]
        data["q"], data["time"] = np.array([1.0, 2, 3, 4]), np.array([0.0, 2, 4])
        data["q"].attrs[attribute], data["time"].attrs[attribute] = "nm^-1", "min"
        sample = entry.create_group("sample")
        sample.attrs["NX_class"] = "NXsample"
        sample["name"] = "CeO2"
        sample["temperature"] = [20.0, 100, 500]
        sample["temperature"].attrs[attribute] = "°C"

    (scan,) = scans(nexus(change, signal=frames))
    assert scan.y.tolist() == frames.tolist()
    np.testing.assert_allclose(scan.x, [0.1, 0.2, 0.3, 0.4])
    assert scan.meta["time"].tolist() == [0, 120, 240]
    np.testing.assert_allclose(scan.meta["temperature"], [293.15, 373.15, 773.15])
    assert scan.meta["sample"] == "CeO2"


def test_the_axis_may_be_the_first_dimension(nexus):
    frames = np.arange(12.0).reshape(4, 3)

    def change(file, entry, data):
        data.attrs["axes"] = ["tth", "frame"]
        data["frame"] = np.arange(3)

    (scan,) = scans(nexus(change, signal=frames))
    assert scan.y.tolist() == frames.T.tolist()


def test_a_map_becomes_rows_with_positions(nexus):
    def change(file, entry, data):
        data.attrs["axes"] = ["y", "x", "tth"]
        data["y"], data["x"] = [0.0, 1.0], [10.0, 20.0, 30.0]

    (scan,) = scans(nexus(change, signal=np.arange(24).reshape(2, 3, 4)))
    assert scan.y.shape == (6, 4)
    assert scan.y[4].tolist() == [16, 17, 18, 19]
    assert scan.meta["y"].tolist() == [0, 0, 0, 1, 1, 1]
    assert scan.meta["x"].tolist() == [10, 20, 30, 10, 20, 30]


def test_a_camera_image_is_no_series(nexus):
    def change(file, entry, data):
        data.attrs["axes"] = ["x_pixel", "y_pixel"]
        data["x_pixel"], data["y_pixel"] = np.arange(3), np.arange(4)

    with pytest.raises(DamagedFileError, match="3x4.*pattern"):
        scans(nexus(change, signal=np.ones((3, 4)), name="unused"))


def test_edges_of_bins_become_centres(nexus):
    (scan,) = scans(nexus(axis=[0.0, 2, 4, 6, 10], name="tof", unit="us"))
    assert scan.x.tolist() == [1, 3, 5, 8]
    assert "centres" in scan.warnings[0]


def test_every_row_may_have_its_own_axis(nexus):
    axis = np.array([[1.0, 2, 3, 4], [2.0, 3, 4, 5]])

    def change(file, entry, data):
        data.attrs["axes"] = [".", "tth"]

    one, two = scans(nexus(change, axis=axis, signal=np.arange(8).reshape(2, 4)))
    assert one.x.tolist() == [1, 2, 3, 4]
    assert two.x.tolist() == [2, 3, 4, 5]
    assert two.y.tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("how", ["I_errors", "errors", "uncertainties"])
def test_uncertainties(nexus, how):
    def change(file, entry, data):
        data["dI" if how == "uncertainties" else how] = [0.5, 0.6, 0.7, 0.8]
        if how == "uncertainties":
            data["I"].attrs["uncertainties"] = "dI"

    (scan,) = scans(nexus(change))
    assert scan.sigma.tolist() == [[0.5, 0.6, 0.7, 0.8]]


def test_uncertainties_of_another_shape_are_left_out_and_said(nexus):
    (scan,) = scans(nexus(lambda file, entry, data: data.create_dataset("errors", data=[1.0, 2])))
    assert scan.sigma is None
    assert "another shape" in scan.warnings[0]


def test_the_ways_of_before_2014(tmp_path):
    with h5py.File(tmp_path / "a.nxs", "w") as file:
        entry = file.create_group("entry1")
        entry.attrs["NX_class"] = b"NXentry"
        for number in (1, 2):
            data = entry.create_group(f"data{number}") if number == 1 else file.create_group("entry2/data")
            data.attrs["NX_class"] = b"NXdata"
            data["counts"] = np.array([1, 2, 3]) * number
            data["counts"].attrs["signal"] = "1" if number == 1 else 1
            data["polar_angle"] = [5.0, 6, 7]
            data["polar_angle"].attrs["units"] = b"degree"
            data["other"] = [1.0, 2, 3]
        file["entry1/data1/polar_angle"].attrs["axis"] = 1
        file["entry2"].attrs["NX_class"] = "NXentry"
        file["entry2/data/counts"].attrs["axes"] = "polar_angle"
    one, two = scans(tmp_path / "a.nxs")
    assert (one.x.tolist(), one.y.tolist(), one.name) == ([5, 6, 7], [[1, 2, 3]], "entry1")
    assert (two.x.tolist(), two.y.tolist(), two.name) == ([5, 6, 7], [[2, 4, 6]], "entry2")


def test_a_signal_behind_links_within_the_file(nexus):
    def change(file, entry, data):
        detector = entry.create_group("instrument/detector")
        detector["frames"] = [9, 8, 7, 6]
        entry["instrument"]["shortcut"] = h5py.SoftLink("detector")
        del data["I"], data["tth"]
        data["I"] = h5py.SoftLink("/scan/instrument/shortcut/frames")
        detector["angle"] = [1.0, 2, 3, 4]
        data["tth"] = detector["angle"]  # a second hard link

    (scan,) = scans(nexus(change))
    assert scan.y.tolist() == [[9, 8, 7, 6]]
    assert scan.x.tolist() == [1, 2, 3, 4]


def test_several_candidates_are_refused_with_their_names(nexus):
    def change(file, entry, data):
        del entry.attrs["default"]
        other = entry.create_group("second")
        other.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": "q"})
        other["I"], other["q"] = [1.0, 2, 3], [1.0, 2, 3]

    with pytest.raises(DamagedFileError, match="/scan/data, /scan/second"):
        scans(nexus(change))


def test_without_a_default_the_only_pattern_among_images_is_taken(nexus):
    def change(file, entry, data):
        del entry.attrs["default"]
        image = entry.create_group("image")
        image.attrs.update({"NX_class": "NXdata", "signal": "data"})
        image["data"] = np.ones((5, 5))
        again = entry.create_group("zagain")
        again.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": "tth"})
        again["I"], again["tth"] = data["I"], data["tth"]

    (scan,) = scans(nexus(change))
    assert scan.y.tolist() == [[5, 6, 7, 8]]


def test_an_entry_that_cannot_be_read_is_named(nexus):
    (scan,) = scans(nexus(lambda file, entry, data: file.create_group("empty").attrs.update({"NX_class": "NXentry"})))
    assert scan.warnings == ["/empty was left out: /empty holds no NXdata group"]
    assert scan.name == "scan"


@pytest.mark.parametrize(
    ("group", "cls", "name", "value", "unit", "expected"),
    [
        ("instrument/beam", "NXbeam", "incident_wavelength", 0.4, "angstrom", 0.4),
        ("instrument/beam", "NXbeam", "incident_wavelength", 0.04, "nm", 0.4),
        ("instrument/beam", "NXbeam", "incident_wavelength", 4e-11, "m", 0.4),
        ("instrument/beam", "NXbeam", "incident_wavelength", 4e-11, "", 0.4),
        ("instrument/beam", "NXbeam", "incident_energy", 12.398419843320026, "keV", 1.0),
        ("instrument/beam", "NXbeam", "incident_energy", 12398.419843320026, "eV", 1.0),
        ("instrument/mono", "NXmonochromator", "energy", 12398.419843320026, "", 1.0),
        ("instrument/mono", "NXmonochromator", "wavelength", [0.8, 0.8], "angstrom", 0.8),
        ("instrument/ring", "NXsource", "energy", 6.0, "GeV", None),
        ("instrument/beam", "NXbeam", "incident_wavelength", 1500.0, "angstrom", None),
        ("instrument/beam", "NXbeam", "incident_wavelength", [0.4, 0.5], "angstrom", None),
        ("instrument/beam", "NXbeam", "incident_wavelength", np.nan, "angstrom", None),
    ],
)
def test_the_wavelength(nexus, group, cls, name, value, unit, expected):
    def change(file, entry, data):
        place = entry.create_group(group)
        place.attrs["NX_class"] = cls
        place[name] = value
        place[name].attrs["units"] = unit

    (scan,) = scans(nexus(change))
    if expected is None:
        assert scan.radiation is None
    else:
        assert scan.radiation.wavelength == pytest.approx(expected, rel=1e-12)


def test_weights_choose_the_strongest_line_and_the_probe_is_kept(nexus):
    def change(file, entry, data):
        beam = entry.create_group("instrument/beam")
        beam.attrs["NX_class"] = "NXbeam"
        beam["incident_wavelength"], beam["incident_wavelength_weights"] = [1.5444, 1.5406], [0.5, 1.0]
        entry["instrument/source/probe"] = "neutron"

    (scan,) = scans(nexus(change))
    assert scan.radiation == Radiation(1.5406, probe="neutron")


def test_a_scan_of_energy_has_no_wavelength(nexus):
    def change(file, entry, data):
        entry["instrument/beam/incident_wavelength"] = 1.0

    (scan,) = scans(nexus(change, name="energy", unit="eV"))
    assert scan.radiation is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda f, e, d: d.attrs.__setitem__("signal", "nothing"), "'nothing' its signal, which does not exist"),
        (lambda f, e, d: e.attrs.__setitem__("default", "nowhere"), "/scan/nowhere does not exist"),
        (lambda f, e, d: (d.__delitem__("I"), d.create_dataset("I", data="text")), "must hold numbers, it holds text"),
        (lambda f, e, d: (d.__delitem__("I"), d.create_dataset("I", data=5.0)), "a single number"),
        (lambda f, e, d: (d.__delitem__("tth"), d.create_dataset("tth", data=[1.0, 2])), "axes: none"),
        (lambda f, e, d: (d.__delitem__("tth"), d.create_dataset("tth", data=["a", "b"])), "axes: none"),
        (lambda f, e, d: (e.__delitem__("data"), e.attrs.__delitem__("default")), "no NXdata"),
        (lambda f, e, d: e.attrs.__setitem__("default", "."), "the chain of defaults does not end"),
    ],
)
def test_what_contradicts_itself_is_refused(nexus, change, why):
    with pytest.raises(DamagedFileError, match=why):
        scans(nexus(change))


def test_files_of_pyfai(tmp_path):
    from pyFAI.detectors import Detector
    from pyFAI.integrator.azimuthal import AzimuthalIntegrator
    from pyFAI.io.nexus import save_NXcansas, save_NXmonpd

    detector = Detector(1e-4, 1e-4, max_shape=(100, 100))
    integrator = AzimuthalIntegrator(0.1, 0.005, 0.005, detector=detector, wavelength=0.8e-10)
    frame = np.random.default_rng(1).poisson(50, (100, 100))
    words = {"title": "t", "instrument": "i", "source_name": "n", "source_type": "s", "sample": "powder"}
    for write, unit, kind, factor in (
        (save_NXmonpd, "2th_deg", "two_theta", 1),
        (save_NXmonpd, "2th_rad", "two_theta", 180 / np.pi),
        (save_NXcansas, "q_nm^-1", "q", 0.1),
        (save_NXcansas, "q_A^-1", "q", 1),
    ):
        path = tmp_path / f"{unit.replace('^', '')}.h5"
        result = integrator.integrate1d(frame, 50, unit=unit, error_model="poisson")
        write(str(path), result, entry="entry", source_probe="x-ray", **words)
        (scan,) = scans(path)
        assert scan.kind == kind
        np.testing.assert_allclose(scan.x, result.radial * factor, rtol=1e-6)
        np.testing.assert_array_equal(scan.y[0], result.intensity)
        np.testing.assert_array_equal(scan.sigma[0], np.float64(result.sigma))
        assert scan.radiation.wavelength == pytest.approx(0.8)


def test_real_nxxrd_is_the_twin_of_its_xrdml(real_data):
    (scan,) = scans(real_data / "formats/nexus/xrdml_918-16_10_ref.nxs")
    (twin,) = XRDML.read(Source(real_data / "formats/panalytical_xrdml/XRD-918-16_10.xrdml"))
    np.testing.assert_array_equal(scan.y.ravel(), np.ravel(twin.y))
    np.testing.assert_allclose(scan.x, twin.x, atol=1e-8)
    assert scan.x.size == 5027
    assert (scan.x[0], scan.x[-1]) == (4.00656514, 69.99936587)
    assert (scan.y[0, 0], scan.y[0, -1], scan.y.max()) == (1305, 171, 100168)
    assert scan.radiation == Radiation(1.540598, ((1.540598, 1.0), (1.544426, 0.5)), "Cu")
    expected = {"voltage": 45, "current": 40, "count_time": 39.27, "phi": 260.6, "scan_axis": "Gonio", "anode": "Cu"}
    assert scan.meta == expected
    assert scan.warnings == []


def test_real_series_of_dioptas_begins_with_a_pattern_known_as_text(real_data):
    (scan,) = scans(real_data / "formats/nexus/Test_spec.nxs.gz")
    text = np.loadtxt(real_data / "images_2d/CeO2_Pilatus1M/CeO2_Pilatus1M.xy")
    assert scan.kind == "two_theta"
    assert scan.y.shape == (20, 1512)
    np.testing.assert_allclose(scan.x, text[:, 0], rtol=1e-9)
    np.testing.assert_allclose(scan.y[0], text[:, 1], rtol=1e-9)
    assert scan.y.max() == pytest.approx(5669.981934)
