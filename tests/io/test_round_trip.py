"""`Patterns` through .h5, .nc and .zarr: nothing is lost, nothing else is touched."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
import xarray
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from peakwise.errors import DamagedFileError, WriteError
from peakwise.io._source import Source
from peakwise.io.hdf5 import HDF5
from peakwise.io.netcdf import NETCDF
from peakwise.io.zarr_store import ZARR
from peakwise.patterns import AXES, Patterns, Radiation

STORES = {"h5": HDF5, "nc": NETCDF, "zarr": ZARR}
every_store = pytest.mark.parametrize("suffix", STORES)


def full() -> Patterns:
    return Patterns(
        [1, 2, 3.1],
        np.array([[1, 2, np.nan], [4, 5e-30, 6]], dtype=np.float32),
        "two_theta",
        sigma=[[1, 1, 1], [2, 0, np.nan]],
        names=["", "é☃ 雪\n"],
        meta={
            "temperature": [300.5, np.nan],
            "n": np.array([-(2**63), 2**63 - 1]),
            "n_unsigned": np.array([2**64 - 1, 0], dtype=np.uint64),
            "small": np.array([-128, 127], dtype=np.int8),
            "single": np.array([0.1, np.inf], dtype=np.float32),
            "good": [True, False],
            "empty": ["", ""],
            "label": ["", "α-Fe₂O₃ "],
            "x": [1, 2],
            "a/b": ["c", "d"],
            "": [3, 4],
            "Label": [5.0, 6.0],
            "sigma": ["p", "q"],
            "temperature [°C]": [1, 2],
        },
        wavelength=Radiation(1.5406, ((1.5406, 1.0), (1.5444, 0.497)), "Cu", "neutron"),
        unit="counts/s",
        warnings=["one\ntwo", "drei äöü", "w" * 100_000],
        failed=[("a.xy", "why"), ("ü.raw", "")],
    )


def back(suffix: str, patterns: Patterns, path) -> Patterns:
    STORES[suffix].write(patterns, path)
    source = Source(path)
    assert STORES[suffix].sniff(source)
    (read,) = STORES[suffix].read(source)
    return read


def assert_same(read: Patterns, written: Patterns) -> None:
    assert read.equals(written)
    assert read.intensity.dtype == written.intensity.dtype
    assert {k: v.dtype.kind for k, v in read.meta.items()} == {k: v.dtype.kind for k, v in written.meta.items()}
    assert {k: v.dtype for k, v in read.meta.items() if v.dtype.kind != "U"} == {
        k: v.dtype for k, v in written.meta.items() if v.dtype.kind != "U"
    }


@every_store
def test_every_field_comes_back(tmp_path, suffix):
    assert_same(back(suffix, full(), tmp_path / f"a.{suffix}"), full())


@every_store
@pytest.mark.parametrize("kind", AXES)
def test_every_kind_of_axis_comes_back_bare(tmp_path, suffix, kind):
    bare = Patterns([1, 2.5, 3], [[0, 0, 1]], kind)
    assert_same(back(suffix, bare, tmp_path / f"a.{suffix}"), bare)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
columns = st.one_of(
    hnp.arrays(np.float64, 2),
    hnp.arrays(st.sampled_from([np.int32, np.int64, np.uint8, np.bool_]), 2),
    st.lists(texts, min_size=2, max_size=2).map(lambda v: np.array(v, dtype=np.str_)),
)


@every_store
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    intensity=hnp.arrays(st.sampled_from([np.float32, np.float64]), (2, 3)),
    meta=st.dictionaries(texts, columns, max_size=3),
    names=st.lists(texts, min_size=2, max_size=2),
    notes=st.lists(texts, max_size=2),
)
def test_anything_comes_back(tmp_path, suffix, intensity, meta, names, notes):
    written = Patterns([1, 2, 3], intensity, "q", names=names, meta=meta, warnings=notes)
    assert_same(back(suffix, written, tmp_path / f"a.{suffix}"), written)


def test_xarray_reads_netcdf_and_zarr_without_us(tmp_path):
    NETCDF.write(full(), tmp_path / "a.nc")
    ZARR.write(full(), tmp_path / "a.zarr")
    options = {"decode_times": False, "decode_timedelta": False}
    data = xarray.load_dataset(tmp_path / "a.nc", engine="h5netcdf", **options)
    assert Patterns.from_xarray(data).equals(full())
    data = xarray.open_zarr(tmp_path / "a.zarr", consolidated=False, chunks=None, **options).load()
    assert Patterns.from_xarray(data).equals(full())
    assert float(data["intensity"].sel(x=2)[1]) == np.float32(5e-30)
    assert data.attrs["wavelength"] == 1.5406


def test_a_netcdf_file_renamed_to_h5_is_still_ours(tmp_path):
    NETCDF.write(full(), tmp_path / "a.nc")
    (tmp_path / "a.nc").rename(tmp_path / "a.h5")
    (read,) = HDF5.read(Source(tmp_path / "a.h5"))
    assert read.equals(full())


def test_h5_is_nexus_that_others_can_plot(tmp_path):
    HDF5.write(full(), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        entry = file[file.attrs["default"]]
        data = entry[entry.attrs["default"]]
        assert (entry.attrs["NX_class"], data.attrs["NX_class"]) == ("NXentry", "NXdata")
        assert list(data.attrs["axes"]) == [".", "two_theta"]
        assert data[data.attrs["signal"]].shape == (2, 3)
        assert data["two_theta"].attrs["units"] == "deg"
        assert data["intensity_errors"][1, 0] == 2
        beam = file["entry/instrument/beam"]
        assert beam["incident_wavelength"][:].tolist() == [1.5406, 1.5444]
        assert beam["incident_wavelength"].attrs["units"] == "angstrom"
        assert beam["incident_wavelength_weights"][:].tolist() == [1.0, 0.497]


def test_a_wavelength_that_nobody_stated_is_not_written_as_a_fact(tmp_path):
    assumed = full().replace(radiation=Radiation(1.5419, assumed=True))
    for suffix, form in STORES.items():
        read = back(suffix, assumed, tmp_path / f"a.{suffix}")
        assert read.radiation == assumed.radiation, form
    with h5py.File(tmp_path / "a.h5") as file:
        assert "instrument" not in file["entry"]
    assert xarray.load_dataset(tmp_path / "a.nc", engine="h5netcdf").attrs["wavelength_assumed"] == 1


@every_store
def test_a_large_table_is_packed(tmp_path, suffix):
    flat = Patterns(np.arange(1000), np.zeros((300, 1000)), "q")
    assert back(suffix, flat, tmp_path / f"a.{suffix}").equals(flat)
    path = tmp_path / f"a.{suffix}"
    size = sum(p.stat().st_size for p in path.rglob("*") if p.is_file()) if path.is_dir() else path.stat().st_size
    assert size < 300 * 1000 * 8 / 20


@every_store
def test_text_that_cannot_be_stored_is_a_write_error_and_leaves_nothing(tmp_path, suffix):
    bad = Patterns([1, 2, 3], [1, 2, 3], meta={"label": ["a\ud800"]})
    if suffix == "zarr":  # keeps texts as code points, so that even a lone surrogate comes back
        assert back(suffix, bad, tmp_path / "a.zarr").equals(bad)
        return
    with pytest.raises(WriteError, match="cannot be stored"):
        STORES[suffix].write(bad, tmp_path / f"a.{suffix}")
    assert list(tmp_path.iterdir()) == []


@every_store
def test_an_interrupted_write_leaves_the_old_file(tmp_path, suffix, monkeypatch):
    path = tmp_path / f"a.{suffix}"
    STORES[suffix].write(full(), path)

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(h5py.Group, "create_dataset", interrupted)
    monkeypatch.setattr(xarray.Dataset, "to_netcdf", interrupted)
    monkeypatch.setattr(xarray.Dataset, "to_zarr", interrupted)
    with pytest.raises(KeyboardInterrupt):
        STORES[suffix].write(full().crop(1, 2), path)
    monkeypatch.undo()
    (read,) = STORES[suffix].read(Source(path))
    assert read.equals(full())
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_store_of_ours_is_replaced_but_nothing_else(tmp_path):
    path = tmp_path / "a.zarr"
    ZARR.write(full(), path)
    ZARR.write(full().crop(1, 2), path)
    assert ZARR.read(Source(path))[0].n_points == 2
    (path / "notes.txt").write_text("mine")
    with pytest.raises(WriteError, match="did not write"):
        ZARR.write(full(), path)
    assert (path / "notes.txt").read_text() == "mine"
    foreign = tmp_path / "b.zarr"
    xarray.Dataset({"y": ("x", [1, 2, 3])}).to_zarr(foreign, zarr_format=2, consolidated=False)
    (tmp_path / "c.zarr").mkdir()
    for target in (foreign, tmp_path / "c.zarr"):
        before = sorted(target.rglob("*"))
        with pytest.raises(WriteError, match="did not write"):
            ZARR.write(full(), target)
        assert sorted(target.rglob("*")) == before


def test_a_newer_layout_and_missing_parts_are_refused(tmp_path):
    path = tmp_path / "a.h5"
    for change, why in (
        (lambda f: f.attrs.__setitem__("peakwise_layout", 99), "layout 99"),
        (lambda f: f.__delitem__("entry/metadata"), "/entry/metadata is missing"),
        (lambda f: f.__delitem__("entry/data/two_theta"), "/entry/data/two_theta is missing"),
        (lambda f: f["entry/patterns"].attrs.__setitem__("kind", "colour"), "'colour'"),
    ):
        HDF5.write(full(), path)
        with h5py.File(path, "r+") as file:
            change(file)
        with pytest.raises(DamagedFileError, match=why):
            HDF5.read(Source(path))
