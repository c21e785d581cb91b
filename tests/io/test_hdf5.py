"""Plain HDF5 files, files that are still being written, and files made to do harm."""

from __future__ import annotations

import gzip
import subprocess
import sys
import tracemalloc

import h5py
import numpy as np
import pytest

from peakwise.errors import DamagedFileError, LimitError, MissingExtraError, UnfinishedFileError
from peakwise.io._assemble import assemble
from peakwise.io._hdf5_file import catalogue_of, opened
from peakwise.io._source import Source
from peakwise.io.hdf5 import HDF5
from peakwise.io.netcdf import NETCDF


def scans(path):
    return HDF5.read(Source(path))


@pytest.fixture
def plain(tmp_path):
    """Make an HDF5 file from a mapping of paths to arrays; attributes as path@name."""

    def make(arrays):
        path = tmp_path / "a.h5"
        with h5py.File(path, "w") as file:
            for name, value in arrays.items():
                if "@" not in name:
                    file[name] = value
            for name, value in arrays.items():
                if "@" in name:
                    item, attribute = name.split("@")
                    (file[item] if item else file).attrs[attribute] = value
        return path

    return make


X = np.array([1.0, 2, 3, 4])
Y = np.array([5.0, 6.5, 7, 8])


@pytest.mark.parametrize(
    ("axis", "values", "kind"),
    [
        ("tth", "intensity", "two_theta"),
        ("two_theta", "counts", "two_theta"),
        ("2theta", "I", "two_theta"),
        ("TwoTheta", "Data", "two_theta"),
        ("q", "I", "q"),
        ("energy", "mu", "energy"),
        ("Energy_eV", "anything", "energy"),
        ("wavenumber", "absorbance", "wavenumber"),
        ("r", "G(r)", "r"),
        ("x", "y", None),
        ("angle", "something", None),
    ],
)
def test_telling_names(plain, axis, values, kind):
    (scan,) = scans(plain({axis: X, values: Y}))
    assert scan.kind == kind
    np.testing.assert_allclose(scan.x, X * (1e-3 if "eV" in axis else 1))
    assert scan.y.tolist() == [Y.tolist()]


def test_units_of_energies_without_a_unit_come_from_their_size(plain):
    (scan,) = scans(plain({"energy": X + 7110, "mu": Y}))
    assert scan.x.tolist() == pytest.approx([7.111, 7.112, 7.113, 7.114])
    assert (scan.unit, scan.warnings) == ("absorbance", ["the energies have no unit: eV assumed from their size"])
    (scan,) = scans(plain({"energy": X + 7, "mu": Y}))
    assert scan.x.tolist() == [8, 9, 10, 11]
    assert "keV assumed" in scan.warnings[0]


def test_everything_beside_the_scan(plain):
    (scan,) = scans(
        plain(
            {
                "tth": X, "tth@units": "rad", "counts": np.array([1, 2, 3, 4]), "sigma": Y, "monitor": X * 9,
                "temperature": 25.0, "temperature@units": "C", "title": "LaB6", "wavelength": 0.1,
                "wavelength@units": "nm",
                "slit": 0.5, "@beamline": "ID22", "@list": [1, 2], "note": "text",
            }
        )
    )  # fmt: skip
    np.testing.assert_allclose(scan.x, np.degrees(X))
    assert (scan.unit, scan.name) == ("counts", "LaB6")
    assert scan.sigma.tolist() == [Y.tolist()]
    assert scan.radiation.wavelength == pytest.approx(1.0)
    expected = {"beamline": "ID22", "slit": 0.5, "note": "text", "temperature": 298.15, "title": "LaB6"}
    assert scan.meta == expected


def test_several_groups_are_several_scans_with_names_and_attributes(plain):
    arrays = {}
    for number in (10, 2, 1):
        arrays |= {f"scan{number}/tth": X * number, f"scan{number}/I": Y, f"scan{number}@score": number}
    blocks = scans(plain(arrays))
    assert [b.name for b in blocks] == ["scan1", "scan2", "scan10"]
    assert [b.meta["score"] for b in blocks] == [1, 2, 10]
    assert [b.x[0] for b in blocks] == [1, 2, 10]


