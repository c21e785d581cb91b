"""Where to measure next: places ranked by a Gaussian process on the scores of those already measured."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.wafers._given import count, member, rows_of, size

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["STRATEGIES", "Suggestions", "suggest"]

_WHAT = "cannot suggest where to measure"
STRATEGIES = ("novelty", "uncertainty", "exploration")
_MOST_LEARNED = 1500  # measured places that the process learns from: its time grows with their cube
_FEWEST_LEARNED = 4  # below, lengths cannot be learned and are taken as a fifth of the range
_LENGTH = 0.2
_SAME = 1e-6  # of the range: places that are one place
_AT_ONCE = 1 << 22  # numbers of a block of covariances


@dataclass(frozen=True, slots=True, eq=False)
class Suggestions:
    """What `suggest` answers, the most wanted place first.

    Attributes
    ----------
    index : ndarray of shape (n,)
        Rows of the grid.
    where : ndarray of shape (n, d)
        These places.
    value : ndarray of shape (n,)
        What the strategy ranks by, at the time of each choice.
    mean, std : ndarray of shape (n,)
        Expected score there and its uncertainty, before any of them is measured.
    why : tuple of str
        One phrase for each.
    warnings : tuple of str
        What was assumed.
    """

    index: NDArray[np.intp]
    where: NDArray[np.float64]
    value: NDArray[np.float64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    why: tuple[str, ...]
    warnings: tuple[str, ...]


def suggest(
    n: int,
    where: ArrayLike,
    score: ArrayLike,
    grid: ArrayLike,
    *,
    strategy: str = "exploration",
    exploration: float = 2.0,
    random_state: int = 0,
) -> Suggestions:
    r"""Rank where to measure next.

    Parameters
    ----------
    n : int
        Places that are wanted; fewer come back where the grid has fewer left.
    where : array-like of shape (m, d)
        Places measured so far: positions, or compositions as fractions. May be empty: ``numpy.empty((0, d))``.
    score : array-like of shape (m,)
        What was found there: a novelty score, a reconstruction error. NaN where a measurement failed: that place is not
        suggested again, and nothing is learned from it.
    grid : array-like of shape (g, d)
        Places that can be measured.
    strategy : {"novelty", "uncertainty", "exploration"}
        - ``novelty``: where the highest score is expected;
        - ``uncertainty``: where least is known;
        - ``exploration``: both, the mean and `exploration` times the uncertainty (upper confidence bound).
    exploration : float
        See above.
    random_state : int
        Of the starts from which lengths are learned, and of the draw where there are more than 1500 places.

    Returns
    -------
    Suggestions

    Notes
    -----
    The process has a Matérn kernel (5/2) of one length, and noise; both are learned by maximum likelihood. The n places
    are chosen together: after each choice its expected score is believed (kriging believer: D. Ginsbourger et al.,
    doi:10.1007/978-3-642-10701-6_6), which leaves the mean as it is and makes its surroundings less uncertain. For
    ``novelty`` the expected score above the lowest is multiplied by the share of the variance that is left, so that
    the second choice is not the neighbour of the first.

    Examples
    --------
    >>> grid = np.column_stack([np.linspace(0, 10, 21)])
    >>> found = suggest(2, [[0.0], [1.0], [2.0], [3.0], [10.0]], [0.0, 0.1, 0.5, 1.2, 0.0], grid, strategy="novelty")
    >>> bool(3 < found.where[0, 0] < 6)
    True
    >>> suggest(1, np.empty((0, 1)), [], grid).where.tolist()
    [[5.0]]
    """
    wanted = count(_WHAT, "n", n, 1)
    member(_WHAT, "strategy", strategy, STRATEGIES)
    kappa = size(_WHAT, "exploration", exploration, 0)
    count(_WHAT, "random_state", random_state, 0)
    places = rows_of(_WHAT, "grid", grid)
    measured, found = _measured(where, score, places.shape[1])
    low, span = _range(np.vstack([places, measured]))
    free = _free((places - low) / span, (measured - low) / span)
    if free.size == 0:
        why = f"all {len(places)} places of the grid are measured"
        raise OptionError(_WHAT, why, "Give a finer grid, or end here")
    notes: list[str] = []
    known = np.isfinite(found)
    process = _Process((measured[known] - low) / span, found[known], random_state, notes)
    candidates = (places[free] - low) / span
    chosen, values, mean, std = _choose(process, candidates, min(wanted, free.size), strategy, kappa)
    if wanted > free.size:
        notes.append(f"{wanted} places were wanted, the grid has {free.size} that are not measured")
    told = tuple(_phrase(strategy, m, s) for m, s in zip(mean, std, strict=True))
    index = free[chosen]
    return Suggestions(index, places[index], values, mean, std, told, tuple(notes))


def _measured(where: ArrayLike, score: ArrayLike, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    try:
        found = np.asarray(score, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise OptionError(_WHAT, f"score must be numbers, got {problem}", "Give one for each place") from problem
    if found.ndim != 1 or np.isinf(found).any():
        why = f"score must be a list of numbers, none of them infinite, got the shape {found.shape}"
        raise OptionError(_WHAT, why, "Give one for each place, NaN where it failed")
    if np.size(where) == 0 and found.size == 0:
        return np.empty((0, width)), found
    measured = rows_of(_WHAT, "where", where)
    if len(measured) != found.size:
        why = f"score must have {len(measured)} numbers, one for each place, got {found.size}"
        raise OptionError(_WHAT, why, "Give one for each, NaN where it failed")
    if measured.shape[1] != width:
        why = f"where and grid must have the same columns, got {measured.shape[1]} and {width}"
        raise OptionError(_WHAT, why, "Give both as positions, or both as compositions of the same elements")
    return measured, found


def _range(places: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Where the places begin, and the widest of their ranges: one scale for all columns, so that distances stay."""
    low = places.min(axis=0)
    span = float((places.max(axis=0) - low).max())
    return low, span if span > 0 else 1.0


