"""The made series: frames and labels of the published table, cells against published volumes, counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from peakwise import datasets
from peakwise.datasets import hed_suite as suite
from peakwise.errors import OptionError

# Y. Sun, PhD thesis, table 2.1: sample, exposure [ms], rate [GPa/s], frames, before / during / after.
TABLE = {
    "D1": ("Fe", 10, 260, 60, (17, 0, 43)), "D2": ("Fe", 100, 10, 116, (29, 0, 87)),
    "D3": ("Fe", 10, 160, 70, (21, 0, 49)), "D4": ("Fe", 1, 1030, 130, (33, 0, 97)),
    "D5": ("Fe", 100, 10, 130, (37, 0, 93)), "D6": ("Fe+Pt", 10, 262, 70, (22, 0, 48)),
    "D7": ("Fe+Ne", 10, 287, 258, (19, 0, 239)), "D8": ("FeO", 50, 7, 222, (71, 20, 131)),
    "D9": ("FeO", 50, 2.2, 460, (90, 65, 305)),
}  # fmt: skip


@pytest.fixture(scope="module")
def series():
    return {name: datasets.load("hed-suite", series=name) for name in suite.SERIES}


@pytest.mark.parametrize("name", TABLE)
def test_frames_labels_exposures_and_rates_are_those_of_the_table(series, name):
    sample, exposure, rate, n, counts = TABLE[name]
    one = series[name]
    assert one.shape == (n, 4000)
    label, pressure, time = (one.meta[k] for k in ("label", "pressure", "time"))
    assert tuple(int((label == k).sum()) for k in (0, 1, 2)) == counts
    assert (np.diff(label) >= 0).all()
    assert set(zip(label.tolist(), one.meta["state"].tolist(), strict=True)) <= set(
        enumerate(["before", "during", "after"])
    )
    assert set(one.meta["sample"]) == {sample}
    assert set(one.meta["series"]) == {name}
    assert one.meta["frame"].tolist() == list(range(n))
    assert one.meta["count_time"][0] == exposure / 1000
    assert (np.diff(pressure) > 0).all()
    assert np.diff(pressure).max() / np.diff(time)[0] == pytest.approx(rate)
    assert 0.8 < pressure[0] < 5.2
    assert pressure[-1] < 66.5


def test_all_labelled_series_come_together(series):
    whole = datasets.load("hed-suite")
    assert whole.shape == (1516, 4000)
    assert list(dict.fromkeys(whole.meta["series"].tolist())) == list(TABLE)
    start = 0
    for name in TABLE:  # each is the same whether it is made alone or with the others
        assert np.array_equal(whole.intensity[start : start + len(series[name])], series[name].intensity)
        start += len(series[name])


def test_the_unlabelled_series(series):
    one = series["MgFeO"]
    assert one.shape == (349, 4023)
    assert not {"label", "state"} & set(one.meta)
    assert one.meta["pressure"][0] < 1
    assert one.meta["pressure"][-1] > 100
    assert (np.diff(one.meta["pressure"]) > 0).all()


def test_wavelength_grid_and_unit(series):
    for one in series.values():
        assert (one.wavelength, one.kind, one.unit, one.axis[0], one.axis[-1]) == (0.4828, "two_theta", "counts", 6, 26)
        assert np.array_equal(one.intensity, np.floor(one.intensity))
        assert one.intensity.min() >= 0


def test_labels_say_where_the_transition_is(series):
    for name in ("D1", "D2", "D3", "D4", "D5", "D6", "D7"):
        share, label = series[name].meta["transformed"], series[name].meta["label"]
        assert np.array_equal(label == 2, share > 0.5)
        assert (
            11 < series[name].meta["pressure"][label == 0][-1] < 14 < series[name].meta["pressure"][label == 2][0] < 16
        )
    for name in ("D8", "D9"):
        share, label, pressure = (series[name].meta[k] for k in ("transformed", "label", "pressure"))
        assert share[label == 0].max() == 0
        assert share[label == 1].min() > 0
        assert share[label == 2].min() > 0.99
        assert pressure[label == 1][0] == pytest.approx(15, abs=0.2)
        assert pressure[label == 1][-1] == pytest.approx(22, abs=0.3)


# ---------- cells: published volumes, and lines where they must be ----------


def vinet(x, k0, k0_prime):
    return 3 * k0 * (1 - x) / x**2 * math.exp(1.5 * (k0_prime - 1) * (1 - x))


def birch(x, k0):
    return 1.5 * k0 * (x**-7 - x**-5)  # K0' = 4


def solve(formula, pressure, v0):
    return v0 * brentq(lambda x: formula(x) - pressure, 0.7, 1.0) ** 3


def angle(d):
    return 2 * math.degrees(math.asin(0.4828 / 2 / d))


def centre(pattern, expected, reach):
    """Centre of gravity of the line that is highest within `reach` of where it is expected."""
    x, y = pattern.axis, pattern.intensity[0].astype(float)
    smooth = np.convolve(y, np.ones(9) / 9, "same")
    near = np.flatnonzero(np.abs(x - expected) < reach)
    at = x[near[smooth[near].argmax()]]
    for _ in range(5):
        window = np.abs(x - at) < 0.05
        height = y[window] - min(smooth[window][0], smooth[window][-1])
        at = (x[window] * height).sum() / height.sum()
    return at


@pytest.mark.parametrize(("wanted", "volume", "lines"), [
    (5, 11.449, {"110": 13.81, "200": 19.58, "211": 24.04}),
    (13, 11.022, {"110": 13.99, "200": 19.83, "211": 24.35}),
])  # fmt: skip
def test_lines_of_bcc_iron_by_hand(series, wanted, volume, lines):
    """V by Vinet with 164 GPa and 5.50 (Dorogokupets 2017); a = (2 V)^(1/3), d = a / sqrt(h^2 + k^2 + l^2)."""
    frame = series["D2"][int(np.abs(series["D2"].meta["pressure"] - wanted).argmin())]
    by_hand = solve(lambda x: vinet(x, 164.0, 5.50), float(frame.meta["pressure"][0]), 2.8665**3 / 2)
    assert by_hand == pytest.approx(volume, abs=0.04)  # the frame is within half a GPa
    for hkl, rough in lines.items():
        expected = angle((2 * by_hand) ** (1 / 3) / math.sqrt(sum(int(i) ** 2 for i in hkl)))
        assert expected == pytest.approx(rough, abs=0.03)
        assert centre(frame, expected, 0.06) == pytest.approx(expected, abs=0.004)


def test_lines_of_hcp_iron_by_hand(series):
    """30 GPa: 9.846 angstrom^3 per atom (Dewaele 2006, 11.214, 163.4 GPa, 5.38); c/a 1.603."""
    frame = series["D2"][int(np.abs(series["D2"].meta["pressure"] - 30).argmin())]
    volume = solve(lambda x: vinet(x, 163.4, 5.38), float(frame.meta["pressure"][0]), 11.214)
    assert volume == pytest.approx(9.846, abs=0.025)
    a = (4 * volume / (math.sqrt(3) * 1.603)) ** (1 / 3)
    for h, k, m in ((1, 0, 0), (0, 0, 2), (1, 0, 1)):
        d = (4 / 3 * (h * h + h * k + k * k) / a**2 + m * m / (1.603 * a) ** 2) ** -0.5
        assert centre(frame, angle(d), 0.08) == pytest.approx(angle(d), abs=0.006)


# Dewaele, Loubeyre & Mezouar (2004), table 1, revised ruby scale: pressure [GPa], volume per atom [angstrom^3].
PLATINUM = [
    (5.0, 14.830),
    (12.1, 14.509),
    (21.0, 14.149),
    (30.5, 13.822),
    (46.2, 13.342),
    (60.3, 12.985),
    (89.0, 12.408),
]
# Jacobsen et al. (2005), table 1: pressure, a of cubic Fe0.93O; pressure, a, c of rhombohedral Fe0.93O.
WUSTITE = [(0.0, 4.2980), (7.7, 4.2299), (12.0, 4.1979), (15.0, 4.1751), (22.8, 4.1255)]
RHOMBOHEDRAL = [(27.7, 2.8359, 7.361), (35.3, 2.7986, 7.332), (41.5, 2.7694, 7.331), (51.1, 2.7309, 7.277)]
# Finkelstein et al. (2017), table 2, neon: pressure, a; pressure, a, c.
MAGNESIOWUSTITE = [(1.314, 4.2749), (5.294, 4.2423), (9.029, 4.2162), (13.682, 4.1827)]
DISTORTED = [(24.084, 2.9102, 7.170), (34.18, 2.8720, 7.122), (43.86, 2.833, 7.092), (53.28, 2.7953, 7.070)]


@pytest.mark.parametrize(("solid", "rows", "atoms"), [(suite.PT, PLATINUM, 4)])
def test_volumes_against_published_tables(solid, rows, atoms):
    for pressure, volume in rows:
        (found,) = solid.v0 * solid.equation.ratio([pressure])
        assert found / atoms == pytest.approx(volume, rel=1.5e-3)


@pytest.mark.parametrize(
    ("solid", "rows"), [(suite.B1, WUSTITE), (suite.MW, MAGNESIOWUSTITE)], ids=lambda v: getattr(v, "name", "")
)
def test_cubic_cells_against_published_tables(solid, rows):
    for pressure, a in rows:
        assert solid.lengths(np.array([pressure]))[0].tolist() == pytest.approx([a] * 3, rel=5e-4)


@pytest.mark.parametrize(
    ("solid", "rows"), [(suite.RB1, RHOMBOHEDRAL), (suite.RMW, DISTORTED)], ids=lambda v: getattr(v, "name", "")
)
def test_distorted_cells_against_published_tables(solid, rows):
    for pressure, a, c in rows:
        found = solid.lengths(np.array([pressure]))[0]
        assert found.tolist() == pytest.approx([a, a, c], rel=4e-3)
        assert found[2] / found[0] == pytest.approx(c / a, rel=6e-3)


def birch_3(x, k0, k0_prime):
    """Third order; x = (V / V0)^(1/3)."""
    return 1.5 * k0 * (x**-7 - x**-5) * (1 + 0.75 * (k0_prime - 4) * (x**-2 - 1))


# Measurements by other groups than the one whose equation the suite uses, as they sum them up: (equation, volume per
# atom at no pressure [angstrom^3], K0 [GPa], K0'), and how far volumes may differ (the scales of pressure differ).
OTHERS = {
    "Fe, Mao et al., J. Geophys. Res. 95 (1990) 21737, doi:10.1029/JB095iB13p21737": (
        suite.HCP, 2, birch_3, 11.175, 165.0, 5.33, 0.006,
    ),
    "Fe, Fei et al., Geophys. Res. Lett. 43 (2016) 6837, doi:10.1002/2016GL069456": (
        suite.HCP, 2, birch_3, 11.214, 172.7, 4.79, 0.006,
    ),
    "Ne, Dewaele et al., Phys. Rev. B 77 (2008) 094106, doi:10.1103/PhysRevB.77.094106": (
        suite.NE, 4, vinet, 22.234, 1.070, 8.40, 0.01,
    ),
    "Ne, Hemley et al., Phys. Rev. B 39 (1989) 11820, doi:10.1103/PhysRevB.39.11820": (
        suite.NE, 4, birch_3, 22.23, 1.097, 9.23, 0.025,
    ),
}  # fmt: skip


@pytest.mark.parametrize("source", OTHERS)
def test_volumes_against_measurements_of_other_groups(source):
    solid, atoms, formula, v0, k0, k0_prime, tolerance = OTHERS[source]
    for pressure in (6.0, 15.0, 30.0, 50.0, 65.0):
        expected = v0 * brentq(lambda x, p=pressure: formula(x, k0, k0_prime) - p, 0.6, 1.0) ** 3
        (found,) = solid.v0 * solid.equation.ratio([pressure])
        assert found / atoms == pytest.approx(expected, rel=tolerance), pressure


def test_an_unopened_distortion_is_the_cubic_cell():
    """Hexagonal axes of a cube of edge e: a = e / sqrt 2, c = e sqrt 3; 12 of its volumes are 3/4 of the cube's."""
    (a, _, c) = suite.RB1.lengths(np.array([15.0]), 0.0)[0]
    assert c / a == pytest.approx(math.sqrt(6))
    assert a**2 * c * math.sqrt(3) / 2 == pytest.approx(solve(lambda x: birch(x, 134.0), 15.0, 59.72))


