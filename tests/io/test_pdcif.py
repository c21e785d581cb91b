"""Powder CIF: real files of GSAS, COD and EasyDiffraction, blocks written from the dictionary, and phases refused."""

from __future__ import annotations

import numpy as np
import pytest

from peakwise.errors import DamagedFileError
from peakwise.io import Reader, Source
from peakwise.io.pdcif import PDCIF

DOOR = Reader({"pdcif": PDCIF})


def each(path):
    (found,) = DOOR.read_each(path)
    if found.error is not None:
        raise found.error
    return [row for patterns in found.patterns for row in patterns]


def one(path):
    (scan,) = each(path)
    return scan


def cif(folder, text, name="scan.cif"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def block(columns, pairs=(), name="sample"):
    """A data block with one loop, given as {tag: values}."""
    tags = "\n".join(columns)
    rows = "\n".join(" ".join(str(v) for v in row) for row in zip(*columns.values(), strict=True))
    single = "\n".join(f"{k} {v}" for k, v in dict(pairs).items())
    return f"data_{name}\n{single}\nloop_\n{tags}\n{rows}\n"


X = {"_pd_meas_2theta_scan": ["10.0", "10.1", "10.2", "10.3"]}
Y = {"_pd_meas_counts_total": [100, 120, 90, 95]}
RANGE = {"_pd_meas_2theta_range_min": "10.0", "_pd_meas_2theta_range_max": "10.3", "_pd_meas_2theta_range_inc": "0.1"}
LIGHT = {"_diffrn_radiation_wavelength": "1.5406"}


# ---- real files ------------------------------------------------------------------------------------------------


def test_real_neutron_pattern_with_uncertainties_in_parentheses(real_data):
    scan = one(real_data / "formats/pdcif/1517474.cif")
    assert (scan.n_points, scan.kind, scan.unit) == (3296, "two_theta", "unknown")
    assert scan.axis[[0, 1, -1]] == pytest.approx([1.5, 1.55, 166.25], abs=1e-12)
    # "5540(160)", "4570(140)" ... "800(37)", "797(37)"
    assert scan.intensity[0, [0, 1, -2, -1]].tolist() == [5540, 4570, 800, 797]
    assert scan.sigma[0, [0, 1, -2, -1]].tolist() == [160, 140, 37, 37]
    assert scan.intensity.max() == 8440
    assert (scan.wavelength, scan.radiation.probe) == (2.0785, "neutron")
    assert scan.meta["temperature"].tolist() == [10.0]
    assert scan.meta["instrument"].tolist() == ["BT1"]
    assert scan.warnings == ()


def test_real_laboratory_pattern_with_both_lines(real_data):
    scan = one(real_data / "formats/pdcif/data.cif")
    assert (scan.n_points, scan.unit) == (3728, "counts")
    assert scan.axis[[0, 1, -1]] == pytest.approx([8.0, 8.022, 89.994], abs=1e-12)
    assert scan.intensity[0, [0, 1, -2, -1]].tolist() == [1733, 1620, 237 + 18, 202]
    assert scan.intensity.max() == 16799
    assert scan.radiation.lines == ((1.540598, 1.0), (1.54439, 0.38))
    assert scan.radiation.probe == "xray"
    assert scan.sigma is None


def test_real_dictionary_language_names(real_data):
    scan = one(real_data / "formats/pdcif/hrpt.cif")
    assert scan.n_points == 3098
    assert scan.axis[[0, -1]].tolist() == [10.0, 164.85]
    assert scan.intensity[0, [0, 1, -1]].tolist() == [167, 157, 109]
    assert scan.sigma[0, [0, 1, -1]].tolist() == [12.6, 12.5, 41.2]
    assert (scan.wavelength, scan.radiation.probe) == (1.494, "neutron")


def test_every_structure_of_the_library_is_refused_as_a_phase(real_data):
    files = sorted(real_data.glob("*/cifs/*.cif"))
    assert len(files) > 150
    for file in files:
        assert PDCIF.sniff(Source(file)), file
        (found,) = DOOR.read_each(file)
        assert found.error is not None, file
        assert found.error.reason == "it holds a structure, no powder pattern. Use it as a phase.", file


# ---- positions -------------------------------------------------------------------------------------------------


def test_positions_of_their_own(tmp_path):
    scan = one(cif(tmp_path, block(X | Y, LIGHT)))
    assert scan.axis.tolist() == [10.0, 10.1, 10.2, 10.3]
    assert scan.intensity[0].tolist() == [100, 120, 90, 95]
    assert scan.names.tolist() == ["scan"]


def test_positions_by_range(tmp_path):
    scan = one(cif(tmp_path, block(Y, RANGE | LIGHT)))
    assert scan.axis == pytest.approx([10.0, 10.1, 10.2, 10.3], abs=1e-12)


def test_a_rounded_increment_is_no_contradiction(tmp_path):
    # 5 to 80 in 4491 points is a step of 0.016703786...; the file rounds it to 0.0167
    y = {"_pd_meas_counts_total": range(4491)}
    pairs = dict(zip(RANGE, ("5.0", "80.0", "0.0167"), strict=True))
    scan = one(cif(tmp_path, block(y, pairs | LIGHT)))
    assert scan.axis[-1] == 80.0
    assert scan.step == pytest.approx(75 / 4490)


@pytest.mark.parametrize(
    ("tag", "kind", "factor"),
    [
        ("_pd_proc_2theta_corrected", "two_theta", 1.0),
        ("_pd_proc_d_spacing", "d", 1.0),
        ("_pd_proc_recip_len_Q", "q", 1.0),
        ("_pd_meas_time_of_flight", "time_of_flight", 1.0),
        ("_pd_proc_energy_incident", "energy", 1e-3),
        ("_pd_meas.2theta_scan", "two_theta", 1.0),
    ],
)
def test_kinds_of_positions(tmp_path, tag, kind, factor):
    scan = one(cif(tmp_path, block({tag: [10, 20, 30, 40]} | Y, LIGHT)))
    assert scan.kind == kind
    assert scan.axis == pytest.approx(factor * np.array([10, 20, 30, 40]))
    assert (scan.radiation is None) == (kind == "time_of_flight")


def test_measured_positions_go_with_measured_intensities_and_processed_with_processed(tmp_path):
    corrected = {"_pd_proc_2theta_corrected": ["10.02", "10.12", "10.22", "10.32"]}
    assert one(cif(tmp_path, block(corrected | X | Y, LIGHT))).axis[0] == 10.0
    processed = {"_pd_proc_intensity_total": [1, 2, 3, 4]}
    assert one(cif(tmp_path, block(X | corrected | processed, LIGHT))).axis[0] == 10.02


def test_a_range_of_another_length_gives_way_to_positions_that_fit(tmp_path):
    long = RANGE | {"_pd_meas_2theta_range_max": "20.0"}
    assert one(cif(tmp_path, block({"_pd_proc_d_spacing": [4, 3, 2, 1]} | Y, long | LIGHT))).kind == "d"


def test_a_profile_split_over_two_loops(tmp_path):
    text = block(Y, LIGHT) + "loop_\n_pd_meas_2theta_scan\n" + "\n".join(X["_pd_meas_2theta_scan"]) + "\n"
    assert one(cif(tmp_path, text)).axis.tolist() == [10.0, 10.1, 10.2, 10.3]


# ---- intensities and their uncertainties -----------------------------------------------------------------------


def test_measured_is_preferred_to_calculated(tmp_path):
    columns = X | {"_pd_calc_intensity_total": [1, 2, 3, 4], "_pd_proc_intensity_net": [5, 6, 7, 8]} | Y
    assert one(cif(tmp_path, block(columns, LIGHT))).intensity[0].tolist() == [100, 120, 90, 95]
    empty = columns | {"_pd_meas_counts_total": ["?", "?", "?", "?"]}
    assert one(cif(tmp_path, block(empty, LIGHT))).intensity[0].tolist() == [5, 6, 7, 8]


def test_calculated_is_said(tmp_path):
    scan = one(cif(tmp_path, block(X | {"_pd_calc_intensity_total": [1, 2, 3, 4]}, LIGHT)))
    assert any("calculated, not measured" in w for w in scan.warnings)


@pytest.mark.parametrize(
    ("written", "value", "uncertainty"),
    [
        ("5540(160)", 5540, 160),
        ("1.234(5)", 1.234, 0.005),
        ("12.5(1.5)", 12.5, 1.5),
        ("1.5e2(3)", 150, 30),
        (".25(2)", 0.25, 0.02),
    ],
)
def test_uncertainties_in_parentheses(tmp_path, written, value, uncertainty):
    scan = one(cif(tmp_path, block(X | {"_pd_meas_intensity_total": [written, "2(1)", "3(1)", "4(1)"]}, LIGHT)))
    assert scan.intensity[0, 0] == value
    assert scan.sigma[0, 0] == pytest.approx(uncertainty, rel=1e-15)


def test_uncertainties_in_their_own_column(tmp_path):
    y = {"_pd_meas_intensity_total": [1, 2, 3, 4], "_pd_meas_intensity_total_su": [0.1, 0.2, 0.3, 0.4]}
    assert one(cif(tmp_path, block(X | y, LIGHT))).sigma[0].tolist() == [0.1, 0.2, 0.3, 0.4]


def test_uncertainties_from_weights(tmp_path):
    y = {"_pd_proc_intensity_total": [1, 2, 3, 4], "_pd_proc_ls_weight": ["4.0", "0.0", ".", "0.25"]}
    sigma = one(cif(tmp_path, block(X | y, LIGHT))).sigma[0]
    assert sigma[[0, 3]].tolist() == [0.5, 2.0]
    assert np.isnan(sigma[1:3]).all()  # left out of the refinement: the file does not say how uncertain they are
    nothing = y | {"_pd_proc_ls_weight": ["0", "0", "0", "0"]}
    assert one(cif(tmp_path, block(X | nothing, LIGHT))).sigma is None


def test_points_that_are_not_there_are_left_out(tmp_path):
    scan = one(cif(tmp_path, block(X | {"_pd_meas_counts_total": ["5", ".", "7", "8"]}, LIGHT)))
    assert scan.axis.tolist() == [10.0, 10.2, 10.3]


# ---- radiation and metadata ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pairs", "lines", "anode", "probe"),
    [
        ({"_diffrn_radiation_wavelength": "1.5406(1)"}, ((1.5406, 1.0),), None, "xray"),
        ({"_diffrn_radiation_wavelength.value": "0.4"}, ((0.4, 1.0),), None, "xray"),
        ({"_diffrn_radiation_wavelength": "1.2", "_diffrn_radiation_probe": "neutron"}, ((1.2, 1.0),), None, "neutron"),
        ({"_diffrn_radiation_wavelength": "1.2", "_diffrn_radiation_type": "Neutron"}, ((1.2, 1.0),), None, "neutron"),
        ({"_diffrn_radiation_type": "'Cu K\\a~1~'"}, ((1.54059290, 1.0),), "Cu", "xray"),
        ({"_diffrn_radiation_type": "'MoK\\a'"}, ((0.70931715, 1.0), (0.71360700, 0.5)), "Mo", "xray"),
    ],
)  # fmt: skip
def test_radiation(tmp_path, pairs, lines, anode, probe):
    radiation = one(cif(tmp_path, block(X | Y, pairs))).radiation
    assert radiation.lines == lines
    assert (radiation.anode, radiation.probe) == (anode, probe)


