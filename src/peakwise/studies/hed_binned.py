"""Where did a compression series change, with four labels? Points of the plane that vote in bins of the axis."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from peakwise.studies._hed_states import (
    DIFFERENCES,
    Known,
    Told,
    known_series,
    linear_states,
    noisy_copies,
    states_figure,
    tell_states,
    timed,
    unlabelled_states,
)
from peakwise.studies._hed_training import thread_limit
from peakwise.studies._pictures import save_figures
from peakwise.studies._study import Outcome, Request, Study, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["HED_BINNED", "Settings", "run"]

VOTES, LEARNED = "votes of points, weighed by believability", "weights of the bins learned end to end"
# Section 4.2; figure 4.6 shows confidence that rises with the number of bins. Section 5.3.2: 100 % in the end, and
# about 20 s on a Tesla P100 with 15 or 16 bins.
PUBLISHED: dict[str, list[tuple[Any, ...]]] = {VOTES: [(18, 0.98854)], LEARNED: [("15 or 16", 1.0, "", "", "", 20.0)]}

_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """All options of the study.

    Attributes
    ----------
    bins : tuple of int
        Numbers of bins.
    draws : int
        How often four labelled patterns are drawn, two from each state.
    points : int or None
        About so many points a pattern; None: all 4023.
    sigma : float
        Noise of the copies, where 1 is the standard deviation of the whole normalised series.
    vote_copies, learned_copies : int
        Noisy copies of each of the four.
    epochs : int
        The thesis has 700 and 550, with all patterns in one step.
    batch : int
        Patterns in one step.
    learning_rate : float
    seconds : float or None
        Most time [s] of one training; None: as long as its epochs take.
    """

    bins: tuple[int, ...] = (1, 5, 11, 15, 18, 24, 29)
    draws: int = 3
    points: int | None = 1000
    sigma: float = 0.2
    vote_copies: int = 10
    learned_copies: int = 15
    epochs: int = 40
    batch: int = 11
    learning_rate: float = 1e-2
    seconds: float | None = None


QUICK = Settings(bins=(1, 18), draws=2, points=400, epochs=25)


class _Found(NamedTuple):
    told: Told
    states: NDArray[Any]
    best: float
    seconds: float
    cores: float


def run(request: Request) -> Outcome:
    """Repeat the study: see `Settings` for what it does."""
    settings = QUICK if request.quick else Settings()
    if request.minutes is not None:
        trainings = 2 * settings.draws * len(settings.bins)
        settings = replace(settings, seconds=60 * request.minutes / trainings)
    request.tell("making the series", 0.0)
    known = known_series(points=settings.points, random_state=request.seed)
    draws = _draw(known, settings.draws, request.seed)
    found: dict[str, dict[int, list[_Found]]] = {VOTES: {}, LEARNED: {}}
    with thread_limit(request.threads):
        for i, bins in enumerate(settings.bins):
            for way, made in found.items():
                request.tell(f"{bins} bins: {way}", 0.1 + 0.8 * (i + 0.5 * (way == LEARNED)) / len(settings.bins))
                made[bins] = [_train(way, bins, four, known, settings, request) for four in draws]
    request.tell("what is simpler", 0.92)
    linear = [_linear(four, known, settings, request.seed) for four in draws]
    detector, seconds = timed(lambda: unlabelled_states(known))
    alone = [_Found(tell_states(detector, known), detector, float("nan"), seconds, float("nan"))]
    simple = {"PCA + logistic regression, the same four": linear, "peakwise transitions, no labels": alone}
    tables = [_table(way, {**made, **simple}, settings.draws) for way, made in found.items()]
    shown = {f"{n} bins, {way.split()[0]}": r[0].states for way, made in found.items() for n, r in made.items()}
    shown |= {name: results[0].states for name, results in simple.items()}
    figures = {"hed_binned_states": states_figure(shown, known, "Four labelled patterns, first draw")}
    return Outcome(tables, save_figures(figures, request), _warnings(found, linear), asdict(settings))


def _draw(known: Known, n: int, seed: int) -> list[NDArray[np.intp]]:
    """Rows of `known.base`: two of each state, several times."""
    rng = np.random.default_rng([seed, 7])
    places = [np.flatnonzero(known.base_labels == state) for state in (0, 1)]
    return [np.concatenate([np.sort(rng.choice(p, 2, replace=False)) for p in places]) for _ in range(n)]


def _learn_from(
    four: NDArray[np.intp], copies: int, known: Known, sigma: float, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    rng = np.random.default_rng([seed, 8])
    rows = noisy_copies(known.data.rows[known.base[four]], copies, sigma, rng)
    return rows, np.tile(known.base_labels[four], copies + 1)


def _train(way: str, bins: int, four: NDArray[np.intp], known: Known, settings: Settings, request: Request) -> _Found:
    import torch

    from peakwise.networks import build_encoder, seeded
    from peakwise.objectives import BinnedVotes, SingleLabel
    from peakwise.training import ArrayBatches, train

    copies = settings.vote_copies if way == VOTES else settings.learned_copies
    rows, labels = _learn_from(four, copies, known, settings.sigma, request.seed)
    network = "binned_points" if way == VOTES else "binned_fcnn"
    with seeded(request.seed):
        encoder = build_encoder(network, rows.shape[1], {"n_bins": bins})
        objective = BinnedVotes(encoder, 2) if way == VOTES else SingleLabel(encoder, 2)
    start, cores = time.monotonic(), time.process_time()
    train(
        objective, ArrayBatches({"intensity": rows, "label": labels}, settings.batch, random_state=request.seed),
        epochs=settings.epochs, seconds=settings.seconds, learning_rate=settings.learning_rate, device=request.device,
        random_state=request.seed,
    )  # fmt: skip
    where = next(objective.parameters()).device
    best = float("nan")
    if isinstance(objective, BinnedVotes):
        objective.weigh(torch.from_numpy(rows).to(where), torch.from_numpy(labels).to(where))
        best = float(objective.separability.max())
    took, cores = time.monotonic() - start, time.process_time() - cores
    answer = objective.predict(torch.from_numpy(known.data.rows).to(where), _AT_ONCE)
    states = answer.argmax(dim=1).cpu().numpy()
    return _Found(tell_states(states, known), states, best, took, cores)


def _linear(four: NDArray[np.intp], known: Known, settings: Settings, seed: int) -> _Found:
    rows, labels = _learn_from(four, settings.vote_copies, known, settings.sigma, seed)
    cores = time.process_time()
    states, seconds = timed(lambda: linear_states(rows, labels, known.data.rows, seed))
    return _Found(tell_states(states, known), states, float("nan"), seconds, time.process_time() - cores)


def _table(way: str, found: dict[Any, list[_Found]], draws: int) -> Table:
    columns = (
        "bins", "confidence, mean", "lowest", "boundary (frames) of each draw", "right where known, mean",
        "training [s]", "of a core [s]", "separability of the best bin",
    )  # fmt: skip
    rows = [
        (
            name, _mean([r.told.confidence for r in results]), min(r.told.confidence for r in results),
            "; ".join(r.told.boundary for r in results), _mean([r.told.right for r in results]),
            _mean([r.seconds for r in results]), _mean([r.cores for r in results]), _mean([r.best for r in results]),
        )
        for name, results in found.items()
    ]  # fmt: skip
    told = [tuple("" if isinstance(x, float) and np.isnan(x) else x for x in row) for row in rows]
    published = [(*row, *[""] * (len(columns) - len(row))) for row in PUBLISHED[way]]
    return Table(f"{way[0].upper()}{way[1:]}: {draws} draws of four patterns", columns, told, published)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _warnings(found: dict[str, dict[int, list[_Found]]], linear: list[_Found]) -> list[str]:
    said = [
        DIFFERENCES,
        (
            "four patterns are drawn several times (the thesis: once), patterns are shortened, noise and epochs are "
            "chosen here, no early stop; intensities are normalised (see the documentation) and not only freed of "
            "their background"
        ),
    ]
    best = max(_mean([r.told.confidence for r in rs]) for made in found.values() for rs in made.values())
    right = max(_mean([r.told.right for r in rs]) for made in found.values() for rs in made.values())
    ours, theirs = _mean([r.told.confidence for r in linear]), _mean([r.told.right for r in linear])
    if ours >= best and theirs >= right:
        said.append(
            "no number of bins is better than PCA + logistic regression on the same four patterns, which is as sure "
            f"({100 * ours:.1f} %) and as right ({100 * theirs:.1f} %)"
        )
    return said


HED_BINNED = Study(
    name="hed-binned",
    title="Where did a compression series change, with four labels? (points that vote in bins)",
    citation="Y. Sun, S. Brockhauser, Data Sci. J. 21 (2022) 15; Y. Sun, PhD thesis (2023), chapters 4 and 5",
    doi="10.5334/dsj-2022-015",
    run=run,
)
