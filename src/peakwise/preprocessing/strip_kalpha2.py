"""The Kα2 half of each doublet removed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np

from peakwise.errors import AxisError
from peakwise.patterns import Radiation
from peakwise.preprocessing._options import check_number, refuse
from peakwise.preprocessing._step import Step

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["StripKalpha2"]

# A line at most this much longer than Kα1 is its Kα2 (Cr 0.2 %, Cu 0.25 %, Ag 0.8 %); Kβ is shorter by 10 %.
_FURTHEST = 1.02


@final
class StripKalpha2(Step):
    r"""Remove the Kα2 peaks from patterns measured with both lines of an X-ray tube (Rachinger).

    For patterns in ``two_theta``: put it before `ConvertAxis`, and best after `SubtractBaseline`, since a background
    has no doublets (a flat one of height b comes out as b / (1 + ratio)).

    Parameters
    ----------
    wavelengths : (float, float), optional
        Kα1 and Kα2 [angstrom]. Default: the lines of the patterns' own radiation.
    ratio : float, optional
        Integrated intensity of Kα2 over that of Kα1. Default: that of the radiation's lines, else 0.5.

    Notes
    -----
    The angle of each point as a Kα2 reflection is exact, :math:`\sin\theta_1 = \sin\theta\,\lambda_1/\lambda_2`, and
    the measured pattern is the sum of two,

    .. math:: I(2\theta) = I_1(2\theta) + r\,I_1(2\theta_1)\,\frac{d\theta_1}{d\theta},
              \qquad \frac{d\theta_1}{d\theta} = \frac{\lambda_1 \cos\theta}{\lambda_2 \cos\theta_1},

    the last factor keeping the area. Rachinger solves it point by point from the low-angle end; here the same
    equations, with :math:`I_1(2\theta_1)` by cubic interpolation, are one sparse linear system, solved at once, which
    also holds where the doublet lies closer than a step. Below the first point the pattern is taken as constant.
    Noise grows by up to :math:`1/\sqrt{1 - r^2}` (15 % for r = 0.5), and weak ripples remain behind strong peaks, as
    with every Rachinger correction: Kα1 and Kα2 are taken as equally wide.

    Patterns of one line (synchrotron, monochromator) and patterns whose radiation is unknown, plain arrays among them,
    are left as they are when no `wavelengths` are given; for `Patterns` a warning says so.

    References
    ----------
    W. A. Rachinger, J. Sci. Instrum. 25 (1948) 254, https://doi.org/10.1088/0950-7671/25/7/125.

    Examples
    --------
    >>> import numpy as np
    >>> import peakwise as pw
    >>> axis = np.arange(59, 61, 0.02)
    >>> bragg = np.degrees(2 * np.arcsin(np.array([1.5405929, 1.5444274]) / (2 * 1.5405929)))
    >>> one, two = (2.0 ** -(((axis - centre) / 0.05) ** 2) for centre in bragg)
    >>> scan = pw.Patterns(axis, 1000 * one + 500 * two, wavelength="CuKa")
    >>> stripped = StripKalpha2().fit_transform(scan)
    >>> bool(np.abs(stripped.intensity - 1000 * one).max() < 5)
    True
    >>> round(stripped.wavelength, 6)
    1.540593
    """

    accepts: ClassVar[Literal["grid", "kind", "any"]] = "kind"

    def __init__(self, wavelengths: tuple[float, float] | None = None, *, ratio: float | None = None) -> None:
        self.wavelengths = wavelengths
        self.ratio = ratio

    def _fit(self, patterns: Patterns) -> None:
        check_number(self, "ratio", "Use 0.5", above=0, most=1, optional=True)
        if self.wavelengths is not None:
            must = "two wavelengths [angstrom], the second up to 2 % longer"
            try:
                one, two = (float(w) for w in self.wavelengths)
            except (TypeError, ValueError) as problem:
                raise refuse(self, "wavelengths", must, "Give (Kα1, Kα2)") from problem
            if not (0 < one < two <= _FURTHEST * one):
                raise refuse(self, "wavelengths", must, "Give (Kα1, Kα2), for copper (1.540593, 1.544427)")
        self._check_kind(patterns)

    def _check_kind(self, patterns: Patterns) -> None:
        if self._doublet(patterns.radiation) is not None and patterns.kind != "two_theta":
            why = f"the axis must be two_theta, got {patterns.kind}"
            raise AxisError("cannot strip Kα2", why, "Pass Patterns in two_theta, and convert the axis afterwards")

    def _transform(self, patterns: Patterns) -> Patterns:
        self._check_kind(patterns)
        radiation = patterns.radiation
        doublet = self._doublet(radiation)
        if doublet is None:
            why = "its wavelengths are not known" if radiation is None else "the radiation has none"
            return patterns.replace(warnings=[*patterns.warnings, f"Kα2 was not stripped: {why}"])
        one, two, ratio = doublet
        shift, weight = _shift_matrix(patterns.axis, one / two)
        sigma, notes = patterns.sigma, list(patterns.warnings)
        if self.wavelengths is None and radiation is not None and radiation.assumed:
            notes.append(f"Kα2 was stripped for an assumed tube ({one:g} and {two:g} angstrom): give the wavelength")
        return patterns.replace(
            intensity=_solved(ratio * weight, shift, patterns.intensity),
            # The two terms of the difference come from different points, so their variances add.
            sigma=None if sigma is None else np.sqrt(_solved(-((ratio * weight) ** 2), shift.power(2), sigma**2)),
            radiation=Radiation(one) if radiation is None else self._of_one_line(radiation, one),
            warnings=notes,
        )

    def _of_one_line(self, radiation: Radiation, one: float) -> Radiation:
        """The radiation without all but its Kα1."""
        return replace(radiation, wavelength=one, lines=(), assumed=radiation.assumed and self.wavelengths is None)

    def _doublet(self, radiation: Radiation | None) -> tuple[float, float, float] | None:
        """Kα1, Kα2 and the ratio of their intensities, or None where there is no Kα2 to strip."""
        lines = () if radiation is None else radiation.lines
        if self.wavelengths is not None:
            one, two = self.wavelengths
            return float(one), float(two), 0.5 if self.ratio is None else self.ratio
        if not lines:
            return None
        one, first = lines[0]
        for two, second in lines[1:]:
            if one < two <= _FURTHEST * one:
                return one, two, second / first if self.ratio is None else self.ratio
        return None


def _shift_matrix(axis: NDArray[np.float64], shrink: float) -> tuple[Any, NDArray[np.float64]]:
    """Sparse matrix that reads a pattern at the Kα1 angle of each point, and how much narrower a bin is there."""
    from scipy.sparse import csr_array

    m = axis.size
    theta = np.radians(axis / 2)
    source = np.arcsin(np.sin(theta) * shrink)
    weight = shrink * np.cos(theta) / np.cos(source)
    wanted = np.maximum(2 * np.degrees(source), axis[0])
    n_used = min(4, m)
    first = np.clip(np.searchsorted(axis, wanted, side="right") - 2, 0, m - n_used)
    columns = first[:, np.newaxis] + np.arange(n_used)
    nodes = axis[columns]  # (m, 4)
    shares = np.ones_like(nodes)
    for j in range(n_used):
        for k in range(n_used):
            if j != k:  # Lagrange's polynomials
                shares[:, j] *= (wanted - nodes[:, k]) / (nodes[:, j] - nodes[:, k])
    index = (np.repeat(np.arange(m), n_used), columns.ravel())
    return csr_array((shares.ravel(), index), shape=(m, m)), weight


def _solved(factor: NDArray[np.float64], shift: Any, rows: NDArray[np.floating]) -> NDArray[np.floating]:
    """Solve (1 + factor * shift) x = row for all rows at once."""
    from scipy.sparse import diags_array, eye_array
    from scipy.sparse.linalg import splu

    system = eye_array(len(factor)) + diags_array(factor) @ shift
    # The system is banded and nearly triangular as it stands, so no reordering.
    solver = splu(system.tocsc(), permc_spec="NATURAL")
    return np.ascontiguousarray(solver.solve(rows.T.astype(np.float64)).T, dtype=rows.dtype)