def test_an_axis_above_the_group_is_shared(plain):
    blocks = scans(plain({"tth": X, "a/I": Y, "b/I": Y + 1, "@wavelength": 0.7}))
    assert [b.y.tolist() for b in blocks] == [[Y.tolist()], [(Y + 1).tolist()]]
    assert [b.radiation.wavelength for b in blocks] == [0.7, 0.7]


def test_a_numbered_series_and_a_stack(plain):
    blocks = scans(plain({"tth": X, "frame1": Y, "frame2": Y * 2, "frame10": Y * 3}))
    assert [b.name for b in blocks] == ["frame1", "frame2", "frame10"]
    frames = np.arange(20).reshape(5, 4)
    for stack in (frames, frames.T):
        (scan,) = scans(plain({"tth": X, "data": stack, "T": np.arange(5.0), "label": list("abcde")}))
        assert scan.y.tolist() == frames.tolist()
        assert scan.meta["T"].tolist() == [0, 1, 2, 3, 4]
        assert scan.meta["label"].tolist() == list("abcde")


def test_columns_of_one_array_and_fields_of_a_table(plain):
    table = np.column_stack([X, Y, Y / 10])
    for columns in (table, table.T):
        (scan,) = scans(plain({"scan": columns}))
        assert (scan.x.tolist(), scan.kind, scan.name) == (X.tolist(), None, "scan")
        assert scan.y.tolist() == Y.tolist()
        assert scan.sigma.tolist() == (Y / 10).tolist()
    fields = np.zeros(4, dtype=[("tth", "f8"), ("counts", "i4"), ("name", "S3")])
    fields["tth"], fields["counts"] = X, [4, 3, 2, 1]
    (scan,) = scans(plain({"scans/first": fields}))
    assert (scan.kind, scan.x.tolist(), scan.y.tolist()) == ("two_theta", X.tolist(), [[4, 3, 2, 1]])


def test_of_two_axes_of_the_same_points_the_one_that_needs_no_wavelength(plain):
    (scan,) = scans(plain({"q": X, "tth": X * 9, "I": Y}))
    assert (scan.kind, scan.x.tolist()) == ("q", X.tolist())
    assert scan.warnings == ["the axis q was taken; also there: tth", "the axis q has no unit: 1/angstrom assumed"]


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"tth": X, "I": Y, "counts": Y}, "/I, /counts"),
        ({"tth": X, "foo": Y, "bar": Y}, "/bar, /foo"),
        ({"tth": X, "two_theta": X, "I": Y}, "/tth, /two_theta"),
        ({"tth": X, "I": np.ones(5)}, r"no two of its arrays.*/I \(5\), /tth \(4\)"),
        ({"a": X, "b": Y}, "no two of its arrays"),
        ({"time": X, "I": Y}, "no two of its arrays"),
        ({"tth": X}, "no two of its arrays"),
        ({"tth": ["1", "2", "3"], "I": X[:3]}, "no two of its arrays"),
        ({"tth": X[:0], "I": X[:0]}, "it holds no numbers"),
        ({"tth": 1.0, "I": 2.0}, "no two of its arrays"),
        ({"tth": X * 1j, "I": Y}, "no two of its arrays"),
        ({}, "it holds no numbers"),
        ({"tth": h5py.Empty("f8"), "I": Y}, "no two of its arrays"),
    ],
)
def test_nothing_is_guessed(plain, arrays, why):
    with pytest.raises(DamagedFileError, match=why):
        scans(plain(arrays))


