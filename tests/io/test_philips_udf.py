"""Philips UDF: written here by the layout of public files, and from a measured scan with its twin."""

from __future__ import annotations

import numpy as np
import pytest

from peakwise.errors import DamagedFileError
from peakwise.io import Reader, Source
from peakwise.io.philips_udf import PHILIPS_UDF

DOOR = Reader({"philips_udf": PHILIPS_UDF})

HEADER = {
    "SampleIdent": "Sample5 ",
    "Title1": "Dat2rit program ",
    "Title2": "Sample5, ground ",
    "DiffrType": "PW1800",
    "DiffrNumber": "1",
    "Anode": "Cu",
    "LabdaAlpha1": " 1.54060",
    "LabdaAlpha2": " 1.54439",
    "RatioAlpha21": " 0.50000",
    "GeneratorVoltage": "  40",
    "TubeCurrent": "  55",
    "FileDateTime": "5-may-1997 10:24",
    "DataAngleRange": "   5.0000,   5.1400",
    "ScanStepSize": "    0.020",
    "ScanType": "CONTINUOUS",
    "ScanStepTime": "    1.25",
}
ROWS = ["    6234,    6185,    5969,    6129", "    6199,    5988,    6046,    5922/"]
COUNTS = [6234, 6185, 5969, 6129, 6199, 5988, 6046, 5922]


def udf(folder, rows=ROWS, more="", end="\r\n", **changes):
    lines = [f"{k},{v},/" for k, v in {**HEADER, **changes}.items() if v is not None]
    path = folder / "scan.udf"
    path.write_bytes((end.join([*lines, "RawScan", *rows]) + end + more).encode("cp1252"))
    return path


def one(path):
    (found,) = DOOR.read_each(path)
    if found.error is not None:
        raise found.error
    (patterns,) = found.patterns
    return patterns


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_scan(tmp_path, end):
    path = udf(tmp_path, end=end)
    assert PHILIPS_UDF.sniff(Source(path))
    scan = one(path)
    assert scan.intensity[0].tolist() == COUNTS
    assert scan.axis == pytest.approx([5.0, 5.02, 5.04, 5.06, 5.08, 5.10, 5.12, 5.14])
    assert (scan.kind, scan.unit) == ("two_theta", "counts")
    assert scan.radiation.lines == ((1.5406, 1.0), (1.54439, 0.5))
    meta = {k: v.tolist()[0] for k, v in scan.meta.items()}
    assert meta["sample"] == "Sample5"
    assert meta["title"] == "Dat2rit program Sample5, ground"
    assert meta["date"] == "1997-05-05T10:24:00"
    assert (meta["anode"], meta["instrument"]) == ("Cu", "PW1800")
    assert (meta["voltage"], meta["current"], meta["count_time"]) == (40.0, 55.0, 1.25)
    assert scan.warnings == ()


def test_a_second_scan_takes_over_the_header(tmp_path):
    more = "DataAngleRange,  20.0000,  20.0400,/\nRawScan\n 1, 2, 3/\n"
    (found,) = DOOR.read_each(udf(tmp_path, more=more))
    first, second = found.patterns
    assert first.intensity[0].tolist() == COUNTS
    assert second.intensity[0].tolist() == [1, 2, 3]
    assert second.axis == pytest.approx([20.0, 20.02, 20.04])
    assert second.wavelength == 1.5406


def test_one_point_more_or_less_is_said(tmp_path):
    short = one(udf(tmp_path, rows=["6234, 6185, 5969, 6129, 6199, 5988, 6046/"]))
    assert short.n_points == 7
    assert any("there are 8 points, it holds 7" in w for w in short.warnings)


def test_missing_facts_stay_missing(tmp_path):
    scan = one(udf(tmp_path, LabdaAlpha1=None, Anode=None, ScanStepTime="x", TubeCurrent="0", FileDateTime=None))
    assert any("no wavelength" in w for w in scan.warnings)
    assert not {"anode", "count_time", "current", "date"} & set(scan.meta)


def test_an_impossible_wavelength_is_said(tmp_path):
    assert any("not used" in w for w in one(udf(tmp_path, LabdaAlpha1="154.06")).warnings)


def test_twin_of_a_measured_scan(real_data, tmp_path):
    text = np.loadtxt(real_data / "formats/bruker_raw/D5000_1.xy")
    counts = [f"{y:8.0f}" for y in text[:, 1]]
    # as the real files do: commas between the numbers of a line, none at its end, a slash after the last
    rows = [",".join(counts[i : i + 8]) for i in range(0, len(counts), 8)]
    rows[-1] += "/"
    scan = one(udf(tmp_path, rows=rows, DataAngleRange="   2.0000,  75.0000", ScanStepSize="    0.020"))
    assert scan.n_points == 3651
    assert (scan.intensity[0] == text[:, 1]).all()
    assert scan.axis == pytest.approx(text[:, 0], abs=1e-9)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"rows": ROWS[:1]}, "scan 1 ends after 4 points without the slash"),
        ({"rows": ["6234, 6185, 5969/"]}, "there are 8 points, scan 1 holds 3"),
        ({"rows": ["6234, 6185, x, 4, 5, 6, 7, 8/"]}, "scan 1: "),
        ({"DataAngleRange": None}, "scan 1 lacks DataAngleRange"),
        ({"DataAngleRange": "5.0"}, "scan 1: not enough values"),
        ({"DataAngleRange": "5.0, x"}, "scan 1: 'x' is no number"),
        ({"ScanStepSize": None}, "scan 1 lacks ScanStepSize"),
        ({"ScanStepSize": "0"}, "there are nan points"),
        ({"ScanStepSize": "1e-300"}, "points, scan 1 holds 8"),
    ],
)
def test_contradictions(tmp_path, changes, told):
    with pytest.raises(DamagedFileError, match=told):
        one(udf(tmp_path, **changes))


def test_without_a_scan(tmp_path):
    path = tmp_path / "peaks.udf"
    path.write_text("SampleIdent,x,/\nPeakList\n 1, 2/\n")
    with pytest.raises(DamagedFileError, match="holds no RawScan"):
        one(path)


def test_foreign_files_are_not_claimed(tmp_path):
    for content in ("Sample,1\n1 2\n", "", "RawScan\n1, 2/"):
        path = tmp_path / "x.udf"
        path.write_text(content)
        assert not PHILIPS_UDF.sniff(Source(path))
