"""The nine labelled compression series together: a few labels drawn, answers judged on all other patterns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from peakwise.evaluation import precision_recall
from peakwise.studies._hed_data import LABELLED, read_series, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

    Mask = NDArray[np.bool_]
    Labels = NDArray[np.int64]

__all__ = ["FE", "FEO", "Score", "Suite", "draw_labels", "judge", "linear_answers", "nearest_answers", "read_suite"]

FE, FEO = LABELLED[:7], LABELLED[7:]
# Of 42 labels: 15 before, 5 during, 22 after. The thesis prints 15, 5 and 25, which are 45.
_PARTS = np.array([15, 5, 22]) / 42
_COMPONENTS = 32


@dataclass(frozen=True, eq=False)
class Suite:
    """Series, one after the other.

    Attributes
    ----------
    names : tuple of str
    patterns : tuple of Patterns
    rows : ndarray of shape (n, m)
        Square roots of the shares of each pattern, times one number that brings their mean square to 1.
    labels : ndarray of shape (n,)
        0, 1, 2: before, during, after.
    series : ndarray of shape (n,)
        Number of the series of each pattern.
    """

    names: tuple[str, ...]
    patterns: tuple[Patterns, ...]
    rows: NDArray[np.float32]
    labels: Labels
    series: NDArray[np.intp]

    @cached_property
    def places(self) -> dict[str, slice]:
        """Where each series stands among all."""
        ends = np.cumsum([0, *map(len, self.patterns)])
        return {name: slice(int(a), int(b)) for name, a, b in zip(self.names, ends, ends[1:], strict=False)}

    @cached_property
    def scores(self) -> NDArray[np.float64]:
        """Principal components of all rows, with or without a label, over one number."""
        centred = self.rows - self.rows.mean(axis=0)
        size, vectors = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
        found = centred @ vectors[:, np.argsort(size)[::-1][:_COMPONENTS]]
        return np.asarray(found / (found.std() or 1.0), dtype=np.float64)

    def among(self, names: Sequence[str]) -> Mask:
        """Which patterns belong to these series."""
        return np.isin(self.series, [self.names.index(name) for name in names])


def read_suite(points: int | None, *, names: Sequence[str] = LABELLED, random_state: int = 0) -> Suite:
    """Make the series; neighbours are summed until a pattern has about so many points."""
    patterns = tuple(read_series(name, random_state=random_state) for name in names)
    counts = [shorten(np.maximum(p.intensity, 0).astype(np.float64), points) for p in patterns]
    # The share, not a maximum of 1: the maximum of a noisy frame is that of its noise, and short exposures would
    # look like other samples.
    rows = np.concatenate([np.sqrt(c / c.sum(axis=1, keepdims=True)) for c in counts])
    labels = np.concatenate([np.asarray(p.meta["label"], dtype=np.int64) for p in patterns])
    series = np.repeat(np.arange(len(names)), [len(p) for p in patterns])
    return Suite(tuple(names), patterns, (rows * np.sqrt(rows.shape[1])).astype(np.float32), labels, series)


def draw_labels(suite: Suite, n: int, names: Sequence[str], *, random_state: int, parts: bool = True) -> Mask:
    """Draw patterns whose labels are told: at random within each state of each of these series.

    Parameters
    ----------
    suite : Suite
    n : int
        Labels in all; each state of each series gets at least one.
    names : sequence of str
        Series with labels.
    random_state : int
    parts : bool
        Whether states get the parts of the thesis (15, 5 and 22 of 42), or as they are frequent.

    Returns
    -------
    ndarray of shape (n_patterns,)
        True where the label is told.
    """
    rng = np.random.default_rng([random_state, 7])
    inside = suite.among(names)
    known = np.zeros(len(suite.labels), dtype=np.bool_)
    frequent = np.bincount(suite.labels[inside], minlength=3)
    groups = [
        [np.flatnonzero(inside & (suite.labels == state) & (suite.series == s)) for s in range(len(suite.names))]
        for state in range(3)
    ]
    groups = [[group for group in some if group.size] for some in groups]
    least = np.array([len(some) for some in groups])
    wanted = _shared(n, _PARTS if parts else frequent / frequent.sum(), least, frequent)
    for k, some in zip(wanted, groups, strict=True):
        sizes = np.array([group.size for group in some], dtype=np.int64)
        counts = _shared(int(k), sizes / max(sizes.sum(), 1), np.ones_like(sizes), sizes)
        for group, count in zip(some, counts, strict=True):
            known[rng.choice(group, int(count), replace=False)] = True
    return known


def _shared(n: int, parts: NDArray[np.float64], least: NDArray[np.int64], most: NDArray[np.int64]) -> NDArray[np.int64]:
    """Whole numbers of the sum n, as near to these parts of it as `least` and `most` allow."""
    count = np.clip(np.floor(parts * n), least, most).astype(np.int64)
    while count.sum() < min(n, most.sum()):
        count[np.argmax(np.where(count < most, parts * n - count, -np.inf))] += 1
    while count.sum() > max(n, least.sum()):
        count[np.argmin(np.where(count > least, parts * n - count, np.inf))] -= 1
    return count


class Score(NamedTuple):
    """How good answers are, in per cent, on the patterns whose labels were not told.

    Parameters
    ----------
    fe, feo : (float, float)
        Weighted precision and recall, averaged over the series of each sample.
    recall : tuple of float
        Of each series: the share of right answers.
    """

    fe: tuple[float, float]
    feo: tuple[float, float]
    recall: tuple[float, ...]


def judge(suite: Suite, known: Mask, answers: Labels) -> Score:
    """Precision and recall of answers (n_patterns,), series by series, then averaged over Fe and over FeO."""
    found = {}
    for name, place in suite.places.items():
        asked = ~known[place]
        told = precision_recall(suite.labels[place][asked], answers[place][asked])
        found[name] = (100 * told.precision, 100 * told.recall)

    def mean(names: Sequence[str]) -> tuple[float, float]:
        rows = [found[name] for name in names if name in found]
        return (float(np.mean([p for p, _ in rows])), float(np.mean([r for _, r in rows]))) if rows else (0.0, 0.0)

    return Score(mean(FE), mean(FEO), tuple(recall for _, recall in found.values()))


def linear_answers(suite: Suite, known: Mask) -> Labels:
    """32 principal components of all patterns, logistic regression on those with labels."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=10.0, max_iter=2000).fit(suite.scores[known], suite.labels[known])
    return np.asarray(model.predict(suite.scores), dtype=np.int64)


def nearest_answers(suite: Suite, known: Mask) -> Labels:
    """The label of the nearest pattern that has one."""
    rows = suite.rows[known]
    apart = (rows**2).sum(axis=1) - 2 * suite.rows @ rows.T
    return np.asarray(suite.labels[known][apart.argmin(axis=1)])
