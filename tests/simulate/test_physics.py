"""The physics of a pattern against formulas from textbooks, computed here once more."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import permutations, product

import numpy as np
import pytest
from scipy.integrate import dblquad, quad

from peakwise.crystal import TEXTBOOK, Phase
from peakwise.patterns import Radiation
from peakwise.simulate import EFFECTS, Instrument, Range, Ranges, Simulator, plain_simulator
from simulate.formulas import (
    LN2,
    area,
    bragg,
    centroid,
    cube,
    cube_at,
    fwhm_of,
    isolated,
    line_list,
    lorentz_polarisation,
    march_dollase,
    narrow,
    pseudo_voigt,
    render,
    spacing,
    thompson_cox_hastings,
    top_of,
    total,
)

KA1, KA2 = 1.5405929, 1.5444274  # Hölzer et al. 1997
WORST = 1e-4  # of the maximum: what the kernel may be off


@cache
def still(name):
    """A textbook phase with its atoms at rest."""
    phase = TEXTBOOK[name]
    return replace(phase, sites=tuple(replace(s, b_iso=0.0) for s in phase.sites))


@cache
def salt():
    """Rock salt with its numbers typed in."""
    return Phase.from_parameters(
        "NaCl", "Fm-3m", (5.6402, 5.6402, 5.6402, 90, 90, 90), [("Na", (0, 0, 0)), ("Cl", (0.5, 0.5, 0.5))]
    )


def around(position, half=0.3, points=1201):
    return position - half, position + half, points


# --- where lines are ------------------------------------------------------------------------------------------------


# (a, h2 + k2 + l2 of the first lines of the lattice): 2 theta = 2 asin(lambda sqrt(N) / 2a)
@pytest.mark.parametrize(
    ("name", "a", "sums"),
    [
        ("Si", 5.4309, (3, 8, 11, 16, 19, 24, 27, 32, 35, 40)),
        ("W", 3.1648, (2, 4, 6, 8, 10, 12, 14)),
        ("LaB6", 4.1569, (1, 2, 3, 4, 5, 6, 8, 9, 10)),
    ],
)
def test_cubic_lines_are_where_bragg_puts_them_and_each_doublet_line_has_its_own_angle(name, a, sums):
    phase = TEXTBOOK[name]
    a = phase.cell[0] if abs(phase.cell[0] - a) < 2e-3 else pytest.fail(f"{name} has a = {phase.cell[0]}")
    light = Radiation.doublet(KA1, KA2, 0.5)
    simulator = Simulator(phase, (15, 150, 135_001), instrument=narrow(light), ranges=Ranges.none())
    y = render(simulator)
    for n in sums:
        one, two = (bragg(a / math.sqrt(n), w) for w in (KA1, KA2))
        assert two - one > 0.04, "the lines must be apart for this test"
        for at in (one, two):
            here = np.abs(simulator.axis - at) < 0.019
            assert top_of(simulator.axis[here], y[here]) == pytest.approx(at, abs=2e-4), (name, n)


def test_the_two_lines_of_a_doublet_have_the_areas_of_their_shares_and_angles():
    light = Radiation.doublet(KA1, KA2, 0.5)
    phase = cube_at(150.0, KA1, element="C")
    simulator = Simulator(
        phase, (149, 153, 6001), instrument=narrow(light, polarisation=0.5), ranges=Ranges.none(), margin=0
    )
    y, middle = render(simulator), (150 + float(bragg(phase.cell[0], KA2))) / 2
    ratio = area(simulator.axis, y, middle) / area(simulator.axis, y, 0, middle)
    second = float(bragg(phase.cell[0], KA2))
    # C has next to no anomalous scattering: what differs is the share and the Lorentz-polarisation factor.
    expected = 0.5 * lorentz_polarisation(second) / lorentz_polarisation(150.0)
    assert ratio == pytest.approx(expected, rel=2e-3)
    assert ratio != pytest.approx(0.5, rel=1e-2), (
        "this angle tells the factor of the second line from that of the first"
    )


def test_any_list_of_wavelengths_gives_every_line_its_share():
    light = Radiation(1.0, ((1.0, 1.0), (0.9, 0.3), (0.55, 0.7)))
    phase = cube(3.0, "C")
    simulator = Simulator(
        phase, (9, 25, 8001), instrument=narrow(light, polarisation=1.0), ranges=Ranges.none(), margin=0
    )
    y = render(simulator)
    for wavelength, share in light.lines:
        at = float(bragg(3.0, wavelength))
        (f,), _ = phase.form_factors(np.array([1 / 36]), Radiation(wavelength))
        expected = share / 2.0 * 6 * float(f[0]) ** 2 * lorentz_polarisation(at, 1.0) / (phase.mass * 27)
        assert area(simulator.axis, y, at - 0.15, at + 0.15) == pytest.approx(expected, rel=1e-3), wavelength


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("TiO2-rutile", lambda h, k, m, c: (h * h + k * k) / c[0] ** 2 + m * m / c[2] ** 2),
        ("Al2O3-alpha", lambda h, k, m, c: 4 / 3 * (h * h + h * k + k * k) / c[0] ** 2 + m * m / c[2] ** 2),
        ("forsterite", lambda h, k, m, c: (h / c[0]) ** 2 + (k / c[1]) ** 2 + (m / c[2]) ** 2),
        (
            "gypsum",
            lambda h, k, m, c: (
                (
                    (h / c[0]) ** 2
                    + (k * math.sin(math.radians(c[4])) / c[1]) ** 2
                    + (m / c[2]) ** 2
                    - 2 * h * m * math.cos(math.radians(c[4])) / (c[0] * c[2])
                )
                / math.sin(math.radians(c[4])) ** 2
            ),
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_lines_of_other_systems_follow_the_formula_of_the_system(name, formula):
    phase = TEXTBOOK[name]
    found = phase.reflections(0.9)
    inverse2 = [formula(*map(int, h), phase.cell) for h in found.hkl]
    positions = bragg(1 / np.sqrt(inverse2), KA1)
    simulator = Simulator(phase, (8, 60, 104_001), instrument=narrow(KA1), ranges=Ranges.none(), margin=0)
    y = render(simulator)
    checked = 0
    for at in isolated(positions, 0.08):
        here = np.abs(simulator.axis - at) < 0.02
        if 8.1 < at < 59.9 and y[here].max() > 1e-4 * y.max():
            assert top_of(simulator.axis[here], y[here]) == pytest.approx(at, abs=2e-4)
            checked += 1
    assert checked >= 6


def test_triclinic_lines_follow_the_metric_tensor():
    phase = TEXTBOOK["albite"]
    positions = bragg(spacing(phase.reflections(2.2).hkl, phase.cell), KA1)
    simulator = Simulator(phase, (10, 40, 60_001), instrument=narrow(KA1), ranges=Ranges.none(), margin=0)
    y = render(simulator)
    checked = 0
    for at in isolated(positions, 0.1):
        here = np.abs(simulator.axis - at) < 0.025
        if 10.1 < at < 39.9 and y[here].max() > 1e-3 * y.max():
            assert top_of(simulator.axis[here], y[here]) == pytest.approx(at, abs=2e-4)
            checked += 1
    assert checked >= 10


@pytest.mark.parametrize("two_theta", [12.0, 45.0, 90.0, 140.0])
@pytest.mark.parametrize("value", [-0.7, 0.04, 1.3])
def test_a_zero_shift_moves_every_line_alike(two_theta, value):
    simulator = Simulator(
        cube_at(two_theta, KA1), around(two_theta + value), instrument=narrow(KA1), ranges=Ranges.none(zero=(-2, 2))
    )
    assert top_of(simulator.axis, render(simulator, frame={"zero": value})) == pytest.approx(
        two_theta + value, abs=2e-4
    )


@pytest.mark.parametrize("radius", [150.0, 240.0])
@pytest.mark.parametrize("two_theta", [12.0, 45.0, 90.0, 140.0])
@pytest.mark.parametrize("value", [-0.3, 0.1])
def test_a_displaced_flat_sample_moves_lines_by_2_s_cos_theta_over_r(two_theta, value, radius):
    shift = -math.degrees(2 * value * math.cos(math.radians(two_theta / 2)) / radius)
    tool = narrow(KA1, radius=radius)
    simulator = Simulator(cube_at(two_theta, KA1), around(two_theta + shift), instrument=tool, ranges=Ranges.none())
    assert top_of(simulator.axis, render(simulator, frame={"displacement": value})) == pytest.approx(
        two_theta + shift, abs=2e-4
    )


@pytest.mark.parametrize("two_theta", [12.0, 45.0, 90.0, 140.0])
def test_transparency_moves_lines_down_by_sin_2_theta_over_2_mu_r(two_theta):
    mu, radius = 1.5, 200.0  # 1/mm and mm: an organic powder
    value = 1 / (2 * mu * radius)
    shift = -math.degrees(math.sin(math.radians(two_theta)) * value)
    simulator = Simulator(
        cube_at(two_theta, KA1), around(two_theta + shift), instrument=narrow(KA1), ranges=Ranges.none()
    )
    assert top_of(simulator.axis, render(simulator, frame={"transparency": value})) == pytest.approx(
        two_theta + shift, abs=2e-4
    )


def test_the_errors_of_the_instrument_itself_act_like_those_of_a_frame():
    known = {"zero": 0.07, "displacement": 0.12, "transparency": 4e-4, "absorption": 0.6}
    grid, ranges = (30, 90, 3001), Ranges.none()
    by_hand = render(Simulator(salt(), grid, instrument=narrow(KA1, 0.1), ranges=ranges, margin=3), frame=known)
    of_tool = render(Simulator(salt(), grid, instrument=narrow(KA1, 0.1, **known), ranges=ranges, margin=3))
    np.testing.assert_array_equal(of_tool, by_hand)


# --- how strong they are --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("polarisation", "monochromator"),
    [(0.5, None), (0.5, 26.6), (0.5, 90.0), (0.97, None), (0.9, 12.0), (1.0, None), (0.0, None)],
)
def test_lorentz_polarisation_follows_the_closed_formula(polarisation, monochromator):
    phase = cube(6.0, "C")
    tool = narrow(KA1, 0.05, polarisation=polarisation, monochromator=monochromator)
    simulator = Simulator(phase, (10, 160, 60_001), instrument=tool, ranges=Ranges.none(), margin=0)
    y, found = render(simulator), phase.reflections(0.79)
    strength = phase.intensities(Radiation(KA1), 0.79)
    positions = bragg(found.d_spacing, KA1)
    alone = set(isolated(positions, 0.6))
    checked = 0
    for at, power in zip(positions, strength, strict=True):
        if at in alone and 10.5 < at < 159.5:
            got = area(simulator.axis, y, at - 0.29, at + 0.29) * phase.mass * 216 / power
            wanted = lorentz_polarisation(at, polarisation, monochromator)
            assert got == pytest.approx(wanted, rel=3e-4, abs=1e-4), at
            checked += 1
    assert checked >= 25


def test_lorentz_polarisation_of_a_tube_as_in_every_textbook():
    # (1 + cos^2 2theta) / (sin^2 theta cos theta) at 60 deg is 1.25 / (0.25 * 0.8660) = 5.7735; at 90 deg 2.8284
    assert 2 * lorentz_polarisation(60.0) == pytest.approx(5.7735, abs=1e-4)
    assert 2 * lorentz_polarisation(90.0) == pytest.approx(2.8284, abs=1e-4)
    seen = {}
    for at in (60.0, 90.0):
        phase = cube_at(at, KA1)
        simulator = Simulator(
            phase, around(at), instrument=narrow(KA1, polarisation=0.5), ranges=Ranges.none(), margin=0
        )
        power = phase.intensities(Radiation(KA1), phase.cell[0] * 0.999)[0]
        seen[at] = area(simulator.axis, render(simulator)) * phase.mass * phase.volume / power
    assert 2 * seen[60.0] == pytest.approx(5.7735, rel=2e-4)
    assert 2 * seen[90.0] == pytest.approx(2.8284, rel=2e-4)


@pytest.mark.parametrize("b", [0.2, 1.0, 5.0, 20.0])
def test_further_displacement_weakens_lines_by_exp_minus_2_b_s2(b):
    for at in (20.0, 60.0, 110.0):
        phase = cube_at(at, KA1)
        simulator = Simulator(phase, around(at), instrument=narrow(KA1), ranges=Ranges.none(), margin=0)
        ratio = area(simulator.axis, render(simulator, {"b_extra": b})) / area(simulator.axis, render(simulator))
        assert ratio == pytest.approx(
            math.exp(-2 * b * (math.sin(math.radians(at / 2)) / KA1) ** 2), rel=2e-4, abs=2e-6
        )


def test_displacement_factors_of_the_atoms_act_once_and_can_be_left_out():
    at = 80.0
    heights = {}
    for name, b, options in (("rest", 0.0, {}), ("shaken", 1.5, {}), ("left out", 1.5, {"displacements": False})):
        simulator = Simulator(
            cube_at(at, KA1, b_iso=b), around(at), instrument=narrow(KA1), ranges=Ranges.none(), margin=0, **options
        )
        heights[name] = render(simulator).max()
    assert heights["shaken"] / heights["rest"] == pytest.approx(
        math.exp(-2 * 1.5 * (math.sin(math.radians(40)) / KA1) ** 2), rel=1e-4
    )
    assert heights["left out"] == pytest.approx(heights["rest"], rel=1e-6)


@pytest.mark.parametrize("mu_t", [0.05, 0.5, 2.0])
def test_a_thin_layer_in_reflection_loses_what_goes_through(mu_t):
    for at in (20.0, 60.0, 120.0):
        simulator = Simulator(cube_at(at, KA1), around(at), instrument=narrow(KA1), ranges=Ranges.none(), margin=0)
        ratio = render(simulator, frame={"absorption": mu_t}).max() / render(simulator).max()
        assert ratio == pytest.approx(1 - math.exp(-2 * mu_t / math.sin(math.radians(at / 2))), rel=1e-4)


def transmission_of_a_capillary(mu_r, two_theta):
    """Mean of exp(-mu path) over a circular cross-section of radius 1, paths in and out."""
    turn = math.radians(two_theta)

    def integrand(r, phi):
        x, y = r * math.cos(phi), r * math.sin(phi)
        into = x + math.sqrt(max(1 - y * y, 0))
        along, aside = x * math.cos(turn) + y * math.sin(turn), -x * math.sin(turn) + y * math.cos(turn)
        return r * math.exp(-mu_r * (into - along + math.sqrt(max(1 - aside * aside, 0))))

    return dblquad(integrand, 0, 2 * math.pi, 0, 1, epsabs=1e-5, epsrel=1e-5)[0] / math.pi


@pytest.mark.parametrize("mu_r", [0.2, 0.6, 0.9])  # the formula is one for mu R up to 1
def test_a_capillary_absorbs_like_the_integral_over_its_cross_section(mu_r):
    for at in (10.0, 90.0, 150.0):
        tool = narrow(KA1, geometry="transmission")
        simulator = Simulator(cube_at(at, KA1), around(at), instrument=tool, ranges=Ranges.none(), margin=0)
        ratio = render(simulator, frame={"absorption": mu_r}).max() / render(simulator).max()
        assert ratio == pytest.approx(transmission_of_a_capillary(mu_r, at), rel=0.01), at


def test_neutrons_scatter_with_their_lengths_and_without_polarisation():
    phase = cube_at(70.0, 1.54, element="Ni")
    tool = narrow(Radiation(1.54, probe="neutron"))
    simulator = Simulator(phase, around(70.0), instrument=tool, ranges=Ranges.none(), margin=0)
    # b(Ni) = 10.3 fm (Neutron News 3 (1992) 29), six members of {100}, 58.69 u
    expected = 6 * 10.3**2 / (58.69 * phase.cell[0] ** 3) * lorentz_polarisation(70.0, 1.0)
    assert area(simulator.axis, render(simulator)) == pytest.approx(expected, rel=2e-3)


# --- mixtures -------------------------------------------------------------------------------------------------------


def test_weight_fractions_follow_hill_and_howard():
    """W_p = S_p (Z M V)_p / sum: S from integrated intensities; Z, M and V typed in from the books."""
    book = {
        "Si": (8, 28.085, 5.4309**3),
        "NaCl": (4, 22.990 + 35.45, 5.6402**3),
        "MgO": (4, 24.305 + 15.999, 4.2117**3),
    }
    phases = [TEXTBOOK["Si"], salt(), TEXTBOOK["MgO"]]
    for phase in phases:
        assert phase.volume == pytest.approx(book[phase.id][2], rel=2e-3)
    simulator = Simulator(
        phases, (25, 100, 30_001), instrument=narrow(KA1, 0.05, polarisation=0.5), ranges=Ranges.none(), margin=0
    )
    given = np.array([0.5, 0.3, 0.2])
    y = render(simulator, *({"phase": i, "weight": w} for i, w in enumerate(given)))
    lists = [p.reflections(1.0) for p in phases]
    everywhere = np.concatenate([bragg(f.d_spacing, KA1) for f in lists])
    alone = set(isolated(everywhere, 0.5))
    scale = []
    for phase, found in zip(phases, lists, strict=True):
        power = phase.intensities(Radiation(KA1), 1.0)
        ratios = [
            area(simulator.axis, y, at - 0.2, at + 0.2) / (m * lorentz_polarisation(at))
            for at, m in zip(bragg(found.d_spacing, KA1), power, strict=True)
            if at in alone and 25.5 < at < 99.5 and m > 1
        ]
        assert len(ratios) >= 2
        assert np.ptp(ratios) / np.mean(ratios) < 1e-3
        scale.append(np.mean(ratios))
    zmv = np.array([z * m * v for z, m, v in (book[p.id] for p in phases)])
    np.testing.assert_allclose(scale * zmv / (scale * zmv).sum(), given, atol=1e-3)


def test_a_mixture_is_the_weighted_sum_of_its_phases():
    phases = [TEXTBOOK[n] for n in ("Si", "TiO2-rutile", "SiO2-quartz")]
    simulator = Simulator(phases, (20, 90, 2001), radiation="CuKa", ranges=Ranges.none())
    alone = simulator.ideal().intensity.astype(float)
    mixed = render(simulator, *({"phase": i, "weight": w} for i, w in enumerate((0.6, 0.1, 0.3))))
    expected = 0.6 * alone[0] + 0.1 * alone[1] + 0.3 * alone[2]
    assert np.abs(mixed - expected).max() < 2e-6 * expected.max()


# I/I_c that the ICDD cards and the literature give (Cu Ka1, strongest lines, 1:1 by weight with corundum).
@pytest.mark.parametrize(
    ("name", "reported"),
    [
        ("Si", 4.7),
        ("ZnO", 5.4),
        ("TiO2-rutile", 3.5),
        ("TiO2-anatase", 5.0),
        ("NaCl", 4.5),
        ("MgO", 3.0),
        ("CaF2", 4.0),
    ],
)
def test_reference_intensity_ratios_are_those_of_the_literature(name, reported):
    simulator = Simulator(
        [TEXTBOOK[name], TEXTBOOK["Al2O3-alpha"]],
        (20, 80, 6001),
        instrument=Instrument(radiation=KA1),
        ranges=Ranges.none(),
    )
    one, corundum = simulator.ideal().intensity.max(axis=1)
    assert one / corundum == pytest.approx(reported, rel=0.09)


# --- texture --------------------------------------------------------------------------------------------------------


def test_march_dollase_itself_keeps_the_powder_integral():
    for r in (0.05, 0.4, 1.6, 10.0):
        mean, _ = quad(lambda c, r=r: march_dollase(r, c * c), 0, 1, epsabs=1e-12)
        assert mean == pytest.approx(1.0, abs=1e-9)


def cubic_members(hkl):
    """All 48 ways to write a cubic family."""
    signs = np.array(list(product((1, -1), repeat=3)))
    return np.unique(np.concatenate([np.array(p) * signs for p in permutations(hkl)]), axis=0)


def ratios(phase, slot, points=60_001, span=(20, 140)):
    """Area with texture over area without, line by line where lines are alone: (hkl, multiplicity, ratio)."""
    simulator = Simulator(phase, (*span, points), instrument=narrow(KA1), ranges=Ranges.none(), margin=0)
    plain, textured = render(simulator), render(simulator, slot)
    found = phase.reflections(KA1 / 2)
    positions = bragg(found.d_spacing, KA1)
    alone = set(isolated(positions, 0.15))
    for hkl, m, at in zip(found.hkl, found.multiplicity, positions, strict=True):
        here = np.abs(simulator.axis - at) < 0.06
        if at in alone and span[0] + 0.2 < at < span[1] - 0.2 and plain[here].max() > 1e-3 * plain.max():
            yield hkl.astype(int), int(m), textured[here].sum() / plain[here].sum()


@pytest.mark.parametrize("r", [0.3, 0.8, 1.5])
@pytest.mark.parametrize(("number", "axis"), [(0, (1, 1, 1)), (1, (1, 0, 0)), (2, (1, 1, 0))])
def test_texture_of_a_cubic_phase_is_the_mean_over_all_equivalents(r, number, axis):
    # rock salt's widest spaced planes are 111, 200 and 220
    checked = 0
    for hkl, _, ratio in ratios(salt(), {"march": r, "march_axis": number}):
        members = cubic_members(hkl)
        cosine = members @ np.array(axis) / np.linalg.norm(members, axis=1) / np.linalg.norm(axis)
        assert ratio == pytest.approx(march_dollase(r, cosine**2).mean(), rel=5e-5), hkl
        checked += 1
    assert checked >= 8


@pytest.mark.parametrize("r", [0.5, 1.4])
def test_texture_along_c_of_a_uniaxial_phase_is_the_closed_formula_at_one_angle(r):
    phase = TEXTBOOK["MoS2"]
    c = phase.cell[2]
    checked = 0
    for hkl, _, ratio in ratios(phase, {"march": r}):
        cosine = hkl[2] / c * spacing(hkl, phase.cell)  # the angle between hkl and 00l
        assert ratio == pytest.approx(march_dollase(r, cosine**2), rel=1e-4), hkl
        if not hkl[:2].any():
            assert ratio == pytest.approx(r**-3, rel=1e-4)
        checked += 1
    assert checked >= 8


def test_two_texture_axes_share_the_crystallites():
    slot = {
        "march": 0.6,
        "march_axis": 0,
        "march_share": 0.5,
        "second_march": 1.4,
        "second_axis": 1,
        "second_share": 0.3,
    }
    for hkl, _, ratio in ratios(salt(), slot):
        members = cubic_members(hkl) / np.linalg.norm(hkl)
        one = march_dollase(0.6, (members @ np.ones(3)) ** 2 / 3).mean()
        two = march_dollase(1.4, members[:, 0] ** 2).mean()
        assert ratio == pytest.approx(0.2 + 0.5 * one + 0.3 * two, rel=5e-5)


@pytest.mark.parametrize("r", [0.5, 1.6])
def test_texture_only_moves_intensity_between_lines(r):
    """In a triclinic group every plane is its own family: the mean of W over directions, from lines alone, is 1."""
    phase = Phase.from_parameters("P-1", "P-1", (9, 9, 9, 90, 90, 90), [("C", (0, 0, 0))])
    simulator = Simulator(phase, (4, 120, 40_001), instrument=narrow(0.9, 0.02), ranges=Ranges.none(), margin=0)
    plain, textured = render(simulator), render(simulator, {"march": r})
    rings = np.arange(1, 200)
    weights = weighted = 0
    counts = dict.fromkeys(rings, 0)
    for h in product(range(-14, 15), repeat=3):
        n = sum(x * x for x in h)
        if n in counts:
            counts[n] += 1
    for n, many in counts.items():
        at = float(bragg(9 / math.sqrt(n), 0.9))
        here = np.abs(simulator.axis - at) < 0.045
        if many and 4.2 < at < 119.8:
            weights += many
            weighted += many * textured[here].sum() / plain[here].sum()
    assert weights > 8000
    assert weighted / weights == pytest.approx(1.0, abs=4e-3)


# --- shapes ---------------------------------------------------------------------------------------------------------

SHAPES = {
    "the narrowest Gaussian": {"w": 0.0004},
    "Caglioti as of a lab": {"u": 0.008, "v": -0.006, "w": 0.0205},
    "Caglioti as of neutrons": {"u": 0.15, "v": -0.2, "w": 0.14},
    "Lorentzian only": {"w": 0.0, "x": 0.05, "y": 0.05},
    "X tan theta": {"w": 0.001, "x": 0.4},
    "Y / cos theta": {"w": 0.001, "y": 0.2},
    "all five": {"u": 0.02, "v": -0.01, "w": 0.01, "x": 0.05, "y": 0.03},
}
SAMPLES = {
    "no": {},
    "10 nm": {"size": 10.0},
    "300 nm": {"size": 300.0},
    "0.5 nm": {"size": 0.5},
    "1 mm": {"size": 1e6},
    "0.3 %": {"microstrain": 0.003},
    "5 %": {"microstrain": 0.05},
    "both": {"size": 25.0, "microstrain": 0.0015},
}


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_shape_is_the_direct_sum(shape, sample):
    tool = Instrument(radiation=KA1, **shape)
    ranges = Ranges.none(**({"size": sample["size"]} if "size" in sample else {}))
    simulator = Simulator(still("Al2O3-alpha"), (10, 150, 7001), instrument=tool, ranges=ranges)
    y = render(simulator, sample)
    expected = total(simulator.axis, line_list(simulator.phases[0], tool, simulator.span, sample))
    assert np.abs(y - expected).max() <= WORST * expected.max()


@pytest.mark.parametrize("at", [12.0, 60.0, 100.0, 150.0])
@pytest.mark.parametrize("sample", [s for n, s in SAMPLES.items() if n not in ("0.5 nm", "5 %")], ids=str)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_width_and_area_of_a_single_line(shape, sample, at):
    """FWHM after Thompson, Cox and Hastings, and the area of the formula within the window."""
    theta = math.radians(at / 2)
    tan, cosine = math.tan(theta), math.cos(theta)
    gauss = math.sqrt(max(shape.get("u", 0) * tan**2 + shape.get("v", 0) * tan + shape.get("w", 0.01), 0))
    lorentz = (
        shape.get("x", 0) * tan + shape.get("y", 0) / cosine + math.degrees(4 * sample.get("microstrain", 0) * tan)
    )
    lorentz += math.degrees(0.9 * KA1 / (10 * sample["size"]) / cosine) if "size" in sample else 0
    fwhm, eta = thompson_cox_hastings(gauss, lorentz)
    phase, half = cube_at(at, KA1), min(12 * fwhm, 4.5)
    simulator = Simulator(
        phase,
        (at - half, at + half, 4001),
        instrument=Instrument(radiation=KA1, **shape),
        ranges=Ranges.none(),
        margin=0,
    )
    y = render(simulator, sample)
    assert fwhm_of(simulator.axis, y) == pytest.approx(fwhm, rel=2e-4)
    power = phase.intensities(Radiation(KA1), phase.cell[0] * 0.999)[0]
    full = power * lorentz_polarisation(at) / (phase.mass * phase.volume)
    t = 2 * half / fwhm
    inside = eta * 2 / math.pi * math.atan(t) + (1 - eta) * math.erf(math.sqrt(LN2) * t)
    assert area(simulator.axis, y) == pytest.approx(full * inside, rel=2e-4)


def test_thompson_cox_hastings_stands_for_a_true_voigt():
    from scipy.special import voigt_profile

    x = np.linspace(-3, 3, 6001)
    for share in (0.0, 0.2, 0.5, 0.8, 1.0):
        gauss, lorentz = (1 - share) * 0.3 + 1e-6, share * 0.3 + 1e-9
        fwhm, eta = thompson_cox_hastings(gauss, lorentz)
        true = voigt_profile(x, gauss / (2 * math.sqrt(2 * LN2)), lorentz / 2)
        assert np.abs(pseudo_voigt(x, 0, 1, fwhm, eta) - true).max() < 0.013 * true.max()
        assert fwhm == pytest.approx(fwhm_of(x, true), rel=4e-3)


@pytest.mark.parametrize("radiation", ["CuKa", "MoKa1"])
@pytest.mark.parametrize("name", ["Si", "TiO2-rutile", "gypsum", "albite", "BiFeO3"])
def test_everything_at_once_is_the_direct_sum(name, radiation):
    """Random values over the documented ranges of every effect that has a plain formula."""
    rng = np.random.default_rng(5)
    phase = still(name)
    tool = Instrument.lab_bragg_brentano(radiation, axial_sample=0.0, axial_detector=0.0, monochromator=26.6)
    for _ in range(3):
        draw = {e.name: rng.uniform(e.default.low, e.default.high) for e in EFFECTS.values()}
        strain = draw["expansion"]
        slot = {f"strain_{x}": strain for x in "abc"} | {k: draw[k] for k in ("size", "microstrain", "b_extra")}
        frame = {k: draw[k] for k in ("zero", "displacement", "transparency", "absorption", "width")}
        simulator = Simulator(phase, (15, 120, 3001), instrument=tool, ranges=Ranges())
        y = render(simulator, slot, frame=frame)
        expected = total(simulator.axis, line_list(phase, tool, simulator.span, slot, frame))
        assert np.abs(y - expected).max() <= WORST * expected.max()


@pytest.mark.parametrize("name", ["Si", "SiO2-quartz", "forsterite"])
@pytest.mark.parametrize("stretch", [-0.1, -0.02, 0.02, 0.1])
def test_strained_cells_are_the_direct_sum(name, stretch):
    phase, tool = still(name), Instrument(radiation=KA1, w=0.01)
    ranges = Ranges.none(expansion=(-abs(stretch), abs(stretch)))
    simulator = Simulator(phase, (25, 80, 5501), instrument=tool, ranges=ranges, margin=30)
    slot = {f"strain_{x}": stretch for x in "abc"}
    expected = total(simulator.axis, line_list(phase, tool, simulator.span, slot))
    # Documented: to 1e-6 of |F|^2 at 2 %, to 1e-4 at 10 %; float32 sums add some 1e-6.
    worst = 5e-6 if abs(stretch) < 0.05 else WORST
    assert np.abs(render(simulator, slot) - expected).max() <= worst * expected.max()


@pytest.mark.parametrize("grid", [(15, 80, 900), (5, 150, 512), (5, 150, 2048)])
def test_coarse_grids_and_narrow_lines_stay_within_the_error(grid):
    phase, tool = still("forsterite"), narrow(0.7, 0.02)
    simulator = Simulator(phase, grid, instrument=tool, ranges=Ranges.none())
    expected = total(simulator.axis, line_list(phase, tool, simulator.span))
    assert np.abs(render(simulator) - expected).max() <= WORST * expected.max()


@pytest.mark.parametrize("stretch", [-0.1, -0.02, 0.02, 0.1])
def test_a_strained_cell_has_the_intensities_of_a_structure_with_that_cell(stretch):
    """|F|^2 from a polynomial against the structure made anew."""
    phase = still("SiO2-quartz")
    cell = [x * (1 + stretch) for x in phase.cell[:3]] + list(phase.cell[3:])
    new = replace(phase, cell=tuple(cell))
    tool = Instrument(radiation=KA1, w=0.01)
    grid = (25, 80, 5501)
    strained = render(
        Simulator(phase, grid, instrument=tool, ranges=Ranges.none(expansion=(-abs(stretch), abs(stretch))), margin=25),
        {f"strain_{x}": stretch for x in "abc"},
    )
    fresh = render(Simulator(new, grid, instrument=tool, ranges=Ranges.none(), margin=25))
    middle = slice(500, -500)
    assert np.abs(strained - fresh)[middle].max() <= (3e-4 if abs(stretch) > 0.05 else WORST) * fresh.max()


def test_an_anisotropic_change_of_the_cell_moves_each_line_by_its_own_indices():
    phase = still("gypsum")
    change = {"strain_a": 0.01, "strain_b": -0.006, "strain_c": 0.004, "shear_beta": 0.4}
    cell = [x * (1 + change[f"strain_{n}"]) for n, x in zip("abc", phase.cell[:3], strict=True)] + [
        90,
        phase.cell[4] + 0.4,
        90,
    ]
    tool = Instrument(radiation=KA1, w=0.01)
    ranges = Ranges.none(expansion=(-0.02, 0.02), shear=(-0.5, 0.5))
    strained = render(Simulator(phase, (20, 60, 4001), instrument=tool, ranges=ranges, margin=10), change)
    fresh = render(
        Simulator(replace(phase, cell=tuple(cell)), (20, 60, 4001), instrument=tool, ranges=Ranges.none(), margin=10)
    )
    assert np.abs(strained - fresh).max() <= WORST * fresh.max()


@pytest.mark.parametrize("ratio", [0.4, 2.5])
def test_size_and_strain_may_differ_along_the_unique_axis(ratio):
    phase = still("ZnO")
    tool = Instrument(radiation=KA1, w=0.01)
    slot = {"size": 15.0, "size_ratio": ratio, "microstrain": 0.002, "microstrain_ratio": 2 / ratio}

    def cosine2(hkl):
        return (hkl[:, 2] / phase.cell[2] * spacing(hkl, phase.cell)) ** 2

    simulator = Simulator(phase, (25, 100, 5001), instrument=tool, ranges=Ranges())
    expected = total(simulator.axis, line_list(phase, tool, simulator.span, slot, cosine2=cosine2))
    y = render(simulator, slot)
    assert np.abs(y - expected).max() <= WORST * expected.max()
    isotropic = render(simulator, {"size": 15.0, "microstrain": 0.002})
    assert np.abs(y - isotropic).max() > 0.05 * expected.max()


def test_scherrer_and_strain_by_hand():
    # 10 nm at 60 deg: 0.9 * 1.5405929 / (100 cos 30) = 0.016010 rad = 0.9173 deg; 0.2 %: 4 * 0.002 tan 30 = 0.2646 deg
    tool = Instrument(radiation=KA1, w=1e-6)
    simulator = Simulator(cube_at(60.0, KA1), around(60.0, 6.0, 6001), instrument=tool, ranges=Ranges.none(), margin=0)
    assert fwhm_of(simulator.axis, render(simulator, {"size": 10.0})) == pytest.approx(0.9173, abs=2e-4)
    assert fwhm_of(simulator.axis, render(simulator, {"microstrain": 0.002})) == pytest.approx(0.2646, abs=2e-4)


# --- axial divergence -----------------------------------------------------------------------------------------------


def by_heights(x, at, fwhm, s, h, many=400):
    """A Gaussian line smeared over every pair of heights in the sample and in the detector slit."""
    middles = (np.arange(many) + 0.5) / many * 2 - 1
    heights, edges = np.histogram(np.abs(s * middles[:, None] + h * middles), bins=300, range=(0, s + h))
    away = (edges[1:] + edges[:-1]) / 2
    there = np.degrees(np.arccos(np.clip(math.cos(math.radians(at)) * np.sqrt(1 + away**2), -1, 1)))
    return sum(pseudo_voigt(x, p, w, fwhm, 0.0) for p, w in zip(there, heights / heights.sum(), strict=True))


@pytest.mark.parametrize(("s", "h"), [(0.012, 0.012), (0.03, 0.03), (0.04, 0.01), (0.02, 0.0)])
@pytest.mark.parametrize("at", [8.0, 15.0, 30.0, 60.0, 90.0, 130.0])
def test_axial_divergence_moves_the_centre_and_keeps_the_area(at, s, h):
    phase = cube_at(at, KA1)
    tool = narrow(KA1, 0.1)
    grid = (at - 2.5, at + 2.5, 5001)
    plain = render(Simulator(phase, grid, instrument=tool, ranges=Ranges.none(), margin=0))
    simulator = Simulator(
        phase, grid, instrument=tool.replace(axial_sample=s, axial_detector=h), ranges=Ranges.none(), margin=0
    )
    y, x = render(simulator), simulator.axis
    assert area(x, y) == pytest.approx(area(x, plain), rel=1e-5)
    smeared = by_heights(x, at, 0.1, s, h) * area(x, plain)
    assert centroid(x, y) == pytest.approx(centroid(x, smeared), abs=2e-3)
    assert centroid(x, y) - at == pytest.approx(
        -math.degrees((s * s + h * h) / 6) / math.tan(math.radians(at)), abs=4e-3, rel=0.05
    )
    assert np.abs(y - smeared).max() < 0.05 * smeared.max()


# --- what lies outside the grid -------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [-1, 1])
def test_a_line_just_outside_the_grid_gives_its_tail(side):
    at = 60.0
    tool = Instrument(radiation=KA1, w=1e-4, y=0.2)
    edge = at - side * 0.8  # the grid ends 0.8 deg before the line
    grid = (edge - 10, edge, 2001) if side > 0 else (edge, edge + 10, 2001)
    phase = cube_at(at, KA1)
    full = Simulator(phase, grid, instrument=tool, ranges=Ranges.none())
    lines = line_list(phase, tool, full.span)
    assert lines.position == pytest.approx([at])
    expected = total(full.axis, lines)
    assert np.abs(render(full) - expected).max() <= 1e-5 * expected.max()
    assert expected.max() > 0
    assert not render(Simulator(phase, grid, instrument=tool, ranges=Ranges.none(), margin=0)).any()


def test_the_margin_says_which_lines_contribute():
    phase, tool = cube_at(60.0, KA1), narrow(KA1)
    for margin, many in ((0.0, 0), (0.79, 0), (0.81, 1), (5.0, 1)):
        simulator = Simulator(phase, (50, 59.2, 901), instrument=tool, ranges=Ranges.none(), margin=margin)
        assert simulator.span == pytest.approx((50 - margin, 59.2 + margin))
        assert simulator.n_lines.tolist() == [many]


def test_a_line_exactly_at_the_end_belongs_to_the_range():
    phase = cube_at(60.0, KA1)
    for grid in ((50, 60.0000001, 101), (59.9999999, 65, 101)):
        assert Simulator(phase, grid, instrument=narrow(KA1), ranges=Ranges.none(), margin=0).n_lines.tolist() == [1]


def test_each_line_of_a_doublet_is_judged_at_its_own_angle():
    phase = cube_at(60.0, KA1)
    light = Radiation.doublet(KA1, KA2, 0.5)
    simulator = Simulator(phase, (50, 60.08, 1001), instrument=narrow(light), ranges=Ranges.none(), margin=0)
    assert simulator.n_lines.tolist() == [1]  # the second line is at 60.164


@pytest.mark.parametrize("name", ["Si", "gypsum"])
def test_the_margin_is_as_documented(name):
    """Five times the largest FWHM (at least 1 deg), plus the largest shift."""
    tool = Instrument(radiation=KA1, w=0.09)
    simulator = Simulator(TEXTBOOK[name], (30, 60, 301), instrument=tool, ranges=Ranges.none(zero=(-0.3, 0.5)))
    assert simulator.span == pytest.approx((30 - 1.5 - 0.5, 60 + 1.5 + 0.5))
    simulator = Simulator(TEXTBOOK[name], (30, 60, 301), instrument=narrow(KA1), ranges=Ranges.none(width=(1, 2)))
    assert simulator.span == pytest.approx((29, 61))
    simulator = Simulator(
        TEXTBOOK[name], (30, 60, 301), instrument=narrow(KA1), ranges=Ranges.none(displacement=(-1, 1))
    )
    low, high = (math.degrees(2 * 1 / 200) for _ in range(2))
    assert simulator.span == pytest.approx((29 - low, 61 + high))


def test_no_line_enters_or_leaves_as_the_cell_changes():
    """A line that starts outside and is pulled in by the largest strain is there at its full height."""
    stretch = 0.02
    at = 60.0
    phase = cube_at(at, KA1)
    edge = float(bragg(phase.cell[0] * 0.995, KA1))  # the grid begins where the line is at -0.5 %
    simulator = Simulator(
        phase, (edge, edge + 5, 2001), instrument=narrow(KA1), ranges=Ranges.none(expansion=(-stretch, stretch))
    )
    assert simulator.n_lines[0] == 1
    y = render(simulator, {f"strain_{x}": -stretch for x in "abc"})
    assert top_of(simulator.axis, y) == pytest.approx(float(bragg(phase.cell[0] * (1 - stretch), KA1)), abs=2e-4)


def test_a_line_that_a_strained_cell_cannot_reach_is_not_there():
    phase = cube(KA1 / 2 * 1.002)
    simulator = Simulator(
        phase, (150, 179, 2901), instrument=Instrument(radiation=KA1), ranges=Ranges.none(expansion=(-0.02, 0.02))
    )
    assert render(simulator).max() > 0
    gone = render(simulator, {f"strain_{x}": -0.01 for x in "abc"})
    assert np.isfinite(gone).all()
    assert not gone.any()


def test_the_plain_simulator_has_only_lines_on_the_grid_and_atoms_at_rest():
    phase = cube_at(60.0, KA1, b_iso=3.0)
    on, off = (plain_simulator(phase, (50, end, 2001), radiation=KA1) for end in (60.5, 59.5))
    assert on.ideal().intensity.max() > 0
    empty = off.ideal()
    assert empty.intensity.max() == 0
    assert any("no line of cube lies in the range" in w for w in empty.warnings)
    rest = plain_simulator(cube_at(60.0, KA1), (50, 60.5, 2001), radiation=KA1)
    np.testing.assert_array_equal(on.ideal().intensity, rest.ideal().intensity)


# --- grids ----------------------------------------------------------------------------------------------------------


def test_a_q_grid_has_the_intensity_of_its_angles():
    q = np.linspace(1.5, 6.0, 3001)
    angles = 2 * np.degrees(np.arcsin(q * KA1 / (4 * math.pi)))
    options = {"radiation": KA1, "ranges": Ranges.none()}
    in_q = Simulator(TEXTBOOK["ZnO"], q, axis="q", **options)
    in_angle = Simulator(TEXTBOOK["ZnO"], angles, **options)
    np.testing.assert_allclose(in_q.two_theta, angles, rtol=1e-12)
    np.testing.assert_allclose(render(in_q), render(in_angle), rtol=1e-5, atol=1e-7 * render(in_q).max())


def test_an_uneven_grid_takes_the_values_of_the_even_one_at_its_points():
    even = np.linspace(20, 80, 6001)
    rng = np.random.default_rng(2)
    some = np.sort(rng.choice(6001, 1777, replace=False))
    options = {"radiation": "CuKa", "ranges": Ranges.none(), "margin": 5.0}
    full, part = (render(Simulator(TEXTBOOK["forsterite"], g, **options)) for g in (even, even[some]))
    assert np.abs(full[some] - part).max() < 1e-5 * full.max()


@pytest.mark.parametrize("points", [2, 3, 63, 64, 65, 511, 513])
def test_any_number_of_points_gives_the_direct_sum(points):
    tool = Instrument(radiation=KA1, w=0.02, y=0.1)
    phase = still("TiO2-rutile")
    simulator = Simulator(phase, (26, 58, points), instrument=tool, ranges=Ranges.none())
    expected = total(simulator.axis, line_list(phase, tool, simulator.span))
    reference = total(np.linspace(26, 58, 4001), line_list(phase, tool, simulator.span)).max()
    assert np.abs(render(simulator) - expected).max() < 1e-5 * reference


def test_a_film_shows_the_lines_of_one_axis():
    """The strongest texture leaves the family of its axis and takes the rest down."""
    phase = salt()
    ranges = Ranges.film(film=Range(0.05, 0.05), absorption=None)
    simulator = Simulator(phase, (25, 80, 5501), radiation=KA1, ranges=ranges)
    slots = simulator.draw_tables(40).slots[:, 0]
    from peakwise.simulate import SLOT

    assert (slots[:, SLOT["march"]] == 0.05).all()
    chosen = slots[:, SLOT["march_axis"]]
    axis0 = slots[chosen == 0][0]
    tables = simulator.blank(1)
    tables.slots[0, 0] = axis0
    tables.slots[0, 0, SLOT["strain_a"] : SLOT["strain_c"] + 1] = 0
    y = simulator.render(tables)[0].astype(float)
    x = simulator.axis
    a = phase.cell[0]
    heights = {n: y[np.abs(x - float(bragg(a / math.sqrt(n), KA1))) < 0.3].max() for n in (3, 4, 8, 11, 12)}
    assert heights[3] > 50 * heights[4]
    assert heights[12] > 5 * heights[8]
