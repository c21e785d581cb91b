"""A guard against machine code that is out of date."""

from __future__ import annotations

import zlib

from peakwise.simulate import _compile as layout
from peakwise.simulate._columns import FRAME, N_IMPURITIES, N_SPIKES, SLOT
from peakwise.simulate._effects import EFFECTS

__all__ = ["check_layout", "layout_code"]

_CODES = ("CUBIC", "UNIAXIAL", "RHOMBOHEDRAL", "ORTHORHOMBIC", "MONO_A", "MONO_B", "MONO_C")


def layout_code() -> int:
    """One number for every constant that compiled code takes from other files."""
    sizes = (layout.BLOCK, layout.N_NODES, layout.TILE, layout.N_AXES, layout.N_TERMS, N_IMPURITIES, N_SPIKES)
    codes = [
        getattr(layout, n) for n in ("CUBIC", "UNIAXIAL", "RHOMBOHEDRAL", "ORTHORHOMBIC", "MONO_A", "MONO_B", "MONO_C")
    ]
    return zlib.crc32(repr((list(SLOT), list(FRAME), list(EFFECTS), sizes, codes)).encode())


def check_layout(known: int, where: str) -> None:
    """Refuse to run where those constants changed: numba would take its stored code, with the old ones, as current.

    numba compiles anew when the file of a function changes, and only then.
    """
    if known != layout_code():
        why = f"the layout of the tables is {layout_code():#010x}, {where} was written for {known:#010x}"
        raise RuntimeError(f"{why}: change LAYOUT there, which also makes numba compile it again")
