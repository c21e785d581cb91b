"""NumPy files: the measured archives, what can be known of a bare array, and headers that lie."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from peakwise.errors import DamagedFileError, LimitError, PeakwiseError, ReadError
from peakwise.io import read_each

if TYPE_CHECKING:
    from peakwise.patterns import Patterns


def read(path: Path, **options: Any) -> tuple[Patterns, ...]:
    (one,) = read_each(path, **options)
    if one.error is not None:
        raise one.error
    assert one.format in ("numpy_npy", "numpy_npz")
    return one.patterns


def npy(folder: Path, array: Any, name: str = "run.npy", **options: Any) -> Path:
    np.save(folder / name, np.asarray(array), **options)
    return folder / name


def npz(folder: Path, **members: Any) -> Path:
    np.savez(folder / "run.npz", **{key: np.asarray(value) for key, value in members.items()})
    return folder / "run.npz"


RISING = np.array([10.0, 10.5, 11, 11.5, 12, 12.5, 13, 13.5, 14])
WAVY = np.array([[3.0, 1, 4, 1, 5, 9, 2, 6, 5], [2.0, 7, 1, 8, 2, 8, 1, 8, 2]])


class TestMeasured:
    """Shapes and corner values were printed with numpy alone."""

    def test_rruff(self, real_data: Path) -> None:
        (scans,) = read(real_data / "rruff_symmetry/patterns.npz")
        assert scans.shape == (590, 8500)
        assert (scans.axis[0], scans.axis[-1]) == pytest.approx((5, 89.99), abs=1e-5)
        assert (scans.intensity[0, 1], scans.intensity[-1, -1], scans.intensity.max()) == (13, 8, 1000)
        assert scans.intensity.dtype == np.float32
        assert scans.kind == "two_theta"
        assert scans.meta["space_group"][[0, -1]].tolist() == [12, 216]
        assert scans.meta["crystal_system"][[0, -1]].tolist() == ["monoclinic", "cubic"]
        assert scans.meta["source_index"][[0, -1]].tolist() == [1, 906]

    def test_rows_with_their_axis_in_another_file(self, real_data: Path) -> None:
        (scans,) = read(real_data / "combi_CrFeVO/CrFeVO_data.npy")
        assert scans.shape == (11, 601)
        assert (scans.axis[0], scans.axis[-1]) == pytest.approx((1.59918, 3.25351), abs=1e-5)
        assert (scans.intensity[0, 0], scans.intensity[-1, -1]) == pytest.approx((0.49754313, 0.22402075), abs=1e-8)
        # The manifest says 1/nm, the file does not; its size does, for q in 1/angstrom would begin at d = 0.4 angstrom.
        assert scans.kind == "q"
        assert scans.warnings[0] == "the axis is that of CrFeVO_q.npy beside it"
        assert scans.warnings[1] == "the axis q has no unit: 1/nm assumed, since it begins at 15.9918"

    def test_columns_with_their_axis_in_another_file(self, real_data: Path) -> None:
        folder = real_data / "ta2o5_laser_anneal_line/original"
        (scans,) = read(folder / "Test_Ta2O5_XRD_map.npy")
        assert scans.shape == (201, 902)
        assert (scans.axis[0], scans.axis[-1]) == pytest.approx((1.0007682, 5.4973774), abs=1e-6)
        assert scans.intensity[0, :2].tolist() == pytest.approx(
            [0.66601633, np.load(folder / "Test_Ta2O5_XRD_map.npy")[1, 0]]
        )
        assert scans.intensity[-1, -1] == pytest.approx(0.53120648)
        assert any("patterns are its columns" in note for note in scans.warnings)

    @pytest.mark.parametrize("name", ["combi_CrFeVO/CrFeVO_q.npy", "ta2o5_laser_anneal_line/original/Test_Ta2O5_Q.npy"])
    def test_an_axis_is_no_pattern(self, real_data: Path, name: str) -> None:
        with pytest.raises(ReadError, match="numbers rise strictly and it is called like an axis"):
            read(real_data / name)


class TestBareArrays:
    def test_rows_without_an_axis(self, tmp_path: Path) -> None:
        (scans,) = read(npy(tmp_path, WAVY))
        assert (scans.kind, scans.axis.tolist()) == ("channel", list(range(9)))
        assert scans.intensity.tolist() == WAVY.tolist()
        assert "transpose it if patterns are columns" in scans.warnings[0]

    @pytest.mark.parametrize("turn", [False, True])
    @pytest.mark.parametrize("fortran", [False, True])
    def test_axis_in_the_first_row_or_column(self, tmp_path: Path, turn: bool, fortran: bool) -> None:
        table = np.vstack([RISING, WAVY, WAVY + 1])
        table = table.T if turn else table
        (scans,) = read(npy(tmp_path, np.asfortranarray(table) if fortran else table))
        assert scans.axis.tolist() == RISING.tolist()
        assert scans.intensity.tolist() == [*WAVY.tolist(), *(WAVY + 1).tolist()]
        assert f"first {'column' if turn else 'row'}" in scans.warnings[0]
        assert any("does not say what its axis is" in note for note in scans.warnings)

    def test_two_columns_and_a_third(self, tmp_path: Path) -> None:
        (scan,) = read(npy(tmp_path, np.column_stack([RISING, WAVY[0]])), axis="q")
        assert (scan.kind, scan.axis.tolist(), scan.intensity[0].tolist()) == ("q", RISING.tolist(), WAVY[0].tolist())
        (scans,) = read(npy(tmp_path, np.column_stack([RISING, WAVY[0], WAVY[0] ** 0.5])))
        assert len(scans) == 2
        assert any("may be an uncertainty" in note for note in scans.warnings)

    def test_two_rising_directions_prove_nothing(self, tmp_path: Path) -> None:
        (scans,) = read(npy(tmp_path, np.add.outer(RISING, RISING)))
        assert scans.kind == "channel"
        assert scans.shape == (9, 9)

    def test_one_row(self, tmp_path: Path) -> None:
        (scan,) = read(npy(tmp_path, np.array([3, 1, 4], dtype=np.uint16)))
        assert (scan.kind, scan.intensity.tolist()) == ("channel", [[3, 1, 4]])
        (scan,) = read(npy(tmp_path, RISING))
        assert "as those of an axis do" in scan.warnings[0]

    def test_named_fields(self, tmp_path: Path) -> None:
        table = np.zeros(9, dtype=[("two_theta", "f8"), ("counts", "i4"), ("sigma", "f4")])
        table["two_theta"], table["counts"], table["sigma"] = RISING, WAVY[0], 2
        (scan,) = read(npy(tmp_path, table))
        assert (scan.axis.tolist(), scan.intensity[0].tolist()) == (RISING.tolist(), WAVY[0].tolist())
        assert scan.unit == "counts"
        assert scan.sigma is not None
        assert scan.sigma[0].tolist() == [2] * 9


class TestAxisBeside:
    @pytest.mark.parametrize("name", ["run_two_theta.npy", "two_theta.npy", "run_2theta.npy", "run_a_TTH.npy"])
    def test_found_by_name_and_length(self, tmp_path: Path, name: str) -> None:
        npy(tmp_path, RISING, name)
        (scans,) = read(npy(tmp_path, WAVY, "run_a_data.npy"))
        assert (scans.kind, scans.axis.tolist()) == ("two_theta", RISING.tolist())
        (scan,) = read(npy(tmp_path, WAVY[0], "run_a_data.npy"))
        assert scan.axis.tolist() == RISING.tolist()

    def test_square_tables_keep_their_rows(self, tmp_path: Path) -> None:
        npy(tmp_path, RISING, "two_theta.npy")
        (scans,) = read(npy(tmp_path, np.vstack([WAVY] * 4 + [WAVY[:1]])))
        assert scans.intensity[0].tolist() == WAVY[0].tolist()
        assert any("as many patterns as points" in note for note in scans.warnings)

    def test_what_does_not_fit_is_passed_over(self, tmp_path: Path) -> None:
        npy(tmp_path, RISING[:-1], "run_two_theta.npy")
        (tmp_path / "run_q.npy").write_text("no array", encoding="utf-8")
        (scans,) = read(npy(tmp_path, WAVY, "run_data.npy"))
        assert scans.kind == "channel"
        assert scans.axis[0] == 0


class TestArchives:
    def test_labels_become_metadata(self, tmp_path: Path) -> None:
        path = npz(
            tmp_path, intensity=WAVY, two_theta=RISING, names=["a", "b"], label=np.array([b"x", b"y"]), sigma=WAVY**0.5,
            wavelength=0.7, image=np.zeros((3, 4, 5)), temperature=[300, 400],
        )  # fmt: skip
        (scans,) = read(path)
        assert scans.intensity.tolist() == WAVY.tolist()
        assert scans.names.tolist() == ["a", "b"]
        assert scans.meta["label"].tolist() == ["x", "y"]
        assert scans.meta["temperature"].tolist() == [300, 400]
        assert scans.wavelength == 0.7
        assert scans.sigma is not None
        assert scans.sigma.tolist() == (WAVY**0.5).tolist()
        assert scans.warnings == ("left out, they fit neither patterns nor points: image",)

    def test_columns_and_unnamed_intensities(self, tmp_path: Path) -> None:
        (scans,) = read(npz(tmp_path, x=RISING, whatever=WAVY.T, err=WAVY.T))
        assert scans.intensity.tolist() == WAVY.tolist()
        assert scans.sigma is not None
        assert scans.sigma.tolist() == WAVY.tolist()
        assert any("one pattern per column" in note for note in scans.warnings)

    def test_square(self, tmp_path: Path) -> None:
        square = np.vstack([WAVY] * 4 + [WAVY[:1]])
        (scans,) = read(npz(tmp_path, two_theta=RISING, intensity=square))
        assert scans.intensity.tolist() == square.tolist()
        assert any("as many patterns as points" in note for note in scans.warnings)

    def test_each_pattern_with_its_own_axis(self, tmp_path: Path) -> None:
        axes = np.vstack([RISING, RISING + 1])
        one, two = read(npz(tmp_path, q_nm=axes, counts=WAVY, sigma=WAVY + 1, title=["a", "b"], temperature=[300, 400]))
        assert (one.kind, one.axis[0], two.axis[0]) == ("q", 1.0, 1.1)
        assert (one.names[0], two.names[0]) == ("a", "b")
        assert two.meta["temperature"].tolist() == [400]
        assert two.sigma is not None
        assert two.sigma[0].tolist() == (WAVY[1] + 1).tolist()

    def test_wavelength_of_every_pattern(self, tmp_path: Path) -> None:
        (scans,) = read(npz(tmp_path, two_theta=RISING, intensity=WAVY, wavelength=[0.7, 0.7]))
        assert scans.wavelength == 0.7
        one, two = read(npz(tmp_path, two_theta=RISING, intensity=WAVY.T, wavelength=[0.7, 0.5], sigma=WAVY))
        assert (one.wavelength, two.wavelength) == (0.7, 0.5)
        assert two.intensity[0].tolist() == WAVY[1].tolist()

    def test_a_named_axis_goes_before_x(self, tmp_path: Path) -> None:
        (scans,) = read(npz(tmp_path, x=RISING, two_theta=RISING + 1, y=WAVY))
        assert scans.axis[0] == 11
        assert scans.kind == "two_theta"

    def test_the_only_table(self, tmp_path: Path) -> None:
        (scans,) = read(npz(tmp_path, arr_0=WAVY))
        assert scans.kind == "channel"
        assert "arr_0 holds no axis" in scans.warnings[0]

    @pytest.mark.parametrize(
        "members", [{"two_theta": RISING}, {"a": WAVY, "b": WAVY}, {"two_theta": RISING, "a": RISING[:5]}]
    )
    def test_nothing_that_fits(self, tmp_path: Path, members: dict[str, Any]) -> None:
        with pytest.raises(ReadError) as caught:
            read(npz(tmp_path, **members))
        assert "no axis with intensities" in str(caught.value) or "holds no axis" in str(caught.value)

    def test_several_that_fit_the_first_called_so(self, tmp_path: Path) -> None:
        (scans,) = read(npz(tmp_path, two_theta=RISING, intensity=WAVY, data=WAVY + 1))
        assert scans.intensity.tolist() == WAVY.tolist()


def lie(shape: str, data: bytes = bytes(72), descr: str = "'<f8'", version: tuple[int, int] = (1, 0)) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    length = struct.pack("<H" if version[0] == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes(version) + length + header + data


class TestHostile:
    def test_lie_is_otherwise_right(self, tmp_path: Path) -> None:
        path = tmp_path / "run.npy"
        for version in ((1, 0), (2, 0), (3, 0)):
            path.write_bytes(lie("(9,)", WAVY[0].tobytes(), version=version))
            assert read(path)[0].intensity[0].tolist() == WAVY[0].tolist()

    @pytest.mark.parametrize(
        ("raw", "words"),
        [
            (lie("(1000000000000,)"), "holds 72 bytes of data, its header promises 8000000000000"),
            (lie("(10,)"), "its header promises 80 (10 float64)"),
            (lie("(8,)"), "holds 72 bytes of data, its header promises 64"),
            (lie("(-9,)"), "impossible shape"),
            (lie("(0, 5)", b""), "0 x 5"),
            (lie("()", bytes(8)), "one number"),
            (lie("(3, 3, 1)"), "3 x 3 x 1"),
            (lie("(9,)", descr="'<U2'"), "intensities are real numbers"),
            (lie("(9,)", descr="'<c8'"), "intensities are real numbers"),
            (lie("(9,)", descr="'|O'"), "pickle"),
            (lie("(9,)", descr="[('a', '|O')]"), "pickle"),
            (lie("(9,)", descr="'|V0'", data=b""), "contradicts the format"),
            (lie("(9,)", version=(9, 0)), "version 9.0"),
            (lie("(9,)", descr="open('/etc/passwd')"), "contradicts the format"),
            (lie("(" * 300 + ")" * 300), "contradicts the format"),
            (lie("((9,)"), "no Python literal"),
            (lie("(9,)")[:20], "contradicts the format"),
            (lie("'nine'"), "contradicts the format"),
        ],
    )
    def test_headers_are_not_believed(self, tmp_path: Path, raw: bytes, words: str) -> None:
        path = tmp_path / "run.npy"
        path.write_bytes(raw)
        with pytest.raises(PeakwiseError) as caught:
            read(path)
        assert words in str(caught.value)

    def test_pickles_are_never_loaded(self, tmp_path: Path) -> None:
        target = tmp_path / "touched"

        class Evil:
            def __reduce__(self) -> tuple[Any, ...]:
                return Path.touch, (target,)

        array = np.array([Evil(), Evil(), Evil()], dtype=object)
        pickle.loads(pickle.dumps(Evil()))  # it would work
        target.unlink()
        for path in (npy(tmp_path, array, allow_pickle=True), npz(tmp_path, two_theta=RISING, intensity=array)):
            with pytest.raises(DamagedFileError, match=r"pickle; loading one can run any program"):
                read(path)
        assert not target.exists()

    def test_bomb_and_broken_archives(self, tmp_path: Path) -> None:
        path = tmp_path / "run.npz"
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.npy", b"x" * 1000)
        raw = bytearray(stream.getvalue())
        at = raw.rindex(b"PK\x01\x02") + 24  # uncompressed size in the central directory
        raw[at : at + 4] = (1 << 31).to_bytes(4, "little")
        path.write_bytes(raw)
        with pytest.raises(LimitError):
            read(path)
        whole = npz(tmp_path, two_theta=RISING, intensity=WAVY).read_bytes()
        for size in (60, len(whole) // 2, len(whole) - 5):
            path.write_bytes(whole[:size])
            with pytest.raises(DamagedFileError, match="cannot be unpacked"):
                read(path)
        flipped = bytearray(whole)
        flipped[whole.index(RISING.tobytes()) + 3] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(DamagedFileError, match="CRC"):
            read(path)
