"""Which structures a made series consists of: pairs that turn into each other, near or far, and what lies beside them.

A structure of lower symmetry is written with all atoms of its cell and no symmetry at all (P 1). Where it is not yet
distorted its lines then coincide with those of the parent, and any strain, shear or shift of atoms may act on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from peakwise.crystal import TEXTBOOK, Phase, Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["RELATIONS", "Component", "draw_components"]

Triple = tuple[float, float, float]
_ZERO: Triple = (0.0, 0.0, 0.0)
_LARGEST = 900.0  # volume of a cell [angstrom^3]
_MOST_ATOMS = 60  # in a cell without symmetry
_MOST_DOUBLED = 20

# Substances that do it, of the embedded library; the order may be turned round.
POLYMORPHS = (
    ("Fe-alpha", "Fe-gamma"), ("Ti-alpha", "Ti-beta"), ("Sn-alpha", "Sn-beta"), ("Co-hcp", "Co-fcc"),
    ("SiO2-quartz", "SiO2-quartz-beta"), ("SiO2-cristobalite", "SiO2-cristobalite-beta"),
    ("TiO2-anatase", "TiO2-rutile"), ("TiO2-brookite", "TiO2-rutile"), ("ZrO2-monoclinic", "ZrO2-cubic"),
    ("CaCO3-aragonite", "CaCO3-calcite"), ("BaTiO3-tetragonal", "BaTiO3-cubic"), ("ZnS-sphalerite", "ZnS-wurtzite"),
    ("FeS2-marcasite", "FeS2-pyrite"), ("HgS-cinnabar", "HgS-metacinnabar"), ("SiC-3C", "SiC-6H"),
    ("BN-hexagonal", "BN-cubic"), ("SiO2-coesite", "SiO2-stishovite"), ("Fe2O3-gamma", "Fe2O3-alpha"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A phase of a series.

    Parameters
    ----------
    phase : Phase
    before, after : float
        Its share outside the transition, which the share of the transformed sample joins.
    is_own_scale : bool
        Whether its strongest line counts as 1, whatever it scatters; else it is on the scale of the first component.
    strain, shear : three floats
        Relative change of the lengths and change of the angles [deg].
    grows : bool
        Whether strain and shear grow with the transformed share, or are there from the start.
    expansion : three floats
        Relative change of the lengths over the whole ramp.
    """

    phase: Phase
    before: float = 1.0
    after: float = 1.0
    is_own_scale: bool = False
    strain: Triple = _ZERO
    shear: Triple = _ZERO
    grows: bool = False
    expansion: Triple = _ZERO


def draw_components(relation: str, rng: np.random.Generator) -> tuple[Component, ...]:
    """Components of a relation of the table `RELATIONS`; what is "partly" has a third phase that stays."""
    made = RELATIONS[relation](rng)
    expansion = float(np.exp(rng.uniform(np.log(0.0005), np.log(0.05)))) * float(rng.choice([-1, 1]))
    return tuple(replace(c, expansion=_expansion(c.phase, expansion, rng)) for c in made)


@lru_cache
def _known(cubic: bool = False, most_atoms: int = 10_000) -> tuple[str, ...]:
    """Ids of the embedded library whose patterns are not crowded."""
    phases = ((key, TEXTBOOK[key]) for key in TEXTBOOK)
    return tuple(
        key
        for key, p in phases
        if p.volume < _LARGEST and p.n_atoms <= most_atoms and (not cubic or p.system == "cubic")
    )


def _any(rng: np.random.Generator, *, cubic: bool = False, most_atoms: int = 10_000) -> Phase:
    names = _known(cubic, most_atoms)
    return TEXTBOOK[names[int(rng.integers(len(names)))]]


def _single(rng: np.random.Generator) -> tuple[Component, ...]:
    return (Component(phase=_any(rng)),)


def _mixture(rng: np.random.Generator) -> tuple[Component, ...]:
    """Two or three phases that stay; each expands in its own way, so that lines may cross."""
    weights = rng.dirichlet(np.full(int(rng.integers(2, 4)), 2.0))
    return tuple(Component(phase=_any(rng), before=w, after=w, is_own_scale=True) for w in weights)


def _unrelated(rng: np.random.Generator) -> tuple[Component, ...]:
    ratio = float(np.exp(rng.normal(0, 0.3)))
    first, second = _any(rng), _any(rng)
    while second.id == first.id:
        second = _any(rng)
    return (
        Component(phase=first, after=0.0, is_own_scale=True),
        Component(phase=second, before=0.0, after=ratio, is_own_scale=True),
    )


def _polymorph(rng: np.random.Generator) -> tuple[Component, ...]:
    pair = POLYMORPHS[int(rng.integers(len(POLYMORPHS)))]
    first, second = pair if rng.random() < 0.5 else pair[::-1]
    return (
        Component(phase=TEXTBOOK[first], after=0.0),
        Component(phase=TEXTBOOK[second], before=0.0),
    )


def _same_type(rng: np.random.Generator) -> tuple[Component, ...]:
    """Two of one structure type: same space group, same number of atoms in the cell."""
    first = _any(rng)
    alike = [
        TEXTBOOK[k] for k in _known()
        if k != first.id and TEXTBOOK[k].space_group == first.space_group and TEXTBOOK[k].n_atoms == first.n_atoms
        and abs(TEXTBOOK[k].volume / first.volume - 1) < 0.25
    ]  # fmt: skip
    if not alike:
        return _same_type(rng)
    second = alike[int(rng.integers(len(alike)))]
    return (
        Component(phase=first, after=0.0, is_own_scale=True),
        Component(phase=second, before=0.0, is_own_scale=True),
    )


