"""Non-negative factorisation in which each basis pattern may be shifted in each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.wafers._given import count, rows_of, size

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Factors", "factorise", "noise_energy"]

_WHAT = "cannot factorise the patterns"
_MOST_COMPONENTS = 20  # tried when the number is not given
_FIRST_ROUNDS = 30  # of each start; only the best goes on
_TINY = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """What `factorise` finds.

    Attributes
    ----------
    basis : ndarray of shape (k, m)
        Each component where most of it is found (shift 0), its maximum 1.
    weights : ndarray of shape (n, k)
        How much of each component is in each sample, in the unit of the intensity.
    shifts : ndarray of shape (n, k)
        Points by which the component stands to the right of `basis` in that sample; 0 where its weight is 0.
    losses : ndarray
        Half the sum of squared residuals after each round; it never rises.
    padded : ndarray of shape (k, m + 2 * margin)
        The components beyond both ends, as far as some sample saw them.
    explained : ndarray
        Share of the squared intensity above the noise that 1, 2, ... components explain, as far as they were tried.
    """

    basis: NDArray[np.float64]
    weights: NDArray[np.float64]
    shifts: NDArray[np.intp]
    losses: NDArray[np.float64]
    padded: NDArray[np.float64]
    explained: NDArray[np.float64]

    @property
    def n_components(self) -> int:
        """Number of components."""
        return len(self.basis)

    @property
    def margin(self) -> int:
        """Points that `padded` has beyond each end."""
        return int(self.padded.shape[1] - self.basis.shape[1]) // 2

    @property
    def shares(self) -> NDArray[np.float64]:
        """Weights of each sample as parts of 1; equal parts where nothing was found."""
        total = self.weights.sum(axis=1, keepdims=True)
        part = self.weights / np.maximum(total, _TINY)
        return np.asarray(np.where(total > 0, part, 1 / self.n_components))

    def reconstruct(self) -> NDArray[np.float64]:
        """Patterns as the components make them, (n, m)."""
        made = np.zeros((len(self.weights), self.basis.shape[1]))
        for k in range(self.n_components):
            made += self.weights[:, k, None] * _moved(self.padded[k], self.shifts[:, k], made.shape[1], self.margin)
        return made


def factorise(
    intensity: ArrayLike,
    n_components: int | None = None,
    most_shift: int = 0,
    *,
    rounds: int = 200,
    tol: float = 1e-5,
    starts: int = 4,
    least_gain: float = 0.01,
    random_state: int = 0,
) -> Factors:
    r"""Find a few patterns of which, shifted and summed, all patterns are made.

    Parameters
    ----------
    intensity : array-like of shape (n, m)
        Patterns without background, on one grid. On a grid with equal steps of log q (`log_grid`) alloying, which
        stretches a pattern, is a shift.
    n_components : int, optional
        Without it: the smallest number after which one more explains less than `least_gain` of the squared intensity
        above the noise.
    most_shift : int
        Points by which a component may be shifted to each side. 0 is plain non-negative factorisation.
    rounds : int
        Most rounds.
    tol : float
        It ends when a round lowers the loss by less than this share.
    starts : int
        Ways to begin; the best after 30 rounds goes on. The first takes the patterns that are described worst so far,
        one after the other; the others draw them.
    least_gain : float
        See `n_components`.
    random_state : int
        Seed of these draws.

    Returns
    -------
    Factors

    Notes
    -----
    Minimised is :math:`\frac12 \sum_n \| x_n - \sum_k w_{nk} T_{s_{nk}} b_k \|^2` with :math:`w, b \ge 0` and
    :math:`|s| \le` `most_shift`, one component after the other (HALS; A. Cichocki and A.-H. Phan, IEICE Trans. Fundam.
    E92-A (2009) 708, doi:10.1587/transfun.E92.A.708). Given the rest, shift and weight of a sample are found together
    by trying all shifts; given those, each point of the component is a mean of its own, for it is kept longer than the
    patterns by `most_shift` on both sides and every sample sees a window of it. Each step is the minimum over its
    numbers, so the loss never rises. Shifted factorisation: M. Mørup, K. H. Madsen and L. K. Hansen (IEEE MLSP
    2007), by other steps; for composition spreads: S. K. Suram et al., ACS Comb. Sci. 19 (2017) 37,
    doi:10.1021/acscombsci.6b00153.

    The noise is taken from the differences between neighbouring points.

    Examples
    --------
    >>> x = np.arange(60)
    >>> def peak(at):
    ...     return np.exp(-(((x - at) / 2.0) ** 2))
    >>> rows = np.array([peak(20), peak(23), peak(40), peak(39) + peak(21)])
    >>> found = factorise(rows, 2, most_shift=4)
    >>> bool(np.abs(found.reconstruct() - rows).max() < 0.02)
    True
    """
    rows = rows_of(_WHAT, "intensity", intensity)
    n, m = rows.shape
    most = min(n, m)
    if n_components is not None:
        count(_WHAT, "n_components", n_components, 1, most)
    reach = count(_WHAT, "most_shift", most_shift, 0, max(0, m // 4))
    count(_WHAT, "rounds", rounds, 1)
    size(_WHAT, "tol", tol, 0)
    count(_WHAT, "starts", starts, 1)
    size(_WHAT, "least_gain", least_gain, 0, 1)
    count(_WHAT, "random_state", random_state, 0)
    scale = float(np.abs(rows).max()) or 1.0  # squares of very large or small intensities must stay numbers
    rows = rows / scale
    above = max(float((rows**2).sum()) - noise_energy(rows), _TINY)
    tried: list[_Fit] = []
    explained: list[float] = []
    for k in range(1, min(most, _MOST_COMPONENTS) + 1) if n_components is None else (n_components,):
        draws = [None if i == 0 else np.random.default_rng([random_state, i]) for i in range(starts)]
        fits = [_Fit(rows, reach).grow(k, rng) for rng in draws]
        if tried:  # one component more than before can only be better
            fits.append(tried[-1].copy().grow(k, None))
        first = rounds if len(fits) == 1 else min(rounds, _FIRST_ROUNDS)
        best = min((fit.run(first, tol) for fit in fits), key=lambda fit: fit.losses[-1])
        tried.append(best.run(rounds - first, tol))
        explained.append(1 - max(2 * tried[-1].losses[-1] - noise_energy(rows), 0.0) / above)
        if len(explained) > 1 and explained[-1] - explained[-2] < least_gain:
            tried.pop()
            break
    return tried[-1].result(scale, np.array(explained))


def noise_energy(rows: NDArray[np.float64]) -> float:
    """Sum of squares that is noise: second differences of each row, by their median, so that peaks do not count."""
    if rows.shape[1] < 5:
        return 0.0
    bend = rows[:, 2:] - 2 * rows[:, 1:-1] + rows[:, :-2]
    # Their variance is 1 + 4 + 1 times that of the noise; 0.6745 is the median of |x| of a normal x.
    spread = np.median(np.abs(bend), axis=1) / (0.6745 * np.sqrt(6.0))
    return float((spread**2).sum() * rows.shape[1])


class _Fit:
    """Components, weights and shifts on their way down."""

    def __init__(self, rows: NDArray[np.float64], reach: int) -> None:
        self.rows, self.reach = rows, reach
        n, m = rows.shape
        self.padded = np.zeros((0, m + 2 * reach))
        self.weights = np.zeros((n, 0))
        self.shifts = np.zeros((n, 0), dtype=np.intp)
        self.residual = rows.copy()
        self.losses: list[float] = [self._loss()]

    def copy(self) -> _Fit:
        made = _Fit(self.rows, self.reach)
        made.padded, made.weights, made.shifts = self.padded.copy(), self.weights.copy(), self.shifts.copy()
        made.residual, made.losses = self.residual.copy(), [self._loss()]
        return made

    def grow(self, k: int, rng: np.random.Generator | None) -> _Fit:
        """Add components until there are k: each begins as what is left of a pattern that is described badly."""
        while len(self.padded) < k:
            left = (np.maximum(self.residual, 0) ** 2).sum(axis=1)
            total = float(left.sum())
            which = int(left.argmax())
            if rng is not None and total > 0:
                which = int(rng.choice(len(left), p=left / total))
            begun = np.zeros(self.padded.shape[1])
            begun[self.reach : self.reach + self.rows.shape[1]] = np.maximum(self.residual[which], 0)
            self.padded = np.vstack([self.padded, begun])
            self.weights = np.column_stack([self.weights, np.zeros(len(left))])
            self.shifts = np.column_stack([self.shifts, np.zeros(len(left), dtype=np.intp)])
            self._update(len(self.padded) - 1)
        self.losses = [self._loss()]
        return self

    def run(self, rounds: int, tol: float) -> _Fit:
        for _ in range(rounds):
            for k in range(len(self.padded)):
                self._update(k)
            self.losses.append(self._loss())
            if self.losses[-2] - self.losses[-1] <= tol * self.losses[-2]:
                break
        return self

    def _update(self, k: int) -> None:
        """The best shifts and weights of one component, then the best component: both exact, the others as they are."""
        m, reach = self.rows.shape[1], self.reach
        self.residual += self.weights[:, k, None] * _moved(self.padded[k], self.shifts[:, k], m, reach)
        windows = np.lib.stride_tricks.sliding_window_view(self.padded[k], m)[::-1]  # shifts -reach ... +reach
        norm = (windows**2).sum(axis=1)
        along = self.residual @ windows.T
        best = np.maximum(along, 0) / np.sqrt(np.maximum(norm, _TINY))
        # Where it is not there any shift is as good: none is then the plain answer.
        chosen = np.where(best.max(axis=1) > 0, best.argmax(axis=1), reach)
        weight = np.maximum(along[np.arange(len(chosen)), chosen], 0) / np.maximum(norm[chosen], _TINY)
        weight[norm[chosen] <= _TINY] = 0.0
        self.weights[:, k], self.shifts[:, k] = weight, chosen - reach
        top, bottom = np.zeros(self.padded.shape[1]), np.zeros(self.padded.shape[1])
        for shift in np.unique(self.shifts[:, k]):
            these = self.shifts[:, k] == shift
            seen = slice(reach - shift, reach - shift + m)
            top[seen] += weight[these] @ self.residual[these]
            bottom[seen] += float((weight[these] ** 2).sum())
        self.padded[k] = np.where(bottom > 0, np.maximum(top, 0) / np.maximum(bottom, _TINY), 0.0)
        largest = float(self.padded[k].max())
        if largest > 0:  # the loss does not change, and no number runs away
            self.padded[k] /= largest
            self.weights[:, k] *= largest
        else:
            self.weights[:, k] = 0.0
        self.residual -= self.weights[:, k, None] * _moved(self.padded[k], self.shifts[:, k], m, reach)

    def _loss(self) -> float:
        return float((self.residual**2).sum()) / 2

    def result(self, scale: float, explained: NDArray[np.float64]) -> Factors:
        """Components in the order of how much they explain, each standing where most of it is."""
        m = self.rows.shape[1]
        middles = [_weighted_median(self.shifts[:, k], self.weights[:, k]) for k in range(len(self.padded))]
        margin = self.reach + max((abs(s) for s in middles), default=0)
        padded = np.zeros((len(self.padded), m + 2 * margin))
        for k, middle in enumerate(middles):
            begin = margin - self.reach + middle
            padded[k, begin : begin + self.padded.shape[1]] = self.padded[k]
        basis = padded[:, margin : margin + m]
        # A component that stands outside at shift 0 (all of it was seen from the margin) is scaled by all of it.
        inside, everywhere = basis.max(axis=1), padded.max(axis=1)
        height = np.where(inside > 1e-6 * everywhere, inside, np.where(everywhere > 0, everywhere, 1.0))
        weights = self.weights * height * scale
        shifts = np.where(self.weights > 0, self.shifts - np.array(middles, dtype=np.intp), 0)
        order = np.argsort(-((weights**2).sum(axis=0) * ((basis.T / height) ** 2).sum(axis=0)), kind="stable")
        padded = (padded.T / height).T[order]
        return Factors(
            padded[:, margin : margin + m], weights[:, order], shifts[:, order], np.array(self.losses) * scale**2,
            padded, explained,
        )  # fmt: skip


def _moved(padded: NDArray[np.float64], shifts: NDArray[np.intp], m: int, margin: int) -> NDArray[np.float64]:
    """One component as each sample sees it, (n, m)."""
    windows: NDArray[Any] = np.lib.stride_tricks.sliding_window_view(padded, m)
    return np.asarray(windows[margin - shifts])


def _weighted_median(values: NDArray[np.intp], weights: NDArray[np.float64]) -> int:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    if total.size == 0 or total[-1] <= 0:
        return 0
    return int(values[order][np.searchsorted(total, total[-1] / 2)])
