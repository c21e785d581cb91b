"""Simulated XRD and vibrational spectra of deformed and disordered crystals (Materials Data Facility).

What the set holds is told in Vizoso & Dingreville, Data in Brief 55 (2024) 110689, and in their tutorial of 2025,
doi:10.1063/5.0255593: atomistic structures of Au, Fe, Mg and Si with and without disorder and mechanical load; of each
the XRD profile (LAMMPS ``compute xrd``, 1.54 angstrom, two_theta 30 to 90 deg), the vibrational density of states (0 to
1667.7 1/cm) and descriptors (stresses, phase fractions, dislocation density). How its files are called is not printed
in the tutorial, and no address of theirs for programs is known to us. So this reader takes a folder or archive that a
person has fetched and goes by what names and contents show; no file of the set has been seen:

* profiles: files with ``xrd`` or ``vdos`` in their path, LAMMPS histograms or two columns;
* descriptors: tables (``.csv``, ``.txt``, ``.dat``) with ``descriptor`` in their path. One with several rows has the
  structure's name in its first column; one with a single row belongs to the profile with the same name or folder.
  Titles such as ``Sigma_XX (GPa)`` or ``fcc phase fraction`` become the names that ``gold-md`` has too;
* vibrations over no more than 60 are in THz: the published 1667.7 1/cm are 50 THz;
* the structure's name: the path without the words xrd, vdos, descriptor(s), profile(s) and without suffix.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.datasets._archive import members_of
from peakwise.datasets._dataset import Dataset, RemoteFile
from peakwise.datasets._descriptor_names import descriptor_name
from peakwise.datasets._fetch import fetch_file
from peakwise.datasets._lammps import read_columns
from peakwise.errors import DamagedFileError, OptionError
from peakwise.patterns import Patterns

if TYPE_CHECKING:
    import os

__all__ = ["MDF_TAC2_V14V"]

_ELEMENTS = ("Au", "Fe", "Mg", "Si")
_WAVELENGTH = 1.54  # [angstrom], as the authors print it
_KINDS = {"xrd": "two_theta", "vdos": "wavenumber"}
_TEXT = r".*\.(csv|txt|dat|xy|xrd|vdos|hist|out)"
_GRIDS = ("file", "tutorial")
_BINS, _VIBRATIONS = 150, 5997  # points of the tutorial
_MOST_THZ = 60.0
_PER_THZ = 33.35640951981521  # [1/cm]
_MOST_GPA = 1000.0  # the largest stress printed is 207
_WORDS = re.compile(r"(descriptors?|profiles?|spectra|spectrum|xrd|vdos|data)", re.IGNORECASE)


def read_profiles(
    *, source: str | os.PathLike[str] | None = None, element: str = "Au", profile: str = "xrd", grid: str = "file"
) -> Patterns:
    """Read the profiles of one element.

    Parameters
    ----------
    source : path-like, optional
        The folder or archive; by default the folder of this set in the cache, where a person has put it.
    element : {"Au", "Fe", "Mg", "Si"}
    profile : {"xrd", "vdos"}
    grid : {"file", "tutorial"}
        ``tutorial``: as the authors give them to their networks, XRD summed into 150 points (40 of 6000 each), the
        first 5997 points of vibrations (0 to 500 1/cm).

    Returns
    -------
    Patterns
        Named by structure, with every descriptor as a column of `meta` (NaN where a structure has none).
    """
    choices = ((element, _ELEMENTS, "element"), (profile, tuple(_KINDS), "profile"), (grid, _GRIDS, "grid"))
    for value, known, what in choices:
        if value not in known:
            raise OptionError(f"unknown {what}", f"it must be one of {', '.join(known)}, got {value!r}", "Choose one")
    place = fetch_file(MDF_TAC2_V14V, MDF_TAC2_V14V.files[0]) if source is None else Path(source)
    texts = members_of(place, _TEXT)
    of_element = re.compile(rf"(^|[^A-Za-z]){element}([^a-z]|$)")
    own = [(n, c) for n, c in texts if of_element.search(n)] or [(n, c) for n, c in texts if not _other(n)]
    profiles = [(n, c) for n, c in own if profile in n.lower() and "descriptor" not in n.lower()]
    if not profiles:
        why = f"among its {len(texts)} text files none has {element} and {profile} in its path"
        raise DamagedFileError("cannot read the data set", why, "Check that the folder is that of the set", file=place)
    tables = _descriptors([(n, c) for n, c in own if "descriptor" in n.lower()], place)
    patterns = _assemble(profiles, tables, profile, place)
    return patterns if grid == "file" else _as_in_tutorial(patterns, place)


def _other(name: str) -> bool:
    return any(re.search(rf"(^|[^A-Za-z]){e}([^a-z]|$)", name) for e in _ELEMENTS)


def _key(name: str) -> str:
    """What names of the same structure have in common."""
    bare = _WORDS.sub("", re.sub(r"\.\w+$", "", name))
    return re.sub(r"[^a-z0-9.+-]+", "_", bare.lower()).strip("_")


def _assemble(
    profiles: list[tuple[str, bytes]], tables: dict[str, dict[str, float]], kind: str, place: Path
) -> Patterns:
    rows, names, notes = list[np.ndarray[Any, Any]](), list[str](), list[str]()
    grid: np.ndarray[Any, Any] | None = None
    for name, content in profiles:
        try:
            x, y = read_columns(content.decode("utf-8", "replace"))
        except ValueError as problem:
            why = f"{name} is no profile ({problem})"
            raise DamagedFileError("cannot read the data set", why, "Fetch it again", file=place) from problem
        if grid is None:
            grid = x
        if x.shape != grid.shape or not np.allclose(x, grid, rtol=0, atol=1e-3 * abs(grid[1] - grid[0])):
            why = f"{name} has {x.size} points from {x[0]:g}, the first profile {grid.size} from {grid[0]:g}"
            raise DamagedFileError("cannot read the data set", why, "Give a folder of one kind of profile", file=place)
        rows.append(y)
        names.append(_key(name) or name)
    found = [_row_of(name, tables) for name in names]
    lost = [name for name, row in zip(names, found, strict=True) if row is None]
    if lost:
        notes.append(f"no descriptors for {len(lost)} of {len(names)} profiles (the first: {lost[0]})")
    columns = dict.fromkeys(c for row in found if row for c in row)
    meta = {c: [np.nan if row is None else row.get(c, np.nan) for row in found] for c in columns}
    grid = np.asarray(grid)
    if kind == "vdos" and grid[-1] <= _MOST_THZ:
        notes.append(f"vibrations up to {grid[-1]:g} were taken as THz and are given in 1/cm")
        grid = grid * _PER_THZ
    notes += [
        f"{c} reaches {np.nanmax(np.abs(v)):g}: these may be bar, GPa are expected"
        for c, v in meta.items()
        if c.startswith("sigma_") and np.nanmax(np.abs(v)) > _MOST_GPA
    ]
    light = _WAVELENGTH if kind == "xrd" else None
    return Patterns(
        grid, np.array(rows), _KINDS[kind], wavelength=light, names=names, meta=meta, unit="arbitrary",
        warnings=notes,
    )  # fmt: skip


def _as_in_tutorial(patterns: Patterns, place: Path) -> Patterns:
    if patterns.kind == "wavenumber":
        return patterns.replace(axis=patterns.axis[:_VIBRATIONS], intensity=patterns.intensity[:, :_VIBRATIONS])
    n, m = patterns.shape
    if m % _BINS:
        why = f"grid='tutorial' needs a multiple of {_BINS} points, the profiles have {m}"
        raise OptionError("cannot bin the profiles", why, "Use grid='file' and the step Resample", file=place)
    return patterns.replace(
        axis=patterns.axis.reshape(_BINS, -1).mean(axis=1),
        intensity=patterns.intensity.reshape(n, _BINS, -1).sum(axis=2),
    )


def _row_of(name: str, tables: dict[str, dict[str, float]]) -> dict[str, float] | None:
    """Descriptors of a structure: under its whole name, its folder's, or the end of its name that a table gives."""
    words = name.split("_")
    keys = [name, "_".join(words[:-1]), *("_".join(words[i:]) for i in range(1, len(words)))]
    return next((tables[key] for key in keys if key in tables), None)


