"""The embedded library: textbook structures from the literature, as a table that ships with the package.

The numbers are in ``textbook.toml``, whose head explains them. The file is read at the first question, and each
structure is made when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peakwise.crystal._phase import Phase

__all__ = ["TEXTBOOK", "Textbook", "TextbookEntry", "textbook_cif"]

_TABLE = "textbook.toml"
_FULL = 6  # a, b, c, alpha, beta, gamma


@dataclass(frozen=True, slots=True)
class Match:
    """The CIF of other people that a phase agrees with: its file, the work, the cosines of the powder patterns."""

    file: str
    work: str
    xrays: float
    neutrons: float


@dataclass(frozen=True, slots=True)
class TextbookEntry:
    """What the table says about one phase, before anything is computed."""

    id: str
    name: str
    kind: str
    formula: str
    group: str
    cell: tuple[float, float, float, float, float, float]
    sites: tuple[tuple[str, str, tuple[float, float, float], float, float], ...]
    density: float
    reference: str
    match: Match


class Textbook(Mapping[str, "Phase"]):
    """The textbook structures by id, in the order of the table; each is made when it is first asked for.

    Examples
    --------
    >>> quartz = TEXTBOOK["SiO2-quartz"]
    >>> quartz.formula, quartz.space_group_number, round(quartz.density, 2)
    ('O2Si', 154, 2.65)
    >>> len(TEXTBOOK) > 130
    True
    """

    def __init__(self) -> None:
        self._entries: dict[str, TextbookEntry] = {}
        self._made: dict[str, Phase] = {}

    @property
    def entries(self) -> Mapping[str, TextbookEntry]:
        """The rows of the table by id."""
        if not self._entries:
            self._entries = _read_table()
        return self._entries

    def __getitem__(self, key: str) -> Phase:
        if key not in self._made:
            self._made[key] = _phase(self.entries[key])
        return self._made[key]

    def __contains__(self, key: object) -> bool:
        return key in self.entries  # the inherited one would make the phase

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"<TEXTBOOK: {len(self)} phases>"


TEXTBOOK = Textbook()


def textbook_cif(id: str) -> str:  # noqa: A002 - the name that Phase uses
    """One textbook structure as CIF text.

    Parameters
    ----------
    id : str
        A key of `TEXTBOOK`.

    Examples
    --------
    >>> textbook_cif("NaCl").splitlines()[0]
    'data_NaCl'

    Raises
    ------
    PhaseError
        When there is no such id, with the nearest ones.
    """
    if id not in TEXTBOOK:
        from difflib import get_close_matches

        from peakwise.errors import PhaseError

        near = get_close_matches(id, list(TEXTBOOK), n=3, cutoff=0.4)
        do = f"Did you mean {' or '.join(near)}?" if near else "The ids are list(TEXTBOOK)"
        raise PhaseError("cannot give the structure", f"the textbook library has no phase {id!r}", do)
    return TEXTBOOK[id].to_cif()


def _phase(entry: TextbookEntry) -> Phase:
    from peakwise.crystal._phase import Phase, Site, Source
    from peakwise.crystal._scattering import element_of

    sites = [
        Site(label, scatterer, element_of(scatterer), xyz, occupancy, b_iso)
        for label, scatterer, xyz, occupancy, b_iso in entry.sites
    ]
    return Phase.from_parameters(entry.id, entry.group, entry.cell, sites, source=Source(_TABLE))


def _read_table() -> dict[str, TextbookEntry]:
    import tomllib
    from importlib.resources import files

    rows = tomllib.loads(files("peakwise.crystal").joinpath(_TABLE).read_text(encoding="utf-8"))
    return {
        key: TextbookEntry(
            id=key,
            name=row["name"],
            kind=row["kind"],
            formula=row["formula"],
            group=row["group"],
            cell=_cell(row["group"], row["cell"]),
            sites=tuple(_site(line) for line in row["sites"].split("\n") if line.strip()),
            density=float(row["density"]),
            reference=row["reference"],
            match=Match(**row["match"]),
        )
        for key, row in rows.items()
    }


def _site(line: str) -> tuple[str, str, tuple[float, float, float], float, float]:
    label, scatterer, x, y, z, occupancy, b_iso = line.split()
    return label, scatterer, (_number(x), _number(y), _number(z)), float(occupancy), float(b_iso)


def _number(text: str) -> float:
    """A decimal or a fraction such as 1/3, which decimals would round off its special position."""
    return float(Fraction(text))


def _cell(group: str, free: list[float]) -> tuple[float, float, float, float, float, float]:
    """All six cell parameters from those that the space group leaves free."""
    if len(free) == _FULL:
        a, b, c, alpha, beta, gamma = free
        return a, b, c, alpha, beta, gamma
    if len(free) == 4:  # monoclinic, unique axis b
        a, b, c, beta = free
        return a, b, c, 90.0, beta, 90.0
    if len(free) == 3:  # orthorhombic
        a, b, c = free
        return a, b, c, 90.0, 90.0, 90.0
    a, c = free[0], free[-1]  # tetragonal, trigonal, hexagonal; cubic has a only
    turned = len(free) == 2 and group.split()[1].lstrip("-")[0] in "36"  # a three- or sixfold axis along c
    return a, a, c, 90.0, 90.0, 120.0 if turned else 90.0
