"""Every measured file at hand: each file of `formats`, twins to the last count, every set as a whole.

The table keeps what is read from changing unnoticed. It is no independent proof: the values of text, csv, chi and GSAS
files were compared with the files by eye; those of the other formats are proved in their own tests, against headers,
hex dumps and twins, and stand here as the readers give them.
"""

from __future__ import annotations

import csv
import statistics
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

import peakwise as pw

if TYPE_CHECKING:
    from pathlib import Path

CU, CO = 1.5406, 1.78897
ASSUMED = None  # the file gives no wavelength

# file: format, scans, points of each grid, first and last position of the first scan, kind, wavelength, largest value
FILES = {
    "bruker_raw/BT86.raw": ("bruker_raw", 1, [2374], 3.0, 40.0003, "two_theta", 1.5406, 5774),
    "bruker_raw/Cu3Au-1.raw": ("bruker_raw", 1, [3901], 22.0, 100.0, "two_theta", 1.5406, 138),
    "bruker_raw/Cu3Au-2.raw": ("bruker_raw", 1, [3901], 22.0, 100.0, "two_theta", 1.5406, 375),
    # Three ranges: 101 points in steps of 0.1, 51 and 26 with their own steps.
    "bruker_raw/format1.raw": ("bruker_raw", 3, [101, 26, 51], 10.0, 20.0, "two_theta", 1.5406, 58),
    "bruker_raw/brk_raw1.raw": ("bruker_raw", 1, [876], 4.98, 39.98, "two_theta", 1.5406, 12880),
    "bruker_raw/brk_raw2.raw": ("bruker_raw", 1, [7251], 5.0, 150.0, "two_theta", 1.5406, 25185),
    "bruker_raw/bruker.raw": ("bruker_raw", 1, [4059], 37.0001, 120.0046, "two_theta", 1.5406, 94855),
    # Its intensities were scrambled before it was published, and are said to be no counts.
    "bruker_raw/TwoTheta_scan_scrambled.raw": (
        "bruker_raw", 1, [7134], 10.0, 85.0413, "two_theta", 1.5406, 11330.5869140625,
    ),
    "bruker_raw/LaB6_Jan2018.raw": ("bruker_raw", 1, [3040], 10.0, 70.0044, "two_theta", 1.5406, 134930),
    "bruker_raw/Keokuk kaolinite.RAW": ("bruker_raw", 2, [4001, 3501], 10.0, 90.0, "two_theta", 1.5406, 4880),
    "bruker_raw/D5000_1.RAW": ("bruker_raw", 1, [3651], 2.0, 75.0, "two_theta", 1.789, 6532),
    "bruker_raw/D5000_1.xy": ("text", 1, [3651], 2.0, 75.0, "two_theta", ASSUMED, 6532),
    "bruker_raw/D5000_2.RAW": ("bruker_raw", 1, [3651], 2.0, 75.0, "two_theta", 1.789, 2334),
    "bruker_raw/D5000_2.xy": ("text", 1, [3651], 2.0, 75.0, "two_theta", ASSUMED, 2334),
    "bruker_brml/BaZrS3.brml": ("brml", 1, [2448], 10.0001, 59.9977, "two_theta", 1.5406, 3457),
    "bruker_raw/BaZrS3.raw": ("bruker_raw", 1, [2448], 10.0001, 59.9977, "two_theta", 1.5406, 3457),
    "bruker_brml/SbI3.brml": ("brml", 1, [1399], 10.0001, 59.9875, "two_theta", 1.5406, 8412),
    "bruker_raw/SbI3.raw": ("bruker_raw", 1, [1399], 10.0001, 59.9875, "two_theta", 1.5406, 8412),
    # Counts per second of all channels: 8412 counts in 76.8 s.
    "bruker_brml/SbI3.xy": ("text", 1, [1399], 10.0001, 59.9875, "two_theta", ASSUMED, 109.531),
    "xye/SbI3.xye": ("text", 1, [1399], 10.0001, 59.9875, "two_theta", ASSUMED, 8412),
    # 59706 counts behind an absorber of 8.3: the file's own statistics say Maximum="495559.8".
    "bruker_brml/23-012-AG_2thomegascan_long.brml": ("brml", 1, [2001], 44.0, 48.0, "two_theta", 1.5406, 495559.8),
    # A germanium monochromator and silver: the header says 1.207900 and 1.207900.
    "stoe_raw/stoe.raw": ("stoe_raw", 1, [5404], 10.0, 91.045, "two_theta", 1.2079, 5824),
    "rigaku_rasx/TwoTheta_scan_powder.rasx": (
        "rasx", 1, [2726], 10.0, 119.0, "two_theta", 1.5406, 1698.50854492188,
    ),
    "rigaku_rasx/Omega-2Theta_scan_high_temperature.rasx": (
        "rasx", 1, [1042], 44.0, 48.9968, "two_theta", 1.5406, 811.226867675781,
    ),
    "rigaku_rasx/RM20220915Si01.rasx": ("rasx", 1, [2151], 8.5, 30.0, "two_theta", 1.5406, 639),
    # Counts times the attenuation of their row.
    "rigaku_ras/inas_layer_radial_002_004.ras.bz2": (
        "rigaku_ras", 2, [1501, 2501], 26.5, 32.5, "two_theta", 1.5406, 532695488,
    ),
    "rigaku_dat/ExampleRigaku.dat": "group 1 holds 56 of the 4657 points its header promises",
    "panalytical_xrdml/empyrean.xrdml": ("xrdml", 1, [196], 30.05, 41.75, "two_theta", 1.5406, 22),
    "panalytical_xrdml/XRD-918-16_10.xrdml": ("xrdml", 1, [5027], 4.0066, 69.9994, "two_theta", 1.5406, 100168),
    # 1877 counts behind an attenuator of 188 at one point.
    "panalytical_xrdml/m54313_om2th_10.xrdml": ("xrdml", 1, [1800], 26.025, 79.995, "two_theta", 1.5406, 352876),
    "panalytical_xrdml/m82762_rc1mm_1_16dg_src_slit_phi-101_3dg_-420_mesh_long.xrdml.gz": (
        "xrdml", 101, [255], 67.4505, 69.9515, "two_theta", 1.5406, 41963840,
    ),
    "panalytical_xrdml/simpack_xrd_AlGaAs.xrdml.gz": ("xrdml", 1, [2999], 65.46, 66.6592, "two_theta", 1.5406, 76182),
    "panalytical_xrdml/rsm_1.xrdml.bz2": ("xrdml", 401, [255], 67.6755, 69.5811, "two_theta", 1.5406, 664016),
    "nexus/xrdml_918-16_10_ref.nxs": ("hdf5", 1, [5027], 4.0066, 69.9994, "two_theta", 1.5406, 100168),
    # Twenty frames of 1512 bins; the attribute of the axis says tth [deg].
    "nexus/Test_spec.nxs.gz": ("hdf5", 20, [1512], 0.0102, 30.8255, "two_theta", ASSUMED, 5669.981934),
    # "Cu Ka X-ray data" in its title; BANK says CONST 1000 2.5, so 10 to 160 with 6001 points.
    "gsas/PBSO4.XRA": ("gsas", 1, [6001], 10.0, 160.0, "two_theta", 1.5419, 15702),
    "gsas/Quinoli.gda": ("gsas", 1, [7361], 7.5, 36.94, "two_theta", ASSUMED, 8602.1),
    "gsas/NIST660CBI.gsas": ("gsas", 1, [8378], 15.0066, 124.9991, "two_theta", ASSUMED, 37133),
    # A time of flight in microseconds: the wavelength 2.665 angstrom in its comment is the middle of a band.
    "gsas/PG3_22049.gsa.gz": ("gsas", 1, [5199], 25978.8126, 207677.5021, "time_of_flight", ASSUMED, 27494.77260559),
    "gsas/Er2Ge2O7_op2112_Ge113_2K.gss": ("gsas", 1, [2459], 2.025, 124.925, "two_theta", ASSUMED, 3610.03),
    # "1.909" in its title is the wavelength of the neutrons, but it does not say so.
    "gsas/garnet.raw": ("gsas", 1, [2679], 24.0, 157.9, "two_theta", ASSUMED, 2664),
    "xye/x3lactos.xye": ("text", 1, [4776], 3.0, 26.875, "two_theta", ASSUMED, 47896),
    "xye/LaB6_d500_si_psd.xye.bz2": ("text", 1, [17381], 4.5721, 150.5783, "two_theta", ASSUMED, 14379.37019),
    "xye/Ba6Co6.xye": ("text", 1, [3120], 4.0, 159.95, "two_theta", ASSUMED, 2545),
    "ill_psi_dat/D1A5.dat": ("ill_psi", 1, [1680], -10.0, 157.9, "two_theta", 1.9114, 1503.6),
    "ill_psi_dat/PSI_DMC.dat": ("ill_psi", 1, [3200], 2.948, 162.898, "two_theta", 1.494, 45712),
    "pdcif/1517474.cif": ("pdcif", 1, [3296], 1.5, 166.25, "two_theta", 2.0785, 8440),
    "pdcif/data.cif": ("pdcif", 1, [3728], 8.0, 89.994, "two_theta", 1.5406, 16799),
    "pdcif/hrpt.cif": ("pdcif", 1, [3098], 10.0, 164.85, "two_theta", 1.494, 3532),
    # Somebody took out most of its rows by hand: its header promises 1455, every row that is there is whole.
    "chi/pattern_001.chi": ("chi", 1, [75], 0.0105, 28.3448, "two_theta", ASSUMED, 396.40204),
    "xy/pattern_001.xy": ("text", 1, [1400], 0.0159, 44.4997, "two_theta", 0.3202, 2170.222),
    # The axis is called "Column 1": nobody knows what it is.
    "chi/ExampleChiPlot.chi": ("chi", 1, [10], 1.0, 10.0, "two_theta", ASSUMED, 0.068),
    "chi/Ni.chi": ("chi", 1, [1576], 0.0, 31.5, "q", 0.1836, 3716850),
    "aimat_json/aimat.json": ("json", 1, [4059], 37.0001, 120.0046, "two_theta", 1.5406, 94855),
    # Two of its 3050 rows repeat a position, one is a jump back: 66.0851466 and then 64.98220287.
    "csv/single.csv": ("text", 1, [3048], 30.0031, 110.0656, "two_theta", ASSUMED, 211765),
    "canberra_cnf/SMP00011.CNF": ("canberra_cnf", 1, [8192], 0.2954, 2048.0454, "energy", None, 3642),
    # "Wavelength,S1" above "nm,CPS": light, in nm.
    "csv/test1.csv": ("text", 1, [8], 610.0, 617.0, "wavelength", None, 1682350),
    "xy/zro2_mo.xy": ("text", 1, [5630], 2.0001, 140.0501, "two_theta", ASSUMED, 73.3680566966869),
}  # fmt: skip


