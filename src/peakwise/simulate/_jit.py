"""How the loops of this room are compiled, and a guard against machine code that is out of date."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numba as nb

from peakwise.simulate import _compile as layout
from peakwise.simulate._columns import FRAME, N_IMPURITIES, N_SPIKES, SLOT
from peakwise.simulate._effects import EFFECTS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["check_layout", "jit", "layout_code"]

_CODES = ("CUBIC", "UNIAXIAL", "RHOMBOHEDRAL", "ORTHORHOMBIC", "MONO_A", "MONO_B", "MONO_C")


def jit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile on first use, without the interpreter's lock; kept on disk where there is a place for it."""

    def wrap(function: Callable[..., Any]) -> Any:
        try:
            made = nb.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
        except RuntimeError:  # a read-only installation without a home: compiled anew in each process
            made = nb.njit(nogil=True, error_model="numpy", **options)(function)
        return made

    return wrap


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
