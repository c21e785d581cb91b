"""Answers that are one state a pattern: against labels, and, where there are none, against their order in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from peakwise.evaluation._arguments import refuse, whole
from peakwise.evaluation._clusters import as_classes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["LabelScores", "ambiguous_zone", "classification_confidence", "precision_recall"]


class LabelScores(NamedTuple):
    """What `precision_recall` counts; the means weigh each class by how often it is true.

    Parameters
    ----------
    precision, recall, f1 : float
        Weighted means over the classes. The weighted recall is the share of right answers.
    classes : tuple
        All that are true or answered, sorted.
    per_class : tuple of (precision, recall, f1, n_true)
    """

    precision: float
    recall: float
    f1: float
    classes: tuple[object, ...]
    per_class: tuple[tuple[float, float, float, int], ...]


def precision_recall(truth: ArrayLike | Sequence[object], answers: ArrayLike | Sequence[object]) -> LabelScores:
    """Return precision and recall of labels, weighted by how often each is true.

    A class that is never answered has a precision of 0, one that is never true a recall of 0.

    Parameters
    ----------
    truth, answers : array-like of shape (n,)
        Labels: numbers, or names.

    Examples
    --------
    >>> scores = precision_recall(["bcc", "bcc", "bcc", "hcp"], ["bcc", "bcc", "hcp", "hcp"])
    >>> scores.precision, scores.recall
    (0.875, 0.75)
    """
    one, other = np.asarray(truth), np.asarray(answers)
    (_, names_a), (_, names_b) = as_classes("truth", one), as_classes("answers", other)
    if one.size != other.size:
        raise refuse("answers", f"{one.size}, one for each truth", other.size, "Give one for each pattern")
    if (one.dtype.kind in "UO") != (other.dtype.kind in "UO"):
        raise refuse("answers", f"labels like those of truth ({names_a[0]!r})", repr(names_b[0]), "Use the same names")
    codes, classes = as_classes("truth", np.concatenate([one, other]))
    a, b, k = codes[: one.size], codes[one.size :], len(classes)
    n_true, n_said = np.bincount(a, minlength=k), np.bincount(b, minlength=k)
    hit = np.bincount(a[a == b], minlength=k)
    precision, recall = hit / np.maximum(n_said, 1), hit / np.maximum(n_true, 1)
    f1 = 2 * hit / (n_true + n_said)
    weight = n_true / one.size
    per_class = tuple(
        (float(p), float(r), float(f), int(n)) for p, r, f, n in zip(precision, recall, f1, n_true, strict=True)
    )
    means = [float(weight @ v) for v in (precision, recall, f1)]
    return LabelScores(means[0], means[1], means[2], tuple(classes), per_class)


def ambiguous_zone(states: ArrayLike | Sequence[object]) -> NDArray[np.bool_]:
    """Return for each pattern of a series whether its state contradicts the order of the states.

    Parameters
    ----------
    states : array-like of shape (n,)
        State of each pattern, in the order of the series.

    Notes
    -----
    States are put in the order of their median places. Between two that follow each other, the zone reaches from the
    first pattern that is already in the later one (or beyond) to the last that is still in the earlier one (or before);
    it is empty where the boundary is clear.

    Examples
    --------
    >>> ambiguous_zone([0, 0, 0, 1, 0, 1, 1, 1]).astype(int)
    array([0, 0, 0, 1, 1, 0, 0, 0])
    """
    codes, names = as_classes("states", states)
    places = [float(np.median(np.flatnonzero(codes == k))) for k in range(len(names))]
    rank = np.argsort(np.argsort(places, kind="stable"))[codes]
    zone = np.zeros(codes.size, dtype=np.bool_)
    for k in range(len(names) - 1):
        first, last = int(np.flatnonzero(rank > k)[0]), int(np.flatnonzero(rank <= k)[-1])
        zone[first : last + 1] = True
    return zone


def classification_confidence(states: ArrayLike | Sequence[object], *, asked: int = 2) -> float:
    """Return the share of a series that lies outside ambiguous zones: where no labels say what is right.

    Parameters
    ----------
    states : array-like of shape (n,)
        State of each pattern, in the order of the series.
    asked : int
        How many states were looked for. Where two or more were and all patterns are in one, the confidence is 0.

    Notes
    -----
    1 - N_f / N_t with N_f patterns in the ambiguous region: Y. Sun, PhD thesis, University of Szeged (2023),
    equation 3.1. There the region is shown in a drawing, for two states; `ambiguous_zone` is that for any number.

    Examples
    --------
    >>> round(classification_confidence([0] * 8 + [0, 0, 1, 0, 1, 0, 0, 1] + [1] * 8), 4)
    0.7917
    >>> classification_confidence([0] * 24), classification_confidence([0] * 24, asked=1)
    (0.0, 1.0)
    """
    asked = whole("asked", asked, least=1)
    zone = ambiguous_zone(states)
    if asked > 1 and len(as_classes("states", states)[1]) == 1:
        return 0.0
    return 1.0 - float(zone.sum()) / zone.size