def one(path: Path) -> pw.io.FileRead:
    (found,) = pw.read_each(path)
    return found


def counts(path: Path) -> np.ndarray:
    (scans,) = one(path).patterns
    return scans.intensity[0]


def test_the_table_holds_every_file(real_data):
    with (real_data / "formats/manifest.csv").open(newline="") as file:
        assert {row["file"] for row in csv.DictReader(file)} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_each_file_of_formats(name, real_data):
    found, expected = one(real_data / "formats" / name), FILES[name]
    if isinstance(expected, str):
        assert expected in str(found.error)
        return
    assert found.error is None
    form, n_scans, points, first, last, kind, wavelength, largest = expected
    scans = found.patterns
    assert (found.format, sum(len(p) for p in scans), [p.n_points for p in scans]) == (form, n_scans, points)
    assert (scans[0].axis[0], scans[0].axis[-1]) == pytest.approx((first, last), abs=5.1e-5)
    assert scans[0].kind == kind
    if wavelength is not None:
        assert scans[0].wavelength == pytest.approx(wavelength, abs=5.1e-5)
        assert not scans[0].radiation.assumed
    elif kind == "two_theta":
        assert scans[0].radiation.assumed
        assert any("the file gives no wavelength" in note for note in scans[0].warnings)
    assert max(np.nanmax(p.intensity) for p in scans) == largest


