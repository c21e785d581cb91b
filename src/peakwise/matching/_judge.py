"""How well a fit speaks for its phases: one number, minus twice a log posterior, by which candidates are ranked.

Misfit alone does not tell a phase from one of the same structure: with a cell that may give way, each fits. So it
counts how far each cell had to be changed (cells in files are good to a part in a thousand; temperature and solid
solution add a few more, seldom per cent), how strong a texture is needed, how far the sample is off, and that a phase
with shared or partly empty sites is one of very many such compositions, so that an end member that fits as well is the
better answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from peakwise.crystal import Phase
    from peakwise.matching._fit import Fit

_COSINE, _TANGENT = 0.94, 0.364  # of theta = 20 deg, where widths are compared

__all__ = ["Rules", "complexity", "judge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Weights of the criterion.

    Parameters
    ----------
    temperature : float
        What the weighted sum of squares is divided by: errors of the model are alike in neighbouring lines, so points
        are fewer than they seem.
    strain : float
        Relative change of a length at which the penalty begins to grow like a logarithm.
    strain_weight : float
        What its logarithm counts.
    zero, displacement, texture : float
        As in `FitSettings`.
    broad : float
        Logarithm of a width over that of the scan's peaks, beyond `usual`: very broad lines are another word for a
        background.
    usual : float
        Widths up to so many times that of the scan's peaks are nothing special.
    complexity : float
        Per shared or partly empty site, for the first three.
    phase : float
        Per phase beyond the first.
    """

    temperature: float = 3.0
    strain: float = 0.0015
    strain_weight: float = 4.0
    zero: float = 0.05
    displacement: float = 0.06
    texture: float = 0.35
    broad: float = 0.25
    usual: float = 1.5
    complexity: float = 4.0
    phase: float = 12.0


def judge(fit: Fit, complexities: Sequence[int], rules: Rules) -> float:
    """Minus twice the log posterior of a fit, but for a constant of the scan."""
    total = fit.misfit / rules.temperature
    total += (fit.parameters[0] / rules.zero) ** 2 + (fit.parameters[1] / rules.displacement) ** 2
    for i, mixed in enumerate(complexities):
        own = fit.own(i)
        strains = own[4:]
        total += rules.strain_weight * np.log1p((strains / rules.strain) ** 2).sum() / np.sqrt(max(strains.size, 1))
        width = own[1] / _COSINE + own[2] * _TANGENT
        total += (max(np.log(width / fit.fwhm / rules.usual), 0.0) / rules.broad) ** 2
        total += (own[3] / rules.texture) ** 2 + rules.complexity * min(mixed, 3)
    return float(total + rules.phase * (len(complexities) - 1))


def complexity(phase: Phase) -> int:
    """How many sites are shared by several elements or partly empty; hydrogen is not looked at."""
    return sum(s.occupancy < 0.995 for s in phase.sites if s.element not in ("H", "D"))
