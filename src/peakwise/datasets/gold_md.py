"""Small cells of gold, strained, damaged and molten by molecular dynamics: what diffraction and vibrations show.

Each cell has 800 to 1200 atoms of fcc gold (embedded atoms, ``Au_u3``: Foiles, Baskes & Daw, Phys. Rev. B 33 (1986)
7983, doi:10.1103/PhysRevB.33.7983) at 300 K in a periodic box. One thing or several were done to it: uniaxial strain
with the sides held or free, hydrostatic strain, vacancies, interstitials, both at once (Frenkel pairs), stacking faults
and twins, dislocation dipoles and loops, strain until it slips, melting of a part or all and quenching. Then measured:

* the mean stress of the virial, tension positive;
* shares of fcc, hcp and disordered atoms by adaptive common neighbour analysis, and the length of dislocation lines a
  volume by DXA, both on positions averaged over 2 ps, so that thermal motion does not count as disorder;
* the XRD profile (1.54 angstrom) of five snapshots: scattering at the points of the reciprocal lattice of the box, as
  the powder average of such cells, drawn out to lines of 0.4 deg;
* the autocorrelation of the velocities over 3.5 ps, whose cosine transform is the vibrational density of states.

The file ships with peakwise. Everything that made it is in ``scripts/make_gold_md.py``; LAMMPS and OVITO are needed to
make it again, not to read it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.datasets._dataset import Dataset
from peakwise.datasets._vibrations import vibrational_density, wavenumbers
from peakwise.errors import DamagedFileError, NothingToReadError, OptionError
from peakwise.patterns import Patterns

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["DESCRIPTORS", "GOLD_MD", "read_gold_md", "recipes_of"]

DESCRIPTORS = (
    "fcc", "hcp", "disordered", "sigma_xx", "sigma_yy", "sigma_zz", "pressure", "dislocation_density",
)  # fmt: skip
PROFILES = ("xrd", "xrd-fine", "vdos")
_FILE = Path(__file__).with_name("gold_md.npz")
_SHA256 = "bf5022ebd033d6c828e04d82363d83be7732fb5e2cbd696714df633581ff389b"
_WAVELENGTH = 1.54  # [angstrom]
_START, _END = 30.0, 90.0  # two_theta [deg]
_JOINED = 4  # points of the file in one of the published 150
_INTERVAL = 0.01  # [ps] between velocities
_COLUMNS = ("fcc", "hcp", "disordered", "dislocation_density", "temperature", "n_atoms")
_WIDTHS = {"sigma": 3, "box": 3, "xrd": 600, "vacf": 350}


def read_gold_md(*, profile: str = "xrd", source: str | os.PathLike[str] | None = None) -> Patterns:
    """Read the profiles of all cells, with what is true of each.

    Parameters
    ----------
    profile : {"xrd", "xrd-fine", "vdos"}
        ``xrd``: 150 points of 0.4 deg, sums of the 600 of ``xrd-fine``. ``vdos``: 5997 points to 500 1/cm, integral 1.
    source : path-like, optional
        A file of your own by ``scripts/make_gold_md.py``; by default the one that ships with peakwise.

    Returns
    -------
    Patterns
        `meta` has the columns `DESCRIPTORS`: shares ``fcc``, ``hcp``, ``disordered`` (sum 1); ``sigma_xx``,
        ``sigma_yy``, ``sigma_zz`` [GPa], tension positive, the load along x; ``pressure`` [GPa], minus their mean;
        ``dislocation_density`` [1/angstrom²]. Besides ``temperature`` [K], ``n_atoms``, ``edge_x``, ``edge_y``,
        ``edge_z`` [angstrom] of the box, and of the recipe: ``family``, ``mode``, ``strain``.

    Examples
    --------
    >>> from peakwise import datasets
    >>> gold = datasets.load("gold-md")
    >>> gold.n_points, gold.wavelength
    (150, 1.54)
    >>> datasets.load("gold-md", profile="vdos").n_points
    5997
    """
    if profile not in PROFILES:
        why = f"it must be one of {', '.join(PROFILES)}, got {profile!r}"
        raise OptionError("unknown profile", why, "Choose one")
    held = _read(source)
    recipes = _recipes(held, source)
    sigma = held["sigma"]
    meta: dict[str, Any] = {name: held[name] for name in ("fcc", "hcp", "disordered")}
    meta |= {f"sigma_{axis * 2}": sigma[:, i] for i, axis in enumerate("xyz")}
    meta |= {"pressure": -sigma.mean(axis=1), "dislocation_density": held["dislocation_density"]}
    meta |= {"temperature": held["temperature"], "n_atoms": held["n_atoms"].astype(int)}
    meta |= {f"edge_{axis}": held["box"][:, i] for i, axis in enumerate("xyz")}
    meta |= {name: [r[name] for r in recipes] for name in ("family", "mode", "strain")}
    names = [f"cell-{r['number']:04d}" for r in recipes]
    if profile == "vdos":
        axis = wavenumbers()
        values = vibrational_density(held["vacf"], axis, interval=_INTERVAL)
        return Patterns(axis, values, "wavenumber", names=names, meta=meta, unit="arbitrary")
    values = held["xrd"]
    if profile == "xrd":
        values = values.reshape(len(values), -1, _JOINED).sum(axis=2)
    step = (_END - _START) / values.shape[1]
    centres = _START + step * (np.arange(values.shape[1]) + 0.5)
    return Patterns(centres, values, "two_theta", wavelength=_WAVELENGTH, names=names, meta=meta, unit="arbitrary")


def recipes_of(source: str | os.PathLike[str] | None = None) -> list[dict[str, Any]]:
    """What was done to each cell, as ``scripts/gold_md_recipes.py`` drew it, in the order of the profiles.

    >>> recipes_of()[0]["family"]
    'pristine'
    """
    return _recipes(_read(source), source)


def _read(source: str | os.PathLike[str] | None) -> dict[str, NDArray[Any]]:
    path = _FILE if source is None else Path(source)
    try:
        content = path.read_bytes()
    except OSError as problem:
        do = "Give a file that scripts/make_gold_md.py has made" if source is not None else "Install peakwise again"
        why = f"the file cannot be opened ({problem.strerror})"
        raise NothingToReadError("cannot read the data set", why, do, file=path) from problem
    if source is None and hashlib.sha256(content).hexdigest() != _SHA256:
        why = "its SHA-256 is not the one that was written down"
        raise DamagedFileError("cannot read the data set", why, "Install peakwise again", file=path)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as found:
            held = {name: found[name] for name in ("recipes", *_COLUMNS, *_WIDTHS)}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as problem:
        why = f"it is no file of this set ({problem})"
        raise DamagedFileError("cannot read the data set", why, "Make it again", file=path) from problem
    n = len(held["fcc"])
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(_COLUMNS, (n,)) | {
        name: (n, width) for name, width in _WIDTHS.items()
    }
    for name, shape in shapes.items():
        if held[name].shape != shape or held[name].dtype.kind != "f" or not np.isfinite(held[name]).all():
            why = f"{name} must be {shape} finite numbers, got {held[name].dtype} {held[name].shape}"
            raise DamagedFileError("cannot read the data set", why, "Make it again", file=path)
    return held


def _recipes(held: dict[str, NDArray[Any]], source: str | os.PathLike[str] | None) -> list[dict[str, Any]]:
    needed = {"number", "family", "mode", "strain"}
    try:
        recipes: list[dict[str, Any]] = json.loads(held["recipes"].tobytes())
        complete = len(recipes) == len(held["fcc"]) and all(needed <= set(r) for r in recipes)
    except (ValueError, TypeError):
        complete = False
    if not complete:
        why = f"its recipes must be JSON with {', '.join(sorted(needed))} of each of the {len(held['fcc'])} cells"
        raise DamagedFileError("cannot read the data set", why, "Make it again", file=source or _FILE)
    return recipes


GOLD_MD = Dataset(
    name="gold-md",
    title="simulated: XRD and vibrations of gold, strained, damaged and molten",
    what="XRD profiles (30-90 deg, 1.54 angstrom), vibrational densities of states (0-500 1/cm) and descriptors of "
    "cells of fcc gold by molecular dynamics: stresses, shares of fcc, hcp and disordered atoms, dislocation density.",
    kind="generated",
    licence="Apache-2.0, like peakwise",
    citation="embedded atoms: Foiles, Baskes & Daw, Phys. Rev. B 33 (1986) 7983; made with LAMMPS and OVITO, see "
    "peakwise.datasets.gold_md",
    url="https://peakwise.readthedocs.io",
    read=read_gold_md,
)