def _descriptors(tables: list[tuple[str, bytes]], place: Path) -> dict[str, dict[str, float]]:
    """Numbers by structure."""
    found: dict[str, dict[str, float]] = {}
    for name, content in tables:
        lines = [_cells(line) for line in content.decode("utf-8", "replace").splitlines()]
        rows = [[word for word in line if word] for line in lines if any(line)]
        if len(rows) < 2:
            continue
        titles = [word.lstrip("#") for word in rows[0] if word.strip("#")]
        for row in rows[1:]:
            if len(row) != len(titles):
                why = f"{name} has {len(row)} values under {len(titles)} titles"
                raise DamagedFileError("cannot read the data set", why, "Fetch it again", file=place)
            has_name = _as_number(row[0]) is None
            key = _key(row[0]) if has_name else _key(name)
            values = {descriptor_name(t): _as_number(v) for t, v in zip(titles, row, strict=True)}
            found.setdefault(key, {}).update({t: v for t, v in values.items() if v is not None})
    return found


def _cells(line: str) -> list[str]:
    """Words between commas, semicolons or tabs, which may then hold blanks; else between blanks."""
    marked = re.split(r"[,;\t]", line.strip())
    return [word.strip() for word in marked] if len(marked) > 1 else line.split()


def _as_number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


MDF_TAC2_V14V = Dataset(
    name="mdf-tac2-v14v",
    title="simulated by others: XRD and VDoS of deformed and disordered Au, Fe, Mg, Si",
    what="XRD profiles (30-90 deg, 1.54 angstrom), vibrational densities of states, and descriptors of each: stresses, "
    "phase fractions, dislocation density. Put into the cache by hand; none of us has seen how its files are called.",
    kind="fetched",
    licence="as stated on its page (not seen by us)",
    citation="Vizoso & Dingreville (2023), Materials Data Facility, doi:10.18126/tac2-v14v; described in Data in Brief "
    "55 (2024) 110689",
    url="https://doi.org/10.18126/tac2-v14v",
    doi="10.18126/tac2-v14v",
    read=read_profiles,
    files=(
        RemoteFile(
            name="files", by_hand="open https://doi.org/10.18126/tac2-v14v in a browser and fetch the set with Globus"
        ),
    ),
)