@pytest.mark.parametrize(
    ("a", "b", "step"),
    [
        ("bruker_raw/D5000_1.RAW", "bruker_raw/D5000_1.xy", 1e-9),
        ("bruker_raw/D5000_2.RAW", "bruker_raw/D5000_2.xy", 1e-9),
        ("bruker_brml/SbI3.brml", "bruker_raw/SbI3.raw", 6e-5),
        ("bruker_brml/SbI3.brml", "xye/SbI3.xye", 1e-9),
        ("bruker_raw/SbI3.raw", "xye/SbI3.xye", 6e-5),
        ("bruker_brml/BaZrS3.brml", "bruker_raw/BaZrS3.raw", 6e-5),
        ("panalytical_xrdml/XRD-918-16_10.xrdml", "nexus/xrdml_918-16_10_ref.nxs", 1e-9),
        ("bruker_raw/bruker.raw", "aimat_json/aimat.json", 6e-7),
    ],
)
def test_twins_agree_to_the_last_count(a, b, step, real_data):
    """`step`: to how many degrees the two files write their positions."""
    (first,), (second,) = one(real_data / "formats" / a).patterns, one(real_data / "formats" / b).patterns
    np.testing.assert_array_equal(first.intensity, second.intensity)
    np.testing.assert_allclose(first.axis, second.axis, rtol=0, atol=step)


def test_the_twin_that_holds_rates(real_data):
    """SbI3.xy: counts per second with three decimals, of the 192 channels of the detector together (76.8 s)."""
    rates = counts(real_data / "formats/bruker_brml/SbI3.xy")
    np.testing.assert_allclose(counts(real_data / "formats/xye/SbI3.xye") / 76.8, rates, rtol=0, atol=6e-4)


# ---- whole sets --------------------------------------------------------------------------------------------------

TABLE = "no table of at least three rows"  # README.md, manifests, instrument parameters: words, not scans
PHASE = "it holds a structure, no powder pattern"
AXIS_ALONE = "they are no intensities"  # found as the axis of the file beside it

