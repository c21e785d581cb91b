"""What the studies of the (Mg,Fe)O series share: patterns to learn from, what answers say, a picture of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from peakwise.datasets.hed_suite import SAMPLES
from peakwise.evaluation import ambiguous_zone, classification_confidence, precision_recall
from peakwise.studies._hed_data import HedSeries, prepare, read_series
from peakwise.studies._pictures import figure_class

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = [
    "AROUND",
    "DIFFERENCES",
    "Known",
    "Told",
    "known_series",
    "linear_states",
    "noisy_copies",
    "states_figure",
    "tell_states",
    "timed",
    "unlabelled_states",
]

NAME = "MgFeO"
_EVERY, _FIRST = 10, 8  # frames that are labelled: 16 before and 15 after, as in the thesis
_COMPONENTS = 32  # of the linear model

# Columns that every table of states ends with.
AROUND = ("confidence", "boundary (frames)", "at [GPa]", "right where known")

DIFFERENCES = (
    "The measured series of the thesis is not public: this one is made from published cells and equations of state, "
    "with its number of frames, points and exposure. Its onset is put where the thesis speaks of the boundary; the "
    "transition goes on for 46 frames, and 'at' and 'right where known' (frames before the onset and after the end) "
    "can be told only because it is made."
)


class Known(NamedTuple):
    """The series, and what is true of it.

    Parameters
    ----------
    patterns : Patterns
        The counts.
    data : HedSeries
        The same, normalised.
    share : ndarray of shape (n,)
        How much of the sample is transformed.
    base : ndarray of shape (31,)
        Frames that are labelled: every tenth of those that are wholly before or wholly after.
    base_labels : ndarray of shape (31,)
        0 before, 1 after.
    """

    patterns: Patterns
    data: HedSeries
    share: NDArray[np.float64]
    base: NDArray[np.intp]
    base_labels: NDArray[np.int64]


class Told(NamedTuple):
    """What states say: see `AROUND`, and the place of the boundary for arithmetic (None: there is none)."""

    confidence: float
    boundary: str
    pressure: Any
    right: float
    place: float | None

    def cells(self) -> tuple[Any, ...]:
        """The last cells of a row of a table."""
        return tuple(self[:4])


def known_series(*, points: int | None = None, random_state: int = 0) -> Known:
    """Make the (Mg,Fe)O series and choose the patterns that an expert would label."""
    patterns = read_series(NAME, random_state=random_state)
    data = prepare(patterns, points)
    share = np.asarray(SAMPLES[NAME].transition.fraction(data.pressures), dtype=np.float64)
    tenth = np.arange(_FIRST, len(share), _EVERY)
    base = tenth[(share[tenth] == 0) | (share[tenth] == 1)]
    return Known(patterns, data, share, base, share[base].astype(np.int64))


def noisy_copies(rows: NDArray[np.float32], copies: int, sigma: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """The rows, then so many noisy copies of each: ((copies + 1) * n, m), all rows once before each again.

    >>> noisy_copies(np.zeros((2, 3), np.float32), 4, 0.1, np.random.default_rng(0)).shape
    (10, 3)
    """
    again = np.tile(rows, (copies + 1, 1))
    again[len(rows) :] += sigma * rng.standard_normal((copies * len(rows), rows.shape[1]), dtype=np.float32)
    return again


def tell_states(states: NDArray[Any], known: Known) -> Told:
    """How clear the states are, where they change, and how many frames of a known state are right.

    States have no names without labels: each counts as what most of its frames are.
    """
    states = np.asarray(states)
    confidence, right = classification_confidence(states), _right(states, known)
    zone = np.flatnonzero(ambiguous_zone(states))
    cuts = np.flatnonzero(states[1:] != states[:-1])
    if not cuts.size:
        return Told(confidence, "none", "", right, None)
    if zone.size:
        text, place = f"{zone[0]} to {zone[-1]}", float(zone[0] + zone[-1]) / 2
    else:
        text, place = ", ".join(f"({c}, {c + 1})" for c in cuts), float(cuts.mean()) + 0.5
    pressure = float(np.interp(place, np.arange(len(states)), known.data.pressures))
    return Told(confidence, text, round(pressure, 1), right, place)


def _right(states: NDArray[Any], known: Known) -> float:
    certain = (known.share == 0) | (known.share == 1)
    truth, asked = known.share[certain].astype(int), states[certain]
    answers = np.zeros_like(truth)
    for state in np.unique(asked):
        answers[asked == state] = np.bincount(truth[asked == state]).argmax()
    return precision_recall(truth, answers).recall


def timed(work: Callable[[], NDArray[Any]]) -> tuple[NDArray[Any], float]:
    """What it gives, and how long that took [s]."""
    start = time.monotonic()
    made = work()
    return made, time.monotonic() - start


def linear_states(
    rows: NDArray[np.float32], labels: NDArray[np.int64], asked: NDArray[np.float32], seed: int
) -> NDArray[Any]:
    """The simple way: principal components and logistic regression."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    n = min(_COMPONENTS, len(rows) - 1, rows.shape[1])
    model = make_pipeline(PCA(n, svd_solver="randomized", random_state=seed), LogisticRegression(max_iter=1000))
    return np.asarray(model.fit(rows, labels).predict(asked))


def unlabelled_states(known: Known) -> NDArray[Any]:
    """Our detector, without labels and without being told how many states there are."""
    from peakwise.estimators import TransitionDetector

    return np.asarray(TransitionDetector().fit(known.patterns).states_)


def states_figure(rows: Mapping[str, NDArray[Any]], known: Known, title: str) -> Figure:
    """Draw the states of every method, frame by frame, below the truth; numbers between 0 and 1 are shades."""
    drawn = figure_class()
    shown = {"share transformed (true)": known.share, **{k: _like_truth(v, known) for k, v in rows.items()}}
    figure: Figure = drawn(figsize=(7.0, 0.9 + 0.24 * len(shown)), layout="constrained")
    panel = figure.subplots()
    # Blue and orange keep apart for all kinds of colour vision.
    picture = panel.imshow(
        np.array(list(shown.values())), aspect="auto", interpolation="nearest", cmap="PuOr_r", vmin=0, vmax=1
    )
    panel.set_yticks(range(len(shown)), list(shown), fontsize=7)
    panel.set(xlabel="frame", title=title)
    figure.colorbar(picture, ax=panel, label="state")
    return figure


def _like_truth(states: NDArray[Any], known: Known) -> NDArray[np.float64]:
    """States from 0 to 1, so that those of the end are nearer to 1."""
    values = np.asarray(states, dtype=np.float64) / max(1.0, float(np.max(states)))
    certain = known.share == 1
    return np.asarray(values if values[certain].mean() >= values[known.share == 0].mean() else 1 - values)
