"""What may be asked of a simulator: one sentence for everything else."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.simulate._effects import Ranges
from peakwise.simulate._instrument import Instrument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from peakwise.crystal import Phase

__all__ = [
    "LARGEST", "as_phases", "check_count", "check_scale", "check_seed", "check_threads", "check_types", "too_many",
]  # fmt: skip

_SCALES = {"absolute": 0, "max": 1, "counts": 2}
LARGEST = 4_000_000_000  # values of one answer (16 GB)


def as_phases(phases: Phase | Iterable[Phase]) -> tuple[Phase, ...]:
    found: tuple[Any, ...] = (phases,) if hasattr(phases, "reflections") else tuple(phases)
    if not found or not all(hasattr(p, "reflections") for p in found):
        why = "no phase was given" if not found else f"got {type(found[0]).__name__} where a Phase is needed"
        raise OptionError("cannot simulate", why, "Give Phase objects, for example Phase.from_cif(path)")
    ids = [p.id for p in found]
    twice = next((i for i in ids if ids.count(i) > 1), None) if len(set(ids)) < len(ids) else None
    if twice is not None:
        raise OptionError("cannot simulate", f"two phases are called {twice!r}", "Rename one: ids are the labels")
    return found


def check_seed(random_state: int) -> int:
    if (
        isinstance(random_state, bool)
        or not isinstance(random_state, (int, np.integer))
        or not 0 <= random_state < 2**63
    ):
        why = f"random_state must be a whole number from 0 to 2**63 - 1, got {random_state!r}"
        raise OptionError("cannot simulate", why, "Give a seed such as 0")
    return int(random_state)


def check_threads(threads: int | None) -> int:
    if threads is not None:
        return check_count(threads, "threads")
    allowed = os.environ.get("NUMBA_NUM_THREADS", "")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, int(allowed)) if allowed.isdigit() and int(allowed) > 0 else cores


def check_count(value: int, name: str, least: int = 1) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise OptionError(
            "cannot simulate",
            f"{name} must be a whole number of {least} or more, got {value!r}",
            f"Give {name}={least}",
        )
    return int(value)


def check_scale(scale: str) -> int:
    if scale not in _SCALES:
        raise OptionError("cannot simulate", f"scale must be one of {', '.join(_SCALES)}, got {scale!r}", "Choose one")
    return _SCALES[scale]


def too_many(n: int, m: int) -> OptionError:
    why = f"{n} patterns of {m} points take {n * m * 4 / 1e9:.3g} GB"
    return OptionError("cannot simulate so many at once", why, "Draw in parts with first=, or use batches")


def check_types(phases: object, instrument: object, ranges: object, margin: object, limit: object) -> None:
    """One sentence for what is of another kind altogether."""
    rules = (
        (hasattr(phases, "__iter__") or hasattr(phases, "reflections"), "phases", "a Phase or several", phases),
        (instrument is None or isinstance(instrument, Instrument), "instrument", "an Instrument", instrument),
        (ranges is None or isinstance(ranges, Ranges), "ranges", "a Ranges", ranges),
        (margin is None or isinstance(margin, (int, float)), "margin", "a number of degrees", margin),
        (isinstance(limit, (int, np.integer)) and limit > 0, "limit", "a whole number above 0", limit),
    )
    for good, name, wanted, got in rules:
        if not good:
            raise OptionError(
                "cannot simulate", f"{name} must be {wanted}, got {got!r}", "See the Simulator's parameters"
            )
