"""Build by name, refuse what the signature does not know, and begin from a seed that touches nothing else."""

from __future__ import annotations

import inspect
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

__all__ = ["build_named", "check_count", "check_number", "check_widths", "seeded"]

T = TypeVar("T")
_MOST_SEED = 2**63 - 1


def build_named(
    kind: str, table: Mapping[str, Callable[..., T]], name: str, given: tuple[Any, ...], options: Mapping[str, Any]
) -> T:
    """Call the member `name` of a table with the positional arguments `given` and the options by name."""
    if name not in table:
        raise OptionError(f"cannot build the {kind} {name!r}", f"known are {', '.join(table)}", "Choose one of them")
    member = table[name]
    known = list(inspect.signature(member).parameters)[len(given) :]
    unknown = sorted(str(option) for option in options if option not in known)
    if unknown:
        why = f"its options are {', '.join(known) or 'none'}, got {', '.join(unknown)}"
        raise OptionError(f"cannot build the {kind} {name!r}", why, "Use only these options")
    return member(*given, **options)


@contextmanager
def seeded(random_state: int, device: torch.device | str = "cpu") -> Iterator[None]:
    """Draw from torch's generators as seeded inside the block, and leave them as they were.

    >>> with seeded(3):
    ...     first = torch.rand(2)
    >>> with seeded(3):
    ...     bool((torch.rand(2) == first).all())
    True
    """
    if isinstance(random_state, bool) or not isinstance(random_state, int) or not 0 <= random_state <= _MOST_SEED:
        why = f"random_state must be a whole number of 0 or more, got {random_state!r}"
        raise OptionError("cannot draw random numbers", why, "Give random_state=0")
    where = torch.device(device)
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.manual_seed(random_state)
        yield


def check_number(owner: object, name: str, value: float, *, least: float = 0.0, below: float = math.inf) -> float:
    """The number, if it lies within `least` and `below` (which is excluded)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < below:
        limit = f"and below {below:g}" if below < math.inf else "or more"
        why = f"{name} must be a number of {least:g} {limit}, got {value!r}"
        raise OptionError(f"cannot build {type(owner).__name__}", why, f"Change {name}")
    return float(value)


def check_count(owner: object, name: str, value: int, least: int = 1) -> int:
    """The number, if it is whole and not below `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        why = f"{name} must be a whole number of {least} or more, got {value!r}"
        raise OptionError(f"cannot build {type(owner).__name__}", why, f"Change {name}")
    return value


def check_widths(owner: object, name: str, widths: Sequence[int]) -> tuple[int, ...]:
    """The widths of layers as a tuple, if there is at least one and each is a whole number of 1 or more."""
    listed = tuple(widths) if isinstance(widths, (list, tuple)) else ()
    if not listed or any(isinstance(w, bool) or not isinstance(w, int) or w < 1 for w in listed):
        why = f"{name} must be a list of whole numbers of 1 or more, got {widths!r:.80}"
        raise OptionError(f"cannot build {type(owner).__name__}", why, f"Change {name}")
    return listed
