"""What frozen features tell: a linear head on a few labels."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from peakwise.errors import OptionError
from peakwise.objectives._objective import evaluating

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from peakwise.networks import Encoder

__all__ = ["LinearEvaluation", "draw_labelled", "encode", "linear_evaluation"]

Numbers = Any  # an array or a tensor, on any device
_DECAYS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)

_MEMORY, _MOST_STEPS = 10, 500  # of the descent: steps that are remembered, steps at most
_FLAT = 1e-7  # largest slope at a minimum


def encode(encoder: Encoder, intensity: Tensor, batch: int = 512) -> Tensor:
    """Features (n, n_features) of patterns (n, n_points): without dropout, without gradients.

    Parameters
    ----------
    encoder : Encoder
    intensity : Tensor of shape (n, n_points)
        Where it is, the features will be; the network may be on another device.
    batch : int
        Patterns at once.

    Examples
    --------
    >>> from peakwise.networks import build_encoder
    >>> encode(build_encoder("residual", 100, {"n_features": 64}), torch.rand(5, 100)).shape
    torch.Size([5, 64])
    """
    where = next(encoder.parameters()).device
    with evaluating(encoder):
        return torch.cat([encoder(part.to(where)).float().to(intensity.device) for part in intensity.split(batch)])


@dataclass(frozen=True, eq=False)
class LinearEvaluation:
    """A linear head on frozen features.

    Attributes
    ----------
    weight : array of shape (n_classes, n_features)
        Of the standardised features.
    bias : array of shape (n_classes,)
    mean : array of shape (n_features,)
    scale : float
        By which features are standardised.
    decay : float
        The decay of the weights that was used.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: float
    decay: float

    def predict(self, features: Numbers) -> NDArray[np.float64]:
        """Probabilities (n, n_classes) of features (n, n_features)."""
        standard = (_as_array(features) - self.mean) / self.scale
        return np.asarray(np.exp(_log_softmax(standard @ self.weight.T + self.bias)))


