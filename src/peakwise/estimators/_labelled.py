"""Labels of patterns by a linear model on principal components: the plain way, where no structures are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.linear_model import LogisticRegression as _Linear

from peakwise.estimators._rows import learn_projection, log_softmax, project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["checked", "learn", "probabilities"]

_COMPONENTS = 32


def learn(intensity: NDArray[Any], codes: NDArray[np.int64], random_state: int) -> dict[str, NDArray[np.float64]]:
    """Arrays of the model: ``centre``, ``projection``, ``coefficients`` and ``intercepts``."""
    rows = np.asarray(intensity, np.float64)
    with np.errstate(invalid="ignore"):  # patterns that are all the same have no variance to be explained
        arrays, projected = learn_projection(rows, _COMPONENTS, random_state)
    scale = float(np.sqrt(np.mean(projected**2))) or 1.0
    model = _Linear(max_iter=2000).fit(projected / scale, codes)
    coefficients, intercepts = model.coef_ / scale, model.intercept_
    if len(model.classes_) == 2:
        coefficients = np.concatenate([-coefficients / 2, coefficients / 2])
        intercepts = np.concatenate([-intercepts / 2, intercepts / 2])
    return {**arrays, "coefficients": coefficients.astype(np.float64), "intercepts": intercepts.astype(np.float64)}


def probabilities(intensity: NDArray[Any], arrays: Mapping[str, NDArray[np.float64]]) -> NDArray[np.floating]:
    """Probability of each label, (n, n_labels)."""
    rows = project(np.asarray(intensity, np.float64), arrays)
    return np.asarray(np.exp(log_softmax(rows @ arrays["coefficients"].T + arrays["intercepts"])))


def checked(arrays: Mapping[str, NDArray[Any]], n_labels: int) -> dict[str, NDArray[np.float64]]:
    """The arrays of a model file, refused where they do not fit each other."""
    found = {
        name: np.asarray(arrays[name], np.float64) for name in ("centre", "projection", "coefficients", "intercepts")
    }
    m, k = found["projection"].shape
    shapes = {"centre": (m,), "coefficients": (n_labels, k), "intercepts": (n_labels,)}
    for name, shape in shapes.items():
        if found[name].shape != shape:
            raise ValueError(f"{name} must have the shape {shape}, got {found[name].shape}")
    return found
