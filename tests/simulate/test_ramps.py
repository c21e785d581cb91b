"""Equations of state, transitions and distortions against closed formulas and geometry."""

from __future__ import annotations

import math

import numpy as np
import pytest

from peakwise.crystal import TEXTBOOK, Phase
from peakwise.errors import OptionError
from peakwise.simulate import (
    BirchMurnaghan,
    Distortion,
    LinearExpansion,
    RampPhase,
    Ranges,
    Simulator,
    Transition,
    Vinet,
    ramp,
)
from simulate.formulas import bragg, cube, lorentz_polarisation, narrow, render, top_of, volume

LIGHT = 0.4828
SHARP = narrow(LIGHT, 0.02)

# K0 [GPa], K0' as published, with the equation that the authors fitted.
MGO = BirchMurnaghan(160.2, 3.99)  # Speziale et al., J. Geophys. Res. 106 (2001) 515
PLATINUM = Vinet(277.0, 5.08)  # Dewaele et al., Phys. Rev. B 70 (2004) 094112
IRON = Vinet(165.0, 4.97)  # Dewaele et al., Phys. Rev. Lett. 97 (2006) 215504 (hcp)


def lines_free():
    return Ranges.none()


def quiet(phases, values, grid, **more):
    """A series without noise, background or broadening."""
    options = {"instrument": SHARP, "ranges": lines_free(), "counts": None, "jitter": 0.0, "scale": "absolute"}
    return ramp(phases, values, grid, **(options | more))


# --- equations of state ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        # K0 = 100 GPa and K0' = 4: P = 150 (x^7 - x^5), x^3 = V0 / V, worked out with eight digits by hand
        (0.9, 150 * (0.9 ** (-7 / 3) - 0.9 ** (-5 / 3))),
        (0.8, 150 * (1.6831 - 1.4504)),
        (0.5, 150 * (2 ** (7 / 3) - 2 ** (5 / 3))),
    ],
)
def test_birch_murnaghan_of_second_order_by_hand(ratio, expected):
    assert float(BirchMurnaghan(100.0, 4.0).pressure(ratio)) == pytest.approx(expected, rel=1e-3)


def birch_energy(v, k0, k1):
    """E(V) of third-order finite strain, V0 = 1: 9/16 K0 {(x^2 - 1)^3 K' + (x^2 - 1)^2 (6 - 4 x^2)}."""
    x2 = v ** (-2 / 3)
    return 9 / 16 * k0 * ((x2 - 1) ** 3 * k1 + (x2 - 1) ** 2 * (6 - 4 * x2))


def vinet_energy(v, k0, k1):
    """E(V) of the universal equation, V0 = 1."""
    x = v ** (1 / 3)
    return 2 * k0 / (k1 - 1) ** 2 * (2 - (5 + 3 * x * (k1 - 1) - 3 * k1) * np.exp(-1.5 * (k1 - 1) * (x - 1)))


