"""Patterns as rows of features for models that know nothing of diffraction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["check_labelled", "learn_projection", "log_softmax", "project", "unit_rows"]


def unit_rows(intensity: NDArray[Any]) -> NDArray[np.floating]:
    """Square roots of the intensities (with their sign), each row scaled to length 1; a row of zeros stays.

    The root makes the weak peaks count, and turns counting noise into noise of one size.

    >>> unit_rows(np.array([[9.0, 16.0], [0.0, -4.0], [0.0, 0.0]]))
    array([[ 0.6,  0.8],
           [ 0. , -1. ],
           [ 0. ,  0. ]])
    """
    rows = intensity if np.issubdtype(intensity.dtype, np.floating) else intensity.astype(np.float64)
    rows = np.sign(rows) * np.sqrt(np.abs(rows))
    length = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.where(length > 0, length, 1))


def check_labelled(rows: NDArray[Any], codes: NDArray[Any], labels: Mapping[str, Any]) -> None:
    """Refuse rows and label numbers of a file that do not belong together: numbers must rise and name every label."""
    n_labels = len(labels["values"])
    rises = codes.ndim == 1 and codes.size > 0 and codes[0] == 0 and np.isin(np.diff(codes), (0, 1)).all()
    if not rises or codes[-1] != n_labels - 1 or len(rows) != codes.size:
        raise ValueError(f"{len(rows)} patterns and {codes.size} label numbers for {n_labels} labels")


def learn_projection(
    rows: NDArray[np.floating], n_components: int, random_state: Any
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
    """Standardise every point, then keep the principal components.

    Returns
    -------
    arrays : dict
        ``centre`` (m,) and ``projection`` (m, k): both steps as one affine map.
    projected : (n, k)
    """
    scaler = StandardScaler()
    scaled = scaler.fit_transform(rows)
    pca = PCA(min(n_components, *scaled.shape), random_state=random_state).fit(scaled)
    projection = pca.components_.T / scaler.scale_[:, None]
    centre = scaler.mean_ + scaler.scale_ * pca.mean_
    arrays = {"centre": centre.astype(np.float64), "projection": projection.astype(np.float64)}
    return arrays, project(rows, arrays)


def project(rows: NDArray[np.floating], arrays: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Rows (n, m) after `learn_projection`: (n, k)."""
    # Not (rows - centre) @ projection: that would hold a second copy of all rows.
    return np.asarray(rows @ arrays["projection"] - arrays["centre"] @ arrays["projection"])


def log_softmax(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """Logarithms of probabilities that are proportional to exp(scores), row by row.

    >>> np.exp(log_softmax(np.array([[0.0, np.log(3.0)], [-1e4, 0.0]]))).round(6).tolist()
    [[0.25, 0.75], [0.0, 1.0]]
    """
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
