"""The smooth background under the peaks removed."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np

from peakwise.preprocessing._options import check_choice, check_number, refuse
from peakwise.preprocessing._step import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["SubtractBaseline"]

# Name of each method -> its name in pybaselines. The first six bend over `width`, the others are one polynomial.
METHODS = {
    "arpls": "arpls",
    "asls": "asls",
    "airpls": "airpls",
    "snip": "snip",
    "rolling_ball": "rolling_ball",
    "polynomial": "poly",
    "modpoly": "modpoly",
    "imodpoly": "imodpoly",
}
_WHITTAKER = ("arpls", "asls", "airpls")
_WINDOW = ("snip", "rolling_ball")


@final
class SubtractBaseline(Step):
    r"""Estimate the smooth background of each pattern on its own and subtract it.

    Parameters
    ----------
    method : {"arpls", "asls", "airpls", "snip", "rolling_ball", "polynomial", "modpoly", "imodpoly"}
        How the baseline is found:

        - ``arpls``: stiff curve that ignores what stands above it and runs through the middle of the noise. The choice
          for anything measured; calculated patterns, which have no noise, need one of the others.
        - ``asls``, ``airpls``: the same idea, older; they run along the lower edge of the noise.
        - ``snip``: peaks clipped in growing windows; quick to follow steep backgrounds, runs along the lower edge.
        - ``rolling_ball``: a ball rolled under the pattern; the same remarks.
        - ``polynomial``: least squares through all points. For patterns without peaks, or to remove a trend.
        - ``modpoly``, ``imodpoly``: a polynomial pushed under the peaks; usual for Raman spectra.
    width : float, optional
        What is peak and what is background [unit of the axis]: structures wider than this go into the baseline.
        Default: a twentieth of the axis. For all methods but the polynomials.
    lam : float, optional
        Stiffness for ``arpls``, ``asls`` and ``airpls`` as the literature gives it, instead of `width`.
    asymmetry : float
        For ``asls``: weight of the points above the baseline.
    poly_order : int
        Order of the polynomials.
    iterations : int
        Most iterations of the iterative methods.
    tol : float
        Relative change at which they stop.

    Notes
    -----
    The first three minimise :math:`\sum_i w_i (y_i - z_i)^2 + \lambda \sum_i (\Delta^2 z_i)^2` with weights that fall
    for points above the baseline z. The penalty passes half of a wave of the length :math:`2 \pi \lambda^{1/4}`
    points, so `width` is turned into :math:`\lambda = (width / (2 \pi \, step))^4`; unlike :math:`\lambda` it means
    the same on every grid. ``snip`` and ``rolling_ball`` use half of `width` to each side. The points are taken as
    equally spaced. The baseline is taken as exact: sigma stays.

    The algorithms are those of pybaselines (https://doi.org/10.5281/zenodo.5608581): arPLS, Baek et al. 2015
    (https://doi.org/10.1039/C4AN01061B); airPLS, Zhang et al. 2010 (https://doi.org/10.1039/B922045C); AsLS, Eilers &
    Boelens 2005; SNIP, Ryan et al. 1988 (https://doi.org/10.1016/0168-583X(88)90063-8); rolling ball, Kneen & Annegarn
    1996 (https://doi.org/10.1016/0168-583X(95)00908-6); ModPoly, Lieber & Mahadevan-Jansen 2003
    (https://doi.org/10.1366/000370203322554518); IModPoly, Zhao et al. 2007
    (https://doi.org/10.1366/000370207782597003).

    Examples
    --------
    >>> import numpy as np
    >>> import peakwise as pw
    >>> axis = np.linspace(10, 80, 701)
    >>> peak = 100 * np.exp(-(((axis - 40) / 0.3) ** 2))
    >>> scan = pw.Patterns(axis, peak + 50 - 0.4 * axis, wavelength="CuKa1")
    >>> flat = SubtractBaseline(width=5).fit_transform(scan)
    >>> bool(np.abs(flat.intensity - peak).max() < 0.5)
    True
    """

    accepts: ClassVar[Literal["grid", "kind", "any"]] = "kind"

    def __init__(
        self,
        method: str = "arpls",
        *,
        width: float | None = None,
        lam: float | None = None,
        asymmetry: float = 0.01,
        poly_order: int = 4,
        iterations: int = 50,
        tol: float = 1e-3,
    ) -> None:
        self.method = method
        self.width = width
        self.lam = lam
        self.asymmetry = asymmetry
        self.poly_order = poly_order
        self.iterations = iterations
        self.tol = tol

    def _fit(self, patterns: Patterns) -> None:
        check_choice(self, "method", METHODS)
        check_number(self, "width", "Give about ten times the width of a peak, or None", above=0, optional=True)
        check_number(self, "lam", "Use 1e5 to 1e8, or give width instead", above=0, optional=True)
        check_number(self, "asymmetry", "Use 0.001 to 0.1", above=0, most=0.5)
        check_number(self, "poly_order", "Use 2 to 6", least=0, whole=True)
        check_number(self, "iterations", "Use 50", least=1, whole=True)
        check_number(self, "tol", "Use 0.001", above=0)
        if self.lam is not None and self.width is not None:
            raise refuse(self, "lam", "None where width is given", "Give one of them")
        if METHODS[self.method].endswith("poly") and self.poly_order >= patterns.n_points:
            raise refuse(self, "poly_order", f"below the number of points ({patterns.n_points})", "Use a lower order")

    def _transform(self, patterns: Patterns) -> Patterns:
        rows = patterns.intensity.astype(np.float64, copy=False)
        baselines, n_doubtful = self._baselines(rows, patterns.axis)
        notes = list(patterns.warnings)
        if n_doubtful:
            notes.append(f"the {self.method} baseline of {n_doubtful} of {len(rows)} patterns did not settle")
        return patterns.replace(intensity=(rows - baselines).astype(patterns.intensity.dtype), warnings=notes)

    def _baselines(self, rows: NDArray[np.float64], axis: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
        """Baseline of each row, and how many of them are doubtful."""
        m = axis.size
        if m < 3 and self.method not in ("polynomial", "modpoly", "imodpoly"):
            return rows, 0  # a straight line is no bend: through two points it takes both
        from pybaselines import Baseline

        options = self._options(axis)
        find = getattr(Baseline(x_data=axis, check_finite=False), METHODS[self.method])
        out, n_doubtful = np.empty_like(rows), 0
        for i, row in enumerate(rows):
            # pybaselines says through Python warnings that a fit did not converge; here it becomes a note.
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                out[i], found = find(row, **options)
            history = found.get("tol_history", ())
            n_doubtful += bool(said) or (len(history) > 0 and not history[-1] <= self.tol)
        return out, n_doubtful

    def _options(self, axis: NDArray[np.float64]) -> dict[str, Any]:
        """Our options as pybaselines calls them."""
        m = axis.size
        points = m / 20 if self.width is None else self.width / float(np.median(np.diff(axis)))
        if self.method in _WHITTAKER:
            lam = (points / (2 * math.pi)) ** 4 if self.lam is None else self.lam
            options: dict[str, Any] = {"lam": lam, "max_iter": self.iterations, "tol": self.tol}
            return options | ({"p": self.asymmetry} if self.method == "asls" else {})
        if self.method in _WINDOW:
            half = max(1, min(round(points / 2), (m - 1) // 2))
            return {"max_half_window" if self.method == "snip" else "half_window": half}
        options = {"poly_order": self.poly_order}
        return options | ({} if self.method == "polynomial" else {"max_iter": self.iterations, "tol": self.tol})
