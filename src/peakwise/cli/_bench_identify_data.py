"""Scans with known phases for the bench of `identify`: measured ones where they are, else simulated stand-ins."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from peakwise.cli._output import Output
    from peakwise.crystal import Phase, PhaseLibrary
    from peakwise.patterns import Patterns

__all__ = ["Case", "Kind", "kind", "measured", "stand_ins"]

Kind = tuple[str, str]  # formula and space group: what makes two files one compound

_MINERALS = "rruff_minerals_cif"
_WEIGHED = ("alab_precursor_mixtures", "tio2_robot_mixtures", "li2o_sro_al2o3_mixtures")
_QUICK = 6  # scans of a case


@dataclass(frozen=True, eq=False)
class Case:
    """Scans, the library among whose phases they are looked for, and what is in them.

    Parameters
    ----------
    name : str
    scans : list of Patterns
        One pattern each.
    truth : list of dict
        Of each scan: the kinds that count as each true phase, and its weight fraction.
    is_clean : list of bool
        Whether nothing is known to be doubtful about a scan.
    own : list of str
        Id of the structure that belongs to each scan, where it is one phase.
    """

    name: str
    library: PhaseLibrary
    scans: list[Patterns]
    truth: list[dict[frozenset[Kind], float]]
    is_clean: list[bool]
    own: list[str]

    @property
    def is_single(self) -> bool:
        """Whether every scan shows one phase."""
        return all(len(t) == 1 for t in self.truth)


def kind(phase: Phase) -> Kind:
    """What makes two files one compound."""
    return phase.formula, phase.space_group_type


def measured(out: Output, folder: Path, *, quick: bool) -> Iterator[Case]:
    """The cases whose data are there."""
    from peakwise.crystal import PhaseLibrary

    minerals, archive = folder / _MINERALS, folder / "cif_library"
    if (minerals / "manifest.csv").is_file():
        books, all_known = archive / "cod_avogadro_cifs.zip", archive / "amcsd_cifs.zip"
        library = PhaseLibrary.from_folder([minerals / "cifs"], threads=out.threads)
        more = PhaseLibrary.from_folder([books], threads=out.threads) if books.is_file() else PhaseLibrary()
        for phase in more:
            if "zeolite" not in phase.source.file.lower():
                library.add(phase)
        yield _minerals("rruff", minerals, library, quick=quick)
        if quick:
            out.warnings.append("amcsd is left out: reading 9,275 structures is not quick")
        elif all_known.is_file():
            library = PhaseLibrary.from_folder([minerals / "cifs", all_known], threads=out.threads)
            yield _minerals("amcsd", minerals, library, quick=quick, only_clean=True)
    for name in _WEIGHED:
        if (folder / name / "manifest.csv").is_file():
            others = [minerals / "cifs"] if (minerals / "cifs").is_dir() else []
            library = PhaseLibrary.from_folder([folder / name / "cifs", *others], threads=out.threads)
            yield _weighed(name, folder / name, library, quick=quick)


def stand_ins(out: Output, *, quick: bool) -> Iterator[Case]:
    """Simulated scans of textbook structures among all of them."""
    from peakwise.crystal import TEXTBOOK, PhaseLibrary
    from peakwise.simulate import Simulator

    names = list(TEXTBOOK)
    chosen = names[:: len(names) // 8] if quick else names[::3]
    library = PhaseLibrary(TEXTBOOK[n] for n in (chosen[:12] if quick else names))
    some = [library[n] for n in chosen[: _QUICK if quick else None] if n in library]
    simulator = Simulator(some, (10.0, 90.0, 4001), radiation="CuKa", random_state=out.seed, threads=out.threads)
    for name, mixtures in (("simulated", 1), ("simulated mixtures", 3)):
        drawn = simulator.draw(_QUICK if quick else 60, mixtures=mixtures)
        truth = [
            {frozenset({kind(library[p])}): float(w) for p, w in zip(ids.split(";"), shares.split(";"), strict=True)}
            for ids, shares in zip(drawn.meta["phases"], map(str, drawn.meta["weight_fractions"]), strict=True)
        ]
        own = [str(ids).partition(";")[0] for ids in drawn.meta["phases"]]
        yield Case(name, library, list(drawn), truth, [True] * len(drawn), own)


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _some(rows: list[dict[str, str]], *, quick: bool) -> list[dict[str, str]]:
    """All, or a few from the whole table."""
    return rows[:: max(len(rows) // _QUICK, 1)][:_QUICK] if quick else rows


def _minerals(name: str, folder: Path, library: PhaseLibrary, *, quick: bool, only_clean: bool = False) -> Case:
    rows = _some([r for r in _rows(folder) if not (only_clean and r["notes"].strip())], quick=quick)
    own = [r["cif"].rpartition("/")[2].removesuffix(".cif") for r in rows]
    rows, own = _known(rows, own, library)
    truth = [{frozenset({kind(library[o])}): 1.0} for o in own]
    return Case(name, library, _read(folder, rows), truth, [not r["notes"].strip() for r in rows], own)


def _known(
    rows: Sequence[dict[str, str]], own: Sequence[str], library: PhaseLibrary
) -> tuple[list[dict[str, str]], list[str]]:
    """Rows whose structure could be read."""
    kept = [(r, o) for r, o in zip(rows, own, strict=True) if o in library]
    return [r for r, _ in kept], [o for _, o in kept]


def _weighed(name: str, folder: Path, library: PhaseLibrary, *, quick: bool) -> Case:
    """Mixtures whose phases are called by the first word of their CIFs' names."""
    kinds: dict[str, set[Kind]] = {}
    for path in sorted((folder / "cifs").glob("*.cif")):
        if path.stem in library:
            kinds.setdefault(path.stem.partition("_")[0].lower(), set()).add(kind(library[path.stem]))
    rows, truth = [], []
    for row in _some(_rows(folder), quick=quick):
        names = [n.lower() for n in row["phases"].split(";")]
        if all(n in kinds for n in names):
            weights = map(float, row["weights"].split(";"))
            rows.append(row)
            truth.append({frozenset(kinds[n]): w for n, w in zip(names, weights, strict=True)})
    return Case(name, library, _read(folder, rows), truth, [True] * len(rows), [""] * len(rows))


def _read(folder: Path, rows: Sequence[dict[str, str]]) -> list[Patterns]:
    """Each file's first pattern, with the wavelength of the table where the file gives none."""
    from peakwise.io import read

    scans = []
    for row in rows:
        given = row["wavelength_A"]
        scans.append(read(folder / row["file"], wavelength="CuKa" if ";" in given else given)[0])
    return scans
