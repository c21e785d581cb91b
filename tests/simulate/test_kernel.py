"""The lines and their profiles against closed formulas and a float64 direct sum."""

import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from peakwise.crystal import Phase
from peakwise.errors import OptionError
from peakwise.patterns import Radiation
from peakwise.simulate import FRAME, SLOT, Instrument, Ranges, Simulator
from peakwise.simulate._compile import at_rest
from peakwise.simulate._instrument import thompson_cox_hastings
from simulated import ALL, PEROVSKITE, RUTILE, SALT, OneLine, pseudo_voigt

LAMBDA = 1.5405929


def plain(**changes):
    return Instrument(**({"radiation": LAMBDA, "w": 0.01, "y": 0.02} | changes))


def lines_of(simulator, tables, row=0):
    """Position, FWHM, share and area of every line, through the compiled line stage."""
    from peakwise.simulate import _kernel as kernel

    c = simulator._compiled
    room = 64 * c.rows * tables.slots.shape[1] + 64
    pos, s2 = np.empty(room), np.empty(room)
    texture, work = np.empty(room, np.float32), np.empty(room * 30, np.float32)
    al, gg, ag, kg = (np.empty(room, np.float32) for _ in range(4))
    n = kernel.lines_of(
        c, simulator._optics, tables.slots[row], tables.frames[row], np.empty(6), texture, work, s2, pos, al, gg, ag, kg
    )
    al, gg, ag = (v[:n].astype(np.float64) for v in (al, gg, ag))
    fwhm = 2 * np.sqrt(gg)
    lorentz, gauss = al * np.pi / (fwhm / 2), ag * fwhm / (2 * np.sqrt(np.log(2) / np.pi))
    area = lorentz + gauss
    return pos[:n], area, fwhm, np.divide(lorentz, area, out=np.zeros(n), where=area > 0)


def one(simulator, phase=0, **values):
    tables = simulator.blank(1)
    tables.slots[0, 0, SLOT["phase"]], tables.slots[0, 0, SLOT["weight"]] = phase, 1.0
    for name, value in values.items():
        if name in SLOT:
            tables.slots[0, 0, SLOT[name]] = value
        else:
            tables.frames[0, FRAME[name]] = value
    return tables


def test_one_line_by_hand():
    """Every factor of one line's intensity, position and width written out."""
    simulator = Simulator(OneLine(), (30, 50, 4001), instrument=plain(), ranges=Ranges.none())
    pos, area, fwhm, eta = (v[0] for v in lines_of(simulator, one(simulator, b_extra=1.5, size=20, microstrain=0.001)))
    s2 = 3 / 64
    theta = np.arcsin(LAMBDA * np.sqrt(s2))
    assert pos == pytest.approx(2 * np.degrees(theta), abs=1e-8)
    f2 = 8 * 16 * (10**2 + 2**2)
    lp = (1 + np.cos(2 * theta) ** 2) / 2 / (np.sin(theta) ** 2 * np.cos(theta))
    assert area == pytest.approx(f2 * lp * np.exp(-2 * 1.5 * s2) / (100 * 64), rel=2e-6)
    lorentz = 0.02 / np.cos(theta) + np.degrees(0.9 * LAMBDA / 200 / np.cos(theta) + 4 * 0.001 * np.tan(theta))
    expected = thompson_cox_hastings(0.1, lorentz)
    assert (fwhm, eta) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("monochromator", [None, 26.6])
@pytest.mark.parametrize("polarisation", [0.5, 0.95, 1.0])
def test_lorentz_polarisation(polarisation, monochromator):
    made = plain(polarisation=polarisation, monochromator=monochromator)
    simulator = Simulator(RUTILE, (20, 120, 2001), instrument=made, ranges=Ranges.none(), margin=0.0)
    pos, area, _, _ = lines_of(simulator, one(simulator))
    keep = area > 0
    theta = np.radians(pos[keep] / 2)
    found = RUTILE.reflections(LAMBDA / 2)
    bare = RUTILE.intensities(Radiation(LAMBDA), LAMBDA / 2)
    at = np.searchsorted(found.s2, (np.sin(theta) / LAMBDA) ** 2 * (1 - 1e-9))
    m = 1.0 if monochromator is None else np.cos(np.radians(monochromator)) ** 2
    p = (polarisation + (1 - polarisation) * m * np.cos(2 * theta) ** 2) / (polarisation + (1 - polarisation) * m)
    expected = bare[at] * p / (np.sin(theta) ** 2 * np.cos(theta)) / (RUTILE.mass * RUTILE.volume)
    np.testing.assert_allclose(area[keep], expected, rtol=1e-4, atol=1e-6 * expected.max())


