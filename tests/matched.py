"""For the tests of matching and identification: structures of every system, scans made to order, plain formulas."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import quad

from peakwise.crystal import TEXTBOOK, Phase
from peakwise.patterns import Radiation
from peakwise.simulate import FRAME, SLOT, Instrument, Simulator
from simulated import MONOCLINIC, PEROVSKITE, RUTILE, SALT, TRICLINIC

RHOMBOHEDRAL = Phase.from_parameters(
    "rhombohedral", "R-3m:R", (4.746, 4.746, 4.746, 57.24, 57.24, 57.24), [("Bi", (0.234, 0.234, 0.234))]
)
UNIQUE_A = Phase.from_parameters(
    "unique a", "P 2/m 1 1", (5.1, 6.3, 7.2, 101.0, 90, 90), [("Zr4+", (0.1, 0.2, 0.3)), ("O2-", (0.4, 0.3, 0.1))]
)
UNIQUE_C = Phase.from_parameters(
    "unique c", "P 1 1 2/m", (5.1, 6.3, 7.2, 90, 90, 97.0), [("Zr4+", (0.1, 0.2, 0.3)), ("O2-", (0.4, 0.3, 0.1))]
)
RIGHT_ANGLED = Phase.from_parameters(
    "right-angled", "P 1 2/m 1", (5.1, 6.3, 7.2, 90, 90, 90), [("Zr4+", (0.1, 0.2, 0.3)), ("O2-", (0.4, 0.3, 0.1))]
)
# Every crystal system, and every setting in which other numbers of the cell are free.
SYSTEMS = {
    "cubic": SALT,
    "tetragonal": RUTILE,
    "orthorhombic": PEROVSKITE,
    "hexagonal": TEXTBOOK["ZnO"],
    "trigonal": TEXTBOOK["CaCO3-calcite"],
    "rhombohedral": RHOMBOHEDRAL,
    "monoclinic b": MONOCLINIC,
    "monoclinic a": UNIQUE_A,
    "monoclinic c": UNIQUE_C,
    "triclinic": TRICLINIC,
}
ANGLES = (20.0, 90.0, 3501)


def scan_of(
    phases,
    fractions=(1.0,),
    *,
    counts=20_000,
    background=0.03,
    instrument=None,
    grid=ANGLES,
    seed=0,
    frame=None,
    **slot,
):
    """A scan with known numbers: `slot` holds columns of ``SLOT`` (one value, or one a phase), `frame` of ``FRAME``."""
    simulator = Simulator(
        phases, grid, instrument=instrument or Instrument.lab_bragg_brentano("CuKa"), random_state=seed
    )
    tables = simulator.blank(1, n_slots=len(phases))
    tables.slots[0, :, SLOT["phase"]] = np.arange(len(phases))
    tables.slots[0, :, SLOT["weight"]] = fractions
    for name, value in slot.items():
        tables.slots[0, :, SLOT[name]] = value
    for name, value in {"counts": counts, "background": background, **(frame or {})}.items():
        tables.frames[0, FRAME[name]] = value
    unit = "counts" if counts else "arbitrary"
    rows = simulator.render(tables, scale="counts" if counts else "max")
    from peakwise.patterns import Patterns

    return Patterns(simulator.axis, rows, simulator.kind, wavelength=simulator.radiation, unit=unit)


def simple(**changes):
    """An instrument that the model of the fits describes but for the shape of a Gaussian: no axial divergence."""
    return Instrument(**({"radiation": Radiation.named("CuKa"), "w": 0.0225, "y": 0.0} | changes))


def direct_metric(cell):
    """The metric tensor (3, 3) [angstrom²]."""
    a, b, c = cell[:3]
    ca, cb, cg = np.cos(np.radians(cell[3:]))
    return np.array([[a * a, a * b * cg, a * c * cb], [a * b * cg, b * b, b * c * ca], [a * c * cb, b * c * ca, c * c]])


def spacings(hkl, cell):
    """d [angstrom] of planes (n, 3)."""
    return 1 / np.sqrt(np.einsum("ni,ij,nj->n", hkl, np.linalg.inv(direct_metric(cell)), hkl))


def plain_profile(u, eta):
    """Share eta of a Lorentzian and the rest of a Pearson VII of exponent 16, both of FWHM 1 and area 1."""
    c = 4 * (2 ** (1 / 16) - 1)
    area = quad(lambda t: (1 + c * t * t) ** -16, -np.inf, np.inf, epsabs=1e-13)[0]
    return eta * 2 / math.pi / (1 + 4 * u * u) + (1 - eta) * (1 + c * u * u) ** -16 / area


def plain_model(x, phase, cell, light, axis, *, zero, displacement, eta, scale, g0, g1, log_r, reach, low, high):
    """One phase as the docstrings say it, a line after the other; lines of the cell as given from low to high [deg]."""
    lam = light.wavelength
    d_min = lam / 2 / math.sin(math.radians(high / 2))
    found = phase.reflections(d_min)
    strength = phase.intensities(light, d_min) / (phase.mass * phase.volume)
    inverse = np.linalg.inv(direct_metric(phase.cell))
    normal = np.array(axis, float)
    y, r = np.zeros_like(x), math.exp(log_r)
    lines = np.array(light.lines)
    for i in range(len(found.hkl)):
        if found.s2[i] < (math.sin(math.radians(low / 2)) / lam) ** 2:
            continue
        members = found.equivalents[found.offsets[i] : found.offsets[i + 1]].astype(float)
        cosines = members @ inverse @ normal / np.sqrt(
            np.einsum("ni,ij,nj->n", members, inverse, members) * (normal @ inverse @ normal)
        )  # fmt: skip
        texture = np.mean((r * r * cosines**2 + (1 - cosines**2) / r) ** -1.5)
        d = spacings(found.hkl[i : i + 1].astype(float), cell)[0]
        for wave, share in zip(lines[:, 0], lines[:, 1] / lines[:, 1].sum(), strict=True):
            if wave / 2 / d >= 0.9999:
                continue
            theta = math.asin(wave / 2 / d)
            at = math.degrees(2 * theta) + zero + displacement * math.cos(theta)
            lp = (1 + math.cos(2 * theta) ** 2) / (math.sin(theta) ** 2 * math.cos(theta))
            width = g0 / math.cos(theta) + g1 * math.tan(theta)
            near = np.abs(x - at) <= reach * width
            y[near] += scale * strength[i] * lp * share * texture * plain_profile((x[near] - at) / width, eta) / width
    return y


# Forty phases that people meet, of all systems; a few with each other's structure.
FORTY = (
    "Si", "NaCl", "LaB6", "CeO2", "Al2O3-alpha", "TiO2-anatase", "TiO2-rutile",
    "TiO2-brookite", "SiO2-quartz", "CaCO3-calcite", "CaCO3-aragonite", "ZnO", "Fe-alpha", "Ni",
    "Cu", "Al", "W", "MgO", "CaF2", "KCl", "SrTiO3",
    "CaTiO3", "MgAl2O4", "Fe3O4", "Fe2O3-alpha", "forsterite", "albite", "gypsum",
    "ZrO2-monoclinic", "Y2O3", "PbS", "CuO", "Cu2O", "NiO", "BaSO4",
    "dolomite", "fluorapatite", "portlandite", "goethite", "zircon",
)  # fmt: skip


def forty():
    """Their structures."""
    return [TEXTBOOK[name] for name in FORTY]