# set: files, files that are read, scans, and why the others are left out
SETS = {
    "alab_precursor_mixtures": (33, 20, 20, {PHASE: 11, TABLE: 2}),
    "alab_reactions_unlabelled": (26, 21, 21, {PHASE: 3, TABLE: 2}),
    "combi_AlCuMo": (4, 1, 107, {TABLE: 3}),
    # Three more tables are numbers with a rising first column, lattice parameters against composition: nothing in
    # them says that they are no scans.
    "combi_CrFeVO": (7, 4, 14, {AXIS_ALONE: 1, TABLE: 2}),
    "combi_FePdGa": (4, 1, 278, {TABLE: 3}),
    "combi_Sample3_unlabelled": (3, 1, 441, {TABLE: 2}),
    "cucr2o4_T_series": (22, 17, 17, {PHASE: 2, TABLE: 3}),
    "formats": (60, 57, 580, {TABLE: 2, "56 of the 4657 points": 1}),
    "ftir_collagen": (3, 1, 731, {TABLE: 2}),
    "gsas_tutorial_powder": (21, 12, 13, {PHASE: 4, TABLE: 5}),
    "images_2d": (17, 11, 11, {TABLE: 4, "needs a .poni file beside it": 2}),
    "lamno3_pdf_T_series": (17, 14, 14, {PHASE: 1, TABLE: 2}),
    "li2o_sro_al2o3_mixtures": (31, 26, 26, {PHASE: 3, TABLE: 2}),
    "nir_tecator": (4, 2, 215, {TABLE: 2}),
    "nist_srm_11bm": (16, 7, 7, {PHASE: 7, TABLE: 2}),
    # In two files columns touch where a zero is missing: ' 39.5249' may be 39.524 and 9.
    "perovskite_films": (50, 46, 46, {TABLE: 2, "stands between rows and is none": 2}),
    "raman_charisma": (53, 51, 51, {TABLE: 2}),
    "rockjock_minerals": (11, 6, 204, {TABLE: 2, "none of the formats": 3}),  # .rda is R's own
    "rruff_minerals_cif": (282, 140, 140, {PHASE: 140, TABLE: 2}),
    "rruff_symmetry": (3, 1, 590, {TABLE: 2}),
    "ta2o5_laser_anneal_line": (4, 1, 201, {AXIS_ALONE: 1, TABLE: 2}),
    "tio2_robot_mixtures": (34, 30, 30, {PHASE: 2, TABLE: 2}),
    "vt_pxrd_5T": (7, 5, 5, {TABLE: 2}),
    "xas_quality_bmm": (3, 1, 148, {TABLE: 2}),
}


@pytest.mark.parametrize("name", SETS)
def test_every_set_opens_as_a_folder(name, real_data):
    n_files, n_read, n_scans, left_out = SETS[name]
    found = list(pw.read_each(real_data / name))
    read = [f for f in found if f.error is None]
    reasons = [str(f.error) for f in found if f.error is not None]
    told = Counter(next((why for why in left_out if why in text), text) for text in reasons)
    assert (len(found), len(read), sum(len(p) for f in read for p in f.patterns)) == (n_files, n_read, n_scans)
    assert told == left_out
    for scans in (p for f in read for p in f.patterns):
        assert np.isfinite(scans.axis).all()
        assert (np.diff(scans.axis) > 0).all()


def test_no_set_is_forgotten(real_data):
    there = {p.name for p in real_data.iterdir() if p.is_dir()}
    assert there == set(SETS) | {"cif_library"}


MOST_POINTS = 12_000  # of a scan for which the bound holds
MOST_MS = 5.0
SLOWER = {"tio2_robot_mixtures": 20.0}  # six columns of 11,001 numbers each, of which two are wanted


def ms_per_scan(path: Path) -> tuple[float, int]:
    """Milliseconds to read a file, divided by its scans; and the points of its longest scan."""
    best = np.inf
    for _ in range(3):
        start = time.process_time()  # other work on the machine does not count
        (found,) = pw.read_each(path)
        best = min(best, time.process_time() - start)
    if found.error is not None:
        return 0.0, 0
    n = sum(len(p) for p in found.patterns)
    return 1e3 * best / n, max(p.n_points for p in found.patterns)


@pytest.mark.parametrize("name", [n for n in SETS if n not in ("images_2d", "nist_srm_11bm")])
def test_a_scan_is_read_in_milliseconds(name, real_data):
    if sys.gettrace() is not None:
        pytest.skip("every line is traced, for coverage or by a debugger: times mean nothing")
    files = [p for p in sorted((real_data / name).rglob("*")) if p.is_file() and p.suffix != ".cif"]
    timed = [ms for ms, points in map(ms_per_scan, files[:40]) if 0 < points <= MOST_POINTS]
    if timed:
        assert statistics.median(timed) < SLOWER.get(name, MOST_MS)
