"""Finished cells of ``gold-md`` into the one file that the loader reads."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import gaussian_filter1d

from peakwise.crystal import Phase
from peakwise.patterns import Radiation

if TYPE_CHECKING:
    from pathlib import Path

WAVELENGTH = 1.54
FWHM = 0.4  # [deg] of a line: a small laboratory diffractometer
FINE = 600  # points that are kept, 0.1 deg each
SCALARS = ("fcc", "hcp", "disordered", "dislocation_density", "temperature", "n_atoms")


def bin_counts(counts: np.ndarray, *, start: float = 30.0, end: float = 90.0, points: int = FINE) -> np.ndarray:
    """Intensity from the structure factors of `gold_md_cells.structure_counts`: as a powder of such cells shows it.

    Times the form factor of gold and the Lorentz-polarisation factor of an unpolarised beam, drawn out to lines of
    `FWHM`, and summed into `points` bins. What leaves an end comes back in: no intensity is lost.
    """
    step = (end - start) / counts.size
    theta = np.radians((start + step * (np.arange(counts.size) + 0.5)) / 2)
    gold = Phase.from_parameters("Au", 225, [4.08, 4.08, 4.08, 90, 90, 90], [("Au", (0, 0, 0))])
    real, imaginary = gold.form_factors((np.sin(theta) / WAVELENGTH) ** 2, Radiation(WAVELENGTH))
    polarised = (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))
    lines = counts * (real[0].astype(float) ** 2 + float(imaginary[0]) ** 2) * polarised
    drawn = gaussian_filter1d(lines, FWHM / np.sqrt(8 * np.log(2)) / step, mode="reflect")
    return drawn.reshape(points, -1).sum(axis=1)


def pack_cells(cells: list[dict[str, Any]], out: Path) -> str:
    """Write the file; its SHA-256."""
    cells = sorted(cells, key=lambda c: json.loads(str(c["recipe"]))["number"])
    recipes = json.dumps([json.loads(str(c["recipe"])) for c in cells], separators=(",", ":"))
    arrays = {name: np.array([float(c[name]) for c in cells]) for name in SCALARS}
    arrays["disordered"] = np.maximum(arrays["disordered"], 0.0)  # one less two shares may be -1e-17
    arrays |= {"sigma": np.array([c["sigma"] for c in cells]), "box": np.array([c["box"] for c in cells])}
    arrays |= {name: np.array([c[name] for c in cells], dtype=np.float32) for name in ("xrd", "vacf")}
    with out.open("wb") as file:
        np.savez_compressed(file, recipes=np.frombuffer(recipes.encode("ascii"), np.uint8), **arrays)
    return hashlib.sha256(out.read_bytes()).hexdigest()
