"""Time-series archive: values and targets read by eye, and headers that do not keep their promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from peakwise.errors import PeakwiseError
from peakwise.io import Source, read_each
from peakwise.io.aeon_ts import AEON_TS

if TYPE_CHECKING:
    from pathlib import Path

    from peakwise.patterns import Patterns

HEAD = "# spectra\n\n@problemName Demo\n@timeStamps false\n@univariate true\n@classLabel true low high\n@data\n"


def read(path: Path) -> tuple[Patterns, ...]:
    (one,) = read_each(path)
    if one.error is not None:
        raise one.error
    assert one.format == "aeon_ts"
    return one.patterns


def ts(folder: Path, text: str) -> Path:
    path = folder / "demo.ts"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "n", "first", "last", "highest", "targets"),
    # Counts of lines after @data with wc, values from a text view of the first and last line.
    [("TRAIN", 172, 2.61776, 3.38148, 5.46712, (22.5, 46.3)), ("TEST", 43, 2.91042, 2.91564, 5.47374, (46.3, 42.5))],
)
def test_tecator(
    real_data: Path, name: str, n: int, first: float, last: float, highest: float, targets: tuple[float, float]
) -> None:
    (scans,) = read(real_data / f"nir_tecator/Tecator_{name}.ts")
    assert scans.shape == (n, 100)
    assert (scans.intensity[0, 0], scans.intensity[-1, -1], scans.intensity.max()) == (first, last, highest)
    assert (scans.meta["target"][0], scans.meta["target"][-1]) == targets
    assert (scans.kind, scans.axis[0], scans.axis[-1]) == ("channel", 0, 99)
    assert scans.warnings == (
        "the file holds no positions: the axis is the number of the channel; its remarks may name the range",
    )
    assert scans.names[0] == f"Tecator_{name}#1"


def test_classes_and_missing_values(tmp_path: Path) -> None:
    (scans,) = read(ts(tmp_path, HEAD + "1,2,?,4:low\n\n5,6,7,NaN:high\n"))
    assert scans.meta["label"].tolist() == ["low", "high"]
    np.testing.assert_array_equal(scans.intensity, [[1, 2, np.nan, 4], [5, 6, 7, np.nan]])


def test_lengths_that_differ(tmp_path: Path) -> None:
    three, four = read(ts(tmp_path, HEAD + "1,2,3:low\n5,6,7,8:high\n9,8,7:high\n"))
    assert three.intensity.tolist() == [[1, 2, 3], [9, 8, 7]]
    assert three.names.tolist() == ["demo#1", "demo#3"]
    assert four.meta["label"].tolist() == ["high"]


def test_several_dimensions_and_no_label(tmp_path: Path) -> None:
    text = "@problemName D\n@univariate false\n@dimensions 2\n@classLabel false\n@data\n1,2,3:4,5,6\n"
    (scans,) = read(ts(tmp_path, text))
    assert scans.intensity.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert scans.names.tolist() == ["demo#1.1", "demo#1.2"]
    assert "label" not in scans.meta


def test_remarks_longer_than_the_head(tmp_path: Path) -> None:
    (scans,) = read(ts(tmp_path, "# remark\n" * 1000 + HEAD + "1,2,3:low\n"))
    assert scans.intensity.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("text", ["", "# remark\n1 2\n2 3\n", "@relation arff\n@data\n1,2,3\n", "1,2,3:low\n"])
def test_other_files_are_left_alone(tmp_path: Path, text: str) -> None:
    assert not AEON_TS.sniff(Source(ts(tmp_path, text)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD.replace("@data\n", ""), "no line @data"),
        (HEAD, "holds no scan"),
        (HEAD.replace("@timeStamps false", "@timeStamps true") + "(0,1),(1,2),(2,3):low\n", "carry time stamps"),
        (
            HEAD.replace("@data", "@equalLength true\n@data") + "1,2,3:low\n1,2:low\n",
            "series 2 holds 2 of the 3 values",
        ),
        (
            HEAD.replace("@data", "@equalLength true\n@seriesLength 4\n@data") + "1,2,3:low\n",
            "series 1 holds 3 of the 4",
        ),
        (HEAD.replace("@data", "@missing false\n@data") + "1,?,3:low\n", "there are none"),
        (HEAD + "1,2,3:4,5,6:low\n", "case 1 holds 2 series, its header promises 1"),
        (HEAD + "1,2,3\n", "case 1 holds 0 series"),
        (HEAD + "1,2,x:low\n", "contradicts the format"),
        (HEAD.replace("@classLabel true low high", "@targetLabel true") + "1,2,3:fat\n", "contradicts the format"),
    ],
)
def test_damage_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(PeakwiseError) as caught:
        read(ts(tmp_path, text))
    assert words in str(caught.value)
