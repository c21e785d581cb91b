"""What every line of the table `FORMATS` keeps: walks the table, so a new format is tested as soon as it is there."""

from __future__ import annotations

import gzip
import random
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import peakwise as pw
from peakwise.errors import PeakwiseError
from peakwise.io import FORMATS, META, Source
from samples import COMPANIONS, SAMPLES, format_of
from strategies import patterns

every_sample = pytest.mark.parametrize("name", SAMPLES)
# A store is a folder: its name ends in .zarr, so that folders of files are searched through, and nobody compresses it.
every_file = pytest.mark.parametrize("name", [n for n in SAMPLES if not FORMATS[format_of(n)].folder])

# Names of metadata beside those of META that formats give: what they are stands in the documentation of the formats.
EXTRAS = {
    "file", "label", "comment", "bank", "real_time", "resolution", "data_type", "origin", "y_label",
    "regulation_temperature",
}  # fmt: skip
LONGEST = 5.0  # seconds for any file of these sizes, on a busy machine


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All samples, written once; tests that change one copy it first."""
    paths = {}
    for i, (name, write) in enumerate(SAMPLES.items()):
        folder = tmp_path_factory.mktemp(f"sample{i}")
        paths[name] = write(folder)
    return paths


def put(path: Path, folder: Path, name: str | None = None) -> Path:
    """A copy of a sample with its companions."""
    target = folder / (name or path.name)
    shutil.copytree(path, target) if path.is_dir() else shutil.copy(path, target)
    for other in path.parent.iterdir():
        if other != path:
            shutil.copy(other, folder / other.name)
    return target


def read(path: Path) -> pw.io.FileRead:
    start = time.perf_counter()
    (one,) = pw.read_each(path)
    assert time.perf_counter() - start < LONGEST
    return one


def test_names():
    for name, form in FORMATS.items():
        assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name), f"{name}: lower case with underscores"
        assert form.name == name
        assert form.title
        assert len(form.title) < 100
        assert form.suffixes, f"{name} has no suffix"
        assert all(s == s.lower() and s.startswith(".") for s in form.suffixes + form.written)
        assert (form.write is None) == (not form.written)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_sample(name):
    assert name in {format_of(s) for s in SAMPLES}, f"{name} has no sample in tests/samples.py"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_has_a_format(name, made):
    assert format_of(name) in FORMATS
    assert {p.name for p in made[name].parent.iterdir()} == {made[name].name, *COMPANIONS.get(format_of(name), ())}


@every_sample
def test_a_sample_is_read(name, made):
    one = read(made[name])
    assert one.error is None
    assert one.format == format_of(name)
    assert one.patterns
    for scans in one.patterns:
        assert scans.n_points >= 3
        assert np.isfinite(scans.axis).all()
        assert (np.diff(scans.axis) > 0).all()
        assert np.isfinite(scans.intensity).any(axis=1).all()
        assert set(scans.meta) <= set(META) | EXTRAS
        if "temperature" in scans.meta:
            assert ((scans.meta["temperature"] > 1) & (scans.meta["temperature"] < 3000)).all()
        if scans.wavelength is not None:
            assert 0.05 < scans.wavelength < 20


@every_file
@pytest.mark.parametrize("suffix", ["", ".bin", ".xy", ".raw", ".dat", ".csv", ".cif", ".h5", ".txt"])
def test_a_sample_is_recognised_by_its_content_alone(name, suffix, made, tmp_path):
    path = put(made[name], tmp_path, f"renamed{suffix or made[name].suffix.upper()}")
    for companion in COMPANIONS.get(format_of(name), ()):
        (tmp_path / companion).rename(tmp_path / f"renamed{Path(companion).suffix}")
    one = read(path)
    # netCDF-4 is HDF5: under a foreign name it may go through that door, to the same patterns.
    known_as = {"netcdf", "hdf5"} if name.startswith("netcdf 4") else {format_of(name)}
    assert one.error is None
    assert one.format in known_as
    same = read(made[name])
    assert [p.intensity.tolist() for p in one.patterns] == [p.intensity.tolist() for p in same.patterns]


@every_file
def test_a_sample_is_read_when_compressed(name, made, tmp_path):
    path = made[name]
    packed = put(path, tmp_path, path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    one, same = read(packed), read(path)
    assert (one.format, one.error) == (format_of(name), None)
    assert [p.intensity.tolist() for p in one.patterns] == [p.intensity.tolist() for p in same.patterns]
    assert [p.axis.tolist() for p in one.patterns] == [p.axis.tolist() for p in same.patterns]
    assert [p.names.tolist() for p in one.patterns] == [p.names.tolist() for p in same.patterns]


@every_sample
def test_nobody_claims_what_is_not_his(name, made):
    """Only plain text, which is asked last, may take what is somebody else's."""
    source = Source(made[name])
    own = format_of(name)
    claimed = [n for n, form in FORMATS.items() if form.folder == source.is_folder and form.sniff(source)]
    if claimed == ["netcdf", "hdf5"]:  # netCDF-4 is HDF5, and netCDF is asked first
        claimed = [own]
    assert [n for n in claimed if n != "text"] == [own][: own != "text"]


