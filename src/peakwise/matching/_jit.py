"""How the loops of this room are compiled: without the interpreter's lock, kept on disk where there is a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["jit"]

_FAST = {"reassoc", "contract", "arcp", "nsz"}  # NaN and infinities keep their meaning


def jit() -> Callable[[Callable[..., Any]], Any]:
    """Compile on first use."""

    def wrap(function: Callable[..., Any]) -> Any:
        options = {"nogil": True, "fastmath": _FAST, "error_model": "numpy"}
        try:
            return nb.njit(cache=True, **options)(function)
        except RuntimeError:  # a read-only installation without a home: compiled anew in each process
            return nb.njit(**options)(function)

    return wrap
