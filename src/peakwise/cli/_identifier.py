"""The identifier for a command: from a model file, or made for a folder of CIFs and kept in the cache."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from peakwise._version import __version__
from peakwise.errors import ModelFileError, OptionError, WriteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.cli._output import Output
    from peakwise.crystal import PhaseLibrary
    from peakwise.estimators import Estimator, PhaseIdentifier

__all__ = ["NETWORK", "SECONDS", "as_identifier", "identifier_for", "identifier_of", "load_identifier"]

NETWORK = "patch_conv"  # the best for its time: docs/explanations/learning.md
SECONDS = 40.0  # for the most phases; fewer take less
_LEAST_SECONDS, _SECONDS_PER_PHASE = 8.0, 0.5
_MOST_TRAINED = 500  # phases; beyond, so short a training proposes less than the comparison does
_VERSION = 1  # of what is kept: raise it when a kept model would answer otherwise


def load_identifier(path: str) -> PhaseIdentifier:
    """The identifier of a model file."""
    from peakwise.estimators import load

    return as_identifier(load(path))


def as_identifier(made: Estimator) -> PhaseIdentifier:
    """A loaded estimator, refused where it is no identifier that knows phases."""
    from peakwise.estimators import PhaseIdentifier

    if not isinstance(made, PhaseIdentifier) or not hasattr(made, "phases_"):
        why = f"it holds a {type(made).__name__}, which knows no crystal structures"
        raise OptionError("cannot identify phases", why, "Give a model of peakwise train identify")
    return made


def identifier_for(out: Output, cifs: Sequence[str], effort: str, max_phases: int) -> PhaseIdentifier:
    """An identifier for the structures in CIFs: the kept one, or one that is trained now and kept."""
    from peakwise.cli._phases import load_library

    return identifier_of(out, load_library(out, cifs), effort, max_phases)


def identifier_of(out: Output, library: PhaseLibrary, effort: str, max_phases: int) -> PhaseIdentifier:
    """The same for phases that were read already."""
    from peakwise.estimators import PhaseIdentifier

    network = None if effort == "quick" else _network(out, library)
    seconds = min(max(_SECONDS_PER_PHASE * len(library), _LEAST_SECONDS), SECONDS)
    made = PhaseIdentifier(
        max_phases, effort, network, seconds, random_state=out.seed, threads=out.threads, device=out.device
    )
    if network is None:
        return made.fit(library)
    return _kept(out, made, library)


def _network(out: Output, library: PhaseLibrary) -> str | None:
    """The network that proposes, where one is worth its training."""
    if len(library) < 2:
        return None
    if len(library) > _MOST_TRAINED:
        out.notes.append(f"no network was trained: {len(library)} phases are more than {_MOST_TRAINED}")
        return None
    if find_spec("torch") is None:
        out.notes.append("no network was trained: torch is not installed (pip install 'peakwise[torch]')")
        return None
    return NETWORK


def _kept(out: Output, made: PhaseIdentifier, library: PhaseLibrary) -> PhaseIdentifier:
    from peakwise.matching import content_key
    from peakwise.modelfiles import cache_key, model_cache, prune_models

    settings = {k: made.get_params()[k] for k in ("network", "train_seconds", "random_state")}
    mixtures = made.get_params()["max_phases"]
    parts = {"phases": content_key(list(library)), "mixtures": mixtures, "peakwise": __version__, "kept": _VERSION}
    path = model_cache(cache_key({**parts, **settings}))
    if path.exists():
        try:
            kept = load_identifier(str(path))
            kept.set_params(**made.get_params())
            return kept
        except ModelFileError:
            out.warnings.append(f"the kept model could not be used and is made again ({path.name})")
    out.tell(f"training {NETWORK} for {len(library)} phases, {made.train_seconds:g} s; kept for the next time")
    made.fit(library)
    try:
        made.save(path)
        prune_models()
    except WriteError as problem:
        out.warnings.append(f"the model could not be kept: {problem.why}")
    return made
