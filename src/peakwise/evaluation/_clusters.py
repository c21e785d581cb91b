"""How well groups are parted, and how much two divisions into groups agree."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from peakwise.evaluation._arguments import numbers, refuse, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["MutualInformation", "as_classes", "mutual_information", "silhouette"]

_AT_ONCE = 2**22  # distances held in memory


class MutualInformation(NamedTuple):
    """What `mutual_information` finds.

    Parameters
    ----------
    plain : float
        I of both divisions [nat].
    normalised : float
        I over the mean of both entropies: 0 to 1. It rises with the number of groups even where they are random.
    adjusted : float
        The same less what random divisions with groups of these sizes share: 0 for random ones, 1 for the same.
    """

    plain: float
    normalised: float
    adjusted: float


def as_classes(name: str, values: ArrayLike | Sequence[object]) -> tuple[NDArray[np.intp], list[object]]:
    """Return labels of any kind as numbers from 0 on, and what they stand for, sorted."""
    made = np.asarray(values)
    if made.ndim != 1 or made.size == 0:
        must = "one label for each pattern"
        raise refuse(name, must, f"the shape {made.shape}", "Give a list of labels")
    if made.dtype.kind == "f" and np.isnan(made).any():
        raise refuse(name, "labels", f"{int(np.isnan(made).sum())} NaN", "Leave out what has no label")
    if made.dtype.kind == "O":
        made = made.astype(str)
    found, codes = np.unique(made, return_inverse=True)
    return np.asarray(codes.reshape(-1), dtype=np.intp), found.tolist()


def silhouette(features: ArrayLike, labels: ArrayLike | Sequence[object]) -> float:
    """Return how much nearer samples lie to their own group than to the next: -1 to 1.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Of each pattern; distances are Euclidean.
    labels : array-like of shape (n,)
        Group of each pattern: 2 to n - 1 groups.

    Notes
    -----
    The mean of (b - a) / max(a, b), with a the mean distance to the others of the own group and b the smallest mean
    distance to another group; 0 where a group has one member: P. J. Rousseeuw, J. Comput. Appl. Math. 20 (1987) 53,
    doi:10.1016/0377-0427(87)90125-7.

    Examples
    --------
    >>> round(silhouette([[0, 0], [0, 1], [9, 0], [9, 1]], ["bcc", "bcc", "hcp", "hcp"]), 3)
    0.889
    """
    x = numbers("features", features, ndim=(2,), finite=True)
    codes, names = as_classes("labels", labels)
    n, k = len(x), len(names)
    if codes.size != n:
        raise refuse("labels", f"{n}, one for each row of features", codes.size, "Give a label for each")
    if not 2 <= k < n:
        raise refuse("labels", f"of 2 to {n - 1} groups", f"{k}", "Nothing is parted in one group, or in as many")
    sizes = np.bincount(codes, minlength=k)
    group = np.zeros((n, k))
    group[np.arange(n), codes] = 1.0
    square = (x * x).sum(axis=1)
    score = np.zeros(n)
    for start in range(0, n, max(_AT_ONCE // n, 1)):
        rows = slice(start, start + max(_AT_ONCE // n, 1))
        far = np.sqrt(np.maximum(square[rows, None] + square[None] - 2 * x[rows] @ x.T, 0.0))
        far[np.arange(len(far)), np.arange(start, start + len(far))] = 0.0
        total, own = far @ group, codes[rows]
        here = np.arange(len(far))
        inside = total[here, own] / np.maximum(sizes[own] - 1, 1)
        others = total / sizes
        others[here, own] = np.inf
        outside = others.min(axis=1)
        widest = np.maximum(inside, outside)
        part = np.divide(outside - inside, widest, out=np.zeros_like(widest), where=widest > 0)
        score[rows] = np.where(sizes[own] > 1, part, 0.0)
    return float(score.mean())


def mutual_information(truth: ArrayLike | Sequence[object], answers: ArrayLike | Sequence[object]) -> MutualInformation:
    """Return how much one division into groups says about another, whatever the groups are called.

    Parameters
    ----------
    truth, answers : array-like of shape (n,)
        Group of each pattern.

    Notes
    -----
    Entropies are averaged arithmetically. What random divisions share is the exact expectation of the hypergeometric
    model: N. X. Vinh, J. Epps and J. Bailey, J. Mach. Learn. Res. 11 (2010) 2837. Two divisions that are both one
    group agree: 1.

    Examples
    --------
    >>> mutual_information(["bcc", "bcc", "hcp", "hcp"], [1, 1, 0, 0]).adjusted
    1.0
    >>> mutual_information([0, 0, 1, 1], [0, 1, 0, 1]).normalised
    0.0
    """
    (a, names_a), (b, names_b) = as_classes("truth", truth), as_classes("answers", answers)
    if a.size != b.size:
        raise refuse("answers", f"{a.size}, one for each truth", b.size, "Give one for each pattern")
    n = a.size
    table = np.zeros((len(names_a), len(names_b)), dtype=np.int64)
    np.add.at(table, (a, b), 1)
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    if 1 == len(rows) == len(columns) or len(rows) == len(columns) == n:
        return MutualInformation(_entropy(rows), 1.0, 1.0)
    i, j = np.nonzero(table)
    c = table[i, j]
    shared = max(float((c / n * np.log(c * n / (rows[i] * columns[j]))).sum()), 0.0)
    mean = (_entropy(rows) + _entropy(columns)) / 2
    chance = _expected(rows, columns)
    # Rounding alone must not leave a trace above 1 where both are the same.
    adjusted = (shared - chance) / (mean - chance) if abs(mean - chance) > 1e-12 else 0.0
    return MutualInformation(shared, _tidy(shared / mean), _tidy(adjusted))


def _tidy(value: float) -> float:
    """The nearest of 0 and 1 where only rounding lies between."""
    return float(round(value)) if abs(value - round(value)) < 1e-12 else value


def _entropy(sizes: NDArray[np.int64]) -> float:
    share = sizes[sizes > 0] / sizes.sum()
    return max(float(-(share * np.log(share)).sum()), 0.0)


def _expected(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> float:
    """Mean mutual information of random divisions with these sizes."""
    from scipy.special import gammaln

    n = whole("number of patterns", int(rows.sum()), least=1)
    total, pairs = 0.0, np.unique(np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2), axis=0)
    count_a, count_b = np.bincount(rows), np.bincount(columns)
    for a, b in pairs.tolist():
        c = np.arange(max(1, a + b - n), min(a, b) + 1)
        chance = (
            gammaln(a + 1) + gammaln(b + 1) + gammaln(n - a + 1) + gammaln(n - b + 1) - gammaln(n + 1)
            - gammaln(c + 1) - gammaln(a - c + 1) - gammaln(b - c + 1) - gammaln(n - a - b + c + 1)
        )  # fmt: skip
        part = c / n * (np.log(c) + log(n) - log(a) - log(b)) * np.exp(chance)
        total += float(part.sum()) * int(count_a[a]) * int(count_b[b])
    return total
