"""What a good search-match does, without learning anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
from sklearn.base import ClassifierMixin

from peakwise.errors import OptionError
from peakwise.estimators._base import Estimator
from peakwise.estimators._options import real_option, whole_option
from peakwise.estimators._rows import check_labelled, unit_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.patterns import Patterns

__all__ = ["CosineMatcher"]

_DEGREES = 0.2  # largest zero shift on an axis of angles: a sample surface 0.35 mm off at a radius of 200 mm
_STEPS = 2  # the same on other axes, in steps of the grid
_BLOCK = 2**24  # numbers held at once
_LARGEST_STRAIN = 0.2


@final
class CosineMatcher(ClassifierMixin, Estimator):  # type: ignore[misc]
    r"""The most similar template, over all zero shifts and lattice strains.

    Every pattern given to `fit` is a template of its label. A scan is moved to each combination of zero shift and
    strain by linear interpolation, and its similarity to a label is the largest cosine between the square roots of
    its intensities and of any of that label's templates.

    Parameters
    ----------
    max_shift : float, optional
        Largest shift of the zero point [unit of the axis]. None: 0.2 deg on ``two_theta``, else two steps of the grid.
    n_shifts : int
        Shifts tried, from -max_shift to max_shift.
    max_strain : float
        Largest relative change of all lattice lengths. It acts on the axes ``two_theta``, ``q``, ``d`` and ``energy``.
    n_strains : int
        Strains tried, from -max_strain to max_strain.

    Notes
    -----
    The axis of a lattice stretched by a factor :math:`1 + e` runs as :math:`\sin\theta' = \sin\theta / (1 + e)`,
    :math:`q' = q / (1 + e)`, :math:`d' = d (1 + e)`. Points that come from outside the scan count as zero.
    Similarities are no probabilities.

    Examples
    --------
    >>> import numpy as np
    >>> import peakwise as pw
    >>> axis = np.linspace(20, 60, 801)
    >>> def lines(*positions):
    ...     return sum(np.exp(-(((axis - p) / 0.1) ** 2)) for p in positions)
    >>> library = pw.Patterns(axis, [lines(30, 40), lines(30.5, 45)], wavelength="CuKa1")
    >>> scan = pw.Patterns(axis, [lines(30.2, 40.2)], wavelength="CuKa1")
    >>> CosineMatcher().fit(library, ["a", "b"]).predict(scan)
    array(['a'], dtype='<U1')
    """

    task: ClassVar[str] = "identify"
    tried_when_loaded: ClassVar[bool] = True

    def __init__(
        self, max_shift: float | None = None, n_shifts: int = 5, max_strain: float = 0.01, n_strains: int = 11
    ) -> None:
        self.max_shift = max_shift
        self.n_shifts = n_shifts
        self.max_strain = max_strain
        self.n_strains = n_strains

    def _fit(self, patterns: Patterns, y: Any) -> None:
        if self.max_shift is None:
            shift = _DEGREES if patterns.kind == "two_theta" else _STEPS * patterns.step
        else:
            shift = real_option(self, "max_shift")
        strain = real_option(self, "max_strain")
        if strain > _LARGEST_STRAIN:
            why = f"max_strain must be at most {_LARGEST_STRAIN:g}, got {strain:g}"
            raise OptionError("cannot fit CosineMatcher", why, "Give a fraction: 0.01 is one percent")
        shifts = _spread_out(shift, whole_option(self, "n_shifts"))
        strains = _spread_out(strain, whole_option(self, "n_strains")) if patterns.kind in _STRETCH else np.zeros(1)
        self.moves_ = np.array([(z, e) for z in shifts for e in strains])
        order = np.argsort(y, kind="stable")
        self.templates_: NDArray[np.floating] = unit_rows(patterns.intensity)[order]
        self.codes_: NDArray[np.int64] = np.asarray(y, dtype=np.int64)[order]

    def _scores(self, patterns: Patterns) -> NDArray[np.floating]:
        rows = np.asarray(patterns.intensity, dtype=self.templates_.dtype)
        first_of_label = np.searchsorted(self.codes_, np.arange(self.codes_[-1] + 1))
        best = np.full((len(rows), first_of_label.size), -np.inf)
        size = max(1, _BLOCK // max(self.codes_.size, rows.shape[1]))
        for shift, strain in self.moves_:
            place = _STRETCH.get(self.kind_, _stay)(self.grid_, strain) + shift
            left, share, inside = _between(self.grid_, place)
            for start in range(0, len(rows), size):
                part = rows[start : start + size]
                moved = ((1 - share) * part[:, left] + share * part[:, left + 1]) * inside
                similar = unit_rows(moved).astype(self.templates_.dtype, copy=False) @ self.templates_.T
                top = np.maximum.reduceat(similar, first_of_label, axis=1)
                np.maximum(best[start : start + size], top, out=best[start : start + size])
        return best

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        return {}, {"templates": self.templates_, "codes": self.codes_, "moves": self.moves_}

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        check_labelled(arrays["templates"], arrays["codes"], recipe["labels"])
        made = cls(**options)
        made.templates_, made.codes_, made.moves_ = arrays["templates"], arrays["codes"], arrays["moves"]
        return made


def _spread_out(most: float, n: int) -> NDArray[np.float64]:
    """From -most to most; a single one is 0."""
    return np.linspace(-most, most, n) if n > 1 and most > 0 else np.zeros(1)


def _between(axis: NDArray[np.float64], place: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """For linear interpolation at each place: the point to its left, the share of the right one, and 0 outside."""
    left = np.clip(np.searchsorted(axis, place) - 1, 0, axis.size - 2)
    share = (place - axis[left]) / (axis[left + 1] - axis[left])
    # Rounding must not throw an end point out.
    return left, np.clip(share, 0, 1), (share > -1e-6) & (share < 1 + 1e-6)


def _stretch_two_theta(axis: NDArray[np.float64], strain: float) -> NDArray[np.float64]:
    return np.asarray(2 * np.degrees(np.arcsin(np.clip(np.sin(np.radians(axis / 2)) / (1 + strain), -1, 1))))


def _stretch_reciprocal(axis: NDArray[np.float64], strain: float) -> NDArray[np.float64]:
    return axis / (1 + strain)


def _stretch_direct(axis: NDArray[np.float64], strain: float) -> NDArray[np.float64]:
    return axis * (1 + strain)


def _stay(axis: NDArray[np.float64], strain: float) -> NDArray[np.float64]:
    del strain
    return axis


# Kind of axis -> where a point moves when the lattice is stretched.
_STRETCH = {
    "two_theta": _stretch_two_theta,
    "q": _stretch_reciprocal,
    "energy": _stretch_reciprocal,
    "d": _stretch_direct,
}
