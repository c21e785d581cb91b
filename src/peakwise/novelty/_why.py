"""Why a scan looks new, and whether something harmless explains it: each is tested by correcting for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.optimize import nnls

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from peakwise.novelty._score import Rows

__all__ = [
    "Correction", "Corrector", "Leftover", "corrections", "leftovers", "mixture_of", "noise_of", "without_noise",
]  # fmt: skip

_SHARES = (0.15, 0.85)  # a part of a mixture has at least and at most so much of it
_SIGMAS = 5.0
_BLUR = 2.0  # points, by which noise is smoothed where peaks are looked for in it
_GRAINS = 24  # points left of a pattern when it is smoothed to see whether the known one is in it
_QUARTERS = 4  # steps per point of the axis when a scan is moved
_PROMISING = 3  # whole points around which quarters are tried
_SEEN = 0.9  # correlation of the smoothed patterns from which it is


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """A scan as it would be without a fault of its measurement.

    Attributes
    ----------
    kind : str
        zero shift or wavelength.
    amount : float
        In units of the axis, or as a share of the wavelength.
    row : ndarray of shape (m,)
    """

    kind: str
    amount: float
    row: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Leftover:
    """A peak that the nearest known pattern does not have: position, and height as a share of the highest."""

    position: float
    height: float


def corrections(
    axis: NDArray[np.float64], row: NDArray[np.float64], known: Rows, *, is_angle: bool
) -> list[Correction]:
    """The scan moved, and measured with another wavelength, so that it is most like one of some known rows.

    Parameters
    ----------
    axis, row : (m,)
    known : (k, m)
        Rows of length 1 to which it is aligned.
    is_angle : bool
        Whether the axis is 2theta [deg]; else a wrong wavelength stretches it.
    """
    return Corrector(axis, is_angle=is_angle).of(row, known)


class Corrector:
    """What `corrections` does, for many scans along one axis: where each point comes from is computed once.

    Parameters
    ----------
    axis : (m,)
    is_angle : bool
    """

    def __init__(self, axis: NDArray[np.float64], *, is_angle: bool) -> None:
        span = float(axis[-1] - axis[0])
        step = span / (len(axis) - 1)
        moves = _steps(max(0.004 * span, 2 * step), step)
        stretches = _steps(0.012, step / max(abs(axis[0]), abs(axis[-1])))
        self._ways = [_Way("zero shift", moves, axis, None), _Way("wavelength", stretches, axis, is_angle)]

    def of(self, row: NDArray[np.float64], known: Rows) -> list[Correction]:
        """The best of each kind for a row (m,) beside known rows (k, m)."""
        return [way.best(row, known) for way in self._ways]


def _steps(most: float, step: float) -> NDArray[np.float64]:
    many = min(200, max(4, int(np.ceil(_QUARTERS * most / step))))
    return np.linspace(-most, most, 2 * many + 1)


class _Way:
    """One kind of correction by several amounts.

    Lines are wider than one point of the axis: whole points are looked at first, by tables in single precision, then
    quarters of a point around the best of them.
    """

    def __init__(
        self, kind: str, amounts: NDArray[np.float64], axis: NDArray[np.float64], is_angle: bool | None
    ) -> None:
        """`is_angle` is None where the axis is moved and not stretched."""
        self.kind, self.amounts, self.axis, self.is_angle = kind, amounts, axis, is_angle
        self._sines = np.sin(np.radians(axis / 2)) if is_angle else axis
        self._left, self._share = [], []
        for amount in amounts[::_QUARTERS]:
            at = np.clip(self._from(float(amount)), axis[0], axis[-1])
            left = np.clip(np.searchsorted(axis, at, side="right") - 1, 0, len(axis) - 2)
            self._left.append(left)
            self._share.append(((at - axis[left]) / (axis[left + 1] - axis[left])).astype(np.float32))

    def _from(self, amount: float) -> NDArray[np.float64]:
        """Where on the measured axis each point of the corrected scan comes from."""
        if self.is_angle is None:
            return self.axis + amount
        if not self.is_angle:
            return self.axis * (1 + amount)
        return np.asarray(2 * np.degrees(np.arcsin(np.clip(self._sines * (1 + amount), -1, 1))))

    def best(self, row: NDArray[np.float64], known: Rows) -> Correction:
        single, rises = row.astype(np.float32), np.diff(row).astype(np.float32)
        some = known.astype(np.float32)
        coarse = np.empty(len(self._left))
        for number, (left, share) in enumerate(zip(self._left, self._share, strict=True)):
            made = single.take(left) + share * rises.take(left)
            coarse[number] = (some @ made).max() / max(float(np.sqrt(made @ made)), 1e-12)
        rows: dict[int, NDArray[np.float64]] = {}
        alike: dict[int, float] = {}
        for peak in np.argsort(-coarse)[:_PROMISING]:
            for number in range(_QUARTERS * int(peak) - _QUARTERS + 1, _QUARTERS * int(peak) + _QUARTERS):
                if 0 <= number < len(self.amounts) and number not in rows:
                    tried = np.interp(self._from(float(self.amounts[number])), self.axis, row)
                    rows[number] = tried / max(float(np.linalg.norm(tried)), 1e-12)
                    alike[number] = float((known @ rows[number]).max())
        at = max(sorted(alike), key=alike.__getitem__)
        return Correction(self.kind, float(self.amounts[at]), rows[at])


def mixture_of(
    row: NDArray[np.float64], known: Rows, names: NDArray[np.generic], most: int = 3, *, is_unit: bool = False
) -> tuple[list[tuple[int, float]], float]:
    """Known patterns whose sum is most like a row, and what is left over (a share of its length).

    Parameters
    ----------
    row : (m,)
        Intensities, on whatever scale.
    known : (n, m)
    names : (n,)
        Only patterns of different names (or numbers) are parts of a mixture.
    most : int
    is_unit : bool
        Whether the known patterns have the length 1.

    Returns
    -------
    parts : list of (number of the known row, share)
        Empty where one pattern alone is as good.
    left : float
    """
    size = max(float(np.linalg.norm(row)), 1e-12)
    basis = known if is_unit else known / np.maximum(np.linalg.norm(known, axis=1, keepdims=True), 1e-12)
    taken: list[int] = []
    left, weights, residual = 1.0, np.zeros(0), row / size
    for _ in range(most):
        gain = basis @ residual
        gain[np.isin(names, names[taken])] = -np.inf
        gain[taken] = -np.inf
        if not np.isfinite(gain).any():
            break
        tried = [*taken, int(np.argmax(gain))]
        found, rest = nnls(basis[tried].T, row / size)
        if taken and (rest > 0.8 * left or (found < _SHARES[0] * found.sum()).any()):
            break
        taken, weights, left = tried, found, float(rest)
        residual = row / size - weights @ basis[taken]
    if len(taken) < 2 or weights.max() > _SHARES[1] * weights.sum():
        return [], left
    return [(i, float(w / weights.sum())) for i, w in zip(taken, weights, strict=True)], left


def noise_of(row: NDArray[np.float64]) -> float:
    """Share of a row's length that is noise: what differs from point to point.

    >>> round(noise_of(np.random.default_rng(0).normal(0, 1, 10_000)), 1), noise_of(np.linspace(1, 2, 100))
    (1.0, 0.0)
    """
    share = _sigma(row) * np.sqrt(len(row)) / max(float(np.linalg.norm(row)), 1e-12)
    return float(np.round(share, 12))


def without_noise(row: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The row of a known one and of what stands out of the noise beside it; None where the known one is not seen.

    Parameters
    ----------
    row, known : (m,)
    """
    sigma = _sigma(row)
    if len(row) < 5 or not sigma > 0:
        return None
    wide = max(1.0, len(row) / _GRAINS / 4)
    a, b = (gaussian_filter1d(v, wide) for v in (row, known))
    a, b = a - a.mean(), b - b.mean()
    if not float(a @ b) > _SEEN * float(np.linalg.norm(a) * np.linalg.norm(b)):
        return None
    scale = float(row @ known) / max(float(known @ known), 1e-12)
    coarse = gaussian_filter1d(row - scale * known, _BLUR)
    # White noise of sigma 1 smoothed by a Gaussian of 2 points has a sigma of 0.376.
    stands_out = maximum_filter1d(np.abs(coarse) > _SIGMAS * 0.376 * sigma, 2 * round(2 * _BLUR) + 1)
    quiet = scale * known + np.where(stands_out, coarse, 0.0)
    return np.asarray(quiet / max(float(np.linalg.norm(quiet)), 1e-12))


