"""Positions and |F|² against other engines: pymatgen, gemmi's direct sum, Dans_Diffraction."""

from __future__ import annotations

import warnings
import zipfile
from collections import Counter

import gemmi
import numpy as np
import pytest

from crystal import engines
from crystal.structures import CIFS
from peakwise.crystal import Phase, examine_cif
from peakwise.crystal._scattering import anomalous, form_factors
from peakwise.patterns import Radiation

D_MIN = 0.9


def xray_squares(phase, found):
    """|F|² without anomalous terms, which gemmi's and Dans_Diffraction's sums leave out here."""
    f, _ = form_factors(found.scatterers, found.s2, Radiation(1.0))
    shift = np.array([anomalous(s.strip("0123456789+-"), 1.0)[0] for s in found.scatterers])
    return np.abs(((f - shift[:, None]) * found.partial).sum(0)) ** 2


@pytest.mark.parametrize("name", CIFS)
def test_pymatgen_agrees(name):
    off_d, off_intensity = engines.compare(Phase.from_cif(CIFS[name]), engines.pymatgen_structure(CIFS[name]))
    assert off_d < 1e-9
    assert off_intensity < 1e-6


@pytest.mark.parametrize("name", CIFS)
@pytest.mark.parametrize("kind", ["X", "N"])
def test_a_direct_sum_agrees(name, kind, monkeypatch):
    """gemmi reads the file itself and sums over every operation: displacements, mixed sites, ions and deuterium too."""
    text = CIFS[name].replace("Fe2+", "Fe3+")  # gemmi's sum has one form factor an element
    phase = Phase.from_cif(text)
    found = phase.reflections(D_MIN)
    before = gemmi.IT92_get_ignore_charge()
    gemmi.IT92_set_ignore_charge(False)
    try:
        other = engines.gemmi_squares(text, found.hkl, kind)
    finally:
        gemmi.IT92_set_ignore_charge(before)
    if kind == "X":
        mine = xray_squares(phase, found)
    else:
        mine = phase.intensities(Radiation(1.5, probe="neutron"), D_MIN) / found.multiplicity
    assert np.abs(mine - other).max() < 1e-6 * other.max()


# Why the others are not among them: Dans_Diffraction has no tensors (quartz), and other tables for ions and deuterium.
@pytest.mark.parametrize("name", [n for n in CIFS if n not in {"quartz", "ice", "magnetite"}])
def test_dans_diffraction_agrees(name, tmp_path):
    path = tmp_path / "a.cif"
    path.write_text(CIFS[name])
    phase = Phase.from_cif(path)
    found = phase.reflections(D_MIN)
    other = engines.dans_squares(path, found.hkl)
    assert np.abs(xray_squares(phase, found) - other).max() < 1e-5 * other.max()


def test_both_rhombohedral_cells_are_one_pattern():
    hexagonal, rhombohedral = Phase.from_cif(CIFS["corundum-H"]), Phase.from_cif(CIFS["corundum-R"])
    copper = Radiation.named("CuKa1")
    one, two = hexagonal.reflections(D_MIN), rhombohedral.reflections(D_MIN)
    assert one.multiplicity.tolist() == two.multiplicity.tolist()
    np.testing.assert_allclose(two.s2, one.s2, rtol=2e-6)
    a = hexagonal.intensities(copper, D_MIN) / hexagonal.volume**2
    b = rhombohedral.intensities(copper, D_MIN) / rhombohedral.volume**2
    # Families at one d may come in another order: their sums are compared.
    edges = np.flatnonzero(np.r_[True, np.diff(one.s2) > 1e-7])
    np.testing.assert_allclose(np.add.reduceat(a, edges), np.add.reduceat(b, edges), rtol=1e-4, atol=1e-5 * a.max())


def test_both_origins_are_one_pattern():
    one, two = Phase.from_cif(CIFS["diamond-1"]), Phase.from_cif(CIFS["diamond-2"])
    copper = Radiation.named("CuKa1")
    np.testing.assert_allclose(one.intensities(copper), two.intensities(copper), rtol=1e-5, atol=1e-3)
    np.testing.assert_array_equal(one.reflections(0.8).hkl, two.reflections(0.8).hkl)


SYSTEMS = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic")
# pymatgen keeps two atoms where a special position was rounded by more than 0.01 of an edge, or reads another setting.
WITH_OUR_PLACES = "pymatgen counts other atoms: it is asked with the places that we found"


@pytest.fixture(scope="module")
def archive(real_data):
    with zipfile.ZipFile(real_data / "cif_library" / "cod_avogadro_cifs.zip") as zipped:
        return {n: zipped.read(n) for n in sorted(zipped.namelist()) if n.endswith(".cif")}


def chosen(archive):
    """At most 12 of each system and all that there are of the rare ones, zeolites (hundreds of atoms) sparingly."""
    count, names = Counter(), []
    for name, data in archive.items():
        (row, *_) = examine_cif((name, data))
        if row.phase is None or row.phase.n_atoms > 150:
            continue
        if "zeolites" in name and count[row.phase.system, "z"] >= 2:
            continue
        if count[row.phase.system] < 12:
            count[row.phase.system] += 1
            count[row.phase.system, "z"] += "zeolites" in name
            names.append((name, row.phase))
    return names


def test_pymatgen_agrees_on_real_files(archive):
    """Sixty and more files of all seven systems: d to 1e-6, intensity to 1 % of the strongest line (seen: 1e-6)."""
    seen, reread, worst = Counter(), 0, 0.0
    for name, phase in chosen(archive):
        text = archive[name].decode("utf-8", "replace")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                structure = engines.pymatgen_structure(text)
            except (ValueError, IndexError, KeyError):
                structure = None
        same = structure is not None and Counter(structure.composition.get_el_amt_dict()) == pytest.approx(
            phase.content, rel=1e-3
        )
        if not same:  # what we repaired, or what pymatgen reads otherwise
            structure = engines.pymatgen_structure(phase.to_cif())
            reread += 1
        off_d, off_intensity = engines.compare(phase, structure)
        assert off_d < 1e-6, name
        assert off_intensity < 0.01, name
        worst = max(worst, off_intensity)
        seen[phase.system] += 1
    assert set(seen) == set(SYSTEMS)
    assert sum(seen.values()) >= 60
    assert reread < 0.25 * sum(seen.values()), WITH_OUR_PLACES
    assert worst < 2e-3


def test_a_direct_sum_agrees_on_real_files(archive):
    """gemmi on the same files, with displacements as they are."""
    n = 0
    for name, phase in chosen(archive):
        if phase.repairs or phase.n_atoms > 60:
            continue
        found = phase.reflections(1.2)
        if not len(found):
            continue
        text = archive[name].decode("utf-8", "replace")
        if engines.gemmi_content(text) != pytest.approx(phase.content, rel=1e-3):
            continue
        before = gemmi.IT92_get_ignore_charge()
        gemmi.IT92_set_ignore_charge(False)
        try:
            other = engines.gemmi_squares(text, found.hkl, "X")
        finally:
            gemmi.IT92_set_ignore_charge(before)
        mine = xray_squares(phase, found)
        assert np.abs(mine - other).max() < 0.01 * other.max(), name
        n += 1
    assert n >= 25