def test_several_wavelengths(tmp_path):
    head = "loop_\n_diffrn_radiation_wavelength\n_diffrn_radiation_wavelength_wt\n1.5444 0.5\n1.5406 1.0\n"
    scan = one(cif(tmp_path, block(X | Y, {"_diffrn_radiation_type": "'Cu K\\a'"}) + head))
    assert scan.radiation.lines == ((1.5406, 1.0), (1.5444, 0.5))
    without = head.replace("_diffrn_radiation_wavelength_wt\n", "").replace(" 0.5", "").replace(" 1.0", "")
    assert one(cif(tmp_path, block(X | Y) + without)).radiation.lines == ((1.5444, 1.0), (1.5406, 0.5))


def test_a_wavelength_that_cannot_be_is_said(tmp_path):
    scan = one(cif(tmp_path, block(X | Y, {"_diffrn_radiation_wavelength": "1540.6"})))
    assert any("is not used" in w for w in scan.warnings)
    assert any("no wavelength" in w for w in scan.warnings)


def test_metadata(tmp_path):
    pairs = {
        "_diffrn_ambient_temperature": "293(2)", "_diffrn_ambient_pressure": "2.5e6", "_pd_meas_step_count_time": "1.5",
        "_pd_meas_datetime_initiated": "2013-11-26T14:41:23", "_chemical_name_mineral": "'Quartz, low'",
        "_pd_meas_info_author_name": "?", "_cell_measurement_temperature": "100",
    }  # fmt: skip
    meta = {k: v.tolist()[0] for k, v in one(cif(tmp_path, block(X | Y, LIGHT | pairs))).meta.items()}
    assert meta["temperature"] == 293.0
    assert meta["pressure"] == pytest.approx(2.5)  # kPa -> GPa
    assert meta["count_time"] == 1.5
    assert meta["date"] == "2013-11-26T14:41:23"
    assert meta["sample"] == "Quartz, low"
    assert meta["title"] == "sample"
    assert "operator" not in meta


