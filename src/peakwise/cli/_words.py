"""Boundaries, states and groups as rows of tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["boundary_rows", "state_rows"]


def boundary_rows(
    boundaries: Sequence[Mapping[str, Any]], names: Sequence[str], *, has_value: bool
) -> list[tuple[object, ...]]:
    """After which pattern, at which value, from where to where, how sure, and what other methods say."""
    rows = []
    for b in boundaries:
        last = len(names) - 1
        ends = [names[min(max(round(place), 0), last)] for place in b["interval"]]
        at: tuple[object, ...] = ()
        if has_value:
            at = (None if b["value"] is None else f"{b['value']:.5g}",)
            if b["value_interval"] is not None:
                ends = [f"{value:.5g}" for value in b["value_interval"]]
        others = ", ".join(f"{name} {_apart(place, b['after'])}" for name, place in b["agreement"].items())
        rows.append((names[b["after"]], *at, *ends, f"{b['confidence']:.3f}", others))
    return rows


def state_rows(
    patterns: Sequence[Mapping[str, Any]], state_names: Sequence[str], names: Sequence[str]
) -> list[tuple[object, ...]]:
    """Each state with its number of patterns, the first and the last of them, and the least sure."""
    rows = []
    for state, title in enumerate(state_names):
        inside = [i for i, p in enumerate(patterns) if p["state"] == state]
        least = min((patterns[i]["probability"] for i in inside), default=None)
        ends = (names[inside[0]], names[inside[-1]]) if inside else (None, None)
        rows.append((title, len(inside), *ends, None if least is None else f"{least:.3f}"))
    return rows


def _apart(place: int | None, after: int) -> str:
    if place is None:
        return "does not"
    if place == after:
        return "agrees"
    return f"{abs(place - after)} {'later' if place > after else 'earlier'}"