@pytest.mark.parametrize(
    ("equation", "energy"),
    [(MGO, birch_energy), (PLATINUM, vinet_energy), (IRON, vinet_energy)],
    ids=["MgO", "Pt", "Fe"],
)
def test_pressure_is_minus_the_slope_of_the_energy(equation, energy):
    v, h = np.linspace(0.6, 1.02, 43), 1e-5
    slope = (
        energy(v + h, equation.bulk_modulus, equation.derivative)
        - energy(v - h, equation.bulk_modulus, equation.derivative)
    ) / (2 * h)
    np.testing.assert_allclose(equation.pressure(v), -slope, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("equation", [MGO, PLATINUM, IRON, BirchMurnaghan(30.0, 8.0), Vinet(1.08, 8.4)], ids=str)
def test_k0_and_its_derivative_are_what_they_are_called(equation):
    """K = -V dP/dV is K0 at V0, and dK/dP there is K0'."""
    h = 1e-3
    p = [float(equation.pressure(1 + i * h)) for i in (-2, -1, 0, 1, 2)]
    first = (p[0] - 8 * p[1] + 8 * p[3] - p[4]) / (12 * h)
    second = (-p[0] + 16 * p[1] - 30 * p[2] + 16 * p[3] - p[4]) / (12 * h * h)
    assert p[2] == pytest.approx(0, abs=1e-12)
    assert -first == pytest.approx(equation.bulk_modulus, rel=1e-5)
    assert -1 - second / first == pytest.approx(equation.derivative, rel=1e-4)


@pytest.mark.parametrize("equation", [MGO, PLATINUM, IRON], ids=["MgO", "Pt", "Fe"])
def test_ratio_is_the_inverse_of_pressure(equation):
    p = np.array([0.0, 0.5, 3.0, 13.0, 60.0, 150.0])
    np.testing.assert_allclose(equation.pressure(equation.ratio(p)), p, atol=1e-9, rtol=1e-10)
    assert (np.diff(equation.ratio(p)) < 0).all()


def test_both_equations_agree_where_little_is_compressed():
    p = np.linspace(0, 3, 7)
    np.testing.assert_allclose(BirchMurnaghan(160, 4).ratio(p), Vinet(160, 4).ratio(p), atol=2e-6)


def test_strain_is_the_cube_root_of_the_volume_ratio():
    strain = MGO.strain([0.0, 20.0, 50.0])
    assert strain.shape == (3, 3)
    np.testing.assert_allclose((1 + strain[:, 0]) ** 3, MGO.ratio([0, 20, 50]), rtol=1e-12)
    assert (strain == strain[:, :1]).all()


def test_the_reference_pressure_is_where_the_cell_is_as_given():
    equation = BirchMurnaghan(165.0, 5.33, reference=13.0)
    assert equation.strain([13.0])[0, 0] == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(
        (1 + equation.strain([40.0])[0, 0]) ** 3, equation.ratio(40.0) / equation.ratio(13.0), rtol=1e-12
    )


def test_linear_expansion_follows_its_coefficients():
    strain = LinearExpansion(1e-5, b=2e-5, c=-3e-6, reference=300).strain([300, 1300])
    np.testing.assert_allclose(strain, [[0, 0, 0], [0.01, 0.02, -0.003]], atol=1e-15)
    np.testing.assert_allclose(LinearExpansion(1e-5, reference=300).strain(800.0), [[0.005] * 3], rtol=1e-12)


@pytest.mark.parametrize("bad", [(0.0, 4.0), (-5.0, 4.0), (100.0, 0.0), (100.0, 25.0), (math.nan, 4.0)])
def test_impossible_moduli_are_one_sentence(bad):
    with pytest.raises(OptionError, match="equation of state"):
        BirchMurnaghan(*bad)


@pytest.mark.parametrize("pressure", [1e5, -500.0])
def test_a_pressure_beyond_the_equation_is_one_sentence(pressure):
    with pytest.raises(OptionError, match=r"it holds from .* GPa"):
        MGO.ratio(pressure)


# --- transitions ----------------------------------------------------------------------------------------------------


def test_a_transition_begins_at_its_onset_and_takes_its_width():
    v = np.linspace(0, 30, 301)
    f = Transition(13.0, 4.0).fraction(v)
    assert (f[v <= 13.0] == 0).all()
    assert (f[v >= 17.0 + 1e-9] == 1).all()
    inside = (v > 13.05) & (v < 16.95)
    assert ((f[inside] > 0) & (f[inside] < 1)).all()
    assert (np.diff(f) >= 0).all()
    assert f[v.searchsorted(15.0)] == pytest.approx(0.5, abs=0.02)


def test_a_transition_without_width_is_a_step():
    assert Transition(10.0).fraction([9.99, 10.0, 10.01]).tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize("hysteresis", [0.0, 2.0, 7.0])
def test_on_the_way_down_the_same_curve_is_shifted(hysteresis):
    up = np.linspace(0, 30, 121)
    v = np.concatenate((up, up[-2::-1]))
    f = Transition(13.0, 4.0, hysteresis).fraction(v)
    there, back = f[:121], f[120:][::-1]
    np.testing.assert_allclose(back, Transition(13.0 - hysteresis, 4.0).fraction(up), atol=1e-12)
    np.testing.assert_allclose(there, Transition(13.0, 4.0).fraction(up), atol=1e-12)


def test_turning_round_in_the_middle_stays_between_the_curves():
    f = Transition(10, 4, hysteresis=6).fraction([8, 12, 10, 8, 6, 4, 12, 16])
    assert f[1] == pytest.approx(0.5)
    assert f[2:4].tolist() == [0.5, 0.5]  # within the hysteresis nothing moves
    assert f[4] == pytest.approx(0.5)
    assert f[5] == 0
    assert f[6] == pytest.approx(0.5)
    assert f[7] == 1


@pytest.mark.parametrize("bad", [(1.0, -1.0, 0.0), (1.0, 1.0, -1.0), (math.inf, 1.0, 0.0), (1.0, math.nan, 0.0)])
def test_impossible_transitions_are_one_sentence(bad):
    with pytest.raises(OptionError, match="transition"):
        Transition(*bad)


def bcc_and_hcp():
    bcc = Phase.from_parameters("Fe-bcc", "Im-3m", (2.8665, 2.8665, 2.8665, 90, 90, 90), [("Fe", (0, 0, 0))])
    hcp = Phase.from_parameters("Fe-hcp", "P63/mmc", (2.523, 2.523, 4.044, 90, 90, 120), [("Fe", (1 / 3, 2 / 3, 0.25))])
    return (
        RampPhase(bcc, BirchMurnaghan(167.0, 4.0), "before"),
        RampPhase(hcp, Vinet(165.0, 4.97), "after"),
    )


def test_states_weights_and_names_of_a_transition():
    v = np.linspace(0, 40, 81)
    scans = ramp(bcc_and_hcp(), v, (8, 22, 1401), transition=Transition(13, 3), radiation=LIGHT)
    assert scans.unit == "counts"
    assert scans.kind == "two_theta"
    assert scans.wavelength == LIGHT
    np.testing.assert_array_equal(scans.meta["pressure"], v)
    state = scans.meta["state"]
    assert (state[v <= 13] == "before").all()
    assert (state[(v > 13) & (v < 16)] == "during").all()
    assert (state[v >= 16] == "after").all()
    np.testing.assert_allclose(scans.meta["weight_1"] + scans.meta["weight_2"], 1.0)
    np.testing.assert_allclose(scans.meta["weight_2"], scans.meta["fraction"])
    names = scans.meta["phases"]
    assert names[0] == "Fe-bcc"
    assert names[-1] == "Fe-hcp"
    assert (names[state == "during"] == "Fe-bcc;Fe-hcp").all()


def test_lines_of_a_series_lie_where_the_equation_of_state_puts_them():
    before, after = bcc_and_hcp()
    v = np.array([0.0, 5.0, 12.0, 30.0, 100.0])
    scans = quiet((before, after), v, (9, 20, 22_001), transition=Transition(13, 2))
    for i, p in enumerate(v):
        if p < 13:
            a = 2.8665 * float(before.equation.ratio(p)) ** (1 / 3)
            at = float(bragg(a / math.sqrt(2), LIGHT))
            assert scans.meta["a_1"][i] == pytest.approx(a)
        else:
            shrink = float(after.equation.ratio(p)) ** (1 / 3)
            a, c = 2.523 * shrink, 4.044 * shrink
            at = float(bragg(1 / math.sqrt(4 / 3 / a**2 + 1 / c**2), LIGHT))  # 101, the strongest of hcp
            assert scans.meta["a_2"][i] == pytest.approx(a)
            assert scans.meta["c_2"][i] == pytest.approx(c)
        assert top_of(scans.axis, scans.intensity[i].astype(float)) == pytest.approx(at, abs=3e-4)


def test_intensities_follow_the_fraction():
    before, after = bcc_and_hcp()
    v = np.array([13.75, 14.5, 15.25])
    scans = quiet((before, after), v, (8, 22, 7001), transition=Transition(13, 3))
    fraction = scans.meta["fraction"]
    assert ((fraction > 0.05) & (fraction < 0.95)).all()
    wide = Ranges.none(expansion=(-0.06, 0.06))
    simulator = Simulator([before.phase, after.phase], (8, 22, 7001), instrument=SHARP, ranges=wide, margin=5)
    for i, p in enumerate(v):
        one, two = (float(q.equation.strain([p])[0, 0]) for q in (before, after))
        wanted = render(
            simulator,
            {"phase": 0, "weight": 1 - fraction[i], **{f"strain_{x}": one for x in "abc"}},
            {"phase": 1, "weight": fraction[i], **{f"strain_{x}": two for x in "abc"}},
        )
        # The two lay their |F|^2 polynomials over different ranges of strain.
        assert np.abs(scans.intensity[i] - wanted).max() < 2e-3 * wanted.max()


def test_a_calibrant_is_there_in_every_frame_with_its_weight():
    before, after = bcc_and_hcp()
    platinum = RampPhase(TEXTBOOK["Pt"], PLATINUM, "always", 0.2)
    scans = quiet((before, after, platinum), np.linspace(0, 40, 21), (8, 22, 1401), transition=Transition(13, 3))
    np.testing.assert_allclose(scans.meta["weight_3"], 0.2)
    np.testing.assert_allclose(scans.meta["weight_1"] + scans.meta["weight_2"], 0.8)
    assert all(names.endswith("Pt") for names in scans.meta["phases"])


def test_the_sample_stays_the_same_sample():
    """Size, texture and the like are drawn once: without noise two frames at one pressure are equal."""
    before, after = bcc_and_hcp()
    scans = ramp(
        (before, after),
        [5.0, 9.0, 5.0],
        (8, 22, 1401),
        transition=Transition(13, 3),
        radiation=LIGHT,
        counts=None,
        jitter=0.0,
        ranges=Ranges(counts=None, spike=None),
    )
    np.testing.assert_array_equal(scans.intensity[0], scans.intensity[2])
    assert (scans.intensity[0] != scans.intensity[1]).any()


def test_counts_and_jitter_are_as_asked():
    scans = ramp(bcc_and_hcp()[:1], np.linspace(0, 5, 400), (12, 18, 601), radiation=LIGHT, counts=4000.0, jitter=0.05)
    top = scans.intensity.max(axis=1)
    assert top.mean() == pytest.approx(4000, rel=0.1)
    assert 0.03 < top.std() / top.mean() < 0.09
    np.testing.assert_array_equal(scans.intensity, np.floor(scans.intensity))


def test_a_series_is_repeatable_and_follows_its_seed():
    def make(seed, threads=1):
        return ramp(
            bcc_and_hcp(),
            np.linspace(0, 30, 40),
            (8, 22, 500),
            transition=Transition(13, 3),
            radiation=LIGHT,
            random_state=seed,
            threads=threads,
        ).intensity

    np.testing.assert_array_equal(make(1), make(1, threads=2))
    assert (make(1) != make(2)).mean() > 0.3


def test_heat_moves_lines_down():
    phase = cube(4.0)
    scans = quiet([RampPhase(phase, LinearExpansion(2e-5))], [293.0, 793.0], (6.8, 7.0, 4001), variable="temperature")
    np.testing.assert_array_equal(scans.meta["temperature"], [293, 793])
    for row, a in zip(scans.intensity.astype(float), (4.0, 4.04), strict=True):
        assert top_of(scans.axis, row) == pytest.approx(float(bragg(a, LIGHT)), abs=1e-4)


# --- distortions ----------------------------------------------------------------------------------------------------


def rock_salt(a=4.31):
    """FeO as B1 and the same crystal in its rhombohedral cell."""
    edge = a / math.sqrt(2)
    sites = [("Fe2+", (0, 0, 0)), ("O2-", (0.5, 0.5, 0.5))]
    cubic = Phase.from_parameters("FeO", "Fm-3m", (a, a, a, 90, 90, 90), sites)
    rhombohedral = Phase.from_parameters("FeO-r", "R-3m:R", (edge, edge, edge, 60, 60, 60), sites)
    return cubic, rhombohedral


def rhombohedral_d(hkl, a, alpha):
    """d of a plane from the closed formula of the rhombohedral system."""
    h, k, m = hkl
    c, s = math.cos(math.radians(alpha)), math.sin(math.radians(alpha))
    top = (h * h + k * k + m * m) * s * s + 2 * (h * k + k * m + m * h) * (c * c - c)
    return 1 / math.sqrt(top / (a * a * (1 - 3 * c * c + 2 * c**3)))


def test_until_the_onset_the_rhombohedral_cell_has_the_pattern_of_b1():
    cubic, rhombohedral = rock_salt()
    assert rhombohedral.volume == pytest.approx(cubic.volume / 4)
    bend = Distortion(15.0, 10.0, shear=(-1.0, -1.0, -1.0))
    one, two = (
        quiet([RampPhase(p, None, distortion=d)], [0.0, 14.9], (8, 30, 4401))
        for p, d in ((cubic, None), (rhombohedral, bend))
    )
    top = one.intensity.max()
    assert np.abs(one.intensity - two.intensity).max() < 2e-4 * top


@pytest.mark.parametrize("shear", [-1.0, 0.6])
def test_beyond_the_onset_111_and_220_split_and_200_does_not(shear):
    _, phase = rock_salt()
    edge = phase.cell[0]
    bend = Distortion(15.0, 10.0, shear=(shear,) * 3, exponent=0.5)
    scans = quiet([RampPhase(phase, distortion=bend)], [15.0, 17.5, 25.0, 40.0], (9, 20, 22_001))
    np.testing.assert_allclose(bend.order([15.0, 17.5, 25.0, 40.0]), [0, 0.5, 1, 1])
    # cubic 111 is (111) and (100) of this cell, 200 is (110), 220 is (101) turned: (1-10) and (211)
    for i, order in enumerate((0.0, 0.5, 1.0, 1.0)):
        alpha = 60 + shear * order
        np.testing.assert_allclose([scans.meta[f"{n}_1"][i] for n in ("alpha", "beta", "gamma")], alpha)
        y = scans.intensity[i].astype(float)
        for family in (((1, 1, 1), (1, 0, 0)), ((1, 1, 0),), ((1, -1, 0), (2, 1, 1))):
            places = sorted({round(float(bragg(rhombohedral_d(h, edge, alpha), LIGHT)), 6) for h in family})
            assert len(places) == (1 if order == 0 else len(family))
            for at in places:
                here = np.abs(scans.axis - at) < 0.01
                assert top_of(scans.axis[here], y[here]) == pytest.approx(at, abs=3e-4), (family, order)


def test_split_lines_share_their_intensity_by_multiplicity():
    _, phase = rock_salt()
    scans = quiet([RampPhase(phase, distortion=Distortion(0.0, 1.0, shear=(-0.8,) * 3))], [5.0], (9, 14, 10_001))
    x, y = scans.axis, scans.intensity[0].astype(float)
    one, three = (float(bragg(rhombohedral_d(h, phase.cell[0], 59.2), LIGHT)) for h in ((1, 1, 1), (1, 0, 0)))
    assert abs(one - three) > 0.06
    areas = [y[np.abs(x - at) < 0.028].sum() for at in (one, three)]
    lorentz = lorentz_polarisation(three, 1.0) / lorentz_polarisation(one, 1.0)
    assert areas[1] / areas[0] == pytest.approx(3.0 * lorentz, rel=0.01)  # form factors differ a little


def test_a_stretched_cell_splits_into_the_lines_of_a_tetragonal_one():
    cell = (4.0, 4.0, 4.0, 90, 90, 90)
    phase = Phase.from_parameters("tet", "P4/mmm", cell, [("Ti", (0, 0, 0))])
    scans = quiet(
        [RampPhase(phase, distortion=Distortion(1.0, 1.0, strain=(0.0, 0.0, 0.02)))], [0.0, 5.0], (6.5, 7.2, 7001)
    )
    before, after = scans.intensity.astype(float)
    assert top_of(scans.axis, before) == pytest.approx(float(bragg(4.0, LIGHT)), abs=2e-4)
    for d in (4.0, 4.08):
        here = np.abs(scans.axis - float(bragg(d, LIGHT))) < 0.02
        assert top_of(scans.axis[here], after[here]) == pytest.approx(float(bragg(d, LIGHT)), abs=2e-4)
    np.testing.assert_allclose(scans.meta["c_1"], [4.0, 4.08])


@pytest.mark.parametrize(
    "change",
    [
        {"shear": (-1.0, -1.0, -1.0)},
        {"strain": (0.0, 0.0, 0.01)},
        {"strain": (0.01, 0.0, 0.0), "shear": (0.0, 0.5, 0.0)},
    ],
    ids=str,
)
def test_the_order_parameter_is_told_whatever_the_distortion_is_made_of(change):
    phase = Phase.from_parameters("P", "P1", (4.0, 4.1, 4.2, 90, 90, 90), [("Ti", (0, 0, 0))])
    bend = Distortion(10.0, 8.0, **change)
    v = [5.0, 10.0, 12.0, 18.0, 30.0]
    scans = quiet([RampPhase(phase, distortion=bend)], v, (6, 9, 101))
    np.testing.assert_allclose(scans.meta["order_1"], [0, 0, 0.5, 1, 1], atol=1e-12)


def test_volume_of_the_written_cell_is_that_of_the_equation():
    _, phase = rock_salt()
    scans = quiet([RampPhase(phase, BirchMurnaghan(150.0, 4.0))], [0.0, 30.0], (9, 20, 101))
    cells = [[scans.meta[f"{n}_1"][i] for n in ("a", "b", "c", "alpha", "beta", "gamma")] for i in (0, 1)]
    assert volume(cells[1]) / volume(cells[0]) == pytest.approx(float(BirchMurnaghan(150.0, 4.0).ratio(30.0)), rel=1e-9)


# --- bad input ------------------------------------------------------------------------------------------------------


def one(**more):
    return RampPhase(cube(4.0), **more)


@pytest.mark.parametrize(
    ("phases", "values", "options", "why"),
    [
        ([], [1.0], {}, "no phase was given"),
        ("one", [], {}, "values must be finite and 1-D"),
        ("one", [[1.0, 2.0]], {}, "values must be finite and 1-D"),
        ("one", [1.0, math.nan], {}, "values must be finite and 1-D"),
        ("one", [1.0], {"variable": "strain"}, "variable must be pressure or temperature"),
        ("one", [1.0], {"jitter": 0.7}, "jitter must lie within"),
        ("one", [1.0], {"transition": Transition(1.0)}, "a transition needs phases before and after"),
        ("both", [1.0], {}, "phases before and after need a transition"),
        ("heavy", [1.0], {}, "phases that are always there take 1"),
        ("soft", [400.0], {}, "at most 0.2 and 10 deg are simulated"),
        ("bent", [1.0], {}, "at most 0.2 and 10 deg are simulated"),
        ("one", [1.0], {"scale": "log"}, "scale must be one of"),
        ("one", [1.0], {"axis": "d"}, "axis must be two_theta or q"),
    ],
)
def test_a_bad_series_is_one_sentence(phases, values, options, why):
    given = {
        "one": lambda: [one()],
        "both": lambda: [one(), RampPhase(cube(5.0, id="b"), role="after")],
        "heavy": lambda: [one(), RampPhase(cube(5.0, id="b"), role="always", weight=1.0)],
        "soft": lambda: [one(equation=LinearExpansion(1e-2))],
        "bent": lambda: [one(distortion=Distortion(0.0, 1.0, shear=(11.0, 0.0, 0.0)))],
    }
    with pytest.raises(OptionError, match=why) as caught:
        ramp(
            phases if isinstance(phases, list) else given[phases](),
            values,
            (5, 20, 101),
            **({"radiation": LIGHT} | options),
        )
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [{"role": "during"}, {"weight": 0.0}, {"weight": -1.0}, {"weight": math.nan}])
def test_a_bad_phase_of_a_series_is_one_sentence(bad):
    with pytest.raises(OptionError, match="cannot make the series"):
        one(**bad)


@pytest.mark.parametrize("bad", [{"width": 0.0}, {"width": -1.0}, {"exponent": 0.0}])
def test_a_bad_distortion_is_one_sentence(bad):
    with pytest.raises(OptionError, match="cannot make the distortion"):
        Distortion(**({"onset": 1.0, "width": 1.0} | bad))
