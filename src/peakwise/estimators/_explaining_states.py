"""Why a state: which parts of a pattern speak for the state that a detector tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.errors import OptionError
from peakwise.estimators._rows import unit_rows
from peakwise.explain import EXPLANATIONS, Attention, ContributionMap, attention, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from peakwise.estimators._series_network import SeriesNetwork
    from peakwise.estimators.transition_detector import TransitionDetector
    from peakwise.patterns import Patterns

    Array = NDArray[np.float64]

__all__ = ["StateExplanation", "StatePeak", "attention_of", "explain_states", "map_states"]

_WHAT = "cannot explain the answer"
_PROMINENCE = 0.02  # of the range of a pattern: what counts as a peak
_MOST_PEAKS = 60
_LINEAR = ("weights", "gradients", "saliency", "input_times_gradient", "integrated_gradients", "occlusion")
_ALONE = 16  # copies of itself by which a network that reads sequences is shown one pattern


@dataclass(frozen=True, slots=True)
class StatePeak:
    """A peak of a pattern, and its share of all that counted: negative where it speaks against the state."""

    axis: float
    intensity: float
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class StateExplanation:
    """Why a pattern is or is not in a state.

    Attributes
    ----------
    state : str
    number : int
        Of the state.
    method : str
    relevance : ndarray of shape (m,)
        Positive where the pattern speaks for the state.
    score : float
        The logit of the state.
    peaks : tuple of StatePeak
        Those that counted most first.
    signed : bool
        Whether the method can say "against".
    notes : tuple of str
    """

    state: str
    number: int
    method: str
    relevance: Array
    score: float
    peaks: tuple[StatePeak, ...]
    signed: bool
    notes: tuple[str, ...] = ()


def explain_states(
    detector: TransitionDetector, patterns: Patterns, *, state: str | None = None, method: str | None = None
) -> list[StateExplanation]:
    """Explain the state of each pattern.

    Parameters
    ----------
    detector : TransitionDetector
        Fitted, with a linear model or a network.
    patterns : Patterns
        On its grid.
    state : str, optional
        Which state is asked about; by default the one that is told of each pattern.
    method : str, optional
        A name in ``peakwise.explain.EXPLANATIONS``; ``weights`` (of linear models only, their default) is the weight of
        each point times what it has more than the mean pattern.

    Examples
    --------
    >>> from peakwise.estimators import TransitionDetector
    >>> from peakwise.patterns import Patterns
    >>> x = np.linspace(1, 5, 200)
    >>> line = lambda at: 900 * np.exp(-(((x - at) / 0.05) ** 2)) + 10
    >>> counts = np.random.default_rng(0).poisson([line(2)] * 6 + [line(4)] * 6)
    >>> detector = TransitionDetector().fit(Patterns(x, counts, "q"), ["low"] * 6 + ["high"] * 6)
    >>> (found,) = explain_states(detector, Patterns(x, counts[:1], "q"))
    >>> found.state, found.method, round(found.peaks[0].axis), found.peaks[0].share > 0.1
    ('low', 'weights', 2, True)
    """
    numbers = _targets(detector, patterns, state)
    network: SeriesNetwork | None = detector._network
    if network is None:
        name, relevance, score, signed, notes = _of_linear(detector, patterns, numbers, method)
    else:
        name, relevance, score, signed, notes = _of_network(network, patterns, numbers, method)
    return [
        StateExplanation(
            str(detector.state_names_[k]), int(k), name, row, float(value), _peaks(patterns.axis, seen, row), signed,
            notes,
        )
        for k, row, value, seen in zip(numbers, relevance, score, patterns.intensity, strict=True)
    ]  # fmt: skip


def map_states(found: Sequence[StateExplanation], intensity: NDArray[Any]) -> ContributionMap:
    """Add up explanations of single patterns, state by state."""
    numbers = np.array([one.number for one in found], dtype=np.intp)
    relevance = np.array([one.relevance for one in found])
    targets, counts = np.unique(numbers, return_counts=True)

    def added(rows: NDArray[Any]) -> Array:
        return np.array([rows[numbers == k].sum(axis=0) for k in targets], dtype=np.float64)

    mean = added(np.asarray(intensity, dtype=np.float64)) / counts[:, None]
    signed = all(one.signed for one in found)
    return ContributionMap(
        found[0].method, targets, added(relevance), added(np.abs(relevance)), mean, counts.astype(np.intp), signed
    )


def attention_of(detector: TransitionDetector, patterns: Patterns) -> Attention:
    """Where the network of a detector looks, as the mean over patterns; of sequences, as one series."""
    network: SeriesNetwork | None = detector._network
    if network is None:
        raise OptionError(_WHAT, "attention looks into a network, and the model is linear", "Use weights")
    if not callable(getattr(network.encoder, "attention", None)):
        why = f"the network {network.name} has no attention"
        raise OptionError(_WHAT, why, "Use integrated_gradients, or train conv_sc")
    return attention(network.encoder, network._rows(patterns.intensity))


def _targets(detector: TransitionDetector, patterns: Patterns, state: str | None) -> NDArray[np.intp]:
    names = [str(name) for name in detector.state_names_]
    if state is None:
        return np.asarray(detector.predict_proba(patterns).argmax(axis=1), dtype=np.intp)
    if state not in names:
        raise OptionError(_WHAT, f"the model knows the states {', '.join(names)}, got {state!r}", "Choose one")
    return np.full(len(patterns), names.index(state), dtype=np.intp)


def _of_linear(
    detector: TransitionDetector, patterns: Patterns, numbers: NDArray[np.intp], method: str | None
) -> tuple[str, Array, Array, bool, tuple[str, ...]]:
    arrays = detector.answering_
    if not arrays:
        raise OptionError(_WHAT, "the model knows one state only", "Train it on a series with two")
    name = method or "weights"
    if name not in _LINEAR:
        why = f"{name} looks into a network, and the model is linear"
        raise OptionError(_WHAT, why, f"Use one of {', '.join(_LINEAR)}")
    rows = np.asarray(unit_rows(patterns.intensity), dtype=np.float64)
    column = np.searchsorted(detector.answered_, numbers)
    all_weights = arrays["projection"] @ arrays["coefficients"].T
    centre = arrays["centre"]

    def logits(of: Array) -> Array:
        return np.asarray((of - centre) @ all_weights + arrays["intercepts"])

    score = logits(rows)[np.arange(len(rows)), column]
    weights = all_weights.T[column]
    if name == "occlusion":
        told = explain(logits, rows, column, method=name)
        return told.method, told.relevance, score, told.signed, told.notes
    # Of a linear model the integrated gradients from the mean pattern are the weights times what differs from it.
    if name in ("weights", "integrated_gradients"):
        return name, weights * (rows - centre), score, True, ("compared with the mean pattern of the training",)
    return name, weights * rows if name == "input_times_gradient" else weights, score, True, ()


def _of_network(
    network: SeriesNetwork, patterns: Patterns, numbers: NDArray[np.intp], method: str | None
) -> tuple[str, Array, Array, bool, tuple[str, ...]]:
    name = method or "integrated_gradients"
    if name not in EXPLANATIONS:
        what = "weights are of linear models" if name == "weights" else f"got {name!r}"
        raise OptionError(_WHAT, f"the model is a network, and {what}", f"Use one of {', '.join(EXPLANATIONS)}")
    rows = np.asarray(network._rows(patterns.intensity), dtype=np.float64)
    told = explain(_logits_of(network), rows, numbers, method=name)
    notes = told.notes
    if network.encoder.is_sequential:
        notes = (*notes, "the network reads sequences: each pattern was shown among copies of itself")
    return told.method, told.relevance, told.score, told.signed, notes


def _logits_of(network: SeriesNetwork) -> Any:
    """What `explain` asks: the encoder and the head behind it, or both in one where it reads sequences."""
    import torch

    head: Callable[[Any], Any]
    if network.head is None:
        if network.classifier is None:
            raise OptionError(_WHAT, "the network has no head", "Train it with labels")
        head = network.classifier.head
    else:
        weight, bias, mean, scale = (
            torch.from_numpy(np.asarray(getattr(network.head, part), dtype=np.float32))
            for part in ("weight", "bias", "mean", "scale")
        )

        def head(features: Any) -> Any:
            return (features - mean) / scale @ weight.T + bias

    if not network.encoder.is_sequential:
        return network.encoder, head

    class Repeated(torch.nn.Module):  # type: ignore[misc]
        """A pattern among copies of itself."""

        def __init__(self) -> None:
            super().__init__()
            self.encoder = network.encoder

        def forward(self, x: Any) -> Any:
            return head(self.encoder(x[:, None].expand(-1, _ALONE, -1)))[:, _ALONE // 2]

    return Repeated()


def _peaks(axis: Array, seen: NDArray[Any], relevance: Array) -> tuple[StatePeak, ...]:
    """Peaks of the pattern by what counted under them, between the feet on both sides."""
    from scipy.signal import find_peaks, peak_widths

    high = np.asarray(seen, dtype=np.float64)
    span = float(np.ptp(high))
    if span <= 0:
        return ()
    width = max(1, high.size // 1000)
    smooth = np.convolve(high, np.hanning(2 * width + 1) / width, mode="same")
    top, found = find_peaks(smooth, prominence=_PROMINENCE * float(np.ptp(smooth)))
    keep = np.sort(np.argsort(-found["prominences"], kind="stable")[:_MOST_PEAKS])
    top = top[keep]
    if not top.size:
        return ()
    left, right = peak_widths(smooth, top, rel_height=0.9)[2:]
    total = float(np.abs(relevance).sum()) or 1.0
    sums = np.concatenate([[0.0], np.cumsum(relevance)])
    first, last = np.floor(left).astype(int), np.ceil(right).astype(int) + 1
    share = (sums[np.clip(last, 0, high.size)] - sums[first]) / total
    rows = zip(axis[top], (high[top] - high.min()) / span, share, strict=True)
    return tuple(sorted((StatePeak(float(x), float(y), float(s)) for x, y, s in rows), key=lambda p: -abs(p.share)))
