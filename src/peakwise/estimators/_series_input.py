"""What is given along with a series: labels, the external variable, an order; and what looks odd about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import PatternsError
from peakwise.series import feature_rows, group, principal_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["about_label_order", "about_order", "about_values", "read_labels", "read_values", "told_labels"]

_UNLABELLED = ("", "-1", "nan", "none", "?")


def read_labels(y: Any, n: int) -> tuple[NDArray[np.intp], tuple[Any, ...], list[str]]:
    """Labels as numbers, -1 where there is none; what they are called; and what is odd about them."""
    none = np.full(n, -1, dtype=np.intp)
    if y is None:
        return none, (), []
    from sklearn.utils.validation import column_or_1d

    labels = column_or_1d(np.asarray(y, dtype=object), warn=True)
    if len(labels) != n:
        why = f"y must have a label or none for each of {n} patterns, got {len(labels)}"
        raise PatternsError("cannot look for transitions", why, "Give as many, None where it is not known")
    known = np.array([value is not None and str(value).strip().lower() not in _UNLABELLED for value in labels])
    texts = np.array([str(value) for value in labels])
    names, first = np.unique(texts[known], return_index=True)
    if names.size < 2:
        said = [] if names.size == 0 else [f"all labels are the same ({names[0]}): they cannot tell states apart"]
        return none, (), said
    order = np.argsort(first)
    rank = np.empty(names.size, dtype=np.intp)
    rank[order] = np.arange(names.size)
    codes = none.copy()
    codes[known] = rank[np.searchsorted(names, texts[known])]
    values = labels[known][first[order]]
    return codes, tuple(v.item() if isinstance(v, np.generic) else v for v in values), []


def told_labels(probabilities: NDArray[np.floating], codes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Probabilities of single patterns, with the labels that are known taken as nearly sure."""
    made = np.array(probabilities, dtype=np.float64)
    known = np.flatnonzero(codes >= 0)
    made[known] = 0.01 / max(1, made.shape[1] - 1)
    made[known, codes[known]] = 0.99
    return made


def read_values(patterns: Patterns, variable: str | None) -> NDArray[np.float64] | None:
    if variable is None:
        return None
    if variable not in patterns.meta:
        why = f"the patterns have no {variable!r}; they have {', '.join(map(str, patterns.meta)) or 'nothing'}"
        raise PatternsError("cannot use the variable", why, "Choose one of these")
    try:
        return np.asarray(patterns.meta[variable], dtype=np.float64)
    except (TypeError, ValueError) as problem:
        why = f"{variable!r} must hold numbers"
        raise PatternsError("cannot use the variable", why, "Choose one that does") from problem


def about_values(values: NDArray[np.float64]) -> list[str]:
    steps = np.abs(np.diff(values[np.isfinite(values)]))
    usual = float(np.median(steps)) if steps.size else 0.0
    said = []
    if usual > 0 and (steps > 5 * usual).any():
        said.append(
            f"the variable has a gap of {steps.max():.4g} where {usual:.4g} is usual: what changed in it is hidden"
        )
    if not np.isfinite(values).all():
        said.append(f"{int((~np.isfinite(values)).sum())} patterns have no value of the variable")
    return said


def about_order(patterns: Patterns) -> list[str]:
    """A warning where patterns fall into groups that do not follow each other."""
    if len(patterns) < 8:
        return []
    rows = principal_scores(feature_rows(patterns), 0.5)[:, :3]
    if not np.ptp(rows, axis=0).any():
        return []
    from peakwise.evaluation import silhouette

    labels = group(rows, 2, "kmeans")
    if min(np.bincount(labels, minlength=2)) < max(3, len(rows) // 10):
        return []
    changes = int(np.count_nonzero(np.diff(labels)))
    by_chance = 2 * np.prod(np.bincount(labels)) / len(labels)
    if changes > 0.5 * by_chance and silhouette(rows, labels) > 0.7:
        return ["the patterns fall into two groups, but not one after the other: is their order right?"]
    return []


def about_label_order(codes: NDArray[np.intp]) -> list[str]:
    """A warning where labels change about as often as in patterns without an order.

    >>> about_label_order(np.array([0, -1, 0, 0, 0, 1, 1, -1, 1, 1, 0, 0, 0, 0]))
    []
    >>> len(about_label_order(np.array([0, 1, 0, 1] * 3)))
    1
    """
    told = codes[codes >= 0]
    shares = np.bincount(told) / max(told.size, 1)
    by_chance = (told.size - 1) * (1 - float((shares**2).sum()))
    if told.size < 12 or np.count_nonzero(np.diff(told)) < 0.7 * by_chance:
        return []
    return ["the labels do not follow one after the other as in a series: each pattern is told by itself"]
