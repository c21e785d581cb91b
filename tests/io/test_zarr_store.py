"""Zarr stores of others, and stores made to do harm."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import xarray
import zarr

import peakwise as pw
from peakwise.errors import DamagedFileError, LimitError, PeakwiseError, WriteError
from peakwise.io._read import _STUMBLES
from peakwise.io._source import Source
from peakwise.io.zarr_store import ZARR

Q = np.array([0.5, 1.0, 1.5, 2.0])
FRAMES = np.arange(12.0).reshape(3, 4)


def scans(path):
    source = Source(path)
    assert ZARR.sniff(source)
    return ZARR.read(source)


def write(path, version):
    data = xarray.Dataset(
        {"intensity": (("time", "q"), FRAMES)},
        {
            "q": ("q", Q, {"units": "nm^-1"}),
            "time": ("time", [0.0, 1, 2], {"units": "min"}),
            "label": ("time", ["a", "", "ü"]),
        },
        {"wavelength": 0.2},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data.to_zarr(path, zarr_format=version, consolidated=version == 2)


@pytest.mark.parametrize("version", [2, 3])
def test_a_store_of_somebody_else(tmp_path, version):
    write(tmp_path / "a.zarr", version)
    (scan,) = scans(tmp_path / "a.zarr")
    assert scan.kind == "q"
    np.testing.assert_allclose(scan.x, Q / 10)
    assert scan.y.tolist() == FRAMES.tolist()
    assert scan.meta["time"].tolist() == [0, 60, 120]
    assert scan.meta["label"].tolist() == ["a", "", "ü"]
    assert scan.radiation.wavelength == 0.2


@pytest.mark.parametrize("version", [2, 3])
def test_groups_and_packed_and_sharded_arrays(tmp_path, version):
    root = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version)
    for name in ("one", "two"):
        group = root.create_group(name)
        group.create_array("tth", data=np.arange(8.0))
        sharding = {"shards": (8,)} if version == 3 else {}
        group.create_array("counts", data=np.arange(8, dtype="u2"), chunks=(2,), **sharding)
        group.attrs["score"] = 3
    one, two = scans(tmp_path / "a.zarr")
    assert (one.name, two.name) == ("one", "two")
    assert one.y.tolist() == [list(range(8))]
    assert (one.unit, one.meta["score"]) == ("counts", 3)


def test_through_the_front_door_a_folder_is_one_file(tmp_path):
    write(tmp_path / "a.zarr", 3)
    patterns = pw.read(tmp_path)
    assert patterns.shape == (3, 4)


def array(path):
    return json.loads((path / "intensity/.zarray").read_text())


def change(path, **entries):
    (path / "intensity/.zarray").write_text(json.dumps(array(path) | entries))


def test_no_codec_runs_that_is_not_on_the_list(tmp_path):
    path = tmp_path / "a.zarr"
    write(path, 2)
    change(path, filters=[{"id": "pickle", "protocol": 0}])
    (path / "intensity/0.0").write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "owned").encode() + b"'\ntR.")
    with pytest.raises(DamagedFileError, match="'pickle'"):
        scans(path)
    assert not (tmp_path / "owned").exists()
    write(tmp_path / "b.zarr", 3)
    file = tmp_path / "b.zarr/intensity/zarr.json"
    for codecs, why in (
        ([{"name": "numcodecs.pickle", "configuration": {}}], "numcodecs.pickle"),
        ([{"name": "sharding_indexed", "configuration": {"codecs": ["evil"]}}], "evil"),
    ):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"codecs": codecs}))
        with pytest.raises(DamagedFileError, match=why):
            scans(tmp_path / "b.zarr")


@pytest.mark.parametrize(
    ("entries", "error", "why"),
    [
        ({"shape": [1 << 40, 4]}, PeakwiseError, "no two of its arrays|points"),
        ({"shape": [1 << 40, 4], "chunks": [1 << 40, 4]}, PeakwiseError, "no two of its arrays|points"),
        ({"shape": [1 << 25, 4]}, DamagedFileError, "promises 134217728 numbers"),
        ({"chunks": [1 << 30, 4]}, LimitError, "a chunk of /intensity"),
        ({"chunks": [0, 4]}, DamagedFileError, "chunks"),
        ({"chunks": None}, DamagedFileError, "chunks"),
        ({"shape": "many"}, DamagedFileError, "shape 'many'"),
        ({"shape": [-3, 4]}, DamagedFileError, "shape"),
        ({"dtype": "|O"}, PeakwiseError, "no two of its arrays"),
        ({"dtype": [["a", "<f8"]]}, PeakwiseError, "no two of its arrays"),
        ({"storage_transformers": [{"type": "x"}]}, DamagedFileError, "storage transformers"),
    ],
)
def test_metadata_that_cannot_be_meant(tmp_path, entries, error, why):
    write(tmp_path / "a.zarr", 2)
    change(tmp_path / "a.zarr", **entries)
    with pytest.raises(error, match=why):
        scans(tmp_path / "a.zarr")


def test_metadata_that_is_no_json_object(tmp_path):
    write(tmp_path / "a.zarr", 2)
    file = tmp_path / "a.zarr/intensity/.zarray"
    file.write_text("[1, 2]")
    with pytest.raises(DamagedFileError, match="holds a list"):
        scans(tmp_path / "a.zarr")
    with file.open("wb") as stream:
        stream.truncate(1 << 25)
    with pytest.raises(DamagedFileError, match="33554432 bytes"):
        scans(tmp_path / "a.zarr")


def test_folders_in_folders_are_bounded_and_links_are_not_entered(tmp_path):
    write(tmp_path / "a.zarr", 2)
    (tmp_path / "a.zarr/loop").symlink_to(tmp_path / "a.zarr", target_is_directory=True)
    (tmp_path / "a.zarr/plain").mkdir()
    assert len(scans(tmp_path / "a.zarr")) == 1
    deep = tmp_path / "a.zarr"
    for _ in range(40):
        deep /= "d"
        deep.mkdir()
        (deep / ".zgroup").write_text('{"zarr_format": 2}')
    with pytest.raises(DamagedFileError, match="in another"):
        scans(tmp_path / "a.zarr")


def test_damaged_chunks_and_metadata_give_a_clear_error(tmp_path):
    write(tmp_path / "a.zarr", 2)
    files = [p for p in (tmp_path / "a.zarr").rglob("*") if p.is_file() and p.name != ".zmetadata"]
    rng = np.random.default_rng(5)
    done = [0, 0]
    for _ in range(150):
        file = files[rng.integers(len(files))]
        whole = file.read_bytes()
        raw = bytearray(whole)
        for at in rng.integers(0, len(raw), 2):
            raw[at] = rng.integers(256)
        file.write_bytes(raw)
        try:
            ZARR.read(Source(tmp_path / "a.zarr"))
            done[0] += 1
        except (PeakwiseError, *_STUMBLES):
            done[1] += 1
        file.write_bytes(whole)
    assert min(done) > 20


def test_text_that_cannot_be_stored_is_a_write_error(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise ValueError("no such text")

    monkeypatch.setattr(xarray.Dataset, "to_zarr", refuse)
    with pytest.raises(WriteError, match="cannot be stored"):
        ZARR.write(pw.Patterns([1, 2, 3], [1, 2, 3]), tmp_path / "a.zarr")
    assert list(tmp_path.iterdir()) == []


def test_sniffing(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    assert not ZARR.sniff(Source(tmp_path / "a.zarr"))
    (tmp_path / "f.zarr").write_text("x")
    assert not ZARR.sniff(Source(tmp_path / "f.zarr"))


def test_an_array_alone_holds_no_scan(tmp_path):
    zarr.save_array(tmp_path / "a.zarr", np.arange(4.0), zarr_format=2)
    with pytest.raises(DamagedFileError, match="/array"):
        scans(tmp_path / "a.zarr")
    zarr.save_array(tmp_path / "b.zarr", np.column_stack([Q, Q * 2]), zarr_format=3)
    (scan,) = scans(tmp_path / "b.zarr")
    assert scan.y.tolist() == (Q * 2).tolist()
