"""Options that name a member of a table: the table is read when a value is given, so that help stays light."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["METHODS", "NETWORK", "Names"]


class Names(click.ParamType):  # type: ignore[type-arg]
    """A key of one of some tables; anything else is a wrong command line.

    Parameters
    ----------
    *places : str
        ``module:TABLE``.
    more : sequence of str
        Names beside those of the tables.
    """

    name = "name"

    def __init__(self, *places: str, more: Sequence[str] = ()) -> None:
        self.places, self.more = places, tuple(more)

    def members(self) -> list[str]:
        """All names, in the order of the tables."""
        found = list(self.more)
        for place in self.places:
            module, _, attribute = place.partition(":")
            found += list(getattr(import_module(module), attribute))
        return found

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value, where it is a name."""
        try:
            known = self.members()
        except ImportError:  # torch is not installed: whoever needs it says so, and how to get it
            return value
        if value not in known:
            self.fail(f"{value!r} is not one of {', '.join(known)}.", param, ctx)
        return value


# By command, or by task of train.
METHODS = {
    "transitions": Names("peakwise.estimators:METHODS"),
    "novelty": Names("peakwise.novelty:SCORES", "peakwise.estimators:NETWORK_METHODS", more=("auto",)),
    "cluster": Names("peakwise.series:GROUPINGS"),
}
NETWORK = Names("peakwise.networks:NETWORKS")