def _free(candidates: NDArray[np.float64], measured: NDArray[np.float64]) -> NDArray[np.intp]:
    """Candidates that are not measured, each place once."""
    from scipy.spatial import cKDTree

    _, first = np.unique(np.round(candidates / _SAME), axis=0, return_index=True)
    first = np.sort(first)
    if not len(measured):
        return np.asarray(first)
    apart, _ = cKDTree(measured).query(candidates[first])
    return np.asarray(first[apart > _SAME])


class _Process:
    """Mean, uncertainty and covariance by a Gaussian process, with scores of mean 0 and standard deviation 1."""

    def __init__(
        self, where: NDArray[np.float64], score: NDArray[np.float64], random_state: int, notes: list[str]
    ) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        if len(where) > _MOST_LEARNED:
            drawn = np.random.default_rng(random_state).permutation(len(where))[:_MOST_LEARNED]
            notes.append(f"{_MOST_LEARNED} of the {len(where)} measured places were drawn to learn from")
            where, score = where[np.sort(drawn)], score[np.sort(drawn)]
        largest = float(np.abs(score).max(initial=0.0)) or 1.0  # squares of very large scores must stay numbers
        self.centre = float((score / largest).mean()) * largest if score.size else 0.0
        spread = float((score / largest).std()) * largest if score.size else 0.0
        differs = spread > 1e-12 * largest
        learns, self.unit = len(score) >= _FEWEST_LEARNED and differs, spread if differs else 1.0
        if not learns:
            why = f"{len(score)} scores" if len(score) < _FEWEST_LEARNED else "scores that are all the same"
            notes.append(f"from {why} no length can be learned: a fifth of the range is taken")
        smooth = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(_LENGTH, (0.02, 5.0), nu=2.5)
        kernel = smooth + WhiteKernel(1e-2, (1e-6, 1.0))
        model = GaussianProcessRegressor(
            kernel, optimizer="fmin_l_bfgs_b" if learns else None, n_restarts_optimizer=2 if learns else 0,
            random_state=random_state,
        )  # fmt: skip
        self.learned = where
        if len(where):
            with warnings.catch_warnings():
                # A length at the end of its bounds is an answer: the scores are all smooth, or all noise.
                warnings.simplefilter("ignore")
                model.fit(where, (score - self.centre) / self.unit)
            kernel = model.kernel_
            self.factor, self.alpha = model.L_, model.alpha_
        self.smooth, self.noise = kernel.k1, float(kernel.k2.noise_level)

    def mean(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        if not len(self.learned):
            return np.zeros(len(places))
        made = [self.smooth(part, self.learned) @ self.alpha for part in self._parts(places)]
        return np.asarray(np.concatenate(made))

    def variance(self, places: NDArray[np.float64]) -> NDArray[np.float64]:
        prior = np.asarray(self.smooth.diag(places))
        if not len(self.learned):
            return prior
        from scipy.linalg import solve_triangular

        told = [
            (solve_triangular(self.factor, self.smooth(self.learned, part), lower=True) ** 2).sum(axis=0)
            for part in self._parts(places)
        ]
        return np.asarray(np.maximum(prior - np.concatenate(told), 0.0))

    def covariance(self, places: NDArray[np.float64], one: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of all places with one, given what was learned."""
        made = self.smooth(places, one[None])[:, 0]
        if len(self.learned):
            from scipy.linalg import cho_solve

            told = cho_solve((self.factor, True), self.smooth(self.learned, one[None])[:, 0])
            made = made - np.concatenate([self.smooth(part, self.learned) @ told for part in self._parts(places)])
        return np.asarray(made)

    def _parts(self, places: NDArray[np.float64]) -> list[NDArray[Any]]:
        rows = max(1, _AT_ONCE // max(1, len(self.learned)))
        return [places[i : i + rows] for i in range(0, len(places), rows)]


def _choose(
    process: _Process, places: NDArray[np.float64], n: int, strategy: str, kappa: float
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """One place after the other; each is taken as measured, with its mean as its score, before the next is chosen."""
    mean, first = process.mean(places), process.variance(places)
    variance = first.copy()
    above = mean - mean.min()
    middle = -((places - places.mean(axis=0)) ** 2).sum(axis=1)
    columns: list[NDArray[np.float64]] = []
    chosen: list[int] = []
    values: list[float] = []
    for _ in range(n):
        if strategy == "novelty":
            value = mean.min() + above * variance / np.maximum(first, 1e-300)
        elif strategy == "uncertainty":
            value = np.sqrt(variance)
        else:
            value = mean + kappa * np.sqrt(variance)
        value[chosen] = -np.inf
        # Among equals the one nearest the middle: so an empty map begins there, and the answer is always the same.
        best = float(value.max())
        equal = np.flatnonzero(value >= best - 1e-9 * max(1.0, abs(best)))
        at = int(equal[middle[equal].argmax()])
        chosen.append(at)
        values.append(float(value[at]))
        column = process.covariance(places, places[at])
        for earlier in columns:
            column -= earlier * earlier[at]
        column /= np.sqrt(max(float(variance[at]), 0.0) + process.noise + 1e-300)
        columns.append(column)
        variance = np.maximum(variance - column**2, 0.0)
    index = np.array(chosen, dtype=np.intp)
    unit, centre = process.unit, process.centre
    shown = np.array(values) * unit + (0.0 if strategy == "uncertainty" else centre)
    return index, shown, mean[index] * unit + centre, np.sqrt(first[index]) * unit


def _phrase(strategy: str, mean: float, std: float) -> str:
    told = f"a score of {mean:.3g} ± {std:.2g} is expected"
    return {
        "novelty": f"{told}, among the highest",
        "uncertainty": f"least is known: {told}",
        "exploration": f"{told}: high, or little known",
    }[strategy]
