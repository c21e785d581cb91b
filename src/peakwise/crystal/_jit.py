"""How our loops are compiled: once per machine, without the interpreter's lock, sums free to be reordered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numba as nb

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["compiled"]

F = TypeVar("F", bound="Callable[..., Any]")
_FAST = {"reassoc", "contract", "arcp", "nsz"}  # NaN and infinities keep their meaning


def compiled(function: F) -> F:
    """Compile on first use; kept on disk where there is a place for it."""
    try:
        made: Any = nb.njit(cache=True, nogil=True, fastmath=_FAST, error_model="numpy")(function)
    except RuntimeError:  # a read-only installation without a home: compiled anew in each process
        made = nb.njit(nogil=True, fastmath=_FAST, error_model="numpy")(function)
    return cast("F", made)