def test_several_blocks_share_the_only_wavelength(tmp_path):
    structure = "data_phase\n_cell_length_a 5.4\n_diffrn_radiation_wavelength 0.7093\n"
    text = structure + block(X | Y, name="cold") + block(X | Y, name="hot")
    cold, hot = each(cif(tmp_path, text))
    assert (cold.names.tolist(), hot.names.tolist()) == (["cold"], ["hot"])
    assert cold.wavelength == hot.wavelength == 0.7093
    two = text + "data_other\n_diffrn_radiation_wavelength 1.5406\n"
    assert all(any("no wavelength" in w for w in s.warnings) for s in each(cif(tmp_path, two)))


# ---- what is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("data_a\n_cell_length_a 5.4\n", "holds a structure, no powder pattern. Use it as a phase"),
        ("data_a\nloop_\n_atom_site_label\n_atom_site_fract_x\nSi 0\n", "holds a structure"),
        ("data_a\nloop_\n_refln_index_h\n_refln_index_k\n1 0\n", "holds reflections, no powder pattern"),
        ("data_a\n_publ_author_name 'A. Person'\n", "holds no powder pattern"),
        (block(Y, LIGHT), "gives no positions"),
        (
            block(Y, RANGE | {"_pd_meas_2theta_range_max": "20.0"}),
            "from 10.0 to 20.0 by 0.1 there are 101 points, it holds 4",
        ),
        (block(Y, RANGE | {"_pd_meas_2theta_range_inc": "0"}), "there are 0 points, it holds 4"),
        (block(X | Y, {"_pd_meas_number_of_points": "5"}), "holds 4 of the 5 points that it promises"),
        (block(X | {"_pd_meas_counts_total": ["5", "x", "7", "8"]}), "block sample: 'x' is no number"),
        (block(X | Y) + "loop_\n_pd_a\n_pd_b\n1 2 3\n", "contradicts the format"),
        (block(X | Y) + "_a\n;\nthis text does not end\n", "contradicts the format"),
        ("data_a\nloop_\n_pd_meas_counts_total\n_pd_meas_2theta_scan\n", "holds no powder pattern"),
    ],
)
def test_contradictions(tmp_path, text, told):
    with pytest.raises(DamagedFileError, match=told.replace("(", r"\(")):
        one(cif(tmp_path, text))


