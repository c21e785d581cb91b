"""FIT2D, ChiPlot and SrXgui .chi files."""

from __future__ import annotations

import numpy as np
import pytest

from peakwise.errors import DamagedFileError
from peakwise.io import Reader, Source
from peakwise.io.chi import CHI

DOOR = Reader({"chi": CHI})


def one(path):
    (found,) = DOOR.read_each(path)
    if found.error is not None:
        raise found.error
    (patterns,) = found.patterns
    return patterns


def chi(folder, *lines, end="\n", name="scan.chi"):
    path = folder / name
    path.write_bytes(end.join(lines).encode())
    return path


def fit2d(folder, label, *rows, count=None, end="\n", **options):
    return chi(folder, "image.tif: 2-theta", label, "", f"{len(rows) if count is None else count:11d}", *rows, "",
               end=end, **options)  # fmt: skip


ROWS = (" 1.0000000E+00  2.5000000E+01", " 2.0000000E+00  3.5000000E+01", " 3.0000000E+00  1.5000000E+01")


def test_real_fit2d_file_that_was_edited(real_data):
    scan = one(real_data / "formats/chi/pattern_001.chi")
    assert scan.kind == "two_theta"
    assert scan.n_points == 75
    assert scan.axis[[0, -1]].tolist() == [1.0486433e-02, 2.8344830e01]
    assert scan.intensity[0, [0, 1]].tolist() == [27.862846, 28.738375]
    assert "it holds 75 points, its header promises 1455: it was edited, or it is cut short" in scan.warnings
    assert "LaB6_p49_001.tif" in scan.meta["title"][0]


def test_real_srxgui_file(real_data):
    scan = one(real_data / "formats/chi/Ni.chi")
    assert scan.kind == "q"
    assert scan.n_points == 1576
    assert scan.axis[[0, -1]].tolist() == [0.0, 31.5]
    assert scan.wavelength == 0.1835957
    # the row "0.06 1164.81 152.288"
    assert (scan.axis[3], scan.intensity[0, 3], scan.sigma[0, 3]) == (0.06, 1164.81, 152.288)
    assert scan.intensity.max() == 3716850


def test_real_chiplot_file(real_data):
    scan = one(real_data / "formats/chi/ExampleChiPlot.chi")
    assert scan.axis.tolist() == list(range(1, 11))
    # the second row is written "2., 5.9e-2"
    assert scan.intensity[0].tolist() == [0.05, 0.059, 0.067, 0.068, 0.066, 0.05, 0.041, 0.02, 0.006, -0.026]
    assert any("does not say what its axis is" in w for w in scan.warnings)
    assert scan.meta["title"].tolist() == ["Figure 1. SINGLE DATA-SET"]


