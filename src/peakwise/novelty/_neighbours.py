"""Scores from the known patterns that are nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import numpy as np

from peakwise.novelty._score import Rows, Score, distances

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Density", "Nearest", "Peaks"]

_NEIGHBOURS = 5
_TRIED = 3  # nearest known patterns to which a scan is aligned
_SHIFT = 0.002  # of the number of points, by which a pattern may be shifted


@final
class Nearest(Score):
    """Distance from the nearest known pattern, after a scale and a small shift are fitted away."""

    def learn(self, rows: Rows, random_state: int) -> None:  # noqa: ARG002 - nothing is random here
        """Keep the rows."""
        self.known = rows

    def measure(self, rows: Rows) -> NDArray[np.float64]:
        """Share of the length of each row that is left over."""
        return self.nearest(rows)[1]

    def nearest(self, rows: Rows) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Number of the nearest known row, and what is left over of each row: two arrays (k,)."""
        alike = rows @ self.known.T
        # A scale that is fitted must be positive: an inverted pattern is not the pattern.
        few = min(_TRIED, alike.shape[1])
        tried = np.argpartition(-alike, few - 1, axis=1)[:, :few]
        most = max(1, round(_SHIFT * rows.shape[1]))
        wide = np.pad(rows, ((0, 0), (most, most)), mode="edge")
        which, best = np.empty(len(rows), np.intp), np.empty(len(rows))
        for i, row in enumerate(wide):
            # Squared lengths of all windows from running sums; what rounding leaves below zero is nothing.
            sums = np.concatenate([[0.0], np.cumsum(row**2)])
            length = np.sqrt(np.maximum(sums[rows.shape[1] :] - sums[: -rows.shape[1]], 0.0))
            found = [float((np.correlate(row, self.known[j]) / np.maximum(length, 1e-12)).max()) for j in tried[i]]
            at = int(np.argmax(found))
            which[i], best[i] = tried[i, at], found[at]
        return which, np.asarray(np.sqrt(np.maximum(1 - np.clip(best, 0, 1) ** 2, 0)))


@final
class Density(Score):
    """Mean distance from five neighbours over that of the neighbours from theirs: high where few are known."""

    def learn(self, rows: Rows, random_state: int) -> None:  # noqa: ARG002 - nothing is random here
        """Keep the rows and how far each is from its neighbours."""
        self.known, self.squared = rows, (rows**2).sum(axis=1)
        between = distances(rows, rows)
        np.fill_diagonal(between, np.inf)
        k = min(_NEIGHBOURS, len(rows) - 1)
        usual = np.sort(between, axis=1)[:, :k].mean(axis=1)
        # Copies of one scan lie at distance zero: the usual distance keeps the ratio finite.
        self.usual = np.maximum(usual, 0.3 * np.median(usual) + 1e-9)

    def measure(self, rows: Rows) -> NDArray[np.float64]:
        """Ratio of the distances; 1 is usual."""
        apart = distances(rows, self.known, self.squared)
        k = min(_NEIGHBOURS, apart.shape[1])
        near = np.argsort(apart, axis=1)[:, :k]
        return np.asarray(np.take_along_axis(apart, near, 1).mean(axis=1) / self.usual[near].mean(axis=1))


@final
class Peaks(Score):
    """What is left over beside the nearest known pattern where known patterns hardly differ: new peaks weigh most."""

    def learn(self, rows: Rows, random_state: int) -> None:  # noqa: ARG002 - nothing is random here
        """Keep the rows and how much they scatter at each point."""
        self.known, self.squared = rows, (rows**2).sum(axis=1)
        scatter = rows.std(axis=0)
        self.scatter = np.maximum(scatter, 0.5 * np.median(scatter) + 1e-9)

    def measure(self, rows: Rows) -> NDArray[np.float64]:
        """Mean of the largest hundredth of the deviations, in units of the scatter."""
        near = distances(rows, self.known, self.squared).argmin(axis=1)
        off = np.abs(rows - self.known[near]) / self.scatter
        many = max(2, off.shape[1] // 100)
        many = min(many, off.shape[1])
        return np.asarray(np.partition(off, -many, axis=1)[:, -many:].mean(axis=1))
