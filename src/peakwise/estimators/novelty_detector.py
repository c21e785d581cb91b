"""Which scans are unlike anything known, with a stated rate of false alarms, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from peakwise.errors import PatternsError
from peakwise.estimators._base import Estimator
from peakwise.estimators._novelty import Novelty
from peakwise.estimators._novelty_view import on_scale, principal_plane
from peakwise.estimators._options import option_error, real_option, whole_option
from peakwise.estimators._rows import unit_rows
from peakwise.evaluation import conformal_size
from peakwise.novelty import (
    SCORES,
    Combined,
    Nearest,
    Score,
    corrections,
    cross_scores,
    folds,
    leftovers,
    mixture_of,
    noise_of,
    sharpened,
    tail_p_values,
    tail_threshold,
)  # fmt: skip
from peakwise.patterns import Patterns, convert_axis

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["NoveltyDetector"]

# The whole pattern and its peaks: on minerals that were left out and on failed absorption scans no other score, and no
# mean of more of them, parts new from known better.
_AUTO = ("nearest", "peaks")
_FEWEST = 3  # known scans; with fewer nothing can be left out in turn
_FEW = 10
_TRIED = 5  # nearest known scans to which a strange one is aligned
# Axes along which sharp lines stand on a background that varies from scan to scan.
_WITH_BACKGROUND = ("two_theta", "q", "d", "raman_shift")
_NOISY = 0.3  # share of a row that is noise, from which it is said


@dataclass(slots=True)
class _Reason:
    """What explains a strange scan, and the score of the scan without it."""

    kind: str
    words: str
    score: float
    parts: tuple[tuple[str, float], ...] = ()


@final
class NoveltyDetector(Estimator):
    """Tell which scans are unlike anything known.

    Scores of strangeness are learned from the known scans and joined to one. Known scans that were left out in
    turn say how large it is for what is known; that gives the threshold and the p-values. A scan above the threshold is
    corrected for noise, a zero shift, a wrong wavelength and for being a mixture of known ones; only what stays above
    the threshold is new.

    Parameters
    ----------
    false_alarm : float
        Of scans like the known ones, so many may be called new.
    method : str
        "auto" for the distance from the nearest known scan and the new peaks together, or a key of
        ``peakwise.novelty.SCORES`` for one score alone.
    random_state : int

    Attributes
    ----------
    threshold_ : float
        Score above which a scan is new.
    known_scores_ : ndarray of shape (n,)
        Of the known scans, left out in turn.
    names_ : ndarray of shape (n,)
        What the known scans are called: the phases of simulated ones.
    warnings_ : list of str

    Examples
    --------
    >>> x = np.linspace(10, 50, 400)
    >>> lines = lambda *at: sum(400 * np.exp(-(((x - a) / 0.3) ** 2)) for a in at) + 20
    >>> rng = np.random.default_rng(0)
    >>> known = Patterns(x, rng.poisson([lines(20, 31)] * 40), "q")
    >>> detector = NoveltyDetector(false_alarm=0.05).fit(known)
    >>> detector.predict(Patterns(x, rng.poisson([lines(20, 31), lines(20, 31, 42)]), "q"))
    array([False,  True])
    """

    task: ClassVar[str] = "novelty"
    tried_when_loaded: ClassVar[bool] = True

    def __init__(self, false_alarm: float = 0.01, method: str = "auto", random_state: int = 0) -> None:
        self.false_alarm = false_alarm
        self.method = method
        self.random_state = random_state

    def _fit(self, patterns: Patterns, y: Any) -> None:  # noqa: ARG002 - what is known needs no labels
        self._check_options()
        n = len(patterns)
        if n < _FEWEST:
            why = f"at least {_FEWEST} known scans are needed, to see how much they differ; got n_samples = {n}"
            raise PatternsError("cannot learn what is known", why, "Give more of them")
        known = np.asarray(patterns.intensity, dtype=np.float64)
        if not known.any():
            why = "all known scans are empty: their intensities are 0"
            raise PatternsError("cannot learn what is known", why, "Give scans with counts")
        seed = whole_option(self, "random_state", 0)
        rows = _unit(known, self.kind_)
        cross = cross_scores(self._kinds(), rows, folds(n, seed), seed)
        names = patterns.meta.get("phases", patterns.names)
        self.warnings_ = []
        if n < conformal_size(self.false_alarm):
            self.warnings_.append(
                f"{n} known scans can promise a false-alarm rate of {1 / (n + 1):.2g}; for {self.false_alarm:g}, which "
                f"needs {conformal_size(self.false_alarm)}, their tail was continued"
            )
        if n < _FEW:
            self.warnings_.append(f"only {n} known scans: what they have in common is hardly known")
        self._put(known, np.array([str(name) for name in names]), cross, self.kind_)

    def p_values(self, X: Any) -> NDArray[np.float64]:
        """How likely a known scan is at least as strange, for each pattern (n,).

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        """
        return tail_p_values(self.known_scores_, np.asarray(self.scores(X)))

    def answers(self, X: Any) -> list[Novelty]:
        """Tell of each pattern whether it is new, and why.

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        """
        patterns = self._known(X)
        rows = _unit(patterns.intensity, self.kind_)
        table = self._table(rows)
        plain = self._combined.of(table)
        names = list(self._scorers)
        found = []
        for i, row in enumerate(rows):
            near = int(self._nearest.nearest(row[None])[0][0])
            reason = self._reason(patterns.intensity[i], row, near) if plain[i] > self.threshold_ else None
            score = float(plain[i] if reason is None else reason.score)
            p_value = float(tail_p_values(self.known_scores_, np.array([score]))[0])
            peaks = self._peaks(row, near) if plain[i] > self.threshold_ and reason is None else ()
            novel = bool(score > self.threshold_)
            why = self._words(row, near, peaks, table[i]) if novel else ()
            if reason is not None:
                why = (reason.words,)
            found.append(
                Novelty(
                    score, p_value, novel, str(self.names_[near]), None if reason is None else reason.kind, why, peaks,
                    () if reason is None else reason.parts,
                    {name: float(v) for name, v in zip(names, table[i], strict=True)},
                )
            )  # fmt: skip
        return found

    def reconstruct(self, X: Any) -> NDArray[np.float64]:
        """The nearest known scan of each pattern on its scale (n, m); of a mixture of known ones, the mixture.

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)
        """
        patterns = self._known(X)
        rows = _unit(patterns.intensity, self.kind_)
        strange = self._combined.of(self._table(rows)) > self.threshold_
        near = self._nearest.nearest(rows)[0]
        made = np.empty(rows.shape)
        for i, row in enumerate(rows):
            pattern = np.asarray(patterns.intensity[i], dtype=np.float64)
            known = self._intensity[int(near[i])]
            if strange[i]:
                reason = self._reason(pattern, row, int(near[i]))
                if reason is not None and reason.kind == "mixture":
                    known = self._mixed(pattern)
            made[i] = on_scale(pattern, known)
        return made

    def plane(self, X: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, float]]:
        """Patterns (n, 2) and known scans (k, 2) on the two directions in which the known ones differ most.

        Parameters
        ----------
        X : Patterns, xarray object or array-like of shape (n, m)

        Returns
        -------
        asked, known : ndarray
        shares : (float, float)
            Of all that the known scans differ in.
        """
        known, asked, shares = principal_plane(self._rows, _unit(self._known(X).intensity, self.kind_))
        return asked, known, shares

    def _mixed(self, intensity: NDArray[np.float64]) -> NDArray[np.float64]:
        """The sum of known scans that is nearest to a mixture."""
        from scipy.optimize import nnls

        taken = [i for i, _ in mixture_of(intensity, self._intensity, self.names_)[0]]
        weights, _ = nnls(self._intensity[taken].T, intensity)
        return np.asarray(weights @ self._intensity[taken])

    def _predict(self, patterns: Patterns) -> NDArray[np.bool_]:
        return np.asarray(self._scores(patterns) > self.threshold_)

    def _scores(self, patterns: Patterns) -> NDArray[np.float64]:
        rows = _unit(patterns.intensity, self.kind_)
        made = self._combined.of(self._table(rows))
        for i in np.flatnonzero(made > self.threshold_):
            reason = self._reason(patterns.intensity[i], rows[i], int(self._nearest.nearest(rows[i][None])[0][0]))
            made[i] = made[i] if reason is None else reason.score
        return made

    # ---------- what is known ----------

    def _put(self, known: NDArray[np.float64], names: NDArray[np.str_], cross: NDArray[np.float64], kind: str) -> None:
        """Learn from all known scans, and from how strange each was without it."""
        self.names_ = names
        self._intensity, self._cross = known, cross
        self._rows = _unit(known, kind)
        self._scorers: dict[str, Score] = {}
        for name, made in zip(self._named(), self._kinds(), strict=True):
            self._scorers[name] = made()
            self._scorers[name].learn(self._rows, self.random_state)
        self._nearest = Nearest()
        self._nearest.learn(self._rows, self.random_state)
        self._combined = Combined.learn(cross)
        self.known_scores_ = self._combined.of(cross)
        self.threshold_ = tail_threshold(self.known_scores_, self.false_alarm)

    def _named(self) -> list[str]:
        return list(_AUTO) if self.method == "auto" else [self.method]

    def _kinds(self) -> list[type[Score]]:
        return [SCORES[name] for name in self._named()]

    def _table(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([score.measure(rows) for score in self._scorers.values()], axis=1)

    def _score_of(self, row: NDArray[np.float64]) -> float:
        return float(self._combined.of(self._table(row[None]))[0])

    # ---------- why ----------

    def _reason(self, intensity: NDArray[np.floating], row: NDArray[np.float64], near: int) -> _Reason | None:
        """What makes the scan ordinary when it is corrected for it, or None."""
        if not row.any():
            return None
        for tried in (self._moved, self._noise, self._mixture):
            reason = tried(np.asarray(intensity, dtype=np.float64), row, near)
            if reason is not None and reason.score <= self.threshold_:
                return reason
        return None

    def _moved(self, intensity: NDArray[np.float64], row: NDArray[np.float64], near: int) -> _Reason | None:  # noqa: ARG002
        from scipy.ndimage import gaussian_filter1d

        blurred = gaussian_filter1d(self._rows, 4.0, axis=1) @ gaussian_filter1d(row, 4.0)
        tried = np.argsort(-blurred)[:_TRIED]
        made = corrections(self.grid_, row, self._rows[tried], is_angle=self.kind_ == "two_theta")
        scored = [(self._score_of(c.row), c) for c in made]
        score, best = min(scored, key=lambda pair: pair[0])
        if best.kind == "zero shift":
            words = f"a zero shift of {best.amount:+.3g} along the axis explains it"
        else:
            words = f"a wavelength off by {100 * best.amount:+.2g} % explains it"
        return _Reason(best.kind, words, score)

    def _noise(self, intensity: NDArray[np.float64], row: NDArray[np.float64], near: int) -> _Reason | None:  # noqa: ARG002
        from scipy.ndimage import gaussian_filter1d

        known = self._rows[near]
        share, is_noise = noise_of(row, known)
        if not is_noise:
            return None
        scale = float(row @ known)
        quiet = scale * known + gaussian_filter1d(row - scale * known, 4.0)
        score = self._score_of(quiet / max(float(np.linalg.norm(quiet)), 1e-12))
        return _Reason("noise", f"noise explains it: {100 * share:.0f} % of the signal", score)

    def _mixture(self, intensity: NDArray[np.float64], row: NDArray[np.float64], near: int) -> _Reason | None:  # noqa: ARG002
        parts, _ = mixture_of(intensity, self._intensity, self.names_)
        if not parts:
            return None
        size = float(np.linalg.norm(intensity))
        unit = self._intensity / np.maximum(np.linalg.norm(self._intensity, axis=1, keepdims=True), 1e-12)
        from scipy.optimize import nnls

        taken = [i for i, _ in parts]
        weights, _ = nnls(unit[taken].T, intensity / size)
        # What the mixture does not explain stays: it is put on top of the largest part alone.
        rest = intensity / size - weights @ unit[taken]
        first = taken[int(np.argmax(weights))]
        score = self._score_of(_unit((weights.sum() * unit[first] + rest)[None], self.kind_)[0])
        named = tuple((str(self.names_[i]), share) for i, share in parts)
        words = "a mixture of known ones: " + " and ".join(f"{name} ({100 * share:.0f} %)" for name, share in named)
        return _Reason("mixture", words, score, named)

    def _peaks(self, row: NDArray[np.float64], near: int) -> tuple[dict[str, float | None], ...]:
        return tuple(
            {"axis": peak.position, "d": self._d(peak.position), "intensity": round(peak.height**2, 4)}
            for peak in leftovers(self.grid_, row, self._rows[near])
        )

    def _d(self, position: float) -> float | None:
        if self.kind_ not in ("two_theta", "q", "d") or (self.kind_ == "two_theta" and not self.wavelength_):
            return None
        if not position > 0:
            return None
        return float(convert_axis(np.array([position]), self.kind_, "d", wavelength=self.wavelength_)[0])

    def _words(
        self, row: NDArray[np.float64], near: int, peaks: tuple[dict[str, float | None], ...],
        values: NDArray[np.float64],
    ) -> tuple[str, ...]:  # fmt: skip
        """Why a scan is new, in words."""
        if not row.any():
            return ("the scan is empty: all intensities are 0",)
        said = []
        share, _ = noise_of(row, self._rows[near])
        if share > _NOISY:
            said.append(f"mostly noise ({100 * share:.0f} % of the signal), and no known pattern is seen in it")
        if peaks and share <= _NOISY:
            told = ", ".join(
                f"{p['axis']:.4g}" + (f" (d = {p['d']:.4g} angstrom)" if p["d"] is not None else "") for p in peaks[:5]
            )
            said.append(f"peaks that {self.names_[near]} does not have, at {told}")
        logs = (np.log(np.maximum(values, self._combined.floor)) - self._combined.middle) / self._combined.spread
        worst = list(self._scorers)[int(np.argmax(logs))]
        said.append(
            f"{100 * self._nearest.measure(row[None])[0]:.0f} % of it is not like {self.names_[near]}, the nearest; "
            f"strangest by {worst}. Neither shift, wavelength, noise nor a mixture of known ones explains it"
        )
        return tuple(said)

    # ---------- options and files ----------

    def _check_options(self) -> None:
        rate = real_option(self, "false_alarm", or_above=False)
        if rate > 0.5:
            raise option_error(self, "false_alarm", "above 0 and at most 0.5", "Give 0.01")
        if self.method != "auto" and self.method not in SCORES:
            raise option_error(self, "method", f"one of auto, {', '.join(SCORES)}", "Choose one")

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        learned = {"names": self.names_.tolist(), "threshold": self.threshold_, "warnings": self.warnings_}
        return {"learned": learned}, {"known": self._intensity, "cross": self._cross}

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        made._check_options()
        known, cross = (np.asarray(arrays[name], np.float64) for name in ("known", "cross"))
        names = [str(name) for name in recipe["learned"]["names"]]
        if known.ndim != 2 or len(known) < _FEWEST or known.shape[1] != np.asarray(arrays["grid"]).size:
            raise ValueError("known scans that do not fit the grid")
        if len(names) != len(known) or cross.shape != (len(known), len(made._named())):
            raise ValueError("names and scores that do not fit the known scans")
        if not (np.isfinite(known).all() and np.isfinite(cross).all()):
            raise ValueError("known scans that are not finite")
        made.warnings_ = [str(text) for text in recipe["learned"]["warnings"]]
        made._put(known, np.array(names), cross, str(recipe["axis"]["kind"]))
        return made


def _unit(intensity: NDArray[np.floating], kind: str) -> NDArray[np.float64]:
    """Rows of length 1: square roots, and along axes where lines stand on a background, without what is broad."""
    rows = np.asarray(unit_rows(np.asarray(intensity, dtype=np.float64)), dtype=np.float64)
    return sharpened(rows) if kind in _WITH_BACKGROUND else rows
