"""How loops are compiled: once per machine, without the interpreter's lock; kept on disk where there is a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FAST", "jit"]

FAST = {"reassoc", "contract", "arcp", "nsz"}  # sums may be reordered; NaN and infinities keep their meaning


def jit(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Compile on first use, with these options of numba."""

    def wrap(function: Callable[..., Any]) -> Any:
        try:
            return nb.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
        except RuntimeError:  # a read-only installation without a home: compiled anew in each process
            return nb.njit(nogil=True, error_model="numpy", **options)(function)

    return wrap