def test_iron_loses_volume_and_wustite_hardly(series):
    """4.8 % at 13 GPa for Fe (known: 5 %), a displacive change for FeO."""
    bcc, hcp = (s.v0 * s.equation.ratio([13.0])[0] for s in (suite.BCC, suite.HCP))
    assert hcp / bcc - 1 == pytest.approx(-0.048, abs=0.005)
    cubic, other = (s.v0 * s.equation.ratio([15.0])[0] / z for s, z in ((suite.B1, 4), (suite.RB1, 3)))
    assert abs(other / cubic - 1) < 0.005


def test_wustite_splits_gradually(series):
    """111 of B1 becomes 003 and 101 of rB1; 200 stays one line."""
    one = series["D9"]
    last = one[len(one) - 1]
    pressure = float(last.meta["pressure"][0])
    a, _, c = suite.RB1.lengths(np.array([pressure]))[0]
    low, high = angle(c / 3), angle((4 / 3 / a**2 + 1 / c**2) ** -0.5)
    assert high - low > 0.6
    for expected in (low, high):
        assert centre(last, expected, 0.1) == pytest.approx(expected, abs=0.01)
    window = (one.axis > 11.0) & (one.axis < 12.6)
    x = one.axis[window]
    y = one.intensity[:, window] - one.intensity[:, window].min(axis=1, keepdims=True)
    middle = (y * x).sum(axis=1) / y.sum(axis=1)
    spread = np.sqrt((y * (x - middle[:, None]) ** 2).sum(axis=1) / y.sum(axis=1))
    label = one.meta["label"]
    means = [spread[label == k].mean() for k in (0, 1, 2)]
    assert means[0] < means[1] < means[2]


