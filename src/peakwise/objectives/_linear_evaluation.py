"""What frozen features tell: a linear head on a few labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from peakwise.errors import OptionError
from peakwise.objectives._objective import evaluating

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from peakwise.networks import Encoder

__all__ = ["LinearEvaluation", "draw_labelled", "encode", "linear_evaluation"]

Numbers = Any  # an array or a tensor, on any device
_DECAYS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


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
    mean, scale : arrays of shape (n_features,)
        By which features are standardised.
    decay : float
        The decay of the weights that was used.
    """

    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
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
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(scale > 1e-6 * max(1e-30, float(scale.max())), scale, 1.0)
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
    from scipy.optimize import minimize  # takes its time

    n, n_features = rows.shape
    # With fewer labels than features the weights lie in the span of the rows: the same minimum in fewer numbers.
    basis = np.eye(n_features)
    if n < n_features:
        _, strength, basis = np.linalg.svd(rows, full_matrices=False)
        basis = basis[strength > 1e-10 * max(1e-30, float(strength.max()))]
        rows = rows @ basis.T
    target = np.eye(n_classes)[label]

    def cost(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weight = flat.reshape(n_classes, -1)
        logs = _log_softmax(rows @ weight[:, :-1].T + weight[:, -1])
        slope = (np.exp(logs) - target) / n
        gradient = np.column_stack([slope.T @ rows + decay * weight[:, :-1], slope.sum(axis=0)])
        return float(-(target * logs).sum() / n + decay / 2 * (weight[:, :-1] ** 2).sum()), gradient.ravel()

    start = np.zeros(n_classes * (rows.shape[1] + 1))
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-6})
    weight = found.x.reshape(n_classes, -1)
    return weight[:, :-1] @ basis, weight[:, -1]


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
