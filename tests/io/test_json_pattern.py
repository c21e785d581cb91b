"""JSON: a twin in the bytes of the instrument's own file, axes with and without a unit, and hostile nesting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from peakwise.errors import PeakwiseError
from peakwise.io import Source, read_each
from peakwise.io.json_pattern import JSON

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.patterns import Patterns

X, Y = [10, 20, 30, 40], [1, 5, None, 2.5]


def read(path: Path) -> tuple[Patterns, ...]:
    (one,) = read_each(path)
    if one.error is not None:
        raise one.error
    assert one.format == "json"
    return one.patterns


def save(folder: Path, content: Any) -> Path:
    path = folder / "scan.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_xrdpattern_file(real_data: Path) -> None:
    (scan,) = read(real_data / "formats/aimat_json/aimat.json")
    assert (scan.n_points, scan.axis[0], scan.axis[-1]) == (4059, 37.0001, 120.004644)
    assert (scan.intensity[0, 0], scan.intensity[0, -1], scan.intensity.max()) == (7264, 7043, 94855)
    # Its metadata name the instrument's file, bruker.raw: the same counts stand there as 32-bit floats.
    raw = (real_data / "formats/bruker_raw/bruker.raw").read_bytes()
    assert scan.intensity[0].astype("<f4").tobytes() in raw
    assert scan.kind == "two_theta"
    assert scan.radiation is not None
    assert scan.radiation.lines == ((1.5406, 1.0), (1.54439, 0.5))
    assert scan.meta["date"][0] == "08/30/2021"
    assert scan.meta["filename"][0] == "bruker.raw"
    assert not scan.meta["is_simulated"][0]
    assert "primary_wavelength" not in scan.meta
    assert not scan.warnings


@pytest.mark.parametrize(
    ("name", "kind", "factor"),
    [
        ("two_theta", "two_theta", 1), ("2Theta (deg)", "two_theta", 1), ("2θ", "two_theta", 1),
        ("tth_rad", "two_theta", 57.29577951308232), ("q_nm^-1", "q", 0.1), ("Q [1/A]", "q", 1),
        ("q", "q", 1), ("energy_eV", "energy", 0.001), ("energy", "energy", 1), ("wavenumber", "wavenumber", 1),
        ("Raman shift (cm-1)", "raman_shift", 1), ("wavelength_nm", "wavelength", 1), ("d-spacing", "d", 1),
        ("frequency_THz", "frequency", 1), ("x", "two_theta", 1), ("r", "r", 1),
    ],
)  # fmt: skip
def test_axis_by_its_name(tmp_path: Path, name: str, kind: str, factor: float) -> None:
    (scan,) = read(save(tmp_path, {name: [1, 2, 3, 4], "intensity": Y}))
    assert scan.kind == kind
    assert scan.axis[-1] == pytest.approx(4 * factor)
    assumed = any("assumed" in note for note in scan.warnings if "CuKa" not in note)
    assert assumed == (name in ("q", "energy", "d-spacing", "x"))


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("counts", "counts"),
        ("raw_counts", "counts"),
        ("intensity_cps", "counts/s"),
        ("absorbance", "absorbance"),
        ("y", "unknown"),
    ],
)
def test_unit_by_its_name(tmp_path: Path, name: str, unit: str) -> None:
    (scan,) = read(save(tmp_path, {"wavenumber": X, name: [1, 2, 3, 4]}))
    assert scan.unit == unit
    assert scan.intensity[0].tolist() == [1, 2, 3, 4]


def test_null_is_a_gap_and_errors_are_sigma(tmp_path: Path) -> None:
    (scan,) = read(save(tmp_path, {"two_theta": X, "counts": Y, "error": [1, 2, 1, 1.5], "wavelength": 0.7}))
    assert scan.axis.tolist() == [10, 20, 40]
    assert scan.intensity[0].tolist() == [1, 5, 2.5]
    assert scan.sigma is not None
    assert scan.sigma[0].tolist() == [1, 2, 1.5]
    assert scan.wavelength == 0.7


def test_many_patterns_on_one_axis(tmp_path: Path) -> None:
    content = {
        "two_theta": X,
        "intensity": [[1, 2, 3, 4], [5, 6, 7, 8], [9, 8, 7, 6]],
        "names": ["a", "b", "c"],
        "temp_K": 300,
        "space_group": [225, 12, 2],
        "phases": ["NaCl", "KCl", "CsCl"],
        "lattice": [5.6, 6.3],
        "wavelength_nm": 0.15406,
    }
    (scans,) = read(save(tmp_path, content))
    assert scans.shape == (3, 4)
    assert scans.names.tolist() == ["a", "b", "c"]
    assert scans.meta["temperature"].tolist() == [300] * 3
    assert scans.meta["space_group"].tolist() == [225, 12, 2]
    assert scans.meta["phases"].tolist() == ["NaCl", "KCl", "CsCl"]
    assert scans.wavelength == pytest.approx(1.5406)


def test_list_and_names_above_patterns(tmp_path: Path) -> None:
    one = {"two_theta": X, "intensity": [1, 2, 3, 4], "sample_name": "quartz"}
    (scans,) = read(save(tmp_path, [one, {**one, "intensity": [4, 3, 2, 1]}]))
    assert scans.intensity.tolist() == [[1, 2, 3, 4], [4, 3, 2, 1]]
    assert scans.meta["sample"].tolist() == ["quartz"] * 2
    (scans,) = read(save(tmp_path, {"made by": "us", "scans": {"first": one, "second": one}}))
    assert scans.names.tolist() == ["first", "second"]


def test_metadata_inside_text_and_objects(tmp_path: Path) -> None:
    inner = json.dumps({"deep": json.dumps({"secondary_wavelength": "1.544"}), "primary_wavelength": 1.54})
    content = {
        "two_theta": X,
        "intensity": [1, 2, 3, 4],
        "label": inner,
        "lambda": "short",
        "notes": {"operator": "mori"},
        "broken": "{no}",
    }
    (scan,) = read(save(tmp_path, content))
    assert scan.radiation is not None
    assert scan.radiation.lines == ((1.54, 1.0), (1.544, 0.5))
    assert scan.meta["operator"][0] == "mori"
    assert scan.meta["lambda"][0] == "short"  # no number
    assert scan.meta["broken"][0] == "{no}"


def test_metadata_stay_bounded(tmp_path: Path) -> None:
    content = {"two_theta": X, "intensity": [1, 2, 3, 4], "long": "x" * 10_000} | {f"k{i}": i for i in range(500)}
    (scan,) = read(save(tmp_path, content))
    assert len(scan.meta) <= 62
    assert "long" not in scan.meta


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": 1, "b": [1, 2, 3]}, "no axis with intensities that fit it, only a, b"),
        ({"two_theta": X, "intensity": [1, 2, 3]}, "no axis with intensities"),
        ({"two_theta": X, "intensity": [1, 2, "3", 4]}, "no axis with intensities"),
        ({"two_theta": X, "intensity": [[1, 2, 3, 4], [1, 2]]}, "no axis with intensities"),
        ([{"a": 1}], "no axis with intensities that fit it, only nothing"),
        ('{"two_theta": [1, 2, 3], "intensity": [1, 2', "contradicts the format"),
        ('{"a":' * 100_000, "contradicts the format"),
        ('{"two_theta": [1, 2, 3], "intensity": [1, 2, 1' + "0" * 400 + "]}", "contradicts the format"),
        ({"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"q": X, "y": X}}}}}}}}}}, "no axis with intensities"),
        ({"two_theta": X, "intensity": X, "wavelength": 99}, "99"),
    ],
)
def test_what_holds_no_pattern_is_refused(tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(PeakwiseError) as caught:
        read(save(tmp_path, content))
    assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1, 2, 3]", "{ not json", "# comment\n1 2\n"])
def test_other_files_are_left_alone(tmp_path: Path, text: str) -> None:
    assert not JSON.sniff(Source(save(tmp_path, text)))


def test_a_number_is_no_pattern(tmp_path: Path) -> None:
    (one,) = read_each(save(tmp_path, "3.5"), format="json")
    assert "no axis with intensities" in str(one.error)


def test_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "scan.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"two_theta": X, "y": [1, 2, 3, 4]}).encode())
    (scan,) = read(path)
    np.testing.assert_array_equal(scan.axis, X)
