"""What speaks for a transition at a place of a series: numbers that do not depend on units, exposure or length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from peakwise.series._align import align
from peakwise.series._breaks import LINE, ROOT, SMOOTH, Breaks, Fit, breaks, fit_breaks
from peakwise.series._views import VIEWS, View, look

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.series._prepare import Floats, PreparedSeries

__all__ = ["Candidate", "Examined", "examine", "margin"]

_NEAR = 0.04  # share of the series within which two views mean one place
_FLOOR = 0.05  # chi-squared per degree of freedom below which a fit is not better, only luckier


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A place where a series may break.

    Attributes
    ----------
    member : int
        Number of the break in the family.
    view : str
        The view in which it was found.
    smooth : str
        Beside which smooth change it was found.
    evidence : dict
        Numbers by name.
    """

    member: int
    view: str
    smooth: str
    evidence: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """A series, aligned and fitted."""

    series: PreparedSeries
    rows: Floats
    strain: NDArray[np.float64]
    family: Breaks
    views: dict[str, View]
    fits: dict[str, dict[str, Fit]]
    candidates: tuple[Candidate, ...]


def margin(n: int) -> float:
    """Frames at either end of n in which no transition can be told from a bad frame."""
    return max(2.0, n / 20)


def examine(series: PreparedSeries) -> Examined:
    """Align a series, fit all breaks to it in each view, and say what speaks for the best of them."""
    rows, strain = align(series)
    n = len(rows)
    family = breaks(n)
    views = {name: look(rows, name) for name in VIEWS}
    fits = {name: fit_breaks(view.scores, strain, family) for name, view in views.items()}
    is_inside = (family.middle >= margin(n) - 0.5) & (family.middle <= n - margin(n) - 0.5)
    seen: dict[int, tuple[str, str]] = {}
    if is_inside.any():
        for name, smooth in ((name, smooth) for name in VIEWS for smooth in SMOOTH):
            seen.setdefault(int(np.where(is_inside, fits[name][smooth].gain, -1).argmax()), (name, smooth))
    moved = float(np.ptp(strain) * np.median(series.reach) / series.width) if n else 0.0
    candidates = []
    for member, (found_in, smooth) in seen.items():
        is_near = is_inside & (np.abs(family.middle - family.middle[member]) <= max(2.0, _NEAR * n))
        evidence = {
            "frames": float(np.log(n)),
            "from the end": float(min(family.middle[member] + 0.5, n - 0.5 - family.middle[member]) / n),
            "lines moved": float(np.log10(moved + 1e-3)),
        }
        for name in VIEWS:
            evidence |= _evidence(name, views[name], fits[name], family, is_near, n)
        candidates.append(Candidate(member, found_in, smooth, evidence))
    return Examined(series, rows, strain, family, views, fits, tuple(candidates))


def _evidence(
    name: str, view: View, fits: dict[str, Fit], family: Breaks, is_near: NDArray[np.bool_], n: int
) -> dict[str, float]:
    trend, curve, strain = fits["trend"], fits["curve"], fits["strain"]
    best, on_curve, on_strain = (int(np.where(is_near, fit.gain, -1).argmax()) for fit in (trend, curve, strain))
    k = view.scores.shape[1]
    freedom = max(1.0, n * k - 5.0 * k)
    floor = _FLOOR * freedom
    left = max(trend.rest - trend.gain[best], 0.0)
    beyond = max(curve.rest - curve.gain[on_curve], 0.0)
    after_strain = max(strain.rest - strain.gain[on_strain], 0.0)
    height = float(((trend.step[best] * view.noise) ** 2).sum())
    own_height = float(((curve.step[on_curve] * view.noise) ** 2).sum())
    last_height = float(((strain.step[on_strain] * view.noise) ** 2).sum())
    values = {
        # Is a break with a trend better than a curve of as many parameters?
        "against a curve": np.log((curve.rest + floor) / (left + floor)),
        "chi2 against a curve": np.sign(curve.rest - left) * np.log1p(abs(curve.rest - left)),
        # Is a curve with a break better than the curve?
        "beyond a curve": np.log((curve.rest + floor) / (beyond + floor)),
        "beyond the strain": np.log((strain.rest + floor) / (after_strain + floor)),
        "chi2 beyond a curve": np.log1p(curve.gain[on_curve]),
        "chi2 beyond the strain": np.log1p(strain.gain[on_strain]),
        "width beyond the strain": (family.end[on_strain] - family.onset[on_strain]) / n,
        "misfit beyond the strain": np.log(after_strain / freedom + 1e-3),
        # How much of the pattern changes?
        "height": np.log10(height / max(view.power, 1e-30) + 1e-7),
        "height beyond a curve": np.log10(own_height / max(view.power, 1e-30) + 1e-7),
        "height beyond the strain": np.log10(last_height / max(view.power, 1e-30) + 1e-7),
        # How well is the series told by the break?
        "misfit": np.log(left / freedom + 1e-3),
        "share": np.log(trend.gain[best] / max(trend.rest, 1e-30) + 1e-9),
        "curves": float(k),
        "noise": np.log10(view.row_noise / max(view.power, 1e-30) + 1e-9),
        "width": (family.end[best] - family.onset[best]) / n,
        "is a root": float(family.kind[best] == ROOT),
        "is a line": float(family.kind[best] == LINE),
    }
    return {f"{name}: {key}": float(value) for key, value in values.items()}
