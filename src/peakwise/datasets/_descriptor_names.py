"""Titles of descriptors as people write them, and the names that all our sets give them."""

from __future__ import annotations

import re

__all__ = ["descriptor_name"]

_NAMES = (
    (r"fcc|face.?cent(ered|red).?cubic", "fcc"),
    (r"hcp|hexagonal.?close.?packed", "hcp"),
    (r"disorder|amorphous|unidentified", "disordered"),
    (r"dislocation", "dislocation_density"),
)
# Not pxx: the pressure tensor of LAMMPS is minus the stress.
_STRESS = re.compile(r"(?:sigma|stress|σ|s)[^a-z0-9]*(xx|yy|zz)")


def descriptor_name(title: str) -> str:
    """The name of a descriptor; what is not known keeps its title.

    >>> [descriptor_name(t) for t in ("Sigma_XX (GPa)", "FCC phase fraction", "total dislocation density", "atoms")]
    ['sigma_xx', 'fcc', 'dislocation_density', 'atoms']
    """
    bare = title.strip().lower()
    stress = _STRESS.match(bare)
    if stress:
        return f"sigma_{stress[1]}"
    return next((name for words, name in _NAMES if re.search(words, bare)), title)
