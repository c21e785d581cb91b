"""The kernel of a Gaussian process, and how its scales are learned from one column of numbers.

Scales are logarithms: of the size of the smooth part, of a length for each number of a point, of the size of the linear
part, and of the noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["evidence", "fit_scales", "kernel", "left_out", "solve"]

_LEAST_NOISE = 1e-4  # of the deviation of the targets
_FIRST_NOISE = -2.5  # logarithm of the noise that the search begins with, of that deviation


def kernel(a: NDArray[np.float64], b: NDArray[np.float64], scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Covariance of points (n, k) and (m, k), without noise: a squared exponential and a linear part."""
    p, q = a / np.exp(scales[1:-2]), b / np.exp(scales[1:-2])
    apart = (p**2).sum(axis=1)[:, None] + (q**2).sum(axis=1)[None, :] - 2 * p @ q.T
    made = np.exp(2 * scales[0]) * np.exp(-0.5 * np.maximum(apart, 0))
    return np.asarray(made + np.exp(2 * scales[-2]) * (a @ b.T))


def solve(
    points: NDArray[np.float64], y: NDArray[np.float64], scales: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the Cholesky factor of the covariance, and the weights of the points."""
    from scipy.linalg import cho_solve, cholesky

    whole = kernel(points, points, scales)
    size = float(np.trace(whole)) / len(whole)
    whole[np.diag_indices_from(whole)] += np.exp(2 * scales[-1]) + 1e-12 * size
    lower = cholesky(whole, lower=True, overwrite_a=True)
    return lower, cho_solve((lower, True), y)


def left_out(points: NDArray[np.float64], y: NDArray[np.float64], scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Errors of the process for each point when it is left out."""
    from scipy.linalg import cho_solve

    lower, weights = solve(points, y, scales)
    inverse = cho_solve((lower, True), np.eye(len(y)))
    return np.asarray(weights / np.diag(inverse))


def evidence(
    points: NDArray[np.float64], y: NDArray[np.float64], scales: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return minus the logarithm of the evidence of numbers y (n,), and its derivative by each scale."""
    from scipy.linalg import cho_solve

    n = len(y)
    lower, weights = solve(points, y, scales)
    value = 0.5 * float(y @ weights) + float(np.log(np.diag(lower)).sum()) + 0.5 * n * np.log(2 * np.pi)
    inner = np.outer(weights, weights) - cho_solve((lower, True), np.eye(n))
    linear = np.exp(2 * scales[-2]) * (points @ points.T)
    smooth = kernel(points, points, scales) - linear
    # Half of the trace of inner times the derivative of the covariance; of a length: smooth times squared distance.
    product = inner * smooth
    slope = np.empty(scales.size)
    slope[0] = product.sum()
    squares = points**2
    rows = product.sum(axis=1)
    away = 2 * (rows @ squares - np.einsum("ik,ij,jk->k", points, product, points, optimize=True))
    slope[1:-2] = 0.5 * away / np.exp(2 * scales[1:-2])
    slope[-2] = (inner * linear).sum()
    slope[-1] = np.exp(2 * scales[-1]) * np.trace(inner)
    return value, -slope


def fit_scales(points: NDArray[np.float64], y: NDArray[np.float64], n_steps: int = 50) -> NDArray[np.float64]:
    """Scales with the largest evidence; y has mean 0."""
    from scipy.optimize import minimize

    k, size = points.shape[1], float(y.std()) or 1.0
    unit = y / size
    # A weak pull towards usual lengths: numbers that do not matter get long ones, but not infinite ones.
    middle = np.log(np.sqrt(k)) + 0.5

    def cost(scales: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        try:
            value, slope = evidence(points, unit, scales)
        except np.linalg.LinAlgError:
            return 1e10, np.zeros(scales.size)
        pull = scales[1:-2] - middle
        slope[1:-2] += 0.1 * pull
        return value + 0.05 * float(pull @ pull), slope

    limits = [(-5.0, 6.0)] + [(-2.0, 7.0)] * k + [(-8.0, 4.0), (np.log(_LEAST_NOISE), 1.0)]
    start = np.concatenate([[0.0], np.full(k, middle), [-1.0 - 0.5 * np.log(k), _FIRST_NOISE]])
    found = minimize(cost, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": n_steps})
    best = np.array(found.x)
    best[[0, -2, -1]] += np.log(size)
    return np.asarray(best)