def linear_evaluation(
    features: Numbers,
    labels: Numbers,
    *,
    n_classes: int | None = None,
    decay: float | Sequence[float] = _DECAYS,
    validation: float = 1 / 3,
    random_state: int = 0,
) -> LinearEvaluation:
    """Fit a linear head to the features of a frozen encoder.

    Parameters
    ----------
    features : array or Tensor of shape (n, n_features)
        Of the patterns that have labels: see `encode`.
    labels : array or Tensor of shape (n,)
        Whole numbers from 0.
    n_classes : int, optional
        One more than the largest label, unless it is said.
    decay : float or sequence of float
        Decay of the weights; of several the one is taken whose head tells the held-out labels best.
    validation : float
        Share of the labels, of each class alike, that is held out to choose the decay; the chosen one is fitted again
        with all labels. Where a class has a single label none can be held out, and the middle decay is taken.
    random_state : int
        Seed of the held-out labels.

    Notes
    -----
    The mean is taken from each feature and one scale from all of them: what hardly varies must not become loud, and
    turned features, such as principal components instead of patterns, give the same answer.
    Multinomial logistic regression, ``mean(-log p) + decay / 2 * sum(W^2)``, which has one minimum, found by L-BFGS.
    The published protocol (Y. Sun, thesis, Szeged 2023, section 7.2.1) descends the same function by gradients and
    stops early on held-out labels; see the page on self-supervision for both side by side.

    Examples
    --------
    >>> features = torch.tensor([[0.0, 1.0], [0.2, 0.0], [3.0, 1.0], [3.1, 0.0]])
    >>> head = linear_evaluation(features, [0, 0, 1, 1])
    >>> head.predict([[0.1, 0.3], [2.9, 0.6]]).argmax(axis=1)
    array([0, 1])
    """
    rows, label = _as_array(features), _as_labels(labels)
    if rows.ndim != 2 or len(rows) != len(label):
        raise _refuse(f"features must have shape (n, n_features) with n = {len(label)} labels, got {rows.shape}")
    counts = np.bincount(label, minlength=0 if n_classes is None else n_classes)
    if np.count_nonzero(counts) < 2 or (n_classes is not None and len(counts) > n_classes):
        wanted = "at least two classes" if n_classes is None else f"at least two of {n_classes} classes"
        raise _refuse(f"labels must be of {wanted}, got {sorted(set(label.tolist()))}")
    decays = [float(decay)] if isinstance(decay, (int, float)) else [float(value) for value in decay]
    if not decays or min(decays) <= 0:
        raise _refuse(f"decay must hold numbers above 0, got {decay!r}")
    # The statistics are of all labelled patterns, held out or not: they do not look at labels.
    mean = rows.mean(axis=0)
    scale = max(1e-30, float(np.sqrt(((rows - mean) ** 2).mean())))
    standard = (rows - mean) / scale
    chosen = decays[len(decays) // 2]
    if len(decays) > 1 and counts[counts > 0].min() > 1:
        chosen = _choose(standard, label, len(counts), decays, validation, random_state)
    weight, bias = _fit(standard, label, len(counts), chosen)
    return LinearEvaluation(weight, bias, mean, scale, chosen)


def draw_labelled(labels: Numbers, share: float, *, least: int = 2, random_state: int = 0) -> NDArray[np.int64]:
    """Rows to be labelled, drawn at random from each class alike: what an expert would have looked at.

    Parameters
    ----------
    labels : array or Tensor of shape (n,)
        Whole numbers from 0.
    share : float
        Share of the rows of each class.
    least : int
        Rows of each class at least, or all of it.
    random_state : int

    Returns
    -------
    array of shape (k,)
        In their order.

    Examples
    --------
    >>> draw_labelled([0, 0, 0, 0, 1, 1, 1], share=0.25, least=1)
    array([2, 6])
    """
    label = _as_labels(labels)
    if not 0 <= share <= 1 or least < 0:
        raise _refuse(f"share must lie within 0 and 1 and least be 0 or more, got {share!r} and {least!r}")
    draw = np.random.default_rng(random_state)
    taken = []
    for k in np.unique(label):
        rows = draw.permutation(np.flatnonzero(label == k))
        taken.append(rows[: max(least, round(share * len(rows)))])
    return np.sort(np.concatenate(taken))


def _choose(
    rows: NDArray[np.float64],
    label: NDArray[np.int64],
    n_classes: int,
    decays: Sequence[float],
    validation: float,
    random_state: int,
) -> float:
    """The decay whose head gives the held-out labels the largest probability; the largest of equal ones."""
    if not 0 < validation < 1:
        raise _refuse(f"validation must lie between 0 and 1, got {validation!r}")
    out = np.zeros(len(label), bool)
    out[draw_labelled(label, validation, least=1, random_state=random_state)] = True
    costs = []
    for value in decays:
        weight, bias = _fit(rows[~out], label[~out], n_classes, value)
        logs = _log_softmax(rows[out] @ weight.T + bias)
        costs.append(-logs[np.arange(len(logs)), label[out]].mean())
    return max(value for value, cost in zip(decays, costs, strict=True) if cost <= min(costs) + 1e-3)


def _fit(
    rows: NDArray[np.float64], label: NDArray[np.int64], n_classes: int, decay: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights (n_classes, n_features) and biases (n_classes,) at the minimum."""
    n = len(rows)
    target = np.eye(n_classes)[label]

    def cost(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight = flat.reshape(n_classes, -1)
        logs = _log_softmax(rows @ weight[:, :-1].T + weight[:, -1])
        slope = (np.exp(logs) - target) / n
        gradient = np.column_stack([slope.T @ rows + decay * weight[:, :-1], slope.sum(axis=0)])
        return float(-(target * logs).sum() / n + decay / 2 * (weight[:, :-1] ** 2).sum()), gradient.ravel()

    weight = _descend(cost, np.zeros(n_classes * (rows.shape[1] + 1))).reshape(n_classes, -1)
    return weight[:, :-1], weight[:, -1]


def _descend(
    cost: Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The minimum of a smooth convex function, by L-BFGS (J. Nocedal, Math. Comp. 35 (1980) 773).

    That of SciPy solves small systems with BLAS at every step, whose threads wait for each other on a busy machine: a
    hundred times slower there.
    """
    x, (value, slope) = start, cost(start)
    pairs: deque[tuple[NDArray[np.float64], NDArray[np.float64], float]] = deque(maxlen=_MEMORY)
    for _ in range(_MOST_STEPS):
        if np.abs(slope).max() < _FLAT:
            break
        way = -slope
        factors = []
        for moved, bent, curvature in reversed(pairs):
            factors.append((way @ moved) / curvature)
            way = way - factors[-1] * bent
        if pairs:
            way = way * (pairs[-1][2] / (pairs[-1][1] @ pairs[-1][1]))
        for moved, bent, curvature in pairs:
            way = way + moved * (factors.pop() - (way @ bent) / curvature)
        length, fall = 1.0, slope @ way
        while True:
            new_value, new_slope = cost(x + length * way)
            if new_value <= value + 1e-4 * length * fall or length < 1e-10:
                break
            length /= 2
        moved, bent = length * way, new_slope - slope
        if (moved @ bent) > 0:
            pairs.append((moved, bent, float(moved @ bent)))
        x, value, slope = x + moved, new_value, new_slope
    return x


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _as_array(values: Numbers) -> NDArray[np.float64]:
    rows = np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values, dtype=np.float64)
    if not np.isfinite(rows).all():
        raise _refuse("features must be finite, got some that are not")
    return rows


def _as_labels(values: Numbers) -> NDArray[np.int64]:
    label = np.asarray(values.detach().cpu() if isinstance(values, torch.Tensor) else values)
    if label.ndim != 1 or not len(label) or label.dtype.kind not in "iu" or label.min() < 0:
        raise _refuse(f"labels must be whole numbers from 0, of shape (n,), got shape {label.shape} of {label.dtype}")
    return label.astype(np.int64)


def _refuse(why: str) -> OptionError:
    return OptionError("cannot evaluate features", why, "See linear_evaluation")
