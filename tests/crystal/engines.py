"""Other engines, asked for the same numbers: line positions and |F|² of pymatgen, gemmi and Dans_Diffraction."""

import dataclasses
import warnings
from functools import cache

import numpy as np

WAVELENGTH = 1.5405929
TTH = (2.0, 90.0)


def at_rest(phase):
    """The same structure without displacements: pymatgen has none."""
    sites = tuple(dataclasses.replace(s, b_iso=0.0, u_aniso=None) for s in phase.sites)
    return dataclasses.replace(phase, sites=sites)


@cache
def pymatgen_factors():
    from pymatgen.analysis.diffraction import xrd
    from pymatgen.core import Element

    return xrd.ATOMIC_SCATTERING_PARAMS, Element


def pymatgen_form_factor(element, s2):
    """Form factor by pymatgen's own table and formula."""
    table, kind = pymatgen_factors()
    element = "H" if element == "D" else element
    a, b = np.array(table[element]).T
    return kind(element).Z - 41.78214 * s2 * (a * np.exp(-b * s2[:, None])).sum(1)


def pymatgen_structure(text):
    from pymatgen.io.cif import CifParser

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CifParser.from_str(text, occupancy_tolerance=1.1).parse_structures(primitive=False)[0]


def pymatgen_lines(structure):
    """d [angstrom] and intensity of its pattern, unscaled."""
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = XRDCalculator(WAVELENGTH).get_pattern(structure, scaled=False, two_theta_range=TTH)
    return np.array(found.d_hkls), np.array(found.y)


def our_lines(phase, form_factor=pymatgen_form_factor):
    """The same of ours, with another engine's form factors and its Lorentz-polarisation factor."""
    from peakwise.crystal._scattering import element_of

    d_min = WAVELENGTH / 2 / np.sin(np.radians(TTH[1] / 2))
    found = at_rest(phase).reflections(d_min)
    f = sum(form_factor(element_of(s), found.s2) * found.partial[i] for i, s in enumerate(found.scatterers))
    theta = np.arcsin(WAVELENGTH * np.sqrt(found.s2))
    lorentz = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    return found.d_spacing, found.multiplicity * np.abs(f) ** 2 * lorentz


def compare(phase, structure):
    """Largest relative difference in d, and in intensity relative to the strongest line, against pymatgen."""
    d, intensity = our_lines(phase)
    d_other, other = pymatgen_lines(structure)
    nearest = np.abs(d_other - d[:, None]).argmin(1)
    off = np.abs(d_other[nearest] - d) / d
    mine = np.zeros(len(d_other))
    same = off < 2e-5  # pymatgen merges lines nearer than 1e-5 degrees, and lists those above a thousandth only
    np.add.at(mine, nearest[same], intensity[same])
    strong = intensity > 2e-3 * intensity.max()
    missing = intensity[~same].max(initial=0) / intensity.max()
    assert strong.any()
    return off[strong].max(), max(np.abs(mine - other).max() / other.max(), missing if missing > 2e-3 else 0.0)


def gemmi_squares(text, hkl, kind):
    """|F|² of gemmi's own direct sum over its own reading of the file."""
    import gemmi

    small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(text)[0])
    small.setup_cell_images()
    small.change_occupancies_to_crystallographic()
    calculator = {"X": gemmi.StructureFactorCalculatorX, "N": gemmi.StructureFactorCalculatorN}[kind](small.cell)
    values = [calculator.calculate_sf_from_small_structure(small, [int(i) for i in h]) for h in hkl]
    return np.abs(np.array(values)) ** 2


def gemmi_content(text):
    """Atoms of each element in the cell as gemmi reads them: it takes Wat for tungsten, and merges split atoms."""
    import gemmi

    small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(text)[0])
    total = {}
    for site in small.get_all_unit_cell_sites():
        total[site.element.name] = total.get(site.element.name, 0.0) + site.occ
    return total


def dans_squares(path, hkl):
    """|F|² of Dans_Diffraction with X-rays."""
    import contextlib
    import io

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        import Dans_Diffraction as dif

        crystal = dif.Crystal(str(path))
        crystal.Scatter.setup_scatter(scattering_type="xray", output=False, energy_kev=8.048)
        return np.asarray(crystal.Scatter.intensity(np.asarray(hkl, int)), float)
