"""Reflection families: closed formulas, multiplicities, extinctions, and a slow sum for every setting there is."""

from __future__ import annotations

import itertools
import math
import pickle

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crystal.structures import CIFS
from peakwise.crystal import Phase
from peakwise.crystal._compile import metric, reciprocal_metric, volume_of
from peakwise.crystal._kernels import _decay
from peakwise.errors import OptionError
from peakwise.patterns import Radiation

CUBE = (90, 90, 90)


def cubic(group, a, *sites):
    return Phase.from_parameters("x", group, (a, a, a, *CUBE), sites)


def families(phase, d_min):
    found = phase.reflections(d_min)
    squares = np.abs(found.partial.sum(0)) ** 2
    return {
        tuple(h): (int(m), float(s)) for h, m, s in zip(found.hkl.tolist(), found.multiplicity, squares, strict=True)
    }


def test_rock_salt_by_its_formula():
    """F = 4 (f_Na + f_Cl) for even hkl, 4 (f_Na - f_Cl) for odd, none for mixed."""
    salt = cubic("Fm-3m", 5.64, ("Na", (0, 0, 0)), ("Cl", (0.5, 0.5, 0.5)))
    found = salt.reflections(0.9)
    assert found.scatterers == ("Na", "Cl")
    for hkl, partial in zip(found.hkl, found.partial.T, strict=True):
        assert len(set(hkl % 2)) == 1
        assert partial == pytest.approx([4, 4 if hkl[0] % 2 == 0 else -4], abs=1e-5)
    assert found.partial_friedel is None


def test_caesium_chloride_and_diamond_by_their_formulas():
    salt = cubic("Pm-3m", 4.123, ("Cs", (0, 0, 0)), ("Cl", (0.5, 0.5, 0.5)))
    for hkl, partial in zip(salt.reflections(0.8).hkl, salt.reflections(0.8).partial.T, strict=True):
        assert partial == pytest.approx([1, (-1) ** int(hkl.sum())], abs=1e-6)
    diamond = Phase.from_cif(CIFS["diamond-1"])
    still = cubic("Fd-3m:1", diamond.cell[0], ("C", (0, 0, 0)))
    for hkl, (_, square) in families(still, 0.5).items():
        n = sum(hkl)
        want = {0: 64.0, 1: 32.0, 2: 0.0, 3: 32.0}[n % 4]  # 222 and 442 are allowed by the group, and have F = 0
        assert square == pytest.approx(want, abs=1e-3), hkl
    assert (2, 2, 2) in families(still, 0.5)
    assert (2, 0, 0) not in families(still, 0.5)  # the d glides forbid it
    assert {tuple(h) for h in still.reflections(1.0).hkl.tolist()} == {(1, 1, 1), (2, 2, 0), (3, 1, 1), (2, 2, 2)}


def test_positions_by_braggs_law():
    silicon = cubic("Fd-3m:1", 5.431020511, ("Si", (0, 0, 0)))
    d = silicon.reflections(1.0).d_spacing
    squares = [3, 8, 11, 12, 16, 19, 24, 27, 27]
    np.testing.assert_allclose(d, 5.431020511 / np.sqrt(squares), rtol=1e-12)