@pytest.mark.parametrize(
    ("label", "kind", "factor"),
    [
        ("2-Theta Angle (Degrees)", "two_theta", 1.0),
        ("2-Theta Angle (Radians)", "two_theta", 180 / np.pi),
        ("Q (Inverse Nanometres)", "q", 0.1),
        ("Q (Inverse Angstroms)", "q", 1.0),
        ("D-spacing (nm)", "d", 10.0),
        ("D-spacing (Angstroms)", "d", 1.0),
        ("Radial Distance (mm)", "position", 1.0),
        ("Radial Distance (pixels)", "channel", 1.0),
        ("Azimuth (Degrees)", "phi", 1.0),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_labels_tell_the_axis(tmp_path, label, kind, factor, end):
    path = fit2d(tmp_path, label, *ROWS, end=end, name="scan.txt")
    assert CHI.sniff(Source(path))
    scan = one(path)
    assert scan.kind == kind
    assert scan.axis == pytest.approx(factor * np.array([1.0, 2.0, 3.0]), rel=1e-15)
    assert scan.intensity[0].tolist() == [25.0, 35.0, 15.0]


def test_several_curves(tmp_path):
    path = chi(tmp_path, "t", "x", "y", "3 2", "1 10 100", "2 20 200", "3 30 300")
    scan = one(path)
    assert scan.intensity.tolist() == [[10, 20, 30], [100, 200, 300]]
    assert scan.sigma is None


def test_a_third_column_is_the_uncertainty(tmp_path):
    scan = one(fit2d(tmp_path, "2-Theta Angle (Degrees)", "1 10 3.5", "2 20 4.5", "3 30 5.5"))
    assert scan.intensity.tolist() == [[10, 20, 30]]
    assert scan.sigma.tolist() == [[3.5, 4.5, 5.5]]
    assert any("third column" in w for w in scan.warnings)


def test_more_points_than_promised_are_said(tmp_path):
    scan = one(fit2d(tmp_path, "2-Theta Angle (Degrees)", *ROWS, count=2))
    assert scan.n_points == 3
    assert any("holds 3 points, its header promises 2" in w for w in scan.warnings)


def test_srxgui_of_an_angle_without_uncertainty(tmp_path):
    head = ["# SrXgui configration #", "[Experiment]", "integrationspace = twothetaspace", "wavelength = 1e9"]
    scan = one(chi(tmp_path, *head, "#### start data", "1 5", "2 6", "3 7"))
    assert scan.kind == "two_theta"
    assert scan.sigma is None
    assert any("not used" in w for w in scan.warnings)  # no wavelength is that long


@pytest.mark.parametrize("share", [0.3, 0.5, 0.77, 0.97])
def test_a_file_that_breaks_off_within_a_row_is_refused(tmp_path, share):
    rows = [f"{i / 7: .7E} {i * 3.7: .7E}" for i in range(1, 400)]
    whole = fit2d(tmp_path, "Q (Inverse Angstroms)", *rows).read_text()
    cut = whole[: int(len(whole) * share)].rstrip("\n")
    cut = cut[:-5] if len(cut.rsplit("\n", 1)[-1]) == len(rows[0]) else cut
    path = chi(tmp_path, cut)
    with pytest.raises(DamagedFileError, match=r"last row is incomplete|must hold 2 numbers|no number"):
        one(path)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("t", "2-Theta Angle (Degrees)", "", "3", "1 2", "2 x", "3 4"), "contradicts the format"),
        (("t", "2-Theta Angle (Degrees)", "", "3", "1 2", "2 3 4", "3 4"), "row 2 must hold 2 numbers, it holds 3"),
        (("t", "x", "y", "3 2", "1 2", "2 3", "3 4"), "row 1 must hold 3 numbers, it holds 2"),
        (("t", "2-Theta", "", "1", "1 2", ""), "at least 3 points"),
    ],
)
def test_rows_that_contradict_the_format(tmp_path, lines, told):
    with pytest.raises(DamagedFileError, match=told):
        one(chi(tmp_path, *lines, ""))


def test_forced_reading_of_a_foreign_file(tmp_path):
    path = chi(tmp_path, "1 2", "2 3", "3 4", "many", "5 6")
    (found,) = DOOR.read_each(path, format="chi")
    assert "fourth line must hold the number of points" in found.error.why


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("t\nx\ny\n3\n1 2\n2 3\n3 4\n", "scan.txt"),  # any three lines of words: only the suffix would tell
        ("1 2\n2 3\n3 4\n4\n5 6\n6 7\n", "scan.chi"),
        ("t\n2-Theta Angle\n\nmany\n1 2\n2 3\n", "scan.chi"),
        ("t\n2-Theta Angle\n\n3\nwords\n2 3\n", "scan.chi"),
        ("# comment\n1 2\n2 3\n3 4\n4 5\n5 6\n", "scan.chi"),
        ("short\n", "scan.chi"),
        ("t\n2-Theta\0\n\n3\n1 2\n2 3\n", "scan.chi"),
    ],
)
def test_foreign_files_are_not_claimed(tmp_path, content, name):
    assert not CHI.sniff(Source(chi(tmp_path, content, name=name)))