def _jump(rng: np.random.Generator) -> tuple[Component, ...]:
    """The same structure with a smaller or larger cell, as cerium at 0.8 GPa."""
    phase, jump = _any(rng), float(rng.uniform(0.004, 0.03) * rng.choice([-1, 1]))
    return (
        Component(phase=phase, after=0.0),
        Component(phase=phase, before=0.0, strain=(jump, jump, jump)),
    )


def _distortion(rng: np.random.Generator) -> tuple[Component, ...]:
    """A cubic cell becomes tetragonal, orthorhombic or rhombohedral: both coexist, or the distortion grows."""
    parent = without_symmetry(_any(rng, cubic=True, most_atoms=_MOST_ATOMS))
    e = float(rng.uniform(0.003, 0.025) * rng.choice([-1, 1]))
    strain, shear = (
        ((-e / 2, -e / 2, e), _ZERO), ((e / 2, -e / 2, 0.0), _ZERO), (_ZERO, (40 * e, 40 * e, 40 * e)),
    )[int(rng.integers(3))]  # fmt: skip
    if rng.random() < 0.5:
        return (Component(phase=parent, strain=strain, shear=shear, grows=True),)
    return (
        Component(phase=parent, after=0.0),
        Component(phase=parent, before=0.0, strain=strain, shear=shear),
    )


def _superstructure(rng: np.random.Generator) -> tuple[Component, ...]:
    """The cell doubles as atoms move against each other: a few small lines appear, the others hardly change."""
    parent = without_symmetry(_any(rng, most_atoms=_MOST_DOUBLED))
    heaviest = max(range(len(parent.sites)), key=lambda i: parent.sites[i].occupancy * _weight(parent.sites[i]))
    shift = float(rng.uniform(0.01, 0.04))
    plain, moved = (doubled(parent, parent.sites[heaviest].element, by) for by in (0.0, shift))
    return Component(phase=plain, after=0.0), Component(phase=moved, before=0.0)


def _partly(rng: np.random.Generator) -> tuple[Component, ...]:
    """A part of the sample transforms, the rest and a third phase stay."""
    third, part = float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.2, 0.8))
    near = ("unrelated", "polymorph", "same type")[int(rng.integers(3))]
    first, second = RELATIONS[near](rng)
    return (
        replace(first, before=1 - third, after=(1 - third) * (1 - part)),
        replace(second, before=0.0, after=(1 - third) * part * second.after),
        Component(phase=_any(rng), before=third, after=third, is_own_scale=True),
    )


RELATIONS: dict[str, Callable[[np.random.Generator], tuple[Component, ...]]] = {
    "single": _single,
    "mixture": _mixture,
    "unrelated": _unrelated,
    "polymorph": _polymorph,
    "same type": _same_type,
    "jump of the cell": _jump,
    "distortion": _distortion,
    "superstructure": _superstructure,
    "partly": _partly,
}


def without_symmetry(phase: Phase) -> Phase:
    """The same structure with every atom of its cell written out.

    >>> salt = without_symmetry(TEXTBOOK["NaCl"])
    >>> salt.space_group, len(salt.sites), salt.n_atoms
    ('P 1', 8, 8)
    """
    places: list[Site] = []
    symmetry = phase.symmetry
    for site in phase.sites:
        own: list[NDArray[np.float64]] = []
        for centring in symmetry.centrings:
            for rotation, translation in zip(symmetry.rotations, symmetry.translations, strict=True):
                at = (rotation @ np.array(site.xyz) + (translation + centring) / 24) % 1.0
                if all(np.abs((at - o + 0.5) % 1.0 - 0.5).max() > 1e-3 for o in own):
                    own.append(at)
                    x, y, z = (float(v) for v in at)
                    places.append(replace(site, xyz=(x, y, z), u_aniso=None, multiplicity=1))
    return Phase.from_parameters(f"{phase.id}-P1", "P1", phase.cell, places)


def doubled(phase: Phase, element: str, shift: float) -> Phase:
    """A structure without symmetry, doubled along c; one element is moved along +a below and along -a above."""
    a, b, c, *angles = phase.cell
    places = []
    for half, sign in ((0, 1), (1, -1)):
        for site in phase.sites:
            x, y, z = site.xyz
            x += sign * shift * (site.element == element)
            places.append(replace(site, xyz=(x % 1.0, y, (z + half) / 2)))
    return Phase.from_parameters(f"{phase.id}-2c-{shift:.3f}", "P1", (a, b, 2 * c, *angles), places)


def _weight(site: Site) -> float:
    import gemmi

    return float(gemmi.Element(site.element).atomic_number)


def _expansion(phase: Phase, size: float, rng: np.random.Generator) -> Triple:
    """Lengths change alike in cubic cells, and also in a distorted one; elsewhere by up to half as much again."""
    if phase.system in ("cubic", "triclinic"):
        return (size, size, size)
    along, across = (size * (1 + float(rng.uniform(-0.5, 0.5))) for _ in range(2))
    return (across, across, along)
