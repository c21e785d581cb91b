"""A structure as CIF text that every program reads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from peakwise.crystal._phase import Phase, Site

__all__ = ["cif_text"]

_AXES = ("a", "b", "c")
_ANGLES = ("alpha", "beta", "gamma")


def cif_text(phase: Phase) -> str:
    """One data block: cell, operations, sites, displacements."""
    lines = [f"data_{re.sub(r'[^A-Za-z0-9.()+~#_-]', '_', phase.id) or 'phase'}"]
    lines.append(f"_chemical_formula_sum {_formula(phase)}")
    lines.append(f"_cell_formula_units_Z {phase.z}")
    lines += [f"_cell_length_{n} {v:.12g}" for n, v in zip(_AXES, phase.cell[:3], strict=True)]
    lines += [f"_cell_angle_{n} {v:.12g}" for n, v in zip(_ANGLES, phase.cell[3:], strict=True)]
    if phase.symmetry.number and not phase.symmetry.name.endswith("*"):
        lines.append(f"_space_group_name_H-M_alt '{phase.symmetry.name.replace(':', ' :')}'")
        lines.append(f"_space_group_name_Hall '{phase.symmetry.hall}'")
    if phase.symmetry.number:
        lines.append(f"_space_group_IT_number {phase.symmetry.number}")
    lines += ["loop_", "_space_group_symop_operation_xyz"]
    lines += [f"'{t}'" for t in phase.symmetry.triplets]
    lines += ["loop_", *(f"_atom_site_{n}" for n in _SITE)]
    labels = _labels(phase.sites)
    lines += [_site(s, n) for s, n in zip(phase.sites, labels, strict=True)]
    tensors = [(n, s.u_aniso) for s, n in zip(phase.sites, labels, strict=True) if s.u_aniso is not None]
    if tensors:
        lines += ["loop_", "_atom_site_aniso_label", *(f"_atom_site_aniso_U_{i}" for i in _TENSOR)]
        lines += [" ".join([n, *(f"{v:.6g}" for v in u)]) for n, u in tensors]
    return "\n".join(lines) + "\n"


_TENSOR = ("11", "22", "33", "12", "13", "23")
_SITE = (
    "label",
    "type_symbol",
    "fract_x",
    "fract_y",
    "fract_z",
    "occupancy",
    "B_iso_or_equiv",
    "site_symmetry_multiplicity",
)


def _site(site: Site, label: str) -> str:
    numbers = [*(f"{v:.10f}" for v in site.xyz), f"{site.occupancy:.6g}", f"{site.b_iso:.6g}", str(site.multiplicity)]
    return " ".join([label, site.scatterer, *numbers])


def _formula(phase: Phase) -> str:
    parts = re.findall(r"[A-Z][a-z]?[\d.]*", phase.formula)
    return f"'{' '.join(parts)}'"


def _labels(sites: tuple[Site, ...]) -> list[str]:
    """Labels without white space, each once."""
    out: list[str] = []
    seen: set[str] = set()
    for site in sites:
        plain = re.sub(r"[^A-Za-z0-9()*+-]", "", site.label)
        wanted = plain if plain.startswith(site.element) else f"{site.element}{plain if plain[:1].isdigit() else ''}"
        label, n = wanted, 1
        while label in seen:
            n += 1
            label = f"{wanted}_{n}"
        seen.add(label)
        out.append(label)
    return out
