"""Compare the textbook structures with pymatgen, and both renderers with each other; print Markdown tables.

    python scripts/compare_engines.py

Needs the extra `test` (pymatgen, torch). The tables stand in `docs/explanations/checked-against.md`.
"""

from __future__ import annotations

import dataclasses
import sys
import warnings
from typing import TYPE_CHECKING

import numpy as np

from peakwise.crystal import TEXTBOOK, Phase
from peakwise.patterns import Radiation
from peakwise.simulate import Ranges, Simulator

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIGHT = Radiation.named("CuKa1")
TOP = 90.0  # two_theta [deg]
D_MIN = LIGHT.wavelength / 2 / np.sin(np.radians(TOP / 2))
RENDERED = ("Ni", "SiO2-quartz", "CaTiO3", "albite")


def at_rest(phase: Phase) -> Phase:
    """Without displacements: pymatgen has none by default."""
    return dataclasses.replace(phase, sites=tuple(dataclasses.replace(s, b_iso=0.0, u_aniso=None) for s in phase.sites))


def pymatgen_lines(phase: Phase) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """d and intensity."""
    from pymatgen.analysis.diffraction.xrd import XRDCalculator
    from pymatgen.core import Structure

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        structure = Structure.from_str(phase.to_cif(), fmt="cif")
        found = XRDCalculator(LIGHT.wavelength).get_pattern(structure, scaled=False, two_theta_range=(2.0, TOP))
    return np.array(found.d_hkls), np.array(found.y)


def pymatgen_form_factor(element: str, s2: NDArray[np.float64]) -> NDArray[np.float64]:
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS
    from pymatgen.core import Element

    a, b = np.array(ATOMIC_SCATTERING_PARAMS[element]).T
    return np.asarray(Element(element).Z - 41.78214 * s2 * (a * np.exp(-b * s2[:, None])).sum(1))


def compare(phase: Phase) -> dict[str, float]:
    """Largest difference of d, and of intensity in shares of the strongest line, for three sets of form factors."""
    from peakwise.crystal._scattering import anomalous, element_of

    still = at_rest(phase)
    found = still.reflections(D_MIN)
    elements = [element_of(s) for s in found.scatterers]
    real, imaginary = still.form_factors(found.s2, LIGHT)
    shift = np.array([anomalous(e, LIGHT.wavelength)[0] for e in elements])
    sets = {
        "theirs": np.array([pymatgen_form_factor(e, found.s2) for e in elements]),
        "ours, without f' and f''": real - shift[:, None],
        "ours": real + 1j * imaginary[:, None],
    }
    theta = np.arcsin(LIGHT.wavelength * np.sqrt(found.s2))
    lorentz = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    d, other = pymatgen_lines(still)
    nearest = np.abs(d - found.d_spacing[:, None]).argmin(1)
    off = np.abs(d[nearest] - found.d_spacing) / found.d_spacing
    same = off < 2e-5  # pymatgen leaves lines below a thousandth of the strongest out
    out = {"d": 0.0}
    for name, f in sets.items():
        power = np.abs((f * found.partial).sum(0)) ** 2
        if found.partial_friedel is not None:
            power = (power + np.abs((f * found.partial_friedel).sum(0)) ** 2) / 2
        intensity = found.multiplicity * power * lorentz
        mine = np.zeros(len(d))
        np.add.at(mine, nearest[same], intensity[same])
        out[name] = float(np.abs(mine / mine.max() - other / other.max()).max())
        out["d"] = max(out["d"], float(off[same & (intensity > 2e-3 * intensity.max())].max()))
    return out


def main() -> int:
    rows = {name: compare(phase) for name, phase in TEXTBOOK.items()}
    print(f"{len(rows)} textbook structures, CuKa1, 2 to {TOP:g} deg\n")
    print(f"largest relative difference of d: {max(r['d'] for r in rows.values()):.1e}\n")
    print("| form factors | median | 1 % or less | largest |\n| --- | ---: | ---: | --- |")
    for kind in ("theirs", "ours, without f' and f''", "ours"):
        values = {name: r[kind] for name, r in rows.items()}
        worst = sorted(values, key=values.__getitem__, reverse=True)[:3]
        within = sum(v <= 0.01 for v in values.values())
        told = ", ".join(f"`{w}` {values[w]:.2g}" for w in worst)
        print(f"| {kind} | {np.median(list(values.values())):.1e} | {within} of {len(values)} | {told} |")
    print("\n| structure | lines | largest difference of the renderers |\n| --- | ---: | ---: |")
    for name in RENDERED:
        made = Simulator(TEXTBOOK[name], (10, 90, 4001), radiation="CuKa", ranges=Ranges(counts=None))
        tables = made.draw_tables(64)
        ours, torch = (made.render(tables, scale="max", device=device) for device in ("numba", "cpu"))
        print(f"| `{name}` | {made.n_lines[0]} | {np.abs(ours - torch).max() / torch.max(1).min():.1e} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
