"""Cells, their free parameters, lines and texture axes against metric tensors, and against the simulator."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matched import RIGHT_ANGLED, SYSTEMS, direct_metric, simple, spacings
from peakwise.crystal import TEXTBOOK, Phase
from peakwise.matching import cell_of, fit_lines
from peakwise.matching._fit import flatten, lengths_of
from peakwise.matching._kernel import march_factors, phase_model
from peakwise.matching._lines import cell_basis, metric_of
from peakwise.patterns import Radiation
from peakwise.simulate import SLOT, Simulator

LIGHT = Radiation.named("CuKa1")
EVERY = pytest.mark.parametrize("name", SYSTEMS)


@given(
    st.tuples(*[st.floats(2, 30)] * 3), st.tuples(*[st.floats(62, 118)] * 3), st.lists(st.integers(-9, 9), min_size=3)
)
def test_metrics_say_what_d_is_and_become_cells_again(lengths, angles, hkl):
    cell = (*lengths, *angles)
    metric = metric_of(cell)
    h, k, m = hkl[:3]
    squares = np.array([h * h, k * k, m * m, 2 * k * m, 2 * h * m, 2 * h * k], float)
    if any(hkl[:3]):
        d = spacings(np.array([[h, k, m]], float), cell)[0]
        assert metric @ squares == pytest.approx(1 / 4 / d**2, rel=1e-9)
    assert cell_of(metric) == pytest.approx(cell, rel=1e-9)


@EVERY
def test_the_lines_are_those_of_the_phase(name):
    phase = SYSTEMS[name]
    lines = fit_lines(phase, LIGHT, 20.0, 90.0)
    d_min = LIGHT.wavelength / 2 / math.sin(math.radians(45))
    found = phase.reflections(d_min)
    strength = phase.intensities(LIGHT, d_min) / (phase.mass * phase.volume)
    kept = np.isin(found.s2.round(10), lines.s2.round(10))
    inside = found.s2 >= (math.sin(math.radians(10)) / LIGHT.wavelength) ** 2
    assert not kept[~inside].any()
    sine2 = found.s2 * LIGHT.wavelength**2
    seen = strength / sine2 / np.sqrt(1 - sine2)
    assert seen[inside & ~kept].sum() <= 2.1e-4 * seen[inside].sum()
    np.testing.assert_allclose(lines.s2, found.s2[kept], rtol=1e-6)
    np.testing.assert_allclose(lines.power, strength[kept], rtol=1e-6)
    assert np.diff(lines.offsets).tolist() == np.diff(found.offsets)[kept].tolist()


FREE = {
    "cubic": ["abc"], "tetragonal": ["ab", "c"], "orthorhombic": ["a", "b", "c"], "hexagonal": ["ab", "c"],
    "trigonal": ["ab", "c"], "rhombohedral": ["abc", "αβγ"], "monoclinic b": ["a", "b", "c", "β"],
    "monoclinic a": ["a", "b", "c", "α"], "monoclinic c": ["a", "b", "c", "γ"],
    "triclinic": ["a", "b", "c", "α", "β", "γ"],
}  # fmt: skip


@EVERY
def test_a_parameter_changes_its_part_of_the_cell_by_as_much_as_it_says_and_keeps_the_symmetry(name):
    phase, e = SYSTEMS[name], 1e-5
    lines = fit_lines(phase, LIGHT, 20.0, 90.0)
    assert lines.basis.shape[1] == len(FREE[name])
    start = np.array(phase.cell)
    for j, parts in enumerate(FREE[name]):
        changed = np.array(cell_of(lines.metric + lines.basis[:, j] * e)) - start
        for i, part in enumerate("abcαβγ"):
            is_angle = bool(set(parts) & set("αβγ"))
            if i < 3 and not is_angle:
                assert changed[i] == pytest.approx(start[i] * e * (part in parts), abs=4e-5 * start[i] * e), (
                    parts,
                    part,
                )
            elif i >= 3 and not is_angle:
                assert changed[i] == pytest.approx(0, abs=1e-7), (parts, part)
            elif i >= 3 and name != "triclinic":
                assert (abs(changed[i]) > 1e-4) == (part in parts), (parts, part)
    many = cell_of(lines.metric + lines.basis @ np.linspace(0.004, -0.003, lines.basis.shape[1]))
    alike = {1: "aaa", 2: "aab"}.get(len(FREE[name]), "abc") if name != "rhombohedral" else "aaa"
    for i in range(3):
        for j in range(3):
            if alike[i] == alike[j]:
                assert many[i] == pytest.approx(many[j], rel=1e-9)
    if name not in ("triclinic", "rhombohedral"):
        fixed = [i for i in (3, 4, 5) if "αβγ"[i - 3] not in "".join(FREE[name])]
        np.testing.assert_allclose(np.array(many)[fixed], start[fixed], atol=1e-9)
    if name == "rhombohedral":
        assert many[3] == pytest.approx(many[4], abs=1e-9)
        assert many[3] == pytest.approx(many[5], abs=1e-9)


def test_a_monoclinic_cell_with_right_angles_bends_about_its_own_axis():
    lines = fit_lines(RIGHT_ANGLED, LIGHT, 20.0, 90.0)
    bent = cell_of(lines.metric + lines.basis[:, 3] * 0.01)
    assert bent[3] == pytest.approx(90, abs=1e-9)
    assert bent[5] == pytest.approx(90, abs=1e-9)
    assert abs(bent[4] - 90) == pytest.approx(math.degrees(2 * 0.01), rel=1e-3)


@EVERY
def test_one_number_for_all_lengths_is_the_same_crystal_larger(name):
    lines = fit_lines(SYSTEMS[name], LIGHT, 20.0, 90.0)
    n, e = lengths_of(lines), 1e-4
    strains = np.zeros(lines.basis.shape[1])
    strains[:n] = e
    grown = cell_of(lines.metric + lines.basis @ strains)
    np.testing.assert_allclose(grown[:3], np.array(SYSTEMS[name].cell[:3]) * (1 + e), rtol=1e-7)
    np.testing.assert_allclose(grown[3:], SYSTEMS[name].cell[3:], atol=1e-6)


@EVERY
def test_texture_axes_are_faces_and_their_angles_those_of_the_lattice(name):
    phase = SYSTEMS[name]
    lines = fit_lines(phase, LIGHT, 20.0, 90.0)
    assert 1 <= len(lines.axes) <= 3
    inverse = np.linalg.inv(direct_metric(phase.cell))
    d_min = LIGHT.wavelength / 2 / math.sin(math.radians(45))
    found = phase.reflections(d_min)
    row = int(np.nonzero(np.isin(found.s2.round(10), lines.s2.round(10)))[0][3])
    at = int(np.nonzero(abs(lines.s2 - found.s2[row]) < 1e-9)[0][0])
    members = found.equivalents[found.offsets[row] : found.offsets[row + 1]].astype(float)
    for axis, angles in zip(lines.axes, lines.cosine2, strict=True):
        assert np.gcd.reduce(np.abs(axis)) == 1
        normal = np.array(axis, float)
        wanted = [(m @ inverse @ normal) ** 2 / (m @ inverse @ m) / (normal @ inverse @ normal) for m in members]
        part = angles[lines.offsets[at] : lines.offsets[at + 1]]
        np.testing.assert_allclose(np.sort(part), np.sort(wanted), atol=1e-9)


@EVERY
def test_texture_weighs_a_cube_of_directions_evenly(name):
    """Sum over families of multiplicity times factor, over all hkl of a large sphere: the powder's integral."""
    phase = SYSTEMS[name]
    lines = fit_lines(phase, Radiation(0.35), 1.0, 40.0)
    far = lines.s2 > 0.3 * lines.s2.max()
    counts = np.diff(lines.offsets).astype(float)
    for r in (0.7, 1.4):
        out = np.empty(lines.power.size)
        march_factors(lines.offsets, lines.cosine2[0], r, out)
        assert np.average(out[far], weights=counts[far]) == pytest.approx(1, abs=0.06)