# International Tables A: multiplicity of hkl, hhl, 0kl ... of a Laue class in a powder (table 10.1.2.2 and footnotes).
@pytest.mark.parametrize(
    ("group", "cell", "expected"),
    [
        (
            "P m -3 m",
            (9, 9, 9, *CUBE),
            {(3, 2, 1): 48, (2, 2, 1): 24, (2, 1, 0): 24, (1, 1, 1): 8, (1, 1, 0): 12, (1, 0, 0): 6},
        ),
        (
            "P m -3",
            (9, 9, 9, *CUBE),
            {(3, 2, 1): 24, (3, 1, 2): 24, (2, 1, 0): 12, (2, 0, 1): 12, (1, 1, 1): 8, (1, 0, 0): 6},
        ),
        ("P 2 3", (9, 9, 9, *CUBE), {(3, 2, 1): 24, (3, 1, 2): 24, (1, 1, 1): 8}),
        (
            "P 6/m m m",
            (7, 7, 9, 90, 90, 120),
            {(2, 1, 1): 24, (2, 1, 0): 12, (1, 0, 1): 12, (1, 1, 1): 12, (1, 0, 0): 6, (0, 0, 1): 2},
        ),
        ("P 6/m", (7, 7, 9, 90, 90, 120), {(2, 1, 1): 12, (1, 2, 1): 12, (1, 0, 0): 6, (0, 0, 1): 2}),
        ("P -3 m 1", (7, 7, 9, 90, 90, 120), {(2, 1, 1): 12, (1, 0, 1): 6, (0, 1, 1): 6, (1, 1, 1): 12, (0, 0, 1): 2}),
        ("P -3", (7, 7, 9, 90, 90, 120), {(2, 1, 1): 6, (1, 0, 1): 6, (0, 0, 1): 2}),
        (
            "P 4/m m m",
            (7, 7, 9, *CUBE),
            {(2, 1, 1): 16, (1, 1, 1): 8, (1, 0, 1): 8, (2, 1, 0): 8, (1, 1, 0): 4, (0, 0, 1): 2},
        ),
        ("P 4/m", (7, 7, 9, *CUBE), {(2, 1, 1): 8, (1, 2, 1): 8, (1, 0, 0): 4, (0, 0, 1): 2}),
        ("P m m m", (6, 7, 9, *CUBE), {(1, 1, 1): 8, (1, 1, 0): 4, (1, 0, 0): 2}),
        ("P 1 2/m 1", (6, 7, 9, 90, 100, 90), {(1, 1, 1): 4, (1, 1, -1): 4, (1, 0, 1): 2, (0, 1, 0): 2}),
        ("P -1", (6, 7, 9, 80, 100, 95), {(1, 1, 1): 2, (1, 1, -1): 2, (1, 0, 0): 2}),
    ],
)
def test_multiplicities_of_the_laue_classes(group, cell, expected):
    found = families(Phase.from_parameters("x", group, cell, [("C", (0.1, 0.23, 0.37))]), 1.5)
    assert {h: found[h][0] for h in expected} == expected


SETTINGS = sorted({(g.hall, g.xhm()) for g in gemmi.spacegroup_table() if g.hall})
CELLS = {
    "triclinic": (5.1, 6.2, 7.3, 81, 97, 104),
    "orthorhombic": (5.1, 6.2, 7.3, 90, 90, 90),
    "tetragonal": (5.1, 5.1, 7.3, 90, 90, 90),
    "hexagonal": (5.1, 5.1, 7.3, 90, 90, 120),
    "cubic": (6.2, 6.2, 6.2, 90, 90, 90),
}


def cell_for(group):
    """A cell that has the group's symmetry: the mean metric tensor of a crooked one over its rotations."""
    a, b, c, d, e, f = metric(CELLS["triclinic"])
    crooked = np.array([[a, d, e], [d, b, f], [e, f, c]])
    rotations = np.array([o.rot for o in group.operations().sym_ops]) / 24
    g = np.mean([r.T @ crooked @ r for r in rotations], axis=0)
    edges = np.sqrt(np.diag(g))
    angles = [math.degrees(math.acos(g[i, j] / edges[i] / edges[j])) for i, j in ((1, 2), (0, 2), (0, 1))]
    return (*edges, *angles)


