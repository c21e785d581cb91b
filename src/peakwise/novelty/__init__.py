"""What is unlike anything known: scores of strangeness, a threshold with a stated rate of false alarms, and why.

To add a score: one class in a file beside these and one line in the table `SCORES`. Numbers only, no networks.
"""

from peakwise.novelty._drift import Drift, DriftGuard, drift_of
from peakwise.novelty._forest import Forest
from peakwise.novelty._neighbours import Density, Nearest, Peaks
from peakwise.novelty._principal import Residual, Spread
from peakwise.novelty._score import Score, sharpened
from peakwise.novelty._verdict import Combined, cross_scores, folds, tail_p_values, tail_threshold
from peakwise.novelty._why import (
    Correction,
    Corrector,
    Leftover,
    corrections,
    leftovers,
    mixture_of,
    noise_of,
    without_noise,
)

# Name -> how strange a pattern is by it, in the order in which they are told.
SCORES: dict[str, type[Score]] = {
    "nearest": Nearest,
    "residual": Residual,
    "spread": Spread,
    "density": Density,
    "peaks": Peaks,
    "forest": Forest,
}

__all__ = [
    "SCORES",
    "Combined",
    "Correction",
    "Corrector",
    "Density",
    "Drift",
    "DriftGuard",
    "Forest",
    "Leftover",
    "Nearest",
    "Peaks",
    "Residual",
    "Score",
    "Spread",
    "corrections",
    "cross_scores",
    "drift_of",
    "folds",
    "leftovers",
    "mixture_of",
    "noise_of",
    "sharpened",
    "tail_p_values",
    "tail_threshold",
    "without_noise",
]
