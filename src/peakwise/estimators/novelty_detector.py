"""Which scans are unlike anything known, with a stated rate of false alarms, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from peakwise.errors import OptionError, PatternsError
from peakwise.estimators._base import Estimator
from peakwise.estimators._conditions import check_names
from peakwise.estimators._contradictions import contradictions
from peakwise.estimators._network_known import NetworkKnown
from peakwise.estimators._network_scores import NETWORK_METHODS, Training
from peakwise.estimators._novelty import Novelty
from peakwise.estimators._novelty_reasons import KnownScans, Reason, compared_rows
from peakwise.estimators._novelty_view import on_scale, principal_plane
from peakwise.estimators._on_the_fly import on_the_fly
from peakwise.estimators._options import option_error, real_option, whole_option
from peakwise.evaluation import conformal_size
from peakwise.novelty import SCORES, Combined, Score, cross_scores, folds, tail_p_values, tail_threshold

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from peakwise.estimators._latent_plane import LatentPlane
    from peakwise.patterns import Patterns

    _Condition = NDArray[np.float32] | None

    _Axis = tuple[NDArray[np.float64], str, float | None]  # grid, kind, wavelength

__all__ = ["NoveltyDetector"]

# The whole pattern and its peaks: on minerals that were left out and on failed absorption scans no other score, and no
# mean of more of them, parts new from known better.
_AUTO = ("nearest", "peaks")
_FEWEST = 3  # known scans; with fewer nothing can be left out in turn
_FEW = 10
_DRAWN = (1000, 20)  # simulated patterns that stand for what is known: at least, and of each phase
_EXPLAINING = 2000  # known scans by which a strange one is explained, drawn evenly: more make it slow, not surer


@final
class NoveltyDetector(Estimator):
    """Tell which scans are unlike anything known.

    Scores of strangeness are learned from the known scans and joined to one. Known scans that were left out in
    turn say how large it is for what is known; that gives the threshold and the p-values. A scan above the threshold is
    corrected for noise, a zero shift, a wrong wavelength and for being a mixture of known ones; only what stays above
    the threshold is new.

    `fit` takes known scans, and a label of each if there are any; or a ``peakwise.simulate.Simulator``. Networks then
    learn from patterns that are simulated meanwhile, and the threshold comes from others that they did not see.

    Parameters
    ----------
    false_alarm : float
        Of scans like the known ones, so many may be called new.
    method : str
        "auto" for the distance from the nearest known scan and the new peaks together; a key of
        ``peakwise.novelty.SCORES`` for one score alone; or a score of networks that make patterns again:
        reconstruction, weighted_reconstruction, latent_density, disagreement, or networks for these four together.
    random_state : int
    condition : sequence of str, optional
        Columns of ``patterns.meta`` that are joined to the patterns where networks make them again: a composition, a
        temperature. A pattern that does not go with its condition comes back badly.
    minutes : float, optional
        Most time for training networks [min]; numbers then depend on the machine.
    threads : int, optional
        Of the training.
    device : str
        Where networks are trained: auto, cpu or cuda.

    Attributes
    ----------
    threshold_ : float
        Score above which a scan is new.
    known_scores_ : ndarray of shape (n,)
        Of the known scans, left out in turn; of a third of many, which the networks did not see.
    names_ : ndarray of shape (n,)
        What the known scans are called: the labels given to `fit`, the phases of simulated ones, or their names.
    scored_ : ndarray of shape (k,)
        Numbers of the known scans that `known_scores_` belong to.
    plane_ : LatentPlane or None
        Of networks: a map of two numbers with the regions of the labels, for pictures.
    warnings_ : list of str

    Examples
    --------
    >>> from peakwise.patterns import Patterns
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

    def __init__(
        self,
        false_alarm: float = 0.01,
        method: str = "auto",
        random_state: int = 0,
        condition: Sequence[str] | None = None,
        minutes: float | None = None,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        self.false_alarm = false_alarm
        self.method = method
        self.random_state = random_state
        self.condition = condition
        self.minutes = minutes
        self.threads = threads
        self.device = device

    def _fit(self, patterns: Patterns, y: Any) -> None:
        names = self._check_options()
        n = len(patterns)
        if n < _FEWEST:
            why = f"at least {_FEWEST} known scans are needed, to see how much they differ; got n_samples = {n}"
            raise PatternsError("cannot learn what is known", why, "Give more of them")
        known = np.asarray(patterns.intensity, dtype=np.float64)
        if not known.any():
            why = "all known scans are empty: their intensities are 0"
            raise PatternsError("cannot learn what is known", why, "Give scans with counts")
        called = _called(patterns, y)
        rows = compared_rows(known, self.kind_)
        networks = None
        if self.method in NETWORK_METHODS:
            labels = called if 2 * len(np.unique(called)) <= n else None
            networks, cross = NetworkKnown.learn(self.method, patterns, names, labels, self._training())
        else:
            cross = cross_scores(self._kinds(), rows, folds(n, int(self.random_state)), int(self.random_state))
        self.warnings_ = self._doubts(rows, called)
        axis = (np.array(patterns.axis), self.kind_, self.wavelength_)
        self._put(known, called, cross, axis, networks)

    def _fit_structures(self, X: Any) -> bool:
        known = on_the_fly(X, self._check_options())
        if known is None:
            return False
        drawn = known.draw(max(_DRAWN[0], _DRAWN[1] * len(known.ids)))
        self.grid_, self.kind_ = np.array(drawn.axis), drawn.kind
        self.wavelength_, self.n_features_in_ = drawn.wavelength, drawn.n_points
        if self.method not in NETWORK_METHODS:
            self._fit(drawn, None)
            return True
        networks, cross = NetworkKnown.learn_simulated(self.method, known, drawn, self._training())
        called = drawn.meta["phases"].astype(str)
        self.warnings_ = self._doubts(compared_rows(drawn.intensity, self.kind_), called)
        axis = (self.grid_, self.kind_, self.wavelength_)
        self._put(np.asarray(drawn.intensity, np.float64), called, cross, axis, networks)
        return True

    def _doubts(self, rows: NDArray[np.float64], called: NDArray[np.str_]) -> list[str]:
        """What should be known about what is known."""
        n, said = len(rows), []
        if n < conformal_size(self.false_alarm):
            said.append(
                f"{n} known scans can promise a false-alarm rate of {1 / (n + 1):.2g}; for {self.false_alarm:g}, which "
                f"needs {conformal_size(self.false_alarm)}, their tail was continued"
            )
        if n < _FEW:
            said.append(f"only {n} known scans: what they have in common is hardly known")
        return said + contradictions(rows, called)

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
        rows, condition = compared_rows(patterns.intensity, self.kind_), self._condition(patterns)
        table = self._table(rows, condition)
        plain = self._combined.of(table)
        names = self._named()
        found = []
        for i, row in enumerate(rows):
            near, left = self._scans.nearest(row)
            reason = self._reason(patterns, rows, condition, i) if plain[i] > self.threshold_ else None
            score = float(plain[i] if reason is None else reason.score)
            p_value = float(tail_p_values(self.known_scores_, np.array([score]))[0])
            peaks = self._scans.peaks(row, near) if plain[i] > self.threshold_ and reason is None else ()
            novel = bool(score > self.threshold_)
            why = self._scans.words(row, near, left, peaks, names[self._combined.worst(table[i])]) if novel else ()
            if reason is not None:
                why = (reason.words,)
            found.append(
                Novelty(
                    score, p_value, novel, str(self._scans.names[near]), None if reason is None else reason.kind, why,
                    peaks,
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
        rows, condition = compared_rows(patterns.intensity, self.kind_), self._condition(patterns)
        strange = self._combined.of(self._table(rows, condition)) > self.threshold_
        made = np.empty(rows.shape)
        for i, row in enumerate(rows):
            pattern = np.asarray(patterns.intensity[i], dtype=np.float64)
            known = self._scans.intensity[self._scans.nearest(row)[0]]
            if strange[i]:
                reason = self._reason(patterns, rows, condition, i)
                if reason is not None and reason.kind == "mixture":
                    known = self._scans.blend(pattern)
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
        known, asked, shares = principal_plane(
            compared_rows(self._intensity, self.kind_), compared_rows(self._known(X).intensity, self.kind_)
        )
        return asked, known, shares

    def known_errors(self) -> NDArray[np.float64]:
        """How badly the known scans in `scored_` come back from `plane_` (k,); of networks only."""
        if self.plane_ is None:
            why = f"the method {self.method} makes no patterns again"
            raise OptionError("cannot tell errors", why, f"Fit it with one of {', '.join(NETWORK_METHODS)}")
        return self.plane_.back(self._intensity[self.scored_])[1]

    def _predict(self, patterns: Patterns) -> NDArray[np.bool_]:
        return np.asarray(self._scores(patterns) > self.threshold_)

    def _scores(self, patterns: Patterns) -> NDArray[np.float64]:
        rows, condition = compared_rows(patterns.intensity, self.kind_), self._condition(patterns)
        made = self._combined.of(self._table(rows, condition))
        for i in np.flatnonzero(made > self.threshold_):
            reason = self._reason(patterns, rows, condition, int(i))
            made[i] = made[i] if reason is None else reason.score
        return made

    # ---------- what is known ----------

    def _put(
        self, known: NDArray[np.float64], names: NDArray[np.str_], cross: NDArray[np.float64], axis: _Axis,
        networks: NetworkKnown | None,
    ) -> None:  # fmt: skip
        """Learn from all known scans, and from how strange each was without it."""
        self.names_ = names
        self._intensity, self._cross, self._networks = known, cross, networks
        few = slice(None, None, -(-len(known) // _EXPLAINING))
        self._scans = KnownScans(*axis, names[few], known[few])
        self._scorers: list[Score] = []
        if networks is None:
            rows = compared_rows(known, axis[1])
            self._scorers = [made() for made in self._kinds()]
            for score in self._scorers:
                score.learn(rows, self.random_state)
        self._combined = Combined.learn(cross)
        self.known_scores_ = self._combined.of(cross)
        self.scored_ = np.arange(len(known)) if networks is None else networks.scored
        self.threshold_ = tail_threshold(self.known_scores_, self.false_alarm)

    def _named(self) -> list[str]:
        return list({"auto": _AUTO, **NETWORK_METHODS}.get(self.method, (self.method,)))

    def _kinds(self) -> list[type[Score]]:
        return [SCORES[name] for name in self._named()]

    @property
    def plane_(self) -> LatentPlane | None:
        """A map of two numbers, of networks only."""
        return None if self._networks is None else self._networks.plane

    def _condition(self, patterns: Patterns) -> _Condition:
        return None if self._networks is None else self._networks.condition(patterns)

    def _table(self, rows: NDArray[np.float64], condition: _Condition = None) -> NDArray[np.float64]:
        if self._networks is not None:
            return self._networks.scores.measure(rows, condition)
        return np.stack([score.measure(rows) for score in self._scorers], axis=1)

    def _reason(self, patterns: Patterns, rows: NDArray[np.float64], condition: _Condition, i: int) -> Reason | None:
        own = None if condition is None else condition[i : i + 1]

        def score_of(row: NDArray[np.float64]) -> float:
            return float(self._combined.of(self._table(row[None], own))[0])

        return self._scans.reason(np.asarray(patterns.intensity[i], np.float64), rows[i], score_of, self.threshold_)

    # ---------- options and files ----------

    def _check_options(self) -> tuple[str, ...]:
        """Refuse options that cannot be; return the names of the conditions."""
        rate = real_option(self, "false_alarm", or_above=False)
        if rate > 0.5:
            raise option_error(self, "false_alarm", "above 0 and at most 0.5", "Give 0.01")
        if self.method not in ("auto", *SCORES, *NETWORK_METHODS):
            must = f"one of auto, {', '.join((*SCORES, *NETWORK_METHODS))}"
            raise option_error(self, "method", must, "Choose one")
        whole_option(self, "random_state", 0)
        if self.minutes is not None:
            real_option(self, "minutes", or_above=False)
        if self.threads is not None:
            whole_option(self, "threads")
        names = check_names(self)
        if names and self.method not in NETWORK_METHODS:
            do = f"Give method as one of {', '.join(NETWORK_METHODS)}"
            raise option_error(self, "condition", "None where no network makes the patterns again", do)
        return names

    def _training(self) -> Training:
        seconds = None if self.minutes is None else 60 * float(self.minutes)
        return Training(int(self.random_state), seconds, self.threads, self.device)

    def _trial(self) -> Patterns:
        made = super()._trial()
        known = None if self._networks is None else self._networks.conditions
        return made if known is None else made.replace(meta=known.least(2))

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        learned = {"names": self.names_.tolist(), "threshold": self.threshold_, "warnings": self.warnings_}
        networks = {} if self._networks is None else self._networks.to_arrays()
        return {"learned": learned}, {"known": self._intensity, "cross": self._cross, **networks}

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        conditions = made._check_options()
        known, cross = (np.asarray(arrays[name], np.float64) for name in ("known", "cross"))
        names = [str(name) for name in recipe["learned"]["names"]]
        if known.ndim != 2 or len(known) < _FEWEST or known.shape[1] != np.asarray(arrays["grid"]).size:
            raise ValueError("known scans that do not fit the grid")
        by_network = made.method in NETWORK_METHODS
        n_cross = len(arrays["scored"]) if by_network else len(known)
        if len(names) != len(known) or cross.shape != (n_cross, len(made._named())):
            raise ValueError("names and scores that do not fit the known scans")
        if not (np.isfinite(known).all() and np.isfinite(cross).all()):
            raise ValueError("known scans that are not finite")
        made.warnings_ = [str(text) for text in recipe["learned"]["warnings"]]
        axis = (np.asarray(arrays["grid"], np.float64), str(recipe["axis"]["kind"]), recipe["axis"]["wavelength"])
        networks = None
        if by_network:
            called = np.array(names)
            labels = called if 2 * len(np.unique(called)) <= len(called) else None
            networks = NetworkKnown.from_arrays(made.method, axis[1], known.shape[1], conditions, labels, arrays)
        made._put(known, np.array(names), cross, axis, networks)
        return made


def _called(patterns: Patterns, y: Any) -> NDArray[np.str_]:
    """What the known scans are called: labels, phases, or their names."""
    names = patterns.meta.get("phases", patterns.names) if y is None else np.asarray(y)
    if np.shape(names) != (len(patterns),):
        why = f"y must hold a label for each of {len(patterns)} patterns, got shape {np.shape(names)}"
        raise PatternsError("cannot learn what is known", why, "Give a label per pattern, or none")
    return np.array([str(name) for name in names])