def test_k_alpha_2_has_half_the_area_at_its_own_angle():
    light = Radiation.named("CuKa")
    simulator = Simulator(SALT, (20, 90, 4001), instrument=plain(radiation=light), ranges=Ranges.none(), margin=0.0)
    pos, area, _, _ = lines_of(simulator, one(simulator))
    (l1, _), (l2, _) = light.lines
    first, second = pos[area > 0][: (area > 0).sum() // 2], pos[area > 0][(area > 0).sum() // 2 :]
    np.testing.assert_allclose(np.sin(np.radians(second / 2)) / np.sin(np.radians(first / 2)), l2 / l1, rtol=1e-9)
    half = area[area > 0]
    ratio = half[len(first) :] / half[: len(first)]
    # Half, but for the Lorentz factor at the other angle and f' at the other wavelength.
    assert ratio == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("phase", ALL, ids=lambda p: p.id)
def test_strained_positions_and_strengths(phase):
    """A strained variant equals the phase that is built with the strained cell."""
    from dataclasses import replace

    simulator = Simulator(
        phase, (15, 100, 4001), instrument=plain(), ranges=Ranges.none(expansion=(-0.02, 0.02), shear=(-0.5, 0.5))
    )
    e = np.array([0.012, 0.012, 0.012] if phase.cell[0] == phase.cell[1] == phase.cell[2] else [0.01, 0.01, -0.008])
    turn = np.zeros(3)
    if phase.id in ("mono", "tri"):
        turn[1] = 0.4
    tables = one(simulator, strain_a=e[0], strain_b=e[1], strain_c=e[2], shear_beta=turn[1])
    pos, area, _, _ = lines_of(simulator, tables)
    cell = tuple(np.array(phase.cell) * np.r_[1 + e, 1, 1, 1] + np.r_[0, 0, 0, turn])
    moved = Simulator(replace(phase, cell=cell), (15, 100, 4001), instrument=plain(), ranges=Ranges.none(), margin=0.0)
    there, expected, _, _ = lines_of(moved, one(moved))
    # Near families change places under strain, so the two are compared as sums in narrow bins of the angle.
    for x in there[expected > 0]:
        near = np.abs(pos - x) < 1e-6
        assert near.any()
        assert area[near].sum() == pytest.approx(
            expected[np.abs(there - x) < 1e-6].sum(), rel=1e-4, abs=1e-5 * expected.max()
        )


@pytest.mark.parametrize(("most", "error"), [(0.02, 2e-6), (0.1, 3e-6), (0.2, 5e-5), (0.25, 2e-4)])
@pytest.mark.parametrize("phase", [RUTILE, SALT, PEROVSKITE], ids=lambda p: p.id)
def test_strengths_hold_over_the_whole_strain(phase, most, error):
    """m |F|^2 at any strain that may occur, against form factors asked for at the strained s."""
    first = min(most, 0.2)
    ranges = Ranges.none(expansion=(-first, first), distortion=(first - most, most - first))
    simulator = Simulator(phase, (15, 140, 2001), instrument=plain(), ranges=ranges, displacements=False)
    c = simulator._compiled
    d_min = LAMBDA / 2
    found = phase.reflections(d_min)
    start = int(np.searchsorted(found.s2, c.s2[0] * (1 - 1e-9)))
    keep = slice(start, start + len(c.s2))
    rest = at_rest(phase).reflections(d_min)
    for e in np.linspace(-most, most, 9):
        change = (1 + e) ** -2 - 1
        got = np.polynomial.polynomial.polyval(change, c.strength[0].astype(float))
        real, imaginary = phase.form_factors(c.s2 * (1 + change), Radiation(LAMBDA))
        f = real.astype(float) + 1j * np.reshape(imaginary, (len(real), -1))
        power = np.abs((f * rest.partial[:, keep]).sum(0)) ** 2
        if rest.partial_friedel is not None:
            power = (power + np.abs((f * rest.partial_friedel[:, keep]).sum(0)) ** 2) / 2
        expected = power * rest.multiplicity[keep]
        assert np.abs(got - expected).max() < error * expected.max(), e


def test_larger_strains_are_refused_with_the_limit():
    with pytest.raises(OptionError, match=r"may change lengths by up to 25%.*got 0\.3"):
        Simulator(SALT, (20, 90, 101), instrument=plain(), ranges=Ranges.none(expansion=0.15, distortion=0.15))


def test_displacements_of_the_atoms_keep_their_share_of_the_edges_under_strain():
    """A cell that shrinks by 5 % is the cell that is built so, with B times 0.95^2."""
    cells = [
        Phase.from_parameters(n, "Pm-3m", (a, a, a, 90, 90, 90), [("Fe", (0, 0, 0), 1.0, b)])
        for n, a, b in (("as given", 4.0, 2.0), ("built", 3.8, 2.0 * 0.95**2))
    ]
    ranges = Ranges.none(expansion=(-0.05, 0.05))
    given, built = (Simulator(c, (15, 100, 2001), instrument=plain(), ranges=ranges) for c in cells)
    _, strained, _, _ = lines_of(given, one(given, strain_a=-0.05, strain_b=-0.05, strain_c=-0.05))
    _, expected, _, _ = lines_of(built, one(built))
    n = min(strained.size, expected.size) // 2
    np.testing.assert_allclose(strained[:n], expected[:n], rtol=2e-5)


@pytest.mark.parametrize("grid", [(20.0, 90.0, 2048), (5.0, 50.0, 4501), (30.0, 33.0, 77)])
@pytest.mark.parametrize("phase", ALL, ids=lambda p: p.id)
def test_patterns_against_a_direct_sum(phase, grid):
    """The whole profile stage: at most 1e-4 of the maximum against all lines at all points in float64."""
    simulator = Simulator(phase, grid, radiation="CuKa", random_state=3)
    tables = simulator.draw_tables(12)
    rows = simulator.render(tables).astype(np.float64)
    for i, row in enumerate(rows):
        pos, area, fwhm, eta = lines_of(simulator, tables, i)
        truth = pseudo_voigt(simulator.two_theta[:, None], pos, area, fwhm, eta).sum(1)
        if truth.max() > 0:
            assert np.abs(row - truth).max() <= 2e-5 * truth.max()


@pytest.mark.parametrize("y", [0.0, 0.02, 0.3])
@pytest.mark.parametrize("w", [1e-4, 0.01, 0.25])
def test_width_and_area_of_every_shape(w, y):
    """From Gaussian to Lorentzian, narrow to broad: FWHM and area of the rendered line."""
    step = 0.0005 if w < 0.001 else 0.002
    simulator = Simulator(OneLine(), np.arange(20, 60, step), instrument=plain(w=w, y=y), ranges=Ranges.none())
    x, row = simulator.two_theta, simulator.render(one(simulator))[0].astype(np.float64)
    _, area, fwhm, eta = (v[0] for v in lines_of(simulator, one(simulator)))
    above = np.flatnonzero(row > row.max() / 2)
    left = np.interp(row.max() / 2, row[above[0] - 1 : above[0] + 1], x[above[0] - 1 : above[0] + 1])
    right = np.interp(-row.max() / 2, -row[above[-1] : above[-1] + 2], x[above[-1] : above[-1] + 2])
    assert right - left == pytest.approx(fwhm, rel=2e-3)
    position = x[row.argmax()]
    outside = eta * (1 - (np.arctan(2 * (60 - position) / fwhm) + np.arctan(2 * (position - 20) / fwhm)) / np.pi)
    assert np.trapezoid(row, x) == pytest.approx(area * (1 - outside), rel=1e-3)


def test_march_dollase_keeps_the_powder_integral():
    """Averaged over all directions of a plane normal, W(r) is 1: texture moves intensity, it makes none."""
    from scipy.integrate import quad

    for r in (0.3, 0.7, 1.4):
        mean, _ = quad(lambda c, r=r: (r * r * c * c + (1 - c * c) / r) ** -1.5, 0, 1)
        assert mean == pytest.approx(1.0, rel=1e-9)
    # And in the kernel: families at many angles to the axis, weighted by multiplicity, lose nothing on the whole.
    simulator = Simulator(
        SALT, (5, 170, 1001), instrument=Instrument(radiation=0.2, w=0.01), ranges=Ranges.none(), margin=0.0
    )
    c = simulator._compiled
    for axis in range(c.n_axes[0]):
        offsets = c.axis_offsets[axis]
        weight = np.array(
            [
                (c.axis_share[a:b] * (0.7**2 * c.axis_cosine2[a:b] + (1 - c.axis_cosine2[a:b]) / 0.7) ** -1.5).sum()
                for a, b in pairwise(offsets)
            ]
        )
        many = SALT.reflections(0.1 / np.sin(np.radians(85))).multiplicity[-len(weight) :]
        assert np.average(weight, weights=many) == pytest.approx(1.0, abs=0.01)


def test_march_dollase_by_hand():
    """Rutile with the axis of its first candidate, 110: angles of every member of a family, written out."""
    simulator = Simulator(RUTILE, (20, 60, 2001), instrument=plain(), ranges=Ranges.none(), margin=0.0)
    pos, area, _, _ = lines_of(simulator, one(simulator))
    _, pressed, _, _ = lines_of(simulator, one(simulator, march=0.6, march_axis=0, march_share=0.75))
    found = RUTILE.reflections(LAMBDA / 2 / np.sin(np.radians(30)))
    g = np.diag([4.5937**-2, 4.5937**-2, 2.9587**-2])
    axis = found.hkl[0].astype(float)
    ratios = []
    for i in range(len(found)):
        members = found.equivalents[found.offsets[i] : found.offsets[i + 1]].astype(float)
        c2 = np.array([(m @ g @ axis) ** 2 / ((m @ g @ m) * (axis @ g @ axis)) for m in members])
        ratios.append(0.25 + 0.75 * ((0.36 * c2 + (1 - c2) / 0.6) ** -1.5).mean())
    keep = area > 1e-9 * area.max()
    at = np.searchsorted(found.s2, (np.sin(np.radians(pos[keep] / 2)) / LAMBDA) ** 2 * (1 - 1e-9))
    np.testing.assert_allclose(pressed[keep] / area[keep], np.array(ratios)[at], rtol=2e-5)


def test_shifts():
    simulator = Simulator(SALT, (20, 90, 2001), instrument=plain(), ranges=Ranges.none(), margin=0.0)
    pos, area, _, _ = lines_of(simulator, one(simulator))
    keep = area > 0
    theta = np.radians(pos[keep] / 2)
    moved = lines_of(simulator, one(simulator, zero=0.03, displacement=0.1, transparency=5e-4))[0][keep]
    expected = pos[keep] + 0.03 + np.degrees(-2 * 0.1 / 200 * np.cos(theta) - 5e-4 * np.sin(2 * theta))
    np.testing.assert_allclose(moved, expected, atol=1e-6)


@pytest.mark.parametrize(("geometry", "mu"), [("reflection", 0.4), ("transmission", 0.8)])
def test_absorption(geometry, mu):
    simulator = Simulator(SALT, (20, 90, 2001), instrument=plain(geometry=geometry), ranges=Ranges.none(), margin=0.0)
    pos, area, _, _ = lines_of(simulator, one(simulator))
    taken = lines_of(simulator, one(simulator, absorption=mu))[1]
    keep = area > 0
    sine = np.sin(np.radians(pos[keep] / 2))
    tube = np.exp(-(1.7133 - 0.0368 * sine**2) * mu + (0.0927 + 0.375 * sine**2) * mu**2)
    expected = 1 - np.exp(-2 * mu / sine) if geometry == "reflection" else tube
    np.testing.assert_allclose(taken[keep] / area[keep], expected, rtol=1e-5)


def test_size_and_strain_depend_on_the_direction():
    simulator = Simulator(RUTILE, (20, 90, 2001), instrument=plain(), ranges=Ranges.none(), margin=0.0)
    pos = lines_of(simulator, one(simulator))[0]
    wide = lines_of(simulator, one(simulator, size=10, size_ratio=3.0))[2]
    angle = {}
    for hkl in ((1, 1, 0), (0, 0, 2)):
        d = 1 / np.sqrt((hkl[0] ** 2 + hkl[1] ** 2) / 4.5937**2 + hkl[2] ** 2 / 2.9587**2)
        angle[hkl] = 2 * np.degrees(np.arcsin(LAMBDA / 2 / d))
    for hkl, size in (((1, 1, 0), 10 * 3 ** (-1 / 3)), ((0, 0, 2), 10 * 3 ** (2 / 3))):
        i = int(np.argmin(np.abs(pos - angle[hkl])))
        theta = np.radians(pos[i] / 2)
        lorentz = 0.02 / np.cos(theta) + np.degrees(0.9 * LAMBDA / (10 * size) / np.cos(theta))
        assert wide[i] == pytest.approx(float(thompson_cox_hastings(0.1, lorentz)[0]), rel=1e-5)


def test_axial_divergence_moves_to_low_angles_and_keeps_the_area():
    made = {"w": 0.0025, "y": 0.0}
    flat = Simulator(OneLine(), (5, 25, 8001), instrument=plain(radiation=0.7, **made), ranges=Ranges.none())
    tilted = Simulator(
        OneLine(),
        (5, 25, 8001),
        instrument=plain(radiation=0.7, axial_sample=0.04, axial_detector=0.04, **made),
        ranges=Ranges.none(),
    )
    x, a, b = flat.two_theta, flat.ideal().intensity[0].astype(float), tilted.ideal().intensity[0].astype(float)
    assert a.sum() == pytest.approx(b.sum(), rel=1e-3)
    shift = (x * b).sum() / b.sum() - (x * a).sum() / a.sum()
    two_theta = 2 * np.arcsin(0.7 * np.sqrt(3 / 64))
    assert shift == pytest.approx(-np.degrees((0.04**2 + 0.04**2) / 6 / np.tan(two_theta)), rel=0.02)
    # The tail is on the low side.
    third = (((x - (x * b).sum() / b.sum()) ** 3) * b).sum()
    assert third < 0


def test_a_q_grid_shows_what_is_measured_at_its_angles():
    q = Simulator(PEROVSKITE, (1.0, 6.0, 3001), axis="q", radiation="CuKa", ranges=Ranges.none())
    direct = Simulator(PEROVSKITE, q.two_theta, radiation="CuKa", ranges=Ranges.none())
    np.testing.assert_allclose(
        q.ideal().intensity, direct.ideal().intensity, atol=1e-5 * direct.ideal().intensity.max()
    )


def test_lines_outside_the_margin_do_not_contribute():
    inside = Simulator(SALT, (40, 60, 2001), radiation="CuKa1", ranges=Ranges.none(), margin=0.0)
    wide = Simulator(SALT, (40, 60, 2001), radiation="CuKa1", ranges=Ranges.none(), margin=10.0)
    found = SALT.reflections(1.0)
    angle = 2 * np.degrees(np.arcsin(LAMBDA * np.sqrt(found.s2)))
    assert inside.n_lines[0] == ((angle >= 40) & (angle <= 60)).sum()
    assert wide.n_lines[0] == ((angle >= 30) & (angle <= 70)).sum()
    assert inside.span == (40, 60)


def test_changed_parts_of_the_kernel_are_compiled_again():
    """numba looks at the file of `render_chunk` only: a change in the others must change a number there."""
    from peakwise.simulate import _kernel

    folder = Path(_kernel.__file__).parent
    now = 0
    for name in ("_kernel_lines.py", "_kernel_profiles.py", "_random.py"):
        now = zlib.crc32((folder / name).read_bytes(), now)
    assert now == _kernel.PARTS, f"write PARTS = {now:#010x} into _kernel.py"


def test_stale_machine_code_is_not_run():
    from peakwise.simulate._layout import check_layout, layout_code

    check_layout(layout_code(), "here")
    with pytest.raises(RuntimeError, match="change LAYOUT there"):
        check_layout(layout_code() ^ 1, "here")