def _sigma(row: NDArray[np.float64]) -> float:
    """Standard deviation of what differs from point to point."""
    if len(row) < 5:
        return 0.0
    second = row[1:-1] - 0.5 * (row[:-2] + row[2:])
    return float(1.4826 * np.median(np.abs(second)) / np.sqrt(1.5))


def leftovers(
    axis: NDArray[np.float64], row: NDArray[np.float64], known: NDArray[np.float64], most: int = 10
) -> list[Leftover]:
    """Peaks of a row that stand out of the noise and that a known row lacks, highest first.

    Parameters
    ----------
    axis, row, known : (m,)
        Intensities on whatever scale; the known ones are scaled to the row.
    """
    from scipy.signal import find_peaks

    if len(row) < 5:
        return []
    scale = float(row @ known) / max(float(known @ known), 1e-12)
    off = gaussian_filter1d(row - max(scale, 0.0) * known, 1.0)
    sigma = _sigma(row)
    top = max(float(np.ptp(row)), 1e-12)
    least = max(_SIGMAS * sigma, 0.02 * top)
    places, facts = find_peaks(off, height=least, prominence=least)
    order = np.argsort(-facts["prominences"])[:most]
    return [Leftover(float(axis[places[i]]), float(facts["prominences"][i] / top)) for i in order]
