"""What the study of Wang et al. compares: their network, five classical models, and a search-match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from peakwise.estimators import (
    CosineMatcher,
    LogisticRegression,
    NaiveBayes,
    NearestNeighbours,
    RandomForest,
    SupportVectors,
)
from peakwise.patterns import Patterns
from peakwise.preprocessing import FilterFourier, SubtractBaseline

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from peakwise.estimators import Estimator

__all__ = ["CLASSICAL", "FILTERS", "cosine_scores", "filtered", "network_scores", "train_network"]

_FOREST = 20  # trees; with a thousand labels each takes seconds

# As the paper lists them.
CLASSICAL: dict[str, Callable[[], Estimator]] = {
    "naive Bayes": NaiveBayes,
    "k nearest neighbours": NearestNeighbours,
    "logistic regression": LogisticRegression,
    "random forest": lambda: RandomForest(_FOREST),
    "support vector machine": SupportVectors,
}

# How the experiments are filtered: the threshold of FilterFourier; None is no filter, 0 filters every scan.
FILTERS: dict[str, float | None] = {"no filter": None, "filter, the paper's rule": 1.0, "filter, always": 0.0}

_TOP = 100.0
_BATCH = 64
_RATE = 1e-3  # learning rate: what Adam has by default, in the paper's software too
_AT_ONCE = 256


def filtered(counts: NDArray[np.float64], axis: NDArray[np.float64], threshold: float | None) -> NDArray[np.float64]:
    """The scans [counts] after the Fourier filter."""
    if threshold is None:
        return counts
    scans = Patterns(axis, counts, wavelength="CuKa")
    return np.asarray(FilterFourier(threshold=threshold).fit_transform(scans).intensity)


def to_network(rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scans with a maximum of 100: as the network sees them, in training and afterwards.

    Programs that calculate patterns give them so. It matters: with a maximum of 1 the network, as torch begins it, did
    not start to learn 500 phases within three epochs.
    """
    return np.asarray(rows * (_TOP / np.maximum(rows.max(axis=1, keepdims=True), 1e-30)), dtype=np.float32)


def train_network(
    rows: NDArray[np.float32],
    labels: NDArray[np.int64],
    held_rows: NDArray[np.float32],
    held_labels: NDArray[np.int64],
    *,
    epochs: int,
    seconds: float,
    seed: int,
    device: str,
    tell: Callable[[float], None],
) -> tuple[Any, dict[str, float]]:
    """Train the network of the paper; returns its objective, and what is to be told of the training."""
    from peakwise.networks import build_encoder, seeded
    from peakwise.objectives import SingleLabel
    from peakwise.training import ArrayBatches, train

    n_classes = int(labels.max()) + 1
    with seeded(seed):
        objective = SingleLabel(build_encoder("wang_cnn", rows.shape[1]), n_classes)
    batches = ArrayBatches({"intensity": rows, "label": labels}, _BATCH, random_state=seed)
    held = ArrayBatches({"intensity": held_rows, "label": held_labels}, _AT_ONCE, random_state=None)
    history = train(
        objective, batches, epochs=epochs, seconds=seconds, validate=list(held), validations=epochs, device=device,
        learning_rate=_RATE, random_state=seed, progress=lambda row: tell(float(row["progress"])),
    )  # fmt: skip
    best = max(history.validated, key=lambda row: row["score"])
    told = {
        "epochs": round(history.steps / len(batches), 2),
        "seconds": round(history.seconds, 1),
        "validation_accuracy": best["accuracy"],
    }
    return objective, told


def network_scores(objective: Any, rows: NDArray[np.floating]) -> NDArray[np.float32]:
    """Logits of the network, (n, n_classes)."""
    import torch

    from peakwise.objectives import evaluating

    device = next(objective.parameters()).device
    shown = torch.from_numpy(to_network(rows))
    with evaluating(objective), torch.no_grad():
        parts = [
            objective.head(objective.encoder(shown[i : i + _AT_ONCE].to(device))).float().cpu()
            for i in range(0, len(shown), _AT_ONCE)
        ]
    return np.asarray(torch.cat(parts).numpy())


def cosine_scores(
    patterns: NDArray[np.float32], counts: NDArray[np.float64], axis: NDArray[np.float64]
) -> NDArray[np.floating]:
    """Similarities to the calculated patterns, after the background of each scan is subtracted."""
    library = Patterns(axis, patterns, wavelength="CuKa1")
    scans = SubtractBaseline().fit_transform(Patterns(axis, counts, wavelength="CuKa1"))
    matcher = CosineMatcher().fit(library, np.arange(len(patterns)))
    return np.asarray(matcher.scores(scans))
