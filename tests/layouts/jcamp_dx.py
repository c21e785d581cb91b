"""JCAMP-DX: the example of McDonald and Wilks (1988)."""

from __future__ import annotations

# Table VI of McDonald & Wilks, Appl. Spectrosc. 42 (1988) 151: one spectrum in the forms FIX and DIFDUP.
ORDINATES = [
    0, 0, 0, 0, 2, 4, 4, 4, 7, 5, 4, 4, 5, 5, 7, 10, 11, 11, 6, 5, 7, 6, 9, 9, 7, 10, 10, 9, 10, 11, 12, 15, 16, 16, 14,
    17, 38, 38, 35, 38, 42, 47, 54, 59, 66, 75, 78, 88, 96, 104, 110, 121, 128,
]  # fmt: skip


FIX = """599.860 0 0 0 0 2 4 4 4 7 5 4 4 5 5 7 10 11 11 6 5 7 6 9 9 7
648.081 10 10 9 10 11 12 15 16 16 14 17 38 38 35 38 42 47 54
682.799  59  66  75  78  88  96 104 110 121 128"""


DIFDUP = """599.860@VKT%TLkj%J%KLJ%njKjL%kL%jJULJ%kLK1%lLMNPNPRLJ0QTOJ1P
700.158A28 $$ checkpoint"""


def dx(data: str = DIFDUP, form: str = "XYDATA= (X++(Y..Y))", end: str = "##END=\n", **changes: str | None) -> str:
    records = {
        "TITLE": "polystyrene film",
        "JCAMP-DX": "4.24",
        "DATA TYPE": "INFRARED SPECTRUM",
        "ORIGIN": "General Analysis Corp.",
        "OWNER": "P. A. Wilks",
        "DATE": "87/03/07",
        "TIME": "13:05:09",
        "SPECTROMETER/DATA SYSTEM": "Digilab FTS-40",
        "SAMPLE DESCRIPTION": "a film\nof 50 um",
        "TEMPERATURE": "25",
        "XUNITS": "1/CM",
        "YUNITS": "ABSORBANCE",
        "FIRSTX": "599.860",
        "LASTX": "700.158",
        "XFACTOR": "1.0",
        "YFACTOR": "0.01",
        "NPOINTS": "53",
        "FIRSTY": "0",
    }
    records |= {key.replace("_", " "): value for key, value in changes.items()}
    head = "".join(f"##{key}={value}\n" for key, value in records.items() if value is not None)
    return f"{head}##{form}\n{data}\n{end}"