@pytest.mark.parametrize("hall", [h for h, _ in SETTINGS], ids=[x for _, x in SETTINGS])
def test_every_setting_against_a_slow_sum(hall):
    """Each reflection in the sphere is in one family or extinct; |F| of all members by a sum over operations."""
    operations = gemmi.symops_from_hall(hall)
    group = gemmi.find_spacegroup_by_ops(operations)
    cell = cell_for(group)
    rng = np.random.default_rng(230)
    atoms = [("Fe", rng.random(3), 1.0, 0.8), ("O", rng.random(3), 0.7, 1.3), ("O", np.zeros(3), 0.6, 0.5)]
    phase = Phase.from_parameters("x", [o.triplet() for o in operations], cell, atoms)
    d_min = 1.6 * (volume_of(cell) / 200) ** (1 / 3)
    found = phase.reflections(d_min)

    top = [int(x / d_min) + 1 for x in cell[:3]]
    hkl = np.array([h for h in itertools.product(*(range(-t, t + 1) for t in top)) if any(h)])
    star = reciprocal_metric(cell)
    full = np.array([[star[0], star[3], star[4]], [star[3], star[1], star[5]], [star[4], star[5], star[2]]])
    s2 = np.einsum("ni,ij,nj->n", hkl, full, hkl) / 4
    inside = s2 <= 0.25 / d_min**2
    hkl, s2 = hkl[inside], s2[inside]
    slow = np.zeros((2, len(hkl)), complex)
    for kind, xyz, occupancy, b in atoms:
        images = np.array([o.apply_to_xyz(list(xyz)) for o in operations])
        # every image is an atom, unless the site is special: then each place comes as often as its symmetry says
        delta = images[:, None] - images[None]
        order = (np.abs(delta - np.rint(delta)).max(2) < 1e-6).sum(1)[0]
        term = np.exp(2j * np.pi * hkl @ images.T).sum(1) * occupancy * np.exp(-b * s2) / order
        slow[0 if kind == "Fe" else 1] += term

    index = {tuple(h): i for i, h in enumerate(hkl.tolist())}
    counted = np.zeros(len(hkl), bool)
    for n in range(len(found)):
        members = found.equivalents[found.offsets[n] : found.offsets[n + 1]]
        assert 2 * len(members) == found.multiplicity[n]
        assert tuple(found.hkl[n]) in {tuple(m) for m in members.tolist()}
        rows = [index[tuple(m)] for m in members.tolist()]
        assert s2[rows] == pytest.approx(found.s2[n], rel=1e-9)
        mine = np.abs(found.partial[:, n])
        assert np.abs(slow[:, rows]) == pytest.approx(np.tile(mine[:, None], len(rows)), abs=2e-4)
        for m in members.tolist():
            for sign in (1, -1):
                i = index[tuple(sign * x for x in m)]
                assert not counted[i]
                counted[i] = True
    assert np.abs(slow[:, ~counted]).max(initial=0) < 1e-6  # what is in no family is extinct
    np.testing.assert_allclose(found.partial, slow[:, [index[tuple(h)] for h in found.hkl.tolist()]], atol=2e-4)
    assert (np.diff(found.s2) >= 0).all()
    if found.partial_friedel is None:
        assert group.is_centrosymmetric()
    else:
        minus = [index[tuple(-x for x in h)] for h in found.hkl.tolist()]
        np.testing.assert_allclose(found.partial_friedel, slow[:, minus], atol=2e-4)


def test_anomalous_scattering_tells_friedel_mates_apart_and_a_powder_shows_their_mean():
    """Zincblende at 1.5406 angstrom: |F(hkl)|² by its closed formula, f_Zn + f_S i^(h+k+l)."""
    blende = cubic("F-43m", 5.4093, ("Zn", (0, 0, 0)), ("S", (0.25, 0.25, 0.25)))
    copper = Radiation.named("CuKa1")
    found = blende.reflections(1.0)
    real, imaginary = blende.form_factors(found.s2, copper)
    zinc, sulphur = real + 1j * imaginary[:, None]
    n = found.hkl.astype(int).sum(1)
    squares = [16 * np.abs(zinc + sulphur * 1j ** (sign * n)) ** 2 for sign in (1, -1)]
    odd = n % 2 == 1
    assert np.abs(squares[0] - squares[1])[odd].min() > 1
    np.testing.assert_allclose(
        blende.intensities(copper, 1.0), found.multiplicity * np.mean(squares, 0), rtol=1e-5, atol=0.01
    )


def test_form_factors_begin_at_the_number_of_electrons():
    phase = cubic("Pm-3m", 4.2, ("Fe3+", (0, 0, 0)), ("O2-", (0.5, 0.5, 0.5)), ("Cl", (0.5, 0, 0)))
    s2 = np.array([0.0, 0.25])
    real, imaginary = phase.form_factors(s2, Radiation(1.5405929))
    shift = np.array([gemmi.cromer_liberman(z, 12398.4197 / 1.5405929) for z in (26, 8, 17)])
    assert real.dtype == imaginary.dtype == np.float32
    np.testing.assert_allclose(real[:, 0] - shift[:, 0], [23, 10, 17], atol=0.05)
    np.testing.assert_allclose(imaginary, shift[:, 1], rtol=1e-6)
    lengths, nothing = phase.form_factors(s2, Radiation(1.5, probe="neutron"))
    np.testing.assert_allclose(lengths, [[9.45] * 2, [5.803] * 2, [9.577] * 2], rtol=1e-4)  # Neutron News 3 (1992) 29
    assert not nothing.any()
    electrons, _ = phase.form_factors(s2, Radiation(0.0251, probe="electron"))
    assert (electrons > 0).all()
    assert (electrons[:, 0] > electrons[:, 1]).all()


