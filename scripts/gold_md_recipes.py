"""What is done to each cell of the data set ``gold-md``: drawn from a seed and the cell's number alone.

A recipe is a plain dict, so that it can be written into the file of the set and read in another process. Families take
turns, so that the first N cells are as mixed as all of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

CUBES = ((6, 6, 6), (6, 6, 7), (6, 7, 7), (6, 6, 8))  # of 4 atoms: 864 to 1176
# Repeats along [1-10], [11-2] and layers along [111]: 864 to 1200 atoms.
GLIDES = ((9, 4, 12), (9, 5, 12), (8, 5, 12), (8, 5, 15), (10, 5, 12))
# Each cycle of twenty cells. Every family meets all kinds of strain.
FAMILIES = (
    "pristine", "vacancies", "plastic", "melted", "faults", "interstitials", "dislocations", "combined",
    "plastic", "frenkel", "melted", "faults", "released", "pristine", "dislocations", "melted",
    "vacancies", "combined", "released", "frenkel",
)  # fmt: skip
MODES = ("none", "uniaxial strain", "uniaxial stress", "hydrostatic")


def draw_recipe(number: int, seed: int = 0) -> dict[str, Any]:
    """What is done to cell `number`."""
    rng = np.random.default_rng([seed, number])
    family = FAMILIES[number % len(FAMILIES)]
    recipe: dict[str, Any] = {
        "number": number,
        "seed": int(rng.integers(1, 2**31 - 1)),
        "family": family,
        "vacancies": 0.0,  # shares of the atoms
        "interstitials": 0.0,
        "frenkel": 0.0,
        "platelets": [],  # radii [angstrom] of discs of vacancies in {111}
        "dipole": 0.0,  # height of a missing half plane, share of the cell
        "melted": 0.0,  # share of the volume
        "melt_shape": "slab",
        "quench": 0.0,  # [ps]
        "release": False,  # whether the stress is let go after the strain
    }
    _lattice(recipe, rng, closed=family in {"faults", "combined"} or (family == "plastic" and rng.random() < 0.3))
    for part in _parts(family, rng):
        _DEFECTS[part](recipe, rng)
    large = family in {"plastic", "released"}
    _strain(recipe, rng, large=large)
    recipe["release"] = family == "released"
    return recipe


def _parts(family: str, rng: np.random.Generator) -> list[str]:
    if family in {"pristine", "faults"}:
        return []
    if family == "combined":
        names = ["vacancies", "interstitials", "frenkel", "dislocations", "melted"]
        return [str(n) for n in rng.choice(names, size=int(rng.integers(2, 4)), replace=False)]
    if family in {"plastic", "released"}:  # a few defects for dislocations to begin at
        return ["vacancies"] if rng.random() < 0.5 else []
    return [family]


def _lattice(recipe: dict[str, Any], rng: np.random.Generator, *, closed: bool) -> None:
    """The orientation and size, and the sequence of close-packed layers."""
    if not closed and rng.random() < 0.5:
        recipe.update(orientation="cube", repeat=[int(n) for n in CUBES[rng.integers(len(CUBES))]], steps=[])
        recipe["axes"] = [0, 1, 2]
        return
    size = [int(n) for n in GLIDES[rng.integers(len(GLIDES))]]
    steps = np.ones(size[2], dtype=int)
    if closed:
        changes = int(rng.integers(1, 4))
        for _ in range(changes):  # a run of turned steps: one is an intrinsic fault, two an extrinsic one, more a twin
            first, length = int(rng.integers(size[2])), int(rng.integers(1, 5))
            steps[(first + np.arange(length)) % size[2]] *= -1
        while steps.sum() % 3:  # the stack must close on itself
            steps[rng.integers(size[2])] *= -1
    # The load is always along the first axis: which crystal axis lies there takes turns.
    recipe.update(orientation="glide", repeat=size, steps=steps.tolist(), axes=[int(i) for i in rng.permutation(3)])


def _strain(recipe: dict[str, Any], rng: np.random.Generator, *, large: bool) -> None:
    if large:
        mode = str(rng.choice(["uniaxial strain", "uniaxial stress"]))
        # At 300 K and these rates a perfect crystal gives way between 7 and 12 %.
        amount = rng.uniform(0.08, 0.24) * rng.choice([-0.8, 1.0])
        if amount < 0 and recipe["family"] == "plastic":  # with the sides held it would end at 50 GPa
            mode = "uniaxial stress"
    else:
        mode = str(rng.choice(MODES, p=[0.15, 0.3, 0.3, 0.25]))
        low, high = {"none": (0, 0), "hydrostatic": (-0.025, 0.02)}.get(mode, (-0.06, 0.06))
        amount = rng.uniform(low, high)
    recipe.update(mode=mode, strain=round(float(amount), 5))


def _vacancies(recipe: dict[str, Any], rng: np.random.Generator) -> None:
    recipe["vacancies"] = round(float(rng.uniform(0.001, 0.035)), 4)


def _interstitials(recipe: dict[str, Any], rng: np.random.Generator) -> None:
    recipe["interstitials"] = round(float(rng.uniform(0.001, 0.02)), 4)


def _frenkel(recipe: dict[str, Any], rng: np.random.Generator) -> None:
    recipe["frenkel"] = round(float(rng.uniform(0.002, 0.05)), 4)


def _dislocations(recipe: dict[str, Any], rng: np.random.Generator) -> None:
    if recipe["orientation"] == "glide" and rng.random() < 0.6:
        recipe["dipole"] = round(float(rng.uniform(0.25, 0.6)), 3)
    else:
        recipe["platelets"] = [round(float(r), 2) for r in rng.uniform(6.0, 11.0, size=int(rng.integers(1, 3)))]


def _melted(recipe: dict[str, Any], rng: np.random.Generator) -> None:
    recipe["melted"] = round(float(1.0 if rng.random() < 0.15 else rng.uniform(0.25, 0.95)), 3)
    recipe["melt_shape"] = str(rng.choice(["slab", "sphere"])) if recipe["melted"] < 0.5 else "slab"
    # A slower quench heals: crystals of gold grow back from their melt by more than an angstrom a ps.
    recipe["quench"] = round(float(rng.choice([0.0, rng.uniform(0.1, 1.2)])), 2)


_DEFECTS = {
    "vacancies": _vacancies,
    "interstitials": _interstitials,
    "frenkel": _frenkel,
    "dislocations": _dislocations,
    "melted": _melted,
}
