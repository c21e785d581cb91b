"""The model of a scan against plain sums, and every derivative against differences."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from matched import SYSTEMS, plain_model, plain_profile
from peakwise.matching import cell_of, fit_lines
from peakwise.matching._fit import background_basis, flatten
from peakwise.matching._kernel import FlatLines, march_factors, normal_matrix, phase_model, solve
from peakwise.patterns import Radiation

LIGHT = Radiation.named("CuKa")
X = np.arange(20.0, 75.0, 0.02)
REACH = 12.0
EVERY = pytest.mark.parametrize("name", SYSTEMS)


def lines_of(name, radiation=LIGHT):
    return fit_lines(SYSTEMS[name], radiation, 18.0, 77.0)


def model(lines, shared, own, *, x=X, light=LIGHT, axis=1, reach=REACH, polarisation=1.0, with_tails=False):
    """Values and derivatives, of the compiled loops."""
    _, squares, metrics, _, power, tails, offsets, cosine2 = flatten([lines], [axis])
    waves = np.array(light.lines)
    y, jacobian = np.zeros(x.size), np.zeros((3 + own.size, x.size))
    phase_model(
        x, squares, metrics[0], lines.basis, power, tails if with_tails else np.ones_like(tails), offsets, cosine2,
        np.ascontiguousarray(waves[:, 0]), waves[:, 1] / waves[:, 1].sum(), polarisation, reach, shared, own, y,
        jacobian, 3,
    )  # fmt: skip
    return y, jacobian


def parameters(lines):
    """Somewhere off the middle of everything."""
    n_cell = lines.basis.shape[1]
    shared = np.array([0.04, -0.03, 0.4])
    own = np.concatenate(([1.7, 0.14, 0.09, 0.25], 0.002 * (-1.0) ** np.arange(n_cell) * np.arange(1, n_cell + 1)))
    return shared, own


@EVERY
def test_the_model_is_the_plain_sum(name):
    lines = lines_of(name)
    shared, own = parameters(lines)
    y, _ = model(lines, shared, own)
    cell = cell_of(lines.metric + lines.basis @ own[4:])
    wanted = plain_model(
        X, SYSTEMS[name], cell, LIGHT, lines.axes[1], zero=0.04, displacement=-0.03, eta=0.4, scale=1.7, g0=0.14,
        g1=0.09, log_r=0.25, reach=REACH, low=18.0, high=77.0,
    )  # fmt: skip
    # The faintest lines are left out: together at most so much of the area, and what they can add at one place.
    assert abs(y - wanted).sum() <= 3e-3 * wanted.sum()
    assert abs(y - wanted).max() <= 3e-3 * wanted.max()


@EVERY
def test_every_derivative_is_that_of_differences(name):
    lines = lines_of(name)
    shared, own = parameters(lines)
    _, jacobian = model(lines, shared, own)
    names = ["zero", "displacement", "eta", "scale", "G0", "G1", "ln r", *(f"cell {i}" for i in range(own.size - 4))]
    everything = np.concatenate((shared, own))
    for j, what in enumerate(names):
        h = 1e-6
        up, down = everything.copy(), everything.copy()
        up[j] += h
        down[j] -= h
        slope = (model(lines, up[:3], up[3:])[0] - model(lines, down[:3], down[3:])[0]) / (2 * h)
        off = abs(jacobian[j] - slope)
        # r: a difference of its own. Cells: that LP factor and width change with the place is left out.
        allowed = 5e-3 if what == "ln r" else 2e-2 if what.startswith("cell") else 1e-5
        # A point at the very end of a cut profile may be in one of the two and not in the other.
        assert np.sort(off)[-5] <= allowed * abs(slope).max(), what


@EVERY
def test_weak_lines_are_cut_where_the_strongest_is_as_low(name):
    """What is left out is smooth: beside a background, it is less than the uncertainty of a fit at any place."""
    lines = lines_of(name)
    assert lines.tails.max() == pytest.approx(1)
    assert lines.tails.min() > 0
    shared, own = parameters(lines)
    shared[2], own[3] = 0.5, 0.0
    whole, _ = model(lines, shared, own)
    cut, jacobian = model(lines, shared, own, with_tails=True)
    assert (cut <= whole * (1 + 1e-9)).all()
    basis = background_basis(X, 6).T
    left = whole - cut - basis @ np.linalg.lstsq(basis, whole - cut)[0]
    assert abs(left).max() < 0.004 * whole.max()  # `FitSettings.floor`
    beyond = shared[2] / math.pi / REACH  # share of its area that is cut off the strongest line
    assert (whole - cut).sum() < 2.5 * beyond * whole.sum()
    np.testing.assert_allclose(own[0] * jacobian[3], cut, atol=1e-12 * whole.max())


def test_profiles_have_area_1_and_the_width_that_was_asked_for():
    for eta in (0.0, 0.3, 1.0):
        area = 2 * quad(lambda u, e=eta: plain_profile(u, e), 0, np.inf, epsabs=1e-10)[0]
        assert area == pytest.approx(1, abs=1e-7)
        assert plain_profile(0.5, eta) / plain_profile(0.0, eta) == pytest.approx(0.5, abs=1e-12)
    one = Radiation(1.54)
    lines = lines_of("cubic", one)
    x = np.arange(20.0, 75.0, 0.002)
    for g0, g1 in ((0.2, 0.0), (0.05, 0.4)):
        # The cube's own 111, 200, 220 ... stand alone.
        y, _ = model(lines, np.array([0.0, 0.0, 0.2]), np.array([1.0, g0, g1, 0.0, 0.0]), x=x, light=one, reach=400.0)
        at = np.degrees(2 * np.arcsin(1.54 * np.sqrt(lines.s2)))
        for place in at[at < 70]:
            near = abs(x - place) < 0.4
            top = y[near].max()
            half = x[near][y[near] > top / 2]
            theta = math.radians(place / 2)
            wanted = g0 / math.cos(theta) + g1 * math.tan(theta)
            if np.sort(abs(at - place))[1] > 4 * wanted:
                assert half[-1] - half[0] == pytest.approx(wanted, abs=0.005)


def test_the_shape_without_a_lorentzian_is_a_gaussian_to_1_2_percent_of_its_height():
    u = np.linspace(-3, 3, 2001)
    gauss = np.exp(-4 * math.log(2) * u**2) * 2 * math.sqrt(math.log(2) / math.pi)
    assert abs(plain_profile(u, 0.0) - gauss).max() < 0.025 * gauss.max()
    alike = plain_profile(u, 0.0) / plain_profile(0.0, 0.0)
    assert abs(alike - gauss / gauss.max()).max() < 0.012


def test_nothing_is_added_where_no_line_lies():
    lines = lines_of("cubic")
    shared, own = parameters(lines)
    x = np.arange(20.0, 25.0, 0.02)
    y, jacobian = model(lines, shared, own, x=x)
    assert not y.any()
    assert not jacobian.any()
    everywhere, _ = model(lines, shared, own)
    part = (X >= 30) & (X <= 40)
    np.testing.assert_allclose(model(lines, shared, own, x=X[part])[0], everywhere[part], rtol=1e-9)


@EVERY
def test_texture_moves_intensity_and_makes_none(name):
    """Averaged over all directions of the lattice the March factor is 1: here over a fine sphere of them."""
    rng = np.random.default_rng(3)
    cosine2 = rng.uniform(-1, 1, 400_000) ** 2
    for r in (0.6, 1.0, 1.5):
        out = np.empty(1)
        march_factors(np.array([0, cosine2.size]), cosine2, r, out)
        assert out[0] == pytest.approx(1, abs=0.01)
    lines = lines_of(name)
    axis = 0
    out = np.empty(lines.power.size)
    march_factors(lines.offsets, lines.cosine2[axis], 1.0, out)
    np.testing.assert_allclose(out, 1.0, rtol=1e-12)
    # r < 1: plates that lie flat; the planes of the plate itself are seen most.
    march_factors(lines.offsets, lines.cosine2[axis], 0.5, out)
    assert out.max() > 1.2
    assert out.min() < 1.0


def test_solve_is_that_of_a_library_and_keeps_what_is_not_free():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(6, 40))
    normal, gradient = rows @ rows.T, rng.normal(size=6)
    free = np.array([True, True, False, True, True, True])
    found = solve(normal, gradient, 0.5, free)
    part = normal[np.ix_(free, free)]
    part[np.diag_indices(5)] *= 1.5
    np.testing.assert_allclose(found[free], np.linalg.solve(part, gradient[free]), rtol=1e-9)
    assert found[2] == 0


def test_the_normal_matrix_is_that_of_the_derivatives():
    lines = lines_of("tetragonal")
    shared, own = parameters(lines)
    _, jacobian = model(lines, shared, own)
    basis = background_basis(X, 4)
    weight = 1 / (1 + np.cos(X) ** 2)
    rows = np.concatenate((jacobian, basis))
    p = np.concatenate((shared, own, np.zeros(4)))
    starts = np.array([3, 3 + own.size])
    waves = np.array(LIGHT.lines)
    own = np.ascontiguousarray(waves[:, 0]), waves[:, 1] / waves[:, 1].sum()
    flat = FlatLines(*flatten([lines], [1]), *own, 1.0, REACH, starts)._replace(tails=np.ones(lines.power.size))
    found = normal_matrix(X, weight, basis, flat, p)
    np.testing.assert_allclose(found, (rows * weight) @ rows.T, rtol=1e-6, atol=1e-9 * abs(found).max())