def test_real_scans_of_xas_with_their_scores(real_data):
    path = real_data / "xas_quality_bmm/transmission.h5"
    blocks = scans(path)
    rows = (real_data / "xas_quality_bmm/manifest.csv").read_text().splitlines()[1:]
    said = {row.split(",")[0].split(":")[1]: row.split(",")[1] for row in rows}
    assert len(blocks) == 148
    # What the manifest calls good or failed is the score that the file itself holds.
    assert {b.name: "good" if b.meta["score"] else "failed measurement" for b in blocks} == said
    first = min(blocks, key=lambda b: b.name)
    assert first.name == "001cae78-9614-40e0-962a-37424c86ddbb"
    assert (first.kind, first.unit, first.x.size) == ("energy", "absorbance", 401)
    assert (first.x[0], first.x[-1]) == pytest.approx((4.766411218580476, 5.70613425270131), rel=1e-15)
    patterns = assemble(Source(path), blocks)
    assert sum(map(len, patterns)) == 148
    assert all(p.radiation is None and np.isfinite(p.intensity).all() for p in patterns)


# --- packed data ----------------------------------------------------------------------------------------------------


def test_filters_of_hdf5plugin_are_loaded_only_when_needed(tmp_path):
    code = """
import sys
from peakwise.io._source import Source
from peakwise.io.hdf5 import HDF5
from peakwise.errors import MissingExtraError
plain, packed = sys.argv[1:3]
assert HDF5.read(Source(plain))[0].y.sum() == 6
assert "hdf5plugin" not in sys.modules
if sys.argv[3] == "lacking":
    sys.modules["hdf5plugin"] = None
    try:
        HDF5.read(Source(packed))
    except MissingExtraError as problem:
        assert "filter 32004" in str(problem) and "pip install peakwise[filters]" in str(problem), problem
        sys.exit(0)
    sys.exit("not refused")
assert HDF5.read(Source(packed))[0].y.sum() == 6
"""
    write = """
import sys, h5py, hdf5plugin, numpy as np
for path, options in zip(sys.argv[1:], ({"compression": "gzip"}, hdf5plugin.LZ4())):
    with h5py.File(path, "w") as file:
        file["q"] = np.arange(4.0)
        file.create_dataset("I", data=np.arange(4.0), chunks=(4,), **options)
"""
    paths = [str(tmp_path / "plain.h5"), str(tmp_path / "packed.h5")]
    subprocess.run([sys.executable, "-c", write, *paths], check=True)
    for mode in ("there", "lacking"):
        subprocess.run([sys.executable, "-c", code, *paths, mode], check=True)


