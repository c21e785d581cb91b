"""Whether any phase of the library is in a scan at all: signs of doubt, and a rule learned from scans of known phases.

The signs are those of the best single phase (or set of phases): what is left of the misfit of the background, how alike
the patterns look before any fit, how far the cell had to go, and how much better it is than the next phase that is not
nearly the same pattern. The weights come from 126 measured minerals (RRUFF), each once with its structure in a library
of 450 and of 136 and once without: ``scripts/fit_none_rule.py`` makes them again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from peakwise.evaluation import conformal_threshold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.matching._fit import Fit
    from peakwise.matching._search import Answer, Hypothesis

__all__ = ["LEAST_FALSE_ALARM", "SIGNS", "doubt", "doubt_threshold", "known_doubts", "signs_of_doubt"]

SIGNS = ("log_ratio", "cosine", "strain", "margin")
_STRAIN = 0.0015
_SAME = 0.03  # phases whose calculated patterns differ by less than this share are one pattern

# Logistic regression: intercept, then one weight a sign, none against its meaning. What is left of the misfit (0.93
# alone) adds nothing to the others: without the limit it would get a weight that trusts bad fits.
_WEIGHTS = np.array([5.706, 0.0, -8.814, 1.52, -3.929])
# Doubts about scans whose structure was in the library, each from a rule learned without that scan.
_KNOWN = np.array(
    [
        0.002, 0.003, 0.003, 0.004, 0.004, 0.004, 0.004, 0.004, 0.005, 0.005, 0.005, 0.005, 0.005, 0.006,
        0.006, 0.007, 0.007, 0.007, 0.007, 0.007, 0.007, 0.008, 0.008, 0.008, 0.009, 0.009, 0.009, 0.01,
        0.01, 0.01, 0.01, 0.01, 0.011, 0.011, 0.011, 0.013, 0.014, 0.014, 0.015, 0.015, 0.015, 0.016,
        0.017, 0.017, 0.017, 0.018, 0.019, 0.02, 0.021, 0.021, 0.023, 0.023, 0.023, 0.024, 0.025, 0.026,
        0.027, 0.027, 0.028, 0.028, 0.029, 0.029, 0.033, 0.034, 0.034, 0.035, 0.035, 0.036, 0.036, 0.037,
        0.037, 0.037, 0.037, 0.039, 0.039, 0.039, 0.04, 0.041, 0.041, 0.046, 0.046, 0.048, 0.052, 0.052,
        0.052, 0.057, 0.059, 0.063, 0.07, 0.07, 0.073, 0.077, 0.081, 0.088, 0.089, 0.096, 0.101, 0.105,
        0.108, 0.109, 0.111, 0.111, 0.112, 0.114, 0.139, 0.147, 0.153, 0.165, 0.17, 0.173, 0.204, 0.21,
        0.223, 0.267, 0.35, 0.381, 0.449, 0.507, 0.542, 0.551, 0.566, 0.675, 0.693, 0.74, 0.81, 0.846,
    ]
)  # fmt: skip
LEAST_FALSE_ALARM = 1 / (len(_KNOWN) + 1)  # fewer scans cannot promise less


def signs_of_doubt(answer: Answer, best: Hypothesis | None = None) -> NDArray[np.float64]:
    """The signs of one answer, in the order of `SIGNS`; `best` is what was answered: by default the best phase."""
    best = best or answer.alone[0]
    fit = best.fit
    # Patterns of several phases hardly overlap: together they are as alike as the root of the sum of squares.
    cosine = min(float(np.sqrt(sum(float(answer.look.cosine[i]) ** 2 for i in best.members))), 1.0)
    strain = max(_strain(fit.own(k)[4:]) for k in range(len(best.members)))
    return np.array([np.log(max(fit.misfit, 1e-9) / fit.empty), cosine, strain, _margin(answer)])


def doubt(signs: NDArray[np.float64]) -> float:
    """Probability that the scan shows none of the phases."""
    return float(1 / (1 + np.exp(-np.clip(_WEIGHTS[0] + _WEIGHTS[1:] @ signs, -30, 30))))


def doubt_threshold(false_alarm: float) -> float:
    """Doubt beyond which "none of these" is answered: so many scans of known phases are beyond it, at most.

    Split conformal: the threshold is a value among those of the calibration, which the next scan of the same kind
    exceeds with at most this probability.
    """
    return conformal_threshold(_KNOWN, false_alarm)


def known_doubts() -> NDArray[np.float64]:
    """Doubts about measured scans whose structure was in the library: what a new doubt is ranked among."""
    return _KNOWN.copy()


def _strain(strains: NDArray[np.float64]) -> float:
    """How far the cell had to go: small changes hardly count, and large ones as their logarithm."""
    return float(np.log1p((strains / _STRAIN) ** 2).mean()) if strains.size else 0.0


def _margin(answer: Answer) -> float:
    """How much better the best phase is than the next that has another pattern, as a share of the whole scan."""
    first = answer.alone[0]
    for other in answer.alone[1 : answer.n_fine]:
        if not _alike(first.fit, other.fit):
            return float(np.clip((other.fit.misfit - first.fit.misfit) / first.fit.empty, 0.0, 1.0))
    return 0.5


def _alike(one: Fit, other: Fit) -> bool:
    a, b = one.calculated, other.calculated
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return length > 0 and float(a @ b) / length > 1 - _SAME
