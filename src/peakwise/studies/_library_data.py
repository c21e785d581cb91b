"""A made library of Co-Ni-Cr-Re: 21 phases, 225 areas of which it is known what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.crystal import Phase
from peakwise.patterns import Patterns
from peakwise.studies._vae_data import made_patterns, mixed, sigma_phase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["ELEMENTS", "GRID", "Area", "candidates", "known_patterns", "make_library"]

ELEMENTS = ("Co", "Ni", "Cr", "Re")
GRID = (20.0, 100.0, 2048)
_SIDE = 15  # areas along each side
_PITCH = 4.5  # mm, so that 15 of them are the wedge of 67.5 mm
_WEDGES = 3  # of Cr and of Re, along x and along y
_THICKEST = {"Co": 13.0, "Ni": 13.0, "Cr": 13.0, "Re": 3.0}  # nm at the thick end, as published
_VOLUME = {"Co": 6.67, "Ni": 6.59, "Cr": 7.23, "Re": 8.86}  # cm3/mol
_SCATTER = 0.08  # of the composition of a phase in what is learned: its range of homogeneity and the probe's error
_LIKELY = 0.12  # distance in composition over which a phase is likely to form
_MIXED = 0.3  # share of the areas that hold two phases


@dataclass(frozen=True, slots=True)
class Area:
    """What an area holds: the number of its phase, of a second one or -1, and the share of the first."""

    first: int
    second: int
    share: float


def candidates() -> dict[str, tuple[Phase, tuple[float, float, float, float]]]:
    """Name -> structure and composition (Co, Ni, Cr, Re); solid solutions have cells by Vegard's rule."""
    made: dict[str, tuple[Phase, dict[str, float]]] = {}

    def add(name: str, phase: Phase, **shares: float) -> None:
        made[name] = (phase, shares)

    add("Co fcc", _fcc("Co fcc", 3.544, Co=1.0), Co=1.0)
    add("Ni fcc", _fcc("Ni fcc", 3.524, Ni=1.0), Ni=1.0)
    add("Co-Ni fcc", _fcc("Co-Ni fcc", 3.534, Co=0.5, Ni=0.5), Co=0.5, Ni=0.5)
    add("Ni-Cr fcc", _fcc("Ni-Cr fcc", 3.557, Ni=0.75, Cr=0.25), Ni=0.75, Cr=0.25)
    add("Co-Cr fcc", _fcc("Co-Cr fcc", 3.565, Co=0.75, Cr=0.25), Co=0.75, Cr=0.25)
    add("Ni-Re fcc", _fcc("Ni-Re fcc", 3.566, Ni=0.85, Re=0.15), Ni=0.85, Re=0.15)
    add("Co-Ni-Re fcc", _fcc("Co-Ni-Re fcc", 3.575, Co=0.4, Ni=0.45, Re=0.15), Co=0.4, Ni=0.45, Re=0.15)
    add("Co hcp", _hcp("Co hcp", 2.507, 4.069, Co=1.0), Co=1.0)
    add("Re hcp", _hcp("Re hcp", 2.761, 4.458, Re=1.0), Re=1.0)
    add("Co-Re hcp", _hcp("Co-Re hcp", 2.634, 4.264, Co=0.5, Re=0.5), Co=0.5, Re=0.5)
    add("Co3Re hcp", _hcp("Co3Re hcp", 2.571, 4.166, Co=0.75, Re=0.25), Co=0.75, Re=0.25)
    add("Co-Cr hcp", _hcp("Co-Cr hcp", 2.528, 4.089, Co=0.8, Cr=0.2), Co=0.8, Cr=0.2)
    add("Cr bcc", _bcc("Cr bcc", 2.885, Cr=1.0), Cr=1.0)
    add("Cr-Re bcc", _bcc("Cr-Re bcc", 2.934, Cr=0.7, Re=0.3), Cr=0.7, Re=0.3)
    add("Cr-Co bcc", _bcc("Cr-Co bcc", 2.875, Cr=0.75, Co=0.25), Cr=0.75, Co=0.25)
    add("Co-Cr sigma", sigma_phase("Co-Cr sigma", "Co", "Cr", 8.81, 4.56), Co=0.45, Cr=0.55)
    add("Cr-Ni sigma", sigma_phase("Cr-Ni sigma", "Ni", "Cr", 8.82, 4.58), Ni=0.35, Cr=0.65)
    add("Cr-Re sigma", sigma_phase("Cr-Re sigma", "Cr", "Re", 9.29, 4.83), Cr=0.4, Re=0.6)
    a15 = [("Cr", (0.0, 0.0, 0.0)), ("Cr", (0.25, 0.0, 0.5))]
    add("Cr A15", Phase.from_parameters("Cr A15", "P m -3 n", (4.588, 4.588, 4.588, 90, 90, 90), a15), Cr=1.0)
    ni2cr = [("Cr", (0.0, 0.0, 0.0)), ("Ni", (0.0, 1 / 3, 0.0))]
    cell = (2.524, 7.571, 3.568, 90, 90, 90)
    add("Ni2Cr", Phase.from_parameters("Ni2Cr", "I m m m", cell, ni2cr), Ni=2 / 3, Cr=1 / 3)
    co3cr = [("Cr", (1 / 3, 2 / 3, 0.25)), ("Co", (0.8333, 0.6667, 0.25))]
    cell = (5.028, 5.028, 4.034, 90, 90, 120)
    add("Co3Cr", Phase.from_parameters("Co3Cr", "P 63/m m c", cell, co3cr), Co=0.75, Cr=0.25)
    return {
        name: (phase, tuple(shares.get(e, 0.0) for e in ELEMENTS))  # type: ignore[misc]
        for name, (phase, shares) in made.items()
    }


