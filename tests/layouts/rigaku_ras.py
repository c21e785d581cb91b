"""Rigaku RAS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEADER = {
    "FILE_COMMENT": "室温で",
    "FILE_SAMPLE": "Si powder",
    "FILE_OPERATOR": "mori",
    "HW_GONIOMETER_NAME": "スマートラボ|SmartLab",
    "HW_XG_TARGET_NAME": "Cu",
    "HW_XG_WAVE_LENGTH_ALPHA1": "1.540593",
    "HW_XG_WAVE_LENGTH_ALPHA2": "1.544414",
    "HW_XG_WAVE_LENGTH_BETA": "1.392250",
    "MEAS_COND_AXIS_NAME_INTERNAL-0": "Chi",
    "MEAS_COND_AXIS_POSITION-0": "45.5",
    "MEAS_COND_AXIS_UNIT-0": "deg",
    "MEAS_COND_AXIS_NAME_INTERNAL-1": "Temp",
    "MEAS_COND_AXIS_POSITION-1": "550",
    "MEAS_COND_AXIS_UNIT-1": "C",
    "MEAS_COND_XG_WAVE_TYPE": "Ka",
    "MEAS_SCAN_AXIS_X": "2-Theta/Theta",
    "MEAS_SCAN_AXIS_X_INTERNAL": "TwoThetaTheta",
    "MEAS_SCAN_SPEED": "2.0",
    "MEAS_SCAN_SPEED_UNIT": "deg/min",
    "MEAS_SCAN_START_TIME": "03/07/21 08:09:10",
    "MEAS_SCAN_STEP": "0.02",
    "MEAS_SCAN_UNIT_X": "deg",
    "MEAS_SCAN_UNIT_Y": "counts",
}


ROWS = ["10.00 100 1.0000", "10.02 200 1.0000", "10.04 30 20.0000", "10.06 7 1.0000"]


def block(rows: list[str] = ROWS, **changes: str | None) -> list[str]:
    header = {**HEADER, "MEAS_DATA_COUNT": f"{len(rows)}.0000", **changes}
    entries = [f'*{key} "{value}"' for key, value in header.items() if value is not None]
    return ["*RAS_HEADER_START", *entries, "*RAS_HEADER_END", "*RAS_INT_START", *rows, "*RAS_INT_END"]


def ras(folder: Path, *blocks: list[str], encoding: str = "cp932", end: bool = True) -> Path:
    lines = ["*RAS_DATA_START", *(line for one in blocks for line in one)] + ["*RAS_DATA_END"] * end
    path = folder / "scan.ras"
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return path