def test_a_filter_that_nobody_has(plain):
    path = plain({"q": X})
    with h5py.File(path, "r+") as file:
        create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        create.set_chunk((4,))
        create.set_filter(31999, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((4,))
        h5py.h5d.create(file.id, b"I", h5py.h5t.NATIVE_DOUBLE, space, create)
        file["I"][...] = Y
    with pytest.raises((DamagedFileError, MissingExtraError), match="filter 31999"):
        scans(path)


# --- still being written --------------------------------------------------------------------------------------------

WRITER = """
import sys, h5py, numpy as np
path, mode = sys.argv[1:3]
file = h5py.File(path, "w", libver="latest" if mode != "old" else "earliest")
frames = file.create_dataset("I", (0, 4), maxshape=(None, 4), chunks=(1, 4), dtype="i4")
times = file.create_dataset("time", (0,), maxshape=(None,), chunks=(8,), dtype="f8")
times.attrs["units"] = "s"
file["tth"] = np.arange(10.0, 14.0)
if mode == "swmr":
    file.swmr_mode = True
for i in range(3):
    frames.resize(i + 1, axis=0)
    frames[i] = [1, 2, 3, 10 * (i + 1)]
    if i < 2 or mode != "swmr":
        times.resize(i + 1, axis=0)
        times[i] = i * 0.5
frames.resize(5, axis=0)
file.flush()
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def writer(tmp_path):
    """Start a program that holds a file open for writing."""
    running = []

    def start(mode):
        path = tmp_path / "live.h5"
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        assert process.stdout.readline().strip() == "ready"
        return path

    yield start
    for process in running:
        process.communicate("\n", timeout=30)


def test_a_swmr_file_gives_the_frames_that_are_complete(writer):
    source = Source(writer("swmr"))
    (scan,) = HDF5.read(source)
    # Five rows exist, three of them are written, and the third has no time yet.
    assert scan.y.tolist() == [[1, 2, 3, 10], [1, 2, 3, 20]]
    assert scan.meta["time"].tolist() == [0, 0.5]
    assert scan.warnings == ["the file is still being written: 2 frames are complete so far"]
    with source.path.open("ab") as stream:
        stream.write(b"\0")
    source.check_finished()  # it may go on growing


@pytest.mark.parametrize("mode", ["latest", "old"])
def test_a_file_held_by_its_writer_is_unfinished(writer, mode):
    with pytest.raises(UnfinishedFileError, match="not closed it|holds it open"):
        scans(writer(mode))


def test_a_finished_file_that_changes_is_still_refused(plain):
    source = Source(plain({"q": X, "I": Y}))
    HDF5.read(source)
    with source.path.open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(UnfinishedFileError):
        source.check_finished()


def test_a_cut_file_says_how_much_is_missing(plain):
    path = plain({"q": np.arange(1000.0), "I": np.arange(1000.0)})
    whole = path.read_bytes()
    path.write_bytes(whole[:9000])
    with pytest.raises(DamagedFileError, match=f"9000 of the {len(whole)} bytes"):
        scans(path)


def test_a_compressed_file_and_one_with_a_user_block(tmp_path, plain):
    path = plain({"q": X, "I": Y})
    (tmp_path / "b.h5.gz").write_bytes(gzip.compress(path.read_bytes()))
    with h5py.File(tmp_path / "c.h5", "w", userblock_size=512) as file:
        file["q"], file["I"] = X, Y
    for other in ("b.h5.gz", "c.h5"):
        source = Source(tmp_path / other)
        assert HDF5.sniff(source)
        assert HDF5.read(source)[0].y.tolist() == [Y.tolist()]


# --- made to do harm ------------------------------------------------------------------------------------------------


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["I"], file["q"] = Y, X
        file["group/I"] = Y
    return path


def test_external_links_are_not_followed(plain, secret):
    for target in ({"I": h5py.ExternalLink("secret.h5", "/I")}, {"I": h5py.SoftLink("/away/I"), "away": None}):
        path = plain({"q": X})
        with h5py.File(path, "r+") as file:
            for name, link in target.items():
                file[name] = link or h5py.ExternalLink(str(secret), "/group")
        with pytest.raises(DamagedFileError, match="not opened"):
            scans(path)


def test_external_links_of_nexus_are_not_followed(tmp_path, secret):
    for link in (h5py.ExternalLink("secret.h5", "/I"), h5py.SoftLink("/away/I")):
        with h5py.File(tmp_path / "a.nxs", "w") as file:
            data = file.create_group("data")
            data.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": "q"})
            data["q"], data["I"] = X, link
            file["away"] = h5py.ExternalLink("secret.h5", "/group")
        with pytest.raises(DamagedFileError, match="lies in another file"):
            scans(tmp_path / "a.nxs")


def test_external_storage_and_virtual_arrays_are_not_opened(plain, secret, tmp_path):
    (tmp_path / "raw.bin").write_bytes(Y.tobytes())
    path = plain({"q": X})
    with h5py.File(path, "r+") as file:
        file.create_dataset("I", (4,), "f8", external=[(str(tmp_path / "raw.bin"), 0, 32)])
    with pytest.raises(DamagedFileError, match="lies outside"):
        scans(path)
    for name in (str(secret), "."):
        path = plain({"q": X, "other": np.ones(7)})
        with h5py.File(path, "r+") as file:
            layout = h5py.VirtualLayout((4,), "f8")
            layout[:] = h5py.VirtualSource(name, "I" if name != "." else "q", (4,))
            file.create_virtual_dataset("I", layout)
        with pytest.raises(DamagedFileError, match="lies outside"):
            scans(path)


def test_links_in_circles_and_deep_groups(plain):
    path = plain({"q": X})
    with h5py.File(path, "r+") as file:
        file["group/again"] = file["/"]  # a group that holds itself
        file["I"] = Y
        file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
    with pytest.raises(DamagedFileError, match="circle"):
        scans(path)
    with h5py.File(path, "r+") as file:
        del file["a"], file["b"]
    assert len(scans(path)) == 1
    with h5py.File(path, "r+") as file:
        file["/".join("d" * 100)] = Y
    with pytest.raises(DamagedFileError, match="deep"):
        scans(path)


@pytest.mark.parametrize(
    ("shape", "dtype", "error", "why"),
    [
        ((1 << 40, 4), "f8", LimitError, "points"),
        ((1 << 24, 4), "f8", DamagedFileError, "promises 67108864 numbers, 0 bytes"),
        ((1 << 60,), "f8", DamagedFileError, "no two of its arrays"),
    ],
)
def test_promises_of_huge_arrays_cost_nothing(plain, shape, dtype, error, why):
    path = plain({"q": X})
    with h5py.File(path, "r+") as file:
        file.create_dataset("I", shape, dtype, chunks=(1 << 16, 4)[: len(shape)])
    tracemalloc.start()
    try:
        with pytest.raises(error, match=why):
            scans(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()


def test_the_sum_of_many_arrays_is_bounded(plain, monkeypatch):
    monkeypatch.setattr("peakwise.io._limits._NAMES", {"points": 20, "bytes": 1 << 30, "scans": 100})
    with pytest.raises(LimitError, match="the file has 24 points"):
        scans(plain({f"s{i}/{n}": X for i in range(3) for n in ("q", "I")}))


def test_a_chunk_that_unpacks_to_a_thousandfold_is_refused(plain):
    import zlib

    path = plain({"q": np.arange(2.0**18)})
    packer = zlib.compressobj(9)
    noise = np.random.default_rng(0).bytes(1 << 20)
    bomb = packer.compress(noise) + packer.compress(bytes(100 << 20)) + packer.flush()
    with h5py.File(path, "r+") as file:
        data = file.create_dataset("I", (1 << 18,), "f8", chunks=(1 << 18,), compression="gzip")
        data.id.write_direct_chunk((0,), bomb)
    assert 1 << 20 < len(bomb) < 1.5 * 2**20
    with pytest.raises(DamagedFileError, match="unpacks to more than its 2097152 bytes"):
        scans(path)


@pytest.mark.parametrize("fletcher", [True, False])
def test_large_honest_chunks_pass(plain, fletcher):
    path = plain({"q": np.arange(2.0**18)})
    noise = np.random.default_rng(0).random(1 << 18)
    with h5py.File(path, "r+") as file:
        file.create_dataset("I", data=noise, chunks=(1 << 18,), compression="gzip", fletcher32=fletcher)
    assert scans(path)[0].y[0].tolist() == noise.tolist()


def test_odd_types_beside_the_scan_do_no_harm(plain):
    path = plain({"q": X, "I": Y})
    with h5py.File(path, "r+") as file:
        file["reference"] = np.array([file["q"].ref, file["I"].ref], dtype=h5py.ref_dtype)
        file["region"] = np.array([file["q"].regionref[1:2]], dtype=h5py.regionref_dtype)
        file["type"] = np.dtype("f8")
        file["opaque"] = np.void(b"\0\1\2")
        file["ragged"] = np.array([np.arange(2), np.arange(3)], dtype=object).astype(h5py.vlen_dtype("i4"))
        file["enumeration"] = np.array([True, False, True, False])
        file["empty"] = h5py.Empty("S1")
        file["sample"] = np.array(["a" * 10_000], dtype=object)
        file["latin"] = np.bytes_("µ".encode("latin-1"))
        file["q"].attrs["units"] = file["q"].ref
        file["I"].attrs["units"] = np.array([1.5, 2.5])
        file.attrs["empty"] = h5py.Empty("S1")
        file.attrs["opaque"] = np.void(b"abc")
        file.attrs["complex"] = 1j
    (scan,) = scans(path)
    assert scan.y.tolist() == [Y.tolist()]
    assert scan.meta["latin"] == "\ufffd"
    assert scan.meta["empty"] == ""
    assert set(scan.meta) == {"latin", "empty", "sample"}


def heap(raw: bytes) -> tuple[int, list[int]]:
    """Where the global heap of a file begins, and where the headers of its objects are."""
    start = raw.index(b"GCOL\x01")
    end, at, places = start + int.from_bytes(raw[start + 8 : start + 16], "little"), start + 16, []
    while at < end:
        places.append(at)
        index, size = int.from_bytes(raw[at : at + 2], "little"), int.from_bytes(raw[at + 8 : at + 16], "little")
        at += 16 + size + -size % 8 if index else size
    return start, places


@pytest.mark.parametrize("size", [0, 1 << 40])
@pytest.mark.parametrize("packed", [False, True])
def test_a_heap_on_which_hdf5_would_never_end_is_refused(plain, tmp_path, size, packed):
    path = plain({"q": X, "I": Y, "title": "LaB6"})
    raw = bytearray(path.read_bytes())
    _, places = heap(raw)
    raw[places[-1] + 8 : places[-1] + 16] = size.to_bytes(8, "little")
    path = tmp_path / "b.h5"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    with pytest.raises(DamagedFileError, match=f"heap of its texts is damaged at byte {places[-1]}"):
        scans(path)


@pytest.mark.parametrize("packed", [False, True])
def test_texts_longer_than_the_file_are_refused_before_room_is_made(plain, tmp_path, packed):
    path = plain({"q": X, "I": Y, "label": ["one", "two", "six"]})
    with h5py.File(path) as file:
        at = file["label"].id.get_offset()
    raw = bytearray(path.read_bytes())
    assert raw[at : at + 4] == (3).to_bytes(4, "little")
    raw[at : at + 4] = b"\xff\xff\xff\x7f"
    path = tmp_path / "b.h5"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    with opened(Source(path)) as file:
        found = catalogue_of(file, Source(path))
        with pytest.raises(DamagedFileError, match="3 texts of 2147483653 bytes"):
            found.columns["/label"].load()


def test_a_text_whose_type_is_damaged_is_passed_over(plain):
    path = plain({"q": X, "I": Y, "@colour": "red"})
    raw = path.read_bytes()
    at = raw.index(b"colour\0\0") + 8
    assert raw[at : at + 2] == b"\x19\x01"  # version 1, class 9 (of any length); 1: text
    path.write_bytes(raw[: at + 1] + b"\x97" + raw[at + 2 :])
    (scan,) = scans(path)
    assert "colour" not in scan.meta


def test_chunks_and_texts_beyond_reason(plain):
    path = plain({"q": X, "I": Y})
    with h5py.File(path, "r+") as file:
        file.create_dataset("tth", (4,), "f8", maxshape=(None,), chunks=(1 << 28,))
        file.create_dataset("label", (1,), "S100000")
        file.create_dataset("quadruple", data=X.astype(np.longdouble))
    source = Source(path)
    with opened(source) as file:
        columns = catalogue_of(file, source).columns
        with pytest.raises(DamagedFileError, match="in chunks of"):
            columns["/tth"].load()
        with pytest.raises(DamagedFileError, match="1 texts of 100000 bytes"):
            columns["/label"].load()
        assert columns["/quadruple"].load().dtype == np.float64


def test_types_that_numpy_does_not_have(plain):
    path = plain({"q": X, "I": Y})
    with h5py.File(path, "r+") as file:
        space = h5py.h5s.create_simple((4,))
        time = h5py.h5t.UNIX_D32LE
        h5py.h5d.create(file.id, b"moment", time, space)
        h5py.h5a.create(file.id, b"moment", time, h5py.h5s.create(h5py.h5s.SCALAR))
    (scan,) = scans(path)
    assert "moment" not in scan.meta


def test_too_many_objects(plain, monkeypatch):
    monkeypatch.setattr("peakwise.io._hdf5_file._MOST_OBJECTS", 3)
    with pytest.raises(DamagedFileError, match="more than 3 objects"):
        scans(plain({"a/q": X, "a/I": Y, "b": 1}))


def test_units_of_intensities(plain):
    for unit, expected in (
        ("counts", "counts"), ("cps", "counts/s"), ("counts/s", "counts/s"), ("absorbance", "absorbance"),
        ("a.u.", "arbitrary"), ("furlongs", "unknown"), ("", "unknown"),
    ):  # fmt: skip
        (scan,) = scans(plain({"q": X, "I": Y, "I@units": unit}))
        assert scan.unit == expected


def test_frames_of_nan_stay_and_are_counted(plain):
    frames = np.ones((3, 4))
    frames[1] = np.nan
    path = plain({"q": X, "I": frames})
    (patterns,) = assemble(Source(path), scans(path))
    assert np.isnan(patterns.intensity[1]).all()
    assert "1 patterns are empty" in " ".join(patterns.warnings)


@pytest.mark.parametrize("layout", ["earliest", "latest", "nexus", "own", "nc"])
def test_flipped_bytes_and_cuts_give_patterns_or_a_clear_error(tmp_path, layout):
    """Run apart: damage may bring down the HDF5 library itself, which must not look like a passed test."""
    code = """
import sys, warnings
import numpy as np, h5py
from pathlib import Path
from peakwise.errors import PeakwiseError
from peakwise.io._read import _STUMBLES
from peakwise.io._source import Source
from peakwise.io.hdf5 import HDF5
from peakwise.io.netcdf import NETCDF
from peakwise.patterns import Patterns
folder, layout = Path(sys.argv[1]), sys.argv[2]
path = folder / ("a.nc" if layout == "nc" else "a.h5")
if layout in ("own", "nc"):
    p = Patterns(np.arange(9), np.arange(18).reshape(2, 9), "q", meta={"label": ["a", "b"]}, wavelength=1)
    (HDF5 if layout == "own" else NETCDF).write(p, path)
else:
    with h5py.File(path, "w", libver="latest" if layout == "latest" else "earliest") as f:
        g = f.create_group("entry/data")
        f["entry"].attrs["NX_class"] = "NXentry" if layout == "nexus" else ""
        g.attrs.update({"NX_class": "NXdata", "signal": "I", "axes": "q"} if layout == "nexus" else {"a": 1})
        g["q"] = np.arange(30.0)
        g.create_dataset("I", data=np.arange(60).reshape(2, 30), chunks=(1, 30), compression="gzip", shuffle=True)
        g["temperature"] = [1.0, 2]
        g["label"] = ["x", "y"]
whole = path.read_bytes()
rng = np.random.default_rng(8)
form = NETCDF if layout == "nc" else HDF5
used = np.flatnonzero(np.frombuffer(whole, np.uint8))
done = [0, 0]
for i in range(600):
    data = bytearray(whole)
    if i % 8 == 0:
        data = data[: rng.integers(8, len(data))]
    else:
        for at in rng.choice(used, rng.integers(1, 5)):
            data[at] = rng.integers(256)
    path.write_bytes(data)
    try:
        form.read(Source(path))
        done[1] += 1
    except (PeakwiseError, *_STUMBLES):
        done[0] += 1
print(done)
assert min(done) > 2, done
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path), layout], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, (run.returncode, run.stdout, run.stderr[-2000:])


def test_sniffing_takes_the_right_door(plain, tmp_path):
    source = Source(plain({"q": X}))
    assert HDF5.sniff(source)
    assert not NETCDF.sniff(source)
    (tmp_path / "t.h5").write_text("not hdf5")
    assert not HDF5.sniff(Source(tmp_path / "t.h5"))
