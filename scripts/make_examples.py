"""Write the small scans and structures in `examples/`: made from formulas, not measured.

    python scripts/make_examples.py

The structures are textbook ones, written down the way CIFs are found: some leave things out.

The lines stand where Bragg's law puts them for a cell; their heights are round numbers that look right. Each line is a
pseudo-Voigt on a smooth background, and the counts are Poisson with a fixed seed, so that the files come out the same
every time.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = Path(__file__).parents[1] / "examples"
MADE = "made from a formula by scripts/make_examples.py, not measured"

KA1, KA2 = 1.5405929, 1.5444274  # [angstrom], Cu
SYNCHROTRON = 0.4

# Cell [angstrom] and lines (h, k, l, height): round numbers near silicon and corundum at room temperature.
SILICON = 5.431
SILICON_LINES = ((1, 1, 1, 100), (2, 2, 0, 55), (3, 1, 1, 30), (4, 0, 0, 6), (3, 3, 1, 11), (4, 2, 2, 12), (5, 1, 1, 6))
CORUNDUM = (4.759, 12.992)
CORUNDUM_LINES = (
    (0, 1, 2, 58), (1, 0, 4, 90), (1, 1, 0, 42), (1, 1, 3, 100), (0, 2, 4, 45), (1, 1, 6, 90), (0, 1, 8, 12),
    (2, 1, 4, 35), (3, 0, 0, 53), (1, 0, 10, 18), (2, 2, 0, 10),
)  # fmt: skip

Lines = list[tuple[float, float]]  # d [angstrom] and height


def cubic(a: float, lines: tuple[tuple[int, int, int, int], ...]) -> Lines:
    """1/d² = (h² + k² + l²) / a²."""
    return [(a / np.sqrt(h * h + k * k + m * m), height) for h, k, m, height in lines]


def hexagonal(a: float, c: float, lines: tuple[tuple[int, int, int, int], ...]) -> Lines:
    """1/d² = 4/3 (h² + hk + k²) / a² + l² / c²."""
    return [(1 / np.sqrt(4 / 3 * (h * h + h * k + k * k) / a**2 + m * m / c**2), height) for h, k, m, height in lines]


def oxide(temperature: float) -> Lines:
    """A made-up perovskite: tetragonal below 800 K, cubic above, growing with temperature."""
    grown = 1 + 1e-5 * (temperature - 300)
    split = 0.012 * np.sqrt(max(0.0, 1 - temperature / 800))
    a, c = 4.0 * grown * (1 - split / 3), 4.0 * grown * (1 + 2 * split / 3)
    lines = ((1, 0, 0, 12), (0, 0, 1, 6), (1, 0, 1, 66), (1, 1, 0, 34), (1, 1, 1, 25), (2, 0, 0, 24), (0, 0, 2, 12))
    return [(1 / np.sqrt((h * h + k * k) / a**2 + m * m / c**2), height) for h, k, m, height in lines]


def pseudo_voigt(x: NDArray[np.float64], centre: float, fwhm: float) -> NDArray[np.float64]:
    """Half Gaussian, half Lorentzian, of height 1."""
    u = ((x - centre) / fwhm) ** 2
    return 0.5 * np.exp(-4 * np.log(2) * u) + 0.5 / (1 + 4 * u)


def pattern(
    two_theta: NDArray[np.float64], lines: Lines, radiation: tuple[tuple[float, float], ...], fwhm: float
) -> NDArray[np.float64]:
    """Lines at 2θ = 2 asin(λ / 2d) for each wavelength, without background."""
    total = np.zeros_like(two_theta)
    for d, height in lines:
        for wavelength, share in radiation:
            if wavelength < 2 * d:
                total += height * share * pseudo_voigt(two_theta, 2 * np.degrees(np.arcsin(wavelength / (2 * d))), fwhm)
    return total


def counted(expected: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """Poisson counts; RandomState because NumPy promises that its numbers never change."""
    return np.random.RandomState(seed).poisson(expected)


def background(two_theta: NDArray[np.float64]) -> NDArray[np.float64]:
    return 40 + 160 * np.exp(-two_theta / 20)


def columns(*parts: NDArray[np.generic], formats: tuple[str, ...], between: str = "  ") -> str:
    rows = zip(*(part.tolist() for part in parts), strict=True)
    return "".join(between.join(f % v for f, v in zip(formats, row, strict=True)) + "\n" for row in rows)


def silicon() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    x = 25 + 0.02 * np.arange(3501)
    doublet = ((KA1, 1.0), (KA2, 0.5))
    return x, counted(background(x) + 45 * pattern(x, cubic(SILICON, SILICON_LINES), doublet, 0.09), 1)


def silicon_xy() -> bytes:
    """Two columns and nothing else: the file does not say what the axis is, nor the wavelength."""
    x, y = silicon()
    return columns(x, y, formats=("%.2f", "%d")).encode()


def silicon_uxd() -> bytes:
    """The same counts with a header that says everything."""
    x, y = silicon()
    head = [
        f"; {MADE}", "_FILEVERSION=2", "_SAMPLE='silicon powder'", "_ANODE='Cu'", f"_WL1={KA1:.5f}", f"_WL2={KA2:.5f}",
        "_WLRATIO=0.50000", "; (Data for Range number 1)", "_DRIVE='COUPLED'", "_STEPTIME=1.000000",
        "_STEPSIZE=0.020000", f"_START={x[0]:.6f}", "_KV=40", "_MA=40", "_COUNTS",
    ]  # fmt: skip
    body = [" ".join(f"{v:6d}" for v in y[i : i + 10]) for i in range(0, y.size, 10)]
    return ("\r\n".join(head + body) + "\r\n").encode()


def corundum_xye() -> bytes:
    """Three columns at a short wavelength that the header states."""
    x = 8 + 0.01 * np.arange(1701)
    line = ((SYNCHROTRON, 1.0),)
    y = counted(200 + 90 * pattern(x, hexagonal(*CORUNDUM, CORUNDUM_LINES), line, 0.04), 2)
    head = f"# {MADE}\n# corundum\n# wavelength = {SYNCHROTRON} angstrom\n# 2theta [deg]  counts  sigma\n"
    return (head + columns(x, y, np.sqrt(np.maximum(y, 1)), formats=("%.2f", "%d", "%.2f"))).encode()


def corundum_dat() -> bytes:
    """A file that keeps quiet: its first column is q, and nothing says so."""
    q = 1.5 + 0.005 * np.arange(901)
    two_theta = 2 * np.degrees(np.arcsin(q * SYNCHROTRON / (4 * np.pi)))
    line = ((SYNCHROTRON, 1.0),)
    y = counted(200 + 90 * pattern(two_theta, hexagonal(*CORUNDUM, CORUNDUM_LINES), line, 0.04), 3)
    return columns(q, y, formats=("%.3f", "%d")).encode()


def mixture_csv() -> bytes:
    """A table as a German spreadsheet saves it: semicolons, decimal commas, Windows-1252."""
    x = 20 + 0.04 * np.arange(1501)
    doublet = ((KA1, 1.0), (KA2, 0.5))
    lines = [*cubic(SILICON, SILICON_LINES), *((d, 0.5 * h) for d, h in hexagonal(*CORUNDUM, CORUNDUM_LINES))]
    y = counted(background(x) + 20 * pattern(x, lines, doublet, 0.12), 4)
    head = "2Theta [°];Counts\n"
    return (head + columns(x, y, formats=("%.2f", "%d"), between=";").replace(".", ",")).encode("cp1252")


def series_frame(temperature: int) -> bytes:
    """One frame of a heating run, its temperature in the header."""
    x = 20 + 0.02 * np.arange(2001)
    y = counted(background(x) + 15 * pattern(x, oxide(temperature), ((KA1, 1.0),), 0.12), temperature)
    head = f"# {MADE}\n# temperature = {temperature} K\n# wavelength = {KA1} angstrom\n# 2theta [deg]  counts\n"
    return (head + columns(x, y, formats=("%.2f", "%d"))).encode()


# Structures as they come: one that says everything, three that leave something out, one that is of no use.
_CELL = """_cell_length_a {a}
_cell_length_b {b}
_cell_length_c {c}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma {gamma}
"""
_LOOP = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_B_iso_or_equiv
"""
_RUTILE_OPERATIONS = (
    "x,y,z", "-y+1/2,x+1/2,z+1/2", "-x,-y,z", "y+1/2,-x+1/2,z+1/2", "x+1/2,-y+1/2,-z+1/2", "-y,-x,-z",
    "-x+1/2,y+1/2,-z+1/2", "y,x,-z", "-x,-y,-z", "y+1/2,-x+1/2,-z+1/2", "x,y,-z", "-y+1/2,x+1/2,-z+1/2",
    "-x+1/2,y+1/2,z+1/2", "y,x,z", "x+1/2,-y+1/2,z+1/2", "-y,-x,z",
)  # fmt: skip
_NAME = "_space_group_name_H-M_alt '{}'\n"

