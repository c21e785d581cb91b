"""netCDF of others: version 4 as xarray writes it, the classic formats as SciPy writes them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import xarray
from scipy.io import netcdf_file

from peakwise.errors import DamagedFileError, PeakwiseError
from peakwise.io._read import _STUMBLES
from peakwise.io._source import Source
from peakwise.io.netcdf import NETCDF


def scans(path):
    source = Source(path)
    assert NETCDF.sniff(source)
    return NETCDF.read(source)


Q = np.array([0.5, 1.0, 1.5, 2.0])
FRAMES = np.arange(12.0).reshape(3, 4)


def dataset() -> xarray.Dataset:
    return xarray.Dataset(
        {"intensity": (("time", "q"), FRAMES.copy()), "temperature": ("time", [20.0, 30, 40], {"units": "degC"})},
        {"q": ("q", Q, {"units": "nm^-1"}), "time": ("time", [0.0, 1, 2], {"units": "s"})},
        {"instrument_name": "ID15", "wavelength": 0.2},
    )


def test_a_dataset_of_somebody_else(tmp_path):
    dataset().to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    (scan,) = scans(tmp_path / "a.nc")
    assert scan.kind == "q"
    np.testing.assert_allclose(scan.x, Q / 10)
    assert scan.y.tolist() == FRAMES.tolist()
    assert scan.meta["time"].tolist() == [0, 1, 2]
    np.testing.assert_allclose(scan.meta["temperature"], [293.15, 303.15, 313.15])
    assert scan.meta["instrument_name"] == "ID15"
    assert scan.radiation.wavelength == 0.2


def test_dimensions_decide_where_lengths_would_not(tmp_path):
    square = np.arange(16.0).reshape(4, 4)
    data = xarray.Dataset({"counts": (("q", "run"), square)}, {"q": Q, "run": np.arange(4)})
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    (scan,) = scans(tmp_path / "a.nc")
    assert scan.y.tolist() == square.T.tolist()


def test_packed_numbers_are_unpacked(tmp_path):
    data = dataset()
    data["intensity"][1, 2] = np.nan
    packing = {"dtype": "i2", "scale_factor": 0.5, "add_offset": 10.0, "_FillValue": -32768}
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf", encoding={"intensity": packing})
    (scan,) = scans(tmp_path / "a.nc")
    np.testing.assert_array_equal(scan.y, data["intensity"].values)
    assert scan.unit == "unknown"


def test_two_variables_that_could_be_meant_are_refused(tmp_path):
    data = dataset().rename(intensity="one")
    data["two"] = data["one"] * 2
    data["three"] = data["one"] * 3
    data.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
    with pytest.raises(DamagedFileError, match="/one, /two, /three"):
        scans(tmp_path / "a.nc")


def write_classic(path, version=1, records=True):
    with netcdf_file(path, "w", version=version) as file:
        file.createDimension("frame", None if records else 3)
        file.createDimension("two_theta", 4)
        file.createDimension("letters", 5)
        file.title = "LaB6"
        file.wavelength = 0.7
        axis = file.createVariable("two_theta", "f8", ("two_theta",))
        axis[:] = [1, 2, 3, 4]
        axis.units = "rad"
        counts = file.createVariable("counts", "i2", ("frame", "two_theta"))
        counts[:] = FRAMES.astype("i2")
        if records:
            temperature = file.createVariable("temperature", "f4", ("frame",))
            temperature[:] = [300, 310, 320]
            temperature.units = "K"
            odd = file.createVariable("odd", "b", ("frame",))
            odd[:] = [1, 2, 3]
        label = file.createVariable("label", "c", ("frame", "letters"))
        label[:] = np.array([list("abc  "), list("de\0\0\0"), list("fghij")], dtype="S1")


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("records", [True, False])
def test_the_classic_formats(tmp_path, version, records):
    write_classic(tmp_path / "a.nc", version, records)
    (scan,) = scans(tmp_path / "a.nc")
    np.testing.assert_allclose(scan.x, np.degrees([1, 2, 3, 4]))
    assert scan.y.tolist() == FRAMES.tolist()
    assert (scan.kind, scan.unit) == ("two_theta", "counts")
    assert scan.radiation.wavelength == pytest.approx(0.7)
    assert scan.meta["label"].tolist() == ["abc", "de", "fghij"]
    if records:
        assert scan.meta["temperature"].tolist() == [300, 310, 320]
        assert scan.meta["odd"].tolist() == [1, 2, 3]


def test_one_record_variable_alone_is_not_padded(tmp_path):
    with netcdf_file(tmp_path / "a.nc", "w") as file:
        file.createDimension("frame", None)
        file.createDimension("q", 3)
        file.createVariable("q", "f8", ("q",))[:] = [1, 2, 3]
        file.createVariable("I", "i2", ("frame", "q"))[:] = np.arange(6).reshape(2, 3)
    (scan,) = scans(tmp_path / "a.nc")
    assert scan.y.tolist() == [[0, 1, 2], [3, 4, 5]]
    raw = bytearray((tmp_path / "a.nc").read_bytes())
    raw[4:8] = b"\xff" * 4  # records were not counted: as many as the file holds
    (tmp_path / "a.nc").write_bytes(raw)
    (scan,) = scans(tmp_path / "a.nc")
    assert scan.y.tolist() == [[0, 1, 2], [3, 4, 5]]


def classic5() -> bytes:
    """CDF-5 by hand: q and I of three points."""

    def text(s):
        return struct.pack(">Q", len(s)) + s + b"\0" * (-len(s) % 4)

    def variable(name, kind, begin):
        return text(name) + struct.pack(">QQ", 1, 0) + bytes(12) + struct.pack(">IQQ", kind, 24, begin)

    head = b"CDF\x05" + struct.pack(">Q", 0) + struct.pack(">IQ", 10, 1) + text(b"q") + struct.pack(">Q", 3) + bytes(12)
    head += struct.pack(">IQ", 11, 2)
    size = len(head) + len(variable(b"q", 6, 0)) + len(variable(b"I", 10, 0))
    head += variable(b"q", 6, size) + variable(b"I", 10, size + 24)
    return head + struct.pack(">3d", 1, 2, 3) + struct.pack(">3q", 7, 8, 2**53)


def test_cdf5_with_wide_numbers(tmp_path):
    (tmp_path / "a.nc").write_bytes(classic5())
    (scan,) = scans(tmp_path / "a.nc")
    assert (scan.x.tolist(), scan.y.tolist()) == ([1, 2, 3], [[7, 8, 2**53]])


def test_a_cut_file_says_where_it_ends(tmp_path):
    write_classic(tmp_path / "a.nc", records=False)
    whole = (tmp_path / "a.nc").read_bytes()
    (tmp_path / "a.nc").write_bytes(whole[:-4])
    with pytest.raises(DamagedFileError, match=f"the file has {len(whole) - 4}: it is cut short"):
        scans(tmp_path / "a.nc")
    (tmp_path / "a.nc").write_bytes(whole[:60])
    with pytest.raises(DamagedFileError, match="header ends after 60 bytes"):
        scans(tmp_path / "a.nc")


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [
        (8, b"\0\0\0\x63", "begins with 99"),
        (12, b"\x7f\xff\xff\xff", "begins with|ends after|header"),
        (4, b"\x7f\xff\xff\xff", "cut short"),
    ],
)
def test_absurd_counts_are_refused_at_once(tmp_path, at, value, why):
    write_classic(tmp_path / "a.nc")
    raw = bytearray((tmp_path / "a.nc").read_bytes())
    raw[at : at + 4] = value
    (tmp_path / "a.nc").write_bytes(raw)
    with pytest.raises(DamagedFileError, match=why):
        scans(tmp_path / "a.nc")


@pytest.mark.parametrize("records", [True, False])
def test_flipped_bytes_give_a_pattern_or_a_clear_error(tmp_path, records):
    write_classic(tmp_path / "a.nc", records=records)
    whole = (tmp_path / "a.nc").read_bytes()
    rng = np.random.default_rng(3)
    done = [0, 0]
    for i in range(600):
        raw = bytearray(whole[: rng.integers(8, len(whole))] if i % 4 == 0 else whole)
        for at in rng.integers(4, len(raw), rng.integers(1, 4)):
            raw[at] = rng.integers(256)
        (tmp_path / "a.nc").write_bytes(raw)
        try:
            NETCDF.read(Source(tmp_path / "a.nc"))
            done[0] += 1
        except (PeakwiseError, *_STUMBLES):
            done[1] += 1
    assert min(done) > 50


def test_sniffing(tmp_path):
    cases = (("a.nc", b"CDF\x01....", True), ("a.cdf", b"CDF\x05", True), ("a.nc", b"CDF text", False))
    for name, content, ours in cases:
        (tmp_path / name).write_bytes(content)
        assert NETCDF.sniff(Source(tmp_path / name)) is ours
    dataset().to_netcdf(tmp_path / "b.dat", engine="h5netcdf")
    assert NETCDF.sniff(Source(tmp_path / "b.dat")) is (b"_NCProperties" in (tmp_path / "b.dat").read_bytes()[:4096])