def test_companions_show_their_lines(series):
    pressure = series["D6"].meta["pressure"]
    for i in (0, 40, 69):
        (volume,) = suite.PT.v0 * suite.PT.equation.ratio([pressure[i]])
        expected = angle(volume ** (1 / 3) / math.sqrt(3))
        assert centre(series["D6"][i], expected, 0.06) == pytest.approx(expected, abs=0.01)
    weights = suite.SAMPLES["Fe+Ne"].weights(np.array([1.0, 4.7, 4.9, 30.0]))
    assert weights[:, 2].tolist() == [0, 0, 0.4, 0.4]  # a liquid has no lines; it freezes at 4.8 GPa
    last = series["D7"][257]
    (volume,) = suite.NE.v0 * suite.NE.equation.ratio(last.meta["pressure"])
    where = angle(volume ** (1 / 3) / 2)
    window = np.abs(last.axis - where) < 0.05
    beside = (np.abs(last.axis - where) > 0.3) & (np.abs(last.axis - where) < 0.4)
    held = series["D7"].meta["pressure"] > 65
    mean = series["D7"].intensity[held].mean(axis=0)
    assert mean[window].max() > mean[beside].mean() + 5


# ---------- counts ----------


def test_counts_are_proportional_to_the_exposure(series):
    totals = {n: float(series[n].intensity[:10].mean(axis=0).sum()) for n in ("D4", "D1", "D3", "D2", "D5")}
    assert totals["D1"] / totals["D4"] == pytest.approx(10, rel=0.02)
    assert totals["D2"] / totals["D1"] == pytest.approx(10, rel=0.02)
    assert totals["D3"] / totals["D1"] == pytest.approx(1, rel=0.02)
    assert series["D4"].intensity[:10].max(axis=1).mean() == pytest.approx(150 * 1.04, rel=0.15)