def test_deuterium_and_hydrogen_scatter_neutrons_differently():
    neutrons = Radiation(1.5, probe="neutron")
    for kind, length in (("H", -3.739), ("D", 6.671)):
        phase = cubic("Fm-3m", 4.08, ("Li", (0, 0, 0)), (kind, (0.5, 0.5, 0.5)))
        (_, value), _ = phase.form_factors(np.zeros(1), neutrons)
        assert value[0] == pytest.approx(length, abs=2e-3)


def test_too_many_are_refused_before_they_are_listed():
    phase = Phase.from_parameters("x", "P1", (50, 60, 70, 90, 95, 100), [("C", (0, 0, 0))])
    with pytest.raises(OptionError, match=r"about 4\.\d+e\+14 .* at most 200000 families .* Ask for d_min=1\.4"):
        phase.reflections(1e-3)
    assert len(phase.reflections(1.4)) <= 200_000
    with pytest.raises(OptionError, match="at most 10 families"):
        phase.reflections(5, limit=10)
    for wrong in (0, -1, math.nan, math.inf):
        with pytest.raises(OptionError, match="d_min must be a positive number"):
            phase.reflections(wrong)


def test_the_count_itself_is_bounded():
    """A flat cell can have more reflections than its volume says."""
    phase = Phase.from_parameters("x", "P1", (100, 100, 1, *CUBE), [("C", (0, 0, 0))])
    with pytest.raises(OptionError, match=r"there are 48\d\d\d, at most 47000 families"):
        phase.reflections(1 / 1.3, limit=47_000)


def test_lists_are_kept_and_few():
    phase = Phase.from_cif(CIFS["rutile"])
    first = phase.reflections(1.0)
    assert phase.reflections(1.0) is first
    for d in (1.1, 1.2, 1.3, 1.4):
        phase.reflections(d)
    assert phase.reflections(1.0) is not first
    again = pickle.loads(pickle.dumps(phase))
    assert again == phase
    np.testing.assert_array_equal(again.reflections(1.0).partial, first.partial)


def test_a_line_at_the_edge_belongs_to_the_list():
    salt = cubic("Fm-3m", 5.64, ("Na", (0, 0, 0)))
    assert len(salt.reflections(5.64 / math.sqrt(8))) == 3
    assert len(salt.reflections(5.64 / math.sqrt(8) * 1.0001)) == 2
    assert len(salt.reflections(100.0)) == 0


def test_many_atoms_and_many_families_grow_the_tables():
    """More atoms of one kind than a block, and more families than guessed."""
    rng = np.random.default_rng(3)
    xyz = rng.random((600, 3))
    phase = Phase.from_parameters("x", "P1", (12, 13, 14, 80, 95, 100), [("C", x, 1, 0.5) for x in xyz])
    found = phase.reflections(1.0)
    assert phase.n_atoms == 600
    some = rng.choice(len(found), 50)
    slow = np.exp(2j * np.pi * found.hkl[some] @ xyz.T).sum(1) * np.exp(-0.5 * found.s2[some])
    np.testing.assert_allclose(found.partial[0, some], slow, atol=2e-4)


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 60))
def test_the_polynomial_is_the_exponential(x):
    assert _decay(x) == pytest.approx(math.exp(-x), rel=1e-9 if x < 20 else 1e-5)


def test_displacement_tensor_is_that_of_the_site_symmetry():
    """A tensor that breaks its site's symmetry is averaged over it: U of a cubic site becomes its mean."""
    text = CIFS["diamond-1"] + (
        "loop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\n_atom_site_aniso_U_22\n_atom_site_aniso_U_33\n"
        "_atom_site_aniso_U_12\n_atom_site_aniso_U_13\n_atom_site_aniso_U_23\nC 0.001 0.002 0.003 0 0 0\n"
    )
    one, two = Phase.from_cif(text), Phase.from_cif(CIFS["diamond-1"])
    assert one.sites[0].u_aniso == (0.001, 0.002, 0.003, 0, 0, 0)
    np.testing.assert_allclose(one.reflections(0.5).partial, two.reflections(0.5).partial, atol=1e-4)
