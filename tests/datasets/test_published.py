"""Loaders of sets that others publish, on small files of the same layout."""

from __future__ import annotations

import bz2
import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from peakwise import datasets
from peakwise.datasets import zenodo_4424866 as zenodo
from peakwise.datasets._archive import members_of
from peakwise.datasets._lammps import read_columns
from peakwise.datasets.gold_md import DESCRIPTORS
from peakwise.errors import DamagedFileError, LimitError, NothingToReadError, OptionError

ARCHIVE = Path(__file__).parents[1] / "data" / "seven_zip" / "lzma2.7z"
FRAMES = {
    f"ramp/Mg20Fe80O_{k:05d}.xy": "".join(f"{6 + i / 50:.4f} {i % 9 + k}\n" for i in range(40)) for k in (1, 2, 10, 349)
}


@pytest.fixture
def zipped(tmp_path):
    def make(members, name="set.zip"):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for key, content in members.items():
                archive.writestr(key, content)
        return path

    return make


# ---------- Zenodo 4424866 ----------


def test_the_ramp_through_the_whole_chain(shop, cache, monkeypatch):
    """Fetched from a server under the record's own address, checked, and read out of a 7z archive."""
    path = "/record/4424866/files/" + zenodo.ZENODO_4424866.files[0].name
    shop.files[path] = ARCHIVE.read_bytes()
    file = replace(zenodo.ZENODO_4424866.files[0], url=shop.url + path)
    monkeypatch.setattr(zenodo, "ZENODO_4424866", replace(zenodo.ZENODO_4424866, files=(file,)))
    series = datasets.load("zenodo-4424866")
    assert series.names.tolist() == ["frame_1", "frame_2", "frame_10"]
    assert series.axis.tolist() == pytest.approx([5 + i / 10 for i in range(20)])
    assert series.intensity.tolist() == [[i * k for i in range(20)] for k in (1, 2, 10)]
    assert series.meta["frame"].tolist() == [1, 2, 10]
    assert series.meta["time"].tolist() == pytest.approx([0, 0.1, 0.9])
    assert (series.wavelength, series.kind, set(series.meta)) == (0.4828, "two_theta", {"frame", "time", "count_time"})
    assert series.warnings == ("3 frames, where the record is described with 349",)
    assert str(cache) not in "".join(series.warnings)


def test_the_ramp_from_an_archive_or_folder_of_ones_own(zipped, tmp_path):
    packed = datasets.load("zenodo-4424866", source=zipped(FRAMES))
    folder = tmp_path / "unpacked"
    for name, text in FRAMES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "readme.txt").write_text("what this is")
    loose = datasets.load("zenodo-4424866", source=folder)
    for one in (packed, loose):
        assert one.meta["frame"].tolist() == [1, 2, 10, 349]
        assert one.shape == (4, 40)
        assert one.intensity[:, 0].tolist() == [1, 2, 10, 349]


def test_names_without_numbers_are_counted(zipped):
    files = {f"{c}.xy": t for c, t in zip("abcd", FRAMES.values(), strict=True)}
    assert datasets.load("zenodo-4424866", source=zipped(files)).meta["frame"].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"readme.md": "x"}, "no text file of two columns"),
        ({"a_1.xy": "5 1\n6 2\n7 3\n", "a_2.xy": "no numbers at all"}, "1 of its 2 files are no patterns"),
    ],
)
def test_a_ramp_that_is_none(zipped, members, why):
    with pytest.raises(DamagedFileError, match=why):
        datasets.load("zenodo-4424866", source=zipped(members))


# ---------- archives ----------