STRUCTURES = {
    "rutile.cif": "data_rutile\n"
    + _CELL.format(a="4.5941", b="4.5941", c="2.9589", gamma="90")
    + _NAME.format("P 42/m n m")
    + "loop_\n_space_group_symop_operation_xyz\n"
    + "".join(f"'{o}'\n" for o in _RUTILE_OPERATIONS)
    + _LOOP
    + "Ti1 Ti4+ 0 0 0 1 0.4\nO1 O2- 0.3057 0.3057 0 1 0.6\n",
    "silicon.cif": "data_silicon\n"
    + _CELL.format(a="5.4310(1)", b="5.4310(1)", c="5.4310(1)", gamma="90")
    + _NAME.format("F d -3 m")
    + _LOOP
    + "Si1 Si 0.125 0.125 0.125 1 0.46\n",
    "zincite.cif": "data_zincite\n"
    + _CELL.format(a="3.2498", b="3.2498", c="5.2066", gamma="120")
    + _NAME.format("P 63 m c")
    + _LOOP
    + "Zn1 Zn 0.3333 0.6667 0 1 0.5\nO1 O 0.3333 0.6667 0.382 ? 0.6\n",
    "periclase.cif": "data_periclase\n"
    + _CELL.format(a="4.2113", b="4.2113", c="4.2113", gamma="90")
    + _NAME.format("F m -3 m")
    + _LOOP
    + "Mg1 Mg 0 0 0 1.02 0.3\nO1 O 0.5 0.5 0.5 1 0.4\nO2 O 0.5 0.5 0.5 1 0.4\n",
    "no_atoms.cif": "data_no_atoms\n"
    + _CELL.format(a="4.2113", b="4.2113", c="4.2113", gamma="90")
    + _NAME.format("F m -3 m"),
}

TEMPERATURES = (300, 500, 700, 900, 1100)

EXAMPLES = {
    "silicon.xy": silicon_xy,
    "silicon.uxd": silicon_uxd,
    "corundum.xye": corundum_xye,
    "corundum.dat": corundum_dat,
    "mixture.csv": mixture_csv,
}


def made() -> dict[str, bytes]:
    """Name below `examples/` -> content."""
    files = {name: make() for name, make in EXAMPLES.items()}
    files |= {f"structures/{name}": text.encode() for name, text in STRUCTURES.items()}
    return files | {f"series/oxide_{t}K.xy": series_frame(t) for t in TEMPERATURES}


def main() -> int:
    for name, content in made().items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"{len(content):7d}  examples/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
