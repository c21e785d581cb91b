"""Where did a compression series change, with 31 labels? Seven networks, and what is simpler."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from peakwise.studies._hed_states import (
    AROUND,
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
from peakwise.studies._hed_training import network_states, thread_limit
from peakwise.studies._pictures import save_figures
from peakwise.studies._study import Outcome, Request, Study, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HED_SUPERVISED", "Plan", "Settings", "run"]

# Table 5.1: parameters, training time [s] on a Tesla P100, epochs, boundary. Memory (0 to 7.1 GB) is not compared.
PUBLISHED = {
    "fcnn": (1_204_335, 1.576, 300, "(188, 189)"),
    "sun_cnn": (23_307, 0.753, 5, "(173, 174)"),
    "multi_scale": (2_354_535, 8.208, 6, "(178, 179)"),
    "lstm": (6_273_391, 0.463, 25, "(175, 176)"),
    "transformer": (1_830_511, 0.449, 30, "(185, 186)"),
    "conv_sct": (1_953_353, 1.269, 5, "(188, 189)"),
    "conv_sc": (659_525, 1.652, 8, "(182, 183)"),
}
PUBLISHED_SPREAD = 15  # frames: (188 - 173) / 349 = 4.3 %
LINEAR = "PCA (32) + logistic regression"
DETECTOR = "peakwise transitions, no labels"


class Plan(NamedTuple):
    """How one network is trained: patterns seen, patterns (or sequences of 31) a batch, learning rate."""

    patterns: int
    batch: int
    learning_rate: float = 2e-3


# As many patterns as a network learns from within 30 s on two cores, and no more than five times all.
PLANS = {
    "fcnn": Plan(7905, 32),
    "sun_cnn": Plan(3162, 32),
    "multi_scale": Plan(400, 8),
    "lstm": Plan(4743, 4),
    "transformer": Plan(7905, 4),
    "conv_sct": Plan(3162, 2),
    "conv_sc": Plan(3162, 32),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """All options of the study.

    Attributes
    ----------
    copies : int
        Noisy copies of each of the 31 labelled patterns.
    sigma : float
        Their noise, where 1 is the standard deviation of the whole normalised series. The series itself has 0.07.
        Eight points summed, as in the quick form, have a root of eight less.
    plans : dict
        How each network is trained.
    points : int or None
        About so many points a pattern; None: all 4023.
    seconds : float or None
        Most time [s] to train a network; None: as long as its plan takes.
    """

    copies: int = 50
    sigma: float = 1.4
    plans: dict[str, Plan] = field(default_factory=lambda: dict(PLANS))
    points: int | None = None
    seconds: float | None = None


QUICK = Settings(
    copies=20,
    sigma=0.5,
    points=500,
    plans={name: plan._replace(patterns=min(plan.patterns, 1302)) for name, plan in PLANS.items()},
)


class _Row(NamedTuple):
    parameters: Any
    seconds: float
    cores: float
    epochs: Any
    told: Told
    shown: NDArray[Any]


def run(request: Request) -> Outcome:
    """Repeat the study: see `Settings` for what it does."""
    settings = QUICK if request.quick else Settings()
    if request.minutes is not None:
        settings = replace(settings, seconds=60 * request.minutes / len(settings.plans))
    request.tell("making the series", 0.0)
    known = known_series(points=settings.points, random_state=request.seed)
    rng = np.random.default_rng([request.seed, 5])
    rows = noisy_copies(known.data.rows[known.base], settings.copies, settings.sigma, rng)
    labels = np.tile(known.base_labels, settings.copies + 1)
    found: dict[str, _Row] = {}
    histories = {}
    with thread_limit(request.threads):
        for i, (name, plan) in enumerate(settings.plans.items()):
            request.tell(f"training {name}", 0.1 + 0.8 * i / len(settings.plans))
            trained = network_states(
                name, rows, labels, known.data.rows, n_base=len(known.base), patterns=plan.patterns, batch=plan.batch,
                learning_rate=plan.learning_rate, seconds=settings.seconds, seed=request.seed, device=request.device,
            )  # fmt: skip
            histories[name] = trained.history
            told = tell_states((trained.probability > 0.5).astype(int), known)
            found[name] = _Row(
                trained.parameters, trained.seconds, trained.cores, round(trained.patterns / len(rows), 1), told,
                trained.probability,
            )  # fmt: skip
    request.tell("what is simpler", 0.92)
    found[LINEAR] = _simple(lambda: linear_states(rows, labels, known.data.rows, request.seed), known)
    found[DETECTOR] = _simple(lambda: unlabelled_states(known), known)
    tables = [_networks(found), _spread(found, known)]
    return Outcome(tables, _figures(found, histories, known, request), _warnings(found), _told(settings))


def _simple(work: Any, known: Known) -> _Row:
    start = time.process_time()
    states, seconds = timed(work)
    return _Row("", seconds, time.process_time() - start, "", tell_states(states, known), states)


def _networks(found: dict[str, _Row]) -> Table:
    columns = ("network", "parameters", "training [s]", "of a core [s]", "epochs", *AROUND)
    rows = [(name, r.parameters, r.seconds, r.cores, r.epochs, *r.told.cells()) for name, r in found.items()]
    published = [(name, n, t, "", epochs, 1.0, cut, "", "") for name, (n, t, epochs, cut) in PUBLISHED.items()]
    return Table("Seven networks on the (Mg,Fe)O series, 31 labels", columns, rows, published)


def _spread(found: dict[str, _Row], known: Known) -> Table:
    n = len(known.share)
    places = [found[name].told.place for name in PUBLISHED if name in found]
    real = [p for p in places if p is not None]
    sure = sum(found[name].told.confidence == 1 for name in PUBLISHED if name in found)
    frames = int(max(real) - min(real)) if real else 0
    columns = ("what", "networks with 100 % confidence", "boundaries differ by [frames]", "share of the series [%]")
    ours = ("the seven networks", f"{sure} of {len(places)}", frames, round(100 * frames / n, 1))
    theirs = ("the seven networks", "7 of 7", PUBLISHED_SPREAD, 4.3)
    return Table("How well the networks agree", columns, [ours], [theirs])


def _warnings(found: dict[str, _Row]) -> list[str]:
    networks = [found[name] for name in PUBLISHED if name in found]
    linear = found[LINEAR]
    said = [
        DIFFERENCES,
        (
            "trained on a CPU for a few epochs with AdamW, warm-up and cosine (the thesis: Adam on a GPU); two outputs "
            "instead of one, whose parameters are counted as one; sequences are 31 labelled patterns in order from a "
            "random part of the series, where the thesis always shows all 31, and the place in the sequence tells the "
            "state"
        ),
    ]
    as_sure = linear.told.confidence >= max(r.told.confidence for r in networks)
    if as_sure and linear.told.right >= max(r.told.right for r in networks):
        places = [r.told.place for r in networks if r.told.place is not None]
        inside = linear.told.place is not None and min(places) <= linear.told.place <= max(places)
        said.append(
            f"no network is better than {LINEAR}, which is as sure and as right"
            f"{', puts the boundary among theirs' if inside else ''} and took {linear.seconds:.2g} s"
        )
    return said


def _figures(found: dict[str, _Row], histories: dict[str, Any], known: Known, request: Request) -> Any:
    from peakwise.report import confusion_matrix_figure, training_curves_figure

    certain = (known.share == 0) | (known.share == 1)
    matrix = np.zeros((2, 2))
    for name in histories:
        answers = (found[name].shown[certain] > 0.5).astype(int)
        np.add.at(matrix, (known.share[certain].astype(int), answers), 1)
    return save_figures(
        {
            "hed_supervised_states": states_figure(
                {name: r.shown for name, r in found.items()}, known, "Probability of the second state"
            ),
            "hed_supervised_training": training_curves_figure(histories, x="seconds"),
            "hed_supervised_confusion": confusion_matrix_figure(
                matrix, ["before", "after"], title="All networks, frames of a known state"
            ),
        },
        request,
    )


def _told(settings: Settings) -> dict[str, Any]:
    plans = {name: plan._asdict() for name, plan in settings.plans.items()}
    return {
        "copies": settings.copies, "sigma": settings.sigma, "points": settings.points, "seconds": settings.seconds,
        "plans": plans,
    }  # fmt: skip


HED_SUPERVISED = Study(
    name="hed-supervised",
    title="Where did a compression series change, with 31 labels? (seven networks)",
    citation="Y. Sun, S. Brockhauser, P. Hegedűs, Appl. Sci. 11 (2021) 11520; Y. Sun, PhD thesis (2023), chapter 5",
    doi="10.3390/app112311520",
    run=run,
)
