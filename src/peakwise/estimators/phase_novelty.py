"""Which scans show none of the known structures: each is fitted to the scan, and what is left decides."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, final

import numpy as np

from peakwise.crystal import pack_phases, unpack_phases
from peakwise.errors import OptionError
from peakwise.estimators._base import Estimator
from peakwise.estimators._novelty import Novelty
from peakwise.estimators._options import option_error, real_option, whole_option
from peakwise.estimators._structures import Asked, Structures, as_phases, singles
from peakwise.evaluation import conformal_p_value
from peakwise.matching import EFFORTS, LEAST_FALSE_ALARM, doubt_threshold, known_doubts
from peakwise.patterns import Radiation, check_patterns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.crystal import Phase
    from peakwise.estimators._identification import Identification
    from peakwise.patterns import Patterns

__all__ = ["PhaseNovelty"]

_NOMINAL = (10.0, 90.0, 2001)


@final
class PhaseNovelty(Estimator):
    """Tell which scans show something that none of the known structures explains.

    The structures are fitted to each scan, alone and together, with cells, widths, texture, zero shift and background
    that may vary. The score is the doubt that the main phase is among them. How large it is for known phases is known
    from measured minerals, so the rate of false alarms holds for measured scans, which patterns simulated from the
    structures cannot promise.

    Parameters
    ----------
    false_alarm : float
        Of scans of known phases, so many may be called new.
    max_phases : int
        Phases of a mixture that are tried together.
    effort : str
        A key of ``peakwise.matching.EFFORTS``.
    threads : int, optional

    Attributes
    ----------
    threshold_ : float
        Doubt above which a scan is new.
    names_ : ndarray of shape (n,)
        Ids of the structures.
    warnings_ : list of str

    Notes
    -----
    Of RRUFF minerals, random halves known as CIFs, at 1 % asked: area under the curve 0.998, none of 189 known ones
    called new, 175 of 189 others (``scripts/measure_novelty.py``). The rule behind the doubt was learned from these
    minerals in larger libraries.

    Examples
    --------
    >>> from peakwise.crystal import TEXTBOOK
    >>> from peakwise.simulate import Simulator
    >>> grid = (20, 80, 2001)
    >>> scans = [Simulator(TEXTBOOK[name], grid, radiation="CuKa").draw(1) for name in ("Si", "CeO2")]
    >>> model = PhaseNovelty().fit([TEXTBOOK["Si"], TEXTBOOK["MgO"], TEXTBOOK["Cu"]])
    >>> [bool(model.predict(scan)[0]) for scan in scans]
    [False, True]
    """

    accepts: ClassVar[Literal["grid", "kind", "any"]] = "any"
    task: ClassVar[str] = "novelty"

    def __init__(
        self, false_alarm: float = 0.01, max_phases: int = 3, effort: str = "normal", threads: int | None = None
    ) -> None:
        self.false_alarm = false_alarm
        self.max_phases = max_phases
        self.effort = effort
        self.threads = threads

    def answers(self, X: Patterns | Sequence[Patterns]) -> list[Novelty]:
        """Tell of each pattern whether it is new, and why.

        Parameters
        ----------
        X : Patterns, or a sequence of Patterns on axes of their own
        """
        self._check_fitted()
        return [self._told(one) for one in self._identified(X)]

    def reconstruct(self, X: Patterns) -> NDArray[np.float64]:
        """The fit of the nearest structures to each pattern, on its axis (n, m); NaN where it was not measured.

        Parameters
        ----------
        X : Patterns
        """
        self._check_fitted()
        made = np.full((len(X), X.n_points), np.nan)
        for row, one in zip(made, self._identified(X, curves=True), strict=True):
            if one.curves is not None:
                row[:] = np.interp(X.axis, one.curves.axis, one.curves.calculated, left=np.nan, right=np.nan)
        return made

    def p_values(self, X: Patterns | Sequence[Patterns]) -> NDArray[np.float64]:
        """How likely a scan of known phases leaves at least as much doubt, for each pattern (n,).

        Parameters
        ----------
        X : Patterns, or a sequence of Patterns on axes of their own
        """
        return np.array([one.p_value for one in self.answers(X)])

    def _told(self, one: Identification) -> Novelty:
        score = one.none_of_these
        novel = bool(score > self.threshold_)
        nearest = one.candidates[0].phase if one.candidates else ""
        parts = tuple((p.phase, float(p.weight_fraction or 0.0)) for p in one.phases) if len(one.phases) > 1 else ()
        why = self._words(one, nearest) if novel else ()
        if parts:
            why = ("a mixture of known ones: " + " and ".join(f"{n} ({100 * s:.0f} %)" for n, s in parts),)
        peaks: tuple[dict[str, float | None], ...] = tuple(
            {"axis": u.axis, "d": u.d, "intensity": round(u.intensity, 4)} for u in one.unexplained
        )
        p_value = float(conformal_p_value(known_doubts(), np.array([score]))[0])
        explained = "mixture" if parts else None
        return Novelty(score, p_value, novel, nearest, explained, why, peaks if novel else (), parts, {"doubt": score})

    def _words(self, one: Identification, nearest: str) -> tuple[str, ...]:
        said = []
        if one.unexplained:
            told = ", ".join(f"{u.axis:.4g} (d = {u.d:.4g} angstrom)" for u in one.unexplained[:5])
            said.append(f"peaks that no known structure explains, at {told}")
        near = f", the nearest is {nearest}" if nearest else ""
        said.append(f"no known structure fits, alone or mixed, with cell, texture and shift free{near}")
        return tuple(said)

    # ---------- what every estimator has ----------

    def _fit_structures(self, X: Any) -> bool:
        phases = as_phases(X)
        if phases is None:
            why = "it learns from crystal structures, got patterns"
            raise OptionError("cannot fit PhaseNovelty", why, "Give CIFs, or fit NoveltyDetector")
        self._take(phases)
        return True

    def _take(self, phases: Sequence[Phase]) -> None:
        whole_option(self, "max_phases")
        if self.effort not in EFFORTS:
            raise option_error(self, "effort", f"one of {', '.join(EFFORTS)}", "Choose one")
        if not LEAST_FALSE_ALARM <= real_option(self, "false_alarm", or_above=False) < 1:
            raise option_error(self, "false_alarm", f"between {LEAST_FALSE_ALARM:.2g} and 1", "Give e.g. 0.01")
        if self.threads is not None:
            whole_option(self, "threads")
        self._structures = Structures(phases)
        self.threshold_ = doubt_threshold(float(self.false_alarm))
        self.names_ = self._structures.ids
        # Any scan will do: these are what a model file must name.
        self.grid_, self.kind_ = np.linspace(*_NOMINAL), "two_theta"
        self.wavelength_, self.n_features_in_ = Radiation.named("CuKa").wavelength, self.grid_.size
        self.warnings_: list[str] = []

    def _identified(self, X: Patterns | Sequence[Patterns], *, curves: bool = False) -> list[Identification]:
        asked = Asked(
            max_phases=int(self.max_phases), effort=EFFORTS[self.effort], top=10, curves=curves,
            false_alarm=float(self.false_alarm), elements=None, without=None,
            threads=int(self.threads or os.cpu_count() or 1),
        )  # fmt: skip
        return self._structures.answers(singles(X), asked, None, None, None)

    def _fit(self, patterns: Patterns, y: Any) -> None:
        raise NotImplementedError(f"{type(self).__name__} is fitted with structures, not with {len(patterns)} patterns")

    def _known(self, X: Any) -> Patterns:
        self._check_fitted()
        return check_patterns(X, allow_nan=True)

    def _check_fitted(self) -> None:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self, "threshold_")

    def _predict(self, patterns: Patterns) -> NDArray[np.bool_]:
        return np.asarray(self._scores(patterns) > self.threshold_)

    def _scores(self, patterns: Patterns) -> NDArray[np.float64]:
        return np.array([one.none_of_these for one in self._identified(patterns)])

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        phases = self._structures.phases
        listed = [{"id": p.id, "sha256": p.source.sha256} for p in phases]
        return {"phases": listed}, {"structures": np.frombuffer(pack_phases(phases), np.uint8)}

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        phases = unpack_phases(arrays["structures"].tobytes())
        if [p.id for p in phases] != [p["id"] for p in recipe["phases"]]:
            raise ValueError("the phases are not those of the list")
        made._take(phases)
        return made
