"""The identifier for a command: from a model file, or made for a folder of CIFs and kept in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peakwise.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.cli._output import Output
    from peakwise.estimators import PhaseIdentifier

__all__ = ["identifier_for", "load_identifier"]


def load_identifier(path: str) -> PhaseIdentifier:
    """The identifier of a model file."""
    from peakwise.estimators import PhaseIdentifier, load

    made = load(path)
    if not isinstance(made, PhaseIdentifier) or not hasattr(made, "phases_"):
        why = f"it holds a {type(made).__name__}, which knows no crystal structures"
        raise OptionError("cannot identify phases", why, "Give a model of peakwise train identify")
    return made


def identifier_for(out: Output, cifs: Sequence[str], effort: str, max_phases: int) -> PhaseIdentifier:
    """An identifier for the structures in CIFs."""
    from peakwise.cli._phases import load_library
    from peakwise.estimators import PhaseIdentifier

    library = load_library(out, cifs)
    made = PhaseIdentifier(max_phases, effort, network=None, random_state=out.seed, threads=out.threads, device=out.device)
    return made.fit(library)
