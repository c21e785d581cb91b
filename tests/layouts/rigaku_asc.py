"""Rigaku ASC."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

HEAD = """*TYPE\t\t=  Raw
*CLASS\t\t=  ASCII CLASS
*SAMPLE\t\t=  ASZTK
*COMMENT\t=  Qualitative (demo)
*DATE\t\t=  25-Dec-97 19:12

*GROUP_COUNT\t=  2
*GONIO\t\t=  Wide angle goniometer, 185
*SCAN_AXIS\t=  2theta/theta
*MEAS_MODE\t=  Continuous Scanning
*TARGET\t\t=  29
*XRAY_CHAR\t=  K-ALPHA1
*WAVE_LENGTH1\t=  1.54056
*WAVE_LENGTH2\t=  1.5444
*SPEED_DIM\t=  sec./step
*XUNIT\t\t=  deg.
*YUNIT\t\t=  cps
"""


GROUPS = """
*BEGIN
*GROUP\t\t=  0
*START\t\t=  3
*STOP\t\t=  3.08
*STEP\t\t=  0.02
*SPEED\t\t=  0.4
*KV\t\t=  60
*MA\t\t=  200
*COUNT\t\t=  5
948, 952.8, 990
# a remark
119.6, 0.000000
*END

*BEGIN
*GROUP\t\t=  1
*START\t\t=  50
*STOP\t\t=  51.5
*STEP\t\t=  0.5
*SPEED\t\t=  2
*COUNT\t\t=  4
1, 2
3, 4
*END

*EOF
"""


def asc(folder: Path, text: str) -> Path:
    path = folder / "scan.asc"
    path.write_text(text, encoding="utf-8", newline="\r\n")
    return path