def test_noise_is_that_of_counting(series):
    """Frames of the first hold of D4 differ by counting alone (and the beam's 1 %, which is little at 6 counts)."""
    flat = series["D4"].intensity[:18, series["D4"].axis > 21].astype(float)
    quiet = flat[:, flat.mean(axis=0) < 12]
    assert quiet.shape[1] > 300
    assert (quiet.var(axis=0, ddof=1) / quiet.mean(axis=0)).mean() == pytest.approx(1, abs=0.05)


def test_the_seed_decides_everything():
    first, again = (datasets.load("hed-suite", series="D3", random_state=4) for _ in range(2))
    other = datasets.load("hed-suite", series="D3", random_state=5)
    assert np.array_equal(first.intensity, again.intensity)
    assert not np.array_equal(first.intensity, other.intensity)
    assert np.array_equal(first.meta["label"], other.meta["label"])


def test_series_do_not_share_their_noise(series):
    a, b = series["D1"].intensity[:10], series["D3"].intensity[:10]
    assert not np.array_equal(a[0], b[0])


def test_a_list_of_series():
    two = datasets.load("hed-suite", series=["D3", "D1"])
    assert two.meta["series"].tolist() == ["D3"] * 70 + ["D1"] * 60


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"series": "D10"}, "series must be among D1, .* got D10"),
        ({"series": []}, "got none"),
        ({"series": ["D1", "MgFeO"]}, "MgFeO has 4023 points"),
        ({"sereis": "D1"}, "hed-suite has series, random_state, got 'sereis'"),
        ({"random_state": -1}, "random_state"),
    ],
)
def test_wrong_options(options, why):
    with pytest.raises(OptionError, match=why):
        datasets.load("hed-suite", **options)


def test_series_are_told_apart_by_a_simple_method(series):
    """The labels are in the data: the first principal component jumps where the label does."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression

    one = series["D1"]
    features = PCA(5, random_state=0).fit_transform(np.sqrt(one.intensity))
    features /= features.std(axis=0)
    few = [0, 8, 14, 16, 17, 19, 25, 38, 59]
    model = LogisticRegression(C=10).fit(features[few], one.meta["label"][few])
    assert (model.predict(features) == one.meta["label"]).mean() > 0.95
