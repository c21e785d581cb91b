"""The made compression series as rows that a network, or anything else, can be trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from peakwise.datasets.hed_suite import SERIES, make_series
from peakwise.errors import OptionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["LABELLED", "HedSeries", "normalise", "prepare", "read_series", "series", "shorten"]

LABELLED = tuple(s.name for s in SERIES.values() if s.is_labelled)  # D1 to D9


class HedSeries(NamedTuple):
    """One series, ready for training.

    Parameters
    ----------
    rows : ndarray of shape (n, m)
        float32, see `normalise`.
    labels : ndarray of shape (n,)
        0, 1, 2; -1 where a series has none.
    positions : ndarray of shape (n,)
        Place of each frame in the series, 0 to 1: the order in which they were measured.
    pressures : ndarray of shape (n,)
        [GPa]; the measured series of the thesis does not have them, and no method is shown them.
    """

    rows: NDArray[np.float32]
    labels: NDArray[np.int64]
    positions: NDArray[np.float32]
    pressures: NDArray[np.float64]


def series(name: str, *, points: int | None = None, random_state: int = 0) -> HedSeries:
    """Make one series and normalise it by itself.

    Parameters
    ----------
    name : str
        ``D1`` to ``D9`` or ``MgFeO``.
    points : int, optional
        About so many points: whole numbers of neighbours are summed. None: all, 4000 or 4023.
    random_state : int
        Seed of noise and beam.
    """
    return prepare(read_series(name, random_state=random_state), points)


def prepare(patterns: Patterns, points: int | None = None) -> HedSeries:
    """The same from the counts of one series."""
    n, meta = len(patterns), patterns.meta
    labels = np.asarray(meta["label"], dtype=np.int64) if "label" in meta else np.full(n, -1, dtype=np.int64)
    counts = shorten(patterns.intensity, points)
    positions = np.linspace(0, 1, n, dtype=np.float32)
    return HedSeries(normalise(counts), labels, positions, np.asarray(meta["pressure"], dtype=np.float64))


def read_series(name: str, *, random_state: int = 0) -> Patterns:
    """The counts of one series."""
    if name not in SERIES:
        raise OptionError("unknown series", f"series must be among {', '.join(SERIES)}, got {name!r}", "Choose one")
    return make_series(name, random_state=random_state)


def shorten(counts: NDArray[np.floating], points: int | None) -> NDArray[np.floating]:
    """Sum neighbours until about so many points are left; what is left over at the end is dropped.

    >>> shorten(np.arange(7.0)[None], 3)
    array([[1., 5., 9.]])
    """
    if points is None or points >= counts.shape[1]:
        return counts
    factor = counts.shape[1] // points
    kept = counts[:, : counts.shape[1] // factor * factor]
    return np.asarray(kept.reshape(len(kept), -1, factor).sum(axis=2))


def normalise(counts: NDArray[np.floating]) -> NDArray[np.float32]:
    """Square roots of the shares of each pattern, less their mean over the series, over one spread of all.

    The root turns counting noise into noise of one size, the share takes out the beam, and without the mean what does
    not change, background and bystanders, is gone. One spread, not one a point: else points of nothing but noise would
    count as much as peaks.

    >>> rows = normalise(np.array([[9, 16, 0], [18, 32, 0], [0, 16, 9]]))
    >>> (rows[0] == rows[1]).all(), np.abs(rows.mean(axis=0)).max() < 1e-6, round(float(rows.std()), 3)
    (np.True_, np.True_, 1.0)
    """
    values = np.maximum(counts, 0).astype(np.float64)
    total = values.sum(axis=1, keepdims=True)
    roots = np.sqrt(values / np.where(total > 0, total, 1))
    centred = roots - roots.mean(axis=0)
    return np.asarray(centred / (float(centred.std()) or 1.0), dtype=np.float32)
