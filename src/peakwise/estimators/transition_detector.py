"""Where did a series change: states and boundaries, without labels or with a few."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from peakwise.errors import OptionError, PatternsError
from peakwise.estimators import _labelled
from peakwise.estimators._base import Estimator
from peakwise.estimators._options import option_error, real_option, whole_option
from peakwise.estimators._rows import unit_rows
from peakwise.estimators._series_input import (
    about_label_order,
    about_order,
    about_values,
    read_labels,
    read_values,
    told_labels,
)
from peakwise.estimators._transitions import StateBoundary, Transitions, boundaries_of, cuts_of, sticky
from peakwise.patterns import Patterns, concatenate
from peakwise.series import GROUPINGS, feature_rows, find_states, group, label_frames, principal_scores, segments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from peakwise.estimators._series_network import SeriesNetwork

__all__ = ["METHODS", "TransitionDetector"]

# What each does, in the order in which they are told. Networks are told by their names in `NETWORKS`.
METHODS: dict[str, str] = {
    "auto": "breaks without labels, guided with them",
    "breaks": "aligned, reduced, broken where a learned rule says so",
    "segments": "principal components, then parts of equal mean",
    "spectral": "principal components, then spectral clustering",
    "kmeans": "principal components, then k-means",
    "agglomerative": "principal components, then Ward clustering",
    "guided": "few labels: alike up to a strain, then the break between two labels",
    "linear": "labels: principal components, then logistic regression",
    "network": "labels: a network and its head, by cross-entropy",
    "supervised_contrastive": "labels: a network by contrast, then a linear head",
    "spec_rr_moco": "few labels or none: relations and contrast, then a linear head",
    "spec_rr": "the same without contrast",
    "spec_moco": "the same without relations",
    "self_time": "the same without contrast and without times",
}
_LEARNED = ("network", "supervised_contrastive", "spec_rr_moco", "spec_rr", "spec_moco", "self_time")
_WITHOUT_LABELS = ("breaks", "segments", *GROUPINGS)


@final
class TransitionDetector(Estimator):
    """Find the states of a series and the boundaries between them.

    Without labels, the series decides whether there is a transition at all. With labels for some patterns, the states
    are the labels, and the other patterns are told apart as these.

    Parameters
    ----------
    states : "auto" or int
        How many states; "auto" tests one against two and more, and does not invent a transition where there is none.
    method : str
        A key of `METHODS`.
    network : str
        A key of ``peakwise.networks.NETWORKS``, for the methods that need one.
    false_alarm : float
        With "auto": of series without a transition, so many are said to have one (on made series).
    explained : float or int
        Share of the variance that principal components must explain, or their number, for segments and clusters.
    minutes : float
        Most time for training a network [min].
    epochs : int or None
        Most epochs; None: as many as the time allows, at most 40.
    variable : str or None
        Name in ``patterns.meta`` of what was varied: temperature, pressure, time. Boundaries are told in it.
    random_state : int
    threads : int or None
        Of networks.
    device : str
        Where networks run: auto, cpu or cuda.

    Attributes
    ----------
    transitions_ : Transitions
        The whole answer.
    boundaries_ : tuple of StateBoundary
    states_ : ndarray of shape (n,)
        State of each pattern seen in `fit`.
    probabilities_ : ndarray of shape (n, n_states)
    n_states_ : int
    state_names_ : list
        What the states are called: their numbers, or the labels.

    Examples
    --------
    >>> x = np.linspace(1, 5, 500)
    >>> lines = lambda *at: sum(np.exp(-(((x - a) / 0.03) ** 2)) for a in at)
    >>> counts = np.random.default_rng(0).poisson(300 * np.array([lines(2, 3.1)] * 20 + [lines(2.3, 4)] * 15) + 10)
    >>> detector = TransitionDetector().fit(Patterns(x, counts, "q"))
    >>> detector.n_states_, [b.after for b in detector.boundaries_]
    (2, [19])
    >>> detector.predict(Patterns(x, counts[[3, 30]], "q"))
    array([0, 1])
    """

    task: ClassVar[str] = "transitions"
    tried_when_loaded: ClassVar[bool] = True

    def __init__(
        self,
        states: Any = "auto",
        method: str = "auto",
        network: str = "conv_sc",
        false_alarm: float = 0.03,
        explained: float = 0.9,
        minutes: float = 2.0,
        epochs: int | None = None,
        variable: str | None = None,
        random_state: int = 0,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        self.states = states
        self.method = method
        self.network = network
        self.false_alarm = false_alarm
        self.explained = explained
        self.minutes = minutes
        self.epochs = epochs
        self.variable = variable
        self.random_state = random_state
        self.threads = threads
        self.device = device

    def _fit(self, patterns: Patterns, y: Any) -> None:
        self._check_options(len(patterns))
        codes, names, said = read_labels(y, len(patterns))
        method = self._method(codes, patterns, said)
        self.values_ = read_values(patterns, self.variable)
        if self.values_ is not None:
            said += about_values(self.values_)
        self._network: SeriesNetwork | None = None
        self.answering_: dict[str, NDArray[np.float64]] = {}
        if method in _WITHOUT_LABELS:
            answer = self._unlabelled(patterns, method, said)
        elif method == "guided":
            answer = self._guided(patterns, codes, names, said)
        elif method == "linear":
            answer = self._linear(patterns, codes, names, said)
        else:
            answer = self._learned(patterns, codes, names, method, said)
        self._keep(answer)
        self._seen = patterns

    def update(self, patterns: Any) -> Transitions:
        """Add patterns that arrived to the series and answer anew; what was said before may be revised.

        Parameters
        ----------
        patterns : Patterns, or array-like of shape (k, m)
            The next ones of the series, on its grid.
        """
        more = self._known(patterns)
        seen = getattr(self, "_seen", None)
        if seen is None:
            why = "a loaded model does not hold the series that it was fitted to"
            raise OptionError("cannot continue the series", why, "Fit it to the patterns so far")
        joined = concatenate([_plain(p, self.variable) for p in (seen, more)])
        method = self.transitions_.method
        if method in _WITHOUT_LABELS:
            self._fit(joined, None)
        elif method == "guided":
            self.values_ = read_values(joined, self.variable)
            unknown = np.full(len(joined) - len(self._codes), -1, dtype=np.intp)
            self.answering_ = {}
            self._keep(self._guided(joined, np.concatenate([self._codes, unknown]), tuple(self.state_names_), []))
        else:
            self.values_ = read_values(joined, self.variable)
            probabilities = sticky(self._predict_proba(joined))
            self._keep(self._from_probabilities(probabilities, self.state_names_, method, (), joined))
        self._seen = joined
        return self.transitions_

    def _predict(self, patterns: Patterns) -> NDArray[Any]:
        return np.asarray(np.array(self.state_names_)[self._predict_proba(patterns).argmax(axis=1)])

    def _predict_proba(self, patterns: Patterns) -> NDArray[np.floating]:
        if self._network is not None:
            return self._network.probabilities(patterns.intensity)
        return self._alone(patterns)

    def _alone(self, patterns: Patterns) -> NDArray[np.floating]:
        """Probabilities of the states for each pattern by itself, (n, n_states)."""
        made = np.zeros((len(patterns), self.n_states_))
        self._learn_to_answer()
        if not self.answering_:
            made[:, 0] = 1
            return made
        found = _labelled.probabilities(unit_rows(patterns.intensity), self.answering_)
        made[:, self.answered_] = found
        return made

    def _learn_to_answer(self) -> None:
        """A linear model of the states that were found, for new patterns: made when one is asked for."""
        seen = getattr(self, "_seen", None)
        if seen is None or self.answering_ or self._network is not None or np.unique(self.states_).size < 2:
            return
        self.answering_ = _labelled.learn(unit_rows(seen.intensity), _dense(self.states_), self.random_state)

    # ---------- three ways to fit ----------

    def _unlabelled(self, patterns: Patterns, method: str, said: list[str]) -> Transitions:
        if len(patterns) < 2 or not np.ptp(patterns.intensity, axis=0).any():
            same = "one pattern" if len(patterns) < 2 else "all patterns are identical"
            said.append(f"{same}: there is nothing to tell states by")
            return _one_state(len(patterns), method, said)
        asked = self.states if self.states == "auto" else int(self.states)
        if method != "breaks" and asked != "auto":
            return self._grouped(patterns, method, int(asked), said)
        odd = about_order(patterns) if asked == "auto" else []
        if odd:
            # A boundary divides what comes before from what comes after: here there is no such place.
            return _one_state(len(patterns), method, said + odd)
        cut = find_states(patterns, states=asked, false_alarm=self.false_alarm)
        said += cut.warnings
        if method == "breaks":
            names = tuple(range(cut.probabilities.shape[1]))
            found = boundaries_of(cut.boundaries, cut.scores, self.values_, compare=True)
            return Transitions(
                cut.states, cut.probabilities, names, found, method, cut.refused, cut.scores, tuple(said)
            )
        k = len(cut.boundaries) + 1
        said.append(f"{method} cannot tell whether there is a transition: breaks said {k} parts")
        return self._grouped(patterns, method, k, said)

    def _grouped(self, patterns: Patterns, method: str, k: int, said: list[str]) -> Transitions:
        """As many states as were asked for, by segments of equal mean or by clusters."""
        scores = principal_scores(feature_rows(patterns), self.explained)
        if method == "segments":
            cuts = np.array(segments(scores, k), dtype=np.intp)
            labels = np.searchsorted(cuts, np.arange(len(patterns)))
        else:
            labels = group(scores, k, method, random_state=self.random_state)
        return self._from_labels(labels, k, method, scores, said)

    def _guided(
        self, patterns: Patterns, codes: NDArray[np.intp], names: tuple[Any, ...], said: list[str]
    ) -> Transitions:
        found = label_frames(patterns, codes, len(names))
        self._codes = codes
        # Between labels the breaks have the last word; beyond them single frames do not make a state.
        made = np.where(found.is_between[:, None], found.probabilities, sticky(found.probabilities))
        if not found.is_between[[0, -1]].all():
            first, last = np.flatnonzero(codes >= 0)[[0, -1]]
            said.append(
                f"patterns 0 to {first} and {last} to {len(codes) - 1} lie beyond the labels: states that begin there "
                "cannot be known"
            )
        return self._from_probabilities(made, names, "guided", tuple(said), patterns)

    def _linear(
        self, patterns: Patterns, codes: NDArray[np.intp], names: tuple[Any, ...], said: list[str]
    ) -> Transitions:
        known = codes >= 0
        self.answering_ = _labelled.learn(unit_rows(patterns.intensity[known]), codes[known], self.random_state)
        self.answered_ = np.arange(len(names))
        alone = _labelled.probabilities(unit_rows(patterns.intensity), self.answering_)
        return self._from_probabilities(sticky(told_labels(alone, codes)), names, "linear", tuple(said), patterns)

    def _learned(
        self, patterns: Patterns, codes: NDArray[np.intp], names: tuple[Any, ...], method: str, said: list[str]
    ) -> Transitions:
        from peakwise.estimators._series_network import SeriesNetwork

        self._network = SeriesNetwork.train(
            patterns.intensity, codes, len(names), method=method, network=self.network, seconds=60 * self.minutes,
            epochs=self.epochs, random_state=self.random_state, threads=self.threads, device=self.device,
            position=self.values_,
        )  # fmt: skip
        if (codes >= 0).any():
            alone = self._network.probabilities(patterns.intensity)
            return self._from_probabilities(sticky(told_labels(alone, codes)), names, method, tuple(said), patterns)
        cut = find_states(patterns, states=self.states, false_alarm=self.false_alarm)
        k = len(cut.boundaries) + 1
        features = self._network.features(patterns.intensity)
        scores = principal_scores(features, self.explained)
        said += [*cut.warnings, f"{method} without labels groups what it learned; breaks said that there are {k} parts"]
        labels = group(scores, k, "spectral", random_state=self.random_state)
        if k > 1:
            self._network.learn_head(features, labels, k)
        else:
            self._network = None
        return self._from_labels(labels, k, method, scores, said)

    # ---------- what the ways share ----------

    def _from_labels(
        self, labels: NDArray[np.intp], k: int, method: str, scores: NDArray[np.float64], said: list[str]
    ) -> Transitions:
        """States of a grouping, whose patterns have no probabilities: those of neighbours stand for them."""
        hard = np.eye(k)[labels]
        probabilities = sticky(0.9 * hard + 0.1 / k)
        found = boundaries_of(cuts_of(probabilities), scores, self.values_, compare=False)
        return Transitions(
            probabilities.argmax(axis=1), probabilities, tuple(range(k)), found, method, 0.0, scores, tuple(said)
        )

    def _from_probabilities(
        self, probabilities: NDArray[np.float64], names: Any, method: str, said: tuple[str, ...], patterns: Patterns
    ) -> Transitions:
        scores = principal_scores(feature_rows(patterns), 8)
        found = boundaries_of(cuts_of(probabilities), scores, self.values_, compare=True)
        return Transitions(probabilities.argmax(axis=1), probabilities, tuple(names), found, method, 0.0, scores, said)

    def _keep(self, answer: Transitions) -> None:
        self.transitions_ = answer
        self.boundaries_: tuple[StateBoundary, ...] = answer.boundaries
        self.states_, self.probabilities_ = answer.states, answer.probabilities
        self.n_states_ = answer.probabilities.shape[1]
        self.state_names_ = list(answer.names)
        self.classification_confidence_ = answer.classification_confidence
        if answer.method in (*_WITHOUT_LABELS, "guided"):
            self.answered_ = np.unique(answer.states)

    def _check_options(self, n: int) -> None:
        states = self.states
        is_number = isinstance(states, (int, np.integer)) and not isinstance(states, bool) and int(states) >= 1
        if not (isinstance(states, str) and states == "auto") and not is_number:
            raise option_error(self, "states", "'auto' or a whole number of at least 1", "Give 'auto'")
        if is_number and int(states) > n:
            raise option_error(self, "states", f"at most the number of patterns, {n}", "Ask for fewer")
        if self.method not in METHODS:
            raise option_error(self, "method", f"one of {', '.join(METHODS)}", "Choose one")
        if not 0 < real_option(self, "false_alarm") < 1:
            raise option_error(self, "false_alarm", "a number between 0 and 1", "Give 0.03")
        real_option(self, "minutes", or_above=False)
        whole_option(self, "random_state", 0)

    def _method(self, codes: NDArray[np.intp], patterns: Patterns, said: list[str]) -> str:
        has_labels = bool((codes >= 0).any())
        if self.method == "auto" and has_labels:
            # Between two labels of one state guided sees nothing else: only in a series, one after the other, is it so.
            odd = about_label_order(codes) or about_order(patterns)
            said += odd
            return "linear" if odd else "guided"
        if self.method == "auto":
            return "breaks"
        if has_labels and self.method in _WITHOUT_LABELS:
            why = f"the method {self.method!r} learns from no labels, and labels were given"
            raise PatternsError("cannot look for transitions", why, "Leave them out, or choose the method guided")
        if not has_labels and self.method in ("guided", "linear", "network", "supervised_contrastive"):
            why = f"the method {self.method!r} needs labels of at least two states, got none"
            raise PatternsError("cannot look for transitions", why, "Give labels, or choose the method breaks")
        return self.method

    def _to_recipe(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        self._learn_to_answer()
        learned: dict[str, Any] = {
            "states": self.n_states_,
            "names": [name.item() if isinstance(name, np.generic) else name for name in self.state_names_],
            "answered": [int(i) for i in self.answered_] if self.answering_ else [],
            "method": self.transitions_.method,
            "boundaries": [[b.after, *b.interval, b.confidence] for b in self.boundaries_],
        }
        arrays = {f"linear.{name}": value for name, value in self.answering_.items()}
        if self._network is not None:
            learned["network"], weights = self._network.to_recipe()
            arrays |= {f"network.{name}": value for name, value in weights.items()}
        return {"learned": learned}, arrays

    @classmethod
    def _from_recipe(
        cls, options: Mapping[str, Any], recipe: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> Self:
        made = cls(**options)
        learned = recipe["learned"]
        made.n_states_ = int(learned["states"])
        made.state_names_ = [
            name if isinstance(name, (str, int, float, bool)) else str(name) for name in learned["names"]
        ]
        if not 1 <= made.n_states_ <= 100_000 or len(made.state_names_) != made.n_states_:
            raise ValueError(f"{made.n_states_} states with {len(made.state_names_)} names")
        made.answered_ = np.array([int(i) for i in learned["answered"]], dtype=np.intp)
        if made.answered_.size and not 0 <= made.answered_.min() <= made.answered_.max() < made.n_states_:
            raise ValueError("answers for states that are not there")
        linear = {name.removeprefix("linear."): a for name, a in arrays.items() if name.startswith("linear.")}
        made.answering_ = _labelled.checked(linear, made.answered_.size) if linear else {}
        made._network = None
        if "network" in learned:
            from peakwise.estimators._series_network import SeriesNetwork

            weights = {name.removeprefix("network."): a for name, a in arrays.items() if name.startswith("network.")}
            made._network = SeriesNetwork.from_recipe(learned["network"], weights, made.n_states_)
        return made


def _plain(patterns: Patterns, variable: str | None) -> Patterns:
    """The patterns, and of all that is known of them only what was varied."""
    meta = {} if variable is None or variable not in patterns.meta else {variable: patterns.meta[variable]}
    return Patterns(patterns.axis, patterns.intensity, patterns.kind, wavelength=patterns.wavelength, meta=meta)


def _one_state(n: int, method: str, said: list[str]) -> Transitions:
    return Transitions(
        np.zeros(n, dtype=np.intp), np.ones((n, 1)), (0,), (), method, 0.0, np.zeros((n, 1)), tuple(said)
    )


def _dense(states: NDArray[np.intp]) -> NDArray[np.int64]:
    return np.asarray(np.unique(states, return_inverse=True)[1], dtype=np.int64)
