"""Series of lines on a q axis, made by plain formulas."""

from __future__ import annotations

import numpy as np

from peakwise.patterns import Patterns

AXIS = np.linspace(1.0, 6.0, 900)
FIRST = ((1.5, 1.0), (2.1, 0.6), (2.9, 0.8), (3.4, 0.3), (4.6, 0.5))
SECOND = ((1.7, 0.9), (2.4, 0.8), (3.1, 0.4), (3.9, 0.7), (5.2, 0.4))


def lines(positions, strain=0.0, width=0.02, axis=AXIS):
    rows = np.zeros(axis.size)
    for at, height in positions:
        rows += height * np.exp(-4 * np.log(2) * ((axis - at * (1 + strain)) / width) ** 2)
    return rows


def make(shares, *, strains=None, beams=None, counts=500.0, seed=0, width=0.02):
    """A series whose share of the second phase is given for each frame."""
    n = len(shares)
    strains = np.zeros(n) if strains is None else strains
    beams = np.ones(n) if beams is None else beams
    rng = np.random.default_rng(seed)
    rows = [
        b * counts * ((1 - w) * lines(FIRST, e, width) + w * lines(SECOND, e, width) + 0.05)
        for w, e, b in zip(shares, strains, beams, strict=True)
    ]
    return Patterns(AXIS, rng.poisson(rows).astype(float), "q")
