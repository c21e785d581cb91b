"""Structures for the tests of `simulate`, a float64 direct sum, and a hand-made Reflections."""

from __future__ import annotations

import numpy as np

from peakwise.crystal import Phase, Reflections

NICKEL = Phase.from_parameters("Ni", "Fm-3m", (3.524, 3.524, 3.524, 90, 90, 90), [("Ni", (0, 0, 0))])
SALT = Phase.from_parameters(
    "NaCl", "Fm-3m", (5.6402, 5.6402, 5.6402, 90, 90, 90), [("Na+", (0, 0, 0)), ("Cl-", (0.5, 0.5, 0.5))]
)
RUTILE = Phase.from_parameters(
    "TiO2", "P42/mnm", (4.5937, 4.5937, 2.9587, 90, 90, 90), [("Ti4+", (0, 0, 0)), ("O2-", (0.3053, 0.3053, 0))]
)
PEROVSKITE = Phase.from_parameters(
    "CaTiO3", "Pnma", (5.4423, 7.6401, 5.3796, 90, 90, 90),
    [("Ca2+", (0.0359, 0.25, 0.9927)), ("Ti4+", (0, 0, 0.5)), ("O2-", (0.4838, 0.25, 0.0716)),
     ("O2-", (0.2889, 0.0373, 0.7113))],
)  # fmt: skip
MONOCLINIC = Phase.from_parameters(
    "mono", "P21/c", (5.15, 5.21, 5.31, 90, 99.2, 90), [("Zr4+", (0.275, 0.04, 0.208)), ("O2-", (0.07, 0.33, 0.345))]
)
TRICLINIC = Phase.from_parameters(
    "tri",
    "P1",
    (5.1, 6.2, 7.3, 84, 97, 103),
    [("Na", (0.27, 0.99, 0.15)), ("Si4+", (0.01, 0.17, 0.2)), ("Fe", (0.2, 0.3, 0.4))],
)
IRON = Phase.from_parameters("Fe", "Im-3m", (2.8665, 2.8665, 2.8665, 90, 90, 90), [("Fe", (0, 0, 0))])
ALL = (NICKEL, SALT, RUTILE, PEROVSKITE, MONOCLINIC, TRICLINIC)


def pseudo_voigt(x, position, area, fwhm, eta):
    """The textbook formula in float64."""
    t2 = (2 * (x - position) / fwhm) ** 2
    gauss = 2 / fwhm * np.sqrt(np.log(2) / np.pi) * np.exp(-np.log(2) * t2)
    return area * (eta * 2 / (np.pi * fwhm) / (1 + t2) + (1 - eta) * gauss)


class OneLine:
    """A made-up cubic phase with the family 111 only: what the kernel needs of a Phase, without a crystal."""

    id, formula, space_group, space_group_number = "one", "X", "Fm-3m", 225
    cell, mass = (4.0, 4.0, 4.0, 90.0, 90.0, 90.0), 100.0

    def reflections(self, d_min, *, limit=200_000):
        members = np.array([[1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]], np.int16)
        return Reflections(
            hkl=members[:1], multiplicity=np.array([8], np.int16), equivalents=members,
            offsets=np.array([0, 4], np.int32),
            s2=np.array([3 / 4 / 16.0]), partial=np.array([[4 + 0j]], np.complex64), scatterers=("X",),
            d_min=d_min, has_inversion=True,
        )  # fmt: skip

    def form_factors(self, s2, radiation):
        return np.full((1, len(s2)), 10.0, np.float32), np.array([2.0], np.float32)