RANDOM = random.Random(5)
NOISE = {
    "empty": b"",
    "one byte": b"\x00",
    "new line": b"\n",
    "zeros": bytes(5000),
    "ones": b"\xff" * 5000,
    "spaces": b" " * 5000,
    "digits": b"1234567890 " * 500,
    "brackets": b"[{(<" * 1500,
    **{f"random {n}": RANDOM.randbytes(n) for n in (1, 3, 4, 17, 511, 512, 4096, 20_000)},
    **{f"beginning {m!r} and noise": m + RANDOM.randbytes(3000) for m in (
        b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"CDF\x01", b"CDF\x05", b"RAW ", b"RAW2", b"RAW1.01", b"RAW4.00",
        b"RAW_1.06", b"V3RD", b"\x93NUMPY\x01\x00", b"<?xml", b"II*\0", b"MM\0*", b"###CBF:", b"\x1f\x8b\x08", b"BZh9",
        b"\xfd7zXZ\0", b"\xff\xfe", b"data_a\nloop_\n", b"##TITLE=", b"*RAS_DATA_START", b"BANK 1 2 3 CONST",
    )},
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_sniffing_never_raises(name, made, tmp_path):
    form = FORMATS[name]
    for suffix in ("", *form.suffixes):
        for what, content in NOISE.items():
            if content[:2] in (b"\x1f\x8b", b"BZ", b"\xfd7"):
                continue  # refused while it is decompressed, before anybody is asked
            path = tmp_path / f"noise{suffix}"
            path.write_bytes(content)
            claimed = form.sniff(Source(path))
            assert isinstance(claimed, bool), what
            if what == "empty" or (what.startswith("random") and len(content) > 100):
                assert not claimed, what
    for path in made.values():
        assert isinstance(form.sniff(Source(path)), bool)
        beside = tmp_path / f"foreign{form.suffixes[0]}"
        if path.is_file():
            shutil.copy(path, beside)
            assert isinstance(form.sniff(Source(beside)), bool)


@pytest.mark.parametrize("what", NOISE)
@pytest.mark.parametrize("name", [None, *FORMATS])
def test_noise_is_refused_in_one_sentence(what, name, tmp_path):
    """Also when a user insists that it is a certain format."""
    path = tmp_path / "noise"
    path.write_bytes(NOISE[what])
    (one,) = pw.read_each(path, format=name)
    if one.error is None:  # columns of digits are a table to those who insist
        assert what == "digits"
    else:
        assert "\n" not in str(one.error)
        assert len(str(one.error)) < 1500


@every_sample
def test_a_sample_cut_at_any_place_is_refused_or_read(name, made, tmp_path):
    path = put(made[name], tmp_path)
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        whole = file.read_bytes()
        for share in range(20):
            file.write_bytes(whole[: len(whole) * share // 20])
            one = read(path)
            assert (one.error is None) == bool(one.patterns)
        file.write_bytes(whole)
    assert read(path).error is None


@pytest.mark.parametrize("suffix", [s for form in FORMATS.values() if form.write for s in form.written])
def test_whatever_is_written_is_recognised(suffix, tmp_path):
    scan = pw.Patterns([1, 2, 3], [4, 5, 6], "q", unit="counts", names=["a"])
    pw.write(scan, tmp_path / f"a{suffix}")
    one = read(tmp_path / f"a{suffix}")
    assert suffix in FORMATS[one.format].written
    (back,) = one.patterns
    assert back.axis.tolist() == [1, 2, 3]
    assert back.intensity.tolist() == [[4, 5, 6]]
    assert (back.kind, back.unit) == ("q", "counts")


@pytest.mark.parametrize("suffix", [".nc", ".h5", ".zarr"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scans=patterns())
def test_stores_keep_everything(suffix, tmp_path, scans):
    path = tmp_path / f"a{suffix}"
    pw.write(scans, path)
    form = next(f for f in FORMATS.values() if suffix in f.written)
    (back,) = form.read(Source(path))
    assert back.equals(scans)


def test_a_refusal_says_what_why_and_what_to_do(tmp_path):
    path = tmp_path / "a.xy"
    path.write_bytes(b"1 2\n")
    error = read(path).error
    assert isinstance(error, PeakwiseError)
    assert error.file == str(path)
    assert error.what
    assert error.why
    assert error.do