def known_patterns(n: int, random_state: int) -> Patterns:
    """`n` patterns of each candidate with compositions around its own; space groups in ``meta``."""
    chosen = candidates()
    made = made_patterns([phase for phase, _ in chosen.values()], n, random_state=random_state, grid=GRID)
    rng = np.random.default_rng([random_state, 1])
    shares = np.repeat([composition for _, composition in chosen.values()], n, axis=0)
    shares = np.abs(shares + rng.normal(0, _SCATTER, shares.shape))
    shares /= shares.sum(axis=1, keepdims=True)
    groups = np.repeat([phase.space_group for phase, _ in chosen.values()], n)
    return made.replace(meta={**made.meta, "space_group": groups, **dict(zip(ELEMENTS, shares.T, strict=True))})


def make_library(random_state: int) -> tuple[Patterns, list[Area]]:
    """The patterns of 225 areas with ``x``, ``y`` [mm] and the composition in ``meta``, and what each holds.

    Co and Ni are wedges along x and y, Cr and Re three wedges each, as published. Which of the phases of about this
    composition an area holds is drawn: so neither the composition nor the pattern alone tells it.
    """
    rng = np.random.default_rng([random_state, 2])
    places = (np.arange(_SIDE) + 0.5) * _PITCH
    x, y = (v.ravel() for v in np.meshgrid(places, places))
    shares = _compositions(x, y)
    chosen = candidates()
    own = np.array([composition for _, composition in chosen.values()])
    areas = []
    for composition in shares:
        far = np.sqrt(((own - composition) ** 2).sum(axis=1))
        likely = np.exp(-0.5 * ((far - far.min()) / _LIKELY) ** 2)
        first, second = rng.choice(len(own), 2, replace=False, p=likely / likely.sum())
        is_mixed = rng.random() < _MIXED
        share = rng.uniform(0.35, 0.65) if is_mixed else 1.0
        areas.append(Area(int(first), int(second) if is_mixed else -1, share))
    phases = [phase for phase, _ in chosen.values()]
    rows = np.empty((len(areas), GRID[2]), np.float32)
    axis = None
    for number, area in enumerate(areas):
        one = made_patterns([phases[area.first]], 1, random_state=random_state + 10_000 + number, grid=GRID)
        axis = one
        rows[number] = one.intensity[0]
        if area.second >= 0:
            other = made_patterns([phases[area.second]], 1, random_state=random_state + 20_000 + number, grid=GRID)
            rows[number] = mixed(one.intensity, other.intensity, area.share)[0]
    if axis is None:
        raise ValueError("no areas")
    meta: Mapping[str, NDArray[np.float64]] = {"x": x, "y": y, **dict(zip(ELEMENTS, shares.T, strict=True))}
    return Patterns(axis.axis, rows, axis.kind, wavelength=axis.radiation, meta=dict(meta)), areas


def _compositions(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Atomic shares (n, 4) at places [mm]."""
    long = _SIDE * _PITCH
    thick = {"Co": x / long, "Ni": y / long, "Cr": (x * _WEDGES / long) % 1, "Re": (y * _WEDGES / long) % 1}
    moles = np.stack([thick[e] * _THICKEST[e] / _VOLUME[e] for e in ELEMENTS], axis=1)
    return np.asarray(moles / moles.sum(axis=1, keepdims=True))


def _fcc(name: str, a: float, **shares: float) -> Phase:
    sites = [(element, (0, 0, 0), share) for element, share in shares.items()]
    return Phase.from_parameters(name, "F m -3 m", (a, a, a, 90, 90, 90), sites)


def _bcc(name: str, a: float, **shares: float) -> Phase:
    sites = [(element, (0, 0, 0), share) for element, share in shares.items()]
    return Phase.from_parameters(name, "I m -3 m", (a, a, a, 90, 90, 90), sites)


def _hcp(name: str, a: float, c: float, **shares: float) -> Phase:
    sites = [(element, (1 / 3, 2 / 3, 1 / 4), share) for element, share in shares.items()]
    return Phase.from_parameters(name, "P 63/m m c", (a, a, c, 90, 90, 120), sites)