@EVERY
@pytest.mark.parametrize(("r", "n"), [(1.0, 0), (0.65, 0), (1.45, 1)])
def test_the_model_is_the_pattern_of_the_simulator(name, r, n):
    """Positions, intensities, LP and March factors of two programs of which neither calls the other."""
    phase, tool = SYSTEMS[name], simple(radiation=LIGHT, w=0.0, y=0.1, x=0.05)  # Lorentzians: both know them exactly
    simulator = Simulator(phase, (25.0, 80.0, 2751), instrument=tool, margin=8.0)
    tables = simulator.blank(1)
    for column, value in {"phase": 0, "weight": 1, "march": r, "march_axis": n}.items():
        tables.slots[0, 0, SLOT[column]] = value
    wanted = simulator.render(tables)[0]
    lines = fit_lines(phase, LIGHT, 17.0, 88.0)
    own = np.concatenate(([1.0, 0.1, 0.05, math.log(r)], np.zeros(lines.basis.shape[1])))
    same = []
    for axis in range(len(lines.axes)):
        _, squares, metrics, _, power, tails, offsets, cosine2 = flatten([lines], [axis])
        y, jacobian = np.zeros(2751), np.zeros((3 + own.size, 2751))
        phase_model(
            simulator.axis, squares, metrics[0], lines.basis, power, np.ones_like(tails), offsets, cosine2,
            np.array([LIGHT.wavelength]), np.ones(1), 1.0, 1e4, np.array([0.0, 0.0, 1.0]), own, y, jacobian, 3,
        )  # fmt: skip
        same.append(abs(y / y.sum() - wanted / wanted.sum()).max() / (y / y.sum()).max())
    # The faces of both are the planes of largest d; which of equal ones is listed, and so their order, is free.
    assert min(same) < 2e-3
    assert r != 1.0 or max(same) < 2e-3


def test_phases_without_lines_in_the_range_have_none():
    lines = fit_lines(TEXTBOOK["Si"], LIGHT, 5.0, 20.0)
    assert lines.power.size == 0
    assert lines.squares.shape == (6, 0)
    assert lines.offsets.tolist() == [0]
    assert cell_basis(TEXTBOOK["Si"], lines.metric).shape == (6, 1)


def test_large_cells_are_listed_too():
    large = Phase.from_parameters("large", "P-1", (31, 34, 38, 84, 97, 103), [("Na", (0.27, 0.99, 0.15))])
    lines = fit_lines(large, LIGHT, 5.0, 20.0)
    assert lines.power.size > 500
    assert np.isfinite(lines.power).all()