def test_more_points_than_promised_are_said(tmp_path):
    scan = one(cif(tmp_path, block(X | Y, LIGHT | {"_pd_meas_number_of_points": "3"})))
    assert any("promises 3 points and holds 4" in w for w in scan.warnings)


@pytest.mark.parametrize("file", ["1517474.cif", "data.cif"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_real_files_cut_short(real_data, tmp_path, file, share):
    text = (real_data / "formats/pdcif" / file).read_text()
    lines = text.splitlines()
    # cut between two lines, where the grammar is not hurt and only the numbers of points tell
    begin = next(i for i, line in enumerate(lines) if line.startswith("_pd_calc_intensity_total")) + 1
    path = cif(tmp_path, "\n".join(lines[: begin + int(share * 3200)]) + "\n")
    with pytest.raises(DamagedFileError, match="points that it promises"):
        one(path)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("data_ without tags\n1 2\n", "x.cif"),
        ("no block\n_pd_meas_counts_total\n", "x.cif"),
        ("###CBF: VERSION 1.5\ndata_image_1\n_array_data.data\n", "x.cbf"),
        ("data_a\n_tag 1\n\0", "x.cif"),
        ("1 2\n2 3\n", "x.cif"),
        ("# only a comment\n", "x.txt"),
        ("", "x.cif"),
        (" " * 5000, "x.txt"),
    ],
)
def test_foreign_files_are_not_claimed(tmp_path, content, name):
    assert not PDCIF.sniff(Source(cif(tmp_path, content, name)))


def test_a_long_comment_in_front(tmp_path):
    path = cif(tmp_path, "# deposited\n" * 600 + block(X | Y, LIGHT))
    assert PDCIF.sniff(Source(path))
    assert one(path).n_points == 4
