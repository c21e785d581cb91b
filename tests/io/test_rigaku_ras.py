"""Rigaku RAS: header values read by eye, attenuation by hand, and every way to be cut short."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from layouts.rigaku_ras import ROWS, block, ras
from peakwise.errors import DamagedFileError, PeakwiseError
from peakwise.io import read_each

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.patterns import Patterns


def read(path: Path) -> tuple[Patterns, ...]:
    (one,) = read_each(path)
    if one.error is not None:
        raise one.error
    assert one.format == "rigaku_ras"
    return one.patterns


def test_smartlab_file_of_two_ranges(real_data: Path) -> None:
    low, high = read(real_data / "formats/rigaku_ras/inas_layer_radial_002_004.ras.bz2")
    # Read in a text view of the file: *MEAS_SCAN_START, *MEAS_DATA_COUNT, the first, the last and the largest row.
    assert (low.n_points, low.axis[0], low.axis[-1]) == (1501, 26.5, 32.5)
    assert (low.intensity[0, 0], low.intensity[0, -1], low.intensity.max()) == (51.4986, 34.9946, 255407232.0)
    assert (high.n_points, high.axis[0], high.axis[-1]) == (2501, 56.0, 66.0)
    assert (high.intensity[0, 0], high.intensity[0, -1], high.intensity.max()) == (23.9509, 107.0164, 532695488.0)
    assert low.kind == high.kind == "two_theta"
    assert low.unit == "counts"
    assert low.radiation is not None
    # *MEAS_COND_XG_WAVE_TYPE "Ka1": the beam comes through Ge(220)x2, no Kα2 is left.
    assert low.radiation.lines == ((1.540593, 1.0),)
    assert low.radiation.anode == "Cu"
    meta = {key: column[0] for key, column in low.meta.items()}
    assert meta["date"] == "2015-12-05T22:01:01"
    assert high.meta["date"][0] == "2015-12-06T00:32:20"
    assert meta["count_time"] == pytest.approx(0.004 / 0.040111 * 60)
    # 1501 points take 2 h 30 min by the header's own clock: 22:01:01 to 00:31:51.
    assert meta["count_time"] * 1501 == pytest.approx(150 * 60 + 50, rel=0.01)
    assert (meta["voltage"], meta["current"], meta["chi"], meta["phi"]) == (45, 200, 0.268, -0.36)
    assert meta["scan_axis"] == "2-Theta/Omega"
    assert "omega" not in meta  # it moved
    assert "temperature" not in meta
    assert "not whole" in low.warnings[0]


def test_counts_are_multiplied_by_their_attenuation(tmp_path: Path) -> None:
    (scan,) = read(ras(tmp_path, block()))
    assert scan.axis.tolist() == [10.0, 10.02, 10.04, 10.06]
    assert scan.intensity[0].tolist() == [100, 200, 600, 7]
    assert scan.meta["attenuation"][0] == 20
    assert any("1 of 4 intensities were multiplied" in note for note in scan.warnings)
    assert scan.unit == "counts"


@pytest.mark.parametrize("encoding", ["cp932", "utf-8", "utf-8-sig"])
def test_header_in_japanese(tmp_path: Path, encoding: str) -> None:
    (scan,) = read(ras(tmp_path, block(), encoding=encoding))
    meta = {key: column[0] for key, column in scan.meta.items()}
    assert (meta["title"], meta["sample"], meta["operator"]) == ("室温で", "Si powder", "mori")
    assert meta["instrument"] == "SmartLab"
    assert meta["date"] == "2021-03-07T08:09:10"
    assert meta["temperature"] == pytest.approx(823.15)
    assert meta["count_time"] == pytest.approx(0.6)
    assert meta["chi"] == 45.5


@pytest.mark.parametrize(
    ("wave", "lines"),
    [
        ("Ka", ((1.540593, 1.0), (1.544414, 0.5))),
        ("Ka1", ((1.540593, 1.0),)),
        ("Ka2", ((1.544414, 1.0),)),
        ("Kb", ((1.39225, 1.0),)),
    ],
)
def test_lines_of_the_radiation(tmp_path: Path, wave: str, lines: tuple[tuple[float, float], ...]) -> None:
    (scan,) = read(ras(tmp_path, block(MEAS_COND_XG_WAVE_TYPE=wave)))
    assert scan.radiation is not None
    assert scan.radiation.lines == lines


def test_no_wavelength_is_said(tmp_path: Path) -> None:
    (scan,) = read(ras(tmp_path, block(HW_XG_WAVE_LENGTH_ALPHA1="-", HW_XG_TARGET_NAME=None)))
    assert any("no wavelength" in note for note in scan.warnings)


@pytest.mark.parametrize(
    ("internal", "shown", "unit", "kind"),
    [
        ("Omega", "Omega", "deg", "omega"),
        ("Chi", "Chi", "deg", "chi"),
        ("Phi", "Phi", "deg", "phi"),
        (None, "2-Theta", "deg", "two_theta"),
        ("Zs", "Zs", "mm", "position"),
        ("AlphaR", "Alpha", "deg", "channel"),
        (None, None, "deg", "two_theta"),
    ],
)
def test_scan_axis(tmp_path: Path, internal: str | None, shown: str | None, unit: str, kind: str) -> None:
    changes = {"MEAS_SCAN_AXIS_X_INTERNAL": internal, "MEAS_SCAN_AXIS_X": shown, "MEAS_SCAN_UNIT_X": unit}
    (scan,) = read(ras(tmp_path, block(**changes)))
    assert scan.kind == kind
    assert any("axis" in note or "moved" in note for note in scan.warnings) == (shown in ("Alpha", None))
    assert ("chi" in scan.meta) == (kind != "chi")


@pytest.mark.parametrize(("told", "unit"), [("cps", "counts/s"), ("counts", "counts"), ("arb", "unknown")])
def test_unit(tmp_path: Path, told: str, unit: str) -> None:
    (scan,) = read(ras(tmp_path, block(MEAS_SCAN_UNIT_Y=told)))
    assert scan.unit == unit


@pytest.mark.parametrize(
    ("speed", "unit", "seconds"),
    [
        ("4", "sec.", 4.0),
        ("0", "deg/min", None),
        ("1.2", "deg/min", 1.0),
        ("3", "furlongs", None),
        ("-", "deg/min", None),
    ],
)
def test_count_time(tmp_path: Path, speed: str, unit: str, seconds: float | None) -> None:
    (scan,) = read(ras(tmp_path, block(MEAS_SCAN_SPEED=speed, MEAS_SCAN_SPEED_UNIT=unit)))
    got = scan.meta["count_time"][0] if "count_time" in scan.meta else None
    assert got == (None if seconds is None else pytest.approx(seconds))


def test_odd_dates_stay_as_written_and_kelvin_stays(tmp_path: Path) -> None:
    changes = {"MEAS_SCAN_START_TIME": "7. Maerz", "MEAS_COND_AXIS_UNIT-1": "K"}
    (scan,) = read(ras(tmp_path, block(**changes)))
    assert scan.meta["date"][0] == "7. Maerz"
    assert scan.meta["temperature"][0] == 550


def test_two_columns_and_no_outer_frame(tmp_path: Path) -> None:
    path = tmp_path / "scan.ras"
    path.write_text("\n".join(block([row.rsplit(" ", 1)[0] for row in ROWS])), encoding="utf-8")
    (scan,) = read(path)
    assert scan.intensity[0].tolist() == [100, 200, 30, 7]
    assert "attenuation" not in scan.meta


def test_equal_ranges_become_rows(tmp_path: Path) -> None:
    (scans,) = read(ras(tmp_path, block(), block([row.replace("7", "8") for row in ROWS])))
    assert scans.intensity.tolist() == [[100, 200, 600, 7], [100, 200, 600, 8]]
    assert scans.names.tolist() == ["scan#1", "scan#2"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.replace('_COUNT "4', '_COUNT "9'), "holds 4 of the 9 points"),
        (lambda t: t[: t.index("10.04")], "ends after 2 rows without"),
        (lambda t: t.replace("*RAS_DATA_END", ""), "without *RAS_DATA_END"),
        (lambda t: t.replace("*RAS_INT_END", "*RAS_HEADER_END"), "without *RAS_INT_END"),
        (lambda t: t[: t.index("*RAS_INT_START")], "has a header and no intensities"),
        (lambda t: t.replace("20.0000", "0.0000"), "attenuation of 0"),
        (lambda t: t.replace("10.04 30", "10.04 30 9 9"), "a point has 2 or 3"),
        (lambda t: t.replace("10.04 30", "10.04 3O"), "contradicts the format"),
        (lambda t: t.replace("*RAS_HEADER_START\r\n", ""), "intensities without a header"),
        (lambda t: t.replace('ALPHA1 "1.5', 'ALPHA1 "99.5'), "99.5"),
    ],
)
def test_damage_is_refused(tmp_path: Path, change, words: str) -> None:
    path = ras(tmp_path, block())
    path.write_bytes(change(path.read_bytes().decode("cp932")).encode("cp932"))
    with pytest.raises(PeakwiseError) as caught:
        read(path)
    assert words in str(caught.value)


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    path = ras(tmp_path, block())
    whole = path.read_bytes()
    for size in range(len(b"*RAS_DATA_START\r\n*RAS"), len(whole) - 3, 7):
        path.write_bytes(whole[:size])
        with pytest.raises(DamagedFileError):
            read(path)
    path.write_bytes(whole[:-2])  # only the last line end is missing
    assert np.array_equal(read(path)[0].intensity[0], [100, 200, 600, 7])
