"""Where did a compression series change, without labels? Principal components and spectral clustering."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from peakwise.series import group, principal_scores
from peakwise.studies._hed_states import (
    AROUND,
    DIFFERENCES,
    Known,
    known_series,
    states_figure,
    tell_states,
    timed,
    unlabelled_states,
)
from peakwise.studies._pictures import save_figures
from peakwise.studies._study import Outcome, Request, Study, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HED_CLUSTERING", "Settings", "run"]

# Graph and labels of spectral clustering; the thesis has the first.
WAYS: tuple[tuple[Literal["neighbours", "rbf"], Literal["kmeans", "discretize"]], ...] = (
    ("neighbours", "kmeans"),
    ("neighbours", "discretize"),
    ("rbf", "kmeans"),
    ("rbf", "discretize"),
)
_THESIS = WAYS[0]
# Section 3.5.3; figure 3.7 shows a boundary that "fluctuates only in a small range" and has no numbers.
PUBLISHED = ("55 to 99.99 %", "2 to 301", 1.0, "stable, no number")
PUBLISHED_SECONDS = 0.069


@dataclass(frozen=True, slots=True)
class Settings:
    """All options of the study.

    Attributes
    ----------
    explained : tuple of float
        Shares of the variance that principal components must explain.
    components : int
        Of the table of methods; the thesis tells the time for 13.
    points : int or None
        About so many points a pattern; None: all 4023.
    """

    explained: tuple[float, ...] = (0.55, 0.65, 0.75, 0.85, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999)
    components: int = 13
    points: int | None = None


QUICK = Settings(explained=(0.55, 0.9, 0.99, 0.9999), points=1000)


def run(request: Request) -> Outcome:
    """Repeat the study: see `Settings` for what it does."""
    settings = QUICK if request.quick else Settings()
    request.tell("making the series", 0.0)
    known = known_series(points=settings.points, random_state=request.seed)
    first, found = _by_variance(settings, known, request)
    second, methods, warnings = _by_method(settings, known, request)
    third = _without_transition(settings, known, request)
    figures = save_figures(
        {
            "hed_clustering_variance": states_figure(found, known, "Spectral clustering, by what is explained"),
            "hed_clustering_methods": states_figure(methods, known, "Without labels"),
        },
        request,
    )
    return Outcome([first, second, third], figures, [DIFFERENCES, *warnings], asdict(settings))


def _by_variance(settings: Settings, known: Known, request: Request) -> tuple[Table, dict[str, NDArray[Any]]]:
    rows, found = [], {}
    for i, share in enumerate(settings.explained):
        request.tell(f"{share:.4g} of the variance", 0.1 + 0.5 * i / len(settings.explained))
        scores = principal_scores(known.data.rows, share)
        row: list[Any] = [f"{100 * share:g} %", scores.shape[1]]
        for graph, labels in WAYS:
            states = group(scores, 2, affinity=graph, assign=labels, random_state=request.seed)
            told = tell_states(states, known)
            row += [told.confidence, told.boundary] if (graph, labels) == _THESIS else [told.boundary]
            if (graph, labels) == _THESIS:
                found[f"{100 * share:g} %, {scores.shape[1]} components"] = states
                first = told
            else:
                row[-1] += "" if told.confidence == 1 else f", {100 * told.confidence:.1f} %"
        rows.append((*row, first.pressure, first.right))
    columns = (
        "explained", "components", "confidence", "boundary", *(f"{g}, {a}" for g, a in WAYS[1:]),
        "at [GPa]", "right where known",
    )  # fmt: skip
    published = [(*PUBLISHED, *[""] * (len(columns) - len(PUBLISHED)))]
    return Table("Spectral clustering of the (Mg,Fe)O series into two", columns, rows, published), found


def _by_method(settings: Settings, known: Known, request: Request) -> tuple[Table, dict[str, NDArray[Any]], list[str]]:
    scores = principal_scores(known.data.rows, settings.components)
    ways: dict[str, Any] = {
        f"spectral, {g}, {a}": (lambda g=g, a=a: group(scores, 2, affinity=g, assign=a, random_state=request.seed))
        for g, a in WAYS
    }
    ways["k-means"] = lambda: group(scores, 2, "kmeans", random_state=request.seed)
    ways["agglomerative"] = lambda: group(scores, 2, "agglomerative", random_state=request.seed)
    ways["peakwise transitions, not told that there are two"] = lambda: unlabelled_states(known)
    rows, states = [], {}
    for i, (name, work) in enumerate(ways.items()):
        request.tell(name, 0.6 + 0.25 * i / len(ways))
        work()  # the first call loads and compiles
        states[name], seconds = timed(work)
        rows.append((name, seconds, *tell_states(states[name], known).cells()))
    warnings = []
    places = {row[3] for row in rows}
    if len(places) > 1:
        warnings.append(
            f"all that is clear need not be right: the methods put the boundary at {len(places)} places, from "
            f"{min(row[4] for row in rows if row[4] != '')} to {max(row[4] for row in rows if row[4] != '')} GPa, and "
            "the transition goes from 22 to 42 GPa"
        )
    published = [("spectral, neighbours, kmeans", PUBLISHED_SECONDS, 1.0, "stable, no number", "", "")]
    title = f"Two states from {settings.components} components (the last: from the counts)"
    return Table(title, ("method", "time [s]", *AROUND), rows, published), states, warnings


def _without_transition(settings: Settings, known: Known, request: Request) -> Table:
    """The same method on parts of the series in which nothing happens but compression, or nothing at all."""
    from peakwise.estimators import TransitionDetector

    rows = []
    parts = {"all before the onset": known.share == 0, "all after the end": known.share == 1}
    for i, (name, inside) in enumerate(parts.items()):
        request.tell(name, 0.85 + 0.05 * i)
        scores = principal_scores(known.data.rows[inside], settings.components)
        states = group(scores, 2, random_state=request.seed)
        frames = np.flatnonzero(inside)
        cuts = [int(frames[c]) for c in np.flatnonzero(states[1:] != states[:-1])]
        found = TransitionDetector().fit(known.patterns[inside]).boundaries_
        told = ", ".join(str(int(frames[b.after])) for b in found) or "none"
        rows.append((name, int(inside.sum()), ", ".join(map(str, cuts)), told))
    columns = ("part without transition", "frames", "spectral clustering: cut after", "peakwise transitions: cut after")
    return Table("What clustering into two says where there is one state", columns, rows)


HED_CLUSTERING = Study(
    name="hed-clustering",
    title="Where did a compression series change, without labels? (principal components, spectral clustering)",
    citation="Y. Sun, PhD thesis, Szeged (2023), chapter 3; Y. Sun, S. Brockhauser, P. Hegedűs, ICCSA 2021",
    doi="10.1007/978-3-030-87013-3_5",
    run=run,
)
