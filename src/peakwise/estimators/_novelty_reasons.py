"""The known scans beside a strange one: which is nearest, what explains it, which peaks are new, in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from peakwise.estimators._rows import unit_rows
from peakwise.novelty import Corrector, Nearest, leftovers, mixture_of, noise_of, sharpened, without_noise
from peakwise.patterns import convert_axis

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    ScoreOf = Callable[[Floats], float]

__all__ = ["WITH_BACKGROUND", "KnownScans", "Reason", "compared_rows"]

_TRIED = 5  # nearest known scans to which a strange one is aligned
_BLUR = 4.0  # points, by which scans are blurred before the nearest is looked for, so that a shift does not hide it
_NOISIER = 1.3  # times the noise of known scans, from which noise is an explanation
_NOISY = 0.3  # share of a row that is noise, from which it is said
# Axes along which sharp lines stand on a background that varies from scan to scan.
WITH_BACKGROUND = ("two_theta", "q", "d", "raman_shift")


def compared_rows(intensity: NDArray[np.floating], kind: str) -> Floats:
    """Rows of length 1: square roots, and along axes where lines stand on a background, without what is broad."""
    rows = np.asarray(unit_rows(np.asarray(intensity, dtype=np.float64)), dtype=np.float64)
    return sharpened(rows) if kind in WITH_BACKGROUND else rows


@dataclass(frozen=True, slots=True)
class Reason:
    """What explains a strange scan, and the score of the scan without it."""

    kind: str
    words: str
    score: float
    parts: tuple[tuple[str, float], ...] = ()


@dataclass(eq=False)
class KnownScans:
    """Known scans, as they explain strange ones.

    Attributes
    ----------
    grid : ndarray of shape (m,)
    kind : str
        Of the axis.
    wavelength : float or None
    names : ndarray of shape (n,)
    intensity : ndarray of shape (n, m)
    rows : ndarray of shape (n, m)
        As they are compared.
    """

    grid: Floats
    kind: str
    wavelength: float | None
    names: NDArray[np.str_]
    intensity: Floats
    rows: Floats = field(init=False)

    def __post_init__(self) -> None:
        from scipy.ndimage import gaussian_filter1d

        # All that strange scans need is made now: the first of them must not keep a stream waiting.
        self.rows = compared_rows(self.intensity, self.kind)
        self._nearest = Nearest()
        self._nearest.learn(self.rows, 0)
        self._corrector = Corrector(self.grid, is_angle=self.kind == "two_theta")
        self._codes = np.asarray(np.unique(self.names, return_inverse=True)[1], np.intp)
        self._blurred: Floats = np.asarray(gaussian_filter1d(self.rows, _BLUR, axis=1))
        self._usual_noise = float(np.median([noise_of(row) for row in self.rows]))
        length = np.maximum(np.linalg.norm(self.intensity, axis=1, keepdims=True), 1e-12)
        self._units: Floats = np.asarray(self.intensity / length)
        self.peaks(self.rows[0], 0)  # what it imports is loaded

    def nearest(self, row: Floats) -> tuple[int, float]:
        """Number of the known scan that is nearest to a row (m,), and which share of the row is not like it."""
        which, left = self._nearest.nearest(row[None])
        return int(which[0]), float(left[0])

    def reason(self, intensity: Floats, row: Floats, score_of: ScoreOf, threshold: float) -> Reason | None:
        """What makes the scan ordinary when it is corrected for it, or None."""
        if not row.any():
            return None
        for tried in (self._moved, self._noise, self._mixture):
            reason = tried(intensity, row, score_of)
            if reason is not None and reason.score <= threshold:
                return reason
        return None

    def blend(self, intensity: Floats) -> Floats:
        """The sum of known scans that is nearest to a mixture (m,)."""
        from scipy.optimize import nnls

        taken = [i for i, _ in mixture_of(intensity, self._units, self._codes, is_unit=True)[0]]
        weights, _ = nnls(self._units[taken].T, intensity)
        return np.asarray(weights @ self._units[taken])

    def peaks(self, row: Floats, near: int) -> tuple[dict[str, float | None], ...]:
        """Peaks of a row that its nearest lacks: position, d and intensity."""
        return tuple(
            {"axis": peak.position, "d": self._d(peak.position), "intensity": round(peak.height**2, 4)}
            for peak in leftovers(self.grid, row, self.rows[near])
        )

    def words(
        self, row: Floats, near: int, left: float, peaks: tuple[dict[str, float | None], ...], worst: str
    ) -> tuple[str, ...]:
        """Why a scan is new, in words; `left` of it is not like the nearest, `worst` is its strangest score."""
        if not row.any():
            return ("the scan is empty: all intensities are 0",)
        said = []
        share = noise_of(row)
        if share > _NOISY:
            said.append(f"mostly noise ({100 * share:.0f} % of the signal), and no known pattern is seen in it")
        if peaks and share <= _NOISY:
            told = ", ".join(
                f"{p['axis']:.4g}" + (f" (d = {p['d']:.4g} angstrom)" if p["d"] is not None else "") for p in peaks[:5]
            )
            said.append(f"peaks that {self.names[near]} does not have, at {told}")
        said.append(
            f"{100 * left:.0f} % of it is not like {self.names[near]}, the nearest; "
            f"strangest by {worst}. Neither shift, wavelength, noise nor a mixture of known ones explains it"
        )
        return tuple(said)

    def _moved(self, intensity: Floats, row: Floats, score_of: ScoreOf) -> Reason | None:  # noqa: ARG002
        from scipy.ndimage import gaussian_filter1d

        tried = np.argsort(-(self._blurred @ gaussian_filter1d(row, _BLUR)))[:_TRIED]
        made = self._corrector.of(row, self.rows[tried])
        scored = [(score_of(c.row), c) for c in made]
        score, best = min(scored, key=lambda pair: pair[0])
        if best.kind == "zero shift":
            words = f"a zero shift of {best.amount:+.3g} along the axis explains it"
        else:
            words = f"a wavelength off by {100 * best.amount:+.2g} % explains it"
        return Reason(best.kind, words, score)

    def _noise(self, intensity: Floats, row: Floats, score_of: ScoreOf) -> Reason | None:  # noqa: ARG002
        share = noise_of(row)
        if share <= _NOISIER * self._usual_noise:
            return None  # no noisier than what is known: noise is not what is strange
        quiet = without_noise(row, self.rows[self.nearest(row)[0]])
        if quiet is None:
            return None
        return Reason("noise", f"noise explains it: {100 * share:.0f} % of the signal", score_of(quiet))

    def _mixture(self, intensity: Floats, row: Floats, score_of: ScoreOf) -> Reason | None:  # noqa: ARG002
        from scipy.optimize import nnls

        parts, _ = mixture_of(intensity, self._units, self._codes, is_unit=True)
        if not parts:
            return None
        size = float(np.linalg.norm(intensity))
        taken = [i for i, _ in parts]
        weights, _ = nnls(self._units[taken].T, intensity / size)
        # What the mixture does not explain stays: it is put on top of the largest part alone.
        rest = intensity / size - weights @ self._units[taken]
        first = taken[int(np.argmax(weights))]
        score = score_of(compared_rows((weights.sum() * self._units[first] + rest)[None], self.kind)[0])
        named = tuple((str(self.names[i]), share) for i, share in parts)
        words = "a mixture of known ones: " + " and ".join(f"{name} ({100 * share:.0f} %)" for name, share in named)
        return Reason("mixture", words, score, named)

    def _d(self, position: float) -> float | None:
        if self.kind not in ("two_theta", "q", "d") or (self.kind == "two_theta" and not self.wavelength):
            return None
        if not position > 0:
            return None
        return float(convert_axis(np.array([position]), self.kind, "d", wavelength=self.wavelength)[0])
