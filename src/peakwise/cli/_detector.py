"""The detector for a command: what may be asked of it, its labels, and the answer of one from a model file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.cli._table import match_rows, read_rows
from peakwise.errors import GridError, OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.cli._order import Variable
    from peakwise.cli._output import Output
    from peakwise.estimators import TransitionDetector, Transitions
    from peakwise.patterns import Patterns

__all__ = [
    "answer_of_model", "chosen_method", "label_series", "load_detector", "needs_network", "new_detector", "onto_grid",
]  # fmt: skip

_WHAT = "cannot look for transitions"
_SAME_WAVELENGTH = 2e-3  # CuKa and CuKa1 are one wavelength by two names


def load_detector(path: str) -> TransitionDetector:
    """The detector of a model file."""
    from peakwise.estimators import TransitionDetector, load

    made = load(path)
    if not isinstance(made, TransitionDetector):
        why = f"it holds a {type(made).__name__}, which knows no states of a series"
        raise OptionError(_WHAT, why, "Give a model of peakwise train transitions", file=path)
    return made


def new_detector(out: Output, states: Any, network: str | None) -> TransitionDetector:
    """A detector with these options."""
    from peakwise.estimators import TransitionDetector

    made = TransitionDetector(states=states, random_state=out.seed)
    return made if network is None else made.set_params(network=network)


def chosen_method(out: Output, method: str | None, network: str | None, *, has_labels: bool) -> str:
    """The method that was asked for; the one that trains a network where only that was named."""
    if method is not None:
        if network is not None and not needs_network(method):
            out.warnings.append(f"the method {method} has no network: --network {network} is not used")
        return method
    if network is None:
        return "auto"
    return "network" if has_labels else "spec_rr_moco"


def needs_network(method: str) -> bool:
    """Whether the method trains one."""
    from peakwise.estimators import METHODS

    plain = ("auto", "breaks", "segments", "spectral", "kmeans", "agglomerative", "guided", "linear")
    return method in METHODS and method not in plain


def label_series(out: Output, patterns: Patterns, file: str) -> list[str | None]:
    """The label of each pattern, None where there is none."""
    what = "cannot read the labels"
    names, texts, _ = read_rows(file, ["label"], what)
    found = match_rows(out, patterns, names, texts, file, what)
    if not found:
        out.warnings.append("all labels are blank: answered as without labels")
    return [found.get(i) for i in range(len(patterns))]


def onto_grid(out: Output, detector: TransitionDetector, patterns: Patterns) -> Patterns:
    """Patterns on the grid of a model: resampled where they cover it, else refused."""
    grid, kind, light = detector.grid_, detector.kind_, detector.wavelength_
    seen = f"the model knows {kind} from {grid[0]:g} to {grid[-1]:g}" + (f" at {light:g} angstrom" if light else "")
    got = patterns.wavelength
    what = "cannot use the model for these scans"
    if patterns.kind != kind:
        do = f"Convert them with peakwise convert --to-axis {kind}, or say with --axis what they are"
        raise GridError(what, f"{seen}, the scans are along {patterns.kind}", do)
    if kind == "two_theta" and light and got and abs(got / light - 1) > _SAME_WAVELENGTH:
        do = f"Give --wavelength {light:g} if that is what they were measured with, or convert to q and train on q"
        raise GridError(what, f"{seen}, the scans were measured at {got:g} angstrom", do)
    if patterns.same_grid(grid):
        return patterns
    step = 0.5 * max(patterns.step, float(np.median(np.diff(grid))))
    if patterns.axis[0] > grid[0] + step or patterns.axis[-1] < grid[-1] - step:
        why = f"{seen}, the scans cover {patterns.axis[0]:g} to {patterns.axis[-1]:g}"
        raise GridError(what, why, "Measure the whole range, or train on the part that all share")
    made = patterns.resample(grid, fill=0.0)
    out.warnings.append(
        f"the scans were resampled onto the grid of the model: {grid.size} points from {grid[0]:g} to {grid[-1]:g}"
    )
    out.warnings += [w for w in made.warnings if w not in patterns.warnings]
    return made


def answer_of_model(
    out: Output, detector: TransitionDetector, patterns: Patterns, variable: Variable | None
) -> tuple[Transitions, NDArray[np.float64]]:
    """Boundaries and zones of the series as a whole, and the probabilities of each pattern by itself."""
    from peakwise.estimators import Transitions
    from peakwise.estimators._transitions import boundaries_of, cuts_of, sticky

    detector.set_params(threads=out.threads, device=out.device)
    alone = np.asarray(detector.predict_proba(onto_grid(out, detector, patterns)), dtype=np.float64)
    chain = sticky(alone)
    found = boundaries_of(cuts_of(chain), alone, None if variable is None else variable.values, compare=False)
    names = tuple(detector.state_names_)
    return Transitions(chain.argmax(axis=1), chain, names, found, "model", 0.0, alone, ()), alone