def test_hostile_members_are_never_written(zipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = zipped(
        {"../../evil_1.xy": FRAMES["ramp/Mg20Fe80O_00001.xy"], "/tmp/evil_2.xy": FRAMES["ramp/Mg20Fe80O_00002.xy"]}
    )
    before = sorted(p for p in tmp_path.parent.rglob("*") if "evil" in p.name)
    series = datasets.load("zenodo-4424866", source=hostile)
    assert series.names.tolist() == ["evil_1", "evil_2"]
    assert sorted(p for p in tmp_path.parent.rglob("*") if "evil" in p.name) == before
    assert not Path("/tmp/evil_2.xy").exists()


def test_tar_archives_without_links(tmp_path):
    path = tmp_path / "set.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in FRAMES.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
        link = tarfile.TarInfo("secret_7.xy")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    assert [n for n, _ in members_of(path, r".*\.xy")] == list(FRAMES)


def test_links_out_of_a_folder_are_passed_over(tmp_path):
    (tmp_path / "outside.xy").write_text("secret")
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a_1.xy").write_text("5 1\n")
    (folder / "a_2.xy").symlink_to(tmp_path / "outside.xy")
    assert members_of(folder, r".*\.xy") == [("a_1.xy", b"5 1\n")]


def test_archives_that_grow_too_large(zipped, monkeypatch, tmp_path):
    path = zipped({"a.xy": "0" * 5000})
    monkeypatch.setattr("peakwise.datasets._archive.MAX_BYTES", 1000)
    with pytest.raises(DamagedFileError, match="grows to more than 1000 bytes"):
        members_of(path, r".*\.xy")
    tar = tmp_path / "set.tar.bz2"
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        info = tarfile.TarInfo("a.xy")
        info.size = 5000
        archive.addfile(info, io.BytesIO(bytes(5000)))
    tar.write_bytes(bz2.compress(raw.getvalue()))
    with pytest.raises(DamagedFileError, match="grows to more than 1000 bytes"):
        members_of(tar, r".*\.xy")
    folder = tmp_path / "many"
    folder.mkdir()
    for k in range(3):
        (folder / f"{k}.xy").write_bytes(bytes(400))
    with pytest.raises(LimitError, match="more than 1000 bytes"):
        members_of(folder, r".*\.xy")
    (folder / "0.xy").write_bytes(bytes(1400))
    with pytest.raises(DamagedFileError, match=r"0\.xy has more than 1000 bytes"):
        members_of(folder, r".*\.xy")
    (tmp_path / "large.7z").write_bytes(bytes(1400))
    with pytest.raises(DamagedFileError, match="it has more than 1000 bytes"):
        members_of(tmp_path / "large.7z", r".*\.xy")


def test_broken_archives(tmp_path, zipped):
    good = zipped({"a.xy": "5 1\n" * 500}).read_bytes()
    for name, content, why in (
        ("cut.zip", good[:-30], "cut short or broken"),
        ("cut.tar.gz", b"\x1f\x8b\x08junk", "cut short or broken"),
        ("cut.7z", ARCHIVE.read_bytes()[:-9], "cut short: it should have"),
        ("text.xy", b"5 1\n", "neither a 7z nor a zip nor a tar"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DamagedFileError, match=why):
            members_of(tmp_path / name, r".*\.xy")
    with pytest.raises(NothingToReadError, match="no such file or folder"):
        members_of(tmp_path / "nothing.7z", r".*")


# ---------- Materials Data Facility ----------


def histogram(values, low=30.0, high=90.0):
    """As LAMMPS writes it (documentation of fix ave/histo): two time steps, of which the last counts."""
    n = len(values)
    width = (high - low) / n
    out = "# Histogram-averaged data for fix 4\n"
    out += "# TimeStep Number-of-bins Total-counts Missing-counts Min-value Max-value\n"
    out += "# Bin Coord Count Count/Total\n"
    for step, factor in ((0, 0.0), (100, 1.0)):
        out += f"{step} {n} {factor * sum(values):g} 0 {low:g} {high:g}\n"
        for i, v in enumerate(values):
            out += f"{i + 1} {low + (i + 0.5) * width:g} {factor * v:g} {v / sum(values):g}\n"
    return out


def gold(n=3):
    rng = np.random.default_rng(1)
    members, table = {}, "structure,sigma_xx,fcc,dislocation_density\n"
    for k in range(n):
        members[f"set/Au/XRD/Au_strain_{k}.xrd"] = histogram(rng.integers(1, 99, 6).tolist())
        members[f"set/Au/VDoS/Au_strain_{k}_vdos.txt"] = "".join(f"{w} {w * k}\n" for w in (0, 800, 1667.7))
        table += f"Au/Au_strain_{k},{-10.5 * k},{1 - 0.1 * k},{k}e-4\n"
    return members | {"set/Au/descriptors.csv": table, "set/Fe/XRD/Fe_1.xrd": histogram([1, 2, 3, 4, 5, 6])}


def test_profiles_and_descriptors_by_structure(zipped):
    members = gold()
    one = datasets.load("mdf-tac2-v14v", source=zipped(members))
    assert one.axis.tolist() == [35, 45, 55, 65, 75, 85]
    assert (len(one), one.kind, one.wavelength) == (3, "two_theta", 1.54)
    first = np.random.default_rng(1).integers(1, 99, 6).tolist()
    assert one.intensity[0].tolist() == first
    assert one.warnings == ()
    assert one.meta["sigma_xx"].tolist() == [0, -10.5, -21]
    assert one.meta["dislocation_density"].tolist() == pytest.approx([0, 1e-4, 2e-4])


def test_profiles_without_descriptors_are_told(zipped):
    members = {k: v for k, v in gold().items() if "descriptors" not in k}
    members["set/Au/descriptors.csv"] = "structure,fcc\nAu/Au_strain_1,0.5\nAu/another,0.7\n"
    one = datasets.load("mdf-tac2-v14v", source=zipped(members))
    assert one.warnings == ("no descriptors for 2 of 3 profiles (the first: set_au_au_strain_0)",)
    np.testing.assert_array_equal(one.meta["fcc"], [np.nan, 0.5, np.nan])


def test_descriptor_files_beside_the_profiles(tmp_path):
    for k, fcc in ((1, 0.98), (2, 0.75)):
        folder = tmp_path / "Au" / f"state_{k}"
        folder.mkdir(parents=True)
        (folder / "xrd.dat").write_text("two_theta intensity\n30 1\n60 5\n90 2\n")
        (folder / "vdos.dat").write_text("0 0\n800 3\n1667.7 1\n")
        (folder / "descriptors.txt").write_text(f"sigma_xx sigma_yy fcc\n-{k}.5 0.25 {fcc}\n")
    one = datasets.load("mdf-tac2-v14v", source=tmp_path)
    assert one.meta["fcc"].tolist() == [0.98, 0.75]
    assert one.meta["sigma_xx"].tolist() == [-1.5, -2.5]
    assert one.warnings == ()
    vdos = datasets.load("mdf-tac2-v14v", source=tmp_path, profile="vdos")
    assert (vdos.kind, vdos.wavelength, vdos.axis.tolist()) == ("wavenumber", None, [0, 800, 1667.7])


def test_descriptors_get_the_names_of_our_own_set(zipped):
    table = "structure, Sigma_XX (GPa), fcc phase fraction, HCP, Disordered phase fraction, total dislocation density\n"
    members = {k: v for k, v in gold(1).items() if "descriptors" not in k}
    members["set/Au/descriptors.csv"] = table + "Au/Au_strain_0, -204.22, 0.354, 0.1, 0.3, 4.14e-3\n"
    one = datasets.load("mdf-tac2-v14v", source=zipped(members))
    assert {k: v.tolist() for k, v in one.meta.items()} == {
        "sigma_xx": [-204.22], "fcc": [0.354], "hcp": [0.1], "disordered": [0.3], "dislocation_density": [4.14e-3],
    }  # fmt: skip
    assert set(one.meta) <= set(DESCRIPTORS)


def test_stress_that_can_only_be_bar_is_told(zipped):
    members = gold(2) | {"set/Au/descriptors.csv": "structure,sigma_xx\nAu/Au_strain_0,-145000\nAu/Au_strain_1,3\n"}
    one = datasets.load("mdf-tac2-v14v", source=zipped(members))
    assert one.warnings == ("sigma_xx reaches 145000: these may be bar, GPa are expected",)


def test_the_grid_of_the_tutorial(zipped):
    values = np.random.default_rng(2).integers(0, 99, 6000)
    vibrations = "".join(f"{i / 400:.6f} {i % 7}\n" for i in range(20001))  # THz
    members = {"set/Au/XRD/a.xrd": histogram(values.tolist()), "set/Au/VDoS/a_vdos.txt": vibrations}
    one = datasets.load("mdf-tac2-v14v", source=zipped(members), grid="tutorial")
    assert one.intensity[0].tolist() == values.reshape(150, 40).sum(axis=1).tolist()
    assert one.axis[[0, -1]].tolist() == pytest.approx([30.2, 89.8])
    vdos = datasets.load("mdf-tac2-v14v", source=zipped(members), profile="vdos")
    assert vdos.axis[-1] == pytest.approx(1667.8, abs=0.1)
    assert vdos.warnings[1] == "vibrations up to 50 were taken as THz and are given in 1/cm"
    short = datasets.load("mdf-tac2-v14v", source=zipped(members), profile="vdos", grid="tutorial")
    assert short.intensity.tolist() == vdos.intensity[:, :5997].tolist()
    np.testing.assert_allclose(short.axis, datasets.load("gold-md", profile="vdos").axis, atol=1e-4)


def test_a_grid_that_cannot_be_binned(zipped):
    with pytest.raises(OptionError, match="needs a multiple of 150 points, the profiles have 6"):
        datasets.load("mdf-tac2-v14v", source=zipped(gold()), grid="tutorial")
    with pytest.raises(OptionError, match="unknown grid"):
        datasets.load("mdf-tac2-v14v", source=zipped(gold()), grid="fine")


def test_the_folder_in_the_cache(cache, zipped):
    with zipfile.ZipFile(zipped(gold())) as archive:
        archive.extractall(cache / "mdf-tac2-v14v" / "files")
    assert datasets.load("mdf-tac2-v14v", element="Fe").intensity.tolist() == [[1, 2, 3, 4, 5, 6]]
    assert datasets.fetch("mdf-tac2-v14v") == [cache / "mdf-tac2-v14v" / "files"]


@pytest.mark.parametrize(
    ("options", "kind", "why"),
    [
        ({"element": "Cu"}, OptionError, "unknown element"),
        ({"profile": "raman"}, OptionError, "unknown profile"),
        ({"element": "Si"}, DamagedFileError, "none has Si and xrd in its path"),
    ],
)
def test_wrong_options(zipped, options, kind, why):
    with pytest.raises(kind, match=why):
        datasets.load("mdf-tac2-v14v", source=zipped(gold()), **options)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("set/Au/XRD/x.xrd", histogram([1, 2, 3]), "x.xrd has 3 points"),
        ("set/Au/XRD/x.xrd", "nothing", "x.xrd is no profile"),
        ("set/Au/XRD/x.xrd", histogram([1, 2, 3])[:-12], "a histogram of 3 bins does not fit"),
        ("set/Au/descriptors2.csv", "a,b\n1\n", "has 1 values under 2 titles"),
    ],
)
def test_broken_files(zipped, name, text, why):
    with pytest.raises(DamagedFileError, match=why):
        datasets.load("mdf-tac2-v14v", source=zipped(gold() | {name: text}))


def test_columns_without_a_histogram():
    x, y = read_columns("q, I\n1.0, 2\n1.5, 3\n")
    assert (x.tolist(), y.tolist()) == ([1, 1.5], [2, 3])
